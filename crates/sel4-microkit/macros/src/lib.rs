//! The attribute of `sel4-microkit`. It only finds the function's name; the rest is a
//! declarative macro there.
#![forbid(unsafe_code)]

use proc_macro::{TokenStream, TokenTree};

/// Marks the function that initialises the protection domain.
///
/// The function takes nothing and returns a `Handler`. Options, in any order:
/// `stack_size = BYTES`, `heap_size = BYTES`, `kept_data_size = BYTES`. See `sel4_microkit::protection_domain`.
#[proc_macro_attribute]
pub fn protection_domain(options: TokenStream, item: TokenStream) -> TokenStream {
    let mut tokens = item
        .clone()
        .into_iter()
        .skip_while(|token| !is_word(token, "fn"))
        .skip(1);
    let Some(TokenTree::Ident(name)) = tokens.next() else {
        return "::core::compile_error!(\"#[protection_domain] goes on a function\");"
            .parse()
            .expect("this is Rust");
    };
    let mut output: TokenStream =
        format!("::sel4_microkit::declare_protection_domain! {{ init = {name}, {options} }}")
            .parse()
            .expect("a name and what the compiler has parsed are Rust");
    output.extend(item);
    output
}

fn is_word(token: &TokenTree, word: &str) -> bool {
    matches!(token, TokenTree::Ident(ident) if ident.to_string() == word)
}
