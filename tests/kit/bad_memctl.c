// SPDX-License-Identifier: GPL-2.0-or-later
/* A coordinator that goes wrong in the way of number BAD, in its third tick: for test_kit.c. 0: it does not. */
#define CALL 4
#include "bad.h"

static void tick(void *state, const struct mem_host *host, const struct vm_mem *vm, size_t n, uint64_t *target)
{
    if (++calls != 3)
        return;
    wrong_anyhow();
    switch (BAD) {
    case 1: target[1] = vm[1].max + 1; break;
    case 2: target[0] = vm[0].floor - 1000; break;                   /* below 0 */
    case 11: target[n] = 5; break;                                   /* nobody's */
    case 12: ((struct vm_mem *)(uintptr_t)vm)[0].have = 9999; break; /* a copy: comes to nothing */
    }
}

#if BAD == 23
const int xenlab_memctl_op = 1;
#elif BAD == 24
int xenlab_memctl_ops(void);
int xenlab_memctl_ops(void) { return 0; }
#else
const struct memctl_ops xenlab_memctl_ops = {
    .k = BAD_KIT(memctl_ops),
    .tick = BAD == 28 ? NULL : tick,
};
#endif
