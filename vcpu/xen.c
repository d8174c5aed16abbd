// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Bringing the hypervisor up and down. xen_create() is the boot order, one line a subsystem; compare __start_xen() in
 * xen/arch/x86/setup.c.
 */
#include "vcpu/noun/xen.h"

#include "evtchn/evtchn.h"
#include "mmu/page.h"
#include "vcpu/cpu_policy.h"
#include "vcpu/hvm/hvm.h"
#include "vcpu/hypercall.h"
#include "vcpu/noun/domain.h"
#include "vcpu/sched/names.h"
#include "vcpu/sched/sched.h"

#include <errno.h>
#include <stdio.h>
#include <xen/domctl.h>

/* 2026-01-01 00:00:00 UTC: the machine's real-time clock at power-on. A constant, so that runs repeat. */
#define BOOT_WALLCLOCK SECONDS(1767225600)

static void audit_refs(struct xen *xen, struct audit *a)
{
    evtchn_audit_refs(xen, a);
    ioreq_audit_refs(xen, a);
    hvm_frames_audit_refs(xen, a);
}

static const struct xen_hooks hooks = {
    .vcpu_unblock = vcpu_unblock,
    .domain_destroy = domain_destroy,
    .audit_refs = audit_refs,
    .new_domain = &pv64_guest,
    .new_hvm = &hvm_guest,
    .ioreq_server_get_frame = ioreq_server_get_frame,
    .hvm_assert_evtchn_irq = hvm_assert_evtchn_irq,
    .hvm_local_events_need_delivery = hvm_local_events_need_delivery,
    .new_native = &native_guest,
};

static int system_domains_create(struct xen *xen)
{
    int rc = domain_create(xen, DOMID_XEN, NULL, NULL, false, &xen->dom_xen);

    return rc ? rc : domain_create(xen, DOMID_IO, NULL, NULL, false, &xen->dom_io);
}

/*
 * The first domain exists from the first hypercall on; its kernel (vcpu/native/) is given to its vCPU later. It is
 * dom0, or it builds dom0: what in Xen the idle vCPU does while it boots (create_dom0()).
 */
static int dom0_create(struct xen *xen, bool builds_dom0)
{
    struct xen_domctl_createdomain config = {
        .max_vcpus = 1,
        .max_evtchn_port = ~0u,
        .max_grant_frames = -1,
        .max_maptrack_frames = -1,
        .grant_opts = 2,
    };
    const domid_t domid = builds_dom0 ? DOMID_FIRST_RESERVED - 1 : 0;
    int rc = domain_create(xen, domid, &native_guest, &config, true, &xen->dom0);

    if (!rc)
        rc = vcpu_create(xen->dom0, 0, NULL);
    if (rc)
        return rc;
    xen->dom0->max_pages = UINT32_MAX;
    xen->dom0->vcpu[0]->is_initialised = true;
    xen->dom0->vcpu[0]->pause_flags = 0;
    if (builds_dom0) {
        xen->boot = xen->dom0;
        xen->next_domid = 0;
    }
    return 0;
}

void xen_boot_done(struct xen *xen) { domain_list_remove(xen->boot); }

/* The processors, and whose turn it is on them. err says what is wrong with the choice of a policy. */
static int scheduling_init(struct xen *xen, const char *sched, const struct sched_ops *ops, char *err, size_t errlen)
{
    xen->nr_pcpus = xen->machine->nr_pcpus ?: 1; /* a machine without processors still schedules, in unit tests */
    for (unsigned int i = 0; i < xen->nr_pcpus; i++)
        xen->pcpu[i].online = true;
    xen->sched = ops ? sched_create_ops(xen, ops, (UINT64_C(1) << xen->nr_pcpus) - 1)
                     : sched_create(xen, sched, (UINT64_C(1) << xen->nr_pcpus) - 1);
    if (xen->sched)
        return 0;
    if (ops)
        snprintf(err, errlen, "the scheduler %s does not start: init or alloc_pdata failed", sched);
    else
        snprintf(err, errlen, "no scheduler \"%s\", or none with such parameters (there are: %s)", sched,
                 sched_names());
    return -EINVAL;
}

static int cpu_policies_init(struct xen *xen)
{
    xen->cpu_policies = cpu_policies_create(xen->machine->arena, xen->nr_pcpus);
    return xen->cpu_policies ? 0 : -ENOMEM;
}

struct xen *xen_create(struct machine *m, const char *sched, char *err, size_t errlen)
{
    return xen_create_ops(m, sched, NULL, false, err, errlen);
}

struct xen *xen_create_ops(struct machine *m, const char *sched, const struct sched_ops *ops, bool builds_dom0,
                           char *err, size_t errlen)
{
    struct xen *xen = xzalloc(m->arena, struct xen);
    int rc;

    if (!xen) {
        snprintf(err, errlen, "out of memory");
        return NULL;
    }
    *xen = (struct xen){ .machine = m,
                         .hooks = &hooks,
                         .hypercalls = hypercall_table,
                         .wallclock_offset = BOOT_WALLCLOCK,
                         .tsc_khz = 1000000,
                         .next_domid = 1 };
    *err = '\0';
    rc = scheduling_init(xen, sched, ops, err, errlen);
    rc = rc ?: cpu_policies_init(xen);        /* what CPUID may say */
    rc = rc ?: heap_init(xen);                /* the frame table, the heap, the machine-to-phys table */
    rc = rc ?: system_domains_create(xen);    /* owners of frames that are nobody's */
    rc = rc ?: dom0_create(xen, builds_dom0); /* the first domain; all others are its work */
    if (!rc)
        return xen;
    if (!*err)
        snprintf(err, errlen, "the hypervisor does not start: %s (more --ram?)",
                 rc == -ENOMEM ? "out of memory" : "bug");
    xen_destroy(xen);
    return NULL;
}

/* Destroy d, all of it that nobody else uses. */
static void domain_destroy_now(struct domain *d)
{
    while (domain_kill(d) == -ERESTART)
        ;
}

/* The youngest domain that is not dead yet: dom0 is the last to go. */
static struct domain *domain_last_alive(struct xen *xen)
{
    struct domain *last = NULL;

    for_each_domain (xen, d)
        if (d->is_dying != DOMDYING_dead)
            last = d;
    return last;
}

void xen_destroy(struct xen *xen)
{
    struct domain *d;

    if (!xen)
        return;
    /* Frames that others map keep a dead domain as a zombie; the last of these others is dom0. */
    while ((d = domain_last_alive(xen)))
        domain_destroy_now(d);
    if (xen->boot)
        xen->dom0 = NULL; /* it is gone: nobody is to be told of the last one's end */
    if (xen->boot && xen->boot->is_dying != DOMDYING_dead)
        domain_destroy_now(xen->boot);
    BUG_ON(xen->domain_list); /* a reference leaked */
    if (xen->dom_io)
        put_domain(xen->dom_io);
    if (xen->dom_xen)
        put_domain(xen->dom_xen);
    heap_destroy(xen);
    sched_destroy(xen->sched);
    xfree(xen->cpu_policies);
    xfree(xen);
}
