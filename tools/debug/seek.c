// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The one search, see tools/debug/seek.h.
 *
 * Budget: what is noticed and how the machine is run that it can be are one thing.
 */
#include "tools/debug/seek.h"

#include "sim/insn.h"
#include "sim/observe.h"
#include "vcpu/noun/domain.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Virtual time, of which the host needs a few times as much at most: how often somebody looks for Ctrl-C, */
#define BREATH MILLISECS(1)
/* and how long a guest is watched that waits for input. */
#define LOOK_EVERY MILLISECS(10)
#define LOOKS      10

/* ---------------------------------------------------------------------------------------------------------- hits -- */

static void note(struct seek *s, const struct debug_hit *h)
{
    const struct position at = s->backward ? h->before : h->after;

    const bool led_here = s->backward && s->origin_too && h->is_event && !h->stop && is_at(at, s->origin);

    if (s->backward ? !position_is_before(at, s->origin) && !led_here : !position_is_before(s->origin, at))
        return;
    if (s->nr && position_is_before(at, s->found_at))
        return;
    if (!is_at(at, s->found_at))
        s->nr = 0;
    s->found_at = at;
    for (unsigned int i = 0; i < s->nr; i++)
        if (s->hits[i].stop == h->stop)
            return;
    if (s->nr < DEBUG_HITS)
        s->hits[s->nr++] = *h;
    s->stop |= !s->backward;
}

/* What must hold besides a stop's own condition, of an event or of a vCPU. */
static bool besides(const struct seek *s, const struct trace_record *rec, const struct vcpu *v)
{
    struct condition *c = s->d->besides;
    struct expr_value value;

    if (!c)
        return true;
    if (rec)
        return condition_holds(c, rec);
    return v && condition_value(c, v->domain->domain_id, v->vcpu_id, NULL, &value) && value.u;
}

static void note_event(struct seek *s, const struct debug_stop *stop, const struct trace_record *rec)
{
    struct debug_hit h = { .stop = stop, .before = s->at, .after = s->at, .is_event = true, .ord = s->nr_step - 1 };

    memcpy(&h.event, rec, trace_record_size(rec));
    note(s, &h);
}

static void on_event(void *data, const struct trace_record *rec)
{
    struct seek *s = data;
    struct debugger *d = s->d;

    if (!is_at(debugger_here(d), s->at)) {
        s->at = debugger_here(d);
        s->nr_step = 0;
    }
    if (s->nr_step < DEBUG_STEP_EVENTS)
        memcpy(&s->step[s->nr_step++], rec, trace_record_size(rec));
    s->stop |= *d->interrupt;
    if (s->match && s->match(s->data, rec))
        note_event(s, NULL, rec);
    for (size_t i = 0; i < d->stops.nr; i++) {
        struct debug_stop *stop = d->stops.list[i];
        const bool log = stop->kind == DEBUG_LOG && !s->backward && d->log;

        if (stop->event != rec->event || !(log || (stop->kind == DEBUG_TRACE && s->stops)) || !stop_holds(stop, rec))
            continue;
        if (log)
            d->log(d->log_data, stop, rec);
        else if (besides(s, rec, NULL))
            note_event(s, stop, rec);
    }
}

/* The machine is in front of an instruction at which something of what is looked for may be. */
static void note_code(struct seek *s)
{
    const struct vcpu *v = debug_loop(s->d)->v;
    struct debug_hit h = { .before = debugger_here(s->d),
                           .after = debugger_here(s->d),
                           .by = { false, v->domain->domain_id, v->vcpu_id, insn_linear_rip(v->regs) } };

    for (size_t i = 0; i < s->nr_code; i++)
        if (s->code[i].addr == h.by.rip && s->is_code(s->data, &s->code[i], v))
            note(s, &h);
    for (size_t i = 0; s->stops && i < s->d->stops.nr; i++)
        if (stop_is_at(s->d->stops.list[i], v) && besides(s, NULL, v)) {
            h.stop = s->d->stops.list[i];
            note(s, &h);
        }
}

/* --------------------------------------------------------------------------------------------------- being told -- */

/* From now on, or from now on not. False: no memory. */
static bool tell_of_code(struct seek *s, bool on)
{
    uint64_t *addr = calloc(s->nr_code + s->d->stops.nr + 1, sizeof(*addr));
    size_t n = 0;
    int rc;

    for (size_t i = 0; addr && i < s->nr_code; i++)
        addr[n++] = s->code[i].addr;
    for (size_t i = 0; addr && s->stops && i < s->d->stops.nr; i++)
        if (s->d->stops.list[i]->kind == DEBUG_BREAK)
            addr[n++] = s->d->stops.list[i]->addr;
    rc = addr ? machine_break_set(s->d->rw->m, addr, on ? n : 0) : -1;
    free(addr);
    return rc == 0;
}

static bool tell(struct seek *s)
{
    struct debugger *d = s->d;

    s->watches = s->stops && stops_have(&d->stops, DEBUG_WATCH);
    s->at = debugger_here(d);
    s->nr_step = 0;
    if (s->match || (s->stops && stops_have(&d->stops, DEBUG_TRACE)) || stops_have(&d->stops, DEBUG_LOG))
        host_trace(d->host, on_event, s);
    if (s->watches)
        watches_begin(&d->stops);
    return tell_of_code(s, true) && (!s->watches || watches_arm(&d->stops));
}

static void tell_no_more(struct seek *s)
{
    host_trace(s->d->host, NULL, NULL);
    tell_of_code(s, false);
    if (s->watches)
        machine_watch_set(s->d->rw->m, NULL, 0);
}

/* ------------------------------------------------------------------------------------------------------- watches -- */

/* What is being looked at: a step of the hypervisor, or an instruction, which began at `before`. */
struct looking {
    struct seek *s;
    struct position before;
    const struct vcpu *v; /* NULL: nobody */
};

static void note_access(void *data, struct debug_stop *stop, struct debug_hit *hit)
{
    const struct looking *l = data;

    hit->before = l->before;
    hit->after = debugger_here(l->s->d);
    if (stop_holds_of(stop, l->v) && besides(l->s, NULL, l->v))
        note(l->s, hit);
}

/* For whom the next step works: who has come out, a native domain; in between turns for nobody yet. */
static struct debug_by step_by(const struct seek *s)
{
    const struct run_state *r = debug_loop(s->d);
    const struct vcpu *v = r->phase == RUN_EXIT || r->phase == RUN_NATIVE ? r->v : NULL;

    return (struct debug_by){ true, v ? v->domain->domain_id : DOMID_INVALID, v ? v->vcpu_id : 0, 0 };
}

/* Behind a step of the hypervisor. False: no memory. */
static bool look_at_step(struct seek *s, struct debug_by by)
{
    const struct run_state *r = debug_loop(s->d);
    const struct domain *d = by.dom < DOMID_FIRST_RESERVED ? host_xen(s->d->host)->domain_of[by.dom] : NULL;
    const struct vcpu *v = d ? d->vcpu[by.vcpu] : by.dom == DOMID_INVALID && r->phase != RUN_TURN ? r->v : NULL;
    const struct position at = debugger_here(s->d);
    struct looking l = { s, { at.insns, at.step ? at.step - 1 : 0 }, v };

    if (v && by.dom == DOMID_INVALID) { /* whose turn it is now */
        by.dom = v->domain->domain_id;
        by.vcpu = v->vcpu_id;
    }
    watches_look(&s->d->stops, &by, note_access, &l);
    return !watches_find(&s->d->stops) || watches_arm(&s->d->stops);
}

/*
 * Over the instruction that the machine is in front of, for the reason `hit`, with a look at all that it accesses: the
 * engine tells of the first access that is watched, and so that it tells of the next one, the first is not any more.
 */
static bool look_at_insn(struct seek *s, struct sim_exit hit)
{
    struct debugger *d = s->d;
    const struct vcpu *v = debug_loop(d)->v;
    const struct position here = debugger_here(d);
    struct looking l = { s, here, v };
    const struct debug_by by = { false, v->domain->domain_id, v->vcpu_id, insn_linear_rip(v->regs) };
    bool armed = true, fine = true;
    enum run_result r;

    do {
        const bool told = hit.stop.why == STOP_WATCH && watches_told(&d->stops, &hit);
        const bool again = watches_left(&d->stops) && (told || hit.stop.why == STOP_BREAK);
        const struct run_limit limit = { .until = STIME_MAX,
                                         .at = { here.insns + 1, 0 },
                                         .stop = &(const bool){ false },
                                         .each_step = true,
                                         .hit = &hit,
                                         .resume = !again,
                                         .resume_break = true };

        if (again && told) {
            fine &= watches_arm(&d->stops);
            armed = false;
        }
        r = rewind_run(d->rw, &limit);
    } while (r == RUN_BREAK && fine);
    if (debugger_here(d).insns == here.insns) /* it was not completed */
        watches_forget(&d->stops);
    watches_look(&d->stops, &by, note_access, &l);
    return fine && (armed || watches_arm(&d->stops));
}

/* ------------------------------------------------------------------------------------------------------- running -- */

/* Those outside are heard. Backward all that is run is known. */
static bool is_heard(const struct seek *s)
{
    const struct debugger *d = s->d;

    return d->outside.hear && !s->backward && !s->stop && rewind_is_live(d->rw) && !rewind_expects(d->rw);
}

static bool hear(struct seek *s, bool idle) { return is_heard(s) && s->d->outside.hear(s->d->outside.data, idle); }

static bool outside_talks(const struct seek *s) { return is_heard(s) && s->d->outside.talks(s->d->outside.data); }

/* Somebody would read what is typed. */
static bool input_is_wanted(const struct debugger *d)
{
    for (unsigned int i = 0; i < host_guests_left(d->host) + 1; i++)
        if (host_console_wants_input(d->host, i))
            return true;
    return false;
}

/* How the run goes on. */
struct leg {
    s_time_t breath; /* it ends here, */
    s_time_t until;  /* and here it is looked at what has become of it */
    s_time_t busy;
    struct position from;
    unsigned int waits;
    bool resume;
    bool failed;
};

static enum run_result leg_run(struct seek *s, struct leg *leg, struct position to)
{
    struct debugger *d = s->d;
    struct sim_exit hit;
    const struct run_limit l = { .until = leg->breath < d->limit ? leg->breath : d->limit,
                                 .at = to,
                                 .stop = &s->stop,
                                 .each_step = s->watches,
                                 .hit = &hit,
                                 .resume = leg->resume };
    const struct debug_by by = step_by(s);
    const enum run_result r = rewind_run(d->rw, &l);

    leg->resume = false;
    if (r != RUN_BREAK) {
        leg->failed = s->watches && !look_at_step(s, by);
        return r;
    }
    if (!position_is_before(debugger_here(d), to))
        return RUN_AT;
    if (hit.stop.why == STOP_BREAK)
        note_code(s);
    if (s->watches && !s->stop)
        leg->failed = !look_at_insn(s, hit);
    else
        leg->resume = true;
    return r;
}

static s_time_t later(s_time_t t, s_time_t now, s_time_t by) { return (now > t ? now : t) + by; }

/*
 * Time is up. A guest that waits for a key is not idle for ever: it looks at the time now and then. So it is watched
 * for a while whether there is more. It may only sleep: who goes on from there comes to where it wakes up, and who has
 * named a time waits for it.
 */
static enum debug_result time_over(struct seek *s, struct leg *leg)
{
    struct debugger *d = s->d;
    const s_time_t now = host_now(d->host);

    if (leg->breath >= d->limit)
        return DEBUG_LIMIT;
    leg->breath = later(leg->breath, now, BREATH);
    if (leg->breath <= leg->until)
        return DEBUG_THERE;
    leg->waits = host_busy(d->host) - leg->busy < LOOK_EVERY / 20 && input_is_wanted(d) && !s->patient &&
                         !outside_talks(s) && !is_at(debugger_here(d), leg->from)
                     ? leg->waits + 1
                     : 0;
    leg->busy = host_busy(d->host);
    leg->until = later(leg->until, now, LOOK_EVERY);
    return leg->waits == LOOKS && rewind_is_live(d->rw) && !rewind_expects(d->rw) ? DEBUG_INPUT : DEBUG_THERE;
}

static enum debug_result no_memory(struct debugger *d)
{
    snprintf(d->err, sizeof(d->err), "out of memory");
    return DEBUG_ERROR;
}

/* DEBUG_THERE: *over says whether it is. */
static enum debug_result leg_came_to(struct seek *s, struct leg *leg, enum run_result r, bool *over)
{
    struct debugger *d = s->d;

    *over = true;
    if (d->rw->err[0]) {
        memcpy(d->err, d->rw->err, sizeof(d->err));
        return DEBUG_ERROR;
    }
    if (*d->interrupt)
        return DEBUG_INTERRUPTED;
    if (leg->failed)
        return no_memory(d);
    if (s->stop || r == RUN_AT)
        return DEBUG_THERE;
    if (r == RUN_STOP || (r == RUN_IDLE && !hear(s, true)))
        return DEBUG_END;
    *over = false;
    if (r == RUN_UNTIL)
        hear(s, false);
    return r == RUN_UNTIL ? time_over(s, leg) : DEBUG_THERE;
}

enum debug_result seek_run(struct seek *s, struct position to)
{
    struct debugger *d = s->d;
    const s_time_t now = host_now(d->host);
    struct leg leg = {
        .breath = now + BREATH, .until = now + LOOK_EVERY, .busy = host_busy(d->host), .from = debugger_here(d)
    };
    enum debug_result r = tell(s) ? DEBUG_THERE : no_memory(d);
    bool over = false;

    hear(s, false);
    while (r == DEBUG_THERE && !over) {
        const enum run_result came_to = leg_run(s, &leg, to);

        r = leg_came_to(s, &leg, came_to, &over);
    }
    tell_no_more(s);
    return r;
}

/* ---------------------------------------------------------------------------------------------------- both ways -- */

/* The machine stands where the hits are. */
static void there(struct seek *s)
{
    struct debugger *d = s->d;

    d->nr_hits = s->nr;
    memcpy(d->hits, s->hits, s->nr * sizeof(s->hits[0]));
    for (unsigned int i = s->nr; i-- > 0;)
        if (s->hits[i].is_event) {
            d->at_event = true;
            d->event = s->hits[i].event;
            d->ord = s->hits[i].ord;
        }
    d->nr_step = d->at_event ? s->nr_step : 0;
    memcpy(d->step, s->step, d->nr_step * sizeof(s->step[0]));
}

static enum debug_result forward(struct seek *s)
{
    enum debug_result r = seek_run(s, FAR);

    s->d->at_event = false;
    if (r != DEBUG_THERE && r != DEBUG_LIMIT)
        return r;
    /* Behind the one thing, and in front of the other; who goes on from where time was up is behind both. */
    if (debug_loop(s->d)->phase == RUN_GUEST)
        note_code(s);
    if (r == DEBUG_LIMIT && !s->nr)
        return r;
    there(s);
    return DEBUG_THERE;
}

/* In front of the step that ended at `at`. An exit is a step that may come with an instruction, and begins with it. */
static struct position step_began(struct position at)
{
    if (at.step > 1 || !at.insns)
        return (struct position){ at.insns, at.step ? at.step - 1 : 0 };
    return (struct position){ at.insns - 1, UINT64_MAX };
}

static bool nothing(void *data, const struct trace_record *rec) { return false; }

static bool has_event(const struct seek *s)
{
    for (unsigned int i = 0; i < s->nr; i++)
        if (s->hits[i].is_event)
            return true;
    return false;
}

/* The machine goes to what was found; what else the step before it has done is remembered. */
static enum debug_result arrive(struct seek *s)
{
    const struct position before = step_began(s->found_at);
    struct seek again = { .d = s->d, .backward = true, .match = nothing };
    enum debug_result r = debug_visit(s->d, has_event(s) ? before : s->found_at);

    if (r == DEBUG_THERE && has_event(s)) {
        r = seek_run(&again, s->found_at);
        memcpy(s->step, again.step, again.nr_step * sizeof(again.step[0]));
        s->nr_step = again.nr_step;
    }
    if (r == DEBUG_THERE || r == DEBUG_END) {
        there(s);
        r = DEBUG_THERE;
    }
    return r;
}

/* The checkpoint where the stretch begins that ends at `to`, or HISTORY_NONE: history does not know it. */
static size_t stretch_before(const struct debugger *d, struct position to)
{
    const size_t i = history_find(d->rw->history, to);

    return i != HISTORY_NONE && is_at(history_info(d->rw->history, i).at, to) ? (i ? i - 1 : HISTORY_NONE) : i;
}

/*
 * Nobody has stored to what is watched behind checkpoint i, up to the next one. So it is only known of memory that is
 * watched by the machine's addresses, which always name the same.
 */
static bool is_untouched(const struct debugger *d, const struct debug_stop *stop, size_t i)
{
    if (stop->kind == DEBUG_LOG)
        return true;
    if (stop->kind != DEBUG_WATCH || stop->access == DEBUG_READ || stop->space != LOOK_MACHINE)
        return false;
    for (unsigned int n = 0; n < stop->nr_pieces; n++)
        if (checkpoint_frame_stored(d->rw->history, i, _mfn(PFN_DOWN(stop->pieces[n].addr))))
            return false;
    return true;
}

static bool has_nothing(const struct seek *s, size_t i)
{
    for (size_t n = 0; n < s->d->stops.nr; n++)
        if (!is_untouched(s->d, s->d->stops.list[n], i))
            return false;
    return s->stops && !s->match && !s->nr_code;
}

static enum debug_result backward(struct seek *s)
{
    struct position to = s->origin;
    enum debug_result r = DEBUG_THERE;
    size_t i;

    while (r == DEBUG_THERE && !s->nr && (i = stretch_before(s->d, to)) != HISTORY_NONE) {
        const struct position from = history_info(s->d->rw->history, i).at;

        if (!has_nothing(s, i)) {
            r = debug_visit(s->d, from);
            if (r == DEBUG_THERE)
                r = seek_run(s, to);
            if (r == DEBUG_END || r == DEBUG_LIMIT)
                r = DEBUG_THERE;
        }
        to = from;
    }
    if (r != DEBUG_THERE)
        return r;
    return s->nr ? arrive(s) : DEBUG_BEGIN;
}

enum debug_result seek_go(struct seek *s) { return seek_go_from(s, debugger_here(s->d)); }

enum debug_result seek_go_from(struct seek *s, struct position from)
{
    const struct debug_origin origin = debug_origin(s->d);

    s->origin = from;
    s->d->nr_hits = 0;
    return left_off(s->d, &origin, s->backward ? backward(s) : forward(s));
}
