// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * One conversation with xenstore, as bytes in and bytes out: what a ring and a socket have in common.
 *
 * Concept: bytes arrive in pieces of any size, and become requests when they are whole. Answers and events wait as
 * messages until there is room for them. Who asks and does not read is not heard any more: when so many
 * answers wait, no further request is looked at. Events do not stop for that, so a domain that does not read them may
 * lose some: one that waits already is not queued again, and beyond XS_WAITING_MAX bytes none is.
 *
 * Invariants: messages leave in the order in which they were sent, and each whole. A request longer than
 * XENSTORE_PAYLOAD_MAX breaks the conversation for good.
 *
 * Corresponds to the buffers of a connection in tools/xenstore/xenstored_core.c.
 */
#ifndef RINGS_XENSTORE_STREAM_H
#define RINGS_XENSTORE_STREAM_H

#include "rings/xenstore/store.h"
#include "sim/machine.h"

#define XS_WAITING_MAX 2621440u /* bytes, of a domain */

struct xs_message;

struct xs_stream {
    struct xs_conn conn;
    struct machine *machine;                                       /* whose trace tells of it */
    uint8_t in[sizeof(struct xsd_sockmsg) + XENSTORE_PAYLOAD_MAX]; /* a request as far as it has arrived */
    size_t in_len;
    struct xs_message *out, **out_tail; /* the first is being taken, or will be */
    unsigned int nr_answers;            /* of these, that are no events */
    size_t out_bytes;                   /* that wait */
    bool broken;                        /* nothing that arrives counts any more */
    bool answering;
    void (*wake)(void *waker); /* there is something to give that it has not asked for */
    void *waker;
};

void xs_stream_init(struct xs_stream *s, struct xs_store *store, domid_t domid, struct machine *machine);
/* Forget what has arrived and what waits; watches and transactions too. */
void xs_stream_reset(struct xs_stream *s);
void xs_stream_end(struct xs_stream *s);

/* May requests be looked at? */
bool xs_stream_listens(const struct xs_stream *s);
/*
 * Bytes arrive: take one request, or what there is of it, and answer it if it is whole. How many were taken: fewer than
 * len if more than one request is there. The conversation listens.
 */
size_t xs_stream_take(struct xs_stream *s, const uint8_t *bytes, size_t len);
/* Up to `room` of the bytes that wait. How many. */
size_t xs_stream_give(struct xs_stream *s, uint8_t *to, size_t room);

#endif
