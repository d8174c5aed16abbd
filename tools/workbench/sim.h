// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The scheduler workbench's simulator: a policy under test, with made-up vCPUs and virtual time only.
 *
 * Concept: the policy and the scheduler core are the real ones. What is made up is the rest of the machine: a "vCPU"
 * here runs no code but a little program of steps (compute 3 ms, sleep 10 ms, wake that one, block...). The simulator
 * jumps from one moment at which something happens to the next: a step is finished, a slice is over, a timer fires. So
 * ten seconds of thousands of vCPUs take moments, and the same workload gives the same schedule every time.
 *
 * Everything is in nanoseconds. Used by `xenlab sched` and by the policies' unit tests.
 */
#ifndef TOOLS_WORKBENCH_SIM_H
#define TOOLS_WORKBENCH_SIM_H

#include "vcpu/sched/sched.h"

#define WB_FOREVER  INT64_MAX
#define WB_WHO_SIZE 112
/* So many are kept count of singly. */
#define WB_MAX_CHANGED 1024

/* One step of a vCPU's program. Durations are lo, or anything in lo..hi (uniform, from the workload's seed). */
enum wb_step_kind {
    WB_COMPUTE, /* need the CPU for lo..hi; lo = WB_FOREVER: spin */
    WB_SLEEP,   /* block for lo..hi */
    WB_BLOCK,   /* block until woken (a wake that came before counts, as a pending event does) */
    WB_WAKE,    /* wake all vCPUs of the target domain, or one */
    WB_YIELD,   /* SCHEDOP_yield */
    WB_PERIOD,  /* end of a periodic job: sleep until the next multiple of lo; past it, a deadline was missed */
};

/* What a vCPU does when it does not run, and a pCPU that nobody may use. */
enum wb_doing {
    WB_NOTHING, /* it has not been started, or it runs: struct wb_span says where */
    WB_WAITING, /* runnable, and no pCPU for it */
    WB_SLEEPING,
    WB_PAUSED,
    WB_UNPLUGGED, /* a pCPU */
};

struct wb_vcpu;

struct wb_step {
    enum wb_step_kind kind;
    s_time_t lo, hi;
    char target_name
        [48]; /* as written: domain, or domain.vcpu; resolved when the simulation starts or at the first use */
    struct wb_domain *target;
    int target_vcpu; /* -1: all */
};

struct wb_program {
    struct wb_step *step;
    unsigned int nr, line; /* of the workload; 0: none */
};

/* Wake-up latencies, for percentiles: sorted when the report is made. */
struct wb_samples {
    s_time_t *v;
    size_t nr, cap;
};

struct wb_vcpu {
    struct vcpu v;
    struct wb *wb;
    uint32_t number; /* vCPUs are counted as they are made */
    const struct wb_program *program;
    unsigned int pc;
    s_time_t left; /* of the current WB_COMPUTE */
    bool wake_pending;
    struct timer timer; /* ends WB_SLEEP and WB_PERIOD; before them: it comes up */
    s_time_t start;     /* when it comes up */
    s_time_t woken_at;  /* -1: has run since */
    s_time_t waiting_since;
    s_time_t max_wait; /* longest time runnable in one go: starvation shows here */
    s_time_t next_release;
    uint64_t jobs, misses;
    enum wb_doing doing; /* since when it is that; kept only for charts */
    s_time_t doing_since;
    uint64_t switches, migrations;
    s_time_t marked_run, marked_wait; /* before wb_mark() */
    unsigned int last_cpu;
    struct wb_samples latency;
    struct vcpu_info info;
};

struct wb_domain {
    struct domain d;
    struct wb_domain *next;
    char name[32];
    unsigned int room; /* vCPUs that it is to have */
    s_time_t start;    /* when it is made, as far as the built-in policies can see */
    struct timer made;
    bool listed; /* it is complete, and in the hypervisor's list */
    unsigned int weight, cap;
    unsigned int period_us, budget_us; /* rtds; 0: the policy's default */
    bool extratime;
    int refused;               /* by the policy's adjust, the last time that it was asked: -errno */
    bool kept_out;             /* since it was refused from the beginning: its vCPUs are never started */
    struct wb_program program; /* of vCPUs that have none of their own; owned */
    struct wb_program *own;    /* programs of single vCPUs, one each; owned */
};

/* A stretch of time on one pCPU, for the Gantt chart. */
struct wb_span {
    s_time_t start, end;
    struct wb_vcpu *v;
    unsigned int cpu;
};

/*
 * A stretch of time in which a vCPU did not run (v), or pCPU `cpu` was unplugged (v NULL); and a deadline that was
 * missed.
 */
struct wb_state {
    s_time_t start, end;
    const struct wb_vcpu *v;
    unsigned int cpu;
    enum wb_doing doing;
};

struct wb_miss {
    s_time_t deadline;
    const struct wb_vcpu *v;
};

/* Charts have a row for each vCPU if there are at most so many; nobody needs the states of more. */
#define WB_MAX_VCPU_ROWS 32

/* Something that the workload does at a given time: pause, change a weight, unplug a pCPU. */
struct wb_event {
    struct timer timer;
    struct wb_event *next;
    s_time_t at;
    char what[16], target[48], value[48];
    unsigned int line;
    struct wb *wb;
};

struct wb {
    struct machine machine; /* no RAM, no pCPUs: clock, log and trace */
    struct machine_edges edges;
    struct xen xen;
    struct wb_domain *domains, **domains_tail;
    struct wb_domain **by_id; /* [domid] */
    unsigned int nr_vcpus;
    struct wb_vcpu **vcpus; /* nr_vcpus, by number */
    /* Those that have changed since a policy elsewhere was last told (remote.h); or all may have, or are just now. */
    struct wb_vcpu *changed[WB_MAX_CHANGED];
    unsigned int nr_changed;
    bool changed_all, changing_all;
    s_time_t switch_cost;
    struct wb_event *events;
    struct xen_sysctl_arinc653_schedule arinc653;
    bool scan; /* check work conservation at every step (tests: looks at all vCPUs) */

    /* results */
    s_time_t busy[MACHINE_MAX_PCPUS],
        lost; /* lost: a pCPU idled though somebody waited who may run there (with scan) */
    uint64_t decisions;
    s_time_t marked; /* the time of wb_mark() */
    uint64_t marked_switches, marked_decisions;
    struct wb_span open[MACHINE_MAX_PCPUS]; /* that have no end yet */
    struct wb_span *span;
    size_t nr_spans, max_spans; /* max_spans 0: do not record */
    struct wb_state *state;
    struct wb_miss *miss;
    size_t nr_states, nr_misses;
    s_time_t record_from,
        record_to;    /* what of the run a chart will show; record_to 0: all, but states and misses not */
    s_time_t lost_at; /* from here on there was no more room; 0: there was */
    s_time_t unplugged_since[MACHINE_MAX_PCPUS]; /* + 1; 0: plugged in */
    char settings[160];                          /* the workload's, as far as the policy took them: " ratelimit_us=0" */
    char error[320];                             /* why the simulation ended early; "": it did not */
    bool workload_wrong;                         /* and it is not the policy's fault; error is what follows "FILE:" */
};

/* A machine of nr_pcpus under a policy of the built-in ones ("credit,tslice_ms=5") or a table. NULL: no such policy. */
struct wb *wb_create(const char *policy, const struct sched_ops *ops, unsigned int nr_pcpus, uint64_t seed);
void wb_destroy(struct wb *wb);

/*
 * Add a domain. program is text, see docs/workbench.md ("compute 3ms, sleep 10ms"); it is repeated for ever. Parameters
 * (weight, cap...) are set with wb_domain_apply() after they were written into the structure. NULL: wb->error says why.
 */
struct wb_domain *wb_domain_add(struct wb *wb, const char *name, unsigned int nr_vcpus, const char *program);
/* Give one vCPU a program of its own. */
bool wb_vcpu_set_program(struct wb *wb, struct wb_domain *wd, unsigned int id, const char *program);
/*
 * Tell the policy weight, cap, period, budget as toolstacks do. It may refuse, which is a result of the run: 0 or
 * -errno, as wd->refused.
 */
int wb_domain_apply(struct wb_domain *wd);
struct wb_domain *wb_domain_find(struct wb *wb, const char *name);
/* "NAME.VCPU" or "NAME" (*id = -1); NULL: no such domain or vCPU. */
struct wb_domain *wb_target_find(struct wb *wb, const char *text, int *id);
static inline struct wb_vcpu *wb_vcpu(struct wb_domain *wd, unsigned int id)
{
    return (struct wb_vcpu *)wd->d.vcpu[id];
}

/*
 * Whom a message is about. No pointers: the names are copied, so that it can be kept longer than the vCPU.
 * domid -1: no domain; vcpu -1: none of its vCPUs in particular; cpu -1: no pCPU.
 */
struct wb_who {
    int domid, vcpu, cpu;
    char domain[32];
};
struct wb_who wb_who(const struct domain *d, const struct vcpu *v, int cpu);
/* " [domain web, vCPU 0 (d3v0), pCPU 1]"; "" when there is nothing to say. Returns buf. */
const char *wb_who_text(const struct wb_who *w, char buf[WB_WHO_SIZE]);

/* Something of it has changed that no hook tells a policy. */
void wb_changed(struct wb_vcpu *wv);

/* The end of a WB_SLEEP or WB_PERIOD of data, a vCPU. */
void wb_sleep_over(void *data);
/* Start vCPUs that were not started yet; wb_run() does it. */
void wb_start(struct wb *wb);
/* Simulate until virtual time `until`. False: stopped early, wb->error or the scheduler's fault says why. */
bool wb_run(struct wb *wb, s_time_t until);
/* record.c: spans, states and misses. wb_record() before the clock moves, wb_record_end() at the end of the run. */
void wb_record(struct wb *wb);
void wb_record_end(struct wb *wb);
void wb_record_miss(struct wb *wb, const struct wb_vcpu *wv, s_time_t deadline);
/* Time on a pCPU so far, up to now; since wb_mark() (tools/workbench/figures.h). */
s_time_t wb_runtime(const struct wb_vcpu *wv);

/* program.c: program text. False: err. */
bool wb_program_parse(struct wb_program *p, const char *text, char *err, size_t errlen);
void wb_program_free(struct wb_program *p);

#endif
