// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Populate on demand: who touches a marked place gets a frame of the cache, whoever it is; what is given back; who
 * touches too much; what is asked and refused.
 */
#include "tests/vcpu/hvm.h"

#include "mmu/pv/pv.h"
#include "vcpu/native/map.h"

#include <xen/hvm/hvm_op.h>

#define FIRST  0x100 /* gfn, all marked */
#define MARKED 16
#define CACHE  8

static struct xen_pod_target pod;

static long memory_op(struct fixture *f, unsigned int cmd, void *arg)
{
    return hypercall_native(native_vcpu(f->dom0), __HYPERVISOR_memory_op, cmd, (uintptr_t)arg, 0, 0, 0);
}

static long reserve(struct fixture *f, unsigned int cmd, uint64_t gfn, uint64_t nr, unsigned int flags)
{
    uint64_t list[64];
    struct xen_memory_reservation r = { .nr_extents = nr, .mem_flags = flags, .domid = f->d->domain_id };

    for (uint64_t i = 0; i < nr; i++)
        list[i] = gfn + i;
    set_xen_guest_handle(r.extent_start, list);
    return memory_op(f, cmd, &r);
}

static long set_target(struct fixture *f, uint64_t nr)
{
    pod = (struct xen_pod_target){ .target_pages = nr, .domid = f->d->domain_id };
    return memory_op(f, XENMEM_set_pod_target, &pod);
}

/* How many places are marked, and what is in the cache; both add up, and no count is wrong. */
static void assert_pod(struct fixture *f, uint64_t entries, uint64_t cache)
{
    pod = (struct xen_pod_target){ .domid = f->d->domain_id };
    assert_int_equal(memory_op(f, XENMEM_get_pod_target, &pod), 0);
    assert_int_equal(pod.pod_entries, entries);
    assert_int_equal(pod.pod_cache_pages, cache);
    assert_int_equal(pod.tot_pages, f->d->tot_pages);
    fix_audit(f);
}

static p2m_type_t type_at(struct fixture *f, uint64_t gfn)
{
    p2m_type_t t;

    p2m_get_entry(f->d, gfn, &t);
    return t;
}

static int setup(void **state)
{
    struct xen_domctl op = { .cmd = XEN_DOMCTL_max_mem, .u.max_mem.max_memkb = 4 * (HVM_PAGES + 2 * CACHE) };
    struct fixture *f;

    if (hvm_setup(state))
        return -1;
    f = *state;
    op.domain = f->d->domain_id;
    assert_int_equal(hvm_domctl(f, &op), 0);
    assert_int_equal(reserve(f, XENMEM_populate_physmap, FIRST, MARKED, XENMEMF_populate_on_demand), MARKED);
    assert_int_equal(f->d->tot_pages, HVM_PAGES);
    assert_int_equal(set_target(f, HVM_PAGES + CACHE), 0);
    assert_true(pod.tot_pages == HVM_PAGES + CACHE && pod.pod_cache_pages == CACHE && pod.pod_entries == MARKED);
    return 0;
}

static int teardown(void **state) { return fix_teardown(state); }

/* The guest: it reads zeroes, and what it writes is there. */
static void guest_touches(void **state)
{
    struct fixture *f = *state;

    HVM_RUN(f, "\x8b\x1d\x00\x00\x10\x00"                     /* mov 0x100000, %ebx */
               "\xc7\x05\x04\x10\x10\x00\x44\x33\x22\x11"     /* movl $0x11223344, 0x101004 */
               "\xbe\x00\x30\x10\x00\xbf\x00\x20\x10\x00\xa4" /* mov $0x103000, %esi; mov $0x102000, %edi; movsb */
               "\xfa\xf4");
    assert_int_equal(f->v->regs->rbx, 0);
    assert_int_equal(f->d->shutdown_code, 0);
    assert_pod(f, MARKED - 4, CACHE - 4);
    assert_int_equal(f->d->tot_pages, HVM_PAGES + CACHE);
}

/* Page tables, code and a stack in marked places: the processor itself is who touches them. */
static void code_touches(void **state)
{
    struct fixture *f = *state;

    hvm_put(f, 0x2000, "\x40\xff\xe3", 3); /* inc %eax; jmp *%ebx */
    HVM_RUN(f,
            "\x31\xc0\xbc\x00\x60\x10\x00\x50"                 /* xor %eax, %eax; mov $0x106000, %esp; push %eax */
            "\xbe\x00\x20\x00\x00\xbf\x00\x70\x10\x00"         /* mov $0x2000, %esi; mov $0x107000, %edi */
            "\xb9\x03\x00\x00\x00\xf3\xa4"                     /* mov $3, %ecx; rep movsb */
            "\xbb\x25\x10\x00\x00\xb9\x00\x70\x10\x00\xff\xe1" /* mov $0x1025, %ebx; mov $0x107000, %ecx; jmp *%ecx */
            "\xfa\xf4");
    assert_int_equal(f->v->regs->rax, 1);
    assert_pod(f, MARKED - 2, CACHE - 2);
}

/* Others: a hypercall's argument, a mapping, memory that is moved. */
static void others_touch(void **state)
{
    struct fixture *f = *state;
    struct xen_hvm_get_mem_type type = { .domid = f->d->domain_id, .pfn = FIRST };
    struct xen_add_to_physmap move = { .domid = f->d->domain_id, .space = XENMAPSPACE_gmfn, .idx = FIRST + 2 };
    struct xen_remove_from_physmap away = { .domid = f->d->domain_id, .gpfn = FIRST + 4 };
    uint8_t *page;

    assert_int_equal(
        hypercall_native(native_vcpu(f->dom0), __HYPERVISOR_hvm_op, HVMOP_get_mem_type, (uintptr_t)&type, 0, 0, 0), 0);
    assert_int_equal(type.mem_type, HVMMEM_ram_rw);
    assert_pod(f, MARKED, CACHE); /* to ask is not to touch */
    page = native_map_foreign(native_vcpu(f->dom0), f->d->domain_id, _mfn(FIRST));
    assert_non_null(page);
    assert_pod(f, MARKED - 1, CACHE - 1);
    native_unmap(native_vcpu(f->dom0), page);
    assert_true(hvm_copy_to_guest_phys(f->d, (FIRST + 1) << PAGE_SHIFT, "x", 1));
    assert_pod(f, MARKED - 2, CACHE - 2);
    move.gpfn = FIRST + 3; /* from a marked place to another: that is none any more */
    assert_int_equal(memory_op(f, XENMEM_add_to_physmap, &move), 0);
    assert_pod(f, MARKED - 4, CACHE - 3);
    assert_int_equal(type_at(f, FIRST + 2), p2m_mmio_dm);
    assert_int_equal(type_at(f, FIRST + 3), p2m_ram_rw);
    assert_int_equal(memory_op(f, XENMEM_remove_from_physmap, &away), 0);
    assert_pod(f, MARKED - 5, CACHE - 4);
    assert_int_equal(type_at(f, FIRST + 4), p2m_mmio_dm);
}

/* A marked place takes nothing along; a frame goes to the cache, as zeroes, while places are without. */
static void given_back(void **state)
{
    struct fixture *f = *state;
    const uint8_t zeroes[8] = { 0 };
    uint8_t bytes[8];

    assert_int_equal(reserve(f, XENMEM_decrease_reservation, FIRST, 2, 0), 2);
    assert_pod(f, MARKED - 2, CACHE);
    assert_true(hvm_copy_to_guest_phys(f->d, (FIRST + 2) << PAGE_SHIFT, "secret", 7));
    assert_int_equal(reserve(f, XENMEM_decrease_reservation, FIRST + 2, 1, 0), 1);
    assert_pod(f, MARKED - 3, CACHE);
    assert_int_equal(f->d->tot_pages, HVM_PAGES + CACHE);
    assert_true(hvm_copy_from_guest_phys(f->d, bytes, (FIRST + 3) << PAGE_SHIFT, 8));
    assert_memory_equal(bytes, zeroes, 8);
    assert_pod(f, MARKED - 4, CACHE - 1);
    assert_int_equal(reserve(f, XENMEM_decrease_reservation, FIRST + 4, 6, 0), 6);
    assert_pod(f, MARKED - 10, CACHE - 2); /* as many as are wanted: the others are free */
    assert_int_equal(f->d->tot_pages, HVM_PAGES + CACHE - 1);
    assert_int_equal(reserve(f, XENMEM_decrease_reservation, FIRST + 10, 6, 0), 6);
    assert_pod(f, 0, 0);
    assert_int_equal(f->d->tot_pages, HVM_PAGES + 1);
    assert_int_equal(reserve(f, XENMEM_decrease_reservation, FIRST + 3, 1, 0), 1);
    assert_int_equal(f->d->tot_pages, HVM_PAGES);
}

/* More than there is: pages of zeroes are taken back, and if there are none the domain is crashed. */
static void too_much(void **state)
{
    struct fixture *f = *state;

    for (unsigned int i = 0; i < CACHE; i++)
        assert_true(hvm_copy_to_guest_phys(f->d, (uint64_t)(FIRST + i) << PAGE_SHIFT, i == 5 ? "" : "x", 1));
    for (unsigned int i = 0; i < HVM_PAGES; i++) /* none is zero there */
        assert_true(hvm_copy_to_guest_phys(f->d, (uint64_t)i << PAGE_SHIFT, "x", 1));
    assert_pod(f, MARKED - CACHE, 0);
    hvm_put(f, HVM_CODE,
            "\xc6\x05\x00\xf0\x10\x00\x01" /* movb $1, 0x10f000 */
            "\xa0\x00\xe0\x10\x00\xfa\xf4",
            14); /* mov 0x10e000, %al; cli; hlt */
    hvm_go(f, SECONDS(1));
    assert_true(f->d->is_shut_down);
    assert_int_equal(f->d->shutdown_code, SHUTDOWN_crash);
    assert_int_equal(type_at(f, FIRST + 5), p2m_populate_on_demand);
    assert_int_equal(type_at(f, FIRST + 15), p2m_ram_rw);
    assert_pod(f, MARKED - CACHE, 0);
}

static void targets(void **state)
{
    struct fixture *f = *state;
    struct xen_pod_target other = { .domid = 77 };

    assert_int_equal(set_target(f, HVM_PAGES + 2 * CACHE + 1), -EINVAL); /* more than it may have */
    assert_int_equal(set_target(f, HVM_PAGES), 0);                       /* the balloon's affair */
    assert_int_equal(pod.pod_cache_pages, CACHE);
    assert_int_equal(set_target(f, HVM_PAGES + CACHE + 3), 0);
    assert_int_equal(pod.pod_cache_pages, CACHE + 3);
    assert_int_equal(reserve(f, XENMEM_decrease_reservation, FIRST, 10, 0), 10);
    assert_pod(f, MARKED - 10, MARKED - 10);
    assert_int_equal(set_target(f, HVM_PAGES + 2 * CACHE), 0); /* no more than there are places */
    assert_int_equal(pod.pod_cache_pages, MARKED - 10);
    assert_int_equal(memory_op(f, XENMEM_set_pod_target, &other), -ESRCH);
    other.domid = DOMID_SELF; /* dom0 is no HVM domain */
    assert_int_equal(memory_op(f, XENMEM_get_pod_target, &other), -EINVAL);
    other = (struct xen_pod_target){ .domid = DOMID_SELF };
    hvm_put(f, 0x3000, &other, sizeof(other)); /* nor may a guest ask */
    assert_int_equal(do_memory_op(f->v, &(struct hypercall_args){ .a = { XENMEM_get_pod_target, 0x3000 } }), -EPERM);
    assert_int_equal(do_memory_op(f->v, &(struct hypercall_args){ .a = { XENMEM_set_pod_target, 0x3000 } }), -EPERM);
}

static void marking(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(reserve(f, XENMEM_populate_physmap, FIRST, 1, XENMEMF_populate_on_demand), 1); /* again */
    assert_pod(f, MARKED, CACHE);
    assert_int_equal(reserve(f, XENMEM_populate_physmap, HVM_PAGES - 1, 2, XENMEMF_populate_on_demand), 0); /* RAM */
    assert_int_equal(reserve(f, XENMEM_populate_physmap, P2M_MAX_GFN + 1, 1, XENMEMF_populate_on_demand), 0);
    assert_int_equal(reserve(f, XENMEM_populate_physmap, UINT64_MAX, 1, XENMEMF_populate_on_demand), 0);
    assert_pod(f, MARKED, CACHE);
    assert_int_equal(reserve(f, XENMEM_populate_physmap, FIRST, 1, 0), 1); /* a frame of its own */
    assert_pod(f, MARKED - 1, CACHE);
}

/* It dies with frames in its cache: who maps one of its places has none. */
static void dies(void **state)
{
    struct fixture *f = *state;

    const domid_t domid = f->d->domain_id;

    hvm_destroy(f);
    assert_null(native_map_foreign(native_vcpu(f->dom0), domid, _mfn(FIRST)));
    fix_audit(f);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(guest_touches), TEST(code_touches), TEST(others_touch), TEST(given_back),
        TEST(too_much),      TEST(targets),      TEST(marking),      TEST(dies),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
