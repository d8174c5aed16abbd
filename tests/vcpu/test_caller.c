// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Hypercalls for somebody who is not here: a process that has sent a buffer along. Its addresses are those of its own
 * memory, all in one range, as libxc's hypercall buffers are; the calls are made in the name of dom0's vCPU.
 *
 * What these could miss: a handler that goes past copy_from_guest(). It would read this process's memory at the remote
 * address, where nothing is mapped.
 */
#include "tests/vcpu/fixture.h"

#include <xen/memory.h>
#include <xen/version.h>

#define THERE UINT64_C(0x7f1234567000) /* where the process has its buffer */

struct bounce {
    uint8_t bytes[2 * PAGE_SIZE];
    unsigned int copies;
};

static uint8_t *bounce_at(const struct vcpu *v, uint64_t addr, size_t n)
{
    struct bounce *b = v->caller_data;

    b->copies++;
    if (addr < THERE || addr - THERE > sizeof(b->bytes) || n > sizeof(b->bytes) - (addr - THERE))
        return NULL;
    return b->bytes + (addr - THERE);
}

static int bounce_copy_from(struct vcpu *v, void *dst, uint64_t src, size_t n)
{
    const uint8_t *from = bounce_at(v, src, n);

    if (!from)
        return -EFAULT;
    memcpy(dst, from, n);
    return 0;
}

static int bounce_copy_to(struct vcpu *v, uint64_t dst, const void *src, size_t n)
{
    uint8_t *to = bounce_at(v, dst, n);

    if (!to)
        return -EFAULT;
    memcpy(to, src, n);
    return 0;
}

static bool bounce_okay(const struct vcpu *v, uint64_t addr, size_t n) { return bounce_at(v, addr, n); }

static const struct caller_mem_ops bounce_mem = {
    .name = "bounce buffer", .copy_from = bounce_copy_from, .copy_to = bounce_copy_to, .okay = bounce_okay
};

static long call(struct fixture *f, struct bounce *b, unsigned int nr, uint64_t a1, uint64_t a2)
{
    const struct caller c = { native_vcpu(f->dom0), &bounce_mem, b };

    return hypercall_remote(&c, nr, a1, a2, 0, 0, 0);
}

/* What it sends and what it gets, and dom0 itself calls as before. */
static void structures_travel(void **state)
{
    struct fixture *f = *state;
    struct bounce *b = calloc(1, sizeof(*b));
    struct evtchn_alloc_unbound *unbound = (void *)b->bytes;
    struct xen_domctl *domctl = (void *)b->bytes;
    struct xen_domctl_getdomaininfo info;

    assert_int_equal(call(f, b, __HYPERVISOR_xen_version, XENVER_extraversion, THERE + 100), 0);
    assert_int_equal(b->bytes[100], '.');

    *unbound = (struct evtchn_alloc_unbound){ .dom = DOMID_SELF, .remote_dom = f->d->domain_id };
    assert_int_equal(call(f, b, __HYPERVISOR_event_channel_op, EVTCHNOP_alloc_unbound, THERE), 0);
    assert_int_not_equal(unbound->port, 0);
    assert_int_equal(evtchn_from_port(f->xen->dom0, unbound->port)->state, ECS_UNBOUND); /* in dom0's name */

    *domctl = (struct xen_domctl){ .cmd = XEN_DOMCTL_getdomaininfo,
                                   .interface_version = XEN_DOMCTL_INTERFACE_VERSION,
                                   .domain = f->d->domain_id };
    assert_int_equal(call(f, b, __HYPERVISOR_domctl, THERE, 0), 0);
    assert_int_equal(domctl->u.getdomaininfo.tot_pages, FIX_PAGES);

    assert_ptr_equal(native_vcpu(f->dom0)->caller_mem, &native_caller_mem);
    b->copies = 0;
    assert_int_equal(xc_domain_getinfo(f->xc, f->d->domain_id, &info), 0);
    assert_int_equal(info.tot_pages, FIX_PAGES);
    assert_int_equal(b->copies, 0);
    free(b);
}

/* Handles inside of structures, and a multicall, as libxc makes its memory_ops. */
static void handles_inside(void **state)
{
    struct fixture *f = *state;
    struct bounce *b = calloc(1, sizeof(*b));
    struct multicall_entry *m = (void *)b->bytes;
    struct xen_memory_reservation *res = (void *)(b->bytes + 512);
    uint64_t *list = (void *)(b->bytes + 1024);
    const uint64_t before = f->d->tot_pages;

    f->d->max_pages += 2;
    *res = (struct xen_memory_reservation){ .nr_extents = 2, .domid = f->d->domain_id };
    res->extent_start.p = (void *)(uintptr_t)(THERE + 1024);
    list[0] = FIX_PAGES, list[1] = FIX_PAGES + 1;
    *m = (struct multicall_entry){ .op = __HYPERVISOR_memory_op, .args = { XENMEM_populate_physmap, THERE + 512 } };
    assert_int_equal(call(f, b, __HYPERVISOR_multicall, THERE, 1), 0);
    assert_int_equal(m->result, 2);
    assert_int_equal(f->d->tot_pages, before + 2);
    assert_ptr_equal(mfn_to_page(f->xen, _mfn(list[1]))->owner, f->d);
    free(b);
}

/* Nothing outside of its buffer is the caller's, this process's own memory least of all. */
static void out_of_range(void **state)
{
    static uint64_t ours[512];
    struct fixture *f = *state;
    struct bounce *b = calloc(1, sizeof(*b));
    const uint64_t end = THERE + sizeof(b->bytes);
    struct multicall_entry *m = (void *)b->bytes;
    struct xen_memory_reservation *res = (void *)b->bytes;

    assert_int_equal(call(f, b, __HYPERVISOR_xen_version, XENVER_extraversion, (uintptr_t)ours), -EFAULT);
    assert_int_equal(call(f, b, __HYPERVISOR_xen_version, XENVER_extraversion, 0), -EFAULT);
    assert_int_equal(call(f, b, __HYPERVISOR_xen_version, XENVER_extraversion, THERE - 1), -EFAULT);
    assert_int_equal(call(f, b, __HYPERVISOR_xen_version, XENVER_extraversion, end - sizeof(xen_extraversion_t) + 1),
                     -EFAULT);
    assert_int_equal(call(f, b, __HYPERVISOR_xen_version, XENVER_extraversion, end - sizeof(xen_extraversion_t)), 0);
    assert_int_equal(call(f, b, __HYPERVISOR_domctl, (uintptr_t)ours, 0), -EFAULT);
    assert_int_equal(call(f, b, __HYPERVISOR_event_channel_op, EVTCHNOP_alloc_unbound, UINT64_MAX), -EFAULT);
    assert_int_equal(call(f, b, __HYPERVISOR_multicall, (uintptr_t)ours, 1), -EFAULT);
    assert_int_equal(call(f, b, __HYPERVISOR_multicall, end - sizeof(*m), 2), -EFAULT);

    *res = (struct xen_memory_reservation){ .nr_extents = 1, .domid = f->d->domain_id };
    res->extent_start.p = (void *)ours;
    assert_int_equal(call(f, b, __HYPERVISOR_memory_op, XENMEM_increase_reservation, THERE), 0); /* none was done */
    assert_int_equal(ours[0], 0);

    *m = (struct multicall_entry){ .op = __HYPERVISOR_xen_version, .args = { XENVER_extraversion, (uintptr_t)ours } };
    assert_int_equal(call(f, b, __HYPERVISOR_multicall, THERE, 1), 0);
    assert_int_equal((long)m->result, -EFAULT);
    assert_int_equal(ours[0], 0);
    assert_ptr_equal(native_vcpu(f->dom0)->caller_mem, &native_caller_mem);
    free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(structures_travel, fix_setup, fix_teardown),
        cmocka_unit_test_setup_teardown(handles_inside, fix_setup, fix_teardown),
        cmocka_unit_test_setup_teardown(out_of_range, fix_setup, fix_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
