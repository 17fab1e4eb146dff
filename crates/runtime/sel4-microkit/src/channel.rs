//! Channels to other protection domains and to interrupts, and children.

use core::fmt;

use microkit_abi::{limits, slots};

use crate::{MessageInfo, MessageRegisterValue, platform, symbols};

/// A channel of this protection domain, by the identifier that the system file gives it.
///
/// # What a client can do to others
///
/// The system file says who may notify and call whom. With these rights, safe code can do the
/// following to its peers, and nothing else, so a server must be correct with all of it if it does
/// not trust its client:
///
/// * Call ([`pp_call`](Self::pp_call)) at any time, with any label of 52 bits, any length of up to
///   120 words, and any words. A call carries no capability.
/// * Call as often as its budget lasts. While it waits, calls of other clients wait behind it in
///   the order of their priorities. A passive server runs on the client's scheduling context: it
///   stops when the client's budget is used up, in the middle of a call, until the next period.
/// * Be stopped or restarted by its parent in the middle of a call. The server's reply then goes to
///   nobody, and a passive server that runs on the client's scheduling context keeps it.
/// * Notify ([`notify`](Self::notify)) at any time and at any rate. Notifications merge, so they
///   take no memory, but each one that is received costs the receiver time, and wakes it if it has
///   the higher priority.
/// * Stop doing anything: it may never notify a server that waits for that, and never reply to a
///   server that calls it.
///
/// Safe code cannot send to a server without waiting for the reply. Such a message would leave a
/// passive server without a scheduling context, and so stop it for all of its clients. A client in
/// C, or one that uses `unsafe`, can send it.
///
/// What a client writes into memory that it shares with a server is another matter: the server must
/// expect any bytes there at any time.
#[derive(Debug, Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Channel {
    index: usize,
}

impl Channel {
    /// The channel with identifier `index`.
    ///
    /// # Panics
    ///
    /// If `index` is above [`MAX_CHANNEL_ID`](limits::MAX_CHANNEL_ID): no system file can give
    /// that.
    pub const fn new(index: usize) -> Self {
        assert!(
            index <= limits::MAX_CHANNEL_ID as usize,
            "a channel's identifier is at most 61"
        );
        Self { index }
    }

    /// The channel of a badge, which the builder has made: of one that exists.
    #[inline]
    pub(crate) const fn of_badge(index: u8) -> Self {
        Self {
            index: index as usize,
        }
    }

    /// Its identifier.
    pub const fn index(&self) -> usize {
        self.index
    }

    /// Notifies the PD at the other end.
    ///
    /// **Blocks:** never; notifications that were not yet received merge into one.
    /// **Needs:** a channel whose `<end>` for this PD is not `notify="false"`.
    /// **Panics:** if the channel is not such a one, and inside a borrow of the message
    /// registers.
    #[inline]
    #[track_caller]
    pub fn notify(&self) {
        self.notification().signal();
    }

    /// Lets the interrupt come again.
    ///
    /// **Blocks:** never.
    /// **Needs:** an `<irq>` with this identifier.
    /// **Errors:** what the kernel says, which for such a channel is nothing.
    /// **Panics:** if the channel is no interrupt, and inside a borrow of the message registers.
    #[track_caller]
    pub fn irq_ack(&self) -> Result<(), IrqAckError> {
        self.irq_handler().irq_handler_ack().map_err(IrqAckError)
    }

    /// Calls the protected procedure of the PD at the other end, with the message that stands in
    /// the message registers; the reply's words are there afterwards.
    ///
    /// **Blocks:** until the reply comes. If the server faults in the call, that is forever, unless
    /// its parent restarts it and its handler has a
    /// [`restart_reply`](crate::Handler::restart_reply).
    /// **Needs:** a channel whose `<end>` for this PD has `pp="true"`.
    /// **Panics:** if the channel has no such right, and inside a borrow of the message registers.
    #[inline]
    #[track_caller]
    pub fn pp_call(&self, msg_info: MessageInfo) -> MessageInfo {
        MessageInfo::from_inner(self.endpoint().call(msg_info.into_inner()))
    }

    /// Calls the protected procedure of the PD at the other end with the first four words in CPU
    /// registers, and returns the reply's first four. Words after the fourth, if there are, stand in
    /// the message registers, before the call and after it; the first four of these are left as they
    /// are.
    ///
    /// **Blocks:** until the reply comes. If the server faults in the call, that is forever, unless
    /// its parent restarts it and its handler has a
    /// [`restart_reply`](crate::Handler::restart_reply).
    /// **Needs:** a channel whose `<end>` for this PD has `pp="true"`.
    /// **Panics:** if the channel has no such right, and inside a borrow of the message registers.
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

    // The three capabilities are not handed out: with the endpoint, a client could send what leaves
    // a passive server without a scheduling context.

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
        // SAFETY: K-1. A server of this runtime takes any message (K-2), and one in C has to.
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

/// Why [`Channel::irq_ack`] failed.
#[derive(Debug, PartialEq, Eq)]
pub struct IrqAckError(sel4::Error);

impl fmt::Display for IrqAckError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the interrupt could not be acknowledged: {}", self.0)
    }
}

impl core::error::Error for IrqAckError {}

/// A child of this protection domain, by the identifier that the system file gives it.
#[derive(Debug, Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Child {
    index: usize,
}

impl Child {
    /// The child with identifier `index`.
    ///
    /// # Panics
    ///
    /// If `index` is above [`MAX_CHANNEL_ID`](limits::MAX_CHANNEL_ID), which bounds the identifiers
    /// of children too.
    pub const fn new(index: usize) -> Self {
        assert!(
            index <= limits::MAX_CHANNEL_ID as usize,
            "a child's identifier is at most 61"
        );
        Self { index }
    }

    /// The child of a badge, which the builder has made: of one that exists.
    #[inline]
    pub(crate) const fn of_badge(index: u8) -> Self {
        Self {
            index: index as usize,
        }
    }

    /// Its identifier.
    pub const fn index(&self) -> usize {
        self.index
    }

    /// Stops the child.
    ///
    /// **Blocks:** never.
    /// **Errors:** `InvalidCapability` if this PD has no such child.
    #[track_caller]
    pub fn stop(&self) -> sel4::Result<()> {
        self.tcb().tcb_suspend()
    }

    /// Lets the child run on where it was stopped.
    ///
    /// **Blocks:** never.
    /// **Errors:** `InvalidCapability` if this PD has no such child.
    #[track_caller]
    pub fn resume(&self) -> sel4::Result<()> {
        self.tcb().tcb_resume()
    }

    /// Lets a passive child run on where it was stopped.
    ///
    /// A passive child that waits has no scheduling context: its notification has it, and gives it
    /// to a child that waits, which one that was stopped does not. So the child gets it back, and
    /// from now on runs on it as an active one does, until it is restarted
    /// ([`restart_passive`](Self::restart_passive)). One that was stopped in a call runs on on the
    /// caller's.
    ///
    /// **Blocks:** never. **Needs:** the child's scheduling context, `<cap_sc>` in the `<cspace>` of
    /// this PD.
    /// **Errors:** `InvalidCapability` if this PD has no such child, or no such capability.
    #[track_caller]
    pub fn resume_passive(&self, context: sel4::cap::SchedContext) -> sel4::Result<()> {
        self.give(context)?;
        self.resume()
    }

    /// Lets a passive child begin again at `entry_point`, as [`restart`](Self::restart) does. When
    /// it has initialised itself it is passive again.
    ///
    /// **Blocks:** never. **Needs:** the child's scheduling context, `<cap_sc>` in the `<cspace>` of
    /// this PD.
    /// **Errors:** `InvalidCapability` if this PD has no such child, or no such capability.
    /// **Panics:** as [`restart`](Self::restart).
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

    /// Takes the scheduling context from whoever has it, and gives it to the child if it has none.
    #[track_caller]
    fn give(&self, context: sel4::cap::SchedContext) -> sel4::Result<()> {
        context.unbind()?;
        match context.bind(self.tcb()) {
            // It was stopped in a call, and has its caller's.
            Err(sel4::Error::IllegalOperation) => Ok(()),
            result => result,
        }
    }

    /// Reads where the child begins to run, for [`restart`](Self::restart).
    ///
    /// **Blocks:** never. **Needs:** that the child has not run yet: a parent of a higher priority
    /// than its own, which asks in its initialisation.
    /// **Errors:** `InvalidCapability` if this PD has no such child.
    /// **Panics:** if the child has run, because its program counter is then somewhere else.
    #[track_caller]
    pub fn entry_point(&self) -> sel4::Result<EntryPoint> {
        let registers = self.read_registers()?;
        // A program on a host has no registers of its own, and its pc stays where it begins until
        // it faults.
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
            "child {} has run already, so where it begins cannot be read: read it in init, and give \
             this protection domain a higher priority than the child's",
            self.index
        )
    }

    /// Lets the child begin again at `entry_point`, wherever it was: running, waiting, stopped or
    /// at a fault.
    ///
    /// A program of this crate finds its statics, its stack and its heap as they were at first. One
    /// in C finds its memory as it is. Memory regions stay as they are, and so do notifications that
    /// it has not received.
    ///
    /// What it was waiting for is forgotten: who it has called replies to nobody. But a *passive*
    /// server that it has called runs on the child's scheduling context, and keeps it: the child
    /// does not run again until somebody gives it one (`cap_sc` of `<cspace>`).
    ///
    /// Who had called it, and has no reply, gets the one that the child's handler returns in
    /// [`restart_reply`](crate::Handler::restart_reply). If the child returns none there, or is
    /// written in C, that caller becomes inactive: it never runs again, unless its own parent
    /// restarts it.
    ///
    /// **Blocks:** never.
    /// **Errors:** `InvalidCapability` if this PD has no such child.
    /// **Panics:** if `entry_point` is another child's.
    #[track_caller]
    pub fn restart(&self, entry_point: EntryPoint) -> sel4::Result<()> {
        if entry_point.child != *self {
            self.does_not_begin_there(entry_point);
        }
        let mut registers = sel4::UserContext::default();
        *registers.pc_mut() = entry_point.address as u64;
        // SAFETY: K-3: the child's program begins there, and relies on no other register: its
        // thread is started with zeros, and restarted with anything.
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
    /// **Blocks:** never.
    /// **Errors:** `InvalidCapability` if this PD has no such child.
    #[track_caller]
    pub fn read_registers(&self) -> sel4::Result<sel4::UserContext> {
        self.tcb().tcb_read_all_registers(false)
    }

    /// Writes the child's registers. It goes on as it did: if it is stopped, or waits for the reply
    /// to a fault, it stays so.
    ///
    /// **Blocks:** never.
    /// **Errors:** `InvalidCapability` if this PD has no such child.
    ///
    /// # Safety
    ///
    /// The child's program is sound when it resumes with these registers: they choose what it runs,
    /// on which stack, with which values.
    #[track_caller]
    pub unsafe fn write_registers(&self, registers: &mut sel4::UserContext) -> sel4::Result<()> {
        // SAFETY: the caller's contract.
        unsafe { self.tcb().tcb_write_all_registers(false, registers) }
    }

    /// Has a child that has faulted go on after the instruction, once its fault is replied to with
    /// [`MessageInfo::fault_retry`].
    ///
    /// **Blocks:** never.
    /// **Errors:** `InvalidCapability` if this PD has no such child.
    ///
    /// # Safety
    ///
    /// The child's program is sound without the instruction. It is not sound without a store below
    /// its stack, or without the `udf` at the end of a panic.
    #[track_caller]
    pub unsafe fn skip_instruction(&self) -> sel4::Result<()> {
        let mut registers = self.tcb().tcb_read_registers(false, 1)?;
        *registers.pc_mut() = registers.pc().wrapping_add(4);
        // SAFETY: the caller's contract.
        unsafe { self.tcb().tcb_write_registers(false, 1, &mut registers) }
    }

    /// The capability to its thread, for what has no method here.
    pub const fn tcb(&self) -> sel4::cap::Tcb {
        // SAFETY: K-1.
        unsafe { sel4::Cap::from_bits(slots::BASE_TCB + self.index as u64) }
    }
}

/// Whether a thread has run its program beyond the start-up code, if not to the end of that.
///
/// Microkit starts a thread with all general registers zero (*builder*), and x30 is something else
/// from the first call on.
fn has_run(registers: &sel4::UserContext) -> bool {
    (0..=30).any(|index| *registers.gpr(index) != 0)
}

/// Where a child begins to run: [`Child::entry_point`] reads it, [`Child::restart`] takes it.
#[derive(Debug, Copy, Clone, PartialEq, Eq, Hash)]
pub struct EntryPoint {
    child: Child,
    address: usize,
}

impl EntryPoint {
    /// Makes an entry point of a number.
    ///
    /// # Safety
    ///
    /// `address` is the entry point of the child's program, as its ELF file says.
    pub const unsafe fn new(child: Child, address: usize) -> Self {
        Self { child, address }
    }

    /// Returns the address, in the child's address space.
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
