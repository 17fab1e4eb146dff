//! Holds that with an explicit token, a call inside a view of the buffer does not compile.

#[test]
fn a_call_inside_a_view_does_not_compile() {
    trybuild::TestCases::new().compile_fail("tests/compile-fail/*.rs");
}
