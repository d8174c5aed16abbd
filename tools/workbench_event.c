// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What happens during a workload: `at 5s pause web`.
 *
 * Concept: each line becomes a timer of the virtual clock. When it fires the same functions are called as the real
 * hypervisor's hypercalls call: domain_pause's effect, the scheduler's adjust, affinity, pCPU hot-unplug.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/workbench_load.h"

static void pause_domain(struct domain *d, int by)
{
    d->controller_pause_count += by;
    if (d->controller_pause_count < 0)
        d->controller_pause_count = 0;
    for (unsigned int i = 0; i < d->max_vcpus; i++) {
        vcpu_sleep_nosync(d->vcpu[i]);
        vcpu_wake(d->vcpu[i]);
    }
}

static void set_affinity(struct wb_domain *wd, int id, const uint64_t *hard, const uint64_t *soft)
{
    for (unsigned int i = 0; i < wd->d.max_vcpus; i++)
        if (id < 0 || id == (int)i)
            sched_set_affinity(wd->d.vcpu[i], hard, soft);
}

static bool on_pcpu(const char *what) { return !strcmp(what, "unplug") || !strcmp(what, "plug"); }

static void event_fire(void *data)
{
    struct wb_event *ev = data;
    struct wb *wb = ev->wb;
    struct wb_domain *wd = NULL;
    uint64_t mask = 0;
    int id = -1;

    if (!on_pcpu(ev->what))
        wd = wb_target_find(wb, ev->target, &id);
    if (!strcmp(ev->what, "unplug")) {
        sched_cpu_remove(wb->xen.sched, (unsigned int)atoi(ev->target));
    } else if (!strcmp(ev->what, "plug")) {
        sched_cpu_add(wb->xen.sched, (unsigned int)atoi(ev->target));
    } else if (!strcmp(ev->what, "pause")) {
        pause_domain(&wd->d, 1);
    } else if (!strcmp(ev->what, "unpause")) {
        pause_domain(&wd->d, -1);
    } else if (!strcmp(ev->what, "weight")) {
        wd->weight = (unsigned int)atoi(ev->value);
        wb_domain_apply(wd);
    } else if (!strcmp(ev->what, "cap")) {
        wd->cap = (unsigned int)atoi(ev->value);
        wb_domain_apply(wd);
    } else if (wb_mask_parse(ev->value, &mask)) {
        set_affinity(wd, id, strcmp(ev->what, "hard") ? NULL : &mask, strcmp(ev->what, "soft") ? NULL : &mask);
    }
}

/* Is it an event that can be carried out? */
static bool event_ok(struct wb *wb, const struct wb_event *ev)
{
    uint64_t mask;
    int id;

    if (on_pcpu(ev->what))
        return ev->target[0] >= '0' && ev->target[0] <= '9' && (unsigned int)atoi(ev->target) < wb->xen.nr_pcpus;
    if (!wb_target_find(wb, ev->target, &id))
        return false;
    if (!strcmp(ev->what, "pause") || !strcmp(ev->what, "unpause"))
        return !ev->value[0];
    if (!strcmp(ev->what, "weight"))
        return atoi(ev->value) > 0 && atoi(ev->value) < 65536;
    if (!strcmp(ev->what, "cap"))
        return ev->value[0] >= '0' && ev->value[0] <= '9' && atoi(ev->value) < 65536;
    return (!strcmp(ev->what, "hard") || !strcmp(ev->what, "soft")) && wb_mask_parse(ev->value, &mask);
}

bool wb_event_parse(struct wb *wb, const char *text)
{
    struct wb_event *ev = calloc(1, sizeof(*ev));
    const char *end;

    BUG_ON(!ev);
    text += strspn(text, " \t");
    if (!wb_time_parse(text, &ev->at, &end) || sscanf(end, "%15s %31s %47s", ev->what, ev->target, ev->value) < 2 ||
        !event_ok(wb, ev)) {
        free(ev);
        return false;
    }
    ev->wb = wb;
    ev->next = wb->events;
    wb->events = ev;
    timer_init(&ev->timer, event_fire, ev);
    timer_set(&wb->machine.clock, &ev->timer, ev->at);
    return true;
}
