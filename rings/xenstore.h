// SPDX-License-Identifier: GPL-2.0-or-later
/* A minimal xenstore: see rings/xenstore.c. */
#ifndef RINGS_XENSTORE_H
#define RINGS_XENSTORE_H

#include "rings/native.h"
#include "sim/types.h"

struct xenstore_conn;

/* Answer on the xenstore page `mfn` of domain domid, whose (unbound) port is `port`. NULL: refused. */
struct xenstore_conn *xenstore_conn_create(struct native_kernel *k, domid_t domid, mfn_t mfn, evtchn_port_t port);
/* Put a node into the store, `path` below /local/domain/<domid>/. Both strings are copied. False: no memory. */
bool xenstore_node_add(struct xenstore_conn *c, const char *path, const char *value);
void xenstore_conn_destroy(struct xenstore_conn *c);

#endif
