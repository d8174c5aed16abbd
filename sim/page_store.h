// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Pages that are kept: copying, comparing and hashing them, and room for them that is used again and again.
 *
 * Concept: history (sim/history.h) keeps hundreds of pages a checkpoint, and throws as many away when it is full. Each
 * from malloc() would cost the host a page fault; here they come from slabs and go back onto a list. Tables with an
 * entry for each page of a machine are large, and mostly untouched.
 *
 * Of a page that has changed in places, it is enough to keep these. A set of lines, of 64 bytes, is a word with a bit
 * for each of a page's 64; what they contain is kept one behind the other.
 *
 * Pages of an arena may be given: under the address sanitizer parts of them are poisoned, and are looked at all the
 * same.
 *
 * Invariants: a page that is all zero, and no other, has the hash 0; the hash of all else is a function of its number
 * and its contents, the same on every host.
 */
#ifndef SIM_PAGE_STORE_H
#define SIM_PAGE_STORE_H

#include "sim/types.h"

extern const uint8_t page_zero[PAGE_SIZE];

void page_copy(void *to, const void *from);
bool page_equal(const void *a, const void *b);
/* 64 bits of `nr` and the PAGE_SIZE bytes of a page. */
uint64_t page_hash(uint64_t nr, const void *page);

#define LINE_SIZE (PAGE_SIZE / 64)
typedef uint64_t lines_t;

/* How long what these contain is. */
static inline size_t lines_size(lines_t lines) { return (size_t)__builtin_popcountll(lines) * LINE_SIZE; }
/* In which lines two pages differ. */
lines_t lines_differ(const void *a, const void *b);
/* What these lines of a page are; make them that, or zero (NULL); let both change places. */
void lines_get(uint8_t *kept, lines_t lines, const void *page);
void lines_put(void *page, lines_t lines, const uint8_t *kept);
void lines_swap(void *page, lines_t lines, uint8_t *kept);

/*
 * A table, zero at first, that has room for `size` bytes from now on, and had for `old` (0: p is NULL). It is given
 * back with munmap(). NULL: no memory, and the table p is as it was.
 */
void *table_grow(void *p, size_t old, size_t size);

struct page_store {
    struct page_slab *slabs;
    union free_page *free; /* pages that came back */
    uint8_t *fresh;        /* of the last slab, pages that were never in use */
    size_t nr_fresh;
    size_t in_use; /* pages */
};

/* A page, whose contents are anything; NULL: no memory. */
void *page_store_get(struct page_store *s);
void page_store_put(struct page_store *s, void *page);
/* All pages are gone, those in use as well. */
void page_store_destroy(struct page_store *s);

#endif
