//! Explores the schedules of tasks. After each step, any woken task may run, any event may happen,
//! or time may pass.
//!
//! Each schedule starts with a new [`World`]. Schedules that reach the same state are not merged,
//! so the reported number counts every schedule.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use microkit_async::{Alarm, TaskMemory, Tasks};
use sel4_microkit::host::State;
use sel4_microkit::{Channel, ChannelSet, Handler};

/// The maximum number of explored schedules.
const MAX_SCHEDULES: usize = 2_000_000;

/// The maximum number of steps in a schedule. A longer schedule counts as endless.
const MAX_STEPS: usize = 400;

const ALARM: Channel = Channel::new(63 - 2);

std::thread_local! {
    static NOW_NS: Cell<u64> = const { Cell::new(0) };
    static ARMED_NS: Cell<Option<u64>> = const { Cell::new(None) };
    static NOTIFIED: RefCell<ChannelSet> = RefCell::default();
}

/// Notifies a channel, like another protection domain. The notification arrives after the current
/// step.
pub(crate) fn notify(channel: Channel) {
    NOTIFIED.with_borrow_mut(|notified| notified.extend([channel]));
}

/// A fake clock. The time of this clock advances only when its alarm expires.
struct FakeAlarm;

impl Alarm for FakeAlarm {
    fn now_ns(&self) -> u64 {
        NOW_NS.get()
    }

    fn arm(&self, deadline_ns: u64) {
        ARMED_NS.set(Some(deadline_ns));
    }
}

/// The tasks and the events of a schedule.
#[derive(Default)]
pub(crate) struct World {
    tasks: Vec<Task>,
    events: Vec<Option<Event>>,
    check: Option<Box<dyn FnOnce()>>,
}

struct Task {
    name: &'static str,
    future: Option<Pin<Box<dyn Future<Output = ()>>>>,
    woken: Arc<Woken>,
    can_be_cancelled: bool,
    /// Whether the schedule may end before this task ends.
    is_service: bool,
}

struct Event {
    name: &'static str,
    happens: Box<dyn FnOnce()>,
}

impl World {
    /// Adds a task that must end.
    pub(crate) fn task(
        mut self,
        name: &'static str,
        future: impl Future<Output = ()> + 'static,
    ) -> Self {
        self.tasks.push(Task {
            name,
            future: Some(Box::pin(future)),
            woken: Arc::new(Woken(AtomicBool::new(true))),
            can_be_cancelled: false,
            is_service: false,
        });
        self
    }

    /// Adds a task that the explorer may cancel at any time. A task that is not cancelled must end.
    pub(crate) fn cancelled(
        mut self,
        name: &'static str,
        task: impl Future<Output = ()> + 'static,
    ) -> Self {
        self = self.task(name, task);
        self.tasks.last_mut().expect("it is there").can_be_cancelled = true;
        self
    }

    /// Adds a task that need not end.
    pub(crate) fn service(
        mut self,
        name: &'static str,
        task: impl Future<Output = ()> + 'static,
    ) -> Self {
        self = self.task(name, task);
        self.tasks.last_mut().expect("it is there").is_service = true;
        self
    }

    /// Adds an event that happens once, at any time.
    pub(crate) fn event(mut self, name: &'static str, happens: impl FnOnce() + 'static) -> Self {
        self.events.push(Some(Event {
            name,
            happens: Box::new(happens),
        }));
        self
    }

    /// Adds a check that runs at the end of the schedule.
    pub(crate) fn check(mut self, check: impl FnOnce() + 'static) -> Self {
        self.check = Some(Box::new(check));
        self
    }
}

struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// A possible next step.
#[derive(Copy, Clone)]
enum Choice {
    Poll(usize),
    Cancel(usize),
    Happen(usize),
    Time,
}

/// The number of explored schedules.
#[derive(Debug, Copy, Clone, PartialEq, Eq)]
pub(crate) struct Explored {
    pub(crate) schedules: usize,
}

impl fmt::Display for Explored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "all {} schedules", self.schedules)
    }
}

/// A schedule that failed.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) message: String,
    pub(crate) schedule: Vec<String>,
    /// The number of schedules explored before the failed schedule.
    pub(crate) schedules: usize,
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}, in schedule {}: {}",
            self.message,
            self.schedules + 1,
            self.schedule.join(" ")
        )
    }
}

/// Explores all schedules, and prints and returns their number. Panics if a schedule fails.
#[track_caller]
pub(crate) fn explore(name: &str, make: impl Fn() -> World) -> Explored {
    match try_explore(make) {
        Ok(explored) => {
            println!("{name}: {explored}");
            explored
        }
        Err(found) => panic!("{name}: {found}"),
    }
}

/// Explores schedules until a schedule fails, and returns its error message. Panics if all
/// schedules succeed.
#[track_caller]
pub(crate) fn caught(name: &str, make: impl Fn() -> World) -> String {
    let found = try_explore(make).expect_err("a schedule fails");
    println!("{name}: {found}");
    found.message
}

fn try_explore(make: impl Fn() -> World) -> Result<Explored, Found> {
    // The chosen index and the number of possibilities, for each choice of the schedule.
    let mut path: Vec<(usize, usize)> = Vec::new();
    for schedules in 0..MAX_SCHEDULES {
        let mut schedule = Vec::new();
        // Each schedule runs as a separate protection domain.
        let mut outside = State::new();
        outside.exchange();
        let run = || run(make(), &mut path, &mut schedule);
        let end = catch_unwind(AssertUnwindSafe(run));
        outside.exchange();
        let end = end.unwrap_or_else(|payload| {
            let text = payload.downcast_ref::<String>().map(String::as_str);
            let text = text.or_else(|| payload.downcast_ref::<&str>().copied());
            Err(text.unwrap_or("a panic").to_owned())
        });
        if let Err(message) = end {
            return Err(Found {
                message,
                schedule,
                schedules,
            });
        }
        while path.last().is_some_and(|(taken, all)| taken + 1 == *all) {
            path.pop();
        }
        match path.last_mut() {
            Some((taken, _)) => *taken += 1,
            None => {
                return Ok(Explored {
                    schedules: schedules + 1,
                });
            }
        }
    }
    panic!("there are more than {MAX_SCHEDULES} schedules");
}

/// Runs one schedule. Follows `path`, and then takes the first possibility of each later choice.
fn run(
    mut world: World,
    path: &mut Vec<(usize, usize)>,
    schedule: &mut Vec<String>,
) -> Result<(), String> {
    static MEMORY: TaskMemory<256> = TaskMemory::new();
    NOW_NS.set(0);
    ARMED_NS.set(None);
    // `Tasks` only drives the time here. This function polls the tasks of the schedule itself.
    let mut time = Tasks::new(&MEMORY).with_alarm(ALARM, FakeAlarm);
    NOTIFIED.take();
    for step in 0.. {
        if step == MAX_STEPS {
            return Err("there is no end to it".to_owned());
        }
        let options = options(&world);
        if options.is_empty() {
            break;
        }
        if path.len() == step {
            path.push((0, options.len()));
        }
        let (taken, all) = path[step];
        assert_eq!(all, options.len(), "a world is a function of its schedule");
        match options[taken] {
            Choice::Poll(task) => {
                let task = &mut world.tasks[task];
                schedule.push(task.name.to_owned());
                task.woken.0.store(false, Ordering::Relaxed);
                let waker = Waker::from(Arc::clone(&task.woken));
                let future = task.future.as_mut().expect("it has not ended");
                if future.as_mut().poll(&mut Context::from_waker(&waker)) == Poll::Ready(()) {
                    task.future = None;
                }
            }
            Choice::Cancel(task) => {
                let task = &mut world.tasks[task];
                schedule.push(format!("cancel({})", task.name));
                task.future = None;
            }
            Choice::Happen(event) => {
                let event = world.events[event].take().expect("it has not happened");
                schedule.push(format!("{}!", event.name));
                (event.happens)();
            }
            Choice::Time => {
                schedule.push("time".to_owned());
                NOW_NS.set(NOW_NS.get().max(ARMED_NS.take().expect("it is armed")));
                let Ok(()) = time.notified([ALARM].into_iter().collect());
            }
        }
        let Ok(()) = time.notified(NOTIFIED.take());
        if time.has_work() {
            let Ok(()) = time.work();
        }
    }
    let waiting: Vec<_> = world
        .tasks
        .iter()
        .filter(|task| task.future.is_some() && !task.is_service)
        .map(|task| task.name)
        .collect();
    if !waiting.is_empty() {
        return Err(format!("{} wait forever", waiting.join(" and ")));
    }
    // Drop all remaining tasks before the check.
    world.tasks.clear();
    if let Some(check) = world.check {
        check();
    }
    Ok(())
}

fn options(world: &World) -> Vec<Choice> {
    let mut options = Vec::new();
    for (index, task) in world.tasks.iter().enumerate() {
        if task.future.is_none() {
            continue;
        }
        if task.woken.0.load(Ordering::Relaxed) {
            options.push(Choice::Poll(index));
        }
        if task.can_be_cancelled {
            options.push(Choice::Cancel(index));
        }
    }
    let events = world.events.iter().enumerate();
    options.extend(
        events
            .filter(|(_, event)| event.is_some())
            .map(|(index, _)| Choice::Happen(index)),
    );
    if ARMED_NS.get().is_some() {
        options.push(Choice::Time);
    }
    options
}

/// A mutex that tasks hold across waits, for planted deadlocks. The library itself does not have a
/// mutex.
#[derive(Default)]
pub(crate) struct AsyncMutex {
    is_taken: Cell<bool>,
    waiting: RefCell<VecDeque<Waker>>,
}

pub(crate) struct Taken<'a>(&'a AsyncMutex);

impl AsyncMutex {
    pub(crate) async fn lock(&self) -> Taken<'_> {
        std::future::poll_fn(|task| {
            if self.is_taken.replace(true) {
                self.waiting.borrow_mut().push_back(task.waker().clone());
                return Poll::Pending;
            }
            Poll::Ready(())
        })
        .await;
        Taken(self)
    }
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        self.0.is_taken.set(false);
        let waiting = self.0.waiting.take();
        waiting.into_iter().for_each(Waker::wake);
    }
}
