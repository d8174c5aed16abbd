// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Page faults: error codes of all kinds of access to all kinds of page, and what the tables' other bits do.
 * AMD APM volume 2, 5.3 to 5.6, 8.2.15.
 */
#include "guests/hvmtest/hvmtest.h"

#if LEVELS

#define P      1ull
#define RW     2ull
#define US     4ull
#define A      0x20ull
#define D      0x40ull
#define NX     (1ull << 63)
#define CR0_WP 0x10000

#define READS  "mov pages, %eax"
#define WRITES "movl $0xc3, pages"
#define RUNS   "mov $pages, " AX "\ncall *" AX

static uint64_t page; /* where `pages` is */

static void access(const char *name, uint64_t bits, enum where where, const void *code, unsigned int expected)
{
    pte_set(pages, page | bits);
    fact(name, probe_run(where, code), expected);
    if (expected)
        fact(name, trap.cr2, (word)pages);
    pte_set(pages, page | P | RW | US);
}

static void matrix(void)
{
    const void *reads = PROBE(READS), *writes = PROBE(WRITES), *runs = PROBE(RUNS);
    const word cr0 = READ(cr0);

    access("read, not present, ring 0", 0, KERNEL, reads, TRAP_ERR(PF, 0));
    access("write, not present, ring 0", 0, KERNEL, writes, TRAP_ERR(PF, 2));
    access("read, not present, ring 3", 0, USER, reads, TRAP_ERR(PF, 4));
    access("write, not present, ring 3", 0, USER, writes, TRAP_ERR(PF, 6));
    access("read, ring 0's, ring 3", P | RW, USER, reads, TRAP_ERR(PF, 5));
    access("write, ring 0's, ring 3", P | RW, USER, writes, TRAP_ERR(PF, 7));
    access("write, read only, ring 3", P | US, USER, writes, TRAP_ERR(PF, 7));
    access("read, read only, ring 3", P | US, USER, reads, NONE);
    WRITE(cr0, cr0 & ~(word)CR0_WP);
    access("write, read only, ring 0 without WP", P, KERNEL, writes, NONE);
    WRITE(cr0, cr0 | CR0_WP);
    access("write, read only, ring 0 with WP", P, KERNEL, writes, TRAP_ERR(PF, 3));
    WRITE(cr0, cr0);
    access("run, ring 3", P | RW | US, USER, runs, NONE);
    access("run, ring 0's, ring 3", P | RW, USER, runs, TRAP_ERR(PF, LEVELS > 2 ? 0x15 : 5));
    access("run, not present, ring 0", 0, KERNEL, runs, TRAP_ERR(PF, LEVELS > 2 ? 0x10 : 0));
#if LEVELS > 2
    access("read, NX", P | RW | US | NX, USER, reads, NONE);
    access("run, NX, ring 0", P | RW | NX, KERNEL, runs, TRAP_ERR(PF, 0x11));
    access("run, NX, ring 3", P | RW | US | NX, USER, runs, TRAP_ERR(PF, 0x15));
    access("read, reserved bit, ring 0", P | RW | US | 1ull << 51, KERNEL, reads, TRAP_ERR(PF, 9));
    access("write, reserved bit, ring 3", P | RW | US | 1ull << 51, USER, writes, TRAP_ERR(PF, 0xf));
#endif
}

static void accessed(void)
{
    pte_set(pages, page | RW | US);
    FACT("clflush, not present", USER, TRAP_ERR(PF, 4), "clflush pages");
    pte_set(pages, page | P | RW | US);
    FACT("a read", USER, NONE, READS);
    fact("a read sets A", pte_get(pages) & (A | D), A);
    FACT("a write", USER, NONE, WRITES);
    fact("a write sets D", pte_get(pages) & (A | D), A | D);
}

/* An operand in two pages, of which the second is not there: nothing is written. */
static void across(void)
{
    volatile uint32_t *last = (volatile uint32_t *)(void *)(pages + 4092);

    *last = 0x11111111;
    pte_set(pages + 4096, page + 4096 + US);
    FACT("a write over a page's end", USER, TRAP_ERR(PF, 6), "movl $0, pages + 0xffe");
    fact("a write over a page's end: CR2", trap.cr2, (word)pages + 4096);
    fact("a write over a page's end: nothing written", *last, 0x11111111);
    pages[4095] = 0xb8;
    FACT("code over a page's end", USER, TRAP_ERR(PF, LEVELS > 2 ? 0x14 : 4), "mov $pages + 4095, " AX "\njmp *" AX);
    fact("code over a page's end: CR2", trap.cr2, (word)pages + 4096);
    fact("code over a page's end: where", trap.ip, (word)pages + 4095);
    FACT("rep movs into it", USER, TRAP_ERR(PF, 6),
         "mov $user_stack, " SI "\nmov $pages + 4092, " DI "\nmov $8, %ecx\ncld\nrep movsb");
    pte_set(pages + 4096, page + 4096 + (P | RW | US));
}

#if LONG
/* Addresses that are not canonical: #GP, and #SS by way of the stack. APM volume 2, 5.3.1. */
static void canonical(void)
{
    FACT("not canonical", USER, TRAP_ERR(GP, 0), "mov $1, %eax\nshl $47, %rax\nmov (%rax), %eax");
    FACT("not canonical, rbp", USER, TRAP_ERR(SS, 0), "mov $1, %ebp\nshl $47, %rbp\nmov (%rbp), %eax");
    FACT("not canonical, rsp", USER, TRAP_ERR(SS, 0), "mov $1, %esp\nshl $47, %rsp\nadd $64, %rsp\npush %rax");
    FACT("not canonical, ret", USER, TRAP_ERR(GP, 0), "mov $1, %eax\nshl $47, %rax\npush %rax\nret");
    FACT("not canonical, jmp", USER, TRAP_ERR(GP, 0), "mov $1, %eax\nshl $47, %rax\njmp *%rax");
    FACT("not canonical, iret", KERNEL, TRAP_ERR(GP, 0),
         "push $0x23\npush $user_stack\npushf\npush $" STR(USER_CS) "\nmov $1, %eax\nshl $47, %rax\npush %rax\niretq");
    FACT("not canonical, invlpg", KERNEL, NONE, "mov $1, %eax\nshl $47, %rax\ninvlpg (%rax)");
    FACT("not canonical, clflush", USER, TRAP_ERR(GP, 0), "mov $1, %eax\nshl $47, %rax\nclflush (%rax)");
    FACT("not canonical, lgdt", KERNEL, TRAP_ERR(GP, 0),
         "mov $1, %eax\nshl $47, %rax\npush %rax\npush %rax\nlgdt 6(%rsp)");
    FACT("not canonical, lidt", KERNEL, TRAP_ERR(GP, 0),
         "mov $1, %eax\nshl $47, %rax\npush %rax\npush %rax\nlidt 6(%rsp)");
    FACT("not canonical, prefetch", USER, NONE, "mov $1, %eax\nshl $47, %rax\nprefetchnta (%rax)");
    FACT("not canonical, fs", USER, TRAP_ERR(GP, 0), "mov $1, %ebp\nshl $47, %rbp\nmov %fs:(%rbp), %eax");
}
#endif

void facts_paging(void)
{
    page = pte_get(pages) & ~0xfffull;
    pte_set(pages, page | P | RW | US);
    pte_set(pages + 4096, (page + 4096) | P | RW | US);
    pages[0] = 0xc3;
    matrix();
    accessed();
    across();
#if LONG
    canonical();
#endif
}

#else

void facts_paging(void) {}

#endif
