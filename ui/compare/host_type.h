// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * `xenlab compare --host-type`: what the exits of an HVM guest would lead to on three kinds of hosts.
 *
 * Concept: hypervisors are told apart by what lies beneath them. A type 1 is the kernel itself, and its device model
 * lives in another domain; one in a kernel (Linux's KVM) has a process for it; a hosted one brings a world of its own,
 * and goes back to the host's for each thing that it does not do itself. None of the three is run here. What is
 * recorded is a list of exits (a trace of any run of an HVM guest); what is done with it is to walk, for each of them,
 * the path that it has on each kind of host, a row of host_paths.c.
 *
 *      trace --- class of each exit ---> path ---> transitions: counted, exact for that list and those paths
 *                                            '---> ns: the steps' prices, a model
 *
 * Classes are facts of the trace: whether the device model was told (the vCPU sent it an event), and whether the vCPU
 * waited for it. Exits that a processor would not take, as the simulator does (exceptions, INT n), are left out.
 *
 * Invariant: the output is a function of the trace alone.
 */
#ifndef UI_COMPARE_HOST_TYPE_H
#define UI_COMPARE_HOST_TYPE_H

#include "sim/pcpu.h"

#include <stdio.h>

/* What becomes of an exit. */
#define HOST_CLASSES(X)                                                                                                \
    X(cpu, "the hypervisor does it itself: CPUID, MSRs, interrupt controllers, timers, memory")                        \
    X(hypercall, "the guest asks the hypervisor for something")                                                        \
    X(posted, "a device model is told, and the guest goes on")                                                         \
    X(device, "a device model does it, and the guest waits")                                                           \
    X(halt, "HLT: the guest waits for an interrupt")

/* From one side of a wall to the other, of which each step crosses at most one. */
#define HOST_WALLS(X)                                                                                                  \
    X(none, "")                                                                                                        \
    X(guest, "guest/VMM")     /* VMEXIT, VMRUN */                                                                      \
    X(world, "world")         /* the whole processor, CR3 and IDT too, changes its owner */                            \
    X(vcpu, "vCPU")           /* a pCPU goes from one vCPU, or process, to another */                                  \
    X(ring, "kernel/user")    /* of the host, or of dom0 */                                                            \
    X(hypercall, "hypercall") /* of dom0, there and back */

#define X(name, text) HOST_CLASS_##name,
enum host_class { HOST_CLASSES(X) HOST_NR_CLASSES };
#undef X
#define X(name, text) HOST_WALL_##name,
enum host_wall { HOST_WALLS(X) HOST_NR_WALLS };
#undef X

struct host_step {
    const char *what; /* NULL: the path is over */
    enum host_wall wall;
    unsigned int ns; /* beside the wall's price */
};
#define HOST_MAX_STEPS 16

struct host_type {
    const char *name, *like; /* a hypervisor of that type */
    struct host_step path[HOST_NR_CLASSES][HOST_MAX_STEPS];
};
extern const unsigned int host_wall_ns[HOST_NR_WALLS];
const struct host_type *host_type_at(size_t i); /* NULL: there are no more */
/* What a path takes, by the model. */
uint64_t host_path_ns(const struct host_step *path);
/* How often it crosses a wall. */
unsigned int host_path_walls(const struct host_step *path, enum host_wall wall);
const char *host_class_name(enum host_class c);
/* HOST_NR_CLASSES: there is none of this name. */
enum host_class host_class_find(const char *name);

/* A recorded list of exits, counted. */
struct host_list {
    const char *name; /* of the trace */
    uint64_t nr[HOST_NR_CLASSES], kind[HOST_NR_CLASSES][EXIT_NR_KINDS];
    uint64_t exits;    /* all of these */
    uint64_t left_out; /* exits that a processor would not take */
    uint64_t switches; /* of pCPUs from one vCPU to another, in that run */
};

#define HOST_TYPE_ERR_SIZE 512
/* From a file, or "-". 0, or -1 and what is wrong: a line, or there is no exit of an HVM guest. */
int host_list_read(struct host_list *l, const char *path, char err[HOST_TYPE_ERR_SIZE]);

void host_type_text(const struct host_list *l, FILE *out);
void host_type_json(const struct host_list *l, FILE *out);
void host_type_svg(const struct host_list *l, FILE *out);
/* Step by step, of one exit. */
void host_type_path(enum host_class c, FILE *out);

#endif
