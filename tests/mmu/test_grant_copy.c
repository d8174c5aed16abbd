// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Grant copies and transfers: which bytes may go where, through which chain of grants; and frames that change owner.
 *
 * GRANTER grants, USER copies; THIRD is the far end of a transitive grant. What one of them has, and what is left of an
 * operation, is asked as a user of libxenlab does: memory, entries, frames, and behind each test the books.
 */
#include "tests/support/user_grants.h"

#define RW  (GTF_permit_access)
#define RO  (GTF_permit_access | GTF_readonly)
#define SRC GNTCOPY_source_gref
#define DST GNTCOPY_dest_gref

enum { MINE = GRANT_PAGE, SPARE, SLOT }; /* pages of each; SLOT: to map something at */

static int do_copy(struct grants *g, unsigned int who, struct gnttab_copy op)
{
    op.status = 99;
    assert_int_equal(grant_op(g, who, GNTTABOP_copy, &op), 0);
    return op.status;
}

static struct gnttab_copy_ptr by_ref(struct grants *g, unsigned int who, grant_ref_t ref, uint16_t offset)
{
    return (struct gnttab_copy_ptr){ .u.ref = ref, .domid = g->d[who], .offset = offset };
}

static struct gnttab_copy_ptr by_frame(uint16_t domid, uint64_t mfn, uint16_t offset)
{
    return (struct gnttab_copy_ptr){ .u.gmfn = mfn, .domid = domid, .offset = offset };
}

static void test_copy_both_directions(void **state)
{
    struct grants *g = *state;
    const uint64_t mine = page_frame(g, USER, MINE), theirs = page_frame(g, GRANTER, MINE);
    uint8_t a[USER_PAGE], b[USER_PAGE];

    for (unsigned int i = 0; i < USER_PAGE; i++)
        a[i] = (uint8_t)(i * 7);
    page_put(g, GRANTER, MINE, a, USER_PAGE);
    grant_v1(g, GRANTER, REF, RO, g->d[USER], theirs);
    assert_int_equal(
        do_copy(g, USER,
                (struct gnttab_copy){ by_ref(g, GRANTER, REF, 100), by_frame(DOMID_SELF, mine, 8), 1000, SRC, 0 }),
        GNTST_okay);
    page_get(g, USER, MINE, b, USER_PAGE);
    assert_memory_equal(b + 8, a + 100, 1000);
    assert_int_equal(b[7], 0);
    assert_int_equal(b[1008], 0);

    grant_v1(g, GRANTER, REF, RW, g->d[USER], theirs);
    memset(b, 0x55, USER_PAGE);
    page_put(g, USER, MINE, b, USER_PAGE);
    assert_int_equal(
        do_copy(g, USER,
                (struct gnttab_copy){ by_frame(DOMID_SELF, mine, 0), by_ref(g, GRANTER, REF, 0), USER_PAGE, DST, 0 }),
        GNTST_okay);
    page_get(g, GRANTER, MINE, a, USER_PAGE);
    assert_memory_equal(a, b, USER_PAGE);
    /* the marks last as long as the copy */
    assert_int_equal(entry_v1(g, GRANTER, REF).flags, RW);
    /* both sides by the same grant: a copy within the frame */
    page_put(g, GRANTER, MINE, "\1", 1);
    assert_int_equal(
        do_copy(g, USER,
                (struct gnttab_copy){ by_ref(g, GRANTER, REF, 0), by_ref(g, GRANTER, REF, 4000), 96, SRC | DST, 0 }),
        GNTST_okay);
    page_get(g, GRANTER, MINE, a, USER_PAGE);
    assert_int_equal(a[4000], 1);
}

/* What a copy between these two answers, and that nothing of it lasts. */
struct refusal {
    const char *name;
    struct gnttab_copy op;
    int status;
};

static void refusals_check(struct grants *g, const struct refusal *cases, size_t nr)
{
    for (size_t i = 0; i < nr; i++) {
        const int status = do_copy(g, USER, cases[i].op);

        if (status != cases[i].status)
            fail_msg("%s: status %d, expected %d", cases[i].name, status, cases[i].status);
        for (grant_ref_t ref = REF; ref <= REF + 3; ref++)
            if (pins(g, GRANTER, ref) || entry_v1(g, GRANTER, ref).flags & (GTF_reading | GTF_writing))
                fail_msg("%s: reference %u is in use", cases[i].name, ref);
    }
}

static void test_copy_refusals(void **state)
{
    struct grants *g = *state;
    const uint64_t mine = page_frame(g, USER, MINE), theirs = page_frame(g, GRANTER, MINE),
                   table = user_register(&g->u, g->d[USER], 0, "cr3") >> 12,
                   frames =
                       (uint64_t)user_call(&g->u, g->d[USER], __HYPERVISOR_memory_op, XENMEM_maximum_ram_page, 0, 0, 0);

    grant_v1(g, GRANTER, REF, RW, g->d[USER], theirs);
    grant_v1(g, GRANTER, REF + 1, RO, g->d[USER], theirs);
    grant_v1(g, GRANTER, REF + 2, RW, g->d[THIRD], theirs);
    grant_v1(g, GRANTER, REF + 3, RW, g->d[USER], mine); /* not its to grant */

    const struct gnttab_copy_ptr self = by_frame(DOMID_SELF, mine, 0), ref = by_ref(g, GRANTER, REF, 0),
                                 none = { .u.ref = REF, .domid = 77 }, other = by_frame(g->d[GRANTER], theirs, 0);
    const struct refusal cases[] = {
        { "a frame of another domain as source", { other, self, 8, 0, 0 }, GNTST_permission_denied },
        { "a frame by one's own number", { by_frame(g->d[USER], mine, 0), self, 8, 0, 0 }, GNTST_permission_denied },
        { "a frame of another domain as destination", { self, other, 8, 0, 0 }, GNTST_permission_denied },
        { "source domain first", { none, other, 8, SRC, 0 }, GNTST_bad_domain },
        { "no such domain", { self, none, 8, DST, 0 }, GNTST_bad_domain },
        { "no such reference", { by_ref(g, GRANTER, REFS, 0), self, 8, SRC, 0 }, GNTST_bad_gntref },
        { "writing to a read-only grant", { self, by_ref(g, GRANTER, REF + 1, 0), 8, DST, 0 }, GNTST_general_error },
        { "granted to somebody else", { by_ref(g, GRANTER, REF + 2, 0), self, 8, SRC, 0 }, GNTST_general_error },
        { "frame that is not the granter's", { by_ref(g, GRANTER, REF + 3, 0), self, 8, SRC, 0 }, GNTST_bad_page },
        { "frame that is not one's own", { by_frame(DOMID_SELF, theirs, 0), ref, 8, DST, 0 }, GNTST_bad_page },
        { "frame beyond memory", { by_frame(DOMID_SELF, frames, 0), ref, 8, DST, 0 }, GNTST_bad_page },
        { "into a page table", { ref, by_frame(DOMID_SELF, table, 0), 8, SRC, 0 }, GNTST_general_error },
        { "source crosses the page", { by_ref(g, GRANTER, REF, 4090), self, 8, SRC, 0 }, GNTST_bad_copy_arg },
        { "destination crosses the page", { ref, by_frame(DOMID_SELF, mine, 4090), 8, SRC, 0 }, GNTST_bad_copy_arg },
        { "longer than a page", { ref, self, 4097, SRC, 0 }, GNTST_bad_copy_arg },
        { "offset beyond the page", { by_ref(g, GRANTER, REF, 65535), self, 8, SRC, 0 }, GNTST_bad_copy_arg },
        { "nothing at all is fine", { ref, self, 0, SRC, 0 }, GNTST_okay },
        { "out of a page table is fine", { by_frame(DOMID_SELF, table, 0), ref, 8, DST, 0 }, GNTST_okay },
    };

    refusals_check(g, cases, ARRAY_SIZE(cases));
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
    struct grants *g = *state;
    const struct gnttab_copy_ptr self = by_frame(DOMID_SELF, page_frame(g, USER, MINE), 0);

    use_v2(g, GRANTER);
    grant_v2(g, GRANTER, REF,
             (grant_entry_v2_t){
                 .sub_page = { { RW | GTF_sub_page, g->d[USER] }, 512, 256, page_frame(g, GRANTER, MINE) } });
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        const struct gnttab_copy_ptr ref = by_ref(g, GRANTER, REF, cases[i].offset);

        assert_int_equal(do_copy(g, USER, (struct gnttab_copy){ ref, self, cases[i].len, SRC, 0 }), cases[i].status);
        assert_int_equal(do_copy(g, USER, (struct gnttab_copy){ self, ref, cases[i].len, DST, 0 }), cases[i].status);
    }
    do_map(g, USER, SLOT, GRANTER, REF, GNTMAP_host_map, GNTST_general_error);
    assert_int_equal(pins(g, GRANTER, REF), 0);
}

static void transitive(struct grants *g, unsigned int who, grant_ref_t ref, uint16_t flags, unsigned int to,
                       uint16_t from, grant_ref_t there)
{
    grant_v2(g, who, ref, (grant_entry_v2_t){ .transitive = { { GTF_transitive | flags, g->d[to] }, from, 0, there } });
}

static void test_copy_transitive(void **state)
{
    struct grants *g = *state;
    const uint64_t mine = page_frame(g, USER, MINE), far = page_frame(g, THIRD, MINE);
    const struct gnttab_copy read = { by_ref(g, GRANTER, REF, 0), by_frame(DOMID_SELF, mine, 0), 64, SRC, 0 },
                             write = { by_frame(DOMID_SELF, mine, 0), by_ref(g, GRANTER, REF, 0), 64, DST, 0 };
    char text[256];

    page_put(g, THIRD, MINE, "from afar", 10);
    use_v2(g, GRANTER);
    transitive(g, GRANTER, REF, GTF_readonly, USER, g->d[THIRD], 20);
    assert_int_equal(do_copy(g, USER, read), GNTST_general_error); /* the third did not grant it yet */
    grant_v1(g, THIRD, 20, RO, g->d[GRANTER], far);
    assert_int_equal(do_copy(g, USER, read), GNTST_okay);
    page_get(g, USER, MINE, text, sizeof(text));
    assert_string_equal(text, "from afar");
    assert_int_equal(do_copy(g, USER, write), GNTST_general_error);
    transitive(g, GRANTER, REF, 0, USER, g->d[THIRD], 20);
    assert_int_equal(do_copy(g, USER, write), GNTST_general_error); /* the far end is read-only */
    assert_int_equal(entry_v1(g, THIRD, 20).flags, RO);
    grant_v1(g, THIRD, 20, RW, g->d[GRANTER], far);
    assert_int_equal(do_copy(g, USER, write), GNTST_okay);

    /* both ways at once: the source uses it while the destination does */
    assert_int_equal(
        do_copy(g, USER,
                (struct gnttab_copy){ by_ref(g, GRANTER, REF, 0), by_ref(g, GRANTER, REF, 128), 64, SRC | DST, 0 }),
        GNTST_okay);
    page_get(g, THIRD, MINE, text, sizeof(text));
    assert_memory_equal(text, text + 128, 64);

    do_map(g, USER, SLOT, GRANTER, REF, GNTMAP_host_map | GNTMAP_readonly, GNTST_general_error); /* never mapped */
    grant_v2(g, GRANTER, 20,
             (grant_entry_v2_t){ .full_page = { { RW, g->d[GRANTER] }, 0, page_frame(g, GRANTER, MINE) } });
    transitive(g, GRANTER, REF, 0, USER, g->d[GRANTER], 20);
    assert_int_equal(do_copy(g, USER, read), GNTST_general_error); /* to oneself, although that would be granted */
    transitive(g, GRANTER, REF, 0, USER, 77, 20);
    assert_int_equal(do_copy(g, USER, read), GNTST_general_error); /* to nobody */
    transitive(g, GRANTER, REF, 0, USER, g->d[THIRD], REFS);
    assert_int_equal(do_copy(g, USER, read), GNTST_bad_gntref);
    grant_v1(g, THIRD, 20, 0, 0, 0);
    use_v2(g, THIRD);
    grant_v1(g, USER, 20, RW, g->d[THIRD], page_frame(g, USER, SPARE));
    transitive(g, THIRD, 21, 0, GRANTER, g->d[USER], 20);
    transitive(g, GRANTER, REF, 0, USER, g->d[THIRD], 21);
    assert_int_equal(do_copy(g, USER, read), GNTST_general_error); /* one step only, although all is granted */
    assert_int_equal(pins(g, GRANTER, REF), 0);
    assert_int_equal(pins(g, THIRD, 20) + pins(g, THIRD, 21), 0);
    /* nobody holds the third one: it can go */
    assert_int_equal(xenlab_domain_destroy(g->u.x, g->d[THIRD]), 0);
    assert_true(is_gone(g, THIRD));
}

/* An entry that was mapped and then rewritten as a transitive one: nothing hangs, nothing leaks. */
static void test_copy_rewritten_as_transitive(void **state)
{
    struct grants *g = *state;
    const struct gnttab_copy read = { by_ref(g, GRANTER, REF, 0), by_frame(DOMID_SELF, page_frame(g, USER, MINE), 0),
                                      64, SRC, 0 };
    struct gnttab_map_grant_ref op;

    use_v2(g, GRANTER);
    grant_v1(g, THIRD, 20, RW, g->d[GRANTER], page_frame(g, THIRD, MINE));
    grant_v2(g, GRANTER, REF,
             (grant_entry_v2_t){ .full_page = { { RW, g->d[USER] }, 0, page_frame(g, GRANTER, MINE) } });
    op = do_map(g, USER, SLOT, GRANTER, REF, GNTMAP_host_map, GNTST_okay);
    transitive(g, GRANTER, REF, 0, USER, g->d[THIRD], 20);
    assert_int_equal(do_copy(g, USER, read), GNTST_eagain);
    assert_int_equal(xenlab_audit(g->u.x), 0);
    assert_int_equal(entry_v1(g, THIRD, 20).flags, RW);
    assert_int_equal(do_unmap(g, USER, &op), GNTST_okay);
}

/* Copying while mapped uses the mapped frame, whatever the entry says by now. */
static void test_copy_while_mapped(void **state)
{
    struct grants *g = *state;
    const struct gnttab_copy read = { by_ref(g, GRANTER, REF, 5), by_frame(DOMID_SELF, page_frame(g, USER, MINE), 0), 1,
                                      SRC, 0 };
    struct gnttab_map_grant_ref op;
    char byte;

    page_put(g, GRANTER, MINE, "12345*", 6);
    grant_v1(g, GRANTER, REF, RW, g->d[USER], page_frame(g, GRANTER, MINE));
    op = do_map(g, USER, SLOT, GRANTER, REF, GNTMAP_host_map | GNTMAP_readonly, GNTST_okay);
    grant_v1(g, GRANTER, REF, RW, g->d[USER], page_frame(g, GRANTER, SPARE));
    assert_int_equal(do_copy(g, USER, read), GNTST_okay);
    page_get(g, USER, MINE, &byte, 1);
    assert_int_equal(byte, '*');
    assert_int_equal(xenlab_domain_destroy(g->u.x, g->d[GRANTER]), 0);
    assert_false(is_gone(g, GRANTER)); /* it is mapped */
    assert_int_equal(do_copy(g, USER, read), GNTST_bad_domain);
    assert_int_equal(xenlab_audit(g->u.x), 0);
    assert_int_equal(do_unmap(g, USER, &op), GNTST_okay);
    assert_true(is_gone(g, GRANTER));
}

/* --- transfer --- */

static int do_transfer(struct grants *g, unsigned int who, uint64_t mfn, uint16_t to, grant_ref_t ref)
{
    struct gnttab_transfer op = { .mfn = mfn, .domid = to, .ref = ref, .status = 99 };

    assert_int_equal(grant_op(g, who, GNTTABOP_transfer, &op), 0);
    return op.status;
}

static void test_transfer(void **state)
{
    struct grants *g = *state;
    const uint64_t users = pages_of(g, USER), granters = pages_of(g, GRANTER);
    grant_entry_v1_t entry;
    char text[32];
    uint64_t mfn;

    page_put(g, USER, MINE, "a present", 10);
    mfn = page_release(g, USER, MINE);
    max_pages_set(g, GRANTER, granters + 1);
    grant_v1(g, GRANTER, REF, GTF_accept_transfer, g->d[USER], 0x321);
    assert_int_equal(do_transfer(g, USER, mfn, g->d[GRANTER], REF), GNTST_okay);
    entry = entry_v1(g, GRANTER, REF);
    assert_int_equal(entry.flags, GTF_accept_transfer | GTF_transfer_committed | GTF_transfer_completed);
    assert_int_equal(entry.frame, mfn);
    assert_int_equal(frame_look(g, mfn).gfn, 0x321);
    assert_int_equal(frame_look(g, mfn).owner, g->d[GRANTER]);
    assert_int_equal(pages_of(g, USER), users - 1);
    assert_int_equal(pages_of(g, GRANTER), granters + 1);
    /* it is the granter's to map, and nobody else's; a copy of it comes along */
    assert_int_not_equal(page_set(g, USER, SPARE, mfn), 0);
    assert_int_equal(page_set(g, GRANTER, SPARE, mfn), 0);
    page_get(g, GRANTER, SPARE, text, sizeof(text));
    assert_string_equal(text, "a present");
}

/* A frame of the user's that nothing refers to; there are as many as tests want. */
static uint64_t a_frame(struct grants *g)
{
    static const unsigned int last = 63;

    for (unsigned int page = SLOT + 1; page < last; page++)
        if (page_frame(g, USER, page) != NONE)
            return page_release(g, USER, page);
    fail_msg("no frame is left");
    return NONE;
}

/* What is kept, and what is lost, when a transfer is refused. */
static void test_transfer_refusals(void **state)
{
    struct grants *g = *state;
    const uint64_t users = pages_of(g, USER);
    const uint16_t to = g->d[GRANTER];
    uint64_t mfn = (uint64_t)user_call(&g->u, g->d[USER], __HYPERVISOR_memory_op, XENMEM_maximum_ram_page, 0, 0, 0);
    struct gnttab_map_grant_ref op;

    assert_int_equal(do_transfer(g, USER, mfn, to, REF), GNTST_bad_page);
    assert_int_equal(do_transfer(g, USER, page_release(g, THIRD, MINE), to, REF), GNTST_bad_page);
    assert_int_equal(do_transfer(g, USER, page_frame(g, USER, GRANT_TABLE), to, REF), GNTST_bad_page);
    assert_int_equal(do_transfer(g, USER, page_frame(g, USER, MINE), to, REF), GNTST_bad_page); /* it is mapped */
    mfn = page_release(g, USER, MINE);
    grant_v1(g, USER, REF, RW, g->d[THIRD], mfn);
    op = do_map(g, THIRD, SLOT, USER, REF, GNTMAP_host_map | GNTMAP_readonly, GNTST_okay);
    assert_int_equal(do_transfer(g, USER, mfn, to, REF), GNTST_bad_page); /* somebody uses it: kept */
    assert_int_equal(frame_look(g, mfn).owner, g->d[USER]);
    assert_int_equal(do_unmap(g, THIRD, &op), GNTST_okay);
    assert_int_equal(pages_of(g, USER), users);

    assert_int_equal(do_transfer(g, USER, mfn, to, REF), GNTST_general_error); /* not accepted: gone */
    assert_true(frame_look(g, mfn).free);
    assert_int_equal(do_transfer(g, USER, a_frame(g), 77, REF), GNTST_bad_domain);
    assert_int_equal(do_transfer(g, USER, a_frame(g), to, REFS), GNTST_general_error);
    max_pages_set(g, GRANTER, pages_of(g, GRANTER) + 1);
    grant_v1(g, GRANTER, REF, GTF_accept_transfer, g->d[THIRD], 0);
    assert_int_equal(do_transfer(g, USER, a_frame(g), to, REF), GNTST_general_error);
    grant_v1(g, GRANTER, REF, GTF_accept_transfer, g->d[USER], 0);
    max_pages_set(g, GRANTER, pages_of(g, GRANTER));
    assert_int_equal(do_transfer(g, USER, a_frame(g), to, REF), GNTST_general_error);
    assert_int_equal(entry_v1(g, GRANTER, REF).flags, GTF_accept_transfer);
    max_pages_set(g, GRANTER, pages_of(g, GRANTER) + 1);
    /* the table stays mapped while its owner dies: who maps one of its pages keeps it */
    grant_v1(g, GRANTER, REF + 1, RW, g->d[THIRD], page_frame(g, GRANTER, MINE));
    op = do_map(g, THIRD, SLOT, GRANTER, REF + 1, GNTMAP_host_map, GNTST_okay);
    assert_int_equal(xenlab_domain_destroy(g->u.x, to), 0);
    assert_false(is_gone(g, GRANTER));
    assert_int_equal(do_transfer(g, USER, a_frame(g), to, REF), GNTST_general_error);
    assert_int_equal(do_unmap(g, THIRD, &op), GNTST_okay);
    assert_int_equal(pages_of(g, USER), users - 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        USER_TEST(test_copy_both_directions),
        USER_TEST(test_copy_refusals),
        USER_TEST(test_copy_sub_page),
        USER_TEST(test_copy_transitive),
        USER_TEST(test_copy_rewritten_as_transitive),
        USER_TEST(test_copy_while_mapped),
        USER_TEST(test_transfer),
        USER_TEST(test_transfer_refusals),
    };

    return cmocka_run_group_tests(tests, grants_begin, user_end);
}
