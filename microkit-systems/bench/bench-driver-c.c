/* Handles the interrupt of the processor's physical timer: the C version
   of ci/programs/bench/src/bin/bench-driver.rs. */

#include "bench-c.h"

#define TIMER 0

void init(void) {}

void notified(microkit_channel channel)
{
    __asm__ volatile("msr cntp_ctl_el0, xzr" ::: "memory");
    microkit_deferred_irq_ack(TIMER);
}
