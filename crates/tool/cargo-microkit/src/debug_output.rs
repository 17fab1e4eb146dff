//! Finds programs that print to the debug console on a kernel without a debug console.
//!
//! The ELF file does not contain the calls, because `debug_println!` compiles to nothing for such a
//! kernel. But Cargo writes a list of the source files beside each program, and the sources contain
//! the macros.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use crate::kernel::KernelKind;
use crate::pds::ProtectionDomain;
use crate::variant::Variant;

/// The macros that print to the console. Uses inside the runtime begin with `crate::` and are
/// ignored.
const MACROS: [&str; 2] = ["debug_println!", "debug_print!"];

/// Returns a remark for a system that printed less than expected. Returns `None` if the kernel has
/// debug output.
pub(crate) fn note(variant: &Variant, pds: &[ProtectionDomain]) -> Option<String> {
    if variant.kernel == KernelKind::Model || variant.kernel_prints() {
        return None;
    }
    let mut note = format!(
        "the kernel configuration `{}` has no debug output: it shows no `debug_println!`, panic, \
         report of a fault, or C's `microkit_dbg_puts`; use `--config debug` to see them",
        variant.config
    );
    for pd in pds {
        if let Some((file, line)) = use_of_macro(&pd.program) {
            // Writing to a string cannot fail.
            let _ = write!(
                note,
                "\nPD `{}` prints by `debug_println!` or `debug_print!`, at {}:{line}",
                pd.name,
                file.display()
            );
        }
    }
    Some(note)
}

/// Finds the first use of one of [`MACROS`] in the sources of a program that Cargo built.
fn use_of_macro(program: &Path) -> Option<(PathBuf, usize)> {
    let list = fs::read_to_string(program.with_extension("d")).ok()?;
    sources(&list).into_iter().find_map(|file| {
        let text = fs::read_to_string(&file).ok()?;
        let line = text.lines().position(prints)?;
        Some((file, line + 1))
    })
}

/// Parses a dependency file in the syntax of make (`TARGET: FILE FILE …`, with a backslash before
/// each space in a name). Returns the Rust files in this list.
fn sources(list: &str) -> Vec<PathBuf> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut chars = list.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => word.extend(chars.next()),
            ' ' | '\n' => words.push(std::mem::take(&mut word)),
            c => word.push(c),
        }
    }
    words.push(word);
    let files = words.into_iter().skip(1).map(PathBuf::from);
    files
        .filter(|file| file.extension().is_some_and(|e| e == "rs"))
        .collect()
}

fn prints(line: &str) -> bool {
    let code = line.split("//").next().unwrap_or_default();
    MACROS.iter().any(|name| {
        code.match_indices(name).any(|(at, _)| {
            let before = &code[..at];
            let is_part = before.ends_with(|c: char| c.is_alphanumeric() || c == '_');
            !is_part && !before.ends_with("crate::")
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uses_of_the_runtimes_macros_are_found() {
        let check = |line: &str, expect| assert_eq!(prints(line), expect, "{line}");
        check("    debug_println!(\"x\");", true);
        check("sel4_microkit::debug_print!(\"x\")", true);
        check("Err(e) => debug_println!(\"{e}\"),", true);
        check("    crate::debug_println!(\"{name}\");", false);
        check("        $crate::debug_print!(\"\\n\")", false);
        check("    // debug_println!(\"x\");", false);
        check("//! [`debug_println!`] prints.", false);
        check("    my_debug_println!(\"x\");", false);
        check("use sel4_microkit::debug_println;", false);
    }

    #[test]
    fn the_list_has_the_syntax_of_make() {
        let list = "/t/hello: /a/table.json /a/src/main.rs /b\\ c/lib.rs\n";
        let expect = ["/a/src/main.rs", "/b c/lib.rs"].map(PathBuf::from);
        assert_eq!(sources(list), expect);
        assert_eq!(sources(""), [] as [PathBuf; 0]);
        assert_eq!(sources("x: \\"), [] as [PathBuf; 0]);
    }

    #[test]
    fn only_a_kernel_without_debug_output_gets_the_note() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let path = |name: &str| directory.path().join(name);
        let main = path("main.rs");
        fs::write(&main, "fn init() {\n    debug_println!(\"x\");\n}\n").expect("the file");
        fs::write(path("a.d"), format!("a: {}\n", main.display())).expect("the file");
        let pds = ["a", "b"].map(|name| ProtectionDomain {
            name: name.to_owned(),
            program: path(name),
            symbols: path(name),
            stack_bytes: 0,
        });
        let note = |kernel, config: &str| {
            let variant = Variant {
                kernel,
                board: "b".to_owned(),
                config: config.to_owned(),
                profile: "dev".to_owned(),
            };
            note(&variant, &pds)
        };
        for config in ["release", "benchmark"] {
            let note = note(KernelKind::Sel4, config).expect(config);
            let place = format!(
                "PD `a` prints by `debug_println!` or `debug_print!`, at {}:2",
                main.display()
            );
            assert!(note.contains(config) && note.ends_with(&place), "{note}");
        }
        for (kernel, config) in [
            (KernelKind::Sel4, "debug"),
            (KernelKind::Sel4, "smp-debug"),
            (KernelKind::Model, "debug"),
        ] {
            assert_eq!(note(kernel, config), None, "{config}");
        }
    }
}
