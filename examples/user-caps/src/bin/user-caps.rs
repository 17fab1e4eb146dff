//! Uses the capabilities of its `<cspace>`: to the thread, the scheduling context and the address
//! space of another protection domain, which is no child of it, and to its own.
//!
//! The worker has the higher priority: it runs as soon as it is notified, unless something here
//! keeps it from that.
#![no_std]
#![no_main]

use microkit_console::println;
use sel4::{TcbFlagsBuilder, cap};
use sel4_microkit::{Channel, NullHandler, protection_domain, user_cap, var, vspace};

const WORKER: Channel = Channel::new(1);

// The slots are those of the system file.
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
    println!("its priority may not be set to more than one's own: {refused:?}");
    println!("it may with the worker's authority");
    WORKER_TCB.tcb_set_priority(WORKER_TCB, WORKER_PRIORITY)?;
    let lowered = WORKER_TCB.tcb_set_mc_priority(WORKER_TCB, 100);
    let refused = WORKER_TCB.tcb_set_mc_priority(WORKER_TCB, 101);
    println!("the most that it may give is 100: {lowered:?}, and never more: {refused:?}");
    Ok(())
}

fn registers() -> sel4::Result<()> {
    let mut registers = WORKER_TCB.tcb_read_all_registers(true)?;
    let waits_in_a_system_call = *registers.gpr(7) == sel4::sys::syscall::Recv.cast_unsigned();
    println!("its registers say that it waits: {waits_in_a_system_call}");
    *registers.gpr_mut(28) ^= 1;
    // SAFETY: the worker has a lower priority by now: it does not run until it has x28 again.
    unsafe { WORKER_TCB.tcb_write_all_registers(true, &mut registers)? };
    let written = *WORKER_TCB.tcb_read_all_registers(false)?.gpr(28);
    println!(
        "x28 is as it was written: {}",
        written == *registers.gpr(28)
    );
    *registers.gpr_mut(28) ^= 1;
    // SAFETY: these are its own.
    unsafe { WORKER_TCB.tcb_write_all_registers(true, &mut registers)? };
    let own = OWN_TCB.tcb_read_all_registers(false).map(drop);
    println!("one's own are not read so: {own:?}");
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
    println!("and none since: {}", WORKER_SC.consumed()?);
    WORKER_SC.unbind_object(WORKER_TCB)?;
    println!("it has no scheduling context, and is notified");
    WORKER.notify();
    println!("it has it again");
    WORKER_SC.bind(WORKER_TCB)?;
    println!("it has it already: {:?}", WORKER_SC.bind(WORKER_TCB));
    WORKER_SC.unbind()?;
    WORKER.notify();
    println!("and again, by its parameters");
    // SAFETY: an empty slot: nobody receives the worker's faults.
    unsafe {
        let nobody = sel4::Cap::from_bits(0);
        WORKER_TCB.tcb_set_sched_params(OWN_TCB, 100, 100, WORKER_SC, nobody)?;
    }
    println!("it is let run before this one");
    WORKER_SC.yield_to()?;
    println!("this one may not be let run so: {:?}", OWN_SC.yield_to());
    println!("this one has used time: {}", OWN_SC.consumed()? > 0);
    Ok(())
}

fn address_space() -> sel4::Result<()> {
    // Both have it at the same address.
    let start = *var!(shared: usize = 0);
    for (whose, space) in [
        ("its", WORKER_VSPACE),
        ("one's own", OWN_VSPACE),
        ("that", vspace()),
    ] {
        space.vspace_clean_data(start, start + 64)?;
        space.vspace_clean_invalidate_data(start, start + 64)?;
        space.vspace_unify_instruction(start, start + 64)?;
        let hole = space.vspace_clean_data(start + 0x1000, start + 0x1040);
        let empty = space.vspace_clean_data(start, start);
        let across = space.vspace_clean_data(start, start + 0x1001);
        println!(
            "caches of {whose} address space: nothing is there: {hole:?}, empty: {empty:?}, more than \
             a page: {across:?}"
        );
    }
    Ok(())
}

fn others() -> sel4::Result<()> {
    println!("an empty slot: {:?}", EMPTY.tcb_suspend());
    // The slot of the worker's scheduling context.
    let wrong: cap::Tcb = user_cap(2);
    println!("the wrong kind: {:?}", wrong.tcb_suspend());
    // Suspended, it would never receive again: it has no time of its own to go back to that.
    let registers = PASSIVE_TCB.tcb_read_registers(false, 1)?;
    println!("a passive one is somewhere: {}", *registers.pc() > 0);
    println!(
        "and its time is that of its notification: {:?}",
        PASSIVE_SC.consumed().map(|used| used > 0)
    );
    Ok(())
}
