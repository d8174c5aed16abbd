// SPDX-License-Identifier: GPL-2.0-or-later
/* What all moves are made of: to a position that is known, and back. See tools/debug/seek.h. */
#include "tools/debug/seek.h"

#include "vcpu/noun/domain.h"

#include <stdio.h>

struct vcpu *debug_vcpu_of(const struct debugger *d)
{
    const struct domain *dom = d->dom < DOMID_FIRST_RESERVED ? host_xen(d->host)->domain_of[d->dom] : NULL;

    return dom && d->vcpu < dom->max_vcpus ? dom->vcpu[d->vcpu] : NULL;
}

struct debug_origin debug_origin(struct debugger *d) { return (struct debug_origin){ debugger_here(d), d->at_event }; }

/* Back to where it was; no interrupt counts on this way. */
void debug_go_back(struct debugger *d, struct position origin)
{
    static const bool never;
    char err[REWIND_ERR_SIZE];

    rewind_goto(d->rw, origin, &never, err);
}

enum debug_result left_off(struct debugger *d, const struct debug_origin *origin, enum debug_result r)
{
    if (r == DEBUG_INTERRUPTED || r == DEBUG_BEGIN) {
        debug_go_back(d, origin->at);
        d->at_event = origin->at_event;
    }
    return r;
}

enum debug_result debug_visit(struct debugger *d, struct position at)
{
    const struct debug_origin origin = debug_origin(d);

    if (rewind_goto(d->rw, at, d->interrupt, d->err))
        return DEBUG_ERROR;
    d->at_event = false;
    if (!d->rw->err[0])
        return left_off(d, &origin, *d->interrupt ? DEBUG_INTERRUPTED : DEBUG_THERE);
    snprintf(d->err, sizeof(d->err), "%s", d->rw->err);
    return DEBUG_ERROR;
}
