// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * reclaim: what its files share. A domain that touches more pages than there are frames, and a disk for the others.
 *
 * Concept: what the domain touches, and when, is one string of accesses, which its workload and seed alone decide: its
 * time is that in which it runs, and stands still while it waits for the disk. So the figures of two algorithms are of
 * the same accesses, and there is one that none can better: MIN, which takes as victim the page that is touched again
 * last of all (L. Belady, "A study of replacement algorithms for a virtual-storage computer", IBM Systems Journal 5,
 * 1966). It has to know what is to come; the model does.
 *
 *      not seen --touch--> in memory, clean --store--> in memory, dirty
 *                            ^   |                          |
 *                      fault |   | victim                   | victim: a write
 *                            |   v                          |
 *                          not in memory  <-----------------+      read again, if the disk has it; else zeros
 *
 * reclaim_touch.c is that string, reclaim_min.c is MIN, reclaim.c what the algorithm makes of it.
 *
 * What it leaves out: vCPUs that run while another waits, a disk that does two things at once, reading ahead, writing
 * dirty pages before they are victims, frames kept free, what a scan costs, pages that several domains share.
 *
 * Invariants: no more pages are in memory than there are frames; once they are taken they all stay so. MIN has never
 * more faults than the algorithm.
 */
#ifndef TOOLS_KIT_RECLAIM_H
#define TOOLS_KIT_RECLAIM_H

#include "tools/kit/workload.h"

#define RECLAIM_MAX_PAGES   131072
#define RECLAIM_MAX_REGIONS 16
#define RECLAIM_MAX_STEPS   64
#define RECLAIM_MAX_RATE    1000000                  /* accesses a second */
#define RECLAIM_MAX_TOUCHES (UINT64_C(1) << 24)      /* in a run */
#define RECLAIM_MAX_TIME    (UINT64_C(600000000000)) /* ns */
#define RECLAIM_MAX_DISK    (UINT64_C(1000000000))   /* ns, for a page */
#define RECLAIM_COLUMNS     200
#define RECLAIM_ROWS        32

/* In which order pages from..to - 1 of the region are touched, for so many ns. */
enum reclaim_how { RECLAIM_REST, RECLAIM_LOOP, RECLAIM_ANY, RECLAIM_ZIPF };
struct reclaim_step {
    enum reclaim_how how;
    uint64_t from, to, ns; /* ns 0: for ever */
};

/* How far a region is: another one for each pass over the accesses. */
struct reclaim_cursor {
    unsigned int step;
    uint64_t since, nr; /* when that step began; its accesses in it, */
    uint64_t all;       /* and in all */
};

struct reclaim_region {
    char name[KIT_NAME];
    uint64_t at, pages;    /* its gfns */
    uint64_t rate, stores; /* accesses a second; how many of 100 are stores */
    bool file;             /* the disk has its pages from the beginning */
    struct reclaim_step step[RECLAIM_MAX_STEPS];
    unsigned int nr_steps;

    uint64_t touches, faults, refaults, reads, swaps; /* of its accesses */
};

/* An access. */
struct reclaim_touch {
    uint64_t time, gfn;
    unsigned int region;
    bool store;
};

/* A stretch of time, for charts. */
struct reclaim_column {
    uint32_t faults, least; /* the algorithm's, and MIN's */
    uint32_t touched[RECLAIM_ROWS], came[RECLAIM_ROWS];
};

/* Of a page. */
#define RECLAIM_RESIDENT                                                                                               \
    4                   /* beside the A and D bits, which have the same numbers as in xenlab/kit.h: it is in memory, */
#define RECLAIM_KEPT 8  /* the disk has it, */
#define RECLAIM_SEEN 16 /* it was touched */

struct reclaim {
    uint64_t memory, frames_mib, scan, read, write, time, seed; /* MiB; MiB; ns */
    struct reclaim_region region[RECLAIM_MAX_REGIONS];
    unsigned int nr_regions;
    uint64_t *zipf; /* [n]: the weights of ranks 0 to n together */

    struct reclaim_now told; /* frames and what is resident are the truth as well */
    uint8_t *page;           /* by gfn */
    uint64_t *went;          /* as which victim, from 1; 0: as none */
    uint64_t victims, cold, scans, next_scan;
    bool asked;     /* a first victim: all that are resident were told of */
    uint64_t least; /* MIN's faults */
    uint32_t *min;  /* and what it reckons with */
    struct reclaim_column column[RECLAIM_COLUMNS];
};

/* reclaim_touch.c */
/* The next access; false: there is none before the time is over. Cursors begin as zeros. */
bool reclaim_next(const struct reclaim *m, struct reclaim_cursor cursor[RECLAIM_MAX_REGIONS], struct reclaim_touch *x);
/* m->zipf is made. False: not enough memory. */
bool reclaim_zipf(struct reclaim *m);
/* reclaim_min.c: MIN's faults, in m->least and the columns, of as many accesses as there were. */
void reclaim_min(struct reclaim *m);
/* What it needs, in m->min, for at most so many. False: not enough memory. */
bool reclaim_min_begin(struct reclaim *m, uint64_t accesses);
/* reclaim_load.c */
void *reclaim_load(FILE *f, uint64_t seed, char why[KIT_WHY]);
void reclaim_free(void *model);
/* reclaim_svg.c */
void reclaim_svg(const void *model, FILE *f, const char *title);

static inline struct reclaim_column *reclaim_column(struct reclaim *m, uint64_t time)
{
    return &m->column[time * RECLAIM_COLUMNS / m->time];
}

#endif
