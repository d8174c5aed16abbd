// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A bridge's way out of the machine.
 *
 * Concept: a port like that of a guest's card, but behind it is the host's network. What goes out is taken from the
 * port's queue by a task of dom0 and handed to whoever is outside, cut up and with sums filled in, as on a wire; what
 * comes in is an input of the machine, at a position of its run.
 *
 * Invariant: nothing of the outside is remembered here, so that a machine that goes back needs none: only which of
 * their connections guests believe to have (rings/net/connections.h).
 */
#ifndef RINGS_NET_OUTSIDE_H
#define RINGS_NET_OUTSIDE_H

#include "rings/net/bridge.h"
#include "rings/net/connections.h"
#include "vcpu/native/task.h"

struct net_outside {
    struct bridge_port port; /* ops NULL: there is none yet */
    struct task task;
    struct connections *connections; /* NULL: there was no memory to remember them */
    /* A packet goes out: called in a step of the task. */
    void (*send)(void *data, const uint8_t *packet, size_t len);
    void *data;
};

/* On a bridge; send and data are filled in. k: whose task it is. */
void outside_begin(struct net_outside *o, struct native_kernel *k, struct bridge *b);
/* Harmless if it has not begun. */
void outside_end(struct net_outside *o);
/* A packet comes in: at least a header, at most NET_FRAME_MAX bytes. False: it does not, or there is no memory. */
bool outside_receive(struct net_outside *o, const uint8_t *packet, size_t len);

#endif
