// SPDX-License-Identifier: GPL-2.0-or-later
/* What is set of PV and HVM domains alike: memory, TSC; and how a restore fails. */
#include "tools/save/restore_private.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int restore_fail(struct restorer *r, const char *what, int rc)
{
    snprintf(r->err, IMAGE_ERR_SIZE, "%s: %s", what, strerror(-rc));
    return -1;
}

int restore_refuse(struct restorer *r, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(r->err, IMAGE_ERR_SIZE, fmt, ap);
    va_end(ap);
    return -1;
}

/* --- memory --- */

/* There may be holes between pages, but not more than the machine is large. */
int restore_pfns(struct restorer *r, uint64_t last)
{
    struct xen_sysctl_physinfo phys;
    const int rc = xc_physinfo(r->xc, &phys);

    if (rc)
        return restore_fail(r, "the machine", rc);
    if (last > r->b->max_pages + phys.max_mfn + (UINT64_C(2) << 20))
        return restore_refuse(r, "a damaged stream: it has a page of number %#llx", (unsigned long long)last);
    r->nr_pfns = last + 1;
    r->p2m = xzalloc_array(r->arena, uint64_t, r->nr_pfns);
    r->type = xzalloc_array(r->arena, uint32_t, r->nr_pfns);
    return r->p2m && r->type ? 0 : restore_fail(r, "its pages", -ENOMEM);
}

int restore_populate(struct restorer *r, const uint64_t *pfn, unsigned int nr)
{
    uint64_t list[RESTORE_PAGES], want[RESTORE_PAGES];
    unsigned int n = 0;
    int rc;

    for (unsigned int i = 0; i < nr; i++)
        if (!r->p2m[pfn[i]]) {
            r->p2m[pfn[i]] = UINT64_MAX; /* once, if it is there twice */
            want[n] = list[n] = pfn[i];
            n++;
        }
    if (!n)
        return 0;
    rc = xc_domain_populate_physmap(r->xc, r->b->domid, n, list);
    if (rc)
        return rc == -ENOMEM
                   ? restore_refuse(r, "its memory is more than it may have, or than the machine has (see --ram)")
                   : restore_fail(r, "its memory", rc);
    for (unsigned int i = 0; i < n; i++)
        r->p2m[want[i]] = list[i] + 1;
    return 0;
}

int restore_tsc(struct restorer *r, const struct stream_body *rec)
{
    struct libxc_tsc_info tsc;
    struct xen_domctl_tsc_info info;
    int rc;

    if (!rec->body)
        return 0;
    if (rec->length != sizeof(tsc))
        return restore_refuse(r, "a damaged stream: an X86_TSC_INFO of %zu bytes", rec->length);
    memcpy(&tsc, rec->body, sizeof(tsc));
    info = (struct xen_domctl_tsc_info){
        .tsc_mode = tsc.mode, .gtsc_khz = tsc.khz, .incarnation = tsc.incarnation, .elapsed_nsec = tsc.nsec
    };
    rc = xc_domain_set_tsc_info(r->xc, r->b->domid, &info);
    return rc ? restore_fail(r, "its TSC", rc) : 0;
}
