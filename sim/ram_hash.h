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

/* Calls fn for each frame that the host has memory for; the others are zero. */
void for_each_data_frame(const struct machine *m, void (*fn)(void *data, mfn_t mfn), void *data);

/* Of all frames, from their contents. */
uint64_t machine_hash_ram(const struct machine *m);
/* `hash`, and n more bytes. */
uint64_t hash_bytes(uint64_t hash, const void *bytes, size_t n);

#endif
