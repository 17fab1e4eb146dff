//! Async tasks in the event loop of a protection domain (PD), and shared values that can be
//! drained.
//!
//! [`Tasks`] is a [`Handler`](sel4_microkit::Handler) that runs tasks on `embassy-executor`,
//! without a heap. Tasks wait for notifications ([`Listener`]), interrupts ([`Interrupt`]), and
//! deferred replies ([`SplitClient`]). With `embassy-time`, tasks also wait for time to pass
//! ([`Alarm`]). All crates based on wakers work with these tasks, for example `embassy-futures`,
//! `embassy-sync` and `embedded-hal-async`.
//!
//! ```no_run
//! #![no_std]
//! #![no_main]
//!
//! use sel4_microkit::{Channel, Handler, protection_domain};
//! use microkit_async::{Listener, TaskMemory, Tasks};
//!
//! static MEMORY: TaskMemory<4096> = TaskMemory::new();
//!
//! #[protection_domain]
//! fn init() -> impl Handler {
//!     let tasks = Tasks::new(&MEMORY);
//!     let mut peer = Listener::new(Channel::new(1)).expect("there is no other listener");
//!     let echo = async move {
//!         loop {
//!             peer.notified().await;
//!             peer.channel().notify();
//!         }
//!     };
//!     tasks.spawner().spawn(0, echo).expect("there is room");
//!     tasks
//! }
//! ```
//!
//! # Objects that tasks share
//!
//! A PD has one thread, and each task runs until its next wait. So code between two waits does not
//! need a lock. [`Exclusive`] lends a value to a closure, and a closure cannot wait. A value that
//! tasks use *across* waits must be a [`Drainable`]. Tasks hold the value while they use it. A task
//! that drains the value waits until the last holder has released the value. A [`Completion`] waits
//! for the work of other tasks. Only the end of this work can complete the `Completion`.
//!
//! Holding and draining alone cannot deadlock. Acquiring a hold never waits, draining waits only
//! for holders, and a task with a hold cannot drain. If a task leaks a hold, draining fails and
//! returns the source location of that hold. The program must follow one rule: a task with a hold
//! must not wait for a task that drains the held value, for example through a `Completion`.
//!
//! # Features
//!
//! | feature | adds |
//! | --- | --- |
//! | `tasks` (default) | everything except the module [`deadlines`] |
//!
//! In the documentation of this crate, **Blocking:** states whether a call blocks the whole PD.
//! **Cancel safety:** states the effect of dropping a future before it has ended. **Rights:**
//! states the elements that the system file must contain.
#![no_std]

#[cfg(not(target_os = "none"))]
extern crate std;

pub mod deadlines;
#[cfg(feature = "tasks")]
mod tasks;

#[cfg(feature = "tasks")]
pub use tasks::{
    Abandoned, Alarm, AlreadyListened, Completion, Drain, DrainError, Drainable, Draining,
    Exclusive, Full, Interrupt, Listener, NoHandler, NothingAsked, OutOfTaskMemory, Spawner,
    SplitClient, SplitServer, TaskMemory, TaskPriority, Tasks, WORDS_PER_MESSAGE,
};
