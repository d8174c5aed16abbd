// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A trace for Perfetto (ui.perfetto.dev) and chrome://tracing: the Trace Event Format, JSON.
 *
 * Concept: a domain is a process, a vCPU a thread of it; the computer is one more process, with a thread a pCPU. What
 * takes time is a slice, and slices of a thread nest:
 *
 *   running                                             | blocked            what the scheduler thinks of the vCPU
 *     xen       | kernel   | xen              | kernel  |                    what it executes
 *       iret    |          |   mmu_update     |         |                    the hypercall
 *
 * Sends are slices without length on both threads, and an arrow between them (a flow, the record's `flow`). What else
 * happens is an instant event. Each has its record as arguments. Instructions retired are a counter.
 *
 * Invariants: Perfetto puts slices together by their order alone, and what overlaps without nesting comes out wrong
 * (its issue 4280). So on a thread times never fall, a slice ends before the next one of its depth begins, and in front
 * of the one that it lies in; at the end all are closed. Process and thread numbers: d0 is process 1, since Perfetto
 * takes 0 for the idle process; threads of different processes have different numbers.
 */
#include "ui/export/export.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define MOST_DEPTH    8       /* of slices in each other on a thread */
#define COMPUTER      0x10000 /* its process number: behind all domains' */
#define DEPTH_RUNNING 1
#define DEPTH_MODE    2

struct thread {
    struct export_row row;
    struct export_clock clock;
    unsigned int pid, tid;
    unsigned int depth;        /* open slices: runstate, mode, hypercalls */
    uint64_t call[MOST_DEPTH]; /* of those that are hypercalls, the number */
    uint8_t mode;              /* of the slice at DEPTH_MODE */
    bool is_running;           /* the slice below */
    bool is_idle;              /* of a pCPU */
};

struct perfetto {
    FILE *out;
    const struct export_about *about;
    struct export_clocks clocks;
    struct export_rows threads, processes;
    struct thread pcpu[MACHINE_MAX_PCPUS];
    bool is_first;
    s_time_t counted; /* when the counter was written */
    uint64_t sent_flow;
    s_time_t sent; /* when the last sending was */
};

/* --- writing --- */

/* A guest's name: whoever made the file has chosen it. */
static void put_name(FILE *out, const char *name)
{
    fputc('"', out);
    for (; *name; name++)
        if (*name < ' ' || *name >= 0x7f || *name == '"' || *name == '\\')
            fputc('?', out);
        else
            fputc(*name, out);
    fputc('"', out);
}

/* The beginning of an event, which the caller ends with "}". */
static void event(struct perfetto *p, char phase, const struct thread *t, s_time_t now)
{
    fprintf(p->out, "%s{\"ph\":\"%c\",\"pid\":%u,\"tid\":%u,\"ts\":%" PRId64 ".%03u", p->is_first ? "\n" : ",\n", phase,
            t->pid, t->tid, now / 1000, (unsigned int)(now % 1000));
    p->is_first = false;
}

static void put_args(struct perfetto *p, const struct trace_record *rec)
{
    char text[TRACE_JSON_SIZE];
    const size_t len = trace_format_json(rec, text);

    fprintf(p->out, ",\"args\":%.*s}", (int)len, text);
}

static void put_metadata(struct perfetto *p, const char *what, unsigned int pid, unsigned int tid, const char *name)
{
    fprintf(p->out,
            "%s{\"ph\":\"M\",\"pid\":%u,\"tid\":%u,\"name\":\"%s\",\"args\":{\"name\":", p->is_first ? "\n" : ",\n",
            pid, tid, what);
    put_name(p->out, name);
    fputs("}}", p->out);
    p->is_first = false;
}

static void begin(struct perfetto *p, struct thread *t, s_time_t now, const char *category, const char *name,
                  const struct trace_record *rec)
{
    event(p, 'B', t, now);
    fprintf(p->out, ",\"cat\":\"%s\",\"name\":\"%s\"", category, name);
    put_args(p, rec);
    t->depth++;
}

/* End what is open, but for `depth` slices. */
static void end_to(struct perfetto *p, struct thread *t, s_time_t now, unsigned int depth)
{
    for (; t->depth > depth; t->depth--) {
        event(p, 'E', t, now);
        fputc('}', p->out);
    }
}

/* --- threads --- */

static struct thread *thread_of(struct perfetto *p, unsigned int dom, unsigned int vcpu)
{
    struct thread *t = export_row(&p->threads, EXPORT_KEY(dom, vcpu));
    struct export_row *process = export_row(&p->processes, dom);
    char name[EXPORT_NAME];

    if (!t || !process || t->pid)
        return t && process ? t : NULL;
    t->pid = dom + 1;
    t->tid = t->pid << 16 | vcpu;
    put_metadata(p, "process_name", t->pid, t->tid, export_domain_name(p->about, dom, name));
    snprintf(name, sizeof(name), "d%uv%u", dom, vcpu);
    put_metadata(p, "thread_name", t->pid, t->tid, name);
    return t;
}

static struct thread *thread_of_pcpu(struct perfetto *p, unsigned int pcpu)
{
    struct thread *t = &p->pcpu[pcpu];
    char name[16];

    if (t->pid)
        return t;
    t->pid = COMPUTER;
    t->tid = pcpu + 1;
    put_metadata(p, "process_name", t->pid, t->tid, "computer");
    snprintf(name, sizeof(name), "pCPU %u", pcpu);
    put_metadata(p, "thread_name", t->pid, t->tid, name);
    return t;
}

static void count(struct perfetto *p, const struct trace_record *rec, s_time_t now)
{
    struct thread *t = thread_of_pcpu(p, rec->pcpu);

    if (now > p->counted)
        p->counted = now;
    event(p, 'C', t, p->counted);
    fprintf(p->out, ",\"name\":\"instructions\",\"args\":{\"retired\":%" PRIu64 "}}", rec->at.insns);
}

/* --- what takes time --- */

/* From now on the vCPU is in this mode; that it runs is known by that, too. */
static void enter_mode(struct perfetto *p, struct thread *t, s_time_t now, uint8_t mode, const struct trace_record *rec)
{
    if (!t->depth || !t->is_running) {
        end_to(p, t, now, 0);
        begin(p, t, now, "runstate", "running", rec);
        t->is_running = true;
    }
    end_to(p, t, now, DEPTH_RUNNING);
    begin(p, t, now, "mode", trace_value_name(TRACE_TYPE_mode, mode), rec);
    t->mode = mode;
}

static void on_runstate(struct perfetto *p, struct thread *t, s_time_t now, const struct trace_record *rec)
{
    const char *name = trace_value_name(TRACE_TYPE_runstate, rec->arg[1]);

    end_to(p, t, now, 0);
    t->is_running = rec->arg[1] == 0;
    begin(p, t, now, "runstate", name ? name : "unknown", rec);
    if (t->is_running)
        enter_mode(p, t, now, TRACE_MODE_XEN, rec);
}

static void on_other(struct perfetto *p, const struct thread *t, s_time_t now, const struct trace_record *rec)
{
    event(p, 'i', t, now);
    fprintf(p->out, ",\"cat\":\"record\",\"s\":\"t\",\"name\":\"%s\"", trace_event_name((enum trace_event)rec->event));
    put_args(p, rec);
}

static void on_hypercall(struct perfetto *p, struct thread *t, s_time_t now, const struct trace_record *rec)
{
    const struct trace_names *subs = trace_subops(rec->arg[0]);
    const char *call = trace_value_name(TRACE_TYPE_hypercall, rec->arg[0]);
    const char *sub = subs && rec->arg[1] < subs->nr ? subs->name[rec->arg[1]] : NULL;
    char name[80];

    if (call)
        snprintf(name, sizeof(name), sub ? "%s.%s" : "%s", call, sub);
    else
        snprintf(name, sizeof(name), "hypercall %" PRIu64, rec->arg[0]);
    if (t->depth < DEPTH_MODE)
        enter_mode(p, t, now, rec->who.mode == TRACE_MODE_NATIVE ? TRACE_MODE_NATIVE : TRACE_MODE_XEN, rec);
    if (t->depth == MOST_DEPTH) { /* no guest's do: a multicall in none */
        on_other(p, t, now, rec);
        return;
    }
    t->call[t->depth] = rec->arg[0];
    begin(p, t, now, "hypercall", name, rec);
}

/* The end of the last call of this number; if its beginning is not known, or it was left for others, only that. */
static void on_hypercall_ret(struct perfetto *p, struct thread *t, s_time_t now, const struct trace_record *rec)
{
    unsigned int depth = t->depth;

    while (depth > DEPTH_MODE && t->call[depth - 1] != rec->arg[0])
        depth--;
    if (depth <= DEPTH_MODE) {
        on_other(p, t, now, rec);
        return;
    }
    end_to(p, t, now, depth);
    event(p, 'E', t, now);
    put_args(p, rec);
    t->depth--;
}

/* An end of a sending's arrow. */
static void on_flow(struct perfetto *p, struct thread *t, s_time_t now, const struct trace_record *rec)
{
    const bool out = rec->event == TRC_evtchn_send;
    const unsigned int depth = t->depth;
    char name[40];

    snprintf(name, sizeof(name), "%s port %" PRIu64, out ? "send" : "pending", rec->arg[0]);
    event(p, 'B', t, now);
    fprintf(p->out, ",\"cat\":\"event\",\"name\":\"%s\",\"bind_id\":\"0x%" PRIx64 "\",\"flow_%s\":true", name,
            rec->arg[5], out ? "out" : "in");
    put_args(p, rec);
    t->depth++;
    end_to(p, t, now, depth);
}

static void on_switch(struct perfetto *p, s_time_t now, const struct trace_record *rec)
{
    struct thread *t = thread_of_pcpu(p, rec->pcpu);
    char name[40];

    end_to(p, t, now, 0);
    if (rec->arg[1] == TRACE_NONE)
        snprintf(name, sizeof(name), "idle");
    else
        snprintf(name, sizeof(name), "d%" PRIu64 "v%" PRIu64, TRACE_VCPU_DOM(rec->arg[1]), TRACE_VCPU_NR(rec->arg[1]));
    begin(p, t, now, "pcpu", name, rec);
    count(p, rec, now);
}

/* --- the operations --- */

static void *perfetto_begin(FILE *out, const struct export_about *about)
{
    struct perfetto *p = calloc(1, sizeof(*p));

    if (!p)
        return NULL;
    p->out = out;
    p->about = about;
    p->threads.size = sizeof(struct thread);
    p->processes.size = sizeof(struct export_row);
    p->is_first = true;
    fputs("{\"displayTimeUnit\":\"ns\",\"traceEvents\":[", out);
    return p;
}

static void perfetto_record(void *state, const struct trace_record *rec)
{
    struct perfetto *p = state;
    struct thread *t = rec->who.domain == TRACE_NO_DOMAIN ? NULL : thread_of(p, rec->who.domain, rec->who.vcpu);
    s_time_t now;

    if (p->threads.failed || p->processes.failed)
        return;
    if (rec->event == TRC_sched_switch || !t) {
        /* Of a pCPU; the vCPU that it names sees it with its next record. */
        now = export_time(&p->clocks, NULL, rec);
        if (rec->event == TRC_sched_switch)
            on_switch(p, now, rec);
        else
            on_other(p, thread_of_pcpu(p, rec->pcpu), now, rec);
        return;
    }
    now = export_time(&p->clocks, &t->clock, rec);
    if (rec->who.mode == TRACE_MODE_NATIVE && (t->depth < DEPTH_MODE || t->mode != TRACE_MODE_NATIVE))
        enter_mode(p, t, now, TRACE_MODE_NATIVE, rec);
    switch (rec->event) {
    case TRC_runstate: on_runstate(p, t, now, rec); break;
    case TRC_exit:
        enter_mode(p, t, now, TRACE_MODE_XEN, rec);
        count(p, rec, now);
        break;
    case TRC_resume: enter_mode(p, t, now, rec->who.mode, rec); break;
    case TRC_hypercall: on_hypercall(p, t, now, rec); break;
    case TRC_hypercall_ret: on_hypercall_ret(p, t, now, rec); break;
    case TRC_evtchn_send: on_flow(p, t, now, rec); break;
    case TRC_evtchn_pending:
        if (rec->arg[5] != TRACE_NONE) {
            on_flow(p, t, now, rec);
            break;
        }
        /* fall through */
    default: on_other(p, t, now, rec);
    }
}

static bool perfetto_end(void *state)
{
    struct perfetto *p = state;
    const bool good = !p->threads.failed && !p->processes.failed;

    for (size_t i = 0; i < p->threads.nr; i++) {
        struct thread *t = (struct thread *)p->threads.row[i];

        end_to(p, t, t->clock.last, 0);
    }
    for (unsigned int i = 0; i < MACHINE_MAX_PCPUS; i++)
        end_to(p, &p->pcpu[i], p->clocks.pcpu[i], 0);
    fputs("\n]}\n", p->out);
    export_rows_free(&p->threads);
    export_rows_free(&p->processes);
    free(p);
    return good;
}

const struct export_format export_perfetto = {
    .name = "perfetto",
    .help = "JSON for ui.perfetto.dev: slices, arrows, a counter",
    .is_text = true,
    .begin = perfetto_begin,
    .record = perfetto_record,
    .end = perfetto_end,
};
