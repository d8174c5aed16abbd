// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * balance's workloads.
 *
 *      pcpus 8                      at most 64
 *      nodes 2                      of as many pCPUs each; default 1
 *      tick 100ms                   from one decision to the next, at least 10ms; default 100ms
 *      cold 500us                   what a move costs the vCPU; default 500us
 *      far 2ms                      and one to another node; default 2ms
 *      remote 30%                   how much longer work takes off the node where the vCPU began; default 0%
 *      time 30s                     of whole ticks; default 30s
 *      vm web vcpus=4 pcpu=0 every=10ms : load 30%..60% for 10s, load 90% for 2s
 *
 * Each `every` (default 10ms) a vCPU gets a job, of `load` of that time; A..B is anything in that range, for each job.
 * Its vCPUs (default 1) begin on pcpu=; without, the workload's vCPUs begin on one pCPU after the other. The program is
 * over and over again from its beginning; its last step may be without a time.
 */
#include <stdlib.h>
#include <string.h>

#include "sim/types.h"
#include "tools/kit/balance.h"

#define TICK_LEAST MILLISECS(10)

static bool millisecs(const struct workload *r, const char *what, const char *text, uint64_t *ns)
{
    return workload_time(r, what, text, "ms", MILLISECS(1), BALANCE_MAX_TIME, ns);
}

/* --- vm --- */

/* "load 30%..60% for 10s" */
static bool step(const struct workload *r, void *of, char *text, bool last)
{
    struct balance_vm *vm = of;
    struct balance_phase *p = &vm->phase[vm->nr_phases++];
    const char *word, *time;
    char *range, *dots;

    if (!workload_step(text, &word, &range, &time) || strcmp(word, "load"))
        return workload_wrong(r, "a step is \"load 40%%\" or \"load 30%%..60%% for 10s\"");
    dots = strstr(range, "..");
    if (dots)
        *dots = '\0';
    if (!workload_percent(r, word, range, 100, &p->from) ||
        !workload_percent(r, word, dots ? dots + 2 : range, 100, &p->to))
        return false;
    if (p->to < p->from)
        return workload_wrong(r, "load: the range ends before it begins");
    if (!time && !last)
        return workload_wrong(r, "only a program's last step may be without a time");
    return !time || millisecs(r, "for", time, &p->ns);
}

static bool vm_key(const struct workload *r, void *of, const char *key, const char *value)
{
    struct balance_vm *vm = of;

    if (value && !strcmp(key, "vcpus"))
        return workload_number(r, key, value, BALANCE_MAX_VCPUS, &vm->vcpus) &&
               (vm->vcpus || workload_wrong(r, "vcpus: at least 1"));
    if (value && !strcmp(key, "pcpu"))
        return workload_number(r, key, value, BALANCE_MAX_PCPUS - 1, &vm->pcpu);
    if (value && !strcmp(key, "every"))
        return millisecs(r, key, value, &vm->every);
    return workload_wrong(r, "a VM has vcpus=, pcpu= and every=, not \"%.40s\"", key);
}

static bool vm_read(const struct workload *r, char *text)
{
    struct balance *b = r->model;
    struct balance_vm *vm = &b->vm[b->nr_vms];
    char *program;

    if (b->nr_vms == BALANCE_MAX_VMS)
        return workload_wrong(r, "more than %d VMs", BALANCE_MAX_VMS);
    vm->vcpus = 1;
    vm->pcpu = BALANCE_MAX_PCPUS;
    vm->every = MILLISECS(10);
    program = workload_head(r, text, "a VM", "vm NAME vcpus=4 pcpu=0 every=10ms : PROGRAM", vm->name, vm_key, vm);
    if (!program)
        return false;
    for (unsigned int i = 0; i < b->nr_vms; i++)
        if (!strcmp(b->vm[i].name, vm->name))
            return workload_wrong(r, "there is a VM %s already", vm->name);
    if (b->nr_vcpus + vm->vcpus > BALANCE_MAX_VCPUS)
        return workload_wrong(r, "more than %d vCPUs", BALANCE_MAX_VCPUS);
    vm->first = b->nr_vcpus;
    b->nr_vms++;
    b->nr_vcpus += (unsigned int)vm->vcpus;
    return workload_steps(r, program, BALANCE_MAX_STEPS, step, vm);
}

/* --- the file --- */

static bool statement(const struct workload *r, const char *word, char *value)
{
    struct balance *b = r->model;

    if (!strcmp(word, "vm"))
        return vm_read(r, value);
    if (!strcmp(word, "pcpus"))
        return workload_number(r, word, value, BALANCE_MAX_PCPUS, &b->host.pcpus);
    if (!strcmp(word, "nodes"))
        return workload_number(r, word, value, BALANCE_MAX_PCPUS, &b->host.nodes);
    if (!strcmp(word, "tick"))
        return workload_time(r, word, value, "10ms", TICK_LEAST, BALANCE_MAX_TIME, &b->host.tick);
    if (!strcmp(word, "cold"))
        return workload_time(r, word, value, "us", MICROSECS(1), BALANCE_MAX_COST, &b->host.cold);
    if (!strcmp(word, "far"))
        return workload_time(r, word, value, "us", MICROSECS(1), BALANCE_MAX_COST, &b->host.far);
    if (!strcmp(word, "remote"))
        return workload_percent(r, word, value, 1000, &b->host.remote);
    if (!strcmp(word, "time"))
        return millisecs(r, word, value, &b->time);
    return workload_wrong(
        r, "\"%.40s\" is no statement: pcpus, nodes, tick, cold, far, remote, time, vm and expect are", word);
}

static bool host_check(const struct workload *r, const struct balance *b)
{
    const struct balance_host *h = &b->host;

    if (!h->pcpus)
        return workload_wrong(r, "how many pCPUs are there? 1 to %d are possible: pcpus 8", BALANCE_MAX_PCPUS);
    if (!h->nodes || h->pcpus % h->nodes)
        return workload_wrong(r, "%llu pCPUs cannot be of %llu nodes, as many of each", (unsigned long long)h->pcpus,
                              (unsigned long long)h->nodes);
    if (b->time % h->tick || b->time / h->tick > BALANCE_MAX_TICKS)
        return workload_wrong(r, "the time has to be of whole ticks, and at most %d of them", BALANCE_MAX_TICKS);
    if (!b->nr_vms)
        return workload_wrong(r, "there is no VM: vm NAME vcpus=4 pcpu=0 every=10ms : PROGRAM");
    for (unsigned int i = 0; i < b->nr_vms; i++)
        if (b->vm[i].pcpu < BALANCE_MAX_PCPUS && b->vm[i].pcpu >= h->pcpus)
            return workload_wrong(r, "%s begins on pCPU %llu, and there are 0 to %llu", b->vm[i].name,
                                  (unsigned long long)b->vm[i].pcpu, (unsigned long long)h->pcpus - 1);
    return true;
}

/* Where each vCPU begins, and room for its jobs. */
static bool vcpus_begin(const struct workload *r, struct balance *b)
{
    uint64_t jobs = 0;

    for (unsigned int i = 0; i < b->nr_vms; i++)
        jobs += b->vm[i].vcpus * (b->time / b->vm[i].every + 1);
    if (jobs > BALANCE_MAX_JOBS)
        return workload_wrong(r, "%llu jobs in all: at most %d are possible; every= has to be more, or time less",
                              (unsigned long long)jobs, BALANCE_MAX_JOBS);
    b->tick = calloc(b->time / b->host.tick * b->host.pcpus, sizeof(*b->tick));
    b->moves = calloc(b->time / b->host.tick, sizeof(*b->moves));
    b->scratch = calloc(jobs, sizeof(*b->scratch));
    if (!b->tick || !b->moves || !b->scratch)
        return workload_wrong(r, "not enough memory");
    for (unsigned int v = 0, i = 0; v < b->nr_vcpus; v++) {
        struct balance_vcpu *c = &b->vcpu[v];

        i += v >= b->vm[i].first + b->vm[i].vcpus;
        c->vm = i;
        c->pcpu = (unsigned int)(b->vm[i].pcpu < BALANCE_MAX_PCPUS ? b->vm[i].pcpu : v % b->host.pcpus);
        c->node = balance_node(b, c->pcpu);
        b->queue[c->pcpu][b->queued[c->pcpu]++] = (uint16_t)v;
        c->job = calloc(b->time / b->vm[i].every + 1, sizeof(*c->job));
        if (!c->job)
            return workload_wrong(r, "not enough memory");
    }
    return true;
}

void *balance_load(FILE *f, uint64_t seed, char why[KIT_WHY])
{
    struct balance *b = calloc(1, sizeof(*b));
    struct workload r = { b, why, 0 };

    if (!b) {
        snprintf(why, KIT_WHY, " not enough memory");
        return NULL;
    }
    b->host.nodes = 1;
    b->host.tick = MILLISECS(100);
    b->host.cold = MICROSECS(500);
    b->host.far = MILLISECS(2);
    b->time = SECONDS(30);
    b->seed = seed;
    if (workload_statements(&r, f, statement) && host_check(&r, b) && vcpus_begin(&r, b))
        return b;
    balance_free(b);
    return NULL;
}

void balance_free(void *model)
{
    struct balance *b = model;

    for (unsigned int v = 0; v < b->nr_vcpus; v++)
        free(b->vcpu[v].job);
    free(b->tick);
    free(b->moves);
    free(b->scratch);
    free(b);
}
