//! The executor, inside the event loop.
//!
//! ```text
//!     event ─▶ Handler::notified, protected, fault ─▶ reply ─▶ Handler::work
//!                   notes notifications,                          run tasks until none can run
//!                   wakes tasks                                   wake tasks whose time has come
//!                                                                 ask the holds that are drained
//! ```
//!
//! An event only wakes tasks. They run in `work`, after the reply, so that no caller waits for them and
//! their system calls do not overwrite the reply's message registers.

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

/// The tasks of a protection domain (PD) as its [`Handler`], with another handler beside them if
/// the PD needs one.
///
/// Tasks run after each event and after the reply to its caller, until none can run. The ready task
/// of the highest priority runs next, and it runs until it waits. Tasks of the same priority run in
/// the order of the turns in which they were woken, so each gets its turn. A task that never waits
/// stops everything else in the PD, and so does a task that wakes itself each time.
///
/// The page of the crate has an example.
pub struct Tasks<H = NoHandler> {
    handler: H,
    spawner: Spawner,
}

impl Tasks {
    /// Creates the executor in `memory`, without tasks.
    ///
    /// # Panics
    ///
    /// Panics if the PD has created `Tasks` before, if it is passive (it has no time to run tasks
    /// after a reply), or if the memory is too small for the executor (128 bytes are enough).
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
        // The argument of `pender`, which it does not use.
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
    /// Adds the handler of everything that tasks do not listen to: other notifications, calls,
    /// faults. It answers at once, and may wake tasks, which run after the reply.
    pub fn with_handler<G: Handler>(self, handler: G) -> Tasks<G> {
        Tasks {
            handler,
            spawner: self.spawner,
        }
    }

    /// Sets the clock of `embassy-time`: an alarm that notifies on `channel`. Up to 32 tasks can
    /// wait for the time at once; a 33rd panics.
    ///
    /// # Panics
    ///
    /// Panics if the task memory is too small for the alarm.
    #[must_use]
    pub fn with_alarm<A: Alarm + Sync + 'static>(self, channel: Channel, alarm: A) -> Self {
        match memory::keep(self.spawner.memory, alarm) {
            Ok(alarm) => context::with(|context| context.time.set_alarm(channel, alarm)),
            Err(error) => panic!("for the alarm: {error}"),
        }
        self
    }

    /// Returns the spawner, which adds tasks, also from tasks.
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

/// Adds tasks to [`Tasks`].
#[derive(Copy, Clone)]
pub struct Spawner {
    executor: &'static Executor,
    memory: &'static dyn Reserve,
}

impl Spawner {
    /// Adds a task. Among ready tasks, the one with the highest priority runs next.
    ///
    /// The memory of a task is not used again when the task ends.
    ///
    /// # Errors
    ///
    /// Returns [`OutOfTaskMemory`] if there is not enough task memory.
    pub fn spawn<F>(&self, priority: u8, task: F) -> Result<(), OutOfTaskMemory>
    where
        F: Future<Output = ()> + 'static,
    {
        let storage = memory::keep(self.memory, TaskStorage::<AsTask<F>>::new())?;
        let Ok(token) = storage.spawn(|| AsTask { future: task }) else {
            unreachable!("the storage is new, so it has no task");
        };
        token.metadata().set_priority(priority);
        self.embassy().spawn(token);
        Ok(())
    }

    /// Keeps a value in the task memory for as long as the PD runs, so that tasks can share it.
    ///
    /// # Errors
    ///
    /// Returns [`OutOfTaskMemory`] if there is not enough task memory.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # fn start(tasks: &microkit_async::Tasks) -> Result<(), microkit_async::OutOfTaskMemory> {
    /// use microkit_async::Exclusive;
    ///
    /// let spawner = tasks.spawner();
    /// let count = spawner.keep(Exclusive::new(0_u32))?;
    /// spawner.spawn(0, async { count.with(|count| *count += 1) })?;
    /// spawner.spawn(1, async { count.with(|count| *count += 1) })
    /// # }
    /// ```
    pub fn keep<T: 'static>(&self, value: T) -> Result<&'static T, OutOfTaskMemory> {
        memory::keep(self.memory, value)
    }

    /// Returns the spawner of `embassy-executor`, for functions with `#[embassy_executor::task]`.
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

/// A task's future. While it is polled, [`Holds`](super::holds::Holds) know which task runs.
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

/// The executor calls this when a task is woken and no other was. The tasks run when the event loop
/// next asks `has_work`.
// SAFETY: 1. It has the name and the type that `embassy_executor::raw::Executor` wants, and no
//    other crate of a protection domain has it.
// 2. It touches no task (invariant 4).
#[unsafe(export_name = "__pender")]
fn pender(_: *mut ()) {
    context::with(|context| context.is_woken.set(true));
}

/// The handler beside tasks that does nothing. A notification that no task listens to stays until a
/// task does.
#[derive(Debug, Copy, Clone)]
pub struct NoHandler;

impl Handler for NoHandler {
    type Error = Infallible;

    fn notified(&mut self, _: ChannelSet) -> Result<(), Infallible> {
        Ok(())
    }
}
