// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Segments, and what changes the ring: MOV to a segment register, far transfers, IRET, SYSCALL and SYSRET.
 *
 * Source: AMD APM volume 2, 4.7 (descriptors), 6.1.1 (SYSCALL), 8.7.3 (IRET); volume 3, each instruction.
 */
#include "vcpu/five/interp.h"
#include "vcpu/hvm/descriptor.h"

#define FLAT_CODE 0xa9b /* SYSCALL's: 64-bit code, present, G; and data */
#define FLAT_DATA 0xc93
#define ATTR_DPL3 0x060
#define IRET_CHANGE                                                                                                    \
    (X86_EFLAGS_ARITH_MASK | X86_EFLAGS_TF | X86_EFLAGS_DF | X86_EFLAGS_NT | X86_EFLAGS_RF | X86_EFLAGS_AC | 1u << 21)

/* --------------------------------------------------------------------------------------------------- descriptors -- */

bool interp_descriptor_fault(struct interp *i, const struct hvm_fault *f)
{
    if (f->vector == HVM_NO_MEMORY)
        return interp_refuse(i, KNOWS_NO "descriptors where no memory is");
    interp_exception(i, f->vector, f->error_code);
    i->x.exception.addr = f->addr;
    return false;
}

/* False: *i says why; a selector without a descriptor is #GP. */
bool interp_descriptor(struct interp *i, uint16_t sel, struct cpu_segment *s)
{
    struct hvm_fault f;

    switch (hvm_descriptor_read(i->v, sel, s, &f)) {
    case HVM_DESC_OK: return true;
    case HVM_DESC_NONE: return interp_exception(i, X86_EXC_GP, sel & 0xfffc);
    case HVM_DESC_FAULT: return interp_descriptor_fault(i, &f);
    }
    BUG();
}

static bool accessed(struct interp *i, struct cpu_segment *s)
{
    struct hvm_fault f;

    interp_flush(i); /* a store past interp_store() */
    return hvm_descriptor_accessed(i->v, s, &f) || interp_descriptor_fault(i, &f);
}

/* The code segment that a far transfer goes to, which will run at ring cpl. */
static bool code_segment(struct interp *i, uint16_t sel, unsigned int cpl, struct cpu_segment *s)
{
    if (!(sel & 0xfffc))
        return interp_exception(i, X86_EXC_GP, 0);
    if (!interp_descriptor(i, sel, s))
        return false;
    if (!(s->attr & ATTR_S) || !(s->attr & TYPE_CODE) ||
        (s->attr & TYPE_CONFORM ? ATTR_DPL(s->attr) > cpl : ATTR_DPL(s->attr) != cpl))
        return interp_exception(i, X86_EXC_GP, sel & 0xfffc);
    if (!(s->attr & SEG_ATTR_P))
        return interp_exception(i, X86_EXC_NP, sel & 0xfffc);
    s->sel = (uint16_t)((sel & 0xfffc) | cpl);
    return accessed(i, s);
}

static bool stack_segment(struct interp *i, uint16_t sel, unsigned int cpl, struct cpu_segment *s)
{
    if (!(sel & 0xfffc) && cpl < 3 && interp_is_64(i->r)) { /* a null selector, which says the ring */
        *s = (struct cpu_segment){ .sel = sel, .attr = (uint16_t)(FLAT_DATA | cpl << 5), .limit = ~0u };
        return (sel & 3u) == cpl || interp_exception(i, X86_EXC_GP, 0);
    }
    if (!(sel & 0xfffc))
        return interp_exception(i, X86_EXC_GP, 0);
    if (!interp_descriptor(i, sel, s))
        return false;
    if ((sel & 3u) != cpl || ATTR_DPL(s->attr) != cpl ||
        (s->attr & (ATTR_S | TYPE_CODE | TYPE_WRITE)) != (ATTR_S | TYPE_WRITE))
        return interp_exception(i, X86_EXC_GP, sel & 0xfffc);
    if (!(s->attr & SEG_ATTR_P))
        return interp_exception(i, X86_EXC_SS, sel & 0xfffc);
    return accessed(i, s);
}

static bool data_segment(struct interp *i, uint16_t sel, struct cpu_segment *s)
{
    const unsigned int needed = (sel & 3u) > i->r->cpl ? sel & 3u : i->r->cpl;

    *s = (struct cpu_segment){ .sel = sel };
    if (!(sel & 0xfffc))
        return true;
    if (!interp_descriptor(i, sel, s))
        return false;
    if (!(s->attr & ATTR_S) || (s->attr & (TYPE_CODE | TYPE_READ)) == TYPE_CODE ||
        ((s->attr & (TYPE_CODE | TYPE_CONFORM)) != (TYPE_CODE | TYPE_CONFORM) && ATTR_DPL(s->attr) < needed))
        return interp_exception(i, X86_EXC_GP, sel & 0xfffc);
    if (!(s->attr & SEG_ATTR_P))
        return interp_exception(i, X86_EXC_NP, sel & 0xfffc);
    return accessed(i, s);
}

static void set_segment(struct interp *i, unsigned int nr, const struct cpu_segment *s)
{
    i->r->seg[nr] = *s;
    i->r->dirty |= CPU_DIRTY_SEGS;
}

static bool load_segment(struct interp *i, unsigned int nr, uint16_t sel)
{
    struct cpu_segment s;

    if (!(nr == CPU_SEG_SS ? stack_segment(i, sel, i->r->cpl, &s) : data_segment(i, sel, &s)))
        return false;
    set_segment(i, nr, &s);
    i->shadow = nr == CPU_SEG_SS;
    return true;
}

bool interp_mov_to_seg(struct interp *i, const struct interp_insn *in)
{
    uint64_t sel;

    if (in->reg == CPU_SEG_CS || in->reg >= CPU_NR_SEGS)
        return interp_exception(i, X86_EXC_UD, 0);
    return interp_get_rm(i, in, 2, &sel) && load_segment(i, in->reg, (uint16_t)sel);
}

bool interp_pop_seg(struct interp *i, const struct interp_insn *in)
{
    uint64_t sel;

    if (!interp_top(i, in->size, &sel) || !load_segment(i, in->reg, (uint16_t)sel))
        return false;
    i->r->rsp = interp_stack_at(i, i->r->rsp + in->size);
    return true;
}

bool interp_mov_from_seg(struct interp *i, const struct interp_insn *in)
{
    if (in->reg >= CPU_NR_SEGS)
        return interp_exception(i, X86_EXC_UD, 0);
    return interp_set_rm(i, in, in->is_mem ? 2 : in->size, i->r->seg[in->reg].sel);
}

/* ------------------------------------------------------------------------------------------------- far transfers -- */

/*
 * A far JMP's or CALL's: it may not ask for less than its ring has. There are no gates and tasks here, but what they
 * are not is checked: in long mode a TSS or a gate to a task is #GP.
 */
static bool far_segment(struct interp *i, uint16_t sel, struct cpu_segment *cs)
{
    struct cpu_segment s;

    if (sel & 0xfffc && !interp_descriptor(i, sel, &s))
        return false;
    if (sel & 0xfffc && !(s.attr & ATTR_S) && (!(i->r->efer & EFER_LMA) || ATTR_TYPE(s.attr) == 12))
        return interp_refuse(i, KNOWS_NO "far transfer by way of gates or tasks");
    if (sel & 0xfffc && s.attr & ATTR_S && s.attr & TYPE_CODE && !(s.attr & TYPE_CONFORM) && (sel & 3u) > i->r->cpl)
        return interp_exception(i, X86_EXC_GP, sel & 0xfffc);
    return code_segment(i, sel, i->r->cpl, cs);
}

static bool is_target(struct interp *i, const struct cpu_segment *cs, uint64_t rip)
{
    return !(cs->attr & SEG_ATTR_L) || is_canonical(rip) || interp_exception(i, X86_EXC_GP, 0);
}

static bool go_far(struct interp *i, const struct cpu_segment *cs, uint64_t rip)
{
    set_segment(i, CPU_SEG_CS, cs);
    i->next = rip;
    i->transfers = true;
    return true;
}

bool interp_jmp_far(struct interp *i, const struct interp_insn *in)
{
    struct cpu_segment cs;

    return far_segment(i, (uint16_t)in->disp, &cs) && go_far(i, &cs, in->imm);
}

/* Both words of a CALL are in place before RSP changes. */
bool interp_far_rm(struct interp *i, const struct interp_insn *in)
{
    const uint64_t at = interp_address(i, in), old = i->r->rsp;
    const uint16_t from = i->r->seg[CPU_SEG_CS].sel;
    const bool stack = interp_on_stack(in);
    struct cpu_segment cs;
    uint64_t to, sel;

    if (!interp_load(i, at, in->size, &to, stack) || !interp_load(i, at + in->size, 2, &sel, stack) ||
        !far_segment(i, (uint16_t)sel, &cs) || !is_target(i, &cs, to))
        return false;
    if (in->op == OP_CALLF_RM && (!interp_push(i, in->size, from) || !interp_push(i, in->size, i->r->rip + in->len))) {
        i->r->rsp = old;
        return false;
    }
    return go_far(i, &cs, to);
}

static bool pop_words(struct interp *i, uint64_t *words, unsigned int from, unsigned int to, unsigned int size)
{
    for (unsigned int n = from; n < to; n++)
        if (!interp_load(i, interp_stack_at(i, i->r->rsp + size * n), size, &words[n], true))
            return false;
    return true;
}

/* Data segments that the outer ring may not have are null there. */
static void drop_inner(struct interp *i, unsigned int cpl)
{
    static const uint8_t segs[] = { CPU_SEG_ES, CPU_SEG_DS, CPU_SEG_FS, CPU_SEG_GS };

    for (unsigned int n = 0; n < ARRAY_SIZE(segs); n++) {
        const struct cpu_segment *s = &i->r->seg[segs[n]];

        if (s->attr & ATTR_S && ATTR_DPL(s->attr) < cpl &&
            (s->attr & (TYPE_CODE | TYPE_CONFORM)) != (TYPE_CODE | TYPE_CONFORM))
            set_segment(i, segs[n], &(struct cpu_segment){ .base = s->base });
    }
}

/* To an outer ring RSP and SS are popped, too. */
bool interp_ret_far(struct interp *i, const struct interp_insn *in)
{
    struct cpu_state *r = i->r;
    struct cpu_segment cs, ss;
    unsigned int cpl;
    uint64_t w[4]; /* RIP CS RSP SS */

    if (in->size == 2)
        return interp_refuse(i, KNOWS_NO "RETF of 16 bits");
    if (!pop_words(i, w, 0, 2, in->size))
        return false;
    cpl = w[1] & 3;
    if (cpl < r->cpl)
        return interp_exception(i, X86_EXC_GP, w[1] & 0xfffc);
    if (!code_segment(i, (uint16_t)w[1], cpl, &cs) || !is_target(i, &cs, w[0]))
        return false;
    if (cpl == r->cpl) {
        r->rsp = interp_stack_at(i, r->rsp + 2u * in->size);
        return go_far(i, &cs, w[0]);
    }
    if (!pop_words(i, w, 2, 4, in->size) || !stack_segment(i, (uint16_t)w[3], cpl, &ss))
        return false;
    set_segment(i, CPU_SEG_SS, &ss);
    drop_inner(i, cpl);
    r->cpl = (uint8_t)cpl;
    go_far(i, &cs, w[0]);
    r->rsp = interp_stack_at(i, w[2]);
    return true;
}

/* What IRET takes into RFLAGS. */
static void iret_flags(struct cpu_state *r, uint64_t flags)
{
    uint64_t change = IRET_CHANGE;

    if (r->cpl == 0)
        change |= X86_EFLAGS_IOPL;
    if (r->cpl <= (r->rflags & X86_EFLAGS_IOPL) >> 12)
        change |= X86_EFLAGS_IF;
    r->rflags = (r->rflags & ~change) | (flags & change);
}

/* In 64-bit code RSP and SS are popped always, in 32-bit code to an outer ring. */
bool interp_iret(struct interp *i, const struct interp_insn *in)
{
    struct cpu_state *r = i->r;
    struct cpu_segment cs, ss;
    uint64_t w[5]; /* RIP CS RFLAGS RSP SS */
    unsigned int cpl;
    bool stack;

    if (in->size == 2)
        return interp_refuse(i, KNOWS_NO "IRET of 16 bits");
    if (r->rflags & X86_EFLAGS_NT)
        return interp_is_64(r) ? interp_exception(i, X86_EXC_GP, 0) : interp_refuse(i, KNOWS_NO "tasks");
    if (!pop_words(i, w, 0, 3, in->size))
        return false;
    if (!interp_is_64(r) && w[2] & X86_EFLAGS_VM && !r->cpl)
        return interp_refuse(i, KNOWS_NO "virtual-8086 mode");
    cpl = w[1] & 3;
    stack = interp_is_64(r) || cpl > r->cpl;
    if (stack && !pop_words(i, w, 3, 5, in->size))
        return false;
    if (cpl < r->cpl)
        return interp_exception(i, X86_EXC_GP, w[1] & 0xfffc);
    if (!code_segment(i, (uint16_t)w[1], cpl, &cs) || (stack && !stack_segment(i, (uint16_t)w[4], cpl, &ss)))
        return false;
    if (!is_canonical(w[0]))
        return interp_exception(i, X86_EXC_GP, 0);
    iret_flags(r, w[2]);
    w[3] = stack ? w[3] : r->rsp + 3u * in->size;
    set_segment(i, CPU_SEG_CS, &cs);
    r->rsp = interp_stack_at(i, w[3]); /* as the code that it goes to sees */
    if (stack)
        set_segment(i, CPU_SEG_SS, &ss);
    if (cpl > r->cpl)
        drop_inner(i, cpl);
    r->cpl = (uint8_t)cpl;
    r->nmi_blocked = false;
    i->next = w[0];
    i->transfers = i->keeps_rf = true;
    return true;
}

/* -------------------------------------------------------------------------------------------- SYSCALL and SYSRET -- */

static void flat_segment(struct interp *i, unsigned int nr, unsigned int sel, unsigned int attr)
{
    set_segment(i, nr, &(struct cpu_segment){ .sel = (uint16_t)sel, .attr = (uint16_t)attr, .limit = ~0u });
}

bool interp_syscall(struct interp *i)
{
    struct cpu_state *r = i->r;
    const unsigned int sel = r->star >> 32 & 0xfffc;

    if (!(r->efer & EFER_SCE))
        return interp_exception(i, X86_EXC_UD, 0);
    if (!interp_is_64(r))
        return interp_refuse(i, KNOWS_NO "SYSCALL from code of 32 bits");
    r->rcx = i->next;
    r->r11 = r->rflags & ~(uint64_t)X86_EFLAGS_RF;
    r->rflags = r->r11 & ~r->sfmask;
    flat_segment(i, CPU_SEG_CS, sel, FLAT_CODE);
    flat_segment(i, CPU_SEG_SS, sel + 8, FLAT_DATA);
    r->cpl = 0;
    i->next = r->lstar;
    i->transfers = true;
    return true;
}

bool interp_sysret(struct interp *i, const struct interp_insn *in)
{
    struct cpu_state *r = i->r;
    const unsigned int sel = r->star >> 48 & 0xfffc;

    if (!(r->efer & EFER_SCE))
        return interp_exception(i, X86_EXC_UD, 0);
    if (r->cpl > 0)
        return interp_exception(i, X86_EXC_GP, 0);
    if (in->size != 8 || !interp_is_64(r))
        return interp_refuse(i, KNOWS_NO "SYSRET to code of 32 bits");
    r->rflags = (r->r11 & ~(uint64_t)(X86_EFLAGS_RF | X86_EFLAGS_VM) & 0x3f7fd7) | X86_EFLAGS_MBS;
    flat_segment(i, CPU_SEG_CS, (sel + 16) | 3, FLAT_CODE | ATTR_DPL3);
    flat_segment(i, CPU_SEG_SS, (sel + 8) | 3, FLAT_DATA | ATTR_DPL3);
    r->cpl = 3;
    i->next = r->rcx;
    i->transfers = true;
    return true;
}
