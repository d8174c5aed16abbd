// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * reclaim: Belady's MIN, by somebody who knows what is to come.
 *
 * Concept: the accesses are written down, and for each one when its page is touched next: that is seen from the end.
 * Then they are gone through once more. The pages that are in memory are a heap, the one that is touched last of all on
 * top: it is the victim. A page that is touched only ever moves up, since its next touch is later than this one.
 */
#include <stdlib.h>

#include "tools/kit/reclaim.h"

#define NEVER UINT32_MAX

struct min {
    uint32_t *gfn, *next;           /* by access; when that page is touched next, or NEVER */
    uint32_t *heap, *place, *again; /* gfns; by gfn: where in the heap it is, from 1, or 0; and its next touch */
    uint64_t nr, resident;
};

static void put(struct min *b, uint64_t place, uint32_t gfn)
{
    b->heap[place] = gfn;
    b->place[gfn] = (uint32_t)place;
}

static void up(struct min *b, uint64_t place)
{
    const uint32_t gfn = b->heap[place];

    for (; place > 1 && b->again[b->heap[place / 2]] < b->again[gfn]; place /= 2)
        put(b, place, b->heap[place / 2]);
    put(b, place, gfn);
}

static void down(struct min *b, uint64_t place)
{
    const uint32_t gfn = b->heap[place];

    for (uint64_t child; (child = 2 * place) <= b->resident; place = child) {
        if (child < b->resident && b->again[b->heap[child + 1]] > b->again[b->heap[child]])
            child++;
        if (b->again[b->heap[child]] <= b->again[gfn])
            break;
        put(b, place, b->heap[child]);
    }
    put(b, place, gfn);
}

/* Access i; is it a fault? */
static bool touch(struct min *b, uint64_t i, uint64_t frames)
{
    const uint32_t gfn = b->gfn[i];
    const bool fault = !b->place[gfn];

    b->again[gfn] = b->next[i];
    if (!fault) {
        up(b, b->place[gfn]);
    } else if (b->resident < frames) {
        b->heap[++b->resident] = gfn;
        up(b, b->resident);
    } else {
        b->place[b->heap[1]] = 0;
        b->heap[1] = gfn;
        down(b, 1);
    }
    return fault;
}

static void foresee(struct min *b, const struct reclaim *m)
{
    for (uint64_t gfn = 0; gfn < m->told.pages; gfn++)
        b->again[gfn] = NEVER;
    for (uint64_t i = b->nr; i--;) {
        b->next[i] = b->again[b->gfn[i]];
        b->again[b->gfn[i]] = (uint32_t)i;
    }
}

bool reclaim_min_begin(struct reclaim *m, uint64_t accesses)
{
    m->min = calloc(2 * accesses + m->told.frames + 1 + 2 * m->told.pages, sizeof(*m->min));
    return m->min;
}

void reclaim_min(struct reclaim *m)
{
    struct reclaim_cursor once[RECLAIM_MAX_REGIONS] = { 0 }, again[RECLAIM_MAX_REGIONS] = { 0 };
    struct reclaim_touch x;
    struct min b = { .nr = 0 };

    for (unsigned int i = 0; i < m->nr_regions; i++)
        b.nr += m->region[i].touches;
    b.gfn = m->min;
    b.next = b.gfn + b.nr;
    b.heap = b.next + b.nr;
    b.place = b.heap + m->told.frames + 1;
    b.again = b.place + m->told.pages;
    for (uint64_t i = 0; i < b.nr && reclaim_next(m, once, &x); i++)
        b.gfn[i] = (uint32_t)x.gfn;
    foresee(&b, m);
    for (uint64_t i = 0; i < b.nr && reclaim_next(m, again, &x); i++)
        if (touch(&b, i, m->told.frames)) {
            m->least++;
            reclaim_column(m, x.time)->least++;
        }
}
