// SPDX-License-Identifier: GPL-2.0-or-later
/* Shadows that go wrong, at the second store to a root: for test_shadow.c. 0: each store is emulated. What comparing
 * costs says which. */
#define CALL 3
#include "bad.h"

static int on_write(void *state, const struct shadow_now *now, const struct shadow_page *page, unsigned int off)
{
    bad = (int)(now->compare % 100);
    if (page->level != 2 || ++calls != 2)
        return SHADOW_EMULATE;
    wrong_anyhow();
    switch (bad) {
    case 1: return 3;
    case 2: return -1;
    case 11: return 1 << 30;
    case 12: return SHADOW_OUT_OF_SYNC; /* of a root */
    case 16: return SHADOW_UNSHADOW;    /* which is busy */
    case 19: memset((void *)(uintptr_t)now, 0xff, sizeof(*now)); break;
    case 36: memset((void *)(uintptr_t)page, 0xff, sizeof(*page)); break;
    }
    return SHADOW_EMULATE;
}

static uint64_t evict(void *state, const struct shadow_now *now, const struct shadow_page *page, size_t n)
{
    uint64_t lowest = 0;
    size_t i = n;

    bad = (int)(now->compare % 100);
    while (i--)
        if (!page[i].busy)
            lowest = page[i].mfn;
    switch (bad) {
    case 17: return 0;
    case 18: return UINT64_MAX;
    case 31: return 4096; /* root of the first process: busy */
    case 32: return 4097; /* root of the second, which never runs */
    case 33: return 4102; /* none */
    case 34: *nowhere = 1; break;
    case 35: memset((void *)(uintptr_t)page, 0xff, n * sizeof(*page)); break;
    }
    return lowest;
}

#if BAD == 23
const int xenlab_shadow_op = 1;
#else
const struct shadow_ops xenlab_shadow_ops = {
    .k = BAD_KIT(shadow_ops),
    .on_write = BAD == 28 ? NULL : on_write,
    .evict = BAD == 29 ? NULL : evict,
};
#endif
