//! Invokes the capabilities of its `<cspace>`: to the threads, scheduling contexts and address
//! spaces of the worker and of this PD. The worker is not a child of this PD.
//!
//! The worker has a higher priority. So the worker runs as soon as it is notified, unless an
//! invocation of this PD prevents that.
#![no_std]
#![no_main]

use microkit_console::println;
use sel4::{TcbFlagsBuilder, cap};
use sel4_microkit::{Channel, NullHandler, protection_domain, user_cap, var, vspace};

const WORKER: Channel = Channel::new(1);

// The slots of the capabilities in the system file.
const WORKER_TCB: cap::Tcb = user_cap(1);
const WORKER_SC: cap::SchedContext = user_cap(2);
const WORKER_VSPACE: cap::VSpace = user_cap(3);
const OWN_TCB: cap::Tcb = user_cap(4);
const OWN_SC: cap::SchedContext = user_cap(5);
const OWN_VSPACE: cap::VSpace = user_cap(6);
const PASSIVE_TCB: cap::Tcb = user_cap(7);
const PASSIVE_SC: cap::SchedContext = user_cap(63);

/// A slot that the system file leaves empty.
const EMPTY: cap::Tcb = user_cap(8);

const WORKER_PRIORITY: u64 = 200;

#[protection_domain]
fn init() -> NullHandler {
    match run() {
        Ok(()) => println!("end"),
        Err(error) => println!("{error}"),
    }
    NullHandler::new()
}

fn run() -> sel4::Result<()> {
    println!("the worker is notified");
    WORKER.notify();
    suspend()?;
    priority()?;
    registers()?;
    flags()?;
    sched_context()?;
    address_space()?;
    others()
}

fn suspend() -> sel4::Result<()> {
    WORKER_TCB.tcb_suspend()?;
    println!("it is suspended, and notified");
    WORKER.notify();
    println!("it is resumed");
    WORKER_TCB.tcb_resume()
}

fn priority() -> sel4::Result<()> {
    WORKER_TCB.tcb_set_priority(OWN_TCB, 50)?;
    println!("its priority is 50, and it is notified");
    WORKER.notify();
    let refused = WORKER_TCB.tcb_set_priority(OWN_TCB, WORKER_PRIORITY);
    println!("the authority of this PD is too low for a higher priority: {refused:?}");
    println!("the authority of the worker is enough");
    WORKER_TCB.tcb_set_priority(WORKER_TCB, WORKER_PRIORITY)?;
    let lowered = WORKER_TCB.tcb_set_mc_priority(WORKER_TCB, 100);
    let refused = WORKER_TCB.tcb_set_mc_priority(WORKER_TCB, 101);
    println!(
        "its maximum controlled priority is 100: {lowered:?}, and cannot be raised: {refused:?}"
    );
    Ok(())
}

fn registers() -> sel4::Result<()> {
    let mut registers = WORKER_TCB.tcb_read_all_registers(true)?;
    let waits_in_a_system_call = *registers.gpr(7) == sel4::sys::syscall::Recv.cast_unsigned();
    println!("its registers show that it waits in a system call: {waits_in_a_system_call}");
    *registers.gpr_mut(28) ^= 1;
    // SAFETY: the worker has a lower priority now, so it does not run before x28 is restored.
    unsafe { WORKER_TCB.tcb_write_all_registers(true, &mut registers)? };
    let written = *WORKER_TCB.tcb_read_all_registers(false)?.gpr(28);
    println!(
        "x28 has the written value: {}",
        written == *registers.gpr(28)
    );
    *registers.gpr_mut(28) ^= 1;
    // SAFETY: these are the worker's original registers.
    unsafe { WORKER_TCB.tcb_write_all_registers(true, &mut registers)? };
    let own = OWN_TCB.tcb_read_all_registers(false).map(drop);
    println!("this PD cannot read its own registers: {own:?}");
    Ok(())
}

fn flags() -> sel4::Result<()> {
    let fpu = TcbFlagsBuilder::new().fpu_disabled(true).build();
    let before = WORKER_TCB.tcb_set_flags(0, 0)?;
    let set = WORKER_TCB.tcb_set_flags(0, fpu)?;
    let cleared = WORKER_TCB.tcb_set_flags(fpu, 0)?;
    println!("its flags are {before}, {set}, {cleared}");
    Ok(())
}

fn sched_context() -> sel4::Result<()> {
    println!("it has used time: {}", WORKER_SC.consumed()? > 0);
    println!("time used since then: {}", WORKER_SC.consumed()?);
    WORKER_SC.unbind_object(WORKER_TCB)?;
    println!("it has no scheduling context, and is notified");
    WORKER.notify();
    println!("its scheduling context is bound again");
    WORKER_SC.bind(WORKER_TCB)?;
    println!("it cannot be bound twice: {:?}", WORKER_SC.bind(WORKER_TCB));
    WORKER_SC.unbind()?;
    WORKER.notify();
    println!("it is bound again, with its scheduling parameters");
    // SAFETY: slot 0 is empty, so no endpoint receives the worker's faults.
    unsafe {
        let nobody = sel4::Cap::from_bits(0);
        WORKER_TCB.tcb_set_sched_params(OWN_TCB, 100, 100, WORKER_SC, nobody)?;
    }
    println!("this PD yields to it");
    WORKER_SC.yield_to()?;
    println!("this PD cannot yield to itself: {:?}", OWN_SC.yield_to());
    println!("this PD has used time: {}", OWN_SC.consumed()? > 0);
    Ok(())
}

fn address_space() -> sel4::Result<()> {
    // Both PDs map the region at the same address.
    let start = *var!(shared: usize = 0);
    for (which, space) in [
        ("the worker's address space", WORKER_VSPACE),
        ("this PD's address space", OWN_VSPACE),
        ("the address space of `vspace()`", vspace()),
    ] {
        space.vspace_clean_data(start, start + 64)?;
        space.vspace_clean_invalidate_data(start, start + 64)?;
        space.vspace_unify_instruction(start, start + 64)?;
        let hole = space.vspace_clean_data(start + 0x1000, start + 0x1040);
        let empty = space.vspace_clean_data(start, start);
        let across = space.vspace_clean_data(start, start + 0x1001);
        println!(
            "caches of {which}: an unmapped page: {hole:?}, an empty range: {empty:?}, more than a \
             page: {across:?}"
        );
    }
    Ok(())
}

fn others() -> sel4::Result<()> {
    println!("an empty slot: {:?}", EMPTY.tcb_suspend());
    // This slot holds the worker's scheduling context, not a TCB.
    let wrong: cap::Tcb = user_cap(2);
    println!("the wrong kind: {:?}", wrong.tcb_suspend());
    // The passive PD is not suspended: without its own scheduling context, it could not return to
    // its receive.
    let registers = PASSIVE_TCB.tcb_read_registers(false, 1)?;
    println!(
        "a passive PD has a program counter: {}",
        *registers.pc() > 0
    );
    println!(
        "the scheduling context of its notification was used: {:?}",
        PASSIVE_SC.consumed().map(|used| used > 0)
    );
    Ok(())
}
