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
    NoPds,
    /// There are more PDs than `MAX_PROTECTION_DOMAINS`.
    TooManyPds { count: usize },
    /// A name is empty or longer than `NAME_BYTES`.
    Name { pd_index: usize },
    /// Two PDs have the same name.
    DuplicateName { pd_index: usize, of: usize },
    /// A priority is above `MAX_PRIORITY`.
    Priority { pd_index: usize, priority: u8 },
    /// A budget is zero or longer than its period.
    Budget {
        pd_index: usize,
        budget_us: u64,
        period_us: u64,
    },
    /// Memory that a thread needs to start is not mapped with the necessary access rights.
    NotMapped {
        pd_index: usize,
        what: &'static str,
        vaddr: u64,
    },
    /// A parent is not a PD in front of its child.
    Parent { pd_index: usize, parent: u8 },
    /// A child identifier is above `MAX_CHANNEL_ID`.
    ChildId { pd_index: usize, id: u8 },
    /// Two children of one parent have the same identifier.
    DuplicateChildId { pd_index: usize, of: usize },
    /// A PD receives calls or faults but has no endpoint.
    NoEndpoint { pd_index: usize },
    /// A mapping does not consist of whole pages.
    PageAlignment { pd_index: usize, mapping: usize },
    /// A mapping is empty, or leaves the virtual or physical address space.
    AddressRange { pd_index: usize, mapping: usize },
    /// A mapping is not readable. seL4 would map pages without any access right.
    Permissions { pd_index: usize, mapping: usize },
    /// Two mappings of one PD share an address.
    Overlap {
        pd_index: usize,
        mapping: usize,
        with: usize,
    },
    /// A channel ends at a PD that does not exist.
    ChannelPd { channel: usize, pd_index: u8 },
    /// A channel connects a PD with itself.
    ChannelToItself { channel: usize },
    /// A channel identifier, possibly of an IRQ, is above `MAX_CHANNEL_ID`.
    ChannelId { pd_index: usize, id: u8 },
    /// Two channels or IRQs of one PD have the same identifier.
    DuplicateChannelId { pd_index: usize, id: u8 },
    /// Both ends of a channel may call.
    CallsBothWays { channel: usize },
    /// Two PDs handle the same IRQ, or one handles it twice.
    DuplicateIrq { number: u32 },
    /// A capability is in a slot that is not available to a `<cspace>`.
    CapSlot { pd_index: usize, slot: u8 },
    /// Two capabilities are in the same slot.
    DuplicateCapSlot { pd_index: usize, slot: u8 },
    /// A capability is for an object of a PD that does not exist.
    CapPd { pd_index: usize, slot: u8, of: u8 },
    /// A segment is empty, or leaves physical memory or the image.
    SegmentRange { segment: usize },
    /// Two segments share an address.
    SegmentOverlap { segment: usize, with: usize },
}

impl fmt::Display for SpecError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::NoPds => write!(f, "there is no protection domain"),
            Self::TooManyPds { count } => {
                write!(f, "there are {count} protection domains, which is too many")
            }
            Self::Name { pd_index } => write!(f, "PD {pd_index}: the name is empty or too long"),
            Self::DuplicateName { pd_index, of } => {
                write!(f, "PD {pd_index}: has the same name as PD {of}")
            }
            Self::Priority { pd_index, priority } => {
                write!(
                    f,
                    "PD {pd_index}: the priority {priority} is above the highest"
                )
            }
            Self::Budget {
                pd_index,
                budget_us,
                period_us,
            } => {
                write!(
                    f,
                    "PD {pd_index}: the budget of {budget_us} us is zero or longer than the period of \
                     {period_us} us"
                )
            }
            Self::NotMapped {
                pd_index,
                what,
                vaddr,
            } => {
                write!(
                    f,
                    "PD {pd_index}: the {what} at {vaddr:#x} is not mapped with the rights that it \
                     needs"
                )
            }
            Self::Parent { pd_index, parent } => {
                write!(
                    f,
                    "PD {pd_index}: its parent, PD {parent}, does not come before it"
                )
            }
            Self::ChildId { pd_index, id } => {
                write!(
                    f,
                    "PD {pd_index}: its identifier as a child, {id}, is too large"
                )
            }
            Self::DuplicateChildId { pd_index, of } => {
                write!(f, "PD {pd_index}: has the same child identifier as PD {of}")
            }
            Self::NoEndpoint { pd_index } => {
                write!(
                    f,
                    "PD {pd_index}: is called or has a child, but has no endpoint"
                )
            }
            Self::PageAlignment { pd_index, mapping } => {
                write!(
                    f,
                    "PD {pd_index}, mapping {mapping}: does not consist of whole pages"
                )
            }
            Self::AddressRange { pd_index, mapping } => {
                write!(
                    f,
                    "PD {pd_index}, mapping {mapping}: is empty or leaves the address space"
                )
            }
            Self::Permissions { pd_index, mapping } => {
                write!(f, "PD {pd_index}, mapping {mapping}: is not readable")
            }
            Self::Overlap {
                pd_index,
                mapping,
                with,
            } => {
                write!(
                    f,
                    "PD {pd_index}, mapping {mapping}: overlaps mapping {with}"
                )
            }
            Self::ChannelPd { channel, pd_index } => {
                write!(f, "channel {channel}: there is no PD {pd_index}")
            }
            Self::ChannelToItself { channel } => {
                write!(f, "channel {channel}: both ends are of one PD")
            }
            Self::ChannelId { pd_index, id } => {
                write!(f, "PD {pd_index}: the channel identifier {id} is too large")
            }
            Self::DuplicateChannelId { pd_index, id } => {
                write!(
                    f,
                    "PD {pd_index}: the channel identifier {id} is used twice"
                )
            }
            Self::CallsBothWays { channel } => {
                write!(f, "channel {channel}: both ends may call")
            }
            Self::DuplicateIrq { number } => write!(f, "IRQ {number} is handled twice"),
            Self::CapSlot { pd_index, slot } => {
                write!(
                    f,
                    "PD {pd_index}: slot {slot} of its root CNode is not available"
                )
            }
            Self::DuplicateCapSlot { pd_index, slot } => {
                write!(
                    f,
                    "PD {pd_index}: two capabilities are in slot {slot} of its root CNode"
                )
            }
            Self::CapPd { pd_index, slot, of } => {
                write!(
                    f,
                    "PD {pd_index}: the capability in slot {slot} is for PD {of}, which does not \
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
