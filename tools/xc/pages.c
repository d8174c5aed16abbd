// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The pages of a domain.
 *
 * Concept: which frames are the domain's is asked for in batches (getpageframeinfo3), and their pfns are in the
 * machine-to-phys table, which every guest may read and dom0 may map. libxc reads the guest's own p2m list instead,
 * which a small guest need not keep.
 *
 * Corresponds to xc_map_domain_meminfo() in tools/libs/guest/xg_domain.c.
 */
#include "tools/xc/pages.h"

#include <errno.h>
#include <stdlib.h>

#define BATCH             1024 /* frames a hypercall */
#define FRAMES_PER_EXTENT ((2u << 20) / sizeof(uint64_t))
#define FRAMES_PER_PAGE   (PAGE_SIZE / sizeof(uint64_t))

/* The machine-to-phys table, of which one page is at hand. */
struct m2p {
    xen_pfn_t *extents;
    uint64_t cache[FRAMES_PER_PAGE], cached;
};

static int by_pfn(const void *a, const void *b)
{
    const struct domain_page *x = a, *y = b;

    return x->pfn < y->pfn ? -1 : x->pfn > y->pfn;
}

static int pfn_find(struct xc_handle *xc, struct m2p *m, uint64_t mfn, uint64_t *pfn)
{
    const uint64_t page = mfn / FRAMES_PER_PAGE;
    int rc = 0;

    if (m->cached != page)
        rc = xc_read_foreign(xc, DOMID_XEN,
                             _mfn(m->extents[mfn / FRAMES_PER_EXTENT] + page % (FRAMES_PER_EXTENT / FRAMES_PER_PAGE)),
                             m->cache);
    m->cached = rc ? UINT64_MAX : page;
    *pfn = m->cache[mfn % FRAMES_PER_PAGE];
    return rc;
}

/* Those of the BATCH frames from `first` on. */
static int batch_collect(struct xc_handle *xc, domid_t domid, struct m2p *m, uint64_t first, uint64_t max,
                         struct domain_page *pages, uint64_t *nr)
{
    uint64_t types[BATCH], pfn;
    int rc;

    for (uint64_t i = 0; i < BATCH; i++)
        types[i] = first + i;
    rc = xc_get_pfn_type_batch(xc, domid, BATCH, types);
    for (uint64_t i = 0; !rc && i < BATCH; i++) {
        if (types[i] == XEN_DOMCTL_PFINFO_XTAB)
            continue;
        rc = pfn_find(xc, m, first + i, &pfn);
        if (rc || pfn >> 52) /* it has none: one of the hypervisor's that a PV domain sees */
            continue;
        if (*nr == max)
            rc = -E2BIG;
        else
            pages[(*nr)++] = (struct domain_page){ pfn, first + i };
    }
    return rc;
}

int domain_pages(struct xc_handle *xc, domid_t domid, uint64_t max, struct domain_page *pages, uint64_t *nr)
{
    struct m2p m = { .cached = UINT64_MAX };
    struct xen_sysctl_physinfo phys;
    int rc = xc_physinfo(xc, &phys), n = -ENOMEM;
    const size_t nr_extents = rc ? 0 : phys.max_mfn / FRAMES_PER_EXTENT + 1;

    *nr = 0;
    m.extents = calloc(nr_extents + 1, sizeof(*m.extents));
    if (m.extents)
        n = xc_machphys_mfn_list(xc, (unsigned int)nr_extents, m.extents);
    if (!rc && n != (int)nr_extents)
        rc = n < 0 ? n : -EINVAL;
    for (uint64_t mfn = 0; !rc && mfn <= phys.max_mfn; mfn += BATCH)
        rc = batch_collect(xc, domid, &m, mfn, max, pages, nr);
    free(m.extents);
    if (!rc)
        qsort(pages, *nr, sizeof(*pages), by_pfn);
    return rc;
}
