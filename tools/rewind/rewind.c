// SPDX-License-Identifier: GPL-2.0-or-later
/* Running with a history, and going to positions: see tools/rewind/rewind.h. */
#include "tools/rewind/rewind.h"

#include "tools/rewind/input.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FAR UINT64_MAX

static bool is_at(struct position a, struct position b) { return a.insns == b.insns && a.step == b.step; }

static struct position earlier(struct position a, struct position b) { return position_is_before(b, a) ? b : a; }

static void fail(struct rewind *r, const struct divergence *d)
{
    if (d->in_ram)
        snprintf(r->err, sizeof(r->err),
                 "this run differs from itself at #%llu.%llu: byte %u of machine frame 0x%llx is not what it was (a "
                 "mistake of "
                 "this program)",
                 (unsigned long long)d->at.insns, (unsigned long long)d->at.step, d->offset,
                 (unsigned long long)mfn_x(d->mfn));
    else
        snprintf(r->err, sizeof(r->err),
                 "this run differs from itself at #%llu.%llu: byte %u of what %s has allocated is not what it was (a "
                 "mistake of "
                 "this program)",
                 (unsigned long long)d->at.insns, (unsigned long long)d->at.step, d->offset,
                 d->place ? d->place : "the arena");
}

static void take_checkpoint(struct rewind *r)
{
    struct divergence d;

    if (!checkpoint_take(r->history, &d))
        fail(r, &d);
}

/* So far the run is known by now. */
static void come_to_the_end(struct rewind *r)
{
    r->end = r->m->at;
    r->end_now = host_now(r->host);
}

int rewind_begin(struct rewind *r, struct host *h, unsigned int history_mib, char err[REWIND_ERR_SIZE])
{
    struct machine *m = host_machine(h);
    const struct history_config cfg = { .limit_mib = history_mib };

    *r = (struct rewind){ .host = h, .m = m, .every = REWIND_EVERY, .name = "main" };
    if (!pcpu_backend_is_fast(m->pcpu[0])) {
        snprintf(err, REWIND_ERR_SIZE,
                 "%s is used here without shortcuts (xenlab doctor), and a machine on it cannot be rewound",
                 pcpu_backend_name(m->pcpu[0]));
        return -1;
    }
    r->history = history_create(m, &cfg);
    if (!r->history) {
        snprintf(err, REWIND_ERR_SIZE, "out of memory for a history");
        return -1;
    }
    r->end = m->at;
    take_checkpoint(r);
    return 0;
}

void rewind_finish(struct rewind *r)
{
    history_destroy(r->history);
    journal_free(&r->journal);
    while (r->nr_branches)
        journal_free(&r->branches[--r->nr_branches].journal);
    free(r->branches);
}

void rewind_checkpoint(struct rewind *r) { take_checkpoint(r); }

/* Where there is no memory for a checkpoint, nothing is kept of what was. */
struct position rewind_first(const struct rewind *r)
{
    return history_nr(r->history) ? history_info(r->history, 0).at : r->m->at;
}

/* Where the next checkpoint is, or is to be. */
static struct position next_checkpoint(const struct rewind *r)
{
    struct position next;

    if (!history_next(r->history, &next))
        next = (struct position){ .insns = (r->m->at.insns / r->every + 1) * r->every };
    return next;
}

/* What was taken once is taken again. What is expected of a recording may be of another run. */
static void hand_in(struct rewind *r, const struct journal_record *rec)
{
    char why[REWIND_ERR_SIZE] = "there is no such position";

    host_silence(r->host, !rewind_is_live(r));
    if (!is_at(rec->at, r->m->at) || input_apply(r->host, rec, why))
        snprintf(r->err, sizeof(r->err), "the input of #%llu.%llu is not taken again: %.400s",
                 (unsigned long long)rec->at.insns, (unsigned long long)rec->at.step, why);
    else if (rewind_is_live(r))
        come_to_the_end(r);
}

/* Live. Has it come to where a recording knows more? */
static void compare(struct rewind *r)
{
    struct rewind_compare *c = &r->compare;
    const bool well = !r->err[0];

    while (c->fn && !r->err[0] && !position_is_before(r->m->at, c->at))
        if (!c->fn(c->data, &c->at, r->err))
            c->fn = NULL;
    c->differs |= well && r->err[0];
}

void rewind_go_on(struct rewind *r)
{
    if (r->compare.differs)
        r->err[0] = '\0';
    r->compare.differs = false;
}

/* The machine waits for the outside. What it said is the journal's; live it is asked now. False: r->err says why. */
static bool answer(struct rewind *r)
{
    char why[REWIND_ERR_SIZE] = "nothing is known of it";
    const uint8_t *bytes = NULL;
    unsigned int who;
    size_t len;

    if (r->next < r->journal.nr && is_at(r->journal.records[r->next].at, r->m->at))
        return true;
    if (rewind_is_live(r) && !rewind_expects(r))
        bytes = host_outside_ask(r->host, &who, &len);
    if (bytes && !rewind_hand_in(r, JOURNAL_P9, who, bytes, len, host_now(r->host), why))
        return true;
    snprintf(r->err, sizeof(r->err), "what the outside said at #%llu.%llu is not said again: %.300s",
             (unsigned long long)r->m->at.insns, (unsigned long long)r->m->at.step, why);
    return false;
}

enum run_result rewind_run(struct rewind *r, const struct run_limit *l)
{
    const struct position begin = r->m->at;

    for (;;) {
        const struct position at = r->m->at;
        struct position checkpoint = next_checkpoint(r);
        const bool live = rewind_is_live(r);
        struct run_limit leg = *l;
        enum run_result result;

        if (live)
            compare(r);
        leg.resume &= is_at(at, begin);
        leg.resume_break &= is_at(at, begin);
        if (*l->stop || r->err[0])
            return RUN_STOP;
        if (!position_is_before(at, l->at))
            return RUN_AT;
        if (!position_is_before(at, checkpoint)) { /* an input has led here; to run may change what is no step yet */
            take_checkpoint(r);
            checkpoint = next_checkpoint(r);
            if (r->err[0])
                return RUN_STOP;
        }
        if (r->next < r->journal.nr && !position_is_before(at, r->journal.records[r->next].at)) {
            hand_in(r, &r->journal.records[r->next++]);
            if (l->each_step)
                return RUN_STEP;
            continue;
        }
        leg.at = earlier(l->at, checkpoint);
        if (live && r->compare.fn)
            leg.at = earlier(leg.at, r->compare.at);
        if (r->next < r->journal.nr)
            leg.at = earlier(leg.at, r->journal.records[r->next].at);
        if (!live)
            leg.at = earlier(leg.at, r->end);
        host_silence(r->host, !live);
        result = host_run_to(r->host, &leg);
        if (live) {
            come_to_the_end(r);
            compare(r);
        }
        if (!position_is_before(r->m->at, checkpoint))
            take_checkpoint(r);
        if (result == RUN_ASKED && answer(r))
            continue;
        if (result != RUN_AT || is_at(at, r->m->at)) /* the latter: it is in front of an instruction, as wanted */
            return result;
    }
}

/* As rewind_run(), to a position. */
static void run_to(struct rewind *r, struct position at, const bool *stop)
{
    const struct run_limit l = { .until = STIME_MAX, .at = at, .stop = stop };

    rewind_run(r, &l);
}

int rewind_goto(struct rewind *r, struct position at, const bool *stop, char err[REWIND_ERR_SIZE])
{
    const size_t i = history_find(r->history, at);
    const struct position first = rewind_first(r);

    if (position_is_before(r->end, at)) {
        snprintf(err, REWIND_ERR_SIZE, "#%llu.%llu has not happened yet: the run has come to #%llu.%llu",
                 (unsigned long long)at.insns, (unsigned long long)at.step, (unsigned long long)r->end.insns,
                 (unsigned long long)r->end.step);
        return -1;
    }
    if (i == HISTORY_NONE && position_is_before(at, r->m->at)) {
        snprintf(err, REWIND_ERR_SIZE, "history begins at #%llu.%llu (a larger --history keeps more)",
                 (unsigned long long)first.insns, (unsigned long long)first.step);
        return -1;
    }
    if (i != HISTORY_NONE &&
        (position_is_before(at, r->m->at) || position_is_before(r->m->at, history_info(r->history, i).at))) {
        checkpoint_go(r->history, i);
        r->next = journal_find(&r->journal, r->m->at);
    }
    run_to(r, at, stop);
    return 0;
}

int rewind_hand_in(struct rewind *r, enum journal_kind kind, unsigned int who, const void *bytes, size_t len,
                   s_time_t now, char err[REWIND_ERR_SIZE])
{
    const struct journal_record rec = { r->m->at, now, kind, who, len, (uint8_t *)(uintptr_t)bytes };

    if (!rewind_is_live(r)) {
        snprintf(err, REWIND_ERR_SIZE, "this is the past: it has got its input already");
        return -1;
    }
    if (rewind_expects(r)) {
        snprintf(err, REWIND_ERR_SIZE, "the recording's own input is still to come");
        return -1;
    }
    if (!journal_append(&r->journal, &rec)) {
        snprintf(err, REWIND_ERR_SIZE, "out of memory");
        return -1;
    }
    host_silence(r->host, false);
    if (input_apply(r->host, &rec, err)) {
        journal_truncate(&r->journal, r->next);
        return -1;
    }
    r->next = r->journal.nr;
    r->compare.fn = NULL;
    come_to_the_end(r);
    return 0;
}

bool rewind_expect(struct rewind *r, const struct journal_record *rec) { return journal_append(&r->journal, rec); }

bool rewind_expects(const struct rewind *r) { return rewind_is_live(r) && r->next < r->journal.nr; }
