// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Instruction decoding.
 *
 * Concept: Capstone turns bytes into an instruction and its operands; this file turns that into the few facts a
 * hypervisor acts on: which operation, which registers, which linear address, how many bytes. Xen has a decoder and
 * emulator of its own for this (xen/arch/x86/x86_emulate/x86_emulate.c), twelve thousand lines. Capstone is slow, for
 * it writes the instruction as text on its way; what it made of the last ones is kept.
 *
 * Invariants:
 *  - Any bytes are safe input. What is not one whole instruction of at most 15 bytes comes back as INSN_INVALID, len 0.
 *  - Works with Capstone 4 and 5. Capstone's idea of which operand is written is not used (version 4 gets it wrong),
 *    nor its idea of prefixes (one slot for LOCK and REP): the operation's name and the bytes themselves are.
 *  - An address is what the processor would put on its bus before paging: offset cut to the address size, plus the
 *    segment's base, cut to 32 bits outside 64-bit code. Limits are not checked.
 *
 * Budget: over 400 lines, for the tables of names between Capstone's numbers and ours.
 */
#include "sim/insn.h"

#include <capstone/capstone.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/pcpu.h"

/* What Capstone made of an instruction: a function of its bytes, its address and the code size. */
struct decoded {
    uint64_t rip;
    unsigned int bits; /* 0: no instruction here */
    uint8_t bytes[INSN_MAX_LEN];
    struct insn insn; /* without the operands, whose addresses depend on registers */
    cs_x86 x86;
};

#define NR_KEPT 64 /* a kernel writes page-table entries, and reads CR0, at few places, and many times */

struct insn_decoder {
    csh mode16, mode32, mode64;
    cs_insn *scratch;
    struct decoded kept[NR_KEPT];
};

struct insn_decoder *insn_decoder_create(void)
{
    struct insn_decoder *dec = calloc(1, sizeof(*dec));

    if (!dec)
        return NULL;
    if (cs_open(CS_ARCH_X86, CS_MODE_16, &dec->mode16) || cs_open(CS_ARCH_X86, CS_MODE_32, &dec->mode32) ||
        cs_open(CS_ARCH_X86, CS_MODE_64, &dec->mode64) || cs_option(dec->mode16, CS_OPT_DETAIL, CS_OPT_ON) ||
        cs_option(dec->mode32, CS_OPT_DETAIL, CS_OPT_ON) || cs_option(dec->mode64, CS_OPT_DETAIL, CS_OPT_ON))
        goto fail;
    dec->scratch = cs_malloc(dec->mode64);
    if (dec->scratch)
        return dec;
fail:
    insn_decoder_destroy(dec);
    return NULL;
}

void insn_decoder_destroy(struct insn_decoder *dec)
{
    if (!dec)
        return;
    if (dec->scratch)
        cs_free(dec->scratch, 1);
    if (dec->mode16)
        cs_close(&dec->mode16);
    if (dec->mode32)
        cs_close(&dec->mode32);
    if (dec->mode64)
        cs_close(&dec->mode64);
    free(dec);
}

/* PV guests always run under the hypervisor's long mode; a PV64 guest's user code may still be 32-bit. */
unsigned int insn_code_bits(const struct cpu_state *st)
{
    const uint16_t attr = st->seg[CPU_SEG_CS].attr;
    const bool long_mode = st->mode != CPU_MODE_HVM || (st->efer & EFER_LMA);

    if (long_mode && (attr & SEG_ATTR_L))
        return 64;
    return attr & SEG_ATTR_D ? 32 : 16;
}

uint64_t insn_linear_rip(const struct cpu_state *st)
{
    return insn_code_bits(st) == 64 ? st->rip : (uint32_t)(st->seg[CPU_SEG_CS].base + st->rip);
}

static csh handle_for(const struct insn_decoder *dec, unsigned int bits)
{
    return bits == 64 ? dec->mode64 : bits == 32 ? dec->mode32 : dec->mode16;
}

/*
 * Capstone's register numbers to the processor's: names by width, in encoding order. number is one too high, 0: none.
 */
struct reg_name {
    uint8_t number, size;
    bool high_byte;
};

#define REGS(n, q, d, w, b)                                                                                            \
    [X86_REG_##q] = { (n) + 1, 8, false }, [X86_REG_##d] = { (n) + 1, 4, false },                                      \
    [X86_REG_##w] = { (n) + 1, 2, false }, [X86_REG_##b] = { (n) + 1, 1, false }
#define NEW_REGS(n) REGS(n, R##n, R##n##D, R##n##W, R##n##B)

static const struct reg_name reg_names[X86_REG_ENDING] = {
    REGS(0, RAX, EAX, AX, AL),
    REGS(1, RCX, ECX, CX, CL),
    REGS(2, RDX, EDX, DX, DL),
    REGS(3, RBX, EBX, BX, BL),
    REGS(4, RSP, ESP, SP, SPL),
    REGS(5, RBP, EBP, BP, BPL),
    REGS(6, RSI, ESI, SI, SIL),
    REGS(7, RDI, EDI, DI, DIL),
    NEW_REGS(8),
    NEW_REGS(9),
    NEW_REGS(10),
    NEW_REGS(11),
    NEW_REGS(12),
    NEW_REGS(13),
    NEW_REGS(14),
    NEW_REGS(15),
    [X86_REG_AH] = { 0 + 1, 1, true },
    [X86_REG_CH] = { 1 + 1, 1, true },
    [X86_REG_DH] = { 2 + 1, 1, true },
    [X86_REG_BH] = { 3 + 1, 1, true },
};

static struct reg_name reg_lookup(unsigned int reg)
{
    return reg < X86_REG_ENDING ? reg_names[reg] : (struct reg_name){ 0 };
}

static uint64_t cut(uint64_t value, unsigned int bytes)
{
    return bytes >= 8 ? value : value & ((UINT64_C(1) << (8 * bytes)) - 1);
}

static int64_t sign_extend(uint64_t value, unsigned int bytes)
{
    return bytes >= 8 ? (int64_t)value : (int64_t)(value << (64 - 8 * bytes)) >> (64 - 8 * bytes);
}

/*
 * Value of a base or index register; 0 for none (and for RIZ, EIZ and vectors). next_rip: what RIP-relative counts
 * from.
 */
static uint64_t reg_value(const struct cpu_state *st, unsigned int reg, uint64_t next_rip)
{
    const struct reg_name name = reg_lookup(reg);

    if (reg == X86_REG_RIP || reg == X86_REG_EIP || reg == X86_REG_IP)
        return next_rip;
    return name.number ? cut(st->gpr[name.number - 1], name.size) : 0;
}

static unsigned int segment_of(const x86_op_mem *mem)
{
    switch ((unsigned int)mem->segment) {
    case X86_REG_ES: return CPU_SEG_ES;
    case X86_REG_CS: return CPU_SEG_CS;
    case X86_REG_SS: return CPU_SEG_SS;
    case X86_REG_DS: return CPU_SEG_DS;
    case X86_REG_FS: return CPU_SEG_FS;
    case X86_REG_GS: return CPU_SEG_GS;
    default: { /* no override: the stack segment where the base is a stack register */
        const struct reg_name base = reg_lookup(mem->base);

        return base.number == 4 + 1 || base.number == 5 + 1 ? CPU_SEG_SS : CPU_SEG_DS;
    }
    }
}

static uint64_t linear_address(const struct cpu_state *st, const x86_op_mem *mem, unsigned int addr_size,
                               uint64_t next_rip)
{
    const uint64_t index = reg_value(st, mem->index, next_rip);
    const uint64_t offset = reg_value(st, mem->base, next_rip) + index * (uint64_t)mem->scale + (uint64_t)mem->disp;
    const unsigned int seg = segment_of(mem);

    if (insn_code_bits(st) == 64)
        return cut(offset, addr_size) + (seg == CPU_SEG_FS || seg == CPU_SEG_GS ? st->seg[seg].base : 0);
    return cut(cut(offset, addr_size) + st->seg[seg].base, 4);
}

static struct insn_operand operand(const struct cpu_state *st, const cs_x86 *x86, const cs_x86_op *op,
                                   uint64_t next_rip)
{
    struct insn_operand o = { .size = op->size, .gpr = -1 };

    switch ((unsigned int)op->type) {
    case X86_OP_REG: {
        const struct reg_name name = reg_lookup(op->reg);

        o.kind = INSN_REG;
        if (name.number) {
            o.gpr = (int8_t)(name.number - 1);
            o.size = name.size;
            o.high_byte = name.high_byte;
        }
        break;
    }
    case X86_OP_MEM:
        o.kind = INSN_MEM;
        o.addr = linear_address(st, &op->mem, x86->addr_size, next_rip);
        break;
    case X86_OP_IMM:
        o.kind = INSN_IMM;
        o.imm = (uint64_t)op->imm;
        break;
    }
    return o;
}

/* MOV is many instructions: to and from memory and general registers, control, debug and segment registers. */
static enum insn_op classify_mov(const cs_x86 *x86, uint8_t *sys_reg)
{
    for (unsigned int i = 0; i < x86->op_count && i < 2; i++) {
        const unsigned int reg = x86->operands[i].type == X86_OP_REG ? x86->operands[i].reg : X86_REG_INVALID;

        if (reg >= X86_REG_CR0 && reg <= X86_REG_CR15) {
            *sys_reg = (uint8_t)(reg - X86_REG_CR0);
            return i == 0 ? INSN_MOV_TO_CR : INSN_MOV_FROM_CR;
        }
        if (reg >= X86_REG_DR0 && reg <= X86_REG_DR15) {
            *sys_reg = (uint8_t)(reg - X86_REG_DR0);
            return i == 0 ? INSN_MOV_TO_DR : INSN_MOV_FROM_DR;
        }
        if (reg != X86_REG_INVALID && !reg_lookup(reg).number)
            return INSN_OTHER;
    }
    return INSN_MOV;
}

/* clang-format off */
static const struct {
    unsigned int id;
    enum insn_op op;
} ops[] = {
    { X86_INS_AND, INSN_AND },           { X86_INS_OR, INSN_OR },           { X86_INS_XOR, INSN_XOR },
    { X86_INS_ADD, INSN_ADD },           { X86_INS_SUB, INSN_SUB },         { X86_INS_XADD, INSN_XADD },
    { X86_INS_XCHG, INSN_XCHG },         { X86_INS_CMPXCHG, INSN_CMPXCHG }, { X86_INS_CMPXCHG8B, INSN_CMPXCHG8B },
    { X86_INS_BTS, INSN_BTS },           { X86_INS_BTR, INSN_BTR },         { X86_INS_BTC, INSN_BTC },
    { X86_INS_STOSB, INSN_STOS },        { X86_INS_STOSW, INSN_STOS },      { X86_INS_STOSD, INSN_STOS },
    { X86_INS_STOSQ, INSN_STOS },        { X86_INS_MOVSB, INSN_MOVS },      { X86_INS_MOVSW, INSN_MOVS },
    { X86_INS_MOVSD, INSN_MOVS },        { X86_INS_MOVSQ, INSN_MOVS },      { X86_INS_MOVABS, INSN_MOV },
    { X86_INS_MOVNTI, INSN_MOV },        { X86_INS_CLI, INSN_CLI },         { X86_INS_STI, INSN_STI },
    { X86_INS_HLT, INSN_HLT },           { X86_INS_IN, INSN_IN },           { X86_INS_OUT, INSN_OUT },
    { X86_INS_INSB, INSN_INS },          { X86_INS_INSW, INSN_INS },        { X86_INS_INSD, INSN_INS },
    { X86_INS_OUTSB, INSN_OUTS },        { X86_INS_OUTSW, INSN_OUTS },      { X86_INS_OUTSD, INSN_OUTS },
    { X86_INS_RDMSR, INSN_RDMSR },       { X86_INS_WRMSR, INSN_WRMSR },     { X86_INS_RDTSC, INSN_RDTSC },
    { X86_INS_RDTSCP, INSN_RDTSCP },     { X86_INS_RDPMC, INSN_RDPMC },     { X86_INS_CPUID, INSN_CPUID },
    { X86_INS_CLTS, INSN_CLTS },         { X86_INS_LMSW, INSN_LMSW },  { X86_INS_SMSW, INSN_SMSW },       { X86_INS_INVLPG, INSN_INVLPG },
    { X86_INS_WBINVD, INSN_WBINVD },     { X86_INS_INVD, INSN_INVD },       { X86_INS_XSETBV, INSN_XSETBV },
    { X86_INS_SWAPGS, INSN_SWAPGS },     { X86_INS_INT3, INSN_INT3 },       { X86_INS_WRFSBASE, INSN_WRFSGSBASE },
    { X86_INS_WRGSBASE, INSN_WRFSGSBASE },
#if CS_API_MAJOR >= 5
    { X86_INS_WBNOINVD, INSN_WBINVD }, /* a prefixed WBINVD, which is how version 4 decodes it */
#endif
};
/* clang-format on */

static enum insn_op classify(const cs_insn *ci, uint8_t *sys_reg)
{
    const cs_x86 *x86 = &ci->detail->x86;

    if (ci->id == X86_INS_MOV)
        return classify_mov(x86, sys_reg);
    if (ci->id == X86_INS_MOVSD && x86->opcode[0] != 0xa5) /* SSE2 has a MOVSD of its own */
        return INSN_OTHER;
    if (ci->id == X86_INS_WRFSBASE || ci->id == X86_INS_WRGSBASE)
        *sys_reg = ci->id == X86_INS_WRFSBASE ? CPU_SEG_FS : CPU_SEG_GS;
    for (size_t i = 0; i < ARRAY_SIZE(ops); i++)
        if (ops[i].id == ci->id)
            return ops[i].op;
    return INSN_OTHER;
}

/* Bring what Capstone leaves vague into the form that insn.h promises. */
static void normalise(struct insn *insn, const struct cpu_state *st, unsigned int bits)
{
    struct insn_operand *dst = &insn->opnd[0], *src = &insn->opnd[1];

    if ((insn->op == INSN_XCHG || insn->op == INSN_CMPXCHG || insn->op == INSN_XADD) && src->kind == INSN_MEM) {
        const struct insn_operand mem = *src;

        *src = *dst;
        *dst = mem;
    }
    /*
     * These have a register and a memory operand of one size; Capstone's two versions disagree about needless prefixes.
     */
    if (insn->op >= INSN_MOV && insn->op <= INSN_XADD && dst->kind == INSN_MEM && src->kind == INSN_REG &&
        src->gpr >= 0)
        dst->size = src->size;
    switch (insn->op) {
    case INSN_BTS:
    case INSN_BTR:
    case INSN_BTC:
        /* A bit offset in a register reaches beyond the operand: a bit string. An immediate one wraps. */
        if (dst->kind == INSN_MEM && src->kind == INSN_REG && src->gpr >= 0) {
            const int64_t bit = sign_extend(st->gpr[src->gpr], src->size);

            dst->addr = cut(dst->addr + (uint64_t)(bit >> 3 & -(int64_t)dst->size), bits == 64 ? 8 : 4);
        }
        break;
    default: break;
    }
    for (unsigned int i = 0; i < insn->nr_operands; i++) {
        struct insn_operand *o = &insn->opnd[i];

        if (o->kind != INSN_IMM)
            continue;
        if (insn->op == INSN_IN || insn->op == INSN_OUT || insn->op == INSN_BTS || insn->op == INSN_BTR ||
            insn->op == INSN_BTC)
            o->size = 1;
        else if (i > 0 && dst->size)
            o->size = dst->size;
        o->imm = cut(o->imm, o->size);
    }
}

static bool is_kept(const struct decoded *d, unsigned int bits, uint64_t rip, const uint8_t *bytes, size_t n)
{
    return d->bits == bits && d->rip == rip && n >= d->insn.len && !memcmp(d->bytes, bytes, d->insn.len);
}

/* Into *d; false: it is no whole instruction, and *d is as it was. */
static bool decode(struct insn_decoder *dec, struct decoded *d, unsigned int bits, uint64_t rip, const uint8_t *bytes,
                   size_t n)
{
    const struct insn_prefixes prefixes = insn_prefixes(bytes, n, bits == 64);
    struct insn insn = { .op = INSN_INVALID, .lock = prefixes.lock, .rep = prefixes.rep || prefixes.repne };
    const cs_insn *ci = dec->scratch;
    const uint8_t *p = bytes;
    uint64_t addr = rip;

    if (prefixes.nr == n || !cs_disasm_iter(handle_for(dec, bits), &p, &n, &addr, dec->scratch))
        return false;
    insn.len = (uint8_t)ci->size;
    insn.op = classify(ci, &insn.sys_reg);
    insn.nr_operands = ci->detail->x86.op_count;
    if (insn.nr_operands > ARRAY_SIZE(insn.opnd))
        insn.nr_operands = ARRAY_SIZE(insn.opnd);
    snprintf(insn.text, sizeof(insn.text), "%.24s%s%.68s", ci->mnemonic, *ci->op_str ? " " : "", ci->op_str);
    *d = (struct decoded){ .rip = rip, .bits = bits, .insn = insn, .x86 = ci->detail->x86 };
    memcpy(d->bytes, bytes, insn.len);
    return true;
}

struct insn insn_decode(struct insn_decoder *dec, const struct cpu_state *st, const uint8_t *bytes, size_t n)
{
    const unsigned int bits = insn_code_bits(st);
    struct decoded *d = &dec->kept[(st->rip ^ st->rip >> 6) % NR_KEPT];
    struct insn insn;

    if (n > INSN_MAX_LEN)
        n = INSN_MAX_LEN;
    if (!is_kept(d, bits, st->rip, bytes, n) && !decode(dec, d, bits, st->rip, bytes, n))
        return (struct insn){ .op = INSN_INVALID, .text = "(bad)" };
    insn = d->insn;
    for (unsigned int i = 0; i < insn.nr_operands; i++)
        insn.opnd[i] = operand(st, &d->x86, &d->x86.operands[i], st->rip + insn.len);
    normalise(&insn, st, bits);
    return insn;
}

/* In 64-bit code overrides other than FS and GS do nothing, so the base decides. */
static bool is_stack_operand(const x86_op_mem *mem)
{
    const struct reg_name base = reg_lookup(mem->base);

    return (base.number == 4 + 1 || base.number == 5 + 1) && mem->segment != X86_REG_FS && mem->segment != X86_REG_GS;
}

static bool is_bit_test(unsigned int id)
{
    return id == X86_INS_BT || id == X86_INS_BTS || id == X86_INS_BTR || id == X86_INS_BTC;
}

bool insn_uses_stack(struct insn_decoder *dec, const struct cpu_state *st, const uint8_t *bytes, size_t n,
                     uint64_t addr)
{
    uint64_t next_rip = st->rip;
    const cs_x86 *x86;

    if (!cs_disasm_iter(dec->mode64, &bytes, &n, &next_rip, dec->scratch))
        return false;
    x86 = &dec->scratch->detail->x86;
    for (unsigned int i = 0; i < x86->op_count; i++) {
        const x86_op_mem *mem = &x86->operands[i].mem;

        /* No operand is longer than the image of FXSAVE, but a bit string has no end. */
        if (x86->operands[i].type == X86_OP_MEM &&
            (is_bit_test(dec->scratch->id) || addr - linear_address(st, mem, x86->addr_size, next_rip) < 512))
            return is_stack_operand(mem);
    }
    switch (dec->scratch->id) { /* what reaches the stack without an operand that says so */
    case X86_INS_PUSH:
    case X86_INS_POP:
    case X86_INS_PUSHFQ:
    case X86_INS_PUSHF:
    case X86_INS_POPFQ:
    case X86_INS_POPF:
    case X86_INS_CALL:
    case X86_INS_LCALL:
    case X86_INS_RET:
    case X86_INS_RETF:
    case X86_INS_RETFQ:
    case X86_INS_IRETQ:
    case X86_INS_IRETD:
    case X86_INS_IRET:
    case X86_INS_ENTER:
    case X86_INS_LEAVE: return true;
    default: return false;
    }
}

size_t insn_disassemble(struct insn_decoder *dec, const struct cpu_state *st, const uint8_t *bytes, size_t n,
                        uint64_t addr, char *buf, size_t len)
{
    struct cpu_state at = *st;
    size_t used = 0;

    if (len)
        buf[0] = '\0';
    for (size_t i = 0; i < n;) {
        struct insn insn;
        char line[160], hex[3 * INSN_MAX_LEN + 1] = "";
        size_t size;
        int w;

        at.rip = addr + i;
        insn = insn_decode(dec, &at, bytes + i, n - i);
        size = insn.len ? insn.len : 1;
        for (size_t j = 0; j < size; j++)
            snprintf(hex + 3 * j, sizeof(hex) - 3 * j, "%02x ", bytes[i + j]);
        if (!insn.len)
            snprintf(insn.text, sizeof(insn.text), ".byte 0x%02x", bytes[i]);
        w = snprintf(line, sizeof(line), "%s %016" PRIx64 ":  %-24s %s\n", at.rip == st->rip ? "=>" : "  ", at.rip, hex,
                     insn.text);
        if (w < 0 || used + (size_t)w >= len)
            break;
        memcpy(buf + used, line, (size_t)w + 1);
        used += (size_t)w;
        i += size;
    }
    return used;
}
