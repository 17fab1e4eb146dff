//! Holds that what cannot be a message does not compile.

#[test]
fn what_is_no_message_does_not_compile() {
    trybuild::TestCases::new().compile_fail("tests/compile-fail/*.rs");
}
