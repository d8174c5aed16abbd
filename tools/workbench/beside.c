// SPDX-License-Identifier: GPL-2.0-or-later
/* A run of the machine beside one of the workbench: tools/workbench/beside.h. */
#include "tools/workbench/beside.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tools/workbench/expected.h"
#include "tools/workbench/guest_policy.h"
#include "tools/workbench/load.h"
#include "tools/workbench/remote.h"
#include "tools/workbench/report.h"

/* --- what is compared --- */

enum { SHARE, WAIT, SWITCHES, MIGRATIONS, DECISIONS, NR_FIGURES };

static const struct {
    const char *name, *key;
    bool is_part; /* of a pCPU; else a number */
} figures[NR_FIGURES] = { { "share %", "share", true },
                          { "wait %", "wait", true },
                          { "switches", "switches", false },
                          { "migrations", "migrations", false },
                          { "decisions", "decisions", false } };

/* One subject's; not a number: it does not exist there. */
struct pair {
    double machine[NR_FIGURES], bench[NR_FIGURES];
};

struct output {
    FILE *table, *json;
    bool more;      /* JSON: there was one before */
    char worst[72]; /* whose share differs most, of those that both have */
    double differs;
    unsigned int alone; /* vCPUs that one of them has only */
};

static void put_row(const struct output *o, const char *name, int f, const struct pair *p)
{
    const double scale = figures[f].is_part ? 100 : 1, m = scale * p->machine[f], b = scale * p->bench[f];
    const int digits = figures[f].is_part ? 2 : 0;

    fprintf(o->table, "%-24s %-11s", name, figures[f].name);
    if (isnan(m))
        fprintf(o->table, " %12s", "-");
    else
        fprintf(o->table, " %12.*f", digits, m);
    if (isnan(b))
        fprintf(o->table, " %12s", "-");
    else
        fprintf(o->table, " %12.*f", digits, b);
    if (isnan(m) || isnan(b))
        fprintf(o->table, " %12s\n", "-");
    else
        fprintf(o->table, " %+12.*f\n", digits, b - m);
}

static void put_json(struct output *o, const char *name, const struct pair *p)
{
    fprintf(o->json, "%s\n {\"subject\":\"%s\"", o->more ? "," : "", name);
    o->more = true;
    for (int side = 0; side < 2; side++) {
        const double *x = side ? p->bench : p->machine;
        const char *comma = "";

        fprintf(o->json, ",\"%s\":{", side ? "workbench" : "machine");
        for (int f = 0; f < NR_FIGURES; f++) {
            if (isnan(x[f]))
                continue;
            fprintf(o->json, "%s\"%s\":%.6g", comma, figures[f].key, x[f]);
            comma = ",";
        }
        fputc('}', o->json);
    }
    fputc('}', o->json);
}

/* name: a vCPU's, a domain's; or "all". */
static void put(struct output *o, const char *name, const struct pair *p)
{
    const char *shown = name;

    for (int f = 0; f < NR_FIGURES; f++)
        if (!isnan(p->machine[f]) || !isnan(p->bench[f])) {
            put_row(o, shown, f, p);
            shown = "";
        }
    if (o->json)
        put_json(o, name, p);
}

/* --- the machine's side and the workbench's --- */

static struct pair nothing(void)
{
    struct pair p;

    for (int f = 0; f < NR_FIGURES; f++)
        p.machine[f] = p.bench[f] = NAN;
    return p;
}

static void of_machine(const struct beside *b, const struct beside_vcpu *v, double x[NR_FIGURES])
{
    x[SHARE] = (double)v->run / (double)b->time;
    x[WAIT] = (double)v->wait / (double)b->time;
    x[SWITCHES] = (double)v->switches;
    x[MIGRATIONS] = (double)v->migrations;
}

static void of_bench(const struct wb *wb, const struct wb_vcpu *wv, double x[NR_FIGURES])
{
    x[SHARE] = wb_part(wb, wb_runtime(wv));
    x[WAIT] = wb_part(wb, wb_waited(wv));
    x[SWITCHES] = (double)wv->switches;
    x[MIGRATIONS] = (double)wv->migrations;
}

static const struct beside_vcpu *machine_find(const struct beside *b, const char *name)
{
    for (size_t i = 0; i < b->nr; i++)
        if (!strcmp(b->vcpu[i].name, name) || !strcmp(b->vcpu[i].also, name))
            return &b->vcpu[i];
    return NULL;
}

static bool bench_has(struct wb *wb, const struct beside_vcpu *v)
{
    int id;

    return wb_target_find(wb, v->name, &id) || wb_target_find(wb, v->also, &id);
}

static void compared(struct output *o, const char *name, const struct pair *p)
{
    const double d = fabs(p->bench[SHARE] - p->machine[SHARE]);

    if (isnan(d))
        o->alone++;
    if (d > o->differs || (!o->worst[0] && !isnan(d))) {
        o->differs = d;
        snprintf(o->worst, sizeof(o->worst), "%s", name);
    }
    put(o, name, p);
}

/* Its vCPUs; and of several, all of them together. */
static void put_vcpus(struct output *o, const struct beside *b, const struct wb *wb, struct wb_domain *wd)
{
    struct pair sum = { .machine = { [DECISIONS] = NAN }, .bench = { [DECISIONS] = NAN } };
    char name[72];

    for (unsigned int i = 0; i < wd->d.max_vcpus; i++) {
        const struct beside_vcpu *v;
        struct pair p = nothing();

        snprintf(name, sizeof(name), "%s.%u", wd->name, i);
        v = machine_find(b, name);
        if (v)
            of_machine(b, v, p.machine);
        of_bench(wb, wb_vcpu(wd, i), p.bench);
        compared(o, name, &p);
        for (int f = 0; f < DECISIONS; f++) {
            sum.machine[f] += p.machine[f];
            sum.bench[f] += p.bench[f];
        }
    }
    if (wd->d.max_vcpus > 1)
        put(o, wd->name, &sum);
}

static void put_all(struct output *o, const struct beside *b, struct wb *wb)
{
    struct pair p = nothing();
    const struct wb_figures fig = wb_figures(wb);

    for (struct wb_domain *wd = wb->domains; wd; wd = wd->next)
        put_vcpus(o, b, wb, wd);
    for (size_t i = 0; i < b->nr; i++) {
        struct pair alone = nothing();

        if (bench_has(wb, &b->vcpu[i]))
            continue;
        of_machine(b, &b->vcpu[i], alone.machine);
        compared(o, b->vcpu[i].name, &alone);
    }
    p.machine[SWITCHES] = (double)b->switches;
    p.bench[SWITCHES] = (double)fig.switches;
    p.machine[DECISIONS] = (double)b->decisions;
    p.bench[DECISIONS] = (double)wb->decisions;
    put(o, "all", &p);
}

static void report(const struct beside *b, struct wb *wb, FILE *table, FILE *json)
{
    struct output o = { .table = table, .json = json };
    bool agree;

    fprintf(table, "%s, %u pCPU%s: the machine's %.3f ms, the workbench's %.3f ms\n%-36s %12s %12s %12s\n", b->policy,
            wb->xen.nr_pcpus, PLURAL(wb->xen.nr_pcpus), (double)b->time / 1e6, (double)wb->machine.clock.now / 1e6, "",
            "machine", "workbench", "difference");
    if (json)
        fprintf(json, "{\"pcpus\":%u,\"machine_ns\":%lld,\"workbench_ns\":%lld,\"figures\":[", wb->xen.nr_pcpus,
                (long long)b->time, (long long)wb->machine.clock.now);
    put_all(&o, b, wb);
    agree = o.differs <= BESIDE_TOLERANCE && !o.alone;
    fprintf(table, "shares %s: %s differs most, by %.2f %% of a pCPU\n",
            agree ? "agree within 1 %" : "do NOT agree within 1 %", o.worst[0] ? o.worst : "nobody", 100 * o.differs);
    if (o.alone)
        fprintf(table, "%u vCPU%s only one of them has (-)\n", o.alone, PLURAL(o.alone));
    if (json)
        fprintf(json, "],\n \"agree\":%s,\"worst\":\"%s\",\"worst_differs\":%.6g,\"alone\":%u}\n",
                agree ? "true" : "false", o.worst, o.differs, o.alone);
}

/* --- the run --- */

static int run(const struct beside *b, struct wb *wb, FILE *table, FILE *json, char why[BESIDE_WHY])
{
    char err[256], fault[WB_FAULT_SIZE];
    s_time_t time = b->time;

    if (!wb_load(wb, b->workload, &time, err, sizeof(err)) && !wb->xen.sched->fault) {
        snprintf(why, BESIDE_WHY, "%.200s:%s", b->name, err);
        return 1;
    }
    if (!wb->xen.sched->fault && wb_run(wb, time)) {
        report(b, wb, table, json);
        return 0;
    }
    if (!wb->xen.sched->fault && wb->workload_wrong) {
        snprintf(why, BESIDE_WHY, "%.200s:%s", b->name, wb->error);
        return 1;
    }
    snprintf(why, BESIDE_WHY, "policy %.200s on the workbench, at %.6f ms: %s", b->policy,
             (double)wb->machine.clock.now / 1e6, wb_fault(wb, fault));
    return 2;
}

/* r: the process of a policy that is a file, which lives in `object`; NULL: it is built in. */
static int create_and_run(const struct beside *b, struct wb_remote *r, const char *object, FILE *table, FILE *json,
                          char why[BESIDE_WHY])
{
    struct wb *wb = wb_create(b->policy, r ? &r->ops : NULL, b->pcpus, b->seed);
    int rc;

    if (!wb) {
        snprintf(why, BESIDE_WHY, "policy %.200s cannot begin on the workbench", b->policy);
        return r ? 2 : 1;
    }
    if (r && !guest_policy_params(wb->xen.sched, b->policy + strlen(object), "--sched", object, why, BESIDE_WHY))
        rc = 1;
    else
        rc = run(b, wb, table, json, why);
    if (r && rc)
        r->gone_quiet = true;
    wb_destroy(wb);
    return rc;
}

int workbench_beside(const struct beside *b, FILE *table, FILE *json, char why[BESIDE_WHY])
{
    char *object = wb_object_path(b->policy);
    struct wb_remote *r = object ? calloc(1, sizeof(*r)) : NULL;
    int rc = 2;

    if (!object)
        return create_and_run(b, NULL, NULL, table, json, why);
    BUG_ON(!r);
    if (wb_remote_start(r, &remote_world_workbench, object, GUARDED_LIMIT, b->pcpus, guarded_seed(b->seed), NULL)) {
        wb_remote_hooks(r);
        rc = create_and_run(b, r, object, table, json, why);
    }
    wb_remote_end(r);
    if (r->gone) {
        snprintf(why, BESIDE_WHY, "policy %.200s on the workbench %s", object, r->why);
        rc = r->rc;
    }
    free(r);
    free(object);
    return rc;
}
