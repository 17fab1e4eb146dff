//! The attribute of `microkit-protocol`: a trait goes in, and comes out with a client and a server.
#![forbid(unsafe_code)]

mod hash;
mod input;
mod output;

use proc_macro::TokenStream;
use syn::{ItemTrait, parse_macro_input};

/// See `microkit_protocol::protocol`.
#[proc_macro_attribute]
pub fn protocol(options: TokenStream, item: TokenStream) -> TokenStream {
    let item = parse_macro_input!(item as ItemTrait);
    let made = if options.is_empty() {
        input::Protocol::new(&item).map(|protocol| output::client_and_server(&protocol))
    } else {
        let message = "#[protocol] takes no options";
        Err(syn::Error::new(proc_macro2::Span::call_site(), message))
    };
    let made = made.unwrap_or_else(syn::Error::into_compile_error);
    quote::quote!(#item #made).into()
}
