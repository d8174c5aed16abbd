// SPDX-License-Identifier: GPL-2.0-or-later
/* What is measured of a run: the idea is in tools/workbench/figures.h. */
#include "tools/workbench/figures.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static int compare(const void *a, const void *b)
{
    const s_time_t x = *(const s_time_t *)a, y = *(const s_time_t *)b;

    return (x > y) - (x < y);
}

s_time_t wb_percentile(const struct wb_samples *s, double p)
{
    return s->nr ? s->v[(size_t)(p * (double)(s->nr - 1) + 0.5)] : 0;
}

/* --- fairness --- */

struct claim {
    double weight, peak, got, ideal;
    bool settled;
};

static double limit(const struct wb_domain *wd)
{
    const double cap = wd->cap / 100.0 / wd->d.max_vcpus;

    return wd->cap && cap < 1 ? cap : 1;
}

/* Divide `left` pCPUs by weight; each pass settles those who cannot use their part. */
static void divide(struct claim *c, size_t nr, double left)
{
    for (bool again = true; again;) {
        double weights = 0, rest = left;

        again = false;
        for (size_t i = 0; i < nr; i++)
            weights += c[i].settled ? 0 : c[i].weight;
        for (size_t i = 0; i < nr; i++) {
            if (c[i].settled)
                continue;
            c[i].ideal = left * c[i].weight / weights;
            if (c[i].ideal < c[i].peak)
                continue;
            c[i].ideal = c[i].peak;
            c[i].settled = true;
            rest -= c[i].peak;
            again = true;
        }
        left = rest;
    }
}

static double fairness_error(struct wb *wb)
{
    struct claim *c = calloc(wb->nr_vcpus, sizeof(*c));
    const double now = (double)(wb->machine.clock.now - wb->marked);
    double left = 0, error = 0;
    size_t nr = 0;

    BUG_ON(!c);
    for (unsigned int cpu = 0; cpu < wb->xen.nr_pcpus; cpu++)
        left += wb->xen.pcpu[cpu].sched ? 1 : 0;
    for_each_wb_vcpu(wb, wd, wv)
    {
        const double ran = (double)wb_runtime(wv);

        if (ran + (double)wb_waited(wv) < 0.95 * now) {
            left -= ran / now;
            continue;
        }
        c[nr].weight = wd->weight;
        c[nr].peak = limit(wd);
        c[nr++].got = ran / now;
    }
    divide(c, nr, left > 0 ? left : 0);
    for (size_t i = 0; i < nr; i++) {
        const double difference = c[i].got > c[i].ideal ? c[i].got - c[i].ideal : c[i].ideal - c[i].got;

        if (difference > error)
            error = difference;
    }
    free(c);
    return 100 * error;
}

/* --- collecting --- */

struct wb_figures wb_figures(struct wb *wb)
{
    struct wb_figures f = { .seconds = (double)(wb->machine.clock.now - wb->marked) / 1e9,
                            .switches = wb->xen.stats.switches - wb->marked_switches };
    struct wb_samples all = { 0 };
    double busy = 0;

    for_each_wb_vcpu(wb, wd, wv)
    {
        if (wv->waiting_since >= 0 && wb->machine.clock.now - wv->waiting_since > wv->max_wait)
            wv->max_wait = wb->machine.clock.now - wv->waiting_since; /* still waiting */
        if (wv->latency.nr)
            qsort(wv->latency.v, wv->latency.nr, sizeof(s_time_t), compare);
        f.migrations += wv->migrations;
        f.jobs += wv->jobs;
        f.misses += wv->misses;
        if (wv->max_wait > f.max_wait)
            f.max_wait = wv->max_wait;
        all.nr += wv->latency.nr;
    }
    all.v = malloc((all.nr + 1) * sizeof(s_time_t));
    BUG_ON(!all.v);
    all.nr = 0;
    for_each_wb_vcpu(wb, wd, wv)
    {
        if (wv->latency.nr)
            memcpy(all.v + all.nr, wv->latency.v, wv->latency.nr * sizeof(s_time_t));
        all.nr += wv->latency.nr;
    }
    qsort(all.v, all.nr, sizeof(s_time_t), compare);
    f.nr_latencies = all.nr;
    f.p50 = wb_percentile(&all, 0.5);
    f.p99 = wb_percentile(&all, 0.99);
    f.max = wb_percentile(&all, 1);
    free(all.v);
    for (unsigned int cpu = 0; cpu < wb->xen.nr_pcpus; cpu++)
        busy += (double)wb->busy[cpu];
    f.utilisation = f.seconds > 0 ? busy / 1e7 / f.seconds / wb->xen.nr_pcpus : 0;
    f.fairness_error = f.seconds > 0 ? fairness_error(wb) : 0;
    return f;
}

/* --- since when --- */

static s_time_t in_state(const struct wb_vcpu *wv, int state)
{
    struct vcpu_runstate_info rs;

    vcpu_runstate_get(&wv->v, &rs);
    return (s_time_t)rs.time[state];
}

s_time_t wb_runtime(const struct wb_vcpu *wv) { return in_state(wv, RUNSTATE_running) - wv->marked_run; }
s_time_t wb_waited(const struct wb_vcpu *wv) { return in_state(wv, RUNSTATE_runnable) - wv->marked_wait; }

double wb_part(const struct wb *wb, s_time_t t)
{
    const s_time_t all = wb->machine.clock.now - wb->marked;

    return all ? (double)t / (double)all : 0;
}

void wb_mark(struct wb *wb)
{
    for_each_wb_vcpu(wb, wd, wv)
    {
        wv->marked_run = in_state(wv, RUNSTATE_running);
        wv->marked_wait = in_state(wv, RUNSTATE_runnable);
        wv->max_wait = 0;
        wv->jobs = wv->misses = wv->switches = wv->migrations = 0;
        wv->latency.nr = 0;
    }
    for (unsigned int cpu = 0; cpu < wb->xen.nr_pcpus; cpu++)
        wb->busy[cpu] = 0;
    wb->marked = wb->machine.clock.now;
    wb->marked_switches = wb->xen.stats.switches;
    wb->marked_decisions = wb->decisions;
}

/* --- by name --- */

const struct wb_metric wb_metrics[] = {
    { "share", WB_FRACTION, WB_DOMAIN }, { "wait", WB_FRACTION, WB_DOMAIN },
    { "p50", WB_TIME, WB_EITHER },       { "p99", WB_TIME, WB_EITHER },
    { "max", WB_TIME, WB_EITHER },       { "longest", WB_TIME, WB_EITHER },
    { "switches", WB_COUNT, WB_EITHER }, { "misses", WB_COUNT, WB_EITHER },
    { "jobs", WB_COUNT, WB_EITHER },     { "migrations", WB_COUNT, WB_EITHER },
    { "fairness", WB_FRACTION, WB_ALL }, { "busy", WB_FRACTION, WB_ALL },
    { "decisions", WB_COUNT, WB_ALL },   { "refused", WB_COUNT, WB_EITHER },
    { "errno", WB_COUNT, WB_DOMAIN },    { NULL, WB_COUNT, WB_ALL },
};

/* Domains that `adjust` would not have, the last time that it was asked. */
static double refused(const struct wb *wb)
{
    unsigned int nr = 0;

    for (const struct wb_domain *wd = wb->domains; wd; wd = wd->next)
        nr += wd->refused != 0;
    return nr;
}

static double of_run(const struct wb *wb, const char *name, const struct wb_figures *f)
{
    const bool none = !f->nr_latencies && (!strcmp(name, "p50") || !strcmp(name, "p99") || !strcmp(name, "max"));

    return none                          ? NAN
           : !strcmp(name, "p50")        ? (double)f->p50
           : !strcmp(name, "p99")        ? (double)f->p99
           : !strcmp(name, "max")        ? (double)f->max
           : !strcmp(name, "longest")    ? (double)f->max_wait
           : !strcmp(name, "switches")   ? (double)f->switches
           : !strcmp(name, "misses")     ? (double)f->misses
           : !strcmp(name, "jobs")       ? (double)f->jobs
           : !strcmp(name, "migrations") ? (double)f->migrations
           : !strcmp(name, "fairness")   ? f->fairness_error / 100
           : !strcmp(name, "busy")       ? f->utilisation / 100
           : !strcmp(name, "refused")    ? refused(wb)
                                         : (double)(wb->decisions - wb->marked_decisions);
}

/* A percentile of the samples of several vCPUs. */
static double pooled(struct wb_domain *wd, int id, double p)
{
    struct wb_samples all = { 0 };
    double value;

    for (unsigned int i = 0; i < wd->d.max_vcpus; i++)
        all.nr += id < 0 || (unsigned int)id == i ? wb_vcpu(wd, i)->latency.nr : 0;
    all.v = malloc((all.nr + 1) * sizeof(*all.v));
    BUG_ON(!all.v);
    all.nr = 0;
    for (unsigned int i = 0; i < wd->d.max_vcpus; i++) {
        const struct wb_samples *s = &wb_vcpu(wd, i)->latency;

        if ((id >= 0 && (unsigned int)id != i) || !s->nr)
            continue;
        memcpy(all.v + all.nr, s->v, s->nr * sizeof(*s->v));
        all.nr += s->nr;
    }
    if (all.nr)
        qsort(all.v, all.nr, sizeof(*all.v), compare);
    value = all.nr ? (double)wb_percentile(&all, p) : NAN;
    free(all.v);
    return value;
}

double wb_metric_value(struct wb *wb, const struct wb_metric *m, const struct wb_figures *f, struct wb_domain *wd,
                       int id)
{
    double sum = 0, most = 0;

    if (!wd)
        return of_run(wb, m->name, f);
    if (!strcmp(m->name, "refused"))
        return wd->refused != 0;
    if (!strcmp(m->name, "errno")) /* why: adjust returns it negated */
        return -wd->refused;
    if (m->unit == WB_TIME && strcmp(m->name, "longest"))
        return pooled(wd, id, !strcmp(m->name, "p50") ? 0.5 : !strcmp(m->name, "p99") ? 0.99 : 1);
    for (unsigned int i = 0; i < wd->d.max_vcpus; i++) {
        const struct wb_vcpu *wv = wb_vcpu(wd, i);

        if (id >= 0 && (unsigned int)id != i)
            continue;
        most = (double)wv->max_wait > most ? (double)wv->max_wait : most;
        sum += !strcmp(m->name, "share")        ? wb_part(wb, wb_runtime(wv))
               : !strcmp(m->name, "wait")       ? wb_part(wb, wb_waited(wv))
               : !strcmp(m->name, "switches")   ? (double)wv->switches
               : !strcmp(m->name, "misses")     ? (double)wv->misses
               : !strcmp(m->name, "jobs")       ? (double)wv->jobs
               : !strcmp(m->name, "migrations") ? (double)wv->migrations
                                                : 0;
    }
    return strcmp(m->name, "longest") ? sum : most;
}
