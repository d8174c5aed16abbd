// SPDX-License-Identifier: GPL-2.0-or-later
/* What the files that write a stream share: save.c, save_common.c, save_pv.c, save_hvm.c. */
#ifndef TOOLS_SAVE_SAVE_PRIVATE_H
#define TOOLS_SAVE_SAVE_PRIVATE_H

#include "tools/save/save.h"
#include "tools/save/width.h"
#include "tools/xc/pages.h"

struct saver {
    struct xc_handle *xc;
    const struct save_what *what;
    struct save_out *out;
    struct xen_domctl_getdomaininfo info;
    struct domain_page *page; /* nr of them, by pfn */
    uint64_t nr;
    uint32_t *type;     /* of each: XEN_DOMCTL_PFINFO_* */
    uint32_t *index_of; /* PV: by frames: index + 1 of the page; 0: another domain's */
    uint64_t nr_frames; /* PV: of the machine */
    uint64_t max_pfn;   /* PV: entries of its p2m list, */
    uint64_t *p2m_pfn;  /* and the pfns of that list's nr_p2m pages */
    uint64_t nr_p2m;
    char *err;
};

/* err says what failed, and why; rc: -errno. -1. */
int save_fail(struct saver *s, const char *what, int rc);
int save_refuse(struct saver *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* CPUID and MSR policy. */
int save_policies(struct saver *s);
int save_tsc_info(struct saver *s);
/*
 * All pages. A page table's is handed to `translate`, which makes pfns of the frames in it, or says why not.
 */
int save_pages(struct saver *s, int (*translate)(struct saver *s, uint64_t i, uint64_t *page));

/* save_pv.c, save_hvm.c: all of a domain, from behind libxc's header to its END. */
int save_pv(struct saver *s);
int save_hvm(struct saver *s);
/* Before it is looked which pages there are. */
int save_hvm_populate(struct saver *s);

#endif
