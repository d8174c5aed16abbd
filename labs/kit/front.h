// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A front end that is played: the scene's guest has a device, and dom0's back end serves it.
 *
 * Concept: the lab's check does what a guest's driver would do, and what a hostile one would. It has frames, a grant
 * for each, a port, and the two directories of the device in xenstore. Dom0 runs when it is told to, step by step.
 */
#ifndef LABS_KIT_FRONT_H
#define LABS_KIT_FRONT_H

#include "labs/kit/kit.h"
#include "mmu/grant/private.h"
#include "rings/bus.h"
#include "rings/xenstore/xenstored.h"

#define KIT_FRONT_FRAMES 24
#define KIT_FRONT_PORTS  4 /* besides the first */

struct kit_front {
    struct kit_scene *k;
    struct xenstored *x;
    struct xenbus *bus;
    const char *type;
    const char *begins; /* the state that a front end is in whose device is added; NULL: 1 */
    grant_ref_t first;  /* of frame 0; the others follow */
    mfn_t mfn[KIT_FRONT_FRAMES];
    evtchn_port_t port, more[KIT_FRONT_PORTS]; /* more: 0 from nr_more on */
    unsigned int nr_more;
};

/* With a store, and a bus of these kinds of back ends; no device yet. */
struct kit_front *kit_front(struct kit_scene *k, const struct xenbus_kind *kinds);
void kit_front_end(struct kit_front *f);

/* The toolstack makes a device: nodes of the back end's directory are name, value, ..., NULL. With grants for all. */
void kit_front_add(struct kit_front *f, const char *type, ...) __attribute__((sentinel));
/* It is gone, and the back end has forgotten it. */
void kit_front_remove(struct kit_front *f);
/* A node of the front end's directory; or read one of the back end's ("-": it is not there). */
void kit_front_write(struct kit_front *f, const char *node, const char *value);
const char *kit_front_back(struct kit_front *f, const char *node, char value[64]);
/* Write one of the back end's, as the toolstack or another bus does. */
void kit_front_set(struct kit_front *f, const char *node, const char *value);
/* Remove a node of the front end's directory, or of the back end's; "": all of it. */
void kit_front_drop(struct kit_front *f, bool back, const char *node);
/* The back end's directory, with what every device has: the toolstack makes it, nobody has looked. A state stays. */
void kit_front_make(struct kit_front *f);

void *kit_front_frame(struct kit_front *f, unsigned int i);
/* Frame i is granted to dom0; flags 0: it is not. */
void kit_front_grant(struct kit_front *f, unsigned int i, uint16_t flags);
/* An event to the back end. Has the front end been sent one, since this was asked last? */
void kit_front_send(struct kit_front *f);
bool kit_front_told(struct kit_front *f);
/* A further port, until the device is removed; the same there; is it bound, by the back end? */
evtchn_port_t kit_front_port(struct kit_front *f);
void kit_front_send_at(struct kit_front *f, evtchn_port_t port);
bool kit_front_told_at(struct kit_front *f, evtchn_port_t port);
bool kit_front_bound(struct kit_front *f, evtchn_port_t port);
/* One step of dom0. False: it has nothing to do. And all that there are. */
bool kit_front_step(struct kit_front *f);
void kit_front_run(struct kit_front *f);
/* Time passes, and timers fire. */
void kit_front_pass(struct kit_front *f, uint64_t ns);

#endif
