//! Runs the system on the host.

use microkit_test::System;

#[path = "../src/bin/smc.rs"]
#[allow(unused_attributes)] // Crate attributes have no effect in a module.
mod smc;

/// The model kernel refuses `smc="true"`, so this test runs the system without that attribute.
#[test]
fn a_firmware_call_without_the_right_is_refused() {
    let file = include_str!("../../../microkit-systems/smc.system");
    let refused = System::parse("smc.system", file).unwrap_err();
    assert!(refused.to_string().contains("smc"), "{refused}");
    let mut run = System::parse("smc.system", &file.replace(r#" smc="true""#, ""))
        .unwrap()
        .program("console.elf", microkit_console::host::protection_domain)
        .program("smc.elf", smc::protection_domain)
        .start();
    run.until_idle();
    let error = "the system file allows it: InvalidCapability";
    assert!(run.log().contains(error), "{}", run.log());
}
