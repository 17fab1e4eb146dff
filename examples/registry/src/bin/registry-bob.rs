//! Uses the service `sum`, and may not find `bell`. Sees `sum` dead, and the registry restarted.
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
    let names = Names::connect(REGISTRY).expect("both are of one version");
    let sum = names.wait_for(Name::new("sum"), &mut ChannelSet::default());
    let sum = sum.expect("the registry serves");
    add(&sum, sum.epoch.number());
    add(&sum, sum.epoch.number() + 1);
    for name in ["bell", "nobody"] {
        println!("bob: {name}: {:?}", names.lookup(Name::new(name)));
    }
    let refused = names.register(Name::new("sum"));
    println!("bob: {}", refused.expect_err("he does not offer it"));
    SUM.notify();
    Bob {
        names,
        sum,
        notified: 0,
    }
}

/// Has two words added by a life of the service.
fn add(sum: &Found, life: u64) {
    let request = MessageInfo::new(life, 2);
    let (reply, words) = sum.channel.pp_call_with_mrs(request, [2, 3]);
    match reply.label() {
        0 => println!("bob: the sum is {}", words[0]),
        _ => println!("bob: sum has no life {life}"),
    }
}

impl Handler for Bob {
    type Error = CallError;

    fn notified(&mut self, _: ChannelSet) -> Result<(), CallError> {
        self.notified += 1;
        match self.names.check(&self.sum) {
            Ok(()) => println!("bob: sum is as it was"),
            Err(stale) => println!("bob: {stale}"),
        }
        if self.notified == 1 {
            println!("bob: the registry is restarted");
            KEEPER.notify();
        }
        Ok(())
    }
}
