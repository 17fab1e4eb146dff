//! The reply to an unanswered call that an earlier incarnation of a restarted server has received.

use crate::{MessageInfo, MessageLabel};

/// The reply to an unanswered call that an earlier incarnation has received: a label without words.
/// [`restart_reply!`](crate::restart_reply!) makes the reply, and
/// [`Handler::restart_reply`](crate::Handler::restart_reply) returns it.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub struct RestartReply {
    label: MessageLabel,
}

impl RestartReply {
    /// Makes the reply. [`restart_reply!`](crate::restart_reply!) expands to a call of this
    /// function.
    ///
    /// # Panics
    ///
    /// Panics if `label` has more than [`MessageInfo::label_width`] bits.
    #[doc(hidden)]
    pub const fn new(label: MessageLabel) -> Self {
        assert!(
            label >> MessageInfo::label_width() == 0,
            "a label has at most 52 bits"
        );
        Self { label }
    }

    /// Returns the label.
    pub const fn label(self) -> MessageLabel {
        self.label
    }

    /// Returns the description of the message.
    pub(crate) const fn message(self) -> MessageInfo {
        MessageInfo::new(self.label, 0)
    }
}

/// Makes the reply that [`Handler::restart_reply`](crate::Handler::restart_reply) returns, from a
/// constant label. The macro also records the reply in the ELF file, for `cargo microkit check`.
///
/// ```
/// use sel4_microkit::{Handler, Infallible, RestartReply, restart_reply};
///
/// /// The server was restarted, and nobody knows whether the call was executed.
/// const RESTARTED: u64 = 1;
///
/// struct Server;
///
/// impl Handler for Server {
///     type Error = Infallible;
///
///     fn restart_reply(&self) -> Option<RestartReply> {
///         Some(restart_reply!(RESTARTED))
///     }
/// }
///
/// assert_eq!(Server.restart_reply().map(RestartReply::label), Some(RESTARTED));
/// ```
///
/// The record is the line `reply LABEL` in the section `.microkit.restart`. The section is not
/// loaded.
#[macro_export]
macro_rules! restart_reply {
    ($label:expr) => {{
        const REPLY: $crate::RestartReply = $crate::RestartReply::new($label);
        // `global_asm!` would record the reply in each program that is linked with this module.
        // With `asm!`, only a program that contains this code has the record.
        #[cfg(target_os = "none")]
        // SAFETY: the lines add no instruction. The lines only write to a section that is not
        // loaded.
        unsafe {
            ::core::arch::asm!(
                ".pushsection .microkit.restart, \"\", %progbits",
                ".ascii \"reply {label}\\n\"",
                ".popsection",
                label = const REPLY.label(),
                options(nomem, nostack, preserves_flags),
            );
        }
        REPLY
    }};
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_restart_reply_has_no_words() {
        let reply = restart_reply!(7);
        assert_eq!(reply.message(), MessageInfo::new(7, 0));
    }

    #[test]
    #[should_panic(expected = "a label has at most 52 bits")]
    fn a_label_that_no_message_can_have_is_refused() {
        RestartReply::new(1 << 52);
    }
}
