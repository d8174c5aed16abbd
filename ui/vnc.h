// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A guest's screen for viewers of VNC: the RFB protocol (RFC 6143), its side that has the screen.
 *
 * Concept: a viewer connects and says which pixels it likes; it asks for what has changed and is sent the rows that
 * have, as they are (encoding Raw, which every viewer knows); it says which keys and where the pointer is. There are no
 * threads: whoever runs the machine gives the door a turn now and then, and a request for changes waits until there are
 * some.
 *
 *      viewer                                screen
 *      <-------------------- "RFB 003.008\n" ---   VERSION
 *      --- "RFB 003.008\n" --------------------->
 *      <--------------- one way in: no password    SECURITY
 *      --- that --------------------------------->
 *      --- share it ----------------------------->  INIT
 *      <-------------------- size, pixels, name
 *      --- pixels, encodings, keys, pointer, "what has changed?" --->   TALK
 *
 * Invariants: it listens on the loopback interface alone. A viewer can look, type and point, and no more; one that
 * speaks otherwise, or reads nothing, is hung up on, and others stay.
 */
#ifndef UI_VNC_H
#define UI_VNC_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VNC_CLIENTS 4u
#define VNC_IN_MAX  4096u
#define VNC_SIDE    4096u /* pixels: a screen that is larger is cut off */

struct vnc_screen {
    unsigned int width, height;
    uint64_t updates; /* other than before: something may have changed */
};

/* Whose screen it is. */
struct vnc_source {
    void *data;
    bool (*screen)(void *data, struct vnc_screen *s); /* false: there is none now */
    void (*row)(void *data, unsigned int y, uint8_t *rgb);
    void (*key)(void *data, bool down, unsigned int key); /* as Linux numbers it */
    void (*pointer)(void *data, int x, int y, int wheel);
};

struct vnc_client {
    int fd; /* -1: there is none */
    enum { VNC_VERSION, VNC_SECURITY, VNC_INIT, VNC_TALK } state;
    bool asks, all;     /* for changes; for what has not changed too */
    bool resizes;       /* it may be told of another size */
    bool is_told;       /* how the check has gone: as of version 3.8 */
    uint8_t buttons;    /* of its pointer */
    uint8_t format[16]; /* PIXEL_FORMAT */
    unsigned int width, height;
    uint64_t updates; /* what it has been shown is of then */
    uint8_t *shown;   /* width * height triples */
    uint8_t in[VNC_IN_MAX];
    size_t in_len, skip; /* skip: so many bytes of a text that nobody wants are still to come */
    uint8_t *out;
    size_t out_len, out_at;
};

struct vnc {
    int listener; /* -1: it is closed */
    unsigned int port;
    const char *name; /* borrowed */
    struct vnc_client client[VNC_CLIENTS];
};

/* port 0: a free one; unused: the first that is free from there on. -1 and a message. */
int vnc_open(struct vnc *v, unsigned int port, bool unused, const char *name, char *err, size_t size);
/* Harmless for one that is all zero with listener -1. */
void vnc_close(struct vnc *v);

#define VNC_FDS (1 + VNC_CLIENTS)
nfds_t vnc_fds(const struct vnc *v, struct pollfd *fds);
/* Take what has come, without waiting, and show what has changed. */
void vnc_take(struct vnc *v, const struct vnc_source *source);

/* Linux's number of the key that makes this symbol of X11 on a keyboard as in the US; 0: there is none. */
unsigned int vnc_key(uint32_t keysym);

#endif
