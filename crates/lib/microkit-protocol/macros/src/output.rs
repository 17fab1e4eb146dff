//! Generates the client and the server.
//!
//! The generated code uses full paths, because the program may shadow any name. Names that the
//! generated code introduces start with `__`, because arguments may have any other name.

use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};
use syn::{Type, Visibility};

use crate::hash::hash;
use crate::input::{Method, Protocol, Returns};

/// The label of the first method. Label 0 is the request to connect.
const FIRST_METHOD: u64 = 1;

pub(crate) fn client_and_server(protocol: &Protocol<'_>) -> TokenStream {
    let sizes = sizes(protocol);
    let client = client(protocol);
    let server = server(protocol);
    quote!(#sizes #client #server)
}

/// Generates a check of the message sizes for each method.
///
/// Each check is a separate constant, so the error appears even if nothing calls the method.
fn sizes(protocol: &Protocol<'_>) -> TokenStream {
    let check = |method: &Method<'_>| {
        let (request, reply) = (request_words(method), reply_words(&method.returns));
        let full = format!("{}::{}", protocol.name, method.name);
        let long_request =
            format!("the arguments of {full} need more than the 64 words of a message");
        let long_reply = format!("the result of {full} needs more than the 64 words of a message");
        quote_spanned! { method.name.span() =>
            const _: () = {
                ::core::assert!(#request <= ::microkit_protocol::MAX_WORDS, #long_request);
                ::core::assert!(#reply <= ::microkit_protocol::MAX_WORDS, #long_reply);
            };
        }
    };
    protocol.methods.iter().map(check).collect()
}

fn client(protocol: &Protocol<'_>) -> TokenStream {
    let Protocol {
        visibility,
        name: trait_name,
        methods,
    } = protocol;
    let name = format_ident!("{trait_name}Client");
    let server = format_ident!("{trait_name}Server");
    let docs =
        format!("A client of [`{trait_name}`]: calls the server at the other end of the channel.");
    let methods = methods.iter().zip(FIRST_METHOD..);
    let methods = methods.map(|(method, label)| client_method(visibility, method, label));
    quote! {
        #[doc = #docs]
        #[derive(Debug, Copy, Clone, PartialEq, Eq)]
        #visibility struct #name<C = ::microkit_protocol::_private::sel4_microkit::Channel> {
            channel: C,
        }

        #[allow(dead_code, reason = "not every program calls every method")]
        impl<C: ::microkit_protocol::_private::sel4_microkit::MayCall> #name<C> {
            /// Connects: asks the server for its version of the protocol and compares the versions.
            ///
            /// **Blocking:** until the reply arrives.
            ///
            /// # Errors
            ///
            /// Returns [`CallError::Refused`](::microkit_protocol::CallError::Refused) if the
            /// versions differ, and
            /// [`CallError::BadReply`](::microkit_protocol::CallError::BadReply) if the peer does
            /// not serve a protocol.
            ///
            /// # Panics
            ///
            /// Panics in the same cases as `Channel::pp_call`.
            #[track_caller]
            #visibility fn connect(
                channel: C,
            ) -> ::core::result::Result<Self, ::microkit_protocol::CallError> {
                ::microkit_protocol::_private::connect(
                    ::microkit_protocol::_private::sel4_microkit::MayCall::to_call(channel),
                    #server::VERSION,
                )?;
                ::core::result::Result::Ok(Self { channel })
            }

            /// Returns the channel.
            #visibility const fn channel(&self) -> C {
                self.channel
            }

            #(#methods)*
        }
    }
}

fn client_method(visibility: &Visibility, method: &Method<'_>, label: u64) -> TokenStream {
    let Method {
        docs,
        name,
        arguments,
        returns,
    } = method;
    let names: Vec<_> = arguments.iter().map(|(name, _)| name).collect();
    let types: Vec<_> = arguments.iter().map(|(_, of)| of).collect();
    let (request, reply) = (request_words(method), reply_words(returns));
    let (returned, read) = match returns {
        Returns::Nothing => (
            quote!(::core::result::Result<(), ::microkit_protocol::CallError>),
            quote!(result::<(), _>()),
        ),
        Returns::Value(value) => (
            quote!(::core::result::Result<#value, ::microkit_protocol::CallError>),
            quote!(result::<#value, _>()),
        ),
        Returns::Result(value, error) => (
            quote!(::core::result::Result<#value, ::microkit_protocol::CallError<#error>>),
            quote!(fallible::<#value, #error, _, _>()),
        ),
    };
    quote! {
        #(#docs)*
        #[inline]
        #[track_caller]
        #visibility fn #name(&self, #(#names: #types),*) -> #returned {
            const __REQUEST: ::core::primitive::usize = #request;
            const __REPLY: ::core::primitive::usize = #reply;
            let mut __request = [0; __REQUEST];
            let __rest = &mut __request[..];
            #(let __rest = ::microkit_protocol::_private::put::<#types, _>(&#names, __rest);)*
            let _: &mut [::core::primitive::u64] = __rest;
            ::microkit_protocol::_private::call::<__REQUEST, __REPLY>(
                ::microkit_protocol::_private::sel4_microkit::MayCall::to_call(self.channel),
                #label,
                __request,
            )
                .#read
        }
    }
}

fn server(protocol: &Protocol<'_>) -> TokenStream {
    let Protocol {
        visibility,
        name: trait_name,
        methods,
    } = protocol;
    let name = format_ident!("{trait_name}Server");
    let docs = format!("Dispatches calls to an implementation of [`{trait_name}`].");
    let source_hash = hash(&source(protocol));
    let types = methods.iter().flat_map(types_of);
    let arms = methods.iter().zip(FIRST_METHOD..).map(|(method, label)| {
        let arm = server_arm(trait_name, method);
        quote!(#label => #arm)
    });
    quote! {
        #[doc = #docs]
        #visibility enum #name {}

        #[allow(dead_code, reason = "a client uses only the version")]
        impl #name {
            /// The version of the protocol. A change of a name, method or type changes the version.
            #visibility const VERSION: ::core::primitive::u64 = ::microkit_protocol::_private::version(
                #source_hash,
                &[#(::core::mem::size_of::<#types>()),*],
            );

            /// Answers a call. Return the result from `Handler::protected`.
            ///
            /// **Blocking:** only if the methods block.
            ///
            /// # Panics
            ///
            /// Panics if the message registers are borrowed. No request of a client causes a panic.
            #[track_caller]
            #visibility fn dispatch<__Server: #trait_name + ?::core::marker::Sized>(
                __server: &mut __Server,
                __msg_info: &::microkit_protocol::_private::sel4_microkit::MessageInfo,
            ) -> ::microkit_protocol::_private::sel4_microkit::MessageInfo {
                Self::__answer(__server, __msg_info, ::microkit_protocol::_private::InMemory)
            }

            /// Answers a call. Return the result from `Handler::protected_with_mrs`. Messages of at
            /// most four words stay in CPU registers.
            ///
            /// **Blocking:** only if the methods block.
            ///
            /// # Panics
            ///
            /// Panics if the message registers are borrowed. No request of a client causes a panic.
            #[inline]
            #[track_caller]
            #visibility fn dispatch_with_mrs<__Server: #trait_name + ?::core::marker::Sized>(
                __server: &mut __Server,
                __msg_info: &::microkit_protocol::_private::sel4_microkit::MessageInfo,
                __words: ::microkit_protocol::_private::sel4_microkit::FastWords,
            ) -> (
                ::microkit_protocol::_private::sel4_microkit::MessageInfo,
                ::microkit_protocol::_private::sel4_microkit::FastWords,
            ) {
                let __place = ::microkit_protocol::_private::InRegisters(__words);
                Self::__answer(__server, __msg_info, __place)
            }

            #[inline]
            #[track_caller]
            fn __answer<
                __Server: #trait_name + ?::core::marker::Sized,
                __Place: ::microkit_protocol::_private::Place,
            >(
                __server: &mut __Server,
                __msg_info: &::microkit_protocol::_private::sel4_microkit::MessageInfo,
                __place: __Place,
            ) -> __Place::Reply {
                let mut answer = || match __msg_info.label() {
                    0 => ::microkit_protocol::_private::greet(__msg_info, Self::VERSION, __place),
                    #(#arms)*
                    _ => ::microkit_protocol::_private::refuse(),
                };
                ::microkit_protocol::_private::finish(answer(), __place)
            }
        }
    }
}

fn server_arm(trait_name: &syn::Ident, method: &Method<'_>) -> TokenStream {
    let Method {
        name,
        arguments,
        returns,
        ..
    } = method;
    let names: Vec<_> = arguments.iter().map(|(name, _)| name).collect();
    let types: Vec<_> = arguments.iter().map(|(_, of)| of).collect();
    let request = request_words(method);
    let reply = match returns {
        Returns::Nothing => quote!(reply::<(), _, _>),
        Returns::Value(value) => quote!(reply::<#value, _, _>),
        Returns::Result(value, error) => quote!(reply_result::<#value, #error, _, _, _>),
    };
    quote! {
        {
            const __REQUEST: ::core::primitive::usize = #request;
            let __request =
                ::microkit_protocol::_private::arguments::<__REQUEST>(__msg_info, __place)?;
            let __rest = &__request[..];
            #(let (#names, __rest) = ::microkit_protocol::_private::take::<#types, _>(__rest)?;)*
            let _: &[::core::primitive::u64] = __rest;
            let __result = #trait_name::#name(__server, #(#names),*);
            ::core::result::Result::Ok(::microkit_protocol::_private::#reply(&__result, __place))
        }
    }
}

fn request_words(method: &Method<'_>) -> TokenStream {
    let words = method.arguments.iter().map(|(_, of)| words(of));
    quote!((0 #(+ #words)*))
}

fn reply_words(returns: &Returns<'_>) -> TokenStream {
    match returns {
        Returns::Nothing => quote!(0usize),
        Returns::Value(value) => words(value),
        Returns::Result(value, error) => {
            let (value, error) = (words(value), words(error));
            quote!(if #value > #error { #value } else { #error })
        }
    }
}

fn words(of: &Type) -> TokenStream {
    quote!(::microkit_protocol::_private::words::<#of, _>())
}

/// Returns the types of the arguments and of the result, in source order.
fn types_of<'a>(method: &'a Method<'a>) -> Vec<&'a Type> {
    let returned = match method.returns {
        Returns::Nothing => vec![],
        Returns::Value(value) => vec![value],
        Returns::Result(value, error) => vec![value, error],
    };
    let arguments = method.arguments.iter().map(|(_, of)| *of);
    arguments.chain(returned).collect()
}

/// Returns the part of the source that must be equal at both ends.
///
/// Argument names and documentation are excluded, because they do not change a message.
fn source(protocol: &Protocol<'_>) -> String {
    let method = |method: &Method<'_>| {
        let name = method.name;
        let types = method.arguments.iter().map(|(_, of)| of);
        let returned = match &method.returns {
            Returns::Nothing => quote!(),
            Returns::Value(value) => quote!(-> #value),
            Returns::Result(value, error) => quote!(-> Result<#value, #error>),
        };
        quote!(#name(#(#types),*) #returned;)
    };
    let name = protocol.name;
    let methods = protocol.methods.iter().map(method);
    quote!(#name { #(#methods)* }).to_string()
}
