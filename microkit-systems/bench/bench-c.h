/* Shared code of the programs of bench-c.system and bench-limit.system: the counter and the reports.
   The numbers of the reports are the same as in ci/programs/bench. */

#include <stdint.h>
#include <microkit.h>

#define REPORT 0
#define PASSIVE_SERVER 1
#define ACTIVE_SERVER 2
#define DEFERS 3
#define NOTIFIES 4
#define PARENT 5

#define ROW_PASSIVE 0
#define ROW_ACTIVE 4
#define ROW_NOTIFY_DEFERRED 8
#define ROW_NOTIFY 9
#define ROW_INTERRUPT 10
#define ROW_FAULT 11
#define ROW_DONE 99

#define ROUND_TRIPS 10000
#define WARM_UP 100

static inline uint64_t counter(void)
{
    uint64_t ticks;
    __asm__ volatile("mrs %0, cntpct_el0" : "=r"(ticks) :: "memory");
    return ticks;
}

static inline void report(uint64_t row, uint64_t ticks, uint64_t round_trips)
{
    microkit_mr_set(0, ticks);
    microkit_mr_set(1, round_trips);
    microkit_ppcall(REPORT, microkit_msginfo_new(row, 2));
}
