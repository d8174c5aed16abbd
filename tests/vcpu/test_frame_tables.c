// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * As test_frame.c, which explains, for the 14 paths that write page tables and descriptors: the hypervisor does for
 * what guests may not do themselves, and both it and the processor set accessed bits.
 */
#include "tests/vcpu/frame.h"

#include "mmu/grant/private.h"

#define GDT_WORD                                                                                                       \
    (UINT64_C(0x00009a00000000b8) | 1 << 8) /* mov $1, %eax; a descriptor of ring 0's code, whose DPL is changed */

/* --- page tables, seen read-only: the word is the entry of page SPARE --- */

static void table_by_mmu_update(struct fixture *f, mfn_t mfn, uint64_t va)
{
    mmu_update(f, mfn, PAGE_OFFSET(va), WORD(2));
}

static void table_by_va_mapping(struct fixture *f, mfn_t mfn, uint64_t va) { map_entry(f, SPARE, WORD(2)); }

static void table_by_ptwr(struct fixture *f, mfn_t mfn, uint64_t va)
{
    static const uint8_t store[] = { 0x48, 0x89, 0x07 }; /* mov %rax, (%rdi) */
    struct cpu_state *r = f->v->regs;

    assert_int_equal(fix_hypercall(f, __HYPERVISOR_vm_assist, VMASST_CMD_enable, VMASST_TYPE_writable_pagetables, 0, 0),
                     0);
    r->rip = fix_put(f, 0, store, sizeof(store));
    r->rdi = va;
    r->rax = WORD(2);
    assert_true(pv_ro_page_fault(f->v, va));
}

static void test_tables(void **state)
{
    static const struct {
        const char *name;
        write_fn *write;
    } paths[] = {
        { "mmu_update", table_by_mmu_update },
        { "update_va_mapping", table_by_va_mapping },
        { "ptwr", table_by_ptwr },
    };
    struct fixture *f = *state;
    const uint64_t *entry = map_guest_l1e(f->v, page_va(f, SPARE));
    const mfn_t table = virt_to_mfn(f->m, entry);

    map_entry(f, SPARE, 0);
    view(f, table, 0);
    for (unsigned int i = 0; i < ARRAY_SIZE(paths); i++) {
        const uint64_t va = plant(f, table, PAGE_OFFSET((uintptr_t)entry), WORD(1));
        long now;

        paths[i].write(f, table, va);
        now = run(f, va);
        if (now != 2)
            fail_msg("%s: then %ld is executed", paths[i].name, now);
    }
}

/*
 * An entry that maps page SPARE is code, too, with the two bytes that follow it: add $imm, %eax, and when it has been
 * accessed and $imm, %eax; add %al, %al; ud2.
 */
static void access_by_hypervisor(struct fixture *f, mfn_t mfn, uint64_t va) { fix_read(f, page_va(f, SPARE)); }

static void access_by_processor(struct fixture *f, mfn_t mfn, uint64_t va)
{
    assert_int_equal(run(f, page_va(f, SPARE)), 7);
}

/* By code that lies behind it, in the table. */
static void access_from_table(struct fixture *f, mfn_t mfn, uint64_t va)
{
    f->v->regs->rdi = page_va(f, SPARE);
    assert_int_equal(run(f, va + 16), 0xb8);
}

static void test_accessed(void **state)
{
    static const struct {
        const char *name;
        write_fn *access;
    } paths[] = {
        { "by the hypervisor", access_by_hypervisor },
        { "by the processor", access_by_processor },
        { "from the table itself", access_from_table },
    };
    struct fixture *f = *state;
    const uint64_t *entry = map_guest_l1e(f->v, page_va(f, SPARE));
    const mfn_t table = virt_to_mfn(f->m, entry), page = pte_mfn(*entry);
    const uint64_t e = pte_make(page, _PAGE_PRESENT | _PAGE_USER | _PAGE_GLOBAL) | UINT64_C(0x26c0) << 48;
    const uint64_t va = page_va(f, VIEW) + PAGE_OFFSET((uintptr_t)entry), next[] = { entry[1], entry[2] };

    frame_write_u64(f->m, mfn_to_virt(f->m, page), WORD(7));
    view(f, table, 0);
    for (unsigned int i = 0; i < ARRAY_SIZE(paths); i++) {
        long now;

        map_entry(f, SPARE, e);
        assert_int_equal(*entry, e);
        frame_write_u64(f->m, entry + 1, 0x0b0f66);
        frame_write_u64(f->m, entry + 2, 0x0b0f078a); /* mov (%rdi), %al; ud2 */
        assert_int_not_equal(run(f, va), 0);
        assert_int_equal(*entry, e);
        paths[i].access(f, table, va);
        assert_int_equal(*entry, e | _PAGE_ACCESSED);
        now = run(f, va);
        frame_write_u64(f->m, entry + 1, next[0]);
        frame_write_u64(f->m, entry + 2, next[1]);
        if (now)
            fail_msg("accessed %s: then %ld is executed", paths[i].name, now);
    }
}

/* A page whose mapping, if it is read-only and has A and D, is no instruction: 65 6? is PUSHA. */
static mfn_t granted(struct fixture *f)
{
    unsigned int n = 0;

    while ((mfn_x(page_mfn(f, n)) & 15) != 6)
        n++;
    return page_mfn(f, n);
}

static void grant_op(struct fixture *f, unsigned int cmd, void *op, size_t size)
{
    assert_int_equal(fix_hypercall(f, __HYPERVISOR_grant_table_op, cmd, fix_put(f, 0, op, size), 1, 0), 0);
    assert_int_equal(copy_from_guest(f->v, op, f->scratch, size), 0);
}

/* SPARE's entry, the word at va, becomes a mapping of the frame that is granted. */
static grant_handle_t map_spare(struct fixture *f, mfn_t table, uint64_t va)
{
    struct gnttab_map_grant_ref map = {
        .dom = f->d->domain_id, .ref = 20, .flags = GNTMAP_host_map | GNTMAP_readonly, .host_addr = page_va(f, SPARE)
    };

    plant_at(f, table, va, WORD(1));
    grant_op(f, GNTTABOP_map_grant_ref, &map, sizeof(map));
    assert_int_equal(map.status, GNTST_okay);
    assert_int_equal(run(f, va), 0);
    return map.handle;
}

/* The entry that replaces it is one of another table, since a write drops all code of its frame. */
static void test_grant_mappings(void **state)
{
    struct fixture *f = *state;
    const uint64_t other = page_va(f, SPARE) ^ PAGE_SIZE * PTES_PER_TABLE;
    const uint64_t *entry = map_guest_l1e(f->v, page_va(f, SPARE)), *from = map_guest_l1e(f->v, other);
    const mfn_t table = virt_to_mfn(f->m, entry), other_table = virt_to_mfn(f->m, from);
    const uint64_t va = page_va(f, VIEW) + PAGE_OFFSET((uintptr_t)entry);
    struct gnttab_unmap_grant_ref unmap = { .host_addr = page_va(f, SPARE) };
    struct gnttab_unmap_and_replace replace = { .host_addr = page_va(f, SPARE), .new_addr = other };

    assert_false(mfn_eq(other_table, table));
    *shared_entry_v1(f->d->grant_table, 20) = (grant_entry_v1_t){ .flags = GTF_permit_access | GTF_readonly,
                                                                  .domid = f->d->domain_id,
                                                                  .frame = (uint32_t)mfn_x(granted(f)) };
    map_entry(f, SPARE, 0);
    assert_int_equal(fix_hypercall(f, __HYPERVISOR_update_va_mapping, other, 0, UVMF_INVLPG, 0), 0);
    view(f, other_table, 0);
    plant_at(f, other_table, va, WORD(1));
    view(f, table, 0);

    unmap.handle = map_spare(f, table, va);
    history_begins(f);
    grant_op(f, GNTTABOP_unmap_grant_ref, &unmap, sizeof(unmap));
    assert_int_equal(unmap.status, GNTST_okay);
    assert_int_equal(run(f, va), NOT_HERE);

    replace.handle = map_spare(f, table, va);
    history_begins(f);
    grant_op(f, GNTTABOP_unmap_and_replace, &replace, sizeof(replace));
    assert_int_equal(replace.status, GNTST_okay);
    assert_int_equal(run(f, va), 1);
    view(f, other_table, 0);
    assert_int_equal(run(f, va), NOT_HERE);
}

/* A frame becomes an L4, and its slots of Xen's are filled; it becomes a GDT, and a descriptor loses privilege. */
static void test_types(void **state)
{
    struct fixture *f = *state;
    const mfn_t mfn = page_mfn(f, SPARE);
    const uint64_t frame = mfn_x(mfn), slot = ROOT_PAGETABLE_FIRST_XEN_SLOT + 1;
    uint64_t va;

    map_entry(f, SPARE, 0);
    view(f, mfn, 0);
    va = plant(f, mfn, slot * 8, WORD(1));
    mmuext(f, &(struct mmuext_op){ .cmd = MMUEXT_PIN_L4_TABLE, .arg1.mfn = frame });
    assert_int_equal(run(f, va), NOT_HERE);
    mmuext(f, &(struct mmuext_op){ .cmd = MMUEXT_UNPIN_TABLE, .arg1.mfn = frame });
    memset(frame_write_begin(f->m, mfn), 0, PAGE_SIZE);
    frame_write_end(f->m, mfn);

    va = plant(f, mfn, AT, GDT_WORD); /* 9a is no instruction, and fa is CLI: #UD, #GP */
    assert_int_equal(fix_hypercall(f, __HYPERVISOR_set_gdt, fix_put(f, 0, &frame, sizeof(frame)), 512, 0, 0), 0);
    assert_int_equal(run(f, va), NOT_HERE);
    assert_int_equal(fix_hypercall(f, __HYPERVISOR_set_gdt, 0, 0, 0, 0), 0);
}

/* A page whose number ends so. */
static mfn_t page_ending(struct fixture *f, unsigned int nibble, unsigned int from)
{
    while ((mfn_x(page_mfn(f, from)) & 15) != nibble)
        from++;
    assert_true(from < VIEW);
    return page_mfn(f, from);
}

/*
 * Frames become page tables, and entries get bits: an L1's become global, 05 is add $imm, %eax; an L2's are for users,
 * 61 is no instruction, and 65 b8 is mov $imm, %eax. The L2 is refused, for an entry that comes later.
 */
static void test_promotion(void **state)
{
    struct fixture *f = *state;
    const mfn_t table = page_mfn(f, SPARE), data = page_mfn(f, SOURCE), below = page_ending(f, 0xb, 0);
    const uint64_t l1e = pte_make(data, _PAGE_PRESENT | _PAGE_USER) | UINT64_C(0x26c0) << 48;
    const uint64_t l2e = pte_make(below, _PAGE_PRESENT | _PAGE_ACCESSED | _PAGE_DIRTY | 0x800) | UINT64_C(0x2690) << 48;
    const uint64_t va = page_va(f, VIEW) + AT, *entry = (const uint64_t *)mfn_to_virt(f->m, table) + AT / 8;
    struct mmuext_op op = { .cmd = MMUEXT_PIN_L1_TABLE, .arg1.mfn = mfn_x(table) };
    long then;

    map_entry(f, SPARE, 0);
    for (unsigned int n = 0; n < VIEW; n++)
        if (mfn_eq(page_mfn(f, n), below)) {
            map_entry(f, n, 0);
            break;
        }
    view(f, table, 0);
    frame_write_u64(f->m, entry, l1e);
    frame_write_u64(f->m, entry + 1, 0x0b0f66); /* ud2 */
    then = run(f, va);
    assert_int_not_equal(then, NOT_HERE);
    history_begins(f);
    mmuext(f, &op);
    assert_int_equal(*entry, l1e | _PAGE_GLOBAL);
    assert_int_equal(run(f, va), then + 2);
    op.cmd = MMUEXT_UNPIN_TABLE;
    mmuext(f, &op);

    frame_write_u64(f->m, entry, l2e);
    frame_write_u64(f->m, entry + 2, pte_make(data, _PAGE_PRESENT));
    assert_int_equal(run(f, va), 0);
    history_begins(f);
    assert_int_not_equal(get_page_and_type_from_mfn(f->v, table, PGT_l2_page_table, f->d, 0), 0);
    assert_int_equal(*entry, l2e | _PAGE_USER);
    assert_int_equal(run(f, va), (uint32_t)(l2e >> 16));
}

/* The M2P goes from a root of user mode: its entry is what slot 255 loads, whose last byte is mov $imm, %eax. */
static void test_root(void **state)
{
    struct fixture *f = *state;
    const mfn_t root = page_mfn(f, SPARE);
    const uint64_t va = page_va(f, VIEW) + (RO_MPT_SLOT - 1) * 8, *slot;
    struct mmuext_op op = { .cmd = MMUEXT_PIN_L4_TABLE, .arg1.mfn = mfn_x(root) };

    slot = (const uint64_t *)mfn_to_virt(f->m, root) + RO_MPT_SLOT;
    map_entry(f, SPARE, 0);
    view(f, root, 0);
    frame_write_u64(f->m, slot - 1, UINT64_C(0xb890909090909066));
    assert_int_equal(fix_hypercall(f, __HYPERVISOR_vm_assist, VMASST_CMD_enable, VMASST_TYPE_m2p_strict, 0, 0), 0);
    mmuext(f, &op);
    assert_int_equal(run(f, va), NOT_HERE);
    assert_int_equal(f->v->regs->rax, (uint32_t)*slot);
    assert_int_not_equal(*slot, 0);
    history_begins(f);
    op.cmd = MMUEXT_NEW_USER_BASEPTR;
    mmuext(f, &op);
    assert_int_equal(*slot, 0);
    assert_int_equal(run(f, va), NOT_HERE);
    assert_int_equal(f->v->regs->rax, 0);
}

/* A 32-bit kernel's L3 has four entries. What it executed behind them goes, even if the L2 is none: it is writable. */
static void test_narrow(void **state)
{
    struct fixture *f = *state;
    mfn_t l3, l2;
    uint64_t va;

    fix_guest(f, &kernel_legacy32);
    va = page_va(f, 2) + AT;
    l3 = page_mfn(f, 0);
    l2 = page_mfn(f, 1);
    map_entry32(f, 0, 0);
    map_entry32(f, 2, pte_make(l3, _PAGE_PRESENT | _PAGE_USER));
    frame_write_u64(f->m, (const uint64_t *)mfn_to_virt(f->m, l3) + 3, pte_make(l2, _PAGE_PRESENT));
    plant_at(f, l3, va, WORD(1));
    assert_int_not_equal(get_page_and_type_from_mfn(f->v, l3, PGT_l3_page_table, f->d, 0), 0);
    assert_int_equal(run(f, va), NOT_HERE);
}

/* --- */

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_tables),    TEST(test_accessed), TEST(test_grant_mappings), TEST(test_types),
        TEST(test_promotion), TEST(test_root),     TEST(test_narrow),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
