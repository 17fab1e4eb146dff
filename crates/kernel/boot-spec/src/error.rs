//! What can be wrong with a spec, and how it is said.

use core::fmt;

/// One thing that is wrong with a [`BootSpec`](crate::BootSpec).
///
/// A PD is named by its place in [`domains`](crate::BootSpec::domains), a channel, mapping,
/// interrupt, capability or segment by its place in its list.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
#[allow(
    missing_docs,
    reason = "the fields are places in lists and values found there"
)]
pub enum SpecError {
    /// There is no PD at all.
    NoDomains,
    /// There are more PDs than `MAX_PROTECTION_DOMAINS`.
    TooManyDomains { count: usize },
    /// A name is empty or longer than `NAME_BYTES`.
    Name { domain: usize },
    /// Two PDs have one name.
    DuplicateName { domain: usize, of: usize },
    /// A priority is above `MAX_PRIORITY`.
    Priority { domain: usize, priority: u8 },
    /// A budget is zero or longer than its period.
    Budget {
        domain: usize,
        budget_us: u64,
        period_us: u64,
    },
    /// What a thread needs to start is not mapped with the permissions that it needs.
    NotMapped {
        domain: usize,
        what: &'static str,
        vaddr: u64,
    },
    /// A parent is no PD that comes before its child.
    Parent { domain: usize, parent: u8 },
    /// A child identifier is above `MAX_CHANNEL_ID`.
    ChildId { domain: usize, id: u8 },
    /// Two children of one parent have one identifier.
    DuplicateChildId { domain: usize, of: usize },
    /// A PD receives calls or faults but has no endpoint.
    NoEndpoint { domain: usize },
    /// A mapping does not consist of whole pages.
    PageAlignment { domain: usize, mapping: usize },
    /// A mapping is empty, or leaves the virtual or physical address space.
    AddressRange { domain: usize, mapping: usize },
    /// A mapping cannot be read; seL4 makes of it pages that cannot be used at all.
    Permissions { domain: usize, mapping: usize },
    /// Two mappings of one PD share an address.
    Overlap {
        domain: usize,
        mapping: usize,
        with: usize,
    },
    /// A channel ends at a PD that is not there.
    ChannelDomain { channel: usize, domain: u8 },
    /// A channel joins a PD to itself.
    ChannelToItself { channel: usize },
    /// A channel or interrupt identifier is above `MAX_CHANNEL_ID`.
    ChannelId { domain: usize, id: u8 },
    /// Two channels or interrupts of one PD have one identifier.
    DuplicateChannelId { domain: usize, id: u8 },
    /// Both ends of a channel may call.
    CallsBothWays { channel: usize },
    /// An interrupt is handled twice.
    DuplicateIrq { number: u32 },
    /// A capability lies in a slot that is not for the `<cspace>`.
    CapSlot { domain: usize, slot: u8 },
    /// Two capabilities lie in one slot.
    DuplicateCapSlot { domain: usize, slot: u8 },
    /// A capability is to a PD that is not there.
    CapDomain { domain: usize, slot: u8, of: u8 },
    /// A segment is empty, or leaves physical memory or the image.
    SegmentRange { segment: usize },
    /// Two segments share an address.
    SegmentOverlap { segment: usize, with: usize },
}

impl fmt::Display for SpecError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::NoDomains => write!(f, "there is no protection domain"),
            Self::TooManyDomains { count } => write!(f, "{count} protection domains are too many"),
            Self::Name { domain } => write!(f, "PD {domain}: the name is empty or too long"),
            Self::DuplicateName { domain, of } => {
                write!(f, "PD {domain}: has the same name as PD {of}")
            }
            Self::Priority { domain, priority } => {
                write!(
                    f,
                    "PD {domain}: the priority {priority} is above the highest"
                )
            }
            Self::Budget {
                domain,
                budget_us,
                period_us,
            } => {
                write!(
                    f,
                    "PD {domain}: a budget of {budget_us} us in a period of {period_us} us"
                )
            }
            Self::NotMapped {
                domain,
                what,
                vaddr,
            } => {
                write!(
                    f,
                    "PD {domain}: the {what} at {vaddr:#x} is not mapped as it needs to be"
                )
            }
            Self::Parent { domain, parent } => {
                write!(
                    f,
                    "PD {domain}: its parent, PD {parent}, does not come before it"
                )
            }
            Self::ChildId { domain, id } => {
                write!(
                    f,
                    "PD {domain}: its identifier as a child, {id}, is too large"
                )
            }
            Self::DuplicateChildId { domain, of } => {
                write!(f, "PD {domain}: is to its parent the same child as PD {of}")
            }
            Self::NoEndpoint { domain } => {
                write!(
                    f,
                    "PD {domain}: is called or has a child, and has no endpoint"
                )
            }
            Self::PageAlignment { domain, mapping } => {
                write!(
                    f,
                    "PD {domain}, mapping {mapping}: is not made of whole pages"
                )
            }
            Self::AddressRange { domain, mapping } => {
                write!(
                    f,
                    "PD {domain}, mapping {mapping}: is empty or leaves the address space"
                )
            }
            Self::Permissions { domain, mapping } => {
                write!(f, "PD {domain}, mapping {mapping}: cannot be read")
            }
            Self::Overlap {
                domain,
                mapping,
                with,
            } => {
                write!(f, "PD {domain}, mapping {mapping}: overlaps mapping {with}")
            }
            Self::ChannelDomain { channel, domain } => {
                write!(f, "channel {channel}: there is no PD {domain}")
            }
            Self::ChannelToItself { channel } => {
                write!(f, "channel {channel}: both ends are of one PD")
            }
            Self::ChannelId { domain, id } => {
                write!(f, "PD {domain}: the channel identifier {id} is too large")
            }
            Self::DuplicateChannelId { domain, id } => {
                write!(f, "PD {domain}: the channel identifier {id} is there twice")
            }
            Self::CallsBothWays { channel } => {
                write!(f, "channel {channel}: each end may call the other")
            }
            Self::DuplicateIrq { number } => write!(f, "interrupt {number} has two handlers"),
            Self::CapSlot { domain, slot } => {
                write!(
                    f,
                    "PD {domain}: no capability may lie in slot {slot} of its root CNode"
                )
            }
            Self::DuplicateCapSlot { domain, slot } => {
                write!(
                    f,
                    "PD {domain}: two capabilities lie in slot {slot} of its root CNode"
                )
            }
            Self::CapDomain { domain, slot, of } => {
                write!(
                    f,
                    "PD {domain}: the capability in slot {slot} is of PD {of}, which is none"
                )
            }
            Self::SegmentRange { segment } => {
                write!(f, "segment {segment}: is empty or leaves physical memory")
            }
            Self::SegmentOverlap { segment, with } => {
                write!(f, "segment {segment}: overlaps segment {with}")
            }
        }
    }
}

impl core::error::Error for SpecError {}
