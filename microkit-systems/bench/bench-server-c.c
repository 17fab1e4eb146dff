/* Adds one to each word of a call, and answers notifications: the C version
   of ci/programs/bench/src/bin/bench-server.rs. */

#include "bench-c.h"

void init(void) {}

void notified(microkit_channel channel)
{
    if (channel == DEFERS) {
        microkit_deferred_notify(DEFERS);
    } else {
        microkit_notify(NOTIFIES);
    }
}

microkit_msginfo protected(microkit_channel channel, microkit_msginfo message)
{
    uint64_t count = microkit_msginfo_get_count(message);
    for (uint64_t i = 0; i < count; i++) {
        microkit_mr_set(i, microkit_mr_get(i) + 1);
    }
    return microkit_msginfo_new(0, count);
}
