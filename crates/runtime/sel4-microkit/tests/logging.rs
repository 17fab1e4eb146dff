//! Tests the bytes of log and debug output that the kernel receives. A process has only one logger,
//! so all assertions are in one test.
#![cfg(all(feature = "embedded-io", feature = "log"))]

use std::cell::RefCell;
use std::rc::Rc;

use embedded_io::Write;
use log::LevelFilter;
use sel4::sys::host::{self as kernel, HostBuffer, Registers};
use sel4::sys::syscall;
use sel4_microkit::host::ProtectionDomain;
use sel4_microkit::{DebugOutput, logging};

/// Runs `f`, and returns the debug output of `f`.
fn printed(f: impl FnOnce()) -> String {
    let text = Rc::new(RefCell::new(Vec::new()));
    let log = Rc::clone(&text);
    kernel::install(Some(Rc::new(
        move |registers: &mut Registers, _: Option<HostBuffer<'_>>| {
            assert_eq!(registers.number, syscall::DebugPutChar);
            log.borrow_mut().push(registers.capability as u8);
        },
    )));
    f();
    kernel::install(None);
    String::from_utf8(text.take()).expect("UTF-8")
}

#[test]
fn what_is_logged_is_printed() {
    let if_printing = |text| if sel4::config::PRINTING { text } else { "" };
    let pd = ProtectionDomain {
        name: "pump",
        ..ProtectionDomain::default()
    };
    pd.set();
    assert_eq!(
        printed(|| writeln!(DebugOutput, "{} °C", 21).expect("it never fails")),
        if_printing("21 °C\n")
    );
    assert_eq!(printed(|| DebugOutput.flush().expect("it never fails")), "");

    assert_eq!(printed(|| log::error!("nobody listens yet")), "");
    logging::init(LevelFilter::Info).expect("the first");
    assert!(logging::init(LevelFilter::Trace).is_err(), "the second");
    let text = printed(|| {
        log::info!(target: "valve", "{} is open", 1);
        log::debug!("not shown");
        log::warn!("hot");
    });
    assert!(log::log_enabled!(log::Level::Info));
    log::logger().flush();
    assert_eq!(text, "pump INFO valve: 1 is open\npump WARN logging: hot\n");
}
