/* A PD in C, with libmicrokit: serves the calls of a PD in Rust, answers its notifications, and
   calls another PD. */

#include <stdint.h>
#include <microkit.h>

#define PLAYER 1
#define HELPER 2

#define WORDS 64

static uint64_t notifications;

void init(void) {}

/* Answers each notification. At the third notification, first calls the helper with the longest
   message, and answers only if the reply is right. */
void notified(microkit_channel channel)
{
    if (channel != PLAYER) {
        microkit_dbg_puts("c-player: an unknown channel\n");
        return;
    }
    notifications += 1;
    if (notifications == 3) {
        for (uint8_t i = 0; i < WORDS; i++) {
            microkit_mr_set(i, 0x1000 + i);
        }
        microkit_msginfo reply = microkit_ppcall(HELPER, microkit_msginfo_new(9, WORDS));
        int is_right = microkit_msginfo_get_label(reply) == 10 &&
                       microkit_msginfo_get_count(reply) == WORDS;
        for (uint8_t i = 0; i < WORDS; i++) {
            is_right = is_right && microkit_mr_get(i) == ~(uint64_t)(0x1000 + i);
        }
        if (!is_right) {
            return;
        }
    }
    microkit_deferred_notify(PLAYER);
}

/* Replies with each word of the request plus one. */
microkit_msginfo protected(microkit_channel channel, microkit_msginfo message)
{
    uint64_t count = microkit_msginfo_get_count(message);
    for (uint8_t i = 0; i < count; i++) {
        microkit_mr_set(i, microkit_mr_get(i) + 1);
    }
    return microkit_msginfo_new(microkit_msginfo_get_label(message) + 1, count);
}
