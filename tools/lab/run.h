// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Running a lab's programs: the compiler on what a student wrote, and what came of it.
 *
 * Concept: each is started in a sandbox (tools/sandbox/), with limits that count what it uses itself: CPU time, memory,
 * output. What it printed and how it ended is a value; who called decides what that means.
 */
#ifndef TOOLS_LAB_RUN_H
#define TOOLS_LAB_RUN_H

#include "tools/sandbox/sandbox.h"

#define RUN_ERR_SIZE 200

struct run {
    char *out; /* what it printed, `len` bytes */
    size_t len;
    bool wrapped;             /* it was in bubblewrap */
    bool ok;                  /* it ended by itself, with status 0 */
    int status;               /* it ended by itself with this; -1: it did not */
    bool limited;             /* not by itself: it went beyond a limit */
    char ended[RUN_ERR_SIZE]; /* if not, how: "it crashed: Segmentation fault", "it has used 10 s of CPU time" */
};

struct run_limits {
    uint64_t cpu;    /* seconds */
    uint64_t output; /* bytes */
};

/* argv[0] is absolute. 0; or -1: it could not be started, and why. run_free() in any case. */
int run_program(const struct sandbox *s, const char *const argv[], const struct run_limits *limits, struct run *r,
                char why[RUN_ERR_SIZE]);
void run_free(struct run *r);

#endif
