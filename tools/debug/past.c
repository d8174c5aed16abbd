// SPDX-License-Identifier: GPL-2.0-or-later
/* Asking the past, see tools/debug/past.h. */
#include "tools/debug/past.h"

#include "tools/debug/sentence.h"

#include <string.h>

struct past_question past_ask(const struct debugger *d) { return (struct past_question){ *d, debugger_here(d) }; }

enum debug_result past_answered(struct debugger *d, const struct past_question *q, enum debug_result r)
{
    static const bool never;
    char err[REWIND_ERR_SIZE];

    memcpy(err, d->err, sizeof(err));
    *d = q->was;
    rewind_goto(d->rw, q->here, &never, d->err);
    memcpy(d->err, err, sizeof(err));
    return r == DEBUG_BEGIN || r == DEBUG_END ? DEBUG_THERE : r;
}

enum debug_result past_events(struct debugger *d, struct position from, struct position to,
                              void (*sink)(void *data, const struct trace_record *rec), void *data)
{
    const struct run_limit l = { .until = STIME_MAX, .at = to, .stop = d->interrupt };
    enum debug_result r = debugger_goto(d, from);

    if (r != DEBUG_THERE)
        return r;
    host_trace(d->host, sink, data);
    rewind_run(d->rw, &l);
    host_trace(d->host, NULL, NULL);
    return *d->interrupt ? DEBUG_INTERRUPTED : DEBUG_THERE;
}

static void match_event(void *data, const struct trace_record *rec)
{
    struct past_match *m = data;

    if (!m->match(m->data, rec))
        return;
    m->found = true;
    memcpy(&m->rec, rec, trace_record_size(rec));
}

enum debug_result past_match_step(struct debugger *d, struct position at, struct past_match *m)
{
    if (!at.step || !position_is_before(rewind_first(d->rw), at))
        return DEBUG_THERE;
    return past_events(d, (struct position){ at.insns, at.step - 1 }, at, match_event, m);
}

enum debug_result past_last_event(struct debugger *d, debug_match *match, void *data, struct trace_record *rec)
{
    struct seek s = { .d = d, .origin = debugger_here(d), .backward = true, .match = match, .data = data };
    struct past_match m = { .match = match, .data = data };
    enum debug_result r = DEBUG_THERE;

    if (d->at_event)
        for (unsigned int i = 0; i <= d->ord && i < d->nr_step; i++)
            match_event(&m, &d->step[i]);
    else
        r = past_match_step(d, s.origin, &m);
    if (r == DEBUG_THERE && !m.found) {
        r = seek_go(&s);
        if (r == DEBUG_THERE)
            r = past_match_step(d, debugger_here(d), &m);
    }
    *rec = m.rec;
    return r == DEBUG_THERE && !m.found ? DEBUG_BEGIN : r;
}

static bool begins(const struct trace_record *rec)
{
    return rec->event == TRC_exit || (rec->event == TRC_hypercall && record_field(rec, "via") == TRACE_VIA_NATIVE);
}

static bool ends(const struct trace_record *rec, const struct trace_record *begin)
{
    if (begin->event == TRC_hypercall)
        return rec->event == TRC_hypercall_ret;
    return rec->event == TRC_resume || (rec->event == TRC_runstate && record_field(rec, "new") &&
                                        rec->who.domain == begin->who.domain && rec->who.vcpu == begin->who.vcpu);
}

bool past_is_said(const struct trace_record *rec)
{
    switch (rec->event) {
    case TRC_sched_switch:
    case TRC_timer_set:
    case TRC_timer_fire:
    case TRC_tlb:
    case TRC_console:
    case TRC_ring: return false;
    case TRC_runstate: return record_field(rec, "new") > 1;
    default: return true;
    }
}

static void episode_event(void *data, const struct trace_record *rec)
{
    struct past_episode *e = data;
    const bool is_it = is_at(rec->at, e->of->at) && rec->event == e->of->event &&
                       !memcmp(rec->arg, e->of->arg, rec->nr_words * sizeof(rec->arg[0]));

    if (rec->pcpu != e->of->pcpu)
        return;
    if (begins(rec) && !e->seen) {
        e->within = true;
        e->nr = 0;
    }
    if (((e->within && past_is_said(rec)) || is_it) && e->nr < PAST_EPISODE)
        memcpy(&e->rec[e->nr++], rec, trace_record_size(rec));
    e->seen |= is_it;
    e->within &= !ends(rec, &e->rec[0]);
}

enum debug_result past_episode(struct debugger *d, const struct trace_record *of, struct past_episode *e)
{
    /* From in front of the last instruction before it to behind the next one. */
    const struct position front = { of->at.insns ? of->at.insns - 1 : 0, of->at.insns ? UINT64_MAX : 0 };
    const struct position all_of_it = { of->at.insns + 1, 0 }, end = d->rw->end, begin = rewind_first(d->rw);

    *e = (struct past_episode){ .of = of };
    return past_events(d, position_is_before(front, begin) ? begin : front,
                       position_is_before(end, all_of_it) ? end : all_of_it, episode_event, e);
}
