//! A QEMU process: its serial output, its input, and its end. QEMU never outlives this program.

use std::io::{self, BufRead, BufReader, IsTerminal, Read, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use miette::{Result, miette};
use rustix::process::{Pid, Signal, kill_process};

use crate::interrupt;
use crate::log::Decoder;
use crate::qemu::HOW_TO_GET;
use crate::readable::readable;
use crate::terminal;

/// The time limit for QEMU to end, after a request to end or after QEMU has closed its output.
const PATIENCE: Duration = Duration::from_secs(2);

/// The interval of checks for an interrupt by the user and for the end of QEMU.
const GLANCE: Duration = Duration::from_millis(50);

/// A part of QEMU's message after a signal from Ctrl-C or from this program.
const ENDED_BY_SIGNAL: &str = ": terminating on signal ";

/// A running guest. Dropping the value stops the guest.
pub(crate) struct Guest {
    qemu: Child,
    serial: Receiver<Vec<u8>>,
    typist: Typist,
    /// Delays the input. Dropping the sender passes all input to QEMU.
    held_back: Option<Sender<()>>,
    decoder: Decoder,
    messages: Option<thread::JoinHandle<String>>,
}

/// A handle for sending keys to a guest. A separate thread writes the keys, because the write
/// blocks while the guest does not read.
#[derive(Debug, Clone)]
pub(crate) struct Typist(Sender<Vec<u8>>);

impl Typist {
    /// Sends keys. If QEMU has ended, the keys are lost, and [`Guest::listen`] reports the end.
    pub(crate) fn press(&self, keys: &[u8]) {
        let _ = self.0.send(keys.to_vec());
    }
}

/// An event of a guest.
pub(crate) enum Heard {
    /// The guest has written this text.
    Text(String),
    /// The guest has written nothing during the wait.
    Silence,
    /// QEMU has ended.
    End(ExitStatus),
    /// The user has interrupted the run.
    Interrupt,
}

impl Guest {
    /// Starts QEMU and shows its messages. The guest's input is standard input, or, if standard
    /// input is a terminal, the keys of [`Guest::typist`].
    ///
    /// No input reaches the guest before [`Guest::let_type`], because a serial port loses input
    /// until the guest has initialised the port.
    pub(crate) fn start(command: Command) -> Result<Self> {
        Self::spawn(command, true)
    }

    /// Starts QEMU without a user. Only [`Guest::type_line`] sends input to the guest, and only
    /// [`Guest::messages`] returns QEMU's messages.
    pub(crate) fn start_quietly(command: Command) -> Result<Self> {
        let mut guest = Self::spawn(command, false)?;
        guest.let_type();
        Ok(guest)
    }

    fn spawn(mut command: Command, is_for_user: bool) -> Result<Self> {
        interrupt::catch();
        command
            // In its own process group, QEMU does not get the signal of Ctrl-C. This program gets
            // the signal, and reads the positions of the PDs before it ends QEMU.
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut qemu = command.spawn().map_err(|e| {
            let program = command.get_program().to_string_lossy();
            miette!(
                help = HOW_TO_GET,
                "QEMU, `{program}`, cannot be started: {e}"
            )
        })?;
        let (keys, typed) = channel::<Vec<u8>>();
        let (held_back, release) = channel::<()>();
        let stdin = qemu.stdin.take();
        // The thread ends when the guest is dropped, or when QEMU has ended.
        thread::spawn(move || {
            let Some(mut stdin) = stdin else { return };
            let _ = release.recv();
            if is_for_user && !io::stdin().is_terminal() {
                // Standard input bypasses the channel, because the channel would buffer all input.
                let _ = io::copy(&mut io::stdin().lock(), &mut stdin);
                return;
            }
            while let Ok(text) = typed.recv() {
                if stdin.write_all(&text).is_err() || stdin.flush().is_err() {
                    return;
                }
            }
        });
        let (sender, serial) = channel();
        let stdout = qemu.stdout.take();
        // The next two threads end with QEMU's output. The first of these threads is never joined,
        // because a child process of QEMU might keep the output open.
        thread::spawn(move || {
            let Some(mut stdout) = stdout else { return };
            let mut buffer = [0; 4096];
            while let Ok(length @ 1..) = stdout.read(&mut buffer) {
                if sender.send(buffer[..length].to_vec()).is_err() {
                    return;
                }
            }
        });
        let stderr = qemu.stderr.take();
        let messages = thread::spawn(move || {
            let mut messages = String::new();
            let lines = stderr
                .map(BufReader::new)
                .into_iter()
                .flat_map(BufRead::lines);
            let lines = lines.map_while(io::Result::ok);
            // QEMU's message about its end by a signal is hidden, because this program sent the
            // signal.
            for line in lines.filter(|line| !line.contains(ENDED_BY_SIGNAL)) {
                if is_for_user {
                    terminal::aside(readable(&line));
                }
                messages.push_str(&line);
                messages.push('\n');
            }
            messages
        });
        let messages = Some(messages);
        Ok(Self {
            qemu,
            serial,
            typist: Typist(keys),
            held_back: Some(held_back),
            decoder: Decoder::default(),
            messages,
        })
    }

    /// Returns a handle for sending keys to the guest, for use if standard input is a terminal.
    pub(crate) fn typist(&self) -> Typist {
        self.typist.clone()
    }

    /// Passes all input to the guest, starting with the delayed input.
    pub(crate) fn let_type(&mut self) {
        self.held_back = None;
    }

    /// Sends a line and Enter. A terminal sends Enter as a carriage return.
    pub(crate) fn type_line(&mut self, text: &str) {
        self.typist.press(format!("{text}\r").as_bytes());
    }

    /// Waits for the next event, for at most `wait`.
    pub(crate) fn listen(&mut self, wait: Duration) -> Heard {
        let end = Instant::now() + wait;
        loop {
            if interrupt::requested() {
                return Heard::Interrupt;
            }
            // The end is checked before the output is read. So all output is returned before the
            // end event.
            let ended = self.qemu.try_wait().ok().flatten();
            let left = end.saturating_duration_since(Instant::now());
            match self.serial.recv_timeout(left.min(GLANCE)) {
                Ok(bytes) => match self.decoder.push(&bytes) {
                    text if text.is_empty() => continue,
                    text => return Heard::Text(text),
                },
                Err(RecvTimeoutError::Disconnected) => {
                    return Heard::End(self.stop_within(PATIENCE));
                }
                Err(RecvTimeoutError::Timeout) => match ended {
                    Some(status) => return Heard::End(status),
                    None if left.is_zero() => return Heard::Silence,
                    None => {}
                },
            }
        }
    }

    /// Stops QEMU if QEMU is running, and returns all of QEMU's own messages.
    pub(crate) fn messages(&mut self) -> String {
        self.stop_within(Duration::ZERO);
        let Some(messages) = self.messages.take() else {
            return String::new();
        };
        // A child process of QEMU might keep the output open.
        let end = Instant::now() + PATIENCE;
        while !messages.is_finished() && Instant::now() < end {
            thread::sleep(GLANCE);
        }
        match messages.is_finished() {
            true => messages.join().unwrap_or_default(),
            false => String::new(),
        }
    }

    /// Ends QEMU. Waits up to `patience` for QEMU to end by itself, then sends SIGTERM, and finally
    /// SIGKILL. On SIGTERM, QEMU writes its disks and logs.
    fn stop_within(&mut self, patience: Duration) -> ExitStatus {
        if let Some(status) = self.wait(patience) {
            return status;
        }
        let _ = kill_process(Pid::from_child(&self.qemu), Signal::TERM);
        if let Some(status) = self.wait(PATIENCE) {
            return status;
        }
        let _ = self.qemu.kill();
        self.qemu.wait().unwrap_or_default()
    }

    fn wait(&mut self, patience: Duration) -> Option<ExitStatus> {
        let end = Instant::now() + patience;
        loop {
            match self.qemu.try_wait() {
                Ok(Some(status)) => return Some(status),
                _ if Instant::now() >= end => return None,
                _ => thread::sleep(Duration::from_millis(5)),
            }
        }
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        self.stop_within(Duration::ZERO);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Guest {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        Guest::start_quietly(command).expect("a shell")
    }

    #[test]
    fn all_output_is_returned_before_the_end() {
        let mut guest = shell("printf 'a\\r\\nb'; echo why >&2; exit 3");
        let mut text = String::new();
        let status = loop {
            match guest.listen(Duration::from_secs(10)) {
                Heard::Text(more) => text.push_str(&more),
                Heard::End(status) => break status,
                Heard::Silence | Heard::Interrupt => panic!("the shell neither writes nor ends"),
            }
        };
        assert_eq!((text.as_str(), status.code()), ("a\nb", Some(3)));
        assert_eq!(guest.messages(), "why\n");
    }

    #[test]
    fn a_typed_line_ends_with_a_carriage_return() {
        let mut guest = shell("dd bs=1 count=6 2>/dev/null | tr '\\r' '#'");
        guest.type_line("Ada");
        guest.type_line("x");
        let mut text = String::new();
        while let Heard::Text(more) = guest.listen(Duration::from_secs(10)) {
            text.push_str(&more);
        }
        assert_eq!(text, "Ada#x#");
    }

    #[test]
    fn a_guest_that_ignores_sigterm_is_killed() {
        let mut guest = shell("trap '' TERM; echo ready; while :; do sleep 0.1; done");
        assert!(matches!(
            guest.listen(Duration::from_secs(10)),
            Heard::Text(_)
        ));
        assert!(matches!(
            guest.listen(Duration::from_millis(60)),
            Heard::Silence
        ));
        let pid = Pid::from_child(&guest.qemu);
        drop(guest);
        assert!(
            rustix::process::test_kill_process(pid).is_err(),
            "{pid:?} is alive"
        );
    }
}
