// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * `xenlab sched`: the scheduler workbench's command line.
 *
 * Concept: policy + workload -> report. The policy is one of the built-in ones by name, or a shared object by path,
 * which then runs in a process of its own (remote.h). The workload is a text file (docs/workbench.md). The report is a
 * table, JSON or a chart. The same three inputs always give the same output, byte for byte.
 *
 * What is expected of the policy (tools/expect/expect.h) may take more runs than the one that is reported, with
 * other seeds, other policies, or a part of the time: these are *probes*. They come before it, or, for what it shows
 * not to hold, when it has ended.
 *
 * Budget: what may go wrong with files, a run, or a policy's process is said here, each in words of its own.
 */
#include "tools/workbench/workbench.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/printable.h"
#include "tools/user_file.h"
#include "tools/workbench/args.h"
#include "tools/workbench/expected.h"
#include "tools/workbench/guest_policy.h"
#include "tools/workbench/load.h"
#include "tools/workbench/remote.h"
#include "tools/workbench/report.h"
#include "vcpu/sched/names.h"

#define DEFAULT_TIME SECONDS(1)
#define MAX_SPANS    200000
#define SAID_SIZE    1024

struct options {
    struct wb_args args;
    char *object; /* the policy is this file; NULL: one of the built-in ones */
    char *text;   /* the workload as it is in its file, */
    size_t len;
    int fd;     /* which is open; */
    FILE *file; /* and with its settings: it is read twice */
    struct sweep_run run;
    int argc; /* the command's, behind its name */
    char **argv;
    struct user_file_output svg;
    struct wb_remote *remote; /* the process of `object` */
    struct expects *expects;
    struct user_file_output junit, asked;
    struct expect_probe *probe; /* this is one; NULL: the run that is reported */
    char *said;                 /* SAID_SIZE: what complain() has said last */
};

static int __attribute__((format(printf, 2, 3))) complain(const struct options *o, const char *fmt, ...)
{
    char text[SAID_SIZE];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    make_printable(text, strlen(text), true);
    fflush(stdout);
    memcpy(o->said, text, sizeof(text));
    fprintf(stderr, "xenlab: %s\n", text);
    return 1;
}

/* --- results of sweeps --- */

/* What is of the command, of a run or a job, and the end of its JSON. */
static void json_end(const struct options *o, FILE *f)
{
    uint64_t id = 0;

    if (o->args.sweep.job) {
        id = sweep_id_bytes(sweep_id_words(0, o->argc, o->argv), o->text, o->len);
        id = sweep_id_file(sweep_id_file(id, o->args.expect), o->object);
    }
    fputs(",\"workload\":", f);
    sweep_json_text(o->args.workload, f);
    fprintf(f, ",\"seed\":%llu", (unsigned long long)o->args.seed);
    sweep_json(&o->args.sweep, &o->run, id, f);
    fputs("}\n", f);
}

/* A job's: of a run that has ended; or (wb NULL) why it has none, the policy's fault. */
static int result_write(const struct options *o, struct wb *wb, const struct wb_figures *fig)
{
    char *text = NULL, why[SWEEP_WHY] = "";
    size_t len = 0;
    FILE *f = open_memstream(&text, &len);
    bool ok;

    BUG_ON(!f);
    if (wb) {
        wb_report_json(wb, fig, o->expects, f);
    } else {
        fputs("{\"kit\":\"sched\",\"policy\":", f);
        sweep_json_text(o->args.policy, f);
        fputs(",\"fault\":", f);
        sweep_json_text(o->said, f);
    }
    json_end(o, f);
    fclose(f);
    ok = sweep_result_write(&o->args.sweep, text, len, why);
    free(text);
    return ok ? 0 : complain(o, "%s", why);
}

/* --- one run --- */

static int write_svg(const struct wb *wb, const struct options *o)
{
    const s_time_t now = wb->machine.clock.now;
    const struct wb_chart chart = { .policy = o->args.policy,
                                    .workload = strcmp(o->args.workload, "-") ? o->args.workload : "standard input",
                                    .from = o->args.from,
                                    .to = o->args.to && o->args.to < now ? o->args.to : now };
    bool lost;
    FILE *f;

    if (o->args.from >= now)
        return complain(o, "--window begins at %.6g ms, when the run has ended (%.6g ms)", (double)o->args.from / 1e6,
                        (double)now / 1e6);
    f = user_file_output_start(&o->svg);
    if (!f)
        return complain(o, "cannot write %s: %s", o->args.svg, strerror(errno));
    wb_report_svg(wb, f, &chart);
    lost = ferror(f);
    if (fclose(f) || lost)
        return complain(o, "cannot write %s: %s", o->args.svg, strerror(errno));
    return 0;
}

static int policy_fault(const struct wb *wb, const struct options *o)
{
    char call[40] = "", seed[40] = "", rule[WB_FAULT_SIZE];

    if (o->remote && o->remote->gone)
        return o->remote->rc; /* there is more to say: run_object() */
    if (o->remote)
        snprintf(call, sizeof(call), ", call %llu",
                 (unsigned long long)(o->remote->fault_call ? o->remote->fault_call : o->remote->calls));
    if (o->probe)
        snprintf(seed, sizeof(seed), ", seed %llu", (unsigned long long)o->args.seed);
    complain(o, "policy %s broke a rule at %.6f ms%s%s: %s", o->args.policy, (double)wb->machine.clock.now / 1e6, call,
             seed, wb_fault(wb, rule));
    return 2;
}

/* The workload's own mistake, or the policy's. */
static int stopped(const struct wb *wb, const struct options *o)
{
    if (o->remote && o->remote->gone)
        return o->remote->rc;
    if (!wb->xen.sched->fault && wb->workload_wrong)
        return complain(o, "%s:%s", o->args.workload, wb->error);
    return policy_fault(wb, o);
}

/* A run that is looked at, and not reported. */
static int probe(struct wb *wb, const struct options *o, s_time_t time, bool *finished)
{
    struct expect_probe *p = o->probe;
    struct wb_looked l = { .wb = wb };
    const s_time_t to = p->to ?: time, from = p->from;

    if (to > time)
        return complain(o, "%s:%u: expect: it is about the time to %.6g s, and the run ends at %.6g s", p->of->file,
                        p->of->line, (double)to / 1e9, (double)time / 1e9);
    *finished = !from || wb_run(wb, from);
    if (from && *finished)
        wb_mark(wb);
    for (unsigned int i = 1; *finished && i <= p->looks; i++) {
        *finished = wb_run(wb, from + (s_time_t)((double)(to - from) * i / p->looks));
        if (!*finished)
            break;
        l.figures = wb_figures(wb);
        p->look(p, &l, wb->machine.clock.now);
    }
    if (!*finished)
        return stopped(wb, o);
    return p->why[0] ? complain(o, "%s", p->why) : 0;
}

static int run_policy(struct options *o);

/* Of struct expect_source. */
static int probe_run(void *data, struct expect_probe *p)
{
    struct options o = *(const struct options *)data;
    char *object = p->policy ? wb_object_path(p->policy) : NULL;
    int rc;

    o.probe = p;
    o.remote = NULL;
    o.args.seed = p->seed;
    o.args.svg = NULL;
    if (p->policy)
        o.args.policy = p->policy, o.object = object, o.args.decisions = 0;
    rewind(o.file);
    rc = run_policy(&o);
    free(object);
    if (p->policy && rc == 2)
        rc = complain(&o, "%s:%u: expect: so there is no limit: that is no fault of the policy that is tried",
                      p->of->file, p->of->line);
    return rc;
}

static struct expect_source source(const struct options *o)
{
    return (struct expect_source){ .metric = "metric",
                                   .metric_get = wb_expected_metric,
                                   .check = wb_expected_check,
                                   .value = wb_expected_value,
                                   .run = probe_run,
                                   .data = (void *)(uintptr_t)o };
}

static int simulate(struct wb *wb, const struct options *o, FILE *workload, bool *finished)
{
    s_time_t time = DEFAULT_TIME;
    const struct expect_source asked = source(o);
    char err[256], why[EXPECT_WHY];
    struct wb_looked l = { .wb = wb };
    int rc = 0;

    if (!wb_load(wb, workload, &time, err, sizeof(err)))
        return wb->xen.sched->fault ? policy_fault(wb, o) : complain(o, "%s:%s", o->args.workload, err);
    time = o->args.time ?: time;
    if (o->probe)
        return probe(wb, o, time, finished);
    if (o->args.svg) {
        wb->max_spans = MAX_SPANS;
        wb->record_from = o->args.from;
        wb->record_to = o->args.to ? o->args.to : INT64_MAX;
    }
    *finished = wb_run(wb, time);
    if (o->remote && o->remote->gone)
        return o->remote->rc;
    l.figures = wb_figures(wb);
    if (*finished && !expects_own(o->expects, &asked, &l, o->args.seed, wb->machine.clock.now, why))
        return complain(o, "%s", why);
    if (*finished)
        rc = expects_when(o->expects, &asked);
    if (rc)
        return rc;
    if (o->args.sweep.job && *finished)
        rc = result_write(o, wb, &l.figures);
    else if (o->args.tap && *finished)
        expects_tap(o->expects, o->args.policy, NULL, stdout);
    else if (o->args.json && !o->args.sweep.job)
        wb_report_json(wb, &l.figures, o->expects, stdout), json_end(o, stdout);
    else if (!o->args.tap && !o->args.sweep.job)
        wb_report_table(wb, &l.figures, o->expects, stdout);
    if (o->args.svg)
        rc = write_svg(wb, o);
    return *finished ? rc : stopped(wb, o);
}

/* ",param=value,param=value" behind a shared object. Its `set` knows them, nobody else does. */
static int set_params(struct wb *wb, const struct options *o)
{
    char why[512];

    return guest_policy_params(wb->xen.sched, o->args.policy + strlen(o->object), "--policy", o->object, why,
                               sizeof(why))
               ? 0
               : complain(o, "%s", why);
}

/* ops: NULL for a built-in policy. */
static int run(const struct options *o, const struct sched_ops *ops)
{
    unsigned int pcpus = 1;
    bool finished = false;
    char err[256];
    struct wb *wb;
    int rc;

    if (!ops && !sched_option_check(o->args.policy, err, sizeof(err)))
        return complain(o, "--policy: %s", err);
    if (!wb_load_pcpus(o->file, &pcpus, err, sizeof(err)))
        return complain(o, "%s:%s", o->args.workload, err);
    wb = wb_create(o->args.policy, ops, o->args.pcpus ? o->args.pcpus : pcpus, o->args.seed);
    if (!wb && ops) {
        complain(o, "policy %s: init or alloc_pdata failed", o->args.policy);
        return 2;
    }
    if (!wb)
        return complain(o, "--policy %s: out of memory", o->args.policy);
    rc = ops ? set_params(wb, o) : 0;
    if (!rc)
        rc = simulate(wb, o, o->file, &finished);
    if (!rc && (fflush(stdout) || ferror(stdout)))
        rc = complain(o, "standard output: %s", strerror(errno));
    /* After a fault the policy's data may be in any state: do not ask it to clean up. */
    if (o->remote && !finished)
        o->remote->gone_quiet = true;
    wb_destroy(wb);
    return rc;
}

/* The policy is a file: it runs in a process of its own, and what it did there is judged here. */
static int run_object(struct options *o)
{
    struct wb_remote *r = calloc(1, sizeof(*r));
    FILE *asked = NULL;
    unsigned int pcpus = 1;
    char err[256];
    int rc;

    BUG_ON(!r);
    if (!wb_load_pcpus(o->file, &pcpus, err, sizeof(err))) {
        free(r);
        return complain(o, "%s:%s", o->args.workload, err);
    }
    if (o->args.asked && !o->probe && !(asked = user_file_output_start(&o->asked))) {
        free(r);
        return complain(o, "cannot write %s: %s", o->args.asked, strerror(errno));
    }
    o->remote = r;
    rc = 1;
    if (wb_remote_start(r, &remote_world_workbench, o->object, o->args.limit, o->args.pcpus ? o->args.pcpus : pcpus,
                        guarded_seed(o->args.seed), asked)) {
        wb_remote_hooks(r);
        r->decisions_max = o->args.decisions * (o->args.pcpus ? o->args.pcpus : pcpus);
        rc = run(o, &r->ops);
    }
    wb_remote_end(r);
    if (r->gone) {
        complain(o, "policy %s %s", o->object, r->why);
        rc = r->rc;
    }
    free(r);
    if (asked && (fflush(asked) | ferror(asked) | fclose(asked)))
        rc = complain(o, "cannot write %s: %s", o->args.asked, strerror(errno));
    return rc;
}

/* --- the command --- */

/* All of it, to o->text. False: why. */
static bool workload_read(struct options *o, char *why, size_t len)
{
    FILE *copy = open_memstream(&o->text, &o->len);
    char part[4096];
    ssize_t n;

    BUG_ON(!copy);
    o->fd = strcmp(o->args.workload, "-") ? user_file_open(o->args.workload, why, len) : 0;
    while (o->fd >= 0 && (n = read(o->fd, part, sizeof(part))) > 0)
        fwrite(part, 1, (size_t)n, copy);
    if (o->fd >= 0 && n < 0) {
        snprintf(why, len, "%s", strerror(errno));
        o->fd = -1;
    }
    BUG_ON(fclose(copy));
    return o->fd >= 0;
}

/* With the settings of a job. NULL: it was said why. To be freed. */
static char *workload_settle(struct options *o, uint64_t job, size_t *len)
{
    char why[SWEEP_WHY] = "", *text;
    bool option = false;

    o->run = sweep_run_of(&o->args.sweep, job, o->args.seed);
    text = sweep_workload(&o->args.sweep, &o->run, o->text, o->len, len, why, &option);
    if (!text && option)
        complain(o, "--set %s", why);
    else if (!text)
        complain(o, "%s:%s", o->args.workload, why);
    return text;
}

/* Before the work. */
static int output_open(const struct options *o, const char *option, const char *path, struct user_file_output *out)
{
    char why[256];

    if (user_file_is_open(path, o->fd))
        return complain(o, "%s: %s is the workload: what is written would take its place", option, path);
    if (user_file_output_open(out, path, why, sizeof(why)))
        return complain(o, "cannot write %s: %s", path, why);
    return 0;
}

static int expectations(const struct options *o)
{
    const struct expect_source asked = source(o);
    char why[EXPECT_WHY];
    FILE *f = NULL;
    int fd, rc = 0;

    if (!expects_read(o->expects, &asked, o->file, o->args.workload, true, why))
        return complain(o, "%s:%s", o->args.workload, why);
    if (o->args.expect) {
        fd = user_file_open(o->args.expect, why, sizeof(why));
        f = fd < 0 ? NULL : fdopen(fd, "r");
        if (!f)
            return complain(o, "cannot read %s: %s", o->args.expect, fd < 0 ? why : strerror(errno));
        if (!expects_read(o->expects, &asked, f, o->args.expect, false, why))
            rc = complain(o, "%s:%s", o->args.expect, why);
        fclose(f);
    }
    if (!rc && !o->expects->nr && (o->args.tap || o->args.junit))
        rc = complain(o, "%s: nothing is expected: neither %s has a line \"expect ...\" nor --expect FILE",
                      o->args.tap ? "--tap" : "--junit", o->args.workload);
    return rc;
}

static int junit_write(const struct options *o, const char *fault)
{
    FILE *f = user_file_output_start(&o->junit);
    bool lost;

    if (!f)
        return complain(o, "cannot write %s: %s", o->args.junit, strerror(errno));
    expects_junit(o->expects, "xenlab sched", o->args.policy, fault, f);
    lost = ferror(f);
    if (fclose(f) || lost)
        return complain(o, "cannot write %s: %s", o->args.junit, strerror(errno));
    return 0;
}

static int run_policy(struct options *o) { return o->object ? run_object(o) : run(o, NULL); }

static int policy_run(struct options *o)
{
    const struct expect_source asked = source(o);
    char fault[SAID_SIZE];
    int rc;

    o->object = wb_object_path(o->args.policy);
    rc = expects_judge(o->expects, &asked, o->args.seed);
    rewind(o->file);
    rc = rc ?: run_policy(o);
    snprintf(fault, sizeof(fault), "%s", o->said);
    if (o->args.tap && rc == 2)
        expects_tap(o->expects, o->args.policy, fault, stdout);
    if (o->args.sweep.job && rc == 2 && result_write(o, NULL, NULL))
        rc = 1;
    if (o->args.junit && (!rc || rc == 2) && junit_write(o, rc ? fault : NULL))
        rc = 1;
    free(o->object);
    return rc ? rc : expects_lost(o->expects) ? 4 : 0;
}

/* What it is asked is kept. */
static int asked_run(struct options *o)
{
    char *object = wb_object_path(o->args.policy);
    int rc = object ? output_open(o, "--asked", o->args.asked, &o->asked)
                    : complain(o, "--asked: %s is not asked: it is no shared object", o->args.policy);

    free(object);
    if (rc)
        return rc;
    rc = policy_run(o);
    user_file_output_close(&o->asked, o->args.asked);
    return rc;
}

/* What is written besides standard output is opened before the work, and what is expected read. */
static int prepared_run(struct options *o)
{
    int rc = expectations(o);

    if (!rc && o->args.svg)
        rc = output_open(o, "--svg", o->args.svg, &o->svg);
    if (rc)
        return rc;
    rc = o->args.junit ? output_open(o, "--junit", o->args.junit, &o->junit) : 0;
    if (!rc) {
        rc = o->args.asked ? asked_run(o) : policy_run(o);
        if (o->args.junit)
            user_file_output_close(&o->junit, o->args.junit);
    }
    if (o->args.svg)
        user_file_output_close(&o->svg, o->args.svg);
    return rc;
}

/* Can the workload be read, with these settings? It is loaded for nobody. */
static int look(struct options *o)
{
    const char *policy = o->object ? "rr" : o->args.policy;
    unsigned int pcpus = 1;
    s_time_t time;
    char err[256];
    struct wb *wb;
    int rc;

    if (!o->object && !sched_option_check(policy, err, sizeof(err)))
        return complain(o, "--policy: %s", err);
    rc = expectations(o);
    if (rc)
        return rc;
    if (!wb_load_pcpus(o->file, &pcpus, err, sizeof(err)))
        return complain(o, "%s:%s", o->args.workload, err);
    wb = wb_create(policy, NULL, o->args.pcpus ? o->args.pcpus : pcpus, o->args.seed);
    if (!wb)
        return complain(o, "--policy %s: out of memory", policy);
    if (!wb_load(wb, o->file, &time, err, sizeof(err)) && !wb->xen.sched->fault)
        rc = complain(o, "%s:%s", o->args.workload, err);
    wb_destroy(wb);
    return rc;
}

/* With the settings of one job. */
static int settled(struct options *o, uint64_t job, int (*then)(struct options *o))
{
    size_t len = 0;
    char *text = workload_settle(o, job, &len);
    int rc;

    if (!text)
        return 1;
    o->args.seed = o->run.seed;
    o->file = fmemopen(text, len, "r");
    rc = o->file ? then(o) : complain(o, "not enough memory");
    if (o->file)
        fclose(o->file);
    free(text);
    return rc;
}

/* A sweep's jobs are printed, for others to do: each combination of settings is read once, before any is printed. */
static int run_or_list(struct options *o, const char *command)
{
    const struct sweep *s = &o->args.sweep;
    const uint64_t seeds = s->seeds ? s->to - s->from + 1 : 1;
    int rc = 0;

    if (!sweep_is(s) || s->job)
        return settled(o, s->job ?: 1, prepared_run);
    o->object = wb_object_path(o->args.policy);
    for (uint64_t job = 1; job <= sweep_jobs(s) && !rc; job += seeds) {
        rc = settled(o, job, look);
        expects_free(o->expects);
    }
    free(o->object);
    if (rc)
        return rc;
    sweep_list(s, command, o->argc, o->argv, stdout);
    return fflush(stdout) || ferror(stdout) ? complain(o, "standard output: %s", strerror(errno)) : 0;
}

int workbench_main(int argc, char **argv)
{
    struct expects expects = { 0 };
    char said[SAID_SIZE] = "", why[320] = "out of memory";
    struct options o = { .expects = &expects, .said = said, .argc = argc - 1, .argv = argv + 1 };
    int rc;

    if (!wb_args_parse(&o.args, argc, argv, why, sizeof(why)))
        return complain(&o, "%s", why);
    if (o.args.help) {
        wb_args_help(argv[0], stdout);
        return 0;
    }
    if (o.args.bench) {
        wb_bench(stdout);
        return 0;
    }
    rc = workload_read(&o, why, sizeof(why)) ? run_or_list(&o, argv[0])
                                             : complain(&o, "cannot read %s: %s", o.args.workload, why);
    expects_free(&expects);
    if (o.fd > 0)
        close(o.fd);
    free(o.text);
    return rc;
}
