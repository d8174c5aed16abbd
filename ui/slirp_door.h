// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The host's network behind a bridge of the machine, without being root: libslirp, as QEMU's -nic user has it.
 *
 * Concept: packets that leave the machine are given to a TCP/IP stack in this process, which turns connections of the
 * guests into sockets of ours, and what these say into packets. Guests see the network 10.0.2.0/24: a router and the
 * host itself at 10.0.2.2, a server of names at 10.0.2.3, addresses by DHCP from 10.0.2.15 on.
 *
 *      guests --packet--> slirp_door_out() --> [ libslirp ] --> sockets
 *      guests <--journal-- slirp_door_take() <--------------'
 *
 * Its clock goes with the machine's. Packets for the machine wait here until they are taken, which is between two
 * slices of the run, where an input has a position; while many wait, servers have to. libslirp is loaded when a machine
 * has such a bridge.
 *
 * What guests have been told to have arrived is handed on before the door is closed, to who takes it. Of sockets there
 * are so many: while there are, what would open another one is lost, as on a wire, and is sent again or is not.
 *
 * Invariant: it is an edge: a run that is repeated has the packets from its recording, and needs nothing of this.
 */
#ifndef UI_SLIRP_DOOR_H
#define UI_SLIRP_DOOR_H

#include "sim/types.h"
#include "tools/xl/xl_vif.h"

#include <poll.h>

#define SLIRP_DOOR_SOCKETS  448u        /* at most half of what the process may open */
#define SLIRP_DOOR_FDS      512u        /* with those that lead into the machine */
#define SLIRP_DOOR_WAITING  1024u       /* packets for the machine: then no socket is read from */
#define SLIRP_DOOR_PIECES   (16u << 20) /* bytes of packets in pieces, each SLIRP_DOOR_PIECES_S: what is more is lost */
#define SLIRP_DOOR_PIECES_S 30
#define SLIRP_DOOR_PATIENCE 100u /* 10 ms each, at the end, with who does not take what was sent to them */

struct slirp_door; /* NULL: there is none */

/* A packet for the machine. False: it has no room for it now. */
typedef bool slirp_door_fn(void *data, const void *packet, size_t len);

/*
 * NULL and a message: libslirp is not there, or the folder is not. tftp: whose files guests get by TFTP of 10.0.2.2;
 * bootfile: what DHCP names to who starts from the network. NULL or "": none; both are copied.
 */
struct slirp_door *slirp_door_open(const char *tftp, const char *bootfile, char *err, size_t size);
/* Who connects here is led into the machine. -1 and a message. */
int slirp_door_forward(struct slirp_door *d, const struct xl_forward *f, char *err, size_t size);
/* What is owed to those outside is handed on, if they take it. */
void slirp_door_close(struct slirp_door *d);

/* libslirp's server of names asks the host's, which a file says as resolv.conf(5): is there one that it can ask? */
#define SLIRP_DOOR_NAMES "/etc/resolv.conf"
bool slirp_door_names(const char *path);

/* A packet leaves the machine, at virtual time now. */
void slirp_door_out(struct slirp_door *d, s_time_t now, const uint8_t *packet, size_t len);
/* Let it work, without waiting, and take what there is for the machine. */
void slirp_door_take(struct slirp_door *d, s_time_t now, slirp_door_fn *fn, void *data);

/* Something can come. */
bool slirp_door_speaks(struct slirp_door *d);
/* Somebody may be about to say something: he has got a datagram; he has a connection, and is listened to. */
bool slirp_door_asked(const struct slirp_door *d);
bool slirp_door_connected(struct slirp_door *d);
/* How long to wait, at most, before it is let work again, although nothing comes. -1: for ever. */
s_time_t slirp_door_due(struct slirp_door *d);
/* What to wait for: how many were filled in, at most SLIRP_DOOR_FDS. */
nfds_t slirp_door_fds(struct slirp_door *d, struct pollfd *fds);

#endif
