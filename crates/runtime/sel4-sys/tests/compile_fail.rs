//! Checks that a program does not compile if it would alias the IPC buffer, or invoke a kernel
//! object without `unsafe`.

#[test]
fn what_could_break_memory_does_not_compile() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("tests/compile-fail/*.rs");
    #[cfg(feature = "programs")]
    cases.compile_fail("tests/compile-fail/programs/*.rs");
}
