// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Files of saved domains: what host_save.c (the commands), host_saved.c (files that are restored) and
 * host_saved_text.c (their configuration) share.
 */
#ifndef TOOLS_HOST_SAVED_H
#define TOOLS_HOST_SAVED_H

#include "tools/host_private.h"
#include "tools/save/in.h"

#include <stdio.h>

#define SAVED_DIGEST_SIZE 65 /* SHA-256 in hexadecimal */

/* A file as it was when it was read: an edge, like a kernel's (tools/build/image_cache.h). */
struct saved_file {
    struct saved_file *next;
    char digest[SAVED_DIGEST_SIZE];
    uint8_t *data;
    size_t size;
    struct saved saved;
    struct xl_config cfg;
    char path[];
};

/*
 * The file of this path: with this digest, or (NULL) as it is now. NULL, and why, with the path: it cannot be read, is
 * no saved domain, or has another digest.
 */
const struct saved_file *saved_file_now(struct host_edges *edges, const char *path, const char *digest,
                                        char err[HOST_ERR_SIZE]);
/* As above, of those that have been read before if there is one. */
const struct saved_file *saved_file_get(struct host_edges *edges, const char *path, const char *digest,
                                        char err[HOST_ERR_SIZE]);

/* What of g, as it is configured, does not fit to the file; NULL: nothing. */
const char *saved_file_unfit(const struct saved_file *f, const struct guest *g);
/* The save that is the command of this number could not write its file; and could it not? */
void saved_file_fail(struct host_edges *edges, unsigned int id);
bool saved_file_failed(const struct host_edges *edges, unsigned int id);

/* The settings that a guest has now as an xl.cfg, which the caller frees; NULL: out of memory. */
char *guest_config_text(const struct guest *g);
/* A disk as a word of xl.cfg's. */
void guest_disk_text(FILE *f, const struct xl_disk *d);

#endif
