//! The `#[protocol]` attribute of `microkit-protocol`: generates a client and a server from a
//! trait.
//!
//! `input` checks the trait, and `output` generates the code. `hash` computes the part of the
//! version that the trait's source determines.
#![forbid(unsafe_code)]

mod hash;
mod input;
mod output;

use proc_macro::TokenStream;
use syn::{ItemTrait, parse_macro_input};

/// Generates a client and a server: see `microkit_protocol::protocol`.
#[proc_macro_attribute]
pub fn protocol(options: TokenStream, item: TokenStream) -> TokenStream {
    let item = parse_macro_input!(item as ItemTrait);
    let generated = if options.is_empty() {
        input::Protocol::new(&item).map(|protocol| output::client_and_server(&protocol))
    } else {
        let message = "#[protocol] takes no options";
        Err(syn::Error::new(proc_macro2::Span::call_site(), message))
    };
    let generated = generated.unwrap_or_else(syn::Error::into_compile_error);
    quote::quote!(#item #generated).into()
}
