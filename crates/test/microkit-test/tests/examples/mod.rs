//! The example programs, as they are, as modules; and the systems made of them.

use std::fs;
use std::path::{Path, PathBuf};

use microkit_test::System;

/// The program of an example: its attributes are those of a crate, and mean nothing in a module.
macro_rules! programs {
    ($($name:ident = $path:literal;)*) => {
        $(
            #[path = $path]
            #[allow(unused_attributes)]
            pub(crate) mod $name;
        )*
    };
}

programs! {
    bench_server = "../../../../../examples/bench-server/src/main.rs";
    block_checker = "../../../../../examples/block-checker/src/main.rs";
    block_writer = "../../../../../examples/block-writer/src/main.rs";
    conformance_child = "../../../../../examples/conformance-child/src/main.rs";
    conformance_passive = "../../../../../examples/conformance-passive/src/main.rs";
    faults = "../../../../../examples/faults/src/main.rs";
    faults_watchdog = "../../../../../examples/faults-watchdog/src/main.rs";
    heap = "../../../../../examples/heap/src/main.rs";
    hello = "../../../../../examples/hello/src/main.rs";
    hostile = "../../../../../examples/hostile/src/main.rs";
    hostile_ping = "../../../../../examples/hostile-ping/src/main.rs";
    misuse = "../../../../../examples/misuse/src/main.rs";
    parent = "../../../../../examples/parent/src/main.rs";
    passive_child = "../../../../../examples/passive-child/src/main.rs";
    passive_client = "../../../../../examples/passive-client/src/main.rs";
    passive_parent = "../../../../../examples/passive-parent/src/main.rs";
    ping = "../../../../../examples/ping/src/main.rs";
    ping_call = "../../../../../examples/ping-call/src/main.rs";
    ping_memory = "../../../../../examples/ping-memory/src/main.rs";
    ping_passive = "../../../../../examples/ping-passive/src/main.rs";
    ping_seed = "../../../../../examples/ping-seed/src/main.rs";
    pong = "../../../../../examples/pong/src/main.rs";
    pong_call = "../../../../../examples/pong-call/src/main.rs";
    pong_memory = "../../../../../examples/pong-memory/src/main.rs";
    pong_passive = "../../../../../examples/pong-passive/src/main.rs";
    pong_seed = "../../../../../examples/pong-seed/src/main.rs";
    restart_parent = "../../../../../examples/restart-parent/src/main.rs";
    restarts_child = "../../../../../examples/restarts-child/src/main.rs";
    restarts_parent = "../../../../../examples/restarts-parent/src/main.rs";
    restarts_ping = "../../../../../examples/restarts-ping/src/main.rs";
    restarts_pong = "../../../../../examples/restarts-pong/src/main.rs";
    rust_helper = "../../../../../examples/rust-helper/src/main.rs";
    rust_player = "../../../../../examples/rust-player/src/main.rs";
    smc = "../../../../../examples/smc/src/main.rs";
    timer = "../../../../drivers/timer/src/main.rs";
    timer_client = "../../../../../examples/timer-client/src/main.rs";
    timer_peer = "../../../../../examples/timer-peer/src/main.rs";
    user_caps = "../../../../../examples/user-caps/src/main.rs";
    user_caps_worker = "../../../../../examples/user-caps-worker/src/main.rs";
    utilisation = "../../../../../examples/utilisation/src/main.rs";
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..")
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
        "block-checker.elf": block_checker::protection_domain,
        "block-writer.elf": block_writer::protection_domain,
        "conformance-child.elf": conformance_child::protection_domain,
        "conformance-passive.elf": conformance_passive::protection_domain,
        "console.elf": microkit_console::host::protection_domain,
        "faults-watchdog.elf": faults_watchdog::protection_domain,
        "faults.elf": faults::protection_domain,
        "heap.elf": heap::protection_domain,
        "hello.elf": hello::protection_domain,
        "hostile-ping.elf": hostile_ping::protection_domain,
        "hostile.elf": hostile::protection_domain,
        "misuse.elf": misuse::protection_domain,
        "parent.elf": parent::protection_domain,
        "passive-child.elf": passive_child::protection_domain,
        "passive-client.elf": passive_client::protection_domain,
        "passive-parent.elf": passive_parent::protection_domain,
        "ping-call.elf": ping_call::protection_domain,
        "ping-memory.elf": ping_memory::protection_domain,
        "ping-passive.elf": ping_passive::protection_domain,
        "ping-seed.elf": ping_seed::protection_domain,
        "ping.elf": ping::protection_domain,
        "pong-call.elf": pong_call::protection_domain,
        "pong-memory.elf": pong_memory::protection_domain,
        "pong-passive.elf": pong_passive::protection_domain,
        "pong-seed.elf": pong_seed::protection_domain,
        "pong.elf": pong::protection_domain,
        "restart-parent.elf": restart_parent::protection_domain,
        "restarts-child.elf": restarts_child::protection_domain,
        "restarts-parent.elf": restarts_parent::protection_domain,
        "restarts-ping.elf": restarts_ping::protection_domain,
        "restarts-pong.elf": restarts_pong::protection_domain,
        "rust-helper.elf": rust_helper::protection_domain,
        "rust-player.elf": rust_player::protection_domain,
        "timer-client.elf": timer_client::protection_domain,
        "timer-peer.elf": timer_peer::protection_domain,
        "timer.elf": timer::protection_domain,
        "user-caps-worker.elf": user_caps_worker::protection_domain,
        "user-caps.elf": user_caps::protection_domain,
        "utilisation.elf": utilisation::protection_domain,
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
    log.replace("crates/test/microkit-test/tests/examples/../../../../", "")
}

/// Runs a system as the kernel schedules it, and holds its log against its `.expected` file.
#[track_caller]
pub(crate) fn check_expected(name: &str) {
    let mut run = open(name).start();
    run.until_idle();
    assert_eq!(normal(&run.log()), expected(name));
}
