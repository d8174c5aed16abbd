// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Kernel images in common: guests of the same kernel share one copy of its file, unpacked once.
 *
 * Concept: a thousand guests of one kernel differ in everything but the kernel. An image is only read once it is
 * loaded, so all of them can be built, and be restarted, from the same one; it goes with its last user. Who names the
 * same path gets the same image, even if the file has changed since.
 */
#ifndef TOOLS_BUILD_IMAGE_CACHE_H
#define TOOLS_BUILD_IMAGE_CACHE_H

#include "tools/build/image.h"

struct cached_image {
    struct cached_image *next;
    unsigned int users;
    enum image_mode mode;
    struct image image;
    char path[]; /* as it was given */
};

/* The image of the file, loaded if nobody has it yet; NULL and a message if that fails. *cache: NULL at the start. */
struct cached_image *image_cache_get(struct cached_image **cache, const char *path, enum image_mode mode,
                                     char err[IMAGE_ERR_SIZE]);
/* One user less; harmless for NULL. */
void image_cache_put(struct cached_image **cache, struct cached_image *ci);

#endif
