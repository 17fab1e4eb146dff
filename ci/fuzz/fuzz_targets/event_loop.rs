//! Fuzzes the event loop with a kernel that returns arbitrary results. The runtime uses only
//! granted capabilities, replies only to a waiting caller, and loses no deferred action. The
//! runtime stops only with a message that states the reason.
#![no_main]

use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::rc::Rc;

use libfuzzer_sys::fuzz_target;
use microkit_abi::badge::Origin;
use microkit_abi::slots;
use sel4::sys::host::{HostBuffer, HostKernel, Registers, install, new_ipc_buffer};
use sel4::sys::{MAX_MESSAGE_WORDS, MessageInfo as Info, invocation, syscall};
use sel4::{Fault, FaultReply, IpcBufferToken};
use sel4_microkit::host::{ProtectionDomain, State, run, watch_panics};
use sel4_microkit::{
    Channel, ChannelSet, Child, DeferredAction, DeferredActionSlot, Handler, IrqAckError,
    MessageInfo, get_mr, with_msg_regs, with_msg_regs_mut,
};

/// A kernel that returns random results.
struct Kernel {
    pd: ProtectionDomain,
    input: RefCell<std::vec::IntoIter<u8>>,
    /// Whether a caller or a faulted child waits for a reply.
    is_owed: Cell<bool>,
    /// The number of notifications that the handler has deferred and the kernel has not received.
    deferred: Cell<u32>,
    console: RefCell<Vec<u8>>,
    /// The first invalid action of the program.
    wrong: RefCell<Option<String>>,
}

/// The panic payload that ends a program when the input is used up.
struct End;

impl Kernel {
    /// Records an error and ends the program, unless `holds` is true.
    fn check(&self, holds: bool, wrong: impl FnOnce() -> String) {
        if !holds {
            self.wrong.replace(Some(wrong()));
            resume_unwind(Box::new(End));
        }
    }

    fn word(&self) -> u64 {
        let mut input = self.input.borrow_mut();
        if input.as_slice().is_empty() {
            drop(input);
            resume_unwind(Box::new(End));
        }
        // The value is a small number, a single high bit with a small number, or an arbitrary word.
        let byte = u64::from(input.next().unwrap_or(0));
        match byte >> 6 {
            0 => byte,
            1 => 1 << 63 | byte & 0x3f,
            2 => 1 << 62 | byte & 0x3f,
            _ => {
                let mut bytes = [0; 8];
                bytes
                    .iter_mut()
                    .for_each(|byte| *byte = input.next().unwrap_or(0));
                u64::from_le_bytes(bytes)
            }
        }
    }

    fn is_granted(&self, capability: u64, base: u64, mask: u64) -> bool {
        let index = capability.wrapping_sub(base);
        index < 62 && mask >> index & 1 == 1
    }

    fn check_destination(&self, capability: u64, info: Info) {
        let notifies = self.is_granted(
            capability,
            slots::BASE_OUTPUT_NOTIFICATION,
            self.pd.notifications,
        );
        let calls = self.is_granted(capability, slots::BASE_ENDPOINT, self.pd.pps);
        let acknowledges = self.is_granted(capability, slots::BASE_IRQ, self.pd.irqs)
            && info.label() == invocation::IRQAckIRQ;
        let forfeits = capability == slots::MONITOR_ENDPOINT && self.pd.passive;
        self.check(notifies || calls || acknowledges || forfeits, || {
            format!("{capability} is used, which {:?} was not given", self.pd)
        });
        let fits = info.length() <= MAX_MESSAGE_WORDS && info.extra_caps() == 0;
        self.check(fits, || format!("{info:?} is sent"));
        if notifies && self.deferred.get() > 0 {
            self.deferred.set(self.deferred.get() - 1);
        }
    }
}

impl HostKernel for Kernel {
    fn system_call(&self, registers: &mut Registers, buffer: Option<HostBuffer<'_>>) {
        if std::thread::panicking() {
            *registers = Registers::default();
            return;
        }
        let info = Info::from_word(registers.info);
        let mut is_receive = true;
        match registers.number {
            syscall::DebugPutChar => {
                self.console.borrow_mut().push(registers.capability as u8);
                return;
            }
            syscall::Recv => {}
            syscall::ReplyRecv => {
                self.check(self.is_owed.take(), || "nobody waits for that reply".into());
            }
            syscall::NBSendRecv => self.check_destination(registers.destination, info),
            syscall::Send => {
                self.check_destination(registers.capability, info);
                return;
            }
            syscall::Call => {
                self.check_destination(registers.capability, info);
                is_receive = false;
            }
            number => self.check(false, || format!("it makes system call {number}")),
        }
        if is_receive {
            let slots = (registers.capability, registers.reply);
            self.check(slots == (slots::INPUT, slots::REPLY), || {
                format!("it receives with {slots:?}")
            });
            let all_done = self.deferred.get() == 0;
            self.check(all_done, || "something deferred was not done".into());
        }
        registers.capability = self.word();
        registers.info = self.word();
        registers.message = core::array::from_fn(|_| self.word());
        if let Some(mut buffer) = buffer {
            let place = self.word() as usize % HostBuffer::WORDS;
            buffer.write(place, self.word());
        }
        if is_receive {
            let origin = Origin::from_badge(registers.capability);
            self.is_owed
                .set(!matches!(origin, Origin::Notifications(_)));
        }
    }
}

/// A handler that reacts to every event.
struct Busy {
    kernel: Rc<Kernel>,
    slot: DeferredActionSlot,
}

impl Busy {
    fn defer(&mut self, channel: Channel) -> Result<(), IrqAckError> {
        let granted = self.kernel.pd.notifications >> channel.index() & 1 == 1;
        if granted {
            self.kernel.deferred.set(self.kernel.deferred.get() + 1);
        }
        // If this PD may not notify the channel, this line or the deferred action panics.
        self.slot.defer_notify(channel)
    }
}

impl Handler for Busy {
    type Error = IrqAckError;

    fn notified(&mut self, channels: ChannelSet) -> Result<(), IrqAckError> {
        for channel in channels {
            if self.kernel.pd.irqs >> channel.index() & 1 == 1 {
                channel.irq_ack()?;
            }
            self.defer(channel)?;
        }
        Ok(())
    }

    fn protected(
        &mut self,
        channel: Channel,
        info: MessageInfo,
    ) -> Result<MessageInfo, IrqAckError> {
        let count = info.count().min(MAX_MESSAGE_WORDS);
        let sum = with_msg_regs(|regs| regs[..count].iter().fold(0_u64, |a, b| a.wrapping_add(*b)));
        with_msg_regs_mut(|regs| regs[..count].fill(sum));
        if self.kernel.pd.pps >> channel.index() & 1 == 1 {
            channel.pp_call(MessageInfo::new(info.label(), count));
        }
        if sum & 1 == 1 {
            self.defer(channel)?;
        }
        Ok(MessageInfo::new(get_mr(0) >> 12, count))
    }

    fn fault(
        &mut self,
        child: Child,
        info: MessageInfo,
    ) -> Result<Option<MessageInfo>, IrqAckError> {
        let fault = sel4::with_ipc_buffer(|buffer| Fault::try_new(buffer, info.inner()));
        let reply: Option<FaultReply> = match fault {
            Some(Fault::UserException(fault)) => Some(fault.reply().into()),
            Some(Fault::UnknownSyscall(fault)) => Some(fault.reply().into()),
            _ => None,
        };
        Ok(match reply {
            // SAFETY: the child has no program, so no program depends on the registers.
            Some(reply) => Some(unsafe { MessageInfo::fault_reply(reply) }),
            _ if child.index() & 1 == 1 => Some(MessageInfo::default()),
            _ => None,
        })
    }

    fn take_deferred_action(&mut self) -> Option<DeferredAction> {
        self.slot.take()
    }
}

std::thread_local! {
    /// The IPC buffer token, kept between two inputs.
    static TOKEN: RefCell<Option<IpcBufferToken>> = const { RefCell::new(None) };
}

fuzz_target!(|input: (u64, u64, u64, bool, Vec<u8>)| {
    let (irqs, notifications, pps, passive, input) = input;
    watch_panics();
    let pd = ProtectionDomain {
        name: "fuzzed",
        passive,
        irqs: irqs & !(3 << 62),
        notifications: notifications & !(3 << 62),
        pps: pps & !(3 << 62),
    };
    let kernel = Rc::new(Kernel {
        pd,
        input: RefCell::new(input.into_iter()),
        is_owed: Cell::new(false),
        deferred: Cell::new(0),
        console: RefCell::default(),
        wrong: RefCell::default(),
    });
    install(Some(Rc::clone(&kernel) as Rc<dyn HostKernel>));
    let mut state = State::new();
    state.exchange();
    sel4::set_ipc_buffer(TOKEN.take().unwrap_or_else(new_ipc_buffer));
    pd.set();
    let busy = || Busy {
        kernel: Rc::clone(&kernel),
        slot: DeferredActionSlot::new(),
    };
    let end = catch_unwind(AssertUnwindSafe(|| run(busy)));
    state.exchange();
    TOKEN.set(state.into_token());
    install(None);
    let wrong = kernel.wrong.take();
    assert!(wrong.is_none(), "{wrong:?}");
    match end {
        Err(payload) => assert!(payload.is::<End>(), "the input was not used up"),
        Ok(()) => {
            let console = kernel.console.take();
            let said = String::from_utf8(console).expect("it prints text");
            assert!(said.starts_with("fuzzed: "), "{said:?}");
        }
    }
});
