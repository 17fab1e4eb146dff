//! Holds that a call inside a view of an explicit token, and safe code that could ask for an
//! invocation which breaks memory, do not compile.

#[test]
fn what_could_break_memory_does_not_compile() {
    trybuild::TestCases::new().compile_fail("tests/compile-fail/*.rs");
}
