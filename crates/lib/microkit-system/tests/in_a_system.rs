//! Uses every item of `system!` on the host, in the system of `everything.system`.

use std::sync::atomic::Ordering;

use microkit_test::System;
use sel4_microkit::{ChannelSet, Child, Handler, Infallible, MessageInfo, debug_println};

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/everything.system");

mod driver {
    microkit_system::system! {
        "everything.system", pd = "driver";
        channel READER = "reader";
        irq LINE = 33;
        irq CLOCK = "clock";
        child WORKER;
        region RING;
        pub(crate) region REGISTERS = "pl031@9010000/registers";
    }

    use super::*;

    pub(crate) struct Driver;

    impl Handler for Driver {
        type Error = Infallible;

        fn notified(&mut self, channels: ChannelSet) -> Result<(), Infallible> {
            let which = match (LINE.is_in(channels), CLOCK.is_in(channels)) {
                (true, false) => 1,
                (false, true) => 2,
                both => panic!("{both:?}"),
            };
            RING.words().store(0, which, Ordering::Relaxed);
            RING.words().as_slice()[511].store(which + 10, Ordering::Relaxed);
            if which == 1 {
                LINE.irq_ack().expect("it is an interrupt");
            } else {
                CLOCK.irq_ack().expect("it is an interrupt");
            }
            READER.notify();
            Ok(())
        }

        fn fault(
            &mut self,
            child: Child,
            _: MessageInfo,
        ) -> Result<Option<MessageInfo>, Infallible> {
            assert_eq!(child, WORKER);
            debug_println!("driver: the worker has stopped");
            Ok(None)
        }
    }
}

mod reader {
    microkit_system::system! {
        "everything.system", pd = "reader";
        /// The PD that writes the region.
        channel DRIVER = "driver";
        region RING = "ring";
    }

    use super::*;

    pub(crate) struct Reader;

    impl Handler for Reader {
        type Error = Infallible;

        fn notified(&mut self, channels: ChannelSet) -> Result<(), Infallible> {
            assert!(channels.iter().all(|channel| channel == DRIVER));
            let words = RING.words();
            let sum: u64 = words.iter(Ordering::Relaxed).sum();
            debug_println!("reader: {} of {sum}", words.load(0, Ordering::Relaxed));
            Ok(())
        }
    }
}

/// A program that faults at once.
fn worker() -> sel4_microkit::NullHandler {
    panic!("nothing to do")
}

fn system() -> System {
    System::open(FILE)
        .expect("the file is right")
        .program("reader.elf", || reader::Reader)
        .program("driver.elf", || driver::Driver)
        .program("worker.elf", worker)
}

#[test]
fn each_item_works_in_its_system() {
    let mut run = system().start();
    run.until_idle();
    run.raise_irq("driver", 3);
    run.until_idle();
    run.raise_irq("driver", 4);
    run.until_idle();
    let log = run.log();
    assert!(log.contains("driver: the worker has stopped\n"), "{log}");
    assert!(log.ends_with("reader: 1 of 12\nreader: 2 of 14\n"), "{log}");
}

#[test]
fn sizes_are_those_of_the_file() {
    assert_eq!(driver::REGISTERS.size_bytes(), 0x1000);
    assert_eq!(std::mem::size_of_val(&driver::REGISTERS), 0);
}

/// Asserts that a program compiled for a one-page region panics if the region has two pages.
#[test]
fn a_region_of_another_size_panics() {
    let file = std::fs::read_to_string(FILE).expect("the file is there");
    let larger = file.replace(
        r#"name="ring" size="0x1000""#,
        r#"name="ring" size="0x2000""#,
    );
    let system = System::parse("larger.system", &larger)
        .expect("the file is right")
        .program("reader.elf", || reader::Reader)
        .program("driver.elf", || driver::Driver)
        .program("worker.elf", worker);
    let mut run = system.start();
    run.until_idle();
    run.raise_irq("driver", 3);
    run.until_idle();
    let log = run.log();
    let sentence = "the region RING has 8192 bytes here and 4096 in the system file";
    assert!(log.contains(sentence), "{log}");
}

/// Asserts that `registers` panics at the second call, like `device_region!`.
#[cfg(feature = "mmio")]
#[test]
fn a_device_has_one_owner() {
    let system = System::open(FILE)
        .expect("the file is right")
        .program("reader.elf", || reader::Reader)
        .program("driver.elf", || {
            let registers = driver::REGISTERS.registers::<[u32; 4]>();
            debug_println!("driver: {}", registers.take(3).is_some());
            driver::REGISTERS.registers::<[u32; 4]>();
            driver::Driver
        })
        .program("worker.elf", worker);
    let mut run = system.start();
    run.until_idle();
    let log = run.log();
    assert!(log.contains("driver: true\n"), "{log}");
    assert!(
        log.contains("the region at registers has an owner already"),
        "{log}"
    );
}
