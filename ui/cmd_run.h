// SPDX-License-Identifier: GPL-2.0-or-later
/* `xenlab run`: guests on a machine, until they are done. See ui/cmd_run.c. */
#ifndef UI_CMD_RUN_H
#define UI_CMD_RUN_H

#include "ui/options.h"

#include <signal.h>

#define RUN_ERR_SIZE 2048

/* What the process offers to a run; signals and the terminal's mode are kept by ui/main.c alone. */
struct run_process {
    bool stop;                    /* the run shall end: set by a signal, or by the run itself */
    volatile sig_atomic_t signal; /* the signal that set it, or 0 */
    sigset_t signals;             /* those that may: blocked while it is decided to wait for something */
    void (*signals_catch)(void);  /* from now on they do */
    bool (*terminal_raw)(void);   /* put the terminal of standard input into raw mode; false if that fails */
    /*
     * The terminal is set otherwise from now on, by a library, and is put back as it is now whatever ends the process;
     * text: what is written to standard output then, which may be said by a second call. False if there is none.
     */
    bool (*terminal_screen)(const char *text);
    volatile sig_atomic_t continued; /* it was stopped: the terminal is to be set again */
    void (*terminal_refresh)(void);  /* if it was in the background: now, if it is not any more */
};

/*
 * Returns the exit status. A message for the user, if there is one, is in err (else it is empty): the caller prints it
 * when the terminal is itself again.
 */
int cmd_run(struct run_options *o, struct run_process *p, char err[RUN_ERR_SIZE]);
/* The same, with a recording in place of standard input, or with NULL. */
struct replay;
int run_guests(const struct run_options *o, struct run_process *p, struct replay *replay, char err[RUN_ERR_SIZE]);

#endif
