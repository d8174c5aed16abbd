// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What tests of hypercalls about scheduling share: a machine of four pCPUs on which nothing runs; dom0 makes the calls.
 */
#ifndef TESTS_SCHED_MACHINE_H
#define TESTS_SCHED_MACHINE_H

#include "common.h"

#include "tools/xc/xc.h"
#include "vcpu/native/kernel.h"

struct fixture {
    struct machine *m;
    struct xen *xen;
    struct native_kernel *dom0;
    struct xc_handle *xc;
    struct domain *d; /* of two vCPUs, without a kernel */
    domid_t domid;
};

static inline struct domain *domain_create_empty(struct fixture *f)
{
    struct xen_domctl_createdomain c = {
        .max_vcpus = 2, .max_evtchn_port = 100, .max_grant_frames = 32, .max_maptrack_frames = 32, .grant_opts = 2
    };
    struct domain *d;
    domid_t domid = 0; /* any */

    assert_int_equal(xc_domain_create(f->xc, &c, &domid), 0);
    assert_int_equal(xc_domain_max_vcpus(f->xc, domid, 2), 0);
    d = get_domain_by_id(f->xen, domid);
    put_domain(d);
    return d;
}

static inline int setup(void **state)
{
    struct machine_config cfg = { .ram_mib = 64, .nr_pcpus = 4 };
    struct fixture *f = calloc(1, sizeof(*f));
    char err[256] = "";

    assert_non_null(f);
    f->m = machine_create(&cfg, err, sizeof(err));
    f->xen = f->m ? xen_create(f->m, "credit", err, sizeof(err)) : NULL;
    if (!f->xen)
        fail_msg("%s", err);
    f->dom0 = native_kernel_create(f->xen->dom0, NULL, 0);
    f->xc = xc_interface_open(native_vcpu(f->dom0));
    f->d = domain_create_empty(f);
    f->domid = f->d->domain_id;
    *state = f;
    return 0;
}

static inline int teardown(void **state)
{
    struct fixture *f = *state;

    xc_interface_close(f->xc);
    xen_destroy(f->xen);
    native_kernel_destroy(f->dom0);
    machine_destroy(f->m);
    free(f);
    return 0;
}

static inline int pool_op(struct fixture *f, uint32_t cmd, uint32_t id, uint32_t arg, struct xen_sysctl_cpupool_op *out,
                          uint64_t *map)
{
    struct xen_sysctl c = { .cmd = XEN_SYSCTL_cpupool_op };
    uint64_t here = 0;
    int rc;

    c.u.cpupool_op.op = cmd;
    c.u.cpupool_op.cpupool_id = id;
    c.u.cpupool_op.sched_id = c.u.cpupool_op.cpu = c.u.cpupool_op.domid = arg;
    c.u.cpupool_op.cpumap.nr_bits = 64;
    set_xen_guest_handle(c.u.cpupool_op.cpumap.bitmap, (uint8_t *)(map ? map : &here));
    rc = xc_sysctl(f->xc, &c);
    if (out)
        *out = c.u.cpupool_op;
    return rc;
}

static inline int pool(struct fixture *f, uint32_t cmd, uint32_t id, uint32_t arg)
{
    return pool_op(f, cmd, id, arg, NULL, NULL);
}

static inline int hotplug(struct fixture *f, uint32_t op, uint32_t cpu)
{
    struct xen_sysctl c = { .cmd = XEN_SYSCTL_cpu_hotplug, .u.cpu_hotplug = { .cpu = cpu, .op = op } };

    return xc_sysctl(f->xc, &c);
}

static inline int adjust(struct fixture *f, uint32_t sched_id, uint32_t cmd, struct xen_domctl_scheduler_op *op)
{
    struct xen_domctl c = { .cmd = XEN_DOMCTL_scheduler_op, .domain = f->domid, .u.scheduler_op = *op };
    int rc;

    c.u.scheduler_op.sched_id = sched_id;
    c.u.scheduler_op.cmd = cmd;
    rc = xc_domctl(f->xc, &c);
    *op = c.u.scheduler_op;
    return rc;
}

static inline int global(struct fixture *f, uint32_t id, uint32_t sched_id, uint32_t cmd,
                         struct xen_sysctl_scheduler_op *op)
{
    struct xen_sysctl c = { .cmd = XEN_SYSCTL_scheduler_op, .u.scheduler_op = *op };
    int rc;

    c.u.scheduler_op.cpupool_id = id;
    c.u.scheduler_op.sched_id = sched_id;
    c.u.scheduler_op.cmd = cmd;
    rc = xc_sysctl(f->xc, &c);
    *op = c.u.scheduler_op;
    return rc;
}

#define POOL(op, ...) pool(f, XEN_SYSCTL_CPUPOOL_OP_##op, __VA_ARGS__)
#define ANY           XEN_SYSCTL_CPUPOOL_PAR_ANY

#endif
