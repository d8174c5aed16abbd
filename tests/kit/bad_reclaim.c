// SPDX-License-Identifier: GPL-2.0-or-later
/* Page replacement that goes wrong, when a third victim is wanted: for test_reclaim.c. 0: the lowest page goes. */
#define CALL 5
#include "bad.h"

#define MOST 131072

static uint8_t there[MOST];
static uint64_t went;

static void scan(void *state, const struct reclaim_now *now, const uint64_t *gfn, const uint8_t *ad, size_t n)
{
    bad = (int)(now->read / 1000 % 100);
    for (size_t i = 0; i < n; i++)
        there[gfn[i]] = 1;
    if (bad == 19)
        memset((void *)(uintptr_t)gfn, 0xff, n * sizeof(*gfn)); /* a copy: comes to nothing */
    if (bad == 31)
        *nowhere = 1;
}

static uint64_t victim(void *state, const struct reclaim_now *now)
{
    const uint64_t wanted = now->wanted;
    uint64_t g = 0;

    while (!there[g])
        g++;
    if (++calls == 3) {
        wrong_anyhow();
        switch (bad) {
        case 1: return now->pages;
        case 2: return went; /* twice */
        case 11: return UINT64_MAX;
        case 12: return wanted;
        case 16: return now->pages - 1; /* never was in memory */
        case 17: return UINT64_C(1) << 32 | g;
        case 18: return 0;                                                  /* gone two calls ago */
        case 19: memset((void *)(uintptr_t)now, 0xff, sizeof(*now)); break; /* a copy */
        }
    }
    there[g] = 0;
    there[wanted] = 1;
    return went = g;
}

#if BAD == 23
const int xenlab_reclaim_op = 1;
#else
const struct reclaim_ops xenlab_reclaim_ops = {
    .k = BAD_KIT(reclaim_ops),
    .scan = BAD == 28 ? NULL : scan,
    .victim = BAD == 29 ? NULL : victim,
};
#endif
