// SPDX-License-Identifier: GPL-2.0-or-later
/* The last records of a trace, see sim/trace_ring.h. */
#include "sim/trace_ring.h"

#include "sim/bug.h"

#include <string.h>

void trace_ring_init(struct trace_ring *r, struct trace_record *rec, uint64_t size)
{
    BUG_ON(!size || (size & (size - 1)));
    *r = (struct trace_ring){ .rec = rec, .size = size };
}

void trace_ring_sink(void *data, const struct trace_record *rec)
{
    struct trace_ring *r = data;

    if (rec->seq != r->end)
        r->first = rec->seq;
    r->end = rec->seq + 1;
    if (r->end - r->first > r->size)
        r->first = r->end - r->size;
    memcpy(&r->rec[rec->seq & (r->size - 1)], rec, trace_record_size(rec));
}

const struct trace_record *trace_ring_get(const struct trace_ring *r, uint64_t seq)
{
    return seq >= r->first && seq < r->end ? &r->rec[seq & (r->size - 1)] : NULL;
}
