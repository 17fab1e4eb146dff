//! Passes the user's keys to a running system, except the key that ends the run.

use std::fmt;
use std::fs::File;
use std::io::{self, IsTerminal, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::str::FromStr;
use std::thread;

use rustix::process::getpgrp;
use rustix::termios::{OptionalActions, Termios, tcgetattr, tcgetpgrp, tcsetattr};

use crate::interrupt;
use crate::qemu::Typist;

/// The key that ends the run: Ctrl with a letter or symbol. A terminal sends such a key as a byte
/// below 0x20.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub(crate) struct Escape(u8);

impl FromStr for Escape {
    type Err = String;

    /// Parses `ctrl-c` or `^C`.
    fn from_str(text: &str) -> Result<Self, String> {
        let lower = text.to_ascii_lowercase();
        let key = lower
            .strip_prefix("ctrl-")
            .or_else(|| lower.strip_prefix('^'));
        match key.map(str::as_bytes) {
            Some([key @ (b'@' | b'a'..=b'z' | b'[' | b'\\' | b']' | b'^' | b'_')]) => {
                Ok(Self(key & 0x1f))
            }
            _ => Err("expected a key with Ctrl, such as `ctrl-c` or `ctrl-]`".to_owned()),
        }
    }
}

impl fmt::Display for Escape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ctrl-{}", char::from(self.0 | 0x40))
    }
}

/// A terminal in raw mode. Each key is delivered immediately. Dropping the value restores the old
/// settings, also during a panic.
#[derive(Debug)]
#[must_use = "the terminal's settings are restored when this is dropped"]
pub(crate) struct Keys {
    terminal: OwnedFd,
    before: Termios,
}

impl Keys {
    /// Switches standard input to raw mode, if standard input is a terminal that this program may
    /// read.
    pub(crate) fn from_stdin() -> Option<Self> {
        let input = io::stdin();
        // The terminal driver stops a background job that changes the terminal's settings.
        let is_background = tcgetpgrp(&input).is_ok_and(|group| group != getpgrp());
        if !input.is_terminal() || is_background {
            return None;
        }
        Self::new(input.as_fd().try_clone_to_owned().ok()?).ok()
    }

    fn new(terminal: OwnedFd) -> rustix::io::Result<Self> {
        let before = tcgetattr(&terminal)?;
        let mut raw = before.clone();
        raw.make_raw();
        // Output processing stays on, because output needs a carriage return at each newline.
        raw.output_modes = before.output_modes;
        // `Flush` would discard input that the user typed before the run. The system must receive
        // that input.
        tcsetattr(&terminal, OptionalActions::Now, &raw)?;
        Ok(Self { terminal, before })
    }

    /// Sends every later key to a guest, except `escape`. The key `escape` ends the run.
    ///
    /// # Errors
    ///
    /// Fails if this process has reached its limit of file descriptors.
    pub(crate) fn type_to(&self, typist: Typist, escape: Escape) -> io::Result<()> {
        let mut keys = File::from(self.terminal.try_clone()?);
        // The thread ends with the terminal or with this process. A blocked read cannot be
        // cancelled.
        thread::spawn(move || {
            let mut buffer = [0; 1024];
            while let Ok(length @ 1..) = keys.read(&mut buffer) {
                let mut pieces = buffer[..length].split(|byte| *byte == escape.0);
                typist.press(pieces.next().unwrap_or_default());
                if pieces.next().is_some() {
                    interrupt::request();
                    return;
                }
            }
        });
        Ok(())
    }
}

impl Drop for Keys {
    fn drop(&mut self) {
        // Restoring fails only if the terminal no longer exists.
        let _ = tcsetattr(&self.terminal, OptionalActions::Now, &self.before);
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use rustix::pty::{OpenptFlags, openpt};
    use rustix::termios::LocalModes;

    use super::*;

    #[test]
    fn a_key_with_ctrl_is_parsed_to_its_byte() {
        let check = |text: &str, expect: Option<(u8, &str)>| {
            let key = text.parse::<Escape>().ok();
            let key = key.map(|key| (key.0, key.to_string()));
            assert_eq!(
                key.as_ref().map(|(byte, name)| (*byte, name.as_str())),
                expect,
                "{text}"
            );
        };
        check("ctrl-c", Some((3, "Ctrl-C")));
        check("Ctrl-C", Some((3, "Ctrl-C")));
        check("^]", Some((0x1d, "Ctrl-]")));
        check("ctrl-\\", Some((0x1c, "Ctrl-\\")));
        check("ctrl-@", Some((0, "Ctrl-@")));
        for wrong in [
            "", "c", "ctrl-", "ctrl-cc", "ctrl-1", "^", "ctrl-ü", "alt-x",
        ] {
            check(wrong, None);
        }
    }

    #[test]
    fn a_panic_restores_the_terminal() {
        let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a terminal");
        let settings = || tcgetattr(&terminal).expect("it has settings");
        let line_by_line = LocalModes::ICANON | LocalModes::ISIG | LocalModes::ECHO;
        let before = settings();
        assert!(before.local_modes.contains(line_by_line));
        let result = catch_unwind(AssertUnwindSafe(|| {
            let copy = terminal.try_clone().expect("a descriptor");
            let _keys = Keys::new(copy).expect("a terminal");
            assert!(!settings().local_modes.intersects(line_by_line));
            assert_eq!(settings().output_modes, before.output_modes);
            std::panic::panic_any(());
        }));
        assert!(result.is_err());
        assert_eq!(settings().local_modes, before.local_modes);
        assert_eq!(settings().input_modes, before.input_modes);
    }
}
