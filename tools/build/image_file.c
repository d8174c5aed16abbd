// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Below the parts of an image: its file, its memory, and what is said of it. See image.h for the whole.
 */
#include "tools/build/image_private.h"

#include "tools/printable.h"
#include "tools/user_file.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

int image_fail(char err[IMAGE_ERR_SIZE], const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(err, IMAGE_ERR_SIZE, fmt, ap);
    va_end(ap);
    make_printable(err, strlen(err), false);
    return -1;
}

void *image_alloc(size_t size)
{
    const size_t large = (size_t)2 << 20;
    void *data;

    if (size < 2 * large || size > SIZE_MAX - large)
        return malloc(size);
    data = aligned_alloc(large, (size + large - 1) & ~(large - 1));
    if (data)
        madvise(data, size & ~(large - 1), MADV_HUGEPAGE);
    return data;
}

int image_read_file(const char *path, uint8_t **data, size_t *size, char err[IMAGE_ERR_SIZE])
{
    char why[IMAGE_ERR_SIZE - 32];
    int fd = user_file_open(path, why, sizeof(why));
    size_t used = 0, cap = 65536;
    uint8_t *buf = NULL;
    struct stat st;
    ssize_t n;

    if (fd < 0)
        return image_fail(err, "cannot open: %s", why);
    /* The stated size is a good guess, and none where the kernel makes the file up: read until the end. */
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && (uint64_t)st.st_size < IMAGE_FILE_MAX)
        cap = (size_t)st.st_size + 1;
    do {
        if (!buf || used == cap) {
            cap = buf ? cap * 2 : cap;
            uint8_t *bigger = buf ? realloc(buf, cap) : image_alloc(cap);

            if (!bigger) {
                image_fail(err, "not enough memory to read it");
                goto fail;
            }
            buf = bigger;
        }
        n = read(fd, buf + used, cap - used);
        if (n < 0 && errno != EINTR) {
            image_fail(err, "cannot read: %s", strerror(errno));
            goto fail;
        }
        used += n > 0 ? (size_t)n : 0;
        if (used > IMAGE_FILE_MAX) {
            image_fail(err, "larger than %u MiB", (unsigned int)(IMAGE_FILE_MAX >> 20));
            goto fail;
        }
    } while (n != 0);
    close(fd);
    *data = buf;
    *size = used;
    return 0;

fail:
    free(buf);
    close(fd);
    return -1;
}
