//! The holds and drains of the whole protection domain.
//!
//! This module answers two questions:
//!
//! - *Does this task hold an object?* A task with a hold must not drain.
//! - *Will this hold ever end?* A hold never ends if its future was leaked, or is kept and no
//!   longer polled. This module cannot detect a leaked future directly. But code that still polls a
//!   future polls the future again after its waker was called.
//!
//! So while a task drains, [`Holds::ask`] wakes the holds of the drained object after each event.
//! When no task is ready any more, [`Holds::judge`] finds the holds that were not polled. These
//! holds are idle. The drain ends with an error that contains the location of an idle hold.
//!
//! ```text
//!                  ask: wake it                judge: nobody has polled it
//!     Answered ─────────────────────▶ Waits ───────────────────────────────▶ Idle
//!         ▲                             │                                     │
//!         └──────── it is polled ◀──────┴─────────────────────────────────────┘
//! ```
//!
//! [`Holds::ask`] wakes only holds that tasks of [`Tasks`](crate::Tasks) have polled. For another
//! executor, this module cannot determine whether all ready tasks have run.

use core::cell::{Cell, RefCell};
use core::panic::Location;
use core::task::Waker;

use heapless::Vec;

use super::context;

/// The number of holds that can be alive at a time in a protection domain.
const HOLDS: usize = 32;

/// The number of tasks that can drain at a time.
const DRAINS: usize = 32;

/// The source location of a hold.
pub(crate) type Place = &'static Location<'static>;

pub(crate) struct Holds {
    /// The task that runs now, identified by the waker of its executor. A future inside the task
    /// may be polled with another waker.
    running: Cell<Option<Waker>>,
    /// Whether tasks of [`Tasks`](crate::Tasks) run now.
    tasks_run: Cell<bool>,
    /// The last assigned number of an object, a hold or a drain. The first number is 1.
    last_number: Cell<u64>,
    holds: RefCell<Vec<Hold, HOLDS>>,
    drains: RefCell<Vec<Waiting, DRAINS>>,
}

struct Hold {
    number: u64,
    object: u64,
    /// The task of the last poll.
    task: Waker,
    /// The waker of the last poll.
    waker: Waker,
    place: Place,
    /// Whether a task of [`Tasks`](crate::Tasks) made the last poll.
    is_of_tasks: bool,
    asked: Asked,
}

/// Whether the future of a hold is still polled.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
enum Asked {
    /// The hold was polled after the last call of [`Holds::ask`].
    Answered,
    /// [`Holds::ask`] has woken the hold, and the hold was not polled since.
    Waits,
    /// [`Holds::ask`] has woken the hold, and the hold was not polled although all ready tasks have
    /// run.
    Idle,
}

struct Waiting {
    number: u64,
    object: u64,
    waker: Waker,
    /// Whether [`Holds::ask`] has woken the holds of the drained object since the last event.
    has_asked: bool,
}

impl Holds {
    pub(crate) const fn new() -> Self {
        Self {
            running: Cell::new(None),
            tasks_run: Cell::new(false),
            last_number: Cell::new(0),
            holds: RefCell::new(Vec::new()),
            drains: RefCell::new(Vec::new()),
        }
    }

    /// Returns the number of an object, a hold or a drain. The first call assigns the number.
    pub(crate) fn number(&self, of: &Cell<u64>) -> u64 {
        if of.get() == 0 {
            self.last_number.set(self.last_number.get() + 1);
            of.set(self.last_number.get());
        }
        of.get()
    }

    /// Returns the waker of the running task, or `waker` if no running task is known.
    fn task(&self, waker: &Waker) -> Waker {
        let running = self.running.take();
        let task = running.as_ref().unwrap_or(waker).clone();
        self.running.set(running);
        task
    }

    /// Records a poll of a hold. After this call, the hold belongs to the running task.
    ///
    /// # Panics
    ///
    /// Panics if the hold is new, and the table of holds is full.
    pub(crate) fn polled(&self, number: u64, object: u64, place: Place, waker: &Waker) {
        let task = self.task(waker);
        let mut holds = self.holds.borrow_mut();
        if let Some(hold) = holds.iter_mut().find(|hold| hold.number == number) {
            hold.asked = Asked::Answered;
            hold.is_of_tasks = self.tasks_run.get();
            hold.task.clone_from(&task);
            hold.waker.clone_from(waker);
            return;
        }
        let hold = Hold {
            number,
            object,
            task,
            waker: waker.clone(),
            place,
            is_of_tasks: self.tasks_run.get(),
            asked: Asked::Answered,
        };
        assert!(
            holds.push(hold).is_ok(),
            "more than {HOLDS} holds are alive: end some first, and forget none"
        );
    }

    /// Removes a hold that has ended.
    pub(crate) fn given_back(&self, number: u64) {
        self.holds.borrow_mut().retain(|hold| hold.number != number);
    }

    /// Wakes the tasks that drain an object.
    pub(crate) fn wake_drains_of(&self, object: u64) {
        let drains = self.drains.borrow();
        let waiting = drains.iter().filter(|drain| drain.object == object);
        waiting.for_each(|drain| drain.waker.wake_by_ref());
    }

    /// Returns the location of a hold of the running task, if the task has a hold.
    pub(crate) fn held_by(&self, waker: &Waker) -> Option<Place> {
        let task = self.task(waker);
        let holds = self.holds.borrow();
        let own = holds.iter().find(|hold| hold.task.will_wake(&task));
        own.map(|hold| hold.place)
    }

    /// Returns the location of an idle hold of an object, if the object has an idle hold.
    pub(crate) fn idle_hold_of(&self, object: u64) -> Option<Place> {
        let holds = self.holds.borrow();
        let is_idle = |hold: &&Hold| hold.object == object && hold.asked == Asked::Idle;
        holds.iter().find(is_idle).map(|hold| hold.place)
    }

    /// Records that a task drains an object.
    ///
    /// # Panics
    ///
    /// Panics if more than 32 tasks drain at the same time.
    pub(crate) fn wait(&self, number: u64, object: u64, waker: &Waker) {
        let mut drains = self.drains.borrow_mut();
        if let Some(drain) = drains.iter_mut().find(|drain| drain.number == number) {
            drain.waker.clone_from(waker);
            return;
        }
        let waiting = Waiting {
            number,
            object,
            waker: waker.clone(),
            has_asked: false,
        };
        assert!(
            drains.push(waiting).is_ok(),
            "more than {DRAINS} tasks drain at once: let one task drain, and wake the others from there"
        );
    }

    /// Removes a drain.
    pub(crate) fn waits_no_more(&self, number: u64) {
        self.drains
            .borrow_mut()
            .retain(|drain| drain.number != number);
    }

    /// Sets whether tasks of [`Tasks`](crate::Tasks) run now.
    pub(crate) fn tasks_run(&self, they_do: bool) {
        self.tasks_run.set(they_do);
    }

    /// Starts an event. After each event, [`ask`](Self::ask) must wake all holds again, because
    /// tasks have run and may have leaked a hold.
    pub(crate) fn begin_event(&self) {
        for drain in self.drains.borrow_mut().iter_mut() {
            drain.has_asked = false;
        }
    }

    /// Wakes the holds of each drained object, once after each event. Returns whether holds of
    /// a drained object were woken. If so, all ready tasks must run before [`judge`](Self::judge)
    /// is called.
    pub(crate) fn ask(&self) -> bool {
        let mut has_asked = false;
        for drain in self.drains.borrow_mut().iter_mut() {
            if core::mem::replace(&mut drain.has_asked, true) {
                continue;
            }
            has_asked = true;
            for hold in self.holds.borrow_mut().iter_mut() {
                if hold.object == drain.object && hold.is_of_tasks {
                    hold.asked = Asked::Waits;
                    hold.waker.wake_by_ref();
                }
            }
        }
        has_asked
    }

    /// Marks a hold as idle if it was woken but not polled. Wakes the tasks that drain the object
    /// of such a hold. Returns whether any hold was marked. All ready tasks must have run before
    /// this call.
    pub(crate) fn judge(&self) -> bool {
        let mut has_found = false;
        for hold in self.holds.borrow_mut().iter_mut() {
            if hold.asked == Asked::Waits {
                hold.asked = Asked::Idle;
                self.wake_drains_of(hold.object);
                has_found = true;
            }
        }
        has_found
    }
}

/// Marks the running task by its waker until this guard is dropped. A nested guard has no effect,
/// because the outermost waker identifies the task.
pub(crate) struct Running {
    is_outermost: bool,
}

impl Running {
    pub(crate) fn enter(waker: &Waker) -> Self {
        context::with(|context| {
            let running = &context.holds.running;
            let known = running.take();
            let is_outermost = known.is_none();
            running.set(known.or_else(|| Some(waker.clone())));
            Self { is_outermost }
        })
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if self.is_outermost {
            context::with(|context| context.holds.running.set(None));
        }
    }
}
