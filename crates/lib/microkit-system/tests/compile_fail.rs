//! Asserts that names and rights that are not in the system file do not compile, and that the error
//! shows the line of the file.

#[test]
fn names_and_rights_that_are_not_in_the_file_do_not_compile() {
    trybuild::TestCases::new().compile_fail("tests/compile-fail/*.rs");
}
