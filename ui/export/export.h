// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Traces in the formats of other programs.
 *
 * Concept: a format is a set of operations on records, one after the other, and a stream that they write to. Where
 * records come from is not their business: a file (ui/cmd_trace.c) or a machine.
 *
 * Invariants: memory grows with vCPUs, not with records, but for pictures, which keep what they draw. A part of a trace
 * is as good as all of it: what is not known of the time before it is not made up.
 *
 * Times. A trace's order is that of execution, and pCPUs may be a little apart in time: a vCPU that moves to another
 * pCPU, or is woken from there, would go back in time. So times here are those of the trace, but for a vCPU's first
 * records after such a meeting, which are late enough to be behind the others: export_time().
 */
#ifndef UI_EXPORT_EXPORT_H
#define UI_EXPORT_EXPORT_H

#include <stdio.h>

#include "sim/machine.h"
#include "sim/trace.h"

#define EXPORT_RANGE_EXAMPLE "#80747.1, #80747, 107us or 1.5ms"

/* A place in a trace. */
struct export_place {
    bool stated, by_time;
    struct position at;
    s_time_t time;
};

/* "#80747.1", "#80747", "107us". False: it is none. */
bool export_place_parse(const char *text, struct export_place *place);

/* What a trace is of, borrowed. */
struct export_about {
    const char *(*guest)(const void *data, size_t i); /* the names of guests, in order; NULL: no more */
    const void *data;
};

#define EXPORT_LACKS 256

/* What a recorded run has come to, under the names that a kit's figures have. */
struct export_figure {
    char subject[32];
    const char *figure;
    double value;
    bool unknown; /* there was nothing to measure */
};

struct export_format {
    const char *name, *help;
    bool is_text; /* a terminal can show it */
    /* NULL: no memory. `about` stays valid until the end. */
    void *(*begin)(FILE *out, const struct export_about *about);
    void (*record)(void *state, const struct trace_record *rec);
    /* One that is before the part that is exported: what is known then. NULL: a format that does not ask. */
    void (*before)(void *state, const struct trace_record *rec);
    /* When all records are there: what the trace lacks for it, to be said, NULL: nothing. No such function: it needs
     * nothing. Valid until the end. */
    const char *(*lacks)(void *state);
    /* Behind lacks(): the run's own figures, the caller's to free. NULL: there are none. */
    size_t (*figures)(void *state, struct export_figure **list);
    /* The rest. False: there was too little memory for all of it. Errors of the stream are the stream's. */
    bool (*end)(void *state);
};

/* Hand over one of all records, of which those from one place to another are exported. Whether it is one of them. */
bool export_record(const struct export_format *f, void *state, const struct trace_record *rec,
                   const struct export_place *from, const struct export_place *to);

extern const struct export_format export_perfetto, export_xentrace, export_svg, export_workload, export_workload_ring;

/* "d1 rings": domain 1, which is the first guest. */
#define EXPORT_NAME 64
const char *export_domain_name(const struct export_about *about, unsigned int dom, char name[EXPORT_NAME]);

/* --- what formats keep of each vCPU --- */

/* Rows of one size, each with its key in front, found by it; they stay where they are. */
struct export_rows {
    size_t size; /* of a row, that begins with a struct export_row */
    struct export_row {
        uint32_t key;
    } * *row; /* by key */
    size_t nr, room;
    bool failed; /* for want of memory */
};

/* The row of a key, made if it is not there, all 0 but the key. NULL: no memory. */
void *export_row(struct export_rows *t, uint32_t key);
void export_rows_free(struct export_rows *t);

#define EXPORT_KEY(dom, vcpu) ((uint32_t)(dom) << 16 | (vcpu))

/* --- times --- */

struct export_clock {
    s_time_t last;
    unsigned int pcpu; /* that was on */
};

struct export_clocks {
    s_time_t pcpu[MACHINE_MAX_PCPUS];
};

/*
 * When the record was: its time, or later, so that it is not before what was before it on its pCPU, nor before what its
 * vCPU (NULL: it has none) has seen, and behind that, if that was on another pCPU.
 */
s_time_t export_time(struct export_clocks *c, struct export_clock *vcpu, const struct trace_record *rec);

#endif
