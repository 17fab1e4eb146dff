//! Signals the service `bell`, which is not there when this starts, and dies in the midst; says what
//! became of each signal.
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

/// How many signals are sent at once, one time after the other.
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
        names: Names::connect(REGISTRY).expect("both are of one version"),
        bell: None,
        sender: Sender::new(SIGNALS.words().as_slice(), BELL),
        round: 0,
        tickets: [None; MOST],
    };
    alice.look().expect("the registry serves");
    alice
}

impl Handler for Alice {
    type Error = CallError;

    fn notified(&mut self, channels: ChannelSet) -> Result<(), CallError> {
        if REGISTRY.is_in(channels) {
            self.look()?;
        }
        self.tell();
        self.send();
        Ok(())
    }
}

impl Alice {
    /// Looks for the bell, and takes what it finds.
    fn look(&mut self) -> Result<(), CallError> {
        match self.names.lookup(Name::new("bell"))? {
            Some(found) => {
                let life = found.epoch.number();
                println!(
                    "alice: bell is on channel {}, life {life}",
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
                println!("alice: there is no bell");
                self.sender.detach();
            }
        }
        Ok(())
    }

    /// Says what became of the signals.
    fn tell(&mut self) {
        for slot in &mut self.tickets {
            let Some(ticket) = *slot else { continue };
            let outcome = self.sender.outcome(ticket);
            if outcome != Outcome::Pending {
                println!("alice: {outcome:?}");
                *slot = None;
            }
        }
    }

    /// Sends the next, when it is known what became of the last.
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
