// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A xenstore with its guests and its sockets, to be asked the same of two: Debian's xenstored (real.c), and ours.
 *
 * A connection is dom0's by socket (s0, s1...) or a domain's by ring (g0, g1...: g3 is domain 3's, and there as long
 * as the program is; the store hears it once the domain is introduced). All is done in steps: after each, settle()
 * returns when the store has nothing left to do, and then what it has said can be taken.
 */
#ifndef TESTS_XENSTORED_PEER_H
#define TESTS_XENSTORED_PEER_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <xen/io/xs_wire.h>

#define PEER_SOCKETS 8
#define PEER_DOMAINS 8

/* 0 to 7: sockets; then rings of domains 0 to 7. */
#define PEER_CONNS   (PEER_SOCKETS + PEER_DOMAINS)
#define PEER_RING(d) (PEER_SOCKETS + (d))

enum peer_domain { PEER_GONE, PEER_DYING, PEER_SHUT, PEER_ALIVE };

struct peer;

struct peer_ops {
    const char *name;
    /* Why it cannot be had here; NULL: it can. */
    const char *(*absent)(void);
    struct peer *(*begin)(void);
    /* False: it had died, or its store is not whole. */
    bool (*end)(struct peer *p);
    /* Xen says this of the domain, and that something has happened (VIRQ_DOM_EXC). */
    void (*domain)(struct peer *p, unsigned int domid, enum peer_domain state);
    bool (*open)(struct peer *p, unsigned int socket);
    void (*close)(struct peer *p, unsigned int socket);
    /* Bytes to be sent, as far as they go in now, the rest when there is room. */
    void (*send)(struct peer *p, unsigned int conn, const void *bytes, size_t len);
    /* What comes is left where it is. */
    void (*deaf)(struct peer *p, unsigned int conn, bool on);
    void (*settle)(struct peer *p);
    void (*pass)(struct peer *p, unsigned int ms);
    /* What has come, at most len bytes. */
    size_t (*take)(struct peer *p, unsigned int conn, void *bytes, size_t len);
    /* A socket has been closed at the other end. */
    bool (*closed)(struct peer *p, unsigned int conn);
    struct xenstore_domain_interface *(*page)(struct peer *p, unsigned int domid);
    /* The domain says that something is new in its page. */
    void (*event)(struct peer *p, unsigned int domid);
};

extern const struct peer_ops peer_real, peer_ours;

#endif
