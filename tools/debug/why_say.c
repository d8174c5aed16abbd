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

void why_add_frame(struct why *w, const struct look_frame *f)
{
    sentence_add(&w->says, "mfn 0x%" PRIx64, mfn_x(f->mfn));
    if (f->free) {
        sentence_add(&w->says, " is free");
        return;
    }
    if (f->owner == DOMID_INVALID) {
        sentence_add(&w->says, " is the hypervisor's own");
        return;
    }
    sentence_add(&w->says, " (d%u's", f->owner);
    if (f->gfn != UINT64_MAX)
        sentence_add(&w->says, " pfn 0x%" PRIx64, f->gfn);
    sentence_add(&w->says, "%s) is of type %s, with %" PRIu64 " use%s%s", f->xen_heap ? ", lent by the hypervisor" : "",
                 f->type, f->type_count, f->type_count == 1 ? "" : "s", f->pinned ? ", one of them a pin" : "");
}

/* What the frame is that somebody wanted to map, or to load as a root, and may not. */
static void add_refused_frame(struct why *w, struct debugger *d, const struct trace_record *rec)
{
    const uint64_t new = record_field(rec, "new");
    const mfn_t mfn = _mfn(rec->event == TRC_pte ? (new & 0xffffffffff000ULL) >> PAGE_SHIFT : new);
    struct look_frame f;

    if (!record_refuses(rec) || !(rec->event == TRC_cr3 || (rec->event == TRC_pte && new & 1)))
        return;
    sentence_add(&w->says, "; ");
    if (look_frame(d->host, mfn, &f))
        why_add_frame(w, &f);
    else
        sentence_add(&w->says, "there is no mfn 0x%" PRIx64, mfn_x(mfn));
}

enum debug_result why_add_episode(struct debugger *d, const struct trace_record *of, struct why *w)
{
    struct past_episode e;
    const enum debug_result r = past_episode(d, of, &e);

    sentence_add_records(&w->says, d->host, e.rec, e.nr);
    for (unsigned int i = 0; r == DEBUG_THERE && i < e.nr; i++)
        add_refused_frame(w, d, &e.rec[i]);
    if (r == DEBUG_THERE && e.within && e.nr && is_at(e.rec[e.nr - 1].at, d->rw->end))
        sentence_add(&w->says, "; what Xen makes of it comes next (t, or e)");
    place(w, of->at);
    return r;
}
