// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What is measured of a run of the workbench.
 *
 * Concept: three questions about a policy. Is it *fair*: did those who always wanted to run get time in proportion to
 * their weights? Is it *responsive*: how long did vCPUs wait for a pCPU after they woke (p50, p99, max)? Is it *cheap*:
 * how many context switches and decisions did that take?
 *
 * The fairness error looks at greedy vCPUs only (running or waiting at least 95 % of the time): who sleeps by itself is
 * not treated unfairly. What the others left of the pCPUs, divided by weight, is the ideal; no vCPU can use more than
 * one pCPU, nor more than its share of the domain's cap, and what it cannot use goes to the others. The error is the
 * largest difference from the ideal, in percent of one pCPU. Affinity is not taken into account.
 *
 * All of it counts from wb_mark() on, or from the beginning. Of a wait that has begun before that, all of it counts.
 */
#ifndef TOOLS_WORKBENCH_FIGURES_H
#define TOOLS_WORKBENCH_FIGURES_H

#include "tools/workbench/sim.h"

/* Each vCPU wv, of its domain wd. */
#define for_each_wb_vcpu(wb, wd, wv)                                                                                   \
    for (struct wb_domain *wd = (wb)->domains; wd; wd = wd->next)                                                      \
        for (unsigned int wv##_i = 0; wv##_i < wd->d.max_vcpus; wv##_i++)                                              \
            for (struct wb_vcpu *wv = wb_vcpu(wd, wv##_i); wv; wv = NULL)

struct wb_figures {
    double seconds, utilisation, fairness_error; /* % of all pCPUs; % of one pCPU */
    uint64_t switches, migrations, jobs, misses;
    s_time_t p50, p99, max, max_wait;
    size_t nr_latencies;
};
/* It sorts the samples of the latencies, and closes waits that go on. */
struct wb_figures wb_figures(struct wb *wb);
/* Count from here on: nothing of what the policy sees, or does, is changed by it. */
void wb_mark(struct wb *wb);

/* Of sorted samples; 0: there are none. */
s_time_t wb_percentile(const struct wb_samples *s, double p);
/* Time runnable without a pCPU; and what part of all the time t is, 0 to 1. */
s_time_t wb_waited(const struct wb_vcpu *wv);
double wb_part(const struct wb *wb, s_time_t t);

/* A figure by its name, for expectations. */
enum wb_unit { WB_FRACTION, WB_TIME, WB_COUNT }; /* 0 to 1 (or n pCPUs); ns; a number */
enum wb_about { WB_ALL, WB_DOMAIN, WB_EITHER };  /* of the run, of a domain or vCPU, of what is named or else all */
struct wb_metric {
    const char *name;
    enum wb_unit unit;
    enum wb_about about;
};
/* All of them, ended by one without a name. */
extern const struct wb_metric wb_metrics[];
/* Of domain wd (NULL: of the run), its vCPU id (-1: all together, the longest, all samples); f is wb_figures()'s.
 * Not a number: a latency, and nobody has run after waking. */
double wb_metric_value(struct wb *wb, const struct wb_metric *m, const struct wb_figures *f, struct wb_domain *wd,
                       int id);

#endif
