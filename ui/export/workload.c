// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A trace as a workload of the scheduler workbench (docs/workbench.md): what vCPUs did, for another policy to try.
 *
 * Concept: what each vCPU did is its program (ui/export/recorded.h). What its scheduler was told of it, before it first
 * wanted a pCPU, stands in its line: weight, cap, period, budget, extratime, affinities; and what it was told later is
 * an event, `at TIME weight ...`. What nobody told has Xen's defaults, of which the workbench has others in one case:
 * under rtds a domain may have what others leave.
 *
 * In the file stand also the shares that the run had, as expectations: under the run's own policy they say how far the
 * model and the run agree.
 */
#include "ui/export/recorded.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define TOLERANCE 0.01 /* of a pCPU, for the shares */
#define LINE      100  /* columns, where a program goes on in the next line */

static const char *step_text(const struct recorded *w, const struct recorded_step *s, char text[EXPORT_NAME + 32])
{
    char name[EXPORT_NAME];

    switch (s->kind) {
    case STEP_COMPUTE: snprintf(text, EXPORT_NAME + 32, "compute %" PRId64 "ns", s->time); break;
    case STEP_SLEEP: snprintf(text, EXPORT_NAME + 32, "sleep %" PRId64 "ns", s->time); break;
    case STEP_BLOCK: return "block";
    case STEP_FOREVER: return "compute forever";
    case STEP_WAKE:
        snprintf(text, EXPORT_NAME + 32, "wake %s.%u", recorded_name(w, s->who, name), s->who & 0xffff);
        break;
    }
    return text;
}

static void put_program(const struct recorded *w, const struct recorded_vcpu *v, FILE *out)
{
    char text[EXPORT_NAME + 32];
    size_t column = LINE;

    for (size_t i = 0; i < v->nr; i++) {
        const char *step = step_text(w, &v->step[i], text);

        if (column + strlen(step) > LINE) {
            fputs(" \\\n   ", out);
            column = 3;
        }
        column += (size_t)fprintf(out, " %s%s", step, i + 1 < v->nr ? "," : "");
    }
    fputc('\n', out);
}

/* --- parameters --- */

static const char *const words[] = {
    [TRACE_SCHED_WEIGHT] = "weight", [TRACE_SCHED_CAP] = "cap",   [TRACE_SCHED_PERIOD] = "period",
    [TRACE_SCHED_BUDGET] = "budget", [TRACE_SCHED_HARD] = "hard", [TRACE_SCHED_EXTRATIME] = "extratime",
    [TRACE_SCHED_SOFT] = "soft",
};

static bool of_vcpu(enum trace_sched_param what) { return what == TRACE_SCHED_HARD || what == TRACE_SCHED_SOFT; }

/* "0,2" of pCPUs that a workload may have; "all". */
static void put_mask(uint64_t mask, FILE *out)
{
    const uint64_t there = (UINT64_C(1) << MACHINE_MAX_PCPUS) - 1;
    const char *comma = "";

    if ((mask & there) == there) {
        fputs("all", out);
        return;
    }
    for (unsigned int i = 0; i < MACHINE_MAX_PCPUS; i++)
        if (mask >> i & 1) {
            fprintf(out, "%s%u", comma, i);
            comma = ",";
        }
}

static void put_value(const struct recorded_param *p, FILE *out)
{
    if (of_vcpu(p->what))
        put_mask(p->value, out);
    else
        fprintf(out, "%" PRIu64 "%s", p->value,
                p->what == TRACE_SCHED_PERIOD || p->what == TRACE_SCHED_BUDGET ? "us" : "");
}

/* What a line of key (a vCPU's, or with `domain` a domain's) says: of each the last before the vCPU wanted a pCPU. */
static bool put_params(const struct recorded *w, uint32_t key, bool domain, FILE *out)
{
    bool extratime = false;

    for (int what = 0; what < (int)ARRAY_SIZE(words); what++) {
        const struct recorded_param *last = NULL;

        for (size_t i = 0; i < w->nr_params; i++) {
            const struct recorded_param *p = &w->param[i];

            if (p->first && (int)p->what == what && (domain ? p->key >> 16 == key >> 16 : p->key == key))
                last = p;
        }
        if (!last || of_vcpu(last->what) == domain)
            continue;
        extratime |= what == TRACE_SCHED_EXTRATIME;
        fprintf(out, " %s=", words[what]);
        put_value(last, out);
    }
    return extratime;
}

/* And what came later. */
static void put_events(const struct recorded *w, FILE *out)
{
    char name[EXPORT_NAME];

    for (size_t i = 0; i < w->nr_params; i++) {
        const struct recorded_param *p = &w->param[i];

        if (p->first)
            continue;
        recorded_name(w, p->key, name);
        fprintf(out, "at %" PRId64 "ns %s %s", p->at, words[p->what], name);
        if (of_vcpu(p->what))
            fprintf(out, ".%u", p->key & 0xffff);
        fputc(' ', out);
        put_value(p, out);
        fputc('\n', out);
    }
}

/* --- domains --- */

static void put_start(s_time_t start, FILE *out)
{
    if (start)
        fprintf(out, " start=%" PRId64 "ns", start);
}

/* Of one domain, whose vCPUs are rows i to i + nr - 1. */
static void put_domain(const struct recorded *w, size_t i, size_t nr, FILE *out)
{
    const struct recorded_vcpu *last = (const struct recorded_vcpu *)w->vcpus.row[i + nr - 1];
    const unsigned int vcpus = (last->row.key & 0xffff) + 1;
    char name[EXPORT_NAME];

    recorded_name(w, last->row.key, name);
    fprintf(out, "domain %s vcpus=%u", name, vcpus);
    if (!put_params(w, last->row.key, true, out))
        fputs(" extratime=1", out);
    put_start(((const struct recorded_vcpu *)w->vcpus.row[i])->made, out);
    fputs(" : block\n", out);
    for (size_t k = i; k < i + nr; k++) {
        const struct recorded_vcpu *v = (const struct recorded_vcpu *)w->vcpus.row[k];

        fprintf(out, "vcpu %s.%u", name, v->row.key & 0xffff);
        put_params(w, v->row.key, false, out);
        put_start(v->start, out);
        fputs(" :", out);
        put_program(w, v, out);
    }
}

static void put_shares(const struct recorded *w, s_time_t length, FILE *out)
{
    char name[EXPORT_NAME];

    fputs("\n# What they had of a pCPU, and how long they waited for one:\n", out);
    for (size_t i = 0; i < w->vcpus.nr; i++) {
        const struct recorded_vcpu *v = (const struct recorded_vcpu *)w->vcpus.row[i];
        const double share = (double)v->ran / (double)length;

        recorded_name(w, v->row.key, name);
        fprintf(out, "# %s.%u: ran %.2f %%, waited %.2f %%\n", name, v->row.key & 0xffff, 100 * share,
                100 * (double)v->waited / (double)length);
        fprintf(out, "expect share %s.%u >= %.4f\n", name, v->row.key & 0xffff,
                share > TOLERANCE ? share - TOLERANCE : 0);
        fprintf(out, "expect share %s.%u <= %.4f\n", name, v->row.key & 0xffff, share + TOLERANCE);
    }
}

void recorded_workload(const struct recorded *w, unsigned int pcpus, FILE *out)
{
    const s_time_t length = recorded_length(w);

    fprintf(out,
            "# A recorded run, as a workload: xenlab sched --policy POLICY --workload FILE\n"
            "# %" PRIu64 " context switches.\npcpus %u\ntime %" PRId64 "ns\n\n",
            w->switches, pcpus ?: w->pcpus ?: 1, length);
    for (size_t i = 0, nr; i < w->vcpus.nr; i += nr) {
        for (nr = 1; i + nr < w->vcpus.nr && w->vcpus.row[i + nr]->key >> 16 == w->vcpus.row[i]->key >> 16; nr++)
            ;
        put_domain(w, i, nr, out);
    }
    put_events(w, out);
    put_shares(w, length, out);
}

/* --- the format --- */

struct workload {
    struct recorded recorded;
    FILE *out;
};

static void *begin(FILE *out, const struct export_about *about)
{
    struct workload *w = calloc(1, sizeof(*w));

    if (!w)
        return NULL;
    w->out = out;
    recorded_init(&w->recorded, about);
    return w;
}

static void record(void *state, const struct trace_record *rec)
{
    recorded_take(&((struct workload *)state)->recorded, rec);
}

static const char *lacks(void *state)
{
    const struct recorded *w = &((const struct workload *)state)->recorded;

    if (!w->begun)
        return "the trace has no record";
    return w->runstates ? NULL
                        : "the trace has no record \"runstate\", so nobody knows who ran when: was it --trace-filter?";
}

static bool end(void *state)
{
    struct workload *w = state;
    const bool good = recorded_close(&w->recorded);

    if (good)
        recorded_workload(&w->recorded, 0, w->out);
    recorded_free(&w->recorded);
    free(w);
    return good;
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
