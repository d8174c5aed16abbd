// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What does a scheduling decision cost, and how does that grow with the number of vCPUs?
 *
 * Concept: n spinners on 4 pCPUs; each pCPU in turn is asked who is next, a millisecond of virtual time apart. Measured
 * in host nanoseconds: the decision with its context switch bookkeeping; what timers cost beside it (credit's
 * accounting looks at everybody once a period, rtds has one replenishment a period and vCPU); and a block with the
 * wake-up that follows. These are the only figures of the workbench that depend on the host.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "tools/workbench/load.h"

#define DECISIONS 4000
#define NR_PCPUS  4

static double ns_now(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double)ts.tv_sec * 1e9 + (double)ts.tv_nsec;
}

static struct wb *spinners(const char *policy, unsigned int nr)
{
    struct wb *wb = wb_create(policy, NULL, NR_PCPUS, 1);
    char name[32];

    BUG_ON(!wb);
    wb->edges.trace.sink = NULL;
    for (unsigned int i = 0; i < nr / 10; i++) {
        snprintf(name, sizeof(name), "d%u", i);
        BUG_ON(!wb_domain_add(wb, name, 10, "compute forever"));
    }
    wb_start(wb);
    return wb;
}

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* Half of them take longer: a mean would tell of other processes on the host. */
static double median(double *samples)
{
    qsort(samples, DECISIONS, sizeof(*samples), compare);
    return samples[DECISIONS / 2];
}

/* Timers are the opposite: bursts that a median hides. */
static double mean(const double *samples)
{
    double sum = 0;

    for (unsigned int i = 0; i < DECISIONS; i++)
        sum += samples[i];
    return sum / DECISIONS;
}

struct samples {
    double decision[DECISIONS], timers[DECISIONS], block_wake[DECISIONS];
};

static void measure(struct wb *wb, unsigned int nr, struct samples *s)
{
    for (unsigned int i = 0; i < DECISIONS; i++) {
        const double start = ns_now();
        double middle;

        wb->machine.clock.now += MILLISECS(1);
        vclock_run(&wb->machine.clock);
        middle = ns_now();
        sched_schedule(&wb->xen, i % NR_PCPUS);
        s->timers[i] = middle - start;
        s->decision[i] = ns_now() - middle;
    }
    for (unsigned int i = 0; i < DECISIONS; i++) {
        struct vcpu *v = wb->by_id[i * 7 % (nr / 10)]->d.vcpu[i % 10];
        const double start = ns_now();

        vcpu_block(v);
        vcpu_unblock(v);
        s->block_wake[i] = ns_now() - start;
    }
}

/* In the form of all benchmarks, see scripts/bench.sh. */
static void report(FILE *f, const char *policy, unsigned int nr, const char *what, double ns)
{
    fprintf(f, "{\"name\": \"%s, %s, %u vCPUs\", \"value\": %.0f, \"unit\": \"ns\", \"runs\": %d}\n", what, policy, nr,
            ns, DECISIONS);
}

void wb_bench(FILE *f)
{
    static const char *const policies[] = { "credit", "credit2", "rtds", "null", "arinc653", "rr" };
    static const unsigned int sizes[] = { 10, 100, 1000, 10000 };

    struct samples *s = malloc(sizeof(*s));

    BUG_ON(!s);
    for (size_t p = 0; p < ARRAY_SIZE(policies); p++) {
        for (size_t n = 0; n < ARRAY_SIZE(sizes); n++) {
            struct wb *wb = spinners(policies[p], sizes[n]);

            measure(wb, sizes[n], s);
            report(f, policies[p], sizes[n], "scheduling decision", median(s->decision));
            report(f, policies[p], sizes[n], "scheduling timers in 1 ms", mean(s->timers));
            report(f, policies[p], sizes[n], "block and wake-up", median(s->block_wake));
            wb_destroy(wb);
        }
    }
    free(s);
}
