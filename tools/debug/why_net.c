// SPDX-License-Identifier: GPL-2.0-or-later
/* Answers about networks, see tools/debug/why.h. */
#include "tools/debug/why_private.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct wanted {
    const char *name;
    struct why *w;
    bool found;
};

static void add_time(struct why *w, s_time_t t)
{
    char text[LOOK_TEXT];

    look_time(t, text);
    sentence_add(&w->says, "%s", text);
}

static void port_say(void *data, const struct host_port *p)
{
    struct wanted *want = data;
    struct sentence *s = &want->w->says;

    if (want->found || strcmp(p->name, want->name) != 0)
        return;
    want->found = true;
    sentence_add(s, "%s is %s", p->name, p->domid ? "" : "the outside");
    if (p->domid)
        sentence_add(s, "a card of d%u", p->domid);
    sentence_add(s, " on the bridge %s: %" PRIu64 " frames came in there, %" PRIu64 " went out, %u wait", p->bridge,
                 p->in, p->out, p->queued);
    if (p->queued == p->room) {
        sentence_add(s, ", and as many as can do so since ");
        add_time(want->w, p->full_since);
    }
    if (p->dropped)
        sentence_add(s, "; %" PRIu64 " were dropped, for the queue of %u was full", p->dropped, p->room);
    if (p->unwanted)
        sentence_add(s, "; %" PRIu64 " were of groups that it has not asked for", p->unwanted);
    if (p->errors)
        sentence_add(s, "; %" PRIu64 " made no sense, or could not be written", p->errors);
    if (p->interval) {
        sentence_add(s, ". It may send %" PRIu64 " bytes each ", p->rate);
        add_time(want->w, p->interval);
        sentence_add(s, ", and has %" PRId64 " of them left%s", p->credit, p->credit > 0 ? "" : ": what comes waits");
    }
}

static bool is_frame(void *data, const struct trace_record *rec)
{
    const char *name = data;
    const size_t len = strlen(name);

    return rec->event == TRC_net_frame && record_field(rec, "netport") == len &&
           !memcmp(&rec->arg[TRC_NR_FIELDS_net_frame], name, len);
}

enum debug_result why_netport(struct debugger *d, const char *name, struct why *w)
{
    const struct past_question q = why_begin(d, w);
    struct wanted want = { .name = name, .w = w };
    struct trace_record rec;
    enum debug_result r;

    host_ports_each(d->host, port_say, &want);
    if (!want.found) {
        snprintf(d->err, sizeof(d->err), "no network has a port %.40s (see: panel network)", name);
        return DEBUG_ERROR;
    }
    d->at_event = false;
    r = past_last_event(d, is_frame, (void *)(uintptr_t)name, &rec);
    if (r == DEBUG_BEGIN) {
        sentence_add(&w->says, ". None ");
        why_add_never(w, d);
    } else if (r == DEBUG_THERE) {
        sentence_add(&w->says, ". The last, at ");
        why_add_place(w, rec.time, rec.at);
        sentence_add(&w->says, ": ");
        sentence_add_records(&w->says, d->host, &rec, 1);
    }
    return past_answered(d, &q, r);
}
