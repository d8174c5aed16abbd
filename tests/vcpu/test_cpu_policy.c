// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * CPU policies: the host's, a domain's, and the toolstack's calls for both.
 *
 * Could pass wrongly if the lists were empty: hence the counts.
 *
 * Budget: one set of calls, and what each refuses; in two files they would be there twice.
 */
#include "tests/vcpu/fixture.h"
#include "vcpu/cpu_policy.h"
#include "vcpu/cpuid.h"

#define MAX_LEAVES CPUID_MAX_SERIALISED_LEAVES
#define F(name)    XEN_X86_FEATURE_##name

static uint32_t random_state = 1;

static uint32_t random32(void)
{
    random_state ^= random_state << 13, random_state ^= random_state >> 17, random_state ^= random_state << 5;
    return random_state;
}

/* --- calls --- */

static int domain_policy(struct fixture *f, uint32_t cmd, xen_cpuid_leaf_t *leaves, uint32_t *nr_leaves,
                         xen_msr_entry_t *msrs, uint32_t *nr_msrs, struct xen_domctl_cpu_policy *out)
{
    struct xen_domctl op = { .cmd = cmd, .domain = f->d->domain_id };
    int rc;

    op.u.cpu_policy = (struct xen_domctl_cpu_policy){ .nr_leaves = *nr_leaves, .nr_msrs = *nr_msrs, .err_leaf = 77 };
    op.u.cpu_policy.leaves.p = leaves;
    op.u.cpu_policy.msrs.p = msrs;
    rc = xc_domctl(f->xc, &op);
    *nr_leaves = op.u.cpu_policy.nr_leaves;
    *nr_msrs = op.u.cpu_policy.nr_msrs;
    if (out)
        *out = op.u.cpu_policy;
    return rc;
}

static unsigned int get(struct fixture *f, xen_cpuid_leaf_t *leaves)
{
    uint32_t n = MAX_LEAVES, m = 0;

    assert_int_equal(domain_policy(f, XEN_DOMCTL_get_cpu_policy, leaves, &n, NULL, &m, NULL), 0);
    return n;
}

static int set(struct fixture *f, xen_cpuid_leaf_t *leaves, uint32_t n, struct xen_domctl_cpu_policy *out)
{
    uint32_t m = 0;

    return domain_policy(f, XEN_DOMCTL_set_cpu_policy, leaves, &n, NULL, &m, out);
}

/* Set one leaf, and with it all of its registers. */
static int set_one(struct fixture *f, xen_cpuid_leaf_t leaf, struct xen_domctl_cpu_policy *out)
{
    return set(f, &leaf, 1, out);
}

static xen_cpuid_leaf_t leaf_of(struct fixture *f, uint32_t leaf, uint32_t subleaf)
{
    xen_cpuid_leaf_t leaves[MAX_LEAVES];
    unsigned int n = get(f, leaves);

    for (unsigned int i = 0; i < n; i++)
        if (leaves[i].leaf == leaf && leaves[i].subleaf == subleaf)
            return leaves[i];
    fail_msg("no leaf %#x:%#x", leaf, subleaf);
    return leaves[0];
}

static bool has(struct fixture *f, unsigned int feature) { return cpu_policy_has(f->d->cpu_policy, feature); }

static struct xen_sysctl featureset_op(uint32_t index, uint32_t nr, uint32_t *features)
{
    struct xen_sysctl op = { .cmd = XEN_SYSCTL_get_cpu_featureset,
                             .u.cpu_featureset = { .index = index, .nr_features = nr } };

    op.u.cpu_featureset.features.p = features;
    return op;
}

/* --- the host's --- */

/* Each policy is within the one that it is cut from, but for what is said to be added. */
static void policies_are_nested(void **state)
{
    struct fixture *f = *state;
    const struct cpu_policies *c = f->xen->cpu_policies;
    uint32_t raw[FEATURESET_NR_ENTRIES], host[FEATURESET_NR_ENTRIES], max[FEATURESET_NR_ENTRIES],
        def[FEATURESET_NR_ENTRIES], nr = 0;

    cpuid_policy_to_featureset(&c->raw, raw);
    cpuid_policy_to_featureset(&c->host, host);
    cpuid_policy_to_featureset(&c->pv_max, max);
    cpuid_policy_to_featureset(&c->pv_def, def);
    raw[F(LFENCE_DISPATCH) / 32] |= 1u << (F(LFENCE_DISPATCH) % 32);
    host[1] |= 1u << 31; /* HYPERVISOR */
    host[0] |= 1u << 28; /* HTT */
    host[3] |= 1u << 1;  /* CMP_LEGACY */
    raw[0] |= 1u << 28, raw[1] |= 1u << 31, raw[3] |= 1u << 1;
    for (unsigned int i = 0; i < FEATURESET_NR_ENTRIES; i++) {
        assert_int_equal(host[i] & ~raw[i], 0);
        assert_int_equal(max[i] & ~host[i], 0);
        assert_int_equal(def[i] & ~max[i], 0);
        nr += (uint32_t)__builtin_popcount(def[i]);
    }
    assert_true(nr > 35);
    assert_true(cpu_policy_has(&c->raw, F(PSE)) && cpu_policy_has(&c->host, F(PSE)));
    assert_false(cpu_policy_has(&c->pv_max, F(PSE)) || cpu_policy_has(&c->pv_max, F(PGE)));
    assert_true(cpu_policy_has(&c->raw, F(SEP)));
    assert_false(cpu_policy_has(&c->host, F(SEP)));
    assert_true(cpu_policy_has(&c->pv_max, F(ITSC)));
    assert_false(cpu_policy_has(&c->pv_def, F(ITSC)));
    assert_false(cpu_policy_has(&c->raw, F(AVX)) || cpu_policy_has(&c->raw, F(RDRAND)));
}

/* Topology is that of sysctl: the machine of the tests has one processor; here are others. */
static void topology(void **state)
{
    struct arena *arena = arena_create();

    for (unsigned int n = 1; n <= 64; n++) {
        struct cpu_policies *c = cpu_policies_create(arena, n);

        assert_int_equal(cpu_policy_has(&c->pv_def, F(HTT)), n > 1);
        assert_int_equal(cpu_policy_has(&c->pv_def, F(CMP_LEGACY)), n > 1);
        assert_true(cpu_policy_has(&c->pv_max, F(HTT)));
        assert_int_equal(c->pv_def.basic[1].b >> 16, n);
        assert_int_equal(c->pv_def.extd[8].c & 0xff, n - 1);
        assert_true(1u << (c->pv_def.extd[8].c >> 12 & 0xf) >= n);
        xfree(c);
    }
    arena_destroy(arena);
}

/* What falls with what. */
static void dependencies(void **state)
{
    static const struct {
        unsigned int gone;
        unsigned int too[8];
    } cases[] = {
        { F(FPU), { F(MMX), F(MMXEXT), F(3DNOW) } },
        { F(FXSR), { F(SSE), F(SSE2), F(LM), F(AESNI) } },
        { F(SSE), { F(SSE2), F(SSE3), F(SSSE3), F(SSE4_1), F(SSE4_2), F(SSE4A), F(CX16) } },
        { F(SSE2), { F(SSE3), F(LM), F(AESNI), F(PCLMULQDQ), F(LAHF_LM), F(CX16), F(VPCLMULQDQ) } },
        { F(SSE3), { F(SSSE3), F(SSE4A), F(SSE4_1), F(SSE4_2) } },
        { F(PAE), { F(LM), F(NX), F(CX16), F(SMAP) } },
        { F(TSC), { F(RDTSCP), F(ITSC), F(TSC_DEADLINE) } },
        { F(XSAVE), { F(AVX), F(AVX2), F(FMA), F(AVX512F), F(AVX512_FP16), F(VAES), F(XGETBV1) } },
        { F(LM), { F(CX16), F(LAHF_LM), F(PCID) } },
        { F(ARCH_CAPS), { F(RDCL_NO), F(EIBRS), F(RRSBA), F(ITS_NO) } },
        { F(IBRS), { F(AMD_STIBP), F(STIBP_ALWAYS) } },
    };
    static const unsigned int stays[] = { F(FPU), F(CX8), F(POPCNT), F(ADX), F(MOVBE), F(FSGSBASE) };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        uint32_t fs[FEATURESET_NR_ENTRIES], again[FEATURESET_NR_ENTRIES];

        memset(fs, 0xff, sizeof(fs));
        fs[cases[i].gone / 32] &= ~(1u << (cases[i].gone % 32));
        sanitise_featureset(fs);
        for (size_t j = 0; j < 8 && cases[i].too[j]; j++)
            if (fs[cases[i].too[j] / 32] >> (cases[i].too[j] % 32) & 1)
                fail_msg("%u without %u", cases[i].too[j], cases[i].gone);
        for (size_t j = 0; j < ARRAY_SIZE(stays); j++)
            assert_true(stays[j] == cases[i].gone || fs[stays[j] / 32] >> (stays[j] % 32) & 1);
        memcpy(again, fs, sizeof(fs));
        sanitise_featureset(again);
        assert_memory_equal(again, fs, sizeof(fs));
    }
}

static void featuresets(void **state)
{
    struct fixture *f = *state;
    const struct cpu_policies *c = f->xen->cpu_policies;
    const struct cpu_policy *which[] = { &c->raw, &c->host, &c->pv_def, &c->hvm_def, &c->pv_max, &c->hvm_max };
    uint32_t got[FEATURESET_NR_ENTRIES + 1], want[FEATURESET_NR_ENTRIES];
    struct xen_sysctl op = featureset_op(99, 0, NULL);

    assert_int_equal(xc_sysctl(f->xc, &op), 0); /* a question of size: any index will do */
    assert_int_equal(op.u.cpu_featureset.nr_features, FEATURESET_NR_ENTRIES);
    for (uint32_t i = 0; i < ARRAY_SIZE(which); i++) {
        op = featureset_op(i, FEATURESET_NR_ENTRIES + 1, got);
        assert_int_equal(xc_sysctl(f->xc, &op), 0);
        assert_int_equal(op.u.cpu_featureset.nr_features, FEATURESET_NR_ENTRIES);
        cpuid_policy_to_featureset(which[i], want);
        assert_memory_equal(got, want, sizeof(want));
        memset(got, 0xaa, sizeof(got));
        op = featureset_op(i, 4, got);
        assert_int_equal(xc_sysctl(f->xc, &op), -ENOBUFS);
        assert_int_equal(op.u.cpu_featureset.nr_features, 4);
        assert_memory_equal(got, want, 16);
        assert_int_equal(got[4], 0xaaaaaaaa);
    }
    op = featureset_op(ARRAY_SIZE(which), 1, got);
    assert_int_equal(xc_sysctl(f->xc, &op), -EINVAL);
}

static int system_policy(struct fixture *f, uint32_t index, uint32_t rsvd, xen_cpuid_leaf_t *leaves, uint32_t *nr)
{
    xen_msr_entry_t msrs[2];
    struct xen_sysctl op = { .cmd = XEN_SYSCTL_get_cpu_policy,
                             .u.cpu_policy = { .index = index, ._rsvd = rsvd, .nr_leaves = *nr, .nr_msrs = 2 } };
    int rc;

    op.u.cpu_policy.leaves.p = leaves;
    op.u.cpu_policy.msrs.p = msrs;
    rc = xc_sysctl(f->xc, &op);
    *nr = op.u.cpu_policy.nr_leaves;
    if (!rc) {
        assert_int_equal(op.u.cpu_policy.nr_msrs, 2);
        assert_int_equal(msrs[0].idx, 0xce);
        assert_int_equal(msrs[1].idx, 0x10a);
    }
    return rc;
}

static void system_policies(void **state)
{
    struct fixture *f = *state;
    xen_cpuid_leaf_t leaves[MAX_LEAVES];
    uint32_t n = 0;

    assert_int_equal(system_policy(f, XEN_SYSCTL_cpu_policy_host, 0, NULL, &n), 0);
    assert_int_equal(n, 120); /* as in Xen 4.17 */
    for (uint32_t i = 0; i < 6; i++) {
        n = MAX_LEAVES;
        assert_int_equal(system_policy(f, i, 0, leaves, &n), 0);
        for (uint32_t j = 1; j < n; j++)
            assert_true(leaves[j - 1].leaf < leaves[j].leaf ||
                        (leaves[j - 1].leaf == leaves[j].leaf && leaves[j - 1].subleaf < leaves[j].subleaf));
        assert_true(n > 15);
    }
    n = 3;
    assert_int_equal(system_policy(f, XEN_SYSCTL_cpu_policy_host, 0, leaves, &n), -ENOBUFS);
    assert_int_equal(n, 3);
    assert_int_equal(system_policy(f, 6, 0, leaves, &n), -EINVAL);
    assert_int_equal(system_policy(f, 1, 1, leaves, &n), -EINVAL);
}

/* --- a domain's --- */

static void what_is_got(void **state)
{
    struct fixture *f = *state;
    xen_cpuid_leaf_t leaves[MAX_LEAVES], again[MAX_LEAVES];
    xen_msr_entry_t msrs[2];
    uint32_t n = 0, m = 0, all;

    assert_int_equal(domain_policy(f, XEN_DOMCTL_get_cpu_policy, NULL, &n, NULL, &m, NULL), 0);
    assert_int_equal(n, MAX_LEAVES);
    assert_int_equal(m, 2);
    all = get(f, leaves);
    for (uint32_t i = 0; i < all; i++) { /* what is listed is what the guest reads */
        struct cpuid_leaf l = guest_cpuid(f->v, leaves[i].leaf, leaves[i].subleaf);

        if (leaves[i].leaf >> 16 != 0x4000)
            assert_memory_equal(&l, &leaves[i].a, sizeof(l));
    }
    n = all - 1, m = 2;
    assert_int_equal(domain_policy(f, XEN_DOMCTL_get_cpu_policy, leaves, &n, msrs, &m, NULL), -ENOBUFS);
    n = all, m = 1;
    assert_int_equal(domain_policy(f, XEN_DOMCTL_get_cpu_policy, leaves, &n, msrs, &m, NULL), -ENOBUFS);
    m = 2;
    assert_int_equal(domain_policy(f, XEN_DOMCTL_get_cpu_policy, leaves, &n, msrs, &m, NULL), 0);
    /* Given back as it is it stays as it is. */
    assert_int_equal(domain_policy(f, XEN_DOMCTL_set_cpu_policy, leaves, &n, msrs, &m, NULL), 0);
    assert_int_equal(get(f, again), all);
    assert_memory_equal(again, leaves, all * sizeof(leaves[0]));
}

static void who_and_when(void **state)
{
    struct fixture *f = *state;
    struct xen_domctl op = { .cmd = XEN_DOMCTL_set_cpu_policy, .interface_version = XEN_DOMCTL_INTERFACE_VERSION };
    xen_cpuid_leaf_t l;
    uint64_t at;

    assert_int_equal(xc_domctl(f->xc, &op), -EINVAL); /* dom0 itself */
    op.domain = f->d->domain_id;
    at = fix_put(f, 0, &op, sizeof(op));
    assert_int_equal(fix_hypercall(f, __HYPERVISOR_domctl, at, 0, 0, 0), -EPERM);
    l = leaf_of(f, 7, 0);
    assert_int_equal(set_one(f, l, NULL), 0);
    assert_int_equal(xc_domain_unpause(f->xc, f->d->domain_id), 0);
    assert_int_equal(set_one(f, l, NULL), -EEXIST);
}

static void refusals(void **state)
{
    struct fixture *f = *state;
    static const struct {
        xen_cpuid_leaf_t leaf;
        int rc;
        uint32_t err_leaf, err_subleaf;
    } cases[] = {
        { { 0x0e, -1, 0, 0, 0, 0 }, -ERANGE, 0x0e, -1 },
        { { 1, 0, 0, 0, 0, 0 }, -ERANGE, 1, 0 },
        { { 4, 6, 0, 0, 0, 0 }, -ERANGE, 4, 6 },
        { { 4, -1, 0, 0, 0, 0 }, -ERANGE, 4, -1 },
        { { 7, 3, 0, 0, 0, 0 }, -ERANGE, 7, 3 },
        { { 0xb, 2, 0, 0, 0, 0 }, -ERANGE, 0xb, 2 },
        { { 0xd, 63, 0, 0, 0, 0 }, -ERANGE, 0xd, 63 },
        { { 0x40000000, 0, 0, 0, 0, 0 }, -ERANGE, 0x40000000, 0 },
        { { 0x40000001, -1, 0, 0, 0, 0 }, -ERANGE, 0x40000001, -1 },
        { { 0x80000022, -1, 0, 0, 0, 0 }, -ERANGE, 0x80000022, -1 },
        { { 0x80000001, 5, 0, 0, 0, 0 }, -ERANGE, 0x80000001, 5 },
        { { 0xffffffff, -1, 0, 0, 0, 0 }, -ERANGE, 0xffffffff, -1 },
        { { 0, -1, 8, 0, 0, 0 }, -EINVAL, 0, -1 },
        { { 7, 0, 3, 0, 0, 0 }, -EINVAL, 7, 0 },
        { { 0x80000000, -1, 0x80000022, 0, 0, 0 }, -EINVAL, 0x80000000, -1 },
        { { 0xd, 62, 1, 2, 3, 4 }, 0, 0, 0 },
        { { 7, 0, 2, 0, 0, 0 }, 0, 0, 0 },
    };
    xen_cpuid_leaf_t before[MAX_LEAVES], after[MAX_LEAVES], many[MAX_LEAVES + 1] = { { 0 } };
    struct xen_domctl_cpu_policy out;
    const unsigned int n = get(f, before);

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        int rc = set_one(f, cases[i].leaf, &out);

        if (rc != cases[i].rc)
            fail_msg("leaf %#x:%#x: %d", cases[i].leaf.leaf, cases[i].leaf.subleaf, rc);
        if (!rc) {
            assert_int_equal(out.err_leaf, 77); /* written only with bad news */
            continue;
        }
        assert_int_equal(out.err_leaf, cases[i].err_leaf);
        assert_int_equal(out.err_subleaf, cases[i].err_subleaf);
        assert_int_equal(out.err_msr, ~0u);
        assert_int_equal(get(f, after), n);
        assert_memory_equal(before, after, n * sizeof(before[0]));
    }
    assert_int_equal(set(f, many, MAX_LEAVES + 1, &out), -E2BIG);
    assert_int_equal(out.err_leaf, ~0u);
}

static void refusals_of_msrs(void **state)
{
    struct fixture *f = *state;
    static const struct {
        xen_msr_entry_t msr;
        int rc;
    } cases[] = {
        { { 0xce, 0, 0 }, 0 },
        { { 0x10a, 0, 0 }, 0 },
        { { 0x10a, 0, ~UINT64_C(0) }, 0 }, /* taken, and cut to what there is: nothing */
        { { 0xce, 1, 0 }, -EINVAL },
        { { 0xce, 0, UINT64_C(1) << 32 }, -EOVERFLOW },
        { { 0xce, 0, 1u << 31 }, -EINVAL }, /* no CPUID faulting */
        { { 0x10, 0, 0 }, -ERANGE },
    };
    xen_msr_entry_t three[3] = { { 0 } };
    struct xen_domctl_cpu_policy out;
    uint32_t n = 0, m;

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        xen_msr_entry_t msr = cases[i].msr;

        m = 1;
        assert_int_equal(domain_policy(f, XEN_DOMCTL_set_cpu_policy, NULL, &n, &msr, &m, &out), cases[i].rc);
        assert_int_equal(out.err_leaf, cases[i].rc ? ~0u : 77);
        if (cases[i].rc)
            assert_int_equal(out.err_msr, msr.idx);
    }
    assert_int_equal(f->d->cpu_policy->arch_caps[0] | f->d->cpu_policy->arch_caps[1], 0);
    m = 3;
    assert_int_equal(domain_policy(f, XEN_DOMCTL_set_cpu_policy, NULL, &n, three, &m, &out), -E2BIG);
}

/* Features that are taken take others along; what nobody can have cannot be given. */
static void masking(void **state)
{
    struct fixture *f = *state;
    xen_cpuid_leaf_t l = leaf_of(f, 1, -1), l7 = leaf_of(f, 7, 0), e7 = leaf_of(f, 0x80000007, -1);

    assert_true(has(f, F(SSE3)) && has(f, F(SSSE3)) && has(f, F(LM)) && has(f, F(FSGSBASE)));
    l.c &= ~1u;                                       /* SSE3 */
    l.d |= 1u << 3 | 1u << 13;                        /* PSE PGE */
    l.c |= 1u << 28 | 1u << 30;                       /* AVX RDRAND */
    l.b = 0xff000000 | (l.b & 0xff0000) | 4 << 8 | 3; /* APIC number; half a line of cache; a brand */
    assert_int_equal(set_one(f, l, NULL), 0);
    assert_false(has(f, F(SSE3)) || has(f, F(SSSE3)) || has(f, F(SSE4_1)) || has(f, F(SSE4_2)) || has(f, F(SSE4A)));
    assert_false(has(f, F(PSE)) || has(f, F(PGE)) || has(f, F(AVX)) || has(f, F(RDRAND)));
    assert_true(has(f, F(SSE2)) && has(f, F(LM)) && has(f, F(POPCNT)));
    assert_int_equal(guest_cpuid(f->v, 1, 0).b & 0xff00ffff, 8 << 8 | 3);
    assert_int_equal(guest_cpuid(f->v, 0x80000001, 0).c & 1u << 6, 0); /* SSE4A */

    assert_int_equal(pv_fixup_guest_cr4(f->d, 0x10000) & 0x10000, 0x10000);
    l7.b &= ~1u;
    assert_int_equal(set_one(f, l7, NULL), 0);
    assert_int_equal(pv_fixup_guest_cr4(f->d, 0x10000) & 0x10000, 0);

    assert_false(has(f, F(ITSC)));
    e7.d |= 1u << 8;
    e7.a = 5;
    assert_int_equal(set_one(f, e7, NULL), 0);
    assert_true(has(f, F(ITSC)));
    assert_int_equal(guest_cpuid(f->v, 0x80000007, 0).a, 0);
}

static void limits(void **state)
{
    struct fixture *f = *state;
    xen_cpuid_leaf_t zero = leaf_of(f, 0, -1), extd = leaf_of(f, 0x80000000, -1);
    xen_cpuid_leaf_t hv = { 0x40000000, -1, 3, 0, 0, 0 }, addr = leaf_of(f, 0x80000008, -1);
    struct cpuid_leaf l;

    addr.a = 64 << 8 | 30;
    assert_int_equal(set_one(f, addr, NULL), 0);
    assert_int_equal(guest_cpuid(f->v, 0x80000008, 0).a, 48 << 8 | 36);
    zero.a = 1;
    assert_int_equal(set_one(f, zero, NULL), 0);
    assert_false(has(f, F(FSGSBASE)));
    l = guest_cpuid(f->v, 7, 0);
    assert_int_equal(l.a | l.b | l.c | l.d, 0);
    extd.a = 0x80000004;
    assert_int_equal(set_one(f, extd, NULL), 0);
    l = guest_cpuid(f->v, 0x80000008, 0);
    assert_int_equal(l.a | l.b | l.c | l.d, 0);
    assert_int_equal(set_one(f, hv, NULL), 0);
    assert_int_equal(guest_cpuid(f->v, 0x40000000, 0).a, 0x40000003);
    l = guest_cpuid(f->v, 0x40000005, 0);
    assert_int_equal(l.a | l.b | l.c | l.d, 0);
    hv.a = 1;
    assert_int_equal(set_one(f, hv, NULL), 0);
    assert_int_equal(guest_cpuid(f->v, 0x40000000, 0).a, 0x40000002);
    hv.a = 99;
    assert_int_equal(set_one(f, hv, NULL), 0);
    assert_int_equal(guest_cpuid(f->v, 0x40000000, 0).a, 0x40000005);
}

static void pv32(void **state)
{
    struct fixture *f = *state;

    fix_guest(f, &kernel_legacy32);
    assert_true(is_pv_32bit_domain(f->d));
    assert_false(has(f, F(LM)) || has(f, F(CX16)) || has(f, F(LAHF_LM)));
    assert_true(has(f, F(SSE4_2)) && has(f, F(SYSCALL)));
    assert_int_equal(guest_cpuid(f->v, 0x80000008, 0).a >> 8, 32);
}

/* Whatever the toolstack sends, a domain has nothing that no PV domain can have, and a list that is in order. */
static void random_policies(void **state)
{
    struct fixture *f = *state;
    xen_cpuid_leaf_t leaves[MAX_LEAVES];
    uint32_t max[FEATURESET_NR_ENTRIES], fs[FEATURESET_NR_ENTRIES], clean[FEATURESET_NR_ENTRIES];
    unsigned int taken = 0;

    cpuid_policy_to_featureset(&f->xen->cpu_policies->pv_max, max);
    for (unsigned int i = 0; i < 3000; i++) {
        unsigned int n = get(f, leaves);

        for (unsigned int changes = random32() % 8; changes; changes--) {
            xen_cpuid_leaf_t *l = &leaves[random32() % n];
            uint32_t *reg = &(&l->a)[random32() % 4];

            *reg = random32() % 4 ? *reg ^ 1u << random32() % 32 : random32();
        }
        taken += set(f, leaves, n, NULL) == 0;
        cpuid_policy_to_featureset(f->d->cpu_policy, fs);
        fs[2] &= ~0x0183f3ffu; /* what AMD says twice */
        memcpy(clean, fs, sizeof(fs));
        sanitise_featureset(clean);
        assert_memory_equal(clean, fs, sizeof(fs));
        for (unsigned int w = 0; w < FEATURESET_NR_ENTRIES; w++)
            assert_int_equal(fs[w] & ~max[w], 0);
        if (i % 50 == 49) { /* from the beginning, before all is gone */
            *f->d->cpu_policy = f->xen->cpu_policies->pv_def;
            recalculate_cpuid_policy(f->d);
        }
    }
    assert_true(taken > 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, fix_setup, fix_teardown)
        TEST(policies_are_nested),
        cmocka_unit_test(topology),
        cmocka_unit_test(dependencies),
        TEST(featuresets),
        TEST(system_policies),
        TEST(what_is_got),
        TEST(who_and_when),
        TEST(refusals),
        TEST(refusals_of_msrs),
        TEST(masking),
        TEST(limits),
        TEST(pv32),
        TEST(random_policies),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
