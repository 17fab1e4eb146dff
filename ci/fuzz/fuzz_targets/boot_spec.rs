//! Fuzzes the decoder of boot specs. Any bytes decode to a boot spec or an error, without a panic.
//! A decoded boot spec encodes to the same bytes.
#![no_main]

use boot_spec::BootSpec;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(spec) = BootSpec::decode(bytes) {
        assert_eq!(spec.encode(), bytes);
        drop(spec.validate());
    }
});
