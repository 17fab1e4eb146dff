//! Asserts that the model's numbers equal the table of `sel4-sys`. A test of `sel4-sys` compares
//! that table with the files of an SDK.

const NUMBERS: &str = include_str!("../src/numbers.rs");
const TABLE: &str = include_str!("../../../runtime/sel4-sys/tables/qemu_virt_aarch64-debug.txt");

/// Returns the names and values in a module of `numbers.rs`.
fn numbers(module: &str) -> Vec<(&'static str, &'static str)> {
    let (_, rest) = NUMBERS
        .split_once(&format!("pub mod {module} {{"))
        .expect("the module is there");
    let (body, _) = rest.split_once("\n}").expect("it ends");
    body.lines()
        .filter_map(|line| line.trim().strip_prefix("pub const "))
        .map(|line| {
            let (name, rest) = line.split_once(": ").expect("a constant has a type");
            let (_, value) = rest.split_once(" = ").expect("and a value");
            (name, value.trim_end_matches(';'))
        })
        .collect()
}

#[test]
fn numbers_are_those_of_the_table() {
    for module in ["syscall", "invocation", "fault"] {
        let numbers = numbers(module);
        assert!(!numbers.is_empty(), "{module} has none");
        for (name, value) in numbers {
            let line = format!("{module} {name} {value}");
            assert!(
                TABLE.lines().any(|other| other == line),
                "not there: {line}"
            );
        }
    }
}
