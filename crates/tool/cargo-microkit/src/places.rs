//! Resolves addresses in programs to functions and places in their source, for backtraces and
//! faults.

use std::collections::BTreeMap;
use std::env;
use std::path::{Path, PathBuf};

use addr2line::Loader;
use object::{Object, ObjectSegment};

use crate::log::BACKTRACE;
use crate::pds::ProtectionDomain;

/// The size of an instruction. A return address is one instruction after the call.
const INSTRUCTION_BYTES: u64 = 4;

/// The prefixes of the functions between a panic and the panic handler.
const PANIC_MACHINERY: [&str; 2] = ["core::panicking::", "__rustc[rust_begin_unwind]"];

/// The prefixes of runtime functions that call a protection domain's own functions.
const CALLERS: [&str; 4] = [
    "core::ops::function::",
    "no_function_is_marked_protection_domain",
    "sel4_microkit::",
    "_start",
];

/// The crates of the runtime and of Rust. Their functions are not part of the program's own code.
const RUNTIME_CRATES: [&str; 15] = [
    "__rustc",
    "alloc",
    "compiler_builtins",
    "core",
    "microkit_protocol",
    "microkit_registry",
    "microkit_sessions",
    "microkit_system",
    "sel4",
    "sel4_microkit",
    "microkit_async",
    "microkit_virtio",
    "microkit_shared_memory",
    "microkit_sync",
    "sel4_sys",
];

/// The prefixes of functions that the Microkit SDK provides for programs in C.
const C_PREFIXES: [&str; 3] = ["arm_sys_", "microkit_", "seL4_"];

/// Functions of libmicrokit that call a program's own functions, and compiler support functions.
const RUNTIME_FUNCTIONS: [&str; 8] = [
    "deferred_flush",
    "handler_loop",
    "main",
    "memcmp",
    "memcpy",
    "memmove",
    "memset",
    "run_init_funcs",
];

/// The programs of the running protection domains, by PD name.
#[derive(Debug, Default)]
pub(crate) struct Places {
    /// The path of each PD's file with symbols.
    symbols: BTreeMap<String, PathBuf>,
    /// The path of each PD's executed ELF file.
    programs: BTreeMap<String, PathBuf>,
    stacks: BTreeMap<String, u64>,
}

impl Places {
    /// Collects the programs of a system's PDs.
    pub(crate) fn new(pds: &[ProtectionDomain]) -> Self {
        let symbols = pds.iter().map(|pd| (pd.name.clone(), pd.symbols.clone()));
        let programs = pds.iter().map(|pd| (pd.name.clone(), pd.program.clone()));
        let stacks = pds.iter().map(|pd| (pd.name.clone(), pd.stack_bytes));
        Self {
            symbols: symbols.collect(),
            programs: programs.collect(),
            stacks: stacks.collect(),
        }
    }

    /// Returns the size of a PD's stack in the system file, in bytes.
    pub(crate) fn stack_bytes(&self, pd: &str) -> Option<u64> {
        self.stacks.get(pd).copied()
    }

    /// Resolves the backtrace that a panic printed in a line of the log. Returns the functions with
    /// their places, the innermost function first. Returns an empty list for other lines.
    pub(crate) fn of_backtrace(&self, line: &str) -> Vec<String> {
        let Some((pd, addresses)) = backtrace(line) else {
            return Vec::new();
        };
        let Some(loader) = self.loader(pd) else {
            return Vec::new();
        };
        // The stack holds return addresses. Each return address is one instruction after its call.
        let calls = addresses.iter().map(|address| address - INSTRUCTION_BYTES);
        let frames: Vec<_> = calls.flat_map(|call| frames(&loader, call)).collect();
        let is_machinery = |frame: &Frame| {
            let function = &frame.function;
            PANIC_MACHINERY
                .iter()
                .any(|name| function.starts_with(name))
        };
        let own = frames.iter().rposition(is_machinery).map_or(0, |at| at + 1);
        render_frames(&frames[own..])
    }

    /// Returns the function and the place of an instruction of a PD. If the instruction is in
    /// inlined functions, prefers the innermost function of the program's own code.
    pub(crate) fn of_instruction(&self, pd: &str, address: u64) -> Option<String> {
        let frames = frames(&self.loader(pd)?, address);
        let own = frames.iter().find(|frame| !is_of_runtime(frame));
        own.or(frames.first()).map(Frame::render)
    }

    /// Opens a PD's program, for several lookups.
    pub(crate) fn program(&self, pd: &str) -> Option<Program> {
        let file = self.symbols.get(pd)?;
        let loader = Loader::new(file).ok()?;
        let bytes = std::fs::read(self.programs.get(pd)?).ok()?;
        Some(Program { loader, bytes })
    }

    fn loader(&self, pd: &str) -> Option<Loader> {
        Loader::new(self.symbols.get(pd)?).ok()
    }
}

/// The program of a PD.
pub(crate) struct Program {
    /// Resolves symbols and places.
    loader: Loader,
    /// The content of the executed ELF file.
    bytes: Vec<u8>,
}

impl Program {
    /// Returns the instruction at an address.
    pub(crate) fn instruction(&self, address: u64) -> Option<&[u8]> {
        let file = object::File::parse(&*self.bytes).ok()?;
        let segment = file.segments().find(|segment| {
            let start = segment.address();
            (start..start.saturating_add(segment.size())).contains(&address)
        })?;
        let found = segment.data_range(address, INSTRUCTION_BYTES).ok()?;
        found.filter(|_| address.is_multiple_of(INSTRUCTION_BYTES))
    }

    /// Returns the symbol of the function that contains an address.
    pub(crate) fn function(&self, address: u64) -> Option<&str> {
        self.instruction(address)?;
        self.loader.find_symbol(address)
    }

    /// Returns the place of the first frame in the program's own code. `addresses` is a backtrace,
    /// from the innermost frame to the outermost. Returns `None` if all frames are in the runtime.
    pub(crate) fn own_place(&self, addresses: &[u64]) -> Option<String> {
        let mut frames = addresses.iter().flat_map(|at| frames(&self.loader, *at));
        let own = frames.find(|frame| !is_of_runtime(frame))?;
        Some(own.render())
    }

    /// Returns the place of an instruction.
    pub(crate) fn place(&self, address: u64) -> Option<String> {
        frames(&self.loader, address).first().map(Frame::render)
    }
}

/// Returns whether a function belongs to the runtime (Rust or C), or to the language's libraries.
fn is_of_runtime(frame: &Frame) -> bool {
    let name = frame.function.as_str();
    if CALLERS.iter().any(|start| name.starts_with(start)) {
        return true;
    }
    let crates = match name
        .strip_prefix('<')
        .and_then(|name| name.split_once(" as "))
    {
        // In a trait method, a primitive type such as `i32` has no crate.
        Some((of_type, of_trait)) => [crate_of(of_type), crate_of(of_trait)],
        None => [crate_of(name), None],
    };
    let mut crates = crates.into_iter().flatten().peekable();
    if crates.peek().is_some() {
        return crates.all(|name| RUNTIME_CRATES.contains(&name));
    }
    // With line tables only, the name of an inlined function lacks the crate.
    RUNTIME_FUNCTIONS.contains(&name)
        || C_PREFIXES.iter().any(|start| name.starts_with(start))
        || frame.place.as_deref().is_some_and(is_file_of_runtime)
}

/// Returns the crate of a path of the form `crate::item` or `crate[hash]::item`.
fn crate_of(path: &str) -> Option<&str> {
    let path = path.trim_start_matches(['<', '&']);
    let path = path.strip_prefix("mut ").unwrap_or(path);
    let end = path.find([':', '[', '<', '{', '>'])?;
    let is_crate = end > 0 && path[end..].starts_with([':', '[']);
    is_crate.then(|| &path[..end])
}

/// Returns whether a source file belongs to Rust's library or to a crate of the runtime. The folder
/// of a runtime crate is `sel4-sys` in a clone, or `sel4-sys-0.1.0` in Cargo's registry.
fn is_file_of_runtime(file: &str) -> bool {
    let parts: Vec<_> = file.split('/').collect();
    parts.windows(2).any(|pair| match *pair {
        ["library", name] => RUNTIME_CRATES.contains(&name),
        [folder, "src"] => {
            let name = match folder.rsplit_once('-') {
                Some((name, version)) if version.starts_with(|c: char| c.is_ascii_digit()) => name,
                _ => folder,
            };
            RUNTIME_CRATES.contains(&&*name.replace('-', "_"))
        }
        _ => false,
    })
}

/// A function of a backtrace, possibly inlined.
#[derive(Debug)]
struct Frame {
    function: String,
    place: Option<String>,
}

impl Frame {
    fn render(&self) -> String {
        match &self.place {
            Some(place) => format!("{} at {place}", self.function),
            None => self.function.clone(),
        }
    }
}

/// Renders the frames of a backtrace as text. The outermost frames belong to the runtime, which
/// calls the program's own functions. For these frames, the text contains only their number.
fn render_frames(frames: &[Frame]) -> Vec<String> {
    let begins = |frame: &Frame| CALLERS.iter().any(|name| frame.function.starts_with(name));
    // If all frames are in the runtime, all frames are shown.
    let end = frames.iter().rposition(|frame| !begins(frame));
    let end = end.map_or(frames.len(), |last| last + 1);
    let mut lines: Vec<_> = frames[..end].iter().map(Frame::render).collect();
    match frames.len() - end {
        0 => {}
        1 => lines.push("called by the runtime".to_owned()),
        count => lines.push(format!("called by the runtime, {count} functions")),
    }
    lines
}

fn frames(loader: &Loader, address: u64) -> Vec<Frame> {
    let mut found = Vec::new();
    if let Ok(mut frames) = loader.find_frames(address) {
        while let Ok(Some(frame)) = frames.next() {
            let function = frame.function.as_ref();
            let name = function.and_then(|function| function.demangle().ok().map(String::from));
            let place = frame.location.and_then(|location| {
                let file = shortened(Path::new(location.file?));
                Some(match location.line {
                    Some(line) => format!("{file}:{line}"),
                    None => file,
                })
            });
            if let Some(name) = name {
                found.push(Frame {
                    function: without_hash(&name).to_owned(),
                    place,
                });
            }
        }
    }
    if found.is_empty()
        && let Some(symbol) = loader.find_symbol(address)
    {
        found.push(Frame {
            function: demangled(symbol),
            place: None,
        });
    }
    found
}

/// Parses a line that a panic printed: the PD, and the addresses of its backtrace.
fn backtrace(line: &str) -> Option<(&str, Vec<u64>)> {
    let (pd, addresses) = line.strip_prefix(BACKTRACE)?.split_once(": ")?;
    let addresses = addresses.split(' ');
    let addresses = addresses.map(|text| {
        let address = u64::from_str_radix(text.strip_prefix("0x")?, 16).ok()?;
        (address >= INSTRUCTION_BYTES).then_some(address)
    });
    Some((pd, addresses.collect::<Option<_>>()?))
}

/// Makes a file's path relative to the current folder, if the file is inside that folder.
fn shortened(file: &Path) -> String {
    let here = env::current_dir().unwrap_or_default();
    file.strip_prefix(here)
        .unwrap_or(file)
        .display()
        .to_string()
}

/// Demangles a symbol to the name of its function.
fn demangled(symbol: &str) -> String {
    let name = addr2line::demangle_auto(symbol.into(), None);
    without_hash(&name).to_owned()
}

/// Returns a demangled name without the hash at its end.
fn without_hash(name: &str) -> &str {
    match name.rsplit_once("::h") {
        Some((path, hash)) if hash.len() == 16 && hash.bytes().all(|b| b.is_ascii_hexdigit()) => {
            path
        }
        _ => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_backtrace_is_a_name_and_addresses() {
        let check = |line, expect: Option<(&str, &[u64])>| {
            let found = backtrace(line);
            let found = found.as_ref().map(|(pd, all)| (*pd, all.as_slice()));
            assert_eq!(found, expect, "{line}");
        };
        check(
            "backtrace of worker: 0x201234 0x205678",
            Some(("worker", &[0x20_1234, 0x20_5678])),
        );
        check("backtrace of a: b: 0x10", None);
        check("backtrace of worker:", None);
        check("backtrace of worker: 0x201234 twelve", None);
        check("backtrace of worker: 0x0", None);
        check("backtrace of worker: 0x10000000000000000", None);
        check("hello", None);
    }

    #[test]
    fn missing_programs_have_no_places() {
        let places = Places::new(&[ProtectionDomain {
            name: "a".to_owned(),
            program: "/nonexistent".into(),
            symbols: "/nonexistent".into(),
            stack_bytes: 0x1000,
        }]);
        assert_eq!(places.of_backtrace("backtrace of a: 0x201234"), [""; 0]);
        assert_eq!(places.of_backtrace("backtrace of b: 0x201234"), [""; 0]);
        assert_eq!(places.of_instruction("a", 0x20_1234), None);
        assert_eq!(places.stack_bytes("a"), Some(0x1000));
    }

    #[test]
    fn frames_of_the_runtime_that_call_a_program_are_only_counted() {
        let check = |functions: &[&str], expect: &[&str]| {
            let frames: Vec<_> = functions
                .iter()
                .map(|function| Frame {
                    function: (*function).to_owned(),
                    place: None,
                })
                .collect();
            assert_eq!(render_frames(&frames), expect);
        };
        let main = "no_function_is_marked_protection_domain";
        check(
            &[
                "pd::deep",
                "pd::init",
                "sel4_microkit::entry::run_main",
                main,
            ],
            &["pd::deep", "pd::init", "called by the runtime, 2 functions"],
        );
        // Runtime functions that the program has called are shown.
        check(
            &["sel4_microkit::ipc::set_mr", "pd::init", main],
            &[
                "sel4_microkit::ipc::set_mr",
                "pd::init",
                "called by the runtime",
            ],
        );
        check(&["pd::init"], &["pd::init"]);
        check(
            &["sel4_microkit::handler::run", main],
            &["sel4_microkit::handler::run", main],
        );
        check(&[], &[]);
    }

    #[test]
    fn a_programs_own_functions_are_distinguished_from_the_runtime() {
        let check = |function: &str, place: Option<&str>, expect| {
            let frame = Frame {
                function: function.to_owned(),
                place: place.map(str::to_owned),
            };
            assert_eq!(is_of_runtime(&frame), expect, "{frame:?}");
        };
        check("ping::work", Some("src/main.rs:3"), false);
        check(
            "<ping::Ping as sel4_microkit::handler::Handler>::notified",
            None,
            false,
        );
        check("sel4_microkit::handler::run", None, true);
        check("<&sel4::Badge as core::fmt::Debug>::fmt", None, true);
        check("core::hint::black_box", None, true);
        check("<i32 as core::fmt::Display>::fmt", None, true);
        check("<&mut sel4::X as core::fmt::Write>::write_str", None, true);
        check("<&ping::Ping as core::fmt::Debug>::fmt", None, false);
        check("<u64 as ping::Double>::double", None, false);
        check("sel4_demo::work", None, false);
        check("_start", None, true);
        // These programs have line tables only.
        let sys = "/x/crates/runtime/sel4-sys/src/arch/aarch64.rs:65";
        check("call", Some(sys), true);
        check("call", Some("/x/src/sel4-sys-0.1.0/src/call.rs:1"), true);
        check("get<u8>", Some("/rustc/1/library/core/src/cell.rs:5"), true);
        check("call", Some("src/main.rs:9"), false);
        let closure = "{closure#0}<sel4::implicit::Context>";
        check(closure, Some(sys), true);
        check(closure, Some("src/main.rs:9"), false);
        check("call", Some("my-sel4/src/main.rs:9"), false);
        // These functions are in C.
        check("microkit_ppcall", Some("/sdk/include/microkit.h:200"), true);
        check("handler_loop", None, true);
        check("notified", Some("server.c:12"), false);
    }

    #[test]
    fn only_the_hash_is_removed_from_a_name() {
        assert_eq!(without_hash("a::b::h0123456789abcdef"), "a::b");
        assert_eq!(without_hash("a::b::hello"), "a::b::hello");
    }

    #[test]
    fn a_symbol_is_demangled_to_its_function() {
        let check = |symbol, expect| assert_eq!(demangled(symbol), expect);
        let renew = "_ZN13sel4_microkit7renewal5renew17hdba642fa36dfd116E";
        check(renew, "sel4_microkit::renewal::renew");
        check("_RNvCs1234_7mycrate3foo", "mycrate::foo");
        check("_start", "_start");
        check("notified", "notified");
    }

    /// This test reads its own ELF file.
    #[test]
    fn a_function_of_this_program_is_found() {
        let program = env::current_exe().expect("it runs");
        let bytes = std::fs::read(&program).expect("it can be read");
        let file = object::File::parse(&*bytes).expect("an ELF file");
        let mut symbols = object::Object::symbols(&file);
        let name = "a_function_of_this_program_is_found";
        let symbol = symbols
            .find(|symbol| {
                let found = object::ObjectSymbol::name(symbol).unwrap_or_default();
                found.contains(name) && object::ObjectSymbol::size(symbol) > 0
            })
            .expect("it has this function");
        let pd = ProtectionDomain {
            name: "a".to_owned(),
            program: "/stripped".into(),
            symbols: program,
            stack_bytes: 0,
        };
        let place = Places::new(&[pd]).of_instruction("a", object::ObjectSymbol::address(&symbol));
        let place = place.expect("it has a place");
        assert!(
            place.contains(name) && place.contains("src/places.rs:"),
            "{place}"
        );
    }
}
