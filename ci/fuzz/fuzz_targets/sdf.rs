//! Fuzzes the reader of system files. Any text gives a system or a list of errors, without a panic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use microkit_sdf::{NoFiles, Options, parse};

fuzz_target!(|text: &str| {
    match parse("fuzz.system", text, Options::new(&NoFiles)) {
        Ok(system) => drop(system.refusals_for_model()),
        Err(errors) => assert!(!errors.to_string().is_empty()),
    }
});
