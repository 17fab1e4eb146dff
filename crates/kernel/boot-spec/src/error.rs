//! The errors of a spec, and their messages.

use core::fmt;

/// An error in a [`BootSpec`](crate::BootSpec).
///
/// A PD is named by its index in [`pds`](crate::BootSpec::pds); a channel, mapping, IRQ,
/// capability or segment by its index in its list.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
#[allow(
    missing_docs,
    reason = "the fields are indices of lists and values found there"
)]
pub enum SpecError {
    /// There is no PD.
    NoDomains,
    /// There are more PDs than `MAX_PROTECTION_DOMAINS`.
    TooManyDomains { count: usize },
    /// A name is empty or longer than `NAME_BYTES`.
    Name { domain: usize },
    /// Two PDs have the same name.
    DuplicateName { domain: usize, of: usize },
    /// A priority is above `MAX_PRIORITY`.
    Priority { domain: usize, priority: u8 },
    /// A budget is zero or longer than its period.
    Budget {
        domain: usize,
        budget_us: u64,
        period_us: u64,
    },
    /// Memory that a thread needs to start is not mapped with the necessary access rights.
    NotMapped {
        domain: usize,
        what: &'static str,
        vaddr: u64,
    },
    /// A parent is not a PD in front of its child.
    Parent { domain: usize, parent: u8 },
    /// A child identifier is above `MAX_CHANNEL_ID`.
    ChildId { domain: usize, id: u8 },
    /// Two children of one parent have the same identifier.
    DuplicateChildId { domain: usize, of: usize },
    /// A PD receives calls or faults but has no endpoint.
    NoEndpoint { domain: usize },
    /// A mapping does not consist of whole pages.
    PageAlignment { domain: usize, mapping: usize },
    /// A mapping is empty, or leaves the virtual or physical address space.
    AddressRange { domain: usize, mapping: usize },
    /// A mapping is not readable. seL4 would map pages without any access right.
    Permissions { domain: usize, mapping: usize },
    /// Two mappings of one PD share an address.
    Overlap {
        domain: usize,
        mapping: usize,
        with: usize,
    },
    /// A channel ends at a PD that does not exist.
    ChannelDomain { channel: usize, domain: u8 },
    /// A channel connects a PD with itself.
    ChannelToItself { channel: usize },
    /// A channel identifier, possibly of an IRQ, is above `MAX_CHANNEL_ID`.
    ChannelId { domain: usize, id: u8 },
    /// Two channels or IRQs of one PD have the same identifier.
    DuplicateChannelId { domain: usize, id: u8 },
    /// Both ends of a channel may call.
    CallsBothWays { channel: usize },
    /// Two PDs handle the same IRQ, or one handles it twice.
    DuplicateIrq { number: u32 },
    /// A capability is in a slot that is not available to a `<cspace>`.
    CapSlot { domain: usize, slot: u8 },
    /// Two capabilities are in the same slot.
    DuplicateCapSlot { domain: usize, slot: u8 },
    /// A capability is for an object of a PD that does not exist.
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
            Self::TooManyDomains { count } => {
                write!(f, "there are {count} protection domains, which is too many")
            }
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
                    "PD {domain}: the budget of {budget_us} us is zero or longer than the period of \
                     {period_us} us"
                )
            }
            Self::NotMapped {
                domain,
                what,
                vaddr,
            } => {
                write!(
                    f,
                    "PD {domain}: the {what} at {vaddr:#x} is not mapped with the rights that it \
                     needs"
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
                write!(f, "PD {domain}: has the same child identifier as PD {of}")
            }
            Self::NoEndpoint { domain } => {
                write!(
                    f,
                    "PD {domain}: is called or has a child, but has no endpoint"
                )
            }
            Self::PageAlignment { domain, mapping } => {
                write!(
                    f,
                    "PD {domain}, mapping {mapping}: does not consist of whole pages"
                )
            }
            Self::AddressRange { domain, mapping } => {
                write!(
                    f,
                    "PD {domain}, mapping {mapping}: is empty or leaves the address space"
                )
            }
            Self::Permissions { domain, mapping } => {
                write!(f, "PD {domain}, mapping {mapping}: is not readable")
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
                write!(f, "PD {domain}: the channel identifier {id} is used twice")
            }
            Self::CallsBothWays { channel } => {
                write!(f, "channel {channel}: both ends may call")
            }
            Self::DuplicateIrq { number } => write!(f, "IRQ {number} is handled twice"),
            Self::CapSlot { domain, slot } => {
                write!(
                    f,
                    "PD {domain}: slot {slot} of its root CNode is not available"
                )
            }
            Self::DuplicateCapSlot { domain, slot } => {
                write!(
                    f,
                    "PD {domain}: two capabilities are in slot {slot} of its root CNode"
                )
            }
            Self::CapDomain { domain, slot, of } => {
                write!(
                    f,
                    "PD {domain}: the capability in slot {slot} is for PD {of}, which does not \
                     exist"
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
