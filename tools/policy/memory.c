// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The arena of a process that has no machine: the heap.
 *
 * Concept: policies take memory as the core does (xzalloc() and its kin, sim/arena.h). A machine's arena can be saved
 * and put back; a policy's process lives for one run, so here the same functions are malloc()'s. Before each block lies
 * its length, since what is new of an array must be zero.
 */
#include "sim/arena.h"

#include <stdlib.h>
#include <string.h>

struct block {
    size_t length;
    max_align_t data[];
};

static struct block *block_of(const void *p) { return (struct block *)((uintptr_t)p - offsetof(struct block, data)); }

void *arena_alloc(struct arena *a, size_t n, size_t size, const char *place)
{
    struct block *b = size && n > (SIZE_MAX - sizeof(*b)) / size ? NULL : calloc(1, sizeof(*b) + n * size);

    if (!b)
        return NULL;
    b->length = n * size;
    return b->data;
}

void *arena_realloc(struct arena *a, void *p, size_t n, size_t size, const char *place)
{
    void *q = arena_alloc(a, n, size, place);

    if (!q || !p)
        return q;
    memcpy(q, p, block_of(p)->length < n * size ? block_of(p)->length : n * size);
    xfree(p);
    return q;
}

char *arena_strdup(struct arena *a, const char *s, const char *place)
{
    char *copy = arena_alloc(a, strlen(s) + 1, 1, place);

    return copy ? strcpy(copy, s) : NULL;
}

void xfree(const void *p)
{
    if (p)
        free(block_of(p));
}
