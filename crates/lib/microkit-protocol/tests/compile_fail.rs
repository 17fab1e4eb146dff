//! Asserts that a trait that cannot be a protocol does not compile, and that the error says why.

#[test]
fn a_trait_that_is_not_a_protocol_does_not_compile() {
    trybuild::TestCases::new().compile_fail("tests/compile-fail/*.rs");
}
