//! Any bytes are a boot spec or an error, and never a panic; what decodes is encoded to the same
//! bytes.
#![no_main]

use boot_spec::BootSpec;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(spec) = BootSpec::decode(bytes) {
        assert_eq!(spec.encode(), bytes);
        drop(spec.validate());
    }
});
