// SPDX-License-Identifier: GPL-2.0-or-later
/* --stats: what a run took. See ui/stats.c. */
#ifndef UI_STATS_H
#define UI_STATS_H

#include "vcpu/xen.h"

#include <stdio.h>

/* Real time, in nanoseconds. */
struct stats_wall {
    s_time_t start_up; /* until the first guest instruction */
    s_time_t running;  /* from there on, without waiting */
    s_time_t waiting;  /* for input, or for real time to pass */
};

void stats_print(FILE *out, const struct xen *xen, const struct stats_wall *wall);

#endif
