// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What is written of PV and HVM domains alike: policies, TSC, pages.
 *
 * * Corresponds to the common parts of libxc's own.
 */
#include "tools/save/format.h"
#include "tools/save/save_private.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define PAGES_BATCH 256u /* of a record; Xen's is 1024, and readers take fewer */

int save_fail(struct saver *s, const char *what, int rc)
{
    snprintf(s->err, SAVE_ERR_SIZE, "%s: %s", what, strerror(-rc));
    return -1;
}

int save_refuse(struct saver *s, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(s->err, SAVE_ERR_SIZE, fmt, ap);
    va_end(ap);
    return -1;
}

/* --- what both kinds have --- */

int save_policies(struct saver *s)
{
    xen_cpuid_leaf_t leaves[XC_MAX_LEAVES];
    xen_msr_entry_t msrs[16];
    uint32_t nr_leaves = XC_MAX_LEAVES, nr_msrs = sizeof(msrs) / sizeof(msrs[0]);
    const int rc = xc_get_domain_cpu_policy(s->xc, s->what->domid, leaves, &nr_leaves)
                       ?: xc_get_domain_msr_policy(s->xc, s->what->domid, msrs, &nr_msrs);

    if (rc)
        return save_fail(s, "its CPU policy", rc);
    out_record(s->out, LIBXC_X86_CPUID_POLICY, leaves, nr_leaves * sizeof(leaves[0]), NULL, 0);
    if (nr_msrs)
        out_record(s->out, LIBXC_X86_MSR_POLICY, msrs, nr_msrs * sizeof(msrs[0]), NULL, 0);
    return 0;
}

int save_tsc_info(struct saver *s)
{
    struct xen_domctl_tsc_info info;
    struct libxc_tsc_info tsc;
    const int rc = xc_domain_get_tsc_info(s->xc, s->what->domid, &info);

    if (rc)
        return save_fail(s, "its TSC", rc);
    tsc = (struct libxc_tsc_info){ info.tsc_mode, info.gtsc_khz, info.elapsed_nsec, info.incarnation, 0 };
    out_record(s->out, LIBXC_X86_TSC_INFO, &tsc, sizeof(tsc), NULL, 0);
    return 0;
}

/* --- pages --- */

static bool is_zero(const uint64_t *page)
{
    for (unsigned int i = 0; i < TABLE_ENTRIES; i++)
        if (page[i])
            return false;
    return true;
}

/* A batch: what is written of it is collected first, since a record begins with its length. */
struct batch {
    uint64_t pfn[PAGES_BATCH];
    uint64_t page[PAGES_BATCH][TABLE_ENTRIES];
    unsigned int nr, nr_pages;
};

static int batch_add(struct saver *s, struct batch *b, uint64_t i,
                     int (*translate)(struct saver *, uint64_t, uint64_t *))
{
    uint64_t *page = b->page[b->nr_pages];
    uint32_t type = s->type[i];
    const int rc = xc_read_foreign(s->xc, s->what->domid, _mfn(s->page[i].mfn), page);

    if (rc)
        return save_fail(s, "a page of its cannot be read", rc);
    if (type & XEN_DOMCTL_PFINFO_LTAB_MASK) {
        if (translate(s, i, page))
            return -1;
    } else if (is_zero(page)) {
        type = XEN_DOMCTL_PFINFO_XALLOC;
    }
    b->pfn[b->nr++] = s->page[i].pfn | (uint64_t)type << LIBXC_TYPE_SHIFT;
    b->nr_pages += type != XEN_DOMCTL_PFINFO_XALLOC;
    return 0;
}

static void batch_write(struct saver *s, const struct batch *b)
{
    const struct libxc_page_data head = { b->nr, 0 };
    const size_t length = sizeof(head) + b->nr * sizeof(b->pfn[0]) + b->nr_pages * sizeof(b->page[0]);

    out_record_begin(s->out, LIBXC_PAGE_DATA, length);
    out_put(s->out, &head, sizeof(head));
    out_put(s->out, b->pfn, b->nr * sizeof(b->pfn[0]));
    out_put(s->out, b->page, b->nr_pages * sizeof(b->page[0]));
    out_record_end(s->out, length);
}

int save_pages(struct saver *s, int (*translate)(struct saver *s, uint64_t i, uint64_t *page))
{
    struct batch *b = malloc(sizeof(*b));
    int rc = b ? 0 : save_fail(s, "its pages", -ENOMEM);

    for (uint64_t i = 0; !rc && i < s->nr;) {
        b->nr = b->nr_pages = 0;
        while (!rc && b->nr < PAGES_BATCH && i < s->nr)
            rc = batch_add(s, b, i++, translate);
        if (!rc)
            batch_write(s, b);
    }
    free(b);
    return rc;
}
