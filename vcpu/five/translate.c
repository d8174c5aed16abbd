// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * From source to product: see translate.h.
 *
 * Concept: an instruction is decoded by the interpreter's decoder (interp.h), which says what it is; then it is copied,
 * or something is emitted in its place. Products must not change the flags, nor registers but for a while, nor write
 * to the guest's memory before all that can fault has not: so each instruction of the source either is done, or can be
 * begun again.
 *
 * Without flags there is no compare. A key is the negated address: added to the address by LEA it gives 0, and JRCXZ
 * sees that.
 */
#include "vcpu/five/translate.h"

#include "vcpu/five/interp.h"

#include <string.h>

struct source {
    const uint8_t *bytes; /* of this instruction */
    uint64_t rip;
    struct interp_insn in;
    struct insn_prefixes prefixes;
};

/* ------------------------------------------------------------------------------------------------------ emitting -- */

/* The next instruction of the product begins here; and what the guest's state is in front of it. */
static struct tc_map *begin(struct tc_emit *t, enum tc_kind kind, uint64_t rip)
{
    struct tc_map *m = &t->map[t->nr_map++];

    BUG_ON(t->nr_map > t->room_map);
    *m = (struct tc_map){ .at = t->at + t->size, .kind = (uint8_t)kind, .rip = rip };
    return m;
}

static void bytes(struct tc_emit *t, const void *b, size_t n)
{
    BUG_ON(t->size + n > t->room);
    memcpy(t->code + t->size, b, n);
    t->size += (uint32_t)n;
}

static void imm32(struct tc_emit *t, uint64_t val)
{
    const uint32_t v = (uint32_t)val;

    bytes(t, &v, sizeof(v));
}

#define EMIT(t, ...) bytes(t, (const uint8_t[]){ __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ }))

/* The address of something of ours, 32 bits relative to the end of an instruction that has `behind` more bytes. */
static void ours(struct tc_emit *t, uint64_t addr, unsigned int behind)
{
    imm32(t, addr - (TC_CODE + t->at + t->size + 4 + behind));
}

static void word(struct tc_emit *t, enum tc_word w, unsigned int behind) { ours(t, TC_BASE + w, behind); }

/* UD2: out. */
static void out(struct tc_emit *t, enum tc_kind kind, uint64_t rip)
{
    begin(t, kind, rip)->out = true;
    EMIT(t, 0x0f, 0x0b);
}

/*
 * The way to rip: out, until the branch that ends there (0: none) is made to lead to the product of rip.
 */
static void way(struct tc_emit *t, uint64_t rip, uint32_t branch_end)
{
    struct tc_map *m = begin(t, TC_TARGET, rip);

    m->out = true;
    m->link = branch_end ? (uint16_t)(t->size - branch_end) : TC_NO_LINK;
    EMIT(t, 0x0f, 0x0b);
    if (branch_end) {
        const uint32_t rel = t->size - 2 - branch_end;

        memcpy(t->code + branch_end - 4, &rel, sizeof(rel));
    }
}

/* JMP to rip; in front of it the guest's state is as said. */
static void jump(struct tc_emit *t, enum tc_kind kind, uint64_t at, uint64_t rip)
{
    begin(t, kind, at);
    EMIT(t, 0xe9);
    imm32(t, 0);
    way(t, rip, t->size);
}

/* MOV of RAX, RCX or RDX to its word (opcode 89), or from there (8B). */
static void mov_word(struct tc_emit *t, enum tc_kind kind, uint64_t rip, uint8_t opcode, enum tc_word w)
{
    const uint8_t reg = w == TC_RAX ? 0 : w == TC_RCX ? 1 : 2;

    begin(t, kind, rip);
    EMIT(t, 0x48, opcode, (uint8_t)(5 | reg << 3));
    word(t, w, 0);
}

/* RAX, RCX, RDX to our words, and from there. */
static void save(struct tc_emit *t, uint64_t rip)
{
    mov_word(t, TC_INSN, rip, 0x89, TC_RAX);
    mov_word(t, TC_MIDDLE, rip, 0x89, TC_RCX);
    mov_word(t, TC_MIDDLE, rip, 0x89, TC_RDX);
}

static void restore(struct tc_emit *t, uint64_t rip)
{
    mov_word(t, TC_SAVED, rip, 0x8b, TC_RDX);
    mov_word(t, TC_SAVED, rip, 0x8b, TC_RCX);
    mov_word(t, TC_SAVED, rip, 0x8b, TC_RAX);
}

/* ------------------------------------------------------------------------------------------------------- copying -- */

static uint64_t next_rip(const struct source *s) { return s->rip + s->in.len; }

/* Bytes in front of ModRM. */
static unsigned int modrm_at(const struct source *s)
{
    const unsigned int n = s->prefixes.nr;

    return s->bytes[n] != 0x0f ? n + 1 : s->bytes[n + 1] == 0x38 || s->bytes[n + 1] == 0x3a ? n + 3 : n + 2;
}

static bool is_relative(const struct source *s) { return s->in.is_mem && s->in.base == INTERP_RIP; }

/* Its address, if an operand can say it by itself: 32 bits that are extended by their sign. */
static bool absolute(const struct source *s, uint64_t *addr)
{
    *addr = next_rip(s) + (uint64_t)s->in.disp;
    return (uint64_t)(int64_t)(int32_t)*addr == *addr && !(s->prefixes.rex & 2);
}

/* ModRM and what belongs to the operand, with another `reg`: relative to RIP becomes absolute. Where it ends. */
static unsigned int operand(struct tc_emit *t, const struct source *s, unsigned int reg)
{
    const unsigned int at = modrm_at(s);
    const uint8_t modrm = (uint8_t)((s->bytes[at] & 0xc7) | reg << 3), mod = modrm >> 6;
    unsigned int n = 1;
    uint64_t addr;

    if (is_relative(s)) {
        absolute(s, &addr);
        EMIT(t, (uint8_t)((modrm & 0x38) | 4), 0x25);
        imm32(t, addr);
        return at + 5;
    }
    EMIT(t, modrm);
    if (mod != 3 && (modrm & 7) == 4)
        n++;
    if (mod == 1)
        n += 1;
    else if (mod == 2 || (mod == 0 && (modrm & 7) == 4 && (s->bytes[at + 1] & 7) == 5))
        n += 4;
    bytes(t, s->bytes + at + 1, n - 1);
    return at + n;
}

static void copy(struct tc_emit *t, const struct source *s)
{
    begin(t, TC_INSN, s->rip);
    if (is_relative(s)) {
        const unsigned int at = modrm_at(s);
        unsigned int end;

        bytes(t, s->bytes, at);
        end = operand(t, s, s->bytes[at] >> 3 & 7);
        bytes(t, s->bytes + end, s->in.len - end);
    } else {
        bytes(t, s->bytes, s->in.len);
    }
}

/* ------------------------------------------------------------------------------------------------------ branches -- */

/* What CALL pushes, and that it has: from there on the guest is at its target. */
static void push_return(struct tc_emit *t, const struct source *s, enum tc_kind first)
{
    begin(t, first, s->rip);
    EMIT(t, 0xc7, 0x44, 0x24, 0xf8); /* movl $, -8(%rsp) */
    imm32(t, next_rip(s));
    begin(t, TC_MIDDLE, s->rip);
    EMIT(t, 0xc7, 0x44, 0x24, 0xfc); /* movl $, -4(%rsp) */
    imm32(t, next_rip(s) >> 32);
    begin(t, TC_MIDDLE, s->rip);
    EMIT(t, 0x48, 0x8d, 0x64, 0x24, 0xf8); /* lea -8(%rsp), %rsp */
}

static void call(struct tc_emit *t, const struct source *s)
{
    push_return(t, s, TC_INSN);
    jump(t, TC_TARGET, next_rip(s) + s->in.imm, next_rip(s) + s->in.imm);
}

static void branch(struct tc_emit *t, const struct source *s)
{
    uint32_t taken;

    begin(t, TC_INSN, s->rip);
    EMIT(t, 0x0f, (uint8_t)(0x80 | s->in.sub));
    imm32(t, 0);
    taken = t->size;
    jump(t, TC_TARGET, next_rip(s), next_rip(s));
    way(t, next_rip(s) + s->in.imm, taken);
}

/* RAX is an address of the source: where is its block? That is to be in our word JUMP. */
static void look_up(struct tc_emit *t, uint64_t rip)
{
#define STEP(...) (begin(t, TC_SAVED, rip), EMIT(t, __VA_ARGS__))
    STEP(0x48, 0x89, 0x05); /* mov %rax, TO */
    word(t, TC_TO, 0);
    STEP(0x0f, 0xb7, 0xc8); /* movzwl %ax, %ecx */
    STEP(0x48, 0x8d, 0x15); /* lea table, %rdx; twice 8 * %rcx */
    ours(t, TC_LOOKUP, 0);
    STEP(0x48, 0x8d, 0x14, 0xca);
    STEP(0x48, 0x8d, 0x14, 0xca);
    STEP(0x48, 0x8b, 0x0a);       /* mov (%rdx), %rcx: the key */
    STEP(0x48, 0x8d, 0x0c, 0x01); /* lea (%rcx, %rax), %rcx */
    STEP(0x48, 0x8b, 0x52, 0x08); /* mov 8(%rdx), %rdx */
    STEP(0xe3, 0x07);             /* jrcxz over */
    STEP(0x48, 0x8d, 0x15);       /* lea miss, %rdx */
    ours(t, TC_MISS, 0);
    STEP(0x48, 0x89, 0x15); /* mov %rdx, JUMP */
    word(t, TC_JUMP, 0);
#undef STEP
}

static void jump_found(struct tc_emit *t)
{
    begin(t, TC_INDIRECT, 0);
    EMIT(t, 0xff, 0x25); /* jmp *JUMP */
    word(t, TC_JUMP, 0);
}

static void ret(struct tc_emit *t, const struct source *s)
{
    save(t, s->rip);
    begin(t, TC_MIDDLE, s->rip);
    EMIT(t, 0x48, 0x8b, 0x04, 0x24); /* mov (%rsp), %rax */
    look_up(t, s->rip);
    restore(t, s->rip);
    begin(t, TC_MIDDLE, s->rip);
    EMIT(t, 0x48, 0x8d, 0xa4, 0x24); /* lea 8+imm(%rsp), %rsp: RET n frees n bytes more */
    imm32(t, 8 + (uint64_t)s->in.imm);
    jump_found(t);
}

/* JMP and CALL by way of a register, or memory. */
static void indirect(struct tc_emit *t, const struct source *s)
{
    save(t, s->rip);
    begin(t, TC_MIDDLE, s->rip);
    if (s->in.segment)
        EMIT(t, s->in.segment == CPU_SEG_FS ? 0x64 : 0x65);
    EMIT(t, (uint8_t)(0x48 | (s->prefixes.rex & 3)), 0x8b); /* mov operand, %rax */
    operand(t, s, 0);
    look_up(t, s->rip);
    restore(t, s->rip);
    if (s->in.op == OP_CALL_RM)
        push_return(t, s, TC_MIDDLE);
    jump_found(t);
}

/* ----------------------------------------------------------------------------------------- sensitive, and inline -- */

static void cli(struct tc_emit *t, const struct source *s)
{
    begin(t, TC_INSN, s->rip);
    EMIT(t, 0xc6, 0x05); /* movb $0, IF */
    word(t, TC_IF, 1);
    EMIT(t, 0x00);
}

/* Unless an interrupt waits for it: then out. */
static void sti(struct tc_emit *t, const struct source *s)
{
    save(t, s->rip);
    begin(t, TC_SAVED, s->rip);
    EMIT(t, 0x0f, 0xb6, 0x0d); /* movzbl PENDING, %ecx */
    word(t, TC_PENDING, 0);
    begin(t, TC_SAVED, s->rip);
    EMIT(t, 0xe3, 0x02); /* jrcxz over */
    out(t, TC_SAVED, s->rip);
    restore(t, s->rip);
    begin(t, TC_INSN, s->rip);
    EMIT(t, 0xc6, 0x05); /* movb $2, IF */
    word(t, TC_IF, 1);
    EMIT(t, TC_IF_SET);
}

/* -------------------------------------------------------------------------------------------------------- blocks -- */

/* What leaves by itself, and goes on behind it. */
static void leaving(struct tc_emit *t, const struct source *s)
{
    copy(t, s);
    way(t, next_rip(s), 0);
}

/* False: it ends the block. */
static bool translate_insn(struct tc_emit *t, const struct source *s)
{
    const enum interp_op op = s->in.op;
    uint64_t addr;

    if ((is_relative(s) && !absolute(s, &addr)) || s->in.address_size != 8) {
        out(t, TC_INSN, s->rip);
        return false;
    }
    switch (op) {
    case OP_JCC: branch(t, s); return false;
    case OP_JMP: jump(t, TC_INSN, s->rip, next_rip(s) + s->in.imm); return false;
    case OP_CALL: call(t, s); return false;
    case OP_JMP_RM:
    case OP_CALL_RM: indirect(t, s); return false;
    case OP_RET: ret(t, s); return false;
    case OP_CLI: cli(t, s); return true;
    case OP_STI: sti(t, s); return true;
    case OP_INT:
    case OP_IO:
    case OP_CPUID:
    case OP_RDTSC:
    case OP_VMMCALL:
    case OP_PAUSE: leaving(t, s); return false;
    default: break;
    }
    if (op == OP_REFUSED || op == OP_PUSHF || op == OP_POPF || op >= OP_SYSTEM) {
        out(t, TC_INSN, s->rip);
        return false;
    }
    copy(t, s);
    return true;
}

uint32_t translate_block(struct tc_emit *t, uint64_t rip, const uint8_t *code, size_t n)
{
    struct source s = { .bytes = code, .rip = rip };
    bool goes_on = true;

    for (unsigned int i = 0; goes_on; i++) {
        interp_decode(s.bytes, n - (size_t)(s.bytes - code), true, &s.in);
        if (!s.in.len || s.in.len > INSN_MAX_LEN || i == TC_BLOCK_MAX) {
            if (i)
                way(t, s.rip, 0);
            break;
        }
        s.prefixes = insn_prefixes(s.bytes, s.in.len, true);
        goes_on = translate_insn(t, &s);
        s.rip += s.in.len;
        s.bytes += s.in.len;
    }
    while (t->size < TC_BLOCK_MIN)
        way(t, s.rip, 0);
    return (uint32_t)(s.bytes - code);
}

void translate_dead(struct tc_emit *t, uint64_t rip)
{
    t->size = t->nr_map = 0;
    jump(t, TC_TARGET, rip, rip);
    BUG_ON(t->size > TC_BLOCK_MIN);
}
