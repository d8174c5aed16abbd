// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What guests may reach by their segments, and aligned: checks that translated code lacks.
 *
 * Concept: the translator adds a segment's base to an address if it has to, and checks nothing. So in front of an
 * instruction with an operand in memory a call is put which does, where it could matter:
 *
 *      16-bit code, real mode, virtual-8086 mode     always
 *      32-bit code     if a data segment or the stack is not flat, or the instruction names CS, FS or GS
 *      ring 3          with RFLAGS.AC (blocks with and without it are different ones)
 *      64-bit code     LGDT and LIDT, whose base must be canonical
 *      all             CLFLUSH, which is a read
 *
 * The translator knows a flag by which blocks are told apart, "bases are to be added" (RAW_HF_ADDSEG). Here it means
 * that DS, ES or SS is not flat (or CS, in a machine with exact segments): with a base, a limit, read only, expanding
 * down, or null. Kernels that have flat segments pay nothing.
 *
 * A check is told in two words: which one, and the displacement.
 *
 *      31     30   29    28..19   18       17       16..15  14      13..10  9      8..5   4       3       2..0
 *      table  rip  a32   size     addr16   rep      scale   index?  index   base?  base   natural write   segment
 *
 * Bit 30 outside 64-bit code: the operand is where a branch goes to. Size 0: it is none of an operand (gate.h).
 *
 * Invariant: a check changes nothing; what it raises is raised in front of the instruction.
 *
 * Where code may lie, and ENTER: segment_code.c, in a machine with exact segments. That checks 32-bit PV guests, too.
 *
 * Budget: over 400 lines: what each opcode does with its operand.
 *
 * Sources: AMD APM volume 2, 4.7 (descriptors), 4.12 (limits), 8.2.18 (#AC); volume 3, appendix A (operands).
 */
#include "sim/engine/gate.h"
#include "sim/engine/pcpu_private.h"

#define CHECK_SEG      0x7u
#define CHECK_WRITE    (1u << 3)
#define CHECK_NATURAL  (1u << 4) /* its size is what it is to be aligned to */
#define CHECK_BASE(r)  ((r) << 5 | 1u << 9)
#define CHECK_INDEX(r) ((r) << 10 | 1u << 14)
#define CHECK_SCALE(s) ((s) << 15)
#define CHECK_REP      (1u << 17) /* nothing is accessed if CX is 0 */
#define CHECK_ADDR16   (1u << 18)
#define CHECK_SIZE(n)  ((n) << 19)
#define CHECK_ADDR32   (1u << 29)
#define CHECK_RIP      (1u << 30) /* in 64-bit code; */
#define CHECK_TARGET   (1u << 30) /* in other code: it is where a branch goes to, by its lower half if it is FAR */
#define CHECK_TABLE    (1u << 31) /* in 64-bit code, or CLFLUSH */

/* ------------------------------------------------------------------------------------------ what an operand is -- */

struct operand {
    unsigned int size;
    bool write, exact; /* exact: it is one number of that size */
};

#define READS(n)  ((struct operand){ (n), false, true })
#define WRITES(n) ((struct operand){ (n), true, true })
#define IMAGE(n)  ((struct operand){ (n), false, false })
#define NOTHING   IMAGE(0)

static unsigned int operand_size(const struct insn_head *h)
{
    return h->code64 && h->prefixes.rex & 8 ? 8 : h->prefixes.p66 != h->code16 ? 2 : 4;
}

/* D8 to DF: by the opcode's lower three bits and reg; bit 7: a store. */
static struct operand operand_x87(struct insn_head *h)
{
    static const uint8_t what[8][8] = {
        { 4, 4, 4, 4, 4, 4, 4, 4 },                        /* D8 */
        { 4, 0, 0x84, 0x84, 28, 2, 0x80 | 28, 0x82 },      /* D9; environments */
        { 4, 4, 4, 4, 4, 4, 4, 4 },                        /* DA */
        { 4, 0x84, 0x84, 0x84, 0, 10, 0, 0x80 | 10 },      /* DB */
        { 8, 8, 8, 8, 8, 8, 8, 8 },                        /* DC */
        { 8, 0x88, 0x88, 0x88, 108, 0, 0x80 | 108, 0x82 }, /* DD */
        { 2, 2, 2, 2, 2, 2, 2, 2 },                        /* DE */
        { 2, 0x82, 0x82, 0x82, 10, 8, 0x80 | 10, 0x88 },   /* DF */
    };
    const uint8_t w = what[h->opcode & 7][gate_reg(h)];
    unsigned int n = w & 0x7f;

    if (operand_size(h) == 2 && n >= 28)
        n -= 14;
    return (struct operand){ n, w & 0x80, n <= 8 };
}

static struct operand operand_map0(struct insn_head *h)
{
    const unsigned int v = operand_size(h), reg = h->opcode >= 0x80 ? gate_reg(h) : 0, n = h->opcode & 1 ? v : 1;

    switch (h->opcode) {
    case 0x00 ... 0x3f: return (h->opcode & 2) || h->opcode >= 0x38 ? READS(n) : WRITES(n);
    case 0x62: return IMAGE(2 * v);
    case 0x63: return h->code64 ? READS(4) : WRITES(2);
    case 0x69:
    case 0x6b: return READS(v);
    case 0x80 ... 0x83: return reg == 7 ? READS(n) : WRITES(n);
    case 0x84 ... 0x85:
    case 0x8a ... 0x8b: return READS(n);
    case 0x86 ... 0x89: return WRITES(n);
    case 0x8c: return WRITES(2);
    case 0x8e: return READS(2);
    case 0x8f: return WRITES(h->code64 && v == 4 ? 8 : v);
    case 0xc0 ... 0xc1:
    case 0xc6 ... 0xc7:
    case 0xd0 ... 0xd3: return WRITES(n);
    case 0xc4 ... 0xc5: return IMAGE(v + 2);
    case 0xd8 ... 0xdf: return operand_x87(h);
    case 0xf6 ... 0xf7: return reg == 2 || reg == 3 ? WRITES(n) : READS(n);
    case 0xfe: return WRITES(1);
    case 0xff: return reg < 2 ? WRITES(v) : reg == 3 || reg == 5 ? IMAGE(v + 2) : READS(h->code64 && v == 4 ? 8 : v);
    default: return NOTHING;
    }
}

/* SSE and MMX: how much of sixteen or eight bytes. */
static struct operand operand_media(struct insn_head *h)
{
    const bool np = !h->prefixes.rep && !h->prefixes.repne && !h->prefixes.p66;
    const unsigned int scalar = h->prefixes.repne ? 8 : h->prefixes.rep ? 4 : 16;
    struct operand o = IMAGE(h->opcode >= 0x60 && np && h->opcode != 0xc2 && h->opcode != 0xc6 ? 8 : 16);

    switch (h->opcode) {
    case 0x10 ... 0x11:
    case 0x51 ... 0x59:
    case 0x5c ... 0x5f:
    case 0xc2: o.size = scalar; break;
    case 0x5a: o.size = np ? 8 : scalar; break;
    case 0x60 ... 0x62: o.size = np ? 4 : 16; break;
    case 0xe6: o.size = h->prefixes.rep ? 8 : 16; break;
    case 0x2a:
    case 0x2c ... 0x2d: o.size = scalar == 16 ? 8 : h->opcode == 0x2a ? operand_size(h) : scalar; break;
    case 0x2e ... 0x2f: o.size = h->prefixes.p66 ? 8 : 4; break;
    case 0x12:
    case 0x16: o.size = h->prefixes.rep ? 16 : 8; break;
    case 0x13:
    case 0x17:
    case 0xd6: o.size = 8; break;
    case 0x6e: o.size = h->prefixes.rex & 8 ? 8 : 4; break;
    case 0x7e: o.size = h->prefixes.rex & 8 || h->prefixes.rep ? 8 : 4; break;
    case 0xc4: o.size = 2; break;
    }
    o.write = h->opcode == 0x11 || h->opcode == 0x13 || h->opcode == 0x17 || h->opcode == 0x29 || h->opcode == 0x2b ||
              (h->opcode == 0x7e && !h->prefixes.rep) || h->opcode == 0x7f || h->opcode == 0xd6 || h->opcode == 0xe7;
    o.exact = o.size <= 8;
    return o;
}

static struct operand operand_map1(struct insn_head *h)
{
    const unsigned int v = operand_size(h);

    switch (h->opcode) {
    case 0x00: return gate_reg(h) < 2 ? WRITES(2) : READS(2);
    case 0x01:
        switch (gate_reg(h)) {
        case 0:
        case 1: return (struct operand){ h->code64 ? 10 : 6, true, false };
        case 2:
        case 3: return IMAGE(h->code64 ? 10 : 6);
        case 4: return WRITES(2);
        case 6: return READS(2);
        default: return NOTHING;
        }
    case 0x02 ... 0x03: return READS(2);
    case 0x40 ... 0x4f: return READS(v);
    case 0x90 ... 0x9f: return WRITES(1);
    case 0xa3: return READS(v);
    case 0xa4 ... 0xa5:
    case 0xab:
    case 0xac ... 0xad:
    case 0xb3:
    case 0xbb:
    case 0xc3: return WRITES(v);
    case 0xaf:
    case 0xb8:
    case 0xbc ... 0xbd: return READS(v);
    case 0xb0:
    case 0xc0: return WRITES(1);
    case 0xb1:
    case 0xc1: return WRITES(v);
    case 0xb2:
    case 0xb4 ... 0xb5: return IMAGE(v + 2);
    case 0xb6:
    case 0xbe: return READS(1);
    case 0xb7:
    case 0xbf: return READS(2);
    case 0xba: return gate_reg(h) == 4 ? READS(v) : WRITES(v);
    case 0xc7: return (struct operand){ v == 8 ? 16 : 8, true, v != 8 };
    case 0xae:
        switch (gate_reg(h)) {
        case 0: return (struct operand){ 512, true, false };
        case 1: return IMAGE(512);
        case 2: return READS(4);
        case 3: return WRITES(4);
        case 7: return IMAGE(1);
        default: return NOTHING;
        }
    default: return gate_is_media(h) && h->opcode != 0x77 ? operand_media(h) : NOTHING;
    }
}

static struct operand operand_map2(struct insn_head *h)
{
    const unsigned int v = operand_size(h);

    switch (h->opcode) {
    case 0x20: /* PMOVSX, PMOVZX: half, a quarter, an eighth of a register */
    case 0x23:
    case 0x25:
    case 0x30:
    case 0x33:
    case 0x35: return READS(8);
    case 0x21:
    case 0x24:
    case 0x31:
    case 0x34: return READS(4);
    case 0x22:
    case 0x32: return READS(2);
    case 0xf0: return READS(h->prefixes.repne ? 1 : v);
    case 0xf1: return h->prefixes.repne ? READS(v) : WRITES(v);
    case 0xf6: return READS(h->prefixes.rex & 8 ? 8 : 4);
    default: return IMAGE(h->prefixes.p66 ? 16 : 8);
    }
}

static struct operand operand_map3(struct insn_head *h)
{
    const unsigned int word = h->prefixes.rex & 8 ? 8 : 4;

    switch (h->opcode) {
    case 0x0a: return READS(4); /* ROUNDSS, ROUNDSD */
    case 0x0b: return READS(8);
    case 0x14: return WRITES(1); /* PEXTR */
    case 0x15: return WRITES(2);
    case 0x16: return WRITES(word);
    case 0x17: return WRITES(4);
    case 0x20: return READS(1); /* PINSR */
    case 0x21: return READS(4);
    case 0x22: return READS(word);
    default: return IMAGE(h->prefixes.p66 ? 16 : 8);
    }
}

static struct operand operand_of(struct insn_head *h)
{
    static struct operand (*const maps[])(struct insn_head *) = { operand_map0, operand_map1, operand_map2,
                                                                  operand_map3 };

    return maps[h->map](h);
}

/* Does ModRM follow the opcode? Of map 0 only; elsewhere it does where operand_of() knows one. */
static bool has_modrm(const struct insn_head *h)
{
    const uint8_t op = h->opcode;

    if (h->map)
        return true;
    return (op < 0x40 && (op & 7) < 4) || op == 0x62 || op == 0x63 || op == 0x69 || op == 0x6b ||
           (op >= 0x80 && op <= 0x8f && op != 0x8d) || (op & 0xfe) == 0xc0 || (op >= 0xc4 && op <= 0xc7) ||
           (op >= 0xd0 && op <= 0xd3) || (op >= 0xd8 && op <= 0xdf) || (op & 0xfe) == 0xf6 || (op & 0xfe) == 0xfe;
}

/* ---------------------------------------------------------------------------------------------- where it is -- */

/* The segment that a prefix names, or -1; in 64-bit code only FS and GS count. */
static int named_segment(const struct insn_head *h)
{
    int seg = -1;

    for (unsigned int i = 0; i < h->prefixes.nr; i++)
        switch (h->e->real.cpu_ldub_code((struct CPUX86State *)(void *)h->e->raw.st, h->pc + i)) {
        case 0x26: seg = h->code64 ? seg : CPU_SEG_ES; break;
        case 0x2e: seg = h->code64 ? seg : CPU_SEG_CS; break;
        case 0x36: seg = h->code64 ? seg : CPU_SEG_SS; break;
        case 0x3e: seg = h->code64 ? seg : CPU_SEG_DS; break;
        case 0x64: seg = CPU_SEG_FS; break;
        case 0x65: seg = CPU_SEG_GS; break;
        }
    return seg;
}

static int32_t displacement(struct insn_head *h, unsigned int n)
{
    uint32_t val = 0;

    for (unsigned int i = 0; i < n; i++)
        val |= (uint32_t)gate_next_byte(h) << 8 * i;
    return n == 1 ? (int8_t)val : n == 2 ? (int16_t)val : (int32_t)val;
}

static uint32_t address16(struct insn_head *h, int32_t *disp)
{
    static const uint32_t regs[8] = {
        CHECK_BASE(3u) | CHECK_INDEX(6u),
        CHECK_BASE(3u) | CHECK_INDEX(7u),
        CHECK_BASE(5u) | CHECK_INDEX(6u),
        CHECK_BASE(5u) | CHECK_INDEX(7u),
        CHECK_BASE(6u),
        CHECK_BASE(7u),
        CHECK_BASE(5u),
        CHECK_BASE(3u),
    };
    const unsigned int mod = gate_modrm(h) >> 6, rm = gate_modrm(h) & 7;
    const bool absolute = rm == 6 && !mod;

    *disp = displacement(h, absolute || mod == 2 ? 2 : mod);
    return CHECK_ADDR16 |
           (absolute ? CPU_SEG_DS : regs[rm] | (rm == 2 || rm == 3 || rm == 6 ? CPU_SEG_SS : CPU_SEG_DS));
}

static uint32_t address32(struct insn_head *h, int32_t *disp)
{
    const unsigned int mod = gate_modrm(h) >> 6, rex_b = (h->prefixes.rex & 1u) << 3;
    unsigned int base = gate_modrm(h) & 7;
    const bool sib = base == 4;
    uint32_t check = 0;

    if (sib) {
        const uint8_t s = gate_next_byte(h);
        const unsigned int index = (s >> 3 & 7u) | (h->prefixes.rex & 2u) << 2;

        base = s & 7;
        if (index != 4)
            check |= CHECK_INDEX(index) | CHECK_SCALE((unsigned int)s >> 6);
    }
    if (base == 5 && !mod) {
        *disp = displacement(h, 4);
        if (!sib && h->code64) {
            *disp += (int32_t)(uint32_t)(h->pc + h->len);
            check |= CHECK_RIP;
        }
        return check | CPU_SEG_DS;
    }
    *disp = displacement(h, mod == 2 ? 4 : mod);
    return check | CHECK_BASE(base | rex_b) | ((base == 4 || base == 5) && !rex_b ? CPU_SEG_SS : CPU_SEG_DS);
}

static void add(struct insn_head *h, uint32_t check, struct operand o, int32_t disp)
{
    gate_check(h,
               check | CHECK_SIZE(o.size) | (o.write ? CHECK_WRITE : 0) |
                   (o.exact && !(o.size & (o.size - 1)) ? CHECK_NATURAL : 0),
               disp);
}

static uint32_t address_size(const struct insn_head *h)
{
    if (h->code64)
        return h->prefixes.p67 ? CHECK_ADDR32 : 0;
    return h->prefixes.p67 != h->code16 ? CHECK_ADDR16 : 0;
}

/* ------------------------------------------------------------------------------------------- without ModRM -- */

/* Bytes that an instruction pushes (negative) or pops; 0: it is none of these. */
static int stack_bytes(struct insn_head *h)
{
    const unsigned int size = operand_size(h);
    const int v = h->code64 && size == 4 ? 8 : (int)size;

    if (h->map == 1)
        return h->opcode == 0xa0 || h->opcode == 0xa8 ? -v : h->opcode == 0xa1 || h->opcode == 0xa9 ? v : 0;
    if (h->map)
        return 0;
    switch (h->opcode) {
    case 0x06:
    case 0x0e:
    case 0x16:
    case 0x1e:
    case 0x50 ... 0x57:
    case 0x68:
    case 0x6a:
    case 0x9c:
    case 0xe8: return -v;
    case 0x07:
    case 0x17:
    case 0x1f:
    case 0x58 ... 0x5f:
    case 0x8f:
    case 0x9d:
    case 0xc2 ... 0xc3: return v;
    case 0xff: return gate_reg(h) == 2 || gate_reg(h) == 6 ? -v : 0;
    default: return 0;
    }
}

/* In real mode and virtual-8086 mode: words of a frame that a far transfer pushes (negative) or pops. */
static int far_slots(struct insn_head *h)
{
    if (h->map || h->protected)
        return 0;
    switch (h->opcode) {
    case 0x9a: return -2;
    case 0xca ... 0xcb: return 2;
    case 0xcf: return 3;
    case 0xff: return gate_reg(h) == 3 ? -2 : 0;
    default: return 0;
    }
}

static void check_stack(struct insn_head *h)
{
    const bool ss32 = raw_get(&h->e->raw, hflags, uint32_t) & RAW_HF_SS32;
    const uint32_t stack = CPU_SEG_SS | (ss32 || h->code64 ? 0 : CHECK_ADDR16);
    const unsigned int v = operand_size(h);
    const uint32_t target = h->branches && h->opcode != 0xff && h->opcode != 0xe8 ? CHECK_TARGET : 0;
    const bool all = h->map == 0 && (h->opcode & 0xfe) == 0x60;
    const int n = all ? 0 : stack_bytes(h), slots = all ? h->opcode == 0x60 ? -8 : 8 : far_slots(h);

    if (n)
        add(h, stack | target | CHECK_BASE(4u), (struct operand){ (unsigned int)(n < 0 ? -n : n), n < 0, true },
            n < 0 ? n : 0);
    if (slots)
        gate_check(h, CODE_CHECK(CODE_SLOTS, CODE_SLOTS_ARG(abs(slots), v, slots < 0)), slots < 0 ? slots * (int)v : 0);
    if (slots > 0 && target)
        add(h, stack | target | CHECK_BASE(4u), READS(v), 0);
    if (h->map == 0 && h->opcode == 0xc9) /* LEAVE */
        add(h, stack | CHECK_BASE(5u), READS(v), 0);
}

/* Strings, MOV with an address, XLAT, MASKMOV. False: none of these. */
static bool check_implied(struct insn_head *h, uint32_t seg)
{
    const unsigned int n = h->opcode & 1 ? operand_size(h) : 1;
    const uint32_t how =
        address_size(h) | (h->opcode >= 0xa4 && (h->prefixes.rep || h->prefixes.repne) ? CHECK_REP : 0);

    if (h->map == 1 && h->opcode == 0xf7) {
        add(h, how | seg | CHECK_BASE(7u), (struct operand){ h->prefixes.p66 ? 16 : 8, true, false }, 0);
        return true;
    }
    if (h->map)
        return false;
    switch (h->opcode) {
    case 0xd7:
        gate_check(h, CODE_CHECK(CODE_EXTRA_AL, 0), 0);
        add(h, how | seg | CHECK_BASE(3u), READS(1), 0);
        return true;
    case 0xa0 ... 0xa3: {
        const int32_t disp = displacement(h, how & CHECK_ADDR16 ? 2 : 4);

        if (!h->code64) /* eight bytes do not fit */
            add(h, how | seg, h->opcode < 0xa2 ? READS(n) : WRITES(n), disp);
        return true;
    }
    case 0xa4 ... 0xa7: /* MOVS, CMPS */
        add(h, how | seg | CHECK_BASE(6u), READS(n), 0);
        add(h, how | CPU_SEG_ES | CHECK_BASE(7u), h->opcode < 0xa6 ? WRITES(n) : READS(n), 0);
        return true;
    case 0xaa ... 0xab: add(h, how | CPU_SEG_ES | CHECK_BASE(7u), WRITES(n), 0); return true;
    case 0xac ... 0xad: add(h, how | seg | CHECK_BASE(6u), READS(n), 0); return true;
    case 0xae ... 0xaf: add(h, how | CPU_SEG_ES | CHECK_BASE(7u), READS(n), 0); return true;
    default: return false;
    }
}

/* ------------------------------------------------------------------------------------------------ at translation -- */

/* LGDT, LIDT, CLFLUSH. */
static bool always_checked(struct insn_head *h)
{
    return h->map == 1 && ((h->opcode == 0x01 && (gate_reg(h) & 6) == 2) || (h->opcode == 0xae && gate_reg(h) == 7)) &&
           !gate_is_reg(h);
}

/* It faults whatever its operand is: it has none in this mode, or belongs to others. */
static bool is_refused(const struct insn_head *h, uint32_t hf, uint64_t flags)
{
    const unsigned int reg = h->modrm >> 3 & 7;
    const bool vm_sensitive = h->map == 0 && (h->opcode == 0x9c || h->opcode == 0x9d || h->opcode == 0xcf);

    if (vm_sensitive)
        return (flags & X86_EFLAGS_VM) && (flags & X86_EFLAGS_IOPL) != X86_EFLAGS_IOPL;
    if (!h->protected && ((h->map == 0 && h->opcode == 0x63) ||
                          (h->map == 1 && (h->opcode == 0x00 || h->opcode == 0x02 || h->opcode == 0x03))))
        return true;
    return h->map == 1 && hf & RAW_HF_CPL &&
           ((h->opcode == 0x00 && (reg == 2 || reg == 3)) || (h->opcode == 0x01 && (reg == 2 || reg == 3 || reg == 6)));
}

/* Not in 64-bit code: BT and its kind with a bit in a register reach beyond their operand. */
static void check_bit_offset(struct insn_head *h)
{
    if (h->map == 1 && !h->code64 && (h->opcode == 0xa3 || h->opcode == 0xab || h->opcode == 0xb3 || h->opcode == 0xbb))
        gate_check(h, CODE_CHECK(CODE_EXTRA_BITS, gate_reg(h) | (operand_size(h) == 4 ? 8u : 0)), 0);
}

static void check_operand(struct insn_head *h, int named)
{
    struct operand o = operand_of(h);
    uint32_t check;
    int32_t disp;

    if (!o.size || gate_is_reg(h))
        return;
    check = address_size(h);
    check |= check & CHECK_ADDR16 ? address16(h, &disp) : address32(h, &disp);
    if (h->code64)
        check |= named_segment(h) < 0 ? 0 : (check & ~CHECK_SEG) | (uint32_t)named_segment(h);
    else if (named >= 0)
        check = (check & ~CHECK_SEG) | (uint32_t)named;
    if (always_checked(h) && (h->code64 || h->opcode == 0xae))
        check |= CHECK_TABLE;
    if (h->map == 0 && h->opcode == 0x8f && (check & CHECK_BASE(15u)) == CHECK_BASE(4u)) /* POP has moved ESP */
        disp += (int32_t)o.size;
    check_bit_offset(h);
    add(h, check | (h->branches ? CHECK_TARGET : 0), o, disp);
}

void emu_segment_checks(struct insn_head *h)
{
    struct emu *e = h->e;
    const uint32_t hf = raw_get(&e->raw, hflags, uint32_t);
    const uint64_t flags = raw_get(&e->raw, eflags, uint64_t);
    const bool aligned = e->nested.on && (hf & RAW_HF_CPL) == 3 && flags & X86_EFLAGS_AC;
    const int named = h->code64 ? -1 : named_segment(h);
    bool late;

    e->gate.nr_checks = 0;
    h->protected = (hf & RAW_HF_PE) && !(flags & X86_EFLAGS_VM);
    if (!emu_segments_count(e, e->nested.on) || (h->code64 && !e->nested.on) ||
        ((hf & (RAW_HF_EM | RAW_HF_TS)) && (gate_is_media(h) || (h->opcode & 0xf8) == 0xd8)))
        return;
    if (!aligned && !always_checked(h) &&
        (h->code64 || (!(hf & RAW_HF_ADDSEG) && named != CPU_SEG_CS && named != CPU_SEG_FS && named != CPU_SEG_GS)))
        return;
    if (is_refused(h, hf, flags))
        return;
    if (e->gate.limited)
        gate_branch(h);
    late = h->map == 0 && h->opcode == 0xff; /* CALL and PUSH read their operand first */
    if (!late)
        check_stack(h);
    if (!check_implied(h, named >= 0 ? (uint32_t)named : CPU_SEG_DS) && has_modrm(h))
        check_operand(h, named);
    if (late)
        check_stack(h);
}

/* --------------------------------------------------------------------------------------------------- at run time -- */

static uint64_t offset(struct emu *e, uint32_t what, int32_t disp, bool code64)
{
    const uint64_t *gpr = raw_gprs(&e->raw);
    uint64_t at = (uint64_t)(int64_t)disp;

    if (what & CHECK_RIP && code64) { /* which is within 2 GiB of the code that this is */
        const uint64_t ip = raw_get(&e->raw, eip, uint64_t);

        return ip + (uint64_t)(int64_t)(int32_t)((uint32_t)disp - (uint32_t)ip);
    }
    at += e->gate.extra_offset;
    e->gate.extra_offset = 0;
    if (what >> 9 & 1)
        at += gpr[what >> 5 & 15];
    if (what >> 14 & 1)
        at += gpr[what >> 10 & 15] << (what >> 15 & 3);
    return what & CHECK_ADDR16 ? at & 0xffff : code64 && !(what & CHECK_ADDR32) ? at : (uint32_t)at;
}

/* How often an instruction with REP is executed. */
static uint64_t counted(struct emu *e, uint32_t what, bool code64)
{
    const uint64_t rcx = raw_gprs(&e->raw)[1];

    return what & CHECK_ADDR16 ? (uint16_t)rcx : code64 && !(what & CHECK_ADDR32) ? rcx : (uint32_t)rcx;
}

static void table(struct CPUX86State *env, uint64_t at, uint32_t size, uintptr_t host_pc)
{
    uint64_t base;

    if (size == 1) { /* CLFLUSH */
        cpu_ldub_data_ra_x86_64(env, at, host_pc);
        return;
    }
    base = cpu_ldl_data_ra_x86_64(env, at + 2, host_pc);
    base |= (uint64_t)cpu_ldl_data_ra_x86_64(env, at + 6, host_pc) << 32;
    if (!is_canonical(base))
        raise_exception_err_ra_x86_64(env, TRAP_gp_fault, 0, host_pc);
}

/* The operand is an offset of 2 or 4 bytes, or has a selector behind it. */
static void target(struct emu *e, struct CPUX86State *env, uint64_t at, uint32_t what, uintptr_t host_pc)
{
    const uint32_t size = what >> 19 & 0x3ff;
    const bool wide = size == 6 || (size == 4 && what & CHECK_NATURAL);

    emu_code_target(e, env, wide ? cpu_ldl_data_ra_x86_64(env, at, host_pc) : cpu_lduw_data_ra_x86_64(env, at, host_pc),
                    host_pc);
}

/* In front of an instruction with checks. (RSM itself is never translated: the gate refuses it.) */
void helper_rsm_x86_64(struct CPUX86State *env)
{
    struct emu *e = emu_running;
    const uint32_t what = emu_count_note(e), hf = raw_get(&e->raw, hflags, uint32_t), size = what >> 19 & 0x3ff;
    const unsigned int seg = what & CHECK_SEG;
    const struct raw_segment *s = raw_seg(&e->raw, seg);
    const bool code64 = hf & RAW_HF_CS64;
    const uint64_t flags = raw_get(&e->raw, eflags, uint64_t);
    uint64_t at;

    if (!size) {
        emu_code_check(e, env, what, emu_count_note2(e), RETADDR);
        return;
    }
    at = offset(e, what, (int32_t)emu_count_note2(e), code64);
    if (what & CHECK_REP && !counted(e, what, code64))
        return;
    if (!code64 && !emu_segment_allows(e, s, at, size, what & CHECK_WRITE))
        raise_exception_err_ra_x86_64(env, seg == CPU_SEG_SS ? TRAP_stack_fault : TRAP_gp_fault, 0, RETADDR);
    if (!code64)
        at = (uint32_t)(at + s->base);
    else if (seg == CPU_SEG_FS || seg == CPU_SEG_GS)
        at += s->base;
    if (what & CHECK_TABLE)
        table(env, at, size, RETADDR);
    if (what & CHECK_TARGET && !code64)
        target(e, env, at, what, RETADDR);
    if (e->nested.on && flags & X86_EFLAGS_AC && (hf & RAW_HF_CPL) == 3 && what & CHECK_NATURAL && at & (size - 1) &&
        e->loaded->state.cr0 & X86_CR0_AM)
        raise_exception_err_ra_x86_64(env, X86_EXC_AC, 0, RETADDR);
}

/* ------------------------------------------------------------------------------------------- segments that change - */

/*
 * The library's own must be told apart from its callers by where it returns to, so it is not called but jumped to: in
 * front of it, `before` says where to, and the translated code's place is its fourth argument.
 */
#define JUMPS_TO(name, before)                                                                                         \
    __attribute__((naked)) void name(struct CPUX86State *env, int a, int b)                                            \
    {                                                                                                                  \
        __asm__("push %rdi\n\tpush %rsi\n\tpush %rdx\n\tmov 24(%rsp), %rcx\n\tcall " #before                           \
                "\n\tpop %rdx\n\tpop %rsi\n\tpop %rdi\n\tjmp *%rax");                                                  \
    }

typedef void load_fn(struct CPUX86State *env, int a, int b);
load_fn *emu_before_load_seg(struct CPUX86State *env, int seg, int sel, uintptr_t host_pc);
load_fn *emu_before_lret(struct CPUX86State *env, int size, int pops, uintptr_t host_pc);
load_fn *emu_before_ltr(struct CPUX86State *env, int sel, int unused, uintptr_t host_pc);

/* What follows is seen to where an interrupt could be taken: the next block is looked for behind that. */
static void segments_change(struct emu *e)
{
    e->segments_due = true;
    emu_want_interrupt(e, true);
}

load_fn *emu_before_load_seg(struct CPUX86State *env, int seg, int sel, uintptr_t host_pc)
{
    if (emu_segments_count(emu_running, emu_running->nested.on) &&
        !(raw_get(&emu_running->raw, hflags, uint32_t) & RAW_HF_CS64))
        segments_change(emu_running);
    return emu_running->real.load_seg;
}

load_fn *emu_before_lret(struct CPUX86State *env, int size, int pops, uintptr_t host_pc)
{
    if (emu_far_limited(emu_running))
        emu_far_return(emu_running, env, 2u << size, (unsigned int)pops, host_pc);
    if (emu_segments_count(emu_running, emu_running->nested.on))
        segments_change(emu_running);
    return emu_running->real.lret_protected;
}

/* A task register must name something: the library loads null. */
load_fn *emu_before_ltr(struct CPUX86State *env, int sel, int unused, uintptr_t host_pc)
{
    if (emu_running->nested.on && !emu_running->entering && !(sel & 0xfffc))
        raise_exception_err_ra_x86_64(env, TRAP_gp_fault, 0, host_pc);
    return emu_running->real.ltr;
}

JUMPS_TO(helper_load_seg_x86_64, emu_before_load_seg)
JUMPS_TO(helper_lret_protected_x86_64, emu_before_lret)
JUMPS_TO(helper_ltr_x86_64, emu_before_ltr)
