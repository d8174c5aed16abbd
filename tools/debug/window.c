// SPDX-License-Identifier: GPL-2.0-or-later
/* What the trace says of the time before here, see tools/debug/window.h. */
#include "tools/debug/window.h"

#include "tools/debug/past.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STRETCHES 3 /* that are run again for one window */

struct taking {
    struct window *w;
    size_t most;
};

/* The last `most` stay; what is before them goes when it is as much again. */
static void trim(struct window *w, size_t most)
{
    if (w->nr <= most)
        return;
    memmove(w->rec, w->rec + (w->nr - most), most * sizeof(*w->rec));
    w->nr = most;
    w->from = w->rec[0].at;
    w->from_begin = false;
}

static void listen(void *data, const struct trace_record *rec)
{
    struct taking *t = data;
    struct window *w = t->w;

    if (w->nr == w->cap) {
        const size_t cap = w->cap ? 2 * w->cap : 256;
        struct trace_record *more = w->nr >= 2 * t->most ? NULL : reallocarray(w->rec, cap, sizeof(*more));

        if (more) {
            w->rec = more;
            w->cap = cap;
        } else {
            w->lost |= w->nr < 2 * t->most;
            trim(w, w->nr < t->most ? w->nr / 2 : t->most);
        }
    }
    memcpy(&w->rec[w->nr++], rec, trace_record_size(rec));
}

/* Checkpoint i is where the window begins. */
static enum debug_result take_from(struct debugger *d, size_t i, struct position to, size_t most, struct window *w)
{
    struct taking t = { w, most };
    enum debug_result r;

    w->from = history_info(d->rw->history, i).at;
    w->from_begin = i == 0;
    w->nr = 0;
    w->lost = false;
    r = past_events(d, w->from, to, listen, &t);
    trim(w, most);
    return r;
}

/* --- what is known already --- */

static bool is_of_line(const struct window *w, const struct debugger *d)
{
    return w->rec && !w->lost && w->nr_branches == d->rw->nr_branches && !strcmp(w->line, d->rw->name);
}

/* As far as here: what is behind is not before. */
static void cut(struct window *w, struct position here)
{
    while (w->nr && position_is_before(here, w->rec[w->nr - 1].at))
        w->nr--;
    w->to = here;
}

/* The window of here is that of there and what has come since. False: it could not be had, and w is empty. */
static bool go_on(struct debugger *d, struct position here, size_t most, struct window *w)
{
    struct taking t = { w, most };

    if (past_events(d, w->to, here, listen, &t) != DEBUG_THERE) {
        window_free(w);
        return false;
    }
    trim(w, most);
    w->to = here;
    return true;
}

/* False: what is known is of no use here, or it would take longer to go on than to begin anew. */
static bool use_known(struct debugger *d, struct position here, size_t least, size_t most, struct window *w)
{
    if (!is_of_line(w, d) || position_is_before(here, w->from))
        return false;
    if (!position_is_before(w->to, here))
        cut(w, here);
    else if (here.insns - w->to.insns > d->rw->every || !go_on(d, here, most, w))
        return false;
    return w->nr >= least || w->from_begin;
}

/* --- from nothing --- */

static enum debug_result take(struct debugger *d, struct position here, size_t least, size_t most, struct window *w)
{
    enum debug_result r = DEBUG_THERE;
    size_t i = history_find(d->rw->history, here);

    for (unsigned int n = 0; i != HISTORY_NONE && n < STRETCHES && r == DEBUG_THERE && w->nr < least; n++) {
        r = take_from(d, i, here, most, w);
        if (i-- == 0)
            break;
    }
    w->to = here;
    w->nr_branches = d->rw->nr_branches;
    snprintf(w->line, sizeof(w->line), "%s", d->rw->name);
    return r;
}

enum debug_result window_take(struct debugger *d, size_t least, size_t most, struct window *w)
{
    const struct past_question q = past_ask(d);
    struct window fresh = { 0 };
    enum debug_result r = DEBUG_THERE;

    if (!use_known(d, q.here, least, most, w)) {
        r = take(d, q.here, least, most, &fresh);
        window_free(r == DEBUG_THERE ? w : &fresh);
        if (r == DEBUG_THERE)
            *w = fresh;
    }
    return past_answered(d, &q, r);
}

void window_free(struct window *w)
{
    free(w->rec);
    *w = (struct window){ 0 };
}
