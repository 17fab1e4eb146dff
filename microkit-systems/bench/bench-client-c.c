/* Measures round trips: the C version of ci/programs/bench/src/bin/bench.rs. */

#include "bench-c.h"

static microkit_channel peer = DEFERS;
static uint64_t round_trips;
static uint64_t start;

/* Writes the words, calls, and checks the sum of the reply. */
static inline void call(microkit_channel server, uint8_t words)
{
    for (uint8_t i = 0; i < words; i++) {
        microkit_mr_set(i, i);
    }
    microkit_ppcall(server, microkit_msginfo_new(0, words));
    uint64_t sum = 0;
    for (uint8_t i = 0; i < words; i++) {
        sum += microkit_mr_get(i);
    }
    if (sum != (uint64_t)words * (words + 1) / 2) {
        __builtin_trap();
    }
}

/* Always inlined, so that the compiler knows the number of words. */
static inline __attribute__((always_inline)) void calls(uint64_t row, microkit_channel server,
                                                        uint8_t words)
{
    for (int i = 0; i < WARM_UP; i++) {
        call(server, words);
    }
    uint64_t begin = counter();
    for (int i = 0; i < ROUND_TRIPS; i++) {
        call(server, words);
    }
    report(row, counter() - begin, ROUND_TRIPS);
}

/* Raises the timer's interrupt. The driver has a higher priority and handles it at once. */
static inline void interrupt(void)
{
    __asm__ volatile("msr cntp_cval_el0, xzr\n\tmsr cntp_ctl_el0, %0" :: "r"(1UL) : "memory");
}

static inline void notify(void)
{
    if (peer == DEFERS) {
        microkit_deferred_notify(DEFERS);
    } else {
        microkit_notify(NOTIFIES);
    }
}

void init(void)
{
    calls(ROW_PASSIVE, PASSIVE_SERVER, 0);
    calls(ROW_PASSIVE + 1, PASSIVE_SERVER, 4);
    calls(ROW_PASSIVE + 2, PASSIVE_SERVER, 16);
    calls(ROW_PASSIVE + 3, PASSIVE_SERVER, 64);
    calls(ROW_ACTIVE, ACTIVE_SERVER, 0);
    calls(ROW_ACTIVE + 1, ACTIVE_SERVER, 4);
    calls(ROW_ACTIVE + 2, ACTIVE_SERVER, 16);
    calls(ROW_ACTIVE + 3, ACTIVE_SERVER, 64);
    for (int i = 0; i < WARM_UP; i++) {
        interrupt();
    }
    uint64_t begin = counter();
    for (int i = 0; i < ROUND_TRIPS; i++) {
        interrupt();
    }
    report(ROW_INTERRUPT, counter() - begin, ROUND_TRIPS);
    notify();
}

void notified(microkit_channel channel)
{
    round_trips += 1;
    if (round_trips == WARM_UP) {
        start = counter();
    } else if (round_trips == WARM_UP + ROUND_TRIPS) {
        uint64_t ticks = counter() - start;
        round_trips = 0;
        if (peer == NOTIFIES) {
            report(ROW_NOTIFY, ticks, ROUND_TRIPS);
            microkit_notify(PARENT);
            return;
        }
        report(ROW_NOTIFY_DEFERRED, ticks, ROUND_TRIPS);
        peer = NOTIFIES;
    }
    notify();
}
