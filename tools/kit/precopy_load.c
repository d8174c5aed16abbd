// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * precopy's workloads.
 *
 *      memory 64M                   that the VM has; at most 512M
 *      link 32M                     what the link takes in a second; default 32M
 *      look 1ms                     how long it takes to look at the dirty bitmap; default 1ms
 *      time 60s                     after which it is given up; default 60s
 *      region heap at=0M size=16M : write 2000 for 10s, scan 8000 for 500ms, write 0
 *
 * What is in no region is not stored to. A region's program is over and over again from its beginning; its last step
 * need not say for how long. `write N` is N stores a second to random pages, `scan N` to one after the other.
 */
#include "tools/kit/precopy.h"

#include <stdlib.h>
#include <string.h>

#include "sim/types.h"

#define PAGES_PER_MIB 256
#define LOOK_LEAST    100000 /* ns: who looks at nothing all the time comes to an end, too */

static bool step(const struct workload *r, void *of, char *text, bool last)
{
    struct precopy_region *g = of;
    struct precopy_step *s = &g->step[g->nr_steps++];
    const char *word, *time;
    char *stores;

    if (!workload_step(text, &word, &stores, &time) || (strcmp(word, "write") && strcmp(word, "scan")))
        return workload_wrong(r, "a step is \"write 2000 for 10s\" or \"scan 2000 for 10s\": stores in a second");
    s->scans = word[0] == 's';
    if (!time && !last)
        return workload_wrong(r, "only a program's last step may be without a time");
    return workload_number(r, word, stores, PRECOPY_MAX_STORES, &s->stores) &&
           (!time || workload_time(r, "for", time, "ms", MILLISECS(1), PRECOPY_MAX_TIME, &s->ns));
}

static bool region_key(const struct workload *r, void *of, const char *key, const char *value)
{
    struct precopy_region *g = of;
    uint64_t mib;

    if (!value || (strcmp(key, "at") && strcmp(key, "size")))
        return workload_wrong(r, "a region has at= and size=, not \"%.40s\"", key);
    if (!workload_size(r, key, value, &mib))
        return false;
    *(key[0] == 'a' ? &g->at : &g->pages) = mib * PAGES_PER_MIB;
    return true;
}

static bool region_read(const struct workload *r, char *text)
{
    struct precopy_vm *vm = &((struct precopy_model *)r->model)->vm;
    struct precopy_region *g = &vm->region[vm->nr_regions];
    char *program;

    if (vm->nr_regions == PRECOPY_MAX_REGIONS)
        return workload_wrong(r, "more than %d regions", PRECOPY_MAX_REGIONS);
    program = workload_head(r, text, "a region", "region NAME at=0M size=16M : PROGRAM", g->name, region_key, g);
    if (!program)
        return false;
    for (unsigned int i = 0; i < vm->nr_regions; i++)
        if (!strcmp(vm->region[i].name, g->name))
            return workload_wrong(r, "there is a region %s already", g->name);
    if (!g->pages)
        return workload_wrong(r, "%s: which size= has it?", g->name);
    vm->nr_regions++;
    return workload_steps(r, program, PRECOPY_MAX_STEPS, step, g);
}

static bool statement(const struct workload *r, const char *word, char *value)
{
    struct precopy_model *p = r->model;

    if (!strcmp(word, "region"))
        return region_read(r, value);
    if (!strcmp(word, "memory"))
        return workload_size(r, word, value, &p->memory);
    if (!strcmp(word, "link"))
        return workload_size(r, word, value, &p->link);
    if (!strcmp(word, "look"))
        return workload_time(r, word, value, "100us", LOOK_LEAST, PRECOPY_MAX_TIME, &p->vm.look);
    if (!strcmp(word, "time"))
        return workload_time(r, word, value, "ms", MILLISECS(1), PRECOPY_MAX_TIME, &p->time);
    return workload_wrong(r, "\"%.40s\" is no statement: memory, link, look, time, region and expect are", word);
}

/* What no line alone can be wrong in. */
static bool whole(const struct workload *r)
{
    struct precopy_model *p = r->model;
    struct precopy_vm *vm = &p->vm;

    vm->nr_pages = p->memory * PAGES_PER_MIB;
    if (!vm->nr_pages || vm->nr_pages > PRECOPY_MAX_PAGES)
        return workload_wrong(r, "memory of %lluM: 1M to %dM are possible", (unsigned long long)p->memory,
                              PRECOPY_MAX_PAGES / PAGES_PER_MIB);
    if (!p->link || p->link > 65536)
        return workload_wrong(r, "a link of %lluM a second: 1M to 64G are possible", (unsigned long long)p->link);
    for (unsigned int i = 0; i < vm->nr_regions; i++)
        if (vm->region[i].at + vm->region[i].pages > vm->nr_pages)
            return workload_wrong(r, "%s ends at %lluM, and the VM's memory at %lluM", vm->region[i].name,
                                  (unsigned long long)(vm->region[i].at + vm->region[i].pages) / PAGES_PER_MIB,
                                  (unsigned long long)p->memory);
    vm->page = (uint64_t)SECONDS(1) / (p->link * PAGES_PER_MIB);
    return precopy_vm_begin(vm) || workload_wrong(r, "not enough memory");
}

void *precopy_load(FILE *f, uint64_t seed, char why[KIT_WHY])
{
    struct precopy_model *p = calloc(1, sizeof(*p));
    struct workload r = { p, why, 0 };

    if (!p) {
        snprintf(why, KIT_WHY, " not enough memory");
        return NULL;
    }
    p->link = 32;
    p->vm.look = MILLISECS(1);
    p->time = SECONDS(60);
    p->vm.seed = seed;
    if (workload_statements(&r, f, statement) && whole(&r))
        return p;
    precopy_free(p);
    return NULL;
}

void precopy_free(void *model)
{
    struct precopy_model *p = model;

    precopy_vm_end(&p->vm);
    free(p);
}
