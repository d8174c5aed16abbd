// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * precopy: what its files share. A VM that stores to its memory, its dirty bitmap, a link, and the other host's copy.
 *
 * Concept: time passes while something is sent and while the dirty bitmap is looked at. Until the VM is paused, it
 * stores in that time, as its regions' programs say. A page is a number here, another one after each store, and the
 * number that was sent last there: so what is lost is not reckoned from what was decided, but seen.
 *
 *      store    here[gfn] is new, dirty has gfn
 *      clean    todo |= dirty, dirty = none: in one moment           (XEN_DOMCTL_SHADOW_OP_CLEAN)
 *      look     dirty as it is, which takes `look`                   (XEN_DOMCTL_SHADOW_OP_PEEK)
 *      send     there[gfn] = here[gfn], todo has it no more; then the link is busy for `page`
 *
 * precopy_vm.c is the VM, without anybody who decides: in lab 21 a real domain stores as it does (labs/21-pre-copy/).
 *
 * What it leaves out: what a log-dirty fault costs the VM, vCPU state, page tables, a link that others use, too.
 *
 * Invariants: what the VM stores, and when, depends on its workload, seed and time alone. A page that is not there as
 * it is here is in todo, or dirty, or was left out of the last round.
 */
#ifndef TOOLS_KIT_PRECOPY_H
#define TOOLS_KIT_PRECOPY_H

#include "tools/kit/workload.h"

#define PRECOPY_MAX_REGIONS 16
#define PRECOPY_MAX_STEPS   64
#define PRECOPY_MAX_STORES  1000000                  /* a second */
#define PRECOPY_MAX_TIME    (UINT64_C(600000000000)) /* ns */
#define PRECOPY_COLUMNS     256
#define PRECOPY_ROWS        32

/* So many stores a second for so many ns, to random pages of the region, or to one after the other. */
struct precopy_step {
    uint64_t stores, ns; /* ns 0: for ever */
    bool scans;
};

struct precopy_region {
    char name[KIT_NAME];
    uint64_t at, pages; /* its gfns */
    struct precopy_step step[PRECOPY_MAX_STEPS];
    unsigned int nr_steps;

    unsigned int now;    /* which step it is in, */
    uint64_t since, nr;  /* since when; its stores in that step, */
    uint64_t stores;     /* and in all */
    uint64_t sent, last; /* pages of it that were sent; of those, while the VM was paused */
};

/* What has happened in a stretch of time, for charts: as many stretches as there are, of the same length. */
struct precopy_column {
    uint64_t left; /* pages that were not there as they are here, at its end */
    uint32_t sent[PRECOPY_ROWS], stores[PRECOPY_ROWS];
};

struct precopy_vm {
    uint64_t nr_pages, page, look, seed; /* page, look: ns */
    struct precopy_region region[PRECOPY_MAX_REGIONS];
    unsigned int nr_regions;

    uint64_t now; /* ns */
    bool paused;
    uint32_t *here, *there; /* by gfn; there: PRECOPY_NOWHERE, nothing was sent yet */
    uint64_t *todo, *dirty; /* bitmaps */
    uint64_t nr_todo, nr_dirty, nr_left /* in either or both */;
    uint64_t stores, sent, first, vain, last, looks; /* sent: pages; for the first time; though dirty; when paused */
    void (*stored)(void *of, uint64_t gfn);          /* told of each store; or NULL */
    void *of;

    struct precopy_column column[PRECOPY_COLUMNS];
    uint64_t width; /* of one, ns */
};
#define PRECOPY_NOWHERE UINT32_MAX

/* The VM as it begins, all its pages to be sent: nr_pages, page and regions are set. False: not enough memory. */
bool precopy_vm_begin(struct precopy_vm *vm);
void precopy_vm_end(struct precopy_vm *vm);
/* Time passes. */
void precopy_vm_run(struct precopy_vm *vm, uint64_t ns);
/* A store of the VM's, at this moment. */
void precopy_vm_store(struct precopy_vm *vm, uint64_t gfn);
void precopy_vm_look(struct precopy_vm *vm);
void precopy_vm_clean(struct precopy_vm *vm);
void precopy_vm_send(struct precopy_vm *vm, uint64_t gfn);
/* Pages that are not there as they are here. */
uint64_t precopy_vm_differ(const struct precopy_vm *vm);
/* Up to which column there is something to see. */
uint64_t precopy_vm_columns(const struct precopy_vm *vm);

static inline bool precopy_bit(const uint64_t *map, uint64_t gfn) { return map[gfn / 64] >> gfn % 64 & 1; }

#define PRECOPY_MAX_ROUNDS 1024 /* that charts have */

struct precopy_model {
    struct precopy_vm vm;
    uint64_t memory, link, time; /* MiB; MiB a second; ns after which it is given up */
    struct precopy_now told;
    uint64_t paused_at, paused_left; /* when, and how many pages were missing */
    uint64_t round_at[PRECOPY_MAX_ROUNDS];
    uint64_t rounds; /* while the VM ran */
    uint64_t lost;
    bool done;
    struct {
        struct precopy_now now;
        uint64_t bitmaps[2 * PRECOPY_MAP_WORDS(PRECOPY_MAX_PAGES)];
    } ask;
    uint64_t answer[1 + PRECOPY_AT_ONCE], seen[PRECOPY_MAP_WORDS(PRECOPY_MAX_PAGES)];
};

/* precopy_load.c */
void *precopy_load(FILE *f, uint64_t seed, char why[KIT_WHY]);
void precopy_free(void *model);
/* precopy_svg.c */
void precopy_svg(const void *model, FILE *f, const char *title);

#endif
