// SPDX-License-Identifier: GPL-2.0-or-later
/* The console backend, dom0's end of a PV console: see rings/console.c. */
#ifndef RINGS_CONSOLE_H
#define RINGS_CONSOLE_H

#include "sim/types.h"
#include "vcpu/native/kernel.h"

#include <xen/grant_table.h>

struct console_backend;

/* Whose, and where: its page is a frame of this number, or one that is granted; its port is unbound. */
struct console_place {
    domid_t domid;
    unsigned int devid; /* 0: the console that every guest has; else a channel */
    bool granted;
    mfn_t mfn;
    grant_ref_t ref;
    evtchn_port_t port;
};

struct console_io {
    void *data;
    void (*out)(void *data, domid_t domid, const char *text, size_t len);
    size_t (*in)(void *data, domid_t domid, char *buf, size_t len);
    void (*broken)(void *data); /* an index cannot be: nothing more is done. NULL: it is passed over */
};

/* NULL: the page or the port is refused. Destroy it before the domain is destroyed: it holds a mapping. */
struct console_backend *console_backend_create(struct native_kernel *k, const struct console_place *place,
                                               const struct console_io *io);
void console_backend_destroy(struct console_backend *c);

/* The guest has shown that it is there. */
bool console_backend_connected(const struct console_backend *c);
/* It may be typed to although it has said nothing yet: the copy of a guest that had connected, or a channel. */
void console_backend_connect(struct console_backend *c);
/* There may be input: look at the backend's next turn. */
void console_backend_kick(struct console_backend *c);
/* The guest has connected and has read all it was given. */
bool console_backend_wants_input(const struct console_backend *c);
/* Take back what the guest was given and has not read: up to len bytes. How many. */
size_t console_backend_unread(struct console_backend *c, char *buf, size_t len);
/* Pass on what is in the ring now: for the last words of a domain that will not run again. */
void console_backend_drain(struct console_backend *c);

#endif
