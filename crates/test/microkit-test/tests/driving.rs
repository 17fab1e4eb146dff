//! Tests the methods that drive a run: steps, IRQs, time, deaths, and failing system calls.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering::SeqCst;

use microkit_test::{Explorer, Failure, InvocationError, Run, System};
use sel4_microkit::{
    Channel, ChannelSet, Child, EntryPoint, Handler, Infallible, MessageInfo, NullHandler,
    SharedWord, debug_println, pd_name, shared_words, var,
};

const ALARM: Channel = Channel::new(5);
const SERVER: Channel = Channel::new(1);
const CLIENT: Channel = Channel::new(1);

const FILE: &str = r#"
    <system>
        <protection_domain name="parent" priority="9">
            <program_image path="parent.elf" />
            <protection_domain name="driver" id="3" priority="4">
                <program_image path="driver.elf" />
                <irq irq="40" id="5" setvar_id="alarm" />
            </protection_domain>
        </protection_domain>
        <protection_domain name="server" priority="5">
            <program_image path="server.elf" />
        </protection_domain>
        <channel>
            <end pd="driver" id="1" pp="true" />
            <end pd="server" id="1" />
        </channel>
    </system>"#;

/// Prints each fault of the driver, and restarts the driver after the first fault.
struct Parent {
    entry_point: EntryPoint,
    times: usize,
}

fn parent() -> Parent {
    Parent {
        // The child has the lower priority.
        entry_point: Child::new(3).entry_point().expect("it is a child"),
        times: 0,
    }
}

impl Handler for Parent {
    type Error = Infallible;

    fn fault(
        &mut self,
        child: Child,
        info: MessageInfo,
    ) -> Result<Option<MessageInfo>, Infallible> {
        let label = info.label();
        debug_println!("parent: child {} has fault {label}", child.index());
        self.times += 1;
        if self.times == 1 {
            child.restart(self.entry_point).expect("it is a child");
        }
        Ok(None)
    }
}

struct Driver;

fn driver() -> Driver {
    assert_eq!(*var!(alarm: usize = 0), ALARM.index());
    debug_println!("driver: begins");
    Driver
}

impl Handler for Driver {
    type Error = Infallible;

    fn notified(&mut self, channels: ChannelSet) -> Result<(), Infallible> {
        debug_println!("driver: {channels}");
        if channels.contains(ALARM) {
            let reply = SERVER.pp_call(MessageInfo::new(4, 0));
            debug_println!("driver: replied {}", reply.label());
            if let Err(error) = ALARM.irq_ack() {
                debug_println!("driver: {error}");
            }
        }
        Ok(())
    }
}

struct Server;

impl Handler for Server {
    type Error = Infallible;

    fn protected(&mut self, _: Channel, info: MessageInfo) -> Result<MessageInfo, Infallible> {
        assert_ne!(info.label(), 13, "{} fears 13", pd_name().unwrap_or("?"));
        CLIENT.notify();
        Ok(MessageInfo::new(info.label() + 1, 0))
    }
}

fn system() -> System {
    System::parse("driver.system", FILE)
        .unwrap()
        .program("parent.elf", parent)
        .program("driver.elf", driver)
        .program("server.elf", || Server)
}

/// Returns a run that has started and come to rest.
fn at_rest() -> Run {
    let mut run = system().start();
    run.until_idle();
    assert_eq!(run.log(), "driver: begins\n");
    run
}

fn lines(run: &Run) -> Vec<String> {
    run.log().lines().skip(1).map(str::to_owned).collect()
}

#[test]
fn steps_are_one_system_call_each_and_the_test_chooses_whose() {
    let system = system();
    let mut run = system.start();
    assert_eq!(run.can_run(), ["parent", "driver", "server"]);
    run.step_of("server");
    run.step_of("driver"); // The first call of the driver acknowledges the interrupt.
    run.step_of("driver");
    assert_eq!(run.can_run(), ["parent"]);
    assert!(run.step()); // The parent reads the driver's entry point.
    assert!(run.step());
    assert!(!run.step());
    assert_eq!(run.steps(), 5);
    let trace: Vec<String> = run.trace().iter().map(ToString::to_string).collect();
    assert_eq!(
        trace,
        [
            "server waits",
            "driver acknowledges the interrupt of channel 5",
            "driver waits",
            "parent invokes child 3: label 2, [0, 24]",
            "parent waits",
        ]
    );
    let wrong = catch_unwind(AssertUnwindSafe(|| run.step_of("driver"))).unwrap_err();
    let message = wrong.downcast_ref::<String>().unwrap();
    assert_eq!(message, "driver cannot run: it waits for an event");
}

#[test]
fn an_interrupt_comes_when_it_is_raised_and_not_masked() {
    let mut run = at_rest();
    run.raise_irq("driver", 5);
    run.raise_irq("driver", 5); // The second IRQ waits for the acknowledgement.
    run.until_idle();
    let once = ["driver: {5}", "driver: replied 5"];
    // The server's notification arrives while the driver is not waiting.
    let after = ["driver: {1, 5}", "driver: replied 5", "driver: {1}"];
    assert_eq!(lines(&run), [&once[..], &after[..]].concat());
    let calls: Vec<_> = run
        .calls("driver")
        .filter_map(|call| call.calls())
        .collect();
    assert_eq!(calls, [1, 1]);
    let notified = run
        .calls("server")
        .filter(|call| call.notifies() == Some(1));
    assert_eq!(notified.count(), 2);
}

#[test]
fn a_parent_is_told_of_a_death_and_can_restart() {
    let mut run = at_rest();
    run.raise_irq("driver", 5);
    run.kill("driver");
    run.until_idle();
    // The number of a user exception is 3.
    assert_eq!(
        lines(&run),
        ["parent: child 3 has fault 3", "driver: begins"]
    );
    assert_eq!(run.faults(), []);
}

#[test]
fn one_that_waits_is_only_stopped_when_it_is_killed() {
    let mut run = at_rest();
    run.kill("server");
    run.raise_irq("driver", 5);
    run.until_idle();
    assert_eq!(lines(&run), ["driver: {5}"]);
    assert_eq!(run.stuck(), ["driver"]);
}

/// Asserts that destructors of a dead program write nothing, because on the target they do not run.
#[test]
fn what_a_destructor_of_a_dead_program_writes_has_no_effect() {
    const FILE: &str = r#"
        <system>
            <memory_region name="shared" size="0x1000" />
            <protection_domain name="mortal" priority="5">
                <program_image path="mortal.elf" />
                <map mr="shared" vaddr="0x4000000" perms="rw"
                     setvar_vaddr="shared" setvar_size="shared_size" />
            </protection_domain>
        </system>"#;

    struct Mortal(&'static SharedWord);

    impl Handler for Mortal {
        type Error = Infallible;
    }

    impl Drop for Mortal {
        fn drop(&mut self) {
            assert_eq!(self.0.swap(6, SeqCst), 5);
            debug_println!("it was dropped");
        }
    }

    let init = || {
        let words = shared_words!(shared, shared_size, SharedWord);
        words[0].store(5, SeqCst);
        debug_println!("it waits");
        Mortal(&words[0])
    };
    let system = System::parse("mortal.system", FILE).unwrap();
    let mut run = system.program("mortal.elf", init).start();
    // The store is a separate step.
    assert!(run.step());
    let words = run.region("mortal", "shared");
    assert_eq!(words[0].load(SeqCst), 0);
    run.until_idle();
    run.kill("mortal");
    assert_eq!(words[0].load(SeqCst), 5);
    assert_eq!(run.log(), "it waits\n", "system calls do nothing either");
}

#[test]
fn an_invocation_fails_as_the_test_wants() {
    let mut run = at_rest();
    run.fail_next(
        "driver",
        Failure::Refused(InvocationError::IllegalOperation),
    );
    run.raise_irq("driver", 5);
    run.until_idle();
    let expect = [
        "driver: {5}",
        "driver: replied 5",
        "driver: the interrupt could not be acknowledged: the object cannot do that, or not now",
    ];
    assert_eq!(lines(&run)[..2], expect[..2]);
    assert!(lines(&run)[2].starts_with("driver: the interrupt could not be acknowledged"));
}

#[test]
fn a_capability_that_is_not_there_is_a_fault_that_the_parent_sees() {
    let mut run = at_rest();
    run.fail_next("driver", Failure::NoCapability);
    run.raise_irq("driver", 5);
    run.until_idle();
    // The number of a capability fault is 1. The restarted driver starts from its initialisation.
    let expect = [
        "driver: {5}",
        "parent: child 3 has fault 1",
        "driver: begins",
    ];
    assert_eq!(lines(&run)[..3], expect);
}

#[test]
fn every_failure_of_every_call_and_a_death_anywhere_leave_the_parent_in_the_picture() {
    let system = system();
    let explored = Explorer::new(&system)
        .interrupt("driver", 5)
        .failing_call("driver")
        .crash("driver")
        .allow_stuck()
        .check(|run| {
            let deaths = run.log().matches("has fault").count();
            let begins = run.log().matches("begins").count();
            assert!(begins >= 1 || deaths >= 1, "{}", run.log());
        });
    println!("{explored}");
    assert!(explored.is_complete());
    assert!(explored.schedules() > Some(1000));
}

#[test]
fn what_has_no_parent_is_told_by_the_monitor() {
    let panics = || -> NullHandler { panic!("no more") };
    let mut run = system().protection_domain("server", panics).start();
    run.until_idle();
    let [fault] = run.faults() else {
        panic!("one fault is expected: {:?}", run.faults())
    };
    assert_eq!((fault.protection_domain(), fault.label), ("server", 3));
    let here = "server: panicked at crates/test/microkit-test/tests/driving.rs:";
    assert!(
        run.log().contains(here) && run.log().contains(":\nno more\n"),
        "{}",
        run.log()
    );
}

#[test]
fn time_stands_still_until_it_is_advanced() {
    let file = FILE.replace(
        r#"name="server" priority="5""#,
        r#"name="server" priority="5" budget="100" period="1000""#,
    );
    let system = System::parse("driver.system", &file)
        .unwrap()
        .program("parent.elf", parent)
        .program("driver.elf", driver)
        .program("server.elf", || {
            (0..4).for_each(|_| CLIENT.notify());
            debug_println!("server: begins");
            Server
        });
    let mut run = system.start();
    // Four notifications of 40 microseconds exceed the server's budget.
    run.set_step_us(40);
    run.until_idle();
    assert!(!run.log().contains("server: begins"), "{}", run.log());
    assert!(run.can_run().is_empty());
    // In each period, the server makes two more steps.
    for _ in 0..3 {
        run.advance_us(1000);
    }
    assert!(run.log().contains("server: begins"), "{}", run.log());
}

#[test]
fn what_is_missing_or_wrong_is_a_sentence() {
    let check = |wrong: &dyn Fn(), expect: &[&str]| {
        let panic = catch_unwind(AssertUnwindSafe(wrong)).expect_err("it is refused");
        let message = panic.downcast_ref::<String>().expect("a message");
        for part in expect {
            assert!(message.contains(part), "no {part:?} in: {message}");
        }
    };
    let parsed = || System::parse("driver.system", FILE).unwrap();
    check(
        &|| drop(parsed().start()),
        &[
            "nothing was given to run for parent",
            ".program(\"parent.elf\", …)",
        ],
    );
    check(
        &|| drop(parsed().program("drivers.elf", driver)),
        &["drivers.elf", "parent.elf, driver.elf, server.elf"],
    );
    check(
        &|| system().start().raise_irq("server", 5),
        &["server has no <irq> with id=\"5\""],
    );
    check(
        &|| system().start().kill("nobody"),
        &["no protection domain nobody", "parent, driver, server"],
    );
    let system = system();
    let replay = |schedule: &str| {
        let schedule = schedule.parse().unwrap();
        drop(Explorer::new(&system).replay(&schedule));
    };
    check(
        &|| replay("parent*2 nobody"),
        &["choice 3", "`nobody`", "server, driver"],
    );
    check(&|| replay("parent*9"), &["choice 3", "`parent`"]);
    let error = System::parse("wrong.system", "<system><pd /></system>").unwrap_err();
    assert!(error.to_string().contains("wrong.system"), "{error}");
    let error = System::open("there/is/none.system").unwrap_err();
    assert!(
        error.to_string().contains("there/is/none.system"),
        "{error}"
    );
}
