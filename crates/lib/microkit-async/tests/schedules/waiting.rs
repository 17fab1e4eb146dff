//! Tests tasks that wait for notifications and for time, in every schedule.

use std::cell::Cell;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::Poll;

use embassy_futures::select::{Either, select};
use embassy_time::{Duration, Instant, Timer, with_timeout};
use embedded_hal_async::delay::DelayNs;
use microkit_async::{AlreadyListened, Listener};
use sel4_microkit::Channel;

use crate::explorer::{World, caught, explore, notify};

const PEER: Channel = Channel::new(1);
const OTHER: Channel = Channel::new(2);

fn listener(channel: Channel) -> Listener {
    Listener::new(channel).expect("nobody else listens")
}

/// The tested object: a listener, or a listener with a planted flaw.
trait Waits: 'static {
    async fn notified(&mut self);
}

impl Waits for Listener {
    async fn notified(&mut self) {
        Listener::notified(self).await;
    }
}

/// A flawed listener that notices only notifications that arrive during its wait.
struct Edge(Listener);

impl Waits for Edge {
    async fn notified(&mut self) {
        self.0.take();
        self.0.notified().await;
    }
}

/// A flawed listener that takes a notification, and waits once more before it returns. A
/// cancellation during the second wait loses the notification.
struct TakesEarly(Listener);

impl Waits for TakesEarly {
    async fn notified(&mut self) {
        self.0.notified().await;
        embassy_futures::yield_now().await;
    }
}

/// A notification arrives at any time. The task cancels its first two waits, and then waits again.
fn cancelled(mut listener: impl Waits) -> World {
    let heard = Rc::new(Cell::new(0));
    let (counted, has_ended) = (Rc::clone(&heard), Rc::new(Cell::new(false)));
    World::default()
        .event("notify", || notify(PEER))
        .task("waits", async move {
            // Cancels the wait after its first poll, twice.
            for _ in 0..2 {
                let mut polls = 0;
                let once = poll_fn(|task| {
                    polls += 1;
                    if polls > 1 {
                        return Poll::Ready(());
                    }
                    task.waker().wake_by_ref();
                    Poll::Pending
                });
                if let Either::First(()) = select(listener.notified(), once).await {
                    heard.set(heard.get() + 1);
                }
            }
            if heard.get() == 0 {
                listener.notified().await;
                heard.set(1);
            }
            has_ended.set(true);
        })
        .check(move || assert_eq!(counted.get(), 1, "it is heard once"))
}

#[test]
fn a_notification_is_heard_once_whenever_it_comes_and_whoever_is_cancelled() {
    explore("cancelled listener", || cancelled(listener(PEER)));
    let lost = caught("planted", || cancelled(Edge(listener(PEER))));
    assert_eq!(lost, "waits wait forever");
    let lost = caught("planted", || cancelled(TakesEarly(listener(PEER))));
    assert_eq!(lost, "waits wait forever");
}

#[test]
fn tasks_do_not_take_each_others_notifications() {
    explore("two channels", || {
        let waits = |channel| async move { listener(channel).notified().await };
        World::default()
            .event("notify", || notify(PEER))
            .event("notify both", || {
                notify(PEER);
                notify(OTHER);
            })
            .task("peer", waits(PEER))
            .task("other", waits(OTHER))
    });
}

#[test]
fn a_channel_has_one_listener_until_that_is_dropped() {
    explore("one listener", || {
        World::default().task("listens", async {
            let first = listener(PEER);
            let error = Listener::new(PEER).unwrap_err();
            assert_eq!(error, AlreadyListened(PEER));
            assert_eq!(
                error.to_string(),
                "channel 1 has a listener already: let one task listen, and wake the others from there"
            );
            listener(OTHER);
            drop(first);
            notify(PEER);
            embassy_futures::yield_now().await;
            assert!(listener(PEER).take());
            assert!(!listener(PEER).take());
        })
    });
}

#[test]
fn a_notification_stays_until_there_is_a_listener() {
    explore("early", || {
        World::default().task("listens", async {
            let _listener = listener(PEER);
            notify(PEER);
            notify(OTHER);
            embassy_futures::yield_now().await;
            // The notification arrived before the listener was created.
            listener(OTHER).notified().await;
        })
    });
}

#[test]
fn time_outs_come_in_their_order_and_not_early() {
    explore("time-outs", || {
        let last = Rc::new(Cell::new(0));
        let sleeps = |ns| {
            let last = Rc::clone(&last);
            async move {
                let due = Instant::from_ticks(ns);
                Timer::at(due).await;
                assert!(Instant::now() >= due, "it is early");
                last.set(last.get().max(ns));
            }
        };
        let (first, third) = (sleeps(1), sleeps(3));
        World::default()
            .task("1", first)
            .task("3", third)
            .task("2", async {
                let mut delay = embassy_time::Delay;
                delay.delay_ns(2).await;
                assert!(Instant::now().as_ticks() >= 2);
            })
            .check(move || assert_eq!(last.get(), 3))
    });
}

#[test]
fn a_time_out_ends_what_takes_longer_and_nothing_else() {
    explore("with a time-out", || {
        let mut peer = listener(PEER);
        World::default()
            .event("notify", || notify(PEER))
            .task("waits", async move {
                let soon = Duration::from_ticks(1);
                let in_time = with_timeout(soon, peer.notified()).await.is_ok();
                if !in_time {
                    assert!(Instant::now().as_ticks() >= 1);
                    // The time-out has not consumed the notification.
                    peer.notified().await;
                }
                let never = with_timeout(soon, peer.notified()).await;
                assert!(never.is_err());
            })
    });
}
