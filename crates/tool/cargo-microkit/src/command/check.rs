//! `check`: finds errors and suspicious constructs in systems before they run.

use miette::{Report, Result};

use crate::cli::CheckArgs;
use crate::command::Outcome;
use crate::command::systems::{OfProject, all_systems, find_systems};
use crate::declared;
use crate::terminal;

/// The number of findings in all systems.
#[derive(Default)]
struct Tally {
    errors: usize,
    warnings: usize,
}

/// Checks each system. Prints the findings, or a line for a system without findings.
pub(super) fn check(args: &CheckArgs) -> Result<Outcome> {
    let mut tally = Tally::default();
    let groups = match args.systems.is_empty() {
        true => all_systems()?,
        false => find_systems(&args.systems)?,
    };
    for group in groups {
        check_group(args, group, &mut tally)?;
    }
    Ok(tally.outcome(args.deny_warnings))
}

fn check_group(args: &CheckArgs, group: OfProject, tally: &mut Tally) -> Result<()> {
    let mut parsed = Vec::new();
    for system in group.systems {
        match declared::read_system(system, &args.programs) {
            Ok(file) => parsed.push(file),
            Err(report) => tally.error(&report),
        }
    }

    let kernel = declared::kernel(&args.programs)?;
    let declared = declared::declarations(&parsed, group.project.as_deref(), &args.programs)?;
    for (file, declarations) in parsed.iter().zip(declared) {
        let sdf = file.parsed()?;
        let before = (tally.errors, tally.warnings);
        if let Some(report) = declared::refused_by_model(sdf, &args.programs.options) {
            tally.error(&report);
        }
        let memory = declared::memory(sdf, &declarations.memory, kernel);
        let report = microkit_check::check(sdf, &declarations.waits);
        let restarts = microkit_check::restarts(sdf, &declarations.waits, &declarations.replies);
        let waits = microkit_check::waits(sdf, &declarations.waits).len();
        let pds = sdf.protection_domains.len();
        tally.warnings += declared::show_warnings(sdf);
        for report in [memory, report, restarts] {
            tally.errors += report.error_count();
            tally.warnings += report.warning_count();
            if !report.findings().is_empty() {
                terminal::error(&report.into());
            }
        }
        if before == (tally.errors, tally.warnings) {
            terminal::line(format_args!(
                "{}: in order ({pds} protection domain{}, {waits} wait{})",
                file.system.name,
                plural(pds),
                plural(waits)
            ));
        }
    }
    Ok(())
}

impl Tally {
    fn error(&mut self, report: &Report) {
        self.errors += report.related().map_or(1, |all| all.count().max(1));
        terminal::error(report);
    }

    fn outcome(&self, deny_warnings: bool) -> Outcome {
        let &Self { errors, warnings } = self;
        if errors + warnings > 0 {
            terminal::aside(format_args!(
                "{errors} error{}, {warnings} warning{}",
                plural(errors),
                plural(warnings)
            ));
        }
        match errors > 0 || (deny_warnings && warnings > 0) {
            true => Outcome::Failed,
            false => Outcome::Done,
        }
    }
}

fn plural(count: usize) -> &'static str {
    if count == 1 { "" } else { "s" }
}
