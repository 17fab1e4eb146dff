//! The `system!` macro of `microkit-system`: reads the system file at compile time.
//!
//! ```text
//! tokens ──► input ───────────────────────┐
//! system file ──► file ──► microkit_sdf ──┴──► names ──► output ──► tokens
//! ```
//!
//! `names` finds the element that an item names. `output` generates the item.
#![forbid(unsafe_code)]

mod file;
mod identifier;
mod input;
mod names;
mod output;

use proc_macro::TokenStream;
use syn::parse_macro_input;

/// Declares channels, interrupts, children and memory regions: see `microkit_system::system`.
#[proc_macro]
pub fn system(tokens: TokenStream) -> TokenStream {
    let input = parse_macro_input!(tokens as input::Input);
    // Track the file even after an error, so that a corrected file causes a rebuild.
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
