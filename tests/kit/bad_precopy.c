// SPDX-License-Identifier: GPL-2.0-or-later
/* Pre-copy that goes wrong in the way of number BAD, when it orders pages for the third time: for test_precopy.c. 0: it
 * does not. */
#define CALL 5
#include "bad.h"

static bool stop(void *state, const struct precopy_now *now) { return now->round == 1; }

static size_t order(void *state, const struct precopy_now *now, const uint64_t *todo, const uint64_t *again,
                    uint64_t *gfn, size_t max)
{
    size_t n = 0;

    for (uint64_t g = 0; g < now->pages && n < 16; g++)
        if (todo[g / 64] >> g % 64 & 1)
            gfn[n++] = g;
    if (++calls != 3)
        return n;
    wrong_anyhow();
    switch (BAD) {
    case 1: gfn[3] = now->pages; break;
    case 2: gfn[15] = gfn[2]; break;
    case 11: gfn[n] = 0; break;                               /* more than it says */
    case 12: memset((void *)(uintptr_t)todo, 0xff, 8); break; /* a copy: comes to nothing */
    case 16: gfn[3] = 0; break;                               /* sent in this round */
    case 17: return max + 1;
    case 18: return (size_t)-1;
    case 19: gfn[3] = (uint64_t)-1; break;
    }
    return n;
}

#if BAD == 23
const int xenlab_precopy_op = 1;
#else
const struct precopy_ops xenlab_precopy_ops = {
    .k = BAD_KIT(precopy_ops),
    .stop = BAD == 28 ? NULL : stop,
    .order = BAD == 29 ? NULL : order,
};
#endif
