// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What may be meant by the beginning of a word in a line of the debugger: for the Tab key.
 *
 * Concept: where a word stands says what it may be: a command at the beginning, a mark behind goto, a value's name
 * behind a field and ==, a word of expressions elsewhere. What all that may be meant have in common can be typed for
 * the user; if there are several, they are listed.
 */
#ifndef UI_DEBUG_COMPLETE_H
#define UI_DEBUG_COMPLETE_H

#include "ui/debug/debug.h"

#define COMPLETE_MAX  100 /* that are listed */
#define COMPLETE_SIZE 64  /* of a word; longer ones are not completed */

struct completion {
    size_t begun;                           /* characters of the word that are there, up to the cursor */
    size_t nr;                              /* words that begin so; */
    char word[COMPLETE_MAX][COMPLETE_SIZE]; /* these, each once, in alphabetic order */
    char common[COMPLETE_SIZE];             /* what all of them begin with */
};

/* For a line up to the cursor. */
void debug_complete(struct debug *g, const char *line, size_t len, struct completion *c);

#endif
