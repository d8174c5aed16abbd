// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * bench/cpu: guest instructions that never leave the guest. op=alu (10 instructions a turn), branch (9, 4 of them
 * branches), copy (4 KiB by 512 loads and stores of 8 bytes; 3074), movs (the same by one REP MOVSQ), call (8: two
 * calls and returns). n counts turns.
 */
#include "guests/bench/bench.h"

static long alu(long n)
{
    unsigned long a = 1, b = 2, c = 3;

    asm volatile("1: add %1, %0; xor %0, %2; lea 3(%0, %2, 2), %1; rol $7, %0; sub %2, %1; imul $13, %2, %2;"
                 "and $-2, %1; or $1, %0; dec %3; jnz 1b"
                 : "+r"(a), "+r"(b), "+r"(c), "+r"(n)
                 :
                 : "cc");
    return 0;
}

/* Turns alternate between the two ways, in a pattern of eight. */
static long branch(long n)
{
    asm volatile("1: test $1, %0; jz 2f; test $2, %0; jnz 3f; nop\n"
                 "2: test $4, %0; jz 3f; nop\n"
                 "3: dec %0; jnz 1b"
                 : "+r"(n)
                 :
                 : "cc");
    return 0;
}

static long copy(long n)
{
    uint64_t *from = page_alloc(), *to = page_alloc();

    while (n-- > 0)
        for (volatile uint64_t *p = from, *q = to; p < from + 512; p++, q++)
            *q = *p;
    return 0;
}

static long movs(long n)
{
    char *from = page_alloc(), *to = page_alloc();

    while (n-- > 0) {
        char *source = from, *target = to;
        long count = PAGE_SIZE / 8;

        asm volatile("rep movsq" : "+S"(source), "+D"(target), "+c"(count) : : "memory");
    }
    return 0;
}

static long call(long n)
{
    asm volatile("jmp 4f; 2: call 3f; ret; 3: ret; 4: call 2b; dec %0; jnz 4b" : "+r"(n) : : "cc", "memory");
    return 0;
}

int guest_main(void)
{
    static const struct bench list[] = {
        { "alu", alu }, { "branch", branch }, { "copy", copy }, { "movs", movs }, { "call", call }
    };

    return bench_main(list, ARRAY_SIZE(list));
}
