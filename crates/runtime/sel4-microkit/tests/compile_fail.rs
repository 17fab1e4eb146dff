//! Tests that safe code cannot make an invocation or a reply that could break memory.

#[test]
#[cfg_attr(miri, ignore)] // It runs Cargo.
fn what_could_break_memory_does_not_compile_without_unsafe() {
    trybuild::TestCases::new().compile_fail("tests/compile-fail/*.rs");
}
