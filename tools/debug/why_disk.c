// SPDX-License-Identifier: GPL-2.0-or-later
/* Answers about disks, see tools/debug/why.h. */
#include "tools/debug/why_private.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct wanted {
    domid_t dom;
    const char *vdev;
    struct why *w;
    bool found;
};

static void disk_say(void *data, const struct host_disk *d)
{
    struct wanted *want = data;
    struct sentence *s = &want->w->says;
    char time[LOOK_TEXT];

    if (want->found || d->domid != want->dom || strcmp(d->vdev, want->vdev) != 0)
        return;
    want->found = true;
    sentence_add(s, "%s of d%u is %s, %" PRIu64 " KiB, %s%s%s. ", d->vdev, d->domid, d->path, d->sectors / 2, d->format,
                 strcmp(d->speed, "ssd") ? ", speed=" : "", strcmp(d->speed, "ssd") ? d->speed : "");
    if (d->readonly)
        sentence_add(s, "It is only read");
    else if (d->in_file)
        sentence_add(s, "What is written is in the file when it is answered");
    else
        sentence_add(s, "What is written stays in memory, and goes back with the machine: %" PRIu64 " KiB so far",
                     d->kept >> 10);
    sentence_add(s, "; %" PRIu64 " reads, %" PRIu64 " writes, %" PRIu64 " flushes have begun", d->reads.nr,
                 d->writes.nr, d->flushes.nr);
    if (d->failed)
        sentence_add(s, "; %" PRIu64 " were answered with an error", d->failed);
    if (d->busy) {
        look_time(d->done, time);
        sentence_add(s, ". It works on %u of %u that it can at once, until %s", d->busy, d->channels, time);
    }
}

static bool is_ring(void *data, const struct trace_record *rec)
{
    const domid_t *dom = data;

    return (rec->event == TRC_ring_full || rec->event == TRC_ring) && record_field(rec, "dev") == *dom &&
           record_field(rec, "kind") == TRACE_RING_BLOCK_REQ;
}

enum debug_result why_disk(struct debugger *d, domid_t dom, const char *vdev, struct why *w)
{
    const struct past_question q = why_begin(d, w);
    struct wanted want = { .dom = dom, .vdev = vdev, .w = w };
    struct trace_record rec;
    enum debug_result r;

    host_disks_each(d->host, disk_say, &want);
    if (!want.found) {
        snprintf(d->err, sizeof(d->err), "d%u has no disk %.40s (see: panel disks)", dom, vdev);
        return DEBUG_ERROR;
    }
    d->at_event = false;
    r = past_last_event(d, is_ring, &dom, &rec);
    if (r == DEBUG_THERE) {
        sentence_add(&w->says, ". The last requests of the domain's disks, at ");
        why_add_place(w, rec.time, rec.at);
        sentence_add(&w->says, ": ");
        sentence_add_records(&w->says, d->host, &rec, 1);
    } else if (r == DEBUG_BEGIN) {
        sentence_add(&w->says, ". No request ");
        why_add_never(w, d);
    }
    return past_answered(d, &q, r);
}
