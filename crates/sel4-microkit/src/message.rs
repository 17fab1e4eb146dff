//! Messages between protection domains: what describes them, and their words.

/// What a message is about: the sender's choice.
pub type MessageLabel = sel4::Word;

/// A word of a message.
pub type MessageRegisterValue = sel4::Word;

/// Describes a message: a label, and how many message registers it fills.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageInfo {
    inner: sel4::MessageInfo,
}

impl MessageInfo {
    /// Describes a message of `count` words.
    ///
    /// # Panics
    ///
    /// If `label` has more than [`label_width`](Self::label_width) bits, or `count` is above 120.
    #[inline]
    pub const fn new(label: MessageLabel, count: usize) -> Self {
        Self {
            inner: sel4::MessageInfo::new(label, 0, 0, count),
        }
    }

    /// The label.
    #[inline]
    pub const fn label(&self) -> MessageLabel {
        self.inner.label()
    }

    /// Bits of a label.
    pub const fn label_width() -> usize {
        sel4::MessageInfo::LABEL_BITS as usize
    }

    /// How many message registers the message fills.
    #[inline]
    pub const fn count(&self) -> usize {
        self.inner.length()
    }

    /// Reads the fault message that was just received.
    ///
    /// **Panics:** if the label is not that of a fault, and inside a mutable borrow of the
    /// message registers.
    #[track_caller]
    pub fn fault(&self) -> sel4::Fault {
        sel4::with_ipc_buffer(|buffer| sel4::Fault::new(buffer, &self.inner))
    }

    /// Leaves a reply to a fault in the message registers, and describes it: what
    /// [`Handler::fault`](crate::Handler::fault) is to return.
    ///
    /// ```no_run
    /// use sel4::{Fault, FaultReply};
    /// use sel4_microkit::{Child, MessageInfo};
    ///
    /// fn answer(child: Child, message: MessageInfo) -> sel4::Result<Option<MessageInfo>> {
    ///     let reply = match message.fault() {
    ///         // The instruction is passed over.
    ///         Fault::UserException(fault) => fault.reply().into(),
    ///         // So is this one, by the child's registers: the kernel takes none from the reply.
    ///         Fault::VmFault(_) => {
    ///             child.skip_instruction()?;
    ///             FaultReply::retry()
    ///         }
    ///         // The child stays as it is.
    ///         _ => return Ok(None),
    ///     };
    ///     Ok(Some(MessageInfo::fault_reply(reply)))
    /// }
    /// ```
    ///
    /// **Panics:** inside a borrow of the message registers.
    #[track_caller]
    pub fn fault_reply(reply: impl Into<sel4::FaultReply>) -> Self {
        let reply = reply.into();
        Self::from_inner(sel4::with_ipc_buffer_mut(|buffer| reply.write(buffer)))
    }

    #[doc(hidden)]
    #[inline]
    pub const fn from_inner(inner: sel4::MessageInfo) -> Self {
        Self { inner }
    }

    #[doc(hidden)]
    #[inline]
    pub const fn inner(&self) -> &sel4::MessageInfo {
        &self.inner
    }

    #[doc(hidden)]
    #[inline]
    pub const fn into_inner(self) -> sel4::MessageInfo {
        self.inner
    }
}

impl Default for MessageInfo {
    fn default() -> Self {
        Self::new(0, 0)
    }
}

/// Reads a message register.
///
/// **Panics:** if there is no such register, and inside a mutable borrow of the message
/// registers.
#[inline]
#[track_caller]
pub fn get_mr(i: usize) -> MessageRegisterValue {
    sel4::msg_reg(i)
}

/// Writes a message register.
///
/// **Panics:** if there is no such register, and inside a borrow of the message registers.
#[inline]
#[track_caller]
pub fn set_mr(i: usize, value: MessageRegisterValue) {
    sel4::set_msg_reg(i, value);
}

/// Lends the message registers to be read, for as long as `f` runs.
///
/// **Panics:** inside a mutable borrow of them. A notification or call inside `f` panics too: the
/// kernel would overwrite what is borrowed.
#[inline]
#[track_caller]
pub fn with_msg_regs<T>(f: impl FnOnce(&[MessageRegisterValue]) -> T) -> T {
    sel4::with_ipc_buffer(|buffer| f(buffer.msg_regs()))
}

/// Lends the message registers to be written, for as long as `f` runs.
///
/// **Panics:** inside a borrow of them. A notification or call inside `f` panics too: the kernel
/// would overwrite what is borrowed.
#[inline]
#[track_caller]
pub fn with_msg_regs_mut<T>(f: impl FnOnce(&mut [MessageRegisterValue]) -> T) -> T {
    sel4::with_ipc_buffer_mut(|buffer| f(buffer.msg_regs_mut()))
}

/// Lends the message registers to be read as bytes, as [`with_msg_regs`].
#[inline]
#[track_caller]
pub fn with_msg_bytes<T>(f: impl FnOnce(&[u8]) -> T) -> T {
    sel4::with_ipc_buffer(|buffer| f(buffer.msg_bytes()))
}

/// Lends the message registers to be written as bytes, as [`with_msg_regs_mut`].
#[inline]
#[track_caller]
pub fn with_msg_bytes_mut<T>(f: impl FnOnce(&mut [u8]) -> T) -> T {
    sel4::with_ipc_buffer_mut(|buffer| f(buffer.msg_bytes_mut()))
}
