// SPDX-License-Identifier: GPL-2.0-or-later
/* `--record` of `xenlab run`: when its lines are written; see ui/recording.h. */
#include "ui/run/run.h"

#include <string.h>

/* A line for the recording, if there is one. */
void run_record(struct run *r, struct record_line l)
{
    char why[RECORD_ERR_SIZE];

    if (l.kind != RECORD_JOURNAL)
        l.now = r->now;
    if (r->recording.out && !recording_line(&r->recording, l, why))
        run_message(r, why);
}

/* Guests are there, and have not run. */
int run_recording_start(struct run *r, const struct guest_list *l)
{
    const struct run_options *o = r->opt;
    const struct replay *rp = r->replay;

    if (rp && replay_check(r->replay, o, l, r->host, r->err))
        return -1;
    if (o->record && o->trace && !strcmp(o->record, o->trace)) {
        snprintf(r->err, RUN_ERR_SIZE, "--record: %s is for the trace", o->record);
        return -1;
    }
    return o->record ? recording_open(&r->recording, o->record, r->host, rp ? &rp->rec.head : NULL, o, l, r->err) : 0;
}

/* The last line, when it is clear what has become of the run. */
void run_recording_end(struct run *r)
{
    struct record_line l = { .kind = RECORD_END };

    if (r->recording.out && run_end_reason(r, &l))
        run_record(r, l);
    recording_close(&r->recording);
}
