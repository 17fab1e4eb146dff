//! Channels to other PDs and to IRQs, and children.

use core::fmt;

use microkit_abi::{limits, slots};

use crate::{MessageInfo, MessageRegisterValue, platform, symbols};

/// A channel of this protection domain (PD), by the identifier that the system file gives it.
///
/// ```
/// use sel4_microkit::Channel;
///
/// /// `<end pd="client" id="1" />`
/// const SERVER: Channel = Channel::new(1);
/// ```
///
/// # What a client can do to others
///
/// The system file grants the rights to notify and to call. With these rights, safe code has only
/// the following effects on its peers. A server that does not trust its client must be correct with
/// all of these effects:
///
/// * Call ([`pp_call`](Self::pp_call)) at any time, with any label of 52 bits, any length of up to
///   120 words, and any words. A call carries no capability.
/// * Call as often as its budget allows. Meanwhile calls of other clients wait in the order of
///   their priorities. A passive server runs on the client's scheduling context. When the client's
///   budget is used up, the server stops in the middle of the call until the next period.
/// * Be stopped or restarted by its parent in the middle of a call. The kernel then drops the
///   server's reply. A passive server that runs on the client's scheduling context keeps it.
/// * Notify ([`notify`](Self::notify)) at any time and at any rate. Notifications merge, so they
///   take no memory. But each received notification costs the receiver time, and preempts the
///   client if the receiver has the higher priority.
/// * Stop doing anything. The peer may never notify a server that waits for a notification, and may
///   never reply to a server that calls it.
///
/// Safe code cannot send to a server without waiting for the reply. Such a message would leave a
/// passive server without a scheduling context, and so stop it for all of its clients. A client in
/// C, or a client that uses `unsafe`, can send such a message.
///
/// In shared memory, a client can write any bytes at any time, and the server must expect them.
#[derive(Debug, Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Channel {
    index: usize,
}

impl Channel {
    /// Makes the channel with the identifier `index`.
    ///
    /// # Panics
    ///
    /// Panics if `index` is above [`MAX_CHANNEL_ID`](limits::MAX_CHANNEL_ID). No system file can
    /// use such an identifier.
    pub const fn new(index: usize) -> Self {
        assert!(
            index <= limits::MAX_CHANNEL_ID as usize,
            "a channel's identifier is at most 61"
        );
        Self { index }
    }

    /// Makes the channel of a badge. The builder has set the badge, so the index is in range.
    #[inline]
    pub(crate) const fn of_badge(index: u8) -> Self {
        Self {
            index: index as usize,
        }
    }

    /// Returns the identifier.
    pub const fn index(&self) -> usize {
        self.index
    }

    /// Notifies the peer.
    ///
    /// Notifications that the peer has not received yet merge into one.
    ///
    /// ```no_run
    /// # use sel4_microkit::Channel;
    /// const PEER: Channel = Channel::new(0);
    ///
    /// PEER.notify();
    /// ```
    ///
    /// **Blocking:** never.
    /// **Rights:** a channel whose `<end>` for this PD is not `notify="false"`.
    ///
    /// # Panics
    ///
    /// Panics if the channel has no such right, and inside a borrow of the message registers.
    #[inline]
    #[track_caller]
    pub fn notify(&self) {
        self.notification().signal();
    }

    /// Acknowledges the IRQ, which unmasks it.
    ///
    /// ```no_run
    /// # use sel4_microkit::{Channel, IrqAckError};
    /// const TIMER: Channel = Channel::new(3);
    ///
    /// TIMER.irq_ack()?;
    /// # Ok::<(), IrqAckError>(())
    /// ```
    ///
    /// **Blocking:** never.
    /// **Rights:** an `<irq>` with this identifier.
    ///
    /// # Errors
    ///
    /// Returns the error of the kernel. For a channel of an `<irq>` there is never an error.
    ///
    /// # Panics
    ///
    /// Panics if the channel is not an `<irq>`, and inside a borrow of the message registers.
    #[track_caller]
    pub fn irq_ack(&self) -> Result<(), IrqAckError> {
        self.irq_handler().irq_handler_ack().map_err(IrqAckError)
    }

    /// Calls the protected procedure of the peer.
    ///
    /// The message registers hold the words of the message before the call, and the words of the
    /// reply afterwards.
    ///
    /// ```no_run
    /// # use sel4_microkit::{Channel, MessageInfo, get_mr, set_mr};
    /// const SERVER: Channel = Channel::new(1);
    ///
    /// set_mr(0, 40);
    /// let reply = SERVER.pp_call(MessageInfo::new(0, 1));
    /// assert_eq!((reply.count(), get_mr(0)), (1, 42));
    /// ```
    ///
    /// **Blocking:** until the reply arrives. If the server faults during the call, the caller
    /// waits forever, unless the server's parent restarts it and its handler has a
    /// [`restart_reply`](crate::Handler::restart_reply).
    /// **Rights:** a channel whose `<end>` for this PD has `pp="true"`.
    ///
    /// # Panics
    ///
    /// Panics if the channel has no such right, and inside a borrow of the message registers.
    #[inline]
    #[track_caller]
    pub fn pp_call(&self, msg_info: MessageInfo) -> MessageInfo {
        MessageInfo::from_inner(self.endpoint().call(msg_info.into_inner()))
    }

    /// Calls the protected procedure of the peer with the first four words in CPU registers, and
    /// returns the reply's first four.
    ///
    /// The message registers hold the words after the fourth, before the call and after it. The
    /// call does not change the first four message registers.
    ///
    /// ```no_run
    /// # use sel4_microkit::{Channel, MessageInfo};
    /// const SERVER: Channel = Channel::new(1);
    ///
    /// let (reply, words) = SERVER.pp_call_with_mrs(MessageInfo::new(0, 1), [40]);
    /// assert_eq!((reply.count(), words[0]), (1, 42));
    /// ```
    ///
    /// **Blocking:** until the reply arrives. If the server faults during the call, the caller
    /// waits forever, unless the server's parent restarts it and its handler has a
    /// [`restart_reply`](crate::Handler::restart_reply).
    /// **Rights:** a channel whose `<end>` for this PD has `pp="true"`.
    ///
    /// # Panics
    ///
    /// Panics if the channel has no such right, and inside a borrow of the message registers.
    #[inline]
    #[track_caller]
    pub fn pp_call_with_mrs(
        &self,
        msg_info: MessageInfo,
        message: impl sel4::FastMessages,
    ) -> (
        MessageInfo,
        [MessageRegisterValue; sel4::NUM_FAST_MESSAGE_REGISTERS],
    ) {
        let reply = self
            .endpoint()
            .call_with_mrs(msg_info.into_inner(), message);
        (MessageInfo::from_inner(reply.info), reply.msg)
    }

    // No public function returns these three capabilities. With the endpoint, a client could send a
    // message without waiting for the reply. Such a message leaves a passive server without a
    // scheduling context.

    #[inline]
    #[track_caller]
    pub(crate) fn notification(&self) -> sel4::cap::Notification {
        self.check(symbols::notifications(), Use::Notify);
        // SAFETY: K-1.
        unsafe { sel4::Cap::from_bits(slots::BASE_OUTPUT_NOTIFICATION + self.index as u64) }
    }

    #[inline]
    #[track_caller]
    pub(crate) fn irq_handler(&self) -> sel4::cap::IrqHandler {
        self.check(symbols::irqs(), Use::IrqAck);
        // SAFETY: K-1.
        unsafe { sel4::Cap::from_bits(slots::BASE_IRQ + self.index as u64) }
    }

    #[inline]
    #[track_caller]
    pub(crate) fn endpoint(&self) -> sel4::cap::Endpoint {
        self.check(symbols::pps(), Use::Call);
        // SAFETY: K-1. A server of this runtime accepts any message (K-2). So must a server in C.
        unsafe { sel4::Cap::from_bits(slots::BASE_ENDPOINT + self.index as u64) }
    }

    #[inline]
    #[track_caller]
    fn check(&self, granted: u64, wanted: Use) {
        if granted & (1 << self.index) == 0 {
            self.refuse(wanted);
        }
    }

    #[cold]
    #[inline(never)]
    #[track_caller]
    fn refuse(&self, wanted: Use) -> ! {
        let index = self.index;
        let (verb, grant) = match wanted {
            Use::Notify => ("notified", "<end> without notify=\"false\""),
            Use::IrqAck => ("acknowledged", "<irq>"),
            Use::Call => ("called", "<end> with pp=\"true\""),
        };
        panic!(
            "channel {index} cannot be {verb}: the system file gives this protection domain no \
             {grant} for id=\"{index}\""
        )
    }
}

#[derive(Copy, Clone)]
enum Use {
    Notify,
    IrqAck,
    Call,
}

/// The error of [`Channel::irq_ack`].
#[derive(Debug, PartialEq, Eq)]
pub struct IrqAckError(sel4::Error);

impl fmt::Display for IrqAckError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the interrupt could not be acknowledged: {}", self.0)
    }
}

impl core::error::Error for IrqAckError {}

/// A child of this protection domain, by the identifier that the system file gives it.
///
/// The parent receives the child's faults in [`Handler::fault`](crate::Handler::fault).
///
/// ```
/// use sel4_microkit::{Child, EntryPoint, Handler, MessageInfo};
///
/// const WORKER: Child = Child::new(1);
///
/// /// Restarts the worker whenever it faults.
/// struct Parent {
///     entry_point: EntryPoint,
/// }
///
/// fn init() -> Parent {
///     Parent {
///         // The worker has the lower priority, and has not run yet.
///         entry_point: WORKER.entry_point().expect("it is a child"),
///     }
/// }
///
/// impl Handler for Parent {
///     type Error = sel4::Error;
///
///     fn fault(&mut self, child: Child, _: MessageInfo) -> sel4::Result<Option<MessageInfo>> {
///         child.restart(self.entry_point)?;
///         Ok(None)
///     }
/// }
/// ```
#[derive(Debug, Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Child {
    index: usize,
}

impl Child {
    /// Makes the child with the identifier `index`.
    ///
    /// # Panics
    ///
    /// Panics if `index` is above [`MAX_CHANNEL_ID`](limits::MAX_CHANNEL_ID), which also bounds the
    /// identifiers of children.
    pub const fn new(index: usize) -> Self {
        assert!(
            index <= limits::MAX_CHANNEL_ID as usize,
            "a child's identifier is at most 61"
        );
        Self { index }
    }

    /// Makes the child of a badge. The builder has set the badge, so the index is in range.
    #[inline]
    pub(crate) const fn of_badge(index: u8) -> Self {
        Self {
            index: index as usize,
        }
    }

    /// Returns the identifier.
    pub const fn index(&self) -> usize {
        self.index
    }

    /// Suspends the child.
    ///
    /// **Blocking:** never.
    ///
    /// # Errors
    ///
    /// Returns `InvalidCapability` if this PD has no such child.
    #[track_caller]
    pub fn stop(&self) -> sel4::Result<()> {
        self.tcb().tcb_suspend()
    }

    /// Resumes the child where it was stopped.
    ///
    /// **Blocking:** never.
    ///
    /// # Errors
    ///
    /// Returns `InvalidCapability` if this PD has no such child.
    #[track_caller]
    pub fn resume(&self) -> sel4::Result<()> {
        self.tcb().tcb_resume()
    }

    /// Resumes a passive child where it was stopped.
    ///
    /// The notification object of a passive child holds its scheduling context, and lends it only
    /// to a waiting thread. A stopped child is not waiting. So this method binds the scheduling
    /// context to the child. The child then runs as an active PD until a restart
    /// ([`restart_passive`](Self::restart_passive)). A child that was stopped in a call keeps its
    /// caller's scheduling context.
    ///
    /// **Blocking:** never.
    /// **Rights:** the child's scheduling context, `<cap_sc>` in the `<cspace>` of this PD.
    ///
    /// # Errors
    ///
    /// Returns `InvalidCapability` if this PD has no such child, or no such capability.
    #[track_caller]
    pub fn resume_passive(&self, context: sel4::cap::SchedContext) -> sel4::Result<()> {
        self.give(context)?;
        self.resume()
    }

    /// Restarts a passive child at `entry_point`, as [`restart`](Self::restart) does.
    ///
    /// After its initialisation the child is passive again.
    ///
    /// **Blocking:** never.
    /// **Rights:** the child's scheduling context, `<cap_sc>` in the `<cspace>` of this PD.
    ///
    /// # Errors
    ///
    /// Returns `InvalidCapability` if this PD has no such child, or no such capability.
    ///
    /// # Panics
    ///
    /// Panics as [`restart`](Self::restart).
    #[track_caller]
    pub fn restart_passive(
        &self,
        context: sel4::cap::SchedContext,
        entry_point: EntryPoint,
    ) -> sel4::Result<()> {
        self.stop()?;
        self.give(context)?;
        self.restart(entry_point)
    }

    /// Unbinds the scheduling context, and binds it to the child. If the child already has a
    /// scheduling context, this leaves it unbound.
    #[track_caller]
    fn give(&self, context: sel4::cap::SchedContext) -> sel4::Result<()> {
        context.unbind()?;
        match context.bind(self.tcb()) {
            // The child was stopped in a call, and has its caller's scheduling context.
            Err(sel4::Error::IllegalOperation) => Ok(()),
            result => result,
        }
    }

    /// Reads the child's entry point, for [`restart`](Self::restart).
    ///
    /// The child must not have run yet. So the parent needs a higher priority than the child, and
    /// must call this method in its initialisation.
    ///
    /// **Blocking:** never.
    ///
    /// # Errors
    ///
    /// Returns `InvalidCapability` if this PD has no such child.
    ///
    /// # Panics
    ///
    /// Panics if the child has already run: its program counter is no longer the entry point.
    #[track_caller]
    pub fn entry_point(&self) -> sel4::Result<EntryPoint> {
        let registers = self.read_registers()?;
        // On a host the program counter of a child stays at its entry point until the child faults,
        // so the check is not needed.
        if platform::CHILDREN_HAVE_REGISTERS && has_run(&registers) {
            self.refuse_entry_point();
        }
        Ok(EntryPoint {
            child: *self,
            address: *registers.pc() as usize,
        })
    }

    #[cold]
    #[inline(never)]
    #[track_caller]
    fn refuse_entry_point(&self) -> ! {
        panic!(
            "child {} has run already, so its entry point cannot be read: read it in init, and \
             give this protection domain a higher priority than the child's",
            self.index
        )
    }

    /// Restarts the child at `entry_point`, whether it was running, waiting, stopped or at a fault.
    ///
    /// In a program of this crate, statics, stack and heap have their initial values again. The
    /// memory of a program in C does not change. Memory regions do not change either, and
    /// notifications that the child has not received stay pending.
    ///
    /// The kernel cancels the child's pending wait. If the child has called a server, the kernel
    /// drops the server's reply. A *passive* server keeps the child's scheduling context, on which
    /// it runs. The child then does not run again until a PD with its scheduling context (`cap_sc`
    /// of `<cspace>`) binds it to the child.
    ///
    /// A client whose call the child has not answered gets the reply that the child's handler
    /// returns in [`restart_reply`](crate::Handler::restart_reply). If the child has no such reply,
    /// or is written in C, that client becomes inactive. It never runs again, unless its own parent
    /// restarts it.
    ///
    /// **Blocking:** never.
    ///
    /// # Errors
    ///
    /// Returns `InvalidCapability` if this PD has no such child.
    ///
    /// # Panics
    ///
    /// Panics if `entry_point` belongs to another child.
    #[track_caller]
    pub fn restart(&self, entry_point: EntryPoint) -> sel4::Result<()> {
        if entry_point.child != *self {
            self.does_not_begin_there(entry_point);
        }
        let mut registers = sel4::UserContext::default();
        *registers.pc_mut() = entry_point.address as u64;
        // SAFETY: K-3. The child's program starts at this address, and does not depend on other
        // registers. They are zero at the first start, and can have any value at a restart.
        unsafe { self.tcb().tcb_write_registers(true, 1, &mut registers) }
    }

    #[cold]
    #[inline(never)]
    #[track_caller]
    fn does_not_begin_there(&self, entry_point: EntryPoint) -> ! {
        panic!(
            "child {} cannot be restarted at the entry point of child {}",
            self.index, entry_point.child.index
        )
    }

    /// Reads the child's registers.
    ///
    /// **Blocking:** never.
    ///
    /// # Errors
    ///
    /// Returns `InvalidCapability` if this PD has no such child.
    #[track_caller]
    pub fn read_registers(&self) -> sel4::Result<sel4::UserContext> {
        self.tcb().tcb_read_all_registers(false)
    }

    /// Writes the child's registers.
    ///
    /// The state of the child does not change. A child that is stopped, or that waits for the reply
    /// to a fault, does not resume.
    ///
    /// **Blocking:** never.
    ///
    /// # Errors
    ///
    /// Returns `InvalidCapability` if this PD has no such child.
    ///
    /// # Safety
    ///
    /// The child's program must be sound when it resumes with these registers. They determine its
    /// code, its stack and its values.
    #[track_caller]
    pub unsafe fn write_registers(&self, registers: &mut sel4::UserContext) -> sel4::Result<()> {
        // SAFETY: the caller's contract.
        unsafe { self.tcb().tcb_write_all_registers(false, registers) }
    }

    /// Moves the program counter of a child past the faulting instruction.
    ///
    /// The reply [`MessageInfo::fault_retry`] then resumes the child after that instruction.
    ///
    /// **Blocking:** never.
    ///
    /// # Errors
    ///
    /// Returns `InvalidCapability` if this PD has no such child.
    ///
    /// # Safety
    ///
    /// The child's program must be sound without the skipped instruction. It is not sound to skip a
    /// store below the child's stack, or the `udf` at the end of a panic.
    #[track_caller]
    pub unsafe fn skip_instruction(&self) -> sel4::Result<()> {
        let mut registers = self.tcb().tcb_read_registers(false, 1)?;
        *registers.pc_mut() = registers.pc().wrapping_add(4);
        // SAFETY: the caller's contract.
        unsafe { self.tcb().tcb_write_registers(false, 1, &mut registers) }
    }

    /// Returns the capability to the child's thread, for invocations that have no method here.
    pub const fn tcb(&self) -> sel4::cap::Tcb {
        // SAFETY: K-1.
        unsafe { sel4::Cap::from_bits(slots::BASE_TCB + self.index as u64) }
    }
}

/// Returns whether a thread has run beyond the first instructions of its start-up code.
///
/// Microkit starts a thread with all general registers zero (*builder*). From the first function
/// call on, x30 is not zero.
fn has_run(registers: &sel4::UserContext) -> bool {
    (0..=30).any(|index| *registers.gpr(index) != 0)
}

/// The entry point of a child: the address where the child starts. [`Child::entry_point`] reads the
/// address, and [`Child::restart`] uses it.
#[derive(Debug, Copy, Clone, PartialEq, Eq, Hash)]
pub struct EntryPoint {
    child: Child,
    address: usize,
}

impl EntryPoint {
    /// Makes an entry point from an address.
    ///
    /// # Safety
    ///
    /// `address` must be the entry point in the ELF file of the child's program.
    pub const unsafe fn new(child: Child, address: usize) -> Self {
        Self { child, address }
    }

    /// Returns the address of the entry point in the child's address space.
    pub const fn address(&self) -> usize {
        self.address
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_child_has_run_if_any_general_register_is_not_zero() {
        let mut registers = sel4::UserContext::default();
        *registers.pc_mut() = 0x20_0000;
        *registers.sp_mut() = 0x1000;
        assert!(!has_run(&registers));
        for index in 0..=30 {
            let mut registers = registers.clone();
            *registers.gpr_mut(index) = 1;
            assert!(has_run(&registers), "x{index}");
        }
    }
}
