// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Recordings: a run as a file, to be repeated in another process, on another day, on another computer.
 *
 * Concept: a run is a function of what the machine was made from and of what came in from outside. The file has both,
 * in lines of text:
 *
 *      xenlab recording 1                        the format's version
 *      build 0.1 plain x86_64 0123456789abcdef   who wrote it; the last word is a hash of the sources
 *      engine unicorn 2.1.1
 *      option --memory=32                        what makes the run, as on the command line
 *      guest build/guests/echo
 *      file 9f86d081...0f00a08 build/guests/echo SHA-256 of each file that the guests come from
 *      begin                                     (files that come later are in front of the line that they come with)
 *      console #90210.3 1000000 0 68690a         a record of the journal, by the name of its kind (JOURNAL_KINDS):
 *                                                position, time in ns, who, bytes in hexadecimal
 *      keyboard #90377.2 2000000 1               from here on a terminal's keyboard is this guest's, from 0
 *      at #10004321.0 11000000 0123456789abcdef  a hash of registers and clock, now and then
 *      end #10054321.1 11100000 0123456789abcdef 0123456789abcdef done
 *                                                the same, a hash of everything, and why it ended
 *
 * All that comes in: standard input (what was typed or read, and when; that it has ended changes nothing in a
 * machine), files, options, the seed (an option); signals, Ctrl-], a closed output and the limits of real time, all of
 * which end the run and nothing else: so `end` has the reason. The host's clock only paces. Of guests' files only
 * those are read that are listed; names of files count, since guests are named after them.
 *
 * Invariants: a line is written at once, and counts when its newline is there: a recording whose writer was killed is
 * good up to its last line. Positions do not go back. What a reader is given has been checked but for what only the
 * machine can know; it is never trusted to be from here.
 */
#ifndef TOOLS_REWIND_RECORD_H
#define TOOLS_REWIND_RECORD_H

#include "tools/rewind/journal.h"

#include <stdio.h>

#define RECORD_VERSION     1
#define RECORD_ERR_SIZE    1024
#define RECORD_DIGEST_SIZE 65 /* SHA-256 in hexadecimal, as sha256sum prints it */

struct record_file {
    char *path;
    char digest[RECORD_DIGEST_SIZE];
};

struct record_list {
    char **texts;
    size_t nr;
};

/* What the machine was made from. */
struct record_head {
    char *build, *engine;
    struct record_list options, guests;
    struct record_file *files;
    size_t nr_files;
};

enum record_kind { RECORD_JOURNAL, RECORD_KEYBOARD, RECORD_AT, RECORD_END };

enum record_end {
    RECORD_DONE,   /* no guest is left */
    RECORD_LIMIT,  /* --max-vtime, or real time has passed as long while all waited for a key */
    RECORD_STUCK,  /* nothing can ever happen again */
    RECORD_LEFT,   /* Ctrl-], or nobody reads the output any more */
    RECORD_SIGNAL, /* a signal has ended it */
    RECORD_FAILED, /* what it wrote could not be written, or a guest's core; or a guest could not be restarted */
    RECORD_KNOWN,  /* the debugger knew no more of it */
};

struct record_line {
    unsigned long number; /* in the file, from 1 */
    enum record_kind kind;
    struct position at;       /* what comes in comes in front of this step */
    s_time_t now;             /* of the loop around the machine, ns */
    struct journal_record in; /* JOURNAL: at and now are those above; bytes are a reader's own */
    unsigned int guest;       /* KEYBOARD: host_guest_index() */
    uint64_t cpus, hash;      /* AT, END: look_hash_cpus(); END: look_hash() */
    enum record_end why;      /* END */
    int signal;               /* RECORD_SIGNAL: its number */
};

struct record {
    struct record_head head;
    struct record_line *lines;
    size_t nr;
    bool ended; /* the last line is an end */
};

/* The whole file. 0, or -1 and a message that names it, and the line. Either way record_free() ends it. */
int record_read(struct record *r, const char *path, char err[RECORD_ERR_SIZE]);
void record_free(struct record *r);

/* A copy of text at the end of a list; of a file, whose digest is taken. False: no memory; -1 and a message. */
bool record_list_add(struct record_list *l, const char *text);
int record_file_add(struct record_head *h, const char *path, char err[RECORD_ERR_SIZE]);
void record_head_free(struct record_head *h);

/* SHA-256 of a regular file. 0, or -1 and a message. */
int record_digest(const char *path, char digest[RECORD_DIGEST_SIZE], char err[RECORD_ERR_SIZE]);

/* To a stream that is flushed at once. False: it cannot be written, see errno. */
bool record_write_head(FILE *out, const struct record_head *h);
bool record_write_line(FILE *out, const struct record_line *l);
bool record_write_file(FILE *out, const char *path, const char *digest);

#endif
