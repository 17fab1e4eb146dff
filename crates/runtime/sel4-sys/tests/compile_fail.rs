//! Asserts that a program that would alias the IPC buffer, or would invoke a kernel object without
//! `unsafe`, does not compile.

#[test]
fn what_could_break_memory_does_not_compile() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("tests/compile-fail/*.rs");
    #[cfg(feature = "programs")]
    cases.compile_fail("tests/compile-fail/programs/*.rs");
}
