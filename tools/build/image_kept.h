// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Unpacked kernels, kept on disk: the second start of a kernel need not unpack it again.
 *
 * Concept: to unpack a kernel takes longer than to read what comes out. So that is kept in a folder, a file a kernel:
 *
 *      name       32 hex digits (a hash of the packed kernel) "-v1"
 *      content    | struct header: magic, both sizes, hash of the unpacked kernel | packed kernel | unpacked kernel |
 *
 * A file may be used if its packed kernel is, byte for byte, the one that is asked for (the hash in the name only finds
 * it), the unpacked one has the hash in the header, and nothing is missing or left over. Anything else is as if there
 * were no file, and is written anew. The hashes (XXH3, 128 bits) are against accidents; against people there are owners
 * and permissions: folder and files must be the user's own, and nobody else's to write; links are not followed.
 *
 * Invariants: no failure here stops anybody: without a folder, room or permission all is as without a cache, and
 * slower, which is why the reason is told. A file appears whole, under its name, or not at all. Together the files stay
 * within a limit; those whose last use is longest ago go first. What is not ours by its name is neither counted nor
 * removed.
 */
#ifndef TOOLS_BUILD_IMAGE_KEPT_H
#define TOOLS_BUILD_IMAGE_KEPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define IMAGE_KEPT_MAX (UINT64_C(512) << 20) /* bytes, of all files together */
#define IMAGE_KEPT_MIN                                                                                                 \
    (UINT64_C(1) << 20) /* of the packed kernel; a smaller one is as quickly unpacked, and is not kept */

/*
 * Open the folder, made if need be: $XDG_CACHE_HOME/xenlab, else ~/.cache/xenlab. The caller closes the descriptor; -1
 * if there is none that may be used. What is said: its path, and behind it why not; nothing if XENLAB_CACHE=off.
 */
#define IMAGE_KEPT_SAID_SIZE 200
int image_kept_open(char said[IMAGE_KEPT_SAID_SIZE]);

/*
 * Is the unpacked form of the packed kernel there? Then it is in fresh memory that the caller frees. A folder of -1
 * holds nothing, and keeps nothing.
 */
bool image_kept_get(int folder, const uint8_t *packed, size_t packed_size, uint8_t **out, size_t *out_size);

/*
 * Keep it; the files in the folder may take max_bytes (IMAGE_KEPT_MAX). 0, also for what is too large to be kept; or
 * errno.
 */
int image_kept_put(int folder, const uint8_t *packed, size_t packed_size, const uint8_t *unpacked, size_t size,
                   uint64_t max_bytes);

#endif
