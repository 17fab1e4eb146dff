//! A bench for the command: a directory with a home, an SDK and a QEMU that are not real.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use object::write::{Object, Symbol, SymbolSection};
use object::{Architecture, BinaryFormat, Endianness, SectionKind};
use object::{SymbolFlags, SymbolKind, SymbolScope};

/// Stands for the SDK's tool: writes an image, which is not text, or refuses a system that says
/// `refuse-me`.
const TOOL: &str = r#"#!/bin/sh
system=$1
while [ $# -gt 0 ]; do
    case $1 in -o) image=$2 ;; -r) report=$2 ;; esac
    shift
done
echo "report" > "$report"
if grep -q refuse-me "$system"; then
    echo "half" > "$image"
    echo "Error: duplicate protection domain name 'ping'." >&2
    echo "Second line of the message." >&2
    exit 1
fi
printf 'image of %s\n\000' "$system" > "$image"
"#;

/// Stands for a C compiler: says what it was given, and writes an ELF file.
const COMPILER: &str = r#"#!/bin/sh
printf '<%s>' "${0##*/}" "$@" >&2; echo >&2
while [ $# -gt 0 ]; do
    case $1 in -o) output=$2 ;; esac
    shift
done
cp ELF "$output"
"#;

/// What a debug kernel prints before the system does, in short.
pub(crate) const BOOT: &str = "printf 'LDR|INFO: loader for seL4 starting\\r\\nBooting all finished\\r\\n'\n\
                        printf 'MON|INFO: Microkit Monitor started!\\r\\n'\n";

pub(crate) struct Bench {
    directory: tempfile::TempDir,
}

impl Bench {
    pub(crate) fn new() -> Self {
        Self {
            directory: tempfile::tempdir().expect("a temporary directory"),
        }
    }

    /// A path in the bench's directory.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// A file with this content, and the directories above it.
    pub(crate) fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("a parent")).expect("the directory");
        fs::write(&path, content).expect("the file");
        path
    }

    /// A shell script.
    pub(crate) fn script(&self, name: &str, content: &str) -> PathBuf {
        let path = self.file(name, content);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("its mode");
        path
    }

    /// An SDK of a version, for `qemu_virt_aarch64` in `debug` and `release`, and for a board.
    pub(crate) fn sdk(&self, version: &str) -> PathBuf {
        self.file("sdk/VERSION", format!("{version}\n"));
        self.script("sdk/bin/microkit", TOOL);
        for kernel in [
            "qemu_virt_aarch64/debug",
            "qemu_virt_aarch64/release",
            "rpi4b_1gb/debug",
        ] {
            self.file(&format!("sdk/board/{kernel}/elf/loader.elf"), "");
        }
        self.path("sdk")
    }

    /// A system `NAME.system` whose only PD has the program `NAME.elf`, which lies beside it.
    pub(crate) fn system(&self, name: &str) -> PathBuf {
        self.file(&format!("{name}.elf"), elf(None));
        self.file(
            &format!("{name}.system"),
            system_text(name, &format!("{name}.elf")),
        )
    }

    /// A QEMU that does this.
    pub(crate) fn qemu(&self, body: &str) -> PathBuf {
        self.script("qemu", &format!("#!/bin/sh\n{body}\n"))
    }

    /// A C compiler of this name.
    pub(crate) fn compiler(&self, name: &str) -> PathBuf {
        let program = self.file("compiled.elf", elf(None));
        let script = COMPILER.replace("ELF", program.to_str().expect("UTF-8"));
        self.script(name, &script)
    }

    /// `cargo microkit`, which finds nothing of this machine but Cargo and Rust.
    pub(crate) fn microkit(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cargo-microkit"));
        command
            .current_dir(self.directory.path())
            .stdin(Stdio::null());
        command.env("CARGO_MICROKIT_HOME", self.path("home"));
        for variable in [
            "MICROKIT_SDK",
            "MICROKIT_BOARD",
            "MICROKIT_CONFIG",
            "CARGO_TARGET_DIR",
        ] {
            command.env_remove(variable);
        }
        let (subcommand, rest) = arguments.split_first().expect("a subcommand");
        command.arg(subcommand);
        // These tests are about seL4, unless they say otherwise.
        if ["build", "run", "test"].contains(subcommand) && !rest.contains(&"--kernel") {
            command.args(["--kernel", "sel4"]);
        }
        command.args(rest);
        command
    }

    /// The same with an SDK and a QEMU that does this.
    pub(crate) fn with_qemu(&self, arguments: &[&str], body: &str) -> Command {
        let mut command = self.microkit(arguments);
        command
            .arg("--sdk")
            .arg(self.sdk(VERSION))
            .arg("--qemu")
            .arg(self.qemu(body));
        command
    }
}

/// The version of the SDK that is accepted.
pub(crate) const VERSION: &str = microkit_abi::MICROKIT_VERSION;

/// A system with one PD.
pub(crate) fn system_text(pd: &str, elf: &str) -> String {
    format!(
        "<system>\n    <protection_domain name=\"{pd}\">\n        \
         <program_image path=\"{elf}\" />\n    </protection_domain>\n</system>\n"
    )
}

/// An ELF file for AArch64, with or without a mark of the kernel that it was built for.
pub(crate) fn elf(mark: Option<&str>) -> Vec<u8> {
    let mut object = Object::new(BinaryFormat::Elf, Architecture::Aarch64, Endianness::Little);
    let section = object.add_section(vec![], b".rodata".to_vec(), SectionKind::ReadOnlyData);
    if let Some(mark) = mark {
        let value = object.append_section_data(section, mark.as_bytes(), 1);
        object.add_symbol(Symbol {
            name: b"sel4_kernel_configuration".to_vec(),
            value,
            size: mark.len() as u64,
            kind: SymbolKind::Data,
            scope: SymbolScope::Linkage,
            weak: false,
            section: SymbolSection::Section(section),
            flags: SymbolFlags::None,
        });
    }
    object.write().expect("an ELF file")
}

/// Runs a command, checks whether it succeeds and says all of `parts`, and returns what it printed
/// on standard output.
#[track_caller]
pub(crate) fn check(mut command: Command, is_success: bool, parts: &[&str]) -> String {
    let output = command.output().expect("the command runs");
    let [stdout, stderr] =
        [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes).into_owned());
    let said = format!("{}\n{stdout}\n{stderr}", output.status);
    assert_eq!(output.status.success(), is_success, "{said}");
    assert!(!said.contains("panicked"), "{said}");
    for part in parts {
        assert!(said.contains(part), "no `{part}` in:\n{said}");
    }
    stdout
}

/// The text of a file.
#[track_caller]
pub(crate) fn text(path: &Path) -> String {
    fs::read_to_string(path).expect("the file")
}

/// A program that does nothing, on the target of PDs, and says what it was built for.
pub(crate) const PROGRAM: &str = "#![no_std]\n#![no_main]\n\
    #[panic_handler] fn panic(_: &core::panic::PanicInfo) -> ! { loop {} }\n\
    const MARK: &str = concat!(env!(\"MICROKIT_BOARD\"), \"/\", env!(\"MICROKIT_CONFIG\"));\n\
    #[used] #[unsafe(no_mangle)] static sel4_kernel_configuration: [u8; MARK.len()] =\n\
    *MARK.as_bytes().first_chunk().unwrap();\n\
    #[unsafe(no_mangle)] extern \"C\" fn _start() -> &'static [u8] { &sel4_kernel_configuration }\n";
