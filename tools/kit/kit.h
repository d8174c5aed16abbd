// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * `xenlab kit`: an algorithm, a model of the machine around it, and what came of it.
 *
 * Concept: a kit is a model: it reads a workload, lets time pass, and asks the algorithm, which runs in a process of
 * its own, whenever there is something to decide. All truth is on this side: the workload with what is still to come,
 * the state, the figures. A figure has a name, whom it is about, a value and a unit, so that tables, JSON, charts and
 * expectations are the same for all kits.
 *
 *      command.c   options, and the report            report.c    figures, as a table and JSON
 *      run.c       a run, and those that expectations (tools/expect/) want
 *      result.c    a run as JSON, in a file if it is a job of a sweep (tools/sweep/)
 *      ask.c       the algorithm's process             child/      what runs in it
 *      workload.h  how workloads are read              svg.h       how charts are drawn
 *      memctl.c    a kit (memctl_load.c: its workloads, memctl_svg.c: its chart)
 *      precopy.c   another (precopy_vm.c: the VM)
 *      balance.c   another (balance_run.c: a millisecond)
 *      reclaim.c   another (reclaim_touch.c: what is touched, reclaim_min.c: the fewest faults)
 *      ring.c      another (ring_step.c: the two sides)
 *      tlbflush.c  another (tlbflush_machine.c: pages and TLBs)
 *      shadow.c    another (shadow_guest.c: what guests store)
 *      evtchn.c    another (evtchn_step.c: the two sides)
 *
 * A new kit is: a table in include/xenlab/kit.h; its questions in wire.h; how its table is called, in child/; a struct
 * kit_model, in the list of command.c.
 *
 * Invariants: the same workload, seed and algorithm give the same bytes. Nothing that is sent tells what is to come.
 */
#ifndef TOOLS_KIT_KIT_H
#define TOOLS_KIT_KIT_H

#include <stdio.h>

#include "tools/kit/wire.h"
#include "tools/sandbox/guarded.h"

#define KIT_WHY 320

/* --- what came of it --- */

/* A kind of figure. */
struct kit_figure {
    const char *name, *unit, *what; /* "swaps", "MiB", in words; unit "": a number of times */
};

/* One of them: of a subject, such as a VM, or of the run as a whole (""). */
struct kit_metric {
    const struct kit_figure *figure;
    const char *subject;
    double value;
};

struct kit_metrics {
    struct kit_metric *metric;
    size_t nr;
};
/* figure and subject must live as long as the list, which is freed by free(list->metric). */
void kit_metric_add(struct kit_metrics *list, const struct kit_figure *figure, const char *subject, double value);

/* --- the algorithm's process --- */

struct kit_model;

struct kit_asked {
    struct guarded process;
    const struct kit_model *model;
    char name[64];     /* the algorithm's, printable */
    uint64_t calls;    /* so far */
    unsigned int hook; /* that is asked */
    char at[48];       /* "12 s": when, in the model's time; the model says so before it asks, */
    int64_t now;       /* and in ns */
    /* Behind each step of time (kit_passed()), with the model as it was left. NULL: nobody looks. */
    void (*look)(struct kit_asked *a, void *data);
    void *data;
    bool gone;     /* ask nothing any more */
    char why[800]; /* what follows "policy PATH"; "": nothing is wrong */
    int rc;        /* of the command: 2, its own fault; 1, it could not be loaded */
    struct kit_message message;
};

/*
 * Start it, load the object, call its init. False: a->why, a->rc. kit_end() in any case. `limit`: seconds of CPU time
 * for one call. `asked`: what it is asked is written there as well (tools/sandbox/asked.h); NULL: nowhere.
 */
bool kit_start(struct kit_asked *a, const struct kit_model *model, const char *object, unsigned int limit,
               uint64_t seed, FILE *asked);
/*
 * Call hook (of the model's) with len bytes, at most KIT_BYTES. Its answer is in a->message.bytes, a->message.len of
 * them, which must lie between least and most. False: it is gone, a->why.
 */
bool kit_ask(struct kit_asked *a, unsigned int hook, const void *bytes, size_t len, size_t least, size_t most);
/* What it has answered to the last question is against the kit's rules: nothing more is asked. Returns false. */
bool __attribute__((format(printf, 2, 3))) kit_fault(struct kit_asked *a, const char *fmt, ...);
void kit_end(struct kit_asked *a);
/*
 * The model's time is now so many ns: whoever wants figures of this moment looks at them. kit_ask() says it of a->now;
 * a model whose time passes between questions says so itself.
 */
void kit_passed(struct kit_asked *a, int64_t now);

/* --- a kit --- */

struct kit_model {
    const char *name, *what, *example; /* "memctl", what is decided, a workload to try */
    const char *const *hooks;          /* by number, from init; NULL ends them */
    uint32_t required;                 /* those that a table must have, a bit each */
    const struct kit_figure *figures;  /* a name of NULL ends them */
    /*
     * Those that a window of time may be asked for, a bit each by number: sums over time, which are what has come since
     * it began; means over time; and states, which are as they are when it ends. Others are of a whole run.
     */
    uint64_t sums, means, states;
    const char *const *references; /* policies in docs/examples/kit/, which are installed; NULL ends them */
    /* NULL: why, as "LINE: what would be right". Lines that begin with `expect` are passed over. */
    void *(*load)(FILE *f, uint64_t seed, char why[KIT_WHY]);
    /* How long a run may last, ns; it may end before. No such function: nobody knows. */
    int64_t (*time)(const void *model);
    /* To its end, or until a->gone. */
    void (*run)(void *model, struct kit_asked *a);
    /* Before a run: the same ones, of any value. */
    void (*metrics)(const void *model, struct kit_metrics *list);
    void (*svg)(const void *model, FILE *f, const char *title);
    void (*free)(void *model);
};

extern const struct kit_model kit_memctl, kit_precopy, kit_balance, kit_reclaim, kit_ring, kit_tlbflush, kit_shadow,
    kit_evtchn;

/* --- report.c --- */

void kit_table(const struct kit_metrics *list, FILE *f);
struct kit_run {
    const char *kit, *policy, *workload;
    uint64_t seed;
};
/* A JSON object, without the brace at its end: there are expectations to come. */
void kit_json(const struct kit_metrics *list, const struct kit_run *run, FILE *f);

/* --- command.c --- */

/* argv begins behind "kit". The command's exit status: 0; 1, it could not be run; 2, it was the algorithm's fault;
 * 4, something that is expected of it does not hold. */
int kit_command(int argc, char **argv);
void kit_help(FILE *f);
/* Words that may follow "kit": names of kits, options; NULL: there are no more. */
const char *kit_word(size_t i);

#endif
