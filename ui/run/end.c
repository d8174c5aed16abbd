// SPDX-License-Identifier: GPL-2.0-or-later
/* When a run is over, and what it has come to: see ui/cmd_run.c. */
#include "ui/run/run.h"

#include <errno.h>
#include <string.h>

static void limit_reached(struct run *r)
{
    const bool cut = r->opt->power_cut && r->opt->power_cut == r->opt->max_vtime;

    r->outcome.limit = true;
    snprintf(r->err, RUN_ERR_SIZE,
             cut ? "the power is cut (--power-cut)" : "the limit of virtual time is reached (--max-vtime)");
    if (cut)
        host_power_cut(r->host);
}

/* Nothing will ever happen again: why? */
void run_stuck(struct run *r)
{
    struct snapshot s;

    r->outcome.limit = r->stuck = true;
    host_snapshot(r->host, &s);
    if (s.anybody_waits) {
        snprintf(r->err, RUN_ERR_SIZE, "vCPU %u of domain %u waits for a pCPU, and the scheduler %s gives it none",
                 s.waiting.vcpu, s.waiting.domid, s.waiting.sched);
        return;
    }
    snprintf(r->err, RUN_ERR_SIZE, "all guests are idle and nothing can wake them%s",
             r->input.closed && !r->replay ? ": standard input has ended" : "");
}

/* The recording is over: the end that it had, once more. */
static void replay_end(struct run *r)
{
    const struct record *rec = &r->replay->rec;
    const struct record_line *l = rec->nr ? &rec->lines[rec->nr - 1] : NULL;
    struct run_outcome *outcome = &r->outcome;

    if (!rec->ended) {
        outcome->limit = true;
        snprintf(r->err, RUN_ERR_SIZE, "%.300s: the recording is cut off here, at #%llu.%llu", r->replay->path,
                 (unsigned long long)(l ? l->at.insns : 0), (unsigned long long)(l ? l->at.step : 0));
        return;
    }
    switch (l->why) {
    case RECORD_DONE: break;
    case RECORD_LIMIT: limit_reached(r); break;
    case RECORD_STUCK: run_stuck(r); break;
    case RECORD_LEFT:
        outcome->left = true;
        snprintf(r->err, RUN_ERR_SIZE, "here the recorded run was left");
        break;
    case RECORD_SIGNAL:
        outcome->signal = l->signal;
        snprintf(r->err, RUN_ERR_SIZE, "here signal %d ended the recorded run", l->signal);
        break;
    case RECORD_FAILED:
        outcome->failed = true;
        snprintf(r->err, RUN_ERR_SIZE,
                 "here ends the recorded run, of which something has failed: its output, a core, a restart, a policy");
        break;
    case RECORD_KNOWN: snprintf(r->err, RUN_ERR_SIZE, "here ends what was recorded"); break;
    }
}

/* There is something of the recording still to come? Then this is no end. */
static bool replay_ended(struct run *r, bool over)
{
    if (r->replayed == REPLAY_OVER)
        replay_end(r);
    else if (r->replayed == REPLAY_GOES_ON && over)
        replay_too_short(r->replay, r->host, r->err);
    if (r->replayed == REPLAY_DIFFERS || (r->replayed == REPLAY_GOES_ON && over))
        r->outcome.failed = true;
    return over || r->replayed != REPLAY_GOES_ON;
}

bool run_policy_over(struct run *r)
{
    if (r->policy && guest_policy_over(r->policy, r->err))
        r->outcome.policy = true;
    return r->outcome.policy;
}

bool run_ended(struct run *r)
{
    const s_time_t limit = r->opt->max_vtime;
    const bool done = host_guests_left(r->host) == 0, late = limit && r->now + r->outside.idle >= limit;

    if (run_policy_over(r) || r->process->stop || r->input.left || r->console.error || r->trace.error || r->gdb.killed)
        return true;
    if (r->replay)
        return replay_ended(r, done || late);
    if (late && !done)
        limit_reached(r);
    return done || late;
}

/* Why the run has ended, for the recording. False: that is not known, as of one whose own recording was cut off. */
bool run_end_reason(const struct run *r, struct record_line *l)
{
    const struct record *rec = r->replay ? &r->replay->rec : NULL;

    if (r->process->signal)
        l->why = RECORD_SIGNAL, l->signal = r->process->signal;
    else if (r->replayed == REPLAY_OVER && rec->ended)
        l->why = rec->lines[rec->nr - 1].why, l->signal = rec->lines[rec->nr - 1].signal;
    else if (r->outcome.failed || r->outcome.policy)
        l->why = RECORD_FAILED;
    else if (r->outcome.left)
        l->why = RECORD_LEFT;
    else if (r->stuck || r->outcome.limit)
        l->why = r->stuck ? RECORD_STUCK : RECORD_LIMIT;
    else
        l->why = RECORD_DONE;
    return !rec || r->process->signal || (r->replayed == REPLAY_OVER && rec->ended);
}

/*
 * The environment's failures that were noted on the way, if nothing worse has been said. That a signal interrupted the
 * wait for a reader is none: the signal is the reason for the end.
 */
void run_failures_note(struct run *r)
{
    const int trace_error = trace_file_close(&r->trace), interrupted = r->process->signal ? EINTR : 0;
    const char *pcap = NULL;
    const int pcap_error = pcap_close(&r->pcap, &pcap);

    r->outcome.left |=
        r->input.left || r->gdb.killed || r->console.error == EPIPE; /* nobody reads: as if he had left */
    if (r->console.error && r->console.error != EPIPE && r->console.error != interrupted)
        snprintf(r->err, RUN_ERR_SIZE, "standard output: %s", strerror(r->console.error));
    else if (trace_error && trace_error != interrupted)
        snprintf(r->err, RUN_ERR_SIZE, "%s: %s", r->trace.path, strerror(trace_error));
    else if (pcap_error && pcap_error != interrupted)
        snprintf(r->err, RUN_ERR_SIZE, "%s: %s", pcap, strerror(pcap_error));
    else if (r->picture_error)
        snprintf(r->err, RUN_ERR_SIZE, "--fb-png: %.300s: %s", r->opt->fb_png,
                 r->picture_error == ENOPKG ? "pictures are written by libpng, which is not here (Debian: libpng16-16)"
                                            : strerror(r->picture_error));
    else if (r->opt->fb_png && !r->pictured && r->host && !*r->err)
        snprintf(r->err, RUN_ERR_SIZE, "--fb-png: there is no picture: %s has shown nothing on a screen",
                 r->opt->console ? r->opt->console : "the guest");
    else
        return;
    r->outcome.failed = true;
}
