//! Fuzzes the ELF reader and the image planner. Any bytes give a program or an error, without a
//! panic. The kernel accepts every planned system.
#![no_main]

use std::io;
use std::path::Path;

use libfuzzer_sys::fuzz_target;
use microkit_image::{Files, Platform, plan};
use microkit_sdf::{NoFiles, Options, parse};

const SYSTEM: &str = r#"
    <system>
        <memory_region name="region" size="0x1000" />
        <protection_domain name="pd" priority="1">
            <program_image path="pd.elf" />
            <map mr="region" vaddr="0x4000000" perms="rw" setvar_vaddr="region" />
        </protection_domain>
    </system>"#;

struct One<'a>(&'a [u8]);

impl Files for One<'_> {
    fn read(&self, _: &Path) -> io::Result<Vec<u8>> {
        Ok(self.0.to_vec())
    }
}

fuzz_target!(|program: &[u8]| {
    let system = parse("fuzz.system", SYSTEM, Options::new(&NoFiles)).expect("this one is right");
    if let Ok(plan) = plan(&system, &Platform::QEMU_VIRT_AARCH64, &One(program)) {
        let spec = plan.boot_spec(0x10_0000);
        assert!(spec.validate().is_ok(), "{:?}", spec.validate());
        assert!(!plan.report().is_empty());
    }
});
