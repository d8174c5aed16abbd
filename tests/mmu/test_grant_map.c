// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Grant mappings: who may map what, what it does to the entry and to the frame, and what survives whose death.
 *
 * Domain 1 grants, domain 2 maps. Both are native: the host mapping is a pointer.
 */
#include "tests/mmu/native_scene.h"
#include "tests/support/ram.h"

#define GRANTER 1
#define USER    2
#define REF     9
#define RW      (GTF_permit_access)
#define RO      (GTF_permit_access | GTF_readonly)

static uint16_t entry_flags(struct scene *s, grant_ref_t ref)
{
    return shared_entry_v1(s->d[GRANTER]->grant_table, ref)->flags;
}

static const struct page_info *info(struct scene *s, mfn_t mfn) { return mfn_to_page(s->xen, mfn); }
static uint64_t refs(struct scene *s, mfn_t mfn) { return info(s, mfn)->count_info & PGC_count_mask; }
static uint64_t types(struct scene *s, mfn_t mfn) { return info(s, mfn)->type_info & PGT_count_mask; }

/* Every refusal of a first mapping, and that it leaves nothing behind. */
static void test_map_refusals(void **state)
{
    enum { OWN, XENS, FOREIGN, BEYOND, PAGETABLE };
    static const struct {
        const char *name;
        uint16_t entry, domid;
        int frame;
        uint32_t flags;
        grant_ref_t ref;
        domid_t dom;
        int status;
    } cases[] = {
        { "no kind of mapping", RW, USER, OWN, GNTMAP_readonly, REF, GRANTER, GNTST_bad_gntref },
        { "no kind, no domain either", RW, USER, OWN, 0, REF, 77, GNTST_bad_gntref },
        { "no such domain", RW, USER, OWN, GNTMAP_host_map, REF, 77, GNTST_bad_domain },
        { "DOMID_SELF is no granter", RW, USER, OWN, GNTMAP_host_map, REF, DOMID_SELF, GNTST_bad_domain },
        { "DOMID_XEN", RW, USER, OWN, GNTMAP_host_map, REF, DOMID_XEN, GNTST_bad_domain },
        { "reference beyond the table", RW, USER, OWN, GNTMAP_host_map, 512, GRANTER, GNTST_bad_gntref },
        { "reference far beyond", RW, USER, OWN, GNTMAP_host_map, UINT32_MAX, GRANTER, GNTST_bad_gntref },
        { "invalid entry", GTF_invalid, USER, OWN, GNTMAP_host_map, REF, GRANTER, GNTST_general_error },
        { "entry accepts a transfer", GTF_accept_transfer, USER, OWN, GNTMAP_host_map, REF, GRANTER,
          GNTST_general_error },
        { "transitive in version 1", GTF_transitive, USER, OWN, GNTMAP_host_map, REF, GRANTER, GNTST_general_error },
        { "sub-page grants cannot be mapped", RW | GTF_sub_page, USER, OWN, GNTMAP_host_map, REF, GRANTER,
          GNTST_general_error },
        { "granted to somebody else", RW, 3, OWN, GNTMAP_host_map, REF, GRANTER, GNTST_general_error },
        { "read-only entry", RO, USER, OWN, GNTMAP_host_map, REF, GRANTER, GNTST_general_error },
        { "read-only entry, device", RO, USER, OWN, GNTMAP_device_map, REF, GRANTER, GNTST_general_error },
        { "frame of a third domain", RW, USER, FOREIGN, GNTMAP_host_map, REF, GRANTER, GNTST_bad_page },
        { "frame of the hypervisor", RW, USER, XENS, GNTMAP_host_map, REF, GRANTER, GNTST_bad_page },
        { "frame beyond memory", RW, USER, BEYOND, GNTMAP_host_map, REF, GRANTER, GNTST_bad_page },
        { "writing to a page table", RW, USER, PAGETABLE, GNTMAP_host_map, REF, GRANTER, GNTST_general_error },
        { "a device writing to one", RW, USER, PAGETABLE, GNTMAP_device_map, REF, GRANTER, GNTST_general_error },
    };
    struct scene s;
    mfn_t frames[5];

    scene_open(&s);
    frames[OWN] = scene_page(s.d[GRANTER]);
    frames[FOREIGN] = scene_page(s.d[3]);
    frames[XENS] = _mfn(0);
    frames[BEYOND] = _mfn(s.m->nr_frames);
    frames[PAGETABLE] = scene_page(s.d[GRANTER]);
    mfn_to_page(s.xen, frames[PAGETABLE])->type_info = PGT_l1_page_table | PGT_validated | 1;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct gnttab_map_grant_ref op = map_op(cases[i].dom, cases[i].ref, cases[i].flags);
        const uint16_t before = cases[i].entry;

        grant_v1(s.d[GRANTER], REF, before, cases[i].domid, frames[cases[i].frame]);
        assert_int_equal(gnttab_op(s.v[USER], GNTTABOP_map_grant_ref, &op, 1), 0);
        if (op.status != cases[i].status || entry_flags(&s, REF) != before)
            fail_msg("%s: status %d, expected %d; flags %#x, were %#x", cases[i].name, op.status, cases[i].status,
                     entry_flags(&s, REF), before);
        assert_int_equal(s.d[USER]->grant_table->nr_mappings, 0);
    }
    assert_int_equal(refs(&s, frames[OWN]), 1);
    assert_int_equal(refs(&s, frames[PAGETABLE]), 1);
    /* reading a page table is harmless */
    grant_v1(s.d[GRANTER], REF, RO, USER, frames[PAGETABLE]);
    struct gnttab_map_grant_ref ok = do_map(s.v[USER], GRANTER, REF, GNTMAP_host_map | GNTMAP_readonly, GNTST_okay);
    assert_int_equal(do_unmap(s.v[USER], ok.handle, ok.host_addr, 0), GNTST_okay);
    mfn_to_page(s.xen, frames[PAGETABLE])->type_info = 0;
    scene_close(&s);
}

/* The entry's flags follow its use, and the frame's counts do. */
static void test_flags_and_counts(void **state)
{
    struct gnttab_map_grant_ref ro, rw, both;
    struct scene s;
    mfn_t mfn;

    scene_open(&s);
    mfn = scene_page(s.d[GRANTER]);
    grant_v1(s.d[GRANTER], REF, RW, USER, mfn);

    ro = do_map(s.v[USER], GRANTER, REF, GNTMAP_host_map | GNTMAP_readonly, GNTST_okay);
    assert_int_equal(entry_flags(&s, REF), RW | GTF_reading);
    assert_ptr_equal((void *)(uintptr_t)ro.host_addr, ram_page(s.m, mfn));
    assert_int_equal(ro.dev_bus_addr, mfn_x(mfn) << PAGE_SHIFT);
    assert_int_equal(refs(&s, mfn), 2);
    assert_int_equal(types(&s, mfn), 0);

    rw = do_map(s.v[USER], GRANTER, REF, GNTMAP_host_map, GNTST_okay);
    assert_int_equal(entry_flags(&s, REF), RW | GTF_reading | GTF_writing);
    both = do_map(s.v[USER], GRANTER, REF, GNTMAP_host_map | GNTMAP_device_map, GNTST_okay);
    assert_int_equal(refs(&s, mfn), 5);
    assert_int_equal(types(&s, mfn), 3);
    native_counts_check(&s);

    /* the two halves of a mapping can go one by one, and the handle with the second */
    assert_int_equal(do_unmap(s.v[USER], both.handle, 0, both.dev_bus_addr), GNTST_okay);
    assert_int_equal(refs(&s, mfn), 4);
    assert_int_equal(do_unmap(s.v[USER], both.handle, 0, both.dev_bus_addr),
                     GNTST_okay); /* is not there: nothing done */
    assert_int_equal(do_unmap(s.v[USER], both.handle, both.host_addr, 0), GNTST_okay);
    assert_int_equal(do_unmap(s.v[USER], both.handle, both.host_addr, 0), GNTST_bad_handle);

    assert_int_equal(do_unmap(s.v[USER], rw.handle, rw.host_addr, 0), GNTST_okay);
    assert_int_equal(entry_flags(&s, REF), RW | GTF_reading);
    assert_int_equal(do_unmap(s.v[USER], ro.handle, ro.host_addr, 0), GNTST_okay);
    assert_int_equal(entry_flags(&s, REF), RW);
    assert_int_equal(refs(&s, mfn), 1);
    native_counts_check(&s);
    scene_close(&s);
}

static void test_unmap_refusals(void **state)
{
    struct gnttab_map_grant_ref op;
    struct scene s;
    mfn_t mfn;

    scene_open(&s);
    mfn = scene_page(s.d[GRANTER]);
    grant_v1(s.d[GRANTER], REF, RW, USER, mfn);
    op = do_map(s.v[USER], GRANTER, REF, GNTMAP_host_map, GNTST_okay);
    assert_int_equal(do_unmap(s.v[USER], op.handle + 1, op.host_addr, 0), GNTST_bad_handle);
    assert_int_equal(do_unmap(s.v[USER], 256, op.host_addr, 0), GNTST_bad_handle);
    assert_int_equal(do_unmap(s.v[USER], UINT32_MAX, op.host_addr, 0), GNTST_bad_handle);
    assert_int_equal(do_unmap(s.v[3], op.handle, op.host_addr, 0), GNTST_bad_handle); /* not his */
    assert_int_equal(do_unmap(s.v[USER], op.handle, op.host_addr + PAGE_SIZE, 0), GNTST_general_error);
    assert_int_equal(do_unmap(s.v[USER], op.handle, op.host_addr, op.dev_bus_addr + PAGE_SIZE), GNTST_general_error);
    assert_int_equal(do_unmap(s.v[USER], op.handle, 0, 0), GNTST_okay); /* asks for nothing */
    assert_int_equal(refs(&s, mfn), 2);
    assert_int_equal(do_unmap(s.v[USER], op.handle, op.host_addr, op.dev_bus_addr), GNTST_okay);
    scene_close(&s);
}

/* What the granter writes into an entry that is in use changes nothing for those who use it. */
static void test_rewritten_while_mapped(void **state)
{
    struct gnttab_map_grant_ref op, op2;
    mfn_t first, second;
    struct scene s;

    scene_open(&s);
    first = scene_page(s.d[GRANTER]);
    second = scene_page(s.d[GRANTER]);
    grant_v1(s.d[GRANTER], REF, RW, USER, first);
    op = do_map(s.v[USER], GRANTER, REF, GNTMAP_host_map | GNTMAP_readonly, GNTST_okay);
    grant_v1(s.d[GRANTER], REF, GTF_invalid, 3, second);
    op2 = do_map(s.v[USER], GRANTER, REF, GNTMAP_host_map | GNTMAP_readonly, GNTST_okay);
    assert_int_equal(op2.dev_bus_addr, mfn_x(first) << PAGE_SHIFT);
    /* but not for anybody else, and the right to write is looked up again */
    grant_v1(s.d[GRANTER], REF, RO, 3, second);
    do_map(s.v[3], GRANTER, REF, GNTMAP_host_map | GNTMAP_readonly, GNTST_general_error);
    do_map(s.v[USER], GRANTER, REF, GNTMAP_host_map, GNTST_general_error);
    native_counts_check(&s);
    assert_int_equal(do_unmap(s.v[USER], op.handle, op.host_addr, 0), GNTST_okay);
    assert_int_equal(do_unmap(s.v[USER], op2.handle, op2.host_addr, 0), GNTST_okay);
    /* now it is */
    op = do_map(s.v[3], GRANTER, REF, GNTMAP_host_map | GNTMAP_readonly, GNTST_okay);
    assert_int_equal(op.dev_bus_addr, mfn_x(second) << PAGE_SHIFT);
    assert_int_equal(do_unmap(s.v[3], op.handle, op.host_addr, 0), GNTST_okay);
    scene_close(&s);
}

/* A counter takes 128 uses; the other kinds have counters of their own. */
static void test_pin_limit(void **state)
{
    struct gnttab_map_grant_ref op[129], ro;
    struct scene s;

    scene_open(&s);
    grant_v1(s.d[GRANTER], REF, RW, USER, scene_page(s.d[GRANTER]));
    for (int i = 0; i < 128; i++)
        op[i] = do_map(s.v[USER], GRANTER, REF, GNTMAP_host_map, GNTST_okay);
    do_map(s.v[USER], GRANTER, REF, GNTMAP_host_map, GNTST_general_error);
    ro = do_map(s.v[USER], GRANTER, REF, GNTMAP_host_map | GNTMAP_readonly, GNTST_okay);
    native_counts_check(&s);
    assert_int_equal(do_unmap(s.v[USER], ro.handle, ro.host_addr, 0), GNTST_okay);
    for (int i = 0; i < 128; i++)
        assert_int_equal(do_unmap(s.v[USER], op[i].handle, op[i].host_addr, 0), GNTST_okay);
    native_counts_check(&s);
    scene_close(&s);
}

/* Handles: as many as the limit allows, then GNTST_no_space; those given back are used again. */
static void test_maptrack_limit(void **state)
{
    struct gnttab_map_grant_ref op = { 0 };
    struct scene s;
    unsigned int nr = 0;

    scene_open(&s);
    for (grant_ref_t ref = 8; ref < 500; ref++)
        grant_v1(s.d[GRANTER], ref, RW, USER, scene_page(s.d[GRANTER]));
    for (; nr < 2 * MAPTRACK_PER_FRAME; nr++)
        op = do_map(s.v[USER], GRANTER, 8 + nr % 490, GNTMAP_host_map, GNTST_okay);
    do_map(s.v[USER], GRANTER, 8, GNTMAP_host_map, GNTST_no_space);
    do_map(s.v[USER], 77, 8, GNTMAP_host_map, GNTST_bad_domain); /* comes first */
    assert_int_equal(do_unmap(s.v[USER], op.handle, op.host_addr, 0), GNTST_okay);
    assert_int_equal(do_map(s.v[USER], GRANTER, 8, GNTMAP_host_map, GNTST_okay).handle, op.handle);
    native_counts_check(&s);
    scene_close(&s); /* a domain's death unmaps */
}

/* A long array is preempted and carried on. */
static void test_long_batches(void **state)
{
    enum { NR = 1000 };
    static struct gnttab_map_grant_ref map[NR];
    static struct gnttab_unmap_grant_ref unmap[NR];
    struct hypercall_args args = { { GNTTABOP_map_grant_ref, (uintptr_t)map, NR } };
    struct scene s;

    scene_open_sized(&s, 16, 4, 4);
    for (grant_ref_t ref = 8; ref < 512; ref++)
        grant_v1(s.d[GRANTER], ref, RW, USER, scene_page(s.d[GRANTER]));
    for (int i = 0; i < NR; i++)
        map[i] = map_op(GRANTER, 8 + i % 504, GNTMAP_host_map);
    assert_int_equal(do_grant_table_op(s.v[USER], &args), -ERESTART);
    assert_in_range(args.a[2], 1, NR - 1);
    assert_int_equal(args.a[1], (uintptr_t)&map[NR - args.a[2]]);
    assert_int_equal(map[NR - args.a[2] - 1].status, GNTST_okay);
    assert_int_equal(map[NR - args.a[2]].status, 99);
    assert_int_equal(gnttab_op(s.v[USER], args.a[0], (void *)(uintptr_t)args.a[1], args.a[2]), 0);
    for (int i = 0; i < NR; i++) {
        assert_int_equal(map[i].status, GNTST_okay);
        unmap[i] =
            (struct gnttab_unmap_grant_ref){ .host_addr = map[i].host_addr, .handle = map[i].handle, .status = 99 };
    }
    native_counts_check(&s);
    assert_int_equal(gnttab_op(s.v[USER], GNTTABOP_unmap_grant_ref, unmap, NR), 0);
    for (int i = 0; i < NR; i++)
        assert_int_equal(unmap[i].status, GNTST_okay);
    native_counts_check(&s);
    scene_close(&s);
}

/* A frame in use by somebody else outlives its owner, as a part of a zombie. */
static void test_mapping_keeps_frame_alive(void **state)
{
    struct gnttab_map_grant_ref op;
    struct scene s;
    mfn_t mfn;

    scene_open(&s);
    mfn = scene_page(s.d[GRANTER]);
    strcpy(ram_page(s.m, mfn), "still here");
    grant_v1(s.d[GRANTER], REF, RW, USER, mfn);
    op = do_map(s.v[USER], GRANTER, REF, GNTMAP_host_map, GNTST_okay);
    scene_kill(&s, GRANTER);
    assert_int_equal(s.d[GRANTER]->tot_pages, 1);
    assert_true(s.d[GRANTER]->refcnt > 1);
    assert_string_equal((char *)(uintptr_t)op.host_addr, "still here");
    assert_int_equal(do_unmap(s.v[USER], op.handle, op.host_addr, 0), GNTST_okay);
    assert_int_equal(s.d[GRANTER]->tot_pages, 0);
    assert_int_equal(s.d[GRANTER]->refcnt, 1);
    assert_int_equal(info(&s, mfn)->owner, NULL);
    scene_close(&s);
}

/* The user's death ends its use: the granter sees the flags go. */
static void test_user_dies(void **state)
{
    struct scene s;
    mfn_t mfn;

    scene_open(&s);
    mfn = scene_page(s.d[GRANTER]);
    grant_v1(s.d[GRANTER], REF, RW, USER, mfn);
    do_map(s.v[USER], GRANTER, REF, GNTMAP_host_map | GNTMAP_device_map, GNTST_okay);
    do_map(s.v[USER], GRANTER, REF, GNTMAP_device_map | GNTMAP_readonly, GNTST_okay);
    scene_kill(&s, USER);
    assert_int_equal(entry_flags(&s, REF), RW);
    assert_int_equal(refs(&s, mfn), 1);
    assert_int_equal(types(&s, mfn), 0);
    assert_int_equal(gnttab_audit(s.xen, scene_report, NULL), 0);
    scene_close(&s);
}

/* A domain may grant to itself. */
static void test_own_grant(void **state)
{
    struct gnttab_map_grant_ref op;
    struct scene s;

    scene_open(&s);
    grant_v1(s.d[USER], REF, RW, USER, scene_page(s.d[USER]));
    op = do_map(s.v[USER], USER, REF, GNTMAP_host_map, GNTST_okay);
    native_counts_check(&s);
    assert_int_equal(do_unmap(s.v[USER], op.handle, op.host_addr, 0), GNTST_okay);
    do_map(s.v[USER], USER, REF, GNTMAP_host_map, GNTST_okay);
    scene_close(&s);
}

/* While it is mapped a frame can be given up, but not taken by anybody else. */
static void test_revocation_by_balloon(void **state)
{
    struct xen_memory_reservation r = { .nr_extents = 1, .domid = DOMID_SELF };
    struct gnttab_map_grant_ref op;
    struct scene s;
    uint64_t mfn;

    scene_open(&s);
    mfn = mfn_x(scene_page(s.d[GRANTER]));
    grant_v1(s.d[GRANTER], REF, RW, USER, _mfn(mfn));
    op = do_map(s.v[USER], GRANTER, REF, GNTMAP_host_map, GNTST_okay);
    r.extent_start.p = &mfn;
    assert_int_equal(memory_op(s.v[GRANTER], XENMEM_decrease_reservation, &r), 1);
    assert_ptr_equal(info(&s, _mfn(mfn))->owner, s.d[GRANTER]);
    assert_int_equal(refs(&s, _mfn(mfn)), 1);
    assert_int_equal(memory_op(s.v[GRANTER], XENMEM_decrease_reservation, &r),
                     1); /* it still is the owner's to give up */
    assert_int_equal(refs(&s, _mfn(mfn)), 1);
    native_counts_check(&s);
    assert_int_equal(do_unmap(s.v[USER], op.handle, op.host_addr, 0), GNTST_okay);
    assert_int_equal(info(&s, _mfn(mfn))->owner, NULL);
    scene_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_map_refusals),
        cmocka_unit_test(test_flags_and_counts),
        cmocka_unit_test(test_unmap_refusals),
        cmocka_unit_test(test_rewritten_while_mapped),
        cmocka_unit_test(test_pin_limit),
        cmocka_unit_test(test_maptrack_limit),
        cmocka_unit_test(test_long_batches),
        cmocka_unit_test(test_mapping_keeps_frame_alive),
        cmocka_unit_test(test_user_dies),
        cmocka_unit_test(test_own_grant),
        cmocka_unit_test(test_revocation_by_balloon),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
