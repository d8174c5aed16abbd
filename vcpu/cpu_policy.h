// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * CPU policies: what a processor, a kind of guest, a domain has. See vcpu/cpu_policy.c.
 */
#ifndef VCPU_CPU_POLICY_H
#define VCPU_CPU_POLICY_H

#include <stdbool.h>
#include <stdint.h>
#include <xen/arch-x86/cpufeatureset.h>
#include <xen/xen.h>

/* One answer of CPUID: EAX EBX ECX EDX. */
struct cpuid_leaf {
    uint32_t a, b, c, d;
};

/* Leaves that a policy has room for, by kind (Xen: include/xen/lib/x86/cpu-policy.h). */
#define CPUID_GUEST_NR_BASIC      14
#define CPUID_GUEST_NR_CACHE      6  /* subleaves of 4 */
#define CPUID_GUEST_NR_FEAT       3  /* of 7 */
#define CPUID_GUEST_NR_TOPO       2  /* of 0xb */
#define CPUID_GUEST_NR_XSTATE     63 /* of 0xd */
#define CPUID_GUEST_NR_EXTD_INTEL 9
#define CPUID_GUEST_NR_EXTD_AMD   0x22

/* What the serialised form of a policy has at most: leaves 4, 7, 0xb and 0xd in parts, and two for hypervisors. */
#define CPUID_MAX_SERIALISED_LEAVES                                                                                    \
    (CPUID_GUEST_NR_BASIC - 4 + CPUID_GUEST_NR_CACHE + CPUID_GUEST_NR_FEAT + CPUID_GUEST_NR_TOPO +                     \
     CPUID_GUEST_NR_XSTATE + CPUID_GUEST_NR_EXTD_AMD + 2)
#define MSR_MAX_SERIALISED_ENTRIES 2

#define CPUID_FAULTING 0x80000000u /* in the MSR 0xce: the MSR 0x140 can make CPUID #GP in ring 3 */

/* Words of a featureset, as public arch-x86/cpufeatureset.h numbers them. */
#define FEATURESET_NR_ENTRIES 19

struct cpu_policy {
    struct cpuid_leaf basic[CPUID_GUEST_NR_BASIC];
    struct cpuid_leaf cache[CPUID_GUEST_NR_CACHE];
    struct cpuid_leaf feat[CPUID_GUEST_NR_FEAT];
    struct cpuid_leaf topo[CPUID_GUEST_NR_TOPO];
    struct cpuid_leaf extd[CPUID_GUEST_NR_EXTD_AMD];
    uint32_t xstate_1a;           /* 0xd:1.eax; no more of leaf 0xd, since XSAVE is offered to nobody */
    uint32_t hv_limit, hv2_limit; /* last of 0x40000000..., 0x40000100...; 0: as many as there are */
    uint32_t platform_info;       /* the MSR 0xce: CPUID_FAULTING */
    uint32_t arch_caps[2];        /* the MSR 0x10a */
};

/*
 * The policies of a host: what the processor says, what is used of it, and what of that guests get (vcpu/cpu_policy.c).
 */
struct cpu_policies {
    struct cpu_policy raw;              /* the processor's own answers */
    struct cpu_policy host;             /* what the hypervisor uses of it */
    struct cpu_policy pv_max;           /* what a PV guest can be given, */
    struct cpu_policy pv_def;           /* and what it gets when nobody says otherwise */
    struct cpu_policy hvm_max, hvm_def; /* the same of an HVM guest */
};

struct arena;
struct domain;
struct vcpu;
struct xen;
struct xen_domctl_cpu_policy;
struct xen_sysctl_cpu_policy;
struct xen_sysctl_cpu_featureset;

/* The policies of a machine with so many processors. NULL: no memory. For xfree(). */
struct cpu_policies *cpu_policies_create(struct arena *arena, unsigned int nr_pcpus);

/* Give a new domain its policy, a copy of its kind's default. -ENOMEM. */
int init_domain_cpu_policy(struct domain *d);
/* After d->cpu_policy or d's kind has changed: back into what such a domain can have. */
void recalculate_cpuid_policy(struct domain *d);

/* --- features, by number (XEN_X86_FEATURE_*): vcpu/cpu_featureset.c --- */

static inline void featureset_set(uint32_t *fs, unsigned int f) { fs[f / 32] |= 1u << (f % 32); }
static inline void featureset_clear(uint32_t *fs, unsigned int f) { fs[f / 32] &= ~(1u << (f % 32)); }
static inline bool featureset_has(const uint32_t *fs, unsigned int f) { return fs[f / 32] >> (f % 32) & 1; }

bool cpu_policy_has(const struct cpu_policy *p, unsigned int feature);
void cpuid_policy_to_featureset(const struct cpu_policy *p, uint32_t fs[FEATURESET_NR_ENTRIES]);
void cpuid_featureset_to_policy(const uint32_t fs[FEATURESET_NR_ENTRIES], struct cpu_policy *p);
/* Take away what Xen does not know, and what cannot be without something else that is not there (SSE2 without SSE). */
void sanitise_featureset(uint32_t fs[FEATURESET_NR_ENTRIES]);

/* --- the serialised form: vcpu/cpu_policy_buffer.c --- */

/* In which leaves and MSRs go to the toolstack. How many of each there are. */
unsigned int cpu_policy_copy_leaves(const struct cpu_policy *p, xen_cpuid_leaf_t leaves[CPUID_MAX_SERIALISED_LEAVES]);
unsigned int cpu_policy_copy_msrs(const struct cpu_policy *p, xen_msr_entry_t msrs[MSR_MAX_SERIALISED_ENTRIES]);
/* One that came from there. -ERANGE: no policy has such a leaf. MSRs also: -EINVAL (flags), -EOVERFLOW. */
int cpu_policy_set_leaf(struct cpu_policy *p, const xen_cpuid_leaf_t *l);
int cpu_policy_set_msr(struct cpu_policy *p, const xen_msr_entry_t *m);

/* Where the toolstack's policy fails: -1 is "not here". */
struct cpu_policy_errors {
    uint32_t leaf, subleaf, msr;
};
/* Zero the leaves that lie beyond the policy's own limits. */
void x86_cpuid_policy_clear_out_of_range_leaves(struct cpu_policy *p);
/* Whether a guest with this policy can run where `host` is the most there is. 0, or -EINVAL with *e. */
int x86_cpu_policies_are_compatible(const struct cpu_policy *host, const struct cpu_policy *guest,
                                    struct cpu_policy_errors *e);

/* --- the toolstack's calls, in the name of v: vcpu/cpu_policy_op.c --- */
int domctl_get_cpu_policy(struct vcpu *v, struct domain *d, struct xen_domctl_cpu_policy *op);
int domctl_set_cpu_policy(struct vcpu *v, struct domain *d, struct xen_domctl_cpu_policy *op);
int sysctl_get_cpu_policy(struct vcpu *v, struct xen_sysctl_cpu_policy *op);
int sysctl_get_cpu_featureset(struct vcpu *v, struct xen_sysctl_cpu_featureset *op);

#endif
