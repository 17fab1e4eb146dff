//! Which tasks hold what, and which wait until nobody does, in the whole protection domain.
//!
//! Two questions are answered here. *Does this task hold anything?* A task that holds may not
//! drain. *Will this hold be given back?* A hold that its owner forgot, or polled once and keeps,
//! is never given back. That cannot be seen from outside, but it can be asked: waking its waker
//! gets a future polled again, if anything still polls it. So while a task drains, [`Holds::ask`]
//! wakes the holds in its way after each event. Once no task can run any more, [`Holds::judge`]
//! finds those that were not polled: they are idle, and draining ends with an error that names
//! them. Only holds that were polled by tasks of [`Tasks`](crate::Tasks) are asked: this module
//! does not know when other tasks have their turn.

use core::cell::{Cell, RefCell};
use core::panic::Location;
use core::task::Waker;

use heapless::Vec;

use super::context;

/// The most holds that are alive at a time in a protection domain.
const HOLDS: usize = 32;

/// The most tasks that drain at a time.
const DRAINS: usize = 32;

/// The place in the program that holds.
pub(crate) type Place = &'static Location<'static>;

pub(crate) struct Holds {
    /// The task that runs now, by the waker that its executor gave it. What a task polls may be
    /// given other wakers.
    running: Cell<Option<Waker>>,
    /// Tasks of [`Tasks`](crate::Tasks) run now.
    tasks_run: Cell<bool>,
    /// The last number that was given to an object, a hold or a drain. None is 0.
    last_number: Cell<u64>,
    holds: RefCell<Vec<Hold, HOLDS>>,
    drains: RefCell<Vec<Waiting, DRAINS>>,
}

struct Hold {
    number: u64,
    object: u64,
    /// The task that polled it last.
    task: Waker,
    /// What it was polled with.
    waker: Waker,
    place: Place,
    /// A task of [`Tasks`](crate::Tasks) polled it last.
    is_of_tasks: bool,
    asked: Asked,
}

/// Whether a hold is polled by anybody.
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
    /// It has asked since the last event.
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

    /// The number of an object, a hold or a drain, which has one from its first use.
    pub(crate) fn number(&self, of: &Cell<u64>) -> u64 {
        if of.get() == 0 {
            self.last_number.set(self.last_number.get() + 1);
            of.set(self.last_number.get());
        }
        of.get()
    }

    /// The task that runs, if one is known; otherwise the waker takes its place.
    fn task(&self, waker: &Waker) -> Waker {
        let running = self.running.take();
        let task = running.as_ref().unwrap_or(waker).clone();
        self.running.set(running);
        task
    }

    /// Notes that a hold is polled. From now on it belongs to this task.
    ///
    /// **Panics:** if it is new, and there are too many.
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
            "more than {HOLDS} holds are alive: give some back first, and forget none"
        );
    }

    /// Forgets a hold that was given back.
    pub(crate) fn given_back(&self, number: u64) {
        self.holds.borrow_mut().retain(|hold| hold.number != number);
    }

    /// Wakes those that wait until nobody holds an object.
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

    /// Notes that a task waits until nobody holds an object.
    ///
    /// **Panics:** if too many wait.
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
            "more than {DRAINS} tasks drain at once: let one drain, and tell the others"
        );
    }

    /// Forgets a drain.
    pub(crate) fn waits_no_more(&self, number: u64) {
        self.drains
            .borrow_mut()
            .retain(|drain| drain.number != number);
    }

    /// Whether tasks of [`Tasks`](crate::Tasks) run now.
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

    /// Wakes the holds for which drains wait that have not asked yet. Returns whether there were
    /// any such drains. If so, tasks must run until none can, before [`judge`](Self::judge).
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

    /// Finds the holds that were woken and not polled, when every task has had its turn, and wakes
    /// those that drain their objects. Returns whether there were any.
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

/// Until it is dropped, the task of this waker counts as the running task, unless a task around it
/// is known already.
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
