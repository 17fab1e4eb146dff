//! All modules that need an executor: tasks, the events that tasks wait for, and the objects that
//! tasks share.
//!
//! `executor` runs tasks after each event of the PD. A PD has one `context`. The other modules
//! store the state of waiting tasks in this context. `listener`, `interrupt` and `split` store
//! channels, `time` stores deadlines, and `drainable` and `holds` store references. `completion`
//! and `exclusive` do not use the context.

mod completion;
mod context;
mod drainable;
mod exclusive;
mod executor;
mod holds;
mod interrupt;
mod listener;
mod memory;
mod priority;
mod split;
mod time;
mod wakers;

pub use completion::{Abandoned, Completion, Full};
pub use drainable::{Drain, DrainError, Drainable, Draining};
pub use exclusive::Exclusive;
pub use executor::{NoHandler, Spawner, Tasks};
pub use interrupt::Interrupt;
pub use listener::{AlreadyListened, Listener};
pub use memory::{OutOfTaskMemory, TaskMemory};
pub use priority::TaskPriority;
pub use split::{NothingAsked, SplitClient, SplitServer, WORDS_PER_MESSAGE};
pub use time::Alarm;
