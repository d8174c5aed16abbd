// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * SSE arithmetic by hand: results and flags of MXCSR, exceptions that are unmasked, and who keeps the host's own MXCSR.
 * (Many more are tried beside the host's processor, see tests/cpu.)
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>
#include <xmmintrin.h>

#include "tests/support/pv_guest.h"
#include "tests/support/ram.h"

#define ZERO      0x04u
#define OVERFLOW  0x08u
#define PRECISION 0x20u

/*
 * movups (%rdi), %xmm0; movups 16(%rdi), %xmm1; ldmxcsr 32(%rdi); OP %xmm1, %xmm0; stmxcsr 36(%rdi); movups %xmm0,
 * (%rdi); syscall
 */
static const uint8_t before[] = { 0x0f, 0x10, 0x07, 0x0f, 0x10, 0x4f, 0x10, 0x0f, 0xae, 0x57, 0x20 };
static const uint8_t after[] = { 0x0f, 0xae, 0x5f, 0x24, 0x0f, 0x11, 0x07, 0x0f, 0x05 };

struct data {
    float a[4], b[4];
    uint32_t mxcsr, mxcsr_after;
};

static struct sim_exit run(struct pv_guest *g, const char *op, size_t len, struct data *d)
{
    uint8_t code[64];
    struct sim_exit x;

    memcpy(code, before, sizeof(before));
    memcpy(code + sizeof(before), op, len);
    memcpy(code + sizeof(before) + len, after, sizeof(after));
    pg_write(g, 8, 0, d, sizeof(*d));
    g->st->rdi = PG_VA(8);
    x = pg_exec(g, code, sizeof(before) + len + sizeof(after));
    memcpy(d, ram_page(g->m, PG_FRAME(8)), sizeof(*d));
    return x;
}

#define RUN(g, op, d) run(g, op, sizeof(op) - 1, d)

static void test_flags(void **state)
{
    static const struct {
        const char *op;
        uint8_t len;
        float a, b, result;
        uint32_t flags;
    } rows[] = {
        { "\x0f\x58\xc1", 3, 1, 2, 3, 0 },                /* addps */
        { "\x0f\x58\xc1", 3, 1, 0x1p-30f, 1, PRECISION }, /* */
        { "\x0f\x59\xc1", 3, 0x1p100f, 0x1p100f, __builtin_inff(), OVERFLOW | PRECISION },
        { "\x0f\x5e\xc1", 3, 1, 0, __builtin_inff(), ZERO }, /* divps */
        { "\x0f\x51\xc1", 3, 0, 4, 2, 0 },                   /* sqrtps */
        { "\x0f\x5f\xc1", 3, 1, 2, 2, 0 },                   /* maxps */
    };
    struct pv_guest g = pg_create(CPU_MODE_PV64, 1);

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct data d = {
            { rows[i].a, rows[i].a, rows[i].a, rows[i].a }, { rows[i].b, rows[i].b, rows[i].b, rows[i].b }, 0x1f80, 0
        };

        assert_int_equal(run(&g, rows[i].op, rows[i].len, &d).kind, EXIT_SYSCALL);
        assert_memory_equal(&d.a[0], &rows[i].result, 4);
        assert_memory_equal(&d.a[3], &rows[i].result, 4);
        assert_int_equal(d.mxcsr_after, 0x1f80 | rows[i].flags);
    }
    pg_destroy(&g);
}

/* DPPS has one sum: partial sums that the manual does not have would overflow here. */
static void test_dot_product(void **state)
{
    struct pv_guest g = pg_create(CPU_MODE_PV64, 1);
    struct data d = { { -1.5e38f, -1.5e38f, 1.5e38f, 1.5e38f }, { 1, 1, 1, 1 }, 0x1f80, 0 };

    assert_int_equal(RUN(&g, "\x66\x0f\x3a\x40\xc1\xf3", &d).kind, EXIT_SYSCALL);
    assert_true(d.a[0] == 0 && d.a[1] == 0 && d.a[2] == 0 && d.a[3] == 0);
    assert_int_equal(d.mxcsr_after & OVERFLOW, 0);
    pg_destroy(&g);
}

/* #XM in front of the instruction, with the operand as it was and the flag set; the host's MXCSR is not the guest's. */
static void test_unmasked(void **state)
{
    const uint32_t host = _mm_getcsr();
    struct pv_guest g = pg_create(CPU_MODE_PV64, 1);
    struct data d = { { 1, 1, 1, 1 }, { 0, 0, 0, 0 }, 0x1f80 & ~(ZERO << 7), 0 };
    struct sim_exit x = RUN(&g, "\x0f\x5e\xc1", &d);

    assert_int_equal(x.kind, EXIT_EXCEPTION);
    assert_int_equal(x.exception.vector, 19);
    assert_int_equal(g.st->rip, PG_VA(0) + sizeof(before));
    assert_int_equal(_mm_getcsr(), host);
    cpu_context_save_fpu(g.c);
    assert_true(g.st->fxsave[24] & ZERO);
    assert_memory_equal(g.st->fxsave + 160, d.a, 16);
    pg_destroy(&g);
}

static void test_ldmxcsr(void **state)
{
    struct pv_guest g = pg_create(CPU_MODE_PV64, 1);
    struct data d = { .mxcsr = 0x10000 | 0x1f80 };
    struct sim_exit x = RUN(&g, "\x90", &d);

    assert_int_equal(x.kind, EXIT_EXCEPTION);
    assert_int_equal(x.exception.vector, 13);
    pg_destroy(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_flags),
        cmocka_unit_test(test_dot_product),
        cmocka_unit_test(test_unmasked),
        cmocka_unit_test(test_ldmxcsr),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
