// SPDX-License-Identifier: GPL-2.0-or-later
/* What an algorithm of any kit may do wrong, by the number BAD; 0: nothing. An algorithm may
 * set `bad` later, by what it is told. See fixture.h. */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "xenlab/kit.h"

static int calls, bad = BAD;
static int *volatile nowhere;

/* 13, 14: an answer of its own, before the real one. */
static void forge(uint32_t len, uint64_t call)
{
    struct {
        uint32_t kind, hook;
        uint64_t call;
        int64_t value;
        uint32_t len, filler;
        uint64_t bytes[2];
    } m = { .kind = 6, .hook = 1, .call = call, .len = len };

    if (write(3, &m, 32 + len) < 0)
        abort();
}

static void *thread(void *nothing) { return nothing; }

static void wrong_anyhow(void)
{
    switch (bad) {
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
    case 13: forge(7, CALL); break;
    case 14: forge(16, 99); break;
    case 15: sleep(1000); break;
    case 40: pthread_create(&(pthread_t){ 0 }, NULL, thread, NULL); break;
    case 41: signal(SIGSYS, SIG_IGN); break;
    case 30:
        for (;;)
            *(volatile char *)malloc(1 << 30) = 1;
    }
}

static void *init(uint64_t seed)
{
    if (bad == 20)
        exit(3);
    return NULL;
}

static __attribute__((constructor)) void early(void)
{
    if (BAD == 21)
        exit(0);
    if (BAD == 22)
        abort();
    if (BAD == 42) { /* as its process says that an object is not one of a kit's */
        static const struct {
            uint32_t kind, hook;
            uint64_t call;
            int64_t value;
            uint32_t len, filler;
            char text[16];
        } m = { .kind = 4, .len = 16, .text = "all of it held" };

        if (write(3, &m, sizeof(m)) < 0)
            abort();
    }
}

/* How its table begins. */
#define BAD_KIT(ops)                                                                                                   \
    {                                                                                                                  \
        BAD == 25 ? 99 : XENLAB_KIT_ABI, BAD == 26 ? 24 : sizeof(struct ops), BAD == 27 ? "" : "bad", init             \
    }
