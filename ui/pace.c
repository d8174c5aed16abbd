// SPDX-License-Identifier: GPL-2.0-or-later
/* How long to wait between two slices of virtual time; see ui/pace.h. */
#include "ui/pace.h"

void pace_start(struct pace *p, s_time_t now, s_time_t real)
{
    p->base_virtual = now;
    p->base_real = real;
}

s_time_t pace_rest(struct pace *p, s_time_t now, s_time_t slice, s_time_t busy, s_time_t real)
{
    s_time_t rest = 0;

    switch (p->mode) {
    case PACE_NONE: break;
    case PACE_PERSON:
        if (busy < slice / 2)
            rest = slice - busy < PACE_REST_MAX ? slice - busy : PACE_REST_MAX;
        break;
    case PACE_REALTIME:
        rest = (now - p->base_virtual) - (real - p->base_real);
        if (rest < -PACE_BEHIND_MAX)
            pace_start(p, now, real);
        break;
    }
    return rest > 0 ? rest : 0;
}
