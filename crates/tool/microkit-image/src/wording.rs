//! Formats numbers for messages.

use std::fmt;
use std::ops::Range;

/// A number of bytes, formatted exactly and also in a readable unit.
pub(crate) struct Bytes(pub(crate) u64);

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [&str; 5] = ["KiB", "MiB", "GiB", "TiB", "PiB"];
        let mut scaled = self.0 as f64;
        let mut unit = None;
        for name in UNITS {
            if scaled < 1024.0 {
                break;
            }
            scaled /= 1024.0;
            unit = Some(name);
        }
        match unit {
            None => write!(f, "{} bytes", self.0),
            Some(unit) => {
                let about = format!("{scaled:.2}");
                let about = about.trim_end_matches('0').trim_end_matches('.');
                write!(f, "{:#x} bytes ({about} {unit})", self.0)
            }
        }
    }
}

/// A range of addresses, formatted for a message.
pub(crate) struct Addresses<'a>(pub(crate) &'a Range<u64>);

impl fmt::Display for Addresses<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#x}..{:#x}", self.0.start, self.0.end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_exact_and_to_be_pictured() {
        let check = |bytes, expect: &str| assert_eq!(Bytes(bytes).to_string(), expect);
        check(0, "0 bytes");
        check(1023, "1023 bytes");
        check(0x1000, "0x1000 bytes (4 KiB)");
        check(0x5000_0000, "0x50000000 bytes (1.25 GiB)");
        check(100 << 10, "0x19000 bytes (100 KiB)");
        check(u64::MAX, "0xffffffffffffffff bytes (16384 PiB)");
    }

    #[test]
    fn addresses_are_a_range() {
        assert_eq!(Addresses(&(0x1000..0x2000)).to_string(), "0x1000..0x2000");
    }
}
