//! A task's priority, which it can change while it runs.

use core::fmt;

use embassy_executor::Metadata;

/// The priority of a task, by which it can be moved.
#[derive(Copy, Clone)]
pub struct TaskPriority(&'static Metadata);

impl TaskPriority {
    /// That of the task which runs now. It does not wait.
    ///
    /// **Cancel safety:** there is nothing to cancel.
    /// **Panics:** in a future that another executor runs than that of [`Tasks`](crate::Tasks).
    pub async fn current() -> Self {
        Self(Metadata::for_current_task().await)
    }

    /// Which it is. Of tasks that can run, that with the highest runs next.
    pub fn get(self) -> u8 {
        self.0.priority()
    }

    /// Moves the task. If it has been woken already and has not run since, it still runs once as it
    /// was woken.
    ///
    /// Whatever the task holds is bound to the task and not to its priority, so it may be moved at any
    /// time.
    pub fn set(self, priority: u8) {
        self.0.set_priority(priority);
    }
}

impl fmt::Debug for TaskPriority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TaskPriority").field(&self.get()).finish()
    }
}
