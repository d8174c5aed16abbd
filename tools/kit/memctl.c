// SPDX-License-Identifier: GPL-2.0-or-later
/* memctl: a second after the other. memctl.h says what happens in one. */
#include "tools/kit/memctl.h"

#include <string.h>

#define PAGES_PER_MIB 256

/* --- use --- */

/* The working set of VM i, in second t (from 0). */
static uint64_t needs(const struct memctl *m, unsigned int i, uint64_t t)
{
    const struct memctl_vm *vm = &m->vm[i];
    const struct memctl_step *s = vm->step;
    uint64_t all = 0, at = t;

    for (unsigned int n = 0; n < vm->nr_steps; n++)
        all = vm->step[n].seconds ? all + vm->step[n].seconds : MEMCTL_MAX_TIME;
    at %= all;
    for (; s->seconds && at >= s->seconds; s++)
        at -= s->seconds;
    if (s->grows)
        return s->to > s->from ? s->from + (s->to - s->from) * at / s->seconds
                               : s->from - (s->from - s->to) * at / s->seconds;
    return s->from + workload_stir(workload_stir(m->seed + 1) ^ (t * MEMCTL_MAX_VMS + i + 1)) % (s->to - s->from + 1);
}

static uint64_t least_of(uint64_t a, uint64_t b) { return a < b ? a : b; }

static void use(const struct memctl *m, struct memctl_vm *vm)
{
    const uint64_t lacks = vm->needs > vm->now.have ? vm->needs - vm->now.have : 0;

    vm->now.unused = vm->now.have > vm->needs ? vm->now.have - vm->needs : 0;
    vm->now.in = least_of(lacks, m->swap);
    vm->now.out = vm->now.in + vm->forced;
}

void memctl_second(struct memctl *m)
{
    for (unsigned int i = 0; i < m->nr_vms; i++) {
        struct memctl_vm *vm = &m->vm[i];

        vm->in += vm->now.in;
        vm->out += vm->now.out;
        vm->lacking += vm->needs > vm->now.have;
        vm->below += vm->now.have < vm->floor;
        vm->unused += vm->now.unused;
        vm->second[m->over] = (struct memctl_second){ (uint32_t)vm->now.have, (uint32_t)vm->needs };
    }
    m->drained += m->host.free < m->host.reserve;
    m->least = least_of(m->least, m->host.free);
    m->free_at[m->over++] = (uint32_t)m->host.free;
}

/* --- decide --- */

bool memctl_decide(struct memctl *m, struct kit_asked *a, uint64_t *target)
{
    struct {
        struct memctl_question q;
        char bytes[MEMCTL_MAX_VMS * (sizeof(struct vm_mem) + sizeof(uint64_t))];
    } ask = { .q = { m->host, m->nr_vms } };
    char *at = ask.bytes;

    for (unsigned int i = 0; i < m->nr_vms; i++, at += sizeof(struct vm_mem))
        memcpy(at, &m->vm[i].now, sizeof(struct vm_mem));
    memcpy(at, target, m->nr_vms * sizeof(*target));
    at += m->nr_vms * sizeof(*target);
    snprintf(a->at, sizeof(a->at), "%llu s", (unsigned long long)m->host.now);
    a->now = (int64_t)m->host.now * 1000000000;
    if (!kit_ask(a, MEMCTL_TICK, &ask, (size_t)(at - (char *)&ask), m->nr_vms * sizeof(*target),
                 m->nr_vms * sizeof(*target)))
        return false;
    memcpy(target, a->message.bytes, m->nr_vms * sizeof(*target));
    for (unsigned int i = 0; i < m->nr_vms; i++)
        if (target[i] > m->vm[i].max)
            return kit_fault(a, "gave %s a target of %llu MiB, more than its max, %llu MiB,", m->vm[i].name,
                             (unsigned long long)target[i], (unsigned long long)m->vm[i].max);
    return true;
}

/* --- move --- */

void memctl_moved(struct memctl *m, struct memctl_vm *vm, int way, uint64_t mib)
{
    if (!mib)
        return;
    if (vm->way == -way && m->host.now - vm->moved_at <= MEMCTL_TURN)
        vm->turns++;
    vm->way = way;
    vm->moved_at = m->settled = m->host.now;
    m->moved += mib;
}

static void give(struct memctl *m, struct memctl_vm *vm, uint64_t target)
{
    const uint64_t wanted = target < vm->now.have ? least_of(vm->now.have - target, m->host.rate) : 0;
    const uint64_t easy = least_of(wanted, vm->now.unused);

    vm->forced = least_of(wanted - easy, m->swap);
    vm->now.have -= easy + vm->forced;
    m->host.free += easy + vm->forced;
    memctl_moved(m, vm, -1, easy + vm->forced);
}

static void take(struct memctl *m, struct memctl_vm *vm, uint64_t target)
{
    const uint64_t wanted = target > vm->now.have ? least_of(target - vm->now.have, m->host.rate) : 0;
    const uint64_t got = least_of(wanted, m->host.free);

    vm->now.have += got;
    m->host.free -= got;
    memctl_moved(m, vm, 1, got);
}

/* --- a run --- */

static void run(void *model, struct kit_asked *a)
{
    struct memctl *m = model;
    uint64_t target[MEMCTL_MAX_VMS];

    for (unsigned int i = 0; i < m->nr_vms; i++)
        target[i] = m->vm[i].now.have;
    while (m->over < m->time) {
        for (unsigned int i = 0; i < m->nr_vms; i++) {
            m->vm[i].needs = needs(m, i, m->over);
            use(m, &m->vm[i]);
        }
        memctl_second(m);
        m->host.now = m->over;
        if (!memctl_decide(m, a, target))
            return;
        for (unsigned int i = 0; i < m->nr_vms; i++)
            give(m, &m->vm[i], target[i]);
        for (unsigned int i = 0; i < m->nr_vms; i++)
            take(m, &m->vm[i], target[i]);
    }
}

/* --- figures --- */

enum { FAULTS, SWAPS, LACKING, BELOW, OSCILLATIONS, UNUSED, MOVED, SETTLED, DRAINED, LEAST, FREE };

static const struct kit_figure figures[] = {
    [FAULTS] = { "faults", "pages", "read back from swap: they were used, and not there" },
    [SWAPS] = { "swaps", "MiB", "written to swap, for want of memory" },
    [LACKING] = { "lacking", "s", "in which a VM had less than its working set" },
    [BELOW] = { "below", "s", "in which a VM had less than its floor" },
    [OSCILLATIONS] = { "oscillations", "", "times that a balloon turned within 10 s" },
    [UNUSED] = { "unused", "MiB", "in VMs, on average" },
    [MOVED] = { "moved", "MiB", "given or taken by balloons" },
    [SETTLED] = { "settled", "s", "the last at which a balloon moved" },
    [DRAINED] = { "drained", "s", "in which less was free than the host's reserve" },
    [LEAST] = { "least", "MiB", "was free at the worst time" },
    [FREE] = { "free", "MiB", "at the end" },
    { NULL, NULL, NULL },
};

static void metrics(const void *model, struct kit_metrics *list)
{
    const struct memctl *m = model;
    double all[UNUSED + 1] = { 0 };

    for (unsigned int i = 0; i < m->nr_vms; i++) {
        const struct memctl_vm *vm = &m->vm[i];
        const double is[] = { [FAULTS] = (double)(vm->in * PAGES_PER_MIB),
                              [SWAPS] = (double)vm->out,
                              [LACKING] = (double)vm->lacking,
                              [BELOW] = (double)vm->below,
                              [OSCILLATIONS] = (double)vm->turns,
                              [UNUSED] = (double)vm->unused / (double)(m->over ?: 1) };

        for (unsigned int n = 0; n <= UNUSED; n++) {
            kit_metric_add(list, &figures[n], vm->name, is[n]);
            all[n] += is[n];
        }
    }
    for (unsigned int n = 0; n <= UNUSED; n++)
        kit_metric_add(list, &figures[n], "", all[n]);
    kit_metric_add(list, &figures[MOVED], "", (double)m->moved);
    kit_metric_add(list, &figures[SETTLED], "", (double)m->settled);
    kit_metric_add(list, &figures[DRAINED], "", (double)m->drained);
    kit_metric_add(list, &figures[LEAST], "", (double)m->least);
    kit_metric_add(list, &figures[FREE], "", (double)m->host.free);
}

static const char *const hooks[] = { "init", "tick", NULL };

static int64_t time_of(const void *model) { return (int64_t)((const struct memctl *)model)->time * 1000000000; }

#define ONE(figure) (UINT64_C(1) << (figure))

static const char *const references[] = { "even", "still", NULL };

const struct kit_model kit_memctl = {
    .name = "memctl",
    .what = "how much memory each VM has: balloons, and a coordinator",
    .example = "docs/examples/kit/phases.txt",
    .hooks = hooks,
    .required = UINT32_C(1) << MEMCTL_TICK,
    .figures = figures,
    .sums = ONE(FAULTS) | ONE(SWAPS) | ONE(LACKING) | ONE(BELOW) | ONE(OSCILLATIONS) | ONE(MOVED) | ONE(DRAINED),
    .means = ONE(UNUSED),
    .states = ONE(FREE),
    .references = references,
    .time = time_of,
    .load = memctl_load,
    .run = run,
    .metrics = metrics,
    .svg = memctl_svg,
    .free = memctl_free,
};
