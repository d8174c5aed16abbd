// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * `--xenstore-socket PATH`: where programs outside of the machine use its xenstore, as they use xenstored's in dom0.
 *
 * Concept: a socket in the file system, of this user alone. Who connects is a program with a number, and what it sends
 * is an input of the machine, as what is typed is: handed in between two slices, recorded, repeated. What xenstored
 * answers is written to the program as soon as it takes it.
 *
 * Invariants: a program that reads nothing ends nothing but its own connection: it is hung up on when XS_DOOR_WAITING
 * bytes wait for it. A socket of that name that somebody listens at is not taken away, and the file is gone when the
 * run is.
 */
#ifndef UI_XS_DOOR_H
#define UI_XS_DOOR_H

#include "tools/host.h"

#include <poll.h>

#define XS_DOOR_CLIENTS 32u
#define XS_DOOR_WAITING (4u << 20) /* bytes */

struct xs_door_client {
    unsigned int id; /* 0: there is none */
    int fd;          /* -1: it is gone, and the machine has not been told */
    bool hung_up;    /* and nothing more is to be told it */
    uint8_t *out;    /* that it has not taken */
    size_t out_len;
};

struct xs_door {
    const char *path; /* NULL: there is no door */
    int listener;
    unsigned int last_id;
    struct xs_door_client client[XS_DOOR_CLIENTS];
};

/* One thing that has come: see host_xenstore_socket(). */
typedef void xs_door_fn(void *data, unsigned int id, enum host_socket what, const void *bytes, size_t len);

/* path NULL: no door. -1 and a message. */
int xs_door_open(struct xs_door *d, const char *path, char *err, size_t size);
void xs_door_close(struct xs_door *d);

/* What to wait for: how many were filled in, at most 1 + XS_DOOR_CLIENTS. */
nfds_t xs_door_fds(const struct xs_door *d, struct pollfd *fds);
/* Take what has come, without waiting, and give what waits. */
void xs_door_take(struct xs_door *d, xs_door_fn *fn, void *data);

/* The callbacks of struct host_io. */
void xs_door_out(struct xs_door *d, unsigned int id, const void *bytes, size_t len);
void xs_door_hang_up(struct xs_door *d, unsigned int id);

#endif
