//! A service that takes signals. Its first incarnation dies at the fourth signal, before the
//! confirmation of that signal.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use microkit_console::println;
use microkit_registry::signals::{Broken, Receiver};
use microkit_registry::{Epoch, Name, Names};
use sel4_microkit::{ChannelSet, Handler, panicking, protection_domain, waits};

microkit_system::system! {
    "registry.system", pd = "bell";
    channel REGISTRY = "registry";
    channel ALICE = "alice";
    region SIGNALS = "signals";
}

waits! {
    in init { call REGISTRY.channel(); call microkit_console::CHANNEL; }
    in notified { call microkit_console::CHANNEL; }
}

struct Bell {
    epoch: Epoch,
    receiver: Receiver,
    rung: u64,
}

#[protection_domain]
fn init() -> Bell {
    panicking::set_hook(&|info| println!("bell: {}", info.message()));
    let names = Names::connect(REGISTRY).expect("both were built with the same protocol");
    // The receiver comes first: a client may send signals as soon as the service is registered.
    let receiver = Receiver::new(SIGNALS.words().as_slice());
    let epoch = names.register(Name::new("bell"));
    let epoch = epoch.expect("the registry's table allows it");
    println!("bell: registered, epoch {}", epoch.number());
    Bell {
        epoch,
        receiver,
        rung: 0,
    }
}

impl Handler for Bell {
    type Error = Broken;

    fn notified(&mut self, channels: ChannelSet) -> Result<(), Broken> {
        if ALICE.is_in(channels) {
            let count = self.receiver.waiting()?;
            self.rung = self.rung.saturating_add(count);
            assert!(self.epoch.number() > 1 || self.rung < 4, "the bell breaks");
            println!("bell: rings {count} times");
            self.receiver.observed(count);
            ALICE.notify();
        }
        Ok(())
    }
}
