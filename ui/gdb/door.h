// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Where gdb comes in: a port of this computer alone, and one client at a time (ui/gdb/server.h is what it talks to).
 *
 * Concept: whoever drives the machine (ui/cmd_debug.c, ui/tui.c, ui/cmd_run.c) waits with gdb_door_wait() and lets
 * the machine run for slices with gdb_door_run(), if gdb wants it to. While it does something else that may take
 * long, another thread looks whether gdb sends Ctrl-C, and interrupts the debugger as a signal would. That thread
 * touches nothing else, and is gone when the debugger comes back.
 *
 * Invariants: nothing but 127.0.0.1 is listened at. A second client is closed at once. What a client sends, or that it
 * is gone, ends nothing but its connection.
 */
#ifndef UI_GDB_DOOR_H
#define UI_GDB_DOOR_H

#include "ui/cmd_run.h"
#include "ui/gdb/server.h"

#include <poll.h>

struct gdb_door {
    domid_t dom;
    enum gdb_layout layout; /* of its registers; the domain may be gone when gdb comes */
    bool has_layout;        /* it was named */
    unsigned int port;      /* 0: there is no door */
    int listener, client;
    struct debug *g;
    struct run_process *process;
    struct gdb_server *server; /* of the client; NULL: there is none */
    unsigned int clients;      /* that have come so far */
    bool let_go;               /* the last one has let the machine go: it detached */
    bool killed;               /* or wanted it to end */
    struct debug_slices slices;
    s_time_t slice; /* virtual time that takes about a frame's time of the host's */
};

/* "[dN:]PORT[,ARCH]", of --gdb: ARCH as gdb_layout_name() says; port 0: a free one. d is zero. -1 and a message. */
int gdb_door_open(struct gdb_door *d, const char *spec, char *err, size_t size);
/* The machine has been started. -1 and a message: there is no such domain for gdb. */
int gdb_door_begin(struct gdb_door *d, struct debug *g, struct run_process *p, char *err, size_t size);
/* Harmless if it was never opened. */
void gdb_door_close(struct gdb_door *d);

/* gdb stops the machine, or is waited for. */
bool gdb_door_holds(const struct gdb_door *d);
/* gdb lets it run. */
bool gdb_door_runs(const struct gdb_door *d);
/* What it waits for: how many were filled in, at most GDB_DOOR_FDS. Then: gdb_door_wait(), for no time. */
#define GDB_DOOR_FDS 2
nfds_t gdb_door_fds(const struct gdb_door *d, struct pollfd *fds);
/*
 * Wait so many ms (-1: for ever) for gdb, a signal, or that something can be read from fd (-1: nothing). True: that
 * can.
 */
bool gdb_door_wait(struct gdb_door *d, int fd, int timeout_ms);
/* gdb lets it run: up to that virtual time, then look whether gdb has something to say. */
enum gdb_went gdb_door_run(struct gdb_door *d, s_time_t until);
/* The same for a frame's time; the end of the run is a stop. */
void gdb_door_run_frame(struct gdb_door *d);
/* gdb lets it run, and is told that it stands: somebody else wants the machine; the run has ended. */
void gdb_door_interrupt(struct gdb_door *d);
void gdb_door_end(struct gdb_door *d, const char *why);

#endif
