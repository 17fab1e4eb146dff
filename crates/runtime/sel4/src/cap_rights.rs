//! The rights of a capability.

use crate::Word;

/// `seL4_CapRights_t`: what a capability allows (seL4 manual, *Capability Rights*).
#[derive(Debug, Copy, Clone, PartialEq, Eq, Hash)]
pub struct CapRights(Word);

impl CapRights {
    /// Makes rights. From bit 0: write, read, grant, grant-reply (`shared_types.bf`).
    pub const fn new(grant_reply: bool, grant: bool, read: bool, write: bool) -> Self {
        Self(
            (grant_reply as Word) << 3 | (grant as Word) << 2 | (read as Word) << 1 | write as Word,
        )
    }

    /// No right.
    pub const fn none() -> Self {
        Self::new(false, false, false, false)
    }

    /// Every right.
    pub const fn all() -> Self {
        Self::new(true, true, true, true)
    }

    /// Read and write.
    pub const fn read_write() -> Self {
        Self::new(false, false, true, true)
    }

    /// Read.
    pub const fn read_only() -> Self {
        Self::new(false, false, true, false)
    }

    /// Write.
    pub const fn write_only() -> Self {
        Self::new(false, false, false, true)
    }

    /// The word that invocations take.
    pub const fn into_word(self) -> Word {
        self.0
    }
}

/// Makes [`CapRights`] right by right.
#[derive(Debug, Copy, Clone, PartialEq, Eq, Default)]
pub struct CapRightsBuilder {
    grant_reply: bool,
    grant: bool,
    read: bool,
    write: bool,
}

impl CapRightsBuilder {
    /// Begins with no right.
    pub const fn none() -> Self {
        Self {
            grant_reply: false,
            grant: false,
            read: false,
            write: false,
        }
    }

    /// Begins with every right.
    pub const fn all() -> Self {
        Self {
            grant_reply: true,
            grant: true,
            read: true,
            write: true,
        }
    }

    /// The rights.
    pub const fn build(self) -> CapRights {
        CapRights::new(self.grant_reply, self.grant, self.read, self.write)
    }

    /// Whether a receiver may be granted capabilities with its reply.
    #[must_use]
    pub const fn grant_reply(mut self, can: bool) -> Self {
        self.grant_reply = can;
        self
    }

    /// Whether capabilities may be granted.
    #[must_use]
    pub const fn grant(mut self, can: bool) -> Self {
        self.grant = can;
        self
    }

    /// Whether it may be read, or received from.
    #[must_use]
    pub const fn read(mut self, can: bool) -> Self {
        self.read = can;
        self
    }

    /// Whether it may be written, or sent to.
    #[must_use]
    pub const fn write(mut self, can: bool) -> Self {
        self.write = can;
        self
    }
}

impl From<CapRightsBuilder> for CapRights {
    fn from(builder: CapRightsBuilder) -> Self {
        builder.build()
    }
}
