//! Invocations that can violate memory safety must not be safe.

#![forbid(unsafe_code)]

use sel4::{AbsoluteCPtr, CapRights, UserContext, cap};

fn of_a_thread(tcb: cap::Tcb, other: cap::Tcb, registers: &mut UserContext) {
    tcb.tcb_write_registers(true, 1, registers);
    tcb.tcb_write_all_registers(true, registers);
    tcb.tcb_set_tls_base(0x20_0000);
    let _ = other;
}

fn of_a_threads_faults(tcb: cap::Tcb, sc: cap::SchedContext, server: cap::Endpoint) {
    tcb.tcb_set_timeout_endpoint(server);
    tcb.tcb_set_sched_params(tcb, 1, 1, sc, server);
}

fn of_a_threads_space(tcb: cap::Tcb, cnode: cap::CNode, vspace: cap::VSpace, page: cap::Granule) {
    tcb.tcb_set_space(sel4::CPtr::from_bits(0), cnode, 0, vspace);
    tcb.tcb_set_ipc_buffer(0x20_0000, page);
    tcb.tcb_configure(cnode, 0, vspace, 0x20_0000, page);
}

fn of_slots(slot: AbsoluteCPtr, source: &AbsoluteCPtr) {
    slot.copy(source, CapRights::all());
    slot.mint(source, CapRights::all(), 1);
    slot.move_(source);
    slot.mutate(source, 1);
    slot.delete();
    slot.revoke();
}

fn of_memory(vspace: cap::VSpace, page: cap::Granule, smc: cap::Smc) {
    vspace.vspace_invalidate_data(0x20_0000, 0x20_0040);
    sel4::benchmark_set_log_buffer(page);
    smc.smc_call([0; 8]);
}

fn of_a_virtual_cpu(vcpu: cap::VCpu, tcb: cap::Tcb) {
    vcpu.vcpu_set_tcb(tcb);
}

fn main() {}
