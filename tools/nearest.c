// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * "Did you mean...": the word that was misspelt.
 *
 * Concept: the distance of two words is the number of slips that lead from one to the other: a letter left out, one too
 * many, a wrong one, or two neighbours swapped. Row by row of a table, of which three rows are needed: d[i][j] is the
 * distance of the first i letters of one and the first j of the other.
 *
 *      d[i][j] = least of   d[i-1][j] + 1,  d[i][j-1] + 1,  d[i-1][j-1] + (letters differ),
 *                           d[i-2][j-2] + 1 if the last two letters are swapped
 *
 * One slip may be in any word, a second one in a word of more than four letters: with more the guess would be wrong
 * more often than right.
 *
 * A word may also have been cut short. Three letters or more that begin one word, and no other, mean that one, whatever
 * else is a slip away: nobody drops the same letters by accident. ('-' and '_' are the same here: options have one,
 * keys the other.)
 */
#include "tools/nearest.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define LENGTH_MAX 63
#define FAR        UINT32_MAX
#define PREFIX_MIN 3

static unsigned int least(unsigned int a, unsigned int b) { return a < b ? a : b; }

static unsigned int distance(const char *a, const char *b)
{
    const size_t la = strlen(a), lb = strlen(b);
    unsigned int rows[3][LENGTH_MAX + 1], *before = rows[0], *last = rows[1], *row = rows[2];

    if (la > LENGTH_MAX || lb > LENGTH_MAX)
        return FAR;
    for (unsigned int j = 0; j <= lb; j++)
        last[j] = j;
    for (unsigned int i = 1; i <= la; i++) {
        unsigned int *unused = before;

        row[0] = i;
        for (size_t j = 1; j <= lb; j++) {
            row[j] = least(least(last[j], row[j - 1]) + 1, last[j - 1] + (a[i - 1] != b[j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = least(row[j], before[j - 2] + 1);
        }
        before = last;
        last = row;
        row = unused;
    }
    return last[lb];
}

static bool begins(const char *name, const char *word)
{
    for (; *word; word++, name++)
        if (*word != *name && !(*word == '_' && *name == '-') && !(*word == '-' && *name == '_'))
            return false;
    return true;
}

/* The only one that begins with `word`. */
static const char *by_prefix(const char *word, const char *const *words, size_t nr)
{
    const char *found = NULL;

    if (strlen(word + strspn(word, "-")) < PREFIX_MIN)
        return NULL;
    for (size_t i = 0; i < nr; i++) {
        if (!begins(words[i], word) || (found && !strcmp(found, words[i])))
            continue;
        if (found)
            return NULL;
        found = words[i];
    }
    return found;
}

static const char *by_distance(const char *word, const char *const *words, size_t nr)
{
    unsigned int best = strlen(word) > 4 ? 3 : 2; /* not as far as this */
    const char *found = NULL;

    for (size_t i = 0; i < nr; i++) {
        const unsigned int d = distance(word, words[i]);

        if (d < best && d < strlen(words[i])) {
            best = d;
            found = words[i];
        }
    }
    return found;
}

const char *nearest_word(const char *word, const char *const *words, size_t nr)
{
    const char *found = by_prefix(word, words, nr);

    return found ? found : by_distance(word, words, nr);
}

const char *nearest_hint(const char *word, const char *const *words, size_t nr, const char *before,
                         char hint[NEAREST_HINT_SIZE])
{
    const char *meant = nearest_word(word, words, nr);

    hint[0] = '\0';
    if (meant)
        snprintf(hint, NEAREST_HINT_SIZE, "; did you mean %s%.63s?", before, meant);
    return hint;
}
