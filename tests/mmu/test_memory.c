// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * memory_op: what no caller sees of it: where a preempted call stands, what dom0's windows and the M2P's extents refer
 * to, the rule that exchange and transfer rest on. (test_memory_calls.c has what callers see.)
 */
#include "tests/mmu/native_scene.h"

#include "mmu/memory/foreign.h"

#include <xen/foreign/x86_32.h>

static struct xen_memory_reservation extents(uint64_t *list, uint64_t nr, unsigned int order, domid_t domid)
{
    struct xen_memory_reservation r = { .nr_extents = nr, .extent_order = order, .domid = domid };

    r.extent_start.p = list;
    return r;
}

/* The state of a preempted call is in the command. */
static void test_preemption(void **state)
{
    enum { NR = 1500 };
    static uint64_t list[NR];
    struct xen_memory_reservation r = extents(list, NR, 0, DOMID_SELF);
    struct hypercall_args args = { { XENMEM_populate_physmap, (uintptr_t)&r } };
    struct scene s;
    unsigned int done;

    scene_open(&s);
    for (int i = 0; i < NR; i++)
        list[i] = i;
    assert_int_equal(do_memory_op(s.v[1], &args), -ERESTART);
    done = args.a[0] >> MEMOP_EXTENT_SHIFT;
    assert_int_equal(args.a[0] & MEMOP_CMD_MASK, XENMEM_populate_physmap);
    assert_in_range(done, 1, NR - 1);
    assert_int_equal(s.d[1]->tot_pages, done);
    assert_int_equal(list[done], done);
    assert_int_equal(scene_call(do_memory_op, s.v[1], args.a[0], &r, 0), NR);
    assert_int_equal(s.d[1]->tot_pages, NR);
    /* starting beyond the end, or where nothing can start */
    assert_int_equal(scene_call(do_memory_op, s.v[1], XENMEM_populate_physmap | (NR << MEMOP_EXTENT_SHIFT), &r, 0), NR);
    assert_int_equal(memory_op(s.v[1], XENMEM_maximum_ram_page | (1 << MEMOP_EXTENT_SHIFT), NULL), -EINVAL);
    assert_int_equal(memory_op(s.v[1], XENMEM_exchange | (1 << MEMOP_EXTENT_SHIFT), NULL), -EINVAL);
    assert_int_equal(memory_op(s.v[1], XENMEM_decrease_reservation, &r), NR);
    assert_int_equal(s.d[1]->tot_pages, 0);
    scene_close(&s);
}

static void test_exchange_preempted(void **state)
{
    enum { NR = 1200 };
    static uint64_t in[NR], out[NR];
    struct xen_memory_exchange x = { .in = extents(in, NR, 0, DOMID_SELF), .out = extents(out, NR, 0, DOMID_SELF) };
    struct hypercall_args args = { { XENMEM_exchange, (uintptr_t)&x } };
    struct scene s;

    scene_open(&s);
    for (int i = 0; i < NR; i++) {
        in[i] = mfn_x(scene_page(s.d[1]));
        out[i] = i;
    }
    assert_int_equal(do_memory_op(s.v[1], &args), -ERESTART);
    assert_int_equal(args.a[0], XENMEM_exchange);
    assert_in_range(x.nr_exchanged, 1, NR - 1);
    assert_int_equal(out[x.nr_exchanged], x.nr_exchanged);
    assert_int_equal(memory_op(s.v[1], XENMEM_exchange, &x), 0);
    for (int i = 0; i < NR; i++)
        assert_int_equal(get_gpfn_from_mfn(s.xen, _mfn(out[i])), i);
    assert_int_equal(s.d[1]->tot_pages, NR);
    native_counts_check(&s);
    scene_close(&s);
}

/* --- maps --- */

/* add_to_physmap_batch by v, of frames of `domid`, in one window. errs as it leaves them. */
static long foreign_add(struct vcpu *v, domid_t domid, unsigned int nr, uint64_t *mfns, uint64_t *gfns, int *errs)
{
    struct xen_add_to_physmap_batch op = {
        .domid = DOMID_SELF, .space = XENMAPSPACE_gmfn_foreign, .size = (uint16_t)nr, .u.foreign_domid = domid
    };

    op.idxs.p = mfns;
    op.gpfns.p = gfns;
    op.errs.p = errs;
    return memory_op(v, XENMEM_add_to_physmap_batch, &op);
}

/* The same of one frame: what the call or the frame's own answer is. */
static long foreign_map(struct vcpu *v, domid_t domid, uint64_t mfn, uint64_t window, uint64_t *gfn)
{
    int err = 1;
    long rc;

    *gfn = window;
    rc = foreign_add(v, domid, 1, &mfn, gfn, &err);
    return rc ? rc : err;
}

static long foreign_unmap(struct vcpu *v, uint64_t gfn)
{
    struct xen_remove_from_physmap op = { .domid = DOMID_SELF, .gpfn = gfn };

    return memory_op(v, XENMEM_remove_from_physmap, &op);
}

/*
 * Each extent is 2 MiB at a multiple of 2 MiB, and all of it is table: who maps an extent sees nothing else. What has
 * not been needed yet reads as entries that are invalid.
 */
static void extents_check(struct scene *s)
{
    static const unsigned int cmds[] = { XENMEM_machphys_mfn_list, XENMEM_machphys_compat_mfn_list };
    struct domain dom_xen = { .domain_id = DOMID_XEN, .xen = s->xen, .refcnt = 1, .type = DOMAIN_SYSTEM };
    uint64_t list[4], last = UINT64_MAX, gfn;
    const mfn_t mfn = scene_page(s->d[1]);

    s->xen->dom_xen = &dom_xen;
    set_gpfn_from_mfn(s->xen, mfn, 0x1234);
    for (unsigned int c = 0; c < 2; c++) {
        const unsigned int per_page = c ? PAGE_SIZE / 4 : PAGE_SIZE / 8;
        struct xen_machphys_mfn_list xmml = { .max_extents = 4 };
        unsigned int found = 0;

        xmml.extent_start.p = list;
        assert_int_equal(memory_op(s->v[0], cmds[c], &xmml), 0);
        assert_int_equal(xmml.nr_extents, 1);
        assert_int_equal(list[0] % 512, 0);
        assert_true(list[0] + 512 <= heap_first_frame(s->xen));
        assert_true(last == UINT64_MAX || list[0] == last + 512);
        last = list[0];
        for (uint64_t i = 0; i < 512; i++) {
            const uint64_t *words = mfn_to_virt(s->m, _mfn(list[0] + i));

            assert_int_equal(foreign_map(s->v[0], DOMID_XEN, list[0] + i, NATIVE_GFN_READ_ONLY, &gfn), 0);
            assert_int_equal(gfn, (list[0] + i) | NATIVE_GFN_READ_ONLY);
            for (uint64_t k = 0; k < PAGE_SIZE / 8; k++)
                found += words[k] != UINT64_MAX;
            if (i == mfn_x(mfn) / per_page)
                assert_int_equal(c ? ((const uint32_t *)words)[mfn_x(mfn) % per_page] : words[mfn_x(mfn) % per_page],
                                 0x1234);
        }
        assert_int_equal(found, 1);
        assert_int_equal(foreign_map(s->v[0], DOMID_XEN, list[0] + (c ? 512 : UINT64_MAX), NATIVE_GFN_READ_ONLY, &gfn),
                         -EINVAL);
        assert_int_equal(foreign_map(s->v[0], DOMID_XEN, list[0], 0, &gfn), -EINVAL); /* not to be written */
        assert_int_equal(foreign_map(s->v[1], DOMID_XEN, list[0], NATIVE_GFN_READ_ONLY, &gfn), -EPERM);
    }
}

/* Who may map what, and which references that takes. */
static void test_foreign(void **state)
{
    struct scene s;
    struct page_info *pg;
    uint64_t count, gfn, ro, mfn, other;

    scene_open(&s);
    mfn = mfn_x(scene_page(s.d[1]));
    other = mfn_x(scene_page(s.d[2]));
    pg = mfn_to_page(s.xen, _mfn(mfn));
    count = pg->count_info;
    assert_int_equal(foreign_map(s.v[0], 1, mfn, 0, &gfn), 0);
    assert_int_equal(gfn, mfn);
    assert_int_equal(foreign_map(s.v[0], 1, mfn, 0, &gfn), 0); /* by another part of dom0 */
    assert_int_equal(foreign_map(s.v[0], 1, mfn, NATIVE_GFN_READ_ONLY, &ro), 0);
    assert_int_equal(ro, mfn | NATIVE_GFN_READ_ONLY);
    assert_int_equal(pg->count_info, count + 3);
    assert_int_equal(pg->type_info & (PGT_type_mask | PGT_count_mask), PGT_writable_page | 2);
    assert_int_equal(foreign_unmap(s.v[1], gfn), -ENOENT); /* not that domain's */
    assert_int_equal(foreign_unmap(s.v[0], gfn), 0);
    assert_int_equal(foreign_unmap(s.v[0], gfn), 0);
    assert_int_equal(foreign_unmap(s.v[0], gfn), -ENOENT);
    assert_int_equal(foreign_unmap(s.v[0], ro), 0);
    assert_int_equal(pg->count_info, count);
    assert_int_equal(pg->type_info & PGT_count_mask, 0);

    assert_int_equal(foreign_map(s.v[1], 2, other, 0, &gfn), -EPERM);
    assert_int_equal(foreign_map(s.v[0], 2, mfn, 0, &gfn), -EINVAL); /* another domain's */
    assert_int_equal(foreign_map(s.v[0], 0, mfn_x(scene_page(s.d[0])), 0, &gfn), -EINVAL);
    assert_int_equal(foreign_map(s.v[0], 77, mfn, 0, &gfn), -ESRCH);
    assert_int_equal(foreign_map(s.v[0], DOMID_IO, mfn, 0, &gfn), -ESRCH);
    assert_int_equal(foreign_map(s.v[0], 1, s.m->nr_frames, 0, &gfn), -EINVAL);
    assert_int_equal(foreign_map(s.v[0], 1, mfn, 1, &gfn), -EINVAL); /* no window begins there */
    s.d[1]->target = 2;                                              /* XEN_DOMCTL_set_target */
    assert_int_equal(foreign_map(s.v[1], 2, other, 0, &gfn), 0);
    assert_int_equal(foreign_unmap(s.v[1], gfn), 0);

    pg->type_info = PGT_seg_desc_page | PGT_validated | 1;
    assert_int_equal(foreign_map(s.v[0], 1, mfn, 0, &gfn), -EINVAL);
    assert_int_equal(foreign_map(s.v[0], 1, mfn, NATIVE_GFN_READ_ONLY, &gfn), 0);
    assert_int_equal(foreign_unmap(s.v[0], gfn), 0);
    pg->type_info = 0;
    assert_int_equal(pg->count_info, count);
    scene_close(&s);
}

/* Many in one call, in no order: one that is refused stops nobody; and who dies has nothing mapped any more. */
static void test_foreign_many(void **state)
{
    uint64_t mfns[100], gfns[100] = { 0 }, count;
    int errs[100];
    struct scene s;

    scene_open(&s);
    s.d[1]->target = 2;
    for (unsigned int i = 0; i < 100; i++)
        mfns[i * 37 % 100] = mfn_x(scene_page(s.d[i == 50 ? 0 : 2]));
    count = mfn_to_page(s.xen, _mfn(mfns[0]))->count_info;
    s.v[1]->preempt_count = 500; /* preempted on the way, and continued */
    assert_int_equal(foreign_add(s.v[1], 2, 100, mfns, gfns, errs), 0);
    for (unsigned int i = 0; i < 100; i++)
        assert_int_equal(errs[i], i == 50 * 37 % 100 ? -EINVAL : 0);
    assert_int_equal(s.d[1]->native.physmap.nr, 99);
    for (unsigned int i = 1; i < 99; i++)
        assert_true(s.d[1]->native.physmap.map[i - 1].gfn < s.d[1]->native.physmap.map[i].gfn);
    for (unsigned int i = 0; i < 100; i += 3)
        assert_int_equal(foreign_unmap(s.v[1], mfns[i]), errs[i] ? -ENOENT : 0);
    assert_int_equal(foreign_add(s.v[1], 2, 2, (uint64_t *)NULL, gfns, errs), -EFAULT);
    scene_kill(&s, 1);
    assert_int_equal(s.d[1]->native.physmap.nr, 0);
    assert_int_equal(mfn_to_page(s.xen, _mfn(mfns[0]))->count_info, count);
    scene_close(&s);
}

static void test_machphys(void **state)
{
    uint64_t list[4] = { 0 };
    struct xen_machphys_mfn_list xmml = { .max_extents = 4 };
    struct xen_machphys_mapping map;
    struct scene s;

    scene_open(&s);
    xmml.extent_start.p = list;
    assert_int_equal(memory_op(s.v[1], XENMEM_machphys_mfn_list, &xmml), 0);
    assert_int_equal(xmml.nr_extents, 1); /* 16 MiB: one extent of 2 MiB describes 1 GiB */
    assert_int_equal(list[0], mfn_x(s.xen->m2p_mfn));
    assert_int_equal(memory_op(s.v[1], XENMEM_machphys_compat_mfn_list, &xmml), 0);
    assert_int_equal(list[0], mfn_x(s.xen->m2p_compat));
    extents_check(&s);
    xmml.max_extents = 0;
    assert_int_equal(memory_op(s.v[1], XENMEM_machphys_mfn_list, &xmml), 0);
    assert_int_equal(xmml.nr_extents, 0);
    assert_int_equal(memory_op(s.v[1], XENMEM_machphys_mapping, &map), 0);
    assert_true(map.v_start == MACH2PHYS_VIRT_START && map.v_end == MACH2PHYS_VIRT_END);
    assert_int_equal(map.max_mfn, MACH2PHYS_NR_ENTRIES - 1);
    assert_int_equal(memory_op(s.v[0], XENMEM_machphys_mapping, &map), 0);
    assert_int_equal(map.max_mfn, s.m->nr_frames - 1);
    scene_close(&s);
}

/* steal_page(): the rule that exchange and transfer rest on. */
static void test_steal(void **state)
{
    struct page_info *pg;
    struct scene s;

    scene_open(&s);
    pg = mfn_to_page(s.xen, scene_page(s.d[1]));
    assert_int_equal(steal_page(s.d[2], pg), -EINVAL);
    assert_true(get_page_and_type(s.xen, pg, s.d[1], PGT_writable_page));
    assert_int_equal(steal_page(s.d[1], pg), -EINVAL);
    put_page_and_type(s.xen, pg);
    assert_int_equal(steal_page(s.d[1], mfn_to_page(s.xen, s.d[1]->grant_table->shared[0])), -EINVAL);
    assert_int_equal(steal_page(s.d[1], pg), 0);
    assert_null(pg->owner);
    assert_int_equal(s.d[1]->tot_pages, 0);
    assert_int_equal(s.d[1]->page_list.nr, 0);
    free_domheap_pages(s.xen, pg, 0);
    scene_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_preemption),   cmocka_unit_test(test_exchange_preempted), cmocka_unit_test(test_foreign),
        cmocka_unit_test(test_foreign_many), cmocka_unit_test(test_machphys),           cmocka_unit_test(test_steal),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
