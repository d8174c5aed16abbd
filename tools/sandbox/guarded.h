// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A program that runs what a student has written as a shared object, and answers questions.
 *
 * Concept: who asks holds the truth, and has it in a process of its own; the program beside it holds the object and
 * what it was asked. Questions and answers are messages of bytes, over a socket that keeps them apart. What they say
 * is the business of who asks; what can go wrong with a process, and how it is named, is here.
 *
 *      guarded_start()     the program, in the sandbox, with the object and nothing else
 *      guarded_send()      a question
 *      guarded_receive()   the answer; meanwhile what it prints is shown, each line marked "policy| "
 *      guarded_end()       it ends now
 *
 * Invariants: once `gone` is set nothing is sent or received any more; `why` says what happened, in words of this
 * side's, and follows the name of the object. A program that sleeps, loops, crashes, leaves, or closes its end is gone.
 */
#ifndef TOOLS_SANDBOX_GUARDED_H
#define TOOLS_SANDBOX_GUARDED_H

#include <stdio.h>
#include <sys/uio.h>

#include "tools/sandbox/sandbox.h"

/* The descriptor at which the program finds its end of the socket. */
#define GUARDED_FD 3
/* Its exit status when that end is no good any more: somebody has closed it. */
#define GUARDED_EXIT_LOST 113
/* For the command line: seconds of CPU time for an answer. */
#define GUARDED_LIMIT     5
#define GUARDED_MAX_LIMIT 3600

struct guarded {
    struct sandbox_run run;
    int socket;
    unsigned int limit; /* seconds of CPU time for one answer; of the host's, ten times as many */
    FILE *asked;        /* what it is asked is written there as well (asked.h), who asks says when: */
    int64_t now;
    uint64_t call;
    bool gone;
    char why[640];  /* "crashed (Segmentation fault)"; "": nothing has */
    int rc;         /* of the command: 2, it was the object's fault; 1, it could not be started or loaded */
    size_t printed; /* bytes of its output that were shown */
    char line[200]; /* of its output, not yet at its end */
    size_t line_len;
};

/*
 * Start `program`, which lies beside this one, or deeper, or in lib/xenlab/ next to it, with the shared object's path
 * as its argument. `asked`: see there, or NULL. False: g->why. guarded_end() in any case.
 */
bool guarded_start(struct guarded *g, const char *program, const char *object, unsigned int limit, FILE *asked);
/* One message, in nr pieces. False: it is gone. */
bool guarded_send(struct guarded *g, const struct iovec *v, size_t nr);
/* The next message, at most len bytes of it; its length, 0: there is none, it is gone. */
size_t guarded_receive(struct guarded *g, void *bytes, size_t len);
/* What it has printed so far is shown, on standard error. */
void guarded_show(struct guarded *g);
/* It is gone, by its own fault; or could not be started or loaded: "what: why" (why may be ""). Returns false. */
bool __attribute__((format(printf, 2, 3))) guarded_gone(struct guarded *g, const char *fmt, ...);
bool guarded_unstarted(struct guarded *g, const char *what, const char *why);
/* Words for a system call, of a number that it was stopped at (alone.h): it is gone. Returns false. */
bool guarded_forbidden(struct guarded *g, long number);
void guarded_end(struct guarded *g);

/*
 * Where a file of xenlab's is: beside this program (tests lie deeper), or where `make install` puts it.
 * False: nowhere.
 */
bool guarded_beside(const char *name, char *path, size_t len);

/*
 * Where an example is that the sources have as `named` ("docs/examples/kit/ages.txt"): `path`, at least PATH_MAX bytes,
 * if `make install` has put it beside this program; or `named`.
 */
const char *guarded_example(const char *named, char *path);

/*
 * Where random numbers of the object's begin. They vary with `seed`, and say too little of it (16 bits) to guess what
 * a workload will do, if that seed is one of 64 bits that nobody was told.
 */
uint64_t guarded_seed(uint64_t seed);

#endif
