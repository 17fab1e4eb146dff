//! A builder for message infos.

use crate::{MessageInfo, Word};

/// Builds a [`MessageInfo`] field by field. Unset fields are zero.
///
/// ```
/// let info = sel4::MessageInfoBuilder::default().label(3).length(2).build();
/// assert_eq!((info.label(), info.length()), (3, 2));
/// ```
#[derive(Debug, Copy, Clone, PartialEq, Eq, Default)]
pub struct MessageInfoBuilder {
    label: Word,
    caps_unwrapped: usize,
    extra_caps: usize,
    length: usize,
}

impl MessageInfoBuilder {
    /// Builds the message info.
    ///
    /// # Panics
    ///
    /// Panics if a field is too large, as [`MessageInfo::new`] does.
    pub const fn build(self) -> MessageInfo {
        MessageInfo::new(
            self.label,
            self.caps_unwrapped,
            self.extra_caps,
            self.length,
        )
    }

    /// Sets the label.
    #[must_use]
    pub const fn label(mut self, label: Word) -> Self {
        self.label = label;
        self
    }

    /// Sets the field `capsUnwrapped`, a bit mask of the unwrapped capabilities.
    #[must_use]
    pub const fn caps_unwrapped(mut self, caps_unwrapped: usize) -> Self {
        self.caps_unwrapped = caps_unwrapped;
        self
    }

    /// Sets the number of extra capabilities.
    #[must_use]
    pub const fn extra_caps(mut self, extra_caps: usize) -> Self {
        self.extra_caps = extra_caps;
        self
    }

    /// Sets the length of the message, in words.
    #[must_use]
    pub const fn length(mut self, length: usize) -> Self {
        self.length = length;
        self
    }
}

impl From<MessageInfoBuilder> for MessageInfo {
    fn from(builder: MessageInfoBuilder) -> Self {
        builder.build()
    }
}
