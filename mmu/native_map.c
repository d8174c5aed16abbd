// SPDX-License-Identifier: GPL-2.0-or-later
/* Foreign frames for native domains: the idea is in native_map.h. */
#include "mmu/native_map.h"

#include "mmu/m2p.h"

#include <errno.h>
#include <string.h>

void *native_map_foreign(struct vcpu *v, domid_t domid, mfn_t mfn)
{
    struct xen *xen = v->domain->xen;
    struct page_info *pg = NULL;
    struct domain *d;

    if (!is_native_domain(v->domain) || domain_for_target(v, domid, &d))
        return NULL;
    if (mfn_valid(xen->machine, mfn))
        pg = get_page_from_mfn(xen, mfn, d);
    domain_put(d);
    if (!pg)
        return NULL;
    if (pg->native_maps == UINT8_MAX || !get_page_type(xen, pg, PGT_writable_page)) {
        put_page(xen, pg);
        return NULL;
    }
    pg->native_maps++;
    return mfn_to_virt(xen->machine, mfn);
}

void native_unmap(struct vcpu *v, void *ptr)
{
    struct xen *xen = v->domain->xen;
    uint64_t offset = (uint64_t)((uint8_t *)ptr - xen->machine->ram);
    mfn_t mfn = _mfn(offset >> PAGE_SHIFT);

    BUG_ON(!mfn_valid(xen->machine, mfn));
    machine_code_written(xen->machine, mfn);
    BUG_ON(!mfn_to_page(xen, mfn)->native_maps);
    mfn_to_page(xen, mfn)->native_maps--;
    put_page_and_type(xen, mfn_to_page(xen, mfn));
}

int native_write_foreign(struct vcpu *v, domid_t domid, mfn_t mfn, const void *page)
{
    void *mapped = native_map_foreign(v, domid, mfn);

    if (!mapped)
        return -EINVAL;
    machine_frame_write(v->domain->xen->machine, mfn, page);
    native_unmap(v, mapped);
    return 0;
}

int native_read_foreign(struct vcpu *v, domid_t domid, mfn_t mfn, void *page)
{
    struct xen *xen = v->domain->xen;
    struct page_info *pg;
    struct domain *d;
    int rc;

    if (domid == DOMID_XEN) {
        if (!is_control_domain(v->domain))
            return -EPERM;
        return m2p_page_read(xen, mfn, page) ? 0 : -EINVAL;
    }
    rc = domain_for_target(v, domid, &d);
    if (rc)
        return rc;
    pg = get_page_from_mfn(xen, mfn, d);
    domain_put(d);
    if (!pg)
        return -EINVAL;
    memcpy(page, mfn_to_virt(xen->machine, mfn), PAGE_SIZE);
    put_page(xen, pg);
    return 0;
}
