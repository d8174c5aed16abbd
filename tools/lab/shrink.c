// SPDX-License-Identifier: GPL-2.0-or-later
/* Leaving out steps: see shrink.h. */
#include "tools/lab/shrink.h"

#include <stdlib.h>
#include <string.h>

size_t shrink(uint32_t *step, size_t nr, unsigned int tries, bool (*fails)(void *data, const uint32_t *step, size_t nr),
              void *data)
{
    uint32_t *some = malloc(nr * sizeof(*some));
    size_t chunk = nr / 2;
    bool less = false; /* in this round */

    while (some && chunk && tries) {
        less = false;
        for (size_t at = 0; at < nr && nr > 1 && tries;) {
            const size_t out = at + chunk < nr ? chunk : nr - at, left = nr - out;

            memcpy(some, step, at * sizeof(*some));
            memcpy(some + at, step + at + out, (left - at) * sizeof(*some));
            tries--;
            if (left && fails(data, some, left)) {
                memcpy(step, some, left * sizeof(*some));
                nr = left;
                less = true;
            } else {
                at += out;
            }
        }
        if (chunk > 1)
            chunk /= 2;
        else if (!less)
            break;
    }
    free(some);
    return nr;
}
