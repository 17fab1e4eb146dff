//! The `protection_domain` attribute of `sel4-microkit`. The attribute only finds the function's
//! name, and invokes a declarative macro of `sel4-microkit` with this name.
#![forbid(unsafe_code)]

use proc_macro::{Delimiter, Group, TokenStream, TokenTree};

/// Marks the function that initialises the PD.
///
/// The function has no arguments and returns a `Handler`. The options are `stack_size`, `heap_size`
/// and `kept_data_size`, in any order, each with `= BYTES`. `sel4_microkit::protection_domain`
/// describes the options.
#[proc_macro_attribute]
pub fn protection_domain(options: TokenStream, item: TokenStream) -> TokenStream {
    let mut tokens = item
        .clone()
        .into_iter()
        .skip_while(|token| !is_word(token, "fn"))
        .skip(1);
    let Some(TokenTree::Ident(name)) = tokens.next() else {
        return rust("::core::compile_error!(\"#[protection_domain] goes on a function\");");
    };
    // The caller's tokens keep their spans. With new spans, the tokens would count as macro output,
    // and `forbid(unsafe_code)` would ignore `unsafe` in the tokens.
    let mut arguments = rust("init =");
    arguments.extend([TokenTree::Ident(name)]);
    arguments.extend(rust(","));
    arguments.extend(options);
    let arguments = Group::new(Delimiter::Brace, arguments);

    let mut output = rust("::sel4_microkit::declare_protection_domain!");
    output.extend([TokenTree::Group(arguments)]);
    output.extend(item);
    output
}

fn rust(text: &str) -> TokenStream {
    text.parse().expect("it is Rust")
}

fn is_word(token: &TokenTree, word: &str) -> bool {
    matches!(token, TokenTree::Ident(ident) if ident.to_string() == word)
}
