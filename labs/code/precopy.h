// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Pre-copy: a guest's memory is sent to another host while the guest runs.
 *
 * Concept: the hypervisor keeps a dirty bitmap: while it keeps it, a page's bit is set whenever the guest stores to the
 * page. All pages are sent once; then, in rounds, those that were stored to since; and when few are left the guest is
 * stopped, and they are sent: that is its downtime (C. Clark et al., "Live Migration of Virtual Machines", NSDI 2005).
 *
 *      track on | all pages | dirty ones | dirty ones | ... | pause | the last ones | track off
 *                 round 1     round 2      round 3            <--- downtime --->
 *
 * Bitmaps: page pfn is bit pfn % 64 of word pfn / 64. Bits at nr_pfns and beyond are 0 where you are given a bitmap.
 *
 * What it simplifies: Xen's toolstack has this in tools/libs/guest/xg_sr_save.c; there peek() and clean() are
 * XEN_DOMCTL_SHADOW_OP_PEEK and XEN_DOMCTL_SHADOW_OP_CLEAN (public domctl.h; mmu/log_dirty.h).
 */
#ifndef LABS_CODE_PRECOPY_H
#define LABS_CODE_PRECOPY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PRECOPY_WORDS(pfns) (((pfns) + 63) / 64)

/*
 * A guest that is to be sent. The functions are the hypervisor's and the link's. The guest runs, and stores, in each of
 * them and between them, until pause() has come to its end.
 */
struct precopy {
    uint64_t nr_pfns;       /* its pages are 0 to nr_pfns - 1 */
    uint64_t few;           /* so many pages may be left when it is stopped; at least 1 */
    unsigned int rounds;    /* at most so many while it runs: at least 1 */
    uint64_t *todo, *again; /* room for two bitmaps, PRECOPY_WORDS(nr_pfns) words each: anything may be in them */
    void *host;             /* the functions' own */

    /* Begin, with all bits 0, to keep the dirty bitmap; or end it. 0, or -errno: it was not begun. To end it works. */
    int (*track)(struct precopy *p, bool on);
    /* The dirty bitmap as it is. Its bits stay. */
    void (*peek)(struct precopy *p, uint64_t *dirty);
    /* The same, and all of its bits become 0, in one step: no store falls in between. */
    void (*clean)(struct precopy *p, uint64_t *dirty);
    /*
     * Send a page as it is at this moment. 0; -ENOENT: the guest has given the page back, and nothing is to be sent
     * (should it get one again at this pfn, that one is dirty); else -errno: the link is down.
     */
    int (*send)(struct precopy *p, uint64_t pfn);
    /* From when it returns, the guest stores nothing; its dirty bitmap is kept on. And: the guest runs again. */
    void (*pause)(struct precopy *p);
    void (*resume)(struct precopy *p);
};

/*
 * Send the guest. 0: the other host has all of its memory as it is, and the guest is paused here. Else -errno, the
 * function's that failed: the guest runs here as if nothing had been. In each case no dirty bitmap is kept any more.
 *
 * - Round 1 is of all pages, each other one of what clean() has given behind the one before. No page is sent twice in
 *   a round, and none that is known not to have changed since it was sent. clean() is called behind rounds, once each,
 *   and when the guest is paused.
 * - The guest is stopped once peek() or clean() shows, behind a round, that no more than `few` pages are left; or
 *   behind round number `rounds`, however many are left; and not before.
 * - While the guest runs, a page of the round that is dirty again may be left out: it has to be sent once more anyway.
 *   Who looks often enough (every 16 to 64 pages that are sent) saves sending a guest's hottest pages. To look takes
 *   time as well, in which the guest stores: that of four to five pages. So it costs more than it saves to look much
 *   more often, or again at each page that is left out.
 */
int precopy_send(struct precopy *p);

#endif
