// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Pre-copy. See precopy.h.
 *
 * Concept: a page's bit is always in one of two places, and goes from one to the other without a moment in neither: in
 * the hypervisor's bitmap (stored to since it was last cleaned), or in p->todo (to be sent).
 *
 *                 store                    clean()                  send()
 *      in none  -------->  hypervisor's  ---------->  p->todo  ---------------->  in none
 *
 * Invariants: a bit of p->todo is taken away only when the page has been sent or is not there, or while the
 * hypervisor's bitmap has it. So when the guest is stopped, both bitmaps together are all that is missing.
 */
#include "labs/code/precopy.h"

#include <errno.h>

#define LOOK_EVERY 16 /* pages sent between two looks at what is dirty again */

static bool bit(const uint64_t *map, uint64_t pfn) { return map[pfn / 64] >> pfn % 64 & 1; }

static uint64_t bits(const struct precopy *p, const uint64_t *map)
{
    uint64_t n = 0;

    for (uint64_t w = 0; w < PRECOPY_WORDS(p->nr_pfns); w++)
        n += (uint64_t)__builtin_popcountll(map[w]);
    return n;
}

/* The pages of p->todo. While the guest runs, those that are dirty again are left to the next round. */
static int round_send(struct precopy *p, bool runs)
{
    uint64_t sent = 0;

    if (runs)
        p->peek(p, p->again);
    for (uint64_t pfn = 0; pfn < p->nr_pfns; pfn++) {
        int rc;

        if (!bit(p->todo, pfn) || (runs && bit(p->again, pfn)))
            continue;
        rc = p->send(p, pfn);
        if (rc && rc != -ENOENT)
            return rc;
        if (runs && ++sent % LOOK_EVERY == 0)
            p->peek(p, p->again);
    }
    return 0;
}

/* Rounds, until few pages are left, which are in p->todo then. */
static int rounds_send(struct precopy *p)
{
    for (uint64_t w = 0; w < PRECOPY_WORDS(p->nr_pfns); w++)
        p->todo[w] = UINT64_MAX;
    for (unsigned int round = 1; round <= p->rounds; round++) {
        const int rc = round_send(p, true);

        if (rc)
            return rc;
        p->clean(p, p->todo);
        if (bits(p, p->todo) <= p->few)
            break;
    }
    return 0;
}

int precopy_send(struct precopy *p)
{
    int rc = p->track(p, true);

    if (rc)
        return rc;
    rc = rounds_send(p);
    if (!rc) {
        p->pause(p);
        p->clean(p, p->again);
        for (uint64_t w = 0; w < PRECOPY_WORDS(p->nr_pfns); w++)
            p->todo[w] |= p->again[w];
        rc = round_send(p, false);
        if (rc)
            p->resume(p);
    }
    p->track(p, false);
    return rc;
}
