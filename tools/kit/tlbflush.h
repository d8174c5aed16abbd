// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * tlbflush: what its files share. Pages, domains that have them, pCPUs with a TLB each, and a clock that counts
 * flushes.
 *
 * Concept: a domain has addresses, and page tables that say which page each of them is, and whether it may be stored
 * to. A pCPU that runs one of its vCPUs keeps what it has read there in a TLB, and believes that. A page that is freed
 * and taken anew is another one: it has another number. So a stale use is seen, and not reckoned from what was
 * decided: an entry says which page, and which number it had.
 *
 *      use      by the TLB's entry. None: walk page tables, and keep it
 *      free     page tables have it no more, stamp = clock; into the heap
 *      take     out of the heap; who()? flush; its number is another one; page tables have it
 *      revoke   page tables do not let it be stored to, stamp = clock
 *      rely     on that: who()? flush; it is a page table from now on
 *      switch   another vCPU on a pCPU: its TLB is flushed, or (tagged) keeps entries of several domains
 *      flush    a TLB is empty, clock + 1, the pCPU's stamp = clock
 *
 * tlbflush_machine.c does these; tlbflush_time.c says when, by the workload's programs.
 *
 * What it leaves out: pages that several domains have mapped, global entries, more than one level of a TLB, INVLPG, and
 * what a flush is for the guest: time is reckoned (`spent`), and nobody waits.
 *
 * Invariants: a page is in the heap, or of one domain at one address. What happens, and when, depends on workload, seed
 * and time alone. An entry of a page with the number that it has now is at one place in a TLB: that of its address.
 */
#ifndef TOOLS_KIT_TLBFLUSH_H
#define TOOLS_KIT_TLBFLUSH_H

#include "tools/kit/workload.h"

#define TLB_MAX_DOMAINS 16
#define TLB_MAX_VCPUS   64 /* of all domains */
#define TLB_MAX_STEPS   64
#define TLB_MAX_PAGES   4096 /* of a domain, and of the heap at the beginning */
#define TLB_MAX_ENTRIES 1024
#define TLB_MAX_RATE    1000000                 /* a second */
#define TLB_MAX_TIME    (UINT64_C(10000000000)) /* ns */
#define TLB_COLUMNS     240
#define TLB_NONE        UINT32_MAX
#define TLB_NEVER       UINT64_MAX

/* So often a second, for so many ns. */
struct tlb_step {
    uint64_t touch, recycle, revoke;
    uint64_t ns; /* 0: for ever */
};

struct tlb_domain {
    char name[KIT_NAME];
    uint64_t vcpus, pages;
    struct tlb_step step[TLB_MAX_STEPS];
    unsigned int nr_steps;

    uint32_t *page;     /* by address: TLB_NONE, there is none */
    bool *writable;     /* may it be stored to? */
    uint32_t revoked;   /* a page whose right was taken, and nobody relies on that; TLB_NONE */
    uint64_t ran, runs; /* as in struct tlb_now */
    unsigned int now;   /* which step it is in */
    uint64_t ends_at, recycle_at, revoke_at, recycled, revokes;
    uint64_t uses, fills, stale, taken;
};

struct tlb_page {
    uint32_t domain, address; /* whose it is, or was */
    uint32_t stamp;
    bool table; /* somebody relies on it that it is not stored to */
    uint64_t number;
};

struct tlb_entry {
    uint32_t domain, address, page;
    bool there, writable;
    uint64_t number;
};

struct tlb_pcpu {
    struct tlb_entry *entry;
    uint32_t stamp;
    uint32_t vcpu, before; /* that runs; that ran last. TLB_NONE: none */
    uint64_t slice_at, touch_at, slices, touches;
};

struct tlb_column {
    uint32_t flushes, needed, fills, stale, wraps;
};

struct tlb_model {
    struct tlb_domain domain[TLB_MAX_DOMAINS];
    struct tlb_pcpu pcpu[TLBFLUSH_MAX_PCPUS];
    uint64_t nr_domains, nr_pcpus, nr_entries, nr_spare, nr_vcpus, bits, clock;
    uint64_t flush, ipi, walk, time, seed; /* ns */
    struct workload_range slice;
    bool tagged, oldest; /* a switch keeps the TLB; the heap gives away what was freed first */
    struct tlb_page *page;
    uint32_t *heap; /* those that are free, the oldest first */
    uint64_t nr_pages, nr_heap;
    uint32_t next_vcpu; /* whose turn it is */

    uint64_t now, here, width;
    uint64_t asked, flushes, needed, ipis, left, switches, wraps, wrap_flushes;
    struct tlb_column column[TLB_COLUMNS];
    /* Who decides. False: nothing can be asked any more. */
    bool (*who)(void *of, const struct tlb_now *now, const uint32_t *stamp, uint64_t n, uint64_t *mask);
    void (*passed)(void *of, uint64_t now); /* time has */
    void *of;
    bool gone;
};

/* --- tlbflush_machine.c: `domain` is a number, `address` one of the domain's --- */

/* All as it begins: of a domain's addresses the last quarter has no page. False: no memory. tlb_end() in any case. */
bool tlb_begin(struct tlb_model *m);
void tlb_end(struct tlb_model *m);
void tlb_use(struct tlb_model *m, uint64_t pcpu, uint32_t domain, uint32_t address, bool store);
/* One that is there; one that is not, if there is a page in the heap. */
void tlb_free(struct tlb_model *m, uint32_t domain, uint32_t address);
void tlb_take(struct tlb_model *m, uint32_t domain, uint32_t address);
/* One that is there: rely on the one before, then take this one's right; or give it back, if somebody relies on it. */
void tlb_revoke(struct tlb_model *m, uint32_t domain, uint32_t address);
/* vcpu TLB_NONE: the pCPU idles, and keeps its TLB. */
void tlb_switch(struct tlb_model *m, uint64_t pcpu, uint32_t vcpu);
uint32_t tlb_domain_of(const struct tlb_model *m, uint32_t vcpu);

/* tlbflush_time.c */
void tlb_run(struct tlb_model *m);
/* tlbflush_load.c */
void *tlbflush_load(FILE *f, uint64_t seed, char why[KIT_WHY]);
void tlbflush_free(void *model);
/* tlbflush_svg.c */
void tlbflush_svg(const void *model, FILE *f, const char *title);

#endif
