// SPDX-License-Identifier: GPL-2.0-or-later
/* Lines of expectations, as text, and what it is for one to hold: the idea is in tools/expect/expect.h. */
#include "tools/expect/expect.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

char *expect_word(char **at)
{
    char *word = *at + strspn(*at, " \t"), *end = word + strcspn(word, " \t");

    *at = *end ? end + 1 : end;
    *end = '\0';
    return word;
}

bool expect_is_op(const char *word)
{
    static const char *const ops[] = { "<=", ">=", "==", "!=", "<", ">" };

    for (size_t i = 0; i < sizeof(ops) / sizeof(*ops); i++)
        if (!strcmp(word, ops[i]))
            return true;
    return false;
}

enum expect_found expect_line(FILE *f, bool workload, char text[EXPECT_TEXT], unsigned int *line, const char **why)
{
    char *buffer = NULL;
    size_t room = 0;
    enum expect_found found = EXPECT_END;

    while (found == EXPECT_END && getline(&buffer, &room, f) >= 0) {
        char *at = buffer + strspn(buffer, " \t");
        const char *word;

        (*line)++;
        at[strcspn(at, "#\r\n")] = '\0';
        if (!*at)
            continue;
        word = expect_word(&at);
        if (strcmp(word, "expect")) {
            *why = "lines here begin with expect";
            found = workload ? EXPECT_END : EXPECT_WRONG;
            continue;
        }
        at += strspn(at, " \t");
        for (size_t n = strlen(at); n && strchr(" \t", at[n - 1]); n--)
            at[n - 1] = '\0';
        *why = "expect: longer than 159 characters";
        found = snprintf(text, EXPECT_TEXT, "%s", at) < EXPECT_TEXT ? EXPECT_LINE : EXPECT_WRONG;
    }
    free(buffer);
    return found;
}

double expect_margin(const char *op, double value, double limit)
{
    switch (op[0]) {
    case '<': return limit - value;
    case '>': return value - limit;
    case '!': return fabs(value - limit);
    default: return value == limit ? 0 : -fabs(value - limit);
    }
}

bool expect_holds(const char *op, double margin) { return op[0] != '!' && op[1] == '=' ? margin >= 0 : margin > 0; }
