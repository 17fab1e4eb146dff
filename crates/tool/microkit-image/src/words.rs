//! Converts the types of a checked system to types of the boot spec.

use boot_spec::{Channel, ChannelEnd, Irq, PageSize, Parent, Perms, Trigger, UserCap, UserCapKind};
use microkit_abi::limits::NAME_BYTES;
use microkit_sdf::{self as sdf, CapabilityKind};

/// Returns the part of a name that fits in the name symbol. The cut is between two characters.
pub(crate) fn name(name: &str) -> &str {
    let is_end = |end: &usize| name.is_char_boundary(*end);
    let ends = 0..=NAME_BYTES.min(name.len());
    let end = ends.rev().find(is_end).unwrap_or(0);
    &name[..end]
}

/// Converts a page size.
pub(crate) fn page_size(page_size: sdf::PageSize) -> PageSize {
    match page_size {
        sdf::PageSize::Small => PageSize::Small,
        sdf::PageSize::Large => PageSize::Large,
    }
}

/// Converts permissions.
pub(crate) fn perms(perms: sdf::Perms) -> Perms {
    let sdf::Perms {
        read,
        write,
        execute,
    } = perms;
    Perms {
        read,
        write,
        execute,
    }
}

/// Converts an interrupt. A number that is too large was already reported.
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

/// Converts a capability in the slots of a protection domain.
pub(crate) fn cap(cap: &sdf::Capability) -> UserCap {
    let kind = match cap.kind {
        CapabilityKind::Tcb => UserCapKind::Tcb,
        CapabilityKind::SchedulingContext => UserCapKind::SchedContext,
        CapabilityKind::VSpace => UserCapKind::VSpace,
    };
    UserCap {
        slot: cap.slot_index,
        kind,
        pd_index: number(cap.pd),
    }
}

/// Converts a channel.
pub(crate) fn channel(channel: &sdf::Channel) -> Channel {
    let end = |end: &sdf::End| ChannelEnd {
        pd_index: number(end.pd),
        id: end.id,
        pp: end.pp,
        notify: end.notify,
    };
    Channel {
        ends: channel.ends.each_ref().map(end),
    }
}

/// Returns the parent of a protection domain, if the protection domain has a parent.
pub(crate) fn parent(pd: &sdf::ProtectionDomain) -> Option<Parent> {
    let (parent, child_id) = pd.parent.zip(pd.child_id)?;
    Some(Parent {
        pd_index: number(parent),
        child_id,
    })
}

/// Converts an index to a number of 8 bits. A checked system has at most 63 protection domains.
fn number(pd: usize) -> u8 {
    u8::try_from(pd).unwrap_or(u8::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_of_a_name_is_whole_characters() {
        let check = |name: String, expect: &str| assert_eq!(super::name(&name), expect, "{name}");
        let short = "n".repeat(NAME_BYTES - 1);
        check("name".to_owned(), "name");
        check(String::new(), "");
        check(format!("{short}ab"), &format!("{short}a"));
        check(format!("{short}\u{e4}"), &short);
    }
}
