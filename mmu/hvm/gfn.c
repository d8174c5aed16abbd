// SPDX-License-Identifier: GPL-2.0-or-later
/* A domain's frames by its own numbers, whatever kind of domain it is: see p2m.h. */
#include "mmu/hvm/pod.h"

#include "mmu/m2p.h"

#include <errno.h>

struct page_info *get_page_from_gfn(struct domain *d, uint64_t gfn, p2m_type_t *t)
{
    mfn_t mfn;

    if (!paging_mode_translate(d)) {
        *t = p2m_ram_rw;
        return get_page_from_mfn(d->xen, _mfn(gfn), d);
    }
    mfn = p2m_get_entry(d, gfn, t);
    if (*t == p2m_populate_on_demand && p2m_pod_populate(d, gfn))
        mfn = p2m_get_entry(d, gfn, t);
    return p2m_is_ram(*t) ? get_page_from_mfn(d->xen, mfn, d) : NULL;
}

int guest_physmap_add_page(struct domain *d, uint64_t gfn, mfn_t mfn)
{
    p2m_type_t t = p2m_mmio_dm;
    const mfn_t was = paging_mode_translate(d) ? p2m_get_entry(d, gfn, &t) : INVALID_MFN;
    int rc;

    if (p2m_is_special(t))
        return -EINVAL;
    rc = paging_mode_translate(d) ? p2m_set_entry(d, gfn, mfn, p2m_ram_rw) : 0;
    if (rc)
        return rc;
    if (p2m_is_ram(t))
        set_gpfn_from_mfn(d->xen, was, INVALID_M2P_ENTRY);
    set_gpfn_from_mfn(d->xen, mfn, gfn);
    return 0;
}

int guest_physmap_remove_page(struct domain *d, uint64_t gfn, mfn_t mfn)
{
    p2m_type_t t;

    if (!paging_mode_translate(d))
        return 0;
    if (!mfn_eq(p2m_get_entry(d, gfn, &t), mfn) || p2m_is_special(t))
        return -EINVAL;
    set_gpfn_from_mfn(d->xen, mfn, INVALID_M2P_ENTRY);
    return p2m_set_entry(d, gfn, INVALID_MFN, p2m_mmio_dm);
}
