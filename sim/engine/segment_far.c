// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Far transfers of protected mode, in a machine with exact segments: is there room on the stacks that they use, and is
 * what they go to within its segment?
 *
 * Concept: the library carries them out, with all checks of descriptors and privilege, but of limits. So in front of it
 * those are looked at here, as far as nothing else is wrong: a selector or descriptor that the library will refuse is
 * left to it. Nothing is changed.
 *
 *      JMP      code, a call gate
 *      CALL     code, a call gate: two words on the stack; an inner one: on that which the TSS names, with parameters
 *      RET      two words from the stack; to an outer ring two more behind the parameters
 *      IRET     three words; to an outer ring five, to virtual-8086 mode nine
 *
 * In long mode call gates lead to 64-bit code, which has no limits.
 *
 * Sources: AMD APM volume 2, 4.7, 4.11; volume 3, CALL, JMP, RET (far), IRET; Intel SDM volume 2, the same.
 */
#include "sim/engine/gate.h"
#include "sim/engine/pcpu_private.h"

#define MMU_KERNEL   2 /* the MMU mode of ring 0 */
#define SEG_CODE     0x800u
#define SEG_CONFORM  0x400u
#define SEG_DPL(f)   ((f) >> _SEGMENT_DPL_SHIFT & 3u)
#define SEG_TYPE(f)  ((f) >> 8 & 0x1fu) /* with S */
#define CALL_GATE_16 4u
#define CALL_GATE_32 12u
#define TSS_32       8u

struct far {
    struct emu *e;
    struct CPUX86State *env;
    uintptr_t host_pc;
    unsigned int cpl;
    bool lma;
};

static struct far far_begin(struct emu *e, struct CPUX86State *env, uintptr_t host_pc)
{
    return (struct far){ .e = e,
                         .env = env,
                         .host_pc = host_pc,
                         .cpl = raw_get(&e->raw, hflags, uint32_t) & RAW_HF_CPL,
                         .lma = raw_get(&e->raw, hflags, uint32_t) & RAW_HF_LMA };
}

static uint32_t kernel_word(const struct far *f, uint64_t addr, unsigned int size)
{
    const uint32_t word = (uint32_t)cpu_ldl_mmuidx_ra_x86_64(f->env, addr, MMU_KERNEL, f->host_pc);

    return size == 4 ? word : word & 0xffff;
}

/* A descriptor's two words; false: there is none. */
static bool descriptor(const struct far *f, uint16_t sel, uint32_t *lo, uint32_t *hi)
{
    const struct raw_segment *t = raw_table(&f->e->raw, sel & 4 ? f->e->raw.at.ldt : f->e->raw.at.gdt);

    if (!(sel & 0xfffc) || (sel | 7u) > t->limit)
        return false;
    *lo = kernel_word(f, t->base + (sel & 0xfff8), 4);
    *hi = kernel_word(f, t->base + (sel & 0xfff8) + 4, 4);
    return true;
}

static struct raw_segment segment_of(uint16_t sel, uint32_t lo, uint32_t hi)
{
    const uint32_t limit = (lo & 0xffff) | (hi & 0xf0000);

    return (struct raw_segment){ .selector = sel,
                                 .base = lo >> 16 | (hi & 0xff) << 16 | (hi & 0xff000000),
                                 .limit = hi & _SEGMENT_G ? limit << 12 | 0xfff : limit,
                                 .flags = hi & 0xf0ff00 };
}

static bool is_code(uint32_t flags)
{
    return (flags & (_SEGMENT_P | _SEGMENT_S | SEG_CODE)) == (_SEGMENT_P | _SEGMENT_S | SEG_CODE);
}

static bool has_limit(const struct far *f, uint32_t flags) { return !(f->lma && flags & _SEGMENT_L); }

static void refuse(const struct far *f, int vector, uint16_t error_code)
{
    raise_exception_err_ra_x86_64(f->env, vector, error_code, f->host_pc);
}

static void within(const struct far *f, const struct raw_segment *cs, uint32_t offset)
{
    if (has_limit(f, cs->flags) && offset > cs->limit)
        refuse(f, TRAP_gp_fault, 0);
}

/* n words of a stack from sp + from on (from < 0: they are pushed). */
static void words(const struct far *f, const struct raw_segment *ss, uint32_t sp, int from, unsigned int n,
                  unsigned int size, uint16_t error_code)
{
    for (unsigned int i = 0; i < n; i++) {
        const uint32_t at = sp + (uint32_t)from + i * size;

        if (!emu_segment_allows(f->e, ss, ss->flags & _SEGMENT_DB ? at : at & 0xffff, size, from < 0))
            refuse(f, TRAP_stack_fault, error_code);
    }
}

static void push(const struct far *f, unsigned int n, unsigned int size)
{
    words(f, raw_seg(&f->e->raw, CPU_SEG_SS), (uint32_t)raw_gprs(&f->e->raw)[4], -(int)(n * size), n, size, 0);
}

/* A word that is popped from there on. */
static uint32_t pop(const struct far *f, unsigned int offset, unsigned int size)
{
    const struct raw_segment *ss = raw_seg(&f->e->raw, CPU_SEG_SS);
    const uint32_t sp = (uint32_t)raw_gprs(&f->e->raw)[4],
                   at = ss->flags & _SEGMENT_DB ? sp + offset : (sp + offset) & 0xffff;

    words(f, ss, sp, (int)offset, 1, size, 0);
    return size == 4 ? cpu_ldl_data_ra_x86_64(f->env, (uint32_t)(ss->base + at), f->host_pc)
                     : cpu_lduw_data_ra_x86_64(f->env, (uint32_t)(ss->base + at), f->host_pc);
}

/* ------------------------------------------------------------------------------------------------- JMP and CALL -- */

/* The stack of an inner ring, as the TSS has it. False: it will be refused. */
static bool inner_stack(const struct far *f, unsigned int dpl, struct raw_segment *ss, uint32_t *sp)
{
    const struct raw_segment *tr = raw_table(&f->e->raw, f->e->raw.at.tr);
    const unsigned int size = tr->flags >> 8 & TSS_32 ? 4 : 2, at = size + dpl * size * 2;
    uint32_t lo, hi;
    uint16_t sel;

    if (at + 2 * size - 1 > tr->limit)
        return false;
    *sp = kernel_word(f, tr->base + at, size);
    sel = (uint16_t)kernel_word(f, tr->base + at + size, 2);
    if ((sel & 3) != dpl || !descriptor(f, sel, &lo, &hi))
        return false;
    *ss = segment_of(sel, lo, hi);
    return SEG_DPL(ss->flags) == dpl &&
           (ss->flags & (_SEGMENT_P | _SEGMENT_S | SEG_CODE | 0x200)) == (_SEGMENT_P | _SEGMENT_S | 0x200);
}

static void call_inner(const struct far *f, unsigned int dpl, unsigned int params, unsigned int size)
{
    struct raw_segment ss;
    uint32_t sp;

    if (!inner_stack(f, dpl, &ss, &sp))
        return;
    words(f, raw_seg(&f->e->raw, CPU_SEG_SS), (uint32_t)raw_gprs(&f->e->raw)[4], 0, params, size, 0);
    words(f, &ss, sp, -(int)((4 + params) * size), 4 + params, size, ss.selector & 0xfffc);
}

static void through_gate(const struct far *f, uint32_t lo, uint32_t hi, unsigned int rpl, bool call)
{
    const unsigned int size = SEG_TYPE(hi) == CALL_GATE_32 ? 4 : 2;
    uint32_t code_lo, code_hi;
    struct raw_segment cs;

    if (f->lma || (SEG_TYPE(hi) != CALL_GATE_32 && SEG_TYPE(hi) != CALL_GATE_16) || !(hi & _SEGMENT_P) ||
        SEG_DPL(hi) < f->cpl || SEG_DPL(hi) < rpl || !descriptor(f, (uint16_t)(lo >> 16), &code_lo, &code_hi))
        return;
    cs = segment_of((uint16_t)(lo >> 16), code_lo, code_hi);
    if (!is_code(cs.flags) || SEG_DPL(cs.flags) > f->cpl)
        return;
    if (!call && !(cs.flags & SEG_CONFORM) && SEG_DPL(cs.flags) != f->cpl)
        return;
    if (call && !(cs.flags & SEG_CONFORM) && SEG_DPL(cs.flags) < f->cpl)
        call_inner(f, SEG_DPL(cs.flags), hi & 31, size);
    else if (call)
        push(f, 2, size);
    within(f, &cs, size == 4 ? (lo & 0xffff) | (hi & 0xffff0000) : lo & 0xffff);
}

void emu_far_to(struct emu *e, struct CPUX86State *env, uint16_t sel, uint32_t offset, unsigned int push_size,
                uintptr_t host_pc)
{
    const struct far f = far_begin(e, env, host_pc);
    const unsigned int rpl = sel & 3;
    struct raw_segment cs;
    uint32_t lo, hi;

    if (!descriptor(&f, sel, &lo, &hi))
        return;
    if (!(hi & _SEGMENT_S)) {
        through_gate(&f, lo, hi, rpl, push_size);
        return;
    }
    cs = segment_of(sel, lo, hi);
    if (!is_code(cs.flags) || SEG_DPL(cs.flags) > f.cpl ||
        (!(cs.flags & SEG_CONFORM) && (rpl > f.cpl || SEG_DPL(cs.flags) != f.cpl)))
        return;
    if (push_size)
        push(&f, 2, push_size);
    within(&f, &cs, offset);
}

/* ------------------------------------------------------------------------------------------------- RET and IRET -- */

/* Behind `words` words and `pops` bytes of parameters an outer ring's stack is popped. */
static void back(const struct far *f, unsigned int nr_words, unsigned int pops, unsigned int size)
{
    const uint32_t offset = pop(f, 0, size);
    const uint16_t sel = (uint16_t)pop(f, size, size);
    const unsigned int rpl = sel & 3, outer = nr_words * size + pops;
    struct raw_segment cs;
    uint32_t lo, hi;

    if (!descriptor(f, sel, &lo, &hi) || rpl < f->cpl)
        return;
    cs = segment_of(sel, lo, hi);
    if (!is_code(cs.flags) || (cs.flags & SEG_CONFORM ? SEG_DPL(cs.flags) > rpl : SEG_DPL(cs.flags) != rpl))
        return;
    if (rpl > f->cpl) {
        pop(f, outer, size);
        pop(f, outer + size, size);
    }
    within(f, &cs, offset);
}

void emu_far_return(struct emu *e, struct CPUX86State *env, unsigned int size, unsigned int pops, uintptr_t host_pc)
{
    const struct far f = far_begin(e, env, host_pc);

    back(&f, 2, pops, size);
}

void emu_far_iret(struct emu *e, struct CPUX86State *env, unsigned int size, uintptr_t host_pc)
{
    const struct far f = far_begin(e, env, host_pc);

    if (size == 4 && !f.cpl && !f.lma && pop(&f, 8, 4) & X86_EFLAGS_VM) {
        for (unsigned int i = 0; i < 9; i++)
            pop(&f, i * 4, 4);
        if (pop(&f, 0, 4) > 0xffff)
            refuse(&f, TRAP_gp_fault, 0);
        return;
    }
    pop(&f, 2 * size, size);
    back(&f, 3, 0, size);
}
