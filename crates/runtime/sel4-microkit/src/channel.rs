//! Channels to other PDs and to IRQs, and children.

use core::fmt;

use microkit_abi::{limits, slots};

use crate::{MessageInfo, MessageRegisterValue, platform, symbols};

/// A channel of this protection domain (PD), identified by the `id` of its `<end>` or `<irq>`.
///
/// ```
/// use sel4_microkit::Channel;
///
/// /// `<end pd="client" id="1" />`
/// const SERVER: Channel = Channel::new(1);
/// ```
///
/// # Effects of a client on its peers
///
/// The system file grants the rights to notify and to call. With these rights, the safe code of a
/// client has only the following effects on its peers. A server that does not trust its client must
/// remain correct under all of these effects. A client can:
///
/// * Call ([`pp_call`](Self::pp_call)) at any time, with any label of 52 bits, any length of up to
///   120 words, and any words. A call carries no capability.
/// * Call as often as the client's budget allows. Meanwhile the calls of other clients wait in
///   priority order. A passive server runs on the client's scheduling context. When the client's
///   budget is exhausted, this server pauses in the middle of the call until the client's next
///   period.
/// * Be stopped or restarted by the client's parent in the middle of a call. The kernel then drops
///   the server's reply. A passive server keeps the client's scheduling context.
/// * Notify ([`notify`](Self::notify)) at any time and at any rate. Notifications merge, so they
///   take no memory. But each received notification costs the receiver time, and preempts the
///   client if the receiver has the higher priority.
/// * Stop responding. A server that waits for a notification of the client, or that calls the
///   client, may then wait forever.
///
/// Safe code cannot send a message to a server without waiting for the reply. Without the wait, a
/// passive server would lose its scheduling context and stop for all of its clients. A client in C,
/// or a client that uses `unsafe`, can send without waiting.
///
/// A client can write any bytes to shared memory at any time. The server must handle any bytes that
/// it reads from shared memory.
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
    /// use a higher identifier.
    pub const fn new(index: usize) -> Self {
        assert!(
            index <= limits::MAX_CHANNEL_ID as usize,
            "a channel's identifier is at most 61"
        );
        Self { index }
    }

    /// Makes the channel from the index in a badge. The builder has set the badge, so the index is
    /// in range.
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
    /// **Rights:** a channel whose `<end>` for this PD does not have `notify="false"`.
    ///
    /// # Panics
    ///
    /// Panics if this PD does not have the right. Also panics inside a borrow of the message
    /// registers.
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
    /// Returns the kernel's error. For the channel of an `<irq>`, the kernel never returns an
    /// error.
    ///
    /// # Panics
    ///
    /// Panics if the channel is not an `<irq>`. Also panics inside a borrow of the message
    /// registers.
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
    /// waits forever, unless the server's parent restarts the server and the server has a
    /// [`restart_reply`](crate::Handler::restart_reply).
    /// **Rights:** a channel whose `<end>` for this PD has `pp="true"`.
    ///
    /// # Panics
    ///
    /// Panics if this PD does not have the right. Also panics inside a borrow of the message
    /// registers.
    #[inline]
    #[track_caller]
    pub fn pp_call(&self, msg_info: MessageInfo) -> MessageInfo {
        MessageInfo::from_inner(self.endpoint().call(msg_info.into_inner()))
    }

    /// Calls the protected procedure of the peer with the first four words in CPU registers, and
    /// returns the first four words of the reply.
    ///
    /// The message registers hold the other words of the message and of the reply, from the fifth
    /// word on. The call does not change the first four message registers.
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
    /// waits forever, unless the server's parent restarts the server and the server has a
    /// [`restart_reply`](crate::Handler::restart_reply).
    /// **Rights:** a channel whose `<end>` for this PD has `pp="true"`.
    ///
    /// # Panics
    ///
    /// Panics if this PD does not have the right. Also panics inside a borrow of the message
    /// registers.
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
    // message without waiting for the reply. A passive server would then have no scheduling
    // context.

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
        // SAFETY: K-1. A server of this runtime accepts any message (K-2). A server in C must
        // accept any message too.
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

/// A child of this protection domain, identified by its `id` in the system file.
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
    /// Panics if `index` is above [`MAX_CHANNEL_ID`](limits::MAX_CHANNEL_ID). Children and channels
    /// have the same limit.
    pub const fn new(index: usize) -> Self {
        assert!(
            index <= limits::MAX_CHANNEL_ID as usize,
            "a child's identifier is at most 61"
        );
        Self { index }
    }

    /// Makes the child from the index in a badge. The builder has set the badge, so the index is in
    /// range.
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
    /// Returns `InvalidCapability` if this PD has no child with this identifier.
    #[track_caller]
    pub fn stop(&self) -> sel4::Result<()> {
        self.tcb().tcb_suspend()
    }

    /// Resumes the child at the instruction where it was stopped.
    ///
    /// **Blocking:** never.
    ///
    /// # Errors
    ///
    /// Returns `InvalidCapability` if this PD has no child with this identifier.
    #[track_caller]
    pub fn resume(&self) -> sel4::Result<()> {
        self.tcb().tcb_resume()
    }

    /// Resumes a passive child at the instruction where it was stopped.
    ///
    /// The notification object of a passive child holds the child's scheduling context, and lends
    /// the context only to a waiting thread. A stopped child is not waiting. So this method binds
    /// the scheduling context to the child. The child then runs as an active PD until a restart
    /// ([`restart_passive`](Self::restart_passive)). A child that was stopped in a call keeps its
    /// caller's scheduling context.
    ///
    /// **Blocking:** never.
    /// **Rights:** the child's scheduling context, `<cap_sc>` in the `<cspace>` of this PD.
    ///
    /// # Errors
    ///
    /// Returns `InvalidCapability` if this PD has no child with this identifier, or if the slot of
    /// `context` is empty.
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
    /// Returns `InvalidCapability` if this PD has no child with this identifier, or if the slot of
    /// `context` is empty.
    ///
    /// # Panics
    ///
    /// Panics in the same cases as [`restart`](Self::restart).
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

    /// Unbinds `context`, and binds `context` to the child. If the child already has a scheduling
    /// context, `context` stays unbound.
    #[track_caller]
    fn give(&self, context: sel4::cap::SchedContext) -> sel4::Result<()> {
        context.unbind()?;
        match context.bind(self.tcb()) {
            // The bind fails because the child was stopped in a call, and still has its caller's
            // scheduling context.
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
    /// Returns `InvalidCapability` if this PD has no child with this identifier.
    ///
    /// # Panics
    ///
    /// Panics if the child has already run: its program counter is no longer the entry point.
    #[track_caller]
    pub fn entry_point(&self) -> sel4::Result<EntryPoint> {
        let registers = self.read_registers()?;
        // On a host, the program counter of a child stays at its entry point until the child
        // faults, so the check is not needed.
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

    /// Restarts the child at `entry_point`. The child may be running, waiting, stopped or faulted.
    ///
    /// In a program of this crate, statics, stack and heap have their initial values again. The
    /// memory of a program in C does not change. Memory regions do not change either. Notifications
    /// that the child has not received stay pending.
    ///
    /// The kernel cancels the child's pending wait. If the child has called a server, the kernel
    /// drops the server's reply. A *passive* server keeps the child's scheduling context. The child
    /// then does not run until a PD with a `<cap_sc>` for that scheduling context binds the
    /// scheduling context to the child.
    ///
    /// If the child has not answered a client's call, the client receives the child's
    /// [`restart_reply`](crate::Handler::restart_reply). If the child has no `restart_reply`, or is
    /// written in C, the client becomes inactive. An inactive client runs again only if its own
    /// parent restarts it.
    ///
    /// **Blocking:** never.
    ///
    /// # Errors
    ///
    /// Returns `InvalidCapability` if this PD has no child with this identifier.
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
        // registers. Those registers are zero at the first start, and can have any value at a
        // restart.
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
    /// Returns `InvalidCapability` if this PD has no child with this identifier.
    #[track_caller]
    pub fn read_registers(&self) -> sel4::Result<sel4::UserContext> {
        self.tcb().tcb_read_all_registers(false)
    }

    /// Writes the child's registers.
    ///
    /// The state of the child does not change. A child that is stopped or waits for the reply to a
    /// fault does not resume.
    ///
    /// **Blocking:** never.
    ///
    /// # Errors
    ///
    /// Returns `InvalidCapability` if this PD has no child with this identifier.
    ///
    /// # Safety
    ///
    /// The child's program must be sound when it resumes with these registers. The registers
    /// determine the program's code, stack and values.
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
    /// Returns `InvalidCapability` if this PD has no child with this identifier.
    ///
    /// # Safety
    ///
    /// The child's program must be sound without the skipped instruction. Skipping a store below
    /// the child's stack, or the `udf` at the end of a panic, is unsound.
    #[track_caller]
    pub unsafe fn skip_instruction(&self) -> sel4::Result<()> {
        let mut registers = self.tcb().tcb_read_registers(false, 1)?;
        *registers.pc_mut() = registers.pc().wrapping_add(4);
        // SAFETY: the caller's contract.
        unsafe { self.tcb().tcb_write_registers(false, 1, &mut registers) }
    }

    /// Returns the capability to the child's thread, for invocations that `Child` has no method
    /// for.
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
/// address, and [`Child::restart`] uses the address.
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
