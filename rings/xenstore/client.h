// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A domain's end of its xenstore ring: requests out, answers and events in.
 *
 * Concept: for native code that is not in dom0, and so has no other way to the store. Nobody waits here: a request is
 * queued and goes out when there is room, and its answer, in the order of the requests, is given to whoever made the
 * client, with the number that the request had.
 *
 * Invariants: the store's side is trusted to answer each request once; what it says is not trusted to fit.
 *
 * Source: public io/xs_wire.h.
 */
#ifndef RINGS_XENSTORE_CLIENT_H
#define RINGS_XENSTORE_CLIENT_H

#include "vcpu/native/kernel.h"

#include <xen/io/xs_wire.h>

struct xs_client;

/* An answer, or an event (hdr->type is XS_WATCH_EVENT): hdr->len bytes, and a 0 behind them that does not count. */
typedef void xs_client_fn(void *data, const struct xsd_sockmsg *hdr, const char *payload);

/*
 * Page `intf` is the domain's xenstore page, and `port` its port. NULL: out of memory. It is destroyed before its
 * kernel.
 */
struct xs_client *xs_client_create(struct native_kernel *k, struct xenstore_domain_interface *intf, evtchn_port_t port,
                                   xs_client_fn *fn, void *data);
/* Harmless for NULL. */
void xs_client_destroy(struct xs_client *c);

/*
 * Ask: `path` with its 0, then len bytes at `more` (as XS_WATCH or XS_WRITE want it). False: out of memory, or too long
 * for a message.
 */
bool xs_client_ask(struct xs_client *c, enum xsd_sockmsg_type type, uint32_t id, const char *path, const void *more,
                   size_t len);

#endif
