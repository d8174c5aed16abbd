// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * All that is to be written to a disk's file at once: all of it gets there, or nothing.
 *
 * Concept: a long list of changes is not written in one step, and a file with half of them is no disk of any moment.
 * So they go to a file beside it first, FILE.xlredo, which ends with a checksum, and are in FILE when that is on the
 * host's disk. Whoever opens FILE to write it and finds a whole FILE.xlredo does what is in it once more; half a one
 * says that FILE has not been touched.
 *
 *      "xlredo 1"  (at, 4096 bytes | at + 1: zero)...  2^64 - 1, sectors, checksum of all before
 *
 * A disk that is no file, but a server's, gets them from a file without a name: there nobody could find it.
 */
#ifndef TOOLS_DISK_DISK_REDO_H
#define TOOLS_DISK_DISK_REDO_H

#include "tools/disk/disk_file.h"

#define DISK_REDO_BYTES 4096u

struct disk_redo {
    struct open_file *o;
    char *path; /* NULL: it has none */
    void *file;
    uint64_t sum;
};

/* For o, which is open to be written. Each: -1 and why; disk_redo_free() in any case. */
int disk_redo_begin(struct disk_redo *r, struct open_file *o, char why[DISK_WHY_SIZE]);
/* These bytes, from `at` on, which is a multiple of as many; NULL: zero. What fails is said at the end. */
void disk_redo_add(struct disk_redo *r, uint64_t at, const uint8_t *bytes);
/* That was all, and the disk has so many sectors: it is in the file now. */
int disk_redo_end(struct disk_redo *r, uint64_t sectors, char why[DISK_WHY_SIZE]);
void disk_redo_free(struct disk_redo *r);

/* o has just been opened: is there something that was begun? -1 and why: it cannot be finished. */
int disk_redo_find(struct open_file *o, char why[DISK_WHY_SIZE]);

#endif
