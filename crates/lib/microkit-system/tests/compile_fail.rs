//! Holds that what the system file does not have or grant does not compile, and that the error shows
//! its line.

#[test]
fn what_is_not_granted_does_not_compile() {
    trybuild::TestCases::new().compile_fail("tests/compile-fail/*.rs");
}
