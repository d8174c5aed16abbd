// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The network back end: how much the front end may send, as the toolstack has said by rate = "bytes,microseconds".
 *
 * Concept: so many bytes of credit in each interval, and never more than those of one. A frame may begin as long as
 * there is credit, and its size is taken from it, which may leave less than none: what is owed is paid by the next
 * intervals. What has to wait waits in the front end's own ring.
 *
 * Corresponds to Linux's drivers/net/xen-netback.
 */
#include "rings/net/vif.h"

#include <inttypes.h>
#include <stdio.h>

void vif_rate_read(struct vif *f)
{
    char value[XENBUS_VALUE];
    uint64_t bytes, us;

    if (!xenbus_read(f->dev, false, "rate", value) || sscanf(value, "%" SCNu64 ",%" SCNu64, &bytes, &us) != 2)
        return;
    if (!bytes || bytes > INT32_MAX || !us || us > UINT32_MAX)
        return;
    f->rate = (struct vif_rate){ .bytes = bytes, .interval = MICROSECS((s_time_t)us), .credit = (int64_t)bytes };
}

bool vif_rate_ok(struct vif *f)
{
    struct vif_rate *r = &f->rate;
    const s_time_t now = NOW(vif_self(f)->domain->xen);
    s_time_t times;

    if (!r->interval)
        return true;
    times = (now - r->since) / r->interval;
    if (times) {
        const int64_t missing = (int64_t)r->bytes - r->credit;
        const uint64_t needed = ((uint64_t)missing + r->bytes - 1) / r->bytes; /* intervals, until it is full */

        r->credit = (uint64_t)times >= needed ? (int64_t)r->bytes : r->credit + (int64_t)r->bytes * times;
        r->since += times * r->interval;
    }
    return r->credit > 0;
}
