// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The last records of a trace, in memory.
 *
 * Concept: a sink that copies each record, as many words as it has, over the oldest one. Records are found by their
 * number: the ring always holds the last ones without a gap, so the place of one is its number modulo the ring's size.
 *
 * Invariant: the records [first, end) are there; end - first <= size.
 */
#ifndef SIM_TRACE_RING_H
#define SIM_TRACE_RING_H

#include "sim/trace.h"

#define TRACE_RING_DEFAULT (UINT64_C(1) << 16)

struct trace_ring {
    struct trace_record *rec; /* the caller's */
    uint64_t size;            /* records, a power of two */
    uint64_t first, end;      /* seq */
};

/* Empty, over `size` records at rec. */
void trace_ring_init(struct trace_ring *r, struct trace_record *rec, uint64_t size);
/* The sink: data is the struct trace_ring. A record that does not follow the last one empties the ring first. */
void trace_ring_sink(void *data, const struct trace_record *rec);
/* NULL: not yet, or not any more. */
const struct trace_record *trace_ring_get(const struct trace_ring *r, uint64_t seq);

#endif
