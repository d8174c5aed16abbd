// SPDX-License-Identifier: GPL-2.0-or-later
/* A trace as a picture, what is kept: see ui/export/svg.h. */
#include "ui/export/svg.h"

#include <stdlib.h>
#include <string.h>

/* One more in an array that grows. NULL: no memory. */
static void *grow(struct svg *s, void *array, size_t nr, size_t *room, size_t size)
{
    void *all;

    if (nr < *room)
        return array;
    *room = *room ? 2 * *room : 64;
    all = realloc(array, *room * size);
    s->failed |= !all;
    return all;
}

static void change(struct svg *s, struct svg_lane *lane, struct svg_change c)
{
    const struct svg_change *last = lane->nr ? &lane->change[lane->nr - 1] : NULL;
    struct svg_change *all;

    if (last && last->state == c.state && last->who == c.who && c.state != SVG_XEN)
        return;
    all = grow(s, lane->change, lane->nr, &lane->room, sizeof(*all));
    if (!all)
        return;
    lane->change = all;
    all[lane->nr++] = c;
}

static uint8_t state_of_mode(uint8_t mode)
{
    switch (mode) {
    case TRACE_MODE_NATIVE: return SVG_NATIVE;
    case TRACE_MODE_KERNEL:
    case TRACE_MODE_HVM0: return SVG_KERNEL;
    case TRACE_MODE_XEN: return SVG_XEN;
    default: return SVG_USER;
    }
}

static uint8_t state_now(const struct svg_lane *lane)
{
    return lane->nr ? lane->change[lane->nr - 1].state : SVG_NOTHING;
}

/* What the hypervisor does is said with what it has just begun. */
static void because(struct svg_lane *lane, const char *why)
{
    if (state_now(lane) == SVG_XEN && why)
        lane->change[lane->nr - 1].why = why;
}

static void on_hypercall(struct svg_lane *lane, const struct trace_record *rec)
{
    const struct trace_names *subs = trace_subops(rec->arg[0]);
    const char *sub = subs && rec->arg[1] < subs->nr ? subs->name[rec->arg[1]] : NULL;

    because(lane, sub ? sub : trace_value_name(TRACE_TYPE_hypercall, rec->arg[0]));
}

static void on_runstate(struct svg *s, struct svg_lane *lane, s_time_t now, const struct trace_record *rec)
{
    static const uint8_t states[] = { SVG_XEN, SVG_RUNNABLE, SVG_BLOCKED, SVG_NOTHING };

    change(s, lane, (struct svg_change){ now, rec->arg[1] < 4 ? states[rec->arg[1]] : SVG_NOTHING, NULL, 0 });
}

static void on_pending(struct svg *s, struct svg_lane *lane, s_time_t now, const struct trace_record *rec)
{
    struct svg_send *all;

    if (!s->last.from || rec->arg[5] != s->flow)
        return;
    all = grow(s, s->send, s->nr_sends, &s->room_sends, sizeof(*all));
    if (!all)
        return;
    s->send = all;
    s->last.to = lane;
    s->last.arrived = now;
    s->last.port = rec->arg[0];
    all[s->nr_sends++] = s->last;
}

static void on_vcpu(struct svg *s, struct svg_lane *lane, s_time_t now, const struct trace_record *rec)
{
    /* Native code is left without exits. */
    if (rec->who.mode == TRACE_MODE_NATIVE && state_now(lane) != SVG_NATIVE)
        change(s, lane, (struct svg_change){ now, SVG_NATIVE, NULL, 0 });
    switch (rec->event) {
    case TRC_runstate: on_runstate(s, lane, now, rec); break;
    case TRC_exit:
        /* Before the first record it was what it is now. */
        if (!lane->nr)
            change(s, lane, (struct svg_change){ s->from, state_of_mode(rec->who.mode), NULL, 0 });
        change(s, lane, (struct svg_change){ now, SVG_XEN, NULL, 0 });
        because(lane, rec->arg[6] == TRACE_NONE ? NULL : trace_value_name(TRACE_TYPE_insn, rec->arg[6]));
        break;
    case TRC_resume: change(s, lane, (struct svg_change){ now, state_of_mode(rec->who.mode), NULL, 0 }); break;
    case TRC_hypercall: on_hypercall(lane, rec); break;
    case TRC_evtchn_send:
        s->last = (struct svg_send){ .from = lane, .sent = now };
        s->flow = rec->arg[5];
        break;
    case TRC_evtchn_pending: on_pending(s, lane, now, rec); break;
    default: break;
    }
}

static void on_switch(struct svg *s, s_time_t now, const struct trace_record *rec)
{
    struct svg_lane *lane = &s->pcpu[rec->pcpu];
    const uint64_t prev = rec->arg[0], next = rec->arg[1];

    if (!lane->nr && prev != TRACE_NONE)
        change(s, lane,
               (struct svg_change){ s->from, SVG_HELD, NULL, EXPORT_KEY(TRACE_VCPU_DOM(prev), TRACE_VCPU_NR(prev)) });
    if (next == TRACE_NONE)
        change(s, lane, (struct svg_change){ now, SVG_NOTHING, NULL, 0 });
    else
        change(s, lane,
               (struct svg_change){ now, SVG_HELD, NULL, EXPORT_KEY(TRACE_VCPU_DOM(next), TRACE_VCPU_NR(next)) });
}

/* --- the operations --- */

static void *svg_begin(FILE *out, const struct export_about *about)
{
    struct svg *s = calloc(1, sizeof(*s));

    if (!s)
        return NULL;
    s->out = out;
    s->about = about;
    s->vcpus.size = sizeof(struct svg_lane);
    return s;
}

/* Of what was before the picture begins it is kept what was so then. */
static void lane_cut(struct svg_lane *lane, s_time_t at)
{
    if (!lane->nr)
        return;
    lane->change[0] = lane->change[lane->nr - 1];
    lane->change[0].at = at;
    lane->nr = 1;
}

static void cut(struct svg *s, s_time_t at)
{
    for (size_t i = 0; i < s->vcpus.nr; i++)
        lane_cut((struct svg_lane *)s->vcpus.row[i], at);
    for (unsigned int i = 0; i < MACHINE_MAX_PCPUS; i++)
        lane_cut(&s->pcpu[i], at);
    s->nr_sends = 0;
    s->last.from = NULL;
    s->from = s->to = at;
}

static void take(struct svg *s, const struct trace_record *rec)
{
    const bool is_switch = rec->event == TRC_sched_switch;
    struct svg_lane *lane = NULL;
    s_time_t now;

    if (s->failed)
        return;
    if (rec->who.domain != TRACE_NO_DOMAIN && !is_switch) {
        lane = export_row(&s->vcpus, EXPORT_KEY(rec->who.domain, rec->who.vcpu));
        if (!lane)
            return;
    }
    now = export_time(&s->clocks, lane ? &lane->clock : NULL, rec);
    if (s->early && !s->before)
        cut(s, now);
    s->early = s->before;
    if (!s->begun || now < s->from)
        s->from = now;
    s->begun = true;
    if (now > s->to)
        s->to = now;
    if (is_switch)
        on_switch(s, now, rec);
    else if (lane)
        on_vcpu(s, lane, now, rec);
}

static void svg_record(void *state, const struct trace_record *rec)
{
    struct svg *s = state;

    s->before = false;
    take(s, rec);
}

static void svg_before(void *state, const struct trace_record *rec)
{
    struct svg *s = state;

    s->before = true;
    take(s, rec);
}

static bool svg_end(void *state)
{
    struct svg *s = state;
    const bool good = !s->failed && !s->vcpus.failed;

    if (s->early)
        cut(s, s->to);
    if (good)
        svg_draw(s);
    for (size_t i = 0; i < s->vcpus.nr; i++)
        free(((struct svg_lane *)s->vcpus.row[i])->change);
    for (unsigned int i = 0; i < MACHINE_MAX_PCPUS; i++)
        free(s->pcpu[i].change);
    export_rows_free(&s->vcpus);
    free(s->send);
    free(s);
    return good;
}

const struct export_format export_svg = {
    .name = "svg",
    .help = "a picture: who ran where, in which mode, events as arrows",
    .is_text = true,
    .begin = svg_begin,
    .record = svg_record,
    .before = svg_before,
    .end = svg_end,
};
