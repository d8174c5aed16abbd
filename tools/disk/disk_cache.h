// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A disk with a cache that does not outlast the power, as real disks have: for power cuts that are tried.
 *
 * Concept: what is written is in the cache, until a flush, or until there is no more room. When the power is cut, of
 * the sectors in the cache some have reached the disk, and others have not: any, in any order, also of one request.
 * Whole sectors: half a sector is what disks never leave behind.
 *
 *      write --> cache --(flush, no room, the end)--> the file's own operations
 *                  '-----(power cut)----------------> some of it
 *
 * Invariants: what has been written before a flush is in the file when that returns. What becomes of the rest follows
 * from the seed, and nothing else.
 */
#ifndef TOOLS_DISK_DISK_CACHE_H
#define TOOLS_DISK_DISK_CACHE_H

#include "tools/disk/disk_file.h"

/* o, which is open and written, has one from now on. False: no memory. */
bool disk_cache_begin(struct open_file *o, uint64_t seed);
/* It has none any more: all of it is written. Harmless for one that has none. */
void disk_cache_end(struct open_file *o);

/* The power is cut: how many sectors were in the cache, and how many of them the file has got? */
struct disk_cut {
    unsigned int held, kept;
};
struct disk_cut disk_cache_cut(struct open_file *o);

#endif
