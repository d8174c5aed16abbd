// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Writable page tables, and descriptors: instructions as bytes, faults made by hand.
 */
#include "fixture.h"

enum { L4, L3, L2, L1, DATA = FIX_FREE, CODE, TABLE };

#define SLOT 3 /* of TABLE, the entry that is written */

static struct fixture f;
static uint64_t *slot, table_va;

static void setup(void)
{
    struct cpu_state *r;

    fix_open(&f, false);
    r = f.v[1]->regs;
    f.d[1]->vm_assist |= UINT64_C(1) << VMASST_TYPE_writable_pagetables;
    r->mode = CPU_MODE_PV64;
    r->cpl = 3;
    r->efer |= 0x500;
    r->seg[CPU_SEG_CS] = (struct cpu_segment){ FLAT_KERNEL_CS, 0xafb, UINT32_MAX, 0 };
    r->rip = FIX_VA64 + CODE * PAGE_SIZE;
    r->rflags = 2;
    fix_readonly(&f, 1, TABLE, true);
    assert_int_equal(fix_set(&f, 1, L2, 1, fix_pte(&f, 1, TABLE, PTE_RO)), 0);
    slot = fix_table(&f, f.frame[1][TABLE]) + SLOT;
    table_va = FIX_VA64 + TABLE * PAGE_SIZE + SLOT * 8;
}

/* The instruction `code` faults at table_va + offset with RDI pointing there. */
static bool fault(const char *code, size_t n, unsigned int offset)
{
    struct cpu_state *r = f.v[1]->regs;
    bool done;

    memcpy(fix_table(&f, f.frame[1][CODE]), code, n);
    r->rip = FIX_VA64 + CODE * PAGE_SIZE;
    r->rdi = table_va + offset;
    done = pv_ro_page_fault(f.v[1], table_va + offset);
    assert_int_equal(r->rip, FIX_VA64 + CODE * PAGE_SIZE + (done ? n : 0));
    fix_audit(&f);
    return done;
}
#define FAULT(code, offset) fault(code, sizeof(code) - 1, offset)

static void stores(void **state)
{
    struct cpu_state *r;
    uint64_t e;

    setup();
    r = f.v[1]->regs;
    e = fix_pte(&f, 1, DATA, PTE_RW | _PAGE_GLOBAL);
    r->rax = e;
    assert_true(FAULT("\x48\x89\x07", 0)); /* mov [rdi], rax */
    assert_true(*slot == e);
    r->rax = 0;
    assert_true(FAULT("\x48\x87\x07", 0)); /* xchg [rdi], rax */
    assert_true(*slot == 0 && r->rax == e);
    r->rcx = e;
    r->rax = 0;
    assert_true(FAULT("\xf0\x48\x0f\xb1\x0f", 0)); /* lock cmpxchg [rdi], rcx */
    assert_true(*slot == e && (r->rflags & 0x40));
    r->rax = 1;
    assert_true(FAULT("\xf0\x48\x0f\xb1\x0f", 0));
    assert_true(*slot == e && r->rax == e && !(r->rflags & 0x40));
    assert_true(FAULT("\xf0\x48\x0f\xba\x37\x01", 0)); /* lock btr [rdi], 1: write-protect */
    assert_true(*slot == (e & ~_PAGE_RW) && (r->rflags & 1));
    assert_true(FAULT("\xf0\x48\x83\x0f\x40", 0)); /* lock or [rdi], 0x40 */
    assert_true(*slot == ((e & ~_PAGE_RW) | _PAGE_DIRTY));
    assert_true(FAULT("\xf0\x80\x27\xbf", 0)); /* lock and byte [rdi], ~0x40 */
    assert_true(*slot == (e & ~_PAGE_RW));
    assert_true(FAULT("\x48\xc7\x07\x00\x00\x00\x00", 0)); /* mov [rdi], 0 */
    assert_true(*slot == 0);
    r->rax = 0;
    r->rcx = 4;
    memcpy(fix_table(&f, f.frame[1][CODE]), "\xf3\x48\xab", 3); /* rep stosq: one element a fault */
    r->rip = FIX_VA64 + CODE * PAGE_SIZE;
    r->rdi = table_va;
    assert_true(pv_ro_page_fault(f.v[1], table_va));
    assert_int_equal(r->rcx, 3);
    assert_int_equal(r->rdi, table_va + 8);
    assert_int_equal(r->rip, FIX_VA64 + CODE * PAGE_SIZE);
    fix_close(&f);
}

static void refusals(void **state)
{
    struct cpu_state *r;
    uint64_t before;

    setup();
    r = f.v[1]->regs;
    before = *slot;
    r->rax = fix_pte(&f, 1, L4, PTE_RW); /* a page table, writable */
    assert_false(FAULT("\x48\x89\x07", 0));
    r->rax = fix_pte(&f, 2, DATA, PTE_RO); /* another's frame */
    assert_false(FAULT("\x48\x89\x07", 0));
    r->rax = fix_pte(&f, 1, DATA, PTE_RO);
    assert_false(FAULT("\x48\x89\x07", 4)); /* not aligned */
    assert_false(FAULT("\x0f\x11\x07", 0)); /* movups: no instruction of the kind */
    assert_false(FAULT("\x0f\xff", 0));
    assert_true(*slot == before);
    /* Not a live L1: plain data; a higher level; and not without the guest's consent. */
    fix_readonly(&f, 1, DATA + 5, true);
    assert_false(pv_ro_page_fault(f.v[1], FIX_VA64 + (DATA + 5) * PAGE_SIZE));
    memcpy(fix_table(&f, f.frame[1][CODE]), "\x48\x89\x07", 3);
    r->rdi = FIX_VA64 + L2 * PAGE_SIZE;
    assert_false(pv_ro_page_fault(f.v[1], r->rdi));
    f.d[1]->vm_assist = 0;
    assert_false(FAULT("\x48\x89\x07", 0));
    fix_close(&f);
}

/* --- descriptors --- */

#define CODE64(dpl) (UINT64_C(0x00af9b000000ffff) | (uint64_t)(dpl) << 45)
#define DATA32(dpl) (UINT64_C(0x00cf93000000ffff) | (uint64_t)(dpl) << 45)
/* Call gate to sel; its type is 0xc. */
#define GATE(sel, dpl) (UINT64_C(0x00008c0000000000) | (uint64_t)(dpl) << 45 | (uint64_t)(sel) << 16 | 0x1234)

static long update_descriptor(unsigned int frame, unsigned int index, uint64_t desc)
{
    return fix_call(f.v[1], do_update_descriptor, (mfn_x(f.frame[1][frame]) << PAGE_SHIFT) + index * 8, desc, 0, 0);
}

static void descriptors_are_made_harmless(void **state)
{
    uint64_t *gdt;

    setup();
    gdt = fix_table(&f, f.frame[1][DATA]);
    assert_int_equal(update_descriptor(DATA, 1, CODE64(0)), 0);
    assert_true(gdt[1] == CODE64(3));
    assert_int_equal(update_descriptor(DATA, 2, DATA32(1)), 0);
    assert_true(gdt[2] == DATA32(3));
    assert_int_equal(update_descriptor(DATA, 3, 0x1234567800000000 & ~(UINT64_C(0x8000) << 32)), 0); /* not present */
    assert_int_equal(update_descriptor(DATA, 4, GATE(FLAT_KERNEL_CS, 3)), 0);
    assert_true(gdt[4] == GATE(FLAT_KERNEL_CS | 3, 0));                                  /* every use faults */
    assert_int_equal(update_descriptor(DATA, 5, GATE(0xe008, 3)), -EINVAL);              /* to Xen's own code */
    assert_int_equal(update_descriptor(DATA, 5, UINT64_C(0x0000ee0000080000)), -EINVAL); /* interrupt gate */
    assert_int_equal(update_descriptor(DATA, 5, UINT64_C(0x0000890000000067)), -EINVAL); /* TSS */
    assert_int_equal(update_descriptor(DATA, 5, UINT64_C(0x0000820000000067)), -EINVAL); /* LDT */
    assert_int_equal(update_descriptor(L1, 5, 0), -EINVAL);                              /* a page table */
    assert_int_equal(fix_call(f.v[1], do_update_descriptor, (mfn_x(f.frame[1][DATA]) << PAGE_SHIFT) + 4, 0, 0, 0),
                     -EINVAL);
    assert_int_equal(fix_call(f.v[1], do_update_descriptor, mfn_x(f.frame[2][DATA]) << PAGE_SHIFT, 0, 0, 0), -EINVAL);
    fix_close(&f);
}

static long set_gdt(uint64_t frame0, uint64_t frame1, unsigned int entries)
{
    uint64_t *list = fix_args(&f, 1);

    list[0] = frame0;
    list[1] = frame1;
    return fix_call(f.v[1], do_set_gdt, fix_args_va(&f, 1), entries, 0, 0);
}

static void the_gdt(void **state)
{
    const uint64_t *ptes;
    uint64_t a, b;

    setup();
    a = mfn_x(f.frame[1][DATA]);
    b = mfn_x(f.frame[1][DATA + 1]);
    ptes = pv_gdt_ptes(f.v[1]);
    assert_int_equal(set_gdt(a, b, 600), -EINVAL); /* mapped writable */
    fix_readonly(&f, 1, DATA, true);
    assert_int_equal(set_gdt(a, b, 600), -EINVAL); /* the second still is */
    assert_int_equal(fix_page(&f, 1, DATA)->type_info & PGT_count_mask, 0);
    fix_readonly(&f, 1, DATA + 1, true);
    fix_table(&f, f.frame[1][DATA + 1])[7] = UINT64_C(0x0000890000000067); /* a TSS in it */
    assert_int_equal(set_gdt(a, b, 600), -EINVAL);
    fix_table(&f, f.frame[1][DATA + 1])[7] = CODE64(0);
    assert_int_equal(set_gdt(a, b, 600), 0);
    assert_true(fix_table(&f, f.frame[1][DATA + 1])[7] == CODE64(3));
    fix_audit(&f);
    assert_true(mfn_eq(pte_mfn(ptes[1]), f.frame[1][DATA + 1]));
    assert_int_equal(ptes[1] & (_PAGE_PRESENT | _PAGE_RW | _PAGE_USER), _PAGE_PRESENT | _PAGE_RW);
    assert_int_equal(fix_set(&f, 1, L1, 100, fix_pte(&f, 1, DATA, PTE_RW)), -EBUSY);
    assert_int_equal(update_descriptor(DATA, 1, CODE64(0)), 0); /* this is how it is changed */
    assert_int_equal(set_gdt(a, b, 7169), -EINVAL);
    assert_int_equal(set_gdt(mfn_x(f.frame[2][DATA]), 0, 1), -EINVAL);
    assert_int_equal(set_gdt(UINT64_C(1) << 50, 0, 1), -EINVAL);
    assert_int_equal(set_gdt(0, 0, 0), 0);
    assert_int_equal(fix_set(&f, 1, L1, 100, fix_pte(&f, 1, DATA, PTE_RW)), 0);
    /* Xen's page is there in any case: the flat segments of the public headers. */
    assert_true(fix_table(&f, pte_mfn(ptes[14]))[(FLAT_KERNEL_CS & 0xfff) >> 3] == CODE64(3));
    fix_close(&f);
}

static void the_ldt(void **state)
{
    struct vcpu *v;
    uint64_t base = FIX_VA64 + DATA * PAGE_SIZE;

    setup();
    v = f.v[1];
    assert_false(pv_map_ldt_shadow_page(v, 0)); /* none is set */
    assert_int_equal(fix_mmuext(&f, 1, MMUEXT_SET_LDT, base + 8, 10, DOMID_SELF), -EINVAL);
    assert_int_equal(fix_mmuext(&f, 1, MMUEXT_SET_LDT, UINT64_C(0xffff800000000000), 10, DOMID_SELF), -EINVAL);
    assert_int_equal(fix_mmuext(&f, 1, MMUEXT_SET_LDT, base, 520, DOMID_SELF), 0);
    assert_int_equal(v->regs->ldtr.base, LDT_VIRT_START(v));
    assert_int_equal(v->regs->ldtr.limit, 520 * 8 - 1);
    assert_false(pv_map_ldt_shadow_page(v, 0)); /* mapped writable */
    fix_readonly(&f, 1, DATA, true);
    assert_true(pv_map_ldt_shadow_page(v, 8));
    assert_false(pv_map_ldt_shadow_page(v, 521 * 8)); /* beyond it */
    fix_audit(&f);
    assert_int_equal(fix_set(&f, 1, L1, 100, fix_pte(&f, 1, DATA, PTE_RW)), -EBUSY);
    /* When the guest's own mapping goes, so does what was brought in through it. */
    assert_int_equal(fix_set(&f, 1, L1, DATA, 0), 0);
    assert_int_equal(v->pv.shadow_ldt_mapcnt, 0);
    fix_audit(&f);
    assert_int_equal(fix_mmuext(&f, 1, MMUEXT_SET_LDT, 0, 0, DOMID_SELF), 0);
    assert_int_equal(v->regs->ldtr.attr, 0);
    fix_close(&f);
}

/* --- PV32: rings, and entries written in halves --- */

static void descriptors_of_pv32(void **state)
{
    uint64_t *gdt;

    fix_open(&f, true);
    gdt = fix_table(&f, f.frame[1][DATA]);
    for (unsigned int dpl = 0; dpl < 4; dpl++) {
        uint64_t d = DATA32(dpl), ma = (mfn_x(f.frame[1][DATA]) << PAGE_SHIFT) + 8;

        assert_int_equal(fix_call(f.v[1], compat_update_descriptor, ma, 0, (uint32_t)d, d >> 32), 0);
        assert_true(gdt[1] == DATA32(dpl ? dpl : 1));
    }
    assert_int_equal(fix_call(f.v[1], compat_update_descriptor, mfn_x(f.frame[1][DATA]) << PAGE_SHIFT, 0,
                              (uint32_t)CODE64(1), CODE64(1) >> 32),
                     -EINVAL); /* 64-bit code */
    fix_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stores),  cmocka_unit_test(refusals), cmocka_unit_test(descriptors_are_made_harmless),
        cmocka_unit_test(the_gdt), cmocka_unit_test(the_ldt),  cmocka_unit_test(descriptors_of_pv32),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
