// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a copy and a transfer answer: every combination of what can be right and wrong about them.
 *
 * Concept: each thing that an operation names (a side of a copy; the frame, the domain and the entry of a transfer)
 * comes in kinds, and each kind says at which step Xen 4.17 stops on it and with what. The answer to a combination is
 * that of the first step at which any of its parts stops: gnttab_copy_one() and gnttab_transfer() of
 * xen/common/grant_table.c, whose order of checks is the order of the fields here. Afterwards nothing may be left: no
 * pin, no mark, no reference.
 */
#include "tests/mmu/native_scene.h"

enum { GRANTER = 1, USER, DYING };
#define REF      9
#define OFF_PAGE 4000 /* no reference of the table */

/* --- copies --- */

/* One side of a copy, by the steps at which it can be refused. */
struct side {
    const char *name;
    bool by_ref;
    domid_t domid;
    int domain, reading, writing;         /* GNTST_* */
    uint16_t flags, entry_domid;          /* by_ref: what the entry says */
    enum { OWN, OTHERS, NONE, FIXED } of; /* whose frame it is; FIXED: one that cannot be written */
    bool sub_page;                        /* bytes 100 to 299 */
    bool off;                             /* a reference beyond the table */
};

/* clang-format off */
#define PERMIT  GTF_permit_access, USER
static const struct side sides[] = {
    { "own frame",                 false, DOMID_SELF,    0, 0, 0,                                         0, 0, OWN, false, false },
    { "own frame that is fixed",   false, DOMID_SELF,    0, 0, GNTST_general_error,                       0, 0, FIXED, false, false },
    { "no frame",                  false, DOMID_SELF,    0, GNTST_bad_page, GNTST_bad_page,               0, 0, NONE, false, false },
    { "another's frame",           false, DOMID_SELF,    0, GNTST_bad_page, GNTST_bad_page,               0, 0, OTHERS, false, false },
    { "own frame by number",       false, USER,          GNTST_permission_denied, 0, 0,                   0, 0, OWN, false, false },
    { "another's frame by number", false, GRANTER,       GNTST_permission_denied, 0, 0,                   0, 0, OTHERS, false, false },
    { "a frame of nobody",         false, 77,            GNTST_permission_denied, 0, 0,                   0, 0, OWN, false, false },
    { "a grant",                   true,  GRANTER,       0, 0, 0,                                         PERMIT, OTHERS, false, false },
    { "a grant to read",           true,  GRANTER,       0, 0, GNTST_general_error,                       PERMIT, OTHERS, false, false },
    { "a grant to another",        true,  GRANTER,       0, GNTST_general_error, GNTST_general_error,     GTF_permit_access, DYING, OTHERS, false, false },
    { "a grant that is none",      true,  GRANTER,       0, GNTST_general_error, GNTST_general_error,     0, USER, OTHERS, false, false },
    { "an offer to take frames",   true,  GRANTER,       0, GNTST_general_error, GNTST_general_error,     GTF_accept_transfer, USER, OTHERS, false, false },
    { "a grant of no frame",       true,  GRANTER,       0, GNTST_bad_page, GNTST_bad_page,               PERMIT, NONE, false, false },
    { "a grant of ours",           true,  GRANTER,       0, GNTST_bad_page, GNTST_bad_page,               PERMIT, OWN, false, false },
    { "a grant beyond the table",  true,  GRANTER,       0, GNTST_bad_gntref, GNTST_bad_gntref,           PERMIT, OTHERS, false, true },
    { "a grant of nobody",         true,  77,            GNTST_bad_domain, 0, 0,                          PERMIT, OTHERS, false, false },
    { "a grant of DOMID_IO",       true,  DOMID_IO,      GNTST_bad_domain, 0, 0,                          PERMIT, OTHERS, false, false },
    { "a grant to oneself",        true,  DOMID_SELF,    0, 0, 0,                                         PERMIT, OWN, false, false },
    { "a grant of bytes",          true,  GRANTER,       0, 0, 0,                                         PERMIT, OTHERS, true, false },
};
/* clang-format on */

static const struct {
    uint16_t source, dest, len;
} spans[] = { { 100, 100, 200 }, { 0, 0, PAGE_SIZE }, { 0, 100, 0 },     { 4000, 100, 97 },
              { 100, 4000, 97 }, { 100, 99, 10 },     { 290, 100, 11 },  { 100, 290, 11 },
              { 0, 0, 0xffff },  { 0xffff, 0, 1 },    { 4096, 4096, 0 }, { 0, 0xffff, 0xffff } };

static mfn_t frame_of(struct scene *s, const struct side *side, const mfn_t *frames)
{
    return side->of == NONE ? _mfn(s->m->nr_frames) : frames[side->of];
}

/* Make the entry that the side needs, and the pointer that names it. Both sides have an entry of their own. */
static struct gnttab_copy_ptr side_set(struct scene *s, const struct side *side, grant_ref_t ref, uint16_t offset,
                                       const mfn_t *frames)
{
    struct domain *d = side->domid == DOMID_SELF ? s->d[USER] : s->d[GRANTER];
    const uint64_t frame = mfn_x(frame_of(s, side, frames));
    const uint16_t flags = side->flags | (side->writing && !side->reading && side->by_ref ? GTF_readonly : 0);
    struct gnttab_copy_ptr ptr = { .domid = side->domid, .offset = offset };

    if (!side->by_ref) {
        ptr.u.gmfn = frame;
        return ptr;
    }
    if (d->grant_table->version == 1)
        *shared_entry_v1(d->grant_table, ref) = (grant_entry_v1_t){ flags, side->entry_domid, (uint32_t)frame };
    else if (side->sub_page)
        *shared_entry_v2(d->grant_table, ref) =
            (grant_entry_v2_t){ .sub_page = { { flags | GTF_sub_page, side->entry_domid }, 100, 200, frame } };
    else
        *shared_entry_v2(d->grant_table, ref) =
            (grant_entry_v2_t){ .full_page = { { flags, side->entry_domid }, 0, frame } };
    ptr.u.ref = side->off ? OFF_PAGE : ref;
    return ptr;
}

static bool outside(const struct side *side, uint16_t offset, uint16_t len)
{
    return side->sub_page && (offset < 100 || offset + len > 300);
}

static int first_of(const int *steps, unsigned int nr)
{
    while (nr-- > 1 && !*steps)
        steps++;
    return *steps;
}

static void copies(bool v2)
{
    const struct side *end = sides + ARRAY_SIZE(sides) - (v2 ? 0 : 1); /* version 1 has no grants of bytes */
    struct page_info *fixed;
    unsigned int nr = 0;
    mfn_t frames[4];
    struct scene s;

    scene_open(&s);
    frames[OWN] = scene_page(s.d[USER]);
    frames[OTHERS] = scene_page(s.d[GRANTER]);
    fixed = alloc_xenheap_pages(s.xen, 0);
    share_xen_page_with_guest(fixed, s.d[USER], SHARE_ro);
    frames[FIXED] = page_to_mfn(s.xen, fixed);
    for (domid_t id = GRANTER; v2 && id <= USER; id++)
        assert_int_equal(gnttab_op(s.v[id], GNTTABOP_set_version, &(struct gnttab_set_version){ 2 }, 1), 0);
    for (const struct side *src = sides; src < end; src++) {
        for (const struct side *dst = sides; dst < end; dst++) {
            for (unsigned int i = 0; i < ARRAY_SIZE(spans); i++, nr++) {
                const unsigned int len = spans[i].len, from = spans[i].source, to = spans[i].dest;
                const int steps[] = {
                    src->domain,
                    dst->domain,
                    src->reading,
                    dst->writing,
                    from + len > PAGE_SIZE || to + len > PAGE_SIZE ? GNTST_bad_copy_arg : 0,
                    outside(src, from, len) || outside(dst, to, len) ? GNTST_general_error : 0,
                };
                const int want = first_of(steps, ARRAY_SIZE(steps));
                struct gnttab_copy op = { .source = side_set(&s, src, REF, from, frames),
                                          .dest = side_set(&s, dst, REF + 1, to, frames),
                                          .len = len,
                                          .flags = (src->by_ref ? GNTCOPY_source_gref : 0) |
                                                   (dst->by_ref ? GNTCOPY_dest_gref : 0),
                                          .status = 99 };

                assert_int_equal(gnttab_op(s.v[USER], GNTTABOP_copy, &op, 1), 0);
                if (op.status != want)
                    fail_msg("version %d: %s to %s, %u bytes from %u to %u: %d, not %d", v2 + 1, src->name, dst->name,
                             len, from, to, op.status, want);
                for (domid_t id = GRANTER; id <= USER; id++)
                    for (grant_ref_t ref = REF; ref <= REF + 1; ref++)
                        assert_true(!s.d[id]->grant_table->active[ref].pin &&
                                    !(*grant_status_word(s.d[id]->grant_table, ref) & (GTF_reading | GTF_writing)));
            }
        }
    }
    print_message("%u copies\n", nr);
    native_counts_check(&s);
    free_xenheap_pages(s.xen, fixed, 0);
    scene_close(&s);
}

static void each_copy(void **state)
{
    copies(false);
    copies(true);
}

/* --- transfers --- */

enum frame_kind { GOOD, NO_FRAME, NOT_OURS, SHARED, IN_USE, TYPED, EXTRA, FRAME_KINDS };
enum entry_kind { ACCEPTS, OF_OTHER, READONLY_TOO, COMMITTED, PERMITS, EMPTY, BEYOND, ENTRY_KINDS };
static const domid_t to[] = { GRANTER, USER, DYING, 77, DOMID_SELF, DOMID_IO, DOMID_INVALID };

static void entry_set(struct domain *d, enum entry_kind kind)
{
    static const uint16_t flags[ENTRY_KINDS] = { GTF_accept_transfer,
                                                 GTF_accept_transfer,
                                                 GTF_accept_transfer | GTF_readonly,
                                                 GTF_accept_transfer | GTF_transfer_committed,
                                                 GTF_permit_access,
                                                 0,
                                                 GTF_accept_transfer };
    const domid_t from = kind == OF_OTHER ? 0 : USER;

    if (d->grant_table->version == 1)
        *shared_entry_v1(d->grant_table, REF) = (grant_entry_v1_t){ flags[kind], from, 0x321 };
    else
        *shared_entry_v2(d->grant_table, REF) = (grant_entry_v2_t){ .full_page = { { flags[kind], from }, 0, 0x321 } };
}

static uint64_t entry_frame(struct domain *d)
{
    return d->grant_table->version == 1 ? shared_entry_v1(d->grant_table, REF)->frame
                                        : shared_entry_v2(d->grant_table, REF)->full_page.frame;
}

static struct page_info *frame_make(struct scene *s, enum frame_kind kind)
{
    struct page_info *pg;

    if (kind == NO_FRAME || kind == SHARED)
        return kind == SHARED ? mfn_to_page(s->xen, s->d[USER]->grant_table->shared[0]) : NULL;
    pg = alloc_domheap_pages(s->xen, s->d[kind == NOT_OURS ? GRANTER : USER], 0, kind == EXTRA ? MEMF_no_refcount : 0);
    assert_non_null(pg);
    if (kind == IN_USE)
        assert_true(get_page(pg, s->d[USER]));
    if (kind == TYPED)
        assert_true(get_page_and_type(s->xen, pg, s->d[USER], PGT_writable_page));
    return pg;
}

static void frame_drop(struct scene *s, enum frame_kind kind, struct page_info *pg)
{
    if (kind == NO_FRAME || kind == SHARED)
        return;
    if (kind == IN_USE)
        put_page(s->xen, pg);
    if (kind == TYPED)
        put_page_and_type(s->xen, pg);
    put_page_alloc_ref(s->xen, pg);
}

static void transfer(struct scene *s, enum frame_kind kind, domid_t domid, enum entry_kind entry, bool headroom)
{
    struct domain *d = domid < SCENE_DOMAINS ? s->d[domid] : NULL;
    const uint64_t free_before = avail_domheap_pages(s->xen);
    struct page_info *pg = frame_make(s, kind);
    const mfn_t mfn = pg ? page_to_mfn(s->xen, pg) : _mfn(s->m->nr_frames);
    const uint64_t mine = s->d[USER]->tot_pages;
    const int steps[] = {
        kind == GOOD ? 0 : GNTST_bad_page,
        d ? 0 : GNTST_bad_domain,
        domid == DYING || !headroom ? GNTST_general_error : 0,
        entry == ACCEPTS ? 0 : GNTST_general_error,
    };
    const int want = first_of(steps, ARRAY_SIZE(steps));
    struct gnttab_transfer op = {
        .mfn = mfn_x(mfn), .domid = domid, .ref = entry == BEYOND ? OFF_PAGE : REF, .status = 99
    };

    if (d) {
        entry_set(d, entry);
        d->max_pages = d->tot_pages - (d == s->d[USER]) + headroom; /* when the frame was taken from us */
    }
    assert_int_equal(gnttab_op(s->v[USER], GNTTABOP_transfer, &op, 1), 0);
    if (op.status != want)
        fail_msg("frame %d to %#x, entry %d, %s: %d, not %d", kind, domid, entry, headroom ? "headroom" : "full",
                 op.status, want);
    if (want == GNTST_bad_page) {
        assert_int_equal(s->d[USER]->tot_pages, mine); /* ours as before */
        frame_drop(s, kind, pg);
    } else {
        assert_ptr_equal(pg->owner, want ? NULL : d); /* gone in any case */
        assert_int_equal(s->d[USER]->tot_pages, mine - (want || d != s->d[USER]));
    }
    if (d)
        assert_int_equal(entry_frame(d), want ? 0x321 : mfn_x(mfn));
    if (!want) {
        assert_int_equal(shared_entry_header(d->grant_table, REF)->flags,
                         GTF_accept_transfer | GTF_transfer_committed | GTF_transfer_completed);
        assert_int_equal(get_gpfn_from_mfn(s->xen, mfn), 0x321);
        put_page_alloc_ref(s->xen, pg);
    }
    assert_int_equal(avail_domheap_pages(s->xen), free_before);
}

static void each_transfer(void **state)
{
    unsigned int nr = 0;

    for (unsigned int v2 = 0; v2 < 2; v2++) {
        struct scene s;

        scene_open(&s);
        for (domid_t id = GRANTER; v2 && id <= DYING; id++)
            assert_int_equal(gnttab_op(s.v[id], GNTTABOP_set_version, &(struct gnttab_set_version){ 2 }, 1), 0);
        scene_page(s.d[USER]); /* one that stays */
        s.d[DYING]->is_dying = DOMDYING_dying;
        for (unsigned int i = 0; i < ARRAY_SIZE(to) * FRAME_KINDS * ENTRY_KINDS * 2; i++, nr++) {
            for (domid_t id = GRANTER; id <= USER; id++)
                s.d[id]->max_pages = 100;
            transfer(&s, i / 2 % FRAME_KINDS, to[i / 2 / FRAME_KINDS % ARRAY_SIZE(to)],
                     i / 2 / FRAME_KINDS / ARRAY_SIZE(to), i & 1);
        }
        s.d[DYING]->is_dying = DOMDYING_alive;
        native_counts_check(&s);
        scene_close(&s);
    }
    print_message("%u transfers\n", nr);
}

/* --- batches --- */

/* A long batch is preempted between operations: the arguments are moved past what is done. */
static void batches_are_preempted(void **state)
{
    enum { NR = 1200 };
    static struct gnttab_copy copy[NR];
    static struct gnttab_transfer transfers[NR];
    struct hypercall_args c = { { GNTTABOP_copy, (uintptr_t)copy, NR } },
                          t = { { GNTTABOP_transfer, (uintptr_t)transfers, NR } };
    uint64_t done;
    struct scene s;

    scene_open(&s);
    for (unsigned int i = 0; i < NR; i++) {
        copy[i] =
            (struct gnttab_copy){ .source = { .domid = DOMID_SELF }, .dest = { .domid = DOMID_SELF }, .status = 99 };
        copy[i].source.u.gmfn = copy[i].dest.u.gmfn = s.m->nr_frames;
        transfers[i] = (struct gnttab_transfer){ .mfn = s.m->nr_frames, .status = 99 };
    }
    assert_int_equal(do_grant_table_op(s.v[USER], &c), -ERESTART);
    done = NR - c.a[2];
    assert_in_range(done, 1, NR - 1);
    assert_int_equal(c.a[0], GNTTABOP_copy);
    assert_int_equal(c.a[1], (uintptr_t)&copy[done]);
    assert_int_equal(copy[done - 1].status, GNTST_bad_page);
    assert_int_equal(copy[done].status, 99);
    assert_int_equal(do_grant_table_op(s.v[USER], &t), -ERESTART);
    done = NR - t.a[2];
    assert_in_range(done, 1, NR - 1);
    assert_int_equal(t.a[1], (uintptr_t)&transfers[done]);
    assert_int_equal(transfers[done - 1].status, GNTST_bad_page);
    assert_int_equal(transfers[done].status, 99);
    assert_int_equal(gnttab_op(s.v[USER], GNTTABOP_copy, copy, NR), 0);
    assert_int_equal(gnttab_op(s.v[USER], GNTTABOP_transfer, transfers, NR), 0);
    assert_int_equal(copy[NR - 1].status, GNTST_bad_page);
    assert_int_equal(transfers[NR - 1].status, GNTST_bad_page);
    scene_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_copy),
        cmocka_unit_test(each_transfer),
        cmocka_unit_test(batches_are_preempted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
