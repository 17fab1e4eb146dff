//! Parses a trait and checks the requirements of a protocol.

use syn::{
    Attribute, Error, FnArg, GenericArgument, Ident, ItemTrait, Pat, PathArguments, Result,
    ReturnType, TraitItem, TraitItemFn, Type, Visibility,
};

/// A trait that has passed the checks for a protocol.
pub(crate) struct Protocol<'a> {
    pub(crate) visibility: &'a Visibility,
    pub(crate) name: &'a Ident,
    pub(crate) methods: Vec<Method<'a>>,
}

pub(crate) struct Method<'a> {
    pub(crate) docs: Vec<&'a Attribute>,
    pub(crate) name: &'a Ident,
    pub(crate) arguments: Vec<(&'a Ident, &'a Type)>,
    pub(crate) returns: Returns<'a>,
}

pub(crate) enum Returns<'a> {
    Nothing,
    Value(&'a Type),
    Result(&'a Type, &'a Type),
}

impl<'a> Protocol<'a> {
    pub(crate) fn new(item: &'a ItemTrait) -> Result<Self> {
        let error_at = |message| Err(Error::new_spanned(&item.ident, message));
        if !item.generics.params.is_empty() || item.generics.where_clause.is_some() {
            return error_at("a protocol has no type parameters: both ends must know every type");
        }
        if !item.supertraits.is_empty() {
            return error_at(
                "a protocol has no supertraits, because the client does not implement the trait",
            );
        }
        let mut methods = Vec::new();
        let mut errors: Option<Error> = None;
        for item in &item.items {
            match method(item) {
                Ok(method) => methods.push(method),
                Err(error) => match &mut errors {
                    Some(errors) => errors.combine(error),
                    None => errors = Some(error),
                },
            }
        }
        match errors {
            Some(errors) => Err(errors),
            None => Ok(Self {
                visibility: &item.vis,
                name: &item.ident,
                methods,
            }),
        }
    }
}

fn method(item: &TraitItem) -> Result<Method<'_>> {
    let TraitItem::Fn(TraitItemFn { attrs, sig, .. }) = item else {
        return Err(Error::new_spanned(item, "a protocol contains only methods"));
    };
    let error_at = |message| Err(Error::new_spanned(sig, message));
    if !sig.generics.params.is_empty() {
        return error_at(
            "a protocol's method has no type parameters: both ends must know every type",
        );
    }
    if sig.asyncness.is_some() || sig.unsafety.is_some() {
        return error_at("a protocol's method is neither `async` nor `unsafe`");
    }
    if sig.ident == "connect" || sig.ident == "channel" {
        return error_at("the client already has a method with this name: choose another name");
    }
    let mut inputs = sig.inputs.iter();
    match inputs.next() {
        Some(FnArg::Receiver(receiver)) if receiver.reference.is_some() => (),
        _ => return error_at("a protocol's method takes `&self` or `&mut self`"),
    }
    Ok(Method {
        docs: attrs
            .iter()
            .filter(|attribute| attribute.path().is_ident("doc"))
            .collect(),
        name: &sig.ident,
        arguments: inputs.map(argument).collect::<Result<_>>()?,
        returns: returns(&sig.output)?,
    })
}

fn argument(argument: &FnArg) -> Result<(&Ident, &Type)> {
    let FnArg::Typed(typed) = argument else {
        return Err(Error::new_spanned(argument, "write `self` first"));
    };
    let Pat::Ident(name) = &*typed.pat else {
        return Err(Error::new_spanned(
            &typed.pat,
            "write a plain name for the argument",
        ));
    };
    if matches!(&*typed.ty, Type::Reference(_)) {
        let message = "arguments travel by value: use a `heapless::String`, a `heapless::Vec` or an \
                       array";
        return Err(Error::new_spanned(&typed.ty, message));
    }
    Ok((&name.ident, &typed.ty))
}

fn returns(output: &ReturnType) -> Result<Returns<'_>> {
    let ReturnType::Type(_, written) = output else {
        return Ok(Returns::Nothing);
    };
    let last = match &**written {
        Type::Path(path) => path.path.segments.last(),
        _ => None,
    };
    let Some(last) = last.filter(|segment| segment.ident == "Result") else {
        return Ok(Returns::Value(written));
    };
    if let PathArguments::AngleBracketed(arguments) = &last.arguments {
        let types: Vec<&GenericArgument> = arguments.args.iter().collect();
        if let [GenericArgument::Type(value), GenericArgument::Type(error)] = types[..] {
            return Ok(Returns::Result(value, error));
        }
    }
    let message = "write `Result` with both its types: the error has its own label";
    Err(Error::new_spanned(written, message))
}
