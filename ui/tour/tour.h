// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Tours: what an instructor shows, as a file.
 *
 * Concept: a tour is a guest and steps through its run, each with words for people, commands for the debugger
 * (ui/debug/commands.c), and expectations that say what is to be seen. So a tour is told, and is a test of what it
 * tells.
 *
 *      tour Who may execute CLI?
 *      guest build/guests/rings
 *      == 1 A kernel without ring 0
 *      | Both halves of a PV64 guest run at CPL 3.
 *      > break d1:insn_cli; c
 *      = mode==kernel && %cpl==3
 *      ? Will it fault?
 *      ! It will: CLI needs IOPL.
 *
 *      tour   its title                      |   words             ?   a question
 *      guest  as for xenlab run, options     >   commands          !   its answer, which is shown when it is wanted
 *      ==     a step begins; its title       =   a condition       #   a comment
 *
 * Lines of a step are carried out in their order, so that a condition is looked at where the commands before it have
 * led. No addresses: symbols, so that a tour is true of guests however they were compiled.
 *
 * Invariants: what is no such line is refused when the file is read, with its place.
 */
#ifndef UI_TOUR_TOUR_H
#define UI_TOUR_TOUR_H

#include <stdbool.h>
#include <stddef.h>

#define TOUR_ERR_SIZE 512
#define TOUR_SIZE_MAX (1 << 20)

struct tour_line {
    char kind; /* '|', '>', '=', '?' or '!' */
    const char *text;
    unsigned int number; /* in the file, from 1 */
};

struct tour_step {
    const char *title;
    struct tour_line *line;
    size_t nr;
    unsigned int number;
};

struct tour {
    const char *path, *title;
    char **guest; /* words of the guest's line */
    size_t nr_words;
    unsigned int guest_number; /* of that line */
    struct tour_step *step;
    size_t nr;
    char *text; /* all strings are in it */
};

/* -1 and a message; tour_free() either way. path is borrowed. */
int tour_load(struct tour *t, const char *path, char err[TOUR_ERR_SIZE]);
/* The same from memory: len bytes. */
int tour_parse(struct tour *t, const char *path, const char *text, size_t len, char err[TOUR_ERR_SIZE]);
void tour_free(struct tour *t);

#endif
