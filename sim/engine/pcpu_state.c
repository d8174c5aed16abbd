// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A vCPU's registers: loaded into the engine, read back.
 *
 * Concept: struct cpu_state is what the hypervisor reads and writes; the engine holds a working copy for the one vCPU
 * that it runs. General registers, RIP and RFLAGS travel both ways at every run; everything else goes in only when its
 * CPU_DIRTY_* bit says so. Coming out, the segments are looked at each time, because a guest reloads them without
 * leaving (native MOV to FS, IRET from ring 1), and converted only when they changed.
 *
 * An HVM guest runs with what it says. What a PV guest really runs with (Xen: arch/x86/pv/domain.c,
 * pv_make_cr4 and friends): paging, protection and SSE are always on, IOPL is 0 and interrupts are open, whatever it
 * believes; of CR0 only TS, of CR4 only FSGSBASE, TSD and DE are the hypervisor's to choose. CPL 0 is never entered.
 */
#include "sim/engine/pcpu_private.h"

#include "sim/vmcb.h"

/*
 * Kept out of the engine for PV guests: IOPL is emulated, pcpu_debug.c deals with RF (which would make other blocks of
 * all code), and the others belong to a mode that they do not have.
 */
#define RFLAGS_PV_CLEAR (X86_EFLAGS_IOPL | X86_EFLAGS_RF | X86_EFLAGS_VM | X86_EFLAGS_VIF | X86_EFLAGS_VIP)

/* ------------------------------------------------------------------------------------------------------ loading -- */

static struct raw_segment segment_to_raw(const struct cpu_segment *s)
{
    return (struct raw_segment){
        .selector = s->sel,
        .base = s->base,
        .limit = s->limit,
        .flags = (s->attr & 0xffu) << 8 | (s->attr & 0xf00u) << 12,
    };
}

static struct cpu_segment segment_from_raw(const struct raw_segment *r)
{
    return (struct cpu_segment){
        .sel = (uint16_t)r->selector,
        .base = r->base,
        .limit = r->limit,
        .attr = (uint16_t)((r->flags >> 8 & 0xff) | (r->flags >> 12 & 0xf00)),
    };
}

/*
 * TR always is a busy TSS. The library, which marks it as such in memory alone, ends the program when a call to an
 * inner ring finds that, or no TSS, in the register.
 */
#define TSS_FREE  0x100u
#define TSS_WIDE  0x800u
#define ATTR_BUSY 2u

static struct raw_segment tr_to_raw(const struct cpu_segment *tr)
{
    struct raw_segment raw = segment_to_raw(tr);

    raw.flags = (raw.flags & (TSS_WIDE | _SEGMENT_G)) | TSS_FREE | _SEGMENT_P;
    return raw;
}

static struct cpu_segment tr_from_raw(const struct raw_segment *raw)
{
    struct cpu_segment tr = segment_from_raw(raw);

    tr.attr |= ATTR_BUSY;
    return tr;
}

/*
 * What the translator must know of segments and privilege (AMD APM volume 2, 4.8 and 4.5.3), and of the shadow of a MOV
 * SS.
 */
static uint32_t segment_hflags(const struct emu *e, const struct cpu_context *c)
{
    const bool flat_32 = (c->state.cr0 & X86_CR0_PE) && !(c->state.rflags & X86_EFLAGS_VM);
    const struct raw_segment *seg = e->seg;
    uint32_t hf = (c->state.cpl & RAW_HF_CPL) | (c->state.int_shadow ? RAW_HF_INHIBIT_IRQ : 0);

    if (c->state.efer & EFER_LMA) {
        hf |= RAW_HF_LMA;
        if (seg[CPU_SEG_CS].flags & _SEGMENT_L)
            hf |= RAW_HF_CS64 | RAW_HF_CS32;
    }
    if (seg[CPU_SEG_CS].flags & _SEGMENT_DB)
        hf |= RAW_HF_CS32;
    if (seg[CPU_SEG_SS].flags & _SEGMENT_DB)
        hf |= RAW_HF_SS32;
    if (hf & RAW_HF_CS64)
        return hf | RAW_HF_SS32;
    if (!flat_32 || !(hf & RAW_HF_CS32) || seg[CPU_SEG_DS].base || seg[CPU_SEG_ES].base || seg[CPU_SEG_SS].base ||
        (emu_segments_count(e, c->state.mode == CPU_MODE_HVM) && !emu_segments_flat(e, seg)))
        hf |= RAW_HF_ADDSEG;
    return hf;
}

#define HF_OF_SEGMENTS                                                                                                 \
    (RAW_HF_CPL | RAW_HF_INHIBIT_IRQ | RAW_HF_LMA | RAW_HF_CS64 | RAW_HF_CS32 | RAW_HF_SS32 | RAW_HF_ADDSEG)
#define HF_OF_CRS (RAW_HF_PE | RAW_HF_MP | RAW_HF_EM | RAW_HF_TS | RAW_HF_OSFXSR | RAW_HF_SMAP)

static void load_segments(struct emu *e, const struct cpu_context *c)
{
    struct raw_cpu *r = &e->raw;
    const struct cpu_state *st = &c->state;

    BUG_ON(st->cpl == 0 && st->mode != CPU_MODE_HVM);
    for (unsigned int i = 0; i < CPU_NR_SEGS; i++)
        e->seg[i] = segment_to_raw(&st->seg[i]);
    memcpy(raw_seg(r, 0), e->seg, sizeof(e->seg));
    *raw_table(r, r->at.ldt) = segment_to_raw(&st->ldtr);
    if (st->mode == CPU_MODE_HVM)
        *raw_table(r, r->at.tr) = tr_to_raw(&st->tr);
    raw_table(r, r->at.gdt)->base = st->gdtr.base;
    raw_table(r, r->at.gdt)->limit = st->gdtr.limit;
    raw_table(r, r->at.idt)->base = st->idtr.base;
    raw_table(r, r->at.idt)->limit = st->idtr.limit;
    raw_set(r, hflags, uint32_t, (raw_get(r, hflags, uint32_t) & ~HF_OF_SEGMENTS) | segment_hflags(e, c));
}

/* The translator need not know of these two. */
static void load_bases(struct emu *e, const struct cpu_context *c)
{
    for (unsigned int i = CPU_SEG_FS; i <= CPU_SEG_GS; i++)
        raw_seg(&e->raw, i)->base = e->seg[i].base = c->state.seg[i].base;
}

static void load_control_hvm(struct emu *e, const struct cpu_state *st)
{
    struct raw_cpu *r = &e->raw;
    uint32_t hf = raw_get(r, hflags, uint32_t) & ~(HF_OF_CRS | RAW_HF_LMA);

    hf |= (st->cr0 & X86_CR0_PE ? RAW_HF_PE : 0) | (st->cr0 & X86_CR0_MP ? RAW_HF_MP : 0) |
          (st->cr0 & X86_CR0_EM ? RAW_HF_EM : 0) | (st->cr0 & X86_CR0_TS ? RAW_HF_TS : 0) |
          (st->cr4 & X86_CR4_OSFXSR ? RAW_HF_OSFXSR : 0) | (st->efer & EFER_LMA ? RAW_HF_LMA : 0);
    *raw_cr(r, 0) = st->cr0;
    *raw_cr(r, 4) = st->cr4;
    raw_set(r, efer, uint64_t, st->efer | EFER_SVME);
    raw_set(r, hflags, uint32_t, hf);
}

static void load_control(struct emu *e, const struct cpu_state *st)
{
    struct raw_cpu *r = &e->raw;
    const uint64_t cr0 = PV_CR0_FIXED | (st->cr0 & PV_CR0_OWN), cr4 = PV_CR4_FIXED | (st->cr4 & PV_CR4_OWN);
    uint32_t hf = raw_get(r, hflags, uint32_t) & ~HF_OF_CRS;

    hf |= RAW_HF_PE | RAW_HF_MP | RAW_HF_OSFXSR | (cr0 & X86_CR0_TS ? RAW_HF_TS : 0);
    *raw_cr(r, 0) = cr0;
    *raw_cr(r, 4) = cr4;
    raw_set(r, efer, uint64_t, EFER_SVME | EFER_SCE | EFER_LME | EFER_LMA | EFER_NXE);
    raw_set(r, hflags, uint32_t, hf);
}

static void load_dirty(struct emu *e, struct cpu_context *c)
{
    struct cpu_state *st = &c->state;
    const uint32_t dirty = st->dirty | (st->dirty & CPU_DIRTY_SYNCED ? e->loaded_kept->dirty : 0);
    uint64_t old_root = 0;
    bool flush = dirty & (CPU_DIRTY_CR3 | CPU_DIRTY_TLB | CPU_DIRTY_CR);

    if (dirty & CPU_DIRTY_FPU)
        pcpu_fpu_load(e, st);
    if (dirty & CPU_DIRTY_CR)
        st->mode == CPU_MODE_HVM ? load_control_hvm(e, st) : load_control(e, st);
    if (dirty & CPU_DIRTY_MSR && st->mode == CPU_MODE_HVM)
        raw_set(&e->raw, kernel_gs_base, uint64_t, st->kernel_gs_base);
    if (dirty & CPU_DIRTY_SEGS)
        load_segments(e, c);
    else if (dirty & CPU_DIRTY_BASE)
        load_bases(e, c);
    if (dirty & (CPU_DIRTY_CR3 | CPU_DIRTY_ROOT)) {
        old_root = *raw_cr(&e->raw, 3);
        *raw_cr(&e->raw, 3) = st->cr3;
        raw_set(&e->raw, hflags, uint32_t,
                (raw_get(&e->raw, hflags, uint32_t) & ~RAW_HF_ROOT) | (st->root ? RAW_HF_ROOT : 0));
    }
    e->nested.regs = (struct nested_regs){ .cr0 = st->cr0, .cr4 = st->cr4, .efer = st->efer, .ncr3 = st->ncr3 };
    e->nested.shadow = st->shadow_cr3;
    if (dirty & CPU_DIRTY_DR)
        flush |= emu_debug_load(e, st->dr);
    if (flush)
        emu_tlb_flush(e);
    else if (dirty & CPU_DIRTY_ROOT && st->cr3 != old_root)
        emu_tlb_change_root(e, old_root, st->cr3);
    st->dirty = 0;
}

void pcpu_load(struct emu *e, struct cpu_context *c, bool inside)
{
    struct raw_cpu *r = &e->raw;
    struct cpu_state *st = &c->state;

    if (e->loaded != c) {
        pcpu_switch(e, c);
        st->dirty |= CPU_DIRTY_SWITCH;
    }
    if (st->dirty)
        load_dirty(e, c);
    if (__builtin_expect(emu_tlb_due(e), 0))
        emu_tlb_flush(e);
    memcpy(raw_gprs(r), st->gpr, sizeof(st->gpr));
    raw_set(r, eip, uint64_t, st->rip);
    if (e->nested.on) {
        raw_set_rflags(r, st->rflags & ~(uint64_t)X86_EFLAGS_RF, inside);
        *raw_cr(r, 2) = st->cr2;
        emu_want_interrupt(e, st->want_intwin);
    } else {
        raw_set_rflags(r, (st->rflags & ~(uint64_t)RFLAGS_PV_CLEAR) | X86_EFLAGS_IF, inside);
    }
    if (st->rip != st->exit_rip) {
        st->int_shadow = false;
        raw_set(r, hflags, uint32_t, raw_get(r, hflags, uint32_t) & ~RAW_HF_INHIBIT_IRQ);
    }
}

/* ------------------------------------------------------------------------------------------------- reading back -- */

typedef uint64_t two_words __attribute__((vector_size(16), aligned(8), may_alias));

/* memcmp() of so little takes longer. */
static inline bool segments_differ(const struct raw_segment *a, const struct raw_segment *b)
{
    const two_words *x = (const void *)a, *y = (const void *)b;
    two_words differ = { 0 };

#pragma GCC unroll 16
    for (size_t i = 0; i < CPU_NR_SEGS * sizeof(*a) / sizeof(*x); i++)
        differ |= x[i] ^ y[i];
    return differ[0] | differ[1];
}

static struct cpu_table table_from_raw(const struct raw_segment *t)
{
    return (struct cpu_table){ .base = t->base, .limit = (uint16_t)t->limit };
}

/* What a kernel at CPL 0 changes without leaving. */
static void save_system(struct raw_cpu *r, struct cpu_state *st)
{
    st->cr2 = *raw_cr(r, 2);
    st->cr3 = *raw_cr(r, 3);
    st->kernel_gs_base = raw_get(r, kernel_gs_base, uint64_t);
    st->ldtr = segment_from_raw(raw_table(r, r->at.ldt));
    st->tr = tr_from_raw(raw_table(r, r->at.tr));
    st->gdtr = table_from_raw(raw_table(r, r->at.gdt));
    st->idtr = table_from_raw(raw_table(r, r->at.idt));
}

void pcpu_save(struct emu *e, struct cpu_context *c, bool inside)
{
    struct raw_cpu *r = &e->raw;
    struct cpu_state *st = &c->state;
    const uint32_t hf = raw_get(r, hflags, uint32_t);

    memcpy(st->gpr, raw_gprs(r), sizeof(st->gpr));
    st->rip = st->exit_rip = raw_get(r, eip, uint64_t);
    st->rflags = raw_get_rflags(r, inside);
    st->cpl = hf & RAW_HF_CPL;
    st->int_shadow = hf & RAW_HF_INHIBIT_IRQ;
    if (e->nested.on)
        save_system(r, st);
    if (segments_differ(raw_seg(r, 0), e->seg)) {
        memcpy(e->seg, raw_seg(r, 0), sizeof(e->seg));
        for (unsigned int i = 0; i < CPU_NR_SEGS; i++)
            st->seg[i] = segment_from_raw(&e->seg[i]);
    }
}
