//! Holds that what must not be done to shared memory does not compile.

#[test]
fn what_must_not_be_done_does_not_compile() {
    trybuild::TestCases::new().compile_fail("tests/compile-fail/*.rs");
}
