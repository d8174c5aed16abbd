// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The one way out for our own mistakes.
 *
 * Concept: see sim/bug.h. Xen prints a register dump and reboots the machine (xen/include/xen/lib.h, BUG_ON, and
 * arch/x86/traps.c); a user-space program prints where and aborts, so that a debugger or a core file shows the rest.
 *
 * Invariants: bug() never returns. The handler is the one piece of mutable file-scope state in sim/: a bug may be found
 * where no context is at hand, and each thread that catches bugs (a unit test) must have its own landing place.
 */
#include "sim/bug.h"

#include <stdio.h>
#include <stdlib.h>

static _Thread_local __attribute__((tls_model("initial-exec"))) bug_handler_t *current_handler;

bug_handler_t *bug_set_handler(bug_handler_t *handler)
{
    bug_handler_t *former = current_handler;

    current_handler = handler;
    return former;
}

_Noreturn void bug(const char *file, int line, const char *what)
{
    if (current_handler)
        current_handler(file, line, what);
    fprintf(stderr, "xenlab bug at %s:%d: %s\n", file, line, what);
    abort();
}
