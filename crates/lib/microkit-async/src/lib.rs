//! Async tasks in a protection domain (PD), inside its event loop, and references that can be drained.
//!
//! [`Tasks`] is a [`Handler`](sel4_microkit::Handler) that runs tasks on `embassy-executor`, without a
//! heap. Tasks wait for notifications ([`Listener`]), interrupts ([`Interrupt`]), replies that come
//! later ([`SplitClient`]), and, by `embassy-time`, for time to pass ([`Alarm`]). Whatever the ecosystem
//! builds on wakers works with them: `embassy-futures`, `embassy-sync`, `embedded-hal-async`.
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
//!     let mut peer = Listener::new(Channel::new(1)).expect("nobody else listens");
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
//! A PD has one thread, and a task runs until it waits. So what is between two waits needs no lock:
//! [`Exclusive`] lends a value for so long, and no wait can be inside. What is to stay alive *across*
//! waits is a [`Drainable`]: tasks hold it, and who drains it waits until the last one has let go.
//! A [`Completion`] is how one waits for work of others; it can only be published by the work itself.
//!
//! Holding and draining alone cannot deadlock: acquiring never waits, draining waits for holders
//! only, and a task that holds cannot drain. A hold that its task forgets makes draining fail, with
//! the place of that hold. One rule is left to the program: a task that holds must not wait, by a
//! `Completion` or anything else, for a task that drains what it holds.
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
