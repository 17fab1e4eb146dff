/* Replies to the faults of its child: the C version of ci/programs/bench/src/bin/bench-parent.rs. */

#include "bench-c.h"

#define CHILD 1

/* The address of the child's instructions in the child's address space. */
#define CODE 0x4000000

#define VSPACE_CAP 3

uintptr_t code;
uintptr_t code_size;

static uint64_t faults;
static uint64_t start;

void init(void)
{
    microkit_pd_stop(CHILD);
    /* udf #1, then b .-4 */
    *(volatile uint64_t *)code = 0x17ffffff00000001;
    seL4_ARM_VSpace_Unify_Instruction(VSPACE_CAP, code, code + sizeof(uint64_t));
}

void notified(microkit_channel channel)
{
    microkit_pd_restart(CHILD, CODE);
}

seL4_Bool fault(microkit_child child, microkit_msginfo message, microkit_msginfo *reply)
{
    faults += 1;
    if (faults == WARM_UP) {
        start = counter();
    } else if (faults == WARM_UP + ROUND_TRIPS) {
        report(ROW_FAULT, counter() - start, ROUND_TRIPS);
        report(ROW_DONE, 0, 0);
        microkit_pd_stop(child);
        return seL4_False;
    }
    if (microkit_msginfo_get_label(message) != seL4_Fault_UserException) {
        __builtin_trap();
    }
    /* The child continues at the next instruction. Its stack pointer and status are unchanged. */
    microkit_mr_set(seL4_UserException_FaultIP, microkit_mr_get(seL4_UserException_FaultIP) + 4);
    *reply = microkit_msginfo_new(0, 3);
    return seL4_True;
}
