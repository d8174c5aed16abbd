// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A guest's frames, as a device model within the hypervisor sees them.
 *
 * Concept: a device model that is a program maps a frame as a foreign one (mmu/memory/foreign.c): it has a reference,
 * so the frame stays what it is while the guest moves it or gives it up. One within the hypervisor could just look; it
 * must have a reference for the same reason.
 */
#include "mmu/audit.h"
#include "mmu/hvm/p2m.h"
#include "mmu/m2p.h"
#include "mmu/memory/memory.h"
#include "vcpu/hvm/hvm.h"

#include <xen/memory.h>

const void *hvm_frame_hold(struct domain *d, uint64_t gfn)
{
    struct hvm_domain *h = d->hvm;
    struct page_info *pg;
    p2m_type_t t;

    if (h->nr_held == h->room_held) {
        const size_t room = h->room_held ? 2 * h->room_held : 64;
        struct page_info **held = xrealloc_array(d->xen->machine->arena, h->held, room);

        if (!held)
            return NULL;
        h->held = held;
        h->room_held = room;
    }
    pg = get_page_from_gfn(d, gfn, &t);
    if (!pg)
        return NULL;
    h->held[h->nr_held++] = pg;
    return mfn_to_virt(d->xen->machine, page_to_mfn(d->xen, pg));
}

bool hvm_frame_move(struct domain *d, uint64_t from, uint64_t to)
{
    p2m_type_t t;

    p2m_get_entry(d, to, &t);
    return t == p2m_mmio_dm && !xenmem_add_to_physmap_one(d, XENMAPSPACE_gmfn, from, to);
}

void hvm_frames_let_go(struct domain *d)
{
    struct hvm_domain *h = d->hvm;

    while (h->nr_held)
        put_page(d->xen, h->held[--h->nr_held]);
    xfree(h->held);
    h->held = NULL;
    h->room_held = 0;
}

void hvm_frames_audit_refs(struct xen *xen, struct audit *a)
{
    for_each_domain (xen, d)
        for (size_t i = 0; is_hvm_domain(d) && i < d->hvm->nr_held; i++)
            audit_ref(a, page_to_mfn(xen, d->hvm->held[i]), PGT_none);
}
