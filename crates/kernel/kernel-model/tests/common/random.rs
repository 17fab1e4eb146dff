//! Pseudo-random systems and events that are the same in every run.

use super::spec::{PdExt, WAKE_ID, WAKE_IRQ, notify, pd, pp, system};
use super::{Msg, World, msg_with_caps};
use boot_spec::{BootSpec, Channel, UserCapKind};
use kernel_model::numbers::{debug_reason, invocation, syscall};
use kernel_model::{
    CAP_REGISTER, Event, Fault, INFO_REGISTER, LookupFailure, NB_SEND_RECV_DEST, REPLY_REGISTER,
};
use microkit_abi::slots;

/// The kind of object of a capability.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub enum Kind {
    /// An endpoint of another PD.
    Endpoint,
    /// The PD's own endpoint or the monitor's endpoint. A call to either endpoint rarely gets an
    /// answer.
    DeadEnd,
    Notification,
    Thread,
    SchedContext,
    VSpace,
    Irq,
}

impl Kind {
    pub const ALL: [Self; 7] = [
        Self::Endpoint,
        Self::DeadEnd,
        Self::Notification,
        Self::Thread,
        Self::SchedContext,
        Self::VSpace,
        Self::Irq,
    ];
}

/// Returns the capabilities that a PD can send to, each with the kind of its object.
pub fn capabilities(spec: &BootSpec, pd_index: usize) -> Vec<(u64, Kind)> {
    let pd = &spec.pds[pd_index];
    let fault_endpoint = match pd.parent {
        Some(_) => Kind::Endpoint,
        None => Kind::DeadEnd,
    };
    let mut caps = vec![
        (slots::FAULT_ENDPOINT, fault_endpoint),
        (slots::VSPACE, Kind::VSpace),
        (slots::BASE_IRQ + u64::from(WAKE_ID), Kind::Irq),
    ];
    if pd.needs_endpoint {
        caps.push((slots::INPUT, Kind::DeadEnd));
    }
    for end in spec.channels.iter().flat_map(|channel| channel.ends) {
        let id = u64::from(end.id);
        if usize::from(end.pd_index) == pd_index && end.notify {
            caps.push((slots::BASE_OUTPUT_NOTIFICATION + id, Kind::Notification));
        }
        if usize::from(end.pd_index) == pd_index && end.pp {
            // Four copies make this endpoint more likely than the fault endpoint.
            caps.extend([(slots::BASE_ENDPOINT + id, Kind::Endpoint); 4]);
        }
    }
    for parent in spec.pds.iter().filter_map(|pd| pd.parent) {
        if usize::from(parent.pd_index) == pd_index {
            caps.push((slots::BASE_TCB + u64::from(parent.child_id), Kind::Thread));
        }
    }
    for cap in &pd.caps {
        let kind = match cap.kind {
            UserCapKind::Tcb => Kind::Thread,
            UserCapKind::SchedContext => Kind::SchedContext,
            UserCapKind::VSpace => Kind::VSpace,
        };
        caps.push((u64::from(cap.slot) << 58, kind));
    }
    caps
}

/// The `SplitMix64` generator.
#[derive(Debug, Clone)]
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ bits >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ bits >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ bits >> 31
    }

    pub fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    /// Returns `true` once in `times`, on average.
    pub fn once_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }

    pub fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len() as u64) as usize]
    }

    /// Returns a system of a few PDs with few different priorities. Most of the PDs can reach each
    /// other.
    pub fn system(&mut self) -> BootSpec {
        let count = 2 + self.below(5) as u8;
        let mut pds = Vec::new();
        for pd_index in 0..count {
            let mut this = pd(
                &format!("pd{}", self.below(1000) * 10 + u64::from(pd_index)),
                0,
            );
            this.priority = self.pick(&[5, 5, 10, 10, 20, 30]);
            let (budget, period) = self.pick(&[
                (1000, 1000),
                (1000, 1000),
                (20, 20),
                (25, 60),
                (100, 1000),
                (300, 500),
                (499, 500),
            ]);
            this = this.budget(budget, period);
            this.passive = !self.once_in(3);
            this.fpu = self.once_in(2);
            if pd_index > 0 && self.once_in(2) {
                let parent = self.below(pd_index.into()) as u8;
                this = this.child_of(parent, pd_index);
            }
            for slot in 1..=self.below(8) as u8 {
                let kind = self.pick(&[
                    UserCapKind::Tcb,
                    UserCapKind::Tcb,
                    UserCapKind::SchedContext,
                    UserCapKind::SchedContext,
                    UserCapKind::VSpace,
                ]);
                this = this.cap(slot, kind, self.below(count.into()) as u8);
            }
            pds.push(this);
        }
        let mut channels: Vec<Channel> = Vec::new();
        for (id, _) in (0..3 + self.below(6)).enumerate() {
            let one = self.below(count.into()) as u8;
            let other = (one + 1 + self.below(u64::from(count) - 1) as u8) % count;
            let id = id as u8;
            let priority = |pd_index: u8| pds[usize::from(pd_index)].priority;
            // In most cases, the callee has the higher priority, as Microkit requires.
            let (one, other) = if priority(one) > priority(other) && !self.once_in(5) {
                (other, one)
            } else {
                (one, other)
            };
            channels.push(if self.once_in(4) {
                notify((one, id), (other, id))
            } else {
                pp((one, id), (other, id))
            });
        }
        system(pds, &channels)
    }

    /// Returns a capability pointer of this PD to an object of these kinds. In rare cases, returns
    /// any number instead. Returns `None` if the PD has no such capability.
    fn cptr_to(&mut self, world: &World, pd_index: usize, kinds: &[Kind]) -> Option<u64> {
        if self.once_in(60) {
            return Some(self.pick(&[0, slots::INPUT, slots::REPLY, 300, 512, 63 << 58, 1 << 57]));
        }
        let candidates: Vec<u64> = capabilities(world.kernel.spec(), pd_index)
            .into_iter()
            .filter(|(_, kind)| kinds.contains(kind))
            .map(|(cptr, _)| cptr)
            .collect();
        (!candidates.is_empty()).then(|| self.pick(&candidates))
    }

    /// Returns a number that is often valid.
    pub fn number(&mut self) -> u64 {
        match self.below(8) {
            0..3 => self.below(4),
            3 => self.below(40),
            4 => self.below(256),
            5 => self.pick(&[5, 10, 20, 30]),
            6 => self.pick(&[
                0x20_0000,
                0x20_0fff,
                0x20_1000,
                0x6000_0000,
                (1 << 40) - 1,
                1 << 40,
                512,
                1 << 57,
            ]),
            _ => {
                let bits = self.below(64);
                self.next() >> bits
            }
        }
    }

    /// Returns a message with capabilities of this PD.
    fn message(&mut self, world: &World, pd_index: usize, label: u64) -> Msg {
        let length = match self.below(8) {
            0 => 0,
            1 => self.below(121),
            2 => self.below(40),
            _ => 2 + self.below(6),
        };
        let words: Vec<u64> = (0..length).map(|_| self.number()).collect();
        let caps = if self.once_in(3) { self.below(4) } else { 3 };
        let mut kinds = [Kind::Thread, Kind::SchedContext, Kind::Endpoint];
        if self.once_in(2) {
            kinds = [
                self.pick(&Kind::ALL),
                self.pick(&Kind::ALL),
                self.pick(&Kind::ALL),
            ];
        }
        let caps: Vec<u64> = kinds
            .iter()
            .take(caps as usize)
            .map(|kind| {
                let cptr = self.cptr_to(world, pd_index, &[*kind]);
                cptr.filter(|_| !self.once_in(8)).unwrap_or(0)
            })
            .collect();
        msg_with_caps(label, &words, &caps)
    }

    fn fault(&mut self) -> Fault {
        let number = self.number();
        match self.below(5) {
            0 => Fault::Vm {
                address: number,
                fsr: number as u32,
                instruction: self.once_in(2),
            },
            1 => Fault::UserException {
                number: number as u32,
                code: 0,
            },
            2 => Fault::Debug {
                reason: self.pick(&[
                    debug_reason::DataBreakpoint,
                    debug_reason::SoftwareBreakRequest,
                ]),
                address: number,
                breakpoint: 0,
            },
            3 => Fault::Capability {
                address: number,
                receiving: true,
                failure: LookupFailure::InvalidRoot,
            },
            _ => Fault::Vcpu { hsr: number as u32 },
        }
    }

    /// Chooses an event, advances the time, and fills registers and IPC buffers.
    pub fn event(&mut self, world: &mut World) -> Event {
        self.pass_time(world);
        let interrupts = world.kernel.spec().pds.len() as u64 + 1;
        if world.running().is_none() || self.once_in(6) {
            return if self.once_in(3) {
                Event::Tick
            } else {
                Event::Interrupt(WAKE_IRQ + self.below(interrupts) as u32)
            };
        }
        if self.once_in(60) {
            return Event::Fault(self.fault());
        }
        let pd_index = world.running().unwrap();
        let number = self.fill_registers(world, pd_index);
        let context = world.context_mut(pd_index);
        context.pc = context.pc.wrapping_add(4);
        Event::Syscall(number as u64)
    }

    /// Chooses a system call of the running PD, and fills its registers and IPC buffer.
    pub fn fill_registers(&mut self, world: &mut World, pd_index: usize) -> i64 {
        world.set(CAP_REGISTER, slots::INPUT);
        world.set(REPLY_REGISTER, slots::REPLY);
        let reply = world.kernel.own_reply(world.thread(pd_index));
        let holds_a_caller = world.kernel.reply(reply).thread.is_some();
        if holds_a_caller && !self.once_in(3) {
            let message = self.message(world, pd_index, 0);
            world.put(&message);
            return syscall::ReplyRecv;
        }
        let (number, kinds, labels, register): (_, &[Kind], _, _) = match self.below(24) {
            0..4 => return syscall::Recv,
            4..11 => (syscall::Call, &[Kind::Endpoint], vec![0, 7], CAP_REGISTER),
            11 | 12 => (syscall::Send, &[Kind::Notification], vec![0], CAP_REGISTER),
            13 => (syscall::Send, &[Kind::Endpoint], vec![0], CAP_REGISTER),
            14 => (
                syscall::NBSendRecv,
                &[Kind::Notification, Kind::Irq, Kind::Endpoint],
                vec![0, invocation::IRQAckIRQ],
                NB_SEND_RECV_DEST,
            ),
            15..18 => {
                let labels = (2..22).chain([invocation::TCBResume; 30]).collect();
                (syscall::Call, &[Kind::Thread], labels, CAP_REGISTER)
            }
            18..20 => {
                let labels = (38..43)
                    .chain([invocation::SchedContextBind; 5])
                    .chain([invocation::SchedContextYieldTo; 5])
                    .collect();
                (syscall::Call, &[Kind::SchedContext], labels, CAP_REGISTER)
            }
            20 => {
                let labels = (31..34).chain(43..47).collect();
                let kinds = &[Kind::Irq, Kind::VSpace];
                (syscall::Call, kinds, labels, CAP_REGISTER)
            }
            21 | 22 => {
                return self.pick(&[
                    syscall::Yield,
                    syscall::NBRecv,
                    syscall::NBWait,
                    syscall::DebugCapIdentify,
                    syscall::Wait,
                ]);
            }
            _ => {
                let labels = vec![self.number() & 0xf_ffff_ffff_ffff, 0, 2, 8];
                let number = -1 - self.below(13) as i64 - 100 * i64::from(self.once_in(3));
                let register = self.pick(&[CAP_REGISTER, REPLY_REGISTER]);
                (number, &Kind::ALL, labels, register)
            }
        };
        let Some(cptr) = self.cptr_to(world, pd_index, kinds) else {
            return syscall::Recv;
        };
        let label = self.pick(&labels);
        let message = self.message(world, pd_index, label);
        world.put(&message);
        if self.once_in(40) {
            // Sets an invalid message info word.
            let info = self.next();
            world.set(INFO_REGISTER, info);
        }
        world.set(register, cptr);
        number
    }

    fn pass_time(&mut self, world: &mut World) {
        let until = world.until().unwrap_or(world.machine.now);
        let now = world.machine.now;
        world.machine.now = match self.below(12) {
            0..6 => now,
            6..9 => now + self.below(30),
            9 => until,
            10 => until.saturating_sub(self.below(25)).max(now),
            _ => now + self.below(2000),
        };
    }
}
