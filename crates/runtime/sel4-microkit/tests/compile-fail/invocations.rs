//! Some invocations need `unsafe`, although the PD has the capabilities for these invocations.

#![forbid(unsafe_code)]

use sel4::{UserContext, cap};
use sel4_microkit::{Child, user_cap, vspace};

const OWN: cap::Tcb = user_cap(1);

fn registers(child: Child, registers: &mut UserContext) {
    OWN.tcb_write_all_registers(false, registers);
    child.tcb().tcb_write_all_registers(false, registers);
    child.write_registers(registers);
    child.skip_instruction();
}

fn memory() {
    vspace().vspace_invalidate_data(0x20_0000, 0x20_0040);
    user_cap::<sel4::cap_type::VSpace>(2).vspace_invalidate_data(0x20_0000, 0x20_0040);
}

fn firmware() {
    sel4_microkit::arm_smc_call([0x8400_0008, 0, 0, 0, 0, 0, 0, 0]);
}

fn other_types() {
    vspace().cast::<sel4::cap_type::Endpoint>();
    sel4_microkit::cspace_root_slot_to_cptr(1).unwrap().cast::<sel4::cap_type::Endpoint>();
}

fn main() {}
