// SPDX-License-Identifier: GPL-2.0-or-later
/* Pictures in files: see ui/png.h. */
#include "ui/png.h"

#include <dlfcn.h>
#include <errno.h>
#include <png.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

/* The rows as a picture. False: libpng or memory is not there, or it cannot be written. */
static bool written(FILE *f, unsigned int width, unsigned int height, png_row_fn *row, void *data)
{
    png_image image = { .version = PNG_IMAGE_VERSION, .width = width, .height = height, .format = PNG_FORMAT_RGB };
    void *library = dlopen("libpng16.so.16", RTLD_NOW | RTLD_LOCAL);
    uint8_t *rows = malloc((size_t)width * height * 3);
    __typeof__(png_image_write_to_stdio) *write_it;
    bool good = library && rows;

    if (good) {
        *(void **)&write_it = dlsym(library, "png_image_write_to_stdio");
        for (unsigned int y = 0; y < height; y++)
            row(data, y, rows + (size_t)y * width * 3);
        good = write_it && write_it(&image, f, 0, rows, 0, NULL);
    }
    free(rows);
    if (library)
        dlclose(library);
    return good;
}

int png_write(const char *path, unsigned int width, unsigned int height, png_row_fn *row, void *data)
{
    FILE *f = fopen(path, "we");
    bool good;

    if (!f)
        return errno;
    errno = 0;
    good = written(f, width, height, row, data);
    good = !fclose(f) && good;
    return good ? 0 : errno ? errno : ENOPKG;
}
