// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a chart of the run needs to know.
 *
 * Concept: between two moments of the simulation nobody's state changes. So it is enough to look, before the clock
 * moves, at what everybody is doing, and to write down a stretch when that is something else than before. Stretches
 * outside the chart's window are not kept, and there is an end to how many are: a chart that stops early says so, and a
 * window further on shows the rest.
 */
#include <stdlib.h>
#include <string.h>

#include "tools/workbench/sim.h"

/* Room for one more in an array that grows by doubling. False: enough is enough. */
static bool room(struct wb *wb, void *array, size_t nr, size_t size)
{
    void *old, *new;

    if (nr >= wb->max_spans) {
        if (!wb->lost_at)
            wb->lost_at = wb->machine.clock.now;
        return false;
    }
    if (nr & (nr - 1))
        return true;
    memcpy(&old, array, sizeof(old));
    new = realloc(old, (nr ? 2 * nr : 1) * size);
    BUG_ON(!new);
    memcpy(array, &new, sizeof(new));
    return true;
}

static bool is_shown(const struct wb *wb, s_time_t start, s_time_t end)
{
    return start < end && (!wb->record_to || (end > wb->record_from && start < wb->record_to));
}

/*
 * Who was on that pCPU until now, if it is somebody else now. Not every switch is a decision: a pCPU can be taken away.
 */
static void span_look(struct wb *wb, unsigned int cpu, struct wb_vcpu *wv)
{
    struct wb_span *open = &wb->open[cpu];

    if (open->v == wv)
        return;
    open->end = wb->machine.clock.now;
    if (open->v && is_shown(wb, open->start, open->end) && room(wb, &wb->span, wb->nr_spans, sizeof(*wb->span)))
        wb->span[wb->nr_spans++] = *open;
    *open = (struct wb_span){ .start = open->end, .v = wv, .cpu = cpu };
}

void wb_record_miss(struct wb *wb, const struct wb_vcpu *wv, s_time_t deadline)
{
    if (wb->record_to && is_shown(wb, deadline, deadline + 1) && room(wb, &wb->miss, wb->nr_misses, sizeof(*wb->miss)))
        wb->miss[wb->nr_misses++] = (struct wb_miss){ deadline, wv };
}

static void state_add(struct wb *wb, s_time_t start, const struct wb_vcpu *v, unsigned int cpu, enum wb_doing doing)
{
    const s_time_t now = wb->machine.clock.now;

    if (doing != WB_NOTHING && is_shown(wb, start, now) && room(wb, &wb->state, wb->nr_states, sizeof(*wb->state)))
        wb->state[wb->nr_states++] = (struct wb_state){ start, now, v, cpu, doing };
}

/* Paused goes first: whoever is paused does not sleep any less, but that is not what keeps him. */
static enum wb_doing doing_of(const struct vcpu *v)
{
    if (!v->is_initialised || v->is_running)
        return WB_NOTHING;
    if (v->domain->controller_pause_count)
        return WB_PAUSED;
    return vcpu_runnable(v) ? WB_WAITING : WB_SLEEPING;
}

static void vcpu_look(struct wb *wb, struct wb_vcpu *wv, enum wb_doing doing)
{
    if (doing == wv->doing)
        return;
    state_add(wb, wv->doing_since, wv, 0, wv->doing);
    wv->doing = doing;
    wv->doing_since = wb->machine.clock.now;
}

static void pcpu_look(struct wb *wb, unsigned int cpu, bool unplugged)
{
    s_time_t *since = &wb->unplugged_since[cpu];

    if (unplugged == (*since != 0))
        return;
    if (*since)
        state_add(wb, *since - 1, NULL, cpu, WB_UNPLUGGED);
    *since = unplugged ? wb->machine.clock.now + 1 : 0;
}

void wb_record(struct wb *wb)
{
    for (unsigned int c = 0; wb->max_spans && c < wb->xen.nr_pcpus; c++)
        span_look(wb, c, (struct wb_vcpu *)wb->xen.pcpu[c].curr);
    if (!wb->record_to)
        return;
    for (unsigned int c = 0; c < wb->xen.nr_pcpus; c++)
        pcpu_look(wb, c, !wb->xen.pcpu[c].sched);
    if (wb->nr_vcpus > WB_MAX_VCPU_ROWS)
        return;
    for (struct wb_domain *wd = wb->domains; wd; wd = wd->next)
        for (unsigned int i = 0; i < wd->d.max_vcpus; i++)
            vcpu_look(wb, wb_vcpu(wd, i), doing_of(wd->d.vcpu[i]));
}

void wb_record_end(struct wb *wb)
{
    for (unsigned int c = 0; c < wb->xen.nr_pcpus; c++) {
        if (wb->max_spans)
            span_look(wb, c, NULL);
        pcpu_look(wb, c, false);
    }
    for (struct wb_domain *wd = wb->domains; wd && wb->nr_vcpus <= WB_MAX_VCPU_ROWS; wd = wd->next)
        for (unsigned int i = 0; i < wd->d.max_vcpus; i++)
            vcpu_look(wb, wb_vcpu(wd, i), WB_NOTHING);
}
