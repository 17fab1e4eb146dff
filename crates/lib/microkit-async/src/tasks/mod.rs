//! Everything that needs an executor: the tasks, what they wait for, and the objects that they share.
//!
//! `executor` runs tasks after each event of the PD. The other modules keep what tasks wait for in the
//! `context`, of which a PD has one: `listener`, `interrupt` and `split` channels, `time` deadlines,
//! `drainable` and `holds` references. `completion` and `exclusive` need no context.

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
