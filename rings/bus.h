// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * xenbus, the back side: devices that appear in xenstore, and the states that both ends go through.
 *
 * Concept: the toolstack writes two directories for a device, one for each end, which name each other. Each end writes
 * what it offers and its state into its own and watches the other's. A task of a native kernel does it for all of its
 * domain's back ends:
 *
 *      front end's state          we
 *      1 Initialising             from 6, or 5 as the front end said: offer again, 2
 *      3 Initialised              from 6, or 5 as the front end said: it has come back, 2, and
 *      3 Initialised, 4 Connected in 2 InitWait: connect, 4 Connected
 *      5 Closing                  disconnect, 5
 *      2, 7, 8                    nothing
 *      6 Closed, or no state,     disconnect, 6
 *          or none of these
 *      our directory is gone      disconnect, forget it; if it is there again by then, it is another device
 *
 * A device that cannot go on says why in error/backend/TYPE/DOMID/DEVID/error of the domain that serves it, and 5 at
 * once: it is being closed. Whoever finds the error may be in the midst of using what would be given back,
 * so that is done at the next look. A 5 that answers the front end's, and any 6, is said when nothing of its is held.
 * Who reads a 5 that it has not asked for says 6, and waits for 6.
 *
 * A bus may begin with devices that another one has served, in a domain that was started again: where that one had
 * connected, it connects without a word of states, and the front end sees a pause. A front end that has closed by then,
 * or begins at 1, is one like any other.
 *
 * dom0's bus reaches the store by its functions (bus_store.c), that of a driver domain over a ring (bus_ring.c).
 *
 * Invariants: a watch only marks its device; looking is the task's step, so a front end whose state changes a thousand
 * times costs a look. What the toolstack wrote into our directory counts, and nothing that the front end says about it.
 *
 * Corresponds to Linux's drivers/xen/xenbus (xenbus_probe_backend.c) and the state machines of its back ends.
 */
#ifndef RINGS_BUS_H
#define RINGS_BUS_H

#include "rings/xenstore/store.h"
#include "vcpu/native/kernel.h"

#define XENBUS_PATH  128
#define XENBUS_VALUE 512

struct xenbus;
struct xenbus_kind;

struct xenbus_device {
    struct xenbus_device *next;
    struct xenbus *bus;
    const struct xenbus_kind *kind;
    domid_t front;
    char path[XENBUS_PATH];       /* our directory: "/local/domain/0/backend/vbd/1/51712" */
    char front_path[XENBUS_PATH]; /* its, as the toolstack says; "": it has said nothing yet */
    unsigned int state;           /* ours: XenbusState* of io/xenbus.h */
    bool offered, connected, dirty;
    bool watched, watched_also; /* the front end's state, and what ops->also names */
    bool gone;                  /* it has been removed, and perhaps another one is there */
    bool failed;                /* xenbus_fail(): until we are in 6, since the front end has closed or gone, or in 2 */
    bool again;                 /* somebody had connected it before us: go on where its ring stands, and notify */
    void *data;                 /* the back end's */
};

/* A kind of back end. 0, or -errno when xenbus_fail() has been called. */
struct backend_ops {
    const char *type;   /* "vbd" */
    unsigned int first; /* devices of lower numbers are none of ours */
    /* A new device: write what is offered. */
    int (*probe)(struct xenbus_device *dev);
    /* A node of the front end's that may change while connected, which `changed` is told of; or NULL. */
    const char *also;
    void (*changed)(struct xenbus_device *dev);
    /* The front end has answered: begin. */
    int (*connect)(struct xenbus_device *dev);
    /* End it: nothing of the front end's is held after this. Only after a connect that answered 0. */
    void (*disconnect)(struct xenbus_device *dev);
    /* Forget what probe made. Also after a probe that failed. */
    void (*remove)(struct xenbus_device *dev);
};

/* A kind that a bus has, and what its devices there share: xenbus_data(). */
struct xenbus_kind {
    const struct backend_ops *ops;
    void *data;
};

/*
 * dom0's: watch for devices of these kinds, a list that ends with ops == NULL and outlives the bus. NULL: no memory.
 */
struct xenbus *xenbus_create(struct native_kernel *k, struct xs_store *store, const struct xenbus_kind *kinds);
/*
 * A driver domain's, over its own ring: bus_ring.c. The page is its own, the port is bound to xenstored. It finds the
 * devices that are there already; one that was connected is connected `again`.
 */
struct xenbus *xenbus_create_ring(struct native_kernel *k, struct xenstore_domain_interface *intf, evtchn_port_t port,
                                  const struct xenbus_kind *kinds);
/* Harmless for NULL. */
void xenbus_destroy(struct xenbus *b);
/* The domain is about to be destroyed: nothing of its is held any more. Harmless for b == NULL. */
void xenbus_domain_gone(struct xenbus *b, domid_t domid);

/* Each device of a kind. Harmless for b == NULL. */
void xenbus_each(struct xenbus *b, const struct backend_ops *ops, void (*fn)(struct xenbus_device *dev, void *data),
                 void *data);

struct native_kernel *xenbus_kernel(const struct xenbus *b);
void *xenbus_data(const struct xenbus_device *dev);

/* A node of our own or of the front end's directory, as text. False: it is not there, or too long. */
bool xenbus_read(const struct xenbus_device *dev, bool front, const char *node, char value[XENBUS_VALUE]);
/* A number. False: also if it is none, or not in [min, max]. */
bool xenbus_read_number(const struct xenbus_device *dev, bool front, const char *node, uint64_t min, uint64_t max,
                        uint64_t *n);
/* Write one into our own. */
__attribute__((format(printf, 3, 4))) void xenbus_write(struct xenbus_device *dev, const char *node, const char *fmt,
                                                        ...);
/* The device cannot go on: say why, and close. Returns rc. May be called from the back end's task as well. */
__attribute__((format(printf, 3, 4))) int xenbus_fail(struct xenbus_device *dev, int rc, const char *fmt, ...);

#endif
