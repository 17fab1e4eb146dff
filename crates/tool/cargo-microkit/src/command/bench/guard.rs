//! Compares measurements with the recorded measurements. Under `-icount` the numbers are exact, so
//! every rise has a cause in the code or in the tools.

use super::figures::Figures;

/// The tolerated rise, in percent. Another version of the compiler may change a number slightly.
pub(super) const PERCENT: u64 = 2;

/// Returns a sentence for each number of the Rust column that has risen by more than [`PERCENT`] or
/// is missing. Skips kernels that this run did not measure.
pub(super) fn complaints(before: &Figures, now: &Figures) -> Vec<String> {
    let mut complaints = Vec::new();
    for pair in pairs(before, now) {
        let Pair {
            kernel,
            name,
            before,
            now,
        } = pair;
        match now {
            Some(now) if now * 100 > before * (100 + PERCENT) => complaints.push(format!(
                "{kernel}: `{name}` takes {now} instructions, {:.1}% more than the recorded \
                 {before}: find the cause, or accept the new number by `--bless`",
                (now - before) as f64 * 100.0 / before as f64
            )),
            Some(_) => {}
            None => complaints.push(format!(
                "{kernel}: `{name}` is in the table, but was not measured"
            )),
        }
    }
    complaints
}

/// Returns a sentence for each number that has fallen far enough to be recorded again.
pub(super) fn gains(before: &Figures, now: &Figures) -> Vec<String> {
    pairs(before, now)
        .into_iter()
        .filter_map(|pair| {
            let now = pair
                .now
                .filter(|now| now * 100 < pair.before * (100 - PERCENT))?;
            Some(format!(
                "{}: `{}` takes {now} instructions, less than the recorded {}: record the new \
                 number by `--bless`",
                pair.kernel, pair.name, pair.before
            ))
        })
        .collect()
}

struct Pair<'a> {
    kernel: &'a str,
    name: &'a str,
    before: u64,
    now: Option<u64>,
}

/// Pairs each recorded number with the new number.
fn pairs<'a>(before: &'a Figures, now: &Figures) -> Vec<Pair<'a>> {
    let mut pairs = Vec::new();
    for of_kernel in &before.kernels {
        let Some(measured) = now.kernels.iter().find(|k| k.kernel == of_kernel.kernel) else {
            continue;
        };
        for row in &of_kernel.rows {
            let Some(before) = row.rust else { continue };
            let now = measured.rows.iter().find(|r| r.name == row.name);
            pairs.push(Pair {
                kernel: &of_kernel.kernel,
                name: &row.name,
                before,
                now: now.and_then(|row| row.rust),
            });
        }
    }
    pairs
}

#[cfg(test)]
mod tests {
    use super::super::figures::{Column, OfKernel};
    use super::*;

    fn figures(kernel: &str, rows: &[(&str, u64)]) -> Figures {
        let mut of_kernel = OfKernel {
            kernel: kernel.to_owned(),
            ..OfKernel::default()
        };
        let rows = rows.iter().map(|&(name, n)| (name.to_owned(), n)).collect();
        of_kernel.add(Column::Rust, rows);
        Figures {
            kernels: vec![of_kernel],
        }
    }

    #[test]
    fn a_rise_of_more_than_two_percent_is_reported() {
        let before = figures("model", &[("call", 1000), ("fault", 500)]);
        let check = |now: &[(&str, u64)], expect: &[&str]| {
            let seen = complaints(&before, &figures("model", now));
            assert_eq!(seen.len(), expect.len(), "{seen:?}");
            for (complaint, part) in seen.iter().zip(expect) {
                assert!(complaint.contains(part), "{complaint}");
            }
        };
        check(&[("call", 1000), ("fault", 500)], &[]);
        check(&[("call", 1020), ("fault", 510)], &[]);
        check(
            &[("call", 1021), ("fault", 500)],
            &["2.1% more than the recorded 1000"],
        );
        check(&[("call", 900), ("fault", 511)], &["`fault` takes 511"]);
        check(
            &[("call", 900)],
            &["`fault` is in the table, but was not measured"],
        );
        check(&[("call", 1000), ("fault", 500), ("new", 9)], &[]);
    }

    #[test]
    fn a_kernel_that_was_not_measured_is_skipped() {
        let before = figures("sel4", &[("call", 1000)]);
        assert!(complaints(&before, &figures("model", &[("call", 9999)])).is_empty());
    }

    #[test]
    fn a_fall_of_more_than_two_percent_is_reported_too() {
        let before = figures("model", &[("call", 1000)]);
        assert_eq!(gains(&before, &figures("model", &[("call", 979)])).len(), 1);
        assert!(gains(&before, &figures("model", &[("call", 980)])).is_empty());
    }
}
