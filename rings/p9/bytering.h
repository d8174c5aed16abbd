// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A ring of bytes: one end of one direction.
 *
 * Concept: a power of two of bytes in shared pages, and two indices that only ever grow: the producer's says how many
 * bytes have been written, the consumer's how many have been read. A byte's place is its index modulo the size. Two
 * such rings make a connection; the pages are neighbours for the guest, and frames anywhere for us.
 *
 *      cons ............ prod ............ cons + size
 *      |  to be read     |  free           |
 *
 * Invariants: the pages are the other side's as well. Its index is read once a call, and one that cannot be is not
 * followed; our own index is kept here, and what the page says of it is never read. Bytes are copied once, by who
 * takes them; an index is shown when all of its bytes are there.
 *
 * Source: public io/ring.h (DEFINE_XEN_FLEX_RING), whose functions mask the indices first, so that a distance that
 * cannot be goes unnoticed there.
 */
#ifndef RINGS_P9_BYTERING_H
#define RINGS_P9_BYTERING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bytering {
    uint8_t *const *page; /* borrowed: the first byte is in page[0] at `offset` */
    size_t offset;
    uint32_t size;          /* a power of two */
    uint32_t *ours, *other; /* the indices in the shared page */
    uint32_t index;         /* ours */
};

/* The reading end: how many bytes wait. -EPROTO: the producer's index cannot be. */
int64_t bytering_waiting(const struct bytering *r);
/* Copy n of them, from the `skip`-th on, which are all waiting. */
void bytering_peek(const struct bytering *r, size_t skip, void *buf, size_t n);
/* They are done with. */
void bytering_consume(struct bytering *r, size_t n);

/* The writing end: for how many bytes there is room. -EPROTO: the consumer's index cannot be. */
int64_t bytering_room(const struct bytering *r);
/* Write n bytes, for which there is room, and show them. */
void bytering_write(struct bytering *r, const void *buf, size_t n);

#endif
