// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Addresses that are not canonical: which exception they give, by the segment they are reached through, and as segment
 * bases. SSE's operands: aligned or refused, and read only as far as they go. (tests/cpu/cpucheck.c has all
 * instructions, beside the host's processor.)
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "tests/support/pv_guest.h"

#define NOT_CANONICAL UINT64_C(0x1234567800000000)

/*
 * An address that is not canonical: #SS through the stack segment, #GP through others. As a processor was seen to
 * answer.
 */
static void test_not_canonical(void **state)
{
    static const struct {
        const char *what, *code;
        uint8_t len, vector;
    } rows[] = {
        { "mov (%rbp), %rax", "\x48\x8b\x45\x00", sizeof("\x48\x8b\x45\x00") - 1, 12 },
        { "mov %ds:(%rbp), %rax", "\x3e\x48\x8b\x45\x00", sizeof("\x3e\x48\x8b\x45\x00") - 1, 12 },
        { "mov %fs:(%rbp), %rax", "\x64\x48\x8b\x45\x00", sizeof("\x64\x48\x8b\x45\x00") - 1, 13 },
        { "mov %ss:(%rax), %rax", "\x36\x48\x8b\x00", sizeof("\x36\x48\x8b\x00") - 1, 13 },
        { "mov (%rax), %rax", "\x48\x8b\x00", sizeof("\x48\x8b\x00") - 1, 13 },
        { "mov %rax, (%rsp)", "\x48\x89\x04\x24", sizeof("\x48\x89\x04\x24") - 1, 12 },
        { "add %al, 8(%rsp)", "\x00\x44\x24\x08", sizeof("\x00\x44\x24\x08") - 1, 12 },
        { "mov (%r12), %rax", "\x49\x8b\x04\x24", sizeof("\x49\x8b\x04\x24") - 1, 13 },
        { "mov (%r13), %rax", "\x49\x8b\x45\x00", sizeof("\x49\x8b\x45\x00") - 1, 13 },
        { "mov (%rcx,%rbp), %rax", "\x48\x8b\x04\x29", sizeof("\x48\x8b\x04\x29") - 1, 13 },
        { "mov (%rbp,%rcx), %rax", "\x48\x8b\x44\x0d\x00", sizeof("\x48\x8b\x44\x0d\x00") - 1, 12 },
        { "movups %xmm0, (%rbp)", "\x0f\x11\x45\x00", sizeof("\x0f\x11\x45\x00") - 1, 12 },
        { "fxsave (%rsp)", "\x0f\xae\x04\x24", sizeof("\x0f\xae\x04\x24") - 1, 12 },
        { "push %rax", "\x50", sizeof("\x50") - 1, 12 },
        { "pop %rax", "\x58", sizeof("\x58") - 1, 12 },
        { "pushf", "\x9c", sizeof("\x9c") - 1, 12 },
        { "ret", "\xc3", sizeof("\xc3") - 1, 12 },
        { "leave", "\xc9", sizeof("\xc9") - 1, 12 },
        { "call", "\xe8\x00\x00\x00\x00", sizeof("\xe8\x00\x00\x00\x00") - 1, 12 },
        { "enter", "\xc8\x00\x00\x00", sizeof("\xc8\x00\x00\x00") - 1, 12 },
        { "popf", "\x9d", sizeof("\x9d") - 1, 12 },
        { "iretq", "\x48\xcf", sizeof("\x48\xcf") - 1, 12 },
        { "lret", "\x48\xcb", sizeof("\x48\xcb") - 1, 12 },
        { "lretq $8", "\x48\xca\x08\x00", sizeof("\x48\xca\x08\x00") - 1, 12 },
        { "push %fs", "\x0f\xa0", sizeof("\x0f\xa0") - 1, 12 },
        { "pop %fs", "\x0f\xa1", sizeof("\x0f\xa1") - 1, 12 },
        { "push $1", "\x6a\x01", sizeof("\x6a\x01") - 1, 12 },
        { "call *%rcx", "\xff\xd1", sizeof("\xff\xd1") - 1, 12 },
        { "push (%rax)", "\xff\x30", sizeof("\xff\x30") - 1, 13 },
        { "lodsb", "\xac", sizeof("\xac") - 1, 13 },
        { "stosb", "\xaa", sizeof("\xaa") - 1, 13 },
        { "cmpxchg16b (%rbp)", "\x48\x0f\xc7\x4d\x00", sizeof("\x48\x0f\xc7\x4d\x00") - 1, 12 },
    };
    struct pv_guest g = pg_create(CPU_MODE_PV64, 1);

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct sim_exit x;

        for (unsigned int reg = 0; reg < 16; reg++)
            g.st->gpr[reg] = reg == 1 ? 0 : NOT_CANONICAL;
        x = pg_exec(&g, rows[i].code, rows[i].len);
        if (x.kind != EXIT_EXCEPTION || x.exception.vector != rows[i].vector || g.st->rip != PG_VA(0))
            fail_msg("%s: %s, vector %u", rows[i].what, sim_exit_name(x.kind), sim_exit_vector(&x));
        assert_true(x.exception.has_error_code && x.exception.error_code == 0);
    }
    /* What follows is told apart: an access to canonical memory after it, and another cause of #GP. */
    assert_int_equal(PG_EXEC(&g, "\xfa").exception.vector, 13); /* cli */
    pg_destroy(&g);
}

/*
 * An operand whose beginning is the last of the lower half, and is not mapped: no #PF, as a processor was seen to
 * answer.
 */
static void test_into_the_hole(void **state)
{
    static const char *const code[] = { "\x48\x01\x07", "\x48\x8b\x07", "\x48\x89\x07", "\x0f\x11\x07" };
    struct pv_guest g = pg_create(CPU_MODE_PV64, 1);

    for (unsigned int i = 0; i < ARRAY_SIZE(code); i++) {
        struct sim_exit x;

        g.st->rdi = UINT64_C(0x7ffffffffffd);
        x = pg_exec(&g, code[i], 3);
        assert_int_equal(x.kind, EXIT_EXCEPTION);
        assert_int_equal(x.exception.vector, 13);
        g.st->rdi = UINT64_C(0x7ffffffffff0); /* all of it lies below */
        x = pg_exec(&g, code[i], 3);
        assert_int_equal(x.exception.vector, 14);
    }
    g.st->rbp = UINT64_C(0x7ffffffffffd);
    assert_int_equal(PG_EXEC(&g, "\x48\x89\x45\x00").exception.vector, 12); /* mov %rax, (%rbp) */
    pg_destroy(&g);
}

/*
 * WRFSBASE and WRGSBASE refuse what is not canonical, read what is in the register only as far as they use it, and
 * count.
 */
static void test_segment_bases(void **state)
{
    static const struct {
        const char *code;
        uint8_t len;
        uint64_t rdx;
        bool refused;
    } rows[] = {
        { "\xf3\x48\x0f\xae\xd2", 5, NOT_CANONICAL, true },            /* wrfsbase %rdx */
        { "\xf3\x48\x0f\xae\xda", 5, NOT_CANONICAL, true },            /* wrgsbase %rdx */
        { "\xf3\x48\x0f\xae\xda", 5, UINT64_C(1) << 47, true },        /* the first, */
        { "\xf3\x48\x0f\xae\xda", 5, ~UINT64_C(0) << 47, false },      /* and what lies */
        { "\xf3\x48\x0f\xae\xda", 5, (UINT64_C(1) << 47) - 1, false }, /* beside the hole */
        { "\xf3\x0f\xae\xd2", 4, NOT_CANONICAL, false },               /* wrfsbase %edx */
        { "\xf3\x48\x0f\xae\xc2", 5, NOT_CANONICAL, false },           /* rdfsbase %rdx */
        { "\xf3\x48\x0f\xae\xd1", 5, NOT_CANONICAL, false },           /* wrfsbase %rcx, which is */
    };
    struct pv_guest g = pg_create(CPU_MODE_PV64, 1);

    g.st->cr4 |= 1u << 16;
    g.st->dirty |= CPU_DIRTY_CR;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        uint8_t code[16] = "\x90\x90";
        struct sim_exit x;

        memcpy(code + 2, rows[i].code, rows[i].len);
        memcpy(code + 2 + rows[i].len, "\x90\x0f\x05", 3);
        g.st->rdx = rows[i].rdx;
        g.st->rcx = 0x1000;
        x = pg_exec(&g, code, sizeof(code));
        assert_int_equal(x.kind, rows[i].refused ? EXIT_EXCEPTION : EXIT_SYSCALL);
        assert_int_equal(x.insns, rows[i].refused ? 2 : 5);
        assert_int_equal(g.st->rip, PG_VA(0) + 2 + (rows[i].refused ? 0 : rows[i].len + 3));
        if (rows[i].refused)
            assert_int_equal(x.exception.vector, 13);
    }
    g.st->cr4 &= ~(UINT64_C(1) << 16);
    g.st->dirty |= CPU_DIRTY_CR;
    assert_int_equal(PG_EXEC(&g, "\xf3\x48\x0f\xae\xd2").exception.vector, 6);
    pg_destroy(&g);
}

/* Each with its operand at (%rdi), 0 to 15 bytes behind an aligned address; how much of it is read or written. */
static void test_sse_operands(void **state)
{
    static const struct {
        const char *what, *code;
        uint8_t len, size;
        bool aligned;
    } rows[] = {
        { "movaps (%rdi), %xmm1", "\x0f\x28\x0f", 3, 16, true },
        { "movaps %xmm1, (%rdi)", "\x0f\x29\x0f", 3, 16, true },
        { "movntps %xmm1, (%rdi)", "\x0f\x2b\x0f", 3, 16, true },
        { "movntdqa (%rdi), %xmm1", "\x66\x0f\x38\x2a\x0f", 5, 16, true },
        { "addps (%rdi), %xmm1", "\x0f\x58\x0f", 3, 16, true },
        { "pshufb (%rdi), %xmm1", "\x66\x0f\x38\x00\x0f", 5, 16, true },
        { "cvttpd2pi (%rdi), %mm1", "\x66\x0f\x2c\x0f", 4, 16, true },
        { "aesenc (%rdi), %xmm1", "\x66\x0f\x38\xdc\x0f", 5, 16, true },
        { "cmpxchg16b (%rdi)", "\x48\x0f\xc7\x0f", 4, 16, true },
        { "movups (%rdi), %xmm1", "\x0f\x10\x0f", 3, 16, false },
        { "movdqu %xmm1, (%rdi)", "\xf3\x0f\x7f\x0f", 4, 16, false },
        { "pcmpistri $0, (%rdi), %xmm1", "\x66\x0f\x3a\x63\x0f\x00", 6, 16, false },
        { "addss (%rdi), %xmm1", "\xf3\x0f\x58\x0f", 4, 4, false },
        { "roundss $0, (%rdi), %xmm1", "\x66\x0f\x3a\x0a\x0f\x00", 6, 4, false },
        { "roundsd $0, (%rdi), %xmm1", "\x66\x0f\x3a\x0b\x0f\x00", 6, 8, false },
        { "cvtps2pd (%rdi), %xmm1", "\x0f\x5a\x0f", 3, 8, false },
        { "cvtdq2pd (%rdi), %xmm1", "\xf3\x0f\xe6\x0f", 4, 8, false },
        { "cvtps2pi (%rdi), %mm1", "\x0f\x2d\x0f", 3, 8, false },
        { "punpckldq (%rdi), %mm1", "\x0f\x62\x0f", 3, 4, false },
        { "pmovzxbw (%rdi), %xmm1", "\x66\x0f\x38\x30\x0f", 5, 8, false },
    };
    const uint64_t end = PG_VA(PG_PAGES); /* nothing is mapped from here on */
    struct pv_guest g = pg_create(CPU_MODE_PV64, 1);

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        for (unsigned int off = 0; off < 16; off++) {
            uint8_t code[10];
            struct sim_exit x;

            memcpy(code, rows[i].code, rows[i].len);
            memcpy(code + rows[i].len, "\x0f\x05", 2); /* syscall */
            for (unsigned int where = 0; where < 3; where++) {
                const uint64_t at = (where == 2 ? PG_NOWHERE : end - (where ? 16 : 64)) + off;
                const bool refused = off && rows[i].aligned;
                const bool faults = where == 2 || (where == 1 && off + rows[i].size > 16);

                g.st->rdi = at;
                x = pg_exec(&g, code, rows[i].len + 2u);
                if (x.kind != (refused || faults ? EXIT_EXCEPTION : EXIT_SYSCALL) ||
                    (x.kind == EXIT_EXCEPTION && (x.exception.vector != (refused ? 13 : 14) || g.st->rip != PG_VA(0))))
                    fail_msg("%s, %u, place %u: %s, vector %u", rows[i].what, off, where, sim_exit_name(x.kind),
                             sim_exit_vector(&x));
                if (faults && !refused)
                    assert_int_equal(x.exception.addr, where == 2 ? at : end);
            }
        }
    pg_destroy(&g);
}

/* The bases of FS and GS, alone and in whole segments, in the same translated code. */
static void test_bases(void **state)
{
    static const struct {
        unsigned int seg;
        const char *code; /* mov %seg:0, %rax; syscall */
    } rows[] = {
        { CPU_SEG_FS, "\x64\x48\x8b\x04\x25\x00\x00\x00\x00\x0f\x05" },
        { CPU_SEG_GS, "\x65\x48\x8b\x04\x25\x00\x00\x00\x00\x0f\x05" },
    };
    static const uint32_t dirty[] = { CPU_DIRTY_BASE, CPU_DIRTY_SEGS, CPU_DIRTY_SEGS | CPU_DIRTY_BASE };
    struct pv_guest g = pg_create(CPU_MODE_PV64, 1);

    for (uint64_t i = 0; i < 24; i++) {
        const unsigned int seg = rows[i % 2].seg;

        pg_write(&g, 4, (unsigned int)i * 64, &i, 8);
        g.st->seg[seg].base = PG_VA(4) + i * 64;
        g.st->dirty |= dirty[i / 2 % ARRAY_SIZE(dirty)];
        g.st->rax = ~UINT64_C(0);
        assert_int_equal(pg_exec(&g, rows[i % 2].code, 11).kind, EXIT_SYSCALL);
        assert_int_equal(g.st->rax, i);
        assert_int_equal(g.st->seg[seg].base, PG_VA(4) + i * 64);
    }
    pg_destroy(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_not_canonical), cmocka_unit_test(test_into_the_hole),
        cmocka_unit_test(test_segment_bases), cmocka_unit_test(test_bases),
        cmocka_unit_test(test_sse_operands),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
