// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A student's policy, in a process of its own: the side of the workbench, or of the real machine.
 *
 * Concept: to the scheduler core it is a policy like any other. Each of its hooks is a question to xenlab-policy
 * (tools/policy/wire.h), which answers with what the real hook returned and did. All truth is on this side: the vCPUs,
 * the clock, the figures, the report. So whatever the policy does, in its process, it cannot do to them; it can answer
 * wrongly, which is what the contract's rules are for, or not at all.
 *
 *     remote_hooks.c   a hook of struct sched_ops, as a question; the contract's rules for what comes back
 *     remote_state.c   what the other side is told, what of its answer is carried out
 *     remote_check.c   is that an answer at all?
 *     remote_sim.c     the workbench's vCPUs and domains;
 *     remote_machine.c those of the real machine (`xenlab run --sched ./policy.so`)
 *     remote.c         the process (tools/sandbox/guarded.h), what it begins with, where it ended
 *
 * Invariants: the hook that a question is about is noted in `where` before it is sent. Once `gone` is set nothing is
 * asked any more: hooks do nothing, and succeed.
 */
#ifndef TOOLS_WORKBENCH_REMOTE_H
#define TOOLS_WORKBENCH_REMOTE_H

#include "tools/policy/wire.h"
#include "tools/sandbox/guarded.h"
#include "tools/workbench/sim.h"

/* What of the policy's is running. */
enum wb_where {
    WB_NOWHERE,
    WB_CONSTRUCTORS,
    WB_NAMES,
    WB_TIMER,
#define X(hook) WB_IN_##hook,
    WIRE_HOOKS(X)
#undef X
        WB_NR_WHERE,
};

/* "do_schedule"; any number will do. */
const char *wb_where_name(unsigned int where);

struct wb_remote;

/* Where the vCPUs are that the policy schedules: in the workbench, or in the real machine. */
struct remote_world {
    /* A vCPU's number, the same for its life; and the vCPU of a number, NULL: it is not there any more. */
    uint32_t (*number)(struct wb_remote *r, const struct vcpu *v);
    struct vcpu *(*vcpu)(struct wb_remote *r, uint32_t number);
    /* What of a domain the hypervisor's structure does not say: the first vCPU's number, how many it is to have... */
    void (*domain)(struct wb_remote *r, const struct domain *d, struct wire_domain *w);
    /* wb_remote_look_*() at all that may have changed since the last question; v and d: whom it is about, or NULL. */
    void (*look)(struct wb_remote *r, const struct vcpu *v, const struct domain *d);
    struct wb_who (*who)(const struct domain *d, const struct vcpu *v, int cpu);
};
/* The numbers of a domain's vCPUs in the real machine. */
struct remote_home {
    uintptr_t domain; /* its address: to tell it from another of its domid */
    uint32_t first, room;
};
extern const struct remote_world remote_world_workbench, remote_world_machine;

#define WB_STATE_DOMAINS 64
#define WB_STATE_VCPUS   256

/* Must outlive the scheduler. */
struct wb_remote {
    struct sched_ops ops; /* first: a scheduler's ops pointer leads back here. What is handed to wb_create() */
    const struct remote_world *world;
    struct scheduler *sched; /* since the first hook */
    char name[64], opt_name[32];
    uint32_t hooks, sched_id; /* a bit each; as in its table */
    const char *path;         /* as the user named it */

    struct guarded process;
    bool gone;       /* ask nothing any more: why[] says why, rc is the command's exit status */
    bool gone_quiet; /* ask nothing any more: all has been said */
    char why[640];   /* "crashed (...) in wake, ...": what follows "policy PATH"; "" */
    int rc;          /* of the command: 2, it was the policy's fault; 1, it could not be loaded */

    /* what is going on there */
    enum wb_where where;
    struct wb_who who;              /* what that call is about; no pCPU, vCPU or domain where a hook is given none */
    char fault[160];                /* the rule that was broken; "" */
    uint64_t calls, fault_call;     /* so far; the one in which a rule was broken, 0: none */
    unsigned int depth, migrations; /* questions that are open; vcpu_migrate() since the outermost */
    s_time_t last_decision;
    unsigned int decisions_at_once;            /* at that moment */
    unsigned int decisions;                    /* moments in this virtual millisecond at which one was asked for */
    unsigned int decisions_max, decisions_now; /* in a virtual second, by all pCPUs (0: no limit); in this one */
    s_time_t second;                           /* this one's number */

    /* what it was told */
    struct wire_vcpu *vcpu;     /* by number; */
    bool *vcpu_told;            /* of those alone */
    struct wire_domain *domain; /* by domid */
    bool *domain_told;
    uint32_t nr_vcpus;
    uint32_t nr_domains;               /* one more than the highest domid */
    const struct domain *domain_last;  /* the workbench's: the one that a question was last about */
    const struct domain *domain_asked; /* the one that this question is about: it need not be in a list yet */
    struct remote_home *home;          /* the machine's: by domid, */
    uint32_t numbers;                  /* so many were given */
    bool *domain_here;                 /* by domid, while it looks */
    bool *stop;                        /* becomes true when it is over with the policy; NULL: nobody looks */
    struct timer timer;                /* the first of the policy's timers */
    uint64_t timer_seq;

    /* the question that is being put together */
    struct wire_question question;
    struct wire_domain new_domain[WB_STATE_DOMAINS];
    struct wire_vcpu new_vcpu[WB_STATE_VCPUS];
    char bytes[4096]; /* the hook's own: parameters */
};

/* --- remote_check.c --- */

/* What an answer may be like. */
struct wb_expected {
    uint32_t kinds; /* a bit each */
    size_t len;
    uint64_t call, clock_seq;
    s_time_t now;
    uint32_t nr_vcpus, nr_pcpus;
};
/* What is wrong with these bytes as an answer; NULL: nothing, and every number in it can be used as what it is for. */
const char *wb_answer_check(const void *bytes, size_t len, const struct wb_expected *e);

/* --- remote.c --- */

/*
 * Start the process, and load the policy from the file `path` in it; `asked`: what it is asked is written there as well
 * (tools/sandbox/asked.h), NULL: nowhere. False: it could not be started, loaded or used,
 * r->why and r->rc say why. wb_remote_end() in any case.
 */
bool wb_remote_start(struct wb_remote *r, const struct remote_world *world, const char *path, unsigned int limit,
                     unsigned int nr_pcpus, uint64_t seed, FILE *asked);
/* It is over, and the rest of what it printed is shown. After wb_destroy(). */
void wb_remote_end(struct wb_remote *r);
/* r->question as it is, with what belongs to it. */
void wb_remote_send(struct wb_remote *r);
/* The next message, one of those that are expected. False: there is none, r->gone. */
bool wb_remote_receive(struct wb_remote *r, struct wire_answer *a, struct wb_expected *e);
/* The policy is at fault for good: nothing is asked any more. Where it was is added to the words. */
void __attribute__((format(printf, 2, 3))) wb_remote_gone(struct wb_remote *r, const char *fmt, ...);

/* --- remote_state.c --- */

/* Who a question is about, before it is asked: NULL, or both. */
void wb_remote_tell(struct wb_remote *r, struct scheduler *s, const struct vcpu *v, const struct domain *d);
/* Carry out what an answer says: kicks, processors, the timer; and rules that were broken inside. */
void wb_remote_apply(struct wb_remote *r, struct scheduler *s, const struct wire_answer *a);
/* A rule was broken, in what is going on: the first time counts. v NULL, cpu -1: none in particular. */
void wb_remote_fault(struct wb_remote *r, struct scheduler *s, const char *rule, const struct vcpu *v, int cpu);
/* The vCPU of a number that was checked; NULL for WIRE_NOBODY. */
struct vcpu *wb_remote_vcpu(struct wb_remote *r, uint32_t vcpu);
/* It is told if it is not as it was last told. */
void wb_remote_look_vcpu(struct wb_remote *r, const struct vcpu *v);
void wb_remote_look_domain(struct wb_remote *r, const struct domain *d);
/* The same of what is put together already. */
void wb_remote_say_domain(struct wb_remote *r, const struct wire_domain *w);

/* --- remote_hooks.c --- */

/* Fill in r->ops, once it has been started: with the hooks that the policy has. */
void wb_remote_hooks(struct wb_remote *r);

#endif
