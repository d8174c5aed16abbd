// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * See pv_guest.h.
 */
#include "tests/support/pv_guest.h"
#include "tests/support/ram.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const uint64_t pg_gdt[7] = {
    0,
    UINT64_C(0x00cfbb000000ffff), /* 0x09: ring 1 code */
    UINT64_C(0x00cfb3000000ffff), /* 0x11: ring 1 data */
    UINT64_C(0x00cffb000000ffff), /* 0x1b: ring 3 code */
    UINT64_C(0x00cff3000000ffff), /* 0x23: ring 3 data */
    UINT64_C(0x0040f3430000ffff), /* 0x2b: a small one */
    UINT64_C(0x00affb000000ffff), /* 0x33: 64-bit code */
};

#define L4 0x10
#define L3 0x11
#define L2 0x12
#define L1 mfn_x(PG_TABLE)

struct cpu_context *pg_context(struct machine *m, enum cpu_mode mode)
{
    struct cpu_context *c = cpu_context_create(m, mode, &PV_CONTROLS);
    struct cpu_state *st = cpu_context_state(c);

    st->cr3 = PG_CR3;
    st->rip = PG_VA(0);
    st->rsp = PG_VA(PG_STACK + 1);
    return c;
}

struct pv_guest pg_create(enum cpu_mode mode, unsigned int nr_pcpus) { return pg_create_engine(mode, nr_pcpus, false); }

struct pv_guest pg_create_engine(enum cpu_mode mode, unsigned int nr_pcpus, bool plain)
{
    const struct machine_config cfg = { .ram_mib = 16, .nr_pcpus = nr_pcpus, .seed = 1, .plain_engine = plain };
    const uint64_t rights = PG_P | PG_RW | PG_US;
    struct pv_guest g;
    uint64_t *table;
    char err[200] = "";

    g.m = machine_create(&cfg, err, sizeof(err));
    if (!g.m) {
        fprintf(stderr, "no machine: %s\n", err);
        abort();
    }
    table = ram_page(g.m, _mfn(L4));
    table[0] = L3 << PAGE_SHIFT | rights;
    table = ram_page(g.m, _mfn(L3));
    table[0] = L2 << PAGE_SHIFT | rights;
    table = ram_page(g.m, _mfn(L2));
    table[PG_VA(0) >> 21] = L1 << PAGE_SHIFT | rights;
    g.c = pg_context(g.m, mode);
    g.st = cpu_context_state(g.c);
    for (unsigned int page = 0; page < PG_PAGES; page++)
        pg_map(&g, page, PG_FRAME(page), rights);
    return g;
}

struct pv_guest pg_create_user32(void)
{
    struct pv_guest g = pg_create(CPU_MODE_PV32, 1);

    g.st->seg[CPU_SEG_CS] = (struct cpu_segment){ 0x1b, 0xcfb, ~0u, 0 };
    for (unsigned int i = 0; i < CPU_NR_SEGS; i++)
        if (i != CPU_SEG_CS)
            g.st->seg[i] = (struct cpu_segment){ 0x23, 0xcf3, ~0u, 0 };
    g.st->cpl = 3;
    g.st->dirty |= CPU_DIRTY_SEGS;
    return g;
}

void pg_destroy(struct pv_guest *g)
{
    cpu_context_destroy(g->c);
    machine_destroy(g->m);
}

void pg_map(struct pv_guest *g, unsigned int page, mfn_t mfn, uint64_t flags)
{
    uint64_t *l1 = ram_page(g->m, _mfn(L1));

    l1[page] = mfn_x(mfn) << PAGE_SHIFT | flags;
    g->st->dirty |= CPU_DIRTY_TLB;
}

void pg_write(struct pv_guest *g, unsigned int page, unsigned int offset, const void *bytes, size_t n)
{
    memcpy((uint8_t *)ram_page(g->m, PG_FRAME(page)) + offset, bytes, n);
}

bool pg_same_exit(const struct sim_exit *a, const struct sim_exit *b)
{
    return a->kind == b->kind && a->insns == b->insns && sim_exit_vector(a) == sim_exit_vector(b) &&
           (a->kind != EXIT_EXCEPTION ||
            (a->exception.error_code == b->exception.error_code && a->exception.addr == b->exception.addr));
}

struct sim_exit pg_exec(struct pv_guest *g, const void *code, size_t n)
{
    pg_write(g, 0, 0, code, n);
    g->st->rip = PG_VA(0);
    return pcpu_run(g->m->pcpu[0], g->c, 1000000);
}

int pg_setup(void **state)
{
    static struct pv_guest g; /* one test at a time */

    g = pg_create(CPU_MODE_PV64, 1);
    *state = &g;
    return 0;
}

int pg_teardown(void **state)
{
    pg_destroy(*state);
    return 0;
}
