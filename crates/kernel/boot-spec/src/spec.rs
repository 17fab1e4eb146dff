//! The data types of a spec: [`BootSpec`] and its parts.

use crate::codec::{Codec, DecodeError, Reader, choice, record};
use alloc::string::String;
use alloc::vec::Vec;

/// The first bytes of an encoded spec. The version byte follows.
const MAGIC: &[u8; 7] = b"MKSPEC\0";

record! {
    /// A Microkit system.
    #[derive(Default)]
    pub struct BootSpec {
        /// The highest virtual address that a PD can use.
        pub user_top: u64,
        /// The protection domains. Other parts of the spec identify a PD by its index in this list.
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

    /// Decodes a spec from bytes that may be untrusted.
    ///
    /// A decoded spec can still contradict itself. Call [`validate`](Self::validate) to check the
    /// spec.
    ///
    /// # Errors
    ///
    /// Fails if the bytes are not exactly what [`encode`](Self::encode) returns for a spec.
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
        /// The priority, and also the highest priority that the PD may give to a thread.
        pub priority: u8,
        /// The time that the PD may run in each period, in microseconds.
        pub budget_us: u64,
        /// The period of the budget, in microseconds. If the period equals the budget, the PD is
        /// round robin.
        pub period_us: u64,
        /// Whether the PD gives up its scheduling context after its initialisation.
        pub passive: bool,
        /// Whether the PD may use the floating-point registers.
        pub fpu: bool,
        /// Whether the PD receives from an endpoint, because the PD is called or has children.
        pub needs_endpoint: bool,
        /// The address of the first instruction.
        pub entry: u64,
        /// The stack.
        pub stack: Stack,
        /// The virtual address of the IPC buffer.
        pub ipc_buffer: u64,
        /// The parent of the PD. The parent handles the PD's faults. Without a parent, the monitor
        /// handles the faults.
        pub parent: Option<Parent>,
        /// The mappings of the PD's address space, including IPC buffer and stack.
        pub mappings: Vec<Mapping>,
        /// The IRQs that the PD handles.
        pub irqs: Vec<Irq>,
        /// The capabilities of the PD's `<cspace>`.
        pub caps: Vec<UserCap>,
    }
}

record! {
    /// A stack. The stack pointer starts at the upper end.
    #[derive(Copy, Default)]
    pub struct Stack {
        /// The lowest address.
        pub bottom: u64,
        /// The size in bytes.
        pub bytes: u64,
    }
}

impl Stack {
    /// Returns the first address above the stack, or `None` if that address overflows.
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
    /// A mapping: a range of pages that is contiguous in virtual and in physical memory.
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
        /// Whether the memory is normal and cached. If not, the memory is uncached device memory.
        pub cached: bool,
        /// The size of the pages.
        pub page_size: PageSize,
    }
}

record! {
    /// Access rights of a mapping.
    #[derive(Copy, Default)]
    pub struct Perms {
        /// The memory may be read.
        pub read: bool,
        /// The memory may be written.
        pub write: bool,
        /// The memory may be executed.
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
        /// The channel identifier of the IRQ in the PD.
        pub id: u8,
        /// The number of the IRQ at the interrupt controller.
        pub number: u32,
        /// The trigger mode.
        pub trigger: Trigger,
    }
}

choice! {
    /// The trigger mode of an IRQ.
    pub enum Trigger {
        /// The IRQ is asserted while the line is active, until the device is served.
        Level = 0,
        /// An edge of the line asserts the IRQ.
        Edge = 1,
    }
}

record! {
    /// A capability of a PD's `<cspace>`.
    #[derive(Copy)]
    pub struct UserCap {
        /// The slot of the root CNode that holds the capability.
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
        /// Whether this PD may make protected procedure calls to the other end.
        pub pp: bool,
        /// Whether this PD may notify the other end.
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
