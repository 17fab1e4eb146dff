//! Tests that two errors do not compile: a call inside a view of an explicit token, and a call that
//! can violate memory safety, without `unsafe`.

#[test]
fn what_could_break_memory_does_not_compile() {
    trybuild::TestCases::new().compile_fail("tests/compile-fail/*.rs");
}
