//! The dispatcher: creates the kernel, handles entries into the kernel, and gives access to its
//! state.
//!
//! A step has three stages:
//!
//! ```text
//! step ──▶ enter: take the time, check the budget
//!      ──▶ the event: a system call, a fault, an IRQ
//!      ──▶ leave: schedule, and run the monitor until a PD's turn comes
//! ```
//!
//! Only this module and its submodules can access the whole kernel. Every other module has the
//! private state of one subsystem. The parameters of its functions name the other state that they
//! change.

mod check;
mod debug_calls;
mod explore;
mod syscalls;

pub use check::Broken;

use crate::clock::{Clock, Ticks};
use crate::context::UserContext;
use crate::event::{Event, Next};
use crate::fault::Fault;
use crate::ids::{EndpointId, Id, NotificationId, ReplyId, SchedContextId, ThreadId};
use crate::invoke::sched_context::complete_yield;
use crate::ipc::{Endpoint, Ipc, Reply};
use crate::irq::{Irq, Irqs};
use crate::machine::{Machine, Report};
use crate::messages::Messages;
use crate::monitor::{self, Monitor};
use crate::notification::{Notification, NotificationState, Notifications};
use crate::sched::{BudgetExpired, Refills, SchedContext, Scheduler, Thread, ThreadState};
use crate::system::{System, SystemError};
use alloc::sync::Arc;
use alloc::vec::Vec;
use boot_spec::BootSpec;
use core::fmt;
use core::hash::{Hash, Hasher};
use microkit_abi::limits::DEFAULT_BUDGET_US;

/// A model of seL4 that runs one Microkit system.
///
/// A kernel is created from a boot spec, [started](Self::start) once, and then
/// [stepped](Self::step). Each step is one entry into the kernel, and returns the thread that runs
/// until the next entry. Load a thread's registers from its [context](Self::context) before the
/// thread runs. Store the thread's registers in the context when the thread enters the kernel.
///
/// Two kernels are equal if they will behave the same from now on. The comparison includes only the
/// state that a step depends on. A step allocates no memory.
///
/// # Examples
///
/// ```
/// use kernel_model::numbers::syscall;
/// use kernel_model::{Event, Kernel, Machine, Next};
///
/// /// Runs one system call of the thread that runs, and returns who runs next.
/// fn debug_put_char(kernel: &mut Kernel, machine: &mut impl Machine) -> Next {
///     kernel.step(Event::Syscall(syscall::DebugPutChar as u64), machine)
/// }
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Kernel {
    system: Arc<System>,
    sched: Scheduler,
    ipc: Ipc,
    notifications: Notifications,
    irqs: Irqs,
    monitor: Monitor,
    halted: bool,
}

impl Kernel {
    /// Creates the objects that the spec requires, and connects them as the Microkit tool and its
    /// initialiser do. No thread has run yet.
    ///
    /// # Errors
    ///
    /// Fails if the spec contradicts itself, or if seL4 refuses a budget or a period in the spec.
    pub fn new(spec: &BootSpec, clock: Clock) -> Result<Self, SystemError> {
        let system = System::new(spec, clock)?;
        let pds = spec.pds.len();
        let threads = spec
            .pds
            .iter()
            .map(|pd| Thread::new(pd.priority, pd.fpu))
            .chain([Monitor::thread()]);
        let sched_contexts = spec
            .pds
            .iter()
            .enumerate()
            .map(|(pd_index, pd)| (pd.budget_us, pd.period_us, 0x100 + pd_index as u64))
            .chain([(DEFAULT_BUDGET_US, DEFAULT_BUDGET_US, 0)])
            .map(|(budget_us, period_us, badge)| {
                let refills = Refills::new(clock.ticks(budget_us), clock.ticks(period_us), 0);
                SchedContext::new(refills, badge)
            });
        let mut kernel = Self {
            sched: Scheduler::new(threads, sched_contexts, clock),
            ipc: Ipc::new(pds + 1),
            notifications: Notifications::new(pds),
            irqs: Irqs::new(&system),
            monitor: Monitor::default(),
            halted: false,
            system: Arc::new(system),
        };
        for (pd_index, pd) in spec.pds.iter().enumerate() {
            let id = ThreadId::nth(pd_index);
            let thread = kernel.sched.thread_mut(id);
            thread.context.pc = pd.entry;
            thread.context.fault_ip = pd.entry;
            thread.context.sp = pd.stack.top().unwrap_or(0);
            thread.fault_handler = Some(kernel.system.fault_handler(pd_index));
            let notification = NotificationId::nth(pd_index);
            kernel
                .notifications
                .bind_thread(&mut kernel.sched, notification, id);
        }
        kernel.resume_all();
        Ok(kernel)
    }

    /// Resumes all threads as the initialiser does, in the order of their names. The monitor's name
    /// is `monitor`. Each thread is added in front of the ready threads of its priority. So among
    /// threads of equal priority, the thread with the last name runs first.
    fn resume_all(&mut self) {
        let mut order: Vec<ThreadId> = self.sched.threads().ids().collect();
        order.sort_by_key(|thread| self.name(*thread).as_bytes());
        for thread in order {
            self.sched.set_state(thread, ThreadState::Restart);
            let sched_context = SchedContextId::nth(thread.index());
            self.sched.bind_thread(sched_context, thread);
        }
        debug_assert_eq!(
            self.sched.ready().first(),
            Some(self.system.monitor_thread())
        );
    }

    /// Starts the system: unmasks every IRQ, runs the monitor, and returns the first thread that
    /// runs.
    ///
    /// Call this method once, before any [`step`](Self::step).
    pub fn start(&mut self, machine: &mut impl Machine) -> Next {
        for (number, _) in &self.system.irqs {
            machine.unmask_irq(*number);
        }
        self.sched.start(machine.now());
        self.leave(machine)
    }

    /// Handles an event, and returns the thread that runs next.
    ///
    /// On entry, the running thread's [context](Self::context_mut) must hold the thread's
    /// registers. The program counter is after the `svc` of a system call, and at the instruction
    /// of a fault. If the machine is idle, an event that only a thread can cause is ignored.
    pub fn step(&mut self, event: Event, machine: &mut impl Machine) -> Next {
        if self.halted {
            return Next::Halt;
        }
        let machine: &mut dyn Machine = machine;
        if let Some(thread) = self.sched.current() {
            let context = &mut self.sched.thread_mut(thread).context;
            context.fault_ip = match event {
                // The address of the `svc` itself. Every instruction has four bytes.
                Event::Syscall(_) => context.pc.wrapping_sub(4),
                Event::Fault(_) | Event::Interrupt(_) | Event::Tick => context.pc,
            };
        }
        match (event, self.sched.current()) {
            (Event::Syscall(number), Some(thread)) => self.syscall(machine, thread, number),
            (Event::Fault(fault), Some(thread)) => {
                if self.enter(machine) {
                    self.raise(machine, thread, fault);
                }
                self.leave(machine)
            }
            (Event::Interrupt(number), _) => {
                self.check_budget(machine);
                self.interrupt(machine, number);
                self.leave(machine)
            }
            (Event::Tick, _) => {
                self.check_budget(machine);
                self.sched.reprogram();
                self.leave(machine)
            }
            (Event::Syscall(_) | Event::Fault(_), None) => self.next(),
        }
    }

    /// Borrows, separately, all parts that sending and receiving can change.
    fn parts<'k>(
        &'k mut self,
        machine: &'k mut dyn Machine,
    ) -> (
        &'k mut Scheduler,
        &'k mut Ipc,
        &'k mut Notifications,
        Messages<'k>,
    ) {
        let messages = Messages {
            system: &self.system,
            monitor: &mut self.monitor,
            machine,
        };
        (
            &mut self.sched,
            &mut self.ipc,
            &mut self.notifications,
            messages,
        )
    }

    /// Reads the clock when an event of the running thread enters the kernel. Returns whether the
    /// thread has enough budget for the event. If not, the thread repeats the event when it has
    /// budget (`MCS_DO_IF_BUDGET`).
    fn enter(&mut self, machine: &mut dyn Machine) -> bool {
        let has_budget = self.check_budget(machine);
        if !has_budget
            && let Some(current) = self.sched.current()
            && self.sched.thread(current).is_runnable()
        {
            self.sched.set_state(current, ThreadState::Restart);
        }
        has_budget
    }

    /// Reads the clock on entry. Returns whether the running thread has enough budget. If not, the
    /// thread's time slice has ended.
    #[inline]
    fn check_budget(&mut self, machine: &mut dyn Machine) -> bool {
        match self.sched.enter(machine.now()) {
            Ok(()) => true,
            Err(BudgetExpired { timeout: None }) => false,
            Err(BudgetExpired {
                timeout: Some(thread),
            }) => {
                self.raise_timeout(machine, thread);
                false
            }
        }
    }

    #[cold]
    fn raise_timeout(&mut self, machine: &mut dyn Machine, thread: ThreadId) {
        let (sched, ipc, _, mut messages) = self.parts(machine);
        ipc.raise_timeout(sched, &mut messages, thread);
    }

    #[cold]
    fn raise(&mut self, machine: &mut dyn Machine, thread: ThreadId, fault: Fault) {
        let (sched, ipc, _, mut messages) = self.parts(machine);
        ipc.raise(sched, &mut messages, thread, fault);
    }

    /// Signals the handler of an IRQ, and masks the IRQ (`handleInterrupt`).
    fn interrupt(&mut self, machine: &mut dyn Machine, number: u32) {
        let irq = self.system.irq_with_number(number);
        match irq.and_then(|irq| self.irqs.handler(irq)) {
            Some(handler) => self.notifications.signal(
                &mut self.sched,
                &mut self.ipc,
                handler.notification,
                handler.badge,
            ),
            None => machine.report(Report::UnhandledIrq {
                number,
                kernel: self,
            }),
        }
        if let Some(irq) = irq {
            self.irqs.set_masked(irq, true);
        }
        machine.mask_irq(number);
    }

    /// Alternately schedules and runs the monitor, until the machine is idle or a PD is the current
    /// thread.
    fn leave(&mut self, machine: &mut dyn Machine) -> Next {
        loop {
            self.schedule(machine);
            if self.sched.current() != Some(self.system.monitor_thread()) {
                return self.next();
            }
            let (sched, ipc, notifications, mut messages) = self.parts(machine);
            monitor::run(sched, ipc, notifications, &mut messages);
        }
    }

    /// Chooses the current thread, answers the thread's pending `YieldTo`, and activates the
    /// thread.
    fn schedule(&mut self, machine: &mut dyn Machine) {
        self.sched.schedule();
        if let Some(current) = self.sched.current()
            && self.sched.thread(current).yield_to().is_some()
        {
            let (sched, _, _, mut messages) = self.parts(machine);
            complete_yield(sched, &mut messages, current);
        }
        self.sched.activate();
    }

    /// Returns the result of the last step.
    pub fn next(&self) -> Next {
        match self.sched.current() {
            _ if self.halted => Next::Halt,
            Some(thread) => Next::Run {
                thread,
                until: self.sched.deadline().unwrap_or(Ticks::MAX),
            },
            None => Next::Idle {
                until: self.sched.deadline(),
            },
        }
    }
}

/// The state of the kernel that is visible from outside. Only a thread's registers can be changed.
impl Kernel {
    /// Returns the thread of a PD, or `None` if the PD does not exist.
    pub fn thread_of(&self, pd_index: usize) -> Option<ThreadId> {
        (pd_index < self.spec().pds.len()).then(|| ThreadId::nth(pd_index))
    }

    /// Returns the threads of all PDs, in the order of the boot spec. The monitor's thread is not
    /// included.
    pub fn threads(&self) -> impl Iterator<Item = ThreadId> + use<> {
        (0..self.spec().pds.len()).map(ThreadId::nth)
    }

    /// Returns the registers of a thread.
    pub fn context(&self, thread: ThreadId) -> &UserContext {
        &self.sched.thread(thread).context
    }

    /// Returns the registers of a thread. Use this method to store the registers' values when the
    /// thread enters the kernel.
    pub fn context_mut(&mut self, thread: ThreadId) -> &mut UserContext {
        &mut self.sched.thread_mut(thread).context
    }

    /// Returns a thread.
    pub fn thread(&self, thread: ThreadId) -> &Thread {
        self.sched.thread(thread)
    }

    /// Returns the name of a thread's PD, or `monitor`.
    pub fn name(&self, thread: ThreadId) -> &str {
        let pd = self.spec().pds.get(thread.index());
        pd.map_or(Monitor::NAME, |pd| pd.name.as_str())
    }

    /// Returns a scheduling context.
    pub fn sched_context(&self, sched_context: SchedContextId) -> &SchedContext {
        self.sched.sched_context(sched_context)
    }

    /// Returns the scheduling context that a thread had at boot.
    pub fn own_sched_context(&self, thread: ThreadId) -> SchedContextId {
        SchedContextId::nth(thread.index())
    }

    /// Returns an endpoint.
    pub fn endpoint(&self, endpoint: EndpointId) -> &Endpoint {
        &self.ipc.endpoints()[endpoint]
    }

    /// Returns the endpoint of a thread's PD, even if the PD has no capability to that endpoint.
    pub fn own_endpoint(&self, thread: ThreadId) -> EndpointId {
        EndpointId::nth(thread.index())
    }

    /// Returns a notification.
    ///
    /// # Panics
    ///
    /// Panics for the [`own_notification`](Self::own_notification) of the monitor's thread, because
    /// the monitor has no notification.
    pub fn notification(&self, notification: NotificationId) -> &Notification {
        self.notifications.get(notification)
    }

    /// Returns the notification of a thread's PD. The monitor has no notification.
    pub fn own_notification(&self, thread: ThreadId) -> NotificationId {
        NotificationId::nth(thread.index())
    }

    /// Returns a reply object.
    pub fn reply(&self, reply: ReplyId) -> &Reply {
        &self.ipc.replies()[reply]
    }

    /// Returns the reply object of a thread's PD.
    pub fn own_reply(&self, thread: ThreadId) -> ReplyId {
        ReplyId::nth(thread.index())
    }

    /// Returns the IRQs of all PDs, each with its number at the interrupt controller and its state.
    pub fn irqs(&self) -> impl Iterator<Item = (u32, &Irq)> {
        self.irqs
            .iter()
            .map(|(irq, state)| (self.system.irq_number(irq), state))
    }

    /// Returns whether an IRQ could wake a thread: the IRQ is not masked, and a thread waits for
    /// its signal.
    pub fn awaits_interrupt(&self) -> bool {
        let unmasked = self.irqs.iter().filter(|(_, irq)| !irq.masked);
        let mut handlers = unmasked.filter_map(|(_, irq)| irq.handler);
        handlers.any(|handler| {
            let notification = self.notifications.get(handler.notification);
            let receives = |thread: ThreadId| {
                let state = self.sched.thread(thread).state();
                matches!(state, ThreadState::BlockedOnReceive { .. })
            };
            matches!(notification.state, NotificationState::Waiting(_))
                || notification.bound_thread.is_some_and(receives)
        })
    }

    /// Returns the threads in the ready queue, first to last.
    pub fn ready(&self) -> impl Iterator<Item = ThreadId> {
        self.sched.ready().iter(self.sched.threads())
    }

    /// Returns the threads in the release queue, first to last. These threads wait for their next
    /// refill.
    pub fn release_queue(&self) -> impl Iterator<Item = ThreadId> {
        self.sched.release().iter(self.sched.threads())
    }

    /// Returns the threads that wait at an endpoint, first to last.
    pub fn waiting_at(&self, endpoint: EndpointId) -> impl Iterator<Item = ThreadId> {
        let queue = self.ipc.endpoints()[endpoint].queue();
        queue.iter(self.sched.threads())
    }

    /// Returns the time of the last entry.
    pub fn now(&self) -> Ticks {
        self.sched.now()
    }

    /// Returns the clock.
    pub fn clock(&self) -> Clock {
        self.system.clock
    }

    /// Returns the boot spec of the kernel.
    pub fn spec(&self) -> &BootSpec {
        &self.system.spec
    }

    /// Moves the origin of time as far forward as possible, and returns the distance.
    ///
    /// If the machine's clock is set back by this distance, the kernel behaves as if nothing had
    /// changed. Kernels that differ only in past waiting times are equal after this call. The time
    /// that scheduling contexts have consumed is kept, because a PD can request this time.
    pub fn rebase(&mut self) -> Ticks {
        self.sched.rebase()
    }
}

impl Hash for Kernel {
    fn hash<H: Hasher>(&self, state: &mut H) {
        // The system is not hashed, because compared kernels always run the same system.
        self.sched.hash(state);
        self.ipc.hash(state);
        self.notifications.hash(state);
        self.irqs.hash(state);
        self.monitor.hash(state);
        self.halted.hash(state);
    }
}

impl fmt::Debug for Kernel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The system is omitted, because it never changes and is long.
        f.debug_struct("Kernel")
            .field("sched", &self.sched)
            .field("ipc", &self.ipc)
            .field("notifications", &self.notifications)
            .field("irqs", &self.irqs)
            .field("monitor", &self.monitor)
            .field("halted", &self.halted)
            .finish_non_exhaustive()
    }
}
