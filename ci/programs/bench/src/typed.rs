//! The protocol of `bench-typed`. A call costs more than any of these procedures.

use microkit_protocol::protocol;

/// Computes sums.
#[protocol]
pub trait Sums {
    /// Returns the value plus one.
    fn next(&mut self, value: u64) -> u64;

    /// Returns the sum of four words. Four words is the most that fits into registers.
    ///
    /// # Errors
    ///
    /// Never fails. The `Result` only gives the reply the form that is measured.
    fn four(&mut self, a: u64, b: u64, c: u64, d: u64) -> Result<u64, u64>;

    /// Returns each of sixteen words plus one.
    fn sixteen(&mut self, words: [u64; 16]) -> [u64; 16];
}
