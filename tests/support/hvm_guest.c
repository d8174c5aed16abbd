// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * See hvm_guest.h.
 */
#include "tests/support/hvm_guest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/frame.h"
#include "tests/support/ram.h"

#define P  _PAGE_PRESENT
#define RW _PAGE_RW
#define US _PAGE_USER

/* The nested tables: frames of the machine that no guest page has. */
#define NL4  0x10
#define NL3  0x11
#define NL2  0x12
#define NL1  0x13
#define NL2B 0x14
#define NL1B 0x15

#define APIC_PAGE UINT64_C(0xfee00000)

static const uint64_t gdt[] = {
    0,
    UINT64_C(0x00cf9b000000ffff),
    UINT64_C(0x00cf93000000ffff),
    UINT64_C(0x00af9b000000ffff),
    UINT64_C(0x00cff3000000ffff),
    UINT64_C(0x00affb000000ffff),
    UINT64_C(0x00cffb000000ffff),
    UINT64_C(0x000089000000e067) | UINT64_C(0x1) << 24, /* 0x38: a TSS at 0xe000 */
};

mfn_t hg_frame(unsigned int gfn) { return _mfn(0x400 + gfn * 7u % HG_FRAMES); }

void *hg_at(struct hvm_guest *g, uint64_t gpa)
{
    return (uint8_t *)ram_page(g->m, hg_frame((unsigned int)PFN_DOWN(gpa))) + PAGE_OFFSET(gpa);
}

void hg_write(struct hvm_guest *g, uint64_t gpa, const void *bytes, size_t n)
{
    const mfn_t mfn = hg_frame((unsigned int)PFN_DOWN(gpa));

    memcpy((uint8_t *)frame_write_begin(g->m, mfn) + PAGE_OFFSET(gpa), bytes, n);
    frame_write_end(g->m, mfn);
}

void hg_nested(struct hvm_guest *g, unsigned int gfn, uint64_t rights)
{
    uint64_t *l1 = ram_page(g->m, _mfn(NL1));

    l1[gfn] = rights ? mfn_x(hg_frame(gfn)) << PAGE_SHIFT | rights : 0;
    machine_mapping_gone(g->m, hg_frame(gfn));
}

static void nested_build(struct hvm_guest *g)
{
    uint64_t *l4 = ram_page(g->m, _mfn(NL4)), *l3 = ram_page(g->m, _mfn(NL3)), *l2 = ram_page(g->m, _mfn(NL2)),
             *l2b = ram_page(g->m, _mfn(NL2B)), *l1b = ram_page(g->m, _mfn(NL1B));

    l4[0] = NL3 << PAGE_SHIFT | P | RW | US;
    l3[0] = NL2 << PAGE_SHIFT | P | RW | US;
    l3[3] = NL2B << PAGE_SHIFT | P | RW | US;
    l2[0] = NL1 << PAGE_SHIFT | P | RW | US;
    l2b[APIC_PAGE >> 21 & 511] = NL1B << PAGE_SHIFT | P | RW | US;
    l1b[0] = mfn_x(hg_frame(HG_RO)) << PAGE_SHIFT | P | US;
    for (unsigned int gfn = 0; gfn < HG_FRAMES; gfn++)
        hg_nested(g, gfn, P | RW | US);
}

struct cpu_context *hg_context(struct machine *m)
{
    struct cpu_context *c = cpu_context_create(m, CPU_MODE_HVM, &HVM_CONTROLS);

    cpu_context_state(c)->ncr3 = NL4 << PAGE_SHIFT;
    return c;
}

struct hvm_guest hg_create(void)
{
    const struct machine_config cfg = { .ram_mib = 16, .nr_pcpus = 1, .seed = 1 };
    struct hvm_guest g;
    char err[200] = "";

    g.m = machine_create(&cfg, err, sizeof(err));
    if (!g.m) {
        fprintf(stderr, "no machine: %s\n", err);
        abort();
    }
    nested_build(&g);
    g.c = hg_context(g.m);
    g.st = cpu_context_state(g.c);
    hg_mode(&g, HG_REAL);
    return g;
}

void hg_destroy(struct hvm_guest *g)
{
    cpu_context_destroy(g->c);
    machine_destroy(g->m);
}

static void entry(struct hvm_guest *g, unsigned int page, unsigned int index, unsigned int size, uint64_t value)
{
    hg_write(g, page * PAGE_SIZE + index * size, &value, size);
}

/* The first 2 MiB, one to one; legacy tables have two levels, PAE three, long mode four. */
static void tables(struct hvm_guest *g, enum hg_mode mode)
{
    const unsigned int size = mode == HG_LEGACY ? 4 : 8;
    const uint64_t rights = P | RW | US;
    static const uint8_t zero[PAGE_SIZE];

    for (unsigned int page = HG_L4; page <= HG_L1 + 1; page++)
        hg_write(g, page * PAGE_SIZE, zero, PAGE_SIZE);
    if (mode == HG_LONG)
        entry(g, HG_L4, 0, 8, (HG_L4 + 1) * PAGE_SIZE | rights);
    if (mode == HG_LONG || mode == HG_PAE)
        entry(g, HG_L4 + 1, 0, 8, (HG_L4 + 2) * PAGE_SIZE | (mode == HG_PAE ? P : rights));
    entry(g, HG_L4 + 2, 0, size, HG_L1 * PAGE_SIZE | rights);
    for (unsigned int i = 0; i < 512; i++)
        entry(g, HG_L1, i, size, i * PAGE_SIZE | rights);
    g->st->cr3 = (mode == HG_LONG ? HG_L4 : mode == HG_PAE ? HG_L4 + 1 : HG_L4 + 2) * PAGE_SIZE;
}

static void flat(struct hvm_guest *g, struct cpu_segment code, struct cpu_segment data)
{
    for (unsigned int i = 0; i < CPU_NR_SEGS; i++)
        g->st->seg[i] = data;
    g->st->seg[CPU_SEG_CS] = code;
}

void hg_mode(struct hvm_guest *g, enum hg_mode mode)
{
    struct cpu_state *st = g->st;
    const uint64_t ncr3 = st->ncr3;

    cpu_state_reset(st);
    st->ncr3 = ncr3;
    st->cr0 = X86_CR0_ET;
    st->rip = HG_CODE * PAGE_SIZE;
    st->rsp = HG_STACK;
    st->seg[CPU_SEG_CS] = (struct cpu_segment){ .attr = 0x9b, .limit = 0xffff, .sel = HG_CODE << 8 };
    if (mode == HG_REAL) {
        st->rip = 0;
        st->seg[CPU_SEG_CS].base = HG_CODE * PAGE_SIZE;
        st->rsp = 0x8000;
        return;
    }
    hg_write(g, PAGE_SIZE, gdt, sizeof(gdt));
    st->gdtr = (struct cpu_table){ PAGE_SIZE, sizeof(gdt) - 1 };
    st->tr = (struct cpu_segment){ .sel = 0x38, .attr = 0x8b, .limit = 0x67, .base = 0xe000 };
    st->cr0 |= X86_CR0_PE | X86_CR0_NE | X86_CR0_WP;
    st->cr4 = X86_CR4_OSFXSR;
    flat(g, (struct cpu_segment){ 0x08, 0xc9b, ~0u, 0 }, (struct cpu_segment){ 0x10, 0xc93, ~0u, 0 });
    if (mode == HG_PROTECTED)
        return;
    tables(g, mode);
    st->cr0 |= X86_CR0_PG;
    st->cr4 |= mode == HG_LEGACY ? X86_CR4_PSE : X86_CR4_PAE;
    if (mode != HG_LEGACY)
        st->efer = EFER_NXE;
    if (mode != HG_LONG)
        return;
    st->efer |= EFER_LME | EFER_LMA | EFER_SCE;
    st->tr.attr = 0x8b;
    st->seg[CPU_SEG_CS] = (struct cpu_segment){ 0x18, 0xa9b, ~0u, 0 };
}

void hg_user(struct hvm_guest *g)
{
    const bool long_mode = g->st->efer & EFER_LMA;

    flat(g, long_mode ? (struct cpu_segment){ 0x2b, 0xafb, ~0u, 0 } : (struct cpu_segment){ 0x33, 0xcfb, ~0u, 0 },
         (struct cpu_segment){ 0x23, 0xcf3, ~0u, 0 });
    g->st->cpl = 3;
    g->st->dirty |= CPU_DIRTY_SEGS;
}

struct sim_exit hg_run(struct hvm_guest *g, uint64_t insns) { return pcpu_run(g->m->pcpu[0], g->c, insns); }

struct sim_exit hg_exec(struct hvm_guest *g, const void *code, size_t n)
{
    hg_write(g, HG_CODE * PAGE_SIZE, code, n);
    g->st->rip = g->st->cr0 & X86_CR0_PE ? HG_CODE * PAGE_SIZE : 0;
    return hg_run(g, 1000000);
}

int hg_setup(void **state)
{
    static struct hvm_guest g; /* one test at a time */

    g = hg_create();
    *state = &g;
    return 0;
}

int hg_setup_exact(void **state)
{
    struct hvm_guest *g;

    hg_setup(state);
    g = *state;
    g->m->exact_segments = true;
    return 0;
}

int hg_teardown(void **state)
{
    hg_destroy(*state);
    return 0;
}
