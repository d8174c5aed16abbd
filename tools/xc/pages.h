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

/*
 * What a translated domain may have beside its tot_pages: the hypervisor's frames that it has in its physmap, of its
 * grant table (64, and 8 of states) and shared_info.
 */
#define DOMAIN_PAGES_EXTRA 128

/* All pages of a domain, by pfn; -E2BIG: they are more than max. How many they are is *nr. 0 or -errno. */
int domain_pages(struct xc_handle *xc, domid_t domid, uint64_t max, struct domain_page *pages, uint64_t *nr);

#endif
