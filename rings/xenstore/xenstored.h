// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * xenstored: the store of the machine, and everybody's way to it.
 *
 * Concept: a service of dom0's kernel. It has the store (store.h), a ring for each domain that was introduced (ring.h),
 * and sockets for programs outside (socket.h). The toolstack, which is in dom0 as well, uses the store by its
 * functions.
 *
 * Corresponds to tools/xenstore/, the daemon that runs in dom0 or in a domain of its own.
 */
#ifndef RINGS_XENSTORE_XENSTORED_H
#define RINGS_XENSTORE_XENSTORED_H

#include "rings/xenstore/ring.h"
#include "rings/xenstore/socket.h"

struct xenstored {
    struct native_kernel *kernel;
    struct xs_store store;
    struct xs_ring *rings;
    struct xs_socket *sockets;
    const struct xs_edge *edge;
};

/* edge: where what is said to sockets goes; kept. NULL: out of memory. */
struct xenstored *xenstored_create(struct native_kernel *k, const struct xs_edge *edge);
/* After the domains. */
void xenstored_destroy(struct xenstored *x);

/*
 * Domain domid has its xenstore page in frame mfn, and waits at its (unbound) port: talk to it, and tell watches. One
 * that has been introduced before has another port from now on. 0; -EINVAL: there is no such domain, or the frame or
 * port is refused.
 */
int xenstored_introduce(struct xenstored *x, domid_t domid, mfn_t mfn, evtchn_port_t port);
/*
 * It has been started again in place, and has another port: also a conversation that has ended begins anew. 0 or
 * -errno.
 */
int xenstored_restarted(struct xenstored *x, domid_t domid, evtchn_port_t port);
/* The other way round, before the domain is destroyed. Its nodes are removed. Harmless if it was not introduced. */
void xenstored_release(struct xenstored *x, domid_t domid);

/* What the toolstack does: no connection, no transaction. */
struct xs_access xenstored_toolstack(struct xenstored *x);

/* For who looks: a node, or a watch. */
struct xenstore_seen {
    bool is_watch;
    domid_t domid; /* who watches */
    const char *path;
    const char *value; /* of a watch: its token */
    size_t len;
    char perms[48]; /* "n1,r0": the owner first; no more than there is room for */
};
typedef void xenstore_each_fn(void *data, const struct xenstore_seen *seen);
/* All nodes, each followed by its children, then all watches. */
void xenstored_each(const struct xenstored *x, xenstore_each_fn *fn, void *data);

#endif
