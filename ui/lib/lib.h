// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * libxenlab: what the files of include/xenlab/xenlab.h share.
 *
 * Concept: a machine of the library's is what `xenlab debug` has: a host that is made from the words of a command line,
 * and a rewind that all inputs go through. Nothing here knows more of the hypervisor than the debugger does: what is
 * put in is records of the journal, what is seen are copies.
 *
 *      machine.c  made, run, gone to        put.c   what is put in        look.c  what is seen
 *
 * Invariants: what is exported is in include/xenlab/xenlab.h and in libxenlab.map, and nowhere else. Every function
 * that can fail sets x->err when it does, and only then.
 */
#ifndef UI_LIB_LIB_H
#define UI_LIB_LIB_H

#include "include/xenlab/xenlab.h"
#include "tools/rewind/rewind.h"
#include "ui/guest_list.h"

struct xenlab {
    struct run_options options;
    struct guest_list guests;
    struct host_pool pools[HOST_MAX_POOLS];
    struct xenlab_io io;
    struct host *host;
    struct rewind rewind;
    bool rewinds;        /* that is begun */
    s_time_t until;      /* so far it has been let run, while nobody did: what is put in comes then */
    unsigned int ctl_id; /* of the last command of xenlab_ctl() */
    char err[REWIND_ERR_SIZE];
};

/* x->err; returns -1. */
int lib_fail(struct xenlab *x, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* A struct of the caller's, of *size bytes as it knows it, into ours of `len`, which is all zero; false: no size. */
bool lib_take(void *ours, size_t len, const void *theirs);
/* The other way; its size stays. */
void lib_give(void *theirs, const void *ours, size_t len);

#endif
