//! The example programs, as they are, as modules; and the systems made of them.

use std::fs;
use std::path::{Path, PathBuf};

use pd_test::System;

/// The program of an example: its attributes are those of a crate, and mean nothing in a module.
macro_rules! programs {
    ($($name:ident = $path:literal;)*) => {
        $(
            #[path = $path]
            #[allow(unused_attributes)]
            mod $name;
        )*
    };
}

programs! {
    conformance_child = "../../../../examples/conformance-child/src/main.rs";
    conformance_passive = "../../../../examples/conformance-passive/src/main.rs";
    heap = "../../../../examples/heap/src/main.rs";
    hello = "../../../../examples/hello/src/main.rs";
    misuse = "../../../../examples/misuse/src/main.rs";
    parent = "../../../../examples/parent/src/main.rs";
    ping = "../../../../examples/ping/src/main.rs";
    ping_call = "../../../../examples/ping-call/src/main.rs";
    ping_memory = "../../../../examples/ping-memory/src/main.rs";
    ping_passive = "../../../../examples/ping-passive/src/main.rs";
    ping_seed = "../../../../examples/ping-seed/src/main.rs";
    pong = "../../../../examples/pong/src/main.rs";
    pong_call = "../../../../examples/pong-call/src/main.rs";
    pong_memory = "../../../../examples/pong-memory/src/main.rs";
    pong_passive = "../../../../examples/pong-passive/src/main.rs";
    pong_seed = "../../../../examples/pong-seed/src/main.rs";
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A system of `microkit-systems`, each of its programs given.
pub(crate) fn open(name: &str) -> System {
    let file = root()
        .join("microkit-systems")
        .join(format!("{name}.system"));
    let text = fs::read_to_string(&file).expect("the system is there");
    let mut system = System::parse(&format!("{name}.system"), &text).unwrap();
    macro_rules! give {
        ($($path:literal: $program:path,)*) => {
            $(
                if text.contains(concat!("\"", $path, "\"")) {
                    system = system.program($path, $program);
                }
            )*
        };
    }
    give! {
        "conformance-child.elf": conformance_child::protection_domain,
        "conformance-passive.elf": conformance_passive::protection_domain,
        "console.elf": console::host::protection_domain,
        "heap.elf": heap::protection_domain,
        "hello.elf": hello::protection_domain,
        "misuse.elf": misuse::protection_domain,
        "parent.elf": parent::protection_domain,
        "ping.elf": ping::protection_domain,
        "ping-call.elf": ping_call::protection_domain,
        "ping-memory.elf": ping_memory::protection_domain,
        "ping-passive.elf": ping_passive::protection_domain,
        "ping-seed.elf": ping_seed::protection_domain,
        "pong.elf": pong::protection_domain,
        "pong-call.elf": pong_call::protection_domain,
        "pong-memory.elf": pong_memory::protection_domain,
        "pong-passive.elf": pong_passive::protection_domain,
        "pong-seed.elf": pong_seed::protection_domain,
    }
    system
}

/// What a system prints on either kernel.
pub(crate) fn expected(name: &str) -> String {
    let file = root()
        .join("microkit-systems")
        .join(format!("{name}.expected"));
    fs::read_to_string(file).expect("the log is there")
}

/// A log with the paths of the examples as the target has them.
pub(crate) fn normal(log: &str) -> String {
    log.replace("crates/pd-test/tests/examples/../../../../", "")
}

/// Runs a system as the kernel schedules it, and holds its log against its `.expected` file.
#[track_caller]
pub(crate) fn check_expected(name: &str) {
    let mut run = open(name).start();
    run.until_idle();
    assert_eq!(normal(&run.log()), expected(name));
}
