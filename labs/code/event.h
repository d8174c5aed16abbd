// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Event channels as a guest sees them: bits that others set, and an upcall that comes when one was set.
 *
 * Stated in public <xen/xen.h> (struct shared_info, struct vcpu_info). With Xen's own types it is guests/rt/event.c.
 */
#ifndef LABS_CODE_EVENT_H
#define LABS_CODE_EVENT_H

#include "labs/kit/shm.h"

#include <stdbool.h>

/* Port p is bit p % 64 of word p / 64. */
#define EVENT_WORDS 2
#define EVENT_PORTS (64 * EVENT_WORDS)

struct event_page {
    shm_t upcall_pending;       /* 1: "look at the selector". Xen calls the guest when it sets it */
    shm_t selector;             /* bit n: "look at pending[n]" */
    shm_t pending[EVENT_WORDS]; /* the port has an event */
    shm_t mask[EVENT_WORDS];    /* ... which is not to interrupt */
};
extern struct event_page *const event_page;

/* --- given: the hypervisor, and what the guest does with an event --- */

/* EVTCHNOP_unmask: clears the mask bit, and if it was set and the port is pending does what a send does. */
void hypercall_unmask(unsigned int port);
/* Any hypercall: on the way back from it an upcall comes that is due. */
void hypercall_yield(void);
/* The port's handler. */
void event_handle(unsigned int port);

/* --- event.c --- */

/* The port may interrupt again. What it has pending is handled without another event's having to come. */
void event_unmask(unsigned int port);
/* The upcall, during which no other one comes: all that is pending and not masked is handled. */
void events_poll(void);

#endif
