//! The order of faults. Faults queue on the driver's endpoint like messages.

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

/// Makes all puppets fault before the driver receives.
fn several(stage: &mut Stage, what: &str, puppets: &[Puppet]) {
    fault_all(stage, puppets);
    let e = stage.settle();
    show!(e, "{what}");
}

fn fault_all(stage: &mut Stage, puppets: &[Puppet]) {
    for puppet in puppets {
        stage.start(*puppet, &[udf(1)], Registers::new());
    }
    let_others_run();
}

fn let_others_run() {
    set_driver_priority(2);
    set_driver_priority(200);
}

/// The driver receives a pending signal before the faults.
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
    let_others_run();
    let e = stage.settle();
    show!(e, "with a signal");
}

/// A fault message has the badge of the thread's fault endpoint.
fn unbadged(stage: &mut Stage) {
    // SAFETY: see *Puppets*. The fault endpoint is the endpoint of the driver.
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
