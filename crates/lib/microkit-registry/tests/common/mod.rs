//! A system with a registry, for the tests.
//!
//! `bell` is a service, and `parent` restarts `bell`. `alice` may find the service, and `mallory`
//! may not. `keeper` restarts the registry.
#![allow(
    dead_code,
    unreachable_pub,
    reason = "each test file compiles this module for itself and uses a part of it"
)]

use microkit_registry::{Found, Grant, Name, Names, Registry, Service, Table};
use microkit_test::{Explored, System};
use sel4_microkit::{
    Channel, ChannelSet, Child, EntryPoint, Handler, Infallible, MessageInfo, SharedWord,
    debug_println, shared_words,
};

pub const BELL: Name = Name::new("bell");

/// The channel to the registry, in every other PD.
pub const REGISTRY: Channel = Channel::new(1);

/// The channel between `alice` and `bell`, with the same identifier in both PDs.
pub const PEER: Channel = Channel::new(2);

/// The registry's channels.
pub const ALICE: Channel = Channel::new(1);
pub const PROVIDER: Channel = Channel::new(2);
pub const PARENT: Channel = Channel::new(3);
pub const MALLORY: Channel = Channel::new(4);

/// Returns the start address of every program in `microkit-test`.
///
/// The parent does not call `Child::entry_point`, because this method requires that the child has
/// not run yet. An explorer may run the child first.
pub fn entry_point(child: Child) -> EntryPoint {
    // SAFETY: on a host, a restart at this address runs the child's program from its start, in the
    // child's own memory.
    unsafe { EntryPoint::new(child, 0x20_0000) }
}

pub static TABLE: Table = Table::new(
    &[Service {
        name: BELL,
        provider: PROVIDER,
        parent: Some(PARENT),
    }],
    &[Grant {
        service: BELL,
        client: ALICE,
        channel: PEER,
    }],
);

/// The PDs of the system besides the registry and `alice`.
#[derive(Copy, Clone, Default)]
pub struct With {
    pub keeper: bool,
    pub bell: bool,
    /// The parent of `bell`.
    pub parent: bool,
    pub mallory: bool,
}

/// Builds the system with correct programs. `mallory` does nothing.
pub fn system(with: With) -> System {
    let within = |there: bool, parent: &str, child: &str| match there {
        true => format!("{parent}{child}</protection_domain>"),
        false => child.to_owned(),
    };
    let only = |there: bool, text: &str| {
        if there {
            text.to_owned()
        } else {
            String::new()
        }
    };
    let registry = r#"
        <protection_domain name="registry" id="1" priority="10">
            <program_image path="registry.elf" />
            <map mr="lasting" vaddr="0x4000000" perms="rw" setvar_vaddr="lasting"
                 setvar_size="lasting_size" />
        </protection_domain>"#;
    let keeper = r#"
        <protection_domain name="keeper" priority="20">
            <program_image path="keeper.elf" />"#;
    let bell = r#"
        <protection_domain name="bell" id="1" priority="3">
            <program_image path="bell.elf" />
        </protection_domain>"#;
    let parent = r#"
        <protection_domain name="parent" priority="9">
            <program_image path="parent.elf" />"#;
    let alone = |child: &str| child.replace(r#" id="1""#, "");
    let bell = if with.parent {
        bell.to_owned()
    } else {
        alone(bell)
    };
    let registry = if with.keeper {
        registry.to_owned()
    } else {
        alone(registry)
    };
    let file = [
        r#"<system><memory_region name="lasting" size="0x1000" />"#,
        &within(with.keeper, keeper, &registry),
        &only(with.bell, &within(with.parent, parent, &bell)),
        r#"<protection_domain name="alice" priority="2">
            <program_image path="alice.elf" />
        </protection_domain>"#,
        &only(
            with.mallory,
            r#"
            <protection_domain name="mallory" priority="1">
                <program_image path="mallory.elf" />
            </protection_domain>
            <channel><end pd="mallory" id="1" pp="true" /><end pd="registry" id="4" /></channel>"#,
        ),
        r#"<channel><end pd="alice" id="1" pp="true" /><end pd="registry" id="1" /></channel>"#,
        &only(
            with.bell,
            r#"
            <channel><end pd="bell" id="1" pp="true" /><end pd="registry" id="2" /></channel>
            <channel><end pd="alice" id="2" /><end pd="bell" id="2" /></channel>"#,
        ),
        &only(
            with.parent,
            r#"
            <channel><end pd="parent" id="1" pp="true" /><end pd="registry" id="3" /></channel>"#,
        ),
        "</system>",
    ]
    .concat();
    let mut system = System::parse("registry.system", &file)
        .unwrap()
        .program("registry.elf", registry_pd)
        .program("alice.elf", alice);
    if with.keeper {
        system = system.program("keeper.elf", || Keeper);
    }
    if with.bell {
        system = system.program("bell.elf", bell_pd);
    }
    if with.parent {
        system = system.program("parent.elf", || Parent { restarts: true });
    }
    if with.mallory {
        system = system.program("mallory.elf", || Idle);
    }
    system
}

pub fn lasting() -> &'static [SharedWord] {
    shared_words!(lasting, lasting_size, SharedWord)
}

pub fn registry_pd() -> Registry {
    Registry::new(&TABLE, lasting())
}

/// A handler that ignores all notifications.
pub struct Idle;

impl Handler for Idle {
    type Error = Infallible;

    fn notified(&mut self, _: ChannelSet) -> Result<(), Infallible> {
        Ok(())
    }
}

/// A parent that restarts the registry after a fault.
pub struct Keeper;

impl Handler for Keeper {
    type Error = sel4::Error;

    fn fault(&mut self, child: Child, _: MessageInfo) -> Result<Option<MessageInfo>, sel4::Error> {
        child.restart(entry_point(child))?;
        Ok(None)
    }
}

/// Reports the death of `bell`. Restarts `bell` if `restarts` is true.
pub struct Parent {
    pub restarts: bool,
}

impl Handler for Parent {
    type Error = sel4::Error;

    fn notified(&mut self, _: ChannelSet) -> Result<(), sel4::Error> {
        Ok(())
    }

    fn fault(&mut self, child: Child, _: MessageInfo) -> Result<Option<MessageInfo>, sel4::Error> {
        let names = Names::connect(REGISTRY).unwrap();
        names.report_death(BELL).unwrap();
        match self.restarts {
            true => child.restart(entry_point(child))?,
            false => debug_println!("parent: bell is dead"),
        }
        Ok(None)
    }
}

/// A service that registers, and prints a line for each notification.
pub struct Bell;

pub fn bell_pd() -> Bell {
    let names = Names::connect(REGISTRY).unwrap();
    let epoch = names.register(BELL).unwrap();
    debug_println!("bell: epoch {}", epoch.number());
    Bell
}

impl Handler for Bell {
    type Error = Infallible;

    fn notified(&mut self, _: ChannelSet) -> Result<(), Infallible> {
        debug_println!("bell: rings");
        Ok(())
    }
}

/// A client that prints the result of a lookup, at the start and after each notification from the
/// registry.
pub struct Alice {
    names: Names,
    found: Option<Found>,
}

pub fn alice() -> Alice {
    let names = Names::connect(REGISTRY).unwrap();
    let mut alice = Alice { names, found: None };
    alice.look();
    alice
}

impl Alice {
    fn look(&mut self) {
        match self.names.lookup(BELL).unwrap() {
            Some(found) => {
                assert_eq!((found.name, found.channel), (BELL, PEER));
                if let Some(last) = self.found {
                    assert!(found.epoch >= last.epoch, "an epoch went back");
                }
                self.found = Some(found);
                debug_println!("alice: epoch {}", found.epoch.number());
            }
            None => debug_println!("alice: none"),
        }
    }
}

impl Handler for Alice {
    type Error = Infallible;

    fn notified(&mut self, channels: ChannelSet) -> Result<(), Infallible> {
        assert!(channels.contains(REGISTRY));
        self.look();
        Ok(())
    }
}

/// Returns the last line that `who` printed.
pub fn last<'a>(log: &'a str, who: &str) -> &'a str {
    let mut lines = log.lines().filter_map(|line| line.strip_prefix(who));
    lines.next_back().unwrap_or("").trim_start_matches(": ")
}

/// Checks that the explorer has run all schedules.
pub fn assert_complete(explored: Explored) {
    println!("{explored}");
    assert!(explored.is_complete(), "{explored}");
}
