// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Sockets of xenstored: programs outside of the machine, which count as dom0's.
 *
 * Concept: the socket itself is the host's, and lies outside of the machine (ui/). What it brings comes in as the
 * journal's records, between two steps: somebody has connected, bytes have arrived, he is gone. From then on it is a
 * conversation like that over a ring, except that what is said leaves at once: a program that does not read is the
 * host's affair, which hangs up when it has waited too long.
 */
#ifndef RINGS_XENSTORE_SOCKET_H
#define RINGS_XENSTORE_SOCKET_H

#include "rings/xenstore/stream.h"
#include "vcpu/native/task.h"

/* Where it goes: outside, or nowhere when the past is repeated. */
struct xs_edge {
    void *data;
    void (*say)(void *data, unsigned int id, const void *bytes, size_t len);
    /* It has broken the rules, and is not heard any more. */
    void (*hang_up)(void *data, unsigned int id);
};

struct xs_socket {
    struct xs_socket *next;
    unsigned int id;
    struct xenstored *x;
    struct task task;
    uint8_t *bytes; /* that have arrived and were not taken */
    size_t len, size;
    struct xs_stream stream;
};

/* Somebody has connected; id: who, as the edge calls him. -EEXIST: he is there already. -ENOMEM */
int xs_socket_open(struct xenstored *x, unsigned int id);
/* Bytes have arrived. -ENOENT: there is nobody of this id. -ENOMEM */
int xs_socket_bytes(struct xenstored *x, unsigned int id, const void *bytes, size_t len);
/* He is gone. -ENOENT */
int xs_socket_close(struct xenstored *x, unsigned int id);
bool xs_socket_is_open(const struct xenstored *x, unsigned int id);

#endif
