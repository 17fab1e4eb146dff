//! Asserts that decoding inverts encoding, and that invalid bytes cause an error and never a panic.

use boot_spec::{
    BootSpec, Channel, ChannelEnd, DecodeError, Irq, Mapping, PageSize, Parent, Perms,
    ProtectionDomain, Segment, Stack, Trigger, UserCap, UserCapKind, VERSION,
};

/// A generator of pseudo-random numbers, with the same sequence in every run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        // The algorithm is SplitMix64.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ bits >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ bits >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ bits >> 31
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    fn flag(&mut self) -> bool {
        self.next() & 1 == 1
    }

    /// Returns a number with a random number of bits.
    fn number(&mut self) -> u64 {
        let bits = self.below(64);
        self.next() >> bits
    }

    fn list<T>(&mut self, mut element: impl FnMut(&mut Self) -> T) -> Vec<T> {
        (0..self.below(4)).map(|_| element(self)).collect()
    }
}

fn perms(random: &mut Random) -> Perms {
    Perms {
        read: random.flag(),
        write: random.flag(),
        execute: random.flag(),
    }
}

fn mapping(random: &mut Random) -> Mapping {
    Mapping {
        vaddr: random.number(),
        paddr: random.number(),
        bytes: random.number(),
        perms: perms(random),
        cached: random.flag(),
        page_size: if random.flag() {
            PageSize::Large
        } else {
            PageSize::Small
        },
    }
}

fn irq(random: &mut Random) -> Irq {
    Irq {
        id: random.next() as u8,
        number: random.next() as u32,
        trigger: if random.flag() {
            Trigger::Edge
        } else {
            Trigger::Level
        },
    }
}

fn cap(random: &mut Random) -> UserCap {
    let kinds = [
        UserCapKind::Tcb,
        UserCapKind::SchedContext,
        UserCapKind::VSpace,
    ];
    UserCap {
        slot: random.next() as u8,
        kind: kinds[random.below(3) as usize],
        pd_index: random.next() as u8,
    }
}

fn pd(random: &mut Random) -> ProtectionDomain {
    ProtectionDomain {
        name: random
            .list(|random| char::from_u32(random.below(0xd000) as u32).unwrap())
            .iter()
            .collect(),
        priority: random.next() as u8,
        budget_us: random.number(),
        period_us: random.number(),
        passive: random.flag(),
        fpu: random.flag(),
        needs_endpoint: random.flag(),
        entry: random.number(),
        stack: Stack {
            bottom: random.number(),
            bytes: random.number(),
        },
        ipc_buffer: random.number(),
        parent: random.flag().then(|| Parent {
            pd_index: random.next() as u8,
            child_id: random.next() as u8,
        }),
        mappings: random.list(mapping),
        irqs: random.list(irq),
        caps: random.list(cap),
    }
}

fn end(random: &mut Random) -> ChannelEnd {
    ChannelEnd {
        pd_index: random.next() as u8,
        id: random.next() as u8,
        pp: random.flag(),
        notify: random.flag(),
    }
}

fn spec(random: &mut Random) -> BootSpec {
    BootSpec {
        user_top: random.number(),
        pds: random.list(pd),
        channels: random.list(|random| Channel {
            ends: [end(random), end(random)],
        }),
        segments: random.list(|random| Segment {
            paddr: random.number(),
            bytes: random.number(),
            image_offset: random.number(),
        }),
    }
}

#[test]
fn what_is_encoded_is_decoded() {
    for seed in 0..2000 {
        let spec = spec(&mut Random(seed));
        assert_eq!(
            BootSpec::decode(&spec.encode()).as_ref(),
            Ok(&spec),
            "seed {seed}"
        );
    }
}

#[test]
fn every_cut_is_an_error() {
    for seed in 0..50 {
        let bytes = spec(&mut Random(seed)).encode();
        for end in 0..bytes.len() {
            assert!(
                BootSpec::decode(&bytes[..end]).is_err(),
                "seed {seed}, {end} bytes"
            );
        }
    }
}

#[test]
fn hostile_bytes_are_an_error_or_the_only_encoding_of_a_spec() {
    let mut decoded = 0;
    for seed in 0..20_000 {
        let random = &mut Random(seed);
        let mut bytes = spec(random).encode();
        for _ in 0..=random.below(3) {
            let at = random.below(bytes.len() as u64) as usize;
            match random.below(4) {
                0 => bytes[at] = random.next() as u8,
                1 => bytes[at] ^= 1 << random.below(8),
                2 => drop(bytes.remove(at)),
                _ => bytes.insert(at, random.next() as u8),
            }
        }
        if let Ok(spec) = BootSpec::decode(&bytes) {
            assert_eq!(spec.encode(), bytes, "seed {seed}");
            // `validate` must not panic either, even for a nonsensical spec.
            let _ = spec.validate();
            decoded += 1;
        }
    }
    assert!(
        decoded > 1000,
        "the mutations are too coarse to test anything: {decoded}"
    );
}

#[test]
fn another_version_is_said_to_be_one() {
    let mut bytes = BootSpec::default().encode();
    assert_eq!(bytes[..8], *b"MKSPEC\0\x01");
    bytes[7] = VERSION + 1;
    assert_eq!(
        BootSpec::decode(&bytes),
        Err(DecodeError::Version(VERSION + 1))
    );
    bytes[0] = b'X';
    assert_eq!(BootSpec::decode(&bytes), Err(DecodeError::NotASpec));
    assert_eq!(BootSpec::decode(&[]), Err(DecodeError::NotASpec));
}

#[test]
fn nothing_may_follow() {
    let mut bytes = BootSpec::default().encode();
    bytes.push(0);
    assert_eq!(
        BootSpec::decode(&bytes),
        Err(DecodeError::TrailingBytes { count: 1 })
    );
}
