// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Requests to xenstore, and watches.
 *
 * Concept: a session is one guest's conversation. Each request gets one answer with its number; in between come events
 * of watches. A watch is a path and a word of the watcher's own (the token): it fires once when it is set, and then
 * each time that the path or something below it changes. The order counts: an event of a change comes before the answer
 * to the request that made it, so who waits for the answer has seen it; the answer to XS_WATCH comes before its first
 * event.
 *
 * Paths that do not begin with a slash are below /local/domain/<domid>/, the guest's own, and events name them so as
 * well.
 *
 * What only dom0 may ask is refused with EACCES: INTRODUCE, RELEASE, RESUME, SET_TARGET, IS_DOMAIN_INTRODUCED, CONTROL.
 *
 * Invariants: a payload is bytes of the guest's: a string is used only if its 0 is inside. What a guest may hold is
 * limited (XS_WATCHES_MAX; store.h), and so are the answers that it does not read, by who calls this (xenstore.c).
 *
 * Simplifies tools/xenstore/xenstored_core.c and xenstored_watch.c: no sockets, and no nodes of the other guests, which
 * are as good as unreadable. A payload whose 0 is missing is always EINVAL.
 */
#ifndef RINGS_XENSTORE_REQUEST_H
#define RINGS_XENSTORE_REQUEST_H

#include "rings/xenstore/store.h"

#include <errno.h> /* before xs_wire.h, whose table of names it fills */
#include <xen/io/xs_wire.h>

#define XS_WATCHES_MAX 128u

/* One message to the guest. */
typedef void xs_send_fn(void *data, const struct xsd_sockmsg *hdr, const void *payload);

struct xs_session {
    struct arena *arena;
    struct xs_store *store;
    domid_t domid;
    struct xs_watch *watches;
    unsigned int nr_watches;
    xs_send_fn *send;
    void *data;
};

/* False: out of memory. */
bool xs_session_init(struct xs_session *s, struct arena *arena, domid_t domid, xs_send_fn *send, void *data);
void xs_session_end(struct xs_session *s);

/* For who looks: the i-th watch. False: there are not so many. */
bool xs_session_watch(const struct xs_session *s, unsigned int i, const char **path, const char **token);

/* Answer a request of hdr->len <= XENSTORE_PAYLOAD_MAX bytes. */
int xs_session_request(struct xs_session *s, const struct xsd_sockmsg *hdr, const char *payload);

#endif
