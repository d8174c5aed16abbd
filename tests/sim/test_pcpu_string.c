// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * REP MOVS and REP STOS: many iterations at a time, and each on its own (--plain-engine), from the same start and with
 * the same budgets: the same registers, memory, page tables, exits and counts.
 *
 * Could pass wrongly: where nothing is done at a time. `make bench` (rep movs) shows that it is.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "tests/support/pv_guest.h"
#include "tests/support/ram.h"

#define DATA  4 /* eight pages of data, */
#define PAGES 8 /* the third of them read-only, the sixth not there, the seventh with code in it */
#define CASES 3000

static uint64_t random_next(uint64_t *s)
{
    *s = *s * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return *s >> 24;
}

static struct pv_guest guest(bool plain)
{
    struct pv_guest g = pg_create_engine(CPU_MODE_PV64, 1, plain);

    pg_map(&g, DATA + 2, PG_FRAME(DATA + 2), PG_P | PG_US);
    pg_map(&g, DATA + 5, PG_FRAME(DATA + 5), 0);
    return g;
}

/* A case: code, registers; ends in a SYSCALL, or in a fault. */
static size_t case_make(struct cpu_state *st, uint8_t *code, uint64_t *s)
{
    static const uint8_t opcodes[] = { 0xa4, 0xa5, 0xaa, 0xab };
    uint64_t r = random_next(s);
    size_t n = 0;

    for (unsigned int i = 0; i < (r & 3); i++)
        code[n++] = 0x90;
    if ((r & 0xf0) == 0)
        code[n++] = 0xfd; /* std */
    code[n++] = 0xf3;
    if ((r & 0x300) == 0)
        code[n++] = 0x66;
    if ((r & 0x3c00) == 0)
        code[n++] = 0x67;
    if (r & 0x4000)
        code[n++] = 0x48;
    code[n++] = opcodes[r >> 16 & 3];
    memcpy(code + n, "\xfc\x0f\x05", 3); /* cld; syscall */
    r = random_next(s);
    st->rcx = (r & 7) ? r >> 8 & 0x3f : r >> 8 & 0x1fff;
    st->rdi = PG_VA(DATA) + (random_next(s) & 7 ? random_next(s) % (PAGES * PAGE_SIZE) : PAGE_SIZE - (r >> 40 & 0xff));
    st->rsi = (r & 0x30) ? PG_VA(DATA) + random_next(s) % (PAGES * PAGE_SIZE)
                         : st->rdi + random_next(s) % 128 - 64; /* one overlaps the other */
    st->rax = random_next(s) << 32 | random_next(s);
    st->rflags = 0x202 | ((r & 0x1c0000) == 0 ? 0x100 : 0); /* seldom TF */
    st->rip = PG_VA(0);
    return n + 3;
}

static void same(struct pv_guest *a, struct pv_guest *b, unsigned int i)
{
    if (memcmp(a->st->gpr, b->st->gpr, sizeof(a->st->gpr)) || a->st->rip != b->st->rip ||
        a->st->rflags != b->st->rflags)
        fail_msg("case %u: rcx %lx %lx rsi %lx %lx rdi %lx %lx rip %lx %lx", i, a->st->rcx, b->st->rcx, a->st->rsi,
                 b->st->rsi, a->st->rdi, b->st->rdi, a->st->rip, b->st->rip);
    if (memcmp(mfn_to_virt(a->m, PG_FRAME(0)), mfn_to_virt(b->m, PG_FRAME(0)), (DATA + PAGES) * PAGE_SIZE) ||
        memcmp(mfn_to_virt(a->m, _mfn(PG_CR3 >> PAGE_SHIFT)), mfn_to_virt(b->m, _mfn(PG_CR3 >> PAGE_SHIFT)),
               4 * PAGE_SIZE))
        fail_msg("case %u: memory differs", i);
}

static void test_random(void **state)
{
    struct pv_guest fast = guest(false), plain = guest(true);
    uint64_t s = 5, fill = 9, ends[4] = { 0 };

    for (size_t at = 0; at < PAGES * PAGE_SIZE; at += 8) {
        const uint64_t value = random_next(&fill) * 0x10001;

        memcpy((uint8_t *)ram_page(fast.m, PG_FRAME(DATA)) + at, &value, 8);
        memcpy((uint8_t *)ram_page(plain.m, PG_FRAME(DATA)) + at, &value, 8);
    }
    pg_write(&fast, DATA + 6, 0x800, "\x0f\x05", 2);
    pg_write(&plain, DATA + 6, 0x800, "\x0f\x05", 2);
    for (unsigned int i = 0; i < CASES; i++) {
        uint8_t code[32];
        uint64_t other = s;
        const size_t n = case_make(fast.st, code, &s);

        assert_int_equal(case_make(plain.st, code, &other), n);
        pg_write(&fast, 0, 0, code, n);
        pg_write(&plain, 0, 0, code, n);
        if (i % 64 == 0) { /* translate the page with code */
            const uint64_t rip = fast.st->rip;

            fast.st->rip = plain.st->rip = PG_VA(DATA + 6) + 0x800;
            pcpu_run(fast.m->pcpu[0], fast.c, 10);
            pcpu_run(plain.m->pcpu[0], plain.c, 10);
            fast.st->rip = plain.st->rip = rip;
        }
        for (unsigned int slices = 0;; slices++) {
            const uint64_t budget = random_next(&s) & 3 ? 1 + random_next(&s) % 40 : 100000;
            const struct sim_exit x = pcpu_run(fast.m->pcpu[0], fast.c, budget),
                                  y = pcpu_run(plain.m->pcpu[0], plain.c, budget);

            if (!pg_same_exit(&x, &y))
                fail_msg("case %u: exit %s %s, %lu %lu instructions, vector %u %u", i, sim_exit_name(x.kind),
                         sim_exit_name(y.kind), x.insns, y.insns, sim_exit_vector(&x), sim_exit_vector(&y));
            same(&fast, &plain, i);
            ends[x.kind == EXIT_SYSCALL ? 0 : x.kind == EXIT_BUDGET ? 1 : 2]++;
            if (x.kind != EXIT_BUDGET)
                break;
        }
    }
    assert_true(ends[0] > CASES / 8 && ends[1] > CASES / 8 && ends[2] > CASES / 8);
    pg_destroy(&fast);
    pg_destroy(&plain);
}

/* A breakpoint on a byte in the midst of the page that is cleared. */
static void test_watched(void **state)
{
    struct pv_guest g = guest(false);

    g.st->dr[0] = PG_VA(DATA) + 0x123;
    g.st->dr[7] = 0x10001;
    g.st->dirty |= CPU_DIRTY_DR;
    g.st->rdi = PG_VA(DATA);
    g.st->rcx = PAGE_SIZE;
    g.st->rax = 0;
    assert_int_equal(PG_EXEC(&g, "\xf3\xaa\x0f\x05").exception.vector, 1);
    assert_int_equal(g.st->rcx, PAGE_SIZE - 0x124);
    assert_int_equal(g.st->rip, PG_VA(0));
    pg_destroy(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random),
        cmocka_unit_test(test_watched),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
