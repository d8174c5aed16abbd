// SPDX-License-Identifier: GPL-2.0-or-later
/* The console backend, dom0's end of a PV console: see rings/console.c. */
#ifndef RINGS_CONSOLE_H
#define RINGS_CONSOLE_H

#include "sim/types.h"
#include "vcpu/native/kernel.h"

struct console_backend;

struct console_io {
    void *data;
    void (*out)(void *data, domid_t domid, const char *text, size_t len);
    size_t (*in)(void *data, domid_t domid, char *buf, size_t len);
};

/*
 * Serve the console page `mfn` of domain domid, whose (unbound) port is `port`. NULL: the frame or the port is refused.
 * Destroy it before the domain is destroyed: it holds a mapping.
 */
struct console_backend *console_backend_create(struct native_kernel *k, domid_t domid, mfn_t mfn, evtchn_port_t port,
                                               const struct console_io *io);
void console_backend_destroy(struct console_backend *c);

/* The guest has shown that it is there. */
bool console_backend_connected(const struct console_backend *c);
/* It is the copy of a guest that had connected: it may be typed to although it has said nothing yet. */
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
