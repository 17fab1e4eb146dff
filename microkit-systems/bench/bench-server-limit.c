/* The peer of bench-client-limit.c: answers in a loop that contains only the system call, after
   the first event. */

#include "bench-c.h"

void init(void) {}

/* Replies with the words of the request, unchanged. */
microkit_msginfo protected(microkit_channel channel, microkit_msginfo message)
{
    register uint64_t info __asm__("x1") = message.words[0];
    register uint64_t reply __asm__("x6") = 4;
    register uint64_t number __asm__("x7") = (uint64_t)seL4_SysReplyRecv;
    for (;;) {
        __asm__ volatile("0: mov x0, #1\n"
                         "svc #0\n"
                         "b 0b\n"
                         :: "r"(info), "r"(reply), "r"(number)
                         : "x0", "x2", "x3", "x4", "x5", "cc", "memory");
    }
}

void notified(microkit_channel channel)
{
    register uint64_t reply __asm__("x6") = 4;
    register uint64_t number __asm__("x7") = (uint64_t)seL4_SysNBSendRecv;
    register uint64_t signal __asm__("x8") = BASE_OUTPUT_NOTIFICATION_CAP + DEFERS;
    for (;;) {
        __asm__ volatile("0: mov x0, #1\n"
                         "mov x1, #0\n"
                         "svc #0\n"
                         "b 0b\n"
                         :: "r"(reply), "r"(number), "r"(signal)
                         : "x0", "x1", "x2", "x3", "x4", "x5", "cc", "memory");
    }
}
