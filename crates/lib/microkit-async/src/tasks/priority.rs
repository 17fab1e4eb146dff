//! The priority of a task, which can change while the task runs.

use core::fmt;

use embassy_executor::Metadata;

/// The priority of a task. Any code with this value can change the priority.
///
/// # Examples
///
/// ```no_run
/// # async fn work() {
/// use microkit_async::TaskPriority;
///
/// let priority = TaskPriority::current().await;
/// priority.set(priority.get() + 1);
/// # }
/// ```
#[derive(Copy, Clone)]
pub struct TaskPriority(&'static Metadata);

impl TaskPriority {
    /// Returns the priority of the current task, without waiting.
    ///
    /// **Cancel safety:** the future ends at its first poll.
    ///
    /// # Panics
    ///
    /// Panics if the future does not run on the executor of [`Tasks`](crate::Tasks).
    pub async fn current() -> Self {
        Self(Metadata::for_current_task().await)
    }

    /// Returns the priority as a number. The ready task with the highest number runs next.
    pub fn get(self) -> u8 {
        self.0.priority()
    }

    /// Changes the priority. A task that is already woken still runs once with the old priority.
    ///
    /// The priority can also change during a hold, because a hold does not depend on the priority.
    pub fn set(self, priority: u8) {
        self.0.set_priority(priority);
    }
}

impl fmt::Debug for TaskPriority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TaskPriority").field(&self.get()).finish()
    }
}
