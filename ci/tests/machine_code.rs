//! Checks the machine code of a release build. A word written to the IPC buffer before a call must
//! be stored before the call and loaded again after the call. The token's pointer must be an
//! operand of the call.
//!
//! The checked function is `last_word` in `ping-seed` of `ci/programs/conformance`.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::{env, fs};

use object::{Object, ObjectSection, ObjectSymbol};
use yaxpeax_arch::{Decoder, U8Reader};
use yaxpeax_arm::armv8::a64::{InstDecoder, Instruction, Opcode, Operand, SizeCode};

/// The offset of word 5 of a message in the buffer, in bytes: after the tag and five words.
const OFFSET: i32 = 6 * 8;

#[test]
fn a_word_written_before_a_call_is_read_again_from_memory_after_it() {
    let code = decode(&built().elf, "last_word");
    let call = code
        .iter()
        .position(is_svc)
        .expect("the function makes a system call");
    assert_eq!(
        code.iter().filter(|i| is_svc(i)).count(),
        1,
        "the function must make one call only"
    );
    let stored: Vec<u16> = code[..call]
        .iter()
        .filter_map(|i| base(i, Opcode::STR))
        .collect();
    let (position, base_register) = code[call + 1..]
        .iter()
        .enumerate()
        .find_map(|(position, i)| Some((position, base(i, Opcode::LDR)?)))
        .expect("the word is read again after the call");
    assert!(
        stored.contains(&base_register),
        "the store and the load have different base registers: {code:#?}"
    );
    let between = &code[call + 1..call + 1 + position];
    let overwritten = |i: &Instruction| i.operands[0] == register(base_register);
    assert!(
        !between.iter().any(overwritten),
        "the base register changes between the call and the load: {code:#?}"
    );
}

#[test]
fn the_tokens_pointer_is_an_operand_of_the_call() {
    let built = built();
    let code = decode(&built.elf, "last_word");
    let call = code
        .iter()
        .position(is_svc)
        .expect("the function makes a system call");
    let base_register = code[call + 1..]
        .iter()
        .find_map(|i| base(i, Opcode::LDR))
        .expect("the word is read again after the call");
    let line = built
        .assembly
        .lines()
        .skip_while(|line| !(line.contains("last_word") && line.ends_with(':')))
        .find(|line| line.contains("svc\t#0"))
        .expect("the assembly has the call");
    // The call's template ends in a comment with the register that holds the pointer.
    let operand = line
        .split("//")
        .nth(1)
        .expect("the comment contains the operand")
        .trim();
    assert_eq!(operand, format!("x{base_register}"), "in: {line}");
}

/// The configuration `debug` must contain debug output. Otherwise the absence of debug output in
/// `release` would prove nothing.
#[test]
fn a_program_for_release_contains_no_debug_output() {
    let Some(sdk) = env::var_os("MICROKIT_SDK").filter(|value| !value.is_empty()) else {
        eprintln!("SKIPPED: MICROKIT_SDK is not set, so nothing was built for `release`");
        return;
    };
    // mov x7, #-12: the number of the system call `DebugPutChar`.
    let put_char = 0x9280_0167_u32.to_le_bytes();
    let prints = |elf: &[u8]| {
        let file = object::File::parse(elf).expect("cargo builds an ELF file");
        let text = file.section_by_name(".text").expect("the file has code");
        let code = text.data().expect("the code can be read");
        code.chunks_exact(4).any(|word| word == put_char)
    };
    let build = |config: &str| {
        let variables = [
            ("MICROKIT_SDK", sdk.clone()),
            ("MICROKIT_CONFIG", config.into()),
        ];
        build_with("ping-pong-call", "pong-call", &variables).elf
    };
    assert!(prints(&build("debug")));
    assert!(!prints(&build("release")));
    assert!(!prints(&build("benchmark")));
}

/// Negative control: code that returns the written value contains no load, so the check fails.
#[test]
fn code_that_does_not_read_again_would_be_caught() {
    // str x9, [x8, #48]; svc #0; mov x0, x9; ret
    let code: Vec<Instruction> = [0xf900_1909_u32, 0xd400_0001, 0xaa09_03e0, 0xd65f_03c0]
        .map(|word| decode_one(&word.to_le_bytes()))
        .into();
    let call = code.iter().position(is_svc).expect("the call is found");
    assert_eq!(
        code[..call].iter().find_map(|i| base(i, Opcode::STR)),
        Some(8)
    );
    assert_eq!(code[call..].iter().find_map(|i| base(i, Opcode::LDR)), None);
}

struct Built {
    elf: Vec<u8>,
    assembly: String,
}

fn built() -> &'static Built {
    static BUILT: OnceLock<Built> = OnceLock::new();
    BUILT.get_or_init(|| build_with("conformance", "ping-seed", &[]))
}

/// Builds a PD with the release profile in a separate target folder, and writes its assembly.
fn build_with(package: &str, program: &str, variables: &[(&str, OsString)]) -> Built {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("ci is in the root");
    let target = root.join("target/machine-code");
    let status = Command::new(env!("CARGO"))
        .current_dir(root)
        .args([
            "rustc",
            "--quiet",
            "--release",
            "--target",
            "aarch64-unknown-none",
        ])
        .args(["--package", package, "--bin", program, "--target-dir"])
        .arg(&target)
        .args(["--", "--emit", "asm,link"])
        .envs(variables.iter().map(|(name, value)| (name, value)))
        .status()
        .expect("cargo can be run");
    assert!(status.success(), "the PD does not build");
    let built = target.join("aarch64-unknown-none/release");
    let assembly = newest(&built.join("deps"), &program.replace('-', "_"));
    Built {
        elf: fs::read(built.join(program)).expect("the ELF file exists"),
        assembly: fs::read_to_string(assembly).expect("the assembly exists"),
    }
}

fn newest(directory: &Path, prefix: &str) -> PathBuf {
    fs::read_dir(directory)
        .expect("cargo made the folder")
        .map(|entry| entry.expect("the folder is readable").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "s"))
        .filter(|path| {
            path.file_name()
                .is_some_and(|n| n.to_string_lossy().starts_with(prefix))
        })
        .max_by_key(|path| path.metadata().and_then(|data| data.modified()).ok())
        .expect("the compiler wrote the assembly")
}

/// Returns the instructions of the function whose name contains `name`.
fn decode(elf: &[u8], name: &str) -> Vec<Instruction> {
    let file = object::File::parse(elf).expect("cargo builds an ELF file");
    let symbol = file
        .symbols()
        .find(|symbol| symbol.name().is_ok_and(|symbol| symbol.contains(name)))
        .expect("the file has the function");
    let index = symbol
        .section_index()
        .expect("the function is in a section");
    let section = file.section_by_index(index).expect("the section exists");
    let code = section
        .data_range(symbol.address(), symbol.size())
        .expect("the section is readable")
        .expect("the function is in it");
    code.chunks_exact(4).map(decode_one).collect()
}

fn decode_one(word: &[u8]) -> Instruction {
    InstDecoder::default()
        .decode(&mut U8Reader::new(word))
        .expect("the word is an instruction")
}

fn is_svc(instruction: &Instruction) -> bool {
    instruction.opcode == Opcode::SVC
}

fn register(number: u16) -> Operand {
    Operand::Register(SizeCode::X, number)
}

/// Returns the base register if this instruction loads or stores the word.
fn base(instruction: &Instruction, opcode: Opcode) -> Option<u16> {
    match instruction.operands[1] {
        Operand::RegPreIndex(base, OFFSET, false) if instruction.opcode == opcode => Some(base),
        _ => None,
    }
}
