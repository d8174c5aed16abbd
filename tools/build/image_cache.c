// SPDX-License-Identifier: GPL-2.0-or-later
/* Kernels and ramdisks in common: see image_cache.h. Lists, since few of them are different. */
#include "tools/build/image_cache.h"

#include "tools/build/kallsyms.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Room for the path behind a structure of this size. NULL: out of memory, and err says so. */
static void *entry_alloc(size_t size, const char *path, char err[IMAGE_ERR_SIZE])
{
    void *entry = calloc(1, size + strlen(path) + 1);

    if (!entry)
        snprintf(err, IMAGE_ERR_SIZE, "out of memory");
    return entry;
}

const struct cached_image *image_cache_get(struct image_cache *cache, const char *path, enum image_mode mode,
                                           char err[IMAGE_ERR_SIZE])
{
    struct cached_image *ci = cache->images;

    while (ci && (ci->mode != mode || strcmp(ci->path, path)))
        ci = ci->next;
    if (ci || !(ci = entry_alloc(sizeof(*ci), path, err)))
        return ci;
    if (image_load(&ci->image, path, mode, err)) {
        free(ci);
        return NULL;
    }
    strcpy(ci->path, path);
    ci->mode = mode;
    ci->next = cache->images;
    cache->images = ci;
    return ci;
}

const struct image *image_cache_named(struct image_cache *cache, const struct cached_image *kernel)
{
    struct cached_image *ci = cache->images;

    while (ci && ci != kernel)
        ci = ci->next;
    if (ci && !ci->named) {
        ci->named = true;
        kallsyms_load(&ci->image);
    }
    return &kernel->image;
}

const struct cached_file *image_cache_file(struct image_cache *cache, const char *path, char err[IMAGE_ERR_SIZE])
{
    struct cached_file *cf = cache->files;

    while (cf && strcmp(cf->path, path))
        cf = cf->next;
    if (cf || !(cf = entry_alloc(sizeof(*cf), path, err)))
        return cf;
    if (image_read_file(path, &cf->data, &cf->size, err)) {
        free(cf);
        return NULL;
    }
    strcpy(cf->path, path);
    cf->next = cache->files;
    cache->files = cf;
    return cf;
}

void image_cache_free(struct image_cache *cache)
{
    while (cache->images) {
        struct cached_image *ci = cache->images;

        cache->images = ci->next;
        image_free(&ci->image);
        free(ci);
    }
    while (cache->files) {
        struct cached_file *cf = cache->files;

        cache->files = cf->next;
        free(cf->data);
        free(cf);
    }
}
