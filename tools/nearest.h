// SPDX-License-Identifier: GPL-2.0-or-later
/* "Did you mean...": see tools/nearest.c. */
#ifndef TOOLS_NEAREST_H
#define TOOLS_NEAREST_H

#include <stddef.h>

/* The one of nr words that `word` is a misspelling of, or NULL. The first of several that are as near. */
const char *nearest_word(const char *word, const char *const *words, size_t nr);

#endif
