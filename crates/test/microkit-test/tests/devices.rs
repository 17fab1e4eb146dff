//! Tests that a memory region with one owner has no other user in a run. Neither another protection
//! domain nor the test can access such a region. The test simulates a device only through the
//! device's registers.

use std::panic::{AssertUnwindSafe, catch_unwind};

use kernel_model::{Event, UserContext};
use microkit_test::{Memory, Processor, Run, System};
use safe_mmio::fields::ReadPureWrite;
use sel4_microkit::{
    Channel, ChannelSet, Handler, Infallible, NullHandler, debug_println, device_region,
    dma_region, pd_name, register, shared_words,
};

const FILE: &str = r#"
    <system>
        <memory_region name="dma" size="0x1000" />
        <memory_region name="device" size="0x1000" />
        <protection_domain name="driver" priority="2">
            <program_image path="driver.elf" />
            <map mr="device" vaddr="0x4000000" perms="rw" setvar_vaddr="device"
                 setvar_size="device_size" />
            <map mr="dma" vaddr="0x5000000" perms="rw" setvar_vaddr="dma" setvar_size="dma_size" />
            <setvar symbol="dma_paddr" region_paddr="dma" />
        </protection_domain>
        <protection_domain name="other" priority="1">
            <program_image path="other.elf" />
            <map mr="device" vaddr="0x4000000" perms="rw" setvar_vaddr="device"
                 setvar_size="device_size" />
            <map mr="dma" vaddr="0x5000000" perms="rw" setvar_vaddr="dma" setvar_size="dma_size" />
            <setvar symbol="dma_paddr" region_paddr="dma" />
        </protection_domain>
        <channel><end pd="driver" id="1" /><end pd="other" id="1" /></channel>
    </system>"#;

#[repr(C)]
struct Registers {
    count: ReadPureWrite<u64>,
}

/// Owns both regions, and adds one to the device's register at each notification.
struct Driver {
    registers: sel4_microkit::DeviceRegion<Registers>,
    _dma: sel4_microkit::DmaRegion,
}

fn driver() -> Driver {
    Driver {
        registers: device_region!(device, device_size, Registers),
        _dma: dma_region!(dma, dma_size, dma_paddr),
    }
}

impl Handler for Driver {
    type Error = Infallible;

    fn notified(&mut self, _: ChannelSet) -> Result<(), Infallible> {
        register!(self.registers, Registers, count).modify(|count| count + 1);
        Ok(())
    }
}

/// Notifies the driver, and then runs `wrong`, a forbidden access.
fn other<R>(wrong: impl Fn() -> R) -> NullHandler {
    Channel::new(1).notify();
    wrong();
    debug_println!("{} has it too", pd_name().unwrap_or("?"));
    NullHandler::new()
}

fn start<R>(wrong: impl Fn() -> R + Copy + Send + Sync + 'static) -> Run {
    System::parse("devices.system", FILE)
        .unwrap()
        .program("driver.elf", driver)
        .program("other.elf", move || other(wrong))
        .start()
}

#[test]
#[cfg_attr(miri, ignore = "four systems take minutes there")]
fn another_protection_domain_does_not_get_what_one_has() {
    let cases: [fn(); 4] = [
        || _ = shared_words!(dma, dma_size),
        || _ = dma_region!(dma, dma_size, dma_paddr),
        || _ = shared_words!(device, device_size),
        || _ = device_region!(device, device_size, Registers),
    ];
    for wrong in cases {
        let mut run = start(wrong);
        run.until_idle();
        let log = run.log();
        assert!(log.contains("other: panicked at"), "{log}");
        assert!(
            log.contains("was taken for") || log.contains("has an owner already"),
            "{log}"
        );
        assert_eq!(
            run.device("driver", "device").read(0),
            1,
            "the driver runs on"
        );
    }
}

#[test]
fn the_test_is_the_device_and_nothing_else() {
    let mut run = start(|| ());
    let device = run.device("driver", "device");
    device.write(0, 41);
    run.until_idle();
    assert_eq!(run.log(), "other has it too\n");
    assert_eq!(device.read(0), 42);
    let message = refused(|| run.region("driver", "device"));
    assert!(message.contains("`Run::device`"), "{message}");
    let dma = run.device("driver", "dma");
    let message = refused(|| dma.read(0));
    assert!(message.contains("taken for DMA"), "{message}");
    let message = refused(|| run.region("other", "dma"));
    assert!(message.contains("taken for DMA"), "{message}");
}

/// Asserts that the end of a run releases the run's regions.
#[test]
fn a_system_can_be_started_again() {
    let system = System::parse("devices.system", FILE)
        .unwrap()
        .program("driver.elf", driver)
        .program("other.elf", || other(|| ()));
    for _ in 0..3 {
        let mut run = system.start();
        run.until_idle();
        assert_eq!(run.device("driver", "device").read(0), 1);
        assert_eq!(run.log(), "other has it too\n");
    }
}

/// A processor that writes to the region for DMA, although the driver has taken the region.
struct Writer;

impl Processor for Writer {
    fn run(&mut self, _: &mut UserContext, memory: &mut Memory<'_>) -> Event {
        memory.store(0x500_0000, 1);
        unreachable!("that was refused")
    }
}

#[test]
fn a_processor_does_not_write_what_another_has_references_to() {
    let mut run = System::parse("devices.system", FILE)
        .unwrap()
        .program("driver.elf", driver)
        .processor("other.elf", || Writer)
        .start();
    let message = refused(|| run.until_idle());
    assert!(message.contains("taken for DMA"), "{message}");
}

#[track_caller]
fn refused<R>(wrong: impl FnOnce() -> R) -> String {
    let payload = catch_unwind(AssertUnwindSafe(wrong)).err();
    let payload = payload.expect("it must panic");
    payload
        .downcast_ref::<String>()
        .expect("a sentence")
        .clone()
}
