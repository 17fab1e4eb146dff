//! The macro of `microkit-system`: reads the system file while a program is compiled.
//!
//! Data goes one way: tokens → `input`, and text → `file` → `names` → `output`.
#![forbid(unsafe_code)]

mod file;
mod identifier;
mod input;
mod names;
mod output;

use proc_macro::TokenStream;
use syn::parse_macro_input;

/// See `microkit_system::system`.
#[proc_macro]
pub fn system(tokens: TokenStream) -> TokenStream {
    let input = parse_macro_input!(tokens as input::Input);
    // A file that was read is tracked, whatever was wrong with what is wanted of it.
    let file = match file::find(&input.file) {
        Ok(file) => file,
        Err(error) => return error.into_compile_error().into(),
    };
    let output = match file.parse(&input.file) {
        Ok(system) => output::items(&input, &system),
        Err(error) => error.into_compile_error(),
    };
    let tracked = file.tracked();
    quote::quote!(#tracked #output).into()
}
