// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Instruction decoding: every operation in the operand forms that kernels use, and that no bytes whatever do harm.
 *
 * A row's expectation is one string: operands as kind and size, then register number, value or linear address, all but
 * the register number in hex: "m8:ffff888000001000 r8:3". H marks AH..BH; flags and system register follow.
 *
 * Budget: over 400 lines, for the table.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/insn.h"
#include "sim/machine.h"

#define RIP 0xffffffff81000000u
#define B64 UINT64_C(0xffff888000000000) /* gpr[i] is B64 + i * 0x1000 */

struct row {
    unsigned int bits;
    const char *bytes;
    enum insn_op op;
    const char *expect;
};

/* clang-format off */
static const struct row rows[] = {
    /* 64-bit: what Linux writes page tables with */
    { 64, "48 89 18", INSN_MOV, "m8:ffff888000000000 r8:3" },
    { 64, "48 89 1c c8", INSN_MOV, "m8:fffbcc8000008000 r8:3" }, /* index * 8 wraps */
    { 64, "48 c7 00 00 00 00 80", INSN_MOV, "m8:ffff888000000000 i8:ffffffff80000000" },
    { 64, "48 c7 07 00 00 00 00", INSN_MOV, "m8:ffff888000007000 i8:0" },
    { 64, "c7 07 ff ff ff ff", INSN_MOV, "m4:ffff888000007000 i4:ffffffff" },
    { 64, "66 c7 07 ff ff", INSN_MOV, "m2:ffff888000007000 i2:ffff" },
    { 64, "c6 07 80", INSN_MOV, "m1:ffff888000007000 i1:80" },
    { 64, "89 07", INSN_MOV, "m4:ffff888000007000 r4:0" },
    { 64, "66 89 07", INSN_MOV, "m2:ffff888000007000 r2:0" },
    { 64, "88 07", INSN_MOV, "m1:ffff888000007000 r1:0" },
    { 64, "88 27", INSN_MOV, "m1:ffff888000007000 r1:0H" },
    { 64, "40 88 27", INSN_MOV, "m1:ffff888000007000 r1:4" },
    { 64, "4d 89 7c 24 08", INSN_MOV, "m8:ffff88800000c008 r8:15" },
    { 64, "48 8b 47 f8", INSN_MOV, "r8:0 m8:ffff888000006ff8" },
    { 64, "48 89 c3", INSN_MOV, "r8:3 r8:0" },
    { 64, "48 b8 88 77 66 55 44 33 22 11", INSN_MOV, "r8:0 i8:1122334455667788" },
    { 64, "48 c7 c0 ff ff ff ff", INSN_MOV, "r8:0 i8:ffffffffffffffff" },
    { 64, "b8 ff ff ff ff", INSN_MOV, "r4:0 i4:ffffffff" },
    { 64, "48 a3 88 77 66 55 44 33 22 11", INSN_MOV, "m8:1122334455667788 r8:0" },
    { 64, "a0 88 77 66 55 44 33 22 11", INSN_MOV, "r1:0 m1:1122334455667788" },
    { 64, "48 89 05 10 00 00 00", INSN_MOV, "m8:ffffffff81000017 r8:0" },
    { 64, "48 c7 05 f0 ff ff ff 01 00 00 00", INSN_MOV, "m8:ffffffff80fffffb i8:1" },
    { 64, "67 89 05 10 00 00 00", INSN_MOV, "m4:81000017 r4:0" },
    { 64, "65 48 89 04 25 00 00 01 00", INSN_MOV, "m8:ffff888012350000 r8:0" },
    { 64, "64 48 8b 04 25 f8 ff ff ff", INSN_MOV, "r8:0 m8:7efffffffff8" },
    { 64, "65 48 89 03", INSN_MOV, "m8:ffff110012343000 r8:0" },
    { 64, "3e 48 89 03", INSN_MOV, "m8:ffff888000003000 r8:0" },
    { 64, "36 48 89 03", INSN_MOV, "m8:ffff888000003000 r8:0" },
    { 64, "67 48 89 03", INSN_MOV, "m8:3000 r8:0" },
    { 64, "48 89 44 24 10", INSN_MOV, "m8:ffff888000004010 r8:0" },
    { 64, "48 0f c3 07", INSN_MOV, "m8:ffff888000007000 r8:0" },
    { 64, "48 87 07", INSN_XCHG, "m8:ffff888000007000 r8:0" },
    { 64, "87 07", INSN_XCHG, "m4:ffff888000007000 r4:0" },
    { 64, "f0 48 87 07", INSN_XCHG, "m8:ffff888000007000 r8:0 lock" },
    { 64, "f0 48 0f b1 0f", INSN_CMPXCHG, "m8:ffff888000007000 r8:1 lock" },
    { 64, "f0 0f b1 0f", INSN_CMPXCHG, "m4:ffff888000007000 r4:1 lock" },
    { 64, "3e 48 0f b1 0f", INSN_CMPXCHG, "m8:ffff888000007000 r8:1" },
    { 64, "f0 0f b0 0f", INSN_CMPXCHG, "m1:ffff888000007000 r1:1 lock" },
    { 64, "f0 48 0f c1 07", INSN_XADD, "m8:ffff888000007000 r8:0 lock" },
    { 64, "f0 0f c7 0f", INSN_CMPXCHG8B, "m8:ffff888000007000 lock" },
    { 64, "f0 48 81 27 00 00 00 80", INSN_AND, "m8:ffff888000007000 i8:ffffffff80000000 lock" },
    { 64, "f0 48 83 27 fd", INSN_AND, "m8:ffff888000007000 i8:fffffffffffffffd lock" },
    { 64, "f0 80 27 fd", INSN_AND, "m1:ffff888000007000 i1:fd lock" },
    { 64, "83 27 fd", INSN_AND, "m4:ffff888000007000 i4:fffffffd" },
    { 64, "66 83 27 fd", INSN_AND, "m2:ffff888000007000 i2:fffd" },
    { 64, "f0 48 21 0f", INSN_AND, "m8:ffff888000007000 r8:1 lock" },
    { 64, "48 23 0f", INSN_AND, "r8:1 m8:ffff888000007000" },
    { 64, "f0 48 83 0f 20", INSN_OR, "m8:ffff888000007000 i8:20 lock" },
    { 64, "f0 80 4f 01 02", INSN_OR, "m1:ffff888000007001 i1:2 lock" },
    { 64, "48 09 0f", INSN_OR, "m8:ffff888000007000 r8:1" },
    { 64, "48 31 0f", INSN_XOR, "m8:ffff888000007000 r8:1" },
    { 64, "48 83 07 01", INSN_ADD, "m8:ffff888000007000 i8:1" },
    { 64, "48 01 0f", INSN_ADD, "m8:ffff888000007000 r8:1" },
    { 64, "48 2d 00 00 00 80", INSN_SUB, "r8:0 i8:ffffffff80000000" },
    { 64, "48 29 0f", INSN_SUB, "m8:ffff888000007000 r8:1" },
    { 64, "f0 48 0f ba 37 01", INSN_BTR, "m8:ffff888000007000 i1:1 lock" },
    { 64, "f0 48 0f ba 2f 06", INSN_BTS, "m8:ffff888000007000 i1:6 lock" },
    { 64, "f0 48 0f ba 3f 3f", INSN_BTC, "m8:ffff888000007000 i1:3f lock" },
    { 64, "f0 0f ba 77 04 1f", INSN_BTR, "m4:ffff888000007004 i1:1f lock" },
    /* offset in RCX: ffff888000001000h bits down the string; in ECX: 1000h bits, 200h bytes up */
    { 64, "f0 48 0f b3 0f", INSN_BTR, "m8:ffff799000007200 r8:1 lock" },
    { 64, "f0 0f ab 0f", INSN_BTS, "m4:ffff888000007200 r4:1 lock" },
    { 64, "48 0f bb c8", INSN_BTC, "r8:0 r8:1" },
    { 64, "f3 48 ab", INSN_STOS, "m8:ffff888000007000 r8:0 rep" },
    { 64, "48 ab", INSN_STOS, "m8:ffff888000007000 r8:0" },
    { 64, "f3 ab", INSN_STOS, "m4:ffff888000007000 r4:0 rep" },
    { 64, "66 ab", INSN_STOS, "m2:ffff888000007000 r2:0" },
    { 64, "f3 aa", INSN_STOS, "m1:ffff888000007000 r1:0 rep" },
    { 64, "65 aa", INSN_STOS, "m1:ffff888000007000 r1:0" }, /* the destination's segment cannot be overridden */
    { 64, "67 aa", INSN_STOS, "m1:7000 r1:0" },
    { 64, "f3 48 a5", INSN_MOVS, "m8:ffff888000007000 m8:ffff888000006000 rep" },
    { 64, "a5", INSN_MOVS, "m4:ffff888000007000 m4:ffff888000006000" },
    { 64, "66 a5", INSN_MOVS, "m2:ffff888000007000 m2:ffff888000006000" },
    { 64, "64 a4", INSN_MOVS, "m1:ffff888000007000 m1:78000006000" },
    { 64, "0f b6 07", INSN_OTHER, "r4:0 m1:ffff888000007000" },
    { 64, "48 0f b7 07", INSN_OTHER, "r8:0 m2:ffff888000007000" },
    { 64, "0f b6 c4", INSN_OTHER, "r4:0 r1:0H" },
    { 64, "48 63 07", INSN_OTHER, "r8:0 m4:ffff888000007000" },
    { 64, "f2 0f 10 07", INSN_OTHER, "r16:- m8:ffff888000007000 rep" },
    { 64, "8e d8", INSN_OTHER, "r2:- r4:0" },
    { 64, "0f 0b", INSN_OTHER, "" },
    { 64, "48 cf", INSN_OTHER, "" },
    /* privileged and sensitive */
    { 64, "fa", INSN_CLI, "" },
    { 64, "fb", INSN_STI, "" },
    { 64, "f4", INSN_HLT, "" },
    { 64, "e4 80", INSN_IN, "r1:0 i1:80" },
    { 64, "e5 ff", INSN_IN, "r4:0 i1:ff" },
    { 64, "66 e5 60", INSN_IN, "r2:0 i1:60" },
    { 64, "ec", INSN_IN, "r1:0 r2:2" },
    { 64, "ed", INSN_IN, "r4:0 r2:2" },
    { 64, "66 ed", INSN_IN, "r2:0 r2:2" },
    { 64, "e6 80", INSN_OUT, "i1:80 r1:0" },
    { 64, "e7 80", INSN_OUT, "i1:80 r4:0" },
    { 64, "ee", INSN_OUT, "r2:2 r1:0" },
    { 64, "66 ef", INSN_OUT, "r2:2 r2:0" },
    { 64, "ef", INSN_OUT, "r2:2 r4:0" },
    { 64, "f3 6c", INSN_INS, "m1:ffff888000007000 r2:2 rep" },
    { 64, "6d", INSN_INS, "m4:ffff888000007000 r2:2" },
    { 64, "66 6d", INSN_INS, "m2:ffff888000007000 r2:2" },
    { 64, "f3 6e", INSN_OUTS, "r2:2 m1:ffff888000006000 rep" },
    { 64, "6f", INSN_OUTS, "r2:2 m4:ffff888000006000" },
    { 64, "0f 32", INSN_RDMSR, "" },
    { 64, "0f 30", INSN_WRMSR, "" },
    { 64, "0f 31", INSN_RDTSC, "" },
    { 64, "0f 01 f9", INSN_RDTSCP, "" },
    { 64, "0f 33", INSN_RDPMC, "" },
    { 64, "0f a2", INSN_CPUID, "" },
    { 64, "0f 20 c0", INSN_MOV_FROM_CR, "r8:0 r8:- sys0" },
    { 64, "0f 20 d1", INSN_MOV_FROM_CR, "r8:1 r8:- sys2" },
    { 64, "0f 22 df", INSN_MOV_TO_CR, "r8:- r8:7 sys3" },
    { 64, "41 0f 22 e0", INSN_MOV_TO_CR, "r8:- r8:8 sys4" },
    { 64, "44 0f 20 c0", INSN_MOV_FROM_CR, "r8:0 r8:- sys8" },
    { 64, "0f 21 f8", INSN_MOV_FROM_DR, "r8:0 r8:- sys7" },
    { 64, "0f 23 f0", INSN_MOV_TO_DR, "r8:- r8:0 sys6" },
    { 64, "0f 06", INSN_CLTS, "" },
    { 64, "0f 01 f0", INSN_LMSW, "r2:0" },
    { 64, "0f 01 37", INSN_LMSW, "m2:ffff888000007000" },
    { 64, "0f 01 3f", INSN_INVLPG, "m1:ffff888000007000" },
    { 64, "65 0f 01 7f 08", INSN_INVLPG, "m1:ffff110012347008" },
    { 64, "0f 09", INSN_WBINVD, "" },
    { 64, "0f 08", INSN_INVD, "" },
    { 64, "0f 01 d1", INSN_XSETBV, "" },
    { 64, "0f 01 f8", INSN_SWAPGS, "" },
    { 64, "f3 48 0f ae d0", INSN_WRFSGSBASE, "r8:0 rep sys4" },
    { 64, "f3 48 0f ae db", INSN_WRFSGSBASE, "r8:3 rep sys5" },
    { 64, "f3 0f ae d9", INSN_WRFSGSBASE, "r4:1 rep sys5" },
    { 64, "cc", INSN_INT3, "" },
    /* 32-bit: every segment counts, and wraps at 4 GiB */
    { 32, "89 18", INSN_MOV, "m4:10000 r4:3" },
    { 32, "c7 00 00 00 00 80", INSN_MOV, "m4:10000 i4:80000000" },
    { 32, "66 89 18", INSN_MOV, "m2:10000 r2:3" },
    { 32, "a3 00 f0 ff ff", INSN_MOV, "m4:f000 r4:0" },
    { 32, "a1 78 56 34 12", INSN_MOV, "r4:0 m4:12355678" },
    { 32, "89 45 fc", INSN_MOV, "m4:34ffc r4:0" },
    { 32, "89 04 24", INSN_MOV, "m4:34000 r4:0" },
    { 32, "3e 89 04 24", INSN_MOV, "m4:14000 r4:0" },
    { 32, "2e 8b 03", INSN_MOV, "r4:0 m4:43000" },
    { 32, "89 44 8b 10", INSN_MOV, "m4:17010 r4:0" },
    { 32, "67 89 40 10", INSN_MOV, "m4:19010 r4:0" }, /* [bx+si+10h] */
    { 32, "67 89 42 10", INSN_MOV, "m4:3b010 r4:0" }, /* [bp+si+10h]: stack segment */
    { 32, "65 a1 10 00 00 00", INSN_MOV, "r4:0 m4:12340010" },
    { 32, "87 07", INSN_XCHG, "m4:17000 r4:0" },
    { 32, "f0 0f c7 0f", INSN_CMPXCHG8B, "m8:17000 lock" },
    { 32, "f0 0f b1 0f", INSN_CMPXCHG, "m4:17000 r4:1 lock" },
    { 32, "f0 83 27 fd", INSN_AND, "m4:17000 i4:fffffffd lock" },
    { 32, "f3 ab", INSN_STOS, "m4:27000 r4:0 rep" },
    { 32, "f3 a5", INSN_MOVS, "m4:27000 m4:16000 rep" },
    { 32, "64 a4", INSN_MOVS, "m1:27000 m1:6000" },
    { 32, "40", INSN_OTHER, "r4:0" }, /* INC, no REX prefix */
    { 32, "0f 20 c3", INSN_MOV_FROM_CR, "r4:3 r4:- sys0" },
    { 32, "0f 22 d8", INSN_MOV_TO_CR, "r4:- r4:0 sys3" },
    { 32, "0f 23 f8", INSN_MOV_TO_DR, "r4:- r4:0 sys7" },
    { 32, "0f 01 3b", INSN_INVLPG, "m1:13000" },
    { 32, "ed", INSN_IN, "r4:0 r2:2" },
    /* 16-bit */
    { 16, "89 07", INSN_MOV, "m2:13000 r2:0" },
    { 16, "66 89 07", INSN_MOV, "m4:13000 r4:0" },
    { 16, "89 46 fe", INSN_MOV, "m2:34ffe r2:0" },
    { 16, "89 02", INSN_MOV, "m2:3b000 r2:0" },
    { 16, "89 40 80", INSN_MOV, "m2:18f80 r2:0" },
    { 16, "67 66 89 04 8b", INSN_MOV, "m4:17000 r4:0" },
    { 16, "a3 34 12", INSN_MOV, "m2:11234 r2:0" },
    { 16, "26 c6 05 41", INSN_MOV, "m1:27000 i1:41" },
    { 16, "f3 ab", INSN_STOS, "m2:27000 r2:0 rep" },
    { 16, "f3 66 a5", INSN_MOVS, "m4:27000 m4:16000 rep" },
    { 16, "ef", INSN_OUT, "r2:2 r2:0" },
    { 16, "66 ef", INSN_OUT, "r2:2 r4:0" },
    { 16, "0f 20 c0", INSN_MOV_FROM_CR, "r4:0 r4:- sys0" },
    { 16, "0f 22 c0", INSN_MOV_TO_CR, "r4:- r4:0 sys0" },
    { 16, "0f 01 f0", INSN_LMSW, "r2:0" },
    { 16, "fa", INSN_CLI, "" },
};
/* clang-format on */

static struct cpu_state make_state(unsigned int bits)
{
    struct cpu_state st = { .rip = RIP, .mode = CPU_MODE_HVM };

    for (unsigned int i = 0; i < 16; i++)
        st.gpr[i] = B64 + i * 0x1000;
    if (bits != 64)
        st.rip = 0x1000;
    st.efer = bits == 64 ? 0x500 : 0;
    st.seg[CPU_SEG_CS] = (struct cpu_segment){ .base = 0x40000, .attr = bits == 64 ? 0x200 : bits == 32 ? 0x400 : 0 };
    st.seg[CPU_SEG_DS].base = 0x10000;
    st.seg[CPU_SEG_ES].base = 0x20000;
    st.seg[CPU_SEG_SS].base = 0x30000;
    st.seg[CPU_SEG_FS].base = bits == 64 ? UINT64_C(0x7f0000000000) : 0;
    st.seg[CPU_SEG_GS].base = bits == 64 ? UINT64_C(0xffff888012340000) : 0x12340000;
    return st;
}

static size_t parse(const char *hex, uint8_t *bytes)
{
    size_t n = 0;
    int at;

    for (unsigned int b; sscanf(hex, "%x%n", &b, &at) == 1; hex += at)
        bytes[n++] = (uint8_t)b;
    return n;
}

static void describe(const struct insn *in, char *buf, size_t len)
{
    size_t n = 0;

    buf[0] = '\0';
    for (unsigned int i = 0; i < in->nr_operands; i++) {
        const struct insn_operand *o = &in->opnd[i];
        const char *sep = i ? " " : "";

        if (o->kind == INSN_MEM)
            n += (size_t)snprintf(buf + n, len - n, "%sm%u:%" PRIx64, sep, o->size, o->addr);
        else if (o->kind == INSN_IMM)
            n += (size_t)snprintf(buf + n, len - n, "%si%u:%" PRIx64, sep, o->size, o->imm);
        else if (o->gpr < 0)
            n += (size_t)snprintf(buf + n, len - n, "%sr%u:-", sep, o->size);
        else
            n += (size_t)snprintf(buf + n, len - n, "%sr%u:%d%s", sep, o->size, o->gpr, o->high_byte ? "H" : "");
    }
    n += (size_t)snprintf(buf + n, len - n, "%s%s", in->lock ? " lock" : "", in->rep ? " rep" : "");
    if (in->op >= INSN_MOV_FROM_CR && (in->op <= INSN_MOV_TO_DR || in->op == INSN_WRFSGSBASE))
        snprintf(buf + n, len - n, " sys%u", in->sys_reg);
}

static void test_table(void **state)
{
    struct insn_decoder *dec = insn_decoder_create();
    unsigned int failed = 0;

    assert_non_null(dec);
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        const struct cpu_state st = make_state(rows[i].bits);
        char got[160];
        uint8_t bytes[16];
        const size_t n = parse(rows[i].bytes, bytes);
        struct insn in;

        bytes[n] = 0x90; /* the decoder must not look behind the instruction */
        in = insn_decode(dec, &st, bytes, n + 1);
        describe(&in, got, sizeof(got));
        if (in.op != rows[i].op || in.len != n || strcmp(got + (got[0] == ' '), rows[i].expect)) {
            print_error("%u-bit %s: op %d len %u \"%s\" (%s), expected op %d len %zu \"%s\"\n", rows[i].bits,
                        rows[i].bytes, in.op, in.len, got, in.text, rows[i].op, n, rows[i].expect);
            failed++;
        }
        /* Every true prefix of it is no instruction, or a shorter one, but never reads on. */
        for (size_t k = 0; k < n; k++) {
            in = insn_decode(dec, &st, bytes, k);
            assert_true(in.len <= k);
            assert_true((in.op == INSN_INVALID) == (in.len == 0));
        }
    }
    assert_int_equal(failed, 0);
    insn_decoder_destroy(dec);
}

static void test_invalid(void **state)
{
    static const char *const bad[] = {
        "06",                                              /* PUSH ES: not in 64-bit code */
        "0f 04",                                           /* no such opcode */
        "66 66",                                           /* prefixes alone */
        "f0",                                              /* a prefix alone */
        "48",                                              /* a REX prefix alone */
        "48 c7 00 00 00 00",                               /* one byte short */
        "66 66 66 66 66 66 66 66 66 66 66 66 66 66 66 90", /* 16 bytes */
    };
    struct insn_decoder *dec = insn_decoder_create();
    const struct cpu_state st = make_state(64);

    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        uint8_t bytes[16];
        const struct insn in = insn_decode(dec, &st, bytes, parse(bad[i], bytes));

        if (in.op != INSN_INVALID)
            print_error("%s: decoded as %s\n", bad[i], in.text);
        assert_int_equal(in.op, INSN_INVALID);
        assert_int_equal(in.len, 0);
    }
    insn_decoder_destroy(dec);
}

static void test_code_size(void **state)
{
    struct cpu_state st = make_state(64);

    assert_int_equal(insn_code_bits(&st), 64);
    st.efer = 0; /* L means nothing outside long mode ... */
    assert_int_equal(insn_code_bits(&st), 16);
    st.mode = CPU_MODE_PV64; /* ... which PV guests never leave */
    assert_int_equal(insn_code_bits(&st), 64);
    st.seg[CPU_SEG_CS].attr = 0x400;
    assert_int_equal(insn_code_bits(&st), 32);
}

static void test_text(void **state)
{
    static const uint8_t code[] = { 0xfa, 0x06, 0x48, 0x89, 0x18, 0x0f };
    struct insn_decoder *dec = insn_decoder_create();
    struct cpu_state st = make_state(64);
    char buf[512];
    size_t n;

    assert_string_equal(insn_decode(dec, &st, code + 2, 3).text, "mov qword ptr [rax], rbx");
    st.rip += 2;
    n = insn_disassemble(dec, &st, code, sizeof(code), RIP, buf, sizeof(buf));
    assert_int_equal(n, strlen(buf));
    assert_string_equal(buf, "   ffffffff81000000:  fa                       cli\n"
                             "   ffffffff81000001:  06                       .byte 0x06\n"
                             "=> ffffffff81000002:  48 89 18                 mov qword ptr [rax], rbx\n"
                             "   ffffffff81000005:  0f                       .byte 0x0f\n");
    /* Too small a buffer gets whole lines only. */
    n = insn_disassemble(dec, &st, code, sizeof(code), RIP, buf, 60);
    assert_int_equal(n, strlen(buf));
    assert_int_equal(buf[n - 1], '\n');
    assert_int_equal(insn_disassemble(dec, &st, code, sizeof(code), RIP, buf, 0), 0);
    insn_decoder_destroy(dec);
}

/*
 * Bytes that are random, or random behind a table row's start. Run under ASan this proves that nothing is read behind
 * n.
 */
static void test_random(void **state)
{
    struct insn_decoder *dec = insn_decoder_create();
    struct machine rng = { .prng = 2026 }; /* machine_random() needs no more */
    unsigned int valid = 0;

    for (unsigned int i = 0; i < 100000; i++) {
        const uint64_t r = machine_random(&rng);
        const size_t n = r % 18;
        const struct cpu_state st = make_state(r >> 60 < 8 ? 64 : r >> 60 < 12 ? 32 : 16);
        uint8_t row[16], *bytes = malloc(n ? n : 1);
        struct insn in;

        for (size_t k = 0; k < n; k++)
            bytes[k] = (uint8_t)machine_random(&rng);
        if (r & 0x100) {
            const size_t len = parse(rows[(r >> 16) % ARRAY_SIZE(rows)].bytes, row), keep = (r >> 32) % (len + 1);

            memcpy(bytes, row, keep < n ? keep : n);
        }
        in = insn_decode(dec, &st, bytes, n);
        assert_true(in.len <= n && in.len <= 15);
        assert_true((in.op == INSN_INVALID) == (in.len == 0));
        assert_true(in.nr_operands <= 3 && memchr(in.text, 0, sizeof(in.text)));
        for (unsigned int k = 0; k < in.nr_operands; k++)
            assert_true(in.opnd[k].kind != INSN_NONE || in.op == INSN_OTHER);
        valid += in.len != 0;
        free(bytes);
    }
    assert_true(valid > 30000); /* else the test shows nothing */
    insn_decoder_destroy(dec);
}

/* What the decoder kept of other instructions, at the same address and at such that share its place, is not seen. */
static void test_kept(void **state)
{
    struct insn_decoder *dec = insn_decoder_create(), *forgetful = insn_decoder_create();
    static const unsigned int bits[] = { 16, 32, 64 };
    struct machine rng = { .prng = 2026 };
    unsigned int again = 0, last = 0;

    for (unsigned int i = 0; i < 60000; i++) {
        const uint64_t r = machine_random(&rng);
        const unsigned int row = r & 1 ? last : (r >> 8) % ARRAY_SIZE(rows);
        struct cpu_state st = make_state(r & 2 ? rows[row].bits : bits[(r >> 32) % 3]);
        uint8_t bytes[16], nop = 0x90;
        size_t n = parse(rows[row].bytes, bytes);
        char a[160], b[160];
        struct insn kept, fresh;

        if ((r >> 40) % 8 == 0)
            bytes[(r >> 44) % n] ^= (uint8_t)(1u << (r >> 56) % 8);
        if ((r >> 41) % 8 == 0)
            n -= (r >> 44) % n;
        st.rip += (r >> 48) % 3 * 4096;
        st.gpr[(r >> 52) % 16] += r >> 20;
        kept = insn_decode(dec, &st, bytes, n);
        st.rip += 3 * 4096;
        assert_int_equal(insn_decode(forgetful, &st, &nop, 1).len, 1);
        st.rip -= 3 * 4096;
        fresh = insn_decode(forgetful, &st, bytes, n);
        describe(&kept, a, sizeof(a));
        describe(&fresh, b, sizeof(b));
        assert_string_equal(a, b);
        assert_string_equal(kept.text, fresh.text);
        assert_int_equal(kept.op, fresh.op);
        assert_int_equal(kept.len, fresh.len);
        again += row == last;
        last = row;
    }
    assert_true(again > 20000);
    insn_decoder_destroy(dec);
    insn_decoder_destroy(forgetful);
}

/* Of F2 and F3 the last counts, and REX only right in front of the opcode and in 64-bit code. */
static void test_prefixes(void **state)
{
    static const uint8_t all[] = { 0xf0, 0xf2, 0xf3, 0x66, 0x67, 0x65, 0x48, 0xa4 }, rex_first[] = { 0x48, 0x2e, 0x90 };
    struct insn_prefixes p = insn_prefixes(all, sizeof(all), true);

    (void)state;
    assert_int_equal(p.nr, 7);
    assert_int_equal(p.rex, 0x48);
    assert_true(p.lock && p.rep && !p.repne && p.p66 && p.p67 && p.fs_or_gs);
    p = insn_prefixes(all, sizeof(all), false);
    assert_int_equal(p.nr, 6);
    assert_int_equal(p.rex, 0);
    p = insn_prefixes(rex_first, sizeof(rex_first), true);
    assert_int_equal(p.nr, 2);
    assert_int_equal(p.rex, 0);
    assert_false(p.lock || p.rep || p.repne || p.p66 || p.p67 || p.fs_or_gs);
    assert_int_equal(insn_prefixes(all, 3, true).nr, 3); /* nothing is behind them */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_prefixes),  cmocka_unit_test(test_table), cmocka_unit_test(test_invalid),
        cmocka_unit_test(test_code_size), cmocka_unit_test(test_text),  cmocka_unit_test(test_random),
        cmocka_unit_test(test_kept),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
