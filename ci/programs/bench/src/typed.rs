//! Procedures for `bench-typed` to call, each of which can be written by hand in a line.

use microkit_protocol::protocol;

/// Sums.
#[protocol]
pub trait Sums {
    /// One more.
    fn next(&mut self, value: u64) -> u64;

    /// The sum of four: as many words as travel in registers.
    ///
    /// # Errors
    ///
    /// None: the reply has the shape of a result.
    fn four(&mut self, a: u64, b: u64, c: u64, d: u64) -> Result<u64, u64>;

    /// Each of sixteen words, one more.
    fn sixteen(&mut self, words: [u64; 16]) -> [u64; 16];
}
