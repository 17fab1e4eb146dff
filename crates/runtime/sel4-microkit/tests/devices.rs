//! Tests accesses to device registers. The test acts as the device.
#![cfg(feature = "mmio")]

use std::panic::{AssertUnwindSafe, catch_unwind};

use safe_mmio::fields::{ReadOnly, ReadPure, ReadPureWrite, ReadWrite, WriteOnly};
use sel4_microkit::host::{HostRegion, Symbol, set_symbols};
use sel4_microkit::{DeviceRegion, device_region, register};

#[repr(C)]
struct Inner {
    _before: u64,
    level: ReadWrite<u64>,
}

#[repr(C)]
struct Registers {
    status: ReadPure<u64>,
    event: ReadOnly<u64>,
    command: WriteOnly<u64>,
    count: ReadPureWrite<u64>,
    inner: Inner,
    addresses: [ReadWrite<u64>; 4],
}

fn leak<T>(value: T) -> &'static T {
    Box::leak(Box::new(value))
}

/// Makes the memory of a device, and sets the symbols for the address and size of the memory.
fn memory() -> &'static HostRegion {
    let region = leak(HostRegion::new(512));
    set_symbols(leak([
        Symbol::mapping("clock", region),
        Symbol::word("clock_size", 4096),
    ]));
    region
}

#[test]
fn each_register_is_where_its_type_has_it() {
    let memory = memory();
    let mut clock = device_region!(clock, clock_size, Registers);
    memory.write(0, 10);
    memory.write(1, 11);
    assert_eq!(register!(clock, Registers, status).read(), 10);
    assert_eq!(register!(clock, Registers, event).read(), 11);
    register!(clock, Registers, command).write(12);
    register!(clock, Registers, count).write(13);
    register!(clock, Registers, count).modify(|count| count + 1);
    register!(clock, Registers, inner.level).write(15);
    register!(clock, Registers, inner.level).modify(|level| level + 1);
    for index in 0..4 {
        let value = 20 + index as u64;
        register!(clock, Registers, addresses)
            .at(index)
            .write(value);
    }
    let words: Vec<u64> = (2..10).map(|index| memory.read(index)).collect();
    assert_eq!(words, [12, 14, 0, 16, 20, 21, 22, 23]);
    assert_eq!(register!(clock, Registers, addresses).at(3).read(), 23);
}

#[test]
fn a_register_behind_the_last_is_none() {
    memory();
    let mut clock = device_region!(clock, clock_size, Registers);
    let beyond = catch_unwind(AssertUnwindSafe(|| {
        register!(clock, Registers, addresses).at(4).write(1);
    }));
    let sentence = beyond.unwrap_err();
    let sentence: &String = sentence.downcast_ref().expect("it is a sentence");
    assert_eq!(sentence, "there is no register 4: the array has 4");
}

#[test]
fn one_of_several_devices_is_taken_with_the_region() {
    let memory = memory();
    let clocks: DeviceRegion<[Inner; 8]> = device_region!(clock, clock_size, [Inner; 8]);
    let mut third = clocks.take(3).expect("there are eight");
    register!(third, Inner, level).write(7);
    assert_eq!(memory.read(3 * 2 + 1), 7);
    let again = catch_unwind(|| device_region!(clock, clock_size, [Inner; 8]));
    assert!(again.is_err());
}

#[test]
fn a_ninth_of_eight_devices_is_none() {
    memory();
    let clocks: DeviceRegion<[Inner; 8]> = device_region!(clock, clock_size, [Inner; 8]);
    assert!(clocks.take(8).is_none());
}

#[test]
fn what_is_shown_is_an_address_and_reads_nothing() {
    let memory = memory();
    memory.write(0, 0xdead_beef);
    let mut clock = device_region!(clock, clock_size, Registers);
    let shown = format!("{clock:?}") + &format!(" {:?}", register!(clock, Registers, status));
    assert!(shown.starts_with("DeviceRegion(0x"), "{shown}");
    assert!(shown.contains("Register(0x"), "{shown}");
    assert!(!shown.contains("deadbeef"), "{shown}");
}

#[test]
fn the_pointer_of_safe_mmio_is_to_the_same_registers() {
    let memory = memory();
    let clock = device_region!(clock, clock_size, Registers);
    // SAFETY: this test makes no second owner of a register.
    let mut clock = unsafe { clock.into_unique_mmio_pointer() };
    safe_mmio::field!(clock, command).write(12);
    assert_eq!(memory.read(2), 12);
}

#[cfg(feature = "pl011")]
#[test]
fn a_pl011_is_driven_by_its_registers() {
    let memory = memory();
    let mut uart = device_region!(clock, clock_size, arm_pl011_uart::PL011Registers).into_uart();
    uart.write_word(b'a');
    // The data register is at offset 0 (Arm DDI 0183, *Summary of registers*).
    assert_eq!(memory.read(0) & 0xff, u64::from(b'a'));
}
