//! Runs the whole system on the host. Some tests kill a client at each of its steps.

use std::string::String;
use std::vec::Vec;

use microkit_test::{Explorer, System};

#[path = "../src/bin/sessions-greedy.rs"]
#[allow(unused_attributes)] // Crate attributes have no effect in a module.
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
#[allow(unused_attributes)] // Crate attributes have no effect in a module.
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
fn the_programs_print_the_same_as_on_the_target() {
    let mut run = system().start();
    run.until_idle();
    let expected = include_str!("../../../microkit-systems/sessions.expected");
    assert_eq!(run.log(), expected);
}

/// Returns the sorted titles of notes in the server's output. `title` returns the title in a line,
/// or `None`.
fn titles(log: &str, title: impl Fn(&str) -> Option<&str>) -> Vec<String> {
    let lines = log.lines().filter_map(|line| line.strip_prefix("server: "));
    let mut titles: Vec<String> = lines.filter_map(title).map(String::from).collect();
    titles.sort();
    titles
}

/// Kills this client before each of its steps, in addition to the client's own deaths.
fn check_death(client: &str, leaves_nothing: bool) {
    let system = system();
    let explored = Explorer::new(&system)
        .by_priority()
        .crash(client)
        .allow_faults()
        .check(|run| {
            let log = run.log();
            // The notes of the two libraries stay open until the libraries close them.
            assert!(log.contains("libraries: owners left: Ok(0)"), "{log}");
            if client != "hostile" {
                let kept = "libraries: Ok(\"dear diary, others came\")\nserver: diary is closed\n\
                            libraries: closed: Ok(())";
                assert!(log.contains(kept), "{log}");
            }
            if leaves_nothing {
                let opened = titles(&log, |line| Some(line.split_once(" opens ")?.1));
                let closed = titles(&log, |line| {
                    let closed = line.strip_suffix(" is closed");
                    closed.or_else(|| line.strip_suffix(" is empty")?.split(' ').next())
                });
                assert!(!opened.is_empty(), "{log}");
                assert_eq!(opened, closed, "{log}");
            }
        });
    println!("{client}: {explored}");
    assert!(explored.is_complete());
    assert!(explored.schedules() > Some(5), "{client}: {explored}");
}

#[test]
fn a_client_that_dies_anywhere_and_is_restarted_leaves_no_session() {
    check_death("mortal", true);
}

#[test]
fn a_client_that_dies_anywhere_and_is_reported_leaves_no_session() {
    check_death("doomed", true);
}

#[test]
fn a_dead_client_that_is_not_reported_keeps_its_sessions_and_harms_no_other() {
    check_death("greedy", false);
    check_death("hostile", false);
}
