//! Parses the tokens of `system!`.

use proc_macro2::Ident;
use syn::parse::{Parse, ParseStream};
use syn::{Attribute, LitInt, LitStr, Result, Token, Visibility};

/// The arguments of `system!`: `"FILE", pd = "NAME";` and items.
pub(crate) struct Input {
    pub(crate) file: LitStr,
    pub(crate) pd: LitStr,
    pub(crate) items: Vec<Item>,
}

/// An item: `KIND NAME = "…";` or `KIND NAME;`.
pub(crate) struct Item {
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) visibility: Visibility,
    pub(crate) kind: ElementKind,
    pub(crate) name: Ident,
    pub(crate) wanted: Wanted,
}

#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub(crate) enum ElementKind {
    Channel,
    Irq,
    Child,
    Region,
}

/// The reference of an item to its element of the file.
pub(crate) enum Wanted {
    Name(LitStr),
    Number(LitInt, u64),
    /// The item's own name, compared by `identifier::is_meant`.
    Same,
}

impl Parse for Input {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let file = input.parse()?;
        input.parse::<Token![,]>()?;
        let pd_word: Ident = input.parse()?;
        if pd_word != "pd" {
            return Err(syn::Error::new(
                pd_word.span(),
                "write `pd = \"NAME\"`, with the name of this program's protection domain in the system file",
            ));
        }
        input.parse::<Token![=]>()?;
        let pd = input.parse()?;
        let mut items = Vec::new();
        if !input.is_empty() {
            input.parse::<Token![;]>()?;
        }
        while !input.is_empty() {
            items.push(input.parse()?);
        }
        Ok(Self { file, pd, items })
    }
}

impl Parse for Item {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let attributes = input.call(Attribute::parse_outer)?;
        let visibility = input.parse()?;
        let word: Ident = input.parse()?;
        let kind = match word.to_string().as_str() {
            "channel" => ElementKind::Channel,
            "irq" => ElementKind::Irq,
            "child" => ElementKind::Child,
            "region" => ElementKind::Region,
            _ => {
                return Err(syn::Error::new(
                    word.span(),
                    "expected `channel`, `irq`, `child` or `region`",
                ));
            }
        };
        let name = input.parse()?;
        let is_same = input.peek(Token![;]);
        if !is_same {
            input.parse::<Token![=]>()?;
        }
        let wanted = if is_same {
            Wanted::Same
        } else if kind == ElementKind::Irq && input.peek(LitInt) {
            let literal: LitInt = input.parse()?;
            let number = literal.base10_parse()?;
            Wanted::Number(literal, number)
        } else {
            Wanted::Name(input.parse()?)
        };
        input.parse::<Token![;]>()?;
        Ok(Self {
            attributes,
            visibility,
            kind,
            name,
            wanted,
        })
    }
}
