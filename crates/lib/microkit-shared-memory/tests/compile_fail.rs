//! Tests that invalid uses of shared memory do not compile.

#[test]
fn what_must_not_be_done_does_not_compile() {
    trybuild::TestCases::new().compile_fail("tests/compile-fail/*.rs");
}
