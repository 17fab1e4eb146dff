//! The attribute `#[sel4_cfg]`, for the crate `sel4`, which documents it.
//!
//! It only hands its item on to `sel4::sel4_cfg_if!`: what the kernel's switches are is known there.
#![forbid(unsafe_code)]

use proc_macro::{Delimiter, Group, TokenStream, TokenTree};

/// Keeps an item only where the kernel's configuration has what the condition says, as `#[cfg]`
/// does for the compiler's.
///
/// ```ignore
/// #[sel4::sel4_cfg(all(DEBUG_BUILD, not(ENABLE_BENCHMARKS)))]
/// fn only_there() {}
/// ```
///
/// The conditions are those of `sel4::sel4_cfg_if!`.
#[proc_macro_attribute]
pub fn sel4_cfg(condition: TokenStream, item: TokenStream) -> TokenStream {
    let group =
        |delimiter, stream| TokenStream::from(TokenTree::from(Group::new(delimiter, stream)));
    let parse = |text: &str| -> TokenStream { text.parse().expect("it is Rust") };
    let mut attribute = parse("sel4_cfg");
    attribute.extend(group(Delimiter::Parenthesis, condition));
    let mut body = parse("if #");
    body.extend(group(Delimiter::Bracket, attribute));
    body.extend(group(Delimiter::Brace, item));
    let mut output = parse("::sel4::sel4_cfg_if!");
    output.extend(group(Delimiter::Brace, body));
    output
}
