// SPDX-License-Identifier: GPL-2.0-or-later
/* "Did you mean...": see tools/nearest.c. */
#ifndef TOOLS_NEAREST_H
#define TOOLS_NEAREST_H

#include <stddef.h>

/*
 * The one of nr words that `word` is a misspelling or the beginning of, or NULL. The first of several that are as near.
 */
const char *nearest_word(const char *word, const char *const *words, size_t nr);

/* The same in words, behind what is wrong: "; did you mean --memory?" with "--" before it, or "". Returns hint. */
#define NEAREST_HINT_SIZE 96
const char *nearest_hint(const char *word, const char *const *words, size_t nr, const char *before,
                         char hint[NEAREST_HINT_SIZE]);

#endif
