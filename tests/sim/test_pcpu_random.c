// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Random bytes as guest code, with random registers: whatever they do, the guest leaves with an exit that a PV guest
 * can have, at a privilege level that it may have, and the machine goes on.
 *
 * Could pass wrongly: most random code ends in a fault after a few instructions, so opcodes are steered to the rare
 * ones.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "tests/support/pv_guest.h"
#include "tests/support/ram.h"

#define RUNS 6000
#define GDT  16

static uint64_t next_random(uint64_t *s)
{
    *s ^= *s << 13;
    *s ^= *s >> 7;
    *s ^= *s << 17;
    return *s;
}

static const uint8_t openings[][2] = {
    { 0x0f, 0x01 }, { 0x66, 0x0f }, { 0xf3, 0x0f }, { 0xf2, 0x0f }, { 0x0f, 0xae }, { 0x0f, 0xc7 },
    { 0x0f, 0x00 }, { 0xc5, 0xf8 }, { 0xc4, 0xe2 }, { 0x8e, 0xe0 }, { 0xcf, 0x90 }, { 0x9d, 0x90 },
};

static void start(struct pv_guest *g, const struct cpu_state *init, uint64_t *s)
{
    memcpy(g->st->seg, init->seg, sizeof(init->seg));
    g->st->cpl = init->cpl;
    g->st->gdtr = (struct cpu_table){ PG_VA(GDT), sizeof(pg_gdt) - 1 };
    g->st->dirty |= CPU_DIRTY_SEGS;
    g->st->rflags = 0x202 | (next_random(s) & 7 ? 0 : 0x100);
    for (unsigned int i = 0; i < 16; i++) {
        const uint64_t r = next_random(s);

        g->st->gpr[i] = r & 1 ? PG_VA(20) + (r >> 20 & 0xfff8) : r & 2 ? next_random(s) : r >> 8 & 0xff;
    }
    g->st->rsp = PG_VA(PG_STACK) + 512;
}

static void random_code(enum cpu_mode mode)
{
    struct pv_guest g = pg_create(mode, 1);
    const struct cpu_state init = *g.st;
    uint64_t s = 88172645463325252;

    pg_map(&g, GDT, PG_FRAME(GDT), PG_P | PG_RW);
    memcpy(ram_page(g.m, PG_FRAME(GDT)), pg_gdt, sizeof(pg_gdt));
    for (unsigned int run = 0; run < RUNS; run++) {
        uint8_t code[64];
        struct sim_exit x;

        for (size_t i = 0; i < sizeof(code); i++)
            code[i] = (uint8_t)(next_random(&s) >> 11);
        if (run & 1)
            memcpy(code, openings[run / 2 % ARRAY_SIZE(openings)], 2);
        start(&g, &init, &s);
        x = pg_exec(&g, code, sizeof(code));
        assert_true(g.st->cpl == 3 || (mode == CPU_MODE_PV32 && g.st->cpl == 1));
        switch (x.kind) {
        case EXIT_EXCEPTION: assert_true(x.exception.vector < 20 && x.exception.vector != 8); break;
        case EXIT_BUDGET:
        case EXIT_SOFTINT:
        case EXIT_SYSCALL:
        case EXIT_SYSENTER:
        case EXIT_VMMCALL:
        case EXIT_IO:
        case EXIT_CPUID:
        case EXIT_RDTSC:
        case EXIT_PAUSE: break;
        default: fail_msg("%s (%s) in run %u", sim_exit_name(x.kind), x.kind == EXIT_ERROR ? x.error.why : "", run);
        }
    }
    assert_int_equal(PG_EXEC(&g, "\x0f\x05").kind, EXIT_SYSCALL);
    pg_destroy(&g);
}

static void test_pv64(void **state) { random_code(CPU_MODE_PV64); }
static void test_pv32(void **state) { random_code(CPU_MODE_PV32); }

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pv64),
        cmocka_unit_test(test_pv32),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
