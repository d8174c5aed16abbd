// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A recording that is repeated: what it was made from is put together again, and what came in comes in.
 *
 * Concept: options are read as if they stood on a command line. Files are looked for where they were, and then beside
 * the recording, by the last part of their name; one of which the bytes are not the same is not the file. Then the run
 * stops at the position of each line of the recording: an input is handed in, a hash is compared.
 *
 * Invariants: what differs is named, as early as it can be known: build, engine, option, file before the run; position
 * or hash in it. A line of which this run does not have the position is a difference.
 */
#ifndef UI_REPLAY_H
#define UI_REPLAY_H

#include "tools/rewind/record.h"
#include "ui/guest_list.h"

struct replay {
    struct record rec;
    const char *path;
    struct file_place *places; /* of rec.head.files */
    size_t next;               /* line */
};

enum replay_state {
    REPLAY_GOES_ON,
    REPLAY_OVER,    /* the last line has been carried out */
    REPLAY_DIFFERS, /* and err says what */
};

/* Who is told of a line; the machine stands at its position. */
struct replay_sink {
    void *data;
    void (*in)(void *data, const struct journal_record *rec); /* the machine takes it */
    void (*keyboard)(void *data, const struct record_line *l);
};

/* Read it, and put what it says into o, whose files it lends to it. -1 and a message. replay_close() ends it. */
int replay_open(struct replay *rp, const char *path, struct run_options *o, char err[RECORD_ERR_SIZE]);
/* The guests of o have been read, the machine is there: is all of it what was recorded? -1 and a message. */
int replay_check(struct replay *rp, const struct run_options *o, const struct guest_list *l, struct host *h,
                 char err[RECORD_ERR_SIZE]);
void replay_close(struct replay *rp);

/* Where the machine is to stop next. */
struct position replay_stop(const struct replay *rp);
/* The time of the line that it has stopped at. */
s_time_t replay_now(const struct replay *rp);
/* Carry out the lines of here. */
enum replay_state replay_take(struct replay *rp, struct host *h, const struct replay_sink *sink,
                              char err[RECORD_ERR_SIZE]);
/*
 * For a run whose inputs come in otherwise: compare what lines say of here, and of what was before. REPLAY_GOES_ON: *at
 * is the next position of which one says something.
 */
enum replay_state replay_compare(struct replay *rp, struct host *h, struct position *at, char err[RECORD_ERR_SIZE]);
/* The run has come to an end that is not the recording's: say so. */
void replay_too_short(const struct replay *rp, struct host *h, char err[RECORD_ERR_SIZE]);

#endif
