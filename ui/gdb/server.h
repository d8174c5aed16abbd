// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * gdb's remote protocol as a door to the debugger (gdb's manual, "Remote Protocol").
 *
 * Concept: a server is a value for one client. It is given the bytes that the client sends, and has bytes for it in
 * `out`; sockets are elsewhere (ui/gdb/door.h). A client is about one domain, whose vCPUs are its threads (vCPU 0 is
 * thread 1: gdb knows no thread 0). The machine as a whole runs or stands.
 *
 *      bytes ──> packet ──> answer                          what only looks, or changes one thing
 *                       └─> wish ──> gdb_server_go() ──> a stop, which is the answer     what may take long
 *
 * Breakpoints and watchpoints are stops of the debugger's one list, moves are its moves, `monitor` is its table of
 * commands. So gdb sees what the other doors do to the machine, and the other way round; it is told at its next stop.
 *
 * What gdb itself does not survive is kept from it: a stop tells of a thread that was resumed, and of a breakpoint only
 * if it is one of gdb's.
 *
 * Invariants: whatever a client sends, the machine only moves as the debugger moves it. In the past nothing is changed:
 * who cannot be asked begins another future by himself (`monitor branch NAME`).
 */
#ifndef UI_GDB_SERVER_H
#define UI_GDB_SERVER_H

#include "ui/debug/debug.h"
#include "ui/gdb/packet.h"
#include "ui/gdb/registers.h"

#define GDB_POINTS 256
#define GDB_LINE   1024

enum gdb_wish { GDB_STAND, GDB_TELL, GDB_CONTINUE, GDB_STEP, GDB_REVERSE_STEP, GDB_REVERSE_CONTINUE, GDB_MONITOR };

enum gdb_went {
    GDB_STANDS, /* no wish is left: the client has been told */
    GDB_RUNS,   /* time is up, or whoever drives this has interrupted it: again */
    GDB_IDLE    /* nothing runs by itself any more: more input, or gdb_server_end_of_run() */
};

/* A Z packet: its stops. */
struct gdb_point {
    unsigned int type;
    uint64_t addr, len;
    unsigned int id[2]; /* Z4 has two; 0: none */
};

struct gdb_server {
    struct debug *g;
    domid_t dom;
    enum gdb_layout layout, next_layout; /* of its registers, now and when a client comes next */
    unsigned int thread;                 /* the vCPU that packets are about: of the last Hg, or of the last stop */
    int chosen;                          /* the vCPU that c, s, bc go for: of the last Hc; -1: all */
    int only;                            /* the vCPU that the client has resumed alone; -1: all */
    enum look_space space;
    bool no_ack, swbreak, hwbreak;
    bool detached, killed; /* the client has taken its leave */
    enum gdb_wish wish;
    bool interrupted;    /* before it was begun */
    char line[GDB_LINE]; /* GDB_MONITOR's */
    struct gdb_point points[GDB_POINTS];
    unsigned int nr_points;
    struct packet_reader in;
    struct bytes out, last; /* to be sent; the last packet of it */
};

/* A client has come, for a domain: s is zero. */
void gdb_server_begin(struct gdb_server *s, struct debug *g, domid_t dom, enum gdb_layout layout);
/* It is gone: what it has set is forgotten. */
void gdb_server_end(struct gdb_server *s);
void gdb_server_take(struct gdb_server *s, const void *bytes, size_t n);
/* Do what is wished, no further than to that virtual time; d->interrupt leaves it off. */
enum gdb_went gdb_server_go(struct gdb_server *s, s_time_t until);
/* Somebody has interrupted the run. */
void gdb_server_interrupt(struct gdb_server *s);
/* The run has come to its end; `why` for whoever reads it. */
void gdb_server_end_of_run(struct gdb_server *s, const char *why);

#endif
