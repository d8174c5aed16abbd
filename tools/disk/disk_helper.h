// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A program that knows a format, and talks NBD about it: qemu-nbd or nbdkit, started for one disk.
 *
 * Concept: it is given a socket that listens, as systemd would (LISTEN_FDS), to which we are connected before it is
 * there, and nobody else can be: its name is gone by then. It ends by itself when that connection does, whatever has
 * ended us, and finishes what it was told to write.
 *
 * Invariants: it is in a session of its own, so that no key of our terminal ends it before us; and we never kill it,
 * which would lose what it has answered and not yet written.
 */
#ifndef TOOLS_DISK_DISK_HELPER_H
#define TOOLS_DISK_DISK_HELPER_H

#include <stddef.h>
#include <sys/types.h>

#define DISK_HELPER_MISSING "is not here" /* what is said for a program that there is not */

struct disk_helper {
    pid_t pid;  /* 0: there is none */
    int socket; /* connected to it; the caller's */
    int errors; /* a file: what it says */
};

/* Start argv[0], from $PATH. -1 and why. */
int disk_helper_start(struct disk_helper *h, char *const argv[], char *why, size_t len);
/* What it has said last: a line, made harmless; "" if it has said nothing. */
void disk_helper_said(const struct disk_helper *h, char *line, size_t len);
/* The connection is closed: wait until it is gone, but not longer than that. */
void disk_helper_end(struct disk_helper *h, int patience_ms);

#endif
