//! The errors of a boot spec, and their messages.

/// An error in a [`BootSpec`](crate::BootSpec).
///
/// A PD is identified by its index in [`pds`](crate::BootSpec::pds). A channel, mapping, IRQ,
/// capability or segment is identified by its index in the list that contains it.
#[derive(Debug, Copy, Clone, PartialEq, Eq, thiserror::Error)]
#[allow(
    missing_docs,
    reason = "the fields are indices of lists and values found there"
)]
pub enum SpecError {
    /// The spec has no PD.
    #[error("there is no protection domain")]
    NoPds,
    /// The spec has more PDs than `MAX_PROTECTION_DOMAINS`.
    #[error("there are {count} protection domains, which is too many")]
    TooManyPds { count: usize },
    /// A name is empty or longer than `NAME_BYTES`.
    #[error("PD {pd_index}: the name is empty or too long")]
    Name { pd_index: usize },
    /// Two PDs have the same name.
    #[error("PD {pd_index}: has the same name as PD {of}")]
    DuplicateName { pd_index: usize, of: usize },
    /// A priority is above `MAX_PRIORITY`.
    #[error("PD {pd_index}: the priority {priority} is above the highest")]
    Priority { pd_index: usize, priority: u8 },
    /// A budget is zero or longer than its period.
    #[error(
        "PD {pd_index}: the budget of {budget_us} us is zero or longer than the period of {period_us} us"
    )]
    Budget {
        pd_index: usize,
        budget_us: u64,
        period_us: u64,
    },
    /// Memory that a thread needs to start is not mapped with the necessary access rights.
    #[error("PD {pd_index}: the {what} at {vaddr:#x} is not mapped with the rights that it needs")]
    NotMapped {
        pd_index: usize,
        what: &'static str,
        vaddr: u64,
    },
    /// The parent of a PD does not come before the PD in the list of PDs.
    #[error("PD {pd_index}: its parent, PD {parent}, does not come before it")]
    Parent { pd_index: usize, parent: u8 },
    /// A child identifier is above `MAX_CHANNEL_ID`.
    #[error("PD {pd_index}: its identifier as a child, {id}, is too large")]
    ChildId { pd_index: usize, id: u8 },
    /// Two children of one parent have the same identifier.
    #[error("PD {pd_index}: has the same child identifier as PD {of}")]
    DuplicateChildId { pd_index: usize, of: usize },
    /// A PD receives calls or faults but has no endpoint.
    #[error("PD {pd_index}: is called or has a child, but has no endpoint")]
    NoEndpoint { pd_index: usize },
    /// An address or the length of a mapping is not a multiple of the page size.
    #[error("PD {pd_index}, mapping {mapping}: does not consist of whole pages")]
    PageAlignment { pd_index: usize, mapping: usize },
    /// A mapping is empty, or extends beyond the virtual or physical address space.
    #[error("PD {pd_index}, mapping {mapping}: is empty or leaves the address space")]
    AddressRange { pd_index: usize, mapping: usize },
    /// A mapping is not readable. seL4 would map pages without any access right.
    #[error("PD {pd_index}, mapping {mapping}: is not readable")]
    Permissions { pd_index: usize, mapping: usize },
    /// Two mappings of one PD share an address.
    #[error("PD {pd_index}, mapping {mapping}: overlaps mapping {with}")]
    Overlap {
        pd_index: usize,
        mapping: usize,
        with: usize,
    },
    /// A channel ends at a PD that does not exist.
    #[error("channel {channel}: there is no PD {pd_index}")]
    ChannelPd { channel: usize, pd_index: u8 },
    /// A channel connects a PD with itself.
    #[error("channel {channel}: both ends are of one PD")]
    ChannelToItself { channel: usize },
    /// The identifier of a channel or an IRQ is above `MAX_CHANNEL_ID`.
    #[error("PD {pd_index}: the channel identifier {id} is too large")]
    ChannelId { pd_index: usize, id: u8 },
    /// Two channels or IRQs of one PD have the same identifier.
    #[error("PD {pd_index}: the channel identifier {id} is used twice")]
    DuplicateChannelId { pd_index: usize, id: u8 },
    /// Both ends of a channel may make protected procedure calls.
    #[error("channel {channel}: both ends may call")]
    CallsBothWays { channel: usize },
    /// Two PDs handle the same IRQ, or one PD handles an IRQ twice.
    #[error("IRQ {number} is handled twice")]
    DuplicateIrq { number: u32 },
    /// A `<cspace>` capability is in a slot that is not available to a `<cspace>`.
    #[error("PD {pd_index}: slot {slot} of its root CNode is not available")]
    CapSlot { pd_index: usize, slot: u8 },
    /// Two capabilities are in the same slot.
    #[error("PD {pd_index}: two capabilities are in slot {slot} of its root CNode")]
    DuplicateCapSlot { pd_index: usize, slot: u8 },
    /// A capability is for an object of a PD that does not exist.
    #[error("PD {pd_index}: the capability in slot {slot} is for PD {of}, which does not exist")]
    CapPd { pd_index: usize, slot: u8, of: u8 },
    /// A segment is empty, or extends beyond physical memory or the image.
    #[error("segment {segment}: is empty or leaves physical memory")]
    SegmentRange { segment: usize },
    /// Two segments share an address.
    #[error("segment {segment}: overlaps segment {with}")]
    SegmentOverlap { segment: usize, with: usize },
}
