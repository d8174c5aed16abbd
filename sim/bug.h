// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * BUG_ON: our own mistakes end here, always, in release builds too.
 *
 * Concept: three kinds of failure, three ways out. A guest's mistake becomes an error code or domain_crash(); the
 * environment's becomes a message from ui/main.c; an impossible state in our own code is a bug, and continuing would
 * turn one wrong count into a guest that reads another's memory. All bugs leave through bug() so that a test can catch
 * them: it sets a handler that does not return (longjmp).
 */
#ifndef SIM_BUG_H
#define SIM_BUG_H

typedef void bug_handler_t(const char *file, int line, const char *what);

/* Replace the handler for this thread (NULL: the default, which prints and aborts). Returns the former one. */
bug_handler_t *bug_set_handler(bug_handler_t *handler);

/* Report a bug. Never returns: the handler must leave by longjmp or end the process. */
_Noreturn void bug(const char *file, int line, const char *what);

#define BUG() bug(__FILE__, __LINE__, "BUG")
#define BUG_ON(cond)                                                                                                   \
    do {                                                                                                               \
        if (__builtin_expect(!!(cond), 0))                                                                             \
            bug(__FILE__, __LINE__, #cond);                                                                            \
    } while (0)

#endif
