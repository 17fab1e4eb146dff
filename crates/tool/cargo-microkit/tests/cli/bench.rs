//! A test bench for the command: a directory with a home, a fake SDK and a fake QEMU.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use microkit_abi::facts;
use object::write::elf::{FileHeader, ProgramHeader, SectionHeader, Sym, Writer};
use object::{Endianness, elf};

/// A fake of the SDK's tool. The fake writes a binary image, or rejects a system that contains
/// `refuse-me`.
const TOOL: &str = r#"#!/bin/sh
[ "$1" != --help ] || { echo "options: --board BOARD --config CONFIG"; exit; }
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

/// A fake C compiler. The fake prints its arguments and writes an ELF file.
const COMPILER: &str = r#"#!/bin/sh
printf '<%s>' "${0##*/}" "$@" >&2; echo >&2
while [ $# -gt 0 ]; do
    case $1 in -o) output=$2 ;; esac
    shift
done
cp ELF "$output"
"#;

/// The boot output of a debug kernel, before the output of the system (shortened).
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

    /// Returns a path in the bench's directory.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Writes a file with this content, and creates its parent directories.
    pub(crate) fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("a parent")).expect("the directory");
        fs::write(&path, content).expect("the file");
        path
    }

    /// Writes an executable shell script.
    pub(crate) fn script(&self, name: &str, content: &str) -> PathBuf {
        let path = self.file(name, content);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("its mode");
        path
    }

    /// Makes an SDK of a version, for `qemu_virt_aarch64` in `debug` and `release`, and for a board
    /// that QEMU does not emulate.
    pub(crate) fn sdk(&self, version: &str) -> PathBuf {
        self.file("sdk/VERSION", format!("{version}\n"));
        self.script("sdk/bin/microkit", TOOL);
        for kernel in [
            "qemu_virt_aarch64/debug",
            "qemu_virt_aarch64/release",
            "rpi4b_1gb/debug",
        ] {
            self.kernel_facts(&format!("sdk/board/{kernel}"));
        }
        self.path("sdk")
    }

    /// Writes the kernel description files that the tool reads, in `directory` of an SDK.
    fn kernel_facts(&self, directory: &str) {
        let write = |file: &str, text: String| self.file(&format!("{directory}/{file}"), text);
        let lines = |line: &dyn Fn(&str, u64) -> String, all: &[(&str, u64)]| -> String {
            all.iter().map(|&(name, value)| line(name, value)).collect()
        };
        let switches = facts::SWITCHES.map(|name| format!("\"{name}\": true"));
        let numbers = facts::CONFIGURATION.map(|(name, value)| format!("\"{name}\": \"{value}\""));
        let configuration = [&switches[..], &numbers[..]].concat().join(", ");
        write(
            "include/kernel/gen_config.json",
            format!("{{{configuration}}}"),
        );
        let define = |name: &str, value| format!("#define {name} {value}\n");
        write("include/microkit.h", lines(&define, &facts::HEADER));
        write(
            "include/sel4/constants.h",
            lines(&define, &facts::MESSAGE_LIMITS),
        );
        let field = |name: &str, value| format!("    field {name} {value}\n");
        let fields = lines(&field, &facts::MESSAGE_INFO);
        let block = format!("block seL4_MessageInfo {{\n{fields}}}\n");
        write("include/sel4/shared_types.pbf", block);
        let calls = facts::SYSTEM_CALLS.map(|name| format!("<syscall name=\"{name}\" />\n"));
        write("include/api/syscall.xml", calls.concat());
        let labels = facts::INVOCATIONS.map(|name| format!("\"{name}\": 1"));
        write("invocations_all.json", format!("{{{}}}", labels.join(", ")));
        let tags = facts::FAULTS.map(|name| format!("    tag {name} 1\n"));
        write("include/sel4/sel4_arch/types.pbf", tags.concat());
        let top = microkit_sdf::KernelConfig::QEMU_VIRT_AARCH64.user_top;
        write(
            "address_space_constants.json",
            format!("{{\"vspace_user_top\": {top}}}"),
        );
        write(
            "platform_gen.json",
            r#"{"memory": [{"start": 1610612736, "end": 3221225472}]}"#.into(),
        );
        let symbols = microkit_abi::symbols::ALL.map(|name| format!("{name}\0"));
        write("lib/libmicrokit.a", symbols.concat());
    }

    /// Writes a system file `NAME.system` with one PD, and its program `NAME.elf` beside it.
    pub(crate) fn system(&self, name: &str) -> PathBuf {
        self.file(&format!("{name}.elf"), elf(None));
        self.file(
            &format!("{name}.system"),
            system_text(name, &format!("{name}.elf")),
        )
    }

    /// Writes a fake QEMU that runs this script.
    pub(crate) fn qemu(&self, body: &str) -> PathBuf {
        self.script("qemu", &format!("#!/bin/sh\n{body}\n"))
    }

    /// Writes a fake C compiler with this name.
    pub(crate) fn compiler(&self, name: &str) -> PathBuf {
        let program = self.file("compiled.elf", elf(None));
        let script = COMPILER.replace("ELF", program.to_str().expect("UTF-8"));
        self.script(name, &script)
    }

    /// Returns a `cargo microkit` command that finds only Cargo and Rust on this machine.
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
        // These tests run on seL4 unless the arguments name another kernel.
        if ["build", "run", "test"].contains(subcommand) && !rest.contains(&"--kernel") {
            command.args(["--kernel", "sel4"]);
        }
        command.args(rest);
        command
    }

    /// Returns a `cargo microkit` command with an SDK and a fake QEMU. The fake QEMU runs `body`.
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

/// The SDK version that this project is tested with.
pub(crate) const VERSION: &str = microkit_abi::MICROKIT_VERSION;

/// Returns a system with one PD.
pub(crate) fn system_text(pd: &str, elf: &str) -> String {
    format!(
        "<system>\n    <protection_domain name=\"{pd}\">\n        \
         <program_image path=\"{elf}\" />\n    </protection_domain>\n</system>\n"
    )
}

/// Returns an AArch64 program with all symbols that the SDK's tool writes, and with the mark of a
/// kernel if `mark` is given.
pub(crate) fn elf(mark: Option<&str>) -> Vec<u8> {
    const ADDRESS: u64 = 0x40_0000;
    const NAME_BYTES: u64 = microkit_abi::limits::NAME_BYTES as u64;
    let mark = mark.unwrap_or_default();
    let mut symbols = vec![];
    let mut end = 0;
    for name in microkit_abi::symbols::ALL {
        let bytes = if name == microkit_abi::symbols::NAME {
            NAME_BYTES
        } else {
            8
        };
        let size = if name == microkit_abi::symbols::PASSIVE {
            1
        } else {
            bytes
        };
        symbols.push((name, end, size));
        end += bytes;
    }
    if !mark.is_empty() {
        symbols.push(("sel4_kernel_configuration", end, mark.len() as u64));
    }
    let mut content = vec![0; end as usize];
    content.extend_from_slice(mark.as_bytes());

    let mut file = Vec::new();
    let mut writer = Writer::new_single_phase(Endianness::Little, true, &mut file);
    let header = FileHeader {
        os_abi: elf::ELFOSABI_NONE,
        abi_version: 0,
        e_type: elf::ET_EXEC,
        e_machine: elf::EM_AARCH64,
        e_entry: ADDRESS,
        e_flags: elf::FileFlags(0),
    };
    writer.write_file_header(&header).expect("a header");
    writer.write_program_headers_placeholder(1);
    let offset = writer.write_align(16);
    writer.write(&content);
    let names: Vec<_> = symbols
        .iter()
        .map(|(name, ..)| writer.add_string(name.as_bytes()))
        .collect();
    writer.write_strtab().expect("names");
    writer.write_null_symbol();
    let data_name = writer.add_section_name(b".data");
    for ((_, place, size), name) in symbols.iter().zip(names) {
        writer.write_symbol(&Sym {
            section: Some(1),
            st_name: writer.string_offset(Some(name)),
            st_info: elf::SymbolInfo::new(elf::STB_GLOBAL, elf::STT_OBJECT),
            st_other: elf::SymbolOther(0),
            st_shndx: elf::SHN_UNDEF,
            st_value: ADDRESS + place,
            st_size: *size,
        });
    }
    writer.write_shstrtab().expect("names");
    writer.write_null_section_header();
    writer.write_section_header(&SectionHeader {
        sh_name: writer.section_name_offset(Some(data_name)),
        sh_type: elf::SHT_PROGBITS,
        sh_flags: elf::SectionFlags(elf::SHF_ALLOC.0 | elf::SHF_WRITE.0),
        sh_addr: ADDRESS,
        sh_offset: offset,
        sh_size: content.len() as u64,
        sh_link: 0,
        sh_info: 0,
        sh_addralign: 8,
        sh_entsize: 0,
    });
    writer.write_strtab_section_header();
    writer.write_symtab_section_header(1);
    writer.write_shstrtab_section_header();
    let segment = ProgramHeader {
        p_type: elf::PT_LOAD,
        p_flags: elf::ProgramFlags(elf::PF_R.0 | elf::PF_W.0 | elf::PF_X.0),
        p_offset: offset,
        p_vaddr: ADDRESS,
        p_paddr: ADDRESS,
        p_filesz: content.len() as u64,
        p_memsz: content.len() as u64,
        p_align: 8,
    };
    let mut start = Vec::new();
    writer
        .write_headers_to(&mut start, &[segment])
        .expect("headers");
    file[..start.len()].copy_from_slice(&start);
    file
}

/// Runs a command and returns its standard output. Asserts that the command succeeds if
/// `is_success`, and that its output contains all of `parts`.
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

/// Reads the text of a file.
#[track_caller]
pub(crate) fn text(path: &Path) -> String {
    fs::read_to_string(path).expect("the file")
}

/// A program for the PDs' target that does nothing. The program has all symbols that the SDK's tool
/// writes, and a kernel mark.
pub(crate) const PROGRAM: &str = "#![no_std]\n#![no_main]\n\
    #[panic_handler] fn panic(_: &core::panic::PanicInfo) -> ! { loop {} }\n\
    macro_rules! symbols { ($($name:ident: $type:ty = $value:expr;)*) => { $(\n\
    #[used] #[unsafe(no_mangle)] #[unsafe(link_section = \".data\")]\n\
    static $name: $type = $value;)* } }\n\
    symbols! { microkit_name: [u8; 64] = [0; 64]; microkit_passive: u8 = 0; microkit_irqs: u64 = 0;\n\
    microkit_notifications: u64 = 0; microkit_pps: u64 = 0; microkit_ioports: u64 = 0; }\n\
    const MARK: &str = concat!(env!(\"MICROKIT_BOARD\"), \"/\", env!(\"MICROKIT_CONFIG\"));\n\
    #[used] #[unsafe(no_mangle)] static sel4_kernel_configuration: [u8; MARK.len()] =\n\
    *MARK.as_bytes().first_chunk().unwrap();\n\
    #[unsafe(no_mangle)] extern \"C\" fn _start() -> &'static [u8] { &sel4_kernel_configuration }\n";
