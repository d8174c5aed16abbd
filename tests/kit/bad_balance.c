// SPDX-License-Identifier: GPL-2.0-or-later
/* Load balancing that goes wrong in the third tick: for test_balance.c. 0: it does not, and leaves all as it is. */
#define CALL 4
#include "bad.h"

static void tick(void *state, const struct balance_host *host, const struct vcpu_load *load, size_t n, uint8_t *pcpu)
{
    bad = (int)(host->cold / 1000 % 100);
    if (++calls != 3)
        return;
    wrong_anyhow();
    switch (bad) {
    case 1: pcpu[2] = (uint8_t)host->pcpus; break;
    case 2: pcpu[0] = 255; break;
    case 11: memset(pcpu, 4, n); break;
    case 12: memset((void *)(uintptr_t)load, 0xff, n * sizeof(*load)); break; /* copies: come to nothing */
    case 16: memset((void *)(uintptr_t)host, 0xff, sizeof(*host)); break;
    case 17: pcpu[n] = 77; break; /* more than there are */
    case 31: memset(pcpu, 0xff, 1 << 20); break;
    }
}

#if BAD == 23
const int xenlab_balance_op = 1;
#else
const struct balance_ops xenlab_balance_ops = {
    .k = BAD_KIT(balance_ops),
    .tick = BAD == 28 ? NULL : tick,
};
#endif
