//! The kernel as a whole: how it is made, how it is entered, and what can be seen of it.

use crate::clock::{Clock, Ticks};
use crate::context::UserContext;
use crate::event::{Event, Next};
use crate::ids::{Arena, EndpointId, Id, IrqId, NotificationId, ReplyId, SchedContextId, ThreadId};
use crate::machine::Machine;
use crate::monitor::Monitor;
use crate::objects::{Endpoint, Irq, Notification, Reply, SchedContext, Thread, ThreadState};
use crate::refill::Refills;
use crate::schedule::Scheduler;
use crate::system::{System, SystemError};
use alloc::sync::Arc;
use alloc::vec::Vec;
use boot_spec::BootSpec;
use core::fmt;
use core::hash::{Hash, Hasher};
use microkit_abi::limits::DEFAULT_BUDGET_US;

/// A model of seL4 that runs one Microkit system.
///
/// It is made from a boot spec, [started](Self::start) once, and then [stepped](Self::step): each
/// step is one entry into the kernel, and says which thread runs until the next. A thread's
/// registers are its [context](Self::context), to be loaded before it runs and stored when it
/// enters.
///
/// Two kernels are equal if they will do the same from here on: everything that a step depends on
/// is compared, and nothing else. A step allocates nothing.
#[derive(Clone, PartialEq, Eq)]
pub struct Kernel {
    pub(crate) system: Arc<System>,
    pub(crate) threads: Arena<ThreadId, Thread>,
    pub(crate) sched_contexts: Arena<SchedContextId, SchedContext>,
    pub(crate) endpoints: Arena<EndpointId, Endpoint>,
    pub(crate) notifications: Arena<NotificationId, Notification>,
    pub(crate) replies: Arena<ReplyId, Reply>,
    pub(crate) irqs: Arena<IrqId, Irq>,
    pub(crate) scheduler: Scheduler,
    pub(crate) monitor: Monitor,
    pub(crate) halted: bool,
}

impl Kernel {
    /// Makes the objects that the spec asks for and wires them as the Microkit tool and its
    /// initialiser do. No thread has run yet.
    ///
    /// **Errors:** a spec that contradicts itself, or a budget that seL4 would refuse.
    pub fn new(spec: &BootSpec, clock: Clock) -> Result<Self, SystemError> {
        let system = System::new(spec, clock)?;
        let domains = spec.domains.len();
        let mut kernel = Self {
            threads: Arena::new(
                spec.domains
                    .iter()
                    .map(|pd| Thread::new(pd.priority, pd.fpu))
                    .chain([Monitor::thread()]),
            ),
            sched_contexts: Arena::new(
                spec.domains
                    .iter()
                    .enumerate()
                    .map(|(domain, pd)| (pd.budget_us, pd.period_us, 0x100 + domain as u64))
                    .chain([(DEFAULT_BUDGET_US, DEFAULT_BUDGET_US, 0)])
                    .map(|(budget_us, period_us, badge)| SchedContext {
                        refills: Refills::new(clock.ticks(budget_us), clock.ticks(period_us), 0),
                        consumed: 0,
                        thread: None,
                        notification: None,
                        reply: None,
                        yield_from: None,
                        badge,
                    }),
            ),
            endpoints: Arena::new((0..=domains).map(|_| Endpoint::Idle)),
            notifications: Arena::new((0..domains).map(|_| Notification::default())),
            replies: Arena::new((0..=domains).map(|_| Reply::default())),
            irqs: Arena::new(system.irqs.iter().map(|(_, handler)| Irq {
                handler: Some(*handler),
                masked: false,
            })),
            scheduler: Scheduler::default(),
            monitor: Monitor::default(),
            halted: false,
            system: Arc::new(system),
        };
        for (domain, pd) in spec.domains.iter().enumerate() {
            let thread = &mut kernel.threads[ThreadId::nth(domain)];
            thread.context.pc = pd.entry;
            thread.context.fault_ip = pd.entry;
            thread.context.sp = pd.stack.top().unwrap_or(0);
            thread.fault_handler = Some(kernel.system.fault_handler(domain));
            thread.bound_notification = Some(NotificationId::nth(domain));
            kernel.notifications[NotificationId::nth(domain)].bound_thread =
                Some(ThreadId::nth(domain));
        }
        kernel.make_ready();
        Ok(kernel)
    }

    /// Resumes all threads as the initialiser does: in the order of their names, the monitor's
    /// being `monitor`, each in front of those of its priority that are already there. So the
    /// thread with the last name is the first to run.
    fn make_ready(&mut self) {
        let monitor = self.monitor_thread();
        let mut order: Vec<ThreadId> = self.threads.ids().collect();
        order.sort_by_key(|thread| self.name(*thread).as_bytes());
        for thread in order {
            let sched_context = SchedContextId::nth(thread.index());
            self.threads[thread].sched_context = Some(sched_context);
            self.sched_contexts[sched_context].thread = Some(thread);
            self.threads[thread].state = ThreadState::Restart;
            self.enqueue_first(thread);
        }
        self.scheduler.choose_anew();
        debug_assert_eq!(self.scheduler.ready.first(), Some(monitor));
    }

    /// Starts the system: the monitor runs, and then the first thread. Every interrupt is unmasked.
    ///
    /// **Needs:** to be called once, before any [`step`](Self::step).
    pub fn start(&mut self, machine: &mut impl Machine) -> Next {
        for irq in self.irqs.ids() {
            machine.unmask_irq(self.system.irqs[irq.index()].0);
        }
        self.scheduler.now = machine.now();
        self.leave(machine)
    }

    /// Enters the kernel with an event, and leaves it.
    ///
    /// The running thread's [context](Self::context_mut) must hold its registers as they are on
    /// entry, its program counter behind the `svc` of a system call and at the instruction of a
    /// fault. If the machine is idle, an event that only a thread can cause is ignored.
    pub fn step(&mut self, event: Event, machine: &mut impl Machine) -> Next {
        if self.halted {
            return Next::Halt;
        }
        let machine: &mut dyn Machine = machine;
        if let Some(thread) = self.scheduler.current {
            let context = &mut self.threads[thread].context;
            context.fault_ip = match event {
                // The instruction itself, which is as long as every other.
                Event::Syscall(_) => context.pc.wrapping_sub(4),
                Event::Fault(_) | Event::Interrupt(_) | Event::Tick => context.pc,
            };
        }
        match (event, self.scheduler.current) {
            (Event::Syscall(number), Some(thread)) => self.syscall(machine, thread, number),
            (Event::Fault(fault), Some(thread)) => {
                if self.enter(machine) {
                    self.raise(machine, thread, fault);
                }
                self.leave(machine)
            }
            (Event::Interrupt(number), _) => {
                self.enter_interrupt(machine);
                self.interrupt(machine, number);
                self.leave(machine)
            }
            (Event::Tick, _) => {
                self.enter_interrupt(machine);
                self.scheduler.reprogram = true;
                self.leave(machine)
            }
            (Event::Syscall(_) | Event::Fault(_), None) => self.next(),
        }
    }

    /// Schedules, and lets the monitor do what it has to do, until it is a PD's turn.
    pub(crate) fn leave(&mut self, machine: &mut dyn Machine) -> Next {
        loop {
            self.schedule(machine);
            if self.scheduler.current != Some(self.monitor_thread()) {
                return self.next();
            }
            self.run_monitor(machine);
        }
    }

    /// What was decided last.
    pub fn next(&self) -> Next {
        match self.scheduler.current {
            _ if self.halted => Next::Halt,
            Some(thread) => Next::Run {
                thread,
                until: self.scheduler.deadline.unwrap_or(Ticks::MAX),
            },
            None => Next::Idle {
                until: self.scheduler.deadline,
            },
        }
    }
}

/// What can be seen of the kernel from outside; nothing here changes it, but for a thread's
/// registers.
impl Kernel {
    /// The thread of a PD, if there is such a PD.
    pub fn thread_of(&self, domain: usize) -> Option<ThreadId> {
        (domain < self.spec().domains.len()).then(|| ThreadId::nth(domain))
    }

    /// The threads of all PDs, in the order of the boot spec; not the monitor's.
    pub fn threads(&self) -> impl Iterator<Item = ThreadId> + use<> {
        (0..self.spec().domains.len()).map(ThreadId::nth)
    }

    /// A thread's registers.
    pub fn context(&self, thread: ThreadId) -> &UserContext {
        &self.threads[thread].context
    }

    /// A thread's registers, to store those with which it enters the kernel.
    pub fn context_mut(&mut self, thread: ThreadId) -> &mut UserContext {
        &mut self.threads[thread].context
    }

    /// A thread.
    pub fn thread(&self, thread: ThreadId) -> &Thread {
        &self.threads[thread]
    }

    /// The name of a thread's PD, or `monitor`.
    pub fn name(&self, thread: ThreadId) -> &str {
        let domain = self.spec().domains.get(thread.index());
        domain.map_or(Monitor::NAME, |domain| domain.name.as_str())
    }

    /// A scheduling context.
    pub fn sched_context(&self, sched_context: SchedContextId) -> &SchedContext {
        &self.sched_contexts[sched_context]
    }

    /// The scheduling context that a thread had at boot.
    pub fn own_sched_context(&self, thread: ThreadId) -> SchedContextId {
        SchedContextId::nth(thread.index())
    }

    /// An endpoint.
    pub fn endpoint(&self, endpoint: EndpointId) -> &Endpoint {
        &self.endpoints[endpoint]
    }

    /// The endpoint of a thread's PD, whether or not it has one.
    pub fn own_endpoint(&self, thread: ThreadId) -> EndpointId {
        EndpointId::nth(thread.index())
    }

    /// A notification.
    ///
    /// **Panics:** never for a PD's; the monitor has none.
    pub fn notification(&self, notification: NotificationId) -> &Notification {
        &self.notifications[notification]
    }

    /// The notification of a thread's PD; the monitor has none.
    pub fn own_notification(&self, thread: ThreadId) -> NotificationId {
        NotificationId::nth(thread.index())
    }

    /// A reply object.
    pub fn reply(&self, reply: ReplyId) -> &Reply {
        &self.replies[reply]
    }

    /// The reply object of a thread's PD.
    pub fn own_reply(&self, thread: ThreadId) -> ReplyId {
        ReplyId::nth(thread.index())
    }

    /// The interrupts of all PDs: their numbers, and their state.
    pub fn irqs(&self) -> impl Iterator<Item = (u32, &Irq)> {
        self.irqs
            .iter()
            .map(|(irq, state)| (self.system.irqs[irq.index()].0, state))
    }

    /// The threads that are in line for the processor, in the order of their turns.
    pub fn ready(&self) -> impl Iterator<Item = ThreadId> {
        self.scheduler.ready.iter(&self.threads)
    }

    /// The threads that wait for budget, in the order in which they get it.
    pub fn awaiting_budget(&self) -> impl Iterator<Item = ThreadId> {
        self.scheduler.release.iter(&self.threads)
    }

    /// The threads that wait at an endpoint, in the order of their turns.
    pub fn waiting_at(&self, endpoint: EndpointId) -> impl Iterator<Item = ThreadId> {
        self.endpoints[endpoint].queue().iter(&self.threads)
    }

    /// The time of the last entry.
    pub fn now(&self) -> Ticks {
        self.scheduler.now
    }

    /// The timer.
    pub fn clock(&self) -> Clock {
        self.system.clock
    }

    /// What the kernel was made from.
    pub fn spec(&self) -> &BootSpec {
        &self.system.spec
    }
}

impl Hash for Kernel {
    fn hash<H: Hasher>(&self, state: &mut H) {
        // Without the system: kernels that are compared at all run the same one.
        self.threads.hash(state);
        self.sched_contexts.hash(state);
        self.endpoints.hash(state);
        self.notifications.hash(state);
        self.replies.hash(state);
        self.irqs.hash(state);
        self.scheduler.hash(state);
        self.monitor.hash(state);
        self.halted.hash(state);
    }
}

impl fmt::Debug for Kernel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Without the system, which never changes and is long.
        f.debug_struct("Kernel")
            .field("threads", &self.threads)
            .field("sched_contexts", &self.sched_contexts)
            .field("endpoints", &self.endpoints)
            .field("notifications", &self.notifications)
            .field("replies", &self.replies)
            .field("irqs", &self.irqs)
            .field("scheduler", &self.scheduler)
            .field("monitor", &self.monitor)
            .field("halted", &self.halted)
            .finish()
    }
}
