//! Messages between PDs: the description [`MessageInfo`], and the message registers.

/// The label of a message. The sender chooses the label.
pub type MessageLabel = sel4::Word;

/// A word of a message.
pub type MessageRegisterValue = sel4::Word;

/// The description of a message: its label, and the number of message registers that it fills.
///
/// ```
/// use sel4_microkit::MessageInfo;
///
/// let info = MessageInfo::new(7, 2);
/// assert_eq!((info.label(), info.count()), (7, 2));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageInfo {
    inner: sel4::MessageInfo,
}

impl MessageInfo {
    /// Describes a message of `count` words.
    ///
    /// # Panics
    ///
    /// Panics if `label` has more than [`label_width`](Self::label_width) bits, or `count` is above
    /// 120.
    #[inline]
    pub const fn new(label: MessageLabel, count: usize) -> Self {
        Self {
            inner: sel4::MessageInfo::new(label, 0, 0, count),
        }
    }

    /// Returns the label.
    #[inline]
    pub const fn label(&self) -> MessageLabel {
        self.inner.label()
    }

    /// Returns the number of bits of a label.
    pub const fn label_width() -> usize {
        sel4::MessageInfo::label_width()
    }

    /// Returns the number of message registers that the message fills.
    #[inline]
    pub const fn count(&self) -> usize {
        self.inner.length()
    }

    /// Reads the fault message that was just received.
    ///
    /// # Panics
    ///
    /// Panics if the label is not the label of a fault. Also panics inside a mutable borrow of the
    /// message registers.
    #[track_caller]
    pub fn fault(&self) -> sel4::Fault {
        sel4::with_ipc_buffer(|buffer| sel4::Fault::new(buffer, &self.inner))
    }

    /// Describes the reply to a fault that makes the child retry the instruction.
    ///
    /// [`Handler::fault`](crate::Handler::fault) returns this reply after it has removed the cause
    /// of the fault.
    pub const fn fault_retry() -> Self {
        Self::new(0, 0)
    }

    /// Writes a reply to a fault into the message registers, and returns the description of the
    /// reply.
    ///
    /// [`Handler::fault`](crate::Handler::fault) returns the description. Unlike
    /// [`fault_retry`](Self::fault_retry), this reply may set registers of the child.
    ///
    /// ```no_run
    /// use sel4::Fault;
    /// use sel4_microkit::{Child, MessageInfo};
    ///
    /// /// # Safety
    /// ///
    /// /// The child's program is sound without the instructions at which it faults.
    /// unsafe fn skip(child: Child, message: MessageInfo) -> sel4::Result<Option<MessageInfo>> {
    ///     Ok(match message.fault() {
    ///         Fault::UserException(fault) => {
    ///             // SAFETY: the caller's contract. The reply is returned at once.
    ///             Some(unsafe { MessageInfo::fault_reply(fault.reply()) })
    ///         }
    ///         // The kernel takes no registers from the reply to this one.
    ///         Fault::VmFault(_) => {
    ///             // SAFETY: the caller's contract.
    ///             unsafe { child.skip_instruction()? };
    ///             Some(MessageInfo::fault_retry())
    ///         }
    ///         // The child stays as it is.
    ///         _ => None,
    ///     })
    /// }
    /// ```
    ///
    /// # Panics
    ///
    /// Panics inside a borrow of the message registers.
    ///
    /// # Safety
    ///
    /// The child must be sound when it resumes with the registers of the reply. The registers
    /// determine the child's code, stack and values. The words must stay in the message registers
    /// until the handler returns, and the handler must return the result once.
    #[track_caller]
    pub unsafe fn fault_reply(reply: impl Into<sel4::FaultReply>) -> Self {
        let reply = reply.into();
        let info = sel4::with_ipc_buffer_mut(|buffer| reply.write(buffer));
        Self {
            inner: sel4::MessageInfo::new(info.label(), VOUCHED, 0, info.length()),
        }
    }

    /// Returns whether the message has words but was not made by
    /// [`fault_reply`](Self::fault_reply).
    #[inline]
    pub(crate) fn may_set_registers(&self) -> bool {
        let is_vouched = self.inner.caps_unwrapped() == VOUCHED && self.inner.extra_caps() == 0;
        self.count() != 0 && !is_vouched
    }

    #[inline]
    pub(crate) const fn from_inner(inner: sel4::MessageInfo) -> Self {
        Self { inner }
    }

    /// Converts to the message description of the crate `sel4`.
    #[inline]
    pub const fn inner(&self) -> &sel4::MessageInfo {
        &self.inner
    }

    #[inline]
    pub(crate) const fn into_inner(self) -> sel4::MessageInfo {
        self.inner
    }
}

/// Marks a message that [`MessageInfo::fault_reply`] has made, in the field `caps_unwrapped`.
///
/// A message without capabilities does not use the field. The kernel ignores the field in a sent
/// message. A received message without capabilities never has this value: the bit means that the
/// third capability was unwrapped, so the message would have three capabilities (seL4 16.0.0,
/// `transferCaps`).
const VOUCHED: usize = 0b100;

impl Default for MessageInfo {
    fn default() -> Self {
        Self::new(0, 0)
    }
}

/// Reads a message register.
///
/// # Panics
///
/// Panics if `i` is not the index of a message register. Also panics inside a mutable borrow of the
/// message registers.
#[inline]
#[track_caller]
pub fn get_mr(i: usize) -> MessageRegisterValue {
    sel4::msg_reg(i)
}

/// Writes a message register.
///
/// # Panics
///
/// Panics if `i` is not the index of a message register. Also panics inside a borrow of the message
/// registers.
#[inline]
#[track_caller]
pub fn set_mr(i: usize, value: MessageRegisterValue) {
    sel4::set_msg_reg(i, value);
}

/// Lends the message registers to `f` for reading.
///
/// The closure cannot notify or call: the kernel would overwrite the borrowed registers.
///
/// ```no_run
/// let sum: u64 = sel4_microkit::with_msg_regs(|registers| registers[..3].iter().sum());
/// ```
///
/// # Panics
///
/// Panics inside a mutable borrow of the message registers. A notification or a call inside `f`
/// also panics.
#[inline]
#[track_caller]
pub fn with_msg_regs<T>(f: impl FnOnce(&[MessageRegisterValue]) -> T) -> T {
    sel4::with_ipc_buffer(|buffer| f(buffer.msg_regs()))
}

/// Lends the message registers to `f` for writing.
///
/// The closure cannot notify or call: the kernel would overwrite the borrowed registers.
///
/// ```no_run
/// sel4_microkit::with_msg_regs_mut(|registers| registers[..3].fill(0));
/// ```
///
/// # Panics
///
/// Panics inside a borrow of the message registers. A notification or a call inside `f` also
/// panics.
#[inline]
#[track_caller]
pub fn with_msg_regs_mut<T>(f: impl FnOnce(&mut [MessageRegisterValue]) -> T) -> T {
    sel4::with_ipc_buffer_mut(|buffer| f(buffer.msg_regs_mut()))
}

/// Lends the bytes of the message registers to `f` for reading.
///
/// # Panics
///
/// Panics in the same cases as [`with_msg_regs`].
#[inline]
#[track_caller]
pub fn with_msg_bytes<T>(f: impl FnOnce(&[u8]) -> T) -> T {
    sel4::with_ipc_buffer(|buffer| f(buffer.msg_bytes()))
}

/// Lends the bytes of the message registers to `f` for writing.
///
/// # Panics
///
/// Panics in the same cases as [`with_msg_regs_mut`].
#[inline]
#[track_caller]
pub fn with_msg_bytes_mut<T>(f: impl FnOnce(&mut [u8]) -> T) -> T {
    sel4::with_ipc_buffer_mut(|buffer| f(buffer.msg_bytes_mut()))
}
