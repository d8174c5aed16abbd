// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Moving through a run, see tools/debug/debugger.h.
 *
 * Budget: each kind of move has its forward and its backward form, side by side.
 */
#include "tools/debug/debugger.h"

#include "sim/observe.h"
#include "vcpu/noun/domain.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* How long a guest is watched that waits for input, in virtual time. */
#define LOOK_EVERY MILLISECS(10)
#define LOOKS      10

#define FAR ((struct position){ .insns = UINT64_MAX })

void debugger_begin(struct debugger *d, struct rewind *rw, const bool *interrupt)
{
    *d = (struct debugger){
        .rw = rw, .host = rw->host, .interrupt = interrupt, .limit = STIME_MAX, .bound = FAR, .dom = 1
    };
}

static bool is_at(struct position a, struct position b) { return a.insns == b.insns && a.step == b.step; }

static const struct run_state *loop_of(const struct debugger *d) { return &host_xen(d->host)->run; }

static struct vcpu *vcpu_of(const struct debugger *d)
{
    const struct domain *dom = d->dom < DOMID_FIRST_RESERVED ? host_xen(d->host)->domain_of[d->dom] : NULL;

    return dom && d->vcpu < dom->max_vcpus ? dom->vcpu[d->vcpu] : NULL;
}

/* The run is over for now, or it is broken, or somebody has had enough. */
static enum debug_result stopped(struct debugger *d, enum run_result r)
{
    if (d->rw->err[0]) {
        memcpy(d->err, d->rw->err, sizeof(d->err));
        return DEBUG_ERROR;
    }
    if (*d->interrupt)
        return DEBUG_INTERRUPTED;
    return r == RUN_IDLE || r == RUN_STOP ? DEBUG_END : DEBUG_THERE;
}

/* Run to a position, or to where *stop is set. */
static enum debug_result run_to(struct debugger *d, struct position at, const bool *stop)
{
    const struct run_limit l = { .until = STIME_MAX,
                                 .at = position_is_before(d->bound, at) ? d->bound : at,
                                 .stop = stop };
    const enum run_result r = rewind_run(d->rw, &l);

    return *stop && r == RUN_STOP && stop != d->interrupt ? stopped(d, RUN_AT) : stopped(d, r);
}

/* Back to where it was; no interrupt counts on this way. */
static void go_back(struct debugger *d, struct position origin)
{
    static const bool never;
    char err[REWIND_ERR_SIZE];

    rewind_goto(d->rw, origin, &never, err);
}

/* A command that finds nothing leaves everything as it was before it. */
static enum debug_result left_off(struct debugger *d, bool was_at_event, struct position origin, enum debug_result r)
{
    if (r == DEBUG_INTERRUPTED || r == DEBUG_BEGIN) {
        go_back(d, origin);
        d->at_event = was_at_event;
    }
    return r;
}

/* Of the breakpoints at this address, the one that is meant for the domain that runs. */
static const struct debug_break *break_here(const struct debugger *d)
{
    const struct vcpu *v = loop_of(d)->v;

    for (size_t i = 0; i < d->nr_breaks; i++)
        if (d->breaks[i].dom == v->domain->domain_id && d->breaks[i].addr == v->regs->rip)
            return &d->breaks[i];
    return NULL;
}

/* Somebody would read what is typed. */
static bool input_is_wanted(const struct debugger *d)
{
    for (unsigned int i = 0; i < host_guests_left(d->host) + 1; i++)
        if (host_console_wants_input(d->host, i))
            return true;
    return false;
}

/*
 * On, to a position, as far as the run can go by itself, or to where *stop is set. A guest that waits for a key is not
 * idle for ever: it looks at the time now and then. So it is watched for a while whether there is more.
 */
static enum debug_result run_on(struct debugger *d, struct position at, const bool *stop)
{
    s_time_t until = host_now(d->host), busy = host_busy(d->host);
    unsigned int waits = 0;
    struct sim_exit hit;
    bool resume = true;

    for (;;) {
        const s_time_t now = host_now(d->host);
        struct run_limit l = { .at = at, .stop = stop, .hit = &hit, .resume = resume };
        enum run_result r;

        until = (now > until ? now : until) + LOOK_EVERY;
        l.until = until < d->limit ? until : d->limit;
        r = rewind_run(d->rw, &l);
        resume = r == RUN_BREAK;
        if (resume && !break_here(d))
            continue;
        if (r != RUN_UNTIL)
            return *stop && stop != d->interrupt ? stopped(d, RUN_AT) : stopped(d, r);
        if (l.until == d->limit)
            return DEBUG_LIMIT;
        waits = host_busy(d->host) - busy < LOOK_EVERY / 20 && input_is_wanted(d) ? waits + 1 : 0;
        busy = host_busy(d->host);
        if (waits == LOOKS && rewind_is_live(d->rw) && !rewind_expects(d->rw))
            return DEBUG_INPUT;
    }
}

/* What was wanted lies beyond the end: the machine goes back, and the run is longer by what it took to see that. */
static enum debug_result too_far(struct debugger *d, struct position origin)
{
    const struct position end = d->rw->end;

    snprintf(d->err, sizeof(d->err), "the run comes to #%llu.%llu, and does not go on from there by itself",
             (unsigned long long)end.insns, (unsigned long long)end.step);
    go_back(d, origin);
    return DEBUG_ERROR;
}

static bool is_end(enum debug_result r) { return r == DEBUG_END || r == DEBUG_INPUT || r == DEBUG_LIMIT; }

enum debug_result debugger_goto(struct debugger *d, struct position at)
{
    const struct position origin = debugger_here(d), end = d->rw->end;
    const bool was_at_event = d->at_event, beyond = position_is_before(end, at);
    enum debug_result r;

    if (rewind_goto(d->rw, beyond ? end : at, d->interrupt, d->err))
        return DEBUG_ERROR;
    d->at_event = false;
    r = beyond ? run_on(d, at, d->interrupt) : stopped(d, RUN_AT);
    return is_end(r) ? too_far(d, origin) : left_off(d, was_at_event, origin, r);
}

/* The last checkpoint before time t, or the first of all. */
static size_t checkpoint_before(const struct debugger *d, s_time_t t)
{
    size_t i = history_nr(d->rw->history);

    while (i > 1 && history_info(d->rw->history, i - 1).now >= t)
        i--;
    return i - 1;
}

enum debug_result debugger_goto_time(struct debugger *d, s_time_t t)
{
    const struct position origin = debugger_here(d);
    const s_time_t limit = d->limit;
    const bool was_at_event = d->at_event;
    enum debug_result r = debugger_goto(d, history_info(d->rw->history, checkpoint_before(d, t)).at);

    if (r == DEBUG_THERE && host_now(d->host) < t) {
        d->limit = t < limit ? t : limit;
        r = run_on(d, FAR, d->interrupt);
        d->limit = limit;
        if ((r == DEBUG_LIMIT && t <= limit) || (is_end(r) && host_now(d->host) >= t))
            r = DEBUG_THERE;
    }
    return is_end(r) ? too_far(d, origin) : left_off(d, was_at_event, origin, r);
}

/* ----------------------------------------------------------------------------------------------------- stepping -- */

/* Is v about to execute an instruction? */
static bool is_about(const struct debugger *d, const struct vcpu *v)
{
    return loop_of(d)->phase == RUN_GUEST && loop_of(d)->v == v;
}

/* A step of the hypervisor, or the rest of what another vCPU may execute before the next one. */
static enum debug_result others_step(struct debugger *d)
{
    struct position at = debugger_here(d);

    if (loop_of(d)->phase == RUN_GUEST)
        at = (struct position){ at.insns + (loop_of(d)->left ?: 1), 0 };
    else
        at.step++;
    return run_to(d, at, d->interrupt);
}

/* The vCPU is about to execute. One instruction; it may be left for something else instead. */
static enum debug_result insn_step(struct debugger *d)
{
    return run_to(d, (struct position){ debugger_here(d).insns + 1, 0 }, d->interrupt);
}

/* On to where v is about to execute an instruction, or has come to a rest behind one. */
static enum debug_result step_on(struct debugger *d, struct vcpu *v)
{
    enum debug_result r = DEBUG_THERE;

    while (r == DEBUG_THERE && !is_about(d, v) && position_is_before(debugger_here(d), d->bound))
        r = others_step(d);
    return r;
}

static enum debug_result step_once(struct debugger *d)
{
    struct vcpu *v = vcpu_of(d);
    enum debug_result r;

    if (!v || !v->regs) {
        snprintf(d->err, sizeof(d->err), "d%uv%u has no instructions to step through", d->dom, d->vcpu);
        return DEBUG_ERROR;
    }
    r = step_on(d, v);
    if (r == DEBUG_THERE)
        r = insn_step(d);
    /* It may have come out: then what it came out for is a part of it, a hypercall for instance. */
    if (r == DEBUG_THERE && loop_of(d)->phase == RUN_EXIT)
        r = step_on(d, v);
    return r;
}

enum debug_result debugger_step(struct debugger *d)
{
    const struct position origin = debugger_here(d);
    const bool was_at_event = d->at_event;

    d->at_event = false;
    return left_off(d, was_at_event, origin, step_once(d));
}

/* The last place before `origin` at which step_once() stops, from where the machine is on. False: there is none. */
static enum debug_result last_step_before(struct debugger *d, struct position origin, struct position *last)
{
    enum debug_result r;

    d->bound = origin;
    r = step_on(d, vcpu_of(d));
    while (r == DEBUG_THERE && position_is_before(debugger_here(d), origin)) {
        *last = debugger_here(d);
        r = step_once(d);
    }
    d->bound = FAR;
    return r == DEBUG_END ? DEBUG_THERE : r;
}

enum debug_result debugger_reverse_step(struct debugger *d)
{
    const struct position origin = debugger_here(d);
    const bool was_at_event = d->at_event;
    const struct vcpu *v = vcpu_of(d);
    struct position last = origin, front;
    enum debug_result r;

    /* In front of its last instruction; of a vCPU that is not there any more, of anybody's. */
    front.insns = v && v->regs ? v->insns_at : origin.insns;
    front.step = UINT64_MAX;
    if (!front.insns-- || position_is_before(front, rewind_first(d->rw)))
        return DEBUG_BEGIN;
    r = debugger_goto(d, front);
    if (r == DEBUG_THERE && !v)
        return r;
    /* What it has come out for since is nearer. */
    if (r == DEBUG_THERE)
        r = last_step_before(d, origin, &last);
    if (r == DEBUG_THERE && is_at(last, origin))
        r = DEBUG_BEGIN;
    if (r == DEBUG_THERE)
        r = debugger_goto(d, last);
    return left_off(d, was_at_event, origin, r);
}

/* -------------------------------------------------------------------------------------------------------- events -- */

struct search {
    struct debugger *d;
    debug_match *match;
    void *data;
    struct position before; /* backward: only what is before that */
    bool backward, stop;
    /* the step that is being done, or was */
    struct position at;
    unsigned int nr;
    struct trace_record step[DEBUG_STEP_EVENTS];
    /* what was found */
    bool found;
    struct position found_at;
    struct trace_record event;
    unsigned int ord;
};

static void search_sink(void *data, const struct trace_record *rec)
{
    struct search *s = data;
    const struct position at = debugger_here(s->d);

    if (!is_at(at, s->at)) {
        s->at = at;
        s->nr = 0;
    }
    if (s->nr < DEBUG_STEP_EVENTS)
        s->step[s->nr++] = *rec;
    if (*s->d->interrupt)
        s->stop = true;
    if ((s->backward ? !position_is_before(at, s->before) : s->found) || !s->match(s->data, rec))
        return;
    s->found = true;
    s->found_at = at;
    s->event = *rec;
    s->ord = s->nr - 1;
    s->stop = !s->backward;
}

/* From here on, to a position. */
static enum debug_result search_run(struct search *s, struct position to)
{
    enum debug_result r;

    host_trace(s->d->host, search_sink, s);
    r = s->backward ? run_to(s->d, to, &s->stop) : run_on(s->d, to, &s->stop);
    host_trace(s->d->host, NULL, NULL);
    return *s->d->interrupt ? DEBUG_INTERRUPTED : r;
}

/* The machine stands behind the step that the search was last in. */
static void stop_at(struct debugger *d, const struct trace_record *event, unsigned int ord)
{
    d->at_event = true;
    d->event = *event;
    d->ord = ord;
}

static void keep_step(struct debugger *d, const struct search *s)
{
    memcpy(d->step, s->step, s->nr * sizeof(s->step[0]));
    d->nr_step = s->nr;
}

enum debug_result debugger_next_event(struct debugger *d, debug_match *match, void *data)
{
    const struct position origin = debugger_here(d);
    const bool was_at_event = d->at_event;
    struct search s = { .d = d, .match = match, .data = data, .at = origin };
    enum debug_result r;

    for (unsigned int i = d->ord + 1; d->at_event && i < d->nr_step; i++)
        if (match(data, &d->step[i])) {
            stop_at(d, &d->step[i], i);
            return DEBUG_THERE;
        }
    r = search_run(&s, FAR);
    if (r == DEBUG_THERE && s.found) {
        keep_step(d, &s);
        stop_at(d, &s.event, s.ord);
    } else {
        d->at_event = false;
    }
    return left_off(d, was_at_event, origin, r);
}

/* The last match between checkpoint i and the search's limit. */
static enum debug_result search_stretch(struct search *s, size_t i, struct position to)
{
    enum debug_result r = debugger_goto(s->d, history_info(s->d->rw->history, i).at);

    s->at = debugger_here(s->d);
    s->nr = 0;
    return r == DEBUG_THERE ? search_run(s, to) : r;
}

/* The machine goes to what was found, and what else its step has done is remembered. */
static enum debug_result arrive(struct debugger *d, const struct search *found)
{
    struct search again = { .d = d, .match = found->match, .data = found->data, .backward = true };
    const struct position before = { found->found_at.insns, found->found_at.step ? found->found_at.step - 1 : 0 };
    const struct trace_record event = found->event;
    enum debug_result r = debugger_goto(d, before);

    if (r == DEBUG_THERE)
        r = search_run(&again, found->found_at);
    if (r == DEBUG_THERE || r == DEBUG_END) {
        keep_step(d, &again);
        stop_at(d, &event, found->ord);
        r = DEBUG_THERE;
    }
    return r;
}

enum debug_result debugger_last_event(struct debugger *d, debug_match *match, void *data)
{
    const struct position origin = debugger_here(d);
    const bool was_at_event = d->at_event;
    struct search s = { .d = d, .match = match, .data = data, .before = origin, .backward = true };
    size_t i = history_find(d->rw->history, origin);
    struct position to = origin;
    enum debug_result r = DEBUG_THERE;

    for (unsigned int n = d->ord; d->at_event && n-- > 0;)
        if (match(data, &d->step[n])) {
            stop_at(d, &d->step[n], n);
            return DEBUG_THERE;
        }
    while (r == DEBUG_THERE && i != HISTORY_NONE && !s.found) {
        const struct position at = history_info(d->rw->history, i).at;

        if (position_is_before(at, to))
            r = search_stretch(&s, i, to);
        to = at;
        i = history_find(d->rw->history, at) ? history_find(d->rw->history, at) - 1 : HISTORY_NONE;
    }
    if (r == DEBUG_END)
        r = DEBUG_THERE;
    if (r == DEBUG_THERE)
        r = s.found ? arrive(d, &s) : DEBUG_BEGIN;
    return left_off(d, was_at_event, origin, r);
}

/* --------------------------------------------------------------------------------------------------- breakpoints -- */

unsigned int debugger_break_add(struct debugger *d, domid_t dom, uint64_t addr)
{
    struct debug_break *more = reallocarray(d->breaks, d->nr_breaks + 1, sizeof(*more));

    if (!more)
        return 0;
    d->breaks = more;
    d->stopped_at = NULL;
    d->breaks[d->nr_breaks++] = (struct debug_break){ ++d->last_id, dom, addr };
    return d->last_id;
}

bool debugger_break_delete(struct debugger *d, unsigned int id)
{
    for (size_t i = 0; i < d->nr_breaks; i++)
        if (d->breaks[i].id == id) {
            memmove(&d->breaks[i], &d->breaks[i + 1], (--d->nr_breaks - i) * sizeof(*d->breaks));
            d->stopped_at = NULL;
            return true;
        }
    return false;
}

void debugger_end(struct debugger *d) { free(d->breaks); }

/* From now on they stop the machine; nr 0: none does. */
static enum debug_result breaks_arm(struct debugger *d, size_t nr)
{
    uint64_t *addr = calloc(nr + 1, sizeof(*addr));
    int rc = addr ? 0 : -1;

    for (size_t i = 0; addr && i < nr; i++)
        addr[i] = d->breaks[i].addr;
    if (!rc)
        rc = machine_break_set(d->rw->m, addr, nr);
    free(addr);
    if (!rc)
        return DEBUG_THERE;
    snprintf(d->err, sizeof(d->err), "out of memory");
    return DEBUG_ERROR;
}

enum debug_result debugger_continue(struct debugger *d)
{
    const struct position origin = debugger_here(d);
    const bool was_at_event = d->at_event;
    enum debug_result r = breaks_arm(d, d->nr_breaks);

    d->at_event = false;
    d->stopped_at = NULL;
    if (r == DEBUG_THERE)
        r = run_on(d, FAR, d->interrupt);
    breaks_arm(d, 0);
    if (r == DEBUG_THERE)
        d->stopped_at = break_here(d);
    return left_off(d, was_at_event, origin, r);
}

/* The last breakpoint between here and `to`, to *last. */
static enum debug_result last_break_before(struct debugger *d, struct position to, struct position *last, bool *found)
{
    struct sim_exit hit;
    struct run_limit l = { .until = STIME_MAX, .at = to, .stop = d->interrupt, .hit = &hit };
    enum run_result r;

    while ((r = rewind_run(d->rw, &l)) == RUN_BREAK) {
        if (position_is_before(debugger_here(d), to) && break_here(d)) {
            *last = debugger_here(d);
            *found = true;
        }
        l.resume = true;
    }
    return stopped(d, r);
}

enum debug_result debugger_reverse_continue(struct debugger *d)
{
    const struct position origin = debugger_here(d);
    const bool was_at_event = d->at_event;
    struct position to = origin, last = origin;
    enum debug_result r = DEBUG_THERE;
    bool found = false;

    d->stopped_at = NULL;
    while (r == DEBUG_THERE && !found && position_is_before(rewind_first(d->rw), to)) {
        size_t i = history_find(d->rw->history, to);
        struct position from = history_info(d->rw->history, i).at;

        if (is_at(from, to))
            from = history_info(d->rw->history, i - 1).at;
        r = debugger_goto(d, from);
        if (r == DEBUG_THERE)
            r = breaks_arm(d, d->nr_breaks);
        if (r == DEBUG_THERE)
            r = last_break_before(d, to, &last, &found);
        breaks_arm(d, 0);
        to = from;
    }
    if (r == DEBUG_END)
        r = DEBUG_THERE;
    if (r == DEBUG_THERE)
        r = found ? debugger_goto(d, last) : DEBUG_BEGIN;
    if (r == DEBUG_THERE)
        d->stopped_at = break_here(d);
    return left_off(d, was_at_event, origin, r);
}
