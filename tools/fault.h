// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Faults that are put into a run on purpose, as they are written: --fault TIME:WHAT[=DOMAIN[/DISK]][,HOW-MUCH].
 *
 * Concept: a fault is part of what a run is made of, as its guests are: it happens at a virtual time, and so in every
 * repetition of the run, and backwards as well.
 */
#ifndef TOOLS_FAULT_H
#define TOOLS_FAULT_H

#include "sim/types.h"

#define HOST_FAULTS_MAX 32
#define FAULT_WHY_SIZE  384
#define FAULT_NAME_SIZE 64

/* The word, what it is about, and what may follow a comma. */
#define FAULTS(X)                                                                                                      \
    X(CRASH, "crash", "=DOMAIN", FAULT_NOTHING)                                                                        \
    X(FREEZE, "freeze", "=DOMAIN", FAULT_TIME)                                                                         \
    X(EIO, "eio", "=DOMAIN/DISK", FAULT_COUNT)                                                                         \
    X(SLOW, "slow", "=DOMAIN/DISK", FAULT_TIME)                                                                        \
    X(DROP_EVENT, "drop-event", "=DOMAIN/DISK", FAULT_COUNT)                                                           \
    X(CORRUPT_INDEX, "corrupt-index", "=DOMAIN/DISK", FAULT_NOTHING)                                                   \
    X(STORE_EAGAIN, "store-eagain", "", FAULT_COUNT)

enum fault_what {
#define X(id, word, about, more) FAULT_##id,
    FAULTS(X)
#undef X
        FAULT_NR
};

struct host_fault {
    s_time_t when;
    enum fault_what what;
    char domain[FAULT_NAME_SIZE], disk[32];
    s_time_t time;  /* of what takes one */
    uint64_t count; /* the same; 1 if it is not stated */
    bool done;
};

/* False, and why: in words that follow the option. */
bool fault_parse(const char *text, struct host_fault *f, char why[FAULT_WHY_SIZE]);

#endif
