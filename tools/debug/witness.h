// SPDX-License-Identifier: GPL-2.0-or-later
/* What the checks in a guest report that have student's code in their kernel: see witness.c. */
#ifndef TOOLS_DEBUG_WITNESS_H
#define TOOLS_DEBUG_WITNESS_H

#include "sim/types.h"

#include <stdbool.h>

struct host;

#define WITNESS_DOMID 1 /* the first guest's */
#define WITNESS_SAID  512

struct witness {
    void (*says)(const char *line); /* of the report, but for its end */
    bool over;                      /* its end was said */
    bool stop;                      /* no further: set by anybody */
    char ended[WITNESS_SAID];       /* why it goes no further, if it is not over; "" if nobody knows */
};

/* Let the host's guests run until the first has said its report, or stop. */
void witness_run(struct witness *w, struct host *host);

#endif
