// SPDX-License-Identifier: GPL-2.0-or-later
/* Taking the bodies out: see starter.h. */
#include "tools/lab/starter.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool in_word(char c) { return isalnum((unsigned char)c) || c == '_'; }

/*
 * The line that defines the function begins in column 0, names it in front of a parenthesis, and its parameters end
 * with a brace: on the same line or, as here, on one of its own. *end: behind the closing one.
 */
static const char *body_find(const char *source, const char *function, const char **end)
{
    const size_t len = strlen(function);

    for (const char *line = source; *line; line += strcspn(line, "\n"), line += *line == '\n') {
        const char *name = in_word(*line) ? line : NULL, *stop = line + strcspn(line, "\n"), *open;

        for (; name && name < stop; name++)
            if (!strncmp(name, function, len) && name[len] == '(' && (name == line || !in_word(name[-1])))
                break;
        if (!name || name >= stop)
            continue;
        open = name + strcspn(name, ";{");
        if (*open != '{')
            continue; /* it is declared, or called */
        if (open > name && open[-1] == '\n')
            *end = strstr(open, "\n}");
        else
            *end = strchr(open, '}'); /* of one line: { return false; } */
        if (*end)
            *end += **end == '}' ? 1 : 2;
        return *end ? open : NULL;
    }
    return NULL;
}

static bool defines(const char *source, const char *function)
{
    const char *end;

    return body_find(source, function, &end) != NULL;
}

char *starter_make(const char *source, const struct starter_body *body, size_t nr, char err[STARTER_ERR_SIZE])
{
    char *text = strdup(source);

    for (size_t i = 0; text && i < nr; i++) {
        const char *end, *open = body_find(text, body[i].function, &end);
        const bool one_line = open && open > text && open[-1] == ' ';
        char *less = NULL;

        if (!open) {
            snprintf(err, STARTER_ERR_SIZE, "%s() is not defined there", body[i].function);
            free(text);
            return NULL;
        }
        if (asprintf(&less, "%.*s%s{\n    /* YOURS */\n%s%s%s}%s", (int)(open - text) - one_line, text,
                     one_line ? "\n" : "", *body[i].instead ? "    " : "", body[i].instead,
                     *body[i].instead ? "\n" : "", end) < 0)
            less = NULL;
        free(text);
        text = less;
    }
    if (!text)
        snprintf(err, STARTER_ERR_SIZE, "not enough memory");
    return text;
}

bool starters_make(const char *const *source, char **starter, size_t nr_sources, const struct starter_body *body,
                   size_t nr, char err[STARTER_ERR_SIZE])
{
    size_t made = 0;

    for (size_t i = 0; i < nr; i++) {
        unsigned int in = 0;

        for (size_t s = 0; s < nr_sources; s++)
            in += defines(source[s], body[i].function);
        if (in != 1) {
            snprintf(err, STARTER_ERR_SIZE, "%s() is defined in %s of the files", body[i].function,
                     in ? "two" : "none");
            return false;
        }
    }
    for (; made < nr_sources; made++) {
        struct starter_body in[nr + 1];
        size_t nr_in = 0;

        for (size_t i = 0; i < nr; i++)
            if (defines(source[made], body[i].function))
                in[nr_in++] = body[i];
        starter[made] = starter_make(source[made], in, nr_in, err);
        if (!starter[made])
            break;
    }
    if (made == nr_sources)
        return true;
    while (made)
        free(starter[--made]);
    return false;
}
