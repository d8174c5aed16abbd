// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Where a guest's settings were made.
 *
 * Concept: most mistakes in a configuration are found when it is read. The others show later, when a kernel is opened
 * or a domain is built, far from the text. So each setting's line is kept, and an option of the command line that takes
 * its place notes itself instead: whoever finds a setting wanting, whenever, can say where it was made.
 */
#include "tools/xl/xl_where.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct xl_place *place_find(const struct xl_where *w, const char *key)
{
    for (unsigned int i = 0; w && i < w->nr; i++)
        if (!strcmp(w->places[i].key, key))
            return (struct xl_place *)&w->places[i];
    return NULL;
}

void xl_where_note(struct xl_where *w, const char *key, const char *option, int line)
{
    struct xl_place *p = place_find(w, key);

    if (!p && w->nr < XL_WHERE_MAX)
        p = &w->places[w->nr++];
    if (p)
        *p = (struct xl_place){ key, option, line };
}

bool xl_where_is(const struct xl_where *w, const char *key) { return place_find(w, key) != NULL; }

const char *xl_where(const struct xl_where *w, const char *key, char where[XL_WHERE_SIZE])
{
    const struct xl_place *p = place_find(w, key);

    where[0] = '\0';
    if (p && p->option)
        snprintf(where, XL_WHERE_SIZE, "%s: ", p->option);
    else if (p)
        snprintf(where, XL_WHERE_SIZE, "%.400s:%d: %s: ", w->path ? w->path : "?", p->line, key);
    return where;
}

void xl_where_free(struct xl_where *w)
{
    free(w->path);
    *w = (struct xl_where){ 0 };
}
