// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the phases of tools/build/build_pv.c share: the builder, and what a phase is.
 */
#ifndef TOOLS_BUILD_BUILD_PV_PRIVATE_H
#define TOOLS_BUILD_BUILD_PV_PRIVATE_H

#include "sim/arena.h"
#include "sim/bug.h"
#include "sim/x86.h"
#include "tools/build/build_pv.h"
#include "tools/xc/xc.h"

#include <stdio.h>
#include <string.h>

struct layout { /* pfns */
    uint64_t ramdisk, ramdisk_pages;
    uint64_t p2m, p2m_pages;
    uint64_t start_info, store, console;
    uint64_t tables, nr_tables;
    uint64_t stack;
    uint64_t end; /* first pfn after what is mapped at virt_base */
};

/* Pages [pfn, pfn + nr) are to be mapped at va; how far that has got. */
struct mapping {
    uint64_t va, pfn, nr;
};

/* What is copied to where, a segment of the kernel, the ramdisk, or the p2m list; how far that has got. */
struct loading {
    uint64_t paddr, len;
    const uint8_t *src;
};

struct builder {
    struct xc_handle *xc;
    struct arena *arena;
    struct pv_build *b;
    const struct image *img;
    unsigned int phase; /* index into phases[] */
    uint64_t *p2m;
    uint64_t nr_populated;
    uint32_t *p2m32; /* the list as a 32-bit guest sees it */
    struct layout l;
    struct loading loads[IMAGE_SEGMENTS_MAX + 3];
    unsigned int nr_loads, load;
    struct mapping maps[2]; /* everything from VIRT_BASE on; the p2m list, if it is apart */
    bool p2m_apart, ramdisk_unmapped, is64;
    uint64_t *table[4096]; /* host addresses of table pages while they are being filled, by index from l.tables */
    uint64_t tables_open, tables_used;
    char *err;
};

/*
 * What a phase answers, beside 0 (it is done) and -1 (failed; err says why): it goes on with the next step. A step is
 * some ten microseconds' worth, by CLOCK_NS_PER_UNIT and _KIB.
 */
#define MORE 1

/* err says what failed, and why; rc: -errno. -1. */
static inline int build_pv_fail(struct builder *w, const char *what, int rc)
{
    snprintf(w->err, IMAGE_ERR_SIZE, "%s: %s", what, strerror(-rc));
    return -1;
}

static inline uint64_t pfn_of(const struct builder *w, uint64_t va) { return (va - w->img->virt_base) >> PAGE_SHIFT; }
static inline uint64_t va_of(const struct builder *w, uint64_t pfn) { return w->img->virt_base + (pfn << PAGE_SHIFT); }

/* build_pv.c. An empty domain, as b says; b->domid is it, also if it could not be set up. -1 with a message. */
int build_pv_domain(struct xc_handle *xc, struct pv_build *b, bool is64, char err[IMAGE_ERR_SIZE]);

/* build_pv_memory.c */
int build_pv_populate(struct builder *w);
int build_pv_lay_out(struct builder *w);
int build_pv_loads_list(struct builder *w);
int build_pv_load(struct builder *w);

/* build_pv_tables.c */
/* How many it takes to map all up to end_va, and the p2m list if it is apart. */
uint64_t build_pv_count_tables(const struct builder *w, uint64_t end_va);
int build_pv_tables_open(struct builder *w);
int build_pv_tables_fill(struct builder *w);
int build_pv_tables_close(struct builder *w);
int build_pv_pin(struct builder *w);

/* build_pv_start_info.c */
int build_pv_special_pages(struct builder *w);
int build_pv_start_context(struct builder *w);

#endif
