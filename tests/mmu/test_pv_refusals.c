// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a PV guest must not do to page tables, and what Xen 4.17 answers: one row a request.
 *
 * Could pass wrongly if a row failed for another reason than the one in its name; therefore most refusals stand beside
 * a request that differs in the one point and succeeds.
 */
#include "fixture.h"

/* Frames of guest 1 by their role here. Of guest 2, frame FOREIGN is as good as any. */
enum { L4, L3, L2, L1, DATA = FIX_FREE, RO, EMPTY_L1, FOREIGN };

enum what { SET, MMU, EXT, VA };

struct row {
    const char *name;
    enum what what;
    /* SET: table, slot; MMU: table, command in slot; EXT: command, frame; VA: page */
    unsigned int a, b;
    unsigned int frame; /* of the new entry */
    uint64_t bits;
    long rc;
};

#define P  _PAGE_PRESENT
#define RW (_PAGE_PRESENT | _PAGE_RW)

static const struct row rows64[] = {
    // clang-format off
    { "map data writable",                        SET, L1, 100, DATA,     RW,                          0 },
    { "map data with NX, accessed, own bits",     SET, L1, 100, DATA,     RW | _PAGE_NX | _PAGE_ACCESSED | _PAGE_AVAIL, 0 },
    { "global in L1",                             SET, L1, 100, DATA,     P | _PAGE_GLOBAL,            0 },
    { "bits 52 to 58 in L1",                      SET, L1, 100, DATA,     P | UINT64_C(0x7f) << 52,    0 },
    { "PAT in L1 (no device assigned)",           SET, L1, 100, DATA,     P | _PAGE_PAT,               -EINVAL },
    { "PCD in L1",                                SET, L1, 100, DATA,     P | _PAGE_PCD,               -EINVAL },
    { "PWT in L1",                                SET, L1, 100, DATA,     P | _PAGE_PWT,               -EINVAL },
    { "the grant bit in L1",                      SET, L1, 100, DATA,     P | _PAGE_GNTTAB,            -EINVAL },
    { "the same bits, not present",               SET, L1, 101, DATA,     _PAGE_PAT | _PAGE_PCD,       0 },
    { "map a page table read-only",               SET, L1, 100, L4,       P,                           0 },
    { "map the L4 writable",                      SET, L1, 100, L4,       RW,                          -EBUSY },
    { "map the L3 writable",                      SET, L1, 100, L3,       RW,                          -EBUSY },
    { "map the L2 writable",                      SET, L1, 100, L2,       RW,                          -EBUSY },
    { "map the L1 writable",                      SET, L1, 100, L1,       RW,                          -EBUSY },
    { "an L1 as an L2's child",                   SET, L2, 3,   EMPTY_L1, P,                           0 },
    { "data that is mapped writable as an L1",    SET, L2, 4,   DATA,     P,                           -EINVAL },
    { "an L1 that is an L1 already, twice",       SET, L2, 4,   L1,       P,                           0 },
    { "an L3 as an L1",                           SET, L2, 4,   L3,       P,                           -EINVAL },
    { "PSE in L2",                                SET, L2, 5,   EMPTY_L1, P | _PAGE_PSE,               -EINVAL },
    { "PCD in L2",                                SET, L2, 5,   EMPTY_L1, P | _PAGE_PCD,               -EINVAL },
    { "PWT in L2",                                SET, L2, 5,   EMPTY_L1, P | _PAGE_PWT,               -EINVAL },
    { "global in L2",                             SET, L2, 5,   EMPTY_L1, P | _PAGE_GLOBAL,            -EINVAL },
    { "high bits in L2",                          SET, L2, 5,   EMPTY_L1, P | UINT64_C(0x7ff) << 52,   0 },
    { "PSE in L3",                                SET, L3, 5,   L2,       P | _PAGE_PSE,               -EINVAL },
    { "an L1 as an L3's child",                   SET, L3, 5,   L1,       P,                           -EINVAL },
    { "PSE in L4",                                SET, L4, 5,   L3,       P | _PAGE_PSE,               -EINVAL },
    { "an L2 as an L4's child",                   SET, L4, 5,   L2,       P,                           -EINVAL },
    { "L4 slot 255",                              SET, L4, 255, L3,       P,                           0 },
    { "L4 slot 256, the M2P",                     SET, L4, 256, L3,       P,                           -EINVAL },
    { "L4 slot 258",                              SET, L4, 258, L3,       P,                           -EINVAL },
    { "L4 slot 260, the descriptor tables",       SET, L4, 260, L3,       P,                           -EINVAL },
    { "L4 slot 271",                              SET, L4, 271, L3,       0,                           -EINVAL },
    { "L4 slot 272",                              SET, L4, 272, L3,       P,                           0 },
    { "the L4 in itself, read-only",              SET, L4, 300, L4,       P,                           0 },
    { "the L4 in itself, writable",               SET, L4, 301, L4,       RW,                          -EINVAL },
    { "the L3 in itself, read-only",              SET, L3, 300, L3,       P,                           0 },
    { "the L2 in itself, read-only",              SET, L2, 300, L2,       P,                           0 },
    { "the L2 in itself, writable",               SET, L2, 301, L2,       RW,                          -EINVAL },
    { "write to data",                            SET, DATA, 0, DATA,     RW,                          0 },
    { "command 4",                                MMU, L1, 4,   DATA,     P,                           -ENOSYS },
    { "command 7",                                MMU, L1, 7,   DATA,     P,                           -ENOSYS },
    { "preserve accessed and dirty",              MMU, L1, MMU_PT_UPDATE_PRESERVE_AD, DATA, P,         0 },
    { "never translated",                         MMU, L1, MMU_PT_UPDATE_NO_TRANSLATE, DATA, P,        0 },
    { "M2P of the own frame",                     MMU, DATA, MMU_MACHPHYS_UPDATE, DATA, 0,             0 },
    { "pin data in use as writable",              EXT, MMUEXT_PIN_L1_TABLE, DATA, 0, 0,                -EINVAL },
    { "pin an L1",                                EXT, MMUEXT_PIN_L1_TABLE, EMPTY_L1, 0, 0,            0 },
    { "pin it again",                             EXT, MMUEXT_PIN_L1_TABLE, EMPTY_L1, 0, 0,            -EINVAL },
    { "unpin it",                                 EXT, MMUEXT_UNPIN_TABLE, EMPTY_L1, 0, 0,             0 },
    { "unpin what is not pinned",                 EXT, MMUEXT_UNPIN_TABLE, EMPTY_L1, 0, 0,             -EINVAL },
    { "pin the L1 as an L2",                      EXT, MMUEXT_PIN_L2_TABLE, L1, 0, 0,                  -EINVAL },
    { "pin the L4 as an L3",                      EXT, MMUEXT_PIN_L3_TABLE, L4, 0, 0,                  -EINVAL },
    { "pin the L4",                               EXT, MMUEXT_PIN_L4_TABLE, L4, 0, 0,                  0 },
    { "a root that is no table",                  EXT, MMUEXT_NEW_BASEPTR, DATA, 0, 0,                 -EINVAL },
    { "a user root that is no table",             EXT, MMUEXT_NEW_USER_BASEPTR, DATA, 0, 0,            -EINVAL },
    { "the same root",                            EXT, MMUEXT_NEW_BASEPTR, L4, 0, 0,                   0 },
    { "user root: the same table",                EXT, MMUEXT_NEW_USER_BASEPTR, L4, 0, 0,              0 },
    { "flush caches without a device",            EXT, MMUEXT_FLUSH_CACHE, 0, 0, 0,                    -EACCES },
    { "flush all caches without a device",        EXT, MMUEXT_FLUSH_CACHE_GLOBAL, 0, 0, 0,             -EINVAL },
    { "mark a superpage",                         EXT, MMUEXT_MARK_SUPER, DATA, 0, 0,                  -EOPNOTSUPP },
    { "unmark a superpage",                       EXT, MMUEXT_UNMARK_SUPER, DATA, 0, 0,                -EOPNOTSUPP },
    { "clear data",                               EXT, MMUEXT_CLEAR_PAGE, DATA, 0, 0,                  0 },
    { "clear a page table",                       EXT, MMUEXT_CLEAR_PAGE, L1, 0, 0,                    -EINVAL },
    { "copy to a page table",                     EXT, MMUEXT_COPY_PAGE, L1, DATA, 0,                  -EINVAL },
    { "copy a page table",                        EXT, MMUEXT_COPY_PAGE, DATA, L1, 0,                  0 },
    { "command 14 (there is none)",               EXT, 14, 0, 0, 0,                                    -ENOSYS },
    { "command 21",                               EXT, 21, 0, 0, 0,                                    -ENOSYS },
    { "LDT of 8193 entries",                      EXT, MMUEXT_SET_LDT, 0, 8193, 0,                     -EINVAL },
    { "va_mapping: data",                         VA,  DATA, 0, DATA,     RW,                          0 },
    { "va_mapping: a page table, writable",       VA,  DATA, 0, L2,       RW,                          -EBUSY },
    { "va_mapping: where no L1 is",               VA,  5000, 0, DATA,     RW,                          -EINVAL },
    // clang-format on
};

static const struct row rows32[] = {
// clang-format off
#define L3_32 0
#define L2_32 1
#define L1_32 2
    { "map data writable",                        SET, L1_32, 100, DATA,     RW,                       0 },
    { "map the L1 writable",                      SET, L1_32, 100, L1_32,    RW,                       -EBUSY },
    { "PAT in L1",                                SET, L1_32, 100, DATA,     P | _PAGE_PAT,            -EINVAL },
    { "an L1 as an L2's child",                   SET, L2_32, 3,   EMPTY_L1, RW,                       0 },
    { "L2 slot 427, below the hole",              SET, L2_32, 427, EMPTY_L1, P,                        0 },
    { "L2 slot 428, the M2P",                     SET, L2_32, 428, EMPTY_L1, P,                        -EPERM },
    { "L2 slot 511",                              SET, L2_32, 511, EMPTY_L1, 0,                        -EPERM },
    { "L3 slot 0, an L2",                         SET, L3_32, 0,   RO,       P,                        0 },
    { "L3 slot 1, with RW",                       SET, L3_32, 1,   RO,       RW,                       0 },
    { "L3 slot 1, with NX",                       SET, L3_32, 1,   RO,       P | _PAGE_NX,             -EINVAL },
    { "L3 slot 1, high bits",                     SET, L3_32, 1,   RO,       P | UINT64_C(1) << 58,    -EINVAL },
    { "L3 slot 1, PCD",                           SET, L3_32, 1,   RO,       P | _PAGE_PCD,            -EINVAL },
    { "L3 slot 1, the last L2 once more",         SET, L3_32, 1,   L2_32,    P,                        -EINVAL },
    { "L3 slot 3, the one that must be there",    SET, L3_32, 3,   L2_32,    P,                        -EINVAL },
    { "L3 slot 4",                                SET, L3_32, 4,   RO,       P,                        -EINVAL },
    { "the L3 in itself",                         SET, L3_32, 1,   L3_32,    P,                        -EINVAL },
    { "pin an L4: ignored",                       EXT, MMUEXT_PIN_L4_TABLE, DATA, 0, 0,                0 },
    { "pin the L3",                               EXT, MMUEXT_PIN_L3_TABLE, L3_32, 0, 0,               0 },
    { "a user root",                              EXT, MMUEXT_NEW_USER_BASEPTR, L3_32, 0, 0,           -ENOSYS },
    { "a root without the last L2",               EXT, MMUEXT_NEW_BASEPTR, FOREIGN + 1, 0, 0,          -EINVAL },
    { "va_mapping: data",                         VA,  DATA, 0, DATA,        RW,                       0 },
    { "va_mapping: a page table, writable",       VA,  DATA, 0, L2_32,       RW,                       -EBUSY },
    // clang-format on
};

static long request(struct fixture *f, const struct row *r)
{
    uint64_t ma = mfn_x(f->frame[1][r->a < FIX_FRAMES ? r->a : 0]) << PAGE_SHIFT,
             e = fix_pte(f, 1, r->frame % FIX_FRAMES, r->bits);

    switch (r->what) {
    case SET: return fix_set(f, 1, r->a, r->b, e);
    case MMU: return fix_mmu_update(f, 1, (ma + 100 * 8) | r->b, e, DOMID_SELF);
    case EXT:
        if (r->a == MMUEXT_SET_LDT)
            return fix_mmuext(f, 1, r->a, FIX_VA(f->d[1]), r->frame, DOMID_SELF);
        return fix_mmuext(f, 1, r->a, mfn_x(f->frame[1][r->b]), mfn_x(f->frame[1][r->frame]), DOMID_SELF);
    default:
        if (is_pv_32bit_domain(f->d[1]))
            return fix_call(f->v[1], compat_update_va_mapping, FIX_VA32 + r->a * PAGE_SIZE, (uint32_t)e, e >> 32, 0);
        return fix_call(f->v[1], do_update_va_mapping, FIX_VA64 + r->a * PAGE_SIZE, e, 0, 0);
    }
}

static void run_rows(bool pv32, const struct row *rows, size_t n)
{
    struct fixture f;

    fix_open(&f, pv32);
    fix_readonly(&f, 1, RO, true);
    fix_readonly(&f, 1, EMPTY_L1, true);
    fix_readonly(&f, 1, FOREIGN + 1, true);
    for (size_t i = 0; i < n; i++) {
        long rc = request(&f, &rows[i]);

        if (rc != rows[i].rc)
            fail_msg("%s: %ld, not %ld", rows[i].name, rc, rows[i].rc);
        fix_audit(&f);
    }
    fix_close(&f);
}

static void refusals_pv64(void **state) { run_rows(false, rows64, ARRAY_SIZE(rows64)); }
static void refusals_pv32(void **state) { run_rows(true, rows32, ARRAY_SIZE(rows32)); }

/* Frames of others, I/O memory, and the names of domains. */
static void foreign_memory(void **state)
{
    struct fixture f;
    uint64_t slot, theirs;

    fix_open(&f, false);
    slot = (mfn_x(f.frame[1][L1]) << PAGE_SHIFT) + 100 * 8;
    theirs = fix_pte(&f, 2, FOREIGN, P);
    assert_int_equal(fix_mmu_update(&f, 1, slot, theirs, DOMID_SELF), -EBUSY);
    assert_int_equal(fix_mmu_update(&f, 1, slot, theirs | _PAGE_RW, DOMID_SELF), -EBUSY);
    assert_int_equal(fix_mmu_update(&f, 1, slot, theirs, 2), -EPERM);
    assert_int_equal(fix_mmu_update(&f, 1, slot, theirs, 77), -ESRCH);
    assert_int_equal(fix_mmu_update(&f, 1, slot, theirs, 1), -ESRCH); /* oneself by number */
    assert_int_equal(fix_mmu_update(&f, 1, slot, theirs, DOMID_XEN), -EPERM);
    assert_int_equal(fix_mmu_update(&f, 1, slot, theirs, DOMID_IO), -EBUSY);
    assert_int_equal(fix_mmu_update(&f, 1, slot, fix_pte(&f, 1, DATA, P), DOMID_IO), -EBUSY); /* for I/O memory only */
    assert_int_equal(fix_mmu_update(&f, 1, slot, fix_pte(&f, 1, DATA, P), FIX_FD(1, DOMID_SELF)), 0);
    assert_int_equal(fix_mmu_update(&f, 1, slot, 0, FIX_FD(77, DOMID_SELF)), -ESRCH);
    assert_int_equal(fix_mmu_update(&f, 1, mfn_x(f.frame[2][L1]) << PAGE_SHIFT, 0, FIX_FD(2, DOMID_SELF)), -EPERM);
    assert_int_equal(fix_mmu_update(&f, 1, mfn_x(f.frame[2][L1]) << PAGE_SHIFT, 0, DOMID_SELF), -EINVAL);
    /* No RAM; beyond it; all ones. */
    assert_int_equal(fix_mmu_update(&f, 1, slot, pte_make(_mfn(0xa0), P), DOMID_SELF), -EPERM);
    assert_int_equal(fix_mmu_update(&f, 1, slot, pte_make(_mfn(f.m->nr_frames), P), DOMID_SELF), -EPERM);
    assert_int_equal(fix_mmu_update(&f, 1, slot, PTE_MFN_MASK | P, DOMID_SELF), -EINVAL);
    /* Xen's own and free frames are nobody's. */
    assert_int_equal(fix_mmu_update(&f, 1, slot, pte_make(f.xen->m2p_mfn, P), DOMID_SELF), -EBUSY);
    assert_int_equal(fix_mmu_update(&f, 1, slot, pte_make(f.d[1]->pv.perdomain_l3, P), DOMID_SELF), -EBUSY);
    /* A stub domain may map its target's frames. */
    f.d[1]->target = 2;
    assert_int_equal(fix_mmu_update(&f, 1, slot, theirs | _PAGE_RW, 2), 0);
    fix_audit(&f);
    assert_int_equal(fix_mmu_update(&f, 1, slot, fix_pte(&f, 2, L1, RW), 2), -EBUSY);
    assert_int_equal(fix_mmu_update(&f, 1, slot, 0, DOMID_SELF), 0);
    f.d[1]->target = DOMID_INVALID;
    fix_close(&f);
}

/* How mmu_update and mmuext_op begin and end (mmu/pv/batch.h), which answer comes first, and what is left in *pdone. */
static void lists_begin_and_end_alike(void **state)
{
    enum { CONTINUED = 1u << 31, NO = -1 };
    struct fixture f;
    uint32_t *done;
    uint64_t va, hole = UINT64_C(0xffff800000000000);

    fix_open(&f, false);
    va = fix_args_va(&f, 1);
    done = (uint32_t *)((uint8_t *)fix_args(&f, 1) + 4000);
    memset(fix_args(&f, 1), 0xff, 64); /* a request that neither knows */
    const struct {
        uint64_t list;
        uint32_t count;
        uint64_t pdone;
        uint32_t foreigndom;
        long rc[2];
        int64_t done[2]; /* NO: not written */
    } rows[] = {
        { va, 0, va + 4000, DOMID_SELF, { 0, 0 }, { 0, 0 } },
        { va, 1, va + 4000, DOMID_SELF, { -ENOSYS, -ENOSYS }, { 0, 0 } },
        { va, 1, hole, DOMID_SELF, { -ENOSYS, -ENOSYS }, { NO, NO } },
        { va, CONTINUED, va + 4000, DOMID_SELF, { 0, 0 }, { 7, 7 } },
        { va, CONTINUED | 1, va + 4000, DOMID_SELF, { -ENOSYS, -ENOSYS }, { 7, 7 } },
        { 0, CONTINUED, va + 4000, (uint32_t)-EINVAL, { -EINVAL, -EINVAL }, { NO, NO } },
        { hole, CONTINUED, va + 4000, 77, { -EFAULT, -EFAULT }, { NO, NO } },
        { va, 1, va + 4000, 77, { -ESRCH, -ESRCH }, { 0, NO } },
    };
    for (unsigned int i = 0; i < 2 * ARRAY_SIZE(rows); i++) {
        const unsigned int r = i / 2, which = i % 2;
        long rc;

        *done = 7;
        rc = fix_call(f.v[1], which ? do_mmuext_op : do_mmu_update, rows[r].list, rows[r].count, rows[r].pdone,
                      rows[r].foreigndom);
        if (rc != rows[r].rc[which] || *done != (rows[r].done[which] == NO ? 7 : rows[r].done[which]))
            fail_msg("row %u, %s: %ld, %u done", r, which ? "mmuext_op" : "mmu_update", rc, *done);
    }
    fix_close(&f);
}

/* dom0 acts for a guest that it builds. */
static void a_toolstack_acts_for_a_guest(void **state)
{
    struct fixture f;
    uint64_t slot;

    fix_open(&f, false);
    slot = (mfn_x(f.frame[1][L1]) << PAGE_SHIFT) + 100 * 8;
    assert_int_equal(fix_mmu_update(&f, 0, slot, fix_pte(&f, 1, DATA, RW), FIX_FD(1, 1)), 0);
    assert_int_equal(fix_table(&f, f.frame[1][L1])[100] & P, P);
    assert_int_equal(fix_mmu_update(&f, 0, (mfn_x(f.frame[1][DATA]) << PAGE_SHIFT) | MMU_MACHPHYS_UPDATE, 4711, 1), 0);
    assert_int_equal(get_gpfn_from_mfn(f.xen, f.frame[1][DATA]), 4711);
    assert_int_equal(fix_mmuext(&f, 0, MMUEXT_PIN_L4_TABLE, mfn_x(f.frame[1][L4]), 0, 1), 0);
    assert_int_equal(fix_mmuext(&f, 0, MMUEXT_UNPIN_TABLE, mfn_x(f.frame[1][L4]), 0, 1), 0);
    assert_int_equal(fix_mmuext(&f, 0, MMUEXT_CLEAR_PAGE, mfn_x(f.frame[1][DATA]), 0, 1), 0);
    assert_int_equal(fix_mmuext(&f, 0, MMUEXT_NEW_BASEPTR, mfn_x(f.frame[1][L4]), 0, 1), -EPERM);
    assert_int_equal(fix_mmuext(&f, 0, MMUEXT_TLB_FLUSH_ALL, 0, 0, 1), -EPERM);
    assert_int_equal(fix_mmuext(&f, 0, MMUEXT_SET_LDT, 0, 0, 1), -EPERM);
    assert_int_equal(fix_mmuext(&f, 0, MMUEXT_PIN_L4_TABLE, 0, 0, DOMID_SELF), -EINVAL); /* dom0 has no tables */
    assert_int_equal(fix_mmuext(&f, 1, MMUEXT_PIN_L4_TABLE, mfn_x(f.frame[2][L4]), 0, 2), -EPERM);
    fix_audit(&f);
    fix_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refusals_pv64),
        cmocka_unit_test(refusals_pv32),
        cmocka_unit_test(foreign_memory),
        cmocka_unit_test(lists_begin_and_end_alike),
        cmocka_unit_test(a_toolstack_acts_for_a_guest),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
