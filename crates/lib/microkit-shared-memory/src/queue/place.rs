//! The word with the published epoch and position of an end.

/// The epoch of an end, the acknowledged epoch of the peer, and the position for that peer epoch.
///
/// All three numbers share one word, so one load reads them together. So a position is never used
/// with the epoch of another incarnation.
#[derive(Debug, Default, Copy, Clone, PartialEq, Eq)]
pub(super) struct Place {
    /// The epoch of the end; 0 if it was never opened.
    pub(super) epoch: u32,
    /// The acknowledged epoch of the peer; 0 before the first acknowledgement.
    pub(super) peer: u32,
    /// The number of records put or taken, modulo twice the capacity.
    pub(super) position: u16,
}

const EPOCH_BITS: u32 = 24;
const EPOCH_MASK: u64 = (1 << EPOCH_BITS) - 1;
const POSITION_BITS: u32 = 16;

/// The maximum capacity of a queue. Positions are modulo twice the capacity.
pub(super) const MAX_CAPACITY: usize = (1 << (POSITION_BITS - 1)) - 1;

impl Place {
    pub(super) const fn from_word(word: u64) -> Self {
        Self {
            epoch: (word >> (EPOCH_BITS + POSITION_BITS)) as u32,
            peer: ((word >> POSITION_BITS) & EPOCH_MASK) as u32,
            position: word as u16,
        }
    }

    pub(super) const fn to_word(self) -> u64 {
        (self.epoch as u64) << (EPOCH_BITS + POSITION_BITS)
            | (self.peer as u64) << POSITION_BITS
            | self.position as u64
    }

    /// Returns the epoch of the next incarnation. Epochs repeat after 16 million incarnations.
    pub(super) const fn next_epoch(self) -> u32 {
        self.epoch % EPOCH_MASK as u32 + 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_a_place_and_back() {
        for word in [0, 1, u64::MAX, 0x0123_4567_89ab_cdef, 1 << 40, 1 << 16] {
            assert_eq!(Place::from_word(word).to_word(), word);
        }
    }

    #[test]
    fn no_incarnation_is_0() {
        let last = Place {
            epoch: EPOCH_MASK as u32,
            ..Place::default()
        };
        assert_eq!(last.next_epoch(), 1);
        assert_eq!(Place::default().next_epoch(), 1);
    }
}
