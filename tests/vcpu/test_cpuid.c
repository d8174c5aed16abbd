// SPDX-License-Identifier: GPL-2.0-or-later
/* What CPUID says to a PV guest that asks Xen (by CPUID faulting, or the forced-emulation prefix). */
#include "tests/vcpu/fixture.h"
#include "vcpu/cpuid.h"

#include <xen/arch-x86/cpuid.h>

/*
 * A PV guest has no APIC of its own, though it sees that the processor has one: each vCPU reads 0 as the number of its
 * own.
 */
static void no_apic_id(void **state)
{
    struct fixture *f = *state;

    for (unsigned int i = 0; i < f->d->max_vcpus; i++) {
        struct cpuid_leaf l = guest_cpuid(f->d->vcpu[i], 1, 0);

        assert_int_equal(l.b >> 24, 0);
        assert_int_equal(l.d & 1u << 9, 1u << 9); /* APIC */
        assert_int_equal(l.c & 1u << 31, 1u << 31);
    }
}

static void hypervisor_leaves(void **state)
{
    struct fixture *f = *state;
    struct cpuid_leaf l = guest_cpuid(f->v, 0x40000000, 0);

    assert_memory_equal(&l.b, "XenVMMXenVMM", 12);
    assert_true(l.a >= 0x40000005);
    assert_int_equal(guest_cpuid(f->v, 0x40000001, 0).a, 4 << 16 | 17);
    l = guest_cpuid(f->v, 0x40000002, 0);
    assert_int_equal(l.a, 1); /* hypercall pages */
    assert_int_equal(l.c & XEN_CPUID_FEAT1_MMU_PT_UPDATE_PRESERVE_AD, XEN_CPUID_FEAT1_MMU_PT_UPDATE_PRESERVE_AD);
    l = guest_cpuid(f->v, 0x400000ff, 0);
    assert_int_equal(l.a | l.b | l.c | l.d, 0);
}

/* What the emulated processor cannot do, or a PV guest may not use, is not announced. */
static void features_that_are_not_there(void **state)
{
    struct fixture *f = *state;
    struct cpuid_leaf l1 = guest_cpuid(f->v, 1, 0), ext = guest_cpuid(f->v, 0x80000001, 0);

    assert_int_equal(l1.c & (1u << 26 | 1u << 27 | 1u << 28 | 1u << 30), 0); /* XSAVE OSXSAVE AVX RDRAND */
    assert_int_equal(l1.c & 1u << 3, 0);                                     /* MONITOR */
    assert_int_equal(l1.d & (1u << 3 | 1u << 12 | 1u << 13), 0);             /* PSE MTRR PGE */
    assert_int_equal(ext.c & 1u << 2, 0);                                    /* SVM */
    assert_int_equal(ext.d & 1u << 29, 1u << 29);                            /* long mode */
}

/* Linux of version 7 dies on Zen (family 17h and later), where it reads a register that no PV guest can map. */
static void processor(void **state)
{
    struct fixture *f = *state;
    struct cpuid_leaf l0 = guest_cpuid(f->v, 0, 0), l1 = guest_cpuid(f->v, 1, 0);
    struct cpuid_leaf cache = guest_cpuid(f->v, 0x80000005, 0), none;

    assert_memory_equal(&l0.b, "Auth", 4);
    assert_int_equal((l1.a >> 8 & 0xf) + (l1.a >> 20 & 0xff), 0x15);
    assert_int_equal(guest_cpuid(f->v, 0x80000001, 0).a, l1.a);
    assert_int_equal(l1.b >> 8 & 0xff, 8);
    assert_true(cache.d >> 16 & 0xff); /* Linux divides by the ways of this cache */
    assert_int_equal(guest_cpuid(f->v, 0x80000008, 0).a, 48 << 8 | 40);
    assert_true(guest_cpuid(f->v, 0x80000021, 0).a & 1u << 2); /* LFENCE is serialising */
    /* SSB_NO, BTC_NO: it does not speculate */
    assert_int_equal(guest_cpuid(f->v, 0x80000008, 0).b, 1u << 26 | 1u << 29);
    none = guest_cpuid(f->v, 0x80000022, 0);
    assert_int_equal(none.a | none.b | none.c | none.d, 0);
    none = guest_cpuid(f->v, 7, 1);
    assert_int_equal(none.a | none.b | none.c | none.d, 0);
    none = guest_cpuid(f->v, 0x10000, 0);
    assert_int_equal(none.a | none.b | none.c | none.d, 0);
}

/* The processor gets FSGSBASE as the guest has it, if its policy has it; the rest of CR4 is the hypervisor's. */
static void cr4(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(pv_fixup_guest_cr4(f->d, ~UINT64_C(0)), 0x1066c);
    assert_int_equal(pv_fixup_guest_cr4(f->d, 0), 0x660);
    f->v->regs->dirty = 0;
    pv_set_cr4(f->v, 0x10000);
    assert_int_equal(f->v->regs->cr4, 0x10620);
    assert_int_equal(f->v->regs->dirty & CPU_DIRTY_CR, CPU_DIRTY_CR);
    pv_set_cr4(f->v, 0);
    assert_int_equal(f->v->regs->cr4, 0x620);
    f->d->cpu_policy->feat[0].b &= ~1u;
    pv_set_cr4(f->v, 0x10000);
    assert_int_equal(f->v->regs->cr4, 0x620);
    assert_int_equal(f->v->pv.ctrlreg[4], 0x660);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(no_apic_id, fix_setup, fix_teardown),
        cmocka_unit_test_setup_teardown(hypervisor_leaves, fix_setup, fix_teardown),
        cmocka_unit_test_setup_teardown(features_that_are_not_there, fix_setup, fix_teardown),
        cmocka_unit_test_setup_teardown(processor, fix_setup, fix_teardown),
        cmocka_unit_test_setup_teardown(cr4, fix_setup, fix_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
