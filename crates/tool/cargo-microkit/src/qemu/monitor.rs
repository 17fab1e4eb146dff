//! Connects to QEMU's monitor, to read the state of the machine. The connection is a private
//! socket, in addition to any monitors of the user.
//!
//! The protocol is QMP, the QEMU Machine Protocol. Each command and each answer is one line of
//! JSON.

use std::cell::RefCell;
use std::ffi::{OsStr, OsString};
use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::qemu::paths::without_commas;

/// The time limit for QEMU's answer. QEMU answers immediately, unless QEMU is about to end.
const PATIENCE: Duration = Duration::from_secs(2);

/// The name of the character device. The name must differ from the names that users choose.
const DEVICE: &str = "cargo-microkit";

/// The maximum length of a socket's path, without the zero at its end. The field `sun_path` has 108
/// bytes on Linux and 104 on macOS, with the zero.
const MOST_PATH_BYTES: usize = 103;

/// A connection to a machine's monitor. The connection is opened at the first use.
#[derive(Debug)]
pub(crate) struct Monitor {
    folder: TempDir,
    connection: RefCell<State>,
}

#[derive(Debug, Default)]
enum State {
    #[default]
    Unused,
    Open(Connection),
    /// QEMU did not answer a command, so this program sends no more commands.
    Broken,
}

impl Monitor {
    /// Adds a monitor to the command that starts QEMU. Returns `None` if no socket can be created.
    pub(crate) fn add_to(command: &mut Command) -> Option<Self> {
        let make = |directory: &Path| {
            let builder = tempfile::Builder::new()
                .prefix("cargo-microkit-")
                .tempdir_in(directory);
            let folder = builder.ok()?;
            let is_short = socket(&folder).as_os_str().len() <= MOST_PATH_BYTES;
            is_short.then_some(folder)
        };
        let folder = make(&std::env::temp_dir()).or_else(|| make(Path::new("/tmp")))?;
        let mut device = OsString::from(format!("socket,id={DEVICE},server=on,wait=off,path="));
        device.push(without_commas(&socket(&folder)));
        command.arg("-chardev").arg(device);
        command.args(["-mon", &format!("chardev={DEVICE},mode=control")]);
        Some(Self {
            folder,
            connection: RefCell::default(),
        })
    }

    /// Stops the machine's processors and clocks.
    pub(crate) fn stop(&self) -> Option<()> {
        self.ask("stop", json!({})).map(drop)
    }

    /// Presses the machine's power button.
    pub(crate) fn press_power_button(&self) -> Option<()> {
        self.ask("system_powerdown", json!({})).map(drop)
    }

    /// Reads memory at a physical address.
    pub(crate) fn read(&self, address: u64, bytes: usize) -> Option<Vec<u8>> {
        let file = self.folder.path().join("memory");
        let arguments = json!({ "val": address, "size": bytes, "filename": file.to_str()? });
        self.ask("pmemsave", arguments)?;
        let read = std::fs::read(&file).ok()?;
        (read.len() == bytes).then_some(read)
    }

    /// Returns the registers of all processors, in QEMU's text format.
    pub(crate) fn registers(&self) -> Option<String> {
        let arguments = json!({ "command-line": "info registers -a" });
        let answer = self.ask("human-monitor-command", arguments)?;
        answer.as_str().map(str::to_owned)
    }

    /// Sends a command to QEMU, and returns its result. Returns `None` if QEMU does not answer or
    /// reports an error.
    fn ask(&self, command: &str, arguments: Value) -> Option<Value> {
        let mut state = self.connection.borrow_mut();
        if let State::Unused = *state {
            *state = Connection::to(&socket(&self.folder)).map_or(State::Broken, State::Open);
        }
        let State::Open(connection) = &mut *state else {
            return None;
        };
        connection.ask(command, arguments).unwrap_or_else(|_| {
            *state = State::Broken;
            None
        })
    }
}

/// Returns whether a debugger, or a person at another monitor, may control the machine of this
/// command.
pub(crate) fn is_controlled(command: &Command) -> bool {
    let arguments: Vec<_> = command.get_args().map(OsStr::to_string_lossy).collect();
    let values = arguments.iter().skip(1).map(Some).chain([None]);
    arguments.iter().zip(values).any(|(option, value)| {
        // QEMU accepts options with one or two hyphens.
        match option.trim_start_matches('-') {
            _ if !option.starts_with('-') => false,
            "s" | "S" | "gdb" | "qmp" | "qmp-pretty" => true,
            "monitor" => value.is_none_or(|value| value != "none"),
            "mon" => value.is_none_or(|value| !value.starts_with(&format!("chardev={DEVICE},"))),
            _ => false,
        }
    })
}

/// Returns a command without the arguments that [`Monitor::add_to`] added. The user can run this
/// command later, when the socket's folder no longer exists.
pub(crate) fn without_monitor(command: &Command) -> Command {
    let mut plain = Command::new(command.get_program());
    let arguments: Vec<_> = command.get_args().collect();
    let is_ours = |pair: &[&OsStr]| {
        let [option, value] = pair else { return false };
        let value = value.to_string_lossy();
        let starts = match option.to_str() {
            Some("-chardev") => format!("socket,id={DEVICE},"),
            Some("-mon") => format!("chardev={DEVICE},"),
            _ => return false,
        };
        value.starts_with(&starts)
    };
    let mut rest = &arguments[..];
    while let Some((word, others)) = rest.split_first() {
        if rest.get(..2).is_some_and(is_ours) {
            rest = &rest[2..];
        } else {
            plain.arg(word);
            rest = others;
        }
    }
    plain
}

fn socket(folder: &TempDir) -> PathBuf {
    folder.path().join("monitor")
}

#[derive(Debug)]
struct Connection(BufReader<UnixStream>);

impl Connection {
    fn to(path: &Path) -> io::Result<Self> {
        let stream = UnixStream::connect(path)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        let mut connection = Self(BufReader::new(stream));
        connection.answer()?; // The greeting.
        connection.ask("qmp_capabilities", json!({}))?;
        Ok(connection)
    }

    /// Sends a command to QEMU, and returns its result. Returns `None` if QEMU reports an error.
    fn ask(&mut self, command: &str, arguments: Value) -> io::Result<Option<Value>> {
        let line = json!({ "execute": command, "arguments": arguments });
        writeln!(self.0.get_mut(), "{line}")?;
        loop {
            let answer = self.answer()?;
            if let Some(value) = answer.get("return") {
                return Ok(Some(value.clone()));
            }
            if answer.get("error").is_some() {
                return Ok(None);
            }
            // All other lines are events, and are ignored.
        }
    }

    fn answer(&mut self) -> io::Result<Value> {
        let mut line = String::new();
        if self.0.read_line(&mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(serde_json::from_str(&line)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::net::UnixListener;

    /// Returns the results of a fake monitor. The fake monitor answers each command with one of
    /// `lines`.
    fn answered(lines: &'static [&'static str]) -> Vec<Option<Value>> {
        let mut command = Command::new("qemu");
        let monitor = Monitor::add_to(&mut command).expect("a socket");
        let listener = UnixListener::bind(socket(&monitor.folder)).expect("a socket");
        let qemu = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().expect("a connection");
            let mut asked = BufReader::new(stream.try_clone().expect("a clone")).lines();
            for line in ["{\"QMP\": {}}", "{\"return\": {}}"].iter().chain(lines) {
                if *line != "{\"QMP\": {}}" {
                    asked.next();
                }
                let _ = writeln!(stream, "{line}");
            }
        });
        let answers = lines.iter().map(|_| monitor.ask("x", json!({}))).collect();
        qemu.join().expect("it ends");
        answers
    }

    #[test]
    fn a_command_is_shown_without_the_monitor() {
        let mut command = Command::new("qemu");
        command.arg("-s");
        let _monitor = Monitor::add_to(&mut command).expect("a socket");
        command.args(["-chardev", "socket,id=mine", "-mon"]);
        let plain = without_monitor(&command);
        let arguments: Vec<_> = plain.get_args().collect();
        assert_eq!(arguments, ["-s", "-chardev", "socket,id=mine", "-mon"]);
        assert_eq!(plain.get_program(), "qemu");
    }

    #[test]
    fn this_programs_own_monitor_does_not_count_as_control() {
        let check = |arguments: &[&str], expect| {
            let mut command = Command::new("qemu");
            command.args(["-monitor", "none", "-serial", "stdio"]);
            let _monitor = Monitor::add_to(&mut command);
            command.args(arguments);
            assert_eq!(is_controlled(&command), expect, "{arguments:?}");
        };
        check(&[], false);
        check(&["-name", "s"], false);
        for option in ["-s", "-S", "--gdb", "-qmp", "-mon"] {
            check(&[option], true);
        }
        check(&["-gdb", "tcp::1"], true);
        check(&["-monitor", "telnet::1"], true);
        check(&["-mon", "chardev=mine,mode=control"], true);
    }

    #[test]
    fn events_are_ignored_and_errors_give_no_result() {
        let answers = answered(&[
            "{\"event\": \"STOP\"}\n{\"return\": 1}",
            "{\"error\": {\"class\": \"GenericError\"}}",
            "{\"return\": \"two\"}",
        ]);
        assert_eq!(answers, [Some(json!(1)), None, Some(json!("two"))]);
    }

    #[test]
    fn an_invalid_answer_gives_no_result() {
        assert_eq!(answered(&["what?"]), [None]);
    }

    #[test]
    fn without_qemu_nothing_is_read() {
        let monitor = Monitor::add_to(&mut Command::new("qemu")).expect("a socket");
        assert_eq!(monitor.read(0, 8), None);
        assert_eq!(monitor.registers(), None);
        assert_eq!(monitor.stop(), None);
    }
}
