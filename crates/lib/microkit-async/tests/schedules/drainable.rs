//! Tests `Drainable::hold` and `Drainable::drain` in every schedule. The tests also plant flaws,
//! and check that exploration finds each flaw.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::panic::Location;
use std::pin::pin;
use std::rc::Rc;
use std::task::{Poll, Waker};

use embassy_futures::join::join;
use embassy_futures::select::{Either, select};
use embassy_futures::yield_now;
use embassy_time::Timer;
use microkit_async::{DrainError, Drainable, Draining};

use crate::explorer::{World, caught, explore};

/// A planted flaw.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
enum Flaw {
    /// The hold ends when its holder waits. NetBSD's *pserialize* has the same limit: a holder must
    /// not wait.
    GivenBackEarly,
    /// New holds are admitted during a drain.
    Open,
    /// The drain checks for holders, but another task runs before the drain starts to wait.
    LooksTooEarly,
    /// Only the first draining task is woken.
    WakesOne,
    /// A cancelled holder does not end its hold.
    Leaks,
    /// The drain does not check whether its own task holds an object.
    DrainsInside,
}

/// The tested object: a [`Drainable`], or a [`Planted`] copy with a flaw.
trait Object: 'static {
    async fn hold(&self, f: impl AsyncFnOnce()) -> Result<(), Draining>;
    async fn drain(&self) -> Result<(), DrainError>;
}

impl Object for Drainable<()> {
    async fn hold(&self, f: impl AsyncFnOnce()) -> Result<(), Draining> {
        Drainable::hold(self, async |()| f().await).await
    }

    async fn drain(&self) -> Result<(), DrainError> {
        Drainable::drain(self).await
    }
}

/// A copy of [`Drainable`] with a planted flaw.
struct Planted {
    flaw: Flaw,
    holders: Cell<usize>,
    inside: Cell<usize>,
    is_draining: Cell<bool>,
    draining: RefCell<Vec<Waker>>,
}

impl Planted {
    fn new(flaw: Flaw) -> Self {
        Self {
            flaw,
            holders: Cell::new(0),
            inside: Cell::new(0),
            is_draining: Cell::new(false),
            draining: RefCell::default(),
        }
    }

    fn give_back(&self) {
        self.holders.set(self.holders.get() - 1);
        if self.holders.get() > 0 {
            return;
        }
        let mut draining = self.draining.take();
        if self.flaw == Flaw::WakesOne {
            draining.truncate(1);
        }
        draining.into_iter().for_each(Waker::wake);
    }
}

struct GivesBack<'a>(&'a Planted);

impl Drop for GivesBack<'_> {
    fn drop(&mut self) {
        self.0.give_back();
    }
}

impl Object for Planted {
    async fn hold(&self, f: impl AsyncFnOnce()) -> Result<(), Draining> {
        if self.is_draining.get() && self.flaw != Flaw::Open {
            return Err(Draining);
        }
        self.holders.set(self.holders.get() + 1);
        let mut held = Some(GivesBack(self));
        if self.flaw == Flaw::Leaks {
            held.take().into_iter().for_each(std::mem::forget);
        }
        {
            let mut future = pin!(f());
            poll_fn(|task| {
                self.inside.set(self.inside.get() + 1);
                let poll = future.as_mut().poll(task);
                self.inside.set(self.inside.get() - 1);
                if poll.is_pending() && self.flaw == Flaw::GivenBackEarly {
                    held = None;
                }
                poll
            })
            .await;
        }
        if self.flaw == Flaw::Leaks {
            self.give_back();
        }
        Ok(())
    }

    async fn drain(&self) -> Result<(), DrainError> {
        if self.inside.get() > 0 && self.flaw != Flaw::DrainsInside {
            return Err(DrainError::InsideHolder(Location::caller()));
        }
        self.is_draining.set(true);
        if self.flaw == Flaw::LooksTooEarly && self.holders.get() > 0 {
            yield_now().await;
            poll_fn(|task| {
                let mut draining = self.draining.borrow_mut();
                if draining.is_empty() {
                    draining.push(task.waker().clone());
                    return Poll::Pending;
                }
                Poll::Ready(())
            })
            .await;
        }
        poll_fn(|task| {
            if self.holders.get() == 0 {
                return Poll::Ready(());
            }
            self.draining.borrow_mut().push(task.waker().clone());
            Poll::Pending
        })
        .await;
        Ok(())
    }
}

/// Records that an object was freed. Any later use of the object is an error.
#[derive(Default)]
struct Freed(Cell<bool>);

impl Freed {
    fn use_it(&self) {
        assert!(!self.0.get(), "it is used after it was freed");
    }
}

/// A value whose destructor uses the object. The destructor is the last effect of a holder.
struct UsesAtTheEnd(Rc<Freed>);

impl Drop for UsesAtTheEnd {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.0.use_it();
        }
    }
}

async fn holds(object: Rc<impl Object>, freed: Rc<Freed>) {
    let held = object.hold(async || {
        let _at_the_end = UsesAtTheEnd(Rc::clone(&freed));
        freed.use_it();
        yield_now().await;
        freed.use_it();
    });
    match held.await {
        Ok(()) | Err(Draining) => {}
    }
}

/// Drains the object, and then marks the object as freed.
async fn frees(object: Rc<impl Object>, freed: Rc<Freed>) {
    object.drain().await.expect("it holds nothing");
    freed.0.set(true);
    // From now on no task can hold the object.
    let again = object.hold(async || panic!("it is held after it was drained"));
    assert_eq!(again.await, Err(Draining));
}

fn held_and_freed<O: Object>(object: O) -> World {
    let (object, freed) = (Rc::new(object), Rc::new(Freed::default()));
    World::default()
        .task("a", holds(Rc::clone(&object), Rc::clone(&freed)))
        .task("b", holds(Rc::clone(&object), Rc::clone(&freed)))
        .cancelled("c", holds(Rc::clone(&object), Rc::clone(&freed)))
        .task("frees", frees(object, freed))
}

#[test]
fn who_drains_waits_for_all_who_hold_with_all_of_their_effects() {
    explore("held and freed", || held_and_freed(Drainable::new(())));
}

#[test]
fn flaws_in_who_may_hold_are_found() {
    for (flaw, expect) in [
        (Flaw::Open, "it is held after it was drained"),
        (Flaw::LooksTooEarly, "frees wait forever"),
        (Flaw::GivenBackEarly, "it is used after it was freed"),
    ] {
        let message = caught("planted", || held_and_freed(Planted::new(flaw)));
        assert!(message.contains(expect), "{flaw:?}: {message}");
    }
}

/// Two tasks drain the object. Its holder may be cancelled.
fn two_drain<O: Object>(object: O) -> World {
    let (object, freed) = (Rc::new(object), Rc::new(Freed::default()));
    let (first, second) = (Rc::clone(&object), Rc::clone(&object));
    World::default()
        .cancelled("holds", holds(object, freed))
        .task("first", async move {
            first.drain().await.expect("it holds nothing");
        })
        .task("second", async move {
            second.drain().await.expect("it holds nothing");
        })
}

#[test]
fn all_who_drain_are_woken_whoever_is_cancelled() {
    explore("two drain", || two_drain(Drainable::new(())));
    for flaw in [Flaw::WakesOne, Flaw::Leaks] {
        let message = caught("planted", || two_drain(Planted::new(flaw)));
        assert!(message.contains("wait forever"), "{flaw:?}: {message}");
    }
}

#[test]
fn a_drain_that_is_cancelled_changes_nothing() {
    explore("cancelled drain", || {
        let object = Rc::new(Drainable::new(()));
        let [held, drained, after] = [(); 3].map(|()| Rc::clone(&object));
        World::default()
            .task("holds", async move {
                held.hold(async |()| yield_now().await).await.ok();
            })
            .cancelled("drains", async move {
                // The drain ends or is cancelled. In both cases, the object can be held again after
                // `reopen`.
                select(drained.drain(), yield_now()).await;
                drained.reopen();
            })
            .check(move || {
                assert_eq!(after.holders(), 0);
                let hold = after.hold(async |()| ());
                assert_eq!(embassy_futures::block_on(hold), Ok(()));
            })
    });
}

/// A task drains an object inside a hold of the same object.
fn drains_inside<O: Object>(object: O) -> World {
    let object = Rc::new(object);
    World::default().task("holds", async move {
        let inside = Rc::clone(&object);
        let held = object.hold(async || {
            let drained = inside.drain().await;
            assert!(matches!(drained, Err(DrainError::InsideHolder(_))));
        });
        held.await.expect("nobody drains it");
        object.drain().await.expect("it is no holder any more");
    })
}

#[test]
fn draining_inside_a_holder_is_an_error_and_not_a_hang() {
    explore("drains inside", || drains_inside(Drainable::new(())));
    let message = caught("planted", || {
        drains_inside(Planted::new(Flaw::DrainsInside))
    });
    assert_eq!(message, "holds wait forever");
}

/// Each of two tasks holds one object and drains the other object.
fn crosswise<O: Object>(make: impl Fn() -> O) -> World {
    let (a, b) = (Rc::new(make()), Rc::new(make()));
    let task = |held: &Rc<O>, drained: &Rc<O>| {
        let (held, drained) = (Rc::clone(held), Rc::clone(drained));
        async move {
            let hold = held.hold(async || {
                yield_now().await;
                drained.drain().await.ok();
            });
            hold.await.ok();
        }
    };
    World::default()
        .task("a", task(&a, &b))
        .task("b", task(&b, &a))
}

#[test]
fn two_that_drain_each_others_object_inside_their_holds_do_not_hang() {
    explore("crosswise", || crosswise(|| Drainable::new(())));
    let message = caught("planted", || crosswise(|| Planted::new(Flaw::DrainsInside)));
    assert_eq!(message, "a and b wait forever");
}

/// Asserts that a drain fails if the same task runs a hold and the drain concurrently.
#[test]
fn a_task_does_not_drain_beside_its_own_hold() {
    explore("beside", || {
        let object = Rc::new(Drainable::new(()));
        World::default().task("both", async move {
            let is_drained = Cell::new(false);
            let hold = object.hold(async |()| {
                while !is_drained.get() {
                    yield_now().await;
                }
            });
            let drain = async {
                yield_now().await;
                let drained = object.drain().await;
                is_drained.set(true);
                drained
            };
            let (held, drained) = join(hold, drain).await;
            assert_eq!(held, Ok(()));
            assert!(matches!(drained, Err(DrainError::InsideHolder(_))));
            assert_eq!(object.drain().await, Ok(()));
        })
    });
}

/// Asserts that two tasks do not deadlock if each task runs a hold and a drain concurrently, and
/// the hold waits for the drain.
#[test]
fn two_that_drain_each_others_object_beside_their_holds_do_not_hang() {
    explore("crosswise beside", || {
        let (a, b) = (Rc::new(Drainable::new(())), Rc::new(Drainable::new(())));
        let task = |held: &Rc<Drainable<()>>, drained: &Rc<Drainable<()>>| {
            let (held, drained) = (Rc::clone(held), Rc::clone(drained));
            async move {
                let is_drained = Cell::new(false);
                let hold = held.hold(async |()| {
                    while !is_drained.get() {
                        yield_now().await;
                    }
                });
                let drain = async {
                    yield_now().await;
                    drained.drain().await.ok();
                    is_drained.set(true);
                };
                join(hold, drain).await.0.ok();
            }
        };
        World::default()
            .task("a", task(&a, &b))
            .task("b", task(&b, &a))
    });
}

/// Asserts that setting a time-out again releases the reference that its previous work holds
/// (*Reference leaks on `callout_reset`*).
#[test]
fn a_time_out_that_is_set_again_leaks_no_reference() {
    fn reset<O: Object>(object: O) -> World {
        let object = Rc::new(object);
        let drained = Rc::clone(&object);
        World::default()
            .task("resets", async move {
                for _ in 0..2 {
                    // The work of the time-out holds the object. Setting the time-out again drops
                    // the work.
                    let work = object.hold(async || Timer::after_nanos(2).await);
                    match select(work, Timer::after_nanos(1)).await {
                        Either::First(_) | Either::Second(()) => {}
                    }
                }
            })
            .task("drains", async move {
                drained.drain().await.expect("it holds nothing");
            })
    }
    let explored = explore("set again", || reset(Drainable::new(())));
    assert_eq!(explored.schedules, 11, "the guide has the figure");
    let message = caught("planted", || reset(Planted::new(Flaw::Leaks)));
    assert_eq!(message, "drains wait forever");
}
