// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the manual says of an encoding: legal or #UD, how long, and what it may do.
 *
 * Concept: a table of its own, read from AMD APM volume 3 (appendix A: opcode maps; the instructions' pages for who
 * takes LOCK, memory only, registers only) and from the announced CPUID, and so neither from the engine's decoder nor
 * from the gate before it: what two independent readings agree about is probably right. `survey --host` holds it
 * against a real processor, which answers what table and gate might both have wrong.
 *
 * A line of table[] allows an opcode of a map under some of the mandatory prefixes (none, 66, F3, F2), for some values
 * of ModRM.reg, with a memory operand, a register, or both; what no line allows is #UD. x87 is a table of its own.
 *
 * Could pass wrongly: what makers or operating systems decide (SYSENTER in long mode, instructions of system
 * management, undocumented aliases) is EITHER, and then only has to be one of the two.
 */
#include "tests/cpu/survey.h"

#include <string.h>

#include "sim/pcpu.h"

enum { NP = 1, P66 = 2, PF3 = 4, PF2 = 8, ANY = 15 }; /* mandatory prefixes */
enum { MEM = 1, REG = 2, BOTH = 3 };                  /* what ModRM names */
enum { M64 = 1, M32 = 2, ALL = 3 };                   /* code sizes */
enum {
    T_LOCK = 1,   /* takes LOCK, with memory */
    T_SEG = 2,    /* loads a segment */
    T_VEX0 = 4,   /* VEX.L is 0 */
    T_EITHER = 8, /* is EITHER */
};
#define REGS_ALL 0xffu
#define R(n)     (1u << (n))

struct line {
    uint8_t map; /* 0: one byte; 1 to 3: as in VEX */
    uint8_t first, last;
    uint8_t pp, regs, operand, modes, traits;
    enum survey_feature needs;
};

#define VEX 0x80 /* of .map */

static const struct line table[] = {
#include "tests/cpu/survey_opcodes.h"
};

/* Legal x87 encodings: with memory a bit a reg, D8 to DF; with registers a byte of rm bits for each reg. */
static const uint8_t x87_memory[8] = { 0xff, 0xfd, 0xff, 0xaf, 0xff, 0xdf, 0xff, 0xff };
static const uint8_t x87_register[8][8] = {
    { 255, 255, 255, 255, 255, 255, 255, 255 },    /* D8 */
    { 255, 255, 0x01, 255, 0x33, 0x7f, 255, 255 }, /* D9: FNOP; FCHS FABS FTST FXAM; constants */
    { 255, 255, 255, 255, 0, 0x02, 0, 0 },         /* DA: FCMOV; FUCOMPP */
    { 255, 255, 255, 255, 0x1f, 255, 255, 0 },     /* DB: FENI FDISI FNCLEX FNINIT FNSETPM; FUCOMI FCOMI */
    { 255, 255, 255, 255, 255, 255, 255, 255 },    /* DC */
    { 255, 255, 255, 255, 255, 255, 0, 0 },        /* DD */
    { 255, 255, 255, 0x02, 255, 255, 255, 255 },   /* DE: FCOMPP */
    { 255, 255, 255, 255, 0x01, 255, 255, 0 },     /* DF: FNSTSW */
};

/* ------------------------------------------------------------------------------------------------------ decoding -- */

struct decoded {
    bool is64, lock, opsize, addrsize, rex_w, vex, xop, legacy_before_vex;
    uint8_t rep; /* F2, F3 or 0: the last of them */
    uint8_t vex_l, vex_pp, map;
    uint8_t at; /* of the opcode */
    uint8_t opcode, modrm;
};

static struct decoded decode(const struct survey_case *c)
{
    struct decoded d = { .is64 = survey_is_64(c->mode) };
    unsigned int i = 0;

    for (;; i++) {
        const uint8_t b = c->bytes[i];

        if (i + 3 >= c->len)
            break;
        if (b == 0x66)
            d.opsize = true;
        else if (b == 0x67)
            d.addrsize = true;
        else if (b == 0xf0)
            d.lock = true;
        else if (b == 0xf2 || b == 0xf3)
            d.rep = b;
        else if (!b || !strchr("\x26\x2e\x36\x3e\x64\x65", b)) {
            if (!d.is64 || (b & 0xf0) != 0x40)
                break;
            d.rex_w = b & 8; /* counts only right before the opcode */
            d.legacy_before_vex = true;
            continue;
        }
        d.rex_w = false;
        d.legacy_before_vex |= b == 0x66 || b >= 0xf0;
    }
    if (c->bytes[i] == 0x0f) {
        d.map = 1;
        i++;
        if (c->bytes[i] == 0x38 || c->bytes[i] == 0x3a)
            d.map = c->bytes[i++] == 0x38 ? 2 : 3;
    } else if ((c->bytes[i] == 0xc4 || c->bytes[i] == 0xc5) && (d.is64 || c->bytes[i + 1] >= 0xc0)) {
        const bool three = c->bytes[i] == 0xc4;
        const uint8_t last = c->bytes[i + (three ? 2 : 1)];

        d.vex = true;
        d.map = three ? c->bytes[i + 1] & 0x1f : 1;
        d.vex_l = last >> 2 & 1;
        d.vex_pp = last & 3;
        i += three ? 3 : 2;
    } else if (c->bytes[i] == 0x8f && (c->bytes[i + 1] & 0x38)) { /* POP has reg 0 */
        d.xop = true;
    }
    d.at = (uint8_t)i;
    d.opcode = c->bytes[i];
    d.modrm = c->bytes[i + 1];
    return d;
}

/* ------------------------------------------------------------------------------------------------------- lengths -- */

/*
 * One byte a opcode: what follows it. m ModRM, b byte, w word, z operand size up to 4, v operand size up to 8, o
 * offset, f far pointer, e ENTER's, j z but a jump; M ModRM and b, Z ModRM and z; . nothing.
 */
static const char one_byte[256 + 1] = "mmmmbz..mmmmbz.?mmmmbz..mmmmbz..mmmmbz..mmmmbz..mmmmbz..mmmmbz.."
                                      "..................................mm....zZbM....bbbbbbbbbbbbbbbb"
                                      "MZMMmmmmmmmmmmmm..........f.....oooo....bz......bbbbbbbbvvvvvvvv"
                                      "MMw.mmMZe.w..b..mmmmbb..mmmmmmmmbbbbbbbbjjfb....?.??..mm......mm";

static bool has_modrm_0f(uint8_t op)
{
    return !(op == 0x04 || (op >= 0x05 && op <= 0x0c && op != 0x0d) || op == 0x0e || (op >= 0x30 && op <= 0x3f) ||
             op == 0x77 || (op & 0xf0) == 0x80 || (op >= 0xa0 && op <= 0xa2) || (op >= 0xa8 && op <= 0xaa) ||
             (op >= 0xc8 && op <= 0xcf));
}

static bool has_imm8_0f(uint8_t op)
{
    return op == 0x0f || (op >= 0x70 && op <= 0x73) || op == 0xa4 || op == 0xac || op == 0xba || op == 0xc2 ||
           (op >= 0xc4 && op <= 0xc6);
}

static unsigned int modrm_length(const struct survey_case *c, const struct decoded *d)
{
    const unsigned int mod = d->modrm >> 6, rm = d->modrm & 7;
    const uint8_t sib = c->bytes[d->at + 2];

    if (mod == 3)
        return 1;
    if (d->addrsize && !d->is64)
        return mod == 0 ? (rm == 6 ? 3 : 1) : 1 + mod;
    return 1 + (rm == 4) + (mod == 1 ? 1 : mod == 2 || rm == 5 || (rm == 4 && (sib & 7) == 5) ? 4 : 0);
}

static unsigned int one_byte_length(const struct survey_case *c, const struct decoded *d)
{
    const unsigned int z = d->opsize && !d->rex_w ? 2 : 4, reg = d->modrm >> 3 & 7;
    const unsigned int test = (d->opcode & 0xfe) == 0xf6 && reg < 2 ? (d->opcode == 0xf6 ? 1 : z) : 0;

    switch (one_byte[d->opcode]) {
    case 'm': return modrm_length(c, d) + test;
    case 'M': return modrm_length(c, d) + 1;
    case 'Z': return modrm_length(c, d) + z;
    case 'b': return 1;
    case 'w': return 2;
    case 'z':
    case 'j': return z;
    case 'v': return d->rex_w ? 8 : z;
    case 'o': return (d->is64 ? 8 : 4) >> d->addrsize;
    case 'f': return z + 2;
    case 'e': return 3;
    default: return 0;
    }
}

static uint8_t length(const struct survey_case *c, const struct decoded *d)
{
    unsigned int n = d->at + 1u;

    if (d->xop)
        return 0;
    if (d->vex)
        return (uint8_t)(n + modrm_length(c, d) + (d->map == 3));
    switch (d->map) {
    case 0: n += one_byte_length(c, d); break;
    case 1:
        if (has_modrm_0f(d->opcode))
            n += modrm_length(c, d) + has_imm8_0f(d->opcode);
        else if ((d->opcode & 0xf0) == 0x80) /* AMD: a prefix makes the displacement short, in 64-bit code too */
            n += d->opsize && !d->rex_w ? 2 : 4;
        if ((d->opcode & 0xfc) == 0x20) /* MOV CR, DR: always registers */
            n = d->at + 2u;
        if (d->opcode == 0x78 && (d->opsize || d->rep == 0xf2)) /* EXTRQ, INSERTQ */
            n += 2;
        break;
    default: n += modrm_length(c, d) + (d->map == 3); break;
    }
    return n <= 15 ? (uint8_t)n : 0;
}

/* ------------------------------------------------------------------------------------------------------ legality -- */

static enum survey_legality x87(const struct decoded *d)
{
    const unsigned int reg = d->modrm >> 3 & 7;
    const bool ok = d->modrm >= 0xc0 ? x87_register[d->opcode & 7][reg] >> (d->modrm & 7) & 1
                                     : x87_memory[d->opcode & 7] >> reg & 1;

    return ok && !d->lock ? LEGAL : ILLEGAL;
}

static const struct line *look_up(const struct decoded *d, unsigned int pp)
{
    const uint8_t map = d->vex ? d->map | VEX : d->map;

    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        const struct line *l = &table[i];

        if (l->map == map && l->first <= d->opcode && d->opcode <= l->last && (l->pp & pp) &&
            (l->regs >> (d->modrm >> 3 & 7) & 1) && (l->operand & (d->modrm >= 0xc0 ? REG : MEM)) &&
            (l->modes & (d->is64 ? M64 : M32)))
            return l;
    }
    return NULL;
}

/* The one-byte map has few exceptions, so the lines are those: first match says, traits apart. */
static enum survey_legality decide(const struct decoded *d, survey_features have, const struct line **line)
{
    const unsigned int pp = d->vex           ? 1u << d->vex_pp
                            : d->rep == 0xf2 ? PF2
                            : d->rep == 0xf3 ? PF3
                            : d->opsize      ? P66
                                             : NP;
    const struct line *l;

    if (d->xop || (d->vex && (d->legacy_before_vex || d->lock)))
        return ILLEGAL;
    *line = l = look_up(d, pp == 8 && d->vex ? PF2 : pp);
    if (!l)
        return ILLEGAL;
    if (!HAS(have, l->needs) || (d->vex && (l->traits & T_VEX0) && d->vex_l))
        return ILLEGAL;
    if (d->lock && d->map == 1 && (d->opcode & 0xfd) == 0x20) /* AMD's MOV CR8, or #UD */
        return EITHER;
    if (d->lock && (!(l->traits & T_LOCK) || d->modrm >= 0xc0))
        return ILLEGAL;
    return l->traits & T_EITHER ? EITHER : LEGAL;
}

/* ---------------------------------------------------------------------------------------------- what it may do -- */

#define VEC(n)  (1u << (n))
#define EXIT(k) (1u << EXIT_##k)

static void effects_one_byte(const struct decoded *d, struct survey_expect *x)
{
    const unsigned int reg = d->modrm >> 3 & 7, op = d->opcode;

    if ((op >= 0x70 && op <= 0x7f) || (op >= 0xe0 && op <= 0xe3) || op == 0xe8 || op == 0xe9 || op == 0xeb ||
        op == 0xc2 || op == 0xc3 || (op == 0xff && (reg == 2 || reg == 4)))
        x->jumps = true;
    if (op == 0x9a || op == 0xea || op == 0xca || op == 0xcb || op == 0xcf || (op == 0xff && (reg == 3 || reg == 5)))
        x->jumps = x->segments = true;
    if (op == 0xc4 || op == 0xc5 || op == 0x8e || op == 0x07 || op == 0x17 || op == 0x1f)
        x->segments = true;
    x->repeats = (d->rep && ((op >= 0x6c && op <= 0x6f) || (op >= 0xa4 && op <= 0xa7) || (op >= 0xaa && op <= 0xaf))) ||
                 op == 0xc8;
    x->system_flags = op == 0x9d || op == 0xcf || op == 0xfc || op == 0xfd;
    if ((op & 0xfe) == 0xf6 || op == 0xd4)
        x->vectors |= VEC(0);
    if (op == 0xf1 || op == 0x9d || op == 0xcf)
        x->vectors |= VEC(1);
    if (op == 0x62)
        x->vectors |= VEC(5);
    if (op == 0xcc || op == 0xcd || op == 0xce)
        x->exits |= EXIT(SOFTINT);
    if ((op >= 0x6c && op <= 0x6f) || (op >= 0xe4 && op <= 0xe7) || (op >= 0xec && op <= 0xef))
        x->exits |= EXIT(IO);
    if (op == 0x90)
        x->exits |= EXIT(PAUSE);
    if (op == 0x9b || (op >= 0xd8 && op <= 0xdf))
        x->vectors |= VEC(16);
}

static void effects_0f(const struct decoded *d, struct survey_expect *x)
{
    const unsigned int op = d->opcode;

    switch (op) {
    case 0x01: x->exits |= EXIT(RDTSC) | EXIT(VMMCALL); break;
    case 0x05: x->exits |= EXIT(SYSCALL); break;
    case 0x30: x->exits |= EXIT(WRMSR); break;
    case 0x31: x->exits |= EXIT(RDTSC); break;
    case 0x32: x->exits |= EXIT(RDMSR); break;
    case 0x34: x->exits |= EXIT(SYSENTER); break;
    case 0xa2: x->exits |= EXIT(CPUID); break;
    case 0xae: x->segments = d->rep == 0xf3; break; /* WRFSBASE */
    case 0xa1:
    case 0xa9:
    case 0xb2:
    case 0xb4:
    case 0xb5: x->segments = true; break;
    default: break;
    }
    if ((op & 0xf0) == 0x80)
        x->jumps = true;
}

struct survey_expect survey_expect(const struct survey_case *c, survey_features have)
{
    const struct decoded d = decode(c);
    struct survey_expect x = { .vectors = VEC(12) | VEC(13) | VEC(14) };
    const struct line *line = NULL;

    if (!d.map && !d.vex && (d.opcode & 0xf8) == 0xd8)
        x.legality = x87(&d);
    else
        x.legality = decide(&d, have, &line);
    x.needs = line ? line->needs : FEAT_BASE;
    x.len = length(c, &d);
    if (!d.map && !d.vex)
        effects_one_byte(&d, &x);
    else if (d.map == 1 && !d.vex)
        effects_0f(&d, &x);
    if (x.segments)
        x.vectors |= VEC(10) | VEC(11);
    if (x.jumps || x.repeats)
        x.exits |= EXIT(BUDGET);
    if (x.jumps) { /* into the case's own bytes, for one: whatever stands there */
        x.vectors |= 0xfffff & ~VEC(8);
        x.system_flags = true;
        x.legality = x.legality == LEGAL ? EITHER : x.legality;
    }
    if (d.map && !d.vex)
        x.vectors |= VEC(16) | VEC(19);
    return x;
}

survey_features survey_features_read(void (*leaf)(void *, uint32_t, uint32_t, uint32_t[4]), void *data)
{
    /* leaf, subleaf, register (EAX to EDX), bit */
    static const struct {
        uint32_t leaf;
        uint8_t subleaf, reg, bit;
    } where[SURVEY_NR_FEATURES] = {
        [FEAT_SSE3] = { 1, 0, 2, 0 },
        [FEAT_SSSE3] = { 1, 0, 2, 9 },
        [FEAT_SSE41] = { 1, 0, 2, 19 },
        [FEAT_SSE42] = { 1, 0, 2, 20 },
        [FEAT_SSE4A] = { 0x80000001, 0, 2, 6 },
        [FEAT_CX16] = { 1, 0, 2, 13 },
        [FEAT_MOVBE] = { 1, 0, 2, 22 },
        [FEAT_POPCNT] = { 1, 0, 2, 23 },
        [FEAT_AES] = { 1, 0, 2, 25 },
        [FEAT_PCLMUL] = { 1, 0, 2, 1 },
        [FEAT_RDRAND] = { 1, 0, 2, 30 },
        [FEAT_RDSEED] = { 7, 0, 1, 18 },
        [FEAT_SHA] = { 7, 0, 1, 29 },
        [FEAT_ADX] = { 7, 0, 1, 19 },
        [FEAT_BMI1] = { 7, 0, 1, 3 },
        [FEAT_BMI2] = { 7, 0, 1, 8 },
        [FEAT_FSGSBASE] = { 7, 0, 1, 0 },
        [FEAT_RDTSCP] = { 0x80000001, 0, 3, 27 },
        [FEAT_RDPID] = { 7, 0, 2, 22 },
        [FEAT_CLFLUSHOPT] = { 7, 0, 1, 23 },
        [FEAT_CLWB] = { 7, 0, 1, 24 },
        [FEAT_CLZERO] = { 0x80000008, 0, 1, 0 },
        [FEAT_RDPRU] = { 0x80000008, 0, 1, 4 },
        [FEAT_MONITORX] = { 0x80000001, 0, 2, 29 },
        [FEAT_XSAVE] = { 1, 0, 2, 27 },
        [FEAT_XSAVEOPT] = { 0xd, 1, 0, 0 },
        [FEAT_XSAVEC] = { 0xd, 1, 0, 1 },
        [FEAT_AVX] = { 1, 0, 2, 28 },
        [FEAT_GFNI] = { 7, 0, 2, 8 },
        [FEAT_MOVDIRI] = { 7, 0, 2, 27 },
        [FEAT_MOVDIR64B] = { 7, 0, 2, 28 },
        [FEAT_SERIALIZE] = { 7, 0, 3, 14 },
        [FEAT_PREFETCHW] = { 0x80000001, 0, 2, 8 },
        [FEAT_3DNOW] = { 0x80000001, 0, 3, 31 },
        [FEAT_XOP] = { 0x80000001, 0, 2, 11 },
        [FEAT_INVPCID] = { 7, 0, 1, 10 },
        [FEAT_XSAVES] = { 0xd, 1, 0, 3 },
    };
    survey_features have = 1u << FEAT_BASE;
    uint32_t regs[4];

    for (unsigned int f = FEAT_SSE3; f < FEAT_NEVER; f++) {
        leaf(data, where[f].leaf, where[f].subleaf, regs);
        have |= (survey_features)(regs[where[f].reg] >> where[f].bit & 1) << f;
    }
    return have;
}
