// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Foreign frames of native domains.
 *
 * Concept: dom0's toolstack and backends reach a guest's memory by mapping its frames. A real dom0 writes an entry of
 * its own page tables that names the foreign domain (PV), or puts the frame into its physmap (PVH:
 * XENMAPSPACE_gmfn_foreign). A native domain has no page tables, and for a physmap it sees all of the machine's RAM,
 * which is a memfd, twice:
 *
 *      gfn                      0 + n      frame n, to be written
 *      gfn   NATIVE_GFN_READ_ONLY + n      frame n, to be read
 *
 * In XENMEM_add_to_physmap_batch it says with each gpfn which window is meant (0 or NATIVE_GFN_READ_ONLY), and finds
 * there afterwards at which gfn the frame is, as populate_physmap tells who is not translated. The frame's place in the
 * memfd is n << PAGE_SHIFT: a process that has that file may map it. The gfn goes back with XENMEM_remove_from_physmap.
 *
 * Invariants: the domain has power over the frame's owner; the frame is the owner's, and stays so while it is mapped;
 * while it is mapped to be written it has type PGT_writable_page, so that it cannot become a page table in the
 * meantime. A frame may be mapped by several parts of one domain at a time: it is until each has removed it.
 *
 * Corresponds to p2m_add_foreign() in xen/arch/x86/mm/p2m.c, which has no read-only kind, and takes no type reference.
 */
#include "mmu/memory/foreign.h"

#include "mmu/hvm/p2m.h"
#include "mmu/m2p.h"
#include "mmu/pv/private.h"
#include "vcpu/noun/xsm.h"

#include <errno.h>
#include <string.h>

/* The place of gfn in the table, if it is there or not. */
static size_t place(const struct native_physmap *p, uint64_t gfn)
{
    size_t from = 0, to = p->nr;

    while (from < to) {
        const size_t mid = (from + to) / 2;

        if (p->map[mid].gfn < gfn)
            from = mid + 1;
        else
            to = mid;
    }
    return from;
}

static bool is_mapped(const struct native_physmap *p, size_t i, uint64_t gfn)
{
    return i < p->nr && p->map[i].gfn == gfn;
}

/* Room for one more. False: no memory. */
static bool grow(struct domain *d)
{
    struct native_physmap *p = &d->native.physmap;
    const size_t room = p->room ? 2 * p->room : 64;
    struct foreign_mapping *map = p->nr < p->room ? p->map : xrealloc_array(d->xen->machine->arena, p->map, room);

    if (!map)
        return false;
    if (p->nr == p->room)
        p->room = room;
    p->map = map;
    return true;
}

/*
 * References to a frame of fd's, of both kinds if it is to be written; *mfn: as fd numbers it, then its own number.
 * Nobody refers to the hypervisor's own table.
 */
static int refs_get(struct domain *fd, mfn_t *mfn, bool read_only)
{
    struct xen *xen = fd->xen;
    struct page_info *pg;
    p2m_type_t t;

    if (fd == xen->dom_xen)
        return read_only && m2p_frame_open(xen, *mfn) ? 0 : -EINVAL;
    pg = get_page_from_gfn(fd, mfn_x(*mfn), &t);
    if (!pg)
        return -EINVAL;
    *mfn = page_to_mfn(xen, pg);
    if (read_only)
        return 0;
    if (get_page_type(xen, pg, PGT_writable_page)) {
        frame_share(xen->machine, *mfn);
        return 0;
    }
    put_page(xen, pg);
    return -EINVAL;
}

static void refs_put(struct xen *xen, const struct foreign_mapping *map)
{
    struct page_info *pg = mfn_to_page(xen, foreign_mfn(map));

    if (is_m2p_frame(xen, foreign_mfn(map)))
        return;
    if (foreign_is_read_only(map)) {
        put_page(xen, pg);
        return;
    }
    frame_unshare(xen->machine, foreign_mfn(map));
    put_page_and_type(xen, pg);
}

int native_physmap_add(struct domain *d, struct domain *fd, mfn_t mfn, bool read_only, uint64_t *gfn)
{
    struct native_physmap *p = &d->native.physmap;
    size_t i;
    int rc;

    if (fd == d)
        return -EINVAL;
    rc = xsm_map_gmfn_foreign(d, fd) ?: refs_get(fd, &mfn, read_only);
    if (rc)
        return rc;
    *gfn = mfn_x(mfn) | (read_only ? NATIVE_GFN_READ_ONLY : 0);
    i = place(p, *gfn);
    if (is_mapped(p, i, *gfn)) {
        p->map[i].uses++;
        return 0;
    }
    if (!grow(d)) {
        refs_put(d->xen, &(struct foreign_mapping){ *gfn, 1 });
        return -ENOMEM;
    }
    memmove(&p->map[i + 1], &p->map[i], (p->nr++ - i) * sizeof(*p->map));
    p->map[i] = (struct foreign_mapping){ *gfn, 1 };
    return 0;
}

int native_physmap_remove(struct domain *d, uint64_t gfn)
{
    struct native_physmap *p = &d->native.physmap;
    const size_t i = place(p, gfn);

    if (!is_mapped(p, i, gfn))
        return -ENOENT;
    refs_put(d->xen, &p->map[i]);
    if (--p->map[i].uses == 0)
        memmove(&p->map[i], &p->map[i + 1], (--p->nr - i) * sizeof(*p->map));
    return 0;
}

void native_physmap_destroy(struct domain *d)
{
    struct native_physmap *p = &d->native.physmap;

    while (p->nr)
        native_physmap_remove(d, p->map[p->nr - 1].gfn);
    xfree(p->map);
    *p = (struct native_physmap){ 0 };
}
