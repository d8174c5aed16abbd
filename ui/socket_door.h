// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A door in the file system: programs outside come to a run by a socket there. There are `--xenstore-socket PATH`,
 * where they use the machine's xenstore as they use xenstored's in dom0, `--control`, for `xenlab ctl`, and the
 * consoles of `--console-to socket:PATH`.
 *
 * Concept: a socket of this user alone. Who connects is a program with a number; what it sends is handed on, and what
 * it is answered is written to it as soon as it takes it.
 *
 * Invariants: a program that reads nothing ends nothing but its own connection: it is hung up on when
 * SOCKET_DOOR_WAITING bytes wait for it. A socket of that name that somebody listens at is not taken away, and the file
 * is gone when the run is.
 */
#ifndef UI_SOCKET_DOOR_H
#define UI_SOCKET_DOOR_H

#include "tools/host.h"

#include <poll.h>

#define SOCKET_DOOR_CLIENTS 32u
#define SOCKET_DOOR_WAITING (4u << 20) /* bytes */

struct socket_door_client {
    unsigned int id; /* 0: there is none */
    int fd;          /* -1: it is gone, and the machine has not been told */
    bool hung_up;    /* and nothing more is to be told it */
    bool silent;     /* of a line: it has said all, and listens */
    uint8_t *out;    /* that it has not taken */
    size_t out_len;
};

struct socket_door {
    const char *path; /* NULL: there is no door */
    int listener;
    bool is_line; /* who has said all is not gone: it may listen on */
    bool deaf;    /* nothing is taken for now of what they say */
    unsigned int last_id;
    struct socket_door_client client[SOCKET_DOOR_CLIENTS];
};

/* One thing that has come: see host_xenstore_socket(). */
typedef void socket_door_fn(void *data, unsigned int id, enum host_socket what, const void *bytes, size_t len);

/* path NULL: no door; else it is kept, and option is what asks for it. -1 and a message. */
int socket_door_open(struct socket_door *d, const char *option, const char *path, char *err, size_t size);
void socket_door_close(struct socket_door *d);
/* All who are here are hung up on, and nobody else is told; those at the door wait. How many still listened. */
unsigned int socket_door_shut(struct socket_door *d);

/* How many programs are here. */
unsigned int socket_door_clients(const struct socket_door *d);
/* What to wait for: how many were filled in, at most 1 + SOCKET_DOOR_CLIENTS. */
nfds_t socket_door_fds(const struct socket_door *d, struct pollfd *fds);
/* Take what has come, without waiting, and give what waits. */
void socket_door_take(struct socket_door *d, socket_door_fn *fn, void *data);

/* The callbacks of struct host_io. */
void socket_door_out(struct socket_door *d, unsigned int id, const void *bytes, size_t len);
void socket_door_hang_up(struct socket_door *d, unsigned int id);

#endif
