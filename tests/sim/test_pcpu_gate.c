// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the processor shown does not have is #UD, and what it has runs: single instructions by family, and the two
 * things that straight-line code may not do to the emulator: run it out of temporaries, or bring its idea of RFLAGS out
 * of date. (All opcodes are tried by the survey in tests/cpu.)
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

#define UD 6

struct row {
    const char *what;
    const char *code;
    uint8_t len;
    bool valid;
};

#define RUNS(what, code)                                                                                               \
    {                                                                                                                  \
        what, code, sizeof(code) - 1, true                                                                             \
    }
#define INVALID(what, code)                                                                                            \
    {                                                                                                                  \
        what, code, sizeof(code) - 1, false                                                                            \
    }

/* For 64-bit and for 32-bit code alike. Memory operands are at (%rdi). */
static const struct row both[] = {
    INVALID("lock bt %edi, %ecx", "\xf0\x0f\xa3\xf9"),
    INVALID("lock bts %edi, %ecx", "\xf0\x0f\xab\xf9"),
    INVALID("lock btr $3, %ecx", "\xf0\x0f\xba\xf1\x03"),
    INVALID("lock bt %eax, (%rdi)", "\xf0\x0f\xa3\x07"),
    RUNS("lock bts %eax, (%rdi)", "\xf0\x0f\xab\x07"),
    INVALID("lock nop", "\xf0\x90"),
    INVALID("lock mov %eax, (%rdi)", "\xf0\x89\x07"),
    INVALID("lock add (%rdi), %eax", "\xf0\x03\x07"),
    RUNS("lock add %eax, (%rdi)", "\xf0\x01\x07"),
    INVALID("lock add %eax, %ecx", "\xf0\x01\xc1"),
    INVALID("lock cmp $1, (%rdi)", "\xf0\x83\x3f\x01"),
    RUNS("lock xor $1, (%rdi)", "\xf0\x83\x37\x01"),
    RUNS("lock xchg %eax, (%rdi)", "\xf0\x87\x07"),
    RUNS("lock incl (%rdi)", "\xf0\xff\x07"),
    INVALID("lock pushq (%rdi)", "\xf0\xff\x37"),
    RUNS("lock negl (%rdi)", "\xf0\xf7\x1f"),
    INVALID("lock mull (%rdi)", "\xf0\xf7\x27"),
    RUNS("lock cmpxchg8b (%rdi)", "\xf0\x0f\xc7\x0f"),
    RUNS("lock xadd %eax, (%rdi)", "\xf0\x0f\xc1\x07"),
    INVALID("rdrand %eax", "\x0f\xc7\xf0"),
    INVALID("rdseed %eax", "\x0f\xc7\xf8"),
    INVALID("rdpid %eax", "\xf3\x0f\xc7\xf8"),
    INVALID("xsave (%rdi)", "\x0f\xae\x27"),
    INVALID("clwb (%rdi)", "\x66\x0f\xae\x37"),
    RUNS("clflushopt (%rdi)", "\x66\x0f\xae\x3f"),
    RUNS("clflush (%rdi)", "\x0f\xae\x3f"),
    RUNS("mfence", "\x0f\xae\xf0"),
    RUNS("fxsave (%rdi)", "\x0f\xae\x07"),
    INVALID("vaddps %xmm1, %xmm1, %xmm1", "\xc5\xf0\x58\xc9"),
    INVALID("vzeroupper", "\xc5\xf8\x77"),
    INVALID("vpaddd %ymm1, %ymm1, %ymm1", "\xc5\xf5\xfe\xc9"),
    INVALID("vmovd (%rdi), %xmm0", "\xc5\xf9\x6e\x07"),
    INVALID("andn %eax, %ecx, %edx", "\xc4\xe2\x70\xf2\xd0"),
    INVALID("rorx $3, %eax, %ecx", "\xc4\xe3\x7b\xf0\xc8\x03"),
    INVALID("blsr %eax, %ecx", "\xc4\xe2\x70\xf3\xc8"),
    INVALID("BMI group 17, /0", "\xc4\xe2\x70\xf3\xc0"),
    INVALID("andn, 256 bits wide", "\xc4\xe2\x74\xf2\xd0"),
    INVALID("66 in front of VEX", "\x66\xc4\xe2\x70\xf2\xd0"),
    INVALID("sha1nexte %xmm1, %xmm1", "\x0f\x38\xc8\xc9"),
    INVALID("movdiri %eax, (%rdi)", "\x0f\x38\xf9\x07"),
    RUNS("pshufb %xmm1, %xmm1", "\x66\x0f\x38\x00\xc9"),
    RUNS("aesenc %xmm1, %xmm1", "\x66\x0f\x38\xdc\xc9"),
    RUNS("movbe (%rdi), %eax", "\x0f\x38\xf0\x07"),
    INVALID("movbe of a register", "\x0f\x38\xf0\xc0"),
    RUNS("crc32b %cl, %eax", "\xf2\x0f\x38\xf0\xc1"),
    RUNS("popcnt %eax, %ecx", "\xf3\x0f\xb8\xc8"),
    INVALID("0f b8 without rep", "\x0f\xb8\xc8"),
    RUNS("adcx %eax, %ecx", "\x66\x0f\x38\xf6\xc8"),
    INVALID("pfadd %mm1, %mm1", "\x0f\x0f\xc9\x9e"),
    INVALID("femms", "\x0f\x0e"),
    INVALID("monitor", "\x0f\x01\xc8"),
    INVALID("clac", "\x0f\x01\xca"),
    INVALID("xgetbv", "\x0f\x01\xd0"),
    INVALID("vmload", "\x0f\x01\xda"),
    INVALID("stgi", "\x0f\x01\xdc"),
    INVALID("xtest", "\x0f\x01\xd6"),
    INVALID("clzero", "\x0f\x01\xfc"),
    INVALID("sysenter", "\x0f\x34"),
    INVALID("mov to a test register", "\x0f\x26\xc0"),
    INVALID("xbegin", "\xc7\xf8\x00\x00\x00\x00"),
    INVALID("mov %eax, segment register 6", "\x8e\xf0"),
    INVALID("mov %eax, %cs", "\x8e\xc8"),
    INVALID("lea of a register", "\x8d\xc0"),
    INVALID("fe /2", "\xfe\xd0"),
    INVALID("ff /7", "\xff\xf8"),
    INVALID("far call of a register", "\xff\xd8"),
    INVALID("8f /1", "\x8f\xc8"),
    INVALID("0f ba /2", "\x0f\xba\xd0\x01"),
    INVALID("lock icebp", "\xf0\xf1"),
    RUNS("test $0, %ecx, as /1", "\xf7\xc9\x00\x00\x00\x00"),
    RUNS("testb $0, 0x20(%rdi), as /1", "\xf6\x4f\x20\x00"),
    RUNS("cmpps, predicate 0x20", "\x0f\xc2\xc8\x20"),
    RUNS("cmpsd, predicate 0xff", "\xf2\x0f\xc2\x4f\x08\xff"),
    RUNS("cmppd, predicate 8, SIB", "\x66\x0f\xc2\x4c\x27\x10\x08"),
    RUNS("0f 18 of a register", "\x0f\x18\xd3"),
    RUNS("0f 18 /5", "\x0f\x18\x2f"),
    RUNS("rcpss, 66 besides", "\x66\xf3\x0f\x53\xc9"),
    RUNS("lddqu, F3 in front of F2", "\xf3\xf2\x0f\xf0\x0f"),
    INVALID("lddqu, F3 behind F2", "\xf2\xf3\x0f\xf0\x0f"),
    INVALID("pxor with F3", "\xf3\x0f\xef\xc9"),
    INVALID("movaps with F2", "\xf2\x0f\x28\xc9"),
    INVALID("ucomiss with F3", "\xf3\x0f\x2e\xc9"),
    INVALID("punpcklqdq of MMX", "\x0f\x6c\xc9"),
    INVALID("psrldq of MMX", "\x0f\x73\xd9\x01"),
    INVALID("psraw, memory", "\x0f\x71\x27\x01"),
    INVALID("psraq", "\x66\x0f\x73\xe1\x01"),
    INVALID("movnti with 66", "\x66\x0f\xc3\x07"),
    INVALID("movmskps of memory", "\x0f\x50\x07"),
    INVALID("movntq of a register", "\x0f\xe7\xc1"),
    INVALID("movlpd of a register", "\x66\x0f\x12\xc1"),
    INVALID("emms with 66", "\x66\x0f\x77"),
    INVALID("movq2dq of memory", "\xf3\x0f\xd6\x07"),
    INVALID("ud0", "\x0f\xff\xc0"),
    INVALID("ud1", "\x0f\xb9\xc0"),
    INVALID("ud2", "\x0f\x0b"),
};

static const struct row only64[] = {
    INVALID("REX in front of VEX", "\x40\xc4\xe2\x70\xf2\xd0"),
    RUNS("movb $1, %r8b, with REX.R", "\x45\xc6\xc0\x01"),
    RUNS("movl $1, (%rdi), with REX.R", "\x44\xc7\x07\x01\x00\x00\x00"),
    INVALID("EVEX", "\x62\xf1\x7c\x48\x58\xc0"),
    INVALID("salc", "\xd6"),
    INVALID("lds", "\xc5\x07"),
    RUNS("lock cmpxchg16b (%rdi)", "\xf0\x48\x0f\xc7\x0f"),
    RUNS("rdfsbase %eax", "\xf3\x0f\xae\xc0"),
};

static const struct row only32[] = {
    RUNS("salc", "\xd6"),
    RUNS("bound of a fitting pair", "\x62\x07"),
    INVALID("EVEX", "\x62\xf1\x7c\x48\x58\xc0"),
    INVALID("rdfsbase", "\xf3\x0f\xae\xc0"),
    INVALID("swapgs", "\x0f\x01\xf8"),
};

/* In front of the row's instruction an ordinary one, so that it is not always the first of its block. */
static void try_row(struct pv_guest *g, const struct row *r, bool first)
{
    uint8_t code[32] = { 0x90 };
    const size_t at = first ? 0 : 1;
    struct sim_exit x;
    uint64_t end;

    memset(ram_page(g->m, PG_FRAME(8)), 0, PAGE_SIZE);
    memset(g->st->gpr, 0, sizeof(g->st->gpr));
    g->st->rdi = PG_VA(8);
    g->st->rsp = PG_VA(PG_STACK + 1);
    memcpy(code + at, r->code, r->len);
    memcpy(code + at + r->len, "\x0f\x05", 2);
    x = pg_exec(g, code, sizeof(code));
    end = PG_VA(0) + at + r->len + 2;
    if (r->valid && (x.kind != EXIT_SYSCALL || g->st->rip != end))
        fail_msg("%s: %s, vector %u", r->what, sim_exit_name(x.kind), sim_exit_vector(&x));
    if (!r->valid && (x.kind != EXIT_EXCEPTION || x.exception.vector != UD || g->st->rip != PG_VA(0) + at))
        fail_msg("%s: %s, vector %u at %#lx", r->what, sim_exit_name(x.kind), sim_exit_vector(&x),
                 (unsigned long)g->st->rip);
    assert_int_equal(x.insns, at + (r->valid ? 2 : 0));
}

static void try_rows(struct pv_guest *g, const struct row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        try_row(g, &rows[i], true);
        try_row(g, &rows[i], false);
    }
}

static void test_64bit(void **state)
{
    struct pv_guest g = pg_create(CPU_MODE_PV64, 1);

    g.st->cr4 |= 1u << 16; /* FSGSBASE */
    g.st->dirty |= CPU_DIRTY_CR;
    try_rows(&g, both, ARRAY_SIZE(both));
    try_rows(&g, only64, ARRAY_SIZE(only64));
    pg_destroy(&g);
}

static void test_32bit(void **state)
{
    struct pv_guest g = pg_create_user32();

    try_rows(&g, both, ARRAY_SIZE(both));
    try_rows(&g, only32, ARRAY_SIZE(only32));
    pg_destroy(&g);
}

/* There are eight MMX registers: REX.R and REX.B in front of an instruction on two of them change nothing. */
static void test_mmx_rex(void **state)
{
    struct pv_guest g = pg_create(CPU_MODE_PV64, 1);
    const struct cpu_state init = *g.st;

    for (unsigned int i = 0; i < 3 * 256; i++) {
        const unsigned int map = i / 256 + 1, op = i & 255;
        uint8_t result[2][512];

        /* Where MMX instructions are; among jumps, bits and the like are a few, which are left out. */
        if (map > 1 ? op >= 0x20 : op < 0x60 || op == 0xff || (op >= 0x7c && op < 0xd1))
            continue;
        for (unsigned int rex = 0; rex < 2; rex++) {
            const uint32_t dirty = g.st->dirty;
            uint8_t code[16] = { rex ? 0x45 : 0x40, 0x0f };
            unsigned int n = 2;

            if (map > 1)
                code[n++] = map == 2 ? 0x38 : 0x3a;
            code[n++] = (uint8_t)op;
            code[n++] = 0xd3; /* %mm3, %mm2 */
            if (map == 3 || (map == 1 && op >= 0x70 && op <= 0x73))
                code[n++] = 3;
            memcpy(code + n, "\x0f\x05", 2);
            *g.st = init;
            g.st->dirty = dirty | CPU_DIRTY_FPU;
            for (unsigned int j = 32; j < 512; j++)
                g.st->fxsave[j] = (uint8_t)(j * 37 + 11);
            pg_exec(&g, code, sizeof(code));
            cpu_context_save_fpu(g.c);
            memcpy(result[rex], g.st->fxsave, 512);
        }
        if (memcmp(result[0], result[1], 512))
            fail_msg("map %u, opcode %02x: other registers with REX", map, op);
    }
    pg_destroy(&g);
}

/* Each keeps temporaries of the emulator; a page full of them is more than there are. */
static void test_straight_line(void **state)
{
    static const struct row rows[] = {
        RUNS("fadd %st(1), %st", "\xd8\xc1"), RUNS("fmul %st(1), %st", "\xd8\xc9"), RUNS("fnop", "\xd9\xd0"),
        RUNS("fdivrp", "\xde\xf1"),           RUNS("fildl (%rdi)", "\xdb\x07"),     RUNS("fstpt (%rdi)", "\xdb\x3f"),
        RUNS("pushf; popf", "\x9c\x9d"),      RUNS("sldt (%rdi)", "\x0f\x00\x07"),  RUNS("sidt (%rdi)", "\x0f\x01\x0f"),
        RUNS("str %eax", "\x0f\x00\xc8"),     RUNS("smsw %eax", "\x0f\x01\xe0"),
    };
    struct pv_guest g = pg_create(CPU_MODE_PV64, 1);

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        uint8_t code[PAGE_SIZE];
        const unsigned int n = (PAGE_SIZE - 2) / rows[i].len;
        struct sim_exit x;

        for (unsigned int j = 0; j < n; j++)
            memcpy(code + j * rows[i].len, rows[i].code, rows[i].len);
        memcpy(code + n * rows[i].len, "\x0f\x05", 2);
        g.st->rdi = PG_VA(8);
        g.st->rsp = PG_VA(PG_STACK + 1);
        x = pg_exec(&g, code, sizeof(code));
        if (x.kind != EXIT_SYSCALL || x.insns != n * (rows[i].len == 2 && rows[i].code[0] == '\x9c' ? 2 : 1) + 1)
            fail_msg("%s: %s after %lu", rows[i].what, sim_exit_name(x.kind), (unsigned long)x.insns);
    }
    pg_destroy(&g);
}

/* cmp %r8, %r9 leaves a number where RFLAGS is kept; then CMPXCHG changes ZF and nothing else. */
static void test_cmpxchg_flags(void **state)
{
    static const struct row rows[] = {
        RUNS("cmpxchg8b (%rdi)", "\x0f\xc7\x0f"),
        RUNS("cmpxchg16b (%rdi)", "\x48\x0f\xc7\x0f"),
        RUNS("lock cmpxchg8b (%rdi)", "\xf0\x0f\xc7\x0f"),
        RUNS("lock cmpxchg16b (%rdi)", "\xf0\x48\x0f\xc7\x0f"),
    };
    struct pv_guest g = pg_create(CPU_MODE_PV64, 1);

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        for (unsigned int equal = 0; equal < 2; equal++) {
            uint8_t code[32] = { 0x4d, 0x39, 0xc1 }; /* cmp %r8, %r9 */
            struct sim_exit x;

            memset(ram_page(g.m, PG_FRAME(8)), 0, 16);
            memset(g.st->gpr, 0, sizeof(g.st->gpr));
            g.st->rflags = 0x202;
            g.st->rdi = PG_VA(8);
            g.st->rdx = !equal;
            g.st->r8 = 0x4500; /* as RFLAGS: NT DF TF */
            g.st->r9 = 0x4501;
            memcpy(code + 3, rows[i].code, rows[i].len);
            memcpy(code + 3 + rows[i].len, "\x0f\x05", 2);
            x = pg_exec(&g, code, sizeof(code));
            assert_int_equal(x.kind, EXIT_SYSCALL);
            assert_int_equal(x.insns, 3);
            assert_int_equal(g.st->rflags, equal ? 0x242 : 0x202);
        }
    }
    pg_destroy(&g);
}

/* Prefixes in front of what raises software interrupts, in all lengths, in the page's middle and up to its end. */
static void test_prefixed_softint(void **state)
{
    static const struct row rows[] = { RUNS("int3", "\xcc"), RUNS("int $0x21", "\xcd\x21") };
    struct pv_guest g = pg_create(CPU_MODE_PV64, 1);

    pg_map(&g, 1, _mfn(0), 0);
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        for (unsigned int n = rows[i].len; n <= 16; n++) {
            for (unsigned int end = 0; end < 2; end++) {
                uint8_t code[16];
                const unsigned int at = end ? PAGE_SIZE - n : 64;
                struct sim_exit x;

                memset(code, 0x66, sizeof(code));
                memcpy(code + n - rows[i].len, rows[i].code, rows[i].len);
                pg_write(&g, 0, at, code, n);
                g.st->rip = PG_VA(0) + at;
                x = pcpu_run(g.m->pcpu[0], g.c, 100);
                if (n == 16) { /* longer than an instruction can be */
                    assert_int_equal(x.kind, EXIT_EXCEPTION);
                    assert_int_equal(x.exception.vector, 13);
                    assert_int_equal(g.st->rip, PG_VA(0) + at);
                    continue;
                }
                if (x.kind != EXIT_SOFTINT || x.insn_len != n)
                    fail_msg("%s of %u bytes: %s", rows[i].what, n, sim_exit_name(x.kind));
                assert_int_equal(x.softint.vector, rows[i].len == 1 ? 3 : 0x21);
                assert_int_equal(g.st->rip, PG_VA(0) + at + n);
            }
        }
    }
    pg_destroy(&g);
}

/* ICEBP (F1) is a trap: #DB behind it. */
static void test_icebp(void **state)
{
    struct pv_guest g = pg_create(CPU_MODE_PV64, 1);
    struct sim_exit x = PG_EXEC(&g, "\x90\x66\xf1\x90");

    assert_int_equal(x.kind, EXIT_EXCEPTION);
    assert_int_equal(x.exception.vector, 1);
    assert_int_equal(g.st->rip, PG_VA(0) + 3);
    pg_destroy(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_64bit),         cmocka_unit_test(test_32bit),
        cmocka_unit_test(test_mmx_rex),       cmocka_unit_test(test_straight_line),
        cmocka_unit_test(test_cmpxchg_flags), cmocka_unit_test(test_prefixed_softint),
        cmocka_unit_test(test_icebp),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
