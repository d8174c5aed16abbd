// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * --record FILE: a run writes down what it was made from, and what comes in.
 *
 * Concept: the format is tools/rewind/record.h's. Here is what only the program knows: which build it is, which options
 * and files there are, and what becomes of a file that cannot be written any more: the run goes on, and the recording
 * is what has been written.
 *
 * Invariants: recording changes nothing in a machine. Without --record nothing of this is called.
 */
#ifndef UI_RECORDING_H
#define UI_RECORDING_H

#include "tools/rewind/record.h"
#include "ui/guest_list.h"

#define RECORDING_EVERY 10000000 /* instructions from `at` to `at` */

struct recording {
    FILE *out; /* NULL: nothing is recorded, or no more */
    struct host *host;
    uint64_t next_at; /* instructions */
};

/* What this program is, as far as the same run depends on it: in one line. */
const char *recording_build(void);
/* Can runs of this machine be recorded and repeated? -1 and a message. */
int recording_possible(struct host *h, const char *option, char err[RECORD_ERR_SIZE]);
/*
 * A recording of h, which has its guests, begins in a new file. head: what it was made from, or NULL: o and l say it.
 * 0, or -1 and a message. recording_close() ends it.
 */
int recording_open(struct recording *rec, const char *path, struct host *h, const struct record_head *head,
                   const struct run_options *o, const struct guest_list *l, char err[RECORD_ERR_SIZE]);
/*
 * A line of it: the position (the journal's have theirs) and hashes are filled in. err: where to say what is wrong,
 * when it cannot be written (and then nothing more will be). False: that is so.
 */
bool recording_line(struct recording *rec, struct record_line l, char err[RECORD_ERR_SIZE]);
/* Is it time for an `at`? */
bool recording_at_due(const struct recording *rec);
void recording_close(struct recording *rec);

#endif
