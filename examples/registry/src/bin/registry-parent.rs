//! The parent of two services. Reports each death to the registry, and restarts one service.
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
        names: Names::connect(REGISTRY).expect("both were built with the same protocol"),
        // The service has a lower priority, so it has not run yet.
        entry_point_of_bell: BELL
            .entry_point()
            .expect("the system file declares this child"),
    }
}

impl Handler for Parent {
    type Error = sel4::Error;

    fn fault(&mut self, child: Child, _: MessageInfo) -> Result<Option<MessageInfo>, sel4::Error> {
        let may = "the registry's table names this PD as the parent";
        if child == SUM {
            println!("parent: sum is dead");
            self.names.report_death(Name::new("sum")).expect(may);
        } else {
            println!("parent: bell is dead, restart it");
            self.names.report_death(Name::new("bell")).expect(may);
            BELL.restart(self.entry_point_of_bell)?;
        }
        Ok(None)
    }
}
