//! Capability pointers, with the type of what they point to.

use core::fmt;
use core::hash::Hash;
use core::marker::PhantomData;

use crate::context::sealed::{Internal, Uses};
use crate::{CPtrBits, InvocationContext, IpcBufferToken, NoExplicitInvocationContext, WORD_SIZE};

/// A capability pointer that says what it points to.
///
/// `T` is a [`CapType`]; the invocations of that type are methods. `C` says which IPC buffer they
/// use: the implicit one, unless [`with`](Self::with) has named another.
///
/// It is only a number: making one grants nothing. But its safe methods rely on the type, so making
/// one is `unsafe` ([`from_bits`](Self::from_bits)). A safe program gets them from its runtime.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cap<T: CapType, C = NoExplicitInvocationContext> {
    cptr: CPtr,
    context: C,
    _type: PhantomData<T>,
}

impl<T: CapType> Cap<T> {
    /// Makes a typed capability pointer of an untyped one.
    ///
    /// # Safety
    ///
    /// As for [`from_bits`](Self::from_bits).
    pub const unsafe fn from_cptr(cptr: CPtr) -> Self {
        Self::new(cptr)
    }

    /// Makes a typed capability pointer of a number.
    ///
    /// # Safety
    ///
    /// As long as the value, or a copy of it, is used, the slot that the number leads to is empty,
    /// or holds a capability that meets these conditions:
    ///
    /// 1. It is of type `T`. If `T` answers invocations, any other type that does will do too: the
    ///    kernel decodes a label by the type of the object, and labels are one enumeration for all
    ///    types, so that a label of one type is an error at another.
    /// 2. If `T` is [`Endpoint`](cap_type::Endpoint), its receivers expect a message with any
    ///    label, words and capabilities, sent in any way.
    /// 3. If `T` is [`Reply`](cap_type::Reply), a reply with any label and words breaks no memory
    ///    of the thread that it holds whenever one is sent: a fault takes registers from its reply.
    ///
    /// An [`Unspecified`](cap_type::Unspecified) one has no condition: all of its methods are
    /// `unsafe` themselves.
    pub const unsafe fn from_bits(bits: CPtrBits) -> Self {
        Self::new(CPtr::from_bits(bits))
    }

    const fn new(cptr: CPtr) -> Self {
        Self {
            cptr,
            context: NoExplicitInvocationContext::new(),
            _type: PhantomData,
        }
    }
}

impl<T: CapType, C> Cap<T, C> {
    /// The pointer.
    pub const fn cptr(&self) -> CPtr {
        self.cptr
    }

    /// The pointer, as a number.
    pub const fn bits(&self) -> CPtrBits {
        self.cptr.bits()
    }

    /// Changes the type of the capability that it points to.
    ///
    /// # Safety
    ///
    /// As for [`from_bits`](Cap::from_bits), for `U`.
    pub unsafe fn cast<U: CapType>(self) -> Cap<U, C> {
        self.retype()
    }

    /// Forgets the type. Its methods are `unsafe` from then on.
    pub fn upcast(self) -> Cap<cap_type::Unspecified, C> {
        self.retype()
    }

    fn retype<U: CapType>(self) -> Cap<U, C> {
        Cap {
            cptr: self.cptr,
            context: self.context,
            _type: PhantomData,
        }
    }

    /// Names the IPC buffer to be used: `cap.with(&mut token)`.
    ///
    /// A call inside a view of that buffer does not compile:
    ///
    /// ```compile_fail,E0499
    /// fn inside(endpoint: sel4::cap::Endpoint, mut token: sel4::IpcBufferToken) {
    ///     token.with_mut(|buffer| {
    ///         buffer.msg_regs_mut()[0] = 1;
    ///         endpoint.with(&mut token).call(sel4::MessageInfo::new(0, 0, 0, 1));
    ///     });
    /// }
    /// ```
    pub fn with<D>(self, context: D) -> Cap<T, D> {
        Cap {
            cptr: self.cptr,
            context,
            _type: PhantomData,
        }
    }

    /// Goes back to the implicit IPC buffer.
    pub fn without_context(self) -> Cap<T> {
        Cap::new(self.cptr)
    }

    /// What says which IPC buffer is used.
    pub fn into_invocation_context(self) -> C {
        self.context
    }
}

impl<C> Cap<cap_type::Unspecified, C> {
    /// Says what it points to: a `T`.
    ///
    /// # Safety
    ///
    /// As for [`from_bits`](Cap::from_bits).
    pub unsafe fn downcast<T: CapType>(self) -> Cap<T, C> {
        self.retype()
    }
}

impl<T: CapType, C: InvocationContext> Cap<T, C> {
    /// Runs `call`, which makes system calls and no code of the user's, with the token.
    #[inline]
    #[track_caller]
    pub(crate) fn invoke<R>(self, call: impl FnOnce(CPtr, &mut IpcBufferToken) -> R) -> R {
        let cptr = self.cptr;
        self.context
            .with_token(Internal, Uses::Memory, |token| call(cptr, token))
    }

    /// As [`invoke`](Self::invoke), for a `call` that touches no word in memory.
    #[inline]
    #[track_caller]
    pub(crate) fn invoke_in_registers<R>(
        self,
        call: impl FnOnce(CPtr, &mut IpcBufferToken) -> R,
    ) -> R {
        let cptr = self.cptr;
        self.context
            .with_token(Internal, Uses::Registers, |token| call(cptr, token))
    }
}

impl<T: CapType, C> fmt::Debug for Cap<T, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple(T::NAME).field(&self.bits()).finish()
    }
}

/// A capability pointer that does not say what it points to.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CPtr {
    bits: CPtrBits,
}

impl CPtr {
    /// The number.
    pub const fn bits(self) -> CPtrBits {
        self.bits
    }

    /// Takes a number to be a capability pointer.
    pub const fn from_bits(bits: CPtrBits) -> Self {
        Self { bits }
    }

    /// Says what it points to: a `T`.
    ///
    /// # Safety
    ///
    /// As for [`Cap::from_bits`].
    pub const unsafe fn cast<T: CapType>(self) -> Cap<T> {
        Cap::new(self)
    }
}

/// A capability pointer and how many of its bits to resolve.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CPtrWithDepth {
    bits: CPtrBits,
    depth: usize,
}

impl CPtrWithDepth {
    /// Takes `depth` bits of `bits`.
    pub const fn from_bits_with_depth(bits: CPtrBits, depth: usize) -> Self {
        Self { bits, depth }
    }

    /// No bit at all.
    pub const fn empty() -> Self {
        Self::from_bits_with_depth(0, 0)
    }

    /// The number.
    pub const fn bits(&self) -> CPtrBits {
        self.bits
    }

    /// How many bits to resolve.
    pub const fn depth(&self) -> usize {
        self.depth
    }
}

impl From<CPtr> for CPtrWithDepth {
    fn from(cptr: CPtr) -> Self {
        Self::from_bits_with_depth(cptr.bits(), WORD_SIZE)
    }
}

/// A slot of a CSpace: a path, looked up from a CNode. Its methods are the CNode invocations.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct AbsoluteCPtr<C = NoExplicitInvocationContext> {
    root: cap::CNode<C>,
    path: CPtrWithDepth,
}

impl<C> AbsoluteCPtr<C> {
    /// The slot that `path` reaches from `root`.
    pub const fn new(root: cap::CNode<C>, path: CPtrWithDepth) -> Self {
        Self { root, path }
    }

    /// Where the look-up begins.
    pub const fn root(&self) -> &cap::CNode<C> {
        &self.root
    }

    /// Where the look-up begins.
    pub fn into_root(self) -> cap::CNode<C> {
        self.root
    }

    /// The path.
    pub const fn path(&self) -> &CPtrWithDepth {
        &self.path
    }

    /// Names the IPC buffer to be used, as [`Cap::with`].
    pub fn with<D>(self, context: D) -> AbsoluteCPtr<D> {
        AbsoluteCPtr {
            root: self.root.with(context),
            path: self.path,
        }
    }

    /// Goes back to the implicit IPC buffer.
    pub fn without_context(self) -> AbsoluteCPtr {
        AbsoluteCPtr {
            root: self.root.without_context(),
            path: self.path,
        }
    }
}

/// What names a slot by a number of bits.
pub trait HasCPtrWithDepth {
    /// The bits and how many of them to resolve.
    fn cptr_with_depth(self) -> CPtrWithDepth;
}

impl HasCPtrWithDepth for CPtr {
    fn cptr_with_depth(self) -> CPtrWithDepth {
        self.into()
    }
}

impl<T: CapType, C> HasCPtrWithDepth for Cap<T, C> {
    fn cptr_with_depth(self) -> CPtrWithDepth {
        self.cptr().into()
    }
}

impl HasCPtrWithDepth for CPtrWithDepth {
    fn cptr_with_depth(self) -> CPtrWithDepth {
        self
    }
}

impl<C> cap::CNode<C> {
    /// The slot that `path` reaches from this CNode.
    pub fn absolute_cptr<P: HasCPtrWithDepth>(self, path: P) -> AbsoluteCPtr<C> {
        AbsoluteCPtr::new(self, path.cptr_with_depth())
    }

    /// The slot that `depth` bits of `bits` reach from this CNode.
    pub fn absolute_cptr_from_bits_with_depth(
        self,
        bits: CPtrBits,
        depth: usize,
    ) -> AbsoluteCPtr<C> {
        self.absolute_cptr(CPtrWithDepth::from_bits_with_depth(bits, depth))
    }

    /// The slot that this CNode itself is in.
    pub fn absolute_cptr_for_self(self) -> AbsoluteCPtr<C> {
        self.absolute_cptr(CPtrWithDepth::empty())
    }
}

/// What a capability is to: a marker for [`Cap`].
pub trait CapType: Copy + Clone + Eq + PartialEq + Ord + PartialOrd + Hash {
    /// Its name in messages.
    const NAME: &'static str;
}

macro_rules! cap_types {
    { $($(#[$doc:meta])* $name:ident,)* } => {
        /// What a capability is to: markers for [`Cap`].
        pub mod cap_type {
            $(
                $(#[$doc])*
                #[derive(Debug, Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
                pub struct $name;

                impl crate::CapType for $name {
                    const NAME: &'static str = stringify!($name);
                }
            )*
        }

        /// [`Cap`] by type.
        pub mod cap {
            use crate::{Cap, NoExplicitInvocationContext, cap_type};
            $(
                $(#[$doc])*
                pub type $name<C = NoExplicitInvocationContext> = Cap<cap_type::$name, C>;
            )*
        }
    };
}

cap_types! {
    /// Where messages are sent and received.
    Endpoint,
    /// Where signals gather.
    Notification,
    /// Holds a caller until it is replied to.
    Reply,
    /// A thread.
    Tcb,
    /// A right to run: budget and period.
    SchedContext,
    /// A table of capabilities.
    CNode,
    /// An address space.
    VSpace,
    /// A page.
    Granule,
    /// An interrupt.
    IrqHandler,
    /// A virtual CPU.
    VCpu,
    /// The authority to make SMC calls.
    Smc,
    /// No capability.
    Null,
    /// Any capability.
    Unspecified,
}
