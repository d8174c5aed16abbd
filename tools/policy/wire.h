// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the workbench and the process of a policy say to each other.
 *
 * Concept: the workbench, or the real machine, holds the truth, and simulates; xenlab-policy holds a mirror of what a
 * policy may see, and the policy. Every hook is a question and an answer, over a socket that keeps messages apart. A
 * question brings what has changed since the last one, so the mirror shows the present, and never what is to come.
 *
 *     workbench                                        xenlab-policy
 *       WIRE_BEGIN   pCPUs, random numbers   ------->
 *                                            <-------  WIRE_HERE     before any of the policy's code runs
 *                                            <-------  WIRE_LOADED   its names, which hooks it has; or WIRE_NOT_LOADED
 *       WIRE_CALL    hook, arguments         ------->
 *                                            <-------  WIRE_MIGRATE  in the hook vcpu_migrate() was called
 *       WIRE_CALL    sleep                   ------->
 *                                            <-------  WIRE_ANSWER   of sleep
 *       WIRE_DONE    vcpu_migrate() is over  ------->
 *                                            <-------  WIRE_ANSWER   of the first hook
 *
 * Timers that a policy sets are kept in the mirror's clock. Both clocks number what is armed with the same sequence, so
 * each answer says when the first of them is due and its number: the workbench needs no more than one timer to keep
 * ties in the order they would have in one process. WIRE_FIRE lets it fire.
 *
 * Invariants: after WIRE_LOADED nothing comes from there that was not asked for; what comes has `call` of the question.
 * Nothing of it is believed: tools/workbench/remote_check.c.
 */
#ifndef TOOLS_POLICY_WIRE_H
#define TOOLS_POLICY_WIRE_H

#include "tools/sandbox/guarded.h"
#include "vcpu/sched/sched.h"

#define WIRE_MAX_VCPUS   20000 /* of a workload */
#define WIRE_MAX_DOMAINS 20000
#define WIRE_NOBODY      UINT32_MAX
#define WIRE_NO_VCPU     (UINT32_MAX - 1) /* do_schedule returned what is none */

/* Every hook that a policy may have. */
#define WIRE_HOOKS(X)                                                                                                  \
    X(init)                                                                                                            \
    X(deinit)                                                                                                          \
    X(alloc_pdata)                                                                                                     \
    X(free_pdata)                                                                                                      \
    X(alloc_domdata)                                                                                                   \
    X(free_domdata)                                                                                                    \
    X(alloc_udata)                                                                                                     \
    X(free_udata)                                                                                                      \
    X(insert_unit)                                                                                                     \
    X(remove_unit)                                                                                                     \
    X(sleep)                                                                                                           \
    X(wake)                                                                                                            \
    X(yield)                                                                                                           \
    X(context_saved)                                                                                                   \
    X(pick_resource)                                                                                                   \
    X(migrate)                                                                                                         \
    X(do_schedule)                                                                                                     \
    X(adjust)                                                                                                          \
    X(adjust_affinity)                                                                                                 \
    X(adjust_global)                                                                                                   \
    X(set)                                                                                                             \
    X(dump_settings)

enum wire_hook {
#define X(hook) WIRE_##hook,
    WIRE_HOOKS(X)
#undef X
        WIRE_NR_HOOKS,
};

enum wire_kind {
    WIRE_BEGIN = 1,
    WIRE_STATE, /* more of what has changed than one message holds; no answer */
    WIRE_CALL,
    WIRE_FIRE,
    WIRE_DONE,
    WIRE_HERE,
    WIRE_LOADED,
    WIRE_NOT_LOADED,
    WIRE_ANSWER,
    WIRE_MIGRATE,
    WIRE_FORBIDDEN, /* it has made a system call that it may not make, number `result`, and is gone */
};

/* What of a vCPU a policy may see. */
struct wire_vcpu {
    uint32_t vcpu; /* its number: vCPUs are counted as they are made, over all domains */
    uint32_t domain, vcpu_id, pause_flags;
    int32_t pause_count, state;
    uint32_t processor;
    bool is_initialised, is_running, sched_joined, sched_awake, defer_shutdown;
    uint64_t state_entry_time, time[4], hard_affinity, soft_affinity;
    s_time_t last_run;
};

struct wire_domain {
    uint32_t domain; /* its domid */
    uint32_t room;   /* vCPUs that it is to have */
    uint32_t first;  /* tells domains of one domid apart, where domids come again */
    uint32_t max_vcpus;
    int32_t pause_count, controller_pause_count;
    uint8_t handle[16];
    bool in_pool, listed, is_shutting_down;
    uint32_t is_dying;
};

/* What of a pCPU. */
struct wire_pcpu {
    uint32_t curr; /* a vCPU's number, or WIRE_NOBODY */
    bool need_resched, online, owned;
    s_time_t now, slice_end, idle_time, idle_since;
};

/* Behind it lie nr_domains wire_domain, nr_vcpus wire_vcpu, and nr_bytes that belong to the hook. */
struct wire_question {
    uint32_t kind; /* enum wire_kind */
    uint32_t hook; /* WIRE_CALL */
    uint64_t call;
    s_time_t now;
    uint64_t clock_seq, cpus;
    uint32_t nr_pcpus, nr_domains, nr_vcpus, nr_bytes;
    struct wire_pcpu pcpu[MACHINE_MAX_PCPUS];

    uint32_t vcpu, domain, cpu;        /* arguments; WIRE_NOBODY: the hook is given none */
    bool has_hard, has_soft, has_pool; /* has_pool: xen->sched is set */
    uint64_t hard, soft;               /* adjust_affinity */
    int64_t value;                     /* set; WIRE_BEGIN: where its random numbers begin */
};

/* Rules that are broken inside, so only found there. They help who made a mistake; nothing depends on them. */
enum wire_broken { WIRE_SOUND, WIRE_WROTE_VCPU, WIRE_WROTE_PCPU, WIRE_WROTE_CLOCK, WIRE_NR_BROKEN };

#define WIRE_MAX_MOVED 64
#define WIRE_TEXT      1024

/* Whole for WIRE_LOADED, WIRE_NOT_LOADED and dump_settings; else without `text`: WIRE_ANSWER_SIZE. */
struct wire_answer {
    uint32_t kind;
    uint32_t broken, broken_vcpu, broken_cpu;
    uint64_t call;
    int64_t result;    /* 0 or -errno; pick_resource: a pCPU; alloc_*: not 0 if there is memory */
    uint32_t task;     /* do_schedule; WIRE_MIGRATE: who */
    uint32_t sched_id; /* WIRE_LOADED */
    s_time_t slice;
    uint64_t kicked;    /* sched_kick_cpu() was called for them */
    uint64_t clock_seq; /* as far as the mirror's clock has numbered, */
    s_time_t expires;   /* when its first timer is due, STIME_MAX: there is none; */
    uint64_t seq;       /* and the number of that */
    uint32_t hooks;     /* WIRE_LOADED: a bit each */
    uint32_t nr_moved;  /* vCPUs whose processor the policy has set */
    struct {
        uint32_t vcpu, processor;
    } moved[WIRE_MAX_MOVED];
    char text[WIRE_TEXT]; /* WIRE_LOADED: opt_name, and behind its NUL the name */
};
#define WIRE_ANSWER_SIZE offsetof(struct wire_answer, text)

/* A question with all that lies behind it is at most so long. */
#define WIRE_MAX_QUESTION 65536

#endif
