//! The attribute `#[sel4_cfg]` of the crate `sel4`.
//!
//! The attribute wraps its item in `sel4::sel4_cfg_if!`. That macro evaluates the kernel's
//! switches.
#![forbid(unsafe_code)]

use proc_macro::{Delimiter, Group, TokenStream, TokenTree};

/// Removes an item unless a condition on the kernel's configuration holds. The attribute `#[cfg]`
/// does the same for the compiler's configuration.
///
/// The attribute accepts the same conditions as `sel4::sel4_cfg_if!`.
///
/// ```ignore
/// // Not compiled here, because this crate cannot depend on `sel4`.
/// #[sel4::sel4_cfg(all(DEBUG_BUILD, not(ENABLE_BENCHMARKS)))]
/// fn debug_only() {}
/// ```
#[allow(clippy::missing_panics_doc)] // The parsed text is constant.
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
