//! Faults wait for the driver like messages.

use conformance::code::udf;
use conformance::{A, B, C, D, DRIVER_TCB, Puppet, Registers, Stage, set_driver_priority, show};
use microkit_abi::slots;
use microkit_console::println;

pub(crate) fn run(stage: &mut Stage) {
    println!("== order of faults");
    several(stage, "by priority", &[A, B, C]);
    several(stage, "however begun", &[C, A, B]);
    for puppet in [A, B, C] {
        puppet.set_priority(12);
    }
    several(stage, "of equal priority", &[A, B, C]);
    A.set_priority(11);
    C.set_priority(13);
    with_a_signal(stage);
    unbadged(stage);
}

/// The driver stands back until all have faulted.
fn several(stage: &mut Stage, what: &str, puppets: &[Puppet]) {
    fault_all(stage, puppets);
    let e = stage.settle();
    show!(e, "{what}");
}

fn fault_all(stage: &mut Stage, puppets: &[Puppet]) {
    for puppet in puppets {
        stage.start(*puppet, &[udf(1)], Registers::new());
    }
    stand_back();
}

fn stand_back() {
    set_driver_priority(2);
    set_driver_priority(200);
}

/// The signal comes first.
fn with_a_signal(stage: &mut Stage) {
    fault_all(stage, &[A, B]);
    stage.begin(
        D,
        Registers::send(
            super::SIGNAL_DRIVER,
            sel4::MessageInfo::new(0, 0, 0, 0),
            [0; 4],
        ),
    );
    stand_back();
    let e = stage.settle();
    show!(e, "with a signal");
}

/// The badge is that of the fault endpoint which a thread has been given.
fn unbadged(stage: &mut Stage) {
    // SAFETY: puppets. It is the driver's own endpoint.
    let given = unsafe {
        let driver = sel4::cap::Endpoint::from_bits(slots::INPUT);
        let sc = A.sched_context();
        A.tcb().tcb_set_sched_params(DRIVER_TCB, 11, 11, sc, driver)
    };
    println!("another fault endpoint: {given:?}");
    stage.start(A, &[udf(1)], Registers::new());
    let event = stage.wait();
    show!([event], "exception");
}
