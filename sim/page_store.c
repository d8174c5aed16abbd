// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A store of pages, and what is done with whole pages: explained in sim/page_store.h.
 *
 * The hash folds products of 128 bits, as wyhash and its kin do, in four lanes so that the processor can multiply while
 * it multiplies: about 0.13 us a page that is in the cache. It is to notice errors, not forgers.
 */
#include "sim/page_store.h"

#include <string.h>
#include <sys/mman.h>

/* One huge page of the host, if it has any: 512 small ones would cost a page fault each. */
#define SLAB_SIZE (UINT64_C(2) << 20)

/* At the beginning of its pages, in a page of its own. */
struct page_slab {
    struct page_slab *next;
};

union free_page {
    union free_page *next;
    uint8_t bytes[PAGE_SIZE];
};

/* --------------------------------------------------------------------------------------------------- whole pages -- */

const uint8_t page_zero[PAGE_SIZE];

#define WORDS (PAGE_SIZE / sizeof(uint64_t))

#ifdef __SANITIZE_ADDRESS__
#define POISONED __attribute__((no_sanitize_address)) /* memcpy() and memcmp() look at what is poisoned, too */

POISONED void page_copy(void *to, const void *from)
{
    for (size_t i = 0; i < WORDS; i++)
        ((volatile uint64_t *)to)[i] = ((const volatile uint64_t *)from)[i];
}

POISONED bool page_equal(const void *a, const void *b)
{
    for (size_t i = 0; i < WORDS; i++)
        if (((const volatile uint64_t *)a)[i] != ((const volatile uint64_t *)b)[i])
            return false;
    return true;
}
#else
#define POISONED

void page_copy(void *to, const void *from) { memcpy(to, from, PAGE_SIZE); }

bool page_equal(const void *a, const void *b) { return !memcmp(a, b, PAGE_SIZE); }
#endif

static inline unsigned int take_line(lines_t *lines)
{
    const unsigned int n = (unsigned int)__builtin_ctzll(*lines);

    *lines &= *lines - 1;
    return n * (LINE_SIZE / 8); /* words */
}

POISONED lines_t lines_differ(const void *a, const void *b)
{
    const uint64_t *x = a, *y = b;
    lines_t lines = 0;

    for (unsigned int n = 0; n < 64; n++, x += LINE_SIZE / 8, y += LINE_SIZE / 8) {
        uint64_t d = 0;

        for (unsigned int i = 0; i < LINE_SIZE / 8; i++)
            d |= x[i] ^ y[i];
        lines |= (lines_t)(d != 0) << n;
    }
    return lines;
}

POISONED void lines_get(uint8_t *kept, lines_t lines, const void *page)
{
    volatile uint64_t *to = (uint64_t *)(void *)kept; /* or else it would become a memcpy() */

    while (lines) {
        const uint64_t *from = (const uint64_t *)page + take_line(&lines);

        for (unsigned int i = 0; i < LINE_SIZE / 8; i++)
            *to++ = from[i];
    }
}

POISONED void lines_put(void *page, lines_t lines, const uint8_t *kept)
{
    const uint64_t *from = (const uint64_t *)(const void *)kept;

    while (lines) {
        volatile uint64_t *to = (uint64_t *)page + take_line(&lines);

        for (unsigned int i = 0; i < LINE_SIZE / 8; i++)
            to[i] = from ? *from++ : 0;
    }
}

POISONED void lines_swap(void *page, lines_t lines, uint8_t *kept)
{
    uint64_t *k = (uint64_t *)(void *)kept;

    while (lines) {
        uint64_t *p = (uint64_t *)page + take_line(&lines);

        for (unsigned int i = 0; i < LINE_SIZE / 8; i++, k++) {
            const uint64_t was = p[i];

            p[i] = *k;
            *k = was;
        }
    }
}

static inline uint64_t fold(uint64_t a, uint64_t b)
{
    const unsigned __int128 product = (unsigned __int128)a * b;

    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

POISONED uint64_t page_hash(uint64_t nr, const void *page)
{
    /* digits of pi */
    static const uint64_t key[8] = {
        0x243f6a8885a308d3, 0x13198a2e03707344, 0xa4093822299f31d0, 0x082efa98ec4e6c89,
        0x452821e638d01377, 0xbe5466cf34e90c6c, 0xc0ac29b7c97c50dd, 0x3f84d5b5b5470917,
    };
    const uint64_t *w = page;
    uint64_t lane[4] = { nr, nr, nr, nr }, hash = nr;

    if (page_equal(page, page_zero))
        return 0;
    for (size_t i = 0; i < WORDS; i += 8)
        for (unsigned int j = 0; j < 4; j++)
            lane[j] = fold(lane[j] ^ w[i + 2 * j] ^ key[2 * j], w[i + 2 * j + 1] ^ key[2 * j + 1]);
    for (unsigned int j = 0; j < 4; j++)
        hash = fold(hash ^ lane[j] ^ key[j], key[j + 4]);
    return hash ? hash : 1;
}

void *table_grow(void *p, size_t old, size_t size)
{
    void *table = p ? mremap(p, old, size, MREMAP_MAYMOVE)
                    : mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    return table == MAP_FAILED ? NULL : table;
}

/* ----------------------------------------------------------------------------------------------------- the store -- */

static bool slab_new(struct page_store *s)
{
    uint8_t *p = mmap(NULL, 2 * SLAB_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    uint8_t *slab = p + (-(uintptr_t)p & (SLAB_SIZE - 1));

    if (p == MAP_FAILED)
        return false;
    munmap(p, (size_t)(slab - p));
    munmap(slab + SLAB_SIZE, (size_t)(p + SLAB_SIZE - slab));
    madvise(slab, SLAB_SIZE, MADV_HUGEPAGE);
    ((struct page_slab *)(void *)slab)->next = s->slabs;
    s->slabs = (struct page_slab *)(void *)slab;
    s->fresh = slab + PAGE_SIZE;
    s->nr_fresh = SLAB_SIZE / PAGE_SIZE - 1;
    return true;
}

void *page_store_get(struct page_store *s)
{
    union free_page *p = s->free;

    if (p) {
        s->free = p->next;
    } else {
        if (!s->nr_fresh && !slab_new(s))
            return NULL;
        p = (union free_page *)(void *)s->fresh;
        s->fresh += PAGE_SIZE;
        s->nr_fresh--;
    }
    s->in_use++;
    return p;
}

void page_store_put(struct page_store *s, void *page)
{
    union free_page *p = page;

    p->next = s->free;
    s->free = p;
    s->in_use--;
}

void page_store_destroy(struct page_store *s)
{
    while (s->slabs) {
        struct page_slab *slab = s->slabs;

        s->slabs = slab->next;
        munmap(slab, SLAB_SIZE);
    }
    *s = (struct page_store){ 0 };
}
