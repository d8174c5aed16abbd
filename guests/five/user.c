// SPDX-License-Identifier: GPL-2.0-or-later
/* The programs of the two processes: user mode's code and data, all of it in the section .user. */
#include "guests/five/five.h"

#define MESSAGES 64u
#define NUMBERS  400000u

/* At the same address in both, and not the same. */
static USER_DATA uint64_t mine = 7;
static USER_DATA uint8_t buffer[40];

static inline __attribute__((always_inline)) uint64_t by_syscall(uint64_t number, uint64_t a, uint64_t b)
{
    uint64_t val;

    __asm__ volatile("syscall" : "=a"(val) : "a"(number), "D"(a), "S"(b) : "rcx", "r11", "memory");
    return val;
}

static inline __attribute__((always_inline)) uint64_t by_int80(uint64_t number, uint64_t a, uint64_t b)
{
    uint64_t val;

    __asm__ volatile("int $0x80" : "=a"(val) : "a"(number), "D"(a), "S"(b) : "memory");
    return val;
}

/* Long enough to be preempted; and a page of stack below the first. */
static USER_CODE uint64_t compute(uint64_t seed)
{
    volatile uint64_t deep[600];
    uint64_t sum = 0;

    deep[0] = seed;
    for (unsigned int i = 0; i < NUMBERS; i++) {
        seed = seed * 6364136223846793005ull + 1442695040888963407ull;
        sum += seed >> 33 ^ (sum << 7 | sum >> 57);
    }
    return sum + deep[0];
}

static USER_CODE uint64_t hash_more(uint64_t hash, const uint8_t *bytes, uint64_t n)
{
    for (uint64_t i = 0; i < n; i++)
        hash = (hash ^ bytes[i]) * 0x100000001b3ull;
    return hash;
}

static inline __attribute__((always_inline)) void end(void) { *(volatile uint64_t *)0x10; }

USER_CODE void program_write(uint64_t pid)
{
    uint64_t hash = HASH_START, seed = 5;

    mine += pid + by_int80(SYS_PID, 0, 0) + 100;
    for (unsigned int m = 0; m < MESSAGES; m++) {
        uint64_t n, done;

        seed = seed * 6364136223846793005ull + 1442695040888963407ull;
        n = 1 + (seed >> 40) % sizeof(buffer);
        for (uint64_t i = 0; i < n; i++)
            buffer[i] = (uint8_t)((seed >> 32) + i * 37);
        hash = hash_more(hash, buffer, n);
        for (done = 0; done < n;)
            done += by_int80(SYS_WRITE, (uint64_t)buffer + done, n - done);
    }
    by_syscall(SYS_REPORT, REPORT_PIPE, hash);
    by_syscall(SYS_REPORT, REPORT_SUM, compute(1));
    by_syscall(SYS_REPORT, REPORT_PRIVATE, mine);
    end();
}

USER_CODE void program_read(uint64_t pid)
{
    uint64_t hash = HASH_START, n;

    mine += pid + by_int80(SYS_PID, 0, 0) + 200;
    by_int80(SYS_REPORT, REPORT_SUM, compute(2));
    while ((n = by_syscall(SYS_READ, (uint64_t)buffer, sizeof(buffer))))
        hash = hash_more(hash, buffer, n);
    by_int80(SYS_REPORT, REPORT_PIPE, hash);
    by_int80(SYS_REPORT, REPORT_PRIVATE, mine);
    end();
}
