// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The frame table: who owns each frame of machine memory, and what may be done with it.
 *
 * Concept: PV guests write their own page tables, and yet must not reach memory that is not theirs. Xen's answer is one
 * `struct page_info` a frame with two reference counts:
 *
 *   count_info  how many references of any kind exist; the frame is freed only when the last one goes
 *   type_info   what the frame is being used AS right now (page table of level n, segment descriptors, writable data), and
 *               how often. A frame has one type at a time: it can change only when its type count is 0. Since
 *               "writable" and "page table" are different types, no guest ever has a writable mapping of a live page
 *               table.
 *
 *   count_info:  63         62        61     60..59                53..0
 *                allocated  xen_heap  extra  state: inuse or free  reference count
 *   type_info:   63..61  60      59         58                         57       56      55..0
 *                type    pinned  validated  pae_xen_l2 (an L2: PV32)   partial  locked  type count
 *
 * Invariants (mmu_audit() checks them all): see mmu/audit.c.
 *
 * Corresponds to xen/arch/x86/include/asm/mm.h and xen/arch/x86/mm.c (get_page, get_page_type, _put_page_type).
 */
#ifndef MMU_PAGE_H
#define MMU_PAGE_H

#include "vcpu/noun/domain.h"

#define PAGE_LIST_NULL UINT32_MAX

/* The first MiB is the firmware's: no RAM to anybody, and so frame 0 is never a valid answer. */
#define FIRMWARE_FRAMES 256

/*
 * Addresses of devices and of what the firmware left: no RAM, and nobody counts who maps it. Devices' memory lies below
 * 4 GiB.
 */
#define IOMEM_END 0x100000u
static inline bool mfn_is_iomem(const struct xen *xen, mfn_t mfn)
{
    return mfn_x(mfn) < FIRMWARE_FRAMES || (mfn_x(mfn) >= xen->machine->nr_frames && mfn_x(mfn) < IOMEM_END);
}
/* Who may map it: the domain that has the devices. Xen: iomem_access_permitted(). */
static inline bool iomem_access_permitted(const struct domain *d, mfn_t mfn)
{
    return is_hardware_domain(d) && mfn_is_iomem(d->xen, mfn);
}

/* Values of Xen 4.17 (xen/arch/x86/include/asm/mm.h); counts live in the low bits. */
#define PGT_none          (UINT64_C(0) << 61)
#define PGT_l1_page_table (UINT64_C(1) << 61)
#define PGT_l2_page_table (UINT64_C(2) << 61)
#define PGT_l3_page_table (UINT64_C(3) << 61)
#define PGT_l4_page_table (UINT64_C(4) << 61)
#define PGT_seg_desc_page (UINT64_C(5) << 61)
#define PGT_shared_page   (UINT64_C(6) << 61)
#define PGT_writable_page (UINT64_C(7) << 61)
#define PGT_type_mask     (UINT64_C(7) << 61)
#define PGT_pinned        (UINT64_C(1) << 60)
#define PGT_validated     (UINT64_C(1) << 59)
#define PGT_pae_xen_l2    (UINT64_C(1) << 58) /* PV32: the L2 that holds Xen's own entries */
#define PGT_partial       (UINT64_C(1) << 57) /* validation or invalidation was preempted: nr_validated_ptes is valid */
#define PGT_locked        (UINT64_C(1) << 56)
#define PGT_count_mask    ((UINT64_C(1) << 56) - 1)

#define PGC_allocated   (UINT64_C(1) << 63) /* the owner's own reference exists */
#define PGC_xen_heap    (UINT64_C(1) << 62) /* the hypervisor's memory, perhaps shared with a domain */
#define PGC_extra       (UINT64_C(1) << 61) /* not counted in tot_pages */
#define PGC_state_inuse (UINT64_C(0) << 59)
#define PGC_state_free  (UINT64_C(3) << 59)
#define PGC_state       (UINT64_C(3) << 59)
#define PGC_count_mask  ((UINT64_C(1) << 54) - 1)

/* The drawings above: every bit once. */
_Static_assert(PGC_allocated + PGC_xen_heap + PGC_extra + PGC_state + PGC_count_mask == UINT64_C(0xf83fffffffffffff) &&
                   PGC_allocated > PGC_xen_heap && PGC_xen_heap > PGC_extra && PGC_extra > PGC_state,
               "count_info");
_Static_assert(PGT_type_mask + PGT_pinned + PGT_validated + PGT_pae_xen_l2 + PGT_partial + PGT_locked +
                           PGT_count_mask ==
                       UINT64_MAX &&
                   PGT_pinned > PGT_validated && PGT_validated > PGT_pae_xen_l2 && PGT_pae_xen_l2 > PGT_partial &&
                   PGT_partial > PGT_locked,
               "type_info");

/* page_info.partial_flags: the entry at nr_validated_ptes holds a reference to a frame whose own type is partial. */
#define PTF_partial_set 1u

/* Which of its owner's lists a frame is on. */
enum page_list_id { PAGE_LIST_none, PAGE_LIST_page, PAGE_LIST_xenpage, PAGE_LIST_relmem };

/*
 * All zero: a frame that nobody owns, references or ever used. So a frame table of any size is ready when it is mapped.
 */
struct page_info {
    uint64_t count_info;
    uint64_t type_info; /* PGC_state_free: order of the free block */
    struct domain *owner;
    uint32_t prev, next; /* links of the list it is on (d->page_list, a free list); mfn or PAGE_LIST_NULL */
    uint64_t tlb_stamp;  /* xen->tlb_clock when a use of it ended: a TLB may know a way to it since (mmu/tlb.h) */
    uint16_t nr_validated_ptes;
    int16_t linear_pt_count; /* < 0: has that many linear entries; > 0: others have that many linear entries to it */
    uint8_t partial_flags;
    uint8_t list;    /* enum page_list_id */
    bool need_scrub; /* free, and still holds somebody's data */
};

static inline struct page_info *mfn_to_page(const struct xen *xen, mfn_t mfn) { return &xen->frame_table[mfn_x(mfn)]; }
static inline mfn_t page_to_mfn(const struct xen *xen, const struct page_info *pg)
{
    return _mfn(pg - xen->frame_table);
}

/* --- lists of frames --- */
static inline void page_list_add(struct xen *xen, struct page_list *l, struct page_info *pg, bool tail)
{
    uint32_t n = (uint32_t)(pg - xen->frame_table), *end = tail ? &l->last : &l->first;

    if (!l->nr) {
        l->first = l->last = n;
        pg->prev = pg->next = PAGE_LIST_NULL;
    } else if (tail) {
        pg->prev = *end;
        pg->next = PAGE_LIST_NULL;
        xen->frame_table[*end].next = n;
        *end = n;
    } else {
        pg->next = *end;
        pg->prev = PAGE_LIST_NULL;
        xen->frame_table[*end].prev = n;
        *end = n;
    }
    l->nr++;
}

static inline void page_list_del(struct xen *xen, struct page_list *l, struct page_info *pg)
{
    *(pg->prev == PAGE_LIST_NULL ? &l->first : &xen->frame_table[pg->prev].next) = pg->next;
    *(pg->next == PAGE_LIST_NULL ? &l->last : &xen->frame_table[pg->next].prev) = pg->prev;
    l->nr--;
}

static inline struct page_info *page_list_first(const struct xen *xen, const struct page_list *l)
{
    return l->nr ? &xen->frame_table[l->first] : NULL;
}

static inline struct page_info *page_list_next(const struct xen *xen, const struct page_info *pg)
{
    return pg->next == PAGE_LIST_NULL ? NULL : &xen->frame_table[pg->next];
}

/* --- allocation: mmu/heap.c, mmu/domheap.c --- */
/* Frame table, heap and M2P. Costs the same for every size of machine: nothing is touched before it is used. */
int heap_init(struct xen *xen);
void heap_destroy(struct xen *xen);
uint64_t avail_domheap_pages(const struct xen *xen);
/*
 * 2^order contiguous frames for the hypervisor itself (xen heap), zeroed. NULL: -ENOMEM. (Xen answers with their
 * address.)
 */
struct page_info *alloc_xenheap_pages(struct xen *xen, unsigned int order);
/*
 * The hypervisor gives its frames up. Those shared with a domain lose the domain's allocation reference and are free
 * when the last mapping is gone, the others are free now.
 */
void free_xenheap_pages(struct xen *xen, struct page_info *pg, unsigned int order);
/*
 * 2^order frames for d (scrubbed), assigned and counted against d->max_pages; each holds one reference
 * (PGC_allocated). NULL when memory or d's limit is exhausted. MEMF_no_owner: assign later with assign_page().
 */
#define MEMF_no_owner    1u
#define MEMF_no_refcount 2u /* does not count in tot_pages but in extra_pages (Xen's MEMF_no_refcount, PGC_extra) */
struct page_info *alloc_domheap_pages(struct xen *xen, struct domain *d, unsigned int order, unsigned int memflags);
/*
 * Give frames from alloc_domheap_pages(MEMF_no_owner) to d. 0, -EINVAL (dying), -E2BIG. MEMF_no_refcount: tot_pages
 * stays as it is.
 */
int assign_page(struct page_info *pg, unsigned int order, struct domain *d, unsigned int memflags);
/*
 * Take pg away from d: afterwards it is as alloc_domheap_pages(MEMF_no_owner) returns one. Only when nothing but d's
 * own allocation refers to it; -EINVAL otherwise (also for another domain's page), -EOPNOTSUPP for a translated domain.
 * The content stays, and so may what TLBs know of it: flush before somebody else gets it. Xen
 * arch/x86/mm.c:steal_page().
 */
int steal_page(struct domain *d, struct page_info *pg);
/* Free a block of alloc_domheap_pages(MEMF_no_owner), or an owned frame (order 0), that nobody references. */
void free_domheap_pages(struct xen *xen, struct page_info *pg, unsigned int order);
static inline void free_domheap_page(struct xen *xen, struct page_info *pg) { free_domheap_pages(xen, pg, 0); }
/* Make a xen-heap frame mappable by d. */
enum XENSHARE_flags { SHARE_rw, SHARE_ro };
void share_xen_page_with_guest(struct page_info *pg, struct domain *d, enum XENSHARE_flags flags);

/* Free frames in blocks of 2^order, for statistics and tests. */
uint64_t heap_free_blocks(const struct xen *xen, unsigned int order);
/* All frames that the heap has to give; those below heap_first_frame() belong to the firmware and to the M2P. */
uint64_t heap_total_pages(const struct xen *xen);
uint64_t heap_first_frame(const struct xen *xen);

/* --- references: mmu/page.c, types: mmu/page_type.c; false when refused, or -errno --- */
/* A general reference, if the frame is in use at all and d owns it. */
static inline bool get_page(struct page_info *pg, const struct domain *d)
{
    uint64_t x = pg->count_info & PGC_count_mask;

    if (__builtin_expect(pg->owner != d || x - 1 >= PGC_count_mask - 2, 0))
        return false;
    pg->count_info++;
    return true;
}

/* Give one up. With the last one the frame goes back to the heap. */
static inline void put_page(struct xen *xen, struct page_info *pg)
{
    BUG_ON(!(pg->count_info & PGC_count_mask));
    if (__builtin_expect(!(--pg->count_info & PGC_count_mask), 0))
        free_domheap_page(xen, pg);
}

struct page_info *get_page_from_mfn(struct xen *xen, mfn_t mfn, struct domain *d);
bool get_page_type(struct xen *xen, struct page_info *pg, uint64_t type);
int get_page_type_preemptible(struct vcpu *v, struct page_info *pg, uint64_t type);
void put_page_type(struct xen *xen, struct page_info *pg);
bool get_page_and_type(struct xen *xen, struct page_info *pg, struct domain *d, uint64_t type);
void put_page_and_type(struct xen *xen, struct page_info *pg);
int put_page_and_type_preemptible(struct vcpu *v, struct page_info *pg);
/* Drop the PGC_allocated reference once (guest gave the page up). False: it was not there any more. */
void put_page_alloc_ref(struct xen *xen, struct page_info *pg);

/* M2P entry of a frame; INVALID_M2P_ENTRY when it has none. Keeps the PV32 table in step. */
void set_gpfn_from_mfn(struct xen *xen, mfn_t mfn, uint64_t pfn);
uint64_t get_gpfn_from_mfn(const struct xen *xen, mfn_t mfn);

/* Domain destruction: give back everything, -ERESTART when preempted. relinquish_memory() + put of roots. */
int domain_relinquish_memory(struct domain *d);

#endif
