/* Measures the kernel's share of a round trip: a loop that contains only the system call. */

#include "bench-c.h"

/* Round trips of a call. All operands are in the registers of the system call, and the words are
   not changed. */
static uint64_t calls(microkit_channel server, uint64_t words, uint64_t count)
{
    register uint64_t number __asm__("x7") = (uint64_t)seL4_SysCall;
    uint64_t begin = counter();
    __asm__ volatile(
        "0: mov x0, %[endpoint]\n"
        "mov x1, %[words]\n"
        "svc #0\n"
        "subs %[count], %[count], #1\n"
        "b.ne 0b\n"
        : [count] "+r"(count)
        : [endpoint] "r"(BASE_ENDPOINT_CAP + server), [words] "r"(words), "r"(number)
        : "x0", "x1", "x2", "x3", "x4", "x5", "x6", "cc", "memory");
    return counter() - begin;
}

/* Round trips of a notification. One system call sends it and waits for the answer. */
static uint64_t notifications(uint64_t count)
{
    register uint64_t number __asm__("x7") = (uint64_t)seL4_SysNBSendRecv;
    register uint64_t reply __asm__("x6") = 4;
    register uint64_t signal __asm__("x8") = BASE_OUTPUT_NOTIFICATION_CAP + DEFERS;
    uint64_t begin = counter();
    __asm__ volatile(
        "0: mov x0, #1\n"
        "mov x1, #0\n"
        "svc #0\n"
        "subs %[count], %[count], #1\n"
        "b.ne 0b\n"
        : [count] "+r"(count)
        : "r"(number), "r"(reply), "r"(signal)
        : "x0", "x1", "x2", "x3", "x4", "x5", "cc", "memory");
    return counter() - begin;
}

void init(void)
{
    static const uint8_t words[] = { 0, 4, 16, 64 };
    for (int i = 0; i < 4; i++) {
        calls(PASSIVE_SERVER, words[i], WARM_UP);
        report(ROW_PASSIVE + i, calls(PASSIVE_SERVER, words[i], ROUND_TRIPS), ROUND_TRIPS);
    }
    for (int i = 0; i < 4; i++) {
        calls(ACTIVE_SERVER, words[i], WARM_UP);
        report(ROW_ACTIVE + i, calls(ACTIVE_SERVER, words[i], ROUND_TRIPS), ROUND_TRIPS);
    }
    notifications(WARM_UP);
    report(ROW_NOTIFY_DEFERRED, notifications(ROUND_TRIPS), ROUND_TRIPS);
    report(ROW_DONE, 0, 0);
}

void notified(microkit_channel channel) {}
