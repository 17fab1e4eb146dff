//! The executor, inside the event loop.

use core::fmt;
use core::pin::Pin;
use core::ptr;
use core::task::{Context, Poll};

use embassy_executor::raw::{Executor, TaskStorage};
use sel4_microkit::{
    Channel, ChannelSet, Child, DeferredAction, FastWords, Handler, Infallible, MessageInfo,
    RestartReply, pd_is_passive,
};

use super::context;
use super::holds::Running;
use super::memory::{self, OutOfTaskMemory, Reserve, TaskMemory};
use crate::Alarm;

/// The tasks of a protection domain (PD), as its [`Handler`], beside another handler if it has one.
///
/// After each event, when who has called has its reply, tasks run until none can: always that of the
/// highest priority, which is looked for anew whenever one waits. Of those with the same priority, who
/// was woken in an earlier turn runs first, so that each gets its turn. A task that never waits keeps
/// the PD from everything else, and so does one that wakes itself each time.
pub struct Tasks<H = NoHandler> {
    handler: H,
    spawner: Spawner,
}

impl Tasks {
    /// No tasks yet.
    ///
    /// **Panics:** if this PD has had some before; if it is passive, as it would have no time to run
    /// tasks when it has replied; and if the memory is too small for the executor (128 bytes are
    /// enough).
    pub fn new<const BYTES: usize>(memory: &'static TaskMemory<BYTES>) -> Self {
        assert!(
            !pd_is_passive(),
            "this protection domain is passive, and has no time of its own to run tasks in: take \
             passive=\"true\" out of the system file"
        );
        let had_tasks = context::with(|context| context.has_tasks.replace(true));
        assert!(
            !had_tasks,
            "this protection domain has `Tasks` already: add tasks by their `spawner`"
        );
        let memory = memory::own(memory);
        // The context is what `pender` is given, which needs none.
        let executor = match memory::keep(memory, Executor::new(ptr::null_mut())) {
            Ok(executor) => executor,
            Err(error) => panic!("for the executor: {error}"),
        };
        Self {
            handler: NoHandler,
            spawner: Spawner { executor, memory },
        }
    }
}

impl<H> Tasks<H> {
    /// Adds the handler of everything that tasks do not listen to: other notifications, calls, faults.
    /// It answers directly, and may wake tasks.
    pub fn with_handler<G: Handler>(self, handler: G) -> Tasks<G> {
        Tasks {
            handler,
            spawner: self.spawner,
        }
    }

    /// Gives `embassy-time` what tells the time: a driver that notifies on `channel`. Up to 32 tasks can
    /// wait for the time at once; one more panics.
    ///
    /// **Panics:** if the task memory is too small for it.
    #[must_use]
    pub fn with_alarm<A: Alarm + Sync + 'static>(self, channel: Channel, alarm: A) -> Self {
        match memory::keep(self.spawner.memory, alarm) {
            Ok(alarm) => context::with(|context| context.time.set_alarm(channel, alarm)),
            Err(error) => panic!("for the alarm: {error}"),
        }
        self
    }

    /// By which tasks are added, now or by tasks.
    pub fn spawner(&self) -> Spawner {
        self.spawner
    }
}

impl<H: fmt::Debug> fmt::Debug for Tasks<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tasks")
            .field("handler", &self.handler)
            .finish_non_exhaustive()
    }
}

/// Adds tasks.
#[derive(Copy, Clone)]
pub struct Spawner {
    executor: &'static Executor,
    memory: &'static dyn Reserve,
}

impl Spawner {
    /// Adds a task, with a priority: the higher, the sooner.
    ///
    /// Its memory is not used again when it ends.
    ///
    /// **Errors:** there is not enough task memory.
    pub fn spawn<F>(&self, priority: u8, task: F) -> Result<(), OutOfTaskMemory>
    where
        F: Future<Output = ()> + 'static,
    {
        let storage = memory::keep(self.memory, TaskStorage::<AsTask<F>>::new())?;
        let token = storage
            .spawn(|| AsTask { future: task })
            .expect("there was never a task in this storage");
        token.metadata().set_priority(priority);
        self.embassy().spawn(token);
        Ok(())
    }

    /// Keeps a value in the task memory for as long as the PD runs, so that tasks can share it.
    ///
    /// **Errors:** there is not enough.
    pub fn keep<T: 'static>(&self, value: T) -> Result<&'static T, OutOfTaskMemory> {
        memory::keep(self.memory, value)
    }

    /// The executor's own spawner, for functions that are marked `#[embassy_executor::task]`.
    pub fn embassy(&self) -> embassy_executor::Spawner {
        self.executor.spawner()
    }
}

impl fmt::Debug for Spawner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Spawner").finish_non_exhaustive()
    }
}

impl<H: Handler> Handler for Tasks<H> {
    type Error = H::Error;

    fn notified(&mut self, channels: ChannelSet) -> Result<(), H::Error> {
        let others = context::with(|context| {
            let others = context.time.notified(channels);
            context.notify(others)
        });
        if others.is_empty() {
            return Ok(());
        }
        self.handler.notified(others)
    }

    fn protected(&mut self, channel: Channel, info: MessageInfo) -> Result<MessageInfo, H::Error> {
        self.handler.protected(channel, info)
    }

    fn protected_with_mrs(
        &mut self,
        channel: Channel,
        info: MessageInfo,
        words: FastWords,
    ) -> Result<(MessageInfo, FastWords), H::Error> {
        self.handler.protected_with_mrs(channel, info, words)
    }

    fn fault(&mut self, child: Child, info: MessageInfo) -> Result<Option<MessageInfo>, H::Error> {
        self.handler.fault(child, info)
    }

    fn take_deferred_action(&mut self) -> Option<DeferredAction> {
        self.handler.take_deferred_action()
    }

    fn restart_reply(&self) -> Option<RestartReply> {
        self.handler.restart_reply()
    }

    fn has_work(&self) -> bool {
        self.handler.has_work()
            || context::with(|context| context.is_woken.get() || context.time.has_changed())
    }

    /// Runs tasks until none can run.
    fn work(&mut self) -> Result<(), H::Error> {
        if self.handler.has_work() {
            self.handler.work()?;
        }
        context::with(|context| context.holds.begin_event());
        loop {
            self.run();
            if !context::with(|context| context.holds.ask() || context.holds.judge()) {
                return Ok(());
            }
        }
    }
}

impl<H> Tasks<H> {
    /// Runs tasks until none can run.
    fn run(&mut self) {
        loop {
            context::with(|context| context.is_woken.set(false));
            context::with(|context| context.holds.tasks_run(true));
            // SAFETY: `poll` must not be called while it runs, and on the thread of the executor.
            // 1. No one else has this executor's `poll`: it is private here, and this has its
            //    `&mut` (invariant 3).
            // 2. `Executor` is neither `Send` nor `Sync`, so that a `Tasks` stays where it was
            //    made.
            unsafe { self.spawner.executor.poll() };
            context::with(|context| {
                context.holds.tasks_run(false);
                context.time.settle();
            });
            if !context::with(|context| context.is_woken.get()) {
                return;
            }
        }
    }
}

/// A task's future. While it is polled, it is known which task runs.
struct AsTask<F> {
    future: F,
}

impl<F: Future> Future for AsTask<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<F::Output> {
        let _running = Running::enter(task.waker());
        // SAFETY: `future` is pinned with this (invariant 5).
        // 1. Nothing here moves it: this has no `Drop`, and only this function uses the field.
        // 2. `AsTask` is `Unpin` only if `F` is, by the derived rule.
        let future = unsafe { self.map_unchecked_mut(|this| &mut this.future) };
        future.poll(task)
    }
}

/// What the executor calls when a task is woken and no other was. It runs when the event loop comes
/// to it.
// SAFETY: 1. It has the name and the type that `embassy_executor::raw::Executor` wants, and no
//    other crate of a protection domain has it.
// 2. It touches no task (invariant 4).
#[unsafe(export_name = "__pender")]
fn pender(_: *mut ()) {
    context::with(|context| context.is_woken.set(true));
}

/// What a protection domain handles besides its tasks: nothing. What nobody listens to stays until
/// somebody does.
#[derive(Debug, Copy, Clone)]
pub struct NoHandler;

impl Handler for NoHandler {
    type Error = Infallible;

    fn notified(&mut self, _: ChannelSet) -> Result<(), Infallible> {
        Ok(())
    }
}
