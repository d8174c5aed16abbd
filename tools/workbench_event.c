// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What happens during a workload: `at 5s pause web`.
 *
 * Concept: each line becomes a timer of the virtual clock. When it fires the same functions are called as the real
 * hypervisor's hypercalls call: domain_pause's effect, the scheduler's adjust, affinity, pCPU hot-unplug.
 */
#include <errno.h>
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

static int set_affinity(struct wb_domain *wd, int id, const uint64_t *hard, const uint64_t *soft)
{
    int rc = 0;

    for (unsigned int i = 0; !rc && i < wd->d.max_vcpus; i++)
        if (id < 0 || id == (int)i)
            rc = sched_set_affinity(wd->d.vcpu[i], hard, soft);
    return rc;
}

static bool on_pcpu(const char *what) { return !strcmp(what, "unplug") || !strcmp(what, "plug"); }
static bool on_vcpus(const char *what) { return !strcmp(what, "hard") || !strcmp(what, "soft"); }

/* 0 or -errno: the workload asked for what cannot be done at this moment. */
static int event_carry_out(struct wb_event *ev)
{
    struct wb *wb = ev->wb;
    struct wb_domain *wd = NULL;
    uint64_t mask = 0;
    int id = -1;

    if (!strcmp(ev->what, "unplug"))
        return sched_cpu_remove(wb->xen.sched, (unsigned int)atoi(ev->target));
    if (!strcmp(ev->what, "plug"))
        return sched_cpu_add(wb->xen.sched, (unsigned int)atoi(ev->target));
    wd = wb_target_find(wb, ev->target, &id);
    if (on_vcpus(ev->what)) {
        wb_mask_parse(ev->value, &mask);
        return set_affinity(wd, id, strcmp(ev->what, "hard") ? NULL : &mask, strcmp(ev->what, "soft") ? NULL : &mask);
    }
    if (!strcmp(ev->what, "pause"))
        pause_domain(&wd->d, 1);
    else if (!strcmp(ev->what, "unpause"))
        pause_domain(&wd->d, -1);
    else if (!strcmp(ev->what, "weight"))
        wd->weight = (unsigned int)atoi(ev->value);
    else
        wd->cap = (unsigned int)atoi(ev->value);
    return ev->value[0] ? wb_domain_apply(wd) : 0;
}

static const char *reason(const struct wb_event *ev, int rc)
{
    switch (rc) {
    case -EBUSY: return "it is the last pCPU";
    case -ENODEV: return "it is plugged in, or not, already";
    case -EINVAL:
        return on_vcpus(ev->what) ? "none of these pCPUs is there" : "the policy takes 100 at most for each vCPU";
    default: return strerror(-rc);
    }
}

static void event_fire(void *data)
{
    struct wb_event *ev = data;
    const int rc = event_carry_out(ev);

    if (!rc || ev->wb->error[0])
        return;
    ev->wb->workload_wrong = true;
    snprintf(ev->wb->error, sizeof(ev->wb->error), "%u: at %.6g ms: %s %s%s%s cannot be done: %s", ev->line,
             (double)ev->at / 1e6, ev->what, ev->target, ev->value[0] ? " " : "", ev->value, reason(ev, rc));
}

static bool number(const char *text, unsigned long lo, unsigned long hi)
{
    char *end;
    const unsigned long n = strtoul(text, &end, 10);

    return *text >= '0' && *text <= '9' && !*end && n >= lo && n <= hi;
}

/* Is it an event that can be carried out? NULL: yes. */
static const char *event_check(struct wb *wb, const struct wb_event *ev)
{
    const uint64_t all = (UINT64_C(1) << wb->xen.nr_pcpus) - 1;
    uint64_t mask;
    int id;

    if (on_pcpu(ev->what))
        return number(ev->target, 0, wb->xen.nr_pcpus - 1) && !ev->value[0]
                   ? NULL
                   : "expected: at TIME unplug|plug PCPU, one that the machine has";
    if (on_vcpus(ev->what)) {
        if (!wb_target_find(wb, ev->target, &id) || !wb_mask_parse(ev->value, &mask))
            return "expected: at TIME hard|soft DOMAIN[.VCPU] PCPUS, such as 0,2-3 or all";
        return mask & all || !strcmp(ev->what, "soft") ? NULL : "hard affinity holds none of the pCPUs";
    }
    if (!strcmp(ev->what, "pause") || !strcmp(ev->what, "unpause"))
        return wb_domain_find(wb, ev->target) && !ev->value[0] ? NULL : "expected: at TIME pause|unpause DOMAIN";
    if (!strcmp(ev->what, "weight"))
        return wb_domain_find(wb, ev->target) && number(ev->value, 1, 65535)
                   ? NULL
                   : "expected: at TIME weight DOMAIN NUMBER, 1 to 65535";
    if (!strcmp(ev->what, "cap"))
        return wb_domain_find(wb, ev->target) && number(ev->value, 0, 65535)
                   ? NULL
                   : "expected: at TIME cap DOMAIN PERCENT, 0 to 65535";
    return "expected: at TIME pause|unpause|weight|cap|hard|soft|unplug|plug ...";
}

const char *wb_event_parse(struct wb *wb, const char *text, unsigned int line)
{
    struct wb_event *ev = calloc(1, sizeof(*ev));
    const char *end, *why = "expected: at TIME pause|unpause|weight|cap|hard|soft|unplug|plug ...";
    char more[2] = "";

    BUG_ON(!ev);
    text += strspn(text, " \t");
    if (wb_time_parse(text, &ev->at, &end) &&
        sscanf(end, "%15s %31s %47s %1s", ev->what, ev->target, ev->value, more) >= 2 && !more[0])
        why = event_check(wb, ev);
    if (why) {
        free(ev);
        return why;
    }
    ev->wb = wb;
    ev->line = line;
    ev->next = wb->events;
    wb->events = ev;
    timer_init(&ev->timer, event_fire, ev);
    timer_set(&wb->machine.clock, &ev->timer, ev->at);
    return NULL;
}
