//! Tests for the deadlocks and races of NetBSD's network stack (R. Ozaki, *Concurrency Bugs in the
//! Network Stack of NetBSD*, `AsiaBSDCon` 2018). The tests use the paper's names of these bugs.
//! Asserts that the library does not show these bugs in any schedule, and that exploration finds
//! each planted bug.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Poll, Waker};

use embassy_futures::yield_now;
use embassy_time::Timer;
use microkit_async::{Completion, Drainable, Draining, Exclusive, Full};

use crate::explorer::{AsyncMutex, World, caught, explore};

/// An item of the list. An item may be freed only after its removal from the list and a drain.
struct Item {
    number: u32,
    is_freed: Cell<bool>,
}

type List = Exclusive<Vec<Rc<Drainable<Item>>>>;

fn list() -> Rc<List> {
    let item = |number| {
        Rc::new(Drainable::new(Item {
            number,
            is_freed: Cell::new(false),
        }))
    };
    Rc::new(Exclusive::new(vec![item(0), item(1)]))
}

/// Removes the item from the list, as `PSLIST_REMOVE` does.
fn remove(list: &List, position: usize) -> Rc<Drainable<Item>> {
    list.with(|list| list.remove(position))
}

/// Drains the item, as `localcount_drain` does.
async fn drain(item: &Drainable<Item>) {
    item.drain().await.expect("it holds nothing");
    assert_eq!(item.holders(), 0);
}

/// The callback of a time-out: holds the first item of the list, and waits during this hold.
async fn callback(list: Rc<List>) {
    Timer::after_nanos(1).await;
    let found = list.with(|list| list.first().cloned());
    let Some(item) = found else {
        return;
    };
    let used = item.hold(async |item| {
        assert!(!item.is_freed.get(), "{} was freed", item.number);
        Timer::after_nanos(1).await;
        // The callback needs the list while it holds the item.
        list.with(|list| list.len());
        assert!(!item.is_freed.get(), "{} was freed", item.number);
    });
    match used.await {
        Ok(()) | Err(Draining) => {}
    }
}

/// Asserts that the cycle *`localcount_drain` => xc => mtx => `pserialize_perform` => xc* cannot
/// deadlock.
#[test]
fn drain_against_perform_against_callback() {
    let explored = explore("drain, perform, callback", || {
        let list = list();
        let (drained, performed) = (Rc::clone(&list), Rc::clone(&list));
        World::default()
            .task("drain", async move {
                let item = remove(&drained, 0);
                drain(&item).await;
                // The drained item cannot be held any more, so this task can change the item.
                let hold = item.hold(async |_| panic!("it is held after it was drained"));
                assert_eq!(hold.await, Err(Draining));
            })
            .task("perform", async move {
                // Waits for the current holders of the list's last item, as `pserialize_perform`
                // does.
                let item = performed.with(|list| list.last().cloned()).expect("one");
                item.drain().await.expect("it holds nothing");
                item.reopen();
            })
            .task("callback", callback(Rc::clone(&list)))
            .task("callback'", callback(list))
    });
    assert_eq!(explored.schedules, 12_786, "the guide has the figure");
}

/// Asserts that exploration finds the same deadlock with a mutex that is held across waits. The
/// task `callback` locks the mutex while it holds the object.
#[test]
fn drain_with_a_mutex_that_the_holder_needs_is_found() {
    let message = caught("planted: a mutex held across drain", || {
        let mutex = Rc::new(AsyncMutex::default());
        let item = Rc::new(Drainable::new(()));
        let (held, needed) = (Rc::clone(&item), Rc::clone(&mutex));
        World::default()
            .task("drain", async move {
                let _taken = mutex.lock().await;
                item.drain().await.expect("it holds nothing");
            })
            .task("callback", async move {
                let hold = held.hold(async |()| {
                    yield_now().await;
                    drop(needed.lock().await);
                });
                hold.await.ok();
            })
    });
    assert_eq!(message, "drain and callback wait forever");
}

/// Models `xcall`: one thread runs callbacks, one at a time.
#[derive(Default)]
struct CrossCalls {
    requests: RefCell<VecDeque<Callback>>,
    done: Cell<usize>,
    wakers: RefCell<Vec<Waker>>,
}

type Callback = std::pin::Pin<Box<dyn Future<Output = ()>>>;

impl CrossCalls {
    fn wake(&self) {
        self.wakers.take().into_iter().for_each(Waker::wake);
    }

    /// Waits until `is_so` returns true. After each change of the result of `is_so`,
    /// [`wake`](Self::wake) must be called.
    async fn until(&self, is_so: impl Fn() -> bool) {
        poll_fn(|task| {
            if is_so() {
                return Poll::Ready(());
            }
            self.wakers.borrow_mut().push(task.waker().clone());
            Poll::Pending
        })
        .await;
    }

    /// Models `xc_wait(xc_broadcast(…))`.
    async fn call(&self, number: usize, callback: impl Future<Output = ()> + 'static) {
        self.requests.borrow_mut().push_back(Box::pin(callback));
        self.wake();
        self.until(|| self.done.get() > number).await;
    }

    async fn thread(self: Rc<Self>) {
        loop {
            self.until(|| !self.requests.borrow().is_empty()).await;
            let callback = self.requests.borrow_mut().pop_front().expect("one");
            callback.await;
            self.done.set(self.done.get() + 1);
            self.wake();
        }
    }
}

#[test]
fn drain_against_perform_against_callback_is_found_where_draining_is_a_cross_call() {
    let message = caught("planted: cross-calls", || {
        let (calls, mutex) = (
            Rc::new(CrossCalls::default()),
            Rc::new(AsyncMutex::default()),
        );
        let (drain_calls, perform_calls) = (Rc::clone(&calls), Rc::clone(&calls));
        let (callback_mutex, perform_mutex) = (Rc::clone(&mutex), mutex);
        World::default()
            .task("drain", async move {
                // This task does not hold the mutex while it waits. The callback of this task takes
                // the mutex.
                let callback = async move { drop(callback_mutex.lock().await) };
                drain_calls.call(0, callback).await;
            })
            .task("perform", async move {
                let _taken = perform_mutex.lock().await;
                let number = perform_calls.done.get() + perform_calls.requests.borrow().len();
                perform_calls.call(number, async {}).await;
            })
            .service("xc", calls.thread())
    });
    assert_eq!(message, "drain and perform wait forever");
}

/// Asserts that the cycle *`softnet_lock` => `pserialize_perform` => kpause => callout =>
/// `softnet_lock`* cannot deadlock. A holder sleeps on a timer, and a callback of the same timer
/// needs the held object.
#[test]
fn sleeping_on_a_timer_while_holding_what_its_callback_needs() {
    let explored = explore("sleep in a hold", || {
        let softnet = Rc::new(Drainable::new(Cell::new(0)));
        let needed = Rc::clone(&softnet);
        World::default()
            .task("sleeps", async move {
                let hold = softnet.hold(async |count| {
                    count.set(1);
                    Timer::after_nanos(2).await;
                    count.set(2);
                });
                hold.await.ok();
            })
            .task("callback", async move {
                // This callback is due first, and needs exclusive use of the object.
                Timer::after_nanos(1).await;
                needed.drain().await.expect("it holds nothing");
                let hold = needed.hold(async |_| ());
                assert_eq!(hold.await, Err(Draining));
                needed.reopen();
                let count = needed.hold(async |count| count.get()).await;
                assert_ne!(count, Ok(1), "who slept was not waited for");
            })
            .task("another", async {
                // The first callback does not delay a callback that is due later.
                Timer::after_nanos(2).await;
            })
    });
    assert_eq!(explored.schedules, 657, "the guide has the figure");
}

/// A flawed timer that runs its callbacks one after another. A later callback waits until all
/// earlier callbacks have ended.
#[derive(Default)]
struct Callouts {
    queue: RefCell<VecDeque<Callback>>,
}

impl Callouts {
    /// Models `kpause`: sleeps until its own callback wakes the task.
    async fn pause(&self) {
        let (is_over, waker) = (
            Rc::new(Cell::new(false)),
            Rc::new(RefCell::new(None::<Waker>)),
        );
        let (over, woken) = (Rc::clone(&is_over), Rc::clone(&waker));
        self.queue.borrow_mut().push_back(Box::pin(async move {
            over.set(true);
            if let Some(waker) = woken.take() {
                waker.wake();
            }
        }));
        poll_fn(|task| {
            if is_over.get() {
                return Poll::Ready(());
            }
            waker.replace(Some(task.waker().clone()));
            Poll::Pending
        })
        .await;
    }

    /// Models `softclock`: runs the callbacks of the timer.
    async fn run(self: Rc<Self>) {
        loop {
            let next = self.queue.borrow_mut().pop_front();
            match next {
                Some(callback) => callback.await,
                None => Timer::after_nanos(1).await,
            }
            if embassy_time::Instant::now().as_ticks() > 3 {
                return;
            }
        }
    }
}

#[test]
fn sleeping_while_holding_is_found_where_the_timer_runs_callbacks() {
    let message = caught("planted: callbacks in the timer", || {
        let (callouts, mutex) = (Rc::new(Callouts::default()), Rc::new(AsyncMutex::default()));
        let (slept, needed) = (Rc::clone(&callouts), Rc::clone(&mutex));
        callouts
            .queue
            .borrow_mut()
            .push_back(Box::pin(async move { drop(needed.lock().await) }));
        World::default()
            .task("sleeps", async move {
                let _taken = mutex.lock().await;
                slept.pause().await;
            })
            .service("softclock", callouts.run())
    });
    assert_eq!(message, "sleeps wait forever");
}

/// A counter of finished work: a `Completion`, or a counter with a planted flaw.
trait Counts: 'static {
    async fn run(&self, work: impl Future<Output = ()>) -> Result<(), Full>;
    async fn wait(&self);
}

impl Counts for Completion<(), 2> {
    async fn run(&self, work: impl Future<Output = ()>) -> Result<(), Full> {
        Completion::run(self, work).await
    }

    async fn wait(&self) {
        Completion::wait(self).await.expect("nothing is cancelled");
    }
}

/// A flawed counter that increments before the callback runs, as `xc_donep++` did.
#[derive(Default)]
struct CountsFirst {
    done: Cell<usize>,
    waker: RefCell<Option<Waker>>,
}

impl Counts for CountsFirst {
    async fn run(&self, work: impl Future<Output = ()>) -> Result<(), Full> {
        self.done.set(self.done.get() + 1);
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
        work.await;
        Ok(())
    }

    async fn wait(&self) {
        poll_fn(|task| {
            if self.done.get() < 2 {
                self.waker.replace(Some(task.waker().clone()));
                return Poll::Pending;
            }
            self.done.set(0);
            Poll::Ready(())
        })
        .await;
    }
}

/// Two callbacks wait in the middle, and a task waits for both callbacks. Then this task runs and
/// counts two more callbacks.
fn broadcast(done: impl Counts) -> World {
    let done = Rc::new(done);
    let effects = Rc::new(Cell::new(0));
    let worker = || {
        let (done, effects) = (Rc::clone(&done), Rc::clone(&effects));
        async move {
            let work = async {
                yield_now().await;
                effects.set(effects.get() + 1);
            };
            done.run(work).await.expect("two begin");
        }
    };
    let (first, second) = (worker(), worker());
    World::default()
        .task("cpu0", first)
        .task("cpu1", second)
        .task("xc_wait", async move {
            done.wait().await;
            assert_eq!(effects.get(), 2, "done was counted before the work");
            // The waiting task runs the next two callbacks itself.
            for _ in 0..2 {
                done.run(async { effects.set(effects.get() + 1) })
                    .await
                    .expect("the last ones were waited for");
            }
            done.wait().await;
            assert_eq!(effects.get(), 4);
        })
}

/// Asserts that work is counted after its end (*A xcall bug*).
#[test]
fn done_is_counted_after_the_work() {
    let explored = explore("done after work", || broadcast(Completion::new()));
    assert_eq!(explored.schedules, 50, "the guide has the figure");
    let message = caught("planted: counted first", || {
        broadcast(CountsFirst::default())
    });
    assert!(
        message.contains("done was counted before the work"),
        "{message}"
    );
}

/// Asserts that the wait returns an error if work was dropped.
#[test]
fn work_that_was_dropped_is_told() {
    explore("dropped work", || {
        let done = Rc::new(Completion::<u32, 2>::new());
        let [a, b] = [(); 2].map(|()| Rc::clone(&done));
        let work = |done: Rc<Completion<u32, 2>>, result| async move {
            let work = async {
                yield_now().await;
                result
            };
            done.run(work).await.expect("two begin");
        };
        let is_cancelled = Rc::new(Cell::new(true));
        let ended = Rc::clone(&is_cancelled);
        World::default()
            .task("a", work(a, 1))
            .cancelled("b", async move {
                work(b, 2).await;
                ended.set(false);
            })
            // If `b` was dropped before its first poll, `wait` does not return.
            .service("waits", async move {
                let results = done.wait().await.map(|[a, b]| a + b);
                assert_eq!(results.is_err(), is_cancelled.get());
                assert_eq!(results.unwrap_or(3), 3);
            })
    });
}

/// The processor of a task. `psref` counts references in a table of that processor.
#[derive(Default)]
struct Place {
    processor: Cell<usize>,
    is_bound: Cell<bool>,
    will_move: Cell<bool>,
}

/// An object that may bind its holder to a processor.
trait Bound: 'static {
    async fn hold(&self, place: &Place, f: impl AsyncFnOnce());
    async fn drain(&self);
}

impl Bound for Drainable<()> {
    async fn hold(&self, _: &Place, f: impl AsyncFnOnce()) {
        Drainable::hold(self, async |()| f().await).await.ok();
    }

    async fn drain(&self) {
        Drainable::drain(self).await.expect("it holds nothing");
    }
}

/// Models `psref_acquire` and `psref_release` between calls of `curlwp_bind`, with one count for
/// each processor.
#[derive(Default)]
struct PerProcessor {
    holders: [Cell<isize>; 2],
    wakers: RefCell<Vec<Waker>>,
}

impl Bound for PerProcessor {
    async fn hold(&self, place: &Place, f: impl AsyncFnOnce()) {
        place.is_bound.set(true);
        let count = |by| {
            let holders = &self.holders[place.processor.get()];
            holders.set(holders.get() + by);
        };
        count(1);
        f().await;
        count(-1);
        place.is_bound.set(false);
        self.wakers.take().into_iter().for_each(Waker::wake);
    }

    async fn drain(&self) {
        poll_fn(|task| {
            // If no processor has holders, the drain has ended.
            if self.holders.iter().all(|holders| holders.get() <= 0) {
                return Poll::Ready(());
            }
            self.wakers.borrow_mut().push(task.waker().clone());
            Poll::Pending
        })
        .await;
    }
}

fn migration(object: impl Bound) -> World {
    let (object, place) = (Rc::new(object), Rc::new(Place::default()));
    let (held, moved) = (Rc::clone(&object), Rc::clone(&place));
    let is_used = Rc::new(Cell::new(false));
    let used = Rc::clone(&is_used);
    World::default()
        .task("holds", async move {
            // As in `mi_switch`, a pending move takes effect when the processor switches away from
            // the task. The binding is not checked again.
            let switch = async || {
                if place.will_move.take() {
                    place.processor.set(1);
                }
                yield_now().await;
            };
            switch().await;
            held.hold(&place, async || {
                used.set(true);
                switch().await;
                used.set(false);
            })
            .await;
        })
        // The scheduler checks whether the task is bound only when it plans the move, not when it
        // moves the task.
        .event("move", move || {
            if !moved.is_bound.get() {
                moved.will_move.set(true);
            }
        })
        .task("drains", async move {
            object.drain().await;
            assert!(!is_used.get(), "it is drained and held");
        })
}

/// Asserts that a drain finds a hold despite a pending move (*`curlwp_bind` and LWP migration*).
/// `tasks.rs` tests the moves of real tasks.
#[test]
fn a_binding_that_is_taken_while_a_migration_is_pending() {
    let explored = explore("migration", || migration(Drainable::new(())));
    assert_eq!(explored.schedules, 19, "the guide has the figure");
    let message = caught("planted: counts of processors", || {
        migration(PerProcessor::default())
    });
    assert_eq!(message, "drains wait forever");
}
