//! The version of a protocol.

/// Computes the version from the hash of the trait's source and the sizes of its types.
///
/// The function applies 64-bit FNV-1a (Fowler, Noll, Vo) to sizes instead of bytes. The macro
/// cannot know the sizes, so the compiler evaluates this function.
pub const fn version(source_hash: u64, sizes: &[usize]) -> u64 {
    const PRIME: u64 = 0x0000_0100_0000_01b3;
    let mut hash = source_hash;
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
    fn different_sizes_give_different_versions() {
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
