// SPDX-License-Identifier: GPL-2.0-or-later
/* Where a guest's settings were made: see tools/xl/xl_where.c. */
#ifndef TOOLS_XL_XL_WHERE_H
#define TOOLS_XL_XL_WHERE_H

#include <stdbool.h>

#define XL_WHERE_MAX  96  /* settings */
#define XL_WHERE_SIZE 512 /* the caller's buffer */

struct xl_where {
    char *path; /* of the configuration; NULL: there is none. Owned. */
    struct xl_place {
        const char *key;
        const char *option; /* "--memory", or NULL: a line of the file */
        int line;
    } places[XL_WHERE_MAX]; /* words are literals */
    unsigned int nr;
};

/* The setting was made in this line, or by this option, which counts more. */
void xl_where_note(struct xl_where *w, const char *key, const char *option, int line);

/*
 * What a message about the setting begins with: "guest.cfg:7: memory: " or "--memory: ", and "" if it was not made (or
 * w is NULL). Returns `where`.
 */
const char *xl_where(const struct xl_where *w, const char *key, char where[XL_WHERE_SIZE]);
bool xl_where_is(const struct xl_where *w, const char *key);

void xl_where_free(struct xl_where *w);

#endif
