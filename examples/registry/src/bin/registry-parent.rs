//! Says when a service is dead, and restarts one of two.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use microkit_console::println;
use microkit_registry::{Name, Names};
use sel4_microkit::{Child, EntryPoint, Handler, MessageInfo, panicking, protection_domain, waits};

microkit_system::system! {
    "registry.system", pd = "parent";
    channel REGISTRY = "registry";
    child BELL = "bell";
    child SUM = "sum";
}

waits! {
    in init { call REGISTRY.channel(); call microkit_console::CHANNEL; }
    in fault { call REGISTRY.channel(); call microkit_console::CHANNEL; }
}

struct Parent {
    names: Names<REGISTRY>,
    entry_point_of_bell: EntryPoint,
}

#[protection_domain]
fn init() -> Parent {
    panicking::set_hook(&microkit_console::panic_hook);
    Parent {
        names: Names::connect(REGISTRY).expect("both are of one version"),
        // It has the lower priority, and has not run yet.
        entry_point_of_bell: BELL.entry_point().expect("it is a child"),
    }
}

impl Handler for Parent {
    type Error = sel4::Error;

    fn fault(&mut self, child: Child, _: MessageInfo) -> Result<Option<MessageInfo>, sel4::Error> {
        let may = "it is the parent, as the registry knows";
        if child == SUM {
            println!("parent: sum is dead");
            self.names.report_death(Name::new("sum")).expect(may);
        } else {
            println!("parent: bell is dead, and begins anew");
            self.names.report_death(Name::new("bell")).expect(may);
            BELL.restart(self.entry_point_of_bell)?;
        }
        Ok(None)
    }
}
