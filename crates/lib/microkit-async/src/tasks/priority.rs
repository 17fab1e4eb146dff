//! The priority of a task, which can change while the task runs.

use core::fmt;

use embassy_executor::Metadata;

/// The priority of a task. Whoever has it can change it.
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
    /// Returns the priority of the current task. It does not wait.
    ///
    /// **Cancel safety:** there is nothing to cancel.
    ///
    /// # Panics
    ///
    /// Panics in a future that runs on another executor than that of [`Tasks`](crate::Tasks).
    pub async fn current() -> Self {
        Self(Metadata::for_current_task().await)
    }

    /// Returns the number. The ready task with the highest number runs next.
    pub fn get(self) -> u8 {
        self.0.priority()
    }

    /// Changes the priority. A task that was woken already still runs once with the priority it was
    /// woken with.
    ///
    /// Holds belong to the task and not to its priority, so the priority can change at any time.
    pub fn set(self, priority: u8) {
        self.0.set_priority(priority);
    }
}

impl fmt::Debug for TaskPriority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TaskPriority").field(&self.get()).finish()
    }
}
