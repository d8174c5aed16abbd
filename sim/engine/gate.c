// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The gate: every instruction is looked at before it is translated.
 *
 * Concept: what Unicorn's translator accepts is not what the processor that we show accepts. It asserts on LOCK BT with
 * a register, executes RDRAND with the host's random numbers, takes some AVX instructions for their SSE namesakes,
 * computes some of BMI and SSE4A wrongly, ignores LOCK where it is undefined. A guest must not be able to tell, and
 * least of all to abort the program. So before the translator sees an instruction this file reads its prefixes and
 * opcode and gives one of six answers:
 *
 *      GATE_PASS       translate it
 *      GATE_INVALID    the processor shown does not have it: the translator reads UD2 in its place, and so makes the fault
 *                      that the processor makes (#UD, in front of the instruction)
 *      GATE_OPENS      translate it, but as the first of a block: its helper computes RFLAGS from a state that the translator
 *                      writes only at the end of a block
 *      GATE_FLAGS      likewise, and RFLAGS are put together in front of it: it computes them anew before it touches memory, and
 *                      if that faults the state is neither the old one nor the new one
 *      GATE_STRING     translate it, with a call in front of it that does some of its iterations
 *      GATE_FRAME      translate it between two calls that keep RBP above its lower 16 bits
 *
 * What the opcodes' bytes are called here:
 *
 *      [prefixes] [REX] opcode              [ModRM]     map 0
 *      [prefixes] [REX] 0F opcode           [ModRM]     map 1
 *      [prefixes] [REX] 0F 38 opcode        [ModRM]     map 2
 *      [prefixes] [REX] 0F 3A opcode        [ModRM]     map 3
 *      C4 or C5 ...                                     VEX: none of it is there
 *
 * Invariants: bytes are read in order and only as far as the answer depends on them, so that code that ends at the end
 * of a page faults where the processor's own fetch would. What is refused is refused at translation: it costs nothing
 * at run time.
 *
 * gate_sse.c has the rules of SSE, and what is shown to the translator otherwise than it is.
 *
 * It refuses what the features of vcpu/cpu_policy.c do not include, and what is undefined but translated all the same;
 * what the translator refuses by itself is not repeated here. Sources: AMD APM volume 3, appendix A (opcode maps),
 * chapter 1.2.5 (LOCK), 1.4 and 1.5 (VEX, XOP).
 */
#include "sim/engine/gate.h"

/* ------------------------------------------------------------------------------------------------------- reading -- */

/* Outside 64-bit code LES, LDS and BOUND, which have a memory operand, share their opcodes with VEX and EVEX. */
static bool is_vex(struct insn_head *h)
{
    return (h->opcode == 0xc4 || h->opcode == 0xc5) && (h->code64 || gate_is_reg(h));
}

/* Prefixes and opcode; false when that alone is too long. */
static bool read_head(struct insn_head *h)
{
    do
        h->opcode = gate_next_byte(h);
    while (insn_prefix(&h->prefixes, h->opcode, h->code64) && h->len < INSN_MAX_LEN);
    if (h->opcode == 0x0f) {
        h->map = 1;
        h->opcode = gate_next_byte(h);
        if (h->opcode == 0x38 || h->opcode == 0x3a) {
            h->map = h->opcode == 0x38 ? 2 : 3;
            h->opcode = gate_next_byte(h);
        }
    } else {
        h->vex = is_vex(h);
    }
    return h->len < INSN_MAX_LEN;
}

/* ------------------------------------------------------------------------------------------------- what is there -- */

/* LOCK is for instructions that read, change and write memory, and for no others. */
static bool lockable(struct insn_head *h)
{
    const uint8_t op = h->opcode;
    bool may = false;

    if (h->map == 0 && op < 0x38) { /* ADD OR ADC SBB AND SUB XOR, to memory */
        may = (op & 7) < 2;
    } else if (h->map == 0) {
        switch (op) {
        case 0x80 ... 0x83: may = gate_reg(h) != 7; break;
        case 0x86:
        case 0x87: may = true; break;
        case 0xf6:
        case 0xf7: may = gate_reg(h) == 2 || gate_reg(h) == 3; break; /* NOT NEG */
        case 0xfe:
        case 0xff: may = gate_reg(h) < 2; break; /* INC DEC */
        }
    } else if (h->map == 1) {
        switch (op) {
        case 0xab: /* BTS BTR BTC CMPXCHG XADD */
        case 0xb3:
        case 0xbb:
        case 0xb0:
        case 0xb1:
        case 0xc0:
        case 0xc1: may = true; break;
        case 0xba: may = gate_reg(h) > 4; break;
        case 0xc7: may = gate_reg(h) == 1; break;
        }
    }
    return may && !gate_is_reg(h);
}

static bool map0_valid(struct insn_head *h)
{
    switch (h->opcode) {
    case 0x62: return !h->code64 && !gate_is_reg(h);       /* BOUND; else EVEX */
    case 0x6c ... 0x6f: return false;                      /* INS OUTS: see pcpu_exit.c */
    case 0x8c: return gate_reg(h) < 6;                     /* there are six segment registers, */
    case 0x8e: return gate_reg(h) < 6 && gate_reg(h) != 1; /* and CS is not loaded by MOV */
    case 0x8d: return !gate_is_reg(h);                     /* LEA */
    case 0x8f:                                             /* POP; else XOP */
    case 0xc6:                                             /* MOV; else XABORT, XBEGIN */
    case 0xc7: return gate_reg(h) == 0;
    case 0xd6: return !h->code64; /* SALC */
    case 0xfe: return gate_reg(h) < 2;
    case 0xff: return gate_reg(h) != 7 && (!gate_is_reg(h) || (gate_reg(h) != 3 && gate_reg(h) != 5));
    default: return true;
    }
}

/* 0F 01: system instructions, those without operands by their whole ModRM byte. */
static bool group7_valid(struct insn_head *h)
{
    if (!gate_is_reg(h))
        return gate_reg(h) != 5;
    switch (gate_reg(h)) {
    case 3: return gate_modrm(h) == 0xd9;                                         /* VMMCALL; the rest of SVM is off */
    case 4:                                                                       /* SMSW */
    case 6: return true;                                                          /* LMSW */
    case 7: return gate_modrm(h) == 0xf9 || (gate_modrm(h) == 0xf8 && h->code64); /* RDTSCP SWAPGS */
    default: return false; /* VMX MONITOR MWAIT CLAC STAC XGETBV XSETBV RDPKRU WRPKRU... */
    }
}

/* 0F AE: FXSAVE and its kind, fences, the segment bases. */
static bool group15_valid(struct insn_head *h)
{
    if (!gate_is_reg(h)) {
        if (h->prefixes.rep || h->prefixes.repne)
            return false;
        return h->prefixes.p66
                   ? gate_reg(h) == 7
                   : gate_reg(h) < 4 || gate_reg(h) == 7; /* CLFLUSHOPT; FXSAVE FXRSTOR LDMXCSR STMXCSR CLFLUSH */
    }
    if (h->prefixes.rep)
        return h->code64 && gate_reg(h) < 4; /* RDFSBASE RDGSBASE WRFSBASE WRGSBASE */
    return !h->prefixes.repne && !h->prefixes.p66 && gate_reg(h) >= 5;
}

static bool map1_valid(struct insn_head *h)
{
    switch (h->opcode) {
    case 0x00: return gate_reg(h) < 6;
    case 0x01: return group7_valid(h);
    case 0x0e: /* 3DNow! */
    case 0x0f:
    case 0x24 ... 0x27: /* test registers */
    case 0x36 ... 0x37:
    case 0x39:
    case 0x3b ... 0x3f:
    case 0x78 ... 0x7b: /* SSE4A */
    case 0xa6 ... 0xa7:
    case 0xaa:               /* RSM, outside SMM */
    case 0xb9:               /* UD1 */
    case 0xff: return false; /* UD0 */
    case 0x34:
    case 0x35: return !(raw_get(&h->e->raw, hflags, uint32_t) & RAW_HF_LMA); /* SYSENTER, SYSEXIT: not in long mode */
    case 0xae: return group15_valid(h);
    case 0xb8: return h->prefixes.rep; /* POPCNT */
    case 0xba: return gate_reg(h) >= 4;
    case 0xb2: /* LSS LFS LGS */
    case 0xb4:
    case 0xb5: return !gate_is_reg(h);
    case 0xc7: return gate_reg(h) == 1 && !gate_is_reg(h); /* CMPXCHG8B/16B; else RDRAND RDSEED RDPID XSAVEC... */
    default: return gate_sse_valid(h);
    }
}

/* 0F 38: SSSE3 with and without 66, SSE4 and AES with 66, and a few of their own. */
static bool map2_valid(struct insn_head *h)
{
    const bool plain = !h->prefixes.rep && !h->prefixes.repne;

    switch (h->opcode) {
    case 0x00 ... 0x0b:
    case 0x1c ... 0x1e: return plain;
    case 0x10:
    case 0x14 ... 0x15:
    case 0x17:
    case 0x20 ... 0x25:
    case 0x28 ... 0x2b:
    case 0x30 ... 0x35:
    case 0x37 ... 0x41:
    case 0xdb ... 0xdf: return plain && h->prefixes.p66;
    case 0xf0 ... 0xf1: return h->prefixes.repne || (plain && !gate_is_reg(h)); /* CRC32; MOVBE */
    case 0xf6: return h->prefixes.rep || (plain && h->prefixes.p66);            /* ADOX ADCX */
    default: return false;
    }
}

static bool map3_valid(struct insn_head *h)
{
    if (h->prefixes.rep || h->prefixes.repne)
        return false;
    switch (h->opcode) {
    case 0x0f: return true; /* PALIGNR, also of MMX registers */
    case 0x08 ... 0x0e:
    case 0x14 ... 0x17:
    case 0x20 ... 0x22:
    case 0x40 ... 0x42:
    case 0x44:
    case 0x60 ... 0x63:
    case 0xdf: return h->prefixes.p66;
    default: return false;
    }
}

static bool valid(struct insn_head *h)
{
    if (h->vex || (h->prefixes.lock && !lockable(h)))
        return false;
    switch (h->map) {
    case 0: return map0_valid(h);
    case 1: return map1_valid(h);
    case 2: return map2_valid(h);
    default: return map3_valid(h);
    }
}

/* SETcc to memory; RCL and RCR of memory. */
static bool computes_flags_first(struct insn_head *h)
{
    if (h->map == 1)
        return (h->opcode & 0xf0) == 0x90 && !gate_is_reg(h);
    return h->map == 0 && ((h->opcode & 0xfe) == 0xc0 || (h->opcode & 0xfc) == 0xd0) && (gate_reg(h) & 6) == 2 &&
           !gate_is_reg(h);
}

/*
 * ENTER with an operand of 16 bits. Processors put the frame's address into BP (tests/cpu/cpucheck.c saw it in 64-bit
 * code), the translator as much of it into RBP as the stack's addresses are wide.
 */
static bool is_enter16(const struct insn_head *h)
{
    const bool wide = h->code64 && h->prefixes.rex & 8;

    return h->map == 0 && h->opcode == 0xc8 && (h->code64 ? h->prefixes.p66 && !wide : h->prefixes.p66 != h->code16);
}

/* REP MOVS, REP STOS, in the form that kernels clear and copy with (string.c). */
static bool is_string(struct insn_head *h)
{
    const bool moves = (h->opcode & 0xfe) == 0xa4, stores = (h->opcode & 0xfe) == 0xaa;

    if (!h->code64 || !h->prefixes.rep || h->map || h->prefixes.p67 || h->prefixes.fs_or_gs || !(moves || stores) ||
        !emu_string_wanted(h->e))
        return false;
    h->e->gate.string = (uint8_t)((moves ? EMU_STRING_MOVES : 0) | (!(h->opcode & 1)      ? 0
                                                                    : h->prefixes.rex & 8 ? 3
                                                                    : h->prefixes.p66     ? 1
                                                                                          : 2));
    return true;
}

/*
 * SHLD and SHRD by an immediate, whose operand is so far from RIP: the translator counts from the immediate, and not
 * from behind it.
 */
static uint8_t later_displacement(struct insn_head *h)
{
    const bool double_shift = h->map == 1 && (h->opcode == 0xa4 || h->opcode == 0xac);

    return double_shift && h->code64 && (gate_modrm(h) & 0xc7) == 5 ? (uint8_t)h->len : 0;
}

/* Where it goes on is not simply behind it. What needs the hypervisor for that leaves anyway. */
static bool transfers(struct insn_head *h)
{
    const uint8_t op = h->opcode;

    if (h->map == 1)
        return (op & 0xf0) == 0x80 || op == 0x05 || op == 0x07 || op == 0x34 ||
               op == 0x35; /* Jcc; SYSCALL and its kind */
    if (h->map)
        return false;
    switch (op) {
    case 0x70 ... 0x7f: /* Jcc */
    case 0x9a:          /* far CALL */
    case 0xc2 ... 0xc3: /* RET, far RET, IRET */
    case 0xca ... 0xcb:
    case 0xcf:
    case 0xe0 ... 0xe3:              /* LOOP, JCXZ */
    case 0xe8 ... 0xeb: return true; /* CALL, JMP */
    case 0xa4 ... 0xa7:
    case 0xaa ... 0xaf: return h->prefixes.rep || h->prefixes.repne; /* to itself */
    case 0xff: return gate_reg(h) >= 2 && gate_reg(h) <= 5;
    default: return false;
    }
}

/*
 * BT and its kin leave flags undefined. The translator makes of them what is quickest behind the instruction before, in
 * a block; a guest that is stepped must not see others than one that runs.
 */
static bool is_bit_test(const struct insn_head *h)
{
    return h->map == 1 && ((h->opcode & 0xe7) == 0xa3 || h->opcode == 0xba);
}

enum gate_answer emu_gate(struct emu *e, uint64_t pc)
{
    const uint32_t hf = raw_get(&e->raw, hflags, uint32_t);
    struct insn_head h = { .e = e, .pc = pc, .code64 = hf & RAW_HF_CS64, .code16 = !(hf & RAW_HF_CS32) };

    e->gate.nr_prefixes = 0;
    e->gate.has_byte = e->gate.hides_lock = e->gate.hides_66 = false;
    e->gate.operand = OPERAND_WHOLE;
    e->gate.accesses = e->gate.nr_checks = 0;
    e->gate.opens = false;
    e->gate.branch = 0;
    e->gate.later_at = 0;
    e->gate.syscall = e->gate.transfers = e->gate.ends = false;
    if (!(hf & RAW_HF_GUEST)) /* the host's own few instructions, VMRUN among them */
        return GATE_PASS;
    if (!read_head(&h))
        return GATE_PASS;
    if (!valid(&h) || ((hf & (RAW_HF_EM | RAW_HF_TS)) == (RAW_HF_EM | RAW_HF_TS) && gate_is_media(&h)))
        return GATE_INVALID; /* with both the translator would say #NM */
    gate_rewrite(&h);
    e->gate.syscall = h.map == 1 && h.opcode == 0x05;
    e->gate.transfers = transfers(&h);
    e->gate.ends = h.map == 0 && h.opcode == 0xce;
    e->gate.operand = gate_sse_operand(&h);
    e->gate.later_at = later_displacement(&h);
    emu_segment_checks(&h);
    if (computes_flags_first(&h))
        return GATE_FLAGS;
    if (is_string(&h))
        return GATE_STRING;
    if (is_enter16(&h))
        return GATE_FRAME;
    return e->gate.opens || is_bit_test(&h) || (h.map == 1 && h.opcode == 0xc7) ? GATE_OPENS : GATE_PASS;
}

/* ----------------------------------------------------------------------------------------- in place of Unicorn's -- */

/*
 * A byte of code for the translator: UD2 in place of an instruction that is refused; of one that passes, what
 * gate_rewrite() has found to be misread.
 */
uint32_t cpu_ldub_code_x86_64(struct CPUX86State *env, uint64_t addr)
{
    struct emu *e = emu_running;
    uint32_t byte;

    if (__builtin_expect(e->gate.refused, 0))
        return addr == e->gate.pc ? 0x0f : 0x0b;
    if (e->gate.limited)
        emu_code_limit(e, addr);
    byte = e->real.cpu_ldub_code(env, addr);
    if (e->gate.has_byte && addr == e->gate.pc + e->gate.byte_at)
        return e->gate.byte;
    return addr - e->gate.pc < e->gate.nr_prefixes ? gate_shown_prefix(e, (uint8_t)byte) : byte;
}

uint32_t cpu_lduw_code_x86_64(struct CPUX86State *env, uint64_t addr)
{
    struct emu *e = emu_running;

    if (e->gate.limited)
        emu_code_limit(e, addr + 1);
    return e->real.cpu_lduw_code(env, addr);
}

uint32_t cpu_ldl_code_x86_64(struct CPUX86State *env, uint64_t addr)
{
    struct emu *e = emu_running;
    uint32_t val;

    if (e->gate.limited)
        emu_code_limit(e, addr + 3);
    val = e->real.cpu_ldl_code(env, addr);

    return e->gate.later_at && addr == e->gate.pc + e->gate.later_at ? val + 1 : val;
}
