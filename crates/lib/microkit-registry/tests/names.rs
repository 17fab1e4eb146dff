//! Tests each method of `Names`, in the schedule that the priorities determine.

mod common;

use common::{BELL, PEER, REGISTRY, With, system};
use microkit_registry::{Found, Names, NotAllowed, Stale, signals};
use sel4_microkit::{ChannelSet, Handler, Infallible, debug_println};

/// A client that looks `bell` up and then notifies `bell`. The client checks its handle at the
/// start and after each notification, and prints the results.
struct Alice {
    names: Names,
    found: Found,
}

fn alice(forgets: bool) -> Alice {
    let names = Names::connect(REGISTRY).unwrap();
    let found = names.lookup(BELL).unwrap().expect("it is registered");
    debug_println!("alice: {:?}", names.check(&found));
    if forgets {
        names.forget(BELL).unwrap();
    }
    PEER.notify();
    Alice { names, found }
}

impl Handler for Alice {
    type Error = Infallible;

    fn notified(&mut self, channels: ChannelSet) -> Result<(), Infallible> {
        assert!(channels.contains(REGISTRY));
        debug_println!("alice: notified, {:?}", self.names.check(&self.found));
        Ok(())
    }
}

/// A service that calls `on_notified` when it is notified.
struct Service<F> {
    names: Names,
    on_notified: F,
}

impl<F: FnMut(&mut Names)> Handler for Service<F> {
    type Error = Infallible;

    fn notified(&mut self, _: ChannelSet) -> Result<(), Infallible> {
        (self.on_notified)(&mut self.names);
        Ok(())
    }
}

fn withdraw(names: &mut Names) {
    names.withdraw(BELL).unwrap();
}

/// Runs the system and returns its output.
fn log(forgets: bool, on_notified: fn(&mut Names)) -> String {
    let bell = With {
        bell: true,
        ..With::default()
    };
    let system = system(bell)
        .program("alice.elf", move || alice(forgets))
        .program("bell.elf", move || {
            let names = Names::connect(REGISTRY).unwrap();
            names.register(BELL).unwrap();
            Service { names, on_notified }
        });
    let mut run = system.start();
    run.until_idle();
    run.log()
}

#[test]
fn a_client_is_notified_when_the_service_withdraws_and_its_handle_is_stale() {
    assert_eq!(
        log(false, withdraw),
        "alice: Ok(())\nalice: notified, Err(Stale)\n"
    );
}

#[test]
fn a_client_that_unsubscribed_is_not_notified() {
    assert_eq!(log(true, withdraw), "alice: Ok(())\n");
}

#[test]
fn a_handle_is_stale_when_its_service_connects_again() {
    let connect = |names: &mut Names| *names = Names::connect(REGISTRY).unwrap();
    let stale = "alice: Ok(())\nalice: notified, Err(Stale)\n";
    assert_eq!(log(false, connect), stale);
}

#[test]
fn each_error_says_what_is_wrong() {
    let check = |error: &dyn std::error::Error, expect: &str| {
        let text = error.to_string();
        assert!(text.contains(expect), "{text:?} does not say {expect:?}");
    };
    check(&Stale, "an earlier epoch of the service");
    check(&NotAllowed, "may not register or withdraw that service");
    check(&signals::Broken, "count of signals went backwards");
    check(&signals::NoReceiver, "the receiver has not started");
}
