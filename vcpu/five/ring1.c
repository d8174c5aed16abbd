// SPDX-License-Identifier: GPL-2.0-or-later
/* Trap and emulate: into ring 1 and out again, and what traps mean. See ring1.h. */
#include "vcpu/five/ring1.h"

#include "mmu/guest_access.h"
#include "vcpu/five/interp.h"
#include "vcpu/five/tc.h"

#define KERNEL_RING 1u
#define ATTR_DPL    0x060u

/* What the processor has: addresses that are no guest's, and Xen's selector of a TSS (FLAT_..., TSS_ENTRY). */
static const struct cpu_table monitor_gdt = { .base = 0xffff82d040400000, .limit = 0 };
static const struct cpu_table monitor_idt = { .base = 0xffff82d040401000, .limit = 0xfff };
static const struct cpu_segment monitor_tr = {
    .sel = 0xe040, .attr = 0x08b, .limit = 0x67, .base = 0xffff82d040402000
};

/* The flags that are the hypervisor's. */
#define FLAGS_OWN (X86_EFLAGS_IF | X86_EFLAGS_IOPL)

/* A vCPU that runs, and what its guest believes to have meanwhile. */
struct ring1 {
    struct vcpu *v;
    struct {
        struct cpu_table gdtr, idtr;
        struct cpu_segment ldtr, tr;
        uint64_t cr0, efer, flags;
        bool want_intwin;
    } own;
    pcpu_exit_fn *on_exit;
    void *data;
    struct pcpu_budget budget; /* what is left */
    bool goes_on, translated;
};

static void kernel_ring(struct cpu_state *r, unsigned int from, unsigned int to)
{
    static const uint8_t segs[] = { CPU_SEG_CS, CPU_SEG_SS };

    if (r->cpl != from)
        return;
    r->cpl = (uint8_t)to;
    for (unsigned int i = 0; i < ARRAY_SIZE(segs); i++) {
        struct cpu_segment *s = &r->seg[segs[i]];

        s->sel = (uint16_t)((s->sel & ~3u) | to);
        s->attr = (uint16_t)((s->attr & ~ATTR_DPL) | to << 5);
    }
}

/* Is it a kernel whose code is translated? */
static bool is_translated(const struct vcpu *v)
{
    return v->domain->hvm->tc && !v->regs->cpl && v->regs->seg[CPU_SEG_CS].attr & SEG_ATTR_L;
}

/* False: the instruction at RIP is to be carried out. */
static bool deprivilege(struct ring1 *g)
{
    struct cpu_state *r = g->v->regs;

    g->translated = is_translated(g->v);
    if (g->translated && !tc_enter(g->v, r->rflags & X86_EFLAGS_IF, r->want_intwin))
        return false;
    g->own.gdtr = r->gdtr;
    g->own.idtr = r->idtr;
    g->own.ldtr = r->ldtr;
    g->own.tr = r->tr;
    g->own.cr0 = r->cr0;
    g->own.efer = r->efer;
    g->own.flags = r->rflags & FLAGS_OWN;
    g->own.want_intwin = r->want_intwin;
    r->gdtr = monitor_gdt;
    r->idtr = monitor_idt;
    r->ldtr = (struct cpu_segment){ 0 };
    r->tr = monitor_tr;
    r->cr0 |= g->v->hvm->fpu_used ? 0 : X86_CR0_TS;
    r->efer &= ~(uint64_t)EFER_SCE;
    r->want_intwin &= (r->rflags & X86_EFLAGS_IF) != 0;
    r->rflags = (r->rflags & ~(uint64_t)FLAGS_OWN) | X86_EFLAGS_IF;
    kernel_ring(r, 0, KERNEL_RING);
    return true;
}

static void reprivilege(struct ring1 *g, const struct sim_exit *e)
{
    struct cpu_state *r = g->v->regs;

    r->gdtr = g->own.gdtr;
    r->idtr = g->own.idtr;
    r->ldtr = g->own.ldtr;
    r->tr = g->own.tr;
    r->cr0 = g->own.cr0;
    r->efer = g->own.efer;
    r->want_intwin = g->own.want_intwin;
    r->rflags = (r->rflags & ~(uint64_t)FLAGS_OWN) | g->own.flags;
    kernel_ring(r, KERNEL_RING, 0);
    if (g->translated)
        r->rflags = (r->rflags & ~(uint64_t)X86_EFLAGS_IF) | (tc_leave(g->v, e) ? X86_EFLAGS_IF : 0);
}

static bool in_long_mode(const struct vcpu *v) { return v->regs->efer & EFER_LMA; }

/* False: the processor, or the interpreter, has no more to do with it; ring1_run_on() may have. */
static bool go_on(struct ring1 *g, const struct sim_exit *e, struct pcpu_budget *budget, bool long_mode)
{
    g->goes_on = g->on_exit(g->data, e, budget);
    g->budget = *budget;
    return g->goes_on && in_long_mode(g->v) == long_mode;
}

/* Into the guest. False: it is not to be entered, or not by this processor. */
static bool enter(struct ring1 *g, struct pcpu_budget *budget)
{
    static const struct sim_exit trap = { .kind = EXIT_EXCEPTION, .exception.vector = X86_EXC_UD };

    while (!deprivilege(g))
        if (!go_on(g, &trap, budget, true))
            return false;
    return true;
}

static bool came_out(void *data, const struct sim_exit *e, struct pcpu_budget *budget)
{
    struct ring1 *g = data;

    reprivilege(g, e);
    return go_on(g, e, budget, true) && enter(g, budget);
}

static bool was_interpreted(void *data, const struct sim_exit *e, struct pcpu_budget *budget)
{
    return go_on(data, e, budget, false);
}

void ring1_run_on(struct vcpu *v, const struct pcpu_budget *budget, pcpu_exit_fn *on_exit, void *data)
{
    struct machine *m = v->domain->xen->machine;
    struct ring1 g = { .v = v, .on_exit = on_exit, .data = data, .budget = *budget };

    do {
        struct pcpu_budget left = g.budget;

        if (in_long_mode(v)) {
            if (enter(&g, &left))
                pcpu_run_on(m->pcpu[m->cur_pcpu], v->ctx, &left, came_out, &g);
        } else {
            interp_run_on(v, &left, was_interpreted, &g);
        }
    } while (g.goes_on);
}

/* --------------------------------------------------------------------------------------------------------- traps -- */

/* It may use the FPU, and has not been given it yet: from now on TS is as the guest says. False: it may not. */
static bool fpu_given(struct vcpu *v)
{
    if (v->regs->cr0 & (X86_CR0_TS | X86_CR0_EM))
        return false;
    v->hvm->fpu_used = true;
    v->regs->dirty |= CPU_DIRTY_CR;
    return true;
}

void ring1_switch_to(struct vcpu *v)
{
    v->hvm->fpu_used = false;
    v->regs->dirty |= CPU_DIRTY_CR;
}

/* MOV SS: no trap comes behind it, but behind the next one. */
static bool moves_to_ss(struct vcpu *v)
{
    uint8_t code[2];

    return guest_fetch_insn(v, v->regs->rip, code, 2) == 2 && code[0] == 0x8e && (code[1] >> 3 & 7) == CPU_SEG_SS;
}

/*
 * A #GP or #UD: the instruction is carried out as for CPL 0, or leaves as it would there. One that is unknown is named,
 * and ends the domain; but not in user mode, where it needed no help before, and is the guest's own fault.
 */
static void carry_out(struct vcpu *v, const struct sim_exit *e)
{
    const bool stepped = v->regs->rflags & X86_EFLAGS_TF && !moves_to_ss(v);
    struct sim_exit x;

    if (tc_wanted_block(v)) {
        hvm_io_forget(v);
        hvm_exit_note(v, e);
    } else if (interp_one(v, &x)) {
        hvm_io_forget(v);
        hvm_exit_note(v, e);
        if (stepped)
            hvm_inject_step_trap(v);
    } else if (x.kind == EXIT_ERROR && (v->regs->cpl || (e->exception.vector == X86_EXC_UD && !v->domain->hvm->tc))) {
        hvm_handle_exit(v, e);
    } else {
        if (x.kind == EXIT_CR_WRITE || x.kind == EXIT_INVLPG)
            tc_mappings_changed(v);
        hvm_handle_exit(v, &x);
    }
}

void ring1_handle_exit(struct vcpu *v, const struct sim_exit *e)
{
    const unsigned int vector = e->kind == EXIT_EXCEPTION && in_long_mode(v) ? e->exception.vector : X86_EXC_DE;

    if (v->domain->is_shutting_down)
        return;
    if (vector == X86_EXC_GP || vector == X86_EXC_UD)
        carry_out(v, e);
    else if (vector != X86_EXC_NM || !fpu_given(v))
        hvm_handle_exit(v, e);
}
