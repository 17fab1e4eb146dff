//! Checks what must not compile: a call inside a view of an explicit token, and an invocation in
//! safe code that could break memory.

#[test]
fn what_could_break_memory_does_not_compile() {
    trybuild::TestCases::new().compile_fail("tests/compile-fail/*.rs");
}
