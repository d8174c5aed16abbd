// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * CPU policies, as lists of leaves: libxenctrl's xc_cpuid_x86.c. MSRs are left as they are.
 */
#include "tools/xc/xc_private.h"

int xc_get_system_cpu_policy(struct xc_handle *xc, uint32_t index, xen_cpuid_leaf_t *leaves, uint32_t *nr)
{
    struct xen_sysctl op = { .cmd = XEN_SYSCTL_get_cpu_policy, .u.cpu_policy = { .index = index, .nr_leaves = *nr } };
    int rc;

    op.u.cpu_policy.leaves.p = leaves;
    rc = xc_sysctl(xc, &op);
    *nr = op.u.cpu_policy.nr_leaves;
    return rc;
}

int xc_get_domain_cpu_policy(struct xc_handle *xc, domid_t domid, xen_cpuid_leaf_t *leaves, uint32_t *nr)
{
    struct xen_domctl op = { .cmd = XEN_DOMCTL_get_cpu_policy, .domain = domid, .u.cpu_policy.nr_leaves = *nr };
    int rc;

    op.u.cpu_policy.leaves.p = leaves;
    rc = xc_domctl(xc, &op);
    *nr = op.u.cpu_policy.nr_leaves;
    return rc;
}

int xc_set_domain_cpu_policy(struct xc_handle *xc, domid_t domid, const xen_cpuid_leaf_t *leaves, uint32_t nr,
                             uint32_t *err_leaf, uint32_t *err_subleaf)
{
    struct xen_domctl op = { .cmd = XEN_DOMCTL_set_cpu_policy,
                             .domain = domid,
                             .u.cpu_policy = { .nr_leaves = nr, .err_leaf = -1, .err_subleaf = -1 } };
    int rc;

    op.u.cpu_policy.leaves.p = (xen_cpuid_leaf_t *)leaves;
    rc = xc_domctl(xc, &op);
    *err_leaf = op.u.cpu_policy.err_leaf;
    *err_subleaf = op.u.cpu_policy.err_subleaf;
    return rc;
}
