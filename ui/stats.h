// SPDX-License-Identifier: GPL-2.0-or-later
/* --stats: what a run took. See ui/stats.c. */
#ifndef UI_STATS_H
#define UI_STATS_H

#include "tools/host.h"

#include <stdio.h>

/* What it took of this computer: real time in nanoseconds, and memory. */
struct stats_wall {
    s_time_t start_up; /* until the first guest instruction */
    s_time_t running;  /* from there on, without waiting */
    s_time_t waiting;  /* for input, or for real time to pass */
    uint64_t peak_kib; /* most memory that the process ever had; 0: not known */
};

/* Most memory that this process ever had, in KiB; 0 if that cannot be learned. */
uint64_t stats_peak_kib(void);

/* dom0: the kinds of its tasks, of which there are nr_tasks. */
void stats_print(FILE *out, const struct snapshot *s, const struct stats_wall *wall, const struct host_task_time *dom0,
                 size_t nr_tasks);

#endif
