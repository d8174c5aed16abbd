// SPDX-License-Identifier: GPL-2.0-or-later
/* The exit status of a run: the table of ui/status.h. */
#include "ui/status.h"

int run_status(const struct run_outcome *o)
{
    if (o->crashed || o->unknown || o->policy)
        return STATUS_CRASHED;
    if (o->failed)
        return STATUS_ENVIRONMENT;
    if (o->left)
        return STATUS_LEFT;
    if (o->signal)
        return 128 + o->signal;
    return o->limit ? STATUS_LIMIT : STATUS_OK;
}
