//! Holds that a program which would alias the IPC buffer does not compile.

#[test]
fn a_system_call_inside_a_view_does_not_compile() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("tests/compile-fail/*.rs");
    #[cfg(feature = "programs")]
    cases.compile_fail("tests/compile-fail/programs/*.rs");
}
