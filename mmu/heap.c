// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The heap: free frames of the machine, by the buddy method.
 *
 * Concept: free memory is kept in blocks of 2^order frames, each aligned to its size, on one list an order. To
 * allocate, a block that is too big is halved until it fits; to free, a block is joined with its buddy (the other half
 * of what it was cut from) as long as that is free as a whole, too. What a block is stands in the page_info of its
 * first frame; all its other frames are plain zero there. So a fresh machine is a handful of blocks, and nothing else
 * has to be written.
 *
 *   frame    0 1 2 3 4 5 6 7        order 2 at 0 (its buddy is 4..7), order 1 at 4 (buddy 6..7),
 *            [ 2   . . ] [1 .] X [0]     frame 6 in use, order 0 at 7
 *
 * Frames are scattered on purpose: which half of a block is used first is thrown by the machine's seeded dice, and
 * single frames are dealt out of blocks of up to 512 in a permuted order. So no frame number ever equals a guest's own
 * by luck, consecutive allocations are not neighbours, and the same seed gives the same frames.
 *
 * Invariants: of a free block, the first frame has PGC_state_free and the order in type_info; free_pages is the sum
 * over the lists; a frame whose need_scrub is clear reads as zeroes. (Real Xen scrubs when a domain dies; here it is
 * put off until the frame is used again, which nobody can tell from outside.)
 *
 * Simplifies xen/common/page_alloc.c: no zones, no NUMA nodes, no separate boot allocator. Who owns a frame is the
 * next storey: mmu/domheap.c.
 */
#include "mmu/heap.h"

#include "mmu/m2p.h"
#include "mmu/tlb.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define SMALLEST_MACHINE (8 * FIRMWARE_FRAMES) /* 8 MiB, of which firmware and M2P take 6 */

#define LARGE_FRAME_TABLE (64u << 20) /* of a machine of some 5 GiB */

struct heap {
    struct page_list free[HEAP_MAX_ORDER + 1];
    uint64_t free_pages, total_pages, first_frame;
};

static void block_add(struct xen *xen, struct page_info *pg, unsigned int order)
{
    pg->count_info = PGC_state_free;
    pg->type_info = order;
    page_list_add(xen, &xen->heap->free[order], pg, false);
}

static void block_del(struct xen *xen, struct page_info *pg, unsigned int order)
{
    page_list_del(xen, &xen->heap->free[order], pg);
    pg->count_info = pg->type_info = 0;
}

/* All of RAM from `first` on, in the largest blocks whose alignment allows it. */
static void heap_fill(struct xen *xen, uint64_t first, uint64_t end)
{
    xen->heap->total_pages = xen->heap->free_pages = end - first;
    while (first < end) {
        unsigned int order = first ? (unsigned int)__builtin_ctzll(first) : HEAP_MAX_ORDER;

        if (order > HEAP_MAX_ORDER)
            order = HEAP_MAX_ORDER;
        while (first + (UINT64_C(1) << order) > end)
            order--;
        block_add(xen, &xen->frame_table[first], order);
        first += UINT64_C(1) << order;
    }
}

/*
 * Zeroes, of which the host gives what is touched. A machine with room for many domains fills its frame table densely,
 * so the host is asked for large pages: one page fault where there would be 512. A small one stays small.
 */
static struct page_info *frame_table_create(struct machine *m)
{
    const size_t size = m->nr_frames * sizeof(struct page_info);
    struct page_info *table = xzalloc_array(m->arena, struct page_info, m->nr_frames);

    if (table && size >= LARGE_FRAME_TABLE)
        /* a hint: it goes without */
        madvise((void *)(PFN_UP((uintptr_t)table) << PAGE_SHIFT), size - PAGE_SIZE, MADV_HUGEPAGE);
    return table;
}

int heap_init(struct xen *xen)
{
    struct machine *m = xen->machine;

    if (m->nr_frames < SMALLEST_MACHINE)
        return -ENOMEM;
    xen->frame_table = frame_table_create(m);
    xen->heap = xzalloc(xen->machine->arena, struct heap);
    if (!xen->frame_table || !xen->heap) {
        heap_destroy(xen);
        return -ENOMEM;
    }
    for (unsigned int i = 0; i <= HEAP_MAX_ORDER; i++)
        xen->heap->free[i] = (struct page_list){ PAGE_LIST_NULL, PAGE_LIST_NULL, 0 };
    xen->tlb_clock = xen->tlb_flushed = 1;
    m->tells_of_mappings = true;
    xen->heap->first_frame = m2p_init(xen);
    heap_fill(xen, xen->heap->first_frame, m->nr_frames);
    return 0;
}

void heap_destroy(struct xen *xen)
{
    xfree(xen->heap);
    xfree(xen->frame_table);
    xen->heap = NULL;
    xen->frame_table = NULL;
}

uint64_t avail_domheap_pages(const struct xen *xen) { return xen->heap->free_pages; }
uint64_t heap_total_pages(const struct xen *xen) { return xen->heap->total_pages; }
uint64_t heap_first_frame(const struct xen *xen) { return xen->heap->first_frame; }
uint64_t heap_free_blocks(const struct xen *xen, unsigned int order) { return xen->heap->free[order].nr; }

/* Take a block of exactly this order off the lists, halving a bigger one if need be. */
static struct page_info *block_take(struct xen *xen, unsigned int order)
{
    struct heap *h = xen->heap;
    unsigned int k = order;
    struct page_info *pg;

    while (k <= HEAP_MAX_ORDER && !h->free[k].nr)
        k++;
    if (k > HEAP_MAX_ORDER)
        return NULL;
    pg = page_list_first(xen, &h->free[k]);
    block_del(xen, pg, k);
    while (k > order) {
        struct page_info *upper = pg + (UINT64_C(1) << --k);
        bool take_upper = machine_random(xen->machine) & 1;

        block_add(xen, take_upper ? pg : upper, k);
        if (take_upper)
            pg = upper;
    }
    return pg;
}

/*
 * Put a block on the list of single frames, in an order that the dice decide: i -> a * i + b. No neighbours follow each
 * other.
 */
static void scatter(struct xen *xen, struct page_info *block, unsigned int nr)
{
    uint64_t dice = machine_random(xen->machine);
    unsigned int a = (unsigned int)(dice & ~7ull) | 5, b = (unsigned int)(dice >> 32);

    for (unsigned int i = 0; i < nr; i++)
        block_add(xen, &block[(a * i + b) & (nr - 1)], 0);
}

/* Make a frame that comes from the heap presentable: clean, with an M2P entry, and reachable through nobody's TLB. */
static void prepare(struct xen *xen, struct page_info *pg, uint64_t nr)
{
    struct machine *m = xen->machine;
    uint64_t stamp = 0;

    m2p_open(xen, page_to_mfn(xen, pg), nr);
    for (uint64_t i = 0; i < nr; i++) {
        if (pg[i].tlb_stamp > stamp)
            stamp = pg[i].tlb_stamp;
        if (pg[i].need_scrub) {
            mfn_t mfn = page_to_mfn(xen, pg + i);

            memset(frame_write_begin(m, mfn), 0, PAGE_SIZE);
            frame_write_end(m, mfn);
            pg[i].need_scrub = false;
        }
    }
    tlb_flush_stale(xen, stamp);
}

struct page_info *alloc_heap_pages(struct xen *xen, unsigned int order)
{
    struct heap *h = xen->heap;
    struct page_info *pg;

    if (order > HEAP_MAX_ORDER)
        return NULL;
    if (order == 0 && !h->free[0].nr) {
        unsigned int k = 1;

        while (k < HEAP_RUN_ORDER && !h->free[k].nr)
            k++;
        pg = block_take(xen, k);
        if (!pg)
            return NULL;
        scatter(xen, pg, 1u << k);
    }
    pg = block_take(xen, order);
    if (!pg)
        return NULL;
    h->free_pages -= UINT64_C(1) << order;
    prepare(xen, pg, UINT64_C(1) << order);
    return pg;
}

void free_heap_pages(struct xen *xen, struct page_info *pg, unsigned int order)
{
    const uint64_t nr_frames = xen->machine->nr_frames;
    uint64_t n = (uint64_t)(pg - xen->frame_table);

    for (uint64_t i = 0; i < UINT64_C(1) << order; i++) {
        BUG_ON(pg[i].count_info & (PGC_count_mask | PGC_allocated | PGC_state));
        BUG_ON(pg[i].list != PAGE_LIST_none || pg[i].owner);
        pg[i] = (struct page_info){ .need_scrub = true, .tlb_stamp = xen->tlb_clock };
        m2p_entry_set(xen, _mfn(n + i), INVALID_M2P_ENTRY);
    }
    xen->heap->free_pages += UINT64_C(1) << order;
    for (; order < HEAP_MAX_ORDER; order++) {
        uint64_t buddy = n ^ (UINT64_C(1) << order);
        struct page_info *b = &xen->frame_table[buddy];

        if (buddy >= nr_frames || (b->count_info & PGC_state) != PGC_state_free || b->type_info != order)
            break;
        block_del(xen, b, order);
        n &= buddy;
    }
    block_add(xen, &xen->frame_table[n], order);
}
