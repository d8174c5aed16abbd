// SPDX-License-Identifier: GPL-2.0-or-later
/* TLB flushes that go wrong in the way of number BAD, when they are asked for the third time: for test_tlbflush.c. 0:
 * they do not. */
#define CALL 4
#include "bad.h"

static uint64_t who(void *state, const struct tlb_now *now, const uint32_t *stamp, size_t n)
{
    if (!calls && !stamp[n - 1]) /* clocks begin with 1, or later: it was told another one's */
        abort();
    if (++calls == 3) {
        wrong_anyhow();
        switch (BAD) {
        case 1: return 4;
        case 2: return UINT64_MAX;
        case 12: memset((void *)(uintptr_t)stamp, 0, n * sizeof(*stamp)); break; /* a copy: comes to nothing */
        }
    }
    return 3;
}

#if BAD == 23
const int xenlab_tlbflush_op = 1;
#else
const struct tlbflush_ops xenlab_tlbflush_ops = {
    .k = BAD_KIT(tlbflush_ops),
    .who = BAD == 28 ? NULL : who,
};
#endif
