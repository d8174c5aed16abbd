// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * `--bench`: what the scheduler gave the guests, beside what it gives their like on the workbench.
 *
 * Concept: while the guests run, what their vCPUs do is kept (ui/export/recorded.h); in the end it is a workload, or
 * --bench-workload is, which the workbench runs under the same scheduler with the same parameters and seed.
 */
#include "ui/run/run.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tools/user_file.h"
#include "tools/workbench/beside.h"
#include "ui/export/recorded.h"
#include "ui/start.h"

struct run_beside {
    struct run *run;
    const struct guest_list *guests;
    struct recorded recorded;
    struct export_about about;
    void (*next)(void *data, const struct trace_record *rec); /* --trace; or NULL */
    void *next_data;
    int workload; /* --bench-workload; -1: none */
    struct user_file_output json;
};

static const char *guest_name(const void *data, size_t i)
{
    const struct guest_list *l = data;

    return i < l->nr_names ? l->names[i] : NULL;
}

static void on_record(void *data, const struct trace_record *rec)
{
    struct run_beside *b = data;

    recorded_take(&b->recorded, rec);
    if (b->next)
        b->next(b->next_data, rec);
}

int run_beside_start(struct run *r, const struct guest_list *l)
{
    const struct run_options *o = r->opt;
    struct run_beside *b;
    char why[256];

    if (!o->bench && !o->bench_workload && !o->bench_json)
        return 0;
    b = calloc(1, sizeof(*b));
    BUG_ON(!b);
    r->beside = b;
    b->run = r;
    b->guests = l;
    b->workload = b->json.fd = -1;
    b->about = (struct export_about){ guest_name, l };
    recorded_init(&b->recorded, &b->about);
    if (o->bench_workload && (b->workload = user_file_open(o->bench_workload, why, sizeof(why))) < 0) {
        snprintf(r->err, RUN_ERR_SIZE, "--bench-workload: %.300s: %s", o->bench_workload, why);
        return -1;
    }
    if (o->bench_json && (guest_list_reads(l, o, o->bench_json) || user_file_is_open(o->bench_json, b->workload))) {
        snprintf(r->err, RUN_ERR_SIZE,
                 "--bench-json: %.300s is a file that is read: what is written would take its place", o->bench_json);
        return -1;
    }
    if (o->bench_json && user_file_output_open(&b->json, o->bench_json, why, sizeof(why))) {
        snprintf(r->err, RUN_ERR_SIZE, "--bench-json: %.300s: %s", o->bench_json, why);
        return -1;
    }
    b->next = host_machine(r->host)->edges->trace.sink;
    b->next_data = host_machine(r->host)->edges->trace.data;
    host_trace(r->host, on_record, b);
    return 0;
}

/* Of the machine, in the order of its domains. To be freed. */
static struct beside_vcpu *machine_vcpus(const struct recorded *w)
{
    struct beside_vcpu *all = calloc(w->vcpus.nr + 1, sizeof(*all));
    char name[EXPORT_NAME];

    BUG_ON(!all);
    for (size_t i = 0; i < w->vcpus.nr; i++) {
        const struct recorded_vcpu *v = (const struct recorded_vcpu *)w->vcpus.row[i];
        const unsigned int dom = v->row.key >> 16, id = v->row.key & 0xffff;
        const char *guest = dom ? guest_name(w->about->data, dom - 1) : "dom0";

        snprintf(all[i].name, sizeof(all[i].name), "%s.%u", recorded_name(w, v->row.key, name), id);
        snprintf(all[i].also, sizeof(all[i].also), "%.50s.%u", guest ? guest : "", id);
        all[i].run = v->ran;
        all[i].wait = v->waited;
        all[i].switches = v->switches;
        all[i].migrations = v->migrations;
    }
    return all;
}

/* The stream of the workload: the user's, or what was recorded, in *text. NULL: no memory. */
static FILE *workload_stream(struct run_beside *b, unsigned int pcpus, char **text)
{
    size_t len = 0;
    FILE *f;

    if (b->workload >= 0) {
        f = fdopen(b->workload, "r");
        b->workload = f ? -1 : b->workload;
        return f;
    }
    f = open_memstream(text, &len);
    if (!f)
        return NULL;
    recorded_workload(&b->recorded, pcpus, f);
    return fclose(f) ? NULL : fmemopen(*text, len, "r");
}

static void compare(struct run *r, struct run_beside *b, FILE *table, FILE *json)
{
    const struct run_options *o = r->opt;
    const unsigned int pcpus = start_pcpus(o, b->guests);
    struct beside_vcpu *vcpus = machine_vcpus(&b->recorded);
    char *text = NULL, why[BESIDE_WHY];
    FILE *workload = workload_stream(b, pcpus, &text);
    struct snapshot s;
    int rc;

    host_snapshot(r->host, &s);
    const struct beside compared = { .policy = o->sched ? o->sched : "credit2",
                                     .seed = o->seed,
                                     .pcpus = pcpus,
                                     .workload = workload,
                                     .name = o->bench_workload ? o->bench_workload : "the recorded run",
                                     .time = recorded_length(&b->recorded),
                                     .switches = b->recorded.switches,
                                     .decisions = s.decisions,
                                     .vcpu = vcpus,
                                     .nr = b->recorded.vcpus.nr };
    rc = workload ? workbench_beside(&compared, table, json, why) : 1;
    if (!workload)
        snprintf(why, sizeof(why), "%s", strerror(errno));
    if (rc)
        snprintf(r->err, RUN_ERR_SIZE, "--bench: %s", why);
    r->outcome.policy |= rc == 2;
    r->outcome.failed |= rc == 1;
    if (workload)
        fclose(workload);
    free(text);
    free(vcpus);
}

static void show(struct run *r)
{
    struct run_beside *b = r->beside;
    char *text = NULL;
    size_t len = 0;
    FILE *out, *json = NULL;

    if (!r->host || r->outcome.failed || run_policy_over(r) || !recorded_close(&b->recorded))
        return;
    out = open_memstream(&text, &len);
    if (r->opt->bench_json)
        json = user_file_output_start(&b->json);
    if (out && (json || !r->opt->bench_json))
        compare(r, b, out, json);
    if (out)
        fclose(out);
    if (r->opt->bench_json && (!json || fflush(json) | ferror(json) | fclose(json))) {
        snprintf(r->err, RUN_ERR_SIZE, "--bench-json: %.300s: %s", r->opt->bench_json, strerror(errno));
        r->outcome.failed = true;
    }
    if (text)
        console_message(&r->console, text, len);
    free(text);
}

void run_beside_end(struct run *r)
{
    struct run_beside *b = r->beside;

    if (!b)
        return;
    show(r);
    if (r->opt->bench_json)
        user_file_output_close(&b->json, r->opt->bench_json);
    recorded_free(&b->recorded);
    free(b);
    r->beside = NULL;
}
