//! The holds and drains of the whole protection domain.
//!
//! This module answers two questions:
//!
//! - *Does this task hold anything?* A task that holds may not drain.
//! - *Will this hold ever end?* A hold that its owner forgot, or polled once and keeps, never ends. That
//!   is not visible from outside. But a future is polled again after its waker was called, if anything
//!   still polls it.
//!
//! So while a task drains, [`Holds::ask`] wakes the holds that it waits for, after each event. When no
//! task can run any more, [`Holds::judge`] finds those that were not polled. They are idle, and draining
//! ends with an error that names them.
//!
//! ```text
//!                  ask: wake it                judge: nobody has polled it
//!     Answered ─────────────────────▶ Waits ───────────────────────────────▶ Idle
//!         ▲                             │                                     │
//!         └──────── it is polled ◀──────┴─────────────────────────────────────┘
//! ```
//!
//! Only holds that tasks of [`Tasks`](crate::Tasks) have polled are asked: when other executors have
//! given all their tasks a turn is not known here.

use core::cell::{Cell, RefCell};
use core::panic::Location;
use core::task::Waker;

use heapless::Vec;

use super::context;

/// The number of holds that can be alive at a time in a protection domain.
const HOLDS: usize = 32;

/// The number of tasks that can drain at a time.
const DRAINS: usize = 32;

/// The place of a hold in the program.
pub(crate) type Place = &'static Location<'static>;

pub(crate) struct Holds {
    /// The task that runs now, by the waker that its executor gave it. A future inside the task may
    /// be polled with another waker.
    running: Cell<Option<Waker>>,
    /// Whether tasks of [`Tasks`](crate::Tasks) run now.
    tasks_run: Cell<bool>,
    /// The last number that was given to an object, a hold or a drain. No number is 0.
    last_number: Cell<u64>,
    holds: RefCell<Vec<Hold, HOLDS>>,
    drains: RefCell<Vec<Waiting, DRAINS>>,
}

struct Hold {
    number: u64,
    object: u64,
    /// The task that has polled it last.
    task: Waker,
    /// The waker with which it was polled last.
    waker: Waker,
    place: Place,
    /// Whether a task of [`Tasks`](crate::Tasks) has polled it last.
    is_of_tasks: bool,
    asked: Asked,
}

/// Whether anything still polls a hold.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
enum Asked {
    /// It was polled since it was last asked.
    Answered,
    /// It was woken, and not polled since.
    Waits,
    /// It was woken and not polled, although every task had its turn.
    Idle,
}

struct Waiting {
    number: u64,
    object: u64,
    waker: Waker,
    /// Whether it has asked since the last event.
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

    /// Returns the number of an object, a hold or a drain, and gives it one at its first use.
    pub(crate) fn number(&self, of: &Cell<u64>) -> u64 {
        if of.get() == 0 {
            self.last_number.set(self.last_number.get() + 1);
            of.set(self.last_number.get());
        }
        of.get()
    }

    /// Returns the task that runs, if it is known; otherwise `waker` takes its place.
    fn task(&self, waker: &Waker) -> Waker {
        let running = self.running.take();
        let task = running.as_ref().unwrap_or(waker).clone();
        self.running.set(running);
        task
    }

    /// Notes that a hold is polled. From now on it belongs to the running task.
    ///
    /// # Panics
    ///
    /// Panics if the hold is new, and there are too many.
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

    /// Returns the place where the running task holds something, if it does.
    pub(crate) fn held_by(&self, waker: &Waker) -> Option<Place> {
        let task = self.task(waker);
        let holds = self.holds.borrow();
        let own = holds.iter().find(|hold| hold.task.will_wake(&task));
        own.map(|hold| hold.place)
    }

    /// Returns the place of an idle hold of an object, if there is one.
    pub(crate) fn idle_hold_of(&self, object: u64) -> Option<Place> {
        let holds = self.holds.borrow();
        let is_idle = |hold: &&Hold| hold.object == object && hold.asked == Asked::Idle;
        holds.iter().find(is_idle).map(|hold| hold.place)
    }

    /// Notes that a task drains an object.
    ///
    /// # Panics
    ///
    /// Panics if too many tasks drain.
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

    /// Makes every drain ask again after an event, since a task may forget a hold in each of its
    /// turns.
    pub(crate) fn begin_event(&self) {
        for drain in self.drains.borrow_mut().iter_mut() {
            drain.has_asked = false;
        }
    }

    /// Wakes the holds that drains wait for, for each drain that has not asked since the last
    /// event. Returns whether there were such drains. If so, tasks must run until none can, before
    /// [`judge`](Self::judge).
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

    /// Finds the holds that were woken and not polled although every task had its turn, and wakes
    /// the tasks that drain their objects. Returns whether there were any.
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

/// Until it is dropped, the task of this waker is the running task, unless a task around it is
/// known already.
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
