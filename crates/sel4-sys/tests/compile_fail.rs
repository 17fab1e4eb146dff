//! Holds that a program which would alias the IPC buffer does not compile.

#[test]
fn a_system_call_inside_a_view_does_not_compile() {
    trybuild::TestCases::new().compile_fail("tests/compile-fail/*.rs");
}
