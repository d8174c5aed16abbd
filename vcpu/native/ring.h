// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Shared rings, for who looks: which tasks of a native kernel serve one, and how it stands there.
 *
 * Concept: a back end is a task, and a ring belongs to a port of its. So there is no list to be kept: who looks goes
 * through the ports (native_rings()), and each task tells of its rings (`rings` in struct task_ops). Indices are read
 * from the page, which the other side writes too: they are only shown.
 */
#ifndef VCPU_NATIVE_RING_H
#define VCPU_NATIVE_RING_H

#include "vcpu/native/kernel.h"

#define TASK_RING_SLOTS 512

struct task_ring {
    domid_t front;
    const char *device, *name; /* "console", "out" */
    bool from_front;           /* the front end produces; else the task does */
    uint32_t prod, cons, size; /* in the ring's own units */
    bool has_event;            /* then: the index at whose passing the consumer wants to be told */
    uint32_t event;
    uint64_t sent, saved; /* notifications that the task has sent, and that nobody had asked for */
    uint64_t lost;        /* what had no room, and did not wait for it either */
    /* Of requests and answers in slots: */
    char letter[TASK_RING_SLOTS]; /* how each of them stands ("R": requested); 0: these are bytes */
    s_time_t full_since;          /* each holds a request that is not answered; 0: not so */
};

#define NATIVE_RINGS_PER_PORT 4

/*
 * Rings of ports from *port on, of the first that has any, which is then *port. How many; 0: there are no more. r has
 * room for NATIVE_RINGS_PER_PORT.
 */
size_t native_rings(const struct vcpu *v, evtchn_port_t *port, struct task_ring *r);

#endif
