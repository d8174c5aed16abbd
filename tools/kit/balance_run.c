// SPDX-License-Identifier: GPL-2.0-or-later
/* balance: work comes, and is done. balance.h says how. */
#include "tools/kit/balance.h"

#include <string.h>

/* --- jobs come --- */

static const struct balance_phase *phase_at(const struct balance_vm *vm, uint64_t now)
{
    const struct balance_phase *p = vm->phase;
    uint64_t all = 0;

    for (unsigned int i = 0; i < vm->nr_phases; i++)
        all = vm->phase[i].ns ? all + vm->phase[i].ns : BALANCE_MAX_TIME;
    for (now %= all; p->ns && now >= p->ns; p++)
        now -= p->ns;
    return p;
}

/* vCPU n of a VM has its first job after n ms (modulo `every`), so that not all come at once. */
static void job_come(struct balance *b, unsigned int v)
{
    struct balance_vcpu *c = &b->vcpu[v];
    const struct balance_vm *vm = &b->vm[c->vm];
    const uint64_t first = (v - vm->first) * BALANCE_STEP % vm->every;
    const struct balance_phase *p;
    uint64_t random, percent;

    if (b->host.now < first || (b->host.now - first) % vm->every)
        return;
    p = phase_at(vm, b->host.now);
    random = workload_stir(workload_stir(b->seed + 1) ^ (b->host.now / BALANCE_STEP * BALANCE_MAX_VCPUS + v + 1));
    percent = p->from * 1000 + random % ((p->to - p->from) * 1000 + 1);
    if (!percent)
        return;
    c->job[c->nr_jobs] = (struct balance_job){ b->host.now, vm->every / 1000 * percent / 100, BALANCE_UNDONE };
    if (c->head == c->nr_jobs)
        c->left = c->job[c->nr_jobs].work;
    c->nr_jobs++;
}

/* --- and are done --- */

static bool has_work(const struct balance_vcpu *c) { return c->head < c->nr_jobs; }

/* It runs from `from` ns in this step on, at most to its end: until when? */
static uint64_t vcpu_run(struct balance *b, struct balance_vcpu *c, uint64_t from)
{
    const uint64_t slow = 100 + (balance_node(b, c->pcpu) == c->node ? 0 : b->host.remote);
    struct balance_vm *vm = &b->vm[c->vm];
    uint64_t at = from, part = c->cold < BALANCE_STEP - at ? c->cold : BALANCE_STEP - at;

    c->cold -= part;
    vm->lost += part;
    at += part;
    while (at < BALANCE_STEP && has_work(c)) {
        const uint64_t takes = (c->left * slow + 99) / 100, room = BALANCE_STEP - at;
        const uint64_t done = takes <= room ? c->left : room * 100 / slow;

        part = takes <= room ? takes : room;
        at += part;
        c->left -= done;
        vm->work += done;
        vm->lost += part - done;
        if (takes > room)
            break;
        c->job[c->head++].done = b->host.now + at;
        vm->jobs++;
        if (has_work(c))
            c->left = c->job[c->head].work;
    }
    c->used += at - from;
    return at;
}

/* One step of a pCPU. Adds who waited for all of it; true: it had nothing to do. */
static bool pcpu_step(struct balance *b, unsigned int p, uint64_t *waiters)
{
    uint16_t *queue = b->queue[p], turned[BALANCE_MAX_VCPUS];
    unsigned int last = 0;
    uint64_t at = 0;

    for (unsigned int i = 0; i < b->queued[p]; i++) {
        struct balance_vcpu *c = &b->vcpu[queue[i]];

        if (!has_work(c))
            continue;
        c->waited += at;
        b->vm[c->vm].waited += at;
        if (at < BALANCE_STEP) {
            at = vcpu_run(b, c, at);
            last = i + 1;
        } else {
            ++*waiters;
        }
    }
    memcpy(turned, queue, last * sizeof(*queue));
    memmove(queue, queue + last, (b->queued[p] - last) * sizeof(*queue));
    memcpy(queue + b->queued[p] - last, turned, last * sizeof(*queue));
    return !at;
}

void balance_step(struct balance *b)
{
    uint64_t idle = 0, waiters = 0;

    for (unsigned int v = 0; v < b->nr_vcpus; v++)
        job_come(b, v);
    for (unsigned int p = 0; p < b->host.pcpus; p++)
        idle += pcpu_step(b, p, &waiters);
    b->idle += (idle < waiters ? idle : waiters) * BALANCE_STEP;
    b->host.now += BALANCE_STEP;
}

void balance_move(struct balance *b, unsigned int v, unsigned int pcpu)
{
    struct balance_vcpu *c = &b->vcpu[v];
    const bool far = balance_node(b, pcpu) != balance_node(b, c->pcpu);
    const uint64_t cost = far ? b->host.far : b->host.cold;
    uint16_t *queue = b->queue[c->pcpu];
    unsigned int at = 0;

    while (queue[at] != v)
        at++;
    b->queued[c->pcpu]--;
    memmove(queue + at, queue + at + 1, (b->queued[c->pcpu] - at) * sizeof(*queue));
    b->queue[pcpu][b->queued[pcpu]++] = (uint16_t)v;
    c->pcpu = pcpu;
    c->cold = c->cold > cost ? c->cold : cost;
    c->moved_at = b->settled = b->host.now;
    b->vm[c->vm].moves++;
    b->vm[c->vm].far += far;
}
