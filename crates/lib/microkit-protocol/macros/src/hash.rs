//! A hash that is the same wherever the same is written.

/// FNV-1a of 64 bits (Fowler, Noll, Vo) of what is not white space.
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
    fn space_does_not_count() {
        // The hash of "a" in the authors' list of test vectors.
        assert_eq!(hash("a"), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(hash("Result<u64, E>"), hash("Result < u64 , E >"));
        assert_ne!(hash("add"), hash("dda"));
    }
}
