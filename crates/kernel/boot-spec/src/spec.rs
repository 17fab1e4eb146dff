//! The data: [`BootSpec`] and its parts.

use crate::codec::{Codec, DecodeError, Reader, choice, record};
use alloc::string::String;
use alloc::vec::Vec;

/// The first bytes of an encoded spec. The version follows.
const MAGIC: &[u8; 7] = b"MKSPEC\0";

record! {
    /// A Microkit system.
    #[derive(Default)]
    pub struct BootSpec {
        /// The last address that a PD can use.
        pub user_top: u64,
        /// The protection domains. Other parts name them by their index in this list.
        pub pds: Vec<ProtectionDomain>,
        /// The channels between PDs.
        pub channels: Vec<Channel>,
        /// The initial contents of memory. All other memory is zero.
        pub segments: Vec<Segment>,
    }
}

impl BootSpec {
    /// Encodes the spec.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::from(MAGIC);
        out.push(crate::VERSION);
        self.put(&mut out);
        out
    }

    /// Decodes a spec. The bytes need not be trusted.
    ///
    /// A spec that decodes can still contradict itself: call [`validate`](Self::validate).
    ///
    /// # Errors
    ///
    /// Fails for every byte string that [`encode`](Self::encode) cannot return.
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
        /// The name, which is unique.
        pub name: String,
        /// The priority, which is also the highest that it may give to a thread.
        pub priority: u8,
        /// The time that it may run in each period, in microseconds.
        pub budget_us: u64,
        /// The period of the budget, in microseconds. If equal to the budget: round robin.
        pub period_us: u64,
        /// It gives up its scheduling context after its initialisation.
        pub passive: bool,
        /// It may use the floating-point registers.
        pub fpu: bool,
        /// It receives from an endpoint, because it is called or has children.
        pub needs_endpoint: bool,
        /// The address of the first instruction.
        pub entry: u64,
        /// The stack.
        pub stack: Stack,
        /// The address of the IPC buffer.
        pub ipc_buffer: u64,
        /// The PD that handles its faults. Without one, the monitor does.
        pub parent: Option<Parent>,
        /// The mappings of its address space, including IPC buffer and stack.
        pub mappings: Vec<Mapping>,
        /// The IRQs that it handles.
        pub irqs: Vec<Irq>,
        /// The capabilities of its `<cspace>`.
        pub caps: Vec<UserCap>,
    }
}

record! {
    /// A stack. The stack pointer starts at the upper end.
    #[derive(Copy, Default)]
    pub struct Stack {
        /// The lowest address.
        pub bottom: u64,
        /// Returns the size in bytes.
        pub bytes: u64,
    }
}

impl Stack {
    /// Returns the first address above the stack, or `None` if the stack does not fit below the
    /// largest address.
    pub fn top(&self) -> Option<u64> {
        self.bottom.checked_add(self.bytes)
    }
}

record! {
    /// The parent of a PD.
    #[derive(Copy)]
    pub struct Parent {
        /// The index of the parent.
        pub pd_index: u8,
        /// The identifier of this child in the parent.
        pub child_id: u8,
    }
}

record! {
    /// A range of pages in an address space that is also contiguous in physical memory.
    #[derive(Copy)]
    pub struct Mapping {
        /// The first virtual address.
        pub vaddr: u64,
        /// The first physical address.
        pub paddr: u64,
        /// The length in bytes.
        pub bytes: u64,
        /// The access rights.
        pub perms: Perms,
        /// Whether it is normal cached memory. Otherwise it is uncached device memory.
        pub cached: bool,
        /// The size of the pages.
        pub page_size: PageSize,
    }
}

record! {
    /// Access rights of a mapping.
    #[derive(Copy, Default)]
    pub struct Perms {
        /// May be read.
        pub read: bool,
        /// May be written.
        pub write: bool,
        /// May be executed.
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
    /// Returns the size in bytes.
    pub const fn bytes(self) -> u64 {
        match self {
            Self::Small => microkit_abi::limits::SMALL_PAGE_BYTES,
            Self::Large => microkit_abi::limits::LARGE_PAGE_BYTES,
        }
    }
}

record! {
    /// An IRQ that a PD handles.
    #[derive(Copy)]
    pub struct Irq {
        /// The channel identifier that the PD uses for it.
        pub id: u8,
        /// The number at the interrupt controller.
        pub number: u32,
        /// The trigger mode.
        pub trigger: Trigger,
    }
}

choice! {
    /// How a device asserts an IRQ.
    pub enum Trigger {
        /// By the level of the line, until the device is served.
        Level = 0,
        /// By an edge of the line.
        Edge = 1,
    }
}

record! {
    /// A capability of a PD's `<cspace>`.
    #[derive(Copy)]
    pub struct UserCap {
        /// The slot of the root CNode that holds it.
        pub slot: u8,
        /// The kind of object.
        pub kind: UserCapKind,
        /// The index of the PD that the object belongs to.
        pub pd_index: u8,
    }
}

choice! {
    /// The kind of object of a `<cspace>` capability (`cap_tcb`, `cap_sc` and `cap_vspace` in a
    /// system file).
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
        /// The two ends.
        pub ends: [ChannelEnd; 2],
    }
}

record! {
    /// One PD's end of a channel.
    #[derive(Copy)]
    pub struct ChannelEnd {
        /// The index of the PD.
        pub pd_index: u8,
        /// The identifier of the channel in that PD.
        pub id: u8,
        /// It may make protected procedure calls to the other end.
        pub pp: bool,
        /// It may notify the other end.
        pub notify: bool,
    }
}

record! {
    /// A range of memory with initial contents.
    #[derive(Copy)]
    pub struct Segment {
        /// The first physical address.
        pub paddr: u64,
        /// The length in bytes.
        pub bytes: u64,
        /// The offset of the contents in the boot image.
        pub image_offset: u64,
    }
}
