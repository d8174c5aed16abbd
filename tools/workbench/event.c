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

#include "tools/nearest.h"
#include "tools/units.h"
#include "tools/workbench/load.h"

static void pause_domain(struct domain *d, int by)
{
    d->controller_pause_count += by;
    if (d->controller_pause_count < 0)
        d->controller_pause_count = 0;
    for (unsigned int i = 0; i < d->max_vcpus; i++)
        wb_changed((struct wb_vcpu *)d->vcpu[i]);
    for (unsigned int i = 0; i < d->max_vcpus; i++) {
        vcpu_sleep_nosync(d->vcpu[i]);
        vcpu_wake(d->vcpu[i]);
    }
}

static int affinity_set(struct wb_vcpu *wv, const uint64_t *hard, const uint64_t *soft)
{
    const int rc = sched_set_affinity(&wv->v, hard, soft);

    wb_changed(wv);
    return rc;
}

static int set_affinity(struct wb_domain *wd, int id, const uint64_t *hard, const uint64_t *soft)
{
    int rc = 0;

    for (unsigned int i = 0; !rc && i < wd->d.max_vcpus; i++)
        if (id < 0 || id == (int)i)
            rc = affinity_set(wb_vcpu(wd, i), hard, soft);
    return rc;
}

static bool on_pcpu(const char *what) { return !strcmp(what, "unplug") || !strcmp(what, "plug"); }
static bool is_time(const char *what) { return !strcmp(what, "period") || !strcmp(what, "budget"); }
static bool on_vcpus(const char *what) { return !strcmp(what, "hard") || !strcmp(what, "soft"); }

/* A weight or a cap. Refused: it stays as it was, and the report says so; one that was kept out may now come in. */
static void parameter(struct wb_domain *wd, unsigned int *which, unsigned int value)
{
    const unsigned int before = *which;

    *which = value;
    if (wb_domain_apply(wd)) {
        *which = before;
        return;
    }
    if (!wd->kept_out)
        return;
    wd->kept_out = false;
    wb_start(wb_vcpu(wd, 0)->wb);
}

static void parameter_event(struct wb_domain *wd, const struct wb_event *ev)
{
    const bool extratime = wd->extratime;
    s_time_t t = 0;

    if (is_time(ev->what)) {
        duration_parse(ev->value, &t);
        parameter(wd, !strcmp(ev->what, "period") ? &wd->period_us : &wd->budget_us, (unsigned int)(t / 1000));
    } else if (!strcmp(ev->what, "extratime")) {
        wd->extratime = ev->value[0] == '1';
        if (wb_domain_apply(wd))
            wd->extratime = extratime;
    } else {
        parameter(wd, !strcmp(ev->what, "weight") ? &wd->weight : &wd->cap, (unsigned int)atoi(ev->value));
    }
}

/* Any vCPU may have to leave, and lose its affinity. */
static int plug(struct wb *wb, bool in, unsigned int cpu)
{
    int rc;

    wb->changed_all = wb->changing_all = true;
    rc = in ? sched_cpu_add(wb->xen.sched, cpu) : sched_cpu_remove(wb->xen.sched, cpu);
    wb->changing_all = false;
    return rc;
}

/* 0 or -errno: the workload asked for what cannot be done at this moment. */
static int event_carry_out(struct wb_event *ev)
{
    struct wb *wb = ev->wb;
    struct wb_domain *wd = NULL;
    uint64_t mask = 0;
    int id = -1;

    if (on_pcpu(ev->what))
        return plug(wb, !strcmp(ev->what, "plug"), (unsigned int)atoi(ev->target));
    wd = wb_target_find(wb, ev->target, &id);
    if (on_vcpus(ev->what)) {
        wb_mask_parse(ev->value, &mask);
        return set_affinity(wd, id, strcmp(ev->what, "hard") ? NULL : &mask, strcmp(ev->what, "soft") ? NULL : &mask);
    }
    if (!strcmp(ev->what, "pause"))
        pause_domain(&wd->d, 1);
    else if (!strcmp(ev->what, "unpause"))
        pause_domain(&wd->d, -1);
    else
        parameter_event(wd, ev);
    return 0;
}

static const char *reason(int rc)
{
    switch (rc) {
    case -EBUSY: return "it is the last pCPU";
    case -ENODEV: return "it is plugged in, or not, already";
    case -EINVAL: return "none of these pCPUs is there";
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
             (double)ev->at / 1e6, ev->what, ev->target, ev->value[0] ? " " : "", ev->value, reason(rc));
}

static bool number(const char *text, unsigned long lo, unsigned long hi)
{
    char *end;
    const unsigned long n = strtoul(text, &end, 10);

    return *text >= '0' && *text <= '9' && !*end && n >= lo && n <= hi;
}

/* What there is, how it is written, and what its last word may be (hi 0: nothing, or pCPUs). */
static const struct event_kind {
    const char *what, *form;
    unsigned int words, lo, hi;
} kinds[] = {
    { "pause", "pause DOMAIN", 2, 0, 0 },
    { "unpause", "unpause DOMAIN", 2, 0, 0 },
    { "weight", "weight DOMAIN NUMBER", 3, 1, 65535 },
    { "cap", "cap DOMAIN PERCENT", 3, 0, 65535 },
    { "period", "period DOMAIN TIME", 3, 0, 0 },
    { "budget", "budget DOMAIN TIME", 3, 0, 0 },
    { "extratime", "extratime DOMAIN 0|1", 3, 0, 1 },
    { "hard", "hard DOMAIN[.VCPU] PCPUS, such as 0,2-3 or all", 3, 0, 0 },
    { "soft", "soft DOMAIN[.VCPU] PCPUS, such as 0,2-3 or all", 3, 0, 0 },
    { "unplug", "unplug PCPU", 2, 0, 0 },
    { "plug", "plug PCPU", 2, 0, 0 },
};

static const struct event_kind *kind_find(const char *what)
{
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
        if (!strcmp(kinds[i].what, what))
            return &kinds[i];
    return NULL;
}

static bool kind_unknown(const struct wb_answer *w, const char *what)
{
    const char *names[ARRAY_SIZE(kinds)];
    char hint[NEAREST_HINT_SIZE];

    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
        names[i] = kinds[i].what;
    return wb_wrong(
        w, "expected: at TIME pause|unpause|weight|cap|period|budget|extratime|hard|soft|unplug|plug ..., got \"%s\"%s",
        what, nearest_hint(what, names, ARRAY_SIZE(kinds), "", hint));
}

/* Whom it concerns. */
static bool target_check(const struct wb_answer *w, struct wb *wb, const struct wb_event *ev)
{
    char why[WB_TARGET_WHY];
    int id;

    if (on_pcpu(ev->what))
        return number(ev->target, 0, wb->xen.nr_pcpus - 1) ||
               wb_wrong(w, "%s %s: there is no such pCPU: this machine has 0 to %u", ev->what, ev->target,
                        wb->xen.nr_pcpus - 1);
    if (on_vcpus(ev->what) ? wb_target_find(wb, ev->target, &id) : wb_domain_find(wb, ev->target))
        return true;
    return wb_wrong(w, "%s %s: %s", ev->what, ev->target, wb_target_why(wb, ev->target, !on_vcpus(ev->what), why));
}

/* Is it an event that can be carried out? */
static bool event_check(const struct wb_answer *w, struct wb *wb, const struct wb_event *ev, unsigned int words)
{
    const uint64_t all = (UINT64_C(1) << wb->xen.nr_pcpus) - 1;
    const struct event_kind *k = kind_find(ev->what);
    uint64_t mask;
    s_time_t t;

    if (!k)
        return kind_unknown(w, ev->what);
    if (words != k->words)
        return wb_wrong(w, "expected: at TIME %s", k->form);
    if (!target_check(w, wb, ev))
        return false;
    if (k->hi && !number(ev->value, k->lo, k->hi))
        return wb_wrong(w, "expected: at TIME %s, %u to %u, got \"%s\"", k->form, k->lo, k->hi, ev->value);
    if (is_time(ev->what))
        return (duration_parse(ev->value, &t) && t >= MICROSECS(1) && t <= SECONDS(4000)) ||
               wb_wrong(w, "expected: at TIME %s, 1us to 4000s, got \"%s\"", k->form, ev->value);
    if (!on_vcpus(ev->what))
        return true;
    if (!wb_mask_parse(ev->value, &mask))
        return wb_wrong(w, "expected: at TIME %s; pCPUs are 0 to %d", k->form, MACHINE_MAX_PCPUS - 1);
    return mask & all || !strcmp(ev->what, "soft") ||
           wb_wrong(w, "hard affinity holds none of the pCPUs: this machine has 0 to %u", wb->xen.nr_pcpus - 1);
}

/* "TIME WHAT TARGET [VALUE]" */
static bool event_read(const struct wb_answer *w, struct wb *wb, const char *text, struct wb_event *ev)
{
    char time[48] = "", more[2] = "", why[UNITS_WHY_SIZE];
    const int words = sscanf(text, "%47s %15s %47s %47s %1s", time, ev->what, ev->target, ev->value, more);

    if (words < 2)
        return wb_wrong(w,
                        "expected: at TIME pause|unpause|weight|cap|period|budget|extratime|hard|soft|unplug|plug ...");
    if (!duration_parse(time, &ev->at))
        return wb_wrong(w, "expected: at TIME ...: %s", duration_why(time, 0, why));
    return event_check(w, wb, ev, (unsigned int)words - 1);
}

bool wb_event_parse(struct wb *wb, const char *text, unsigned int line, char *why, size_t len)
{
    struct wb_event *ev = calloc(1, sizeof(*ev));
    const struct wb_answer w = { why, len };

    BUG_ON(!ev);
    if (!event_read(&w, wb, text, ev)) {
        free(ev);
        return false;
    }
    ev->wb = wb;
    ev->line = line;
    ev->next = wb->events;
    wb->events = ev;
    timer_init(&ev->timer, event_fire, ev);
    timer_set(&wb->machine.clock, &ev->timer, ev->at);
    return true;
}
