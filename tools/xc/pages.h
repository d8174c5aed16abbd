// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Which pages a domain has: its pfns, and the machine frames that they are in. See tools/xc/pages.c.
 */
#ifndef TOOLS_XC_PAGES_H
#define TOOLS_XC_PAGES_H

#include "tools/xc/xc.h"

struct domain_page {
    uint64_t pfn, mfn;
};

/* All pages of a PV domain, by pfn: at most max are put into pages[]. How many they are is *nr. 0 or -errno. */
int domain_pages(struct xc_handle *xc, domid_t domid, uint64_t max, struct domain_page *pages, uint64_t *nr);

#endif
