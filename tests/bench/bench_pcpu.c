// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * How fast are the pCPU's entries and exits, and guest code between them? Without a hypervisor on top.
 *
 * Prints one JSON object a line, medians of several runs. Loops run in slices of a million instructions, as under a
 * scheduler. Times are of the processor, not of the wall, so other programs disturb less.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "sim/observe.h"
#include "tests/support/pv_guest.h"

#define RUNS  7
#define EXITS 300000
#define INSNS 200000000

static double seconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static int by_size(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static void report(const char *name, double sample[RUNS], const char *unit)
{
    qsort(sample, RUNS, sizeof(sample[0]), by_size);
    printf("{\"name\": \"pcpu: %s\", \"value\": %.1f, \"unit\": \"%s\", \"runs\": %d}\n", name, sample[RUNS / 2], unit,
           RUNS);
}

static void start(struct pv_guest *g, const char *code, size_t len)
{
    memset(g->st->gpr, 0, sizeof(g->st->gpr));
    g->st->rsp = PG_VA(PG_STACK + 1);
    g->st->rdi = PG_VA(20);
    g->st->rsi = PG_VA(24);
    g->st->rip = PG_VA(0);
    pg_write(g, 0, 0, code, len);
}

/* Time of an exit that leaves rip where the next run leaves again at once. */
static void exits(struct pv_guest *g, const char *name, const char *code, size_t len, enum sim_exit_kind kind,
                  uint32_t dirty)
{
    double sample[RUNS];

    for (unsigned int r = 0; r < RUNS; r++) {
        double t = seconds();

        start(g, code, len);
        for (unsigned int i = 0; i < EXITS; i++) {
            if (pcpu_run(g->m->pcpu[0], g->c, 1000000).kind != kind)
                abort();
            g->st->rax = i;
            g->st->dirty |= dirty;
        }
        sample[r] = (seconds() - t) * 1e9 / EXITS;
    }
    report(name, sample, "ns");
}

/* Two vCPUs in turn, each leaving with SYSCALL. */
static void switches(struct pv_guest *g)
{
    struct cpu_context *c[2] = { g->c, pg_context(g->m, CPU_MODE_PV64) };
    double sample[RUNS];

    for (unsigned int r = 0; r < RUNS; r++) {
        double t = seconds();

        start(g, "\x0f\x05\xeb\xfc", 4);
        for (unsigned int i = 0; i < EXITS; i++)
            if (pcpu_run(g->m->pcpu[0], c[i & 1], 1000000).kind != EXIT_SYSCALL)
                abort();
        sample[r] = (seconds() - t) * 1e9 / EXITS;
    }
    report("switch to another vCPU, run, leave", sample, "ns");
    cpu_context_destroy(c[1]);
}

static void loop(struct pv_guest *g, const char *name, const char *code, size_t len)
{
    double sample[RUNS];

    for (unsigned int r = 0; r < RUNS; r++) {
        uint64_t insns = 0;
        double t;

        start(g, code, len);
        for (t = seconds(); insns < INSNS;) {
            const struct sim_exit x = pcpu_run(g->m->pcpu[0], g->c, 1000000);

            if (x.kind != EXIT_BUDGET)
                abort();
            insns += x.insns;
        }
        sample[r] = (double)insns / (seconds() - t) / 1e6;
    }
    report(name, sample, "million instructions/s");
}

/* An observer who looks at every instruction, or at those at one address, each of which he goes on from. */
static bool look(void *data, const struct sim_exit *x, struct pcpu_budget *budget)
{
    unsigned long *left = data;

    pcpu_budget_spend(budget, x->insns);
    if (x->stop.why == STOP_LIMIT)
        budget->stop_after = 1;
    else
        budget->resume = true;
    return --*left;
}

static void stops(struct pv_guest *g, const char *name, const char *code, size_t len, uint64_t stop_after)
{
    const struct pcpu_budget budget = { .insns = UINT64_MAX, .exact = true, .stop_after = stop_after };
    double sample[RUNS];

    for (unsigned int r = 0; r < RUNS; r++) {
        unsigned long n = EXITS;
        double t = seconds();

        start(g, code, len);
        pcpu_run_on(g->m->pcpu[0], g->c, &budget, look, &n);
        sample[r] = (seconds() - t) * 1e9 / EXITS;
    }
    report(name, sample, "ns");
}

static void machines(void)
{
    double sample[RUNS];

    for (unsigned int r = 0; r < RUNS; r++) {
        struct pv_guest g;
        double t = seconds();

        g = pg_create(CPU_MODE_PV64, 1);
        sample[r] = (seconds() - t) * 1e3;
        pg_destroy(&g);
    }
    report("switching a machine on, with self-tests", sample, "ms");
}

#define CODE(literal) literal, sizeof(literal) - 1

/* 32-bit code of flat segments, and of limited ones: what exact segments cost. */
static void segments(void)
{
    static const char *const names[] = { "copy loop in 32 bits", "copy loop in 32 bits, exact segments",
                                         "copy loop in 32 bits, exact segments with limits" };

    for (unsigned int i = 0; i < 3; i++) {
        struct pv_guest g = pg_create_user32();

        g.m->exact_segments = i > 0;
        if (i == 2)
            g.st->seg[CPU_SEG_DS].limit = g.st->seg[CPU_SEG_CS].limit = 0x7fffffff;
        loop(&g, names[i], CODE("\x8b\x06\x89\x07\x8b\x46\x08\x89\x47\x08\xeb\xf4"));
        pg_destroy(&g);
    }
}

int main(void)
{
    struct pv_guest g = pg_create(CPU_MODE_PV64, 1);

    fprintf(stderr, "%s\n", pcpu_backend_name(g.m->pcpu[0]));
    machines();
    exits(&g, "SYSCALL exit and entry", CODE("\x0f\x05\xeb\xfc"), EXIT_SYSCALL, 0);
    exits(&g, "#UD exit and entry", CODE("\x0f\x0b"), EXIT_EXCEPTION, 0);
    exits(&g, "#PF exit and entry", CODE("\x48\x8b\x04\x25\x00\x00\x90\x00"), EXIT_EXCEPTION, 0);
    exits(&g, "SYSCALL with a TLB flush", CODE("\x0f\x05\xeb\xfc"), EXIT_SYSCALL, CPU_DIRTY_TLB);
    switches(&g);
    /* inc, add, xor, inc, jmp */
    loop(&g, "ALU loop", CODE("\x48\xff\xc0\x48\x01\xc3\x48\x31\xd9\x48\xff\xc2\xeb\xf2"));
    /* inc; test; jz over an inc; jmp */
    loop(&g, "branch loop", CODE("\x48\xff\xc0\xa8\x01\x74\x03\x48\xff\xc3\xeb\xf4"));
    /* two loads, two stores, jmp */
    loop(&g, "copy loop", CODE("\x48\x8b\x06\x48\x89\x07\x48\x8b\x46\x08\x48\x89\x47\x08\xeb\xf0"));
    /* call f; jmp; f: ret */
    loop(&g, "call and return loop", CODE("\xe8\x02\x00\x00\x00\xeb\xf9\xc3"));
    stops(&g, "a step", CODE("\x48\xff\xc0\x48\x01\xc3\x48\x31\xd9\x48\xff\xc2\xeb\xf2"), 1);
    machine_break_set(g.m, &(uint64_t){ PG_VA(0) + 6 }, 1);
    stops(&g, "a breakpoint hit, and what it is on", CODE("\x48\xff\xc0\x48\x01\xc3\x48\x31\xd9\x48\xff\xc2\xeb\xf2"),
          PCPU_NO_STOP);
    pg_destroy(&g);
    segments();
    return 0;
}
