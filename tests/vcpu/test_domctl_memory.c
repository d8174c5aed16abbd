// SPDX-License-Identifier: GPL-2.0-or-later
/* domctl: a domain's memory, width and target; sysctl: what is asked of the machine. */
#include "tests/vcpu/fixture.h"

#include <xen/memory.h>
#include <xen/sysctl.h>

/* --- a limit on memory --- */

static long pages_more(struct fixture *f, uint64_t nr)
{
    struct xen_memory_reservation r = { .nr_extents = nr, .domid = DOMID_SELF };

    return fix_hypercall(f, __HYPERVISOR_memory_op, XENMEM_increase_reservation, fix_put(f, 0, &r, sizeof(r)), 0, 0);
}

/* nr pages from pfn on, which nothing maps, go back. */
static long pages_back(struct fixture *f, uint64_t pfn, uint64_t nr)
{
    struct xen_memory_reservation r = { .nr_extents = nr, .domid = DOMID_SELF };
    uint64_t mfn[16] = { 0 };

    for (uint64_t i = 0; i < nr; i++)
        while (get_gpfn_from_mfn(f->xen, _mfn(mfn[i])) != pfn + i)
            assert_in_range(++mfn[i], 1, f->m->nr_frames - 1);
    r.extent_start.p = (xen_pfn_t *)fix_put(f, 256, mfn, sizeof(mfn)); /* the guest's address */
    return fix_hypercall(f, __HYPERVISOR_memory_op, XENMEM_decrease_reservation, fix_put(f, 0, &r, sizeof(r)), 0, 0);
}

/* The limit may be less than the domain has, which then goes down with what it gives back, and never up again. */
static void max_mem_ratchets_down(void **state)
{
    struct fixture *f = *state;
    const domid_t domid = f->d->domain_id;
    const uint64_t limit = FIX_PAGES - 10;

    f->d->creation_finished = true;
    assert_int_equal(f->d->tot_pages, FIX_PAGES);
    assert_int_equal(xc_domain_setmaxmem(f->xc, domid, limit << 2), 0);
    assert_int_equal(f->d->tot_pages, FIX_PAGES);
    assert_int_equal(f->d->max_pages, limit);
    assert_int_equal(pages_more(f, 1), 0);
    assert_int_equal(pages_back(f, FIX_PAGES - 4, 4), 4);
    assert_int_equal(f->d->tot_pages, FIX_PAGES - 4);
    assert_int_equal(pages_more(f, 1), 0); /* still above */
    assert_int_equal(pages_back(f, FIX_PAGES - 10, 6), 6);
    assert_int_equal(pages_more(f, 1), 0); /* at the limit */
    assert_int_equal(pages_back(f, FIX_PAGES - 13, 3), 3);
    assert_int_equal(pages_more(f, 16), 3); /* below: up to it */
    assert_int_equal(f->d->tot_pages, limit);
    assert_int_equal(xc_domain_setmaxmem(f->xc, domid, (limit + 2) << 2), 0);
    assert_int_equal(pages_more(f, 16), 2);
    assert_int_equal(xc_domain_setmaxmem(f->xc, domid, 0), 0);
    assert_int_equal(f->d->max_pages, 0);
    assert_int_equal(xc_domain_setmaxmem(f->xc, domid, UINT64_MAX), 0);
    assert_int_equal(f->d->max_pages, UINT32_MAX);
}

/* No limit, as a number that is no error. */
static void dom0_has_no_limit(void **state)
{
    struct fixture *f = *state;
    struct xen_memory_domain self = { DOMID_SELF };

    assert_int_equal(hypercall_native(native_vcpu(f->dom0), __HYPERVISOR_memory_op, XENMEM_maximum_reservation,
                                      (uintptr_t)&self, 0, 0, 0),
                     UINT32_MAX);
}

/* The first vCPU of a 32-bit kernel starts in ring 1, in tables that Xen accepted. */
static void pv32_is_built(void **state)
{
    struct fixture *f = *state;
    struct xen_domctl op = { .cmd = XEN_DOMCTL_get_address_size };

    fix_guest(f, &kernel_legacy32);
    op.domain = f->d->domain_id;
    assert_int_equal(xc_domctl(f->xc, &op), 0);
    assert_int_equal(op.u.address_size.size, 32);
    assert_int_equal(f->v->regs->cpl, 1);
    assert_int_equal(f->v->regs->seg[CPU_SEG_CS].sel, 0xe019);
    assert_int_equal(xc_domain_set_address_size(f->xc, op.domain, 64), -EINVAL);
}

static void targets(void **state)
{
    struct fixture *f = *state;
    struct xen_domctl op = { .cmd = XEN_DOMCTL_set_target, .domain = f->d->domain_id };

    assert_int_equal(xc_domctl(f->xc, &op), -EOPNOTSUPP); /* a PV domain, 0 */
    op.u.set_target.target = 4711;
    assert_int_equal(xc_domctl(f->xc, &op), -ESRCH);
    op.u.set_target.target = DOMID_SELF;
    assert_int_equal(xc_domctl(f->xc, &op), -ESRCH);
    op.u.set_target.target = f->d->domain_id;
    assert_int_equal(xc_domctl(f->xc, &op), -EINVAL); /* itself */
    assert_int_equal(f->d->target, DOMID_INVALID);
    f->d->target = 17;
    op.u.set_target.target = 0;
    assert_int_equal(xc_domctl(f->xc, &op), -EINVAL); /* it has one */
    f->d->target = DOMID_INVALID;
}

/* --- sysctl --- */

static uint32_t readconsole(struct fixture *f, char *buf, uint32_t count, bool clear, uint32_t *incremental)
{
    struct xen_sysctl op = { .cmd = XEN_SYSCTL_readconsole };

    op.u.readconsole.clear = clear;
    op.u.readconsole.count = count;
    op.u.readconsole.incremental = !!incremental;
    op.u.readconsole.index = incremental ? *incremental : 0;
    op.u.readconsole.buffer.p = buf;
    assert_int_equal(xc_sysctl(f->xc, &op), 0);
    if (incremental)
        *incremental = op.u.readconsole.index;
    return op.u.readconsole.count;
}

/* xl dmesg -c: what has been read is gone for the next reader, and for him who reads on as well. */
static void console_is_cleared(void **state)
{
    struct fixture *f = *state;
    uint32_t index = 0, n;
    char buf[8192];

    readconsole(f, buf, sizeof(buf), true, NULL);
    assert_int_equal(readconsole(f, buf, sizeof(buf), false, NULL), 0);
    log_write(f->m, "one\n", 4);
    assert_int_equal(readconsole(f, buf, sizeof(buf), false, NULL), 4);
    assert_int_equal(readconsole(f, buf, sizeof(buf), false, NULL), 4);
    n = readconsole(f, buf, 3, true, &index); /* from an index that is gone; and three bytes are cleared */
    assert_int_equal(n, 3);
    assert_memory_equal(buf, "one", 3);
    log_write(f->m, "two\n", 4);
    assert_int_equal(readconsole(f, buf, sizeof(buf), false, &index), 5);
    assert_memory_equal(buf, "\ntwo\n", 5);
    assert_int_equal(readconsole(f, buf, sizeof(buf), false, &index), 0);
    assert_int_equal(readconsole(f, buf, sizeof(buf), false, NULL), 5);
    for (unsigned int i = 0; i < LOG_RING_SIZE / 4; i++) /* more than there is room for */
        log_write(f->m, "abc\n", 4);
    assert_int_equal(readconsole(f, buf, 4, true, NULL), 4);
    assert_memory_equal(buf, "abc\n", 4);
}

/* --- what a vCPU has beside its registers --- */

static void ext_context(void **state)
{
    struct fixture *f = *state;
    struct xen_domctl op = { .cmd = XEN_DOMCTL_get_ext_vcpucontext, .domain = f->d->domain_id };
    struct xen_domctl_ext_vcpucontext *c = &op.u.ext_vcpucontext;

    f->d->vcpu[0]->pv.syscall32_callback_eip = 0x1234;
    f->d->vcpu[0]->pv.syscall32_disables_events = true;
    assert_int_equal(xc_domctl(f->xc, &op), 0);
    assert_int_equal(c->size, sizeof(*c));
    assert_int_equal(c->syscall32_callback_eip, 0x1234);
    assert_int_equal(c->syscall32_disables_events, 1);
    assert_int_not_equal(c->vmce.caps, 0);
    op.cmd = XEN_DOMCTL_set_ext_vcpucontext;
    c->syscall32_callback_eip = 0x5678;
    assert_int_equal(xc_domctl(f->xc, &op), 0);
    assert_int_equal(f->d->vcpu[0]->pv.syscall32_callback_eip, 0x5678);
    c->vmce.caps |= 1u << 24; /* more than there is */
    assert_int_equal(xc_domctl(f->xc, &op), -EPERM);
    c->sysenter_callback_eip = UINT64_C(1) << 60;
    assert_int_equal(xc_domctl(f->xc, &op), -EINVAL);
    c->sysenter_callback_eip = 0;
    c->size = 8;
    assert_int_equal(xc_domctl(f->xc, &op), -EINVAL);
    c->vcpu = 77;
    assert_int_equal(xc_domctl(f->xc, &op), -ESRCH);
}

static void ext_state(void **state)
{
    struct fixture *f = *state;
    struct xen_domctl op = { .cmd = XEN_DOMCTL_getvcpuextstate, .domain = f->d->domain_id };
    struct xen_domctl_vcpuextstate *s = &op.u.vcpuextstate;
    uint64_t header[3] = { 7, 7, 7 };

    assert_int_equal(xc_domctl(f->xc, &op), 0); /* how much? */
    assert_int_equal(s->size, 16);
    assert_int_equal(s->xfeature_mask, 0);
    set_xen_guest_handle(s->buffer, header);
    assert_int_equal(xc_domctl(f->xc, &op), 0);
    assert_int_equal(header[1], 0);
    assert_int_equal(header[2], 7);
    s->size = 24;
    assert_int_equal(xc_domctl(f->xc, &op), -EINVAL);
    op.cmd = XEN_DOMCTL_setvcpuextstate;
    assert_int_equal(xc_domctl(f->xc, &op), -EINVAL);
    s->size = 16;
    assert_int_equal(xc_domctl(f->xc, &op), 0);
    s->vcpu = 1000;
    assert_int_equal(xc_domctl(f->xc, &op), -ESRCH);
}

static void vcpu_msrs(void **state)
{
    struct fixture *f = *state;
    struct xen_domctl op = { .cmd = XEN_DOMCTL_get_vcpu_msrs, .domain = f->d->domain_id };
    struct xen_domctl_vcpu_msrs *m = &op.u.vcpu_msrs;
    struct xen_domctl_vcpu_msr msr[2] = { { .index = 0x48 }, { .index = 0x10 } };

    assert_int_equal(xc_domctl(f->xc, &op), 0);
    assert_in_range(m->msr_count, 1, 16); /* at most so many */
    set_xen_guest_handle(m->msrs, msr);
    assert_int_equal(xc_domctl(f->xc, &op), 0);
    assert_int_equal(m->msr_count, 0);
    op.cmd = XEN_DOMCTL_set_vcpu_msrs;
    m->msr_count = 2;
    assert_int_equal(xc_domctl(f->xc, &op), -EINVAL); /* the TSC is none of them: */
    assert_int_equal(m->msr_count, 1);
    assert_int_equal(xc_domctl(f->xc, &op), 0);
    m->msr_count = 100;
    assert_int_equal(xc_domctl(f->xc, &op), -EINVAL);
    m->vcpu = 1000;
    assert_int_equal(xc_domctl(f->xc, &op), -ESRCH);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(max_mem_ratchets_down, fix_setup, fix_teardown),
        cmocka_unit_test_setup_teardown(dom0_has_no_limit, fix_setup, fix_teardown),
        cmocka_unit_test_setup_teardown(pv32_is_built, fix_setup, fix_teardown),
        cmocka_unit_test_setup_teardown(targets, fix_setup, fix_teardown),
        cmocka_unit_test_setup_teardown(console_is_cleared, fix_setup, fix_teardown),
        cmocka_unit_test_setup_teardown(ext_context, fix_setup, fix_teardown),
        cmocka_unit_test_setup_teardown(ext_state, fix_setup, fix_teardown),
        cmocka_unit_test_setup_teardown(vcpu_msrs, fix_setup, fix_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
