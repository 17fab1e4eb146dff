//! A client that signals the service `bell` and prints the outcome of each signal. `bell` is not
//! registered when this PD starts. Later `bell` dies while signals are pending.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use microkit_console::println;
use microkit_protocol::CallError;
use microkit_registry::signals::{Outcome, Sender, Ticket};
use microkit_registry::{Found, Name, Names};
use sel4_microkit::{ChannelSet, Handler, panicking, protection_domain, waits};

microkit_system::system! {
    "registry.system", pd = "alice";
    channel REGISTRY = "registry";
    channel BELL = "bell";
    region SIGNALS = "signals";
}

waits! {
    in init { call REGISTRY.channel(); call microkit_console::CHANNEL; }
    in notified { call REGISTRY.channel(); call microkit_console::CHANNEL; }
}

/// The number of signals in each round.
const ROUNDS: [usize; 4] = [1, 2, 1, 1];

const MOST: usize = 2;

struct Alice {
    names: Names<REGISTRY>,
    bell: Option<Found>,
    sender: Sender<BELL>,
    round: usize,
    tickets: [Option<Ticket>; MOST],
}

#[protection_domain]
fn init() -> Alice {
    panicking::set_hook(&microkit_console::panic_hook);
    let mut alice = Alice {
        names: Names::connect(REGISTRY).expect("both were built with the same protocol"),
        bell: None,
        sender: Sender::new(SIGNALS.words().as_slice(), BELL),
        round: 0,
        tickets: [None; MOST],
    };
    alice.look().expect("the registry answers");
    alice
}

impl Handler for Alice {
    type Error = CallError;

    fn notified(&mut self, channels: ChannelSet) -> Result<(), CallError> {
        if REGISTRY.is_in(channels) {
            self.look()?;
        }
        self.report();
        self.send();
        Ok(())
    }
}

impl Alice {
    /// Looks up the bell. If the lookup succeeds, attaches to the found incarnation.
    fn look(&mut self) -> Result<(), CallError> {
        match self.names.lookup(Name::new("bell"))? {
            Some(found) => {
                let epoch = found.epoch.number();
                println!(
                    "alice: bell is on channel {}, epoch {epoch}",
                    found.channel.index()
                );
                if let Some(Err(stale)) = self.bell.map(|last| found.epoch.check(last.epoch)) {
                    println!("alice: {stale}");
                }
                self.bell = Some(found);
                if let Err(nobody) = self.sender.attach() {
                    println!("alice: {nobody}");
                }
            }
            None => {
                println!("alice: bell is not registered");
                self.sender.detach();
            }
        }
        Ok(())
    }

    /// Prints the outcome of each signal that is no longer pending.
    fn report(&mut self) {
        for slot in &mut self.tickets {
            let Some(ticket) = *slot else { continue };
            let outcome = self.sender.outcome(ticket);
            if outcome != Outcome::Pending {
                println!("alice: {outcome:?}");
                *slot = None;
            }
        }
    }

    /// Sends the signals of the next round, once the outcome of every earlier signal is known.
    fn send(&mut self) {
        if self.tickets.iter().any(Option::is_some) {
            return;
        }
        let Some(count) = ROUNDS.get(self.round) else {
            return;
        };
        for slot in self.tickets.iter_mut().take(*count) {
            *slot = self.sender.signal().ok();
        }
        if self.tickets.iter().any(Option::is_some) {
            self.round += 1;
        }
    }
}
