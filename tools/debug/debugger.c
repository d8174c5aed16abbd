// SPDX-License-Identifier: GPL-2.0-or-later
/* Moving through a run: to positions, to events, to stops. See tools/debug/debugger.h. */
#include "tools/debug/debugger.h"

#include "tools/debug/seek.h"

#include <stdio.h>
#include <string.h>

void debugger_begin(struct debugger *d, struct rewind *rw, const bool *interrupt)
{
    *d = (struct debugger){ .rw = rw,
                            .host = rw->host,
                            .interrupt = interrupt,
                            .limit = STIME_MAX,
                            .bound = FAR,
                            .dom = host_dom0_is_guest(rw->host) ? 0 : 1,
                            .stops = { .host = rw->host } };
}

void debugger_end(struct debugger *d) { stops_free(&d->stops); }

/* ----------------------------------------------------------------------------------------------------- positions -- */

/* What was wanted lies beyond the end: the machine goes back, and the run is longer by what it took to see that. */
static enum debug_result too_far(struct debugger *d, struct position origin)
{
    const struct position end = d->rw->end;

    snprintf(d->err, sizeof(d->err), "the run comes to #%llu.%llu, and does not go on from there by itself",
             (unsigned long long)end.insns, (unsigned long long)end.step);
    debug_go_back(d, origin);
    return DEBUG_ERROR;
}

static bool is_end(enum debug_result r) { return r == DEBUG_END || r == DEBUG_INPUT || r == DEBUG_LIMIT; }

/* On, as far as the run can go by itself, with nothing looked for on the way. */
static enum debug_result run_on(struct debugger *d, struct position to, bool patient)
{
    struct seek s = { .d = d, .patient = patient };

    return seek_run(&s, to);
}

enum debug_result debugger_goto(struct debugger *d, struct position at)
{
    const struct debug_origin origin = debug_origin(d);
    const struct position end = d->rw->end;
    const bool beyond = position_is_before(end, at);
    enum debug_result r = debug_visit(d, beyond ? end : at);

    if (r == DEBUG_THERE && beyond)
        r = run_on(d, at, false);
    return is_end(r) ? too_far(d, origin.at) : left_off(d, &origin, r);
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
    const struct debug_origin origin = debug_origin(d);
    const s_time_t limit = d->limit;
    enum debug_result r = debugger_goto(d, history_info(d->rw->history, checkpoint_before(d, t)).at);

    if (r == DEBUG_THERE && host_now(d->host) < t) {
        d->limit = t < limit ? t : limit;
        r = run_on(d, FAR, true);
        d->limit = limit;
        if ((r == DEBUG_LIMIT && t <= limit) || (is_end(r) && host_now(d->host) >= t))
            r = DEBUG_THERE;
    }
    return is_end(r) ? too_far(d, origin.at) : left_off(d, &origin, r);
}

void debugger_place(const struct debugger *d, struct debug_place *place)
{
    *place = (struct debug_place){ .at = debugger_here(d),
                                   .dom = d->dom,
                                   .vcpu = d->vcpu,
                                   .at_event = d->at_event,
                                   .event = d->event,
                                   .ord = d->ord,
                                   .nr_step = d->nr_step };
    memcpy(place->step, d->step, sizeof(place->step));
}

void debugger_stand(struct debugger *d, const struct debug_place *place)
{
    d->dom = place->dom;
    d->vcpu = place->vcpu;
    d->at_event = place->at_event;
    d->event = place->event;
    d->ord = place->ord;
    d->nr_step = place->nr_step;
    memcpy(d->step, place->step, sizeof(d->step));
}

/* -------------------------------------------------------------------------------------------------------- events -- */

/* Within the step that the machine is behind: the next one that matches, or the last one. */
static bool in_this_step(struct debugger *d, debug_match *match, void *data, bool backward)
{
    const unsigned int nr = !d->at_event ? 0 : backward ? d->ord : d->nr_step - d->ord - 1;

    for (unsigned int n = 1; n <= nr; n++) {
        const unsigned int i = backward ? d->ord - n : d->ord + n;

        if (!match(data, &d->step[i]))
            continue;
        d->event = d->step[i];
        d->ord = i;
        d->nr_hits = 0;
        return true;
    }
    return false;
}

static enum debug_result event(struct debugger *d, debug_match *match, void *data, bool backward)
{
    struct seek s = { .d = d, .backward = backward, .match = match, .data = data };

    return in_this_step(d, match, data, backward) ? DEBUG_THERE : seek_go(&s);
}

enum debug_result debugger_next_event(struct debugger *d, debug_match *match, void *data)
{
    return event(d, match, data, false);
}

enum debug_result debugger_last_event(struct debugger *d, debug_match *match, void *data)
{
    return event(d, match, data, true);
}

/* --------------------------------------------------------------------------------------------------------- stops -- */

enum debug_result debugger_continue(struct debugger *d)
{
    struct seek s = { .d = d, .stops = true };

    return seek_go(&s);
}

enum debug_result debugger_reverse_continue(struct debugger *d)
{
    struct seek s = { .d = d, .stops = true, .backward = true };

    return seek_go(&s);
}

s_time_t debugger_slice(const struct debugger *d, struct debug_slices *s, s_time_t length)
{
    const s_time_t now = host_now(d->host);

    if (!is_at(s->at, debugger_here(d)) || s->end < now)
        s->end = now;
    s->at = debugger_here(d);
    s->end += length;
    return s->end;
}
