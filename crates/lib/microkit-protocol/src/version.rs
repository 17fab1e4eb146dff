//! The version of a protocol.

/// Combines a hash of what the trait says with the sizes of the types that travel: the steps of
/// FNV-1a with 64 bits (Fowler, Noll, Vo), a size taking the place of a byte.
pub const fn version(written: u64, sizes: &[usize]) -> u64 {
    const PRIME: u64 = 0x0000_0100_0000_01b3;
    let mut hash = written;
    let mut rest = sizes;
    while let [first, others @ ..] = rest {
        hash = (hash ^ *first as u64).wrapping_mul(PRIME);
        rest = others;
    }
    hash
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_sizes_are_another_version() {
        let versions = [
            version(1, &[]),
            version(1, &[8]),
            version(1, &[8, 8]),
            version(1, &[8, 4]),
        ];
        for (index, one) in versions.iter().enumerate() {
            assert!(!versions[..index].contains(one));
        }
    }
}
