//! Reads the facts about a kernel from the SDK's files, and checks that the runtime fits them.

use std::cell::RefCell;
use std::fs;
use std::path::{Path, PathBuf};

use microkit_abi::{facts, symbols};
use microkit_sdf::Kernel;
use serde_json::Value;

/// The kernel's configuration, which the kernel's build writes.
const CONFIGURATION: &str = "include/kernel/gen_config.json";

/// The files of one board and configuration, and the differences that were found in them.
struct Files<'a> {
    directory: &'a Path,
    wrong: RefCell<Vec<String>>,
}

/// Returns whether the kernel in `directory` is for the runtime's architecture. SDKs also have
/// kernels for others.
pub(super) fn is_of_runtime(directory: &Path) -> bool {
    let text = fs::read_to_string(directory.join(CONFIGURATION)).unwrap_or_default();
    let all: Value = serde_json::from_str(&text).unwrap_or_default();
    all.is_null() || all["ARCH_AARCH64"] == true
}

/// Returns how the kernel in `directory`, an SDK's `board/BOARD/CONFIG`, differs from what the
/// runtime requires: one sentence for each difference.
pub(super) fn differences(directory: &Path) -> Vec<String> {
    if !is_of_runtime(directory) {
        return vec![format!("{CONFIGURATION}: it is not for AArch64")];
    }
    let files = Files {
        directory,
        wrong: RefCell::default(),
    };
    files.configuration();
    files.numbers("include/microkit.h", "", &facts::HEADER);
    let info = "block seL4_MessageInfo";
    files.numbers("include/sel4/shared_types.pbf", info, &facts::MESSAGE_INFO);
    files.numbers("include/sel4/constants.h", "", &facts::MESSAGE_LIMITS);
    files.names("include/api/syscall.xml", "system call", |text| {
        let missing = |name: &&&str| !text.contains(&format!("name=\"{name}\""));
        facts::SYSTEM_CALLS.iter().find(missing).copied()
    });
    files.names("invocations_all.json", "invocation", |text| {
        let labels: Value = serde_json::from_str(text).unwrap_or_default();
        let missing = |name: &&&str| labels[**name].as_u64().is_none();
        facts::INVOCATIONS.iter().find(missing).copied()
    });
    files.names("include/sel4/sel4_arch/types.pbf", "fault", |text| {
        let missing = |name: &&&str| number(text, name).is_none();
        facts::FAULTS.iter().find(missing).copied()
    });
    files.names("address_space_constants.json", "number", |text| {
        user_top(text).is_none().then_some("vspace_user_top")
    });
    files.libmicrokit();
    files.wrong.into_inner()
}

/// Returns the limits and devices that system files for the kernel in `directory` are checked
/// against.
///
/// Facts that the SDK's files do not contain, such as seL4's `KERNEL_WCET`, are those of
/// `qemu_virt_aarch64`.
pub(super) fn kernel(directory: &Path) -> Option<Kernel> {
    let read = |file: &str| fs::read_to_string(directory.join(file)).ok();
    let all: Value = serde_json::from_str(&read(CONFIGURATION)?).ok()?;
    let board: Value = serde_json::from_str(&read("platform_gen.json")?).ok()?;
    let known = Kernel::QEMU_VIRT_AARCH64;
    let byte = |name, default| {
        let value = numeric(&all[name]).and_then(|value| value.try_into().ok());
        value.unwrap_or(default)
    };
    let memory = board["memory"].as_array()?.iter();
    let ranges: Vec<_> = memory
        .filter_map(|range| Some((range["start"].as_u64()?, range["end"].as_u64()?)))
        .collect();
    let ram = ranges
        .iter()
        .copied()
        .reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)));
    Some(Kernel {
        user_top: user_top(&read("address_space_constants.json")?)?,
        cores: byte("MAX_NUM_NODES", known.cores),
        domains: byte("NUM_DOMAINS", known.domains),
        schedule_entries: numeric(&all["NUM_DOMAIN_SCHEDULES"]).unwrap_or(known.schedule_entries),
        hypervisor: all["ARM_HYPERVISOR_SUPPORT"] == true,
        smc: all["ALLOW_SMC_CALLS"] == true,
        timer_khz: numeric(&all["TIMER_FREQUENCY"]).map_or(known.timer_khz, |hz| hz / 1000),
        wcet_us: known.wcet_us,
        // The file lists only the memory that seL4 manages. This board has more, below it.
        ram: match ram {
            Some((start, end)) if known.ram.is_some_and(|(_, last)| end == last) => {
                known.ram.map(|(first, _)| (first.min(start), end))
            }
            other => other,
        },
    })
}

impl Files<'_> {
    fn path(&self, file: &str) -> PathBuf {
        self.directory.join(file)
    }

    fn wrong(&self, sentence: String) {
        self.wrong.borrow_mut().push(sentence);
    }

    fn text(&self, file: &str) -> Option<String> {
        match fs::read_to_string(self.path(file)) {
            Ok(text) => Some(text),
            Err(error) => {
                self.wrong(format!("{file} cannot be read: {error}"));
                None
            }
        }
    }

    fn configuration(&self) {
        let file = CONFIGURATION;
        let Some(text) = self.text(file) else { return };
        let all: Value = serde_json::from_str(&text).unwrap_or_default();
        for name in facts::SWITCHES {
            if all[name] != true {
                self.wrong(format!("{file} has `{name}` off; the runtime requires it"));
            }
        }
        for (name, needed) in facts::CONFIGURATION {
            self.compare(file, name, numeric(&all[name]), needed);
        }
    }

    /// Compares numbers that follow their names, in the block of `file` that begins with `start`.
    fn numbers(&self, file: &str, start: &str, needed: &[(&str, u64)]) {
        let Some(text) = self.text(file) else { return };
        let block = text.split_once(start).map_or("", |(_, block)| block);
        let block = match start {
            "" => block,
            _ => block.split('}').next().unwrap_or_default(),
        };
        for &(name, needed) in needed {
            self.compare(file, name, number(block, name), needed);
        }
    }

    fn compare(&self, file: &str, name: &str, found: Option<u64>, needed: u64) {
        match found {
            Some(found) if found == needed => {}
            Some(found) => self.wrong(format!(
                "{file} sets `{name}` to {found}; the runtime requires {needed}"
            )),
            None => self.wrong(format!(
                "{file} does not set `{name}`; the runtime requires {needed}"
            )),
        }
    }

    fn names(&self, file: &str, what: &str, missing: impl Fn(&str) -> Option<&'static str>) {
        if let Some(name) = self.text(file).and_then(|text| missing(&text)) {
            self.wrong(format!("{file} has no {what} `{name}`"));
        }
    }

    /// Checks for the symbols that the SDK's tool writes. The runtime defines the same ones as
    /// libmicrokit.
    fn libmicrokit(&self) {
        let file = "lib/libmicrokit.a";
        match fs::read(self.path(file)) {
            Ok(bytes) => {
                for symbol in symbols::ALL {
                    let name = [symbol.as_bytes(), b"\0"].concat();
                    if !bytes.windows(name.len()).any(|window| window == name) {
                        self.wrong(format!("{file} has no symbol `{symbol}`"));
                    }
                }
            }
            Err(error) => self.wrong(format!("{file} cannot be read: {error}")),
        }
    }
}

fn user_top(json: &str) -> Option<u64> {
    let all: Value = serde_json::from_str(json).ok()?;
    all["vspace_user_top"].as_u64()
}

/// Reads a number of `gen_config.json`, which holds numbers as text.
fn numeric(value: &Value) -> Option<u64> {
    value
        .as_u64()
        .or_else(|| value.as_str().and_then(|text| text.parse().ok()))
}

/// Finds the number that follows `name` in C or in a bit-field description: `#define NAME 7`,
/// `NAME = 7,`, `field NAME 7`.
fn number(text: &str, name: &str) -> Option<u64> {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    text.lines().find_map(|line| {
        let mut words = line
            .split(|c| !is_word(c))
            .filter(|word| !word.is_empty())
            .skip_while(|word| *word != name);
        let value = words.nth(1)?;
        let value = value.trim_end_matches(['u', 'U', 'l', 'L']);
        match value.strip_prefix("0x") {
            Some(hex) => u64::from_str_radix(hex, 16).ok(),
            None => value.parse().ok(),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_follows_its_name_in_every_form() {
        let check = |text, expect| assert_eq!(number(text, "NAME"), expect, "{text}");
        check("#define NAME 74", Some(74));
        check("#define NAME 0x1fUL /* why */", Some(31));
        check("    NAME = 120,", Some(120));
        check("#define NAME (7)\n", Some(7));
        check("field NAME 52", Some(52));
        check(
            "#define MY_NAME 1\n#define NAME_2 2\n#define NAME 3",
            Some(3),
        );
        check("#define X NAME\n#define NAME 3", Some(3));
        check("#define NAME OTHER", None);
        check("", None);
    }
}
