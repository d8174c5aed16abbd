// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A guest's CPUID: from settings to hypercalls.
 *
 * Concept: the toolstack reads the domain's policy as a list of leaves, changes bits, and gives it back; the hypervisor
 * cuts it to what such a domain can have, without a word: a feature that the host lacks cannot be given, and one that
 * stands on a feature which is gone goes, too. Where a bit is to be "as by default" or "as the host has it" those two
 * policies are read as well.
 *
 * Corresponds to xc_cpuid_apply_policy() and xc_cpuid_xend_policy() in tools/libs/guest/xg_cpuid_x86.c, and
 * libxl__cpuid_legacy().
 */
#include "tools/xl/guest_cpuid.h"

#include "tools/xc/xc.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* AMD APM vol. 3, appendix E; all in EDX */
#define PAE  (1u << 6)  /* leaf 1 */
#define NX   (1u << 20) /* leaf 0x80000001 */
#define ITSC (1u << 8)  /* leaf 0x80000007: the TSC is invariant */

struct policy {
    xen_cpuid_leaf_t leaf[XC_MAX_LEAVES];
    uint32_t nr;
};

static xen_cpuid_leaf_t *leaf_find(struct policy *p, uint32_t leaf, uint32_t subleaf)
{
    for (uint32_t i = 0; i < p->nr; i++)
        if (p->leaf[i].leaf == leaf && p->leaf[i].subleaf == subleaf)
            return &p->leaf[i];
    return NULL;
}

/* The register with the bits that its 32 letters say. */
static uint32_t letters_apply(const char *letters, uint32_t def, uint32_t host)
{
    uint32_t val = 0;

    for (unsigned int bit = 0; bit < 32; bit++) {
        const char c = letters[31 - bit];
        const uint32_t from = c == 'x' ? def : c == 'k' || c == 's' ? host : c == '1' ? ~0u : 0;

        val |= from & 1u << bit;
    }
    return val;
}

static int leaf_apply(struct policy *cur, struct policy *def, struct policy *host, const struct xl_cpuid_leaf *l)
{
    xen_cpuid_leaf_t *c = leaf_find(cur, l->leaf, l->subleaf);
    const xen_cpuid_leaf_t *d = leaf_find(def, l->leaf, l->subleaf), *h = leaf_find(host, l->leaf, l->subleaf);

    if (!c || !d || !h)
        return -EINVAL;
    for (unsigned int i = 0; i < 4; i++)
        if (*l->reg[i])
            (&c->a)[i] = letters_apply(l->reg[i], (&d->a)[i], (&h->a)[i]);
    return 0;
}

static int fail(char err[GUEST_CPUID_ERR_SIZE], const struct xl_cpuid *c, const char *what, uint32_t leaf,
                uint32_t subleaf)
{
    char sub[32] = "";

    if (subleaf != XL_CPUID_NO_SUBLEAF)
        snprintf(sub, sizeof(sub), ", subleaf %u", subleaf);
    snprintf(err, GUEST_CPUID_ERR_SIZE, "%s: %s (leaf 0x%x%s)", c->where ? c->where : "cpuid", what, leaf, sub);
    return -1;
}

/* The domain's policy, and the two that settings are relative to. 0 or -errno. */
static int policies_get(struct xc_handle *xc, domid_t domid, bool hvm, struct policy *cur, struct policy *def,
                        struct policy *host)
{
    const uint32_t which = hvm ? XEN_SYSCTL_cpu_policy_hvm_default : XEN_SYSCTL_cpu_policy_pv_default;
    int rc;

    cur->nr = def->nr = host->nr = XC_MAX_LEAVES;
    rc = xc_get_domain_cpu_policy(xc, domid, cur->leaf, &cur->nr);
    if (!rc)
        rc = xc_get_system_cpu_policy(xc, which, def->leaf, &def->nr);
    return rc ? rc : xc_get_system_cpu_policy(xc, XEN_SYSCTL_cpu_policy_host, host->leaf, &host->nr);
}

/* Bits of EDX of a leaf that the processor has. */
static int edx_set(struct policy *p, uint32_t leaf, uint32_t bits, bool on)
{
    xen_cpuid_leaf_t *l = leaf_find(p, leaf, XEN_CPUID_NO_SUBLEAF);

    if (l)
        l->d = on ? l->d | bits : l->d & ~bits;
    return l ? 0 : -ENOENT;
}

int guest_cpuid_apply(struct xc_handle *xc, domid_t domid, const struct guest_cpuid_kind *kind,
                      const struct xl_cpuid *c, char err[GUEST_CPUID_ERR_SIZE])
{
    struct policy cur, def, host;
    uint32_t leaf, subleaf;
    int rc;

    if (!kind->invariant_tsc && !kind->no_pae && !kind->no_nx && c->nr == 0)
        return 0; /* it has the default */
    rc = policies_get(xc, domid, kind->hvm, &cur, &def, &host);
    if (!rc && kind->no_pae)
        rc = edx_set(&cur, 1, PAE, false);
    if (!rc && kind->no_nx)
        rc = edx_set(&cur, 0x80000001, NX, false);
    if (!rc && kind->invariant_tsc)
        rc = edx_set(&cur, 0x80000007, ITSC, true);
    if (rc)
        return fail(err, c, strerror(-rc), 0x80000007, XL_CPUID_NO_SUBLEAF);
    for (unsigned int i = 0; i < c->nr; i++)
        if (leaf_apply(&cur, &def, &host, &c->leaf[i]))
            return fail(err, c, "the processor has no such leaf", c->leaf[i].leaf, c->leaf[i].subleaf);
    rc = xc_set_domain_cpu_policy(xc, domid, cur.leaf, cur.nr, &leaf, &subleaf);
    if (rc)
        return fail(err, c, "the hypervisor cannot give the domain such a processor", leaf, subleaf);
    return 0;
}
