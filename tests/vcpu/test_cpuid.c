// SPDX-License-Identifier: GPL-2.0-or-later
/* What CPUID says to a PV guest that asks Xen (by CPUID faulting, or the forced-emulation prefix). */
#include "tests/vcpu/fixture.h"
#include "vcpu/cpuid.h"

#include <xen/arch-x86/cpuid.h>

/* A PV guest has no APIC: each of its vCPUs reads 0 as the number of its own, whatever vCPU it is. */
static void no_apic_id(void **state)
{
    struct fixture *f = *state;

    for (unsigned int i = 0; i < f->d->max_vcpus; i++) {
        struct cpuid_leaf l = cpuid_guest(f->d->vcpu[i], 1, 0);

        assert_int_equal(l.b >> 24, 0);
        assert_int_equal(l.d & 1u << 9, 0); /* APIC */
        assert_int_equal(l.c & 1u << 31, 1u << 31);
    }
}

static void hypervisor_leaves(void **state)
{
    struct fixture *f = *state;
    struct cpuid_leaf l = cpuid_guest(f->v, 0x40000000, 0);

    assert_memory_equal(&l.b, "XenVMMXenVMM", 12);
    assert_true(l.a >= 0x40000005);
    assert_int_equal(cpuid_guest(f->v, 0x40000001, 0).a, 4 << 16 | 17);
    l = cpuid_guest(f->v, 0x40000002, 0);
    assert_int_equal(l.a, 1); /* hypercall pages */
    assert_int_equal(l.c & XEN_CPUID_FEAT1_MMU_PT_UPDATE_PRESERVE_AD, XEN_CPUID_FEAT1_MMU_PT_UPDATE_PRESERVE_AD);
    l = cpuid_guest(f->v, 0x400000ff, 0);
    assert_int_equal(l.a | l.b | l.c | l.d, 0);
}

/* What the emulated processor cannot do, or a PV guest may not use, is not announced. */
static void features_that_are_not_there(void **state)
{
    struct fixture *f = *state;
    struct cpuid_leaf l1 = cpuid_guest(f->v, 1, 0), ext = cpuid_guest(f->v, 0x80000001, 0);

    assert_int_equal(l1.c & (1u << 26 | 1u << 27 | 1u << 28 | 1u << 30), 0); /* XSAVE OSXSAVE AVX RDRAND */
    assert_int_equal(l1.c & 1u << 3, 0);                                     /* MONITOR */
    assert_int_equal(l1.d & (1u << 3 | 1u << 12 | 1u << 13), 0);             /* PSE MTRR PGE */
    assert_int_equal(ext.c & 1u << 2, 0);                                    /* SVM */
    assert_int_equal(ext.d & 1u << 29, 1u << 29);                            /* long mode */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(no_apic_id, fix_setup, fix_teardown),
        cmocka_unit_test_setup_teardown(hypervisor_leaves, fix_setup, fix_teardown),
        cmocka_unit_test_setup_teardown(features_that_are_not_there, fix_setup, fix_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
