//! The serial log: decodes bytes to text, splits text into lines, and finds the lines that come
//! from the system.

use crate::kernel::KernelKind;
use crate::variant::Variant;

/// The line that the monitor prints just before the PDs start, on kernels with debug output.
const MONITOR_STARTED: &str = "MON|INFO: Microkit Monitor started!";

/// The prefixes of remarks that the monitor, a debug kernel and the model kernel print between the
/// lines of the PDs. Fault reports are not remarks, so an `.expected` file must list fault reports.
const REMARKS: [&str; 3] = ["MON|INFO: ", "<<seL4(CPU ", "MODEL|INFO: "];

/// The prefix of a line with the backtrace of a panic. Backtraces differ between builds, so tests
/// do not compare these lines.
pub(crate) const BACKTRACE: &str = "backtrace of ";

/// Splits a serial log into lines, and finds the lines that the system printed.
#[derive(Debug)]
pub(crate) struct Log {
    partial: String,
    is_boot: bool,
    has_remarks: bool,
}

/// A line of the log, without its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) text: String,
    /// Whether the line comes from the system, not from the loader, the monitor or the kernel. A
    /// system prints the same lines on every kernel.
    pub(crate) is_of_system: bool,
}

impl Log {
    /// Creates an empty log for a system that is about to boot.
    pub(crate) fn new(variant: &Variant) -> Self {
        Self {
            partial: String::new(),
            is_boot: variant.kernel_prints(),
            has_remarks: variant.kernel_prints() || variant.kernel == KernelKind::Model,
        }
    }

    /// Adds a piece of text. The piece has at most one newline, at its end. Returns the line that
    /// this newline completes.
    pub(crate) fn push(&mut self, piece: &str) -> Option<Line> {
        self.partial.push_str(piece);
        if !self.partial.ends_with('\n') {
            return None;
        }
        self.partial.pop();
        Some(self.flush())
    }

    /// Returns the unfinished line.
    pub(crate) fn partial(&self) -> &str {
        &self.partial
    }

    /// Ends and returns the unfinished line.
    pub(crate) fn flush(&mut self) -> Line {
        let text = std::mem::take(&mut self.partial);
        let plain = console::strip_ansi_codes(&text);
        let is_remark = self.has_remarks && REMARKS.iter().any(|start| plain.starts_with(start));
        let is_remark = is_remark || plain.starts_with(BACKTRACE);
        let is_of_system = !self.is_boot && !is_remark;
        self.is_boot &= text != MONITOR_STARTED;
        Line { text, is_of_system }
    }

    /// Returns whether the system is still booting. No PD prints before the end of the boot.
    pub(crate) fn is_boot(&self) -> bool {
        self.is_boot
    }
}

/// Decodes bytes to text without carriage returns. Invalid UTF-8 becomes a replacement character.
#[derive(Debug, Default)]
pub(crate) struct Decoder {
    /// The first bytes of an incomplete character.
    incomplete: Vec<u8>,
}

impl Decoder {
    /// Decodes `bytes`, starting with the incomplete character from the previous call.
    pub(crate) fn push(&mut self, bytes: &[u8]) -> String {
        self.incomplete
            .extend(bytes.iter().filter(|byte| **byte != b'\r'));
        let all = std::mem::take(&mut self.incomplete);
        let mut text = String::new();
        for chunk in all.utf8_chunks() {
            text.push_str(chunk.valid());
            let invalid = chunk.invalid();
            let is_last = all.as_ptr_range().end == invalid.as_ptr_range().end;
            let may_go_on = std::str::from_utf8(invalid).is_err_and(|e| e.error_len().is_none());
            if is_last && may_go_on {
                self.incomplete = invalid.to_vec();
            } else if !invalid.is_empty() {
                text.push(char::REPLACEMENT_CHARACTER);
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variant(config: &str) -> Variant {
        Variant {
            kernel: KernelKind::Sel4,
            board: "b".into(),
            config: config.into(),
            profile: "dev".into(),
        }
    }

    #[test]
    fn only_lines_after_the_start_of_the_monitor_come_from_the_system() {
        let boot = "LDR|INFO: x\nBooting all finished\nMON|INFO: Microkit Monitor started!\n";
        let check = |config: &str, text: &str, expect: &[&str]| {
            let mut log = Log::new(&variant(config));
            let lines = text
                .split_inclusive('\n')
                .filter_map(|piece| log.push(piece));
            let lines: Vec<_> = lines.filter(|l| l.is_of_system).map(|l| l.text).collect();
            assert_eq!(lines, expect, "{config}: {text}");
        };
        check(
            "debug",
            &format!("{boot}hello, world\n\nbye"),
            &["hello, world", ""],
        );
        check("smp-debug", &format!("{boot}a\n"), &["a"]);
        check("debug", "hello, world\n", &[]);
        check("release", "hello, world\n", &["hello, world"]);
        check(
            "benchmark",
            &format!("a\n{MONITOR_STARTED}\n"),
            &["a", MONITOR_STARTED],
        );
    }

    #[test]
    fn remarks_of_the_kernel_and_the_monitor_do_not_come_from_the_system() {
        let check = |line: &str, expect| {
            let mut log = Log::new(&variant("debug"));
            log.push(&format!("{MONITOR_STARTED}\n"));
            let line = log.push(&format!("{line}\n")).expect("a line");
            assert_eq!(line.is_of_system, expect, "{}", line.text);
        };
        check("MON|INFO: PD 'console' is now passive!", false);
        check(
            "\x1b[0m\x1b[1m<<\x1b[0m\x1b[32mseL4(CPU 0)\x1b[0m [x]: y!>>\x1b[0m",
            false,
        );
        check("MON|ERROR: faulting PD: crasher", true);
        check("say MON|INFO: x", true);
    }

    #[test]
    fn a_line_may_come_in_pieces() {
        let mut log = Log::new(&variant("release"));
        assert_eq!(log.push("hel"), None);
        assert_eq!(log.partial(), "hel");
        assert_eq!(
            log.push("lo\n").map(|line| line.text).as_deref(),
            Some("hello")
        );
        assert_eq!(log.partial(), "");
    }

    #[test]
    fn text_does_not_depend_on_how_its_bytes_are_split() {
        let check = |bytes: &[u8], expect: &str| {
            for cut in 0..=bytes.len() {
                let mut decoder = Decoder::default();
                let text = decoder.push(&bytes[..cut]) + &decoder.push(&bytes[cut..]);
                assert_eq!(text, expect, "{bytes:?} cut at {cut}");
            }
        };
        check(b"a\r\nb\r\n", "a\nb\n");
        check("pingüino → ok\n".as_bytes(), "pingüino → ok\n");
        check(b"a\xffb\n", "a\u{fffd}b\n");
        check(b"a\xe2\x86b\n", "a\u{fffd}b\n");
        check(b"a\xe2\x86", "a");
    }
}
