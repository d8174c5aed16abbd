// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * CPU policies as lists of leaves and MSRs: the form in which the toolstack reads, changes, saves and gives them back.
 *
 * Concept: a leaf is {number, subleaf, EAX, EBX, ECX, EDX}, and a policy's are in ascending order: the basic ones up to
 * the policy's own limit (4, 7 and 0xb in subleaves; the others have "no subleaf"), the hypervisors' two, the extended
 * ones. What comes back may lack some, and is laid over the policy that is there; then what the new limits cut off is
 * zeroed, and the whole is looked at.
 *
 * Corresponds to Xen's lib/x86/cpuid.c, msr.c and policy.c.
 */
#include "vcpu/cpu_policy.h"

#include <errno.h>
#include <string.h>

#define MSR_INTEL_PLATFORM_INFO 0xceu
#define MSR_ARCH_CAPABILITIES   0x10au
#define HYPERVISOR_LEAF         0x40000000u
#define HYPERVISOR_LEAF_2       0x40000100u
#define NO_SUBLEAF              XEN_CPUID_NO_SUBLEAF

struct leaf_writer {
    xen_cpuid_leaf_t *next;
};

static void put(struct leaf_writer *w, uint32_t leaf, uint32_t subleaf, const struct cpuid_leaf *l)
{
    *w->next++ = (xen_cpuid_leaf_t){ leaf, subleaf, l->a, l->b, l->c, l->d };
}

static unsigned int limit(uint32_t last, unsigned int room) { return last < room ? last + 1 : room; }

static uint32_t cache_type(const struct cpuid_leaf *l) { return l->a & 0x1f; }
static uint32_t topo_type(const struct cpuid_leaf *l) { return l->c >> 8 & 0xff; }

/* Up to and including the first whose type is none. */
static void put_typed(struct leaf_writer *w, uint32_t leaf, const struct cpuid_leaf *l, unsigned int nr,
                      uint32_t (*type)(const struct cpuid_leaf *l))
{
    for (unsigned int i = 0; i < nr; i++) {
        put(w, leaf, i, &l[i]);
        if (!type(&l[i]))
            break;
    }
}

static void put_basic(struct leaf_writer *w, const struct cpu_policy *p, uint32_t leaf)
{
    switch (leaf) {
    case 4: put_typed(w, leaf, p->cache, CPUID_GUEST_NR_CACHE, cache_type); break;
    case 7:
        for (unsigned int i = 0; i < limit(p->feat[0].a, CPUID_GUEST_NR_FEAT); i++)
            put(w, leaf, i, &p->feat[i]);
        break;
    case 0xb: put_typed(w, leaf, p->topo, CPUID_GUEST_NR_TOPO, topo_type); break;
    default: put(w, leaf, NO_SUBLEAF, &p->basic[leaf]);
    }
}

unsigned int cpu_policy_copy_leaves(const struct cpu_policy *p, xen_cpuid_leaf_t leaves[CPUID_MAX_SERIALISED_LEAVES])
{
    struct leaf_writer w = { leaves };

    for (unsigned int i = 0; i < limit(p->basic[0].a, CPUID_GUEST_NR_BASIC); i++)
        put_basic(&w, p, i);
    put(&w, HYPERVISOR_LEAF, NO_SUBLEAF, &(struct cpuid_leaf){ .a = p->hv_limit });
    put(&w, HYPERVISOR_LEAF_2, NO_SUBLEAF, &(struct cpuid_leaf){ .a = p->hv2_limit });
    for (unsigned int i = 0; i < limit(p->extd[0].a & 0xffff, CPUID_GUEST_NR_EXTD_AMD); i++)
        put(&w, 0x80000000 + i, NO_SUBLEAF, &p->extd[i]);
    return (unsigned int)(w.next - leaves);
}

unsigned int cpu_policy_copy_msrs(const struct cpu_policy *p, xen_msr_entry_t msrs[MSR_MAX_SERIALISED_ENTRIES])
{
    msrs[0] = (xen_msr_entry_t){ .idx = MSR_INTEL_PLATFORM_INFO, .val = p->platform_info };
    msrs[1] =
        (xen_msr_entry_t){ .idx = MSR_ARCH_CAPABILITIES, .val = p->arch_caps[0] | (uint64_t)p->arch_caps[1] << 32 };
    return 2;
}

/* The place of a leaf: NULL if there is none. *dummy is for what a policy takes and does not keep. */
static struct cpuid_leaf *leaf_place(struct cpu_policy *p, uint32_t leaf, uint32_t subleaf, struct cpuid_leaf *dummy)
{
    const uint32_t ext = leaf - 0x80000000;

    switch (leaf) {
    case 4: return subleaf < CPUID_GUEST_NR_CACHE ? &p->cache[subleaf] : NULL;
    case 7: return subleaf < CPUID_GUEST_NR_FEAT ? &p->feat[subleaf] : NULL;
    case 0xb: return subleaf < CPUID_GUEST_NR_TOPO ? &p->topo[subleaf] : NULL;
    case 0xd: return subleaf < CPUID_GUEST_NR_XSTATE ? dummy : NULL;
    }
    if (subleaf != NO_SUBLEAF)
        return NULL;
    if (leaf == HYPERVISOR_LEAF || leaf == HYPERVISOR_LEAF_2)
        return dummy;
    if (leaf < CPUID_GUEST_NR_BASIC)
        return &p->basic[leaf];
    return ext < CPUID_GUEST_NR_EXTD_AMD ? &p->extd[ext] : NULL;
}

int cpu_policy_set_leaf(struct cpu_policy *p, const xen_cpuid_leaf_t *l)
{
    struct cpuid_leaf dummy, *place = leaf_place(p, l->leaf, l->subleaf, &dummy);

    if (!place)
        return -ERANGE;
    *place = (struct cpuid_leaf){ l->a, l->b, l->c, l->d };
    if (l->leaf == HYPERVISOR_LEAF)
        p->hv_limit = l->a;
    if (l->leaf == HYPERVISOR_LEAF_2)
        p->hv2_limit = l->a;
    if (l->leaf == 0xd && l->subleaf == 1)
        p->xstate_1a = l->a;
    return 0;
}

int cpu_policy_set_msr(struct cpu_policy *p, const xen_msr_entry_t *m)
{
    if (m->flags)
        return -EINVAL;
    switch (m->idx) {
    case MSR_INTEL_PLATFORM_INFO:
        if (m->val != (uint32_t)m->val)
            return -EOVERFLOW;
        p->platform_info = (uint32_t)m->val;
        return 0;
    case MSR_ARCH_CAPABILITIES:
        p->arch_caps[0] = (uint32_t)m->val;
        p->arch_caps[1] = (uint32_t)(m->val >> 32);
        return 0;
    default: return -ERANGE;
    }
}

static void zero_from(struct cpuid_leaf *l, unsigned int first, unsigned int nr)
{
    if (first < nr)
        memset(&l[first], 0, (nr - first) * sizeof(*l));
}

/* The first subleaf whose type is none. */
static unsigned int typed_end(const struct cpuid_leaf *l, unsigned int nr, uint32_t (*type)(const struct cpuid_leaf *l))
{
    unsigned int i = 0;

    while (i < nr && type(&l[i]))
        i++;
    return i;
}

void x86_cpuid_policy_clear_out_of_range_leaves(struct cpu_policy *p)
{
    const uint32_t max = p->basic[0].a;

    zero_from(p->basic, limit(max, CPUID_GUEST_NR_BASIC), CPUID_GUEST_NR_BASIC);
    zero_from(p->cache, max < 4 ? 0 : typed_end(p->cache, CPUID_GUEST_NR_CACHE, cache_type), CPUID_GUEST_NR_CACHE);
    zero_from(p->feat, max < 7 ? 0 : limit(p->feat[0].a, CPUID_GUEST_NR_FEAT), CPUID_GUEST_NR_FEAT);
    zero_from(p->topo, max < 0xb ? 0 : typed_end(p->topo, CPUID_GUEST_NR_TOPO, topo_type), CPUID_GUEST_NR_TOPO);
    if (max < 0xd)
        p->xstate_1a = 0;
    zero_from(p->extd, limit(p->extd[0].a & 0xffff, CPUID_GUEST_NR_EXTD_AMD), CPUID_GUEST_NR_EXTD_AMD);
}

int x86_cpu_policies_are_compatible(const struct cpu_policy *host, const struct cpu_policy *guest,
                                    struct cpu_policy_errors *e)
{
    *e = (struct cpu_policy_errors){ -1, -1, -1 };
    if (guest->basic[0].a > host->basic[0].a)
        e->leaf = 0;
    else if (guest->feat[0].a > host->feat[0].a)
        e->leaf = 7, e->subleaf = 0;
    else if (guest->extd[0].a > host->extd[0].a)
        e->leaf = 0x80000000;
    else if (guest->platform_info & ~host->platform_info)
        e->msr = MSR_INTEL_PLATFORM_INFO;
    else
        return 0;
    return -EINVAL;
}
