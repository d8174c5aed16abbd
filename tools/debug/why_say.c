// SPDX-License-Identifier: GPL-2.0-or-later
/* What answers to `why` are made of, see tools/debug/why_private.h. */
#include "tools/debug/why_private.h"

#include <inttypes.h>

struct past_question why_begin(struct debugger *d, struct why *w)
{
    *w = (struct why){ 0 };
    return past_ask(d);
}

static void place(struct why *w, struct position at)
{
    w->has_at = true;
    w->at = at;
}

void why_add_place(struct why *w, s_time_t t, struct position at)
{
    place(w, at);
    sentence_add_position(&w->says, t, at);
}

void why_add_never(struct why *w, const struct debugger *d)
{
    sentence_add(&w->says, "since history begins, #%" PRIu64 ".%" PRIu64 ", or before", rewind_first(d->rw).insns,
                 rewind_first(d->rw).step);
}

enum debug_result why_add_episode(struct debugger *d, const struct trace_record *of, struct why *w)
{
    struct past_episode e;
    const enum debug_result r = past_episode(d, of, &e);

    sentence_add_records(&w->says, d->host, e.rec, e.nr);
    place(w, of->at);
    return r;
}
