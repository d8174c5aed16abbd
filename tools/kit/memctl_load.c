// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * memctl's workloads: a line a statement, # begins a comment.
 *
 *      memory 4G                    of the host: what VMs have, and what is free
 *      reserve 256M                 of that, dom0's own; default 0
 *      rate 64M                     what a balloon moves in a second; default 64M
 *      swap 32M                     what a VM's swap device reads in a second, and writes; default 32M
 *      time 120s                    default 60s
 *      vm web memory=512M floor=128M max=1G : use 200M for 30s, grow 200M..800M for 60s, use 700M..800M
 *
 *      expect lacking web <= 3s     tools/kit/expect.h
 *
 * A program is over and over again from its beginning; its last step need not say for how long. `use A..B` is anything
 * in that range, each second; `grow A..B` goes from A to B.
 */
#include "tools/kit/memctl.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "tools/units.h"

struct reading {
    struct memctl *m;
    char *why;
    unsigned int line;
};

static bool __attribute__((format(printf, 2, 3))) wrong(const struct reading *r, const char *fmt, ...)
{
    const int n = snprintf(r->why, KIT_WHY, "%u: ", r->line);
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(r->why + n, (size_t)(KIT_WHY - n), fmt, ap);
    va_end(ap);
    return false;
}

static bool size(const struct reading *r, const char *what, const char *text, uint64_t *mib)
{
    return (size_parse(text, mib) && *mib <= MEMCTL_MAX_SIZE) ||
           wrong(r, "%s: \"%.40s\" is no size such as 512M or 2G", what, text);
}

static bool seconds(const struct reading *r, const char *what, const char *text, uint64_t *s)
{
    s_time_t ns;

    if (!duration_parse_in(text, "s", &ns) || ns <= 0 || ns % SECONDS(1) || ns > SECONDS(MEMCTL_MAX_TIME))
        return wrong(r, "%s: \"%.40s\" is no time of whole seconds, from 1s to %ds", what, text, MEMCTL_MAX_TIME);
    *s = (uint64_t)(ns / SECONDS(1));
    return true;
}

/* --- vm --- */

/* "use 200M..300M for 30s" */
static bool step(const struct reading *r, struct memctl_vm *vm, char *text, bool last)
{
    struct memctl_step *s = &vm->step[vm->nr_steps++];
    char *save, *word = strtok_r(text, " \t", &save), *range = strtok_r(NULL, " \t", &save), *dots,
                *keyword = strtok_r(NULL, " \t", &save), *time = strtok_r(NULL, " \t", &save);

    if (!word || !range || (strcmp(word, "use") && strcmp(word, "grow")) || (keyword && strcmp(keyword, "for")) ||
        (keyword && !time) || strtok_r(NULL, " \t", &save))
        return wrong(r, "a step is \"use 200M..300M for 30s\" or \"grow 200M..800M for 60s\"");
    s->grows = word[0] == 'g';
    dots = strstr(range, "..");
    if (dots)
        *dots = '\0';
    if (!size(r, word, range, &s->from) || !size(r, word, dots ? dots + 2 : range, &s->to))
        return false;
    if (s->grows && (!dots || !time))
        return wrong(r, "grow needs a range and a time: grow 200M..800M for 60s");
    if (!s->grows && s->to < s->from)
        return wrong(r, "use: the range ends before it begins");
    if (!time && !last)
        return wrong(r, "only a program's last step may be without a time");
    if (s->from > vm->max || s->to > vm->max)
        return wrong(r, "%s: a working set of more than its max, %lluM", vm->name, (unsigned long long)vm->max);
    return !time || seconds(r, "for", time, &s->seconds);
}

static bool vm_key(const struct reading *r, struct memctl_vm *vm, char *text)
{
    char *value = strchr(text, '=');

    if (value)
        *value++ = '\0';
    if (value && !strcmp(text, "memory"))
        return size(r, text, value, &vm->memory);
    if (value && !strcmp(text, "floor"))
        return size(r, text, value, &vm->floor);
    if (value && !strcmp(text, "max"))
        return size(r, text, value, &vm->max);
    return wrong(r, "a VM has memory=, floor= and max=, not \"%.40s\"", text);
}

/* "web memory=512M : PROGRAM" */
static bool vm_read(const struct reading *r, char *text)
{
    struct memctl *m = r->m;
    struct memctl_vm *vm = &m->vm[m->nr_vms];
    char *colon = strchr(text, ':'), *save, *word, *next;

    if (m->nr_vms == MEMCTL_MAX_VMS)
        return wrong(r, "more than %d VMs", MEMCTL_MAX_VMS);
    if (!colon)
        return wrong(r, "a VM is \"vm NAME memory=512M floor=128M max=1G : PROGRAM\"");
    *colon = '\0';
    word = strtok_r(text, " \t", &save);
    if (!word || strlen(word) >= sizeof(vm->name) || strchr(word, '='))
        return wrong(r, "a VM needs a name, of at most 31 characters");
    strcpy(vm->name, word);
    for (unsigned int i = 0; i < m->nr_vms; i++)
        if (!strcmp(m->vm[i].name, word))
            return wrong(r, "there is a VM %s already", word);
    while ((word = strtok_r(NULL, " \t", &save)))
        if (!vm_key(r, vm, word))
            return false;
    if (!vm->memory)
        return wrong(r, "%s: how much memory= has it at the beginning?", vm->name);
    vm->max = vm->max ? vm->max : vm->memory;
    if (vm->floor > vm->memory || vm->memory > vm->max)
        return wrong(r, "%s: floor <= memory <= max does not hold", vm->name);
    for (char *at = colon + 1; at; at = next) {
        next = strchr(at, ',');
        if (next)
            *next++ = '\0';
        if (vm->nr_steps == MEMCTL_MAX_STEPS)
            return wrong(r, "more than %d steps", MEMCTL_MAX_STEPS);
        if (!step(r, vm, at, !next))
            return false;
    }
    vm->now = (struct vm_mem){ .have = vm->memory, .floor = vm->floor, .max = vm->max };
    m->nr_vms++;
    return true;
}

/* --- the file --- */

static bool statement(const struct reading *r, char *text)
{
    struct memctl *m = r->m;
    char *word, *value;

    text[strcspn(text, "#\r\n")] = '\0';
    word = text + strspn(text, " \t");
    if (!*word)
        return true;
    value = word + strcspn(word, " \t");
    if (*value)
        *value++ = '\0';
    value += strspn(value, " \t");
    if (!strcmp(word, "expect"))
        return true; /* expect.c's */
    if (!strcmp(word, "vm"))
        return vm_read(r, value);
    for (char *end = value + strlen(value); end > value && strchr(" \t", end[-1]);)
        *--end = '\0';
    if (!strcmp(word, "memory"))
        return size(r, word, value, &m->host.total);
    if (!strcmp(word, "reserve"))
        return size(r, word, value, &m->host.reserve);
    if (!strcmp(word, "rate"))
        return size(r, word, value, &m->host.rate);
    if (!strcmp(word, "swap"))
        return size(r, word, value, &m->swap);
    if (!strcmp(word, "time"))
        return seconds(r, word, value, &m->time);
    return wrong(r, "\"%.40s\" is no statement: memory, reserve, rate, swap, time, vm and expect are", word);
}

/* What no line alone can be wrong in. */
static bool whole(const struct reading *r)
{
    struct memctl *m = r->m;
    uint64_t given = 0;

    for (unsigned int i = 0; i < m->nr_vms; i++) {
        given += m->vm[i].memory;
        m->vm[i].second = calloc(m->time, sizeof(*m->vm[i].second));
        if (!m->vm[i].second)
            return wrong(r, "not enough memory");
    }
    m->free_at = calloc(m->time, sizeof(*m->free_at));
    if (!m->free_at)
        return wrong(r, "not enough memory");
    if (!m->nr_vms)
        return wrong(r, "there is no VM: vm NAME memory=512M floor=128M max=1G : PROGRAM");
    if (given > m->host.total)
        return wrong(r, "VMs have %lluM in all at the beginning, and the host's memory is %lluM",
                     (unsigned long long)given, (unsigned long long)m->host.total);
    if (m->host.reserve > m->host.total)
        return wrong(r, "a reserve of %lluM, and the host's memory is %lluM", (unsigned long long)m->host.reserve,
                     (unsigned long long)m->host.total);
    m->host.free = m->least = m->host.total - given;
    return true;
}

void *memctl_load(FILE *f, uint64_t seed, char why[KIT_WHY])
{
    struct memctl *m = calloc(1, sizeof(*m));
    struct reading r = { m, why, 0 };
    char *text = NULL;
    size_t len = 0;
    bool ok = m != NULL;

    if (!m) {
        snprintf(why, KIT_WHY, " not enough memory");
        return NULL;
    }
    m->host.rate = 64;
    m->swap = 32;
    m->time = 60;
    m->seed = seed;
    while (ok && (errno = 0, getline(&text, &len, f)) >= 0) {
        r.line++;
        ok = statement(&r, text);
    }
    if (ok && errno)
        ok = wrong(&r, "%s", strerror(errno));
    free(text);
    if (ok && whole(&r))
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
