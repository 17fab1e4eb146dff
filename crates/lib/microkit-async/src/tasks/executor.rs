//! The executor that runs tasks inside the event loop.
//!
//! ```text
//!     event ─▶ Handler::notified, protected, fault ─▶ reply ─▶ Handler::work
//!                   record notifications,                         run tasks until none is ready
//!                   wake tasks                                    wake tasks with a passed deadline
//!                                                                 ask the holds that are drained
//! ```
//!
//! An event only wakes tasks. Tasks run in `work`, after the reply. So a caller never waits for
//! tasks, and the system calls of tasks do not overwrite the message registers of the reply.

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

/// The [`Handler`] of a protection domain (PD) that runs async tasks. A second handler can be added
/// for events that tasks do not handle.
///
/// Tasks run after each event and its reply, until no task is ready. The ready task with the
/// highest priority runs next, until its next wait. Tasks of equal priority run in the order of
/// their wake-ups. A task that never waits blocks the event loop of the PD. A task that wakes
/// itself each time it runs also blocks the event loop.
///
/// The crate page has an example.
pub struct Tasks<H = NoHandler> {
    handler: H,
    spawner: Spawner,
}

impl Tasks {
    /// Creates the executor in `memory`, without tasks.
    ///
    /// # Panics
    ///
    /// Panics if the PD has created `Tasks` before. Panics if the PD is passive, because a passive
    /// PD has no scheduling context after its reply. Panics if the memory is too small for the
    /// executor (128 bytes are enough).
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
        // `pender` ignores this argument.
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
    /// Adds the handler for all events that tasks do not listen to: other notifications, protected
    /// procedure calls and faults. The handler replies at once. Tasks that the handler wakes run
    /// after the reply.
    pub fn with_handler<G: Handler>(self, handler: G) -> Tasks<G> {
        Tasks {
            handler,
            spawner: self.spawner,
        }
    }

    /// Sets the clock of `embassy-time`: an alarm that notifies on `channel`. At most 32 tasks can
    /// wait for time at once. A 33rd waiting task panics.
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

    /// Returns the spawner. Tasks can also use the spawner to add tasks.
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
    /// Adds a task. The ready task with the highest priority runs next.
    ///
    /// When the task ends, its memory is not reused.
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

    /// Moves a value into the task memory, so that tasks can share the value. The memory is never
    /// freed.
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

    /// Runs tasks until no task is ready.
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
    /// Runs tasks until no task is ready.
    fn run(&mut self) {
        loop {
            context::with(|context| context.is_woken.set(false));
            context::with(|context| context.holds.tasks_run(true));
            // SAFETY: `poll` must be called only on the executor's thread, and must not be called
            // within a poll.
            // 1. Only this function calls `poll` of this executor: the executor is private to this
            //    module, and `&mut self` excludes a second call (invariant 3).
            // 2. `Executor` is neither `Send` nor `Sync`, so a `Tasks` stays on the thread that
            //    created it.
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

/// A task's future. During each poll, [`Holds`](super::holds::Holds) records this task as the
/// running task.
struct AsTask<F> {
    future: F,
}

impl<F: Future> Future for AsTask<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<F::Output> {
        let _running = Running::enter(task.waker());
        // SAFETY: `future` is pinned because its `AsTask` is pinned (invariant 5).
        // 1. `future` is never moved: `AsTask` has no `Drop`, and only this function uses the
        //    field.
        // 2. `AsTask` is `Unpin` only if `F` is `Unpin`, because `Unpin` is an auto trait.
        let future = unsafe { self.map_unchecked_mut(|this| &mut this.future) };
        future.poll(task)
    }
}

/// Records that a task was woken. The executor calls this function at the first wake-up after its
/// queue was empty. The event loop then runs the tasks, because `has_work` returns true.
// SAFETY: 1. This function has the name and the type that `embassy_executor::raw::Executor`
// requires. Other crates of a protection domain do not export this name.
// 2. This function does not access any task (invariant 4).
#[unsafe(export_name = "__pender")]
fn pender(_: *mut ()) {
    context::with(|context| context.is_woken.set(true));
}

/// The default second handler of [`Tasks`]. This handler ignores notifications. A notification
/// without a listener stays pending until a task listens to its channel.
#[derive(Debug, Copy, Clone)]
pub struct NoHandler;

impl Handler for NoHandler {
    type Error = Infallible;

    fn notified(&mut self, _: ChannelSet) -> Result<(), Infallible> {
        Ok(())
    }
}
