// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The workbench's figures, as a table and as JSON.
 *
 * Concept: three questions about a policy. Is it *fair*: did those who always wanted to run get time in proportion to
 * their weights? Is it *responsive*: how long did vCPUs wait for a pCPU after they woke (p50, p99, max)? Is it *cheap*:
 * how many context switches and decisions did that take?
 *
 * The fairness error looks at greedy vCPUs only (running or waiting at least 95 % of the time): who sleeps by itself is
 * not treated unfairly. What the others left of the pCPUs, divided by weight, is the ideal; no vCPU can use more than
 * one pCPU, nor more than its share of the domain's cap, and what it cannot use goes to the others. The error is the
 * largest difference from the ideal, in percent of one pCPU. Affinity is not taken into account.
 */
#include "tools/workbench/report.h"

#include <stdlib.h>
#include <string.h>

#define MAX_ROWS 40

struct figures {
    double seconds, utilisation, fairness_error;
    uint64_t switches, migrations, jobs, misses;
    s_time_t p50, p99, max, max_wait;
    size_t nr_latencies;
};

static int compare(const void *a, const void *b)
{
    const s_time_t x = *(const s_time_t *)a, y = *(const s_time_t *)b;

    return (x > y) - (x < y);
}

static s_time_t percentile(const struct wb_samples *s, double p)
{
    return s->nr ? s->v[(size_t)(p * (double)(s->nr - 1) + 0.5)] : 0;
}

#define for_each_wb_vcpu(wb, wd, wv)                                                                                   \
    for (struct wb_domain *wd = (wb)->domains; wd; wd = wd->next)                                                      \
        for (unsigned int wv##_i = 0; wv##_i < wd->d.max_vcpus; wv##_i++)                                              \
            for (struct wb_vcpu *wv = wb_vcpu(wd, wv##_i); wv; wv = NULL)

/* --- fairness --- */

struct claim {
    double weight, peak, got, ideal;
    bool settled;
};

static double limit(const struct wb_domain *wd)
{
    const double cap = wd->cap / 100.0 / wd->d.max_vcpus;

    return wd->cap && cap < 1 ? cap : 1;
}

/* Divide `left` pCPUs by weight; each pass settles those who cannot use their part. */
static void divide(struct claim *c, size_t nr, double left)
{
    for (bool again = true; again;) {
        double weights = 0, rest = left;

        again = false;
        for (size_t i = 0; i < nr; i++)
            weights += c[i].settled ? 0 : c[i].weight;
        for (size_t i = 0; i < nr; i++) {
            if (c[i].settled)
                continue;
            c[i].ideal = left * c[i].weight / weights;
            if (c[i].ideal < c[i].peak)
                continue;
            c[i].ideal = c[i].peak;
            c[i].settled = true;
            rest -= c[i].peak;
            again = true;
        }
        left = rest;
    }
}

static double fairness_error(struct wb *wb)
{
    struct claim *c = calloc(wb->nr_vcpus, sizeof(*c));
    const double now = (double)wb->machine.clock.now;
    double left = 0, error = 0;
    size_t nr = 0;

    BUG_ON(!c);
    for (unsigned int cpu = 0; cpu < wb->xen.nr_pcpus; cpu++)
        left += wb->xen.pcpu[cpu].sched ? 1 : 0;
    for_each_wb_vcpu(wb, wd, wv)
    {
        struct vcpu_runstate_info rs;

        vcpu_runstate_get(&wv->v, &rs);
        if ((double)(rs.time[RUNSTATE_running] + rs.time[RUNSTATE_runnable]) < 0.95 * now) {
            left -= (double)rs.time[RUNSTATE_running] / now;
            continue;
        }
        c[nr].weight = wd->weight;
        c[nr].peak = limit(wd);
        c[nr++].got = (double)rs.time[RUNSTATE_running] / now;
    }
    divide(c, nr, left > 0 ? left : 0);
    for (size_t i = 0; i < nr; i++) {
        const double difference = c[i].got > c[i].ideal ? c[i].got - c[i].ideal : c[i].ideal - c[i].got;

        if (difference > error)
            error = difference;
    }
    free(c);
    return 100 * error;
}

/* --- collecting --- */

static struct figures collect(struct wb *wb)
{
    struct figures f = { .seconds = (double)wb->machine.clock.now / 1e9, .switches = wb->xen.stats.switches };
    struct wb_samples all = { 0 };
    double busy = 0;

    for_each_wb_vcpu(wb, wd, wv)
    {
        if (wv->waiting_since >= 0 && wb->machine.clock.now - wv->waiting_since > wv->max_wait)
            wv->max_wait = wb->machine.clock.now - wv->waiting_since; /* still waiting */
        if (wv->latency.nr)
            qsort(wv->latency.v, wv->latency.nr, sizeof(s_time_t), compare);
        f.migrations += wv->migrations;
        f.jobs += wv->jobs;
        f.misses += wv->misses;
        if (wv->max_wait > f.max_wait)
            f.max_wait = wv->max_wait;
        all.nr += wv->latency.nr;
    }
    all.v = malloc((all.nr + 1) * sizeof(s_time_t));
    BUG_ON(!all.v);
    all.nr = 0;
    for_each_wb_vcpu(wb, wd, wv)
    {
        if (wv->latency.nr)
            memcpy(all.v + all.nr, wv->latency.v, wv->latency.nr * sizeof(s_time_t));
        all.nr += wv->latency.nr;
    }
    qsort(all.v, all.nr, sizeof(s_time_t), compare);
    f.nr_latencies = all.nr;
    f.p50 = percentile(&all, 0.5);
    f.p99 = percentile(&all, 0.99);
    f.max = percentile(&all, 1);
    free(all.v);
    for (unsigned int cpu = 0; cpu < wb->xen.nr_pcpus; cpu++)
        busy += (double)wb->busy[cpu];
    f.utilisation = f.seconds > 0 ? busy / 1e7 / f.seconds / wb->xen.nr_pcpus : 0;
    f.fairness_error = f.seconds > 0 ? fairness_error(wb) : 0;
    return f;
}

static double ms(s_time_t t) { return (double)t / 1e6; }

static double share(const struct wb *wb, s_time_t run)
{
    return wb->machine.clock.now ? 100.0 * (double)run / (double)wb->machine.clock.now : 0;
}

static s_time_t waited(const struct wb_vcpu *wv)
{
    struct vcpu_runstate_info rs;

    vcpu_runstate_get(&wv->v, &rs);
    return (s_time_t)rs.time[RUNSTATE_runnable];
}

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
            share(wb, wb_runtime(wv)), share(wb, waited(wv)), (unsigned long long)wv->switches,
            (unsigned long long)wv->migrations, ms(percentile(&wv->latency, 0.5)), ms(percentile(&wv->latency, 0.99)),
            ms(percentile(&wv->latency, 1)), ms(wv->max_wait));
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

void wb_report_table(struct wb *wb, FILE *f)
{
    const struct figures fig = collect(wb);
    const struct sched_ops *ops = wb->xen.sched->ops;
    unsigned int rows = 0;
    char dump[1024] = "", fault[WB_FAULT_SIZE];

    fprintf(f, "%s (%s), %u pCPU%s, %u vCPU%s, %.3f s\n\n", ops->name, ops->opt_name, wb->xen.nr_pcpus,
            PLURAL(wb->xen.nr_pcpus), wb->nr_vcpus, PLURAL(wb->nr_vcpus), fig.seconds);
    fprintf(f, "%-20s %6s %5s %8s %8s %8s %7s %9s %9s %9s %9s %s\n", "vCPU", "weight", "cap", "run %", "wait %",
            "switches", "migr.", "p50 ms", "p99 ms", "max ms", "longest", fig.jobs ? "missed" : "");
    for_each_wb_vcpu(wb, wd, wv)
    {
        if (rows++ < MAX_ROWS)
            vcpu_row(wb, wd, wv, f);
    }
    if (rows > MAX_ROWS)
        fprintf(f, "... and %u more (--json lists all)\n", rows - MAX_ROWS);
    fprintf(f, "\nutilisation       %10.2f %% of %u pCPU%s\n", fig.utilisation, wb->xen.nr_pcpus,
            PLURAL(wb->xen.nr_pcpus));
    fprintf(f, "context switches  %10llu (%.0f a second), %llu migration%s, %llu decision%s\n",
            (unsigned long long)fig.switches, fig.seconds > 0 ? (double)fig.switches / fig.seconds : 0,
            (unsigned long long)fig.migrations, PLURAL(fig.migrations), (unsigned long long)wb->decisions,
            PLURAL(wb->decisions));
    fprintf(f, "wake-up latency   %10.3f ms p50, %.3f ms p99, %.3f ms max (%zu wake-up%s)\n", ms(fig.p50), ms(fig.p99),
            ms(fig.max), fig.nr_latencies, PLURAL(fig.nr_latencies));
    fprintf(f, "longest wait      %10.3f ms\n", ms(fig.max_wait));
    fprintf(f, "fairness error    %10.2f %% of a pCPU\n", fig.fairness_error);
    refused_rows(wb, f);
    if (fig.jobs)
        fprintf(f, "deadlines missed  %10llu of %llu\n", (unsigned long long)fig.misses, (unsigned long long)fig.jobs);
    if (ops->dump_settings) {
        ops->dump_settings(wb->xen.sched, dump, sizeof(dump));
        dump[sizeof(dump) - 1] = '\0';
        fprintf(f, "policy's state    %s", dump);
    }
    if (*wb_fault(wb, fault))
        fprintf(f, "\nSTOPPED: %s\n", fault);
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
            wv->v.vcpu_id, (long long)wb_runtime(wv), (long long)waited(wv), share(wb, wb_runtime(wv)),
            (unsigned long long)wv->switches, (unsigned long long)wv->migrations, wv->latency.nr,
            (long long)percentile(&wv->latency, 0.5), (long long)percentile(&wv->latency, 0.99),
            (long long)percentile(&wv->latency, 1), (long long)wv->max_wait, (unsigned long long)wv->jobs,
            (unsigned long long)wv->misses);
}

void wb_report_json(struct wb *wb, FILE *f)
{
    const struct figures fig = collect(wb);
    char fault[WB_FAULT_SIZE];

    fputs("{\"policy\":", f);
    json_string(f, wb->xen.sched->ops->opt_name);
    fprintf(
        f,
        ",\"pcpus\":%u,\"vcpus\":%u,\"time_ns\":%lld,\"utilisation\":%.4f,\"context_switches\":%llu,"
        "\"migrations\":%llu,\"decisions\":%llu,\"latency\":{\"wakeups\":%zu,\"p50_ns\":%lld,\"p99_ns\":%lld,"
        "\"max_ns\":%lld},\"longest_wait_ns\":%lld,\"fairness_error\":%.4f,\"jobs\":%llu,\"misses\":%llu,\"fault\":",
        wb->xen.nr_pcpus, wb->nr_vcpus, (long long)wb->machine.clock.now, fig.utilisation,
        (unsigned long long)fig.switches, (unsigned long long)fig.migrations, (unsigned long long)wb->decisions,
        fig.nr_latencies, (long long)fig.p50, (long long)fig.p99, (long long)fig.max, (long long)fig.max_wait,
        fig.fairness_error, (unsigned long long)fig.jobs, (unsigned long long)fig.misses);
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
    fputs("]}\n", f);
}
