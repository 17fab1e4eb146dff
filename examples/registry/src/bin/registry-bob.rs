//! A client of the service `sum`, without the right to find `bell`. Detects the death of `sum` and
//! the restart of the registry.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use microkit_console::println;
use microkit_protocol::CallError;
use microkit_registry::{Found, Name, Names};
use sel4_microkit::{ChannelSet, Handler, MessageInfo, panicking, protection_domain, waits};

microkit_system::system! {
    "registry.system", pd = "bob";
    channel REGISTRY = "registry";
    channel KEEPER = "keeper";
    channel SUM = "sum";
}

waits! {
    in init {
        call REGISTRY.channel();
        wait REGISTRY.channel();
        call SUM.channel();
        call microkit_console::CHANNEL;
    }
    in notified { call REGISTRY.channel(); call microkit_console::CHANNEL; }
}

struct Bob {
    names: Names<REGISTRY>,
    sum: Found,
    notified: u32,
}

#[protection_domain]
fn init() -> Bob {
    panicking::set_hook(&microkit_console::panic_hook);
    let names = Names::connect(REGISTRY).expect("both were built with the same protocol");
    let sum = names.wait_for(Name::new("sum"), &mut ChannelSet::default());
    let sum = sum.expect("the registry answers");
    add(&sum, sum.epoch.number());
    add(&sum, sum.epoch.number() + 1);
    for name in ["bell", "nobody"] {
        println!("bob: {name}: {:?}", names.lookup(Name::new(name)));
    }
    let refused = names.register(Name::new("sum"));
    println!("bob: {}", refused.expect_err("the table does not allow it"));
    SUM.notify();
    Bob {
        names,
        sum,
        notified: 0,
    }
}

/// Calls the service to add two words, if the service is still at `epoch`.
fn add(sum: &Found, epoch: u64) {
    let request = MessageInfo::new(epoch, 2);
    let (reply, words) = sum.channel.pp_call_with_mrs(request, [2, 3]);
    match reply.label() {
        0 => println!("bob: the sum is {}", words[0]),
        _ => println!("bob: sum is not at epoch {epoch}"),
    }
}

impl Handler for Bob {
    type Error = CallError;

    fn notified(&mut self, _: ChannelSet) -> Result<(), CallError> {
        self.notified += 1;
        match self.names.check(&self.sum) {
            Ok(()) => println!("bob: sum is unchanged"),
            Err(stale) => println!("bob: {stale}"),
        }
        if self.notified == 1 {
            println!("bob: asks for a restart of the registry");
            KEEPER.notify();
        }
        Ok(())
    }
}
