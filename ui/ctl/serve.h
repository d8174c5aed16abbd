// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The control socket of a run (`xenlab run --control`): commands of `xenlab ctl` come in here and are answered.
 *
 * Concept: a program connects, says one command, and is answered (ui/ctl/wire.h). What only looks is answered at once,
 * between two slices. What changes something is handed in, as the journal's record, and dom0's toolstack says what has
 * come of it. A console's terminal stays, and what is typed there is what is typed.
 *
 * Invariants: programs are not waited for. One that says something else than a command is told so and hung up on; one
 * that says nothing goes when its place is wanted.
 */
#ifndef UI_CTL_SERVE_H
#define UI_CTL_SERVE_H

#include "tools/ctl.h"
#include "tools/rewind/journal.h"
#include "ui/ctl/place.h"
#include "ui/socket_door.h"

#define CTL_TYPED_MAX (64u << 10) /* bytes that a console has not taken */

struct ctl_wait {
    domid_t domid;
    bool over;
};

struct ctl_conn {
    unsigned int id; /* the door's; 0: there is none */
    enum { CTL_READS, CTL_RUNS, CTL_WAITS, CTL_AT_CONSOLE, CTL_OVER } state;
    size_t len; /* of what has come: a request; or what is typed */
    char *bytes;
    unsigned int guest; /* CTL_AT_CONSOLE: host_guest_index() */
    domid_t domid;
    unsigned int until;     /* of shutdown: 1: it has shut down, 2: it is gone */
    struct ctl_wait *waits; /* for these */
    unsigned int nr_waits;
};

/* An input of the machine: who is what a record says, of a command its number, of a console its guest. */
typedef void ctl_input_fn(void *data, enum journal_kind kind, unsigned int who, const void *bytes, size_t len);

struct ctl_serve {
    char path[CTL_PLACE_SIZE];
    bool wanted; /* somebody asked for it: a machine that is idle waits for it */
    struct socket_door door;
    struct host *host;
    struct ctl_conn conn[SOCKET_DOOR_CLIENTS];
};

/* s->path is set. -1 and a message. */
int ctl_serve_open(struct ctl_serve *s, struct host *h, char *err, size_t size);
/* Whoever waits is told that there is no machine any more. */
void ctl_serve_close(struct ctl_serve *s);
/* Between two slices. */
void ctl_serve_take(struct ctl_serve *s, ctl_input_fn *fn, void *data);

/* The callbacks of struct host_io. */
void ctl_serve_say(struct ctl_serve *s, unsigned int id, enum host_ctl what, const char *text, size_t len);
void ctl_serve_console(struct ctl_serve *s, domid_t domid, const char *text, size_t len);
void ctl_serve_ended(struct ctl_serve *s, domid_t domid, int reason);

#endif
