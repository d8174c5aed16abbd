// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The words of a command for a running machine (`xenlab ctl`), read.
 *
 * Concept: names, options and arguments are xl's, and one table says what there is. Words are read twice by it: where
 * they come in, so that what cannot be meant is refused before anything happens; and in the machine, when dom0's
 * toolstack carries them out (tools/host_ctl.c), for the journal has the words. Who only looks never gets there.
 */
#ifndef TOOLS_CTL_H
#define TOOLS_CTL_H

#include <stdbool.h>
#include <stddef.h>

#define CTL_WORDS_SIZE  4096 /* bytes of all words, each with its 0 */
#define CTL_MAX_ARGS    64
#define CTL_MAX_OPTIONS 8
#define CTL_ERR_SIZE    512

enum ctl_kind {
    CTL_LOOKS,   /* it changes nothing, and is answered between two steps of the machine */
    CTL_CHANGES, /* it is an input of the machine */
    CTL_CONSOLE  /* the connection becomes a terminal of a domain's console */
};

struct ctl_option {
    char letter; /* 0: there are no more */
    const char *name;
    const char *value; /* what it is called; NULL: it takes none */
    const char *help;
};

struct ctl_command {
    const char *name, *args;
    enum ctl_kind kind;
    unsigned int min, max; /* arguments, beside options */
    const char *help;
    const char *changing; /* of one that looks: options with which it changes something; or NULL */
    struct ctl_option options[CTL_MAX_OPTIONS];
};

/* One that was read. Its strings are the words'. */
struct ctl_request {
    const struct ctl_command *command;
    const char *option[128]; /* by letter: its value, "" if it takes none; NULL: it was not given */
    unsigned int times[128]; /* how often */
    const char *arg[CTL_MAX_ARGS];
    unsigned int nr_args;
};

/* The i-th command; NULL: there are no more. */
const struct ctl_command *ctl_command_at(size_t i);
/* By its name, or so much of it as no other one begins with. NULL, and why: there is none. */
const struct ctl_command *ctl_command_find(const char *name, char err[CTL_ERR_SIZE]);
/* words: len bytes, each word ends with a 0. 0, or -1 and a message without its newline. */
int ctl_parse(const char *words, size_t len, struct ctl_request *r, char err[CTL_ERR_SIZE]);
/* Is it an input of the machine? */
bool ctl_changes(const struct ctl_request *r);
/* Whole decimal number. False: it is none. */
bool ctl_number(const char *text, unsigned long max, unsigned long *n);

#endif
