//! Tests that invocations and replies that could break memory safety need `unsafe`.

#[test]
#[cfg_attr(miri, ignore)] // The test runs Cargo.
fn what_could_break_memory_does_not_compile_without_unsafe() {
    trybuild::TestCases::new().compile_fail("tests/compile-fail/*.rs");
}
