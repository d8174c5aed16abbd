// SPDX-License-Identifier: GPL-2.0-or-later
/* Stores, one at a time: see stores.h. */
#include "labs/kit/stores.h"

#include "labs/kit/kit.h"

#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

#define PAGE        4096u
#define TRAP_FLAG   0x100
#define PLACE_OF(p) ((uint8_t *)((uintptr_t)(p) & ~(uintptr_t)(PAGE - 1)))

static struct {
    uint8_t *page[KIT_STORES_PLACES];
    bool open[KIT_STORES_PLACES]; /* for the instruction that is let through */
    unsigned int nr;
    void (*look)(void *data);
    void (*seen)(void *data, const void *place, bool write, uintptr_t code);
    void *data;
    bool never;     /* nobody looks */
    bool through;   /* one is let through: */
    const void *at; /* its first access */
    bool write;
    uintptr_t code;
} watched;

static void protect(unsigned int i, int prot)
{
    if (mprotect(watched.page[i], PAGE, prot))
        kit_die("a page cannot be protected");
}

static void protect_all(int prot)
{
    for (unsigned int i = 0; i < watched.nr; i++)
        protect(i, prot);
}

#define PF_WRITE 2 /* of the page fault's error code */

static void faulted(int sig, siginfo_t *info, void *context)
{
    greg_t *regs = ((ucontext_t *)context)->uc_mcontext.gregs;

    for (unsigned int i = 0; i < watched.nr; i++) {
        if (PLACE_OF(info->si_addr) != watched.page[i])
            continue;
        protect(i, PROT_READ | PROT_WRITE);
        watched.open[i] = true;
        if (!watched.through) {
            watched.at = info->si_addr, watched.write = regs[REG_ERR] & PF_WRITE;
            watched.code = (uintptr_t)regs[REG_RIP];
        }
        watched.through = true;
        regs[REG_EFL] |= TRAP_FLAG;
        return;
    }
    signal(sig, SIG_DFL); /* a crash like any other: the instruction does it again */
}

static void stepped(int sig, siginfo_t *info, void *context)
{
    (void)sig, (void)info;
    ((ucontext_t *)context)->uc_mcontext.gregs[REG_EFL] &= ~TRAP_FLAG;
    if (watched.look)
        watched.look(watched.data);
    if (watched.seen)
        watched.seen(watched.data, watched.at, watched.write, watched.code);
    watched.through = false;
    for (unsigned int i = 0; i < watched.nr; i++) {
        if (watched.open[i])
            protect(i, watched.seen ? PROT_NONE : PROT_READ);
        watched.open[i] = false;
    }
}

static void watch(void *const *place, unsigned int nr, void (*run)(void *data), void *data)
{
    struct sigaction fault = { .sa_flags = SA_SIGINFO }, step = { .sa_flags = SA_SIGINFO }, was_fault, was_step;

    if (nr > KIT_STORES_PLACES)
        kit_die("%u places", nr);
    if (watched.never) {
        run(data);
        return;
    }
    fault.sa_sigaction = faulted, step.sa_sigaction = stepped;
    watched.nr = nr, watched.data = data, watched.through = false;
    memset(watched.open, 0, sizeof(watched.open));
    for (unsigned int i = 0; i < nr; i++)
        watched.page[i] = PLACE_OF(place[i]);
    sigaction(SIGSEGV, &fault, &was_fault);
    sigaction(SIGTRAP, &step, &was_step);
    protect_all(watched.seen ? PROT_NONE : PROT_READ);
    run(data);
    protect_all(PROT_READ | PROT_WRITE);
    sigaction(SIGSEGV, &was_fault, NULL);
    sigaction(SIGTRAP, &was_step, NULL);
}

void kit_stores_unwatched(void) { watched.never = true; }

void kit_stores(void *const *place, unsigned int nr, void (*run)(void *data), void (*look)(void *data), void *data)
{
    watched.look = look, watched.seen = NULL;
    watch(place, nr, run, data);
}

void kit_accesses(void *const *place, unsigned int nr, void (*run)(void *data),
                  void (*seen)(void *data, const void *place, bool write, uintptr_t code), void *data)
{
    watched.look = NULL, watched.seen = seen;
    watch(place, nr, run, data);
}
