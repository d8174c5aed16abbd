// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A model of a pCPU on three kinds of hosts: where it may go, what can be done there, and what that costs.
 *
 * Concept: hypervisors are told apart by what lies beneath them. A type 1 is the kernel itself, and the device model
 * lives in another domain; one in a kernel (Linux's KVM) has a process for it; a hosted one brings a world of its own,
 * and goes back to the host's for each thing that it does not do itself. A pCPU is in one place at a time. Between
 * places are walls, and each of them costs.
 *
 *      type 1       guest |guest| vmm |vcpu| kernel |ring| user        vmm: Xen; kernel, user: of dom0
 *      in-kernel    guest |guest| vmm |ring| user                      vmm: the host's kernel, which KVM is part of
 *      hosted       guest |guest| vmm |world| kernel |ring| user       vmm: a world of its own; kernel, user: the host's
 *
 * When the guest exits, the pCPU is in the vmm, and a route (routes.h) says what is done until it is in the guest
 * again. Works, and where each can be done on a type 1, in-kernel, hosted:
 *
 *      serve      vmm, vmm, vmm         CPUID, MSRs, memory, hypercalls: the VMM has the answer. It has none of devices
 *      post       vmm, vmm, vmm         a write that nobody waits for goes into the ring of MODEL_RING places
 *      request    vmm, vmm, vmm         the guest's access to a device is put where the device model finds it. On a
 *                                       type 1 the vCPU is paused by it: dom0's kernel has to have it resumed, through
 *                                       the wall "hypercall", which leads from kernel to kernel, before the pCPU can go
 *                                       back to it
 *      wake       kernel, none, kernel  the device model's process: else the wall to user is shut
 *      take       user, user, user      the device model does the oldest of what is in the ring
 *      emulate    user, user, user      it does the request, and answers: behind all that was posted before
 *      complete   vmm, vmm, vmm         the guest's instruction ends with that answer
 *      interrupt  vmm, vmm, kernel      the handler of the machine's interrupt: of whom the machine belongs to
 *      inject     vmm, vmm, vmm         the guest gets its timer's interrupt, which is due
 *      yield      vmm, vmm, kernel      others have the pCPU for a while: two times through the wall "vcpu"
 *      block      vmm, vmm, kernel      they have it until the guest's timer is due: likewise
 *
 * An exit asks for one of serve, post, request, interrupt and block, as its class says; others of these are impossible
 * then (but a VMM may serve what is a device's, and be wrong).
 *
 * Invariants: what is impossible is not done, nothing is from then on, and `wrong` says what it was. Counts are exact;
 * ns are prices, round numbers of the order that is measured on processors of the 2010s. Left out everywhere: what the
 * work itself takes of caches, locks, and what the device itself takes (a file, a system call of the device model's).
 *
 * Read: Xen: xen/arch/x86/hvm/ioreq.c; KVM: Documentation/virt/kvm/api.rst (KVM_RUN, KVM_EXIT_IO,
 * KVM_CAP_COALESCED_MMIO); hosted: Sugerman, Venkitachalam, Lim: Virtualizing I/O Devices on VMware Workstation's
 * Hosted Virtual Machine Monitor (USENIX 2001).
 */
#ifndef TOOLS_MODEL_MODEL_H
#define TOOLS_MODEL_MODEL_H

#include <stdbool.h>
#include <stdint.h>

/* What becomes of an exit. */
#define MODEL_CLASSES(X)                                                                                               \
    X(cpu, "the hypervisor does it itself: CPUID, MSRs, interrupt controllers, timers, memory")                        \
    X(hypercall, "the guest asks the hypervisor for something")                                                        \
    X(posted, "a device model is told, and the guest goes on")                                                         \
    X(device, "a device model does it, and the guest waits")                                                           \
    X(interrupt, "the machine's own interrupt: a timer, the end of a time slice")                                      \
    X(halt, "HLT: the guest waits for an interrupt")

/* From one side of a wall to the other. */
#define MODEL_WALLS(X)                                                                                                 \
    X(none, "")                                                                                                        \
    X(guest, "guest/VMM")     /* VMEXIT, VMRUN */                                                                      \
    X(world, "world")         /* the whole processor, CR3 and IDT too, changes its owner */                            \
    X(vcpu, "vCPU")           /* a pCPU goes from one vCPU, or process, to another */                                  \
    X(ring, "kernel/user")    /* of the host, or of dom0 */                                                            \
    X(hypercall, "hypercall") /* of dom0, there and back */

#define MODEL_WORKS(X)                                                                                                 \
    X(serve) X(post) X(request) X(wake) X(take) X(emulate) X(complete) X(interrupt) X(inject) X(yield) X(block)

#define X(name, text) MODEL_##name,
enum model_class { MODEL_CLASSES(X) MODEL_NR_CLASSES };
#undef X
#define X(name, text) MODEL_WALL_##name,
enum model_wall { MODEL_WALLS(X) MODEL_NR_WALLS };
#undef X
#define X(name) MODEL_WORK_##name,
enum model_work { MODEL_WORKS(X) MODEL_NR_WORKS };
#undef X
enum model_place { MODEL_AT_nowhere, MODEL_AT_guest, MODEL_AT_vmm, MODEL_AT_kernel, MODEL_AT_user };
enum model_kind { MODEL_TYPE1, MODEL_IN_KERNEL, MODEL_HOSTED, MODEL_NR_KINDS };

#define MODEL_RING  4          /* writes that can be posted, and not taken yet */
#define MODEL_NEVER UINT64_MAX /* a timer that is not set */

struct model_exit {
    enum model_class class;
    uint32_t value;    /* what the guest wants to know, writes, or asks for */
    uint64_t ran;      /* ns in the guest until then */
    uint64_t timer;    /* cpu: the guest sets its timer, for so many ns after the exit; 0: it does not */
    bool wanted;       /* others want the pCPU when the guest exits... */
    bool wanted_later; /* ...or from when the exit's work is done on: serve, post, emulate, interrupt */
};

struct model {
    enum model_kind kind;
    enum model_place place;
    const struct model_exit *exit; /* that is dealt with */
    uint64_t now, left;            /* ns of the machine; when the guest exited */
    uint64_t ns;                   /* what was paid: waiting and others' time is not in it */
    uint64_t crossed[MODEL_NR_WALLS];
    uint64_t timer;  /* when the guest's is due, or MODEL_NEVER */
    uint64_t others; /* ns that they take, given the pCPU */
    bool is_wanted;
    uint32_t posted[MODEL_RING]; /* oldest first */
    unsigned int nr_posted, taken;
    uint32_t device; /* the device's state: of all writes and requests, in their order */
    bool requested, paused, woken, answered;
    uint32_t reply;
    /* What the guest, or others, can tell of the exit that ended last. */
    uint32_t answer; /* of what it asked for; 0: it got none */
    bool late;       /* it went on with its timer due, and no interrupt */
    bool kept;       /* it went on although others wanted the pCPU */
    bool handled;    /* the machine's interrupt was */
    bool slept;      /* it halted, and others had the pCPU or its timer was due already */
    char wrong[100]; /* the first thing that was impossible; "" */
    /* Somebody who listens: each wall and work, its text and price; walls of which it is none are MODEL_WALL_none. */
    void (*told)(void *data, const char *what, enum model_wall wall, unsigned int ns);
    /* Somebody who stands between a route and the model: who calls model_act(). */
    void (*through)(void *data, bool work, unsigned int what);
    void *data;
};

/* A pCPU in a guest, nothing due, nothing posted. */
void model_init(struct model *m, enum model_kind kind);
/* The guest has run, and exits: into the vmm. `x` is to stay until the next one. */
void model_leave(struct model *m, const struct model_exit *x);
/* The route of that exit is over: was it in the guest at last? */
void model_arrived(struct model *m);
/* What model_go() (a wall), model_do() (work) do. */
void model_act(struct model *m, bool work, unsigned int what);

extern const unsigned int model_wall_ns[MODEL_NR_WALLS]; /* each time */
const char *model_class_name(enum model_class c);
/* MODEL_NR_CLASSES: there is none of this name. */
enum model_class model_class_find(const char *name);

/* --- for routes --- */

/* Through a wall; to the guest: MODEL_WALL_guest. */
void model_go(struct model *m, enum model_wall wall);
void model_do(struct model *m, enum model_work work);

static inline enum model_class model_class(const struct model *m) { return m->exit->class; }
/* How many writes wait in the ring; it is full: MODEL_RING. 0 if something was impossible. */
static inline unsigned int model_posted(const struct model *m) { return m->wrong[0] ? 0 : m->nr_posted; }
/* Others want the pCPU, and have not had it yet. */
static inline bool model_is_wanted(const struct model *m) { return !m->wrong[0] && m->is_wanted; }
/* The guest's timer is due, and it has no interrupt yet. */
static inline bool model_timer_is_due(const struct model *m) { return !m->wrong[0] && m->timer <= m->now; }

#endif
