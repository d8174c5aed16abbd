// SPDX-License-Identifier: GPL-2.0-or-later
/* xenstore for one guest: see rings/xenstore/xenstore.c. */
#ifndef RINGS_XENSTORE_XENSTORE_H
#define RINGS_XENSTORE_XENSTORE_H

#include "sim/types.h"
#include "vcpu/native/kernel.h"

struct xenstore_conn;

/* Answer on the xenstore page `mfn` of domain domid, whose (unbound) port is `port`. NULL: refused. */
struct xenstore_conn *xenstore_conn_create(struct native_kernel *k, domid_t domid, mfn_t mfn, evtchn_port_t port);

/* Who may do what with a node, beside dom0. */
enum xenstore_perms {
    XENSTORE_AS_PARENT,
    XENSTORE_NONE, /* n0: nobody */
    XENSTORE_READ, /* n0,rD: the guest may read it */
    XENSTORE_OWN,  /* nD: it is the guest's */
    XENSTORE_FRONT /* nD,r0: it is the guest's, for dom0's back end to read */
};

/*
 * The toolstack puts a node into the store. A path without a slash before it is below /local/domain/<domid>/; parents
 * that are not there are made. False: no memory.
 */
bool xenstore_node_add(struct xenstore_conn *c, const char *path, const char *value, enum xenstore_perms perms);
void xenstore_conn_destroy(struct xenstore_conn *c);

/* For who looks: a node, or a watch of the guest's. */
struct xenstore_seen {
    bool is_watch;
    const char *path;
    const char *value; /* of a watch: its token */
    size_t len;
    char perms[48]; /* "n1,r0": the owner first */
};
typedef void xenstore_each_fn(void *data, const struct xenstore_seen *seen);
/* All nodes, in the order in which they were made, then all watches. */
void xenstore_conn_each(const struct xenstore_conn *c, xenstore_each_fn *fn, void *data);

#endif
