//! Generates the items of `system!`.
//!
//! If the file does not grant a right, the method has a trait bound that is never satisfied. The
//! compiler's error then shows the line of the file. A missing method would only produce "no method
//! named …".

use microkit_sdf::{Span, System, nearest};
use proc_macro2::{Ident, TokenStream};
use quote::quote;
use syn::{Error, Result};

use crate::input::{Input, Item, Wanted};
use crate::names::{Element, Found, Key, find};

/// Generates all items. For a wrong item, generates a compile error instead.
pub(crate) fn items(input: &Input, system: &System) -> TokenStream {
    let name = input.pd.value();
    let Some(pd) = system.protection_domain(&name) else {
        let names: Vec<&str> = system
            .protection_domains
            .iter()
            .map(|pd| &*pd.name)
            .collect();
        let meant = nearest(&name, names.iter().copied());
        let meant = meant.map_or(String::new(), |name| format!("did you mean `{name}`? "));
        let message = format!(
            "{} has no PD `{name}`: {meant}it has `{}`",
            system.source.name,
            names.join("`, `")
        );
        return Error::new(input.pd.span(), message).into_compile_error();
    };
    let one = |item| match resolve(system, pd, item) {
        Ok(found) => output(system, pd, item, &found),
        Err(error) => error.into_compile_error(),
    };
    input.items.iter().map(one).collect()
}

/// Finds the element that an item names. All PDs of the program must have an element with this name
/// and with the same attributes.
fn resolve(system: &System, pd: usize, item: &Item) -> Result<Found> {
    let (text, at) = match &item.wanted {
        Wanted::Name(name) => (name.value(), name.span()),
        Wanted::Number(literal, _) => (String::new(), literal.span()),
        Wanted::Same => (item.name.to_string(), item.name.span()),
    };
    let key = match &item.wanted {
        Wanted::Name(_) => Key::Name(&text),
        Wanted::Number(_, number) => Key::Number(*number),
        Wanted::Same => Key::Identifier(&text),
    };
    let error_at = |message| Error::new(at, message);
    let found = find(system, pd, item.kind, key).map_err(error_at)?;
    let pds = &system.protection_domains;
    for (other, other_pd) in pds.iter().enumerate() {
        if other == pd || other_pd.program_image.path != pds[pd].program_image.path {
            continue;
        }
        let shared = format!("PD `{}` runs the same program, but ", other_pd.name);
        let theirs = find(system, other, item.kind, key)
            .map_err(|message| error_at(format!("{shared}{message}")))?;
        if theirs.element != found.element {
            return Err(error_at(format!(
                "{shared}there this name has other attributes\n{}\n{}",
                system.source.excerpt(found.span),
                system.source.excerpt(theirs.span)
            )));
        }
    }
    Ok(found)
}

fn output(system: &System, pd: usize, item: &Item, found: &Found) -> TokenStream {
    let cx = Cx {
        system,
        pd_name: &system.protection_domains[pd].name,
        item,
        span: found.span,
    };
    let id_symbol = found.id_symbol.as_deref();
    let declared = id_symbol.map(|symbol| cx.declared(symbol));
    let item = match &found.element {
        Element::Channel {
            id,
            notify,
            call,
            peer,
        } => cx.channel(*id, *notify, *call, peer),
        Element::Irq { id, number } => cx.irq(*id, *number),
        Element::Child { id } => cx.child(*id),
        Element::Region {
            bytes,
            cached,
            write,
            vaddr,
            size,
        } => cx.region(*bytes, *cached, *write, [vaddr, size]),
    };
    quote!(#item #declared)
}

/// An item, with the place of its element in the file.
struct Cx<'a> {
    system: &'a System,
    pd_name: &'a str,
    item: &'a Item,
    span: Span,
}

impl Cx<'_> {
    /// Returns the place as `NAME.system:27`.
    fn place(&self) -> String {
        let source = &self.system.source;
        format!("{}:{}", source.name, source.line(self.span))
    }

    /// Declares the variable into which Microkit's tool writes an identifier.
    ///
    /// The generated code does not read the variable, but the tool rejects a program without it.
    fn declared(&self, symbol: &str) -> TokenStream {
        let Ok(symbol) = syn::parse_str::<Ident>(symbol) else {
            return self.no_variable(&[symbol]);
        };
        quote! {
            #[allow(dead_code, reason = "only Microkit's tool looks for the variable")]
            const _: () = {
                fn id() -> usize {
                    *::microkit_system::_private::sel4_microkit::var!(#symbol: usize = 0)
                }
            };
        }
    }

    fn no_variable(&self, symbols: &[&str]) -> TokenStream {
        let message = format!(
            "`{}` is not a valid name of a Rust variable: change it in the system file\n{}",
            symbols.join("` or `"),
            self.system.source.excerpt(self.span)
        );
        Error::new(self.item.name.span(), message).into_compile_error()
    }

    /// Generates a unit struct and the items in `body`. The struct's name is both a type and a
    /// value.
    fn unit(&self, docs: &str, body: &TokenStream) -> TokenStream {
        let Item {
            attributes,
            visibility,
            name,
            ..
        } = self.item;
        quote! {
            #(#attributes)*
            #[doc = #docs]
            #[derive(Debug, Copy, Clone, PartialEq, Eq)]
            #[allow(
                non_camel_case_types,
                clippy::upper_case_acronyms,
                reason = "it is written like a constant, because it is used like one"
            )]
            #visibility struct #name;

            #[allow(dead_code, unreachable_pub, reason = "not every program uses every method")]
            const _: () = {
                use ::microkit_system::_private::{sel4, sel4_microkit as runtime};
                #body
            };
        }
    }

    /// Generates a trait bound for a right that is not granted. Generates nothing for a granted
    /// right.
    ///
    /// Returns a trait without implementations, and a `where` clause that requires this trait for
    /// the item. The lifetime in the clause delays the compiler's check until a program uses the
    /// method. Without the lifetime, the compiler would reject the method's definition.
    fn right(&self, right: &str, granted: bool, message: &str, help: &str) -> [TokenStream; 2] {
        if granted {
            return [TokenStream::new(), TokenStream::new()];
        }
        let name = &self.item.name;
        let right = Ident::new(right, name.span());
        let [message, label, note] = [
            message.to_owned(),
            help.to_owned(),
            format!(
                "the system file says\n{}",
                self.system.source.excerpt(self.span)
            ),
        ]
        .map(|text| text.replace('{', "{{").replace('}', "}}"));
        let condition = quote! {
            #[diagnostic::on_unimplemented(message = #message, label = #label, note = #note)]
            pub trait #right {}
        };
        [condition, quote!(where for<'never> &'never #name: #right)]
    }

    fn channel(&self, id: u8, notify: bool, call: bool, peer: &str) -> TokenStream {
        let name = &self.item.name;
        let pd = self.pd_name;
        let docs = format!("The channel from `{pd}` to `{peer}` ({}).", self.place());
        let [no_notify, may_notify] = self.right(
            "NotifyIsGranted",
            notify,
            &format!("`{pd}` may not notify `{peer}`"),
            "remove notify=\"false\" from its <end> in the system file",
        );
        let [no_call, may_call] = self.right(
            "CallIsGranted",
            call,
            &format!("`{pd}` may not call `{peer}`"),
            "add pp=\"true\" to its <end> in the system file",
        );
        let common = common(name, id);
        self.unit(
            &docs,
            &quote! {
                #no_notify
                #no_call
                #common

                impl #name {
                    /// Notifies the peer: see `Channel::notify`.
                    #[inline]
                    #[track_caller]
                    pub fn notify(self) #may_notify {
                        self.channel().notify();
                    }

                    /// Calls the peer's protected procedure: see `Channel::pp_call`.
                    #[inline]
                    #[track_caller]
                    pub fn pp_call(self, msg_info: runtime::MessageInfo) -> runtime::MessageInfo
                    #may_call
                    {
                        self.channel().pp_call(msg_info)
                    }

                    /// Calls the peer's protected procedure with up to four words in CPU registers:
                    /// see `Channel::pp_call_with_mrs`.
                    #[inline]
                    #[track_caller]
                    pub fn pp_call_with_mrs(
                        self,
                        msg_info: runtime::MessageInfo,
                        message: impl sel4::FastMessages,
                    ) -> (
                        runtime::MessageInfo,
                        [runtime::MessageRegisterValue; sel4::NUM_FAST_MESSAGE_REGISTERS],
                    )
                    #may_call
                    {
                        self.channel().pp_call_with_mrs(msg_info, message)
                    }
                }

                impl runtime::MayNotify for #name #may_notify {
                    #[inline]
                    fn to_notify(self) -> runtime::Channel {
                        self.channel()
                    }
                }

                impl runtime::MayCall for #name #may_call {
                    #[inline]
                    fn to_call(self) -> runtime::Channel {
                        self.channel()
                    }
                }
            },
        )
    }

    fn irq(&self, id: u8, number: u64) -> TokenStream {
        let name = &self.item.name;
        let docs = format!("Interrupt {number} ({}).", self.place());
        let common = common(name, id);
        self.unit(
            &docs,
            &quote! {
                #common

                impl #name {
                    /// Acknowledges the interrupt, which unmasks it: see `Channel::irq_ack`.
                    ///
                    /// # Errors
                    ///
                    /// Returns the errors of `Channel::irq_ack`.
                    #[track_caller]
                    pub fn irq_ack(self) -> ::core::result::Result<(), runtime::IrqAckError> {
                        self.channel().irq_ack()
                    }
                }
            },
        )
    }

    fn child(&self, id: u8) -> TokenStream {
        let Item {
            attributes,
            visibility,
            name,
            ..
        } = self.item;
        let id = usize::from(id);
        let docs = format!("A child of `{}` ({}).", self.pd_name, self.place());
        quote! {
            #(#attributes)*
            #[doc = #docs]
            #visibility const #name: ::microkit_system::_private::sel4_microkit::Child =
                ::microkit_system::_private::sel4_microkit::Child::new(#id);
        }
    }

    fn region(&self, bytes: u64, cached: bool, write: bool, symbols: [&String; 2]) -> TokenStream {
        let name = &self.item.name;
        let shown = name.to_string();
        let parsed = symbols.map(|symbol| syn::parse_str::<Ident>(symbol));
        let [Ok(vaddr), Ok(size)] = parsed else {
            return self.no_variable(&symbols.map(String::as_str));
        };
        let Ok(bytes) = usize::try_from(bytes) else {
            let message = "the region is larger than this machine's address space";
            return Error::new(name.span(), message).into_compile_error();
        };
        let docs = format!("A memory region of {bytes:#x} bytes ({}).", self.place());
        let [no_write, may_write] = self.right(
            "WriteIsGranted",
            write,
            &format!("`{}` may not write to this region", self.pd_name),
            "add `w` to `perms` of its <map> in the system file",
        );
        let view = if cached {
            quote! {
                /// Returns the words of the region. Other PDs may access the words at the same
                /// time.
                ///
                /// # Panics
                ///
                /// Panics if the region's size in the system file has changed since compile time.
                #[track_caller]
                pub fn words(self) -> ::microkit_system::Words<Self> {
                    let words =
                        runtime::shared_words!(#vaddr, #size, runtime::SharedWord);
                    ::microkit_system::_private::words(#shown, words)
                }
            }
        } else {
            quote!(::microkit_system::_registers! { #vaddr, #size, #may_write })
        };
        self.unit(
            &docs,
            &quote! {
                #no_write

                impl #name {
                    /// Returns the region's size in bytes.
                    pub const fn size_bytes(self) -> usize {
                        #bytes
                    }

                    #view
                }

                impl ::microkit_system::Region for #name {
                    const BYTES: usize = #bytes;
                }

                impl ::microkit_system::Writable for #name #may_write {}
            },
        )
    }
}

/// Generates the common methods of channels and interrupts.
fn common(name: &Ident, id: u8) -> TokenStream {
    let id = usize::from(id);
    quote! {
        impl #name {
            /// Returns the channel.
            #[inline]
            pub const fn channel(self) -> runtime::Channel {
                runtime::Channel::new(#id)
            }

            /// Returns whether the item's channel is in `channels`.
            #[inline]
            pub const fn is_in(self, channels: runtime::ChannelSet) -> bool {
                channels.contains(self.channel())
            }
        }

        impl ::core::cmp::PartialEq<#name> for runtime::Channel {
            #[inline]
            fn eq(&self, other: &#name) -> bool {
                *self == other.channel()
            }
        }
    }
}
