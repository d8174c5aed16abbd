// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Who is outside of a machine and answers it: the network behind the bridge `user` (ui/slirp_door.h), and programs at
 * its xenstore (`--xenstore-socket`, ui/socket_door.h).
 *
 * Concept: what they say is an input, and has a position: it is heard between two steps, where nothing has happened
 * yet. Where the machine goes both ways that is the end of what is known. In its past the inputs are the journal's, and
 * those outside wait, and notice nothing but that.
 *
 *      line main      |-----------x----------------|  they know of this end
 *      another one                '---|               and know nothing of this one
 *
 * So where another line has its end, who was connected is not: the machine is told so, by inputs, and so are they.
 *
 * Invariants: nobody is asked in the past, nor told anything. A recording in place of inputs has no need of them.
 */
#ifndef UI_OUTSIDE_H
#define UI_OUTSIDE_H

#include "tools/rewind/rewind.h"
#include "ui/cmd_run.h"
#include "ui/guest_list.h"
#include "ui/slirp_door.h"
#include "ui/socket_door.h"

#define OUTSIDE_FDS (1 + SOCKET_DOOR_CLIENTS + SLIRP_DOOR_FDS)

struct outside {
    struct host *host;
    struct rewind *rw; /* NULL: the machine only goes forward */
    uint64_t line;     /* rw's, of which they know */
    /* Something comes in: who and bytes as a record of that kind has them. */
    void (*in)(void *data, enum journal_kind kind, unsigned int who, const void *bytes, size_t len);
    void (*say)(void *data, const char *line);
    void *data;
    const struct guest_list *list;
    s_time_t idle;     /* real time for which everything waited, so that the network's clock goes on */
    uint64_t nr_moved; /* what has gone in or out */
    struct socket_door programs;
    struct slirp_door *net;
    bool net_failed; /* and there will be none: that has been said */
};

/* Host, in, say and data are set; l stays. The doors that are wanted; -1 and a message. outside_close() either way. */
int outside_open(struct outside *o, const struct run_options *opt, const struct guest_list *l, char err[RUN_ERR_SIZE]);
void outside_close(struct outside *o);

/* Those callbacks of struct host_io that are for them, with o as their data. */
void outside_packet_out(struct outside *o, const uint8_t *packet, size_t len);
void outside_program_out(struct outside *o, unsigned int id, const void *bytes, size_t len);
void outside_program_hang_up(struct outside *o, unsigned int id);

/* What they have said is handed in, at virtual time now; without waiting. The machine is live. */
void outside_hear(struct outside *o, s_time_t now);
/* Something can come, from somebody who is connected, or connects. */
bool outside_speaks(const struct outside *o);
/* How long to wait, at most, before they are heard again, although nothing comes. -1: for ever. */
s_time_t outside_due(const struct outside *o);
/* What to wait for: how many were filled in, at most OUTSIDE_FDS. */
nfds_t outside_fds(const struct outside *o, struct pollfd *fds);

#endif
