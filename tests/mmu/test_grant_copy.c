// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Grant copies and transfers: which bytes may go where, through which chain of grants; and frames that change owner.
 *
 * Domain 1 grants, domain 2 copies; domain 3 is the far end of a transitive grant.
 */
#include "tests/mmu/native_scene.h"
#include "tests/support/ram.h"

#define GRANTER 1
#define USER    2
#define THIRD   3
#define REF     9
#define RW      (GTF_permit_access)
#define RO      (GTF_permit_access | GTF_readonly)
#define SRC     GNTCOPY_source_gref
#define DST     GNTCOPY_dest_gref

static uint8_t *bytes(struct scene *s, mfn_t mfn) { return ram_page(s->m, mfn); }

static int do_copy(struct vcpu *v, struct gnttab_copy op)
{
    op.status = 99;
    assert_int_equal(gnttab_op(v, GNTTABOP_copy, &op, 1), 0);
    return op.status;
}

static struct gnttab_copy_ptr by_ref(domid_t domid, grant_ref_t ref, uint16_t offset)
{
    return (struct gnttab_copy_ptr){ .u.ref = ref, .domid = domid, .offset = offset };
}

static struct gnttab_copy_ptr by_frame(domid_t domid, mfn_t mfn, uint16_t offset)
{
    return (struct gnttab_copy_ptr){ .u.gmfn = mfn_x(mfn), .domid = domid, .offset = offset };
}

static void use_v2(struct scene *s, domid_t domid)
{
    struct gnttab_set_version op = { 2 };

    assert_int_equal(gnttab_op(s->v[domid], GNTTABOP_set_version, &op, 1), 0);
}

static void test_copy_both_directions(void **state)
{
    struct scene s;
    mfn_t mine, theirs;

    scene_open(&s);
    mine = scene_page(s.d[USER]);
    theirs = scene_page(s.d[GRANTER]);
    for (unsigned int i = 0; i < PAGE_SIZE; i++)
        bytes(&s, theirs)[i] = i * 7;
    grant_v1(s.d[GRANTER], REF, RO, USER, theirs);
    assert_int_equal(do_copy(s.v[USER], (struct gnttab_copy){ by_ref(GRANTER, REF, 100), by_frame(DOMID_SELF, mine, 8),
                                                              1000, SRC, 0 }),
                     GNTST_okay);
    assert_memory_equal(bytes(&s, mine) + 8, bytes(&s, theirs) + 100, 1000);
    assert_int_equal(bytes(&s, mine)[7], 0);
    assert_int_equal(bytes(&s, mine)[1008], 0);

    grant_v1(s.d[GRANTER], REF, RW, USER, theirs);
    memset(bytes(&s, mine), 0x55, PAGE_SIZE);
    assert_int_equal(do_copy(s.v[USER], (struct gnttab_copy){ by_frame(DOMID_SELF, mine, 0), by_ref(GRANTER, REF, 0),
                                                              PAGE_SIZE, DST, 0 }),
                     GNTST_okay);
    assert_memory_equal(bytes(&s, mine), bytes(&s, theirs), PAGE_SIZE);
    /* the marks last as long as the copy */
    assert_int_equal(shared_entry_v1(s.d[GRANTER]->grant_table, REF)->flags, RW);
    /* both sides by the same grant: a copy within the frame */
    bytes(&s, theirs)[0] = 1;
    assert_int_equal(do_copy(s.v[USER], (struct gnttab_copy){ by_ref(GRANTER, REF, 0), by_ref(GRANTER, REF, 4000), 96,
                                                              SRC | DST, 0 }),
                     GNTST_okay);
    assert_int_equal(bytes(&s, theirs)[4000], 1);
    native_counts_check(&s);
    scene_close(&s);
}

static void test_copy_refusals(void **state)
{
    struct scene s;
    mfn_t mine, theirs, table;

    scene_open(&s);
    mine = scene_page(s.d[USER]);
    theirs = scene_page(s.d[GRANTER]);
    table = scene_page(s.d[USER]);
    mfn_to_page(s.xen, table)->type_info = PGT_l1_page_table | PGT_validated | 1;
    grant_v1(s.d[GRANTER], REF, RW, USER, theirs);
    grant_v1(s.d[GRANTER], REF + 1, RO, USER, theirs);
    grant_v1(s.d[GRANTER], REF + 2, RW, THIRD, theirs);
    grant_v1(s.d[GRANTER], REF + 3, RW, USER, mine); /* not its to grant */

    const struct gnttab_copy_ptr self = by_frame(DOMID_SELF, mine, 0), ref = by_ref(GRANTER, REF, 0);
    const struct {
        const char *name;
        struct gnttab_copy op;
        int status;
    } cases[] = {
        { "a frame of another domain as source",
          { by_frame(GRANTER, theirs, 0), self, 8, 0, 0 },
          GNTST_permission_denied },
        { "a frame by one's own number", { by_frame(USER, mine, 0), self, 8, 0, 0 }, GNTST_permission_denied },
        { "a frame of another domain as destination",
          { self, by_frame(GRANTER, theirs, 0), 8, 0, 0 },
          GNTST_permission_denied },
        { "source domain first", { by_ref(77, REF, 0), by_frame(GRANTER, theirs, 0), 8, SRC, 0 }, GNTST_bad_domain },
        { "no such domain", { self, by_ref(77, REF, 0), 8, DST, 0 }, GNTST_bad_domain },
        { "no such reference", { by_ref(GRANTER, 512, 0), self, 8, SRC, 0 }, GNTST_bad_gntref },
        { "writing to a read-only grant", { self, by_ref(GRANTER, REF + 1, 0), 8, DST, 0 }, GNTST_general_error },
        { "granted to somebody else", { by_ref(GRANTER, REF + 2, 0), self, 8, SRC, 0 }, GNTST_general_error },
        { "frame that is not the granter's", { by_ref(GRANTER, REF + 3, 0), self, 8, SRC, 0 }, GNTST_bad_page },
        { "frame that is not one's own", { by_frame(DOMID_SELF, theirs, 0), ref, 8, DST, 0 }, GNTST_bad_page },
        { "frame beyond memory", { by_frame(DOMID_SELF, _mfn(s.m->nr_frames), 0), ref, 8, DST, 0 }, GNTST_bad_page },
        { "into a page table", { ref, by_frame(DOMID_SELF, table, 0), 8, SRC, 0 }, GNTST_general_error },
        { "source crosses the page", { by_ref(GRANTER, REF, 4090), self, 8, SRC, 0 }, GNTST_bad_copy_arg },
        { "destination crosses the page", { ref, by_frame(DOMID_SELF, mine, 4090), 8, SRC, 0 }, GNTST_bad_copy_arg },
        { "longer than a page", { ref, self, 4097, SRC, 0 }, GNTST_bad_copy_arg },
        { "offset beyond the page", { by_ref(GRANTER, REF, 65535), self, 8, SRC, 0 }, GNTST_bad_copy_arg },
        { "nothing at all is fine", { ref, self, 0, SRC, 0 }, GNTST_okay },
        { "out of a page table is fine", { by_frame(DOMID_SELF, table, 0), ref, 8, DST, 0 }, GNTST_okay },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        int status = do_copy(s.v[USER], cases[i].op);

        if (status != cases[i].status)
            fail_msg("%s: status %d, expected %d", cases[i].name, status, cases[i].status);
    }
    mfn_to_page(s.xen, table)->type_info = 0;
    native_counts_check(&s);
    scene_close(&s);
}

static void test_copy_sub_page(void **state)
{
    static const struct {
        uint16_t offset, len;
        int status;
    } cases[] = {
        { 512, 256, GNTST_okay },        { 600, 100, GNTST_okay }, { 511, 1, GNTST_general_error },
        { 767, 2, GNTST_general_error }, { 768, 0, GNTST_okay },   { 0, 4096, GNTST_general_error },
        { 4095, 2, GNTST_bad_copy_arg },
    };
    struct scene s;
    mfn_t mine, theirs;

    scene_open(&s);
    mine = scene_page(s.d[USER]);
    theirs = scene_page(s.d[GRANTER]);
    use_v2(&s, GRANTER);
    *shared_entry_v2(s.d[GRANTER]->grant_table, REF) =
        (grant_entry_v2_t){ .sub_page = { { RW | GTF_sub_page, USER }, 512, 256, mfn_x(theirs) } };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        assert_int_equal(
            do_copy(s.v[USER], (struct gnttab_copy){ by_ref(GRANTER, REF, cases[i].offset),
                                                     by_frame(DOMID_SELF, mine, 0), cases[i].len, SRC, 0 }),
            cases[i].status);
        assert_int_equal(
            do_copy(s.v[USER], (struct gnttab_copy){ by_frame(DOMID_SELF, mine, 0),
                                                     by_ref(GRANTER, REF, cases[i].offset), cases[i].len, DST, 0 }),
            cases[i].status);
    }
    do_map(s.v[USER], GRANTER, REF, GNTMAP_host_map, GNTST_general_error);
    assert_int_equal(*grant_status_word(s.d[GRANTER]->grant_table, REF), 0);
    native_counts_check(&s);
    scene_close(&s);
}

static void transitive(struct scene *s, domid_t d, grant_ref_t ref, uint16_t flags, domid_t to, domid_t from,
                       grant_ref_t there)
{
    *shared_entry_v2(s->d[d]->grant_table, ref) =
        (grant_entry_v2_t){ .transitive = { { GTF_transitive | flags, to }, from, 0, there } };
}

static void test_copy_transitive(void **state)
{
    struct scene s;
    mfn_t mine, far;
    struct gnttab_copy read, write;

    scene_open(&s);
    mine = scene_page(s.d[USER]);
    far = scene_page(s.d[THIRD]);
    strcpy((char *)bytes(&s, far), "from afar");
    use_v2(&s, GRANTER);
    read = (struct gnttab_copy){ by_ref(GRANTER, REF, 0), by_frame(DOMID_SELF, mine, 0), 64, SRC, 0 };
    write = (struct gnttab_copy){ by_frame(DOMID_SELF, mine, 0), by_ref(GRANTER, REF, 0), 64, DST, 0 };

    transitive(&s, GRANTER, REF, GTF_readonly, USER, THIRD, 20);
    assert_int_equal(do_copy(s.v[USER], read), GNTST_general_error); /* the third did not grant it yet */
    grant_v1(s.d[THIRD], 20, RO, GRANTER, far);
    assert_int_equal(do_copy(s.v[USER], read), GNTST_okay);
    assert_string_equal((char *)bytes(&s, mine), "from afar");
    assert_int_equal(do_copy(s.v[USER], write), GNTST_general_error);
    transitive(&s, GRANTER, REF, 0, USER, THIRD, 20);
    assert_int_equal(do_copy(s.v[USER], write), GNTST_general_error); /* the far end is read-only */
    assert_int_equal(shared_entry_v1(s.d[THIRD]->grant_table, 20)->flags, RO);
    grant_v1(s.d[THIRD], 20, RW, GRANTER, far);
    assert_int_equal(do_copy(s.v[USER], write), GNTST_okay);

    /* both ways at once: the source uses it while the destination does */
    assert_int_equal(do_copy(s.v[USER], (struct gnttab_copy){ by_ref(GRANTER, REF, 0), by_ref(GRANTER, REF, 128), 64,
                                                              SRC | DST, 0 }),
                     GNTST_okay);
    assert_memory_equal(bytes(&s, far), bytes(&s, far) + 128, 64);

    do_map(s.v[USER], GRANTER, REF, GNTMAP_host_map | GNTMAP_readonly, GNTST_general_error); /* never mapped */
    transitive(&s, GRANTER, REF, 0, USER, GRANTER, 20);
    assert_int_equal(do_copy(s.v[USER], read), GNTST_general_error); /* to oneself */
    transitive(&s, GRANTER, REF, 0, USER, 77, 20);
    assert_int_equal(do_copy(s.v[USER], read), GNTST_general_error); /* to nobody */
    transitive(&s, GRANTER, REF, 0, USER, THIRD, 512);
    assert_int_equal(do_copy(s.v[USER], read), GNTST_bad_gntref);
    use_v2(&s, THIRD);
    transitive(&s, THIRD, 21, 0, GRANTER, USER, 20);
    transitive(&s, GRANTER, REF, 0, USER, THIRD, 21);
    assert_int_equal(do_copy(s.v[USER], read), GNTST_general_error); /* one step only */
    assert_int_equal(*grant_status_word(s.d[GRANTER]->grant_table, REF), 0);
    assert_int_equal(*grant_status_word(s.d[THIRD]->grant_table, 21), 0);
    assert_int_equal(s.d[THIRD]->refcnt, 2); /* of the list, and for its frames */
    native_counts_check(&s);
    scene_close(&s);
}

/* An entry that was mapped and then rewritten as a transitive one: nothing hangs, nothing leaks. */
static void test_copy_rewritten_as_transitive(void **state)
{
    struct gnttab_map_grant_ref op;
    struct scene s;
    mfn_t mine, far;

    scene_open(&s);
    mine = scene_page(s.d[USER]);
    far = scene_page(s.d[THIRD]);
    use_v2(&s, GRANTER);
    grant_v1(s.d[THIRD], 20, RW, GRANTER, far);
    *shared_entry_v2(s.d[GRANTER]->grant_table, REF) =
        (grant_entry_v2_t){ .full_page = { { RW, USER }, 0, mfn_x(scene_page(s.d[GRANTER])) } };
    op = do_map(s.v[USER], GRANTER, REF, GNTMAP_host_map, GNTST_okay);
    transitive(&s, GRANTER, REF, 0, USER, THIRD, 20);
    assert_int_equal(
        do_copy(s.v[USER], (struct gnttab_copy){ by_ref(GRANTER, REF, 0), by_frame(DOMID_SELF, mine, 0), 64, SRC, 0 }),
        GNTST_eagain);
    native_counts_check(&s);
    assert_int_equal(do_unmap(s.v[USER], op.handle, op.host_addr, 0), GNTST_okay);
    scene_close(&s);
}

/* Copying while mapped uses the mapped frame, whatever the entry says by now. */
static void test_copy_while_mapped(void **state)
{
    struct gnttab_map_grant_ref op;
    struct scene s;
    mfn_t mine, first;

    scene_open(&s);
    mine = scene_page(s.d[USER]);
    first = scene_page(s.d[GRANTER]);
    bytes(&s, first)[5] = 42;
    grant_v1(s.d[GRANTER], REF, RW, USER, first);
    op = do_map(s.v[USER], GRANTER, REF, GNTMAP_host_map | GNTMAP_readonly, GNTST_okay);
    grant_v1(s.d[GRANTER], REF, RW, USER, scene_page(s.d[GRANTER]));
    assert_int_equal(
        do_copy(s.v[USER], (struct gnttab_copy){ by_ref(GRANTER, REF, 5), by_frame(DOMID_SELF, mine, 0), 1, SRC, 0 }),
        GNTST_okay);
    assert_int_equal(bytes(&s, mine)[0], 42);
    scene_kill(&s, GRANTER);
    assert_int_equal(
        do_copy(s.v[USER], (struct gnttab_copy){ by_ref(GRANTER, REF, 5), by_frame(DOMID_SELF, mine, 0), 1, SRC, 0 }),
        GNTST_bad_domain);
    native_counts_check(&s);
    assert_int_equal(do_unmap(s.v[USER], op.handle, op.host_addr, 0), GNTST_okay);
    scene_close(&s);
}

/* --- transfer --- */

static int do_transfer(struct vcpu *v, mfn_t mfn, domid_t to, grant_ref_t ref)
{
    struct gnttab_transfer op = { .mfn = mfn_x(mfn), .domid = to, .ref = ref, .status = 99 };

    assert_int_equal(gnttab_op(v, GNTTABOP_transfer, &op, 1), 0);
    return op.status;
}

static void test_transfer(void **state)
{
    const grant_entry_v1_t *entry;
    struct scene s;
    mfn_t mfn;

    scene_open(&s);
    mfn = scene_page(s.d[USER]);
    strcpy((char *)bytes(&s, mfn), "a present");
    grant_v1(s.d[GRANTER], REF, GTF_accept_transfer, USER, _mfn(0x321));
    assert_int_equal(do_transfer(s.v[USER], mfn, GRANTER, REF), GNTST_okay);
    entry = shared_entry_v1(s.d[GRANTER]->grant_table, REF);
    assert_int_equal(entry->flags, GTF_accept_transfer | GTF_transfer_committed | GTF_transfer_completed);
    assert_int_equal(entry->frame, mfn_x(mfn));
    assert_int_equal(get_gpfn_from_mfn(s.xen, mfn), 0x321);
    assert_ptr_equal(mfn_to_page(s.xen, mfn)->owner, s.d[GRANTER]);
    assert_string_equal((char *)bytes(&s, mfn), "a present");
    assert_int_equal(s.d[USER]->tot_pages, 0);
    assert_int_equal(s.d[GRANTER]->tot_pages, 1);
    native_counts_check(&s);
    scene_close(&s);
}

/* What is kept, and what is lost, when a transfer is refused. */
static void test_transfer_refusals(void **state)
{
    struct gnttab_map_grant_ref op;
    struct scene s;
    mfn_t mfn;

    scene_open(&s);
    assert_int_equal(do_transfer(s.v[USER], _mfn(s.m->nr_frames), GRANTER, REF), GNTST_bad_page);
    mfn = scene_page(s.d[THIRD]);
    assert_int_equal(do_transfer(s.v[USER], mfn, GRANTER, REF), GNTST_bad_page);
    assert_int_equal(do_transfer(s.v[USER], s.d[USER]->grant_table->shared[0], GRANTER, REF), GNTST_bad_page);
    mfn = scene_page(s.d[USER]);
    grant_v1(s.d[USER], REF, RW, THIRD, mfn);
    op = do_map(s.v[THIRD], USER, REF, GNTMAP_host_map | GNTMAP_readonly, GNTST_okay);
    assert_int_equal(do_transfer(s.v[USER], mfn, GRANTER, REF), GNTST_bad_page); /* somebody uses it: kept */
    assert_ptr_equal(mfn_to_page(s.xen, mfn)->owner, s.d[USER]);
    assert_int_equal(do_unmap(s.v[THIRD], op.handle, op.host_addr, 0), GNTST_okay);

    assert_int_equal(do_transfer(s.v[USER], mfn, GRANTER, REF), GNTST_general_error); /* not accepted: gone */
    assert_null(mfn_to_page(s.xen, mfn)->owner);
    assert_int_equal(do_transfer(s.v[USER], scene_page(s.d[USER]), 77, REF), GNTST_bad_domain);
    assert_int_equal(do_transfer(s.v[USER], scene_page(s.d[USER]), GRANTER, 512), GNTST_general_error);
    grant_v1(s.d[GRANTER], REF, GTF_accept_transfer, THIRD, _mfn(0));
    assert_int_equal(do_transfer(s.v[USER], scene_page(s.d[USER]), GRANTER, REF), GNTST_general_error);
    grant_v1(s.d[GRANTER], REF, GTF_accept_transfer, USER, _mfn(0));
    s.d[GRANTER]->max_pages = 0;
    assert_int_equal(do_transfer(s.v[USER], scene_page(s.d[USER]), GRANTER, REF), GNTST_general_error);
    assert_int_equal(shared_entry_v1(s.d[GRANTER]->grant_table, REF)->flags, GTF_accept_transfer);
    assert_int_equal(s.d[USER]->tot_pages, 0);
    scene_kill(&s, GRANTER);
    assert_int_equal(do_transfer(s.v[USER], scene_page(s.d[USER]), GRANTER, REF), GNTST_general_error);
    scene_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_copy_both_directions),
        cmocka_unit_test(test_copy_refusals),
        cmocka_unit_test(test_copy_sub_page),
        cmocka_unit_test(test_copy_transitive),
        cmocka_unit_test(test_copy_rewritten_as_transitive),
        cmocka_unit_test(test_copy_while_mapped),
        cmocka_unit_test(test_transfer),
        cmocka_unit_test(test_transfer_refusals),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
