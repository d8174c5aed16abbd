// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * --trace FILE: what happens, one JSON object a line.
 *
 * Concept: the machine calls a sink with each record (sim/trace.h); this one prints it into a large buffer. Tracing
 * does not change what is traced: the machine has its own clock. The first line is a header: the version of the
 * vocabulary, who wrote it, what virtual time is made of, and which guests there were, each with a hash of the files
 * that it came from. docs/trace.md describes it.
 *
 * Invariant: lines are in the order of execution, which is that of their numbers (seq).
 */
#ifndef UI_TRACE_FILE_H
#define UI_TRACE_FILE_H

#include "sim/trace.h"

struct trace_file {
    int fd;
    const char *path;
    char *buf; /* what is not written yet */
    size_t len;
    const bool *stop; /* a signal has come: nobody waits for a reader any longer */
    int error;        /* errno of the first write that failed; afterwards nothing is written */
};

/* A guest as the header names it; the strings are paths, ramdisk may be NULL. */
struct trace_file_guest {
    const char *name, *kernel, *ramdisk;
};

/* Open the file, or for "-" standard output, and write the header; *stop is looked at later. 0, or -1 and errno. */
int trace_file_open(struct trace_file *t, const char *path, const struct trace_file_guest *guests, size_t nr,
                    const bool *stop);
/* The sink: data is the struct trace_file. */
void trace_file_sink(void *data, const struct trace_record *rec);
/* The rest, and that is all. 0, or the errno of whatever failed since it was opened. Harmless when it was not. */
int trace_file_close(struct trace_file *t);

#endif
