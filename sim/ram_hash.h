// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Hashes of RAM, and of what else is to be compared with another process.
 *
 * Concept: the hash of RAM is the sum of those of its pages (page_hash()). So frames that are zero, most of them, add
 * nothing and need not be looked at, and when a page changes the sum does by the difference.
 */
#ifndef SIM_RAM_HASH_H
#define SIM_RAM_HASH_H

#include "sim/machine.h"

/*
 * Calls fn for each frame that the host has memory for, and a copy of what is in it, which is gone afterwards; the
 * others are zero. A copy, since the host need not map a frame for it that nobody has looked at yet.
 */
void for_each_data_frame(const struct machine *m, void (*fn)(void *data, mfn_t mfn, const uint8_t *page), void *data);

/* Of all frames, from their contents. */
uint64_t machine_hash_ram(const struct machine *m);
/* `hash`, and n more bytes. */
uint64_t hash_bytes(uint64_t hash, const void *bytes, size_t n);

#endif
