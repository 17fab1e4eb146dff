//! The data itself: [`BootSpec`] and everything in it.

use crate::codec::{Codec, DecodeError, Reader, choice, record};
use alloc::string::String;
use alloc::vec::Vec;

/// What an encoded spec begins with; the version follows.
const MAGIC: &[u8; 7] = b"MKSPEC\0";

record! {
    /// A whole system.
    #[derive(Default)]
    pub struct BootSpec {
        /// The last address that a PD may use.
        pub user_top: u64,
        /// The protection domains; others name them by their place in this list.
        pub domains: Vec<ProtectionDomain>,
        /// Who may notify and call whom.
        pub channels: Vec<Channel>,
        /// What the memory holds at boot; all other memory is zero.
        pub segments: Vec<Segment>,
    }
}

impl BootSpec {
    /// The encoding of this spec.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::from(MAGIC);
        out.push(crate::VERSION);
        self.put(&mut out);
        out
    }

    /// Reads an encoded spec, which may come from anywhere.
    ///
    /// That it decodes does not make it a system; ask [`validate`](Self::validate).
    ///
    /// **Errors:** every byte string that [`encode`](Self::encode) cannot return.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut input = Reader::new(bytes);
        if input.bytes(MAGIC.len()) != Ok(MAGIC) {
            return Err(DecodeError::NotASpec);
        }
        let version = input.byte()?;
        if version != crate::VERSION {
            return Err(DecodeError::Version(version));
        }
        let spec = Self::take(&mut input)?;
        match input.remaining() {
            0 => Ok(spec),
            count => Err(DecodeError::TrailingBytes { count }),
        }
    }
}

record! {
    /// A protection domain: one thread, its address space and its scheduling context.
    #[derive(Default)]
    pub struct ProtectionDomain {
        /// Its name, which no other PD has.
        pub name: String,
        /// Its priority; also the highest that it may give to others.
        pub priority: u8,
        /// How long it may run in each period, in microseconds.
        pub budget_us: u64,
        /// How often its budget comes back, in microseconds. Equal to the budget: round robin.
        pub period_us: u64,
        /// It gives up its scheduling context once it is initialised.
        pub passive: bool,
        /// It may use the floating-point registers.
        pub fpu: bool,
        /// Something calls it or it has children, so that it receives on an endpoint.
        pub needs_endpoint: bool,
        /// Address of its first instruction.
        pub entry: u64,
        /// Its stack.
        pub stack: Stack,
        /// Address of its IPC buffer.
        pub ipc_buffer: u64,
        /// Who handles its faults, if not the monitor.
        pub parent: Option<Parent>,
        /// What is mapped in its address space, IPC buffer and stack among it.
        pub mappings: Vec<Mapping>,
        /// The interrupts that it handles.
        pub irqs: Vec<Irq>,
        /// The capabilities that its `<cspace>` asks for.
        pub caps: Vec<UserCap>,
    }
}

record! {
    /// Where a stack lies. The stack pointer starts at its upper end.
    #[derive(Copy, Default)]
    pub struct Stack {
        /// Its lowest address.
        pub bottom: u64,
        /// Its size in bytes.
        pub bytes: u64,
    }
}

impl Stack {
    /// The first address above the stack, or `None` if it reaches beyond the last address.
    pub fn top(&self) -> Option<u64> {
        self.bottom.checked_add(self.bytes)
    }
}

record! {
    /// The parent of a PD.
    #[derive(Copy)]
    pub struct Parent {
        /// Which PD it is.
        pub domain: u8,
        /// What it calls this child.
        pub child_id: u8,
    }
}

record! {
    /// A range of pages in an address space, contiguous in physical memory too.
    #[derive(Copy)]
    pub struct Mapping {
        /// Its first virtual address.
        pub vaddr: u64,
        /// Its first physical address.
        pub paddr: u64,
        /// Its length in bytes.
        pub bytes: u64,
        /// What the PD may do with it.
        pub perms: Perms,
        /// Whether it is cached, or uncached device memory.
        pub cached: bool,
        /// The size of its pages.
        pub page_size: PageSize,
    }
}

record! {
    /// What a PD may do with a mapping.
    #[derive(Copy, Default)]
    pub struct Perms {
        /// Read it.
        pub read: bool,
        /// Write it.
        pub write: bool,
        /// Execute it.
        pub execute: bool,
    }
}

choice! {
    /// The size of a page.
    pub enum PageSize {
        /// [`SMALL_PAGE_BYTES`](microkit_abi::limits::SMALL_PAGE_BYTES).
        Small = 0,
        /// [`LARGE_PAGE_BYTES`](microkit_abi::limits::LARGE_PAGE_BYTES).
        Large = 1,
    }
}

impl PageSize {
    /// The size in bytes.
    pub const fn bytes(self) -> u64 {
        match self {
            Self::Small => microkit_abi::limits::SMALL_PAGE_BYTES,
            Self::Large => microkit_abi::limits::LARGE_PAGE_BYTES,
        }
    }
}

record! {
    /// An interrupt that a PD handles.
    #[derive(Copy)]
    pub struct Irq {
        /// The identifier by which the PD knows it.
        pub id: u8,
        /// Its number at the interrupt controller.
        pub number: u32,
        /// How it is signalled.
        pub trigger: Trigger,
    }
}

choice! {
    /// How a device signals an interrupt.
    pub enum Trigger {
        /// By holding the line for as long as it wants attention.
        Level = 0,
        /// By a change of the line.
        Edge = 1,
    }
}

record! {
    /// A capability that a PD's `<cspace>` asks for.
    #[derive(Copy)]
    pub struct UserCap {
        /// The slot of the root CNode in which it lies.
        pub slot: u8,
        /// What it is a capability to.
        pub kind: UserCapKind,
        /// Whose it is.
        pub domain: u8,
    }
}

choice! {
    /// What a capability of a `<cspace>` is to (`cap_tcb`, `cap_sc` and `cap_vspace` in a system
    /// file).
    pub enum UserCapKind {
        /// The PD's thread.
        Tcb = 0,
        /// The PD's scheduling context.
        SchedContext = 1,
        /// The PD's address space.
        VSpace = 2,
    }
}

record! {
    /// A channel between two PDs.
    #[derive(Copy)]
    pub struct Channel {
        /// Its two ends.
        pub ends: [ChannelEnd; 2],
    }
}

record! {
    /// One PD's end of a channel.
    #[derive(Copy)]
    pub struct ChannelEnd {
        /// Which PD.
        pub domain: u8,
        /// The identifier by which that PD knows the channel.
        pub id: u8,
        /// It may make protected procedure calls to the other end.
        pub pp: bool,
        /// It may notify the other end.
        pub notify: bool,
    }
}

record! {
    /// Bytes that lie in memory at boot.
    #[derive(Copy)]
    pub struct Segment {
        /// Where in physical memory they belong.
        pub paddr: u64,
        /// How many they are.
        pub bytes: u64,
        /// Where in the boot image they are.
        pub image_offset: u64,
    }
}
