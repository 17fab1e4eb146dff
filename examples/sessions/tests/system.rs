//! The whole system on the host, and its clients dying anywhere.

use std::string::String;
use std::vec::Vec;

use microkit_test::{Explorer, System};

#[path = "../src/bin/sessions-greedy.rs"]
#[allow(unused_attributes)] // They are those of a crate.
mod greedy;
#[path = "../src/bin/sessions-hostile.rs"]
#[allow(unused_attributes)]
mod hostile;
#[path = "../src/bin/sessions-libraries.rs"]
#[allow(unused_attributes)]
mod libraries;
#[path = "../src/bin/sessions-mortal.rs"]
#[allow(unused_attributes)]
mod mortal;
#[path = "../src/bin/sessions-parent.rs"]
#[allow(unused_attributes)]
mod parent;
#[path = "../src/bin/sessions-server.rs"]
#[allow(unused_attributes)] // They are those of a crate.
mod server;

const SYSTEM: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../microkit-systems/sessions.system"
);

fn system() -> System {
    System::open(SYSTEM)
        .unwrap()
        .program("console.elf", microkit_console::host::protection_domain)
        .program("sessions-server.elf", server::protection_domain)
        .program("sessions-greedy.elf", greedy::protection_domain)
        .program("sessions-hostile.elf", hostile::protection_domain)
        .program("sessions-libraries.elf", libraries::protection_domain)
        .program("sessions-mortal.elf", mortal::protection_domain)
        .program("sessions-parent.elf", parent::protection_domain)
}

#[test]
fn they_print_what_they_print_on_the_target() {
    let mut run = system().start();
    run.until_idle();
    let expected = include_str!("../../../microkit-systems/sessions.expected");
    assert_eq!(run.log(), expected);
}

/// The titles in lines of the server that end so.
fn titles(log: &str, is_one: impl Fn(&str) -> bool) -> Vec<String> {
    let lines = log.lines().filter_map(|line| line.strip_prefix("server: "));
    let mut titles: Vec<String> = lines
        .filter(|line| is_one(line))
        .map(|line| String::from(line.split(' ').next().unwrap_or_default()))
        .collect();
    titles.sort();
    titles
}

/// A death of this client before any of its steps, besides those that it dies by itself.
fn check_death(client: &str, leaves_nothing: bool) {
    let system = system();
    let explored = Explorer::new(&system)
        .by_priority()
        .crash(client)
        .allow_faults()
        .check(|run| {
            let log = run.log();
            // What the two libraries have is theirs until they close it.
            assert!(log.contains("libraries: owners left: Ok(0)"), "{log}");
            if client != "hostile" {
                let kept = "libraries: Ok(\"dear diary, others came\")\nserver: diary is over\n\
                            libraries: closed: Ok(())";
                assert!(log.contains(kept), "{log}");
            }
            if leaves_nothing {
                let begun = titles(&log, |line| line.ends_with(" begins"));
                let over = titles(&log, |line| {
                    line.ends_with(" is over") || line.ends_with(" is empty")
                });
                assert_eq!(begun, over, "{log}");
            }
        });
    println!("{client}: {explored}");
    assert!(explored.is_complete());
    assert!(explored.schedules() > Some(5), "{client}: {explored}");
}

#[test]
fn a_client_that_dies_anywhere_and_begins_again_leaves_nothing() {
    check_death("mortal", true);
}

#[test]
fn a_client_that_dies_anywhere_and_is_reported_leaves_nothing() {
    check_death("doomed", true);
}

#[test]
fn a_client_of_whose_death_nobody_tells_keeps_what_it_has_and_no_more() {
    check_death("greedy", false);
    check_death("hostile", false);
}
