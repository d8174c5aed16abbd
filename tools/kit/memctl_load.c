// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * memctl's workloads.
 *
 *      memory 4G                    of the host: what VMs have, and what is free
 *      reserve 256M                 of that, dom0's own; default 0
 *      rate 64M                     what a balloon moves in a second; default 64M
 *      swap 32M                     what a VM's swap device reads in a second, and writes; default 32M
 *      time 120s                    default 60s
 *      vm web memory=512M floor=128M max=1G : use 200M for 30s, grow 200M..800M for 60s, use 700M..800M
 *
 *      expect lacking web <= 3s     tools/expect/expect.h
 *
 * A program is over and over again from its beginning; its last step need not say for how long. `use A..B` is anything
 * in that range, each second; `grow A..B` goes from A to B.
 */
#include "tools/kit/memctl.h"

#include <stdlib.h>
#include <string.h>

#include "sim/types.h"

#define TIME_NS SECONDS(MEMCTL_MAX_TIME)

static bool seconds(const struct workload *r, const char *what, const char *text, uint64_t *s)
{
    if (!workload_time(r, what, text, "seconds", SECONDS(1), TIME_NS, s))
        return false;
    *s /= SECONDS(1);
    return true;
}

/* --- vm --- */

/* "use 200M..300M for 30s" */
static bool step(const struct workload *r, void *of, char *text, bool last)
{
    struct memctl_vm *vm = of;
    struct memctl_step *s = &vm->step[vm->nr_steps++];
    const char *word, *time;
    char *range, *dots;

    if (!workload_step(text, &word, &range, &time) || (strcmp(word, "use") && strcmp(word, "grow")))
        return workload_wrong(r, "a step is \"use 200M..300M for 30s\" or \"grow 200M..800M for 60s\"");
    s->grows = word[0] == 'g';
    dots = strstr(range, "..");
    if (dots)
        *dots = '\0';
    if (!workload_size(r, word, range, &s->from) || !workload_size(r, word, dots ? dots + 2 : range, &s->to))
        return false;
    if (s->grows && (!dots || !time))
        return workload_wrong(r, "grow needs a range and a time: grow 200M..800M for 60s");
    if (!s->grows && s->to < s->from)
        return workload_wrong(r, "use: the range ends before it begins");
    if (!time && !last)
        return workload_wrong(r, "only a program's last step may be without a time");
    if (s->from > vm->max || s->to > vm->max)
        return workload_wrong(r, "%s: a working set of more than its max, %lluM", vm->name,
                              (unsigned long long)vm->max);
    return !time || seconds(r, "for", time, &s->seconds);
}

static bool vm_key(const struct workload *r, void *of, const char *key, const char *value)
{
    struct memctl_vm *vm = of;

    if (value && !strcmp(key, "memory"))
        return workload_size(r, key, value, &vm->memory);
    if (value && !strcmp(key, "floor"))
        return workload_size(r, key, value, &vm->floor);
    if (value && !strcmp(key, "max"))
        return workload_size(r, key, value, &vm->max);
    return workload_wrong(r, "a VM has memory=, floor= and max=, not \"%.40s\"", key);
}

/* "web memory=512M : PROGRAM" */
static bool vm_read(const struct workload *r, char *text)
{
    struct memctl *m = r->model;
    struct memctl_vm *vm = &m->vm[m->nr_vms];
    char *program;

    if (m->nr_vms == MEMCTL_MAX_VMS)
        return workload_wrong(r, "more than %d VMs", MEMCTL_MAX_VMS);
    program = workload_head(r, text, "a VM", "vm NAME memory=512M floor=128M max=1G : PROGRAM", vm->name, vm_key, vm);
    if (!program)
        return false;
    for (unsigned int i = 0; i < m->nr_vms; i++)
        if (!strcmp(m->vm[i].name, vm->name))
            return workload_wrong(r, "there is a VM %s already", vm->name);
    if (!vm->memory)
        return workload_wrong(r, "%s: how much memory= has it at the beginning?", vm->name);
    vm->max = vm->max ? vm->max : vm->memory;
    if (vm->floor > vm->memory || vm->memory > vm->max)
        return workload_wrong(r, "%s: floor <= memory <= max does not hold", vm->name);
    if (!workload_steps(r, program, MEMCTL_MAX_STEPS, step, vm))
        return false;
    vm->now = (struct vm_mem){ .have = vm->memory, .floor = vm->floor, .max = vm->max };
    m->nr_vms++;
    return true;
}

/* --- the file --- */

static bool statement(const struct workload *r, const char *word, char *value)
{
    struct memctl *m = r->model;

    if (!strcmp(word, "vm"))
        return vm_read(r, value);
    if (!strcmp(word, "memory"))
        return workload_size(r, word, value, &m->host.total);
    if (!strcmp(word, "reserve"))
        return workload_size(r, word, value, &m->host.reserve);
    if (!strcmp(word, "rate"))
        return workload_size(r, word, value, &m->host.rate);
    if (!strcmp(word, "swap"))
        return workload_size(r, word, value, &m->swap);
    if (!strcmp(word, "time"))
        return seconds(r, word, value, &m->time);
    return workload_wrong(r, "\"%.40s\" is no statement: memory, reserve, rate, swap, time, vm and expect are", word);
}

/* What no line alone can be wrong in. */
static bool whole(const struct workload *r)
{
    struct memctl *m = r->model;
    uint64_t given = 0;

    for (unsigned int i = 0; i < m->nr_vms; i++) {
        given += m->vm[i].memory;
        m->vm[i].second = calloc(m->time, sizeof(*m->vm[i].second));
        if (!m->vm[i].second)
            return workload_wrong(r, "not enough memory");
    }
    m->free_at = calloc(m->time, sizeof(*m->free_at));
    if (!m->free_at)
        return workload_wrong(r, "not enough memory");
    if (!m->nr_vms)
        return workload_wrong(r, "there is no VM: vm NAME memory=512M floor=128M max=1G : PROGRAM");
    if (given > m->host.total)
        return workload_wrong(r, "VMs have %lluM in all at the beginning, and the host's memory is %lluM",
                              (unsigned long long)given, (unsigned long long)m->host.total);
    if (m->host.reserve > m->host.total)
        return workload_wrong(r, "a reserve of %lluM, and the host's memory is %lluM",
                              (unsigned long long)m->host.reserve, (unsigned long long)m->host.total);
    m->host.free = m->least = m->host.total - given;
    return true;
}

void *memctl_load(FILE *f, uint64_t seed, char why[KIT_WHY])
{
    struct memctl *m = calloc(1, sizeof(*m));
    struct workload r = { m, why, 0 };

    if (!m) {
        snprintf(why, KIT_WHY, " not enough memory");
        return NULL;
    }
    m->host.rate = 64;
    m->swap = 32;
    m->time = 60;
    m->seed = seed;
    if (workload_statements(&r, f, statement) && whole(&r))
        return m;
    memctl_free(m);
    return NULL;
}

void memctl_free(void *model)
{
    struct memctl *m = model;

    for (unsigned int i = 0; i < MEMCTL_MAX_VMS; i++)
        free(m->vm[i].second);
    free(m->free_at);
    free(m);
}
