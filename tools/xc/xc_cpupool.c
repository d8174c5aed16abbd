// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * CPU pools: libxenctrl's xc_cpupool.c.
 */
#include "tools/xc/xc_private.h"

#include <errno.h>

static int cpupool_op(struct xc_handle *xc, uint32_t cmd, struct xen_sysctl_cpupool_op *op)
{
    struct xen_sysctl c = { .cmd = XEN_SYSCTL_cpupool_op, .u.cpupool_op = *op };
    int rc;

    c.u.cpupool_op.op = cmd;
    rc = xc_sysctl(xc, &c);
    *op = c.u.cpupool_op;
    return rc;
}

int xc_cpupool_getinfo(struct xc_handle *xc, uint32_t pool, uint32_t *sched_id, uint64_t *cpus)
{
    uint64_t bits = 0;
    struct xen_sysctl_cpupool_op op = { .cpupool_id = pool, .cpumap = bitmap64(&bits) };
    int rc = cpupool_op(xc, XEN_SYSCTL_CPUPOOL_OP_INFO, &op);

    if (rc || op.cpupool_id != pool)
        return rc ? rc : -ENOENT;
    if (sched_id)
        *sched_id = op.sched_id;
    if (cpus)
        *cpus = bits;
    return 0;
}

int xc_cpupool_create(struct xc_handle *xc, uint32_t sched_id, uint32_t *pool)
{
    struct xen_sysctl_cpupool_op op = { .cpupool_id = XEN_SYSCTL_CPUPOOL_PAR_ANY, .sched_id = sched_id };
    int rc = cpupool_op(xc, XEN_SYSCTL_CPUPOOL_OP_CREATE, &op);

    *pool = op.cpupool_id;
    return rc;
}

int xc_cpupool_addcpu(struct xc_handle *xc, uint32_t pool, uint32_t cpu)
{
    struct xen_sysctl_cpupool_op op = { .cpupool_id = pool, .cpu = cpu };

    return cpupool_op(xc, XEN_SYSCTL_CPUPOOL_OP_ADDCPU, &op);
}

int xc_cpupool_removecpu(struct xc_handle *xc, uint32_t pool, uint32_t cpu)
{
    struct xen_sysctl_cpupool_op op = { .cpupool_id = pool, .cpu = cpu };

    return cpupool_op(xc, XEN_SYSCTL_CPUPOOL_OP_RMCPU, &op);
}

int xc_cpupool_movedomain(struct xc_handle *xc, uint32_t pool, domid_t domid)
{
    struct xen_sysctl_cpupool_op op = { .cpupool_id = pool, .domid = domid };

    return cpupool_op(xc, XEN_SYSCTL_CPUPOOL_OP_MOVEDOMAIN, &op);
}
