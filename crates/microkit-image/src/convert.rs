//! What a plan says in the same words as the system, but for the types.

use boot_spec::{ChannelEnd, Irq, Parent, Perms, Trigger, UserCap, UserCapKind};
use microkit_sdf::{self as sdf, CapabilityKind, PhysAddr};

use crate::frames::Extent;
use crate::plan::{Fill, Map, MemoryRegion};

/// A memory region, and where it lies.
pub(crate) fn memory_region((region, extents): (&sdf::MemoryRegion, Vec<Extent>)) -> MemoryRegion {
    MemoryRegion {
        name: region.name.clone(),
        bytes: region.bytes,
        page_size: match region.page_size {
            sdf::PageSize::Small => boot_spec::PageSize::Small,
            sdf::PageSize::Large => boot_spec::PageSize::Large,
        },
        is_fixed: matches!(region.phys_addr, PhysAddr::Fixed(_)),
        extents,
        fill: match &region.fill {
            sdf::Fill::File { path, bytes } => Some(Fill {
                path: path.clone(),
                bytes: *bytes,
            }),
            sdf::Fill::Zero | sdf::Fill::BootInfo(_) => None,
        },
    }
}

/// A memory region in an address space.
pub(crate) fn map(map: &sdf::Map) -> Map {
    let sdf::Perms {
        read,
        write,
        execute,
    } = map.perms;
    let perms = Perms {
        read,
        write,
        execute,
    };
    Map {
        region: map.region,
        vaddr: map.vaddr,
        perms,
        cached: map.cached,
    }
}

/// An interrupt; a number that is too large has been reported.
pub(crate) fn irq(irq: &sdf::Irq) -> Irq {
    let trigger = match irq.trigger {
        sdf::Trigger::Level => Trigger::Level,
        sdf::Trigger::Edge => Trigger::Edge,
    };
    Irq {
        id: irq.id,
        number: irq.number.try_into().unwrap_or(u32::MAX),
        trigger,
    }
}

/// A capability in a protection domain's own slots.
pub(crate) fn cap(cap: &sdf::Capability) -> UserCap {
    let kind = match cap.kind {
        CapabilityKind::Tcb => UserCapKind::Tcb,
        CapabilityKind::SchedulingContext => UserCapKind::SchedContext,
        CapabilityKind::VSpace => UserCapKind::VSpace,
    };
    UserCap {
        slot: cap.slot_index,
        kind,
        domain: number(cap.pd),
    }
}

/// A channel.
pub(crate) fn channel(channel: &sdf::Channel) -> boot_spec::Channel {
    let end = |end: &sdf::End| ChannelEnd {
        domain: number(end.pd),
        id: end.id,
        pp: end.pp,
        notify: end.notify,
    };
    boot_spec::Channel {
        ends: channel.ends.each_ref().map(end),
    }
}

/// The parent of a protection domain, if it has one.
pub(crate) fn parent(pd: &sdf::ProtectionDomain) -> Option<Parent> {
    let (parent, child_id) = pd.parent.zip(pd.child_id)?;
    Some(Parent {
        domain: number(parent),
        child_id,
    })
}

/// The number of a protection domain, of which there are 63 at most in a checked system.
fn number(pd: usize) -> u8 {
    u8::try_from(pd).unwrap_or(u8::MAX)
}
