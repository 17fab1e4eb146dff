//! The rights of a capability.

use crate::Word;

/// The rights of a capability (`seL4_CapRights_t`; seL4 manual, *Capability Rights*).
///
/// ```
/// use sel4::{CapRights, CapRightsBuilder};
///
/// let rights: CapRights = CapRightsBuilder::none().read(true).write(true).into();
/// assert_eq!(rights, CapRights::read_write());
/// ```
#[derive(Debug, Copy, Clone, PartialEq, Eq, Hash)]
pub struct CapRights(Word);

impl CapRights {
    /// Creates a set of rights. From bit 0, the bits are write, read, grant and grant-reply
    /// (`shared_types.bf`).
    pub const fn new(grant_reply: bool, grant: bool, read: bool, write: bool) -> Self {
        Self(
            (grant_reply as Word) << 3 | (grant as Word) << 2 | (read as Word) << 1 | write as Word,
        )
    }

    /// Returns the empty set of rights.
    pub const fn none() -> Self {
        Self::new(false, false, false, false)
    }

    /// Returns the set of all rights.
    pub const fn all() -> Self {
        Self::new(true, true, true, true)
    }

    /// Returns the rights to read and write.
    pub const fn read_write() -> Self {
        Self::new(false, false, true, true)
    }

    /// Returns the right to read.
    pub const fn read_only() -> Self {
        Self::new(false, false, true, false)
    }

    /// Returns the right to write.
    pub const fn write_only() -> Self {
        Self::new(false, false, false, true)
    }

    /// Returns the rights as a word, the form that invocations take.
    pub const fn into_word(self) -> Word {
        self.0
    }
}

/// Builds [`CapRights`] one right at a time.
#[derive(Debug, Copy, Clone, PartialEq, Eq, Default)]
pub struct CapRightsBuilder {
    grant_reply: bool,
    grant: bool,
    read: bool,
    write: bool,
}

impl CapRightsBuilder {
    /// Starts with no rights.
    pub const fn none() -> Self {
        Self {
            grant_reply: false,
            grant: false,
            read: false,
            write: false,
        }
    }

    /// Starts with all rights.
    pub const fn all() -> Self {
        Self {
            grant_reply: true,
            grant: true,
            read: true,
            write: true,
        }
    }

    /// Returns the rights.
    pub const fn build(self) -> CapRights {
        CapRights::new(self.grant_reply, self.grant, self.read, self.write)
    }

    /// Sets the right to grant a reply capability to a receiver (grant-reply).
    #[must_use]
    pub const fn grant_reply(mut self, can: bool) -> Self {
        self.grant_reply = can;
        self
    }

    /// Sets the right to grant capabilities to a receiver.
    #[must_use]
    pub const fn grant(mut self, can: bool) -> Self {
        self.grant = can;
        self
    }

    /// Sets the right to read, or to receive.
    #[must_use]
    pub const fn read(mut self, can: bool) -> Self {
        self.read = can;
        self
    }

    /// Sets the right to write, or to send.
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
