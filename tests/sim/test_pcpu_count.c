// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Instruction counts and budgets: exact, the same however a run is cut into slices, and no instruction lost or repeated
 * at a cut.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "sim/engine/pcpu_private.h"
#include "tests/support/pv_guest.h"
#include "tests/support/ram.h"

/* Calls, branches, loads, stores, a divide, a string instruction; faults on the way are repaired by the test. */
static const uint8_t program[] = {
    0x48, 0xff, 0xc0,          /* 1: inc %rax            */
    0xff, 0xd6,                /*    call *%rsi          */
    0x48, 0x89, 0x07,          /*    mov %rax, (%rdi)    */
    0x48, 0x03, 0x1f,          /*    add (%rdi), %rbx    */
    0xa8, 0x01,                /*    test $1, %al        */
    0x74, 0x06,                /*    jz 2f               */
    0x48, 0xff, 0xc2,          /*    inc %rdx            */
    0x48, 0xff, 0xc2,          /*    inc %rdx            */
    0x49, 0x89, 0xfa,          /* 2: mov %rdi, %r10      */
    0x48, 0x83, 0xc7, 0x08,    /*    add $8, %rdi        */
    0xb9, 0x03, 0,    0,    0, /*    mov $3, %ecx        */
    0xf3, 0xaa,                /*    rep stosb           */
    0x4c, 0x89, 0xd7,          /*    mov %r10, %rdi      */
    0x48, 0xff, 0xcd,          /*    dec %rbp            */
    0x75, 0xd5,                /*    jnz 1b              */
    0x0f, 0x05,                /*    syscall             */
};
/* f: inc %r8; cmp $5, %r8; jne 3f; nop; 3: ret */
static const uint8_t function[] = { 0x49, 0xff, 0xc0, 0x49, 0x83, 0xf8, 0x05, 0x75, 0x01, 0x90, 0xc3 };

#define TURNS 40

static void program_start(struct pv_guest *g)
{
    memset(g->st->gpr, 0, sizeof(g->st->gpr));
    memset(ram_page(g->m, PG_FRAME(20)), 0, PAGE_SIZE);
    g->st->rflags = 0x202;
    g->st->rsp = PG_VA(PG_STACK + 1);
    g->st->rdi = PG_VA(20);
    g->st->rsi = PG_VA(1) - 5; /* across two pages */
    g->st->rbp = TURNS;
    g->st->rip = PG_VA(0);
    pg_write(g, 0, 0, program, sizeof(program));
    pg_write(g, 0, PAGE_SIZE - 5, function, 5);
    pg_write(g, 1, 0, function + 5, sizeof(function) - 5);
}

/* The truth: how often single step traps, and the SYSCALL. */
static uint64_t program_steps(struct pv_guest *g)
{
    uint64_t steps = 0;
    struct sim_exit x;

    program_start(g);
    for (;;) {
        g->st->rflags |= 0x100;
        x = pcpu_run(g->m->pcpu[0], g->c, 1000);
        steps++;
        if (x.kind == EXIT_SYSCALL)
            break;
        assert_int_equal(x.kind, EXIT_EXCEPTION);
        assert_int_equal(x.exception.vector, 1);
        assert_int_equal(x.insns, 1);
    }
    g->st->rflags &= ~UINT64_C(0x100);
    return steps;
}

static void assert_program_done(struct pv_guest *g)
{
    assert_int_equal(g->st->rax, TURNS);
    assert_int_equal(g->st->rbx, TURNS * (TURNS + 1) / 2);
    assert_int_equal(g->st->rdx, TURNS);
    assert_int_equal(g->st->r8, TURNS);
    assert_int_equal(g->st->rsp, PG_VA(PG_STACK + 1));
}

static void test_exact(void **state)
{
    struct pv_guest *g = *state;
    const uint64_t steps = program_steps(g);

    for (unsigned int i = 0; i < 3; i++) {
        struct sim_exit x;

        program_start(g);
        x = pcpu_run(g->m->pcpu[0], g->c, 1000000);
        assert_int_equal(x.kind, EXIT_SYSCALL);
        assert_program_done(g);
        assert_int_equal(x.insns, steps + TURNS); /* REP counts its last look, at a zero %ecx, too */
    }
}

/* Cut into slices of every small size: nothing lost, nothing twice, and each slice as long as its budget. */
static void test_slices(void **state)
{
    struct pv_guest *g = *state;
    uint64_t whole;

    program_start(g);
    whole = pcpu_run(g->m->pcpu[0], g->c, 1000000).insns;
    for (uint64_t budget = 1; budget < 60; budget++) {
        uint64_t sum = 0;
        struct sim_exit x;

        program_start(g);
        do {
            x = pcpu_run(g->m->pcpu[0], g->c, budget);
            sum += x.insns;
            if (x.kind == EXIT_BUDGET)
                assert_int_equal(x.insns, budget);
        } while (x.kind == EXIT_BUDGET);
        assert_int_equal(x.kind, EXIT_SYSCALL);
        assert_program_done(g);
        assert_int_equal(sum, whole);
    }
}

/* Every position can be stopped at: in one run, or an instruction after the other, it is the same. */
static void test_positions(void **state)
{
    struct pv_guest *g = *state;
    uint64_t gpr[16], rip, rflags, whole;

    program_start(g);
    whole = pcpu_run(g->m->pcpu[0], g->c, 1000000).insns;
    for (uint64_t n = 1; n < whole; n++) {
        program_start(g);
        for (uint64_t i = 0; i < n; i++)
            assert_int_equal(pcpu_run(g->m->pcpu[0], g->c, 1).insns, 1);
        memcpy(gpr, g->st->gpr, sizeof(gpr));
        rip = g->st->rip;
        rflags = g->st->rflags;
        program_start(g);
        assert_int_equal(pcpu_run(g->m->pcpu[0], g->c, n).insns, n);
        assert_memory_equal(gpr, g->st->gpr, sizeof(gpr));
        assert_int_equal(g->st->rip, rip);
        assert_int_equal(g->st->rflags, rflags);
    }
    print_message("%lu positions\n", whole - 1);
}

/* The same slices end at the same places, whatever is in the cache of translations. */
static void test_deterministic(void **state)
{
    struct pv_guest *g = *state;
    uint64_t rip[2][200] = { { 0 } };

    for (unsigned int pass = 0; pass < 2; pass++) {
        unsigned int n = 0;
        struct sim_exit x;

        program_start(g);
        do {
            x = pcpu_run(g->m->pcpu[0], g->c, 7);
            assert_true(n < ARRAY_SIZE(rip[0]));
            rip[pass][n++] = g->st->rip << 16 | x.insns;
            if (pass == 0 && n == 20)
                emu_smc_flush_all(g->m->pcpu[0]->emu);
        } while (x.kind == EXIT_BUDGET);
    }
    assert_memory_equal(rip[0], rip[1], sizeof(rip[0]));
}

/* A block left in its middle counts as far as it got. */
static void test_partial(void **state)
{
    struct pv_guest *g = *state;
    static const struct {
        const char *code;
        uint64_t insns;
    } cases[] = {
        { "\x90\x90\x48\x8b\x07\x90\x0f\x05", 2 },     /* a load that faults */
        { "\x90\x90\x90\x48\x89\x07\x0f\x05", 3 },     /* a store */
        { "\x90\x90\x90\x90\xf7\xf3\x0f\x05", 4 },     /* a divide by zero */
        { "\x90\x90\x0f\xa2\x90\x90\x90\x0f\x05", 2 }, /* CPUID */
        { "\x90\x0f\x31\x90\x90\x0f\x05", 1 },         /* RDTSC */
        { "\x90\xec\x90\x0f\x05", 1 },                 /* IN */
        { "\x90\x0f\x0b", 1 },                         /* UD2 */
        { "\x90\x90\xfa\x90", 2 },                     /* CLI */
        { "\x90\x90\x0f\x05", 3 },                     /* SYSCALL is done when it leaves */
        { "\x90\x90\xcd\x80", 3 },                     /* so is INT */
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        g->st->rdi = PG_NOWHERE;
        g->st->rbx = 0;
        assert_int_equal(pg_exec(g, cases[i].code, strlen(cases[i].code)).insns, cases[i].insns);
    }
}

static void test_budget_limits(void **state)
{
    struct pv_guest *g = *state;
    struct sim_exit x;

    pg_write(g, 0, 0, "\xeb\xfe", 2);
    g->st->rip = PG_VA(0);
    x = pcpu_run(g->m->pcpu[0], g->c, 0);
    assert_int_equal(x.kind, EXIT_BUDGET);
    assert_int_equal(x.insns, 0);
    x = pcpu_run(g->m->pcpu[0], g->c, 1);
    assert_int_equal(x.kind, EXIT_BUDGET);
    assert_int_equal(x.insns, 1);
    x = pcpu_run(g->m->pcpu[0], g->c, 3000000);
    assert_int_equal(x.kind, EXIT_BUDGET);
    assert_int_equal(x.insns, 3000000);
    assert_int_equal(g->st->rip, PG_VA(0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_exact, pg_setup, pg_teardown),
        cmocka_unit_test_setup_teardown(test_slices, pg_setup, pg_teardown),
        cmocka_unit_test_setup_teardown(test_positions, pg_setup, pg_teardown),
        cmocka_unit_test_setup_teardown(test_deterministic, pg_setup, pg_teardown),
        cmocka_unit_test_setup_teardown(test_partial, pg_setup, pg_teardown),
        cmocka_unit_test_setup_teardown(test_budget_limits, pg_setup, pg_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
