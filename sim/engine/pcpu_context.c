// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * vCPUs as sim/ knows them: created, exchanged in the engine, written back, forgotten.
 *
 * Concept: a vCPU is a struct cpu_context, which is state and lies in the machine's arena: what is not in there is lost
 * when the arena is put back. The engine's registers for it, which a guest changes as it runs, are a cache. What the
 * engine keeps of one that it does not run now is therefore apart, in a table outside of the arena, found by the
 * context's address:
 *
 *      the arena                       |  the engine
 *      machine.contexts                |  emu.kept, by address
 *        cpu_context { state } <-------|--- emu_context { whose, saved }
 *        cpu_context { state }         |          a vCPU that no engine has seen, or that was forgotten, is not there
 *
 * Two calls make that safe. pcpu_sync() writes into each cpu_state what only the engine has, the FPU's registers, and
 * changes nothing of how things go on. What parts of a state the engine does not have is no concern of the arena's
 * after that: `dirty` is CPU_DIRTY_SYNCED in all of them, whatever the engine did before, so two machines that have
 * come to the same point on different ways have the same bytes there; which parts it was is noted in the table.
 * pcpu_forget() empties the table and the TLB. Contexts that came and went in the meantime are no trouble, since
 * nothing in the arena points into the table.
 *
 * Invariant: a context is in the table of its own machine's engine or in none; what is in the table exists.
 */
#include "sim/engine/pcpu_private.h"

#include <stdlib.h>

/* --- which the engine knows --- */

static struct emu *engine_of(const struct machine *m) { return m->edges->code ? m->edges->code->emu : NULL; }

/* Where in the table c is, or would be. */
static struct emu_context **place(struct emu *e, const struct cpu_context *c)
{
    struct emu_context **at = &e->kept[(uintptr_t)c / sizeof(*c) % EMU_KEPT_LISTS];

    while (*at && (*at)->whose != c)
        at = &(*at)->next;
    return at;
}

/* The engine forgets one. */
static void drop(struct emu *e, struct emu_context **at)
{
    struct emu_context *k = *at;

    if (e->loaded == k->whose)
        e->loaded = NULL;
    *at = k->next;
    uc_context_free(k->saved);
    free(k);
}

static struct emu_context *add(struct emu *e, struct emu_context **at, const struct cpu_context *c)
{
    struct emu_context *k = calloc(1, sizeof(*k));

    BUG_ON(!k || uc_context_alloc(e->uc, &k->saved));
    k->whose = c;
    *at = k;
    return k;
}

void pcpu_keep_nothing(struct emu *e)
{
    for (unsigned int i = 0; i < EMU_KEPT_LISTS; i++)
        while (e->kept[i])
            drop(e, &e->kept[i]);
}

/* --- creating, destroying --- */

void cpu_state_reset(struct cpu_state *st)
{
    memset(st->gpr, 0, sizeof(st->gpr));
    st->rip = 0xfff0;
    st->rflags = X86_EFLAGS_MBS;
    st->cpl = 0;
    st->int_shadow = st->want_intwin = st->nmi_blocked = st->want_nmiwin = false;
    for (unsigned int i = 0; i < CPU_NR_SEGS; i++)
        st->seg[i] = (struct cpu_segment){ .attr = 0x93, .limit = 0xffff };
    st->seg[CPU_SEG_CS] = (struct cpu_segment){ .sel = 0xf000, .attr = 0x9b, .limit = 0xffff, .base = 0xffff0000 };
    st->ldtr = (struct cpu_segment){ .attr = 0x82, .limit = 0xffff };
    st->tr = (struct cpu_segment){ .attr = 0x8b, .limit = 0xffff };
    st->gdtr = st->idtr = (struct cpu_table){ .limit = 0xffff };
    st->cr0 = X86_CR0_CD | X86_CR0_NW | X86_CR0_ET;
    st->cr2 = st->cr3 = st->cr4 = st->cr8 = st->efer = 0;
    memset(st->dr, 0, sizeof(st->dr));
    st->dr[6] = X86_DR6_DEFAULT;
    st->dr[7] = X86_DR7_DEFAULT;
    st->kernel_gs_base = st->star = st->lstar = st->cstar = st->sfmask = 0;
    st->sysenter_cs = st->sysenter_esp = st->sysenter_eip = 0;
    st->pat = UINT64_C(0x0007040600070406);
    cpu_state_set_fpu(st, NULL);
    st->dirty = CPU_DIRTY_ALL;
}

/* As Xen starts a PV guest: flat segments, FPU clean (arch/x86/pv/domain.c, pv_vcpu_initialise; FXSAVE defaults). */
static void state_init(struct cpu_state *st, enum cpu_mode mode)
{
    st->mode = mode;
    st->dirty = CPU_DIRTY_ALL;
    cpu_state_set_fpu(st, NULL);
    st->rflags = X86_EFLAGS_MBS | X86_EFLAGS_IF;
    if (mode == CPU_MODE_HVM) {
        cpu_state_reset(st);
        return;
    }
    st->cpl = mode == CPU_MODE_PV64 ? 3 : 1;
    st->cr0 = PV_CR0_FIXED;
    st->cr4 = PV_CR4_FIXED;
    st->efer = EFER_SCE | EFER_LME | EFER_LMA | EFER_NXE;
    st->dr[6] = X86_DR6_DEFAULT;
    st->dr[7] = X86_DR7_DEFAULT;
    st->pat = UINT64_C(0x0007040600070406);
    for (unsigned int i = 0; i < CPU_NR_SEGS; i++) /* Xen's FLAT_KERNEL_*: 0xe033, 0xe02b; ring 1: 0xe019, 0xe021 */
        st->seg[i] = mode == CPU_MODE_PV64 ? (struct cpu_segment){ 0xe02b, 0xcf3, ~0u, 0 }
                                           : (struct cpu_segment){ 0xe021, 0xcb3, ~0u, 0 };
    st->seg[CPU_SEG_CS] = mode == CPU_MODE_PV64 ? (struct cpu_segment){ 0xe033, 0xafb, ~0u, 0 }
                                                : (struct cpu_segment){ 0xe019, 0xcbb, ~0u, 0 };
}

struct cpu_context *cpu_context_create(struct machine *m, enum cpu_mode mode, const struct vcpu_controls *controls)
{
    struct cpu_context *c = xzalloc(m->arena, struct cpu_context);

    if (!c)
        return NULL;
    c->m = m;
    c->state.controls = *controls;
    state_init(&c->state, mode);
    c->next = m->contexts;
    c->link = &m->contexts;
    if (c->next)
        c->next->link = &c->next;
    m->contexts = c;
    return c;
}

struct cpu_state *cpu_context_state(struct cpu_context *c) { return &c->state; }

void pcpu_release(struct cpu_context *c)
{
    struct emu *e = engine_of(c->m);
    struct emu_context **at = e ? place(e, c) : NULL;

    cpu_context_save_fpu(c);
    if (at && *at)
        drop(e, at);
    c->state.dirty = CPU_DIRTY_ALL;
}

void cpu_context_destroy(struct cpu_context *c)
{
    if (!c)
        return;
    pcpu_release(c);
    *c->link = c->next;
    if (c->next)
        c->next->link = c->link;
    xfree(c);
}

void cpu_context_flush_page(struct cpu_context *c, uint64_t addr)
{
    struct emu *e = engine_of(c->m);

    /* When a vCPU is loaded the TLB is flushed anyway. */
    if (e && e->loaded == c && !emu_tlb_flush_page(e, addr))
        c->state.dirty |= CPU_DIRTY_TLB;
}

/* --- exchanging --- */

/* Nobody is loaded. */
static void put_aside(struct emu *e)
{
    BUG_ON(uc_context_save(e->uc, e->loaded_kept->saved));
    e->loaded_kept->saved_valid = true;
    e->loaded = NULL;
}

void pcpu_switch(struct emu *e, struct cpu_context *c)
{
    struct emu_context **at = place(e, c), *k = *at;

    BUG_ON(c->m != e->m);
    if (e->loaded)
        put_aside(e);
    if (!k) {
        k = add(e, at, c);
        c->state.dirty = CPU_DIRTY_ALL;
    }
    BUG_ON(uc_context_restore(e->uc, k->saved_valid ? k->saved : emu_guest_mode(e, &c->state.controls)));
    e->loaded = c;
    e->loaded_kept = k;
    e->nested.on = c->state.mode == CPU_MODE_HVM;
    emu_want_interrupt(e, false);
}

/* --- the state is the truth --- */

void cpu_context_save_fpu(struct cpu_context *c)
{
    struct emu *e = engine_of(c->m);

    if (!e || (c->state.dirty & (CPU_DIRTY_FPU | CPU_DIRTY_SYNCED)) || !*place(e, c))
        return; /* fxsave[] is the truth already */
    if (e->loaded != c) {
        pcpu_switch(e, c);
        c->state.dirty |= CPU_DIRTY_SWITCH;
    }
    pcpu_fpu_save(e, &c->state);
}

/* May leave c loaded, for reading. */
static void sync_one(struct emu *e, struct cpu_context *c)
{
    struct cpu_state *st = &c->state;
    struct emu_context *k = *place(e, c);

    if (k) {
        if (!(st->dirty & (CPU_DIRTY_FPU | CPU_DIRTY_SYNCED))) {
            if (e->loaded != c)
                pcpu_switch(e, c);
            pcpu_fpu_save(e, st);
        }
        k->dirty = (st->dirty & ~CPU_DIRTY_SYNCED) | (st->dirty & CPU_DIRTY_SYNCED ? k->dirty : 0);
    }
    st->dirty = CPU_DIRTY_SYNCED;
}

void pcpu_sync(struct machine *m)
{
    struct emu *e = engine_of(m);
    struct cpu_context *was = e ? e->loaded : NULL;

    for (struct cpu_context *c = m->contexts; e && c; c = c->next)
        sync_one(e, c);
    if (was && e->loaded != was)
        pcpu_switch(e, was);
    else if (!was && e && e->loaded)
        put_aside(e);
}

void pcpu_forget(struct machine *m)
{
    struct emu *e = engine_of(m);

    if (!e)
        return;
    pcpu_keep_nothing(e);
    emu_tlb_forget(e);
    emu_smc_forget(e);
}
