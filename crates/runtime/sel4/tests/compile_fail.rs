//! Tests that two kinds of wrong calls do not compile:
//!
//! * a call inside a view of an explicit token;
//! * a call that can violate memory safety, but is not in an `unsafe` block.

#[test]
fn what_could_break_memory_does_not_compile() {
    trybuild::TestCases::new().compile_fail("tests/compile-fail/*.rs");
}
