//! A pseudo-terminal for a command. Tests send keys to the command through the pseudo-terminal.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::process::{Child, Command, ExitStatus};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rustix::fs::{Mode, OFlags};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Termios, tcgetattr};

/// The time limit for each wait.
const PATIENCE: Duration = Duration::from_secs(20);

/// A command that runs in a pseudo-terminal.
pub(crate) struct Session {
    child: Child,
    keys: File,
    /// The command's end of the pseudo-terminal. This end stays open, so tests can read the
    /// settings after the command has ended.
    end: OwnedFd,
    shown: Arc<Mutex<Vec<u8>>>,
}

impl Session {
    /// Starts a command as a session leader with a new pseudo-terminal.
    pub(crate) fn start(command: &Command) -> Self {
        let keys = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a terminal");
        grantpt(&keys).expect("it is ours");
        unlockpt(&keys).expect("it can be opened");
        let name = ptsname(&keys, Vec::new()).expect("it has a name");
        let flags = OFlags::RDWR | OFlags::NOCTTY;
        let end = rustix::fs::open(&name, flags, Mode::empty()).expect("its other end");

        let mut leader = Command::new("setsid");
        leader.arg("--ctty").arg(command.get_program());
        leader.args(command.get_args());
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => leader.env(name, value),
                None => leader.env_remove(name),
            };
        }
        leader.env("TERM", "xterm");
        leader.current_dir(command.get_current_dir().expect("a directory"));
        let copy = || end.try_clone().expect("a descriptor");
        leader.stdin(copy()).stdout(copy()).stderr(copy());
        let child = leader.spawn().expect("it starts");

        let shown = Arc::new(Mutex::new(Vec::new()));
        let keys = File::from(keys);
        let mut screen = keys.try_clone().expect("a descriptor");
        let all = Arc::clone(&shown);
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(length @ 1..) = screen.read(&mut buffer) {
                all.lock()
                    .expect("no panic")
                    .extend_from_slice(&buffer[..length]);
            }
        });
        Self {
            child,
            keys,
            end,
            shown,
        }
    }

    /// Returns all text that was sent to the terminal.
    pub(crate) fn shown(&self) -> String {
        String::from_utf8_lossy(&self.shown.lock().expect("no panic")).into_owned()
    }

    /// Waits until the terminal shows this text.
    #[track_caller]
    pub(crate) fn wait_for(&self, text: &str) {
        let end = Instant::now() + PATIENCE;
        while !self.shown().contains(text) {
            assert!(Instant::now() < end, "no `{text}` in:\n{}", self.shown());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Presses keys.
    pub(crate) fn press(&mut self, keys: &[u8]) {
        self.keys.write_all(keys).expect("the terminal takes them");
    }

    /// Returns the process of the command.
    pub(crate) fn child(&self) -> &Child {
        &self.child
    }

    /// Returns the terminal's settings.
    pub(crate) fn settings(&self) -> Termios {
        tcgetattr(&self.end).expect("it has settings")
    }

    /// Waits for the end of the command.
    #[track_caller]
    pub(crate) fn wait(&mut self) -> ExitStatus {
        let end = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().expect("it is ours") {
                // The last output may not have arrived yet.
                std::thread::sleep(Duration::from_millis(100));
                return status;
            }
            assert!(Instant::now() < end, "it runs on:\n{}", self.shown());
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
