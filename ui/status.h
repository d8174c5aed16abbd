// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The exit status of a run.
 *
 * With several guests, and when several things happened, the first line that applies counts:
 *
 *      2          a policy of one's own (--sched ./mine.so) broke a rule or crashed;
 *      2          a guest crashed (whatever on_crash= made of it), or shut down with a code that means nothing: xl destroys the
 *                 domain with a word in its log, and who only sees a status must see that this was no shutdown
 *      1          the environment failed during the run: output could not be written
 *      130        the user left; 128 + N: signal N ended the run
 *      3          a limit was reached, or no guest can ever run again
 *      0          every guest shut down: poweroff, halt, reboot that its configuration does not carry out, suspend
 */
#ifndef UI_STATUS_H
#define UI_STATUS_H

#include <stdbool.h>

enum { STATUS_OK = 0, STATUS_ENVIRONMENT = 1, STATUS_CRASHED = 2, STATUS_LIMIT = 3, STATUS_LEFT = 130 };

struct run_outcome {
    unsigned int crashed; /* how many times a guest crashed */
    unsigned int unknown; /* how many times one shut down for a reason that is none of SHUTDOWN_* */
    bool failed;          /* environment */
    bool policy;          /* a scheduler of one's own broke a rule, or is gone */
    bool left;            /* by Ctrl-], or whoever read the output is gone */
    int signal;           /* that ended the run; 0: none */
    bool limit;           /* --max-vtime, or all is idle for ever */
};

int run_status(const struct run_outcome *o);

#endif
