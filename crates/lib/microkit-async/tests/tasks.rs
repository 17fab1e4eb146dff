//! Tests `Tasks` as a `Handler`. Each test calls the `Handler` methods as the event loop does.

use std::cell::{Cell, RefCell};
use std::future::{pending, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};

use embassy_futures::join::join;
use embassy_futures::select::select;
use embassy_futures::yield_now;
use embassy_time::{Duration, Instant, Ticker, Timer};
use microkit_async::{
    Alarm, DrainError, Drainable, Draining, Listener, TaskMemory, TaskPriority, Tasks,
};
use sel4_microkit::host::{ProtectionDomain, State};
use sel4_microkit::{
    Channel, ChannelSet, Handler, Infallible, MessageInfo, RestartReply, restart_reply,
};

static MEMORY: TaskMemory<8192> = TaskMemory::new();

const TIMER: Channel = Channel::new(7);
const PEER: Channel = Channel::new(1);
const OTHER: Channel = Channel::new(2);

/// A log of events, in the order of their occurrence.
#[derive(Clone, Default)]
struct Log(Rc<RefCell<Vec<String>>>);

impl Log {
    fn say(&self, what: impl Into<String>) {
        self.0.borrow_mut().push(what.into());
    }

    fn take(&self) -> String {
        self.0.take().join(" ")
    }
}

/// Runs `f` as a separate protection domain, in this thread.
fn as_pd<R>(f: impl FnOnce() -> R) -> R {
    let mut outside = State::new();
    outside.exchange();
    let result = catch_unwind(AssertUnwindSafe(f));
    outside.exchange();
    result.unwrap_or_else(|payload| std::panic::resume_unwind(payload))
}

fn set(channels: &[Channel]) -> ChannelSet {
    channels.iter().copied().collect()
}

/// Delivers notifications as the event loop does.
fn notify<H: Handler>(tasks: &mut Tasks<H>, channels: &[Channel]) {
    tasks
        .notified(set(channels))
        .ok()
        .expect("it does not fail");
    settle(tasks);
}

fn settle<H: Handler>(tasks: &mut Tasks<H>) {
    if tasks.has_work() {
        tasks.work().ok().expect("it does not fail");
    }
    assert!(!tasks.has_work());
}

/// Polls a future outside any task, with a waker that does nothing.
fn poll_once<F: Future + ?Sized>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

/// Polls a future once, with the waker of the current task.
macro_rules! poll {
    ($future:expr) => {{
        let mut future = $future;
        poll_fn(|task| Poll::Ready(future.as_mut().poll(task))).await
    }};
}

#[test]
fn the_highest_priority_runs_first_whoever_wakes_it() {
    as_pd(|| {
        let log = Log::default();
        let mut tasks = Tasks::new(&MEMORY);
        let spawner = tasks.spawner();
        let woken = spawner
            .keep(embassy_sync_signal::Signal::default())
            .unwrap();
        let (low, high) = (log.clone(), log.clone());
        let task = async move {
            low.say("low");
            woken.set();
            low.say("low'");
            yield_now().await;
            low.say("low''");
        };
        spawner.spawn(1, task).unwrap();
        let task = async move {
            high.say("high");
            woken.wait().await;
            high.say("high'");
        };
        spawner.spawn(2, task).unwrap();
        assert!(tasks.has_work());
        settle(&mut tasks);
        assert_eq!(log.take(), "high low low' high' low''");
    });
}

/// A minimal signal between two tasks, like the `Signal` of `embassy-sync`.
mod embassy_sync_signal {
    use std::cell::{Cell, RefCell};
    use std::future::poll_fn;
    use std::task::{Poll, Waker};

    #[derive(Default)]
    pub(crate) struct Signal(Cell<bool>, RefCell<Option<Waker>>);

    impl Signal {
        pub(crate) fn set(&self) {
            self.0.set(true);
            if let Some(waker) = self.1.take() {
                waker.wake();
            }
        }

        pub(crate) async fn wait(&self) {
            poll_fn(|task| {
                if self.0.take() {
                    return Poll::Ready(());
                }
                self.1.replace(Some(task.waker().clone()));
                Poll::Pending
            })
            .await;
        }
    }
}

#[test]
fn tasks_of_one_priority_take_turns() {
    as_pd(|| {
        let log = Log::default();
        let mut tasks = Tasks::new(&MEMORY);
        for name in ["a", "b", "c"] {
            let log = log.clone();
            let task = async move {
                for _ in 0..3 {
                    log.say(name);
                    yield_now().await;
                }
            };
            tasks.spawner().spawn(0, task).unwrap();
        }
        settle(&mut tasks);
        let said = log.take();
        for turn in said.split(' ').collect::<Vec<_>>().chunks(3) {
            let mut turn = turn.to_vec();
            turn.sort_unstable();
            assert_eq!(turn, ["a", "b", "c"], "{said}");
        }
    });
}

/// The second handler of [`Tasks`]: answers calls, and logs notifications that tasks do not listen
/// to.
struct Beside {
    log: Log,
}

impl Handler for Beside {
    type Error = Infallible;

    fn notified(&mut self, channels: ChannelSet) -> Result<(), Infallible> {
        self.log.say(format!("notified {channels}"));
        Ok(())
    }

    fn protected(&mut self, _: Channel, info: MessageInfo) -> Result<MessageInfo, Infallible> {
        self.log.say("called");
        Ok(info)
    }

    fn restart_reply(&self) -> Option<RestartReply> {
        Some(restart_reply!(6))
    }
}

#[test]
fn a_handler_beside_the_tasks_gets_what_they_do_not_listen_to() {
    as_pd(|| {
        let log = Log::default();
        let mut tasks = Tasks::new(&MEMORY).with_handler(Beside { log: log.clone() });
        let mut peer = Listener::new(PEER).unwrap();
        let said = log.clone();
        let task = async move {
            loop {
                peer.notified().await;
                said.say("heard");
            }
        };
        tasks.spawner().spawn(0, task).unwrap();
        settle(&mut tasks);
        notify(&mut tasks, &[PEER]);
        assert_eq!(log.take(), "heard");
        notify(&mut tasks, &[OTHER]);
        assert_eq!(log.take(), "notified {2}");
        notify(&mut tasks, &[PEER, OTHER]);
        assert_eq!(log.take(), "notified {2} heard");
        assert!(tasks.protected(OTHER, MessageInfo::new(0, 0)).is_ok());
        assert_eq!(log.take(), "called");
        assert_eq!(tasks.restart_reply().map(RestartReply::label), Some(6));
    });
}

std::thread_local! {
    static NOW_NS: Cell<u64> = const { Cell::new(0) };
    static ARMED: RefCell<Vec<u64>> = const { RefCell::new(Vec::new()) };
}

struct FakeAlarm;

impl Alarm for FakeAlarm {
    fn now_ns(&self) -> u64 {
        NOW_NS.get()
    }

    fn arm(&self, deadline_ns: u64) {
        ARMED.with_borrow_mut(|armed| armed.push(deadline_ns));
    }
}

#[test]
fn the_alarm_is_set_to_the_earliest_time_and_no_more_often_than_that_changes() {
    as_pd(|| {
        NOW_NS.set(1000);
        let log = Log::default();
        let mut tasks = Tasks::new(&MEMORY).with_alarm(TIMER, FakeAlarm);
        for (name, due) in [("a", 30), ("b", 10), ("c", 20)] {
            let log = log.clone();
            let task = async move {
                Timer::after(Duration::from_nanos(due)).await;
                log.say(name);
            };
            tasks.spawner().spawn(0, task).unwrap();
        }
        let said = log.clone();
        let ticks = async move {
            let mut ticker = Ticker::every(Duration::from_nanos(25));
            for _ in 0..2 {
                ticker.next().await;
                said.say(format!("tick {}", Instant::now().as_ticks()));
            }
        };
        tasks.spawner().spawn(1, ticks).unwrap();
        settle(&mut tasks);
        assert_eq!(ARMED.take(), [1010]);
        // The alarm notifies too early once. The tasks do not run, and the alarm is set again.
        notify(&mut tasks, &[TIMER]);
        assert_eq!((log.take(), ARMED.take()), (String::new(), vec![1010]));
        NOW_NS.set(1010);
        notify(&mut tasks, &[TIMER]);
        assert_eq!((log.take(), ARMED.take()), ("b".to_owned(), vec![1020]));
        // The alarm notifies after two deadlines have passed.
        NOW_NS.set(1026);
        notify(&mut tasks, &[TIMER]);
        assert_eq!(
            (log.take(), ARMED.take()),
            ("tick 1026 c".to_owned(), vec![1030])
        );
        NOW_NS.set(2000);
        notify(&mut tasks, &[TIMER]);
        assert_eq!(
            (log.take(), ARMED.take()),
            ("tick 2000 a".to_owned(), vec![])
        );
    });
}

/// Asserts that a drain waits for a hold while another task changes the priority of the holder, at
/// any of the holder's waits (*`curlwp_bind` and LWP migration*).
#[test]
fn a_task_that_is_moved_while_it_holds_a_reference() {
    const WAITS: usize = 4;
    let mut schedules = 0;
    // Two bits of `moves` select the new priority of the holder, for each wait of the holder. Miri
    // runs only some combinations.
    let step = if cfg!(miri) { 51 } else { 1 };
    for moves in (0..1 << (2 * WAITS)).step_by(step) {
        for [mover, drainer] in [[1, 1], [1, 3], [3, 1], [3, 3]] {
            as_pd(|| moved(moves, mover, drainer, WAITS));
            schedules += 1;
        }
    }
    if !cfg!(miri) {
        assert_eq!(schedules, 1024, "the guide has the figure");
    }
}

fn moved(moves: usize, mover: u8, drainer: u8, waits: usize) {
    let mut tasks = Tasks::new(&MEMORY);
    let spawner = tasks.spawner();
    let object = spawner.keep(Drainable::new(Cell::new(false))).unwrap();
    let holder = spawner.keep(Cell::new(None::<TaskPriority>)).unwrap();
    let is_drained = spawner.keep(Cell::new(false)).unwrap();
    let holds = async move {
        holder.set(Some(TaskPriority::current().await));
        let hold = object.hold(async |is_used| {
            for _ in 0..waits {
                is_used.set(true);
                yield_now().await;
                assert!(!is_drained.get(), "it is drained and held");
            }
            is_used.set(false);
        });
        hold.await.ok();
    };
    let moving = async move {
        for wait in 0..waits {
            let to = [2, 0, 2, 4][moves >> (2 * wait) & 3];
            if let Some(priority) = holder.get() {
                priority.set(to);
                assert_eq!(priority.get(), to);
            }
            yield_now().await;
        }
    };
    let drains = async move {
        yield_now().await;
        object.drain().await.expect("it holds nothing");
        is_drained.set(true);
        assert_eq!(object.holders(), 0);
    };
    spawner.spawn(2, holds).unwrap();
    spawner.spawn(mover, moving).unwrap();
    spawner.spawn(drainer, drains).unwrap();
    settle(&mut tasks);
    assert!(is_drained.get(), "{moves:b}, {mover}, {drainer}");
}

/// An action of a task with a hold of `object`. The action may keep the reference.
type Abuse = fn(&'static Drainable<()>) -> Pin<Box<dyn Future<Output = ()>>>;

/// Never ends, so that its hold never ends.
async fn forever(_: &()) {
    pending::<()>().await;
}

/// Asserts that a task with a hold cannot drain, whatever the task does with the future of the
/// hold. The error contains the source location of the hold.
#[test]
fn a_task_that_holds_in_whatever_way_drains_nothing() {
    async fn is_refused(object: &Drainable<()>) {
        let other = Drainable::new(());
        for drained in [object.drain().await, other.drain().await] {
            let Err(DrainError::InsideHolder(place)) = drained else {
                panic!("{drained:?}");
            };
            assert_eq!(place.file(), file!());
        }
    }
    let abuses: [(&str, Abuse); 7] = [
        ("inside", |object| {
            Box::pin(async move {
                object.hold(async |()| is_refused(object).await).await.ok();
            })
        }),
        ("polled once", |object| {
            Box::pin(async move {
                let mut hold = pin!(object.hold(forever));
                assert!(poll!(hold.as_mut()).is_pending());
                is_refused(object).await;
            })
        }),
        ("joined", |object| {
            Box::pin(async move {
                let hold = object.hold(async |()| yield_now().await);
                join(hold, is_refused(object)).await.0.ok();
            })
        }),
        (
            "when the closure is called, and when its future is dropped",
            |object| {
                struct Drains<'a>(&'a Drainable<()>);
                impl Drop for Drains<'_> {
                    fn drop(&mut self) {
                        let drained = poll_once(pin!(self.0.drain()));
                        let Poll::Ready(Err(DrainError::InsideHolder(_))) = drained else {
                            panic!("{drained:?}");
                        };
                    }
                }
                Box::pin(async move {
                    let hold = object.hold(move |_: &()| {
                        drop(Drains(object));
                        let drains = Drains(object);
                        async move {
                            let _drains = drains;
                        }
                    });
                    hold.await.ok();
                })
            },
        ),
        ("in a select", |object| {
            Box::pin(async move {
                let mut hold = pin!(object.hold(forever));
                select(hold.as_mut(), is_refused(object)).await;
            })
        }),
        ("with a waker of its own", |object| {
            Box::pin(async move {
                let mut hold = pin!(object.hold(forever));
                let hold = poll_fn(|_| hold.as_mut().poll(&mut Context::from_waker(Waker::noop())));
                select(hold, is_refused(object)).await;
            })
        }),
        ("forgotten", |object| {
            Box::pin(async move {
                let mut hold = Box::pin(object.hold(forever));
                assert!(poll!(hold.as_mut()).is_pending());
                std::mem::forget(hold);
                is_refused(object).await;
            })
        }),
    ];
    for (name, abuse) in abuses {
        as_pd(|| {
            let mut tasks = Tasks::new(&MEMORY);
            let spawner = tasks.spawner();
            let object = spawner.keep(Drainable::new(())).unwrap();
            let has_ended = spawner.keep(Cell::new(false)).unwrap();
            let task = async move {
                abuse(object).await;
                has_ended.set(true);
            };
            spawner.spawn(0, task).unwrap();
            settle(&mut tasks);
            assert!(has_ended.get(), "{name}: it waits forever");
        });
    }
}

/// Asserts that an idle hold ends the drain of another task. The draining task has a higher or
/// lower priority, and drains at once or after another event.
#[test]
fn a_hold_that_nobody_polls_ends_the_wait_for_it() {
    let abuses: [(&str, Abuse); 6] = [
        (
            "polled once, and its task waits for something else",
            |object| {
                Box::pin(async move {
                    let mut hold = pin!(object.hold(forever));
                    assert!(poll!(hold.as_mut()).is_pending());
                    pending::<()>().await;
                })
            },
        ),
        ("forgotten by a task that goes on", |object| {
            Box::pin(async move {
                let mut hold = Box::pin(object.hold(forever));
                assert!(poll!(hold.as_mut()).is_pending());
                std::mem::forget(hold);
                pending::<()>().await;
            })
        }),
        ("forgotten by a task that has ended", |object| {
            Box::pin(async move {
                let mut hold = Box::pin(object.hold(forever));
                assert!(poll!(hold.as_mut()).is_pending());
                std::mem::forget(hold);
            })
        }),
        ("leaked", |object| {
            Box::pin(async move {
                let hold = Box::leak(Box::new(Box::pin(object.hold(forever))));
                assert!(poll!(hold.as_mut()).is_pending());
            })
        }),
        ("in a circle of references", |object| {
            Box::pin(async move {
                type Circle = RefCell<Option<Rc<dyn std::any::Any>>>;
                let circle = Rc::new(Circle::default());
                let own: Rc<dyn std::any::Any> = circle.clone();
                circle.replace(Some(own));
                let mut hold = Box::pin(object.hold(async move |()| {
                    let _circle = circle;
                    pending::<()>().await;
                }));
                assert!(poll!(hold.as_mut()).is_pending());
                std::mem::forget(hold);
            })
        }),
        ("polled until something else has come, and kept", |object| {
            Box::pin(async move {
                let mut hold = pin!(object.hold(forever));
                select(hold.as_mut(), yield_now()).await;
                pending::<()>().await;
            })
        }),
    ];
    for (name, abuse) in abuses {
        for (priority, is_later) in [(0, false), (0, true), (2, true)] {
            as_pd(|| {
                let mut tasks = Tasks::new(&MEMORY);
                let spawner = tasks.spawner();
                let object = spawner.keep(Drainable::new(())).unwrap();
                let drained = spawner.keep(Cell::new(None)).unwrap();
                let mut begins = Listener::new(PEER).unwrap();
                let drains = async move {
                    if is_later {
                        begins.notified().await;
                    } else {
                        yield_now().await;
                    }
                    drained.set(Some(object.drain().await));
                };
                spawner.spawn(1, abuse(object)).unwrap();
                spawner.spawn(priority, drains).unwrap();
                settle(&mut tasks);
                notify(&mut tasks, &[PEER]);
                match drained.get() {
                    Some(Err(DrainError::IdleHold(place))) => assert_eq!(place.file(), file!()),
                    drained => panic!("{name}, {priority}, {is_later}: {drained:?}"),
                }
            });
        }
    }
}

/// Asserts that a drain fails if the future of the hold is leaked after the drain has begun.
#[test]
fn a_hold_that_is_forgotten_while_it_is_drained_ends_the_wait() {
    as_pd(|| {
        let mut tasks = Tasks::new(&MEMORY);
        let spawner = tasks.spawner();
        let object = spawner.keep(Drainable::new(())).unwrap();
        let drained = spawner.keep(Cell::new(None)).unwrap();
        let mut peer = Listener::new(PEER).unwrap();
        let forgets = async move {
            let mut hold = Box::pin(object.hold(forever));
            select(hold.as_mut(), peer.notified()).await;
            std::mem::forget(hold);
        };
        spawner.spawn(1, forgets).unwrap();
        let drains = async { drained.set(Some(object.drain().await)) };
        spawner.spawn(0, drains).unwrap();
        settle(&mut tasks);
        notify(&mut tasks, &[OTHER]);
        assert_eq!(drained.get(), None);
        notify(&mut tasks, &[PEER]);
        assert!(matches!(drained.get(), Some(Err(DrainError::IdleHold(_)))));
    });
}

/// Asserts that a drained object can be held again after `reopen`, even if the drain's future still
/// exists.
#[test]
fn a_drain_that_has_ended_keeps_nothing_closed() {
    as_pd(|| {
        let object = Drainable::new(());
        let mut drain = pin!(object.drain());
        assert_eq!(poll_once(drain.as_mut()), Poll::Ready(Ok(())));
        assert_eq!(
            poll_once(pin!(object.hold(async |()| ()))),
            Poll::Ready(Err(Draining))
        );
        object.reopen();
        assert_eq!(
            poll_once(pin!(object.hold(async |()| ()))),
            Poll::Ready(Ok(()))
        );
    });
}

/// Asserts that cancelled drains free their table entries. More drains are started in total than
/// the table can hold.
#[test]
fn drains_that_are_given_up_leave_their_places_to_others() {
    as_pd(|| {
        let mut tasks = Tasks::new(&MEMORY);
        let spawner = tasks.spawner();
        let object = spawner.keep(Drainable::new(())).unwrap();
        let is_done = spawner.keep(Cell::new(false)).unwrap();
        let holds = async { object.hold(forever).await.unwrap() };
        spawner.spawn(1, holds).unwrap();
        let drains = async {
            for _ in 0..100 {
                assert!(poll!(pin!(object.drain())).is_pending());
            }
            is_done.set(true);
        };
        spawner.spawn(0, drains).unwrap();
        settle(&mut tasks);
        assert!(is_done.get());
    });
}

/// Polls the inner future only after its own waker was called. The waker sets a flag and wakes the
/// task.
async fn by_turns(inside: impl Future<Output = ()>) {
    struct Notes(AtomicBool, Mutex<Option<Waker>>);
    impl Wake for Notes {
        fn wake(self: Arc<Self>) {
            self.0.store(true, Ordering::Relaxed);
            if let Some(waker) = self.1.lock().unwrap().as_ref() {
                waker.wake_by_ref();
            }
        }
    }
    let notes = Arc::new(Notes(AtomicBool::new(true), Mutex::new(None)));
    let own = Waker::from(Arc::clone(&notes));
    let mut inside = pin!(inside);
    poll_fn(|task| {
        *notes.1.lock().unwrap() = Some(task.waker().clone());
        if notes.0.swap(false, Ordering::Relaxed) {
            return inside.as_mut().poll(&mut Context::from_waker(&own));
        }
        Poll::Pending
    })
    .await;
}

/// Asserts that a drain waits for an awaited hold through any number of events. The hold is polled
/// in different ways.
#[test]
fn a_hold_that_is_awaited_is_waited_for() {
    let awaits: [(&str, Abuse); 3] = [
        ("alone", |object| {
            Box::pin(async move {
                let mut peer = Listener::new(PEER).unwrap();
                object.hold(async |()| peer.notified().await).await.ok();
            })
        }),
        ("beside others", |object| {
            Box::pin(async move {
                let mut peer = Listener::new(PEER).unwrap();
                let hold = object.hold(async |()| peer.notified().await);
                select(pending::<()>(), join(yield_now(), hold)).await;
            })
        }),
        ("with a waker of its own", |object| {
            Box::pin(async move {
                let mut peer = Listener::new(PEER).unwrap();
                let hold = by_turns(async {
                    object.hold(async |()| peer.notified().await).await.ok();
                });
                join(hold, yield_now()).await;
            })
        }),
    ];
    for (name, holds) in awaits {
        for priority in [0, 2] {
            as_pd(|| {
                let mut tasks = Tasks::new(&MEMORY);
                let spawner = tasks.spawner();
                let object = spawner.keep(Drainable::new(())).unwrap();
                let drained = spawner.keep(Cell::new(None)).unwrap();
                spawner.spawn(1, holds(object)).unwrap();
                settle(&mut tasks);
                let drains = async { drained.set(Some(object.drain().await)) };
                spawner.spawn(priority, drains).unwrap();
                settle(&mut tasks);
                for _ in 0..5 {
                    notify(&mut tasks, &[OTHER]);
                    assert_eq!(drained.get(), None, "{name}");
                }
                notify(&mut tasks, &[PEER]);
                assert_eq!(drained.get(), Some(Ok(())), "{name}");
            });
        }
    }
}

#[embassy_executor::task]
async fn marked(log: LogOfMarked) {
    log.0.say("marked");
}

struct LogOfMarked(Log);

#[test]
fn functions_that_are_marked_as_tasks_run_too() {
    as_pd(|| {
        let log = Log::default();
        let mut tasks = Tasks::new(&MEMORY);
        let token = marked(LogOfMarked(log.clone())).expect("it does not run");
        tasks.spawner().embassy().spawn(token);
        settle(&mut tasks);
        assert_eq!(log.take(), "marked");
    });
}

#[test]
fn tasks_add_tasks_as_long_as_there_is_memory() {
    static SMALL: TaskMemory<1024> = TaskMemory::new();
    as_pd(|| {
        let mut tasks = Tasks::new(&SMALL);
        let spawner = tasks.spawner();
        let added = Rc::new(Cell::new(0));
        let count = Rc::clone(&added);
        let task = async move {
            let error = loop {
                match spawner.spawn(0, yield_now()) {
                    Ok(()) => count.set(count.get() + 1),
                    Err(error) => break error,
                }
            };
            assert_eq!(error.all_bytes, 1024);
            assert!(error.used_bytes + error.wanted_bytes > 1024);
        };
        spawner.spawn(0, task).unwrap();
        settle(&mut tasks);
        assert!(added.get() > 2, "{}", added.get());
    });
}

#[test]
fn what_is_made_wrongly_says_so() {
    let says = |f: &dyn Fn()| {
        let payload = catch_unwind(AssertUnwindSafe(|| as_pd(f))).unwrap_err();
        match payload.downcast::<String>() {
            Ok(text) => *text,
            Err(payload) => (*payload.downcast::<&str>().expect("a text")).to_owned(),
        }
    };
    let twice = says(&|| {
        let _first = Tasks::new(&MEMORY);
        let _second = Tasks::new(&MEMORY);
    });
    assert_eq!(
        twice,
        "this protection domain has `Tasks` already: add tasks by their `spawner`"
    );
    let passive = says(&|| {
        ProtectionDomain {
            passive: true,
            ..ProtectionDomain::current()
        }
        .set();
        let _tasks = Tasks::new(&MEMORY);
    });
    assert!(passive.starts_with("this protection domain is passive"));
    let no_alarm = says(&|| {
        let mut tasks = Tasks::new(&MEMORY);
        let task = Timer::after(Duration::from_nanos(1));
        tasks.spawner().spawn(0, task).unwrap();
        settle(&mut tasks);
    });
    assert!(no_alarm.contains("give `Tasks` an alarm by `with_alarm`"));
    let many = |count| {
        move || {
            let mut tasks = Tasks::new(&MEMORY).with_alarm(TIMER, FakeAlarm);
            for due in 0..count {
                let task = Timer::at(Instant::from_ticks(1_000_000 + due));
                tasks.spawner().spawn(0, task).unwrap();
            }
            settle(&mut tasks);
            assert_eq!(ARMED.take(), [1_000_000]);
        }
    };
    NOW_NS.set(0);
    as_pd(many(32));
    let too_many = says(&many(33));
    assert_eq!(too_many, "more than 32 tasks wait for the time");
    let drains = |count| {
        move || {
            let mut tasks = Tasks::new(&MEMORY);
            let spawner = tasks.spawner();
            let object = spawner.keep(Drainable::new(())).unwrap();
            let drained = spawner.keep(Cell::new(0)).unwrap();
            let holds = async {
                let mut peer = Listener::new(PEER).unwrap();
                object.hold(async |()| peer.notified().await).await.ok();
            };
            spawner.spawn(1, holds).unwrap();
            for _ in 0..count {
                let drain = async {
                    object.drain().await.expect("it holds nothing");
                    drained.set(drained.get() + 1);
                };
                spawner.spawn(0, drain).unwrap();
            }
            settle(&mut tasks);
            assert_eq!(drained.get(), 0);
            notify(&mut tasks, &[PEER]);
            assert_eq!(drained.get(), count);
        }
    };
    as_pd(drains(32));
    let too_many = says(&drains(33));
    assert!(too_many.starts_with("more than 32 tasks drain at once"));
    let holds = |count| {
        move || {
            let object = Drainable::new(());
            let mut holds: Vec<_> = (0..count)
                .map(|_| Box::pin(object.hold(async |()| yield_now().await)))
                .collect();
            for hold in &mut holds {
                assert!(poll_once(hold.as_mut()).is_pending());
            }
            assert_eq!(object.holders(), count);
            drop(holds);
            assert_eq!(object.holders(), 0);
        }
    };
    as_pd(holds(32));
    // Holds that have ended leave room for new holds.
    as_pd(|| (0..3).for_each(|_| holds(20)()));
    let too_many = says(&holds(33));
    assert!(too_many.starts_with("more than 32 holds are alive"));
    static NOTHING: TaskMemory<8> = TaskMemory::new();
    let small = says(&|| {
        let _tasks = Tasks::new(&NOTHING);
    });
    assert!(small.starts_with("for the executor: "), "{small}");
}
