//! The attribute `#[sel4_cfg]` of the crate `sel4`.
//!
//! It only wraps its item in `sel4::sel4_cfg_if!`, which knows the kernel's switches.
#![forbid(unsafe_code)]

use proc_macro::{Delimiter, Group, TokenStream, TokenTree};

/// Removes an item unless a condition on the kernel's configuration holds, as `#[cfg]` does for
/// conditions on the compiler's.
///
/// The conditions are those of `sel4::sel4_cfg_if!`.
///
/// ```ignore
/// // Not compiled here, because this crate cannot depend on `sel4`.
/// #[sel4::sel4_cfg(all(DEBUG_BUILD, not(ENABLE_BENCHMARKS)))]
/// fn debug_only() {}
/// ```
#[allow(clippy::missing_panics_doc)] // The text that it parses is constant.
#[proc_macro_attribute]
pub fn sel4_cfg(condition: TokenStream, item: TokenStream) -> TokenStream {
    let group =
        |delimiter, stream| TokenStream::from(TokenTree::from(Group::new(delimiter, stream)));
    let parse = |text: &str| -> TokenStream { text.parse().expect("the text is valid Rust") };
    let mut attribute = parse("sel4_cfg");
    attribute.extend(group(Delimiter::Parenthesis, condition));
    let mut body = parse("if #");
    body.extend(group(Delimiter::Bracket, attribute));
    body.extend(group(Delimiter::Brace, item));
    let mut output = parse("::sel4::sel4_cfg_if!");
    output.extend(group(Delimiter::Brace, body));
    output
}
