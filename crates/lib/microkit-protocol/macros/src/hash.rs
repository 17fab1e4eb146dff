//! Computes the hash of a protocol's source. The hash is the same in every build of the source.
//!
//! The standard library's hasher is unsuitable, because its results may change between releases.

/// Computes FNV-1a with 64 bits (Fowler, Noll, Vo) of `text` without its white space.
pub(crate) fn hash(text: &str) -> u64 {
    const OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
    const PRIME: u64 = 0x0000_0100_0000_01b3;
    let bytes = text.bytes().filter(|byte| !byte.is_ascii_whitespace());
    bytes.fold(OFFSET, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(PRIME)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn white_space_does_not_count() {
        // The hash of "a" from the authors' test vectors.
        assert_eq!(hash("a"), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(hash("Result<u64, E>"), hash("Result < u64 , E >"));
        assert_ne!(hash("add"), hash("dda"));
    }
}
