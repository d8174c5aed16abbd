// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A machine that goes both ways, for whoever drives it: what the doors to the debugger share.
 *
 * Concept: lines, a screen and gdb's protocol are doors to one room: a machine as the command line says, or a
 * recording, stopped before its guests' first instruction, and the table of commands. What the machine tells on its
 * way (consoles, crashes, messages) is announced here, when it happens for the first time.
 */
#ifndef UI_DEBUG_SESSION_H
#define UI_DEBUG_SESSION_H

#include "ui/cmd_run.h"
#include "ui/debug/live.h"
#include "ui/replay.h"

struct debug_session {
    struct debug g;
    struct run_process *process;
    struct guest_list list;
    struct host_pool pools[HOST_MAX_POOLS];
    struct live live;        /* those outside; of a recording there is nobody */
    struct replay replay;    /* what is debugged, if it is a recording */
    bool consoles_elsewhere; /* what guests write is kept (ui/debug/console.c), and not announced */
    unsigned int domid;      /* who wrote `line`, which is not finished */
    char line[512];
    size_t len;
};

/*
 * The guests, or the recording, that the command line names; nothing has run yet. s is zero but for g.say; it must stay
 * where it is. -1 and a message. session_close() either way.
 */
int session_open(struct debug_session *s, struct run_options *o, struct run_process *p, char err[RUN_ERR_SIZE]);
/* Switch on, up to the position before the guests' first instruction. -1 and a message. */
int session_start(struct debug_session *s, char err[RUN_ERR_SIZE]);
/* A line of commands; what it has made guests say is announced to the last character. Ctrl-C was for it alone. */
void session_command(struct debug_session *s, const char *line);
/* -1: something that was to be written at the end was not, and it has been said why. */
int session_close(struct debug_session *s);

#endif
