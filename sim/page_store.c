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

#define SLAB_PAGES 256

/* In front of its pages, in a page of its own. */
struct page_slab {
    struct page_slab *next;
};

union free_page {
    union free_page *next;
    struct page_slab slab;
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
    uint64_t lane[4] = { nr, nr, nr, nr }, any = 0, hash = nr;

    for (size_t i = 0; i < WORDS; i += 8)
        for (unsigned int j = 0; j < 4; j++) {
            any |= w[i + 2 * j] | w[i + 2 * j + 1];
            lane[j] = fold(lane[j] ^ w[i + 2 * j] ^ key[2 * j], w[i + 2 * j + 1] ^ key[2 * j + 1]);
        }
    if (!any)
        return 0;
    for (unsigned int j = 0; j < 4; j++)
        hash = fold(hash ^ lane[j] ^ key[j], key[j + 4]);
    return hash ? hash : 1;
}

/* ----------------------------------------------------------------------------------------------------- the store -- */

static bool slab_new(struct page_store *s)
{
    union free_page *p =
        mmap(NULL, (SLAB_PAGES + 1) * PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (p == MAP_FAILED)
        return false;
    p->slab.next = s->slabs;
    s->slabs = &p->slab;
    for (unsigned int i = SLAB_PAGES; i; i--) {
        p[i].next = s->free;
        s->free = &p[i];
    }
    return true;
}

void *page_store_get(struct page_store *s)
{
    union free_page *p;

    if (!s->free && !slab_new(s))
        return NULL;
    p = s->free;
    s->free = p->next;
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
        munmap(slab, (SLAB_PAGES + 1) * PAGE_SIZE);
    }
    *s = (struct page_store){ 0 };
}
