//! Asserts that validation finds every kind of error, and finds no error in a valid spec.

use boot_spec::{
    BootSpec, Channel, ChannelEnd, Irq, Mapping, PageSize, Parent, Perms, ProtectionDomain,
    Segment, SpecError, Stack, Trigger, UserCap, UserCapKind,
};

const USER_TOP: u64 = (1 << 40) - 1;
const RX: Perms = Perms {
    read: true,
    write: false,
    execute: true,
};
const RW: Perms = Perms {
    read: true,
    write: true,
    execute: false,
};

fn mapping(vaddr: u64, paddr: u64, bytes: u64, perms: Perms) -> Mapping {
    Mapping {
        vaddr,
        paddr,
        bytes,
        perms,
        cached: true,
        page_size: PageSize::Small,
    }
}

fn pd(name: &str) -> ProtectionDomain {
    let (stack, ipc_buffer) = (0xff_ffff_c000, 0xff_ffff_f000);
    ProtectionDomain {
        name: name.into(),
        priority: 100,
        budget_us: 1000,
        period_us: 1000,
        needs_endpoint: true,
        entry: 0x20_0000,
        stack: Stack {
            bottom: stack,
            bytes: 0x2000,
        },
        ipc_buffer,
        mappings: vec![
            mapping(0x20_0000, 0x6000_0000, 0x3000, RX),
            mapping(stack, 0x6000_3000, 0x2000, RW),
            mapping(ipc_buffer, 0x6000_5000, 0x1000, RW),
        ],
        ..Default::default()
    }
}

fn end(pd_index: u8, id: u8, pp: bool) -> ChannelEnd {
    ChannelEnd {
        pd_index,
        id,
        pp,
        notify: true,
    }
}

fn good() -> BootSpec {
    let mut pds = vec![pd("parent"), pd("child"), pd("driver")];
    pds[1].parent = Some(Parent {
        pd_index: 0,
        child_id: 61,
    });
    pds[2].irqs = vec![Irq {
        id: 1,
        number: 33,
        trigger: Trigger::Level,
    }];
    pds[2].caps = vec![UserCap {
        slot: 63,
        kind: UserCapKind::Tcb,
        pd_index: 2,
    }];
    BootSpec {
        user_top: USER_TOP,
        pds,
        channels: vec![Channel {
            ends: [end(0, 0, true), end(2, 0, false)],
        }],
        segments: vec![Segment {
            paddr: 0x6000_0000,
            bytes: 0x2345,
            image_offset: 64,
        }],
    }
}

/// Breaks the valid spec with `spoil`, and asserts that validation finds exactly these errors.
#[track_caller]
fn check(spoil: impl FnOnce(&mut BootSpec), errors: &[SpecError]) {
    let mut spec = good();
    spoil(&mut spec);
    assert_eq!(
        spec.validate(),
        if errors.is_empty() {
            Ok(())
        } else {
            Err(errors.to_vec())
        }
    );
}

#[test]
fn a_good_spec_has_nothing_wrong() {
    check(|_| (), &[]);
}

#[test]
fn there_are_between_one_and_sixty_three_domains() {
    let empty = BootSpec::default();
    assert_eq!(empty.validate(), Err(vec![SpecError::NoPds]));
    let add = |count: usize| {
        move |spec: &mut BootSpec| {
            let more = (spec.pds.len()..count).map(|index| pd(&index.to_string()));
            spec.pds.extend(more);
        }
    };
    check(add(63), &[]);
    check(add(64), &[SpecError::TooManyPds { count: 64 }]);
}

#[test]
fn names_are_there_and_differ() {
    check(
        |spec| spec.pds[1].name.clear(),
        &[SpecError::Name { pd_index: 1 }],
    );
    check(
        |spec| spec.pds[1].name = "x".repeat(65),
        &[SpecError::Name { pd_index: 1 }],
    );
    check(|spec| spec.pds[1].name = "x".repeat(64), &[]);
    check(
        |spec| spec.pds[2].name = "parent".into(),
        &[SpecError::DuplicateName { pd_index: 2, of: 0 }],
    );
}

#[test]
fn scheduling_parameters_are_in_range() {
    let priority = SpecError::Priority {
        pd_index: 0,
        priority: 255,
    };
    check(|spec| spec.pds[0].priority = 255, &[priority]);
    let budget = |budget_us, period_us| SpecError::Budget {
        pd_index: 0,
        budget_us,
        period_us,
    };
    check(|spec| spec.pds[0].budget_us = 0, &[budget(0, 1000)]);
    check(|spec| spec.pds[0].budget_us = 1001, &[budget(1001, 1000)]);
}

#[test]
fn a_parent_comes_first_and_knows_its_children_apart() {
    let parent = |pd_index, child_id| Some(Parent { pd_index, child_id });
    let wrong = |parent| SpecError::Parent {
        pd_index: 1,
        parent,
    };
    check(|spec| spec.pds[1].parent = parent(1, 0), &[wrong(1)]);
    check(|spec| spec.pds[1].parent = parent(9, 0), &[wrong(9)]);
    let id = SpecError::ChildId {
        pd_index: 1,
        id: 62,
    };
    check(|spec| spec.pds[1].parent = parent(0, 62), &[id]);
    let twins = SpecError::DuplicateChildId { pd_index: 2, of: 1 };
    check(|spec| spec.pds[2].parent = parent(0, 61), &[twins]);
}

#[test]
fn who_is_called_or_has_children_has_an_endpoint() {
    let without =
        |pd_index: usize| move |spec: &mut BootSpec| spec.pds[pd_index].needs_endpoint = false;
    check(without(0), &[SpecError::NoEndpoint { pd_index: 0 }]);
    check(without(2), &[SpecError::NoEndpoint { pd_index: 2 }]);
    check(without(1), &[]);
}

#[test]
fn the_thread_can_start() {
    let lacks = |what, vaddr| SpecError::NotMapped {
        pd_index: 0,
        what,
        vaddr,
    };
    check(
        |spec| spec.pds[0].entry = 0x20_3000,
        &[lacks("entry", 0x20_3000)],
    );
    check(
        |spec| spec.pds[0].entry = 0xff_ffff_c000,
        &[lacks("entry", 0xff_ffff_c000)],
    );
    check(
        |spec| spec.pds[0].ipc_buffer = 0x20_0000,
        &[lacks("IPC buffer", 0x20_0000)],
    );
    check(
        |spec| spec.pds[0].stack.bytes = 0x2001,
        &[lacks("stack", 0xff_ffff_c000)],
    );
    check(
        |spec| spec.pds[0].stack.bytes = u64::MAX,
        &[lacks("stack", 0xff_ffff_c000)],
    );
}

#[test]
fn a_range_may_be_mapped_in_pieces() {
    check(
        |spec| {
            let maps = &mut spec.pds[0].mappings;
            maps[1].bytes = 0x1000;
            maps.push(mapping(0xff_ffff_d000, 0x7000_0000, 0x1000, RW));
        },
        &[],
    );
}

#[test]
fn mappings_are_whole_pages_inside_the_address_space() {
    let add = |map: Mapping| move |spec: &mut BootSpec| spec.pds[0].mappings.push(map);
    let range = SpecError::AddressRange {
        pd_index: 0,
        mapping: 3,
    };
    let pages = SpecError::PageAlignment {
        pd_index: 0,
        mapping: 3,
    };
    check(add(mapping(0x40_0000, 0x7000_0000, 0, RW)), &[range]);
    check(add(mapping(1 << 40, 0x7000_0000, 0x1000, RW)), &[range]);
    check(
        add(mapping(0x40_0000, u64::MAX - 0xfff, 0x2000, RW)),
        &[range],
    );
    check(add(mapping(0x40_0800, 0x7000_0000, 0x1000, RW)), &[pages]);
    check(add(mapping(0x40_0000, 0x7000_0000, 0x1001, RW)), &[pages]);
    let large = Mapping {
        page_size: PageSize::Large,
        ..mapping(0x40_0000, 0x7010_0000, 0x20_0000, RW)
    };
    check(add(large), &[pages]);
    let unreadable = mapping(0x40_0000, 0x7000_0000, 0x1000, Perms { read: false, ..RW });
    check(
        add(unreadable),
        &[SpecError::Permissions {
            pd_index: 0,
            mapping: 3,
        }],
    );
    let over = SpecError::Overlap {
        pd_index: 0,
        mapping: 3,
        with: 0,
    };
    check(add(mapping(0x20_2000, 0x7000_0000, 0x1000, RW)), &[over]);
}

#[test]
fn channels_join_two_domains_that_are_there() {
    let channel = |a, b| move |spec: &mut BootSpec| spec.channels.push(Channel { ends: [a, b] });
    check(channel(end(1, 1, false), end(2, 2, false)), &[]);
    check(
        channel(end(1, 1, false), end(3, 2, false)),
        &[SpecError::ChannelPd {
            channel: 1,
            pd_index: 3,
        }],
    );
    check(
        channel(end(1, 1, false), end(1, 2, false)),
        &[SpecError::ChannelToItself { channel: 1 }],
    );
    check(
        channel(end(1, 1, true), end(2, 2, true)),
        &[SpecError::CallsBothWays { channel: 1 }],
    );
    check(
        channel(end(1, 62, false), end(2, 2, false)),
        &[SpecError::ChannelId {
            pd_index: 1,
            id: 62,
        }],
    );
    // Identifier 0 belongs to the other channel, and identifier 1 to the IRQ.
    for id in [0, 1] {
        check(
            channel(end(1, 1, false), end(2, id, false)),
            &[SpecError::DuplicateChannelId { pd_index: 2, id }],
        );
    }
}

#[test]
fn an_interrupt_has_one_handler() {
    let again = Irq {
        id: 0,
        number: 33,
        trigger: Trigger::Edge,
    };
    check(
        |spec| spec.pds[1].irqs.push(again),
        &[SpecError::DuplicateIrq { number: 33 }],
    );
}

#[test]
fn capabilities_lie_in_slots_of_their_own() {
    let add = |slot, of| {
        let cap = UserCap {
            slot,
            kind: UserCapKind::VSpace,
            pd_index: of,
        };
        move |spec: &mut BootSpec| spec.pds[2].caps.push(cap)
    };
    check(add(1, 0), &[]);
    check(
        add(0, 0),
        &[SpecError::CapSlot {
            pd_index: 2,
            slot: 0,
        }],
    );
    check(
        add(64, 0),
        &[SpecError::CapSlot {
            pd_index: 2,
            slot: 64,
        }],
    );
    check(
        add(63, 0),
        &[SpecError::DuplicateCapSlot {
            pd_index: 2,
            slot: 63,
        }],
    );
    check(
        add(1, 3),
        &[SpecError::CapPd {
            pd_index: 2,
            slot: 1,
            of: 3,
        }],
    );
}

#[test]
fn segments_are_ranges_that_do_not_overlap() {
    let add = |paddr, bytes| {
        move |spec: &mut BootSpec| {
            spec.segments.push(Segment {
                paddr,
                bytes,
                image_offset: 0,
            })
        }
    };
    check(add(0x6000_2345, 1), &[]);
    check(
        add(0x6000_2344, 1),
        &[SpecError::SegmentOverlap {
            segment: 1,
            with: 0,
        }],
    );
    check(
        add(0x7000_0000, 0),
        &[SpecError::SegmentRange { segment: 1 }],
    );
    check(add(u64::MAX, 2), &[SpecError::SegmentRange { segment: 1 }]);
}

#[test]
fn all_errors_are_reported_at_once() {
    let mut spec = good();
    spec.pds[0].name.clear();
    spec.pds[1].priority = 255;
    spec.segments[0].bytes = 0;
    assert_eq!(spec.validate().map_err(|errors| errors.len()), Err(3));
}
