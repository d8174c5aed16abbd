// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * CPU policies: the toolstack's calls. XEN_DOMCTL_get_cpu_policy and set_cpu_policy for a domain,
 * XEN_SYSCTL_get_cpu_policy and get_cpu_featureset for the host's.
 *
 * Concept: lists go into buffers that the caller has measured: a null handle asks for the most there can be; a buffer
 * that is too short is filled, and the answer is -ENOBUFS. A domain's policy can be set until the domain first runs:
 * kernels look at CPUID early, and never again.
 *
 * Corresponds to xen/arch/x86/domctl.c (update_domain_cpu_policy) and sysctl.c. There are no HVM policies: -EOPNOTSUPP,
 * as of a Xen that was built without HVM.
 */
#include "mmu/guest_access.h"
#include "vcpu/cpu_policy.h"
#include "vcpu/noun/domain.h"

#include <errno.h>
#include <stdlib.h>
#include <xen/domctl.h>
#include <xen/sysctl.h>

#define HANDLE(h) ((uint64_t)(uintptr_t)(h).p)

/* n entries of `size` bytes to the guest's array with room for *nr. */
static int list_to_guest(struct vcpu *v, uint64_t to, uint32_t *nr, const void *list, unsigned int n, size_t size)
{
    if (copy_to_guest(v, to, list, (n < *nr ? n : *nr) * size))
        return -EFAULT;
    if (n > *nr)
        return -ENOBUFS;
    *nr = n;
    return 0;
}

static int leaves_to_guest(struct vcpu *v, const struct cpu_policy *p, uint64_t to, uint32_t *nr)
{
    xen_cpuid_leaf_t leaves[CPUID_MAX_SERIALISED_LEAVES];

    if (!to) {
        *nr = CPUID_MAX_SERIALISED_LEAVES;
        return 0;
    }
    return list_to_guest(v, to, nr, leaves, cpu_policy_copy_leaves(p, leaves), sizeof(leaves[0]));
}

static int msrs_to_guest(struct vcpu *v, const struct cpu_policy *p, uint64_t to, uint32_t *nr)
{
    xen_msr_entry_t msrs[MSR_MAX_SERIALISED_ENTRIES];

    if (!to) {
        *nr = MSR_MAX_SERIALISED_ENTRIES;
        return 0;
    }
    return list_to_guest(v, to, nr, msrs, cpu_policy_copy_msrs(p, msrs), sizeof(msrs[0]));
}

int domctl_get_cpu_policy(struct vcpu *v, struct domain *d, struct xen_domctl_cpu_policy *op)
{
    const int rc = leaves_to_guest(v, d->cpu_policy, HANDLE(op->leaves), &op->nr_leaves);

    return rc ? rc : msrs_to_guest(v, d->cpu_policy, HANDLE(op->msrs), &op->nr_msrs);
}

/* --- setting one --- */

static int leaves_from_guest(struct vcpu *v, struct cpu_policy *p, const struct xen_domctl_cpu_policy *op,
                             struct cpu_policy_errors *e)
{
    if (op->nr_leaves > CPUID_MAX_SERIALISED_LEAVES)
        return -E2BIG;
    for (uint32_t i = 0; i < op->nr_leaves; i++) {
        xen_cpuid_leaf_t l;

        if (copy_from_guest(v, &l, HANDLE(op->leaves) + i * sizeof(l), sizeof(l)))
            return -EFAULT;
        if (cpu_policy_set_leaf(p, &l)) {
            e->leaf = l.leaf;
            e->subleaf = l.subleaf;
            return -ERANGE;
        }
    }
    return 0;
}

static int msrs_from_guest(struct vcpu *v, struct cpu_policy *p, const struct xen_domctl_cpu_policy *op,
                           struct cpu_policy_errors *e)
{
    if (op->nr_msrs > MSR_MAX_SERIALISED_ENTRIES)
        return -E2BIG;
    for (uint32_t i = 0; i < op->nr_msrs; i++) {
        xen_msr_entry_t m;
        int rc;

        if (copy_from_guest(v, &m, HANDLE(op->msrs) + i * sizeof(m), sizeof(m)))
            return -EFAULT;
        rc = cpu_policy_set_msr(p, &m);
        if (rc) {
            e->msr = m.idx;
            return rc;
        }
    }
    return 0;
}

static int update_domain_cpu_policy(struct vcpu *v, struct domain *d, struct xen_domctl_cpu_policy *op)
{
    struct cpu_policy_errors e = { -1, -1, -1 };
    struct cpu_policy p = *d->cpu_policy;
    int rc = leaves_from_guest(v, &p, op, &e);

    if (!rc)
        rc = msrs_from_guest(v, &p, op, &e);
    if (!rc) {
        x86_cpuid_policy_clear_out_of_range_leaves(&p);
        rc = x86_cpu_policies_are_compatible(
            is_hvm_domain(d) ? &d->xen->cpu_policies->hvm_max : &d->xen->cpu_policies->pv_max, &p, &e);
    }
    if (rc) {
        op->err_leaf = e.leaf;
        op->err_subleaf = e.subleaf;
        op->err_msr = e.msr;
        return rc;
    }
    *d->cpu_policy = p;
    recalculate_cpuid_policy(d);
    return 0;
}

int domctl_set_cpu_policy(struct vcpu *v, struct domain *d, struct xen_domctl_cpu_policy *op)
{
    if (d == v->domain)
        return -EINVAL;
    return d->creation_finished ? -EEXIST : update_domain_cpu_policy(v, d, op);
}

/* --- the host's --- */

int sysctl_get_cpu_policy(struct vcpu *v, struct xen_sysctl_cpu_policy *op)
{
    const struct cpu_policies *c = v->domain->xen->cpu_policies;
    const struct cpu_policy *const table[] = {
        [XEN_SYSCTL_cpu_policy_raw] = &c->raw,           [XEN_SYSCTL_cpu_policy_host] = &c->host,
        [XEN_SYSCTL_cpu_policy_pv_max] = &c->pv_max,     [XEN_SYSCTL_cpu_policy_hvm_max] = &c->hvm_max,
        [XEN_SYSCTL_cpu_policy_pv_default] = &c->pv_def, [XEN_SYSCTL_cpu_policy_hvm_default] = &c->hvm_def,
    };
    int rc;

    if (op->_rsvd || op->index >= ARRAY_SIZE(table))
        return -EINVAL;
    if (!table[op->index])
        return -EOPNOTSUPP;
    rc = leaves_to_guest(v, table[op->index], HANDLE(op->leaves), &op->nr_leaves);
    return rc ? rc : msrs_to_guest(v, table[op->index], HANDLE(op->msrs), &op->nr_msrs);
}

int sysctl_get_cpu_featureset(struct vcpu *v, struct xen_sysctl_cpu_featureset *op)
{
    const struct cpu_policies *c = v->domain->xen->cpu_policies;
    const struct cpu_policy *const table[] = {
        [XEN_SYSCTL_cpu_featureset_raw] = &c->raw,       [XEN_SYSCTL_cpu_featureset_host] = &c->host,
        [XEN_SYSCTL_cpu_featureset_pv] = &c->pv_def,     [XEN_SYSCTL_cpu_featureset_hvm] = &c->hvm_def,
        [XEN_SYSCTL_cpu_featureset_pv_max] = &c->pv_max, [XEN_SYSCTL_cpu_featureset_hvm_max] = &c->hvm_max,
    };
    uint32_t fs[FEATURESET_NR_ENTRIES], room = op->nr_features;

    if (!HANDLE(op->features)) {
        op->nr_features = FEATURESET_NR_ENTRIES;
        return 0;
    }
    if (op->index >= ARRAY_SIZE(table))
        return -EINVAL;
    if (!table[op->index])
        return -EOPNOTSUPP;
    cpuid_policy_to_featureset(table[op->index], fs);
    if (op->nr_features > FEATURESET_NR_ENTRIES)
        op->nr_features = FEATURESET_NR_ENTRIES;
    if (copy_to_guest(v, HANDLE(op->features), fs, op->nr_features * sizeof(fs[0])))
        return -EFAULT;
    return room < FEATURESET_NR_ENTRIES ? -ENOBUFS : 0;
}
