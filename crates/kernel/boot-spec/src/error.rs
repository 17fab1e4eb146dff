//! What can be wrong with a spec, and how it is said.

use thiserror::Error;

/// One thing that is wrong with a [`BootSpec`](crate::BootSpec).
///
/// A PD is named by its place in [`domains`](crate::BootSpec::domains), a channel, mapping,
/// interrupt, capability or segment by its place in its list.
#[derive(Debug, Copy, Clone, PartialEq, Eq, Error)]
#[allow(
    missing_docs,
    reason = "the fields are places in lists and values found there"
)]
pub enum SpecError {
    /// There is no PD at all.
    #[error("there is no protection domain")]
    NoDomains,
    /// There are more PDs than `MAX_PROTECTION_DOMAINS`.
    #[error("{count} protection domains are too many")]
    TooManyDomains { count: usize },
    /// A name is empty or longer than `NAME_BYTES`.
    #[error("PD {domain}: the name is empty or too long")]
    Name { domain: usize },
    /// Two PDs have one name.
    #[error("PD {domain}: has the same name as PD {of}")]
    DuplicateName { domain: usize, of: usize },
    /// A priority is above `MAX_PRIORITY`.
    #[error("PD {domain}: the priority {priority} is above the highest")]
    Priority { domain: usize, priority: u8 },
    /// A budget is zero or longer than its period.
    #[error("PD {domain}: a budget of {budget_us} us in a period of {period_us} us")]
    Budget {
        domain: usize,
        budget_us: u64,
        period_us: u64,
    },
    /// What a thread needs to start is not mapped with the permissions that it needs.
    #[error("PD {domain}: the {what} at {vaddr:#x} is not mapped as it needs to be")]
    NotMapped {
        domain: usize,
        what: &'static str,
        vaddr: u64,
    },
    /// A parent is no PD that comes before its child.
    #[error("PD {domain}: its parent, PD {parent}, does not come before it")]
    Parent { domain: usize, parent: u8 },
    /// A child identifier is above `MAX_CHANNEL_ID`.
    #[error("PD {domain}: its identifier as a child, {id}, is too large")]
    ChildId { domain: usize, id: u8 },
    /// Two children of one parent have one identifier.
    #[error("PD {domain}: is to its parent the same child as PD {of}")]
    DuplicateChildId { domain: usize, of: usize },
    /// A PD receives calls or faults but has no endpoint.
    #[error("PD {domain}: is called or has a child, and has no endpoint")]
    NoEndpoint { domain: usize },
    /// A mapping does not consist of whole pages.
    #[error("PD {domain}, mapping {mapping}: is not made of whole pages")]
    PageAlignment { domain: usize, mapping: usize },
    /// A mapping is empty, or leaves the virtual or physical address space.
    #[error("PD {domain}, mapping {mapping}: is empty or leaves the address space")]
    AddressRange { domain: usize, mapping: usize },
    /// A mapping cannot be read; seL4 makes of it pages that cannot be used at all.
    #[error("PD {domain}, mapping {mapping}: cannot be read")]
    Permissions { domain: usize, mapping: usize },
    /// Two mappings of one PD share an address.
    #[error("PD {domain}, mapping {mapping}: overlaps mapping {with}")]
    Overlap {
        domain: usize,
        mapping: usize,
        with: usize,
    },
    /// A channel ends at a PD that is not there.
    #[error("channel {channel}: there is no PD {domain}")]
    ChannelDomain { channel: usize, domain: u8 },
    /// A channel joins a PD to itself.
    #[error("channel {channel}: both ends are of one PD")]
    ChannelToItself { channel: usize },
    /// A channel or interrupt identifier is above `MAX_CHANNEL_ID`.
    #[error("PD {domain}: the channel identifier {id} is too large")]
    ChannelId { domain: usize, id: u8 },
    /// Two channels or interrupts of one PD have one identifier.
    #[error("PD {domain}: the channel identifier {id} is there twice")]
    DuplicateChannelId { domain: usize, id: u8 },
    /// Both ends of a channel may call.
    #[error("channel {channel}: each end may call the other")]
    CallsBothWays { channel: usize },
    /// An interrupt is handled twice.
    #[error("interrupt {number} has two handlers")]
    DuplicateIrq { number: u32 },
    /// A capability lies in a slot that is not for the `<cspace>`.
    #[error("PD {domain}: no capability may lie in slot {slot} of its root CNode")]
    CapSlot { domain: usize, slot: u8 },
    /// Two capabilities lie in one slot.
    #[error("PD {domain}: two capabilities lie in slot {slot} of its root CNode")]
    DuplicateCapSlot { domain: usize, slot: u8 },
    /// A capability is to a PD that is not there.
    #[error("PD {domain}: the capability in slot {slot} is of PD {of}, which is none")]
    CapDomain { domain: usize, slot: u8, of: u8 },
    /// A segment is empty, or leaves physical memory or the image.
    #[error("segment {segment}: is empty or leaves physical memory")]
    SegmentRange { segment: usize },
    /// Two segments share an address.
    #[error("segment {segment}: overlaps segment {with}")]
    SegmentOverlap { segment: usize, with: usize },
}
