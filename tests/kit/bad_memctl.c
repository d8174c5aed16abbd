// SPDX-License-Identifier: GPL-2.0-or-later
/* A coordinator that goes wrong in the way of number BAD, in its third tick: for test_kit.c. 0: it does not. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "xenlab/kit.h"

static int ticks;
static int *volatile nowhere;

/* 13, 14: an answer of its own, before the real one. */
static void forge(uint32_t len, uint64_t call)
{
    struct {
        uint32_t kind, hook;
        uint64_t call;
        int64_t value;
        uint32_t len, filler;
        uint64_t target[2];
    } m = { .kind = 6, .hook = 1, .call = call, .len = len };

    if (write(3, &m, 32 + len) < 0)
        abort();
}

static void wrong(const struct vm_mem *vm, size_t n, uint64_t *target)
{
    switch (BAD) {
    case 1: target[1] = vm[1].max + 1; break;
    case 2: target[0] = vm[0].floor - 1000; break; /* below 0 */
    case 3: *nowhere = 1; break;
    case 4:
        for (volatile int i = 1; i; i |= 1)
            ;
        break;
    case 5: exit(0);
    case 6: abort();
    case 7: fclose(fopen("/etc/passwd", "r")); break;
    case 8:
        if (fork() == 0)
            _exit(0);
        break;
    case 9: close(3); break;
    case 10: puts("{\"forged\":1}"); break;
    case 11: target[n] = 5; break;                                   /* nobody's */
    case 12: ((struct vm_mem *)(uintptr_t)vm)[0].have = 9999; break; /* a copy: comes to nothing */
    case 13: forge(8, 4); break;
    case 14: forge(16, 99); break;
    case 15: sleep(1000); break;
    }
}

static void tick(void *state, const struct mem_host *host, const struct vm_mem *vm, size_t n, uint64_t *target)
{
    if (++ticks == 3)
        wrong(vm, n, target);
}

static void *init(uint64_t seed)
{
    if (BAD == 20)
        exit(3);
    return NULL;
}

static __attribute__((constructor)) void early(void)
{
    if (BAD == 21)
        exit(0);
    if (BAD == 22)
        abort();
}

#if BAD == 23
const int xenlab_memctl_op = 1;
#elif BAD == 24
int xenlab_memctl_ops(void);
int xenlab_memctl_ops(void) { return 0; }
#else
const struct memctl_ops xenlab_memctl_ops = {
    .k = { BAD == 25 ? 99 : XENLAB_KIT_ABI, BAD == 26 ? 24 : sizeof(struct memctl_ops), BAD == 27 ? "" : "bad", init },
    .tick = BAD == 28 ? NULL : tick,
};
#endif
