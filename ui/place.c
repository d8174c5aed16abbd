// SPDX-License-Identifier: GPL-2.0-or-later
/* Where the files of guests are: see ui/place.h. */
#include "ui/place.h"

#include <string.h>

const char *place(const struct run_options *o, const char *named)
{
    for (size_t i = 0; named && i < o->nr_places; i++)
        if (!strcmp(o->places[i].named, named))
            return o->places[i].at;
    for (size_t i = 0; named && i < o->nr_places; i++)
        if (!strcmp(basename(o->places[i].named), basename(named)))
            return o->places[i].at;
    return named;
}
