// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Direct paging at work: what entries look like afterwards, lists and their counts, preemption, linear tables, pins,
 * roots, the M2P switch, TLB requests, and what a dying domain leaves.
 */
#include "fixture.h"

enum { L4, L3, L2, L1, DATA = FIX_FREE, T1, T2 }; /* frames; from T1 on for tables of the test */

static uint64_t entry(struct fixture *f, domid_t id, unsigned int t, unsigned int slot)
{
    return fix_table(f, f->frame[id][t])[slot];
}

/* Guest 1's frames first .. first + n - 1 become read-only, so that they can be tables. */
static void tables_prepare(struct fixture *f, unsigned int first, unsigned int n)
{
    for (unsigned int i = 0; i < n; i++) {
        memset(fix_table(f, f->frame[1][first + i]), 0, PAGE_SIZE);
        fix_readonly(f, 1, first + i, true);
    }
}

static void entries_are_adjusted(void **state)
{
    struct fixture f;

    fix_open(&f, false);
    assert_int_equal(fix_set(&f, 1, L1, 100, fix_pte(&f, 1, DATA, _PAGE_PRESENT | _PAGE_RW)), 0);
    assert_true(entry(&f, 1, L1, 100) == fix_pte(&f, 1, DATA, PTE_RW | _PAGE_GUEST_KERNEL));
    assert_int_equal(fix_set(&f, 1, L1, 100, fix_pte(&f, 1, DATA, PTE_RW)), 0);
    assert_true(entry(&f, 1, L1, 100) == fix_pte(&f, 1, DATA, PTE_RW | _PAGE_GLOBAL));
    assert_int_equal(fix_set(&f, 1, L1, 100, 0x1234567890abcdee), 0); /* not present: the guest's own affair */
    assert_true(entry(&f, 1, L1, 100) == 0x1234567890abcdee);
    tables_prepare(&f, T1, 1);
    assert_int_equal(fix_set(&f, 1, L2, 9, fix_pte(&f, 1, T1, _PAGE_PRESENT)), 0);
    assert_true(entry(&f, 1, L2, 9) == fix_pte(&f, 1, T1, PTE_RO));

    /* The processor's bits survive only if asked for. */
    fix_table(&f, f.frame[1][L1])[100] = 0;
    assert_int_equal(fix_set(&f, 1, L1, 100, fix_pte(&f, 1, DATA, PTE_RW)), 0);
    fix_table(&f, f.frame[1][L1])[100] |= _PAGE_ACCESSED | _PAGE_DIRTY;
    assert_int_equal(fix_mmu_update(&f, 1, ((mfn_x(f.frame[1][L1]) << PAGE_SHIFT) + 800) | MMU_PT_UPDATE_PRESERVE_AD,
                                    fix_pte(&f, 1, DATA, PTE_RO), DOMID_SELF),
                     0);
    assert_true(entry(&f, 1, L1, 100) == fix_pte(&f, 1, DATA, PTE_RO | _PAGE_GLOBAL | _PAGE_ACCESSED | _PAGE_DIRTY));
    assert_int_equal(fix_set(&f, 1, L1, 100, fix_pte(&f, 1, DATA, PTE_RO)), 0);
    assert_true(entry(&f, 1, L1, 100) == fix_pte(&f, 1, DATA, PTE_RO | _PAGE_GLOBAL));
    fix_audit(&f);
    fix_close(&f);
}

static void entries_of_pv32(void **state)
{
    struct fixture f;

    fix_open(&f, true);
    assert_true(entry(&f, 1, 0, 3) == fix_pte(&f, 1, 1, PTE_RW)); /* L3: US and RW are Xen's */
    assert_true(entry(&f, 1, 1, 0) == fix_pte(&f, 1, 2, PTE_RW)); /* as written */
    assert_int_equal(fix_set(&f, 1, 2, 100, fix_pte(&f, 1, DATA, _PAGE_PRESENT | _PAGE_RW)), 0);
    assert_true(entry(&f, 1, 2, 100) == fix_pte(&f, 1, DATA, _PAGE_PRESENT | _PAGE_RW));
    /* The M2P in the hole, supervisor only; the root above the guest's. */
    assert_int_equal(entry(&f, 1, 1, 428) & (_PAGE_PRESENT | _PAGE_USER | _PAGE_RW), _PAGE_PRESENT);
    assert_true(mfn_eq(pte_mfn(fix_table(&f, f.v[1]->pv.guest_table)[0]), f.frame[1][0]));
    assert_int_equal(f.v[1]->regs->cr3, mfn_x(f.v[1]->pv.guest_table) << PAGE_SHIFT);
    fix_close(&f);
}

static void lists_stop_at_the_first_refusal(void **state)
{
    struct fixture f;
    struct mmu_update *req;
    uint32_t *done;
    uint64_t ma, va;

    fix_open(&f, false);
    req = fix_args(&f, 1);
    va = fix_args_va(&f, 1);
    done = (uint32_t *)((uint8_t *)fix_args(&f, 1) + 4000);
    ma = mfn_x(f.frame[1][L1]) << PAGE_SHIFT;
    for (unsigned int i = 0; i < 100; i++)
        req[i] = (struct mmu_update){ ma + (100 + i) * 8, fix_pte(&f, 1, i == 70 ? L4 : DATA, PTE_RW) };
    assert_int_equal(fix_call(f.v[1], do_mmu_update, va, 100, va + 4000, DOMID_SELF), -EBUSY);
    assert_int_equal(*done, 70);
    assert_int_equal(entry(&f, 1, L1, 169) & _PAGE_PRESENT, 1);
    assert_int_equal(entry(&f, 1, L1, 170), 0);
    /* Preempted in between, and counted all the same. */
    req[70].val = req[0].val;
    f.v[1]->preempt_count = 490;
    assert_int_equal(fix_call(f.v[1], do_mmu_update, va, 100, va + 4000, DOMID_SELF), 0);
    assert_int_equal(*done, 100);
    /* A list that runs off the mapping: what can be read is done. */
    memcpy(fix_table(&f, f.frame[1][FIX_FRAMES - 1]) + 508, req, 32);
    assert_int_equal(fix_call(f.v[1], do_mmu_update, FIX_VA64 + FIX_FRAMES * PAGE_SIZE - 32, 5, va + 4000, DOMID_SELF),
                     -EFAULT);
    assert_int_equal(*done, 2);
    /* In Xen's hole; with no count at all. */
    assert_int_equal(fix_call(f.v[1], do_mmu_update, UINT64_C(0xffff800000000000), 1, 0, DOMID_SELF), -EFAULT);
    assert_int_equal(fix_call(f.v[1], do_mmu_update, 0, 0, 0, DOMID_SELF), 0);
    fix_audit(&f);
    fix_close(&f);
}

/* A tree of tables, found good or bad, at every point of preemption there is. */
static void validation_can_be_preempted_anywhere(void **state)
{
    struct fixture f;

    fix_open(&f, false);
    tables_prepare(&f, T1, 4);
    for (unsigned int bad = 0; bad < 2; bad++) {
        for (unsigned int share = 0; share < 520; share += share < 40 ? 1 : 37) {
            uint64_t *t[5] = { NULL };
            long rc;

            for (unsigned int l = 1; l <= 4; l++) {
                t[l] = fix_table(&f, f.frame[1][T1 + l - 1]);
                memset(t[l], 0, PAGE_SIZE);
            }
            for (unsigned int i = 0; i < 20; i++) {
                t[1][i * 25] = fix_pte(&f, 1, DATA, PTE_RW);
                for (unsigned int l = 2; l <= 4; l++)
                    t[l][i * 12] = fix_pte(&f, 1, T1 + l - 2, PTE_RO);
            }
            if (bad)
                t[2 + share % 3][300] = fix_pte(&f, 1, DATA, PTE_RO);
            f.v[1]->preempt_count = 512 - share;
            rc = fix_pin(&f, 1, 4, T1 + 3);
            assert_int_equal(rc, bad ? -EINVAL : 0);
            fix_audit(&f);
            f.v[1]->preempt_count = 512 - share;
            if (!bad)
                assert_int_equal(fix_unpin(&f, 1, T1 + 3), 0);
            fix_audit(&f);
            for (unsigned int l = 0; l < 4; l++)
                assert_int_equal(fix_page(&f, 1, T1 + l)->type_info & (PGT_count_mask | PGT_validated | PGT_partial),
                                 0);
        }
    }
    fix_close(&f);
}

/* A guest that does not come back to finish leaves partial tables; another call, or death, deals with them. */
static void abandoned_work(void **state)
{
    struct fixture f;
    struct hypercall_args args;
    struct mmuext_op *op;
    uint64_t *l2;

    fix_open(&f, false);
    tables_prepare(&f, T1, 2);
    l2 = fix_table(&f, f.frame[1][T2]);
    for (unsigned int i = 0; i < 100; i++)
        l2[i] = fix_pte(&f, 1, T1, PTE_RO);
    op = fix_args(&f, 1);
    *op = (struct mmuext_op){ .cmd = MMUEXT_PIN_L2_TABLE };
    op->arg1.mfn = mfn_x(f.frame[1][T2]);
    args = (struct hypercall_args){ { fix_args_va(&f, 1), 1, 0, DOMID_SELF } };
    f.v[1]->preempt_count = 480;
    assert_int_equal(do_mmuext_op(f.v[1], &args), -ERESTART);
    assert_true(fix_page(&f, 1, T2)->type_info & PGT_partial);
    assert_in_range(fix_page(&f, 1, T2)->nr_validated_ptes, 10, 99);
    fix_audit(&f);
    /* It cannot be had as anything else meanwhile... */
    assert_int_equal(fix_pin(&f, 1, 3, T2), -EINVAL);
    assert_int_equal(fix_set(&f, 1, L1, 50, fix_pte(&f, 1, T2, PTE_RW)), -EBUSY);
    /* ...and whoever wants the same carries on. */
    assert_int_equal(fix_set(&f, 1, L3, 7, fix_pte(&f, 1, T2, PTE_RO)), 0);
    assert_int_equal(fix_page(&f, 1, T2)->type_info & PGT_count_mask, 1);
    fix_audit(&f);
    fix_close(&f);
}

/* An entry is cleared and a big tree hangs on it: the entry is gone at once, the tree piece by piece. */
static void a_tree_is_taken_apart_later(void **state)
{
    struct fixture f;
    struct hypercall_args args;
    unsigned int calls = 1;

    fix_open(&f, false);
    tables_prepare(&f, T1, 6);
    for (unsigned int k = 0; k < 4; k++) {
        fix_table(&f, f.frame[1][T1 + 5])[k] = fix_pte(&f, 1, T1 + 1 + k, PTE_RO);
        for (unsigned int i = 0; i < 400; i++)
            fix_table(&f, f.frame[1][T1 + 1 + k])[i] = fix_pte(&f, 1, T1, PTE_RO);
    }
    assert_int_equal(fix_set(&f, 1, L4, 7, fix_pte(&f, 1, T1 + 5, PTE_RO)), 0);
    fix_audit(&f);
    f.v[1]->preempt_count = 480;
    args = (struct hypercall_args){ { fix_args_va(&f, 1), 1, 0, DOMID_SELF } };
    *(struct mmu_update *)fix_args(&f, 1) = (struct mmu_update){ (mfn_x(f.frame[1][L4]) << PAGE_SHIFT) + 7 * 8, 0 };
    assert_int_equal(do_mmu_update(f.v[1], &args), -ERESTART);
    assert_int_equal(entry(&f, 1, L4, 7), 0);
    assert_false(mfn_eq(f.v[1]->old_guest_table, INVALID_MFN));
    fix_audit(&f);
    while (do_mmu_update(f.v[1], &args) == -ERESTART) {
        fix_audit(&f);
        calls++;
    }
    assert_true(calls > 1);
    assert_true(mfn_eq(f.v[1]->old_guest_table, INVALID_MFN));
    for (unsigned int i = 0; i < 6; i++)
        assert_int_equal(fix_page(&f, 1, T1 + i)->type_info & PGT_count_mask, 0);
    /* And once more, to die in the middle of it. */
    assert_int_equal(fix_set(&f, 1, L4, 7, fix_pte(&f, 1, T1 + 5, PTE_RO)), 0);
    f.v[1]->preempt_count = 480;
    args = (struct hypercall_args){ { fix_args_va(&f, 1), 1, 0, DOMID_SELF } };
    *(struct mmu_update *)fix_args(&f, 1) = (struct mmu_update){ (mfn_x(f.frame[1][L4]) << PAGE_SHIFT) + 7 * 8, 0 };
    assert_int_equal(do_mmu_update(f.v[1], &args), -ERESTART);
    fix_audit(&f);
    fix_close(&f);
}

static void linear_tables(void **state)
{
    struct fixture f;

    fix_open(&f, false);
    tables_prepare(&f, T1, 4);
    /* To itself: no reference. */
    assert_int_equal(fix_set(&f, 1, L4, 300, fix_pte(&f, 1, L4, PTE_RO)), 0);
    assert_int_equal(fix_page(&f, 1, L4)->type_info & PGT_count_mask, 1);
    assert_int_equal(fix_set(&f, 1, L4, 300, 0), 0);
    /* To another table of the level; then that one may have no linear entries, and this one be the target of none. */
    assert_int_equal(fix_pin(&f, 1, 4, T1), 0);
    assert_int_equal(fix_pin(&f, 1, 4, T2), 0);
    assert_int_equal(fix_set(&f, 1, T1, 1, fix_pte(&f, 1, T2, PTE_RO)), 0);
    assert_int_equal(fix_set(&f, 1, T2, 1, fix_pte(&f, 1, T1, PTE_RO)), -EINVAL);
    assert_int_equal(fix_set(&f, 1, L4, 301, fix_pte(&f, 1, T1, PTE_RO)), -EINVAL);
    assert_int_equal(fix_set(&f, 1, L4, 301, fix_pte(&f, 1, T2, PTE_RO)), 0);
    assert_int_equal(fix_page(&f, 1, T2)->linear_pt_count, 2);
    fix_audit(&f);
    /* Without its pin it stays what it is as long as it is mapped linearly. */
    assert_int_equal(fix_unpin(&f, 1, T2), 0);
    assert_true(fix_page(&f, 1, T2)->type_info & PGT_validated);
    assert_int_equal(fix_set(&f, 1, T1, 1, 0), 0);
    assert_int_equal(fix_set(&f, 1, L4, 301, 0), 0);
    assert_false(fix_page(&f, 1, T2)->type_info & PGT_validated);
    fix_audit(&f);
    /* Die with a linear entry in place. */
    assert_int_equal(fix_pin(&f, 1, 4, T2), 0);
    assert_int_equal(fix_set(&f, 1, L4, 301, fix_pte(&f, 1, T2, PTE_RO)), 0);
    fix_close(&f);
}

static void roots(void **state)
{
    struct fixture f;

    fix_open(&f, false);
    tables_prepare(&f, T1, 2);
    fix_table(&f, f.frame[1][T1])[511] = fix_pte(&f, 1, L3, PTE_RO);
    assert_int_equal(fix_mmuext(&f, 1, MMUEXT_NEW_BASEPTR, mfn_x(f.frame[1][T1]), 0, DOMID_SELF), 0);
    assert_int_equal(f.v[1]->regs->cr3, mfn_x(f.frame[1][T1]) << PAGE_SHIFT);
    assert_int_equal(fix_page(&f, 1, L4)->type_info & PGT_count_mask, 0); /* it was not pinned */
    fix_audit(&f);
    assert_int_equal(fix_mmuext(&f, 1, MMUEXT_NEW_USER_BASEPTR, mfn_x(f.frame[1][T2]), 0, DOMID_SELF), 0);
    assert_true(mfn_eq(f.v[1]->pv.guest_table_user, f.frame[1][T2]));
    fix_audit(&f);
    assert_int_equal(fix_mmuext(&f, 1, MMUEXT_NEW_USER_BASEPTR, 0, 0, DOMID_SELF), 0);
    assert_true(mfn_eq(f.v[1]->pv.guest_table_user, INVALID_MFN));
    /* A refused root changes nothing. */
    assert_int_equal(fix_mmuext(&f, 1, MMUEXT_NEW_BASEPTR, mfn_x(f.frame[1][DATA]), 0, DOMID_SELF), -EINVAL);
    assert_int_equal(f.v[1]->regs->cr3, mfn_x(f.frame[1][T1]) << PAGE_SHIFT);
    fix_audit(&f);
    fix_close(&f);
}

static void the_m2p_is_shown_as_asked(void **state)
{
    struct fixture f;

    fix_open(&f, false);
    assert_true(entry(&f, 1, L4, RO_MPT_SLOT)); /* loaded as a kernel root */
    tables_prepare(&f, T1, 2);
    assert_int_equal(fix_pin(&f, 1, 4, T1), 0);
    assert_int_equal(entry(&f, 1, T1, RO_MPT_SLOT), 0);
    f.d[1]->vm_assist |= UINT64_C(1) << VMASST_TYPE_m2p_strict;
    assert_int_equal(fix_pin(&f, 1, 4, T2), 0);
    assert_true(entry(&f, 1, T2, RO_MPT_SLOT));
    assert_int_equal(fix_mmuext(&f, 1, MMUEXT_NEW_USER_BASEPTR, mfn_x(f.frame[1][T2]), 0, DOMID_SELF), 0);
    assert_int_equal(entry(&f, 1, T2, RO_MPT_SLOT), 0);
    fix_audit(&f);
    fix_close(&f);
}

static bool flushed(struct vcpu *v)
{
    bool was = v->regs->dirty & CPU_DIRTY_TLB;

    v->regs->dirty = 0;
    return was;
}

static void tlb_requests(void **state)
{
    struct fixture f;
    struct vcpu *v0, *v1;
    uint64_t *mask, va, e;

    fix_open(&f, false);
    v0 = f.v[1];
    v1 = f.d[1]->vcpu[1];
    va = FIX_VA64 + 100 * PAGE_SIZE;
    e = fix_pte(&f, 1, DATA, PTE_RW);
    mask = (uint64_t *)((uint8_t *)fix_args(&f, 1) + 2048);
    flushed(v0), flushed(v1);
    assert_int_equal(fix_call(v0, do_update_va_mapping, va, e, UVMF_NONE, 0), 0);
    assert_false(flushed(v0) || flushed(v1));
    assert_int_equal(fix_call(v0, do_update_va_mapping, va, e, UVMF_TLB_FLUSH | UVMF_LOCAL, 0), 0);
    assert_true(flushed(v0) && !flushed(v1));
    assert_int_equal(fix_call(v0, do_update_va_mapping, va, e, UVMF_TLB_FLUSH | UVMF_ALL, 0), 0);
    assert_true(flushed(v0) & flushed(v1));
    *mask = 2;
    assert_int_equal(fix_call(v0, do_update_va_mapping, va, e, UVMF_INVLPG | (fix_args_va(&f, 1) + 2048), 0), 0);
    assert_true(!flushed(v0) & flushed(v1));
    assert_int_equal(fix_call(v0, do_update_va_mapping, va, e, UVMF_TLB_FLUSH | 0x1000, 0), -EFAULT);
    assert_int_equal(fix_mmuext(&f, 1, MMUEXT_TLB_FLUSH_ALL, 0, 0, DOMID_SELF), 0);
    assert_true(flushed(v0) & flushed(v1));
    *mask = ~UINT64_C(0); /* bits of vCPUs that do not exist are ignored */
    assert_int_equal(fix_mmuext(&f, 1, MMUEXT_TLB_FLUSH_MULTI, 0, fix_args_va(&f, 1) + 2048, DOMID_SELF), 0);
    assert_true(flushed(v0) & flushed(v1));
    assert_int_equal(fix_mmuext(&f, 1, MMUEXT_INVLPG_MULTI, va, 0x1000, DOMID_SELF), -EINVAL);
    fix_close(&f);
}

static void writing_through_a_root(void **state)
{
    struct fixture f;
    char buf[64] = "";
    uint32_t pfec = 0;
    uint64_t va = FIX_VA64 + DATA * PAGE_SIZE;

    fix_open(&f, false);
    /* Across two pages, of which the second can be read only. */
    fix_readonly(&f, 1, DATA + 1, true);
    assert_int_equal(copy_to_guest(f.v[1], va + 4090, "123456", 6), 0);
    assert_int_equal(copy_to_guest(f.v[1], va + 4090, "abcdefg", 7), -EFAULT);
    assert_int_equal(copy_from_guest(f.v[1], buf, va + 4090, 8), 0);
    assert_memory_equal(buf, "abcdef\0\0", 8);
    assert_int_equal(copy_from_guest(f.v[1], buf, FIX_VA64 - 1, 1), -EFAULT);
    assert_int_equal(copy_from_guest(f.v[1], buf, UINT64_C(0xffff800000000000), 8), -EFAULT); /* not even the M2P */
    assert_int_equal(copy_from_guest(f.v[1], buf, UINT64_C(0x800000000000), 1), -EFAULT);
    assert_int_equal(copy_to_guest(f.v[1], FIX_VA64 + L1 * PAGE_SIZE, "x", 1), -EFAULT);
    assert_int_equal(copy_from_guest(f.v[1], buf, FIX_VA64, 0), 0);
    /* As the processor would see it. */
    assert_true(mfn_eq(guest_walk(f.v[1], va, &pfec), f.frame[1][DATA]));
    pfec = PFEC_write_access;
    assert_true(mfn_eq(guest_walk(f.v[1], va + PAGE_SIZE, &pfec), INVALID_MFN));
    assert_int_equal(pfec, PFEC_write_access | PFEC_page_present);
    pfec = PFEC_write_access;
    assert_true(mfn_eq(guest_walk(f.v[1], va + 0x10000000, &pfec), INVALID_MFN));
    assert_int_equal(pfec, PFEC_write_access);
    assert_int_equal(fix_set(&f, 1, L1, DATA, fix_pte(&f, 1, DATA, PTE_RW | _PAGE_NX)), 0);
    pfec = PFEC_insn_fetch;
    assert_true(mfn_eq(guest_walk(f.v[1], va, &pfec), INVALID_MFN));
    assert_int_equal(guest_fetch_insn(f.v[1], va - 3, (uint8_t *)buf, 15), 3);
    /* A and D as the processor sets them. */
    assert_int_equal(entry(&f, 1, L1, DATA) & (_PAGE_ACCESSED | _PAGE_DIRTY), 0);
    copy_from_guest(f.v[1], buf, va, 1);
    assert_int_equal(entry(&f, 1, L1, DATA) & (_PAGE_ACCESSED | _PAGE_DIRTY), _PAGE_ACCESSED);
    copy_to_guest(f.v[1], va, buf, 1);
    assert_int_equal(entry(&f, 1, L1, DATA) & (_PAGE_ACCESSED | _PAGE_DIRTY), _PAGE_ACCESSED | _PAGE_DIRTY);
    fix_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(entries_are_adjusted),
        cmocka_unit_test(entries_of_pv32),
        cmocka_unit_test(lists_stop_at_the_first_refusal),
        cmocka_unit_test(validation_can_be_preempted_anywhere),
        cmocka_unit_test(abandoned_work),
        cmocka_unit_test(a_tree_is_taken_apart_later),
        cmocka_unit_test(linear_tables),
        cmocka_unit_test(roots),
        cmocka_unit_test(the_m2p_is_shown_as_asked),
        cmocka_unit_test(tlb_requests),
        cmocka_unit_test(writing_through_a_root),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
