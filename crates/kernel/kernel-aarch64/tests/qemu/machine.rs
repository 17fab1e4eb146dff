//! Builds the kernel and the test program, and runs images on QEMU.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};
use std::{env, fs, thread};

const TARGET: &str = "aarch64-unknown-none";

/// The kernel and the test program, as ELF files.
pub(crate) struct Built {
    pub(crate) kernel: Vec<u8>,
    pub(crate) program: Vec<u8>,
}

/// Builds the kernel and the test program, once. If this machine cannot build or run the programs,
/// prints the reason and returns `None`.
pub(crate) fn built() -> Option<&'static Built> {
    static BUILT: OnceLock<Option<Built>> = OnceLock::new();
    let built = BUILT.get_or_init(|| {
        if let Some(missing) = missing() {
            eprintln!("NOT RUN: the kernel was not tested, as {missing}");
            return None;
        }
        Some(Built {
            kernel: kernel(),
            program: program(),
        })
    });
    built.as_ref()
}

fn missing() -> Option<&'static str> {
    let runs = |command: &mut Command| command.output().is_ok_and(|output| output.status.success());
    if !runs(Command::new("qemu-system-aarch64").arg("--version")) {
        return Some("there is no qemu-system-aarch64");
    }
    let libraries = Command::new("rustc")
        .args(["--print", "target-libdir", "--target", TARGET])
        .output()
        .ok()?;
    let libraries = String::from_utf8(libraries.stdout).ok()?;
    (!Path::new(libraries.trim()).exists()).then_some("the target aarch64-unknown-none is missing")
}

fn scratch(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(name)
}

fn kernel() -> Vec<u8> {
    // The directory is the same as for a build by hand, so that the kernel is built only once.
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("..");
    let status = Command::new(env!("CARGO"))
        .args([
            "build",
            "--quiet",
            "--release",
            "--package",
            "kernel-aarch64",
        ])
        .args([
            "--bin",
            "kernel-aarch64",
            "--target",
            TARGET,
            "--target-dir",
        ])
        .arg(&directory)
        .status();
    assert!(
        status.is_ok_and(|status| status.success()),
        "the kernel does not build"
    );
    fs::read(directory.join(TARGET).join("release/kernel-aarch64")).expect("it was just built")
}

fn program() -> Vec<u8> {
    let elf = scratch("acts.elf");
    let status = Command::new("rustc")
        .args([
            "--edition",
            "2024",
            "--target",
            TARGET,
            "-Copt-level=1",
            "-o",
        ])
        .arg(&elf)
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/pd/acts.rs"))
        .status();
    assert!(
        status.is_ok_and(|status| status.success()),
        "the program does not build"
    );
    fs::read(elf).expect("it was just built")
}

/// Runs an image until it has printed every line of `expect`, in any order. Returns the whole
/// output.
///
/// # Panics
///
/// Panics if the run takes more than half a minute.
#[track_caller]
pub(crate) fn run(name: &str, image: &[u8], expect: &[&str]) -> String {
    let file = scratch(&format!("{name}.img"));
    fs::write(&file, image).expect("the directory is Cargo's");
    let mut qemu = Command::new("qemu-system-aarch64")
        .args("-machine virt,virtualization=on -cpu cortex-a53 -m size=2G".split(' '))
        // Each instruction takes a nanosecond, so that budgets do not depend on the speed of the
        // host.
        .args("-icount shift=0,align=off,sleep=off".split(' '))
        .args("-display none -monitor none -serial stdio -device".split(' '))
        .arg(format!(
            "loader,file={},addr=0x70000000,cpu-num=0",
            file.display()
        ))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .expect("it was there before");
    let mut output = qemu.stdout.take().expect("it is piped");
    let (sender, received) = std::sync::mpsc::channel();
    thread::spawn(move || {
        let mut bytes = [0; 4096];
        while let Ok(count @ 1..) = output.read(&mut bytes) {
            if sender.send(bytes[..count].to_vec()).is_err() {
                break;
            }
        }
    });
    let deadline = Instant::now() + Duration::from_secs(30);
    let mut log = String::new();
    let is_missing = |log: &str, line: &&&str| !log.lines().any(|found| found.starts_with(**line));
    while expect.iter().any(|line| is_missing(&log, &line)) {
        let rest = deadline.saturating_duration_since(Instant::now());
        match received.recv_timeout(rest) {
            Ok(bytes) => log.extend(String::from_utf8_lossy(&bytes).chars()),
            Err(_) => break,
        }
    }
    qemu.kill().expect("it runs, as the kernel never ends");
    qemu.wait().expect("it was started");
    let missing: Vec<_> = expect
        .iter()
        .filter(|line| is_missing(&log, line))
        .collect();
    assert!(missing.is_empty(), "{name}: {missing:#?} are not in\n{log}");
    log
}
