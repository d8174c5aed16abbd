// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The arena's allocator: what an arena is for, and how blocks lie in it, is in arena.h.
 *
 * Concept: sizes in four steps a doubling waste a fifth at most, and a list a size makes allocating and freeing a few
 * instructions each. Blocks lie one behind the other from the head to the top, so a walk over all of them needs no
 * further notes.
 *
 * struct arena itself, how much is mapped, is no state: memory that was once mapped stays so, whatever is put back.
 */
#include "sim/arena.h"

#include "sim/bug.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#define POISON(p, n)   __asan_poison_memory_region(p, n)
#define UNPOISON(p, n) __asan_unpoison_memory_region(p, n)
#else
#define POISON(p, n)   ((void)(p), (void)(n))
#define UNPOISON(p, n) ((void)(p), (void)(n))
#endif
#define POISONED __attribute__((no_sanitize_address)) /* it looks at headers, and at free blocks */

/* Far from where the host puts anything: programs, libraries and stacks lie at the ends of the address space. */
#define ARENA_FIRST UINT64_C(0x200000000000)
/* so far apart, and so large at most: xfree() finds an arena by an address in it */
#define ARENA_SPAN (UINT64_C(1) << 38)
#define ARENA_MAX  64
#define ARENA_STEP (UINT64_C(4) << 20) /* mapped at a time */

#define ALIGNMENT   16
#define NR_SIZES    (4 * 34)
#define ARENA_MAGIC UINT64_C(0x616e657261)

struct block {
    size_t asked;      /* bytes, without this header; free: as they were */
    const char *place; /* NULL: free */
    union {
        struct block *next; /* free: of its list */
        uint8_t bytes[8];
    } u;
};

#define HEADER offsetof(struct block, u)

_Static_assert(HEADER == ALIGNMENT, "what is given out is aligned");

/* At the arena's base. */
struct arena_head {
    uint64_t magic;
    uint8_t *top;
    struct block *free[NR_SIZES];
};

struct arena {
    struct arena_head *head;
    uint8_t *mapped; /* up to here */
};

#define ROUND_UP(n, to) (((n) + (to)-1) / (to) * (to))

static uint8_t *first_block(const struct arena_head *h) { return (uint8_t *)h + ROUND_UP(sizeof(*h), ALIGNMENT); }

/* How large a block is for so many bytes, and which list it belongs to. */
static size_t block_size(size_t asked, unsigned int *list)
{
    const size_t n = ROUND_UP(HEADER + (asked ? asked : 1), ALIGNMENT);
    const unsigned int high = 63 - (unsigned int)__builtin_clzl(n - 1); /* n is in (1 << high, 2 << high] */
    const size_t step = (size_t)1 << (high - 2), size = ROUND_UP(ROUND_UP(n, step), ALIGNMENT);

    *list = (high - 4) * 4 + (unsigned int)((n - 1) / step - 4);
    return size;
}

static struct arena_head *head_of(const void *p)
{
    struct arena_head *h = (struct arena_head *)((uintptr_t)p / ARENA_SPAN * ARENA_SPAN); /* NOLINT: an address range */

    BUG_ON((uintptr_t)p < ARENA_FIRST || (uintptr_t)p >= ARENA_FIRST + ARENA_MAX * ARENA_SPAN);
    BUG_ON(h->magic != ARENA_MAGIC);
    return h;
}

/* --- memory --- */

static bool map(uint8_t *at, size_t size)
{
    void *p = mmap(at, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE,
                   -1, 0);

    if (p == MAP_FAILED)
        return false;
    if (p == at)
        return true;
    munmap(p, size); /* a kernel that does not know MAP_FIXED_NOREPLACE took it for a wish */
    return false;
}

struct arena *arena_create(void)
{
    struct arena *a = calloc(1, sizeof(*a));

    for (unsigned int i = 0; a && i < ARENA_MAX; i++) {
        uint8_t *const base = (uint8_t *)(ARENA_FIRST + i * ARENA_SPAN);

        if (!map(base, ARENA_STEP))
            continue;
        a->mapped = base + ARENA_STEP;
        a->head = (struct arena_head *)(void *)base;
        a->head->magic = ARENA_MAGIC;
        a->head->top = first_block(a->head);
        return a;
    }
    free(a);
    return NULL;
}

void arena_destroy(struct arena *a)
{
    if (!a)
        return;
    UNPOISON(a->head, (size_t)(a->mapped - (uint8_t *)a->head));
    munmap(a->head, (size_t)(a->mapped - (uint8_t *)a->head));
    free(a);
}

/* Room for so many bytes at the top. */
static bool grow(struct arena *a, size_t size)
{
    struct arena_head *h = a->head;
    const size_t more = ROUND_UP(size, ARENA_STEP);

    if (size <= (size_t)(a->mapped - h->top))
        return true;
    if (size > ARENA_SPAN || (size_t)(a->mapped - (uint8_t *)h) + more > ARENA_SPAN || !map(a->mapped, more))
        return false;
    a->mapped += more;
    return true;
}

/* --- blocks --- */

POISONED static struct block *take_free(struct arena_head *h, unsigned int list)
{
    struct block *b = h->free[list];

    h->free[list] = b->u.next;
    return b;
}

POISONED static void mark(struct block *b, size_t asked, const char *place)
{
    b->asked = asked;
    b->place = place;
}

void *arena_alloc(struct arena *a, size_t n, size_t size, const char *place)
{
    struct arena_head *h = a->head;
    size_t asked, whole;
    unsigned int list;
    struct block *b;

    if (__builtin_mul_overflow(n, size, &asked) || asked > ARENA_SPAN)
        return NULL;
    whole = block_size(asked, &list);
    if (h->free[list]) {
        b = take_free(h, list);
        UNPOISON(b->u.bytes, asked);
        memset(b->u.bytes, 0, asked);
    } else {
        if (!grow(a, whole))
            return NULL;
        b = (struct block *)(void *)h->top;
        h->top += whole;
        POISON(b, whole);
        UNPOISON(b->u.bytes, asked);
    }
    mark(b, asked, place);
    return b->u.bytes;
}

static struct block *block_of(const void *p) { return (struct block *)(uintptr_t)((const uint8_t *)p - HEADER); }

POISONED void xfree(const void *p)
{
    struct arena_head *h;
    struct block *b;
    unsigned int list;

    if (!p)
        return;
    h = head_of(p);
    b = block_of(p);
    BUG_ON(!b->place); /* freed before */
    block_size(b->asked, &list);
    b->place = NULL;
    b->u.next = h->free[list];
    h->free[list] = b;
    POISON(b->u.bytes, b->asked);
}

POISONED static size_t asked_of(const void *p) { return block_of(p)->asked; }

void *arena_realloc(struct arena *a, void *p, size_t n, size_t size, const char *place)
{
    const size_t old = p ? asked_of(p) : 0;
    void *q = arena_alloc(a, n, size, place);

    if (!q || !p)
        return q;
    memcpy(q, p, old < n * size ? old : n * size);
    xfree(p);
    return q;
}

char *arena_strdup(struct arena *a, const char *s, const char *place)
{
    const size_t n = strlen(s) + 1;
    char *copy = arena_alloc(a, n, 1, place);

    return copy ? memcpy(copy, s, n) : NULL;
}

/* --- looking --- */

void *arena_base(const struct arena *a) { return a->head; }

size_t arena_size(const struct arena *a) { return ROUND_UP((size_t)(a->head->top - (uint8_t *)a->head), 4096); }

void arena_restored(struct arena *a)
{
    uint8_t *const end = (uint8_t *)a->head + arena_size(a);
    unsigned int list;

    BUG_ON(a->head->magic != ARENA_MAGIC || a->head->top > a->mapped);
    UNPOISON(a->head, (size_t)(a->mapped - (uint8_t *)a->head));
    madvise(end, (size_t)(a->mapped - end), MADV_DONTNEED);
    for (uint8_t *at = first_block(a->head); at < a->head->top;) {
        struct block *b = (struct block *)(void *)at;
        const size_t size = block_size(b->asked, &list);
        const bool used = b->place;

        POISON(b, size);
        if (used)
            UNPOISON((uint8_t *)at + HEADER, asked_of(at + HEADER));
        at += size;
    }
}

POISONED size_t arena_blocks(const struct arena *a,
                             void (*fn)(void *data, const void *p, size_t size, const char *place), void *data)
{
    size_t nr = 0;
    unsigned int list;

    for (uint8_t *at = first_block(a->head); at < a->head->top;) {
        const struct block *b = (const struct block *)(const void *)at;

        nr += !!b->place;
        if (b->place && fn)
            fn(data, b->u.bytes, b->asked, b->place);
        at += block_size(b->asked, &list);
    }
    return nr;
}
