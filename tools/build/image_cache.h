// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Files that guests are made of, in common: guests of the same kernel share one copy of it, unpacked once, and guests
 * with the same ramdisk one copy of that.
 *
 * Concept: a thousand guests of one kernel differ in everything but the kernel. Files are only read once they are
 * loaded, so all of them can be built, and be restarted, from the same ones. They are the same in all runs, and no
 * state: they stay until the cache is freed, whoever uses them, so that what a machine was at any time, put back, finds
 * them where they were. Who names the same path gets the same bytes, even if the file has changed since.
 */
#ifndef TOOLS_BUILD_IMAGE_CACHE_H
#define TOOLS_BUILD_IMAGE_CACHE_H

#include "tools/build/image.h"

struct cached_image {
    struct cached_image *next;
    enum image_mode mode;
    bool named; /* its symbols were looked for */
    struct image image;
    char path[]; /* as it was given */
};

struct cached_file {
    struct cached_file *next;
    uint8_t *data;
    size_t size;
    char path[];
};

/* Empty when all is zero. */
struct image_cache {
    struct cached_image *images;
    struct cached_file *files;
};

/* The kernel in the file, loaded if it is not here yet; NULL and a message if that fails. */
const struct cached_image *image_cache_get(struct image_cache *cache, const char *path, enum image_mode mode,
                                           char err[IMAGE_ERR_SIZE]);
/*
 * What was got from there, with symbols: a Linux without any has those that it knows of itself (kallsyms.h). That takes
 * some 100 ms, once, so it is for who looks at them.
 */
const struct image *image_cache_named(struct image_cache *cache, const struct cached_image *kernel);
/* image_cache_get() for the bytes of a file. */
const struct cached_file *image_cache_file(struct image_cache *cache, const char *path, char err[IMAGE_ERR_SIZE]);
/* All that was got is gone. */
void image_cache_free(struct image_cache *cache);

#endif
