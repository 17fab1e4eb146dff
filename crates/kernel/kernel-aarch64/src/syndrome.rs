//! Texts for the syndrome of an exception (Arm ARM, *`ESR_EL2`*).

use core::fmt;

/// A syndrome, from a fault message.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub struct Syndrome(pub u32);

/// The access that caused an abort.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub enum Access {
    /// A read.
    Read,
    /// A write.
    Write,
    /// An instruction fetch.
    Fetch,
}

impl Syndrome {
    /// Returns the exception class.
    pub const fn class(self) -> u32 {
        self.0 >> 26
    }

    /// Returns the access that caused an abort.
    pub const fn access(self) -> Access {
        const WRITE_NOT_READ: u32 = 1 << 6;
        const CACHE_MAINTENANCE: u32 = 1 << 8;
        if self.class() == 0x20 {
            Access::Fetch
        } else if self.0 & (WRITE_NOT_READ | CACHE_MAINTENANCE) == WRITE_NOT_READ {
            Access::Write
        } else {
            // Cache maintenance sets the write bit, but needs only the right to read.
            Access::Read
        }
    }

    /// Returns the reason for an abort, as a relative clause about the address.
    pub const fn abort_reason(self) -> &'static str {
        match self.0 & 0x3f {
            0x00..=0x03 => "which is outside the address space",
            0x04..=0x07 => "where nothing is mapped",
            0x0c..=0x0f => "which the mapping there does not allow",
            0x10 | 0x14..=0x17 => "where no device answers",
            0x21 => "which is misaligned for device memory",
            0x35 => "which device memory does not support",
            _ => "which the processor refuses",
        }
    }

    /// Returns a description of the instruction that trapped to the hypervisor, as a verb phrase.
    pub const fn trapped(self) -> &'static str {
        match self.class() {
            0x01 => "waited for an interrupt or event, which is not allowed",
            0x07 => "used floating point, which fpu=\"false\" forbids",
            0x16 | 0x17 => "made a call to the firmware",
            0x18 => "used a system register or instruction that is not allowed",
            0x19 | 0x1d => "used scalable vectors or matrices, which are not supported",
            0x22 => "jumped to an address that is not a multiple of four",
            0x26 => "used a misaligned stack pointer",
            0x2c => "took a floating-point exception",
            0x2f => "caused an asynchronous error",
            _ => "executed an instruction that traps",
        }
    }
}

impl fmt::Display for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Fetch => "instruction fetch",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(esr: u32, access: Access, reason: &str) {
        assert_eq!(Syndrome(esr).access(), access, "{esr:#x}");
        assert_eq!(Syndrome(esr).abort_reason(), reason, "{esr:#x}");
    }

    #[test]
    fn aborts_are_distinguished() {
        check(0x9200_0005, Access::Read, "where nothing is mapped");
        check(0x9200_0046, Access::Write, "where nothing is mapped");
        check(0x8200_0007, Access::Fetch, "where nothing is mapped");
        let forbidden = "which the mapping there does not allow";
        check(0x9380_004f, Access::Write, forbidden);
        check(0x8200_000f, Access::Fetch, forbidden);
        check(0x9200_0010, Access::Read, "where no device answers");
        // The syndrome of `dc civac`.
        check(0x9200_0147, Access::Read, "where nothing is mapped");
    }

    #[test]
    fn every_syndrome_has_words() {
        for esr in (0..=u32::MAX).step_by(0x1_0001) {
            assert!(!Syndrome(esr).abort_reason().is_empty());
            assert!(!Syndrome(esr).trapped().is_empty());
        }
    }
}
