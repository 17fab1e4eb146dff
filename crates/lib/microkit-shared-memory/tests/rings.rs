//! Tests rings whose positions have 16, 32 or 64 bits. The unit tests of the `ring` module check
//! every state of small rings.
#![forbid(unsafe_code)]

use microkit_shared_memory::Broken;
use microkit_shared_memory::ring::{Counted, Doubled, FreeRunning, Ring, Wrap};
use proptest::prelude::*;

/// Checks a ring whose consumer is at `start`, and whose producer claims a position `distance`
/// records later.
fn check<W: Wrap>(ring: &Ring<W>, start: u64, distance: u64) {
    let end = ring.advance(start, distance);
    let expected = if distance <= ring.capacity() {
        Ok(distance)
    } else {
        Err(Broken)
    };
    assert_eq!(ring.check(end), Ok(end));
    assert_eq!(
        ring.filled(end, start),
        expected,
        "{start} and {distance} more"
    );
    if let Ok(filled) = expected {
        let [first, second] = ring.split(start, filled as usize);
        assert_eq!((first.len() + second.len()) as u64, filled);
        assert!(first.end as u64 <= ring.capacity() && (second.end <= first.start || filled == 0));
    }
}

proptest! {
    #[test]
    fn sixteen_bits_run_free(shift in 0..16_u32, start: u16, distance: u16) {
        check(&Ring::<FreeRunning<16>>::new(1 << shift), start.into(), distance.into());
    }

    #[test]
    fn thirty_two_bits_run_free(shift in 0..32_u32, start: u32, distance: u32) {
        check(&Ring::<FreeRunning<32>>::new(1 << shift), start.into(), distance.into());
    }

    #[test]
    fn sixteen_bits_go_to_twice_the_capacity(
        capacity in 1..=32767_u64, start: u16, distance: u16,
    ) {
        let [start, distance] = [start, distance].map(|n| u64::from(n) % (2 * capacity));
        check(&Ring::<Doubled>::new(capacity), start, distance);
    }

    #[test]
    fn counters_never_wrap(capacity in 1..1_u64 << 40, start in 0..u64::MAX / 2, distance: u32) {
        check(&Ring::<Counted>::new(capacity), start, distance.into());
    }
}
