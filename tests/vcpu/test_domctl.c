// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * domctl: what is refused, to whom, and with which of Xen's errors.
 *
 * Budget: many small cases over one fixture.
 */
#include "tests/vcpu/fixture.h"
#include "vcpu/domctl.h"

#include <xen/memory.h>
#include <xen/sysctl.h>

/* --- who may --- */

static void only_dom0_may(void **state)
{
    struct fixture *f = *state;
    struct xen_domctl op = { .cmd = XEN_DOMCTL_pausedomain, .interface_version = XEN_DOMCTL_INTERFACE_VERSION };
    struct xen_sysctl sys = { .cmd = XEN_SYSCTL_physinfo, .interface_version = XEN_SYSCTL_INTERFACE_VERSION };
    struct xen_domctl old = op;

    op.domain = f->d->domain_id;
    assert_int_equal(fix_hypercall(f, __HYPERVISOR_domctl, fix_put(f, 0, &op, sizeof(op)), 0, 0, 0), -EPERM);
    op.cmd = XEN_DOMCTL_createdomain;
    assert_int_equal(fix_hypercall(f, __HYPERVISOR_domctl, fix_put(f, 0, &op, sizeof(op)), 0, 0, 0), -EPERM);
    op.cmd = XEN_DOMCTL_pausedomain;
    op.domain = 4711;
    assert_int_equal(fix_hypercall(f, __HYPERVISOR_domctl, fix_put(f, 0, &op, sizeof(op)), 0, 0, 0), -ESRCH);
    old.interface_version--;
    assert_int_equal(fix_hypercall(f, __HYPERVISOR_domctl, fix_put(f, 0, &old, sizeof(old)), 0, 0, 0), -EACCES);
    assert_int_equal(fix_hypercall(f, __HYPERVISOR_domctl, 0x1000, 0, 0, 0), -EFAULT);
    assert_int_equal(fix_hypercall(f, __HYPERVISOR_sysctl, fix_put(f, 0, &sys, sizeof(sys)), 0, 0, 0), -EPERM);
    assert_int_equal(f->d->controller_pause_count, 1);
}

/* --- createdomain --- */

static const struct xen_domctl_createdomain good = {
    .max_vcpus = 1,
    .max_evtchn_port = 1023,
    .max_grant_frames = 32,
    .max_maptrack_frames = 32,
    .grant_opts = 2,
};

static void createdomain_refusals(void **state)
{
    struct fixture *f = *state;
    struct {
        const char *why;
        struct xen_domctl_createdomain c;
    } bad[25];
    unsigned int n = 0;

#define BAD(text, assignment) bad[n].why = text, bad[n].c = good, bad[n].c.assignment, n++
    BAD("no vCPU", max_vcpus = 0);
    BAD("too many vCPUs", max_vcpus = MAX_VIRT_CPUS + 1);
    BAD("unknown flag", flags = 1u << 29);
    BAD("shadows without hvm", flags = XENLAB_DOMCTL_CDF_shadow_drop);
    BAD("a technique without hvm", flags = XENLAB_DOMCTL_technique(TECHNIQUE_EMULATE));
    BAD("ring 1 and hap", flags = XENLAB_DOMCTL_technique(TECHNIQUE_RING1) | XEN_DOMCTL_CDF_hvm | XEN_DOMCTL_CDF_hap);
    BAD("a fifth technique", flags = XENLAB_DOMCTL_technique(TECHNIQUE_TRANSLATE + 1) | XEN_DOMCTL_CDF_hvm);
    BAD("shadows and hap", flags = XENLAB_DOMCTL_CDF_shadow_drop | XEN_DOMCTL_CDF_hvm | XEN_DOMCTL_CDF_hap);
    BAD("native and HVM", flags = XENLAB_DOMCTL_CDF_native | XEN_DOMCTL_CDF_hvm);
    BAD("native with two vCPUs", flags = XENLAB_DOMCTL_CDF_native);
    bad[n - 1].c.max_vcpus = 2;
    BAD("hap without hvm", flags = XEN_DOMCTL_CDF_hap);
    BAD("no IOMMU here", flags = XEN_DOMCTL_CDF_iommu);
    BAD("tboot", flags = XEN_DOMCTL_CDF_s3_integrity);
    BAD("IOMMU options without one", iommu_opts = XEN_DOMCTL_IOMMU_no_sharept);
    BAD("virtual PMU", flags = XEN_DOMCTL_CDF_vpmu);
    BAD("nested virtualization", flags = XEN_DOMCTL_CDF_nested_virt);
    BAD("unknown grant option", grant_opts = 2 | 1u << 4);
    BAD("unknown architecture flag", arch.misc_flags = 2);
    BAD("no grant frame", max_grant_frames = 0);
    BAD("too many grant frames", max_grant_frames = 65);
    BAD("too many mappings", max_maptrack_frames = 1025);
    BAD("grant version 0", grant_opts = 0);
    BAD("grant version 3", grant_opts = 3);
    BAD("devices that do not exist", arch.emulation_flags = XEN_X86_EMU_ALL + 1);
    BAD("vmtrace", vmtrace_size = 4096);
    for (unsigned int i = 0; i < n; i++) {
        domid_t domid = 0;

        if (xc_domain_create(f->xc, &bad[i].c, &domid) != -EINVAL)
            fail_msg("%s is not refused", bad[i].why);
    }
    for (uint32_t flags = 1; flags <= XEN_X86_EMU_ALL; flags <<= 1) { /* devices of HVM guests */
        struct xen_domctl_createdomain c = good;
        domid_t domid = 0;

        c.arch.emulation_flags = flags;
        assert_int_equal(xc_domain_create(f->xc, &c, &domid), flags == XEN_X86_EMU_PIT ? 0 : -EOPNOTSUPP);
        if (flags == XEN_X86_EMU_PIT)
            assert_int_equal(xc_domain_destroy(f->xc, domid), 0);
    }
}

/* In Xen for HVM guests; here for native domains. Both have to be shut down. */
static void soft_reset_refusals(void **state)
{
    const uint32_t flags[] = { 0, XENLAB_DOMCTL_CDF_native };
    struct fixture *f = *state;

    for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
        struct xen_domctl_createdomain c = good;
        struct xen_domctl op = { .cmd = XEN_DOMCTL_soft_reset };
        domid_t domid = 0;

        c.flags = flags[i];
        assert_int_equal(xc_domain_create(f->xc, &c, &domid), 0);
        op.domain = domid;
        assert_int_equal(xc_domctl(f->xc, &op), -EINVAL);
        assert_int_equal(xc_domain_shutdown(f->xc, domid, SHUTDOWN_crash), 0);
        assert_int_equal(xc_domctl(f->xc, &op), flags[i] ? 0 : -EINVAL);
        assert_int_equal(xc_domctl(f->xc, &op), -EINVAL);
        assert_int_equal(xc_domain_destroy(f->xc, domid), 0);
    }
}

/* What may look wrong, and is not. */
static void createdomain_accepts(void **state)
{
    struct fixture *f = *state;
    struct {
        const char *what;
        struct xen_domctl_createdomain c;
    } ok[8];
    unsigned int n = 0;

#define OK(text, assignment) ok[n].what = text, ok[n].c = good, ok[n].c.assignment, n++
    OK("no port but the first, which is never used", max_evtchn_port = 0);
    OK("as many ports as you like", max_evtchn_port = UINT32_MAX);
    OK("out-of-sync", flags = XEN_DOMCTL_CDF_oos_off);
    OK("xenstore", flags = XEN_DOMCTL_CDF_xs_domain);
    OK("relaxed MSRs", arch.misc_flags = XEN_X86_MSR_RELAXED);
    OK("default grant frames", max_grant_frames = -1);
    OK("no mapping", max_maptrack_frames = 0);
    OK("as many vCPUs as can be", max_vcpus = MAX_VIRT_CPUS);
    for (unsigned int i = 0; i < n; i++) {
        domid_t domid = 0;

        if (xc_domain_create(f->xc, &ok[i].c, &domid))
            fail_msg("%s is refused", ok[i].what);
        assert_int_equal(domain_from(f->xen, domid)->msr_relaxed, !!ok[i].c.arch.misc_flags);
        assert_int_equal(xc_domain_destroy(f->xc, domid), 0);
    }
}

/* A domain is born into a CPU pool that has pCPUs, and says which. (The machine of these tests has one pCPU.) */
static void createdomain_in_a_pool(void **state)
{
    struct fixture *f = *state;
    struct xen_domctl_createdomain c = good;
    struct xen_domctl_getdomaininfo info;
    domid_t domid = 0;
    uint32_t pool;

    c.cpupool_id = 1;
    assert_int_equal(xc_domain_create(f->xc, &c, &domid), -ESRCH);
    assert_int_equal(xc_cpupool_create(f->xc, XEN_SCHEDULER_CREDIT, &pool), 0);
    assert_int_equal(pool, 1);
    assert_int_equal(xc_domain_create(f->xc, &c, &domid), -ENODEV);
    c.cpupool_id = 0;
    assert_int_equal(xc_domain_create(f->xc, &c, &domid), 0);
    assert_int_equal(xc_domain_getinfo(f->xc, domid, &info), 0);
    assert_int_equal(info.cpupool, 0);
    assert_int_equal(xc_cpupool_movedomain(f->xc, pool, domid), -ENOENT);
    assert_int_equal(xc_domain_destroy(f->xc, domid), 0);
}

/* --- vCPUs --- */

/* Of binary translation a guest has one; the second, of which no policy knows yet, is let go. */
static void second_vcpu_refused(void **state)
{
    static const char *const policies[] = { "rr", "credit", "credit2", "rtds", "null", "arinc653" };

    for (size_t i = 0; i < ARRAY_SIZE(policies); i++) {
        struct fixture *f = fix_machine(2);
        struct xen_domctl_createdomain c = good;
        domid_t domid = 0;

        f->sched = policies[i];
        fix_hypervisor(f);
        c.flags = XEN_DOMCTL_CDF_hvm | XENLAB_DOMCTL_technique(TECHNIQUE_TRANSLATE);
        c.max_vcpus = 2;
        assert_int_equal(xc_domain_create(f->xc, &c, &domid), 0);
        assert_int_equal(xc_domain_max_vcpus(f->xc, domid, 2), -EOPNOTSUPP);
        assert_true(f->xen->domain_of[domid]->vcpu[0] && !f->xen->domain_of[domid]->vcpu[1]);
        assert_int_equal(xc_domain_destroy(f->xc, domid), 0);
        fix_teardown(&(void *){ f });
    }
}

static void vcpu_refusals(void **state)
{
    struct fixture *f = *state;
    domid_t id = f->d->domain_id;
    struct vcpu_guest_context *c = calloc(1, sizeof(*c));
    struct xen_domctl get = { .cmd = XEN_DOMCTL_getvcpucontext, .domain = id };

    assert_int_equal(xc_domain_max_vcpus(f->xc, id, 5), -EINVAL); /* must agree with createdomain */
    assert_int_equal(xc_domain_max_vcpus(f->xc, id, 4), 0);       /* harmless again */
    assert_int_equal(xc_vcpu_setcontext(f->xc, id, 4, c), -EINVAL);
    assert_int_equal(xc_vcpu_setcontext(f->xc, 0, 0, c), -EINVAL); /* not itself */
    c->user_regs.rip = UINT64_C(0x0000800000000000);
    assert_int_equal(xc_vcpu_setcontext(f->xc, id, 1, c), -EINVAL); /* not canonical */
    c->user_regs.rip = 0;
    c->ctrlreg[3] = UINT64_C(0x123456) << PAGE_SHIFT;
    assert_int_equal(xc_vcpu_setcontext(f->xc, id, 1, c), -EINVAL); /* no frame of the guest's */
    get.u.vcpucontext.vcpu = 4;
    assert_int_equal(xc_domctl(f->xc, &get), -EINVAL);
    get.u.vcpucontext.vcpu = 1;
    get.u.vcpucontext.ctxt.p = c;
    assert_int_equal(xc_domctl(f->xc, &get), -ENODATA);
    get.u.vcpucontext.vcpu = 0;
    assert_int_equal(xc_domctl(f->xc, &get), 0);
    assert_int_equal(c->user_regs.rip, f->v->regs->rip);
    assert_int_equal(c->ctrlreg[3] >> PAGE_SHIFT, mfn_x(f->v->pv.guest_table));
    assert_true(c->flags & VGCF_IN_KERNEL);
    free(c);
}

/* --- suspend and resume --- */

static void shutdown_flags(struct fixture *f, bool shut_down, unsigned int reason)
{
    struct xen_domctl_getdomaininfo info;

    assert_int_equal(xc_domain_getinfo(f->xc, f->d->domain_id, &info), 0);
    assert_int_equal((info.flags & XEN_DOMINF_shutdown) != 0, shut_down);
    assert_int_equal(info.flags >> XEN_DOMINF_shutdownshift & XEN_DOMINF_shutdownmask, reason);
    assert_int_equal(info.flags >> XEN_DOMINF_shutdownshift, shut_down ? reason : 0xffff); /* "none" is all ones */
}

/* The guest says SHUTDOWN_suspend: it stops, dom0 is told, and nothing of it is lost. */
static void suspend(struct fixture *f, evtchn_port_t virq)
{
    struct sched_shutdown op = { .reason = SHUTDOWN_suspend };

    f->xen->dom0->shared_info->evtchn_pending[virq / 64] = 0;
    assert_int_equal(fix_hypercall(f, __HYPERVISOR_sched_op, SCHEDOP_shutdown, fix_put(f, 0, &op, sizeof(op)),
                                   mfn_x(f->v->pv.guest_table), 0),
                     0);
    shutdown_flags(f, true, SHUTDOWN_suspend);
    assert_false(vcpu_runnable(f->v));
    assert_true(f->xen->dom0->shared_info->evtchn_pending[virq / 64] >> (virq % 64) & 1);
    assert_int_equal(f->d->crash_reason[0], 0);
}

static void resume_after_suspend(void **state)
{
    struct fixture *f = *state;
    domid_t id = f->d->domain_id;
    evtchn_port_t virq;

    assert_int_equal(xc_evtchn_bind_virq(f->xc, VIRQ_DOM_EXC, &virq), 0);
    assert_int_equal(xc_domain_unpause(f->xc, id), 0);
    assert_int_equal(xc_domain_resume(f->xc, id), 0); /* harmless: it is not shut down */
    shutdown_flags(f, false, 255);
    assert_true(vcpu_runnable(f->v));

    for (int i = 0; i < 2; i++) { /* and again */
        suspend(f, virq);
        assert_int_equal(xc_domain_pause(f->xc, id), 0);
        assert_int_equal(xc_domain_resume(f->xc, id), 0);
        shutdown_flags(f, false, 255);
        assert_false(vcpu_runnable(f->v)); /* a pause counts on its own */
        assert_int_equal(xc_domain_unpause(f->xc, id), 0);
        assert_true(vcpu_runnable(f->v));
    }
    domain_crash(f->v, "a test");
    assert_int_equal(xc_domain_resume(f->xc, id), 0); /* Xen resumes whatever is shut down */
    shutdown_flags(f, false, 255);
    assert_int_equal(f->d->crash_reason[0], 0);
}

/*
 * What becomes of the first vCPU's registers when the toolstack calls a suspend off, and of another vCPU when it does
 * not.
 */
static void contexts_around_a_resume(void **state)
{
    struct fixture *f = *state;
    domid_t id = f->d->domain_id;
    struct vcpu_guest_context *c = calloc(1, sizeof(*c)), *second = calloc(1, sizeof(*c));
    const uint64_t rip = f->v->regs->rip;
    evtchn_port_t virq;

    assert_int_equal(xc_evtchn_bind_virq(f->xc, VIRQ_DOM_EXC, &virq), 0);
    assert_int_equal(xc_vcpu_getcontext(f->xc, id, 0, second), 0);
    assert_int_equal(xc_vcpu_setcontext(f->xc, id, 1, second), 0);
    assert_true(f->d->vcpu[1]->is_initialised);
    f->d->vcpu[1]->pause_flags |= VPF_poll;
    suspend(f, virq);

    assert_int_equal(xc_vcpu_getcontext(f->xc, id, 0, c), 0);
    assert_int_equal(c->user_regs.rdx, mfn_x(f->v->pv.guest_table)); /* the third argument is still there */
    c->user_regs.rax = 1;
    c->ctrlreg[1] = c->ctrlreg[3];
    assert_int_equal(xc_vcpu_setcontext(f->xc, id, 0, c), -EOPNOTSUPP); /* tables are the guest's affair */
    c->ctrlreg[1] = 0;
    c->gdt_ents++;
    assert_int_equal(xc_vcpu_setcontext(f->xc, id, 0, c), -EOPNOTSUPP);
    c->gdt_ents--;
    c->ldt_base += 4096;
    assert_int_equal(xc_vcpu_setcontext(f->xc, id, 0, c), -EOPNOTSUPP);
    c->ldt_base -= 4096;
    assert_int_equal(xc_vcpu_setcontext(f->xc, id, 0, c), 0);
    assert_int_equal(f->v->regs->rax, 1);
    assert_int_equal(f->v->regs->rip, rip);

    assert_int_equal(xc_vcpu_setcontext(f->xc, id, 1, NULL), 0); /* reset */
    assert_true(!f->d->vcpu[1]->is_initialised && f->d->vcpu[1]->pause_flags == VPF_down);
    assert_true(mfn_eq(f->d->vcpu[1]->pv.guest_table, INVALID_MFN));
    assert_int_equal(xc_vcpu_getcontext(f->xc, id, 1, c), -ENODATA);
    assert_int_equal(xc_vcpu_setcontext(f->xc, id, 1, NULL), 0); /* harmless again */
    assert_int_equal(xc_vcpu_setcontext(f->xc, id, 1, second), 0);
    free(second);
    free(c);
}

/* --- lists --- */

static void lists(void **state)
{
    struct fixture *f = *state;
    struct xen_domctl_getdomaininfo info[4];
    struct xen_domctl op = { .cmd = XEN_DOMCTL_getdomaininfo, .domain = 1 };
    struct xen_sysctl sys = { .cmd = XEN_SYSCTL_getdomaininfolist, .u.getdomaininfolist.max_domains = 4 };
    struct xen_sysctl_physinfo phys;
    uint64_t free_before;

    sys.u.getdomaininfolist.buffer.p = info;
    assert_int_equal(xc_sysctl(f->xc, &sys), 0);
    assert_int_equal(sys.u.getdomaininfolist.num_domains, 2);
    assert_int_equal(info[0].domain, 0);
    assert_int_equal(info[1].domain, f->d->domain_id);
    assert_int_equal(info[1].tot_pages, FIX_PAGES);
    assert_int_equal(info[1].max_pages, FIX_PAGES);
    assert_int_equal(info[1].max_vcpu_id, 3);
    assert_int_equal(info[1].nr_online_vcpus, 1);
    op.domain = 0;
    assert_int_equal(xc_domctl(f->xc, &op), 0);
    assert_int_equal(op.domain, 0);
    op.domain = (domid_t)(f->d->domain_id + 1);
    assert_int_equal(xc_domctl(f->xc, &op), -ESRCH);

    assert_int_equal(xc_physinfo(f->xc, &phys), 0);
    assert_int_equal(phys.total_pages, 128 << 8);
    free_before = phys.free_pages;
    assert_int_equal(xc_domain_destroy(f->xc, f->d->domain_id), 0);
    assert_int_equal(xc_physinfo(f->xc, &phys), 0);
    assert_true(phys.free_pages >= free_before + FIX_PAGES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(only_dom0_may, fix_setup, fix_teardown),
        cmocka_unit_test(second_vcpu_refused),
        cmocka_unit_test_setup_teardown(createdomain_refusals, fix_setup, fix_teardown),
        cmocka_unit_test_setup_teardown(soft_reset_refusals, fix_setup, fix_teardown),
        cmocka_unit_test_setup_teardown(createdomain_accepts, fix_setup, fix_teardown),
        cmocka_unit_test_setup_teardown(createdomain_in_a_pool, fix_setup, fix_teardown),
        cmocka_unit_test_setup_teardown(vcpu_refusals, fix_setup, fix_teardown),
        cmocka_unit_test_setup_teardown(resume_after_suspend, fix_setup, fix_teardown),
        cmocka_unit_test_setup_teardown(contexts_around_a_resume, fix_setup, fix_teardown),
        cmocka_unit_test_setup_teardown(lists, fix_setup, fix_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
