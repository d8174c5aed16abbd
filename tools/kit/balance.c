// SPDX-License-Identifier: GPL-2.0-or-later
/* balance: a tick after the other, and who is moved behind it. balance.h says what happens in one. */
#include "tools/kit/balance.h"

#include <stdlib.h>
#include <string.h>

/* --- a run --- */

/* What the pCPUs did in the tick that is over. */
static void measure(struct balance *b)
{
    struct balance_tick *t = &b->tick[b->over * b->host.pcpus];
    uint64_t load[BALANCE_MAX_PCPUS] = { 0 }, all = 0, most = 0;

    for (unsigned int v = 0; v < b->nr_vcpus; v++) {
        const struct balance_vcpu *c = &b->vcpu[v];

        load[c->pcpu] += c->used + c->waited;
        t[c->pcpu].used += (uint32_t)(c->used / 1000);
        t[c->pcpu].waited += (uint32_t)(c->waited / 1000);
    }
    for (unsigned int p = 0; p < b->host.pcpus; p++) {
        all += load[p];
        most = load[p] > most ? load[p] : most;
    }
    b->spread += most - all / b->host.pcpus;
}

static bool decide(struct balance *b, struct kit_asked *a)
{
    struct {
        struct balance_question q;
        char bytes[BALANCE_MAX_VCPUS * (sizeof(struct vcpu_load) + 1)];
    } ask = { .q = { b->host, b->nr_vcpus } };
    char *at = ask.bytes;

    for (unsigned int v = 0; v < b->nr_vcpus; v++, at += sizeof(struct vcpu_load)) {
        const struct balance_vcpu *c = &b->vcpu[v];
        const struct vcpu_load load = { c->used, c->waited, b->host.now - c->moved_at, c->node, c->vm };

        memcpy(at, &load, sizeof(load));
    }
    for (unsigned int v = 0; v < b->nr_vcpus; v++)
        *at++ = (char)b->vcpu[v].pcpu;
    if (!kit_ask(a, BALANCE_TICK, &ask, (size_t)(at - (char *)&ask), b->nr_vcpus, b->nr_vcpus))
        return false;
    for (unsigned int v = 0; v < b->nr_vcpus; v++) {
        const unsigned int pcpu = (uint8_t)a->message.bytes[v], vm = b->vcpu[v].vm;

        if (pcpu >= b->host.pcpus)
            return kit_fault(a, "gave vCPU %u (%s/%u) pCPU %u, and there are 0 to %u,", v, b->vm[vm].name,
                             v - b->vm[vm].first, pcpu, (unsigned int)b->host.pcpus - 1);
    }
    for (unsigned int v = 0; v < b->nr_vcpus; v++)
        if ((uint8_t)a->message.bytes[v] != b->vcpu[v].pcpu) {
            balance_move(b, v, (uint8_t)a->message.bytes[v]);
            b->moves[b->over - 1]++;
        }
    return true;
}

static void run(void *model, struct kit_asked *a)
{
    struct balance *b = model;

    while (b->host.now < b->time) {
        for (unsigned int v = 0; v < b->nr_vcpus; v++)
            b->vcpu[v].used = b->vcpu[v].waited = 0;
        for (uint64_t ns = 0; ns < b->host.tick; ns += BALANCE_STEP)
            balance_step(b);
        measure(b);
        b->over++;
        snprintf(a->at, sizeof(a->at), "%.3f s", (double)b->host.now / 1e9);
        a->now = (int64_t)b->host.now;
        if (b->host.now < b->time && !decide(b, a))
            return;
    }
    kit_passed(a, a->now);
}

/* --- figures --- */

enum { WORK, JOBS, WAITED, P99, WORST, MIGRATIONS, FAR, LOST, IDLE, IMBALANCE, SETTLED };

static const struct kit_figure figures[] = {
    [WORK] = { "work", "ms", "that vCPUs have done" },
    [JOBS] = { "jobs", "", "that were done" },
    [WAITED] = { "waited", "ms", "in which a vCPU had work, and did not run" },
    [P99] = { "p99", "ms", "in which 99 of 100 jobs were done, from when they came" },
    [WORST] = { "worst", "ms", "in which all were; what is not done is as old as it is" },
    [MIGRATIONS] = { "migrations", "", "of vCPUs to another pCPU" },
    [FAR] = { "far", "", "of them, to another node" },
    [LOST] = { "lost", "ms", "that vCPUs ran in vain: the cache was cold, memory remote" },
    [IDLE] = { "idle", "ms", "in which a pCPU had nothing to run, while a vCPU waited on another" },
    [IMBALANCE] = { "imbalance", "%", "of a pCPU: the busiest beyond the mean, on average" },
    [SETTLED] = { "settled", "s", "the last migration" },
    { NULL, NULL, NULL },
};

static int longer(const void *a, const void *b)
{
    const uint64_t one = *(const uint64_t *)a, two = *(const uint64_t *)b;

    return one < two ? -1 : one > two;
}

/* Those of vCPUs first to last - 1, sorted, in `ns`: how many? */
static size_t latencies(const struct balance *b, unsigned int first, unsigned int last, uint64_t *ns)
{
    size_t nr = 0;

    for (unsigned int v = first; v < last; v++)
        for (uint64_t i = 0; i < b->vcpu[v].nr_jobs; i++) {
            const struct balance_job *j = &b->vcpu[v].job[i];

            ns[nr++] = (j->done == BALANCE_UNDONE ? b->host.now : j->done) - j->at;
        }
    qsort(ns, nr, sizeof(*ns), longer);
    return nr;
}

static void add_latencies(const struct balance *b, struct kit_metrics *list, const char *subject, unsigned int first,
                          unsigned int last, uint64_t *ns)
{
    const size_t nr = latencies(b, first, last, ns);

    kit_metric_add(list, &figures[P99], subject, nr ? (double)ns[(nr * 99 + 99) / 100 - 1] / 1e6 : 0);
    kit_metric_add(list, &figures[WORST], subject, nr ? (double)ns[nr - 1] / 1e6 : 0);
}

static void metrics(const void *model, struct kit_metrics *list)
{
    const struct balance *b = model;
    struct balance_vm all = { .vcpus = b->nr_vcpus };

    for (unsigned int i = 0; i <= b->nr_vms; i++) {
        const struct balance_vm *vm = i < b->nr_vms ? &b->vm[i] : &all;
        const char *subject = i < b->nr_vms ? vm->name : ""; /* which lives as long as the list */

        kit_metric_add(list, &figures[WORK], subject, (double)vm->work / 1e6);
        kit_metric_add(list, &figures[JOBS], subject, (double)vm->jobs);
        kit_metric_add(list, &figures[WAITED], subject, (double)vm->waited / 1e6);
        add_latencies(b, list, subject, vm->first, vm->first + (unsigned int)vm->vcpus, b->scratch);
        kit_metric_add(list, &figures[MIGRATIONS], subject, (double)vm->moves);
        kit_metric_add(list, &figures[FAR], subject, (double)vm->far);
        kit_metric_add(list, &figures[LOST], subject, (double)vm->lost / 1e6);
        all.work += vm->work;
        all.jobs += vm->jobs;
        all.waited += vm->waited;
        all.moves += vm->moves;
        all.far += vm->far;
        all.lost += vm->lost;
    }
    kit_metric_add(list, &figures[IDLE], "", (double)b->idle / 1e6);
    kit_metric_add(list, &figures[IMBALANCE], "",
                   b->over ? 100 * (double)b->spread / (double)(b->over * b->host.tick) : 0);
    kit_metric_add(list, &figures[SETTLED], "", (double)b->settled / 1e9);
}

static const char *const hooks[] = { "init", "tick", NULL };

static int64_t time_of(const void *model) { return (int64_t)((const struct balance *)model)->time; }

#define ONE(figure) (UINT64_C(1) << (figure))

static const char *const references[] = { "greedy", "steady", "still", NULL };

const struct kit_model kit_balance = {
    .name = "balance",
    .what = "on which pCPU each vCPU runs, and when it is moved",
    .example = "docs/examples/kit/uneven.txt",
    .hooks = hooks,
    .required = UINT32_C(1) << BALANCE_TICK,
    .figures = figures,
    .sums = ONE(WORK) | ONE(JOBS) | ONE(WAITED) | ONE(MIGRATIONS) | ONE(FAR) | ONE(LOST) | ONE(IDLE),
    .means = ONE(IMBALANCE),
    .references = references,
    .time = time_of,
    .load = balance_load,
    .run = run,
    .metrics = metrics,
    .svg = balance_svg,
    .free = balance_free,
};
