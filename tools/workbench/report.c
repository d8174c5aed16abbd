// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The workbench's figures, as a table and as JSON.
 *
 * What the figures are is in tools/workbench/figures.h.
 */
#include "tools/workbench/report.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MAX_ROWS 40

static double ms(s_time_t t) { return (double)t / 1e6; }

const char *wb_fault(const struct wb *wb, char buf[WB_FAULT_SIZE])
{
    const struct scheduler *s = wb->xen.sched;
    char text[WB_WHO_SIZE];
    struct wb_who who;

    if (s->fault) {
        who = wb_who(NULL, s->fault_vcpu, s->fault_cpu);
        snprintf(buf, WB_FAULT_SIZE, "%s%s", s->fault, wb_who_text(&who, text));
    } else {
        snprintf(buf, WB_FAULT_SIZE, "%s", wb->error);
    }
    return buf;
}

/* --- table --- */

static void vcpu_row(struct wb *wb, const struct wb_domain *wd, const struct wb_vcpu *wv, FILE *f)
{
    char name[48];

    snprintf(name, sizeof(name), "%s.%u", wd->name, wv->v.vcpu_id);
    fprintf(f, "%-20s %6u %5u %8.2f %8.2f %8llu %7llu %9.3f %9.3f %9.3f %9.1f", name, wd->weight, wd->cap,
            100 * wb_part(wb, wb_runtime(wv)), 100 * wb_part(wb, wb_waited(wv)), (unsigned long long)wv->switches,
            (unsigned long long)wv->migrations, ms(wb_percentile(&wv->latency, 0.5)),
            ms(wb_percentile(&wv->latency, 0.99)), ms(wb_percentile(&wv->latency, 1)), ms(wv->max_wait));
    if (wv->jobs)
        fprintf(f, " %llu/%llu", (unsigned long long)wv->misses, (unsigned long long)wv->jobs);
    fputc('\n', f);
}

/* What `adjust` said no to. */
static void refused_rows(const struct wb *wb, FILE *f)
{
    for (const struct wb_domain *wd = wb->domains; wd; wd = wd->next)
        if (wd->refused)
            fprintf(f, "refused           %s: %s%s\n", wd->name,
                    wd->refused < 0 ? strerror(-wd->refused) : "adjust returned a positive number, no -errno",
                    wd->kept_out ? "; it was not started" : "; it goes on with what it had");
}

void wb_report_table(struct wb *wb, const struct wb_figures *fig, const struct expects *x, FILE *f)
{
    const struct sched_ops *ops = wb->xen.sched->ops;
    unsigned int rows = 0;
    char dump[1024] = "", fault[WB_FAULT_SIZE];

    fprintf(f, "%s (%s), %u pCPU%s, %u vCPU%s, %.3f s\n\n", ops->name, ops->opt_name, wb->xen.nr_pcpus,
            PLURAL(wb->xen.nr_pcpus), wb->nr_vcpus, PLURAL(wb->nr_vcpus), fig->seconds);
    fprintf(f, "%-20s %6s %5s %8s %8s %8s %7s %9s %9s %9s %9s %s\n", "vCPU", "weight", "cap", "run %", "wait %",
            "switches", "migr.", "p50 ms", "p99 ms", "max ms", "longest", fig->jobs ? "missed" : "");
    for_each_wb_vcpu(wb, wd, wv)
    {
        if (rows++ < MAX_ROWS)
            vcpu_row(wb, wd, wv, f);
    }
    if (rows > MAX_ROWS)
        fprintf(f, "... and %u more (--json lists all)\n", rows - MAX_ROWS);
    fprintf(f, "\nutilisation       %10.2f %% of %u pCPU%s\n", fig->utilisation, wb->xen.nr_pcpus,
            PLURAL(wb->xen.nr_pcpus));
    fprintf(f, "context switches  %10llu (%.0f a second), %llu migration%s, %llu decision%s\n",
            (unsigned long long)fig->switches, fig->seconds > 0 ? (double)fig->switches / fig->seconds : 0,
            (unsigned long long)fig->migrations, PLURAL(fig->migrations), (unsigned long long)wb->decisions,
            PLURAL(wb->decisions));
    fprintf(f, "wake-up latency   %10.3f ms p50, %.3f ms p99, %.3f ms max (%zu wake-up%s)\n", ms(fig->p50),
            ms(fig->p99), ms(fig->max), fig->nr_latencies, PLURAL(fig->nr_latencies));
    fprintf(f, "longest wait      %10.3f ms\n", ms(fig->max_wait));
    fprintf(f, "fairness error    %10.2f %% of a pCPU\n", fig->fairness_error);
    refused_rows(wb, f);
    if (fig->jobs)
        fprintf(f, "deadlines missed  %10llu of %llu\n", (unsigned long long)fig->misses,
                (unsigned long long)fig->jobs);
    if (ops->dump_settings) {
        ops->dump_settings(wb->xen.sched, dump, sizeof(dump));
        dump[sizeof(dump) - 1] = '\0';
        fprintf(f, "policy's state    %s", dump);
    }
    if (*wb_fault(wb, fault))
        fprintf(f, "\nSTOPPED: %s\n", fault);
    else
        expects_table(x, f);
}

/* --- JSON --- */

static void json_string(FILE *f, const char *s)
{
    fputc('"', f);
    for (; *s; s++) {
        if (*s == '"' || *s == '\\')
            fprintf(f, "\\%c", *s);
        else if ((unsigned char)*s < ' ')
            fprintf(f, "\\u%04x", (unsigned char)*s);
        else if ((unsigned char)*s >= 0x80)
            fputc('?', f); /* a policy's name need not be UTF-8 */
        else
            fputc(*s, f);
    }
    fputc('"', f);
}

static void json_vcpu(struct wb *wb, const struct wb_vcpu *wv, FILE *f)
{
    fprintf(f,
            "{\"vcpu\":%u,\"run_ns\":%lld,\"wait_ns\":%lld,\"share\":%.4f,\"switches\":%llu,\"migrations\":%llu,"
            "\"wakeups\":%zu,\"p50_ns\":%lld,\"p99_ns\":%lld,\"max_ns\":%lld,\"longest_wait_ns\":%lld,\"jobs\":%llu,"
            "\"misses\":%llu}",
            wv->v.vcpu_id, (long long)wb_runtime(wv), (long long)wb_waited(wv), 100 * wb_part(wb, wb_runtime(wv)),
            (unsigned long long)wv->switches, (unsigned long long)wv->migrations, wv->latency.nr,
            (long long)wb_percentile(&wv->latency, 0.5), (long long)wb_percentile(&wv->latency, 0.99),
            (long long)wb_percentile(&wv->latency, 1), (long long)wv->max_wait, (unsigned long long)wv->jobs,
            (unsigned long long)wv->misses);
}

/* wd NULL: of the run. */
static void json_metric(struct wb *wb, const struct wb_metric *m, const struct wb_figures *fig, struct wb_domain *wd,
                        FILE *f)
{
    static const char *const units[] = { [WB_FRACTION] = "part", [WB_TIME] = "ns", [WB_COUNT] = "" };
    const double x = wb_metric_value(wb, m, fig, wd, -1);

    fprintf(f, "%s\n {\"metric\":\"%s\",\"subject\":", m == wb_metrics && wd == wb->domains ? "" : ",", m->name);
    json_string(f, wd ? wd->name : "");
    fprintf(f, isnan(x) ? ",\"value\":null" : ",\"value\":%.10g", x);
    fprintf(f, ",\"unit\":\"%s\"}", units[m->unit]);
}

/* What may be expected, as results of sweeps have it: of the run, and of domains. The first is one of domains. */
static void json_metrics(struct wb *wb, const struct wb_figures *fig, FILE *f)
{
    fputs(",\"kit\":\"sched\",\"metrics\":[", f);
    for (const struct wb_metric *m = wb_metrics; m->name; m++) {
        for (struct wb_domain *wd = m->about == WB_ALL ? NULL : wb->domains; wd; wd = wd->next)
            json_metric(wb, m, fig, wd, f);
        if (m->about != WB_DOMAIN)
            json_metric(wb, m, fig, NULL, f);
    }
    fputs("]", f);
}

void wb_report_json(struct wb *wb, const struct wb_figures *fig, const struct expects *x, FILE *f)
{
    char fault[WB_FAULT_SIZE];

    fputs("{\"policy\":", f);
    json_string(f, wb->xen.sched->ops->opt_name);
    fprintf(
        f,
        ",\"pcpus\":%u,\"vcpus\":%u,\"time_ns\":%lld,\"utilisation\":%.4f,\"context_switches\":%llu,"
        "\"migrations\":%llu,\"decisions\":%llu,\"latency\":{\"wakeups\":%zu,\"p50_ns\":%lld,\"p99_ns\":%lld,"
        "\"max_ns\":%lld},\"longest_wait_ns\":%lld,\"fairness_error\":%.4f,\"jobs\":%llu,\"misses\":%llu,\"fault\":",
        wb->xen.nr_pcpus, wb->nr_vcpus, (long long)wb->machine.clock.now, fig->utilisation,
        (unsigned long long)fig->switches, (unsigned long long)fig->migrations, (unsigned long long)wb->decisions,
        fig->nr_latencies, (long long)fig->p50, (long long)fig->p99, (long long)fig->max, (long long)fig->max_wait,
        fig->fairness_error, (unsigned long long)fig->jobs, (unsigned long long)fig->misses);
    if (*wb_fault(wb, fault))
        json_string(f, fault);
    else
        fputs("null", f);
    fputs(",\"domains\":[", f);
    for (struct wb_domain *wd = wb->domains; wd; wd = wd->next) {
        fputs(wd == wb->domains ? "\n {\"name\":" : ",\n {\"name\":", f);
        json_string(f, wd->name);
        fprintf(f, ",\"weight\":%u,\"cap\":%u,\"refused\":%d,\"started\":%s,\"vcpus\":[", wd->weight, wd->cap,
                wd->refused, wd->kept_out ? "false" : "true");
        for (unsigned int i = 0; i < wd->d.max_vcpus; i++) {
            fputs(i ? ",\n  " : "\n  ", f);
            json_vcpu(wb, wb_vcpu(wd, i), f);
        }
        fputs("]}", f);
    }
    fputs("]", f);
    json_metrics(wb, fig, f);
    if (x->nr && !*fault)
        expects_json(x, f);
}
