// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A guest's screen for viewers of VNC, by libvncserver.
 *
 * Concept: viewers look at a picture that is kept here, and the rows of it that have changed are told; which keys and
 * where the pointer is comes back. There are no threads: whoever runs the machine gives the door a turn now and then.
 * The library is loaded when there is a door.
 *
 * Invariants: it listens on the loopback interface alone. A viewer can look, type and point, and no more: there is no
 * file transfer, no chat, and no HTTP. The library waits for the rest of a message: one that does not come for 50 ms
 * ends its viewer.
 */
#ifndef UI_VNC_H
#define UI_VNC_H

#include "ui/viewer.h"

#include <poll.h>
#include <stddef.h>

struct vnc {
    struct vnc_server *server; /* NULL: it is closed */
    unsigned int port;
};

/*
 * port 0: a free one; unused: the first that is free from there on; password: NULL: whoever is on this computer may
 * look. -1 and a message.
 */
int vnc_open(struct vnc *v, unsigned int port, bool unused, const char *password, const char *name, char *err,
             size_t size);
/* Harmless for one that is all zero. */
void vnc_close(struct vnc *v);

#define VNC_FDS 16 /* that are waited for; further viewers are served when something else happens */
nfds_t vnc_fds(const struct vnc *v, struct pollfd *fds);
/* Take what has come, without waiting, and show what has changed. */
void vnc_take(struct vnc *v, const struct viewer_source *source);

/* Linux's number of the key that makes this symbol of X11 on a keyboard as in the US; 0: there is none. */
unsigned int vnc_key(uint32_t keysym);

#endif
