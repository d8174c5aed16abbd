// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The translator (vcpu/five/translate.h) as what it is, a function from bytes to bytes: for each place of five's text,
 * and for random bytes. What it emits is read with another decoder, Capstone.
 *
 * It could pass wrongly if a product did something else than its source and looked right: what products *do* is tried
 * by five itself (tests/guest/five.test), whose hash is a processor's.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>
#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/insn.h"
#include "sim/pcpu.h"
#include "vcpu/five/interp.h"
#include "vcpu/five/translate.h"

#define FIVE "build/guests/five/five.native"

static struct insn_decoder *decoder;

static struct insn at_address(const uint8_t *bytes, size_t n, uint64_t addr)
{
    const struct cpu_state st = {
        .rip = addr, .seg[CPU_SEG_CS].attr = SEG_ATTR_L, .efer = EFER_LMA, .cr0 = X86_CR0_PE
    };

    return insn_decode(decoder, &st, bytes, n);
}

/* What a guest's kernel may not execute in ring 1, though it does not trap there. */
static bool is_hole(const uint8_t *bytes, size_t n)
{
    struct interp_insn in;

    interp_decode(bytes, n, true, &in);
    switch ((enum interp_op)in.op) {
    case OP_PUSHF:
    case OP_POPF:
    case OP_SGDT:
    case OP_SIDT:
    case OP_SMSW:
    case OP_SLDT:
    case OP_STR:
    case OP_LAR:
    case OP_LSL:
    case OP_VERR:
    case OP_VERW:
    case OP_PUSH_SEG:
    case OP_POP_SEG:
    case OP_MOV_FROM_SEG:
    case OP_RETF:
    case OP_IRET: return true;
    default: return false;
    }
}

/* A copy is its source, or says the same address in another way. */
static void check_copy(const uint8_t *source, size_t n, uint64_t rip, const uint8_t *product, size_t m, uint64_t at)
{
    const struct insn a = at_address(source, n, rip), b = at_address(product, m, at);

    if (a.len == b.len && !memcmp(source, product, a.len))
        return;
    assert_int_equal(a.op, b.op);
    assert_int_equal(a.nr_operands, b.nr_operands);
    for (unsigned int i = 0; i < a.nr_operands; i++)
        if (a.opnd[i].kind == INSN_MEM)
            assert_int_equal(a.opnd[i].addr, b.opnd[i].addr);
}

/* How many instructions of the source there are: each begins once. */
static unsigned int check_block(const uint8_t *source, size_t n, uint64_t rip, const struct tc_emit *t, uint32_t len)
{
    unsigned int insns = 0;
    uint64_t last = rip - 1;

    assert_true(t->size >= TC_BLOCK_MIN && t->size <= t->room && t->map[0].at == t->at);
    assert_true(t->nr_map >= 2); /* room for what is left of it when its text changes */
    assert_true(t->map[0].kind == TC_INSN && t->map[0].rip == rip && len <= n);
    for (uint32_t i = 0; i < t->nr_map; i++) {
        const struct tc_map *m = &t->map[i];
        const uint32_t offset = m->at - t->at, end = i + 1 < t->nr_map ? m[1].at - t->at : offset + 2;
        const uint8_t *code = t->code + offset;
        const struct insn in = at_address(code, t->size - offset, TC_CODE + m->at);

        assert_true(offset < t->size && end <= t->size && end > offset);
        if (m->out)
            assert_memory_equal(code, "\x0f\x0b", 2);
        if (!m->out && in.op != INSN_INVALID && i + 1 < t->nr_map && in.len != end - offset)
            fail_msg("%s is of %u bytes, not %u: %02x %02x %02x %02x %02x", in.text, in.len, end - offset, code[0],
                     code[1], code[2], code[3], code[4]);
        assert_false(is_hole(code, t->size - offset));
        if (m->kind == TC_INSN && m->rip != last) {
            assert_true(m->rip > last || !insns);
            last = m->rip;
            insns++;
        }
        if (m->kind == TC_TARGET && m->out && m->link != TC_NO_LINK) {
            const uint32_t branch = offset - m->link;
            int32_t rel;

            memcpy(&rel, t->code + branch - 4, sizeof(rel));
            assert_int_equal((int64_t)branch + rel, offset);
        }
    }
    assert_true(insns >= 1 && insns <= TC_BLOCK_MAX && last < rip + len);
    return insns;
}

static unsigned int translate(const uint8_t *source, size_t n, uint64_t rip)
{
    static uint8_t code[TC_BLOCK_ROOM];
    static struct tc_map map[TC_BLOCK_MAPS];
    struct tc_emit t = { .code = code, .at = 0x1234, .room = sizeof(code), .map = map, .room_map = TC_BLOCK_MAPS };
    const uint32_t len = translate_block(&t, rip, source, n);
    struct interp_insn in;

    if (!len)
        return 0;
    interp_decode(source, n, true, &in);
    if (t.nr_map > 1 && !map[0].out && in.op < OP_JCC)
        check_copy(source, in.len, rip, code, map[1].at - map[0].at, TC_CODE + t.at);
    return check_block(source, n, rip, &t, len);
}

/* From each byte of it on. */
static void test_five(void **state)
{
    unsigned int blocks = 0, insns = 0;
    static uint8_t file[1 << 20];
    FILE *f = fopen(FIVE, "re");
    const Elf64_Ehdr *eh = (const void *)file;
    size_t n;

    assert_non_null(f);
    n = fread(file, 1, sizeof(file), f);
    fclose(f);
    assert_true(n > sizeof(*eh));
    for (unsigned int i = 0; i < eh->e_phnum; i++) {
        const Elf64_Phdr *ph = (const void *)(file + eh->e_phoff + i * sizeof(*ph));

        for (size_t at = 0; ph->p_type == PT_LOAD && ph->p_flags & PF_X && at < ph->p_filesz; at++) {
            const unsigned int got = translate(file + ph->p_offset + at, ph->p_filesz - at, ph->p_vaddr + at);

            insns += got;
            blocks += got != 0;
        }
    }
    print_message("%u blocks of %u instructions\n", blocks, insns);
    assert_true(blocks > 5000);
}

static void test_random(void **state)
{
    unsigned int blocks = 0;
    uint64_t seed = 15;
    uint8_t bytes[96];

    for (unsigned int i = 0; i < 100000; i++) {
        for (unsigned int k = 0; k < sizeof(bytes); k++) {
            seed = seed * 6364136223846793005u + 1442695040888963407u;
            bytes[k] = (uint8_t)(seed >> 56);
        }
        blocks += translate(bytes, sizeof(bytes), i % 2 ? (uint64_t)0xffffffff80001000 : 0x123456789000ul + i) != 0;
    }
    assert_true(blocks > 90000);
}

/* Of an address that no operand can say, an instruction that nobody knows, and half of one. */
static void test_edges(void **state)
{
    static const uint8_t relative[] = { 0x48, 0x8b, 0x05, 0x10, 0, 0, 0, 0xc3 }, half[] = { 0x48, 0x8b };
    uint8_t code[TC_BLOCK_ROOM];
    struct tc_map map[TC_BLOCK_MAPS];
    struct tc_emit t = { .code = code, .room = sizeof(code), .map = map, .room_map = TC_BLOCK_MAPS };

    assert_int_equal(translate_block(&t, 0x123456789000, relative, sizeof(relative)), 7);
    assert_true(map[0].out && map[0].kind == TC_INSN);
    t.size = t.nr_map = 0;
    assert_true(translate_block(&t, 0xffffffff80000000, relative, sizeof(relative)) == 8 && !map[0].out);
    t.size = t.nr_map = 0;
    assert_int_equal(translate_block(&t, 0x1000, half, sizeof(half)), 0);
    translate_dead(&t, 0x1000);
    assert_true(t.nr_map == 2 && map[1].out && map[1].kind == TC_TARGET && map[1].link == 0 && map[1].rip == 0x1000);
}

/* A branch by way of GS reads its target there. */
static void test_gs(void **state)
{
    static const uint8_t call[] = { 0x65, 0xff, 0x14, 0x25, 0xa0, 0, 0, 0 },
                         load[] = { 0x65, 0x48, 0x8b, 0x04, 0x25, 0xa0, 0, 0, 0 };
    uint8_t code[TC_BLOCK_ROOM];
    struct tc_map map[TC_BLOCK_MAPS];
    struct tc_emit t = { .code = code, .room = sizeof(code), .map = map, .room_map = TC_BLOCK_MAPS };

    (void)state;
    assert_int_equal(translate_block(&t, 0x1000, call, sizeof(call)), sizeof(call));
    assert_non_null(memmem(code, t.size, load, sizeof(load)));
}

/* RET n takes n bytes off the stack behind the address. */
static void test_ret(void **state)
{
    static const uint8_t source[][3] = { { 0xc3 }, { 0xc2, 0, 0 }, { 0xc2, 0x10, 0 }, { 0xc2, 0xff, 0xff } };
    static const uint32_t frees[] = { 8, 8, 8 + 0x10, 8 + 0xffff };
    uint8_t code[TC_BLOCK_ROOM], lea[8] = { 0x48, 0x8d, 0xa4, 0x24 };
    struct tc_map map[TC_BLOCK_MAPS];

    (void)state;
    for (unsigned int i = 0; i < 4; i++) {
        struct tc_emit t = { .code = code, .room = sizeof(code), .map = map, .room_map = TC_BLOCK_MAPS };

        assert_int_equal(translate_block(&t, 0x1000, source[i], i ? 3 : 1), i ? 3 : 1);
        memcpy(lea + 4, &frees[i], 4);
        assert_non_null(memmem(code, t.size, lea, sizeof(lea)));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_five), cmocka_unit_test(test_random),
                                        cmocka_unit_test(test_edges), cmocka_unit_test(test_gs),
                                        cmocka_unit_test(test_ret) };
    int rc;

    decoder = insn_decoder_create();
    if (!decoder)
        return 1;
    rc = cmocka_run_group_tests(tests, NULL, NULL);
    insn_decoder_destroy(decoder);
    return rc;
}
