// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Grants and memory_op as PV guests use them: arguments in guest memory, mappings in page tables that the guest owns,
 * and the layouts of 32-bit guests.
 *
 * Each guest gets a tree of its own with one L1 table of 512 pages at BASE. Slots 0..7 map the tables (read-only) and
 * pages of data; the others are empty, for mappings.
 *
 * Budget: long because every test needs the same two guests, built by hand above.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "mmu/grant/private.h"
#include "mmu/guest_access.h"
#include "mmu/memory/private.h"
#include "mmu/pte.h"
#include "mmu/pv/pv.h"
#include "tests/support/ram.h"
#include "vcpu/hypercall.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <xen/domctl.h>

#define BASE     UINT64_C(0x400000)
#define VA(slot) (BASE + (uint64_t)(slot)*PAGE_SIZE)
#define REF      9
#define RW       GTF_permit_access

enum { SLOT_L1 = 0, SLOT_ARGS = 4, SLOT_DATA = 5, SLOT_FREE = 8, NR_FRAMES = 8 };

struct guest {
    struct domain *d;
    struct vcpu *v;
    mfn_t frame[NR_FRAMES]; /* L1, L2, L3, L4 (PV32: L1, L2, L2 of Xen's slot, L3), args, data, data, data */
};

struct world {
    struct machine *m;
    struct xen *xen;
    struct vcpu *dom0;
    struct guest g[2]; /* domains 1 and 2 */
};

static uint64_t *table(struct world *w, mfn_t mfn) { return ram_page(w->m, mfn); }

static void guest_tables(struct world *w, struct guest *g, bool pv32)
{
    const uint64_t flags = _PAGE_PRESENT | _PAGE_RW | _PAGE_USER | _PAGE_ACCESSED;

    for (int i = 0; i < NR_FRAMES; i++)
        table(w, g->frame[0])[i] = pte_make(g->frame[i], i < 4 ? flags & ~_PAGE_RW : flags);
    table(w, g->frame[1])[BASE >> 21] = pte_make(g->frame[0], flags);
    if (pv32) {
        table(w, g->frame[3])[0] = pte_make(g->frame[1], _PAGE_PRESENT);
        table(w, g->frame[3])[3] = pte_make(g->frame[2], _PAGE_PRESENT);
    } else {
        table(w, g->frame[2])[0] = pte_make(g->frame[1], flags);
        table(w, g->frame[3])[0] = pte_make(g->frame[2], flags);
    }
}

/* A domain without memory becomes a 32-bit one, as the toolstack makes it. */
static void switch_compat(struct vcpu *dom0, struct domain *d)
{
    struct xen_domctl op = { .cmd = XEN_DOMCTL_set_address_size,
                             .interface_version = XEN_DOMCTL_INTERFACE_VERSION,
                             .domain = d->domain_id };
    struct hypercall_args args = { { (uintptr_t)&op } };

    op.u.address_size.size = 32;
    assert_int_equal(do_domctl(dom0, &args), 0);
}

static void guest_open(struct world *w, struct guest *g, domid_t domid, bool pv32)
{
    const struct xen_domctl_createdomain config = {
        .max_vcpus = 1, .max_evtchn_port = 1023, .max_grant_frames = 4, .max_maptrack_frames = 2, .grant_opts = 2
    };
    uint64_t list[NR_FRAMES];
    struct xen_memory_reservation r = { .nr_extents = NR_FRAMES, .domid = domid };
    struct hypercall_args args = { { XENMEM_populate_physmap, (uintptr_t)&r } };

    assert_int_equal(domain_create(w->xen, domid, &pv64_guest, &config, false, &g->d), 0);
    if (pv32)
        switch_compat(w->dom0, g->d);
    assert_int_equal(vcpu_create(g->d, 0, &g->v), 0);
    g->d->max_pages = 64;
    for (int i = 0; i < NR_FRAMES; i++)
        list[i] = i;
    r.extent_start.p = list;
    assert_int_equal(do_memory_op(w->dom0, &args), NR_FRAMES);
    for (int i = 0; i < NR_FRAMES; i++)
        g->frame[i] = _mfn(list[i]);
    guest_tables(w, g, pv32);
    assert_int_equal(new_guest_cr3(g->v, g->frame[3], TRACE_CR3_NEW_BASEPTR), 0);
}

static void world_open(struct world *w, bool pv32)
{
    const struct machine_config cfg = { .ram_mib = 16, .nr_pcpus = 0, .seed = 3 };
    char err[200] = "";

    memset(w, 0, sizeof(*w));
    w->m = machine_create(&cfg, err, sizeof(err));
    if (!w->m)
        fail_msg("%s", err);
    w->m->log.level = LOG_ERR;
    w->xen = xen_create(w->m, "rr", err, sizeof(err));
    if (!w->xen)
        fail_msg("%s", err);
    w->dom0 = w->xen->dom0->vcpu[0];
    guest_open(w, &w->g[0], 1, pv32);
    guest_open(w, &w->g[1], 2, pv32);
}

static void report(void *data, const char *what) { print_error("audit: %s\n", what); }

static void kill_guest(struct world *w, struct guest *g)
{
    int rc;

    do
        rc = domain_kill(g->d);
    while (rc == -ERESTART);
    assert_int_equal(rc, 0);
    g->d = NULL;
}

static void world_close(struct world *w)
{
    assert_int_equal(gnttab_audit(w->xen, report, NULL), 0);
    for (int i = 0; i < 2; i++)
        if (w->g[i].d)
            kill_guest(w, &w->g[i]);
    assert_null(get_domain_by_id(w->xen, 1));
    assert_null(get_domain_by_id(w->xen, 2));
    xen_destroy(w->xen);
    machine_destroy(w->m);
}

static void *args_page(struct world *w, struct guest *g) { return table(w, g->frame[SLOT_ARGS]); }

/* Make a hypercall with the structure at the start of the argument page. */
static long call_at(struct world *w, struct guest *g, hypercall_fn *fn, unsigned int cmd, void *arg, size_t size,
                    unsigned int count)
{
    struct hypercall_args args = { { cmd, VA(SLOT_ARGS), count } };
    long rc;

    memcpy(args_page(w, g), arg, size);
    do
        rc = fn(g->v, &args);
    while (rc == -ERESTART);
    memcpy(arg, args_page(w, g), size);
    return rc;
}

#define GNTTAB(w, g, cmd, arg) call_at(w, g, do_grant_table_op, GNTTABOP_##cmd, &(arg), sizeof(arg), 1)
#define MEMORY(w, g, cmd, arg) call_at(w, g, compat_memory_op, XENMEM_##cmd, &(arg), sizeof(arg), 0)

static void grant(struct guest *g, grant_ref_t ref, uint16_t flags, domid_t domid, mfn_t mfn)
{
    *shared_entry_v1(g->d->grant_table, ref) = (grant_entry_v1_t){ flags, domid, mfn_x(mfn) };
}

static struct gnttab_map_grant_ref map(struct world *w, struct guest *g, uint64_t addr, uint32_t flags, int status)
{
    struct gnttab_map_grant_ref op = { .host_addr = addr, .flags = flags, .ref = REF, .dom = 1, .status = 99 };

    assert_int_equal(GNTTAB(w, g, map_grant_ref, op), 0);
    assert_int_equal(op.status, status);
    return op;
}

static int unmap(struct world *w, struct guest *g, grant_handle_t handle, uint64_t addr)
{
    struct gnttab_unmap_grant_ref op = { .host_addr = addr, .handle = handle, .status = 99 };

    assert_int_equal(GNTTAB(w, g, unmap_grant_ref, op), 0);
    return op.status;
}

static uint64_t pte(struct world *w, struct guest *g, unsigned int slot) { return table(w, g->frame[0])[slot]; }

/* Machine address of the entry for a slot. */
static uint64_t pte_maddr(struct guest *g, unsigned int slot) { return (mfn_x(g->frame[0]) << PAGE_SHIFT) + slot * 8; }

static uint64_t refs(struct world *w, mfn_t mfn) { return mfn_to_page(w->xen, mfn)->count_info & PGC_count_mask; }
static uint64_t types(struct world *w, mfn_t mfn) { return mfn_to_page(w->xen, mfn)->type_info & PGT_count_mask; }

static void test_map_by_address(void **state)
{
    struct gnttab_map_grant_ref op;
    struct world w;
    mfn_t mfn;
    uint64_t r, t;

    world_open(&w, false);
    mfn = w.g[0].frame[SLOT_DATA];
    r = refs(&w, mfn);
    t = types(&w, mfn);
    grant(&w.g[0], REF, RW, 2, mfn);
    op = map(&w, &w.g[1], VA(SLOT_FREE), GNTMAP_host_map, GNTST_okay);
    assert_int_equal(pte_mfn(pte(&w, &w.g[1], SLOT_FREE)).m, mfn_x(mfn));
    assert_true(pte(&w, &w.g[1], SLOT_FREE) & _PAGE_RW);
    assert_int_equal(refs(&w, mfn), r + 1);
    assert_int_equal(types(&w, mfn), t + 1);
    /* the guest can really use it: a hypercall's arguments may lie there */
    memcpy(table(&w, mfn), &(struct gnttab_query_size){ .dom = DOMID_SELF }, sizeof(struct gnttab_query_size));
    struct hypercall_args args = { { GNTTABOP_query_size, VA(SLOT_FREE), 1 } };
    assert_int_equal(do_grant_table_op(w.g[1].v, &args), 0);
    assert_int_equal(((struct gnttab_query_size *)table(&w, mfn))->max_nr_frames, 4);

    assert_int_equal(unmap(&w, &w.g[1], op.handle, VA(SLOT_FREE + 1)), GNTST_general_error);
    assert_int_equal(unmap(&w, &w.g[1], op.handle, VA(SLOT_DATA)), GNTST_general_error);
    assert_int_equal(unmap(&w, &w.g[1], op.handle, VA(SLOT_FREE)), GNTST_okay);
    assert_int_equal(pte(&w, &w.g[1], SLOT_FREE), 0);
    assert_int_equal(refs(&w, mfn), r);
    assert_int_equal(types(&w, mfn), t);
    assert_int_equal(shared_entry_v1(w.g[0].d->grant_table, REF)->flags, RW);
    world_close(&w);
}

static void test_map_by_entry(void **state)
{
    struct gnttab_map_grant_ref op;
    struct world w;
    mfn_t mfn;

    world_open(&w, false);
    mfn = w.g[0].frame[SLOT_DATA];
    grant(&w.g[0], REF, RW | GTF_readonly, 2, mfn);
    op = map(&w, &w.g[1], pte_maddr(&w.g[1], SLOT_FREE), GNTMAP_host_map | GNTMAP_contains_pte | GNTMAP_readonly,
             GNTST_okay);
    assert_int_equal(pte_mfn(pte(&w, &w.g[1], SLOT_FREE)).m, mfn_x(mfn));
    assert_false(pte(&w, &w.g[1], SLOT_FREE) & _PAGE_RW);
    assert_int_equal(unmap(&w, &w.g[1], op.handle, pte_maddr(&w.g[1], SLOT_FREE)), GNTST_okay);
    assert_int_equal(pte(&w, &w.g[1], SLOT_FREE), 0);
    world_close(&w);
}

static void test_map_refusals(void **state)
{
    struct world w;
    uint64_t r;

    world_open(&w, false);
    r = refs(&w, w.g[0].frame[SLOT_DATA]);
    grant(&w.g[0], REF, RW, 2, w.g[0].frame[SLOT_DATA]);

    const uint32_t by_pte = GNTMAP_host_map | GNTMAP_contains_pte;
    const struct {
        const char *name;
        uint64_t addr;
        uint32_t flags;
    } cases[] = {
        { "no L1 table there", BASE + (UINT64_C(1) << 21), GNTMAP_host_map },
        { "no L3 table there", UINT64_C(1) << 40, GNTMAP_host_map },
        { "Xen's hole", UINT64_C(0xffff800000000000), GNTMAP_host_map },
        { "not canonical", UINT64_C(1) << 50, GNTMAP_host_map },
        { "entry not aligned", pte_maddr(&w.g[1], SLOT_FREE) + 4, by_pte },
        { "entry in a page of data", mfn_x(w.g[1].frame[SLOT_DATA]) << PAGE_SHIFT, by_pte },
        { "entry in an L2 table", mfn_x(w.g[1].frame[1]) << PAGE_SHIFT, by_pte },
        { "entry in another's table", pte_maddr(&w.g[0], SLOT_FREE), by_pte },
        { "entry beyond memory", w.m->nr_frames << PAGE_SHIFT, by_pte },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct gnttab_map_grant_ref op = { .host_addr = cases[i].addr, .flags = cases[i].flags, .ref = REF, .dom = 1 };

        assert_int_equal(GNTTAB(&w, &w.g[1], map_grant_ref, op), 0);
        if (op.status != GNTST_general_error)
            fail_msg("%s: status %d", cases[i].name, op.status);
        assert_int_equal(shared_entry_v1(w.g[0].d->grant_table, REF)->flags, RW);
    }
    assert_int_equal(refs(&w, w.g[0].frame[SLOT_DATA]), r);
    world_close(&w);
}

/* While a grant is mapped for writing the frame cannot become a page table, and a page table cannot be mapped so. */
static void test_no_page_tables(void **state)
{
    struct gnttab_map_grant_ref op;
    struct page_info *pg;
    struct world w;

    world_open(&w, false);
    grant(&w.g[0], REF, RW, 2, w.g[0].frame[0]); /* its L1 */
    map(&w, &w.g[1], VA(SLOT_FREE), GNTMAP_host_map, GNTST_general_error);
    op = map(&w, &w.g[1], VA(SLOT_FREE), GNTMAP_host_map | GNTMAP_readonly, GNTST_okay);
    assert_int_equal(unmap(&w, &w.g[1], op.handle, VA(SLOT_FREE)), GNTST_okay);

    /* a page that its owner does not map for writing itself */
    table(&w, w.g[0].frame[0])[SLOT_DATA] = 0;
    pg = mfn_to_page(w.xen, w.g[0].frame[SLOT_DATA]);
    put_page_and_type(w.xen, pg);
    grant(&w.g[0], REF, RW, 2, w.g[0].frame[SLOT_DATA]);
    op = map(&w, &w.g[1], VA(SLOT_FREE), GNTMAP_host_map, GNTST_okay);
    assert_false(get_page_type(w.xen, pg, PGT_l1_page_table));
    assert_int_equal(unmap(&w, &w.g[1], op.handle, VA(SLOT_FREE)), GNTST_okay);
    assert_true(get_page_type(w.xen, pg, PGT_l1_page_table));
    put_page_type(w.xen, pg);
    world_close(&w);
}

static void test_unmap_and_replace(void **state)
{
    struct gnttab_unmap_and_replace op = { .host_addr = VA(SLOT_FREE), .new_addr = VA(SLOT_DATA) };
    struct gnttab_map_grant_ref m;
    struct world w;
    mfn_t mfn;
    uint64_t r;

    world_open(&w, false);
    mfn = w.g[1].frame[SLOT_DATA];
    r = refs(&w, w.g[0].frame[SLOT_DATA]);
    grant(&w.g[0], REF, RW, 2, w.g[0].frame[SLOT_DATA]);
    m = map(&w, &w.g[1], VA(SLOT_FREE), GNTMAP_host_map, GNTST_okay);
    op.handle = m.handle;
    assert_int_equal(GNTTAB(&w, &w.g[1], unmap_and_replace, op), 0);
    assert_int_equal(op.status, GNTST_okay);
    assert_int_equal(pte_mfn(pte(&w, &w.g[1], SLOT_FREE)).m, mfn_x(mfn));
    assert_int_equal(pte(&w, &w.g[1], SLOT_DATA), 0);
    assert_int_equal(refs(&w, w.g[0].frame[SLOT_DATA]), r);
    world_close(&w);
}

/* A guest dies with mappings, or its granter does; nothing is left but what is still in use. */
static void test_deaths(void **state)
{
    struct gnttab_map_grant_ref op;
    struct domain *zombie;
    struct world w;
    mfn_t mfn;

    world_open(&w, false);
    mfn = w.g[0].frame[SLOT_DATA];
    grant(&w.g[0], REF, RW, 2, mfn);
    map(&w, &w.g[1], VA(SLOT_FREE), GNTMAP_host_map, GNTST_okay);
    map(&w, &w.g[1], VA(SLOT_FREE + 1), GNTMAP_host_map | GNTMAP_device_map | GNTMAP_readonly, GNTST_okay);
    kill_guest(&w, &w.g[1]);
    assert_null(get_domain_by_id(w.xen, 2));
    assert_int_equal(shared_entry_v1(w.g[0].d->grant_table, REF)->flags, RW);
    assert_int_equal(gnttab_audit(w.xen, report, NULL), 0);

    guest_open(&w, &w.g[1], 2, false);
    op = map(&w, &w.g[1], VA(SLOT_FREE), GNTMAP_host_map, GNTST_okay);
    kill_guest(&w, &w.g[0]);
    zombie = get_domain_by_id(w.xen, 1);
    assert_non_null(zombie);
    assert_int_equal(zombie->tot_pages, 1);
    put_domain(zombie);
    assert_ptr_equal(mfn_to_page(w.xen, mfn)->owner, zombie);
    assert_int_equal(unmap(&w, &w.g[1], op.handle, VA(SLOT_FREE)), GNTST_okay);
    assert_null(get_domain_by_id(w.xen, 1));
    world_close(&w);
}

/* The guest writes over a mapping instead of unmapping it: its own loss, nobody else's. */
static void test_implicit_unmap(void **state)
{
    struct mmu_update u = { .val = 0 };
    struct gnttab_map_grant_ref op;
    struct world w;
    uint64_t r;

    world_open(&w, false);
    r = refs(&w, w.g[0].frame[SLOT_DATA]);
    grant(&w.g[0], REF, RW, 2, w.g[0].frame[SLOT_DATA]);
    op = map(&w, &w.g[1], VA(SLOT_FREE), GNTMAP_host_map, GNTST_okay);
    u.ptr = pte_maddr(&w.g[1], SLOT_FREE) | MMU_NORMAL_PT_UPDATE;
    memcpy(args_page(&w, &w.g[1]), &u, sizeof(u));
    struct hypercall_args args = { { VA(SLOT_ARGS), 1, 0, DOMID_SELF } };
    assert_int_equal(do_mmu_update(w.g[1].v, &args), 0);
    assert_int_equal(refs(&w, w.g[0].frame[SLOT_DATA]), r);
    assert_int_equal(unmap(&w, &w.g[1], op.handle, VA(SLOT_FREE)), GNTST_general_error);
    assert_int_equal(shared_entry_v1(w.g[0].d->grant_table, REF)->flags, RW | GTF_reading | GTF_writing);
    assert_int_equal(gnttab_audit(w.xen, report, NULL), 0);
    /* the granter dies: its memory is free, its table waits for the handle's end */
    kill_guest(&w, &w.g[0]);
    assert_null(mfn_to_page(w.xen, w.g[0].frame[SLOT_DATA])->owner);
    kill_guest(&w, &w.g[1]);
    world_close(&w);
}

/* The machine is switched off while dom0 has a guest's frame mapped. */
static void test_power_off(void **state)
{
    struct gnttab_map_grant_ref op = { .flags = GNTMAP_host_map, .ref = REF, .dom = 1 };
    struct hypercall_args args = { { GNTTABOP_map_grant_ref, (uintptr_t)&op, 1 } };
    struct world w;

    world_open(&w, false);
    grant(&w.g[0], REF, RW, 0, w.g[0].frame[SLOT_DATA]);
    assert_int_equal(do_grant_table_op(w.dom0, &args), 0);
    assert_int_equal(op.status, GNTST_okay);
    xen_destroy(w.xen); /* counts the frames itself */
    machine_destroy(w.m);
}

static void test_bad_pointers(void **state)
{
    static const uint64_t bad[] = { 0, VA(SLOT_FREE), UINT64_C(1) << 50, UINT64_C(0xffff800000000000),
                                    VA(NR_FRAMES) - 4 };
    struct world w;

    world_open(&w, false);
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        struct hypercall_args a = { { GNTTABOP_map_grant_ref, bad[i], 1 } }, b = { { XENMEM_exchange, bad[i] } };
        struct hypercall_args c = { { XENMEM_memory_map, bad[i] } }, e = { { XENMEM_populate_physmap, bad[i] } };

        assert_int_equal(do_grant_table_op(w.g[0].v, &a), -EFAULT);
        assert_int_equal(do_memory_op(w.g[0].v, &b), -EFAULT);
        assert_int_equal(do_memory_op(w.g[0].v, &c), -EFAULT); /* there is no map, but that comes later */
        assert_int_equal(do_memory_op(w.g[0].v, &e), 0);
    }
    /* Readable, not writable: slot 1 maps the L2 table, of which the first entries are empty (domain 0, then). */
    struct hypercall_args a = { { GNTTABOP_query_size, VA(1), 1 } };
    assert_int_equal(do_grant_table_op(w.g[1].v, &a), -EFAULT);
    world_close(&w);
}

/* A guest's own table: it maps the frames that setup_table names, writes an entry and another guest uses it. */
static void test_guest_maps_its_table(void **state)
{
    struct gnttab_setup_table op = { .dom = DOMID_SELF, .nr_frames = 2 };
    struct mmu_update u;
    struct world w;
    uint64_t *list;

    world_open(&w, false);
    list = (uint64_t *)((uint8_t *)args_page(&w, &w.g[0]) + 256);
    op.frame_list.p = (xen_pfn_t *)(uintptr_t)(VA(SLOT_ARGS) + 256);
    assert_int_equal(GNTTAB(&w, &w.g[0], setup_table, op), 0);
    assert_int_equal(op.status, GNTST_okay);
    u = (struct mmu_update){ pte_maddr(&w.g[0], SLOT_FREE), list[0] << PAGE_SHIFT | 0x67 };
    memcpy(args_page(&w, &w.g[0]), &u, sizeof(u));
    struct hypercall_args args = { { VA(SLOT_ARGS), 1, 0, DOMID_SELF } };
    assert_int_equal(do_mmu_update(w.g[0].v, &args), 0);
    assert_int_equal(copy_to_guest(w.g[0].v, VA(SLOT_FREE) + REF * 8,
                                   &(grant_entry_v1_t){ RW, 2, mfn_x(w.g[0].frame[SLOT_DATA]) }, 8),
                     0);
    map(&w, &w.g[1], VA(SLOT_FREE), GNTMAP_host_map, GNTST_okay);
    world_close(&w);
}

/* --- 32-bit guests --- */

static void test_pv32(void **state)
{
    struct __attribute__((packed)) {
        struct {
            uint32_t u;
            uint16_t domid, offset;
        } src, dst;
        uint16_t len, flags;
        int16_t status;
        uint16_t pad;
    } copy[2];
    struct {
        uint16_t dom, pad;
        uint32_t nr;
        int16_t status;
        uint16_t pad2;
        uint32_t list;
    } setup = { DOMID_SELF, 0, 2, 99, 0, 0 };
    struct reservation32 {
        uint32_t extent_start, nr_extents, extent_order, mem_flags;
        uint16_t domid, pad;
    } r = { .extent_start = VA(SLOT_ARGS) + 256, .nr_extents = 3, .domid = DOMID_SELF };
    struct {
        uint32_t nr, buffer;
    } e820 = { 2, VA(SLOT_ARGS) + 256 };
    struct gnttab_map_grant_ref op;
    uint32_t mapping[3], *list;
    struct world w;

    world_open(&w, true);
    list = (uint32_t *)((uint8_t *)args_page(&w, &w.g[1]) + 256);
    setup.list = VA(SLOT_ARGS) + 256;
    assert_int_equal(GNTTAB(&w, &w.g[1], setup_table, setup), 0);
    assert_int_equal(setup.status, GNTST_okay);
    assert_int_equal(list[1], mfn_x(w.g[1].d->grant_table->shared[1]));
    assert_int_equal(list[2], 0);

    grant(&w.g[0], REF, RW, 2, w.g[0].frame[SLOT_DATA]);
    strcpy((char *)table(&w, w.g[0].frame[SLOT_DATA]), "thirty-two");
    op = map(&w, &w.g[1], VA(SLOT_FREE), GNTMAP_host_map, GNTST_okay);
    assert_int_equal(unmap(&w, &w.g[1], op.handle, VA(SLOT_FREE)), GNTST_okay);

    memset(copy, 0, sizeof(copy));
    for (int i = 0; i < 2; i++) {
        copy[i].src.u = REF;
        copy[i].src.domid = 1;
        copy[i].dst.u = mfn_x(w.g[1].frame[SLOT_DATA]);
        copy[i].dst.domid = DOMID_SELF;
        copy[i].dst.offset = 100 * i;
        copy[i].len = 16;
        copy[i].flags = GNTCOPY_source_gref;
        copy[i].status = 99;
    }
    assert_int_equal(call_at(&w, &w.g[1], do_grant_table_op, GNTTABOP_copy, copy, sizeof(copy), 2), 0);
    assert_int_equal(copy[0].status, GNTST_okay);
    assert_int_equal(copy[1].status, GNTST_okay);
    assert_string_equal((char *)table(&w, w.g[1].frame[SLOT_DATA]) + 100, "thirty-two");

    for (int i = 0; i < 3; i++)
        list[i] = 0x900 + i;
    assert_int_equal(MEMORY(&w, &w.g[1], populate_physmap, r), 3);
    assert_int_equal(get_gpfn_from_mfn(w.xen, _mfn(list[2])), 0x902);
    assert_int_equal(w.xen->m2p32[list[2]], 0x902);
    assert_int_equal(MEMORY(&w, &w.g[1], decrease_reservation, r), 3);

    struct {
        struct reservation32 in, out;
        uint32_t nr_exchanged;
    } x = {
        .in = { .extent_start = VA(SLOT_ARGS) + 256, .nr_extents = 1, .domid = DOMID_SELF },
        .out = { .extent_start = VA(SLOT_ARGS) + 260, .nr_extents = 1, .domid = DOMID_SELF },
    };
    r.nr_extents = 1;
    assert_int_equal(MEMORY(&w, &w.g[1], populate_physmap, r), 1);
    list[1] = 0x777;
    assert_int_equal(MEMORY(&w, &w.g[1], exchange, x), 0);
    assert_int_equal(x.nr_exchanged, 1);
    assert_int_equal(get_gpfn_from_mfn(w.xen, _mfn(list[1])), 0x777);

    assert_int_equal(MEMORY(&w, &w.g[1], machphys_mapping, mapping), 0);
    assert_int_equal(mapping[0], 0xf5800000);
    assert_int_equal(MEMORY(&w, &w.g[1], memory_map, e820), -ENOSYS);
    world_close(&w);
}

/*
 * A batch whose third operation cannot be read: the first two are done and say so, the call fails. The operations end
 * where the page of the last data slot does, behind which nothing is mapped; `over`: the third one begins before that.
 */
static void partial_batch(bool pv32, unsigned int cmd, unsigned int size, unsigned int status, unsigned int over)
{
    struct hypercall_args a = { { cmd, VA(SLOT_FREE) - 2 * size - over, 3 } };
    const unsigned int at = PAGE_SIZE - 2 * size - over;
    struct world w;
    uint8_t *ops;

    world_open(&w, pv32);
    ops = (uint8_t *)table(&w, w.g[0].frame[NR_FRAMES - 1]) + at;
    memset(ops, 0xff, PAGE_SIZE - at); /* frames, references and domains that there are not */
    assert_int_equal(do_grant_table_op(w.g[0].v, &a), -EFAULT);
    for (unsigned int i = 0; i < 2; i++) {
        int16_t got;

        memcpy(&got, ops + i * size + status, sizeof(got));
        assert_true(got < GNTST_general_error); /* as it was, that is -1 */
    }
    for (unsigned int i = 2 * size; i < PAGE_SIZE - at; i++)
        assert_int_equal(ops[i], 0xff);
    world_close(&w);
}

static void test_partial_batches(void **state)
{
    for (unsigned int over = 0; over <= 8; over += 8) {
        partial_batch(false, GNTTABOP_copy, sizeof(struct gnttab_copy), offsetof(struct gnttab_copy, status), over);
        partial_batch(false, GNTTABOP_transfer, sizeof(struct gnttab_transfer),
                      offsetof(struct gnttab_transfer, status), over);
        partial_batch(false, GNTTABOP_swap_grant_ref, sizeof(struct gnttab_swap_grant_ref),
                      offsetof(struct gnttab_swap_grant_ref, status), over);
        partial_batch(true, GNTTABOP_copy, 24, 20, over);
        partial_batch(true, GNTTABOP_transfer, 16, 12, over);
        partial_batch(true, GNTTABOP_swap_grant_ref, 12, 8, over);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_map_by_address),       cmocka_unit_test(test_map_by_entry),
        cmocka_unit_test(test_map_refusals),         cmocka_unit_test(test_no_page_tables),
        cmocka_unit_test(test_unmap_and_replace),    cmocka_unit_test(test_deaths),
        cmocka_unit_test(test_implicit_unmap),       cmocka_unit_test(test_power_off),
        cmocka_unit_test(test_bad_pointers),         cmocka_unit_test(test_partial_batches),
        cmocka_unit_test(test_guest_maps_its_table), cmocka_unit_test(test_pv32),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
