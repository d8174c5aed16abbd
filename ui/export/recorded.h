// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What vCPUs did, as records of a trace tell it: what the scheduler workbench needs to do it again, and what the
 * machine gave them meanwhile.
 *
 * Concept: of each vCPU it is known when it wanted a pCPU, and for how much. That is its program: compute for as long
 * as it ran, however often it was interrupted, then sleep for as long as it waited; or, if somebody's event ended its
 * waiting, block, and the one who sent it has a `wake` at that place in its own program. So who waits for whom stays as
 * it was, and who waited for a time waits for that time. Who still wants a pCPU in the end computes for ever, for
 * nobody knows what he would have done with more. What a guest would have done differently under another policy is not
 * in it.
 *
 * The figures of the machine are counted as the workbench counts its own (tools/workbench/figures.h).
 *
 * Invariants: the programs are as long as the run: none begins anew. Memory grows with what vCPUs did.
 */
#ifndef UI_EXPORT_RECORDED_H
#define UI_EXPORT_RECORDED_H

#include "ui/export/export.h"

enum step_kind { STEP_COMPUTE, STEP_SLEEP, STEP_BLOCK, STEP_WAKE, STEP_FOREVER };

struct recorded_step {
    enum step_kind kind;
    uint32_t who; /* STEP_WAKE: the key */
    s_time_t time;
};

struct recorded_vcpu {
    struct export_row row;
    bool seen, running, wants; /* wants: a pCPU, and may have it */
    bool wanted;               /* it ever did: */
    s_time_t start;            /* for the first time */
    s_time_t made;             /* of a vCPU 0: its domain */
    s_time_t since;            /* it runs, or waits, since then */
    s_time_t computes;         /* of the step that it is in */
    s_time_t ran, waited;
    uint64_t switches, migrations;
    unsigned int last_cpu; /* + 1; 0: it was on none */
    struct recorded_step *step;
    size_t nr, room;
};

/* What a scheduler was told of a vCPU. */
struct recorded_param {
    uint32_t key;
    bool first; /* before the vCPU wanted a pCPU for the first time */
    enum trace_sched_param what;
    s_time_t at; /* from the beginning of the run on */
    uint64_t value;
};

struct recorded {
    const struct export_about *about;
    struct export_rows vcpus;
    struct recorded_param *param;
    size_t nr_params, params_room;
    s_time_t now, begin;
    bool begun, failed;      /* failed: for want of memory */
    uint32_t sender;         /* of the last event, */
    struct position sent_at; /* and where it was sent */
    unsigned int pcpus;      /* the highest that was seen, + 1 */
    uint64_t switches, runstates;
};

/* about: of whom it is, borrowed. */
void recorded_init(struct recorded *w, const struct export_about *about);
void recorded_take(struct recorded *w, const struct trace_record *rec);
/* That was all: what is open is closed. False: there was too little memory. */
bool recorded_close(struct recorded *w);
void recorded_free(struct recorded *w);
/* From its first record to its last, at least 1. */
s_time_t recorded_length(const struct recorded *w);
/*
 * "web-d1", "dom0", or "d3": a domain's name in workloads, which are of letters, digits, _ and -. No two have the same.
 */
const char *recorded_name(const struct recorded *w, uint32_t key, char name[EXPORT_NAME]);

/* workload.c: all of it as a workload of xenlab sched. pcpus: of the machine, 0: those that were seen. */
void recorded_workload(const struct recorded *w, unsigned int pcpus, FILE *out);

#endif
