// SPDX-License-Identifier: GPL-2.0-or-later
/* Frames: references, types, sharing, ownership; what a domain leaves behind. */
#include "fixture.h"
#include "tests/support/ram.h"

static void references_hold_a_frame(void **state)
{
    struct fixture f;
    struct page_info *pg;
    mfn_t mfn;

    fix_open(&f, false);
    pg = alloc_domheap_pages(f.xen, f.d[1], 0, 0);
    mfn = page_to_mfn(f.xen, pg);
    assert_int_equal(pg->count_info, PGC_allocated | 1);
    assert_true(get_page(pg, f.d[1]));
    assert_false(get_page(pg, f.d[2]));
    put_page_alloc_ref(f.xen, pg);
    assert_int_equal(pg->count_info, 1);
    put_page_alloc_ref(f.xen, pg); /* once only */
    assert_ptr_equal(pg->owner, f.d[1]);
    memset(ram_page(f.m, mfn), 0xaa, PAGE_SIZE);
    put_page(f.xen, pg);
    assert_null(pg->owner);
    assert_false(get_page(pg, f.d[1])); /* free frames cannot be had */
    assert_null(get_page_from_mfn(f.xen, _mfn(f.m->nr_frames), f.d[1]));
    assert_null(get_page_from_mfn(f.xen, INVALID_MFN, f.d[1]));
    fix_close(&f);
}

static void a_frame_has_one_type_at_a_time(void **state)
{
    struct fixture f;
    struct page_info *pg;

    fix_open(&f, false);
    pg = alloc_domheap_pages(f.xen, f.d[1], 0, 0);
    assert_true(get_page_type(f.xen, pg, PGT_writable_page));
    assert_true(get_page_type(f.xen, pg, PGT_writable_page));
    assert_false(get_page_type(f.xen, pg, PGT_l1_page_table));
    assert_false(get_page_type(f.xen, pg, PGT_seg_desc_page));
    put_page_type(f.xen, pg);
    assert_false(get_page_type(f.xen, pg, PGT_l1_page_table));
    put_page_type(f.xen, pg);
    assert_true(get_page_type(f.xen, pg, PGT_l1_page_table));
    assert_false(get_page_type(f.xen, pg, PGT_writable_page));
    assert_int_equal(get_page_type_preemptible(f.v[1], pg, PGT_l2_page_table), -EINVAL);
    put_page_type(f.xen, pg);
    assert_true(get_page_and_type(f.xen, pg, f.d[1], PGT_seg_desc_page));
    put_page_and_type(f.xen, pg);
    fix_audit(&f);
    fix_close(&f);
}

static void shared_frames_of_the_hypervisor(void **state)
{
    struct fixture f;
    struct page_info *rw, *ro;
    uint64_t va = FIX_VA64 + 60 * PAGE_SIZE;

    fix_open(&f, false);
    rw = alloc_xenheap_pages(f.xen, 0);
    ro = alloc_xenheap_pages(f.xen, 0);
    share_xen_page_with_guest(rw, f.d[1], SHARE_rw);
    share_xen_page_with_guest(ro, f.d[1], SHARE_ro);
    fix_audit(&f);
    assert_int_equal(fix_set(&f, 1, 3, 60, pte_make(page_to_mfn(f.xen, rw), PTE_RW)), 0);
    assert_int_equal(fix_set(&f, 1, 3, 61, pte_make(page_to_mfn(f.xen, ro), PTE_RW)), -EBUSY);
    assert_int_equal(fix_set(&f, 1, 3, 61, pte_make(page_to_mfn(f.xen, ro), PTE_RO)), 0);
    /* Never a table: its type is held for good. */
    assert_int_equal(fix_mmuext(&f, 1, MMUEXT_PIN_L1_TABLE, mfn_x(page_to_mfn(f.xen, rw)), 0, DOMID_SELF), -EINVAL);
    assert_int_equal(fix_mmuext(&f, 1, MMUEXT_PIN_L1_TABLE, mfn_x(page_to_mfn(f.xen, ro)), 0, DOMID_SELF), -EINVAL);
    fix_audit(&f);
    /* Given up by the hypervisor while still mapped: the guest keeps it until it unmaps it. */
    free_xenheap_pages(f.xen, rw, 0);
    assert_ptr_equal(rw->owner, f.d[1]);
    assert_int_equal(copy_to_guest(f.v[1], va, "x", 1), 0);
    fix_audit(&f);
    assert_int_equal(fix_set(&f, 1, 3, 60, 0), 0);
    assert_null(rw->owner);
    assert_int_equal(fix_set(&f, 1, 3, 61, 0), 0);
    assert_ptr_equal(ro->owner, f.d[1]);
    free_xenheap_pages(f.xen, ro, 0);
    assert_null(ro->owner);
    fix_close(&f);
}

static void frames_are_scrubbed_before_the_next_owner(void **state)
{
    struct fixture f;

    fix_open(&f, false);
    for (unsigned int i = FIX_FREE; i < FIX_FRAMES; i++)
        memset(ram_page(f.m, f.frame[1][i]), 0x5a, PAGE_SIZE);
    fix_kill(&f, 1);
    f.d[2]->max_pages = 1u << 20;
    for (struct page_info *pg; (pg = alloc_domheap_pages(f.xen, f.d[2], 0, 0));) {
        const uint64_t *p = mfn_to_virt(f.m, page_to_mfn(f.xen, pg));

        for (unsigned int i = 0; i < 512; i++)
            assert_int_equal(p[i], 0);
    }
    fix_close(&f);
}

static void limits_of_a_domain(void **state)
{
    struct fixture f;
    struct page_info *pg;
    uint64_t left;

    fix_open(&f, false);
    f.d[1]->max_pages = f.d[1]->tot_pages + 3;
    left = avail_domheap_pages(f.xen);
    assert_null(alloc_domheap_pages(f.xen, f.d[1], 2, 0));
    assert_int_equal(avail_domheap_pages(f.xen), left);
    assert_non_null(alloc_domheap_pages(f.xen, f.d[1], 1, 0));
    assert_non_null(alloc_domheap_pages(f.xen, f.d[1], 0, 0));
    assert_null(alloc_domheap_pages(f.xen, f.d[1], 0, 0));
    pg = alloc_domheap_pages(f.xen, f.d[1], 0, MEMF_no_refcount);
    assert_non_null(pg);
    assert_int_equal(f.d[1]->extra_pages, 1);
    fix_audit(&f);
    pg = alloc_domheap_pages(f.xen, NULL, 0, MEMF_no_owner);
    assert_int_equal(assign_page(pg, 0, f.d[1], 0), -E2BIG);
    free_domheap_pages(f.xen, pg, 0);
    fix_close(&f);
}

/* Stands for a mapping by somebody outside mmu/. */
static mfn_t held;
static void audit_held(struct xen *xen, struct audit *a) { audit_ref(a, held, PGT_none); }

static void a_mapped_frame_keeps_its_dead_owner(void **state)
{
    struct fixture f;
    const struct xen_hooks *hooks;
    struct xen_hooks with_held;
    struct page_info *pg;

    fix_open(&f, false);
    pg = fix_page(&f, 1, FIX_FREE);
    assert_true(get_page(pg, f.d[1]));
    held = page_to_mfn(f.xen, pg);
    hooks = f.xen->hooks;
    with_held = *hooks;
    with_held.audit_refs = audit_held;
    f.xen->hooks = &with_held;
    fix_kill(&f, 1);
    assert_ptr_equal(pg->owner, f.xen->domain_list->next); /* a zombie, on the list */
    assert_int_equal(pg->owner->is_dying, DOMDYING_dead);
    assert_int_equal(pg->owner->tot_pages, 1);
    fix_audit(&f);
    put_page(f.xen, pg);
    f.xen->hooks = hooks;
    assert_ptr_equal(f.xen->domain_list->next, f.d[2]);
    fix_close(&f);
}

/* Does v start with an empty TLB when it is entered? */
static bool flushes(struct vcpu *v)
{
    bool due;

    v->regs->dirty = 0;
    tlb_catch_up(v);
    due = v->regs->dirty & CPU_DIRTY_TLB;
    v->regs->dirty = 0;
    return due;
}

/*
 * A type that changes makes stale TLBs flush, once; and only those that were not flushed since. Until a vCPU is entered
 * nobody looks at it, however many there are.
 */
static void stale_translations_are_flushed(void **state)
{
    struct fixture f;
    struct page_info *pg;

    fix_open(&f, false);
    pg = alloc_domheap_pages(f.xen, f.d[1], 0, 0);
    assert_int_equal(fix_set(&f, 1, 3, 100, pte_make(page_to_mfn(f.xen, pg), PTE_RW)), 0);
    flushes(f.v[1]), flushes(f.v[2]);
    assert_int_equal(fix_set(&f, 1, 3, 100, 0), 0);
    assert_false(flushes(f.v[1]));
    assert_true(get_page_type(f.xen, pg, PGT_l1_page_table));
    assert_int_equal(f.v[1]->regs->dirty | f.v[2]->regs->dirty, 0);
    assert_true(flushes(f.v[1]));
    assert_true(flushes(f.v[2]));
    assert_false(flushes(f.v[1]));
    put_page_type(f.xen, pg);

    assert_true(get_page_type(f.xen, pg, PGT_writable_page));
    put_page_type(f.xen, pg);
    pv_flush_tlb(f.d[1]);
    pv_flush_tlb(f.d[2]);
    assert_true(get_page_type(f.xen, pg, PGT_l1_page_table));
    assert_false(flushes(f.v[1]));
    assert_false(flushes(f.v[2]));
    put_page_type(f.xen, pg);
    fix_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(references_hold_a_frame),
        cmocka_unit_test(a_frame_has_one_type_at_a_time),
        cmocka_unit_test(shared_frames_of_the_hypervisor),
        cmocka_unit_test(frames_are_scrubbed_before_the_next_owner),
        cmocka_unit_test(limits_of_a_domain),
        cmocka_unit_test(a_mapped_frame_keeps_its_dead_owner),
        cmocka_unit_test(stale_translations_are_flushed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
