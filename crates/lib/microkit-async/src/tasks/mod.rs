//! All modules that need an executor: the tasks, the events that they wait for, and their shared
//! objects.
//!
//! `executor` runs tasks after each event of the PD. A PD has one `context`, where the other
//! modules store the state of waiting tasks: `listener`, `interrupt` and `split` store channels,
//! `time` stores deadlines, `drainable` and `holds` store references. `completion` and `exclusive`
//! need no context.

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
