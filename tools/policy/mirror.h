// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a policy may see of the simulation, in its own process.
 *
 * Concept: struct xen, struct domain, struct vcpu, with the present state of what vcpu/sched/sched.h is about: who is
 * runnable, who runs where, affinity, times so far, and the policy's own timers in the clock. The truth is the
 * workbench's; here is a copy, brought up to date before each hook. What the policy does to it comes to nothing, but
 * for what it may do: sched_priv, processor, timers, kicks, all of which are told back.
 *
 * Invariant: before a hook, mirror->vcpu[i].v is as in mirror->vcpu[i].told, but for sched_priv and processor.
 */
#ifndef TOOLS_POLICY_MIRROR_H
#define TOOLS_POLICY_MIRROR_H

#include "tools/policy/wire.h"

struct mirror_vcpu {
    struct vcpu v;
    struct wire_vcpu told;
};

struct mirror_domain {
    struct domain d;
    bool made;
    uint32_t first, room; /* of the one that it was made for */
};

struct mirror {
    struct machine machine; /* no RAM, no pCPUs: a clock, and random numbers */
    struct machine_edges edges;
    struct xen xen;
    struct scheduler sched;
    struct mirror_vcpu *vcpu; /* WIRE_MAX_VCPUS of them, nr_vcpus used */
    uint32_t nr_vcpus;
    struct mirror_domain *domain; /* by domid, WIRE_MAX_DOMAINS of them */
    struct wire_question told;    /* the last one */
    struct domain **listed;       /* the end of xen.domain_list */
};

void mirror_init(struct mirror *m);
/* Carry over what a question brings; what belongs to its hook is left alone. */
void mirror_update(struct mirror *m, const struct wire_question *q);
/* By number; NULL for WIRE_NOBODY. */
struct vcpu *mirror_vcpu(struct mirror *m, uint32_t vcpu);
struct domain *mirror_domain(struct mirror *m, uint32_t domain);
/* WIRE_NOBODY for NULL; WIRE_NO_VCPU for what is none. */
uint32_t mirror_vcpu_number(const struct mirror *m, const struct vcpu *v);
/*
 * Into an answer: what the policy has done to the mirror since the last question that it may do, and what it may not.
 * who: the vCPUs that the hook was about (WIRE_NOBODY: none).
 */
void mirror_differences(struct mirror *m, const uint32_t who[3], struct wire_answer *a);

/* serve.c: answer questions with the policy's hooks, until there are no more. `ops` is the policy's. */
_Noreturn void policy_serve(struct mirror *m, const struct sched_ops *ops);
/* One message, of len bytes; ends the process when the workbench is gone. */
void policy_send(const void *message, size_t len);

#endif
