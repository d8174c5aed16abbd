// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Code that changes: by the guest through the address it runs at, through an alias, inside the running block; by the
 * hypervisor; by another pCPU (see sim/engine/smc.c).
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

#define FUNCS 1
#define ALIAS 2

static int setup(void **state)
{
    static struct pv_guest g; /* one test at a time */

    g = pg_create(CPU_MODE_PV64, 2);
    pg_map(&g, ALIAS, PG_FRAME(FUNCS), PG_P | PG_RW | PG_US);
    *state = &g;
    return 0;
}

static int teardown(void **state)
{
    pg_destroy(*state);
    return 0;
}

/* mov $value, %eax; ret */
static void write_func(struct pv_guest *g, unsigned int offset, uint8_t value)
{
    const uint8_t code[] = { 0xb8, value, 0, 0, 0, 0xc3 };

    pg_write(g, FUNCS, offset, code, sizeof(code));
}

static uint64_t call_func(struct pv_guest *g, unsigned int offset)
{
    struct sim_exit x;

    g->st->rsi = PG_VA(FUNCS) + offset;
    x = PG_EXEC(g, "\xff\xd6\x0f\x05"); /* call *%rsi; syscall */
    assert_int_equal(x.kind, EXIT_SYSCALL);
    return g->st->rax;
}

/* The guest stores into two functions of one page, several times over, and calls them in between. */
static void change_and_call(struct pv_guest *g, unsigned int through)
{
    write_func(g, 0, 1);
    write_func(g, 0x10, 2);
    for (unsigned int i = 0; i < 20; i++) {
        struct sim_exit x;

        call_func(g, 0);
        call_func(g, 0x10);
        g->st->rdi = PG_VA(through);
        g->st->rax = 10 + i;
        x = PG_EXEC(g,
                    "\x88\x47\x01\xff\xc0\x88\x47\x11\x0f\x05"); /* mov %al, 1(%rdi); inc %eax; mov %al, 0x11(%rdi) */
        assert_int_equal(x.kind, EXIT_SYSCALL);
        assert_int_equal(call_func(g, 0), 10 + i);
        assert_int_equal(call_func(g, 0x10), 11 + i);
    }
}

static void test_same_address(void **state) { change_and_call(*state, FUNCS); }
static void test_alias(void **state) { change_and_call(*state, ALIAS); }

/* In one run, through both addresses in turn, with the TLB warm. */
static void test_one_run(void **state)
{
    static const uint8_t code[] = {
        0x31, 0xdb,                /*    xor %ebx, %ebx       */
        0xb9, 100,  0,    0,    0, /*    mov $100, %ecx       */
        0x88, 0x4f, 0x01,          /* 1: mov %cl, 1(%rdi)     */
        0xff, 0xd6,                /*    call *%rsi           */
        0x01, 0xc3,                /*    add %eax, %ebx       */
        0x88, 0x4d, 0x11,          /*    mov %cl, 0x11(%rbp)  */
        0x41, 0xff, 0xd0,          /*    call *%r8            */
        0x01, 0xc3,                /*    add %eax, %ebx       */
        0xff, 0xc9, 0x75, 0xed,    /*    dec %ecx; jnz 1b     */
        0x0f, 0x05,
    };
    struct pv_guest *g = *state;
    struct sim_exit x;

    write_func(g, 0, 0);
    write_func(g, 0x10, 0);
    g->st->rsi = PG_VA(FUNCS);
    g->st->rdi = PG_VA(ALIAS);
    g->st->r8 = PG_VA(FUNCS) + 0x10;
    g->st->rbp = PG_VA(FUNCS);
    x = pg_exec(g, code, sizeof(code));
    assert_int_equal(x.kind, EXIT_SYSCALL);
    assert_int_equal(g->st->rbx, 2 * (100 * 101 / 2));
    assert_int_equal(x.insns, 2 + 100 * (8 + 2 * 2) + 1);
}

/* The buffer of translations fills up in the middle of a run, often: nothing is lost, nothing counted twice. */
static void test_buffer_full(void **state)
{
    struct pv_guest *g = *state;

    g->m->pcpu[0]->emu->smc.buffer_limit = 20000;
    test_one_run(state);
    change_and_call(g, ALIAS);
}

/* A store to the very next instruction: what is executed is what was written. */
static void test_own_block(void **state)
{
    struct pv_guest *g = *state;

    for (uint8_t i = 1; i < 10; i++) {
        struct sim_exit x;

        g->st->rdi = PG_VA(0) + 7;
        g->st->rcx = i;
        g->st->rax = 0;
        x = PG_EXEC(g, "\x90\x90\x90\x88\x0f\x90\xb0\x00\x90\x0f\x05"); /* mov %cl, (%rdi); nop; mov $0, %al */
        assert_int_equal(x.kind, EXIT_SYSCALL);
        assert_int_equal(g->st->rax, i);
        assert_int_equal(x.insns, 8);
    }
}

static void test_host_write(void **state)
{
    struct pv_guest *g = *state;

    for (uint8_t i = 0; i < 20; i++) {
        write_func(g, 0, i);
        assert_int_equal(call_func(g, 0), i);
    }
}

/* A guest whose code frame is given to somebody else, and a store by a vCPU on another pCPU. */
static void test_other_pcpu(void **state)
{
    struct pv_guest *g = *state;
    struct cpu_context *other = pg_context(g->m, CPU_MODE_PV64);
    struct cpu_state *st = cpu_context_state(other);

    pg_write(g, 5, 0, "\x88\x47\x01\x0f\x05", 5); /* mov %al, 1(%rdi); syscall */
    for (uint8_t i = 0; i < 20; i++) {
        struct sim_exit x;

        write_func(g, 0, 100);
        assert_int_equal(call_func(g, 0), 100);
        st->rip = PG_VA(5);
        st->rdi = PG_VA(i & 1 ? FUNCS : ALIAS);
        st->rax = i;
        x = pcpu_run(g->m->pcpu[1], other, 100);
        assert_int_equal(x.kind, EXIT_SYSCALL);
        assert_int_equal(call_func(g, 0), i);
    }
    cpu_context_destroy(other);
}

/* Other code at the same address in another address space. */
static void test_other_space(void **state)
{
    struct pv_guest *g = *state;

    write_func(g, 0, 1);
    pg_write(g, 6, 0, "\xb8\x02\x00\x00\x00\xc3", 6);
    for (unsigned int i = 0; i < 5; i++) {
        pg_map(g, FUNCS, PG_FRAME(FUNCS), PG_P | PG_US);
        assert_int_equal(call_func(g, 0), 1);
        pg_map(g, FUNCS, PG_FRAME(6), PG_P | PG_US);
        assert_int_equal(call_func(g, 0), 2);
    }
}

/* A block that begins in one page and ends in another, of which now the one and now the other is exchanged. */
static void test_second_page(void **state)
{
    struct pv_guest *g = *state;
    static const uint8_t ends[2][3] = { { 0x11, 0x22, 0xc3 }, { 0x33, 0x44, 0xc3 } };
    static const uint8_t begins[2][3] = { { 0xb8, 0xaa, 0xbb }, { 0xb8, 0xcc, 0xdd } };

    for (unsigned int i = 0; i < 2; i++) {
        pg_write(g, 10 + i, PAGE_SIZE - 3, begins[i], 3); /* mov $..., %eax; ret */
        pg_write(g, 12 + i, 0, ends[i], 3);
    }
    for (unsigned int i = 0; i < 16; i++) {
        const unsigned int first = i >> 1 & 1, second = i & 1;

        pg_map(g, FUNCS, PG_FRAME(10 + first), PG_P | PG_US);
        pg_map(g, FUNCS + 1, PG_FRAME(12 + second), PG_P | PG_US);
        assert_int_equal(call_func(g, PAGE_SIZE - 3),
                         begins[first][1] | begins[first][2] << 8 | ends[second][0] << 16 | ends[second][1] << 24);
    }
}

/* Data in a code page: stores next to code leave the code alone and are not lost. */
static void test_data_beside_code(void **state)
{
    struct pv_guest *g = *state;

    write_func(g, 0, 9);
    call_func(g, 0);
    g->st->rdi = PG_VA(FUNCS) + 0x800;
    g->st->rcx = 0x100;
    g->st->rax = 0xab;
    assert_int_equal(PG_EXEC(g, "\xf3\xaa\x0f\x05").kind, EXIT_SYSCALL); /* rep stosb */
    assert_int_equal(((uint8_t *)ram_page(g->m, PG_FRAME(FUNCS)))[0x8ff], 0xab);
    assert_int_equal(call_func(g, 0), 9);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_same_address),     TEST(test_alias),       TEST(test_one_run),    TEST(test_own_block),
        TEST(test_buffer_full),      TEST(test_host_write),  TEST(test_other_pcpu), TEST(test_other_space),
        TEST(test_data_beside_code), TEST(test_second_page),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
