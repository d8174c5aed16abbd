// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * --trace FILE: what happens, one JSON object a line.
 *
 * Concept: the machine calls a sink with each record (sim/trace.h); this one prints it into a large buffer. Tracing
 * does not change what is traced: the machine has its own clock.
 *
 * Invariant: lines are in the order of their times. pCPUs may be a little apart in time (vcpu/run.c), so records wait
 * here until the machine has passed them; of the same time, the first that came is first.
 */
#ifndef UI_TRACE_FILE_H
#define UI_TRACE_FILE_H

#include "sim/trace.h"

#include <stdio.h>

struct trace_file {
    FILE *file;
    const char *path;
    struct trace_record *held; /* in order */
    size_t nr, size;
    int error; /* errno of the first write that failed; afterwards nothing is written */
};

/* 0, or -1 and errno. */
int trace_file_open(struct trace_file *t, const char *path);
/* The sink: data is the struct trace_file. */
void trace_file_sink(void *data, const struct trace_record *rec);
/* Nothing from before `now` will come any more: write what has waited for that. */
void trace_file_until(struct trace_file *t, s_time_t now);
/* The rest, and that is all. 0, or the errno of whatever failed since it was opened. Harmless when it was not. */
int trace_file_close(struct trace_file *t);

#endif
