//! The harness of the scenario tests: a system, a machine that records the kernel's calls, and
//! threads that the test drives. The harness checks the kernel's invariants after every step.
#![allow(dead_code, unreachable_pub, reason = "each test file uses some of it")]

pub mod control;
pub mod random;
pub mod spec;

use kernel_model::numbers::{IPC_BUFFER_WORDS, MAX_MESSAGE_WORDS, invocation, syscall};
use kernel_model::{
    CAP_REGISTER, CacheMaintenance, CacheRange, Clock, Event, Fault, INFO_REGISTER, Kernel,
    MESSAGE_REGISTERS, MONITOR_WORDS, Machine, MessageInfo, NB_SEND_RECV_DEST, Next,
    REPLY_REGISTER, Register, Report, ThreadId, ThreadState, Ticks, UserContext,
};
use microkit_abi::slots;
use std::collections::BTreeSet;

/// Returns a clock of one megahertz, so that a tick is a microsecond. The minimum budget is 20.
pub fn clock() -> Clock {
    Clock::new(1_000_000).unwrap()
}

/// A machine that records the kernel's calls.
#[derive(Debug, Clone, Default)]
pub struct TestMachine {
    pub now: Ticks,
    pub buffers: Vec<Vec<u64>>,
    pub masked: BTreeSet<u32>,
    pub console: String,
    pub caches: Vec<(CacheMaintenance, CacheRange)>,
    pub reports: Vec<String>,
    /// The faults that the monitor has received: the index of the PD, the label, and the first
    /// words.
    pub faults: Vec<(usize, u64, [u64; MONITOR_WORDS])>,
}

impl Machine for TestMachine {
    fn now(&mut self) -> Ticks {
        self.now
    }

    fn read_ipc_buffer(&mut self, thread: ThreadId, index: usize) -> u64 {
        self.buffers[thread.index()][index]
    }

    fn write_ipc_buffer(&mut self, thread: ThreadId, index: usize, word: u64) {
        self.buffers[thread.index()][index] = word;
    }

    fn mask_irq(&mut self, number: u32) {
        self.masked.insert(number);
    }

    fn unmask_irq(&mut self, number: u32) {
        self.masked.remove(&number);
    }

    fn put_char(&mut self, byte: u8) {
        self.console.push(byte.into());
    }

    fn maintain_cache(&mut self, maintenance: CacheMaintenance, range: CacheRange) {
        self.caches.push((maintenance, range));
    }

    fn report(&mut self, report: Report<'_>) {
        self.reports.push(match report {
            Report::MonitorStarted => "started".into(),
            Report::Passive { pd_index } => format!("{pd_index} is passive"),
            Report::NotPassive { pd_index, error } => format!("{pd_index} is not passive: {error}"),
            Report::Fault(fault) => {
                self.faults.push((fault.pd_index, fault.label, fault.words));
                format!("fault of {}", fault.pd_index)
            }
            Report::NoFaultHandler { thread, fault } => {
                format!("no handler for {}: {fault:?}", thread.index())
            }
            Report::UnhandledIrq { number, .. } => format!("unhandled {number}"),
            Report::DumpScheduler(kernel) => format!("dump of {}", kernel.threads().count()),
            Report::Snapshot { thread, .. } => format!("snapshot for {}", thread.index()),
            Report::NameThread { thread, name } => {
                let name = String::from_utf8_lossy(name);
                format!("{} is {name:?}", thread.index())
            }
            Report::Halt { thread, reason } => format!("{} halts: {reason:?}", thread.index()),
        });
    }
}

/// A message to send.
#[derive(Debug, Clone, Default)]
pub struct Msg {
    pub label: u64,
    pub words: Vec<u64>,
    pub caps: Vec<u64>,
}

pub fn msg(label: u64, words: &[u64]) -> Msg {
    Msg {
        label,
        words: words.to_vec(),
        caps: Vec::new(),
    }
}

pub fn msg_with_caps(label: u64, words: &[u64], caps: &[u64]) -> Msg {
    Msg {
        caps: caps.to_vec(),
        ..msg(label, words)
    }
}

/// A received message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    pub badge: u64,
    pub label: u64,
    pub words: Vec<u64>,
}

pub fn received(badge: u64, label: u64, words: &[u64]) -> Received {
    Received {
        badge,
        label,
        words: words.to_vec(),
    }
}

/// A running system that the test drives step by step.
#[derive(Clone)]
pub struct World {
    pub kernel: Kernel,
    pub machine: TestMachine,
    pub next: Next,
}

impl World {
    /// Starts a system. The first PD is about to run its first instruction.
    #[track_caller]
    pub fn boot(spec: &boot_spec::BootSpec) -> Self {
        let mut kernel = Kernel::new(spec, clock()).unwrap();
        let mut machine = TestMachine {
            now: 1000,
            buffers: vec![vec![0; IPC_BUFFER_WORDS]; spec.pds.len()],
            ..TestMachine::default()
        };
        let next = kernel.start(&mut machine);
        kernel.check().unwrap();
        Self {
            kernel,
            machine,
            next,
        }
    }

    /// Starts a system, and runs every PD up to its first receive, like libmicrokit.
    #[track_caller]
    pub fn init(spec: &boot_spec::BootSpec) -> Self {
        let mut world = Self::boot(spec);
        while let Some(pd_index) = world.running() {
            world.first_receive(pd_index);
        }
        world
    }

    /// Performs the first actions of libmicrokit: acknowledges all IRQs, reports to the monitor if
    /// the PD is passive, and receives.
    #[track_caller]
    pub fn first_receive(&mut self, pd_index: usize) {
        let pd = self.kernel.spec().pds[pd_index].clone();
        for irq in &pd.irqs {
            let handler = slots::BASE_IRQ + u64::from(irq.id);
            self.invoke(handler, invocation::IRQAckIRQ, &[], &[])
                .unwrap();
        }
        if pd.passive {
            self.nb_send_recv(slots::MONITOR_ENDPOINT, &msg(0, &[]));
        } else {
            self.recv();
        }
    }

    pub fn thread(&self, pd_index: usize) -> ThreadId {
        self.kernel.thread_of(pd_index).unwrap()
    }

    pub fn state(&self, pd_index: usize) -> ThreadState {
        self.kernel.thread(self.thread(pd_index)).state()
    }

    pub fn context(&self, pd_index: usize) -> &UserContext {
        self.kernel.context(self.thread(pd_index))
    }

    pub fn context_mut(&mut self, pd_index: usize) -> &mut UserContext {
        let thread = self.thread(pd_index);
        self.kernel.context_mut(thread)
    }

    /// Returns the running PD.
    pub fn running(&self) -> Option<usize> {
        match self.next {
            Next::Run { thread, .. } => Some(thread.index()),
            Next::Idle { .. } | Next::Halt => None,
        }
    }

    /// Returns the time at which the timer must fire.
    pub fn until(&self) -> Option<Ticks> {
        match self.next {
            Next::Run { until, .. } => Some(until),
            Next::Idle { until } => until,
            Next::Halt => None,
        }
    }

    /// Returns the PD that had this PD's present scheduling context at boot.
    pub fn runs_on(&self, pd_index: usize) -> Option<usize> {
        let thread = self.kernel.thread(self.thread(pd_index));
        thread.sched_context().map(|sc| sc.index())
    }

    #[track_caller]
    pub fn step(&mut self, event: Event) -> Option<usize> {
        self.next = self.kernel.step(event, &mut self.machine);
        if self.next != Next::Halt {
            self.kernel.check().unwrap();
        }
        self.running()
    }

    /// Advances the time, and fires the timer whenever it is due.
    #[track_caller]
    pub fn pass(&mut self, us: Ticks) -> Option<usize> {
        let end = self.machine.now + us;
        while let Some(until) = self.until().filter(|until| *until <= end) {
            self.machine.now = self.machine.now.max(until);
            self.step(Event::Tick);
        }
        self.machine.now = end;
        self.running()
    }

    /// Advances the time without an entry into the kernel.
    pub fn use_time(&mut self, us: Ticks) {
        self.machine.now += us;
    }

    /// Raises the IRQ that wakes this PD. Every PD has such an IRQ.
    #[track_caller]
    pub fn wake(&mut self, pd_index: usize) {
        let woken = self.step(Event::Interrupt(spec::WAKE_IRQ + pd_index as u32));
        assert_eq!(woken, Some(pd_index), "woken PD does not run");
        let irq = slots::BASE_IRQ + u64::from(spec::WAKE_ID);
        self.invoke(irq, invocation::IRQAckIRQ, &[], &[]).unwrap();
    }

    #[track_caller]
    fn current(&self) -> usize {
        self.running().expect("nobody runs")
    }

    #[track_caller]
    pub fn set(&mut self, register: Register, value: u64) {
        let pd_index = self.current();
        self.context_mut(pd_index)[register] = value;
    }

    #[track_caller]
    pub fn syscall(&mut self, number: i64) -> Option<usize> {
        // As after an `svc` instruction, the return address is the next instruction.
        let pd_index = self.current();
        let context = self.context_mut(pd_index);
        context.pc = context.pc.wrapping_add(4);
        self.step(Event::Syscall(number as u64))
    }

    #[track_caller]
    pub fn fault(&mut self, fault: Fault) -> Option<usize> {
        self.step(Event::Fault(fault))
    }

    /// Writes a message to the registers and the IPC buffer of the running thread.
    #[track_caller]
    pub fn put(&mut self, message: &Msg) {
        let pd_index = self.current();
        let info = MessageInfo {
            label: message.label,
            caps_unwrapped: 0,
            extra_caps: message.caps.len() as u8,
            length: message.words.len() as u8,
        };
        self.context_mut(pd_index)[INFO_REGISTER] = info.to_word();
        for (index, word) in message.words.iter().enumerate() {
            match MESSAGE_REGISTERS.get(index) {
                Some(register) => self.context_mut(pd_index)[*register] = *word,
                None => self.machine.buffers[pd_index][1 + index] = *word,
            }
        }
        for (index, cap) in message.caps.iter().enumerate() {
            self.machine.buffers[pd_index][MAX_MESSAGE_WORDS + 2 + index] = *cap;
        }
    }

    #[track_caller]
    fn send_with(&mut self, number: i64, cptr: u64, message: &Msg) -> Option<usize> {
        self.put(message);
        self.set(CAP_REGISTER, cptr);
        self.syscall(number)
    }

    #[track_caller]
    pub fn send(&mut self, cptr: u64, message: &Msg) -> Option<usize> {
        self.send_with(syscall::Send, cptr, message)
    }

    #[track_caller]
    pub fn nb_send(&mut self, cptr: u64, message: &Msg) -> Option<usize> {
        self.send_with(syscall::NBSend, cptr, message)
    }

    #[track_caller]
    pub fn call(&mut self, cptr: u64, message: &Msg) -> Option<usize> {
        self.send_with(syscall::Call, cptr, message)
    }

    /// Notifies on a channel.
    #[track_caller]
    pub fn notify(&mut self, channel: u8) -> Option<usize> {
        let cptr = slots::BASE_OUTPUT_NOTIFICATION + u64::from(channel);
        self.send(cptr, &msg(0, &[]))
    }

    /// Makes a protected procedure call on a channel.
    #[track_caller]
    pub fn pp_call(&mut self, channel: u8, message: &Msg) -> Option<usize> {
        self.call(slots::BASE_ENDPOINT + u64::from(channel), message)
    }

    /// Receives in the same way as libmicrokit.
    #[track_caller]
    pub fn recv(&mut self) -> Option<usize> {
        self.receive_with(syscall::Recv)
    }

    /// Receives with this system call through the capability that libmicrokit uses.
    #[track_caller]
    pub fn receive_with(&mut self, number: i64) -> Option<usize> {
        self.receive_from(number, slots::INPUT)
    }

    #[track_caller]
    pub fn receive_from(&mut self, number: i64, cptr: u64) -> Option<usize> {
        self.set(CAP_REGISTER, cptr);
        self.set(REPLY_REGISTER, slots::REPLY);
        self.syscall(number)
    }

    #[track_caller]
    pub fn reply_recv(&mut self, message: &Msg) -> Option<usize> {
        self.put(message);
        self.receive_with(syscall::ReplyRecv)
    }

    #[track_caller]
    pub fn nb_send_recv(&mut self, dest: u64, message: &Msg) -> Option<usize> {
        self.put(message);
        self.set(NB_SEND_RECV_DEST, dest);
        self.receive_with(syscall::NBSendRecv)
    }

    /// Invokes an object. Returns the words of the answer, or the error and its words.
    #[track_caller]
    pub fn invoke(
        &mut self,
        cptr: u64,
        label: u64,
        words: &[u64],
        caps: &[u64],
    ) -> Result<Vec<u64>, (u64, Vec<u64>)> {
        let caller = self.current();
        self.call(cptr, &msg_with_caps(label, words, caps));
        let answer = self.received(caller);
        assert_eq!(answer.badge, 0, "an answer from the kernel has no badge");
        if answer.label == 0 {
            Ok(answer.words)
        } else {
            Err((answer.label, answer.words))
        }
    }

    /// Returns the message in a PD's registers and IPC buffer.
    pub fn received(&self, pd_index: usize) -> Received {
        let context = self.context(pd_index);
        let info = MessageInfo::from_word(context[INFO_REGISTER]);
        let word = |index| match MESSAGE_REGISTERS.get(index) {
            Some(register) => context[*register],
            None => self.machine.buffers[pd_index][1 + index],
        };
        Received {
            badge: context[CAP_REGISTER],
            label: info.label,
            words: (0..info.length.into()).map(word).collect(),
        }
    }

    /// Returns the signals that a PD has received.
    pub fn signals(&self, pd_index: usize) -> u64 {
        self.context(pd_index)[CAP_REGISTER]
    }
}
