// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The grant table itself: growth and its limits, versions, status frames, what the toolstack may do, small commands.
 */
#include "tests/mmu/native_scene.h"

#define RW         GTF_permit_access
#define MAX_FRAMES 4

static int setup(struct vcpu *v, domid_t dom, uint32_t nr, uint64_t *frames)
{
    struct gnttab_setup_table op = { .dom = dom, .nr_frames = nr, .status = 99 };

    op.frame_list.p = frames;
    assert_int_equal(gnttab_op(v, GNTTABOP_setup_table, &op, 1), 0);
    return op.status;
}

static long set_version(struct vcpu *v, uint32_t version, uint32_t now)
{
    struct gnttab_set_version op = { version };
    long rc = gnttab_op(v, GNTTABOP_set_version, &op, 1);

    assert_int_equal(op.version, now);
    return rc;
}

static void test_init_limits(void **state)
{
    static const struct {
        int frames, maptrack;
        unsigned int version;
        int rc;
    } cases[] = {
        { 1, 0, 1, 0 },        { -1, -1, 2, 0 },        { 64, 1024, 2, 0 },   { 0, 1, 1, -EINVAL },
        { 65, 1, 1, -EINVAL }, { 1, 1025, 1, -EINVAL }, { 1, 1, 0, -EINVAL }, { 1, 1, 3, -EINVAL },
    };
    struct scene s;

    scene_open(&s);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct domain d = { .xen = s.xen, .refcnt = 1, .type = DOMAIN_NATIVE };

        d.page_list = d.xenpage_list = (struct page_list){ PAGE_LIST_NULL, PAGE_LIST_NULL, 0 };
        assert_int_equal(grant_table_init(&d, cases[i].frames, cases[i].maptrack, cases[i].version), cases[i].rc);
        grant_table_destroy(&d);
        assert_null(d.grant_table);
        assert_int_equal(d.refcnt, 1);
    }
    scene_close(&s);
}

struct wanted {
    const void *p;
    size_t size;
};

static void look(void *data, const void *p, size_t size, const char *place)
{
    struct wanted *w = data;

    if (p == w->p)
        w->size = size;
}

static size_t size_of(const struct arena *a, const void *p)
{
    struct wanted w = { .p = p };

    arena_blocks(a, look, &w);
    return w.size;
}

/*
 * The host's memory follows what is used: a table of one frame costs the same under any limit, and grows with its
 * frames.
 */
static void test_memory_follows_use(void **state)
{
    static const int limit[][2] = { { 1, 1 }, { 64, 1024 } };
    struct scene s;

    scene_open(&s);
    for (size_t i = 0; i < ARRAY_SIZE(limit); i++) {
        struct domain d = { .xen = s.xen, .refcnt = 1, .type = DOMAIN_NATIVE };
        const struct grant_table *gt;

        d.page_list = d.xenpage_list = (struct page_list){ PAGE_LIST_NULL, PAGE_LIST_NULL, 0 };
        assert_int_equal(grant_table_init(&d, limit[i][0], limit[i][1], 1), 0);
        gt = d.grant_table;
        for (int nr = 1; nr <= limit[i][0]; nr += 21) {
            const size_t size = (size_t)nr * GRANTS_PER_FRAME_V1 * sizeof(*gt->active);

            assert_int_equal(gnttab_grow_table(&d, (unsigned int)nr), 0);
            assert_int_equal(size_of(s.m->arena, gt->active), size);
            for (grant_ref_t ref = 0; ref < nr_grant_entries(gt); ref++)
                assert_int_equal(gt->active[ref].pin, 0);
        }
        assert_null(gt->maptrack); /* nothing was ever mapped */
        grant_table_destroy(&d);
    }
    scene_close(&s);
}

static void test_setup_and_size(void **state)
{
    struct gnttab_query_size size = { .dom = DOMID_SELF };
    uint64_t frames[MAX_FRAMES + 1] = { 0 }, again[MAX_FRAMES];
    struct scene s;

    scene_open(&s);
    assert_int_equal(setup(s.v[1], DOMID_SELF, 0, frames), GNTST_okay);
    assert_int_equal(setup(s.v[1], DOMID_SELF, MAX_FRAMES, frames), GNTST_okay);
    for (int i = 0; i < MAX_FRAMES; i++) {
        const struct page_info *pg = mfn_to_page(s.xen, _mfn(frames[i]));

        assert_ptr_equal(pg->owner, s.d[1]);
        assert_true(pg->count_info & PGC_xen_heap);
    }
    assert_int_equal(frames[MAX_FRAMES], 0);
    assert_int_equal(setup(s.v[1], 1, 2, again), GNTST_okay); /* never shrinks */
    assert_memory_equal(again, frames, 16);
    assert_int_equal(setup(s.v[1], DOMID_SELF, MAX_FRAMES + 1, frames), GNTST_general_error);
    assert_int_equal(gnttab_op(s.v[1], GNTTABOP_query_size, &size, 1), 0);
    assert_int_equal(size.status, GNTST_okay);
    assert_int_equal(size.nr_frames, MAX_FRAMES);
    assert_int_equal(size.max_nr_frames, MAX_FRAMES);
    assert_int_equal(gnttab_op(s.v[1], GNTTABOP_query_size, &size, 2), -EINVAL);
    assert_int_equal(gnttab_op(s.v[1], GNTTABOP_setup_table, &size, 0), -EINVAL);
    scene_close(&s);
}

/* Others' tables: for nobody but the toolstack. */
static void test_privileges(void **state)
{
    struct gnttab_query_size size;
    struct gnttab_get_version version;
    uint64_t frames[MAX_FRAMES];
    struct scene s;

    scene_open(&s);
    assert_int_equal(setup(s.v[1], 2, 1, frames), GNTST_permission_denied);
    assert_int_equal(setup(s.v[1], 77, 1, frames), GNTST_bad_domain);
    assert_int_equal(setup(s.v[0], 2, 1, frames), GNTST_okay);
    size = (struct gnttab_query_size){ .dom = 2 };
    assert_int_equal(gnttab_op(s.v[1], GNTTABOP_query_size, &size, 1), 0);
    assert_int_equal(size.status, GNTST_permission_denied);
    version = (struct gnttab_get_version){ .dom = 2 };
    assert_int_equal(gnttab_op(s.v[1], GNTTABOP_get_version, &version, 1), -EPERM);
    version.dom = 77;
    assert_int_equal(gnttab_op(s.v[0], GNTTABOP_get_version, &version, 1), -ESRCH);
    version.dom = 2;
    assert_int_equal(gnttab_op(s.v[0], GNTTABOP_get_version, &version, 1), 0);
    assert_int_equal(version.version, 1);
    s.d[1]->target = 2; /* a device model for domain 2 */
    assert_int_equal(setup(s.v[1], 2, 1, frames), GNTST_okay);
    scene_close(&s);
}

static void test_versions(void **state)
{
    struct gnttab_get_status_frames st = { .dom = DOMID_SELF };
    struct gnttab_map_grant_ref op;
    uint64_t frames[2];
    struct scene s;
    mfn_t mfn;

    scene_open(&s);
    mfn = scene_page(s.d[1]);
    assert_int_equal(set_version(s.v[1], 0, 1), -EINVAL);
    assert_int_equal(set_version(s.v[1], 3, 1), -EINVAL);
    assert_int_equal(set_version(s.v[1], 1, 1), 0);
    /* the toolstack's entries go along, in use as they are; others must not be in use */
    grant_v1(s.d[1], GNTTAB_RESERVED_XENSTORE, RW, 0, mfn);
    grant_v1(s.d[1], 8, RW, 2, mfn);
    grant_v1(s.d[1], 7, GTF_accept_transfer, 2, mfn);
    op = do_map(s.v[0], 1, GNTTAB_RESERVED_XENSTORE, GNTMAP_host_map, GNTST_okay);
    assert_int_equal(set_version(s.v[1], 2, 2), 0);
    assert_int_equal(shared_entry_v2(s.d[1]->grant_table, GNTTAB_RESERVED_XENSTORE)->hdr.flags, RW);
    assert_int_equal(shared_entry_v2(s.d[1]->grant_table, GNTTAB_RESERVED_XENSTORE)->full_page.frame, mfn_x(mfn));
    assert_int_equal(*grant_status_word(s.d[1]->grant_table, GNTTAB_RESERVED_XENSTORE), GTF_reading | GTF_writing);
    assert_int_equal(shared_entry_v2(s.d[1]->grant_table, 8)->hdr.flags, 0);

    st.nr_frames = 1;
    st.frame_list.p = frames;
    assert_int_equal(gnttab_op(s.v[1], GNTTABOP_get_status_frames, &st, 1), 0);
    assert_int_equal(st.status, GNTST_okay);
    assert_ptr_equal(mfn_to_page(s.xen, _mfn(frames[0]))->owner, s.d[1]);
    st.nr_frames = 2;
    assert_int_equal(gnttab_op(s.v[1], GNTTABOP_get_status_frames, &st, 1), 0);
    assert_int_equal(st.status, GNTST_general_error);

    /* back: not while a status frame is mapped, nor with entries that version 1 cannot express */
    assert_true(get_page(mfn_to_page(s.xen, _mfn(frames[0])), s.d[1]));
    assert_int_equal(set_version(s.v[1], 1, 2), -EBUSY);
    put_page(s.xen, mfn_to_page(s.xen, _mfn(frames[0])));
    shared_entry_v2(s.d[1]->grant_table, 5)->hdr.flags = GTF_transitive;
    assert_int_equal(set_version(s.v[1], 1, 2), -ERANGE);
    *shared_entry_v2(s.d[1]->grant_table, 5) = (grant_entry_v2_t){ .full_page = { { RW, 2 }, 0, UINT64_C(1) << 32 } };
    assert_int_equal(set_version(s.v[1], 1, 2), -ERANGE);
    shared_entry_v2(s.d[1]->grant_table, 5)->hdr.flags = 0;
    assert_int_equal(set_version(s.v[1], 1, 1), 0);
    assert_int_equal(shared_entry_v1(s.d[1]->grant_table, GNTTAB_RESERVED_XENSTORE)->flags,
                     RW | GTF_reading | GTF_writing);
    native_counts_check(&s);
    assert_int_equal(do_unmap(s.v[0], op.handle, op.host_addr, 0), GNTST_okay);
    assert_int_equal(shared_entry_v1(s.d[1]->grant_table, GNTTAB_RESERVED_XENSTORE)->flags, RW);

    grant_v1(s.d[1], 8, RW, 2, mfn);
    op = do_map(s.v[2], 1, 8, GNTMAP_host_map, GNTST_okay);
    assert_int_equal(set_version(s.v[1], 2, 1), -EBUSY);
    assert_int_equal(do_unmap(s.v[2], op.handle, op.host_addr, 0), GNTST_okay);
    s.d[1]->grant_table->max_version = 1;
    assert_int_equal(set_version(s.v[1], 2, 1), -ENOSYS);
    scene_close(&s);
}

/* The status frames grow with the table. */
static void test_version_2_growth(void **state)
{
    uint64_t frames[16];
    struct scene s;

    scene_open_sized(&s, 16, 16, 1);
    assert_int_equal(set_version(s.v[1], 2, 2), 0);
    assert_int_equal(s.d[1]->grant_table->nr_status_frames, 1);
    assert_int_equal(setup(s.v[1], DOMID_SELF, 9, frames), GNTST_okay);
    assert_int_equal(s.d[1]->grant_table->nr_status_frames, 2);
    *grant_status_word(s.d[1]->grant_table, 9 * GRANTS_PER_FRAME_V2 - 1) = 0;
    scene_close(&s);
}

static void test_swap(void **state)
{
    struct gnttab_swap_grant_ref op = { 8, 9, 99 };
    struct gnttab_map_grant_ref map;
    struct scene s;
    mfn_t mfn;

    scene_open(&s);
    mfn = scene_page(s.d[1]);
    grant_v1(s.d[1], 8, RW, 2, mfn);
    grant_v1(s.d[1], 9, RW, 3, mfn);
    assert_int_equal(gnttab_op(s.v[1], GNTTABOP_swap_grant_ref, &op, 1), 0);
    assert_int_equal(op.status, GNTST_okay);
    assert_int_equal(shared_entry_v1(s.d[1]->grant_table, 8)->domid, 3);
    assert_int_equal(shared_entry_v1(s.d[1]->grant_table, 9)->domid, 2);
    map = do_map(s.v[2], 1, 9, GNTMAP_device_map, GNTST_okay);
    assert_int_equal(gnttab_op(s.v[1], GNTTABOP_swap_grant_ref, &op, 1), 0);
    assert_int_equal(op.status, GNTST_eagain);
    op.ref_a = 9; /* with itself: nothing to do, in use or not */
    assert_int_equal(gnttab_op(s.v[1], GNTTABOP_swap_grant_ref, &op, 1), 0);
    assert_int_equal(op.status, GNTST_okay);
    op.ref_b = 512;
    assert_int_equal(gnttab_op(s.v[1], GNTTABOP_swap_grant_ref, &op, 1), 0);
    assert_int_equal(op.status, GNTST_bad_gntref);
    assert_int_equal(do_unmap(s.v[2], map.handle, 0, map.dev_bus_addr), GNTST_okay);
    assert_int_equal(set_version(s.v[1], 2, 2), 0);
    *grant_status_word(s.d[1]->grant_table, 9) = GTF_reading;
    op = (struct gnttab_swap_grant_ref){ 10, 9, 99 };
    assert_int_equal(gnttab_op(s.v[1], GNTTABOP_swap_grant_ref, &op, 1), 0);
    assert_int_equal(*grant_status_word(s.d[1]->grant_table, 10), GTF_reading);
    assert_int_equal(*grant_status_word(s.d[1]->grant_table, 9), 0);
    scene_close(&s);
}

static void test_cache_flush(void **state)
{
    struct gnttab_cache_flush op = { .length = 64, .op = GNTTAB_CACHE_CLEAN };
    struct scene s;
    mfn_t mine, theirs;

    scene_open(&s);
    mine = scene_page(s.d[2]);
    theirs = scene_page(s.d[1]);
    op.a.dev_bus_addr = mfn_x(mine) << PAGE_SHIFT;
    assert_int_equal(gnttab_op(s.v[2], GNTTABOP_cache_flush, &op, 1), 0);
    op.op = GNTTAB_CACHE_INVAL;
    assert_int_equal(gnttab_op(s.v[2], GNTTABOP_cache_flush, &op, 1), -EOPNOTSUPP);
    op.op = GNTTAB_CACHE_INVAL | GNTTAB_CACHE_CLEAN;
    assert_int_equal(gnttab_op(s.v[2], GNTTABOP_cache_flush, &op, 1), 0);
    op.op |= GNTTAB_CACHE_SOURCE_GREF;
    assert_int_equal(gnttab_op(s.v[2], GNTTABOP_cache_flush, &op, 1), -EINVAL);
    op.op = GNTTAB_CACHE_CLEAN;
    op.offset = 4040;
    assert_int_equal(gnttab_op(s.v[2], GNTTABOP_cache_flush, &op, 1), -EINVAL);
    op.offset = 0;
    op.a.dev_bus_addr = mfn_x(theirs) << PAGE_SHIFT;
    assert_int_equal(gnttab_op(s.v[2], GNTTABOP_cache_flush, &op, 1), -EINVAL);
    grant_v1(s.d[1], 8, RW, 2, theirs);
    do_map(s.v[2], 1, 8, GNTMAP_device_map, GNTST_okay);
    assert_int_equal(gnttab_op(s.v[2], GNTTABOP_cache_flush, &op, 1), 0);
    op.a.dev_bus_addr = 0;
    assert_int_equal(gnttab_op(s.v[2], GNTTABOP_cache_flush, &op, 1), -EPERM);
    op.a.dev_bus_addr = s.m->nr_frames << PAGE_SHIFT;
    assert_int_equal(gnttab_op(s.v[2], GNTTABOP_cache_flush, &op, 1), -EINVAL);
    scene_close(&s);
}

static void test_hypercall_refusals(void **state)
{
    struct gnttab_query_size size = { .dom = DOMID_SELF };
    struct scene s;

    scene_open(&s);
    assert_int_equal(gnttab_op(s.v[1], GNTTABOP_dump_table, &size, 1), -ENOSYS);
    assert_int_equal(gnttab_op(s.v[1], 13, &size, 1), -ENOSYS);
    assert_int_equal(gnttab_op(s.v[1], 4095, &size, 1), -ENOSYS);
    assert_int_equal(gnttab_op(s.v[1], 13, &size, UINT32_MAX), -EINVAL);
    assert_int_equal(gnttab_op(s.v[1], GNTTABOP_query_size | 0x1000, &size, 1), -EINVAL);
    assert_int_equal(gnttab_op(s.v[1], GNTTABOP_map_grant_ref, NULL, 0), 0);
    scene_close(&s);
}

/* The toolstack finds the frames, and fills in the first entries of a guest that never ran. */
static void test_acquire_resource(void **state)
{
    uint64_t frames[8];
    struct xen_mem_acquire_resource a;
    struct scene s;

    scene_open(&s);
#define ACQUIRE(vcpu, ...)                                                                                             \
    (a = (struct xen_mem_acquire_resource){ __VA_ARGS__, .frame_list.p = frames },                                     \
     memory_op(s.v[vcpu], XENMEM_acquire_resource, &a))
    assert_int_equal(ACQUIRE(0, .domid = 1, .type = XENMEM_resource_grant_table, .nr_frames = 1), 0);
    assert_int_equal(frames[0], mfn_x(s.d[1]->grant_table->shared[0]));
    assert_int_equal(ACQUIRE(0, .domid = 1, .type = XENMEM_resource_grant_table, .nr_frames = 2, .frame = 2), 0);
    assert_int_equal(s.d[1]->grant_table->nr_grant_frames, MAX_FRAMES); /* grows on demand */
    assert_int_equal(ACQUIRE(0, .domid = 1, .type = XENMEM_resource_grant_table, .nr_frames = 1, .frame = MAX_FRAMES),
                     -EINVAL);
    assert_int_equal(ACQUIRE(0, .domid = 1, .type = XENMEM_resource_grant_table, .nr_frames = 1, .frame = 1ULL << 32),
                     -EINVAL);
    assert_int_equal(ACQUIRE(0, .domid = 1, .type = XENMEM_resource_grant_table, .nr_frames = 1, .pad = 1), -EINVAL);
    assert_int_equal(ACQUIRE(0, .domid = 1, .type = XENMEM_resource_grant_table, .nr_frames = 0), -EINVAL);
    assert_int_equal(ACQUIRE(0, .domid = 1, .type = XENMEM_resource_ioreq_server, .nr_frames = 1), -EINVAL);
    assert_int_equal(ACQUIRE(0, .domid = 77, .type = XENMEM_resource_grant_table, .nr_frames = 1), -ESRCH);
    assert_int_equal(ACQUIRE(0, .domid = 0, .type = XENMEM_resource_grant_table, .nr_frames = 1), -EPERM);
    assert_int_equal(ACQUIRE(2, .domid = 1, .type = XENMEM_resource_grant_table, .nr_frames = 1), -EPERM);
    /* status frames: in version 2 only */
    assert_int_equal(ACQUIRE(0, .domid = 1, .type = XENMEM_resource_grant_table, .id = 1, .nr_frames = 1), -EINVAL);
    assert_int_equal(set_version(s.v[1], 2, 2), 0);
    assert_int_equal(ACQUIRE(0, .domid = 1, .type = XENMEM_resource_grant_table, .id = 1, .nr_frames = 1), 0);
    assert_int_equal(frames[0], mfn_x(s.d[1]->grant_table->status[0]));
    assert_int_equal(ACQUIRE(0, .domid = 1, .type = XENMEM_resource_grant_table, .id = 2, .nr_frames = 1), -EINVAL);
    /* the size */
    a = (struct xen_mem_acquire_resource){ .domid = 1, .type = XENMEM_resource_grant_table };
    assert_int_equal(memory_op(s.v[0], XENMEM_acquire_resource, &a), 0);
    assert_int_equal(a.nr_frames, MAX_FRAMES);
    scene_close(&s);
}

static void test_mappings_of(void **state)
{
    struct scene s;
    mfn_t mfn;

    scene_open(&s);
    mfn = scene_page(s.d[1]);
    grant_v1(s.d[1], 8, RW, 2, mfn);
    do_map(s.v[2], 1, 8, GNTMAP_host_map | GNTMAP_device_map, GNTST_okay);
    do_map(s.v[2], 1, 8, GNTMAP_host_map | GNTMAP_readonly, GNTST_okay);
    assert_int_equal(gnttab_mappings_of(s.d[2], mfn, false), 2);
    assert_int_equal(gnttab_mappings_of(s.d[2], mfn, true), 1);
    scene_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_init_limits),
        cmocka_unit_test(test_memory_follows_use),
        cmocka_unit_test(test_setup_and_size),
        cmocka_unit_test(test_privileges),
        cmocka_unit_test(test_versions),
        cmocka_unit_test(test_version_2_growth),
        cmocka_unit_test(test_swap),
        cmocka_unit_test(test_cache_flush),
        cmocka_unit_test(test_hypercall_refusals),
        cmocka_unit_test(test_acquire_resource),
        cmocka_unit_test(test_mappings_of),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
