// SPDX-License-Identifier: GPL-2.0-or-later
/* Kernel images in common: see image_cache.h. A list, since few kernels are different. */
#include "tools/build/image_cache.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct cached_image *image_cache_get(struct cached_image **cache, const char *path, enum image_mode mode,
                                     char err[IMAGE_ERR_SIZE])
{
    struct cached_image *ci = *cache;

    while (ci && (ci->mode != mode || strcmp(ci->path, path)))
        ci = ci->next;
    if (ci) {
        ci->users++;
        return ci;
    }
    ci = calloc(1, sizeof(*ci) + strlen(path) + 1);
    if (!ci) {
        snprintf(err, IMAGE_ERR_SIZE, "out of memory");
        return NULL;
    }
    if (image_load(&ci->image, path, mode, err)) {
        free(ci);
        return NULL;
    }
    strcpy(ci->path, path);
    ci->mode = mode;
    ci->users = 1;
    ci->next = *cache;
    *cache = ci;
    return ci;
}

void image_cache_put(struct cached_image **cache, struct cached_image *ci)
{
    if (!ci || --ci->users)
        return;
    while (*cache != ci)
        cache = &(*cache)->next;
    *cache = ci->next;
    image_free(&ci->image);
    free(ci);
}
