//! Hashes of 128 bits, which identify states.

use std::hash::Hasher;

/// The hash of a state. Two different states have the same hash with a probability of 2⁻¹²⁸.
pub(crate) type Fingerprint = u128;

/// A hasher with two lanes of 64 bits. For each word, each lane multiplies, and combines the halves
/// of the 128-bit product.
#[derive(Debug, Clone)]
pub(crate) struct Fingerprinter {
    lanes: [u64; 2],
}

/// Odd constants with as many ones as zeros: digits of π (`lanes`) and of e (`factors`).
const LANES: [u64; 2] = [0x243f_6a88_85a3_08d3, 0x1319_8a2e_0370_7345];
const FACTORS: [u64; 2] = [0xb7e1_5162_8aed_2a6b, 0xbf71_5880_9cf4_f3c7];

impl Fingerprinter {
    pub(crate) const fn new() -> Self {
        Self { lanes: LANES }
    }

    pub(crate) fn fingerprint(&self) -> Fingerprint {
        u128::from(self.lanes[0]) << 64 | u128::from(self.lanes[1])
    }
}

impl Hasher for Fingerprinter {
    fn finish(&self) -> u64 {
        self.lanes[0] ^ self.lanes[1]
    }

    fn write(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks::<8>();
        for word in words {
            self.write_u64(u64::from_le_bytes(*word));
        }
        let mut last = [0; 8];
        last[..rest.len()].copy_from_slice(rest);
        self.write_u64(u64::from_le_bytes(last) ^ (bytes.len() as u64) << 56);
    }

    fn write_u64(&mut self, word: u64) {
        for (lane, factor) in self.lanes.iter_mut().zip(FACTORS) {
            let product = u128::from(*lane ^ word) * u128::from(factor);
            *lane = (product as u64 ^ (product >> 64) as u64).rotate_left(23);
        }
    }

    fn write_u8(&mut self, number: u8) {
        self.write_u64(number.into());
    }

    fn write_u16(&mut self, number: u16) {
        self.write_u64(number.into());
    }

    fn write_u32(&mut self, number: u32) {
        self.write_u64(number.into());
    }

    fn write_usize(&mut self, number: usize) {
        self.write_u64(number as u64);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;
    use std::hash::Hash;

    fn fingerprint(value: &impl Hash) -> Fingerprint {
        let mut hasher = Fingerprinter::new();
        value.hash(&mut hasher);
        hasher.fingerprint()
    }

    #[test]
    fn values_that_differ_little_differ() {
        let mut seen = HashSet::new();
        for length in 0..20 {
            for bit in 0..64 {
                let mut words = vec![0u64; length];
                words.iter_mut().for_each(|word| *word = 1 << bit);
                seen.insert(fingerprint(&words));
                words.push(bit);
                seen.insert(fingerprint(&words));
            }
        }
        // Some inputs occur more than once. The input without words occurs for all 64 values of
        // `bit`. The one-word inputs 1, 2, 4, 8, 16 and 32 occur twice: as `1 << bit` and as `bit`.
        assert_eq!(seen.len(), 2 * 20 * 64 - 63 - 6);
    }
}
