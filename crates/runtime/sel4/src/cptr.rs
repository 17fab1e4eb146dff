//! Typed and untyped capability pointers.

use core::fmt;
use core::hash::Hash;
use core::marker::PhantomData;

use crate::context::sealed::{Internal, Uses};
use crate::{CPtrBits, InvocationContext, IpcBufferToken, NoExplicitInvocationContext, WORD_SIZE};

/// A capability pointer with the type of the object that it points to.
///
/// `T` is a [`CapType`]. The methods are the invocations of that type. `C` selects the IPC buffer
/// for these invocations. The default is the implicit buffer, and [`with`](Self::with) selects
/// another buffer.
///
/// A capability pointer is only a number, so creating a `Cap` does not grant authority. The safe
/// methods rely on the type, so creating a `Cap` is `unsafe` ([`from_bits`](Self::from_bits)). Safe
/// programs get their capability pointers from the runtime.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cap<T: CapType, C = NoExplicitInvocationContext> {
    cptr: CPtr,
    context: C,
    _type: PhantomData<T>,
}

impl<T: CapType> Cap<T> {
    /// Creates a typed capability pointer from an untyped one.
    ///
    /// # Safety
    ///
    /// The conditions of [`from_bits`](Self::from_bits) must hold.
    pub const unsafe fn from_cptr(cptr: CPtr) -> Self {
        Self::new(cptr)
    }

    /// Creates a typed capability pointer from a number.
    ///
    /// # Safety
    ///
    /// While any copy of the `Cap` is in use, the slot at `bits` must be empty, or must hold a
    /// capability that meets these conditions:
    ///
    /// 1. The capability is of type `T`. If objects of type `T` answer invocations, the capability
    ///    may also be of another type that answers invocations. The kernel decodes a label by the
    ///    type of the object. Labels of all types are distinct, so an object rejects the labels of
    ///    another type.
    /// 2. If `T` is [`Endpoint`](cap_type::Endpoint), the receivers at the endpoint expect messages
    ///    with any label, words and capabilities, sent by any system call.
    /// 3. If `T` is [`Reply`](cap_type::Reply), a reply with any label and words must not violate
    ///    the memory safety of the thread that the reply object holds. A faulted thread takes
    ///    register values from the reply.
    ///
    /// [`Unspecified`](cap_type::Unspecified) has no conditions, because its message passing is
    /// `unsafe`.
    ///
    /// # Examples
    ///
    /// ```
    /// // SAFETY: Microkit's builder puts the TCB of child 0 into slot 202, or nothing.
    /// let child = unsafe { sel4::cap::Tcb::from_bits(202) };
    /// assert_eq!(child.bits(), 202);
    /// ```
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
    /// Returns the untyped pointer.
    pub const fn cptr(&self) -> CPtr {
        self.cptr
    }

    /// Returns the pointer as a number.
    pub const fn bits(&self) -> CPtrBits {
        self.cptr.bits()
    }

    /// Changes the type of the capability pointer to `U`.
    ///
    /// # Safety
    ///
    /// The conditions of [`from_bits`](Cap::from_bits) must hold for type `U`.
    pub unsafe fn cast<U: CapType>(self) -> Cap<U, C> {
        self.retype()
    }

    /// Removes the type. Message passing through the result is `unsafe`.
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

    /// Selects the IPC buffer for calls through this capability, as in `cap.with(&mut token)`.
    ///
    /// ```
    /// fn ask(server: sel4::cap::Endpoint, token: &mut sel4::IpcBufferToken) -> u64 {
    ///     let info = sel4::MessageInfo::new(0, 0, 0, 1);
    ///     server.with(token).call_with_mrs(info, [7]).msg[0]
    /// }
    /// ```
    ///
    /// A call inside a view of the selected buffer does not compile:
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

    /// Selects the implicit IPC buffer.
    pub fn without_context(self) -> Cap<T> {
        Cap::new(self.cptr)
    }

    /// Returns the context, which selects the IPC buffer.
    pub fn into_invocation_context(self) -> C {
        self.context
    }
}

impl<C> Cap<cap_type::Unspecified, C> {
    /// Changes the type of the capability pointer to `T`.
    ///
    /// # Safety
    ///
    /// The conditions of [`from_bits`](Cap::from_bits) must hold.
    pub unsafe fn downcast<T: CapType>(self) -> Cap<T, C> {
        self.retype()
    }
}

impl<T: CapType, C: InvocationContext> Cap<T, C> {
    /// Runs `call` with the token. `call` makes system calls and must not run user code.
    #[inline]
    #[track_caller]
    pub(crate) fn invoke<R>(self, call: impl FnOnce(CPtr, &mut IpcBufferToken) -> R) -> R {
        let cptr = self.cptr;
        self.context
            .with_token(Internal, Uses::Memory, |token| call(cptr, token))
    }

    /// Runs `call` as [`invoke`](Self::invoke) does. `call` must not touch the buffer in memory.
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

/// A capability pointer without a type.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CPtr {
    bits: CPtrBits,
}

impl CPtr {
    /// Returns the pointer as a number.
    pub const fn bits(self) -> CPtrBits {
        self.bits
    }

    /// Creates a capability pointer from a number.
    pub const fn from_bits(bits: CPtrBits) -> Self {
        Self { bits }
    }

    /// Changes the type of the capability pointer to `T`.
    ///
    /// # Safety
    ///
    /// The conditions of [`Cap::from_bits`] must hold.
    pub const unsafe fn cast<T: CapType>(self) -> Cap<T> {
        Cap::new(self)
    }
}

/// A capability pointer with its depth, the number of bits to resolve.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CPtrWithDepth {
    bits: CPtrBits,
    depth: usize,
}

impl CPtrWithDepth {
    /// Creates a capability pointer with a depth of `depth` bits.
    pub const fn from_bits_with_depth(bits: CPtrBits, depth: usize) -> Self {
        Self { bits, depth }
    }

    /// Creates an empty capability pointer, of depth 0.
    pub const fn empty() -> Self {
        Self::from_bits_with_depth(0, 0)
    }

    /// Returns the pointer as a number.
    pub const fn bits(&self) -> CPtrBits {
        self.bits
    }

    /// Returns the number of bits to resolve.
    pub const fn depth(&self) -> usize {
        self.depth
    }
}

impl From<CPtr> for CPtrWithDepth {
    fn from(cptr: CPtr) -> Self {
        Self::from_bits_with_depth(cptr.bits(), WORD_SIZE)
    }
}

/// A slot of a CSpace, given by a root CNode and a path. The methods are the CNode invocations.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct AbsoluteCPtr<C = NoExplicitInvocationContext> {
    root: cap::CNode<C>,
    path: CPtrWithDepth,
}

impl<C> AbsoluteCPtr<C> {
    /// Creates a pointer to the slot at `path`, starting from `root`.
    pub const fn new(root: cap::CNode<C>, path: CPtrWithDepth) -> Self {
        Self { root, path }
    }

    /// Returns the CNode where the lookup starts.
    pub const fn root(&self) -> &cap::CNode<C> {
        &self.root
    }

    /// Returns the CNode where the lookup starts, with the context.
    pub fn into_root(self) -> cap::CNode<C> {
        self.root
    }

    /// Returns the path from the root to the slot.
    pub const fn path(&self) -> &CPtrWithDepth {
        &self.path
    }

    /// Selects the IPC buffer that calls use, as [`Cap::with`] does.
    pub fn with<D>(self, context: D) -> AbsoluteCPtr<D> {
        AbsoluteCPtr {
            root: self.root.with(context),
            path: self.path,
        }
    }

    /// Selects the implicit IPC buffer.
    pub fn without_context(self) -> AbsoluteCPtr {
        AbsoluteCPtr {
            root: self.root.without_context(),
            path: self.path,
        }
    }
}

/// A type that converts to a [`CPtrWithDepth`].
pub trait HasCPtrWithDepth {
    /// Returns the capability pointer and its depth.
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
    /// Returns a pointer to the slot at `path`, starting from this CNode.
    ///
    /// ```
    /// fn slot(root: sel4::cap::CNode, index: u64) -> sel4::AbsoluteCPtr {
    ///     root.absolute_cptr(sel4::CPtrWithDepth::from_bits_with_depth(index, 6))
    /// }
    /// ```
    pub fn absolute_cptr<P: HasCPtrWithDepth>(self, path: P) -> AbsoluteCPtr<C> {
        AbsoluteCPtr::new(self, path.cptr_with_depth())
    }

    /// Returns a pointer to the slot at the path `bits` of depth `depth`, starting from this CNode.
    pub fn absolute_cptr_from_bits_with_depth(
        self,
        bits: CPtrBits,
        depth: usize,
    ) -> AbsoluteCPtr<C> {
        self.absolute_cptr(CPtrWithDepth::from_bits_with_depth(bits, depth))
    }

    /// Returns a pointer to this CNode itself, with a path of depth 0.
    pub fn absolute_cptr_for_self(self) -> AbsoluteCPtr<C> {
        self.absolute_cptr(CPtrWithDepth::empty())
    }
}

/// A marker for [`Cap`] that names the type of an object.
pub trait CapType: Copy + Clone + Eq + PartialEq + Ord + PartialOrd + Hash {
    /// The name of the type, for debug output.
    const NAME: &'static str;
}

macro_rules! cap_types {
    { $($(#[$doc:meta])* $name:ident,)* } => {
        /// Markers for [`Cap`], one for each type of object.
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

        /// Aliases of [`Cap`], one for each type of object.
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
    /// An endpoint for sending and receiving messages.
    Endpoint,
    /// A notification, which collects signals.
    Notification,
    /// A reply object, which holds a caller until the reply.
    Reply,
    /// A thread control block (TCB).
    Tcb,
    /// A scheduling context: a budget and a period.
    SchedContext,
    /// A CNode: a table of capabilities.
    CNode,
    /// A VSpace: an address space.
    VSpace,
    /// A page of memory.
    Granule,
    /// An IRQ handler.
    IrqHandler,
    /// A virtual CPU.
    VCpu,
    /// The authority to make SMC calls.
    Smc,
    /// An empty slot.
    Null,
    /// A capability of any type.
    Unspecified,
}
