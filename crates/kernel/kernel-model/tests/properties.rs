//! Property tests: the invariants hold after every step of random events in random systems.
//!
//! `PROPERTY_SEEDS` is the number of systems. A failure message contains the seed of its system.
//! `PROPERTY_SECONDS` is a time limit, in case the kernel does not return.

mod common;

use common::World;
use common::random::Random;
use kernel_model::{Above, Event, Next, NotificationState, ThreadState};
use std::collections::BTreeMap;
use std::sync::Once;
use std::thread;
use std::time::Duration;

/// The maximum number of steps of a system, and the number of idle steps after which the system
/// counts as dead.
const STEPS: usize = 400;
const IDLE_STEPS: usize = 15;

fn seeds() -> u64 {
    std::env::var("PROPERTY_SEEDS")
        .ok()
        .and_then(|seeds| seeds.parse().ok())
        .unwrap_or(1000)
}

/// Starts a watchdog that ends the tests if they take too long.
fn watch() {
    static WATCHING: Once = Once::new();
    let limit = std::env::var("PROPERTY_SECONDS").ok();
    if let Some(limit) = limit.and_then(|limit| limit.parse().ok()) {
        WATCHING.call_once(|| {
            thread::spawn(move || {
                thread::sleep(Duration::from_secs(limit));
                eprintln!("took too long");
                std::process::exit(1);
            });
        });
    }
}

/// Makes a system that has just booted or just been initialised.
fn start(random: &mut Random) -> World {
    watch();
    let spec = random.system();
    if random.once_in(3) {
        World::boot(&spec)
    } else {
        World::init(&spec)
    }
}

fn step(world: &mut World, event: Event) {
    world.next = world.kernel.step(event, &mut world.machine);
}

#[track_caller]
fn check(world: &World, seed: u64, at: usize, event: Event) {
    if let Err(broken) = world.kernel.check() {
        panic!(
            "seed {seed}, step {at}, {event:x?}: {broken:?}\n{:#?}",
            world.kernel
        );
    }
    assert_eq!(world.next, world.kernel.next());
    if let Next::Run { until, .. } = world.next {
        // The timer is never set to a time before the last entry. Otherwise, the system would make
        // no progress.
        assert!(until >= world.kernel.now(), "seed {seed}, step {at}");
    }
}

/// Counts how often each situation has occurred. The test fails if a situation never occurred.
#[derive(Default)]
struct Seen(BTreeMap<&'static str, usize>);

impl Seen {
    fn note(&mut self, what: &'static str, holds: bool) {
        *self.0.entry(what).or_default() += usize::from(holds);
    }

    fn look(&mut self, world: &World) {
        let kernel = &world.kernel;
        self.note(
            "two are in the release queue",
            kernel.release_queue().count() > 1,
        );
        self.note("two are ready", kernel.ready().count() > 1);
        self.note("idle", world.running().is_none());
        for thread in kernel.threads() {
            let this = kernel.thread(thread);
            let reply = kernel.reply(kernel.own_reply(thread));
            let sched_context = kernel.sched_context(kernel.own_sched_context(thread));
            let notification = kernel.notification(kernel.own_notification(thread));
            let lent = this
                .sched_context()
                .is_some_and(|sc| sc != kernel.own_sched_context(thread));
            self.note(
                "runs on another's scheduling context",
                lent && this.is_runnable(),
            );
            self.note(
                "runnable without a scheduling context",
                this.is_runnable() && this.sched_context().is_none(),
            );
            self.note(
                "lent through a reply",
                matches!(reply.above, Some(Above::SchedContext(_))),
            );
            self.note(
                "donated further",
                matches!(reply.above, Some(Above::Reply(_))),
            );
            self.note("yielded", this.yield_to().is_some());
            self.note(
                "a fault waits to be received",
                this.fault.is_some() && matches!(this.state(), ThreadState::BlockedOnSend { .. }),
            );
            self.note(
                "a fault waits for its reply",
                this.fault.is_some() && matches!(this.state(), ThreadState::BlockedOnReply { .. }),
            );
            self.note("without a buffer", !this.has_ipc_buffer);
            self.note("a timeout handler", this.timeout_handler.is_some());
            self.note("a notification lends", notification.sched_context.is_some());
            self.note(
                "a signal waits",
                matches!(notification.state, NotificationState::Active(_)),
            );
            self.note("two refills", sched_context.refills().tail().is_some());
            self.note(
                "two wait at an endpoint",
                kernel.waiting_at(kernel.own_endpoint(thread)).count() > 1,
            );
        }
    }
}

#[test]
fn whatever_happens_the_invariants_hold() {
    let mut seen = Seen::default();
    for seed in 0..seeds() {
        let random = &mut Random(seed);
        let mut world = start(random);
        let mut idle = 0;
        for at in 0..STEPS {
            let event = random.event(&mut world);
            step(&mut world, event);
            check(&world, seed, at, event);
            seen.look(&world);
            idle = if world.running().is_none() {
                idle + 1
            } else {
                0
            };
            if world.next == Next::Halt || idle > IDLE_STEPS {
                break;
            }
        }
    }
    let unseen: Vec<_> = seen.0.iter().filter(|(_, times)| **times < 10).collect();
    assert!(unseen.is_empty(), "hardly or never seen: {unseen:?}");
}

#[test]
fn a_step_depends_on_nothing_but_the_state() {
    for seed in 0..seeds() / 10 {
        let random = &mut Random(seed);
        let mut world = start(random);
        for at in 0..STEPS {
            let event = random.event(&mut world);
            let mut twin = world.clone();
            step(&mut world, event);
            step(&mut twin, event);
            assert!(
                world.kernel == twin.kernel && world.next == twin.next,
                "seed {seed}, step {at}, {event:x?}"
            );
        }
    }
}

#[test]
fn forgetting_when_things_happened_does_not_change_what_happens() {
    for seed in 0..seeds() / 3 {
        let random = &mut Random(seed);
        let mut world = start(random);
        let mut twin = world.clone();
        for at in 0..STEPS {
            let event = random.event(&mut world);
            let forgotten = twin.kernel.rebase();
            // The test has changed registers and IPC buffers of `world`. The twin gets the same
            // values.
            let offset = world.kernel.now() - twin.kernel.now();
            twin.machine = world.machine.clone();
            twin.machine.now -= offset;
            for thread in world.kernel.threads() {
                *twin.kernel.context_mut(thread) = *world.kernel.context(thread);
            }
            let _ = forgotten;
            step(&mut world, event);
            step(&mut twin, event);
            let context = format!("seed {seed}, step {at}, {event:x?}");
            assert_eq!(shifted(twin.next, offset), world.next, "{context}");
            assert_eq!(twin.machine.buffers, world.machine.buffers, "{context}");
            let (mut one, mut other) = (world.kernel.clone(), twin.kernel.clone());
            one.rebase();
            other.rebase();
            assert!(one == other, "{context}");
        }
    }
}

fn shifted(next: Next, offset: u64) -> Next {
    match next {
        Next::Run { thread, until } => Next::Run {
            thread,
            until: until + offset,
        },
        Next::Idle { until } => Next::Idle {
            until: until.map(|until| until + offset),
        },
        Next::Halt => Next::Halt,
    }
}
