// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A trace as a workload of the scheduler workbench (docs/workbench.md): what vCPUs did, for another policy to try.
 *
 * Concept: of each vCPU it is known when it wanted a pCPU, and for how much. That is its program: compute for as long
 * as it ran, however often it was interrupted, then sleep for as long as it waited; or, if somebody's event ended its
 * waiting, block, and the one who sent it has a `wake` at that place in its own program. So who waits for whom stays as
 * it was, and who waited for a time waits for that time. What a guest would have done differently under another
 * policy is not in it.
 *
 * In the file stand also the shares that the run had, as expectations: under the run's own policy they say how far the
 * model and the run agree. Weights, caps and affinities are not in a trace: they are to be added by hand.
 *
 * Invariants: the programs are as long as the run, and `time` is: no program begins anew. Memory grows with what vCPUs
 * did, as of pictures.
 */
#include "ui/export/export.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define TOLERANCE 0.01 /* of a pCPU, for the shares */
#define LINE      100  /* columns, where a program goes on in the next line */

enum step_kind { STEP_COMPUTE, STEP_SLEEP, STEP_BLOCK, STEP_WAKE };

struct step {
    enum step_kind kind;
    uint32_t who; /* STEP_WAKE: the key */
    s_time_t time;
};

struct vcpu_row {
    struct export_row row;
    bool seen, running, wants; /* wants: a pCPU, and may have it */
    s_time_t since;            /* it runs, or waits, since then */
    s_time_t computes;         /* of the step that it is in */
    s_time_t ran, waited;
    struct step *step;
    size_t nr, room;
    bool has_steps;
};

struct workload {
    FILE *out;
    const struct export_about *about;
    struct export_rows vcpus;
    s_time_t now, begin;
    bool begun, failed;
    uint32_t sender;         /* of the last event, */
    struct position sent_at; /* and where it was sent */
    unsigned int pcpus;
    uint64_t switches, runstates;
};

/* --- what happened --- */

static void step_add(struct workload *w, struct vcpu_row *v, struct step s)
{
    if (v->nr == v->room) {
        struct step *more = reallocarray(v->step, v->room ? 2 * v->room : 16, sizeof(*more));

        if (!more) {
            w->failed = true;
            return;
        }
        v->step = more;
        v->room = v->room ? 2 * v->room : 16;
    }
    v->step[v->nr++] = s;
}

static struct vcpu_row *vcpu_of(struct workload *w, uint32_t key)
{
    struct vcpu_row *v = export_row(&w->vcpus, key);

    if (!v)
        w->failed = true;
    else if (!v->seen) {
        v->seen = true;
        v->since = w->begin;
    }
    return v;
}

/* It has run until now. */
static void charge(struct workload *w, struct vcpu_row *v)
{
    if (v->running && w->now > v->since) {
        v->computes += w->now - v->since;
        v->ran += w->now - v->since;
        v->since = w->now;
    }
}

static void compute_end(struct workload *w, struct vcpu_row *v)
{
    charge(w, v);
    if (v->computes)
        step_add(w, v, (struct step){ .kind = STEP_COMPUTE, .time = v->computes });
    v->computes = 0;
}

/* v wants a pCPU from now on: woken by somebody, or its time had come. */
static void wants(struct workload *w, struct vcpu_row *v, bool by_event)
{
    struct vcpu_row *by = by_event ? vcpu_of(w, w->sender) : NULL;

    if (by && by != v && by->running) {
        step_add(w, v, (struct step){ .kind = STEP_BLOCK });
        compute_end(w, by);
        step_add(w, by, (struct step){ .kind = STEP_WAKE, .who = v->row.key });
    } else if (w->now > v->since) {
        step_add(w, v, (struct step){ .kind = STEP_SLEEP, .time = w->now - v->since });
    }
    v->wants = true;
    v->since = w->now;
}

static void runstate(struct workload *w, const struct trace_record *rec)
{
    struct vcpu_row *v = vcpu_of(w, EXPORT_KEY(rec->who.domain, rec->who.vcpu));
    const uint64_t new = rec->arg[1], why = rec->arg[2];
    const bool sent = rec->at.insns == w->sent_at.insns && rec->at.step == w->sent_at.step;

    if (!v)
        return;
    charge(w, v);
    if (new == 0 || new == 1) {
        if (!v->wants)
            wants(w, v, why == TRACE_RUN_EVENT && sent);
        if (!v->running && new == 0 && w->now > v->since)
            v->waited += w->now - v->since;
        v->running = new == 0;
        v->since = w->now;
    } else if (v->wants && why != TRACE_RUN_MIGRATING) {
        compute_end(w, v);
        v->running = v->wants = false;
        v->since = w->now;
    }
}

static void *begin(FILE *out, const struct export_about *about)
{
    struct workload *w = calloc(1, sizeof(*w));

    if (!w)
        return NULL;
    w->out = out;
    w->about = about;
    w->vcpus.size = sizeof(struct vcpu_row);
    w->sent_at.insns = UINT64_MAX;
    return w;
}

static void record(void *state, const struct trace_record *rec)
{
    struct workload *w = state;

    if (!w->begun)
        w->begin = w->now = rec->time;
    w->begun = true;
    if (rec->time > w->now)
        w->now = rec->time;
    if (rec->pcpu >= w->pcpus && rec->pcpu < MACHINE_MAX_PCPUS)
        w->pcpus = rec->pcpu + 1u;
    switch (rec->event) {
    case TRC_evtchn_send:
        w->sender = EXPORT_KEY(rec->who.domain, rec->who.vcpu);
        w->sent_at = rec->at;
        break;
    case TRC_runstate:
        w->runstates++;
        runstate(w, rec);
        break;
    case TRC_sched_switch: w->switches++; break;
    default: break;
    }
}

/* --- the file --- */

/* "web", or "d3": names in a workload are of letters, digits, _ and -. No two domains have the same. */
static const char *name_of(const struct workload *w, uint32_t key, char name[EXPORT_NAME])
{
    static const char good[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
    const unsigned int dom = key >> 16;
    const char *guest = dom ? w->about->guest(w->about->data, dom - 1) : "dom0";

    if (guest && *guest && strlen(guest) < 16 && !guest[strspn(guest, good)])
        snprintf(name, EXPORT_NAME, dom ? "%s-d%u" : "%s", guest, dom);
    else
        snprintf(name, EXPORT_NAME, "d%u", dom);
    return name;
}

static const char *step_text(const struct workload *w, const struct step *s, char text[EXPORT_NAME + 32])
{
    char name[EXPORT_NAME];

    switch (s->kind) {
    case STEP_COMPUTE: snprintf(text, EXPORT_NAME + 32, "compute %" PRId64 "ns", s->time); break;
    case STEP_SLEEP: snprintf(text, EXPORT_NAME + 32, "sleep %" PRId64 "ns", s->time); break;
    case STEP_BLOCK: return "block";
    case STEP_WAKE: snprintf(text, EXPORT_NAME + 32, "wake %s.%u", name_of(w, s->who, name), s->who & 0xffff); break;
    }
    return text;
}

static void put_program(const struct workload *w, const struct vcpu_row *v)
{
    char text[EXPORT_NAME + 32];
    size_t column = LINE;

    for (size_t i = 0; i < v->nr; i++) {
        const char *step = step_text(w, &v->step[i], text);

        if (column + strlen(step) > LINE) {
            fputs(" \\\n   ", w->out);
            column = 3;
        }
        column += (size_t)fprintf(w->out, " %s%s", step, i + 1 < v->nr ? "," : "");
    }
    fputc('\n', w->out);
}

/* Of one domain, whose vCPUs are rows i to i + nr - 1. */
static void put_domain(const struct workload *w, size_t i, size_t nr)
{
    const struct vcpu_row *last = (const struct vcpu_row *)w->vcpus.row[i + nr - 1];
    const unsigned int vcpus = (last->row.key & 0xffff) + 1;
    char name[EXPORT_NAME];

    name_of(w, last->row.key, name);
    fprintf(w->out, "domain %s vcpus=%u : block\n", name, vcpus);
    for (size_t k = i; k < i + nr; k++) {
        const struct vcpu_row *v = (const struct vcpu_row *)w->vcpus.row[k];

        fprintf(w->out, "vcpu %s.%u :", name, v->row.key & 0xffff);
        put_program(w, v);
    }
}

static void put_shares(const struct workload *w, s_time_t length)
{
    char name[EXPORT_NAME];

    fputs("\n# What they had of a pCPU, and how long they waited for one:\n", w->out);
    for (size_t i = 0; i < w->vcpus.nr; i++) {
        const struct vcpu_row *v = (const struct vcpu_row *)w->vcpus.row[i];
        const double share = (double)v->ran / (double)length;

        name_of(w, v->row.key, name);
        fprintf(w->out, "# %s.%u: ran %.2f %%, waited %.2f %%\n", name, v->row.key & 0xffff, 100 * share,
                100 * (double)v->waited / (double)length);
        fprintf(w->out, "expect share %s.%u >= %.4f\n", name, v->row.key & 0xffff,
                share > TOLERANCE ? share - TOLERANCE : 0);
        fprintf(w->out, "expect share %s.%u <= %.4f\n", name, v->row.key & 0xffff, share + TOLERANCE);
    }
}

/* What is open at the end. */
static void close_all(struct workload *w)
{
    for (size_t i = 0; i < w->vcpus.nr; i++) {
        struct vcpu_row *v = (struct vcpu_row *)w->vcpus.row[i];

        if (v->wants)
            compute_end(w, v);
        step_add(w, v, (struct step){ .kind = STEP_BLOCK }); /* to the end, and if it has done nothing */
    }
}

static const char *lacks(void *state)
{
    const struct workload *w = state;

    if (!w->begun)
        return "the trace has no record";
    return w->runstates ? NULL
                        : "the trace has no record \"runstate\", so nobody knows who ran when: was it --trace-filter?";
}

static bool end(void *state)
{
    struct workload *w = state;
    const s_time_t length = w->now > w->begin ? w->now - w->begin : 1;
    const bool failed = (close_all(w), w->failed || w->vcpus.failed);

    if (!failed) {
        fprintf(w->out,
                "# A recorded run, as a workload: xenlab sched --policy POLICY --workload FILE\n"
                "# Weights, caps and affinities are not in a trace. %" PRIu64 " context switches.\n"
                "pcpus %u\ntime %" PRId64 "ns\n\n",
                w->switches, w->pcpus ?: 1, length);
        for (size_t i = 0, nr; i < w->vcpus.nr; i += nr) {
            for (nr = 1; i + nr < w->vcpus.nr && w->vcpus.row[i + nr]->key >> 16 == w->vcpus.row[i]->key >> 16; nr++)
                ;
            put_domain(w, i, nr);
        }
        put_shares(w, length);
    }
    for (size_t i = 0; i < w->vcpus.nr; i++)
        free(((struct vcpu_row *)w->vcpus.row[i])->step);
    export_rows_free(&w->vcpus);
    free(w);
    return !failed;
}

const struct export_format export_workload = {
    .name = "workload",
    .help = "a workload for xenlab sched, with the shares that the run had",
    .is_text = true,
    .begin = begin,
    .record = record,
    .lacks = lacks,
    .end = end,
};
