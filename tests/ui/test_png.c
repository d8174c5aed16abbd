// SPDX-License-Identifier: GPL-2.0-or-later
/* Pictures: what libpng reads is what was drawn. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dlfcn.h>
#include <errno.h>
#include <png.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "ui/png.h"

struct picture {
    unsigned int width, height;
};

static uint8_t drawn(unsigned int x, unsigned int y) { return (uint8_t)(x * x + 3 * y + (x ^ y)); }

static void on_row(void *data, unsigned int y, uint8_t *rgb)
{
    const struct picture *p = data;

    for (unsigned int x = 0; x < 3 * p->width; x++)
        rgb[x] = drawn(x, y);
}

static void check(void *libpng, const struct picture *p)
{
    __typeof__(png_image_begin_read_from_file) *begin_read;
    __typeof__(png_image_finish_read) *finish_read;
    png_image image = { .version = PNG_IMAGE_VERSION };
    static uint8_t rows[1 << 20];
    char path[] = "/tmp/test_png.XXXXXX";
    const int fd = mkstemp(path);

    *(void **)&begin_read = dlsym(libpng, "png_image_begin_read_from_file");
    *(void **)&finish_read = dlsym(libpng, "png_image_finish_read");
    assert_true(fd >= 0 && begin_read && finish_read);
    close(fd);
    assert_int_equal(png_write(path, p->width, p->height, on_row, (void *)(uintptr_t)p), 0);
    assert_true(begin_read(&image, path));
    assert_true(image.width == p->width && image.height == p->height);
    image.format = PNG_FORMAT_RGB;
    assert_true(PNG_IMAGE_SIZE(image) <= sizeof(rows));
    assert_true(finish_read(&image, NULL, rows, 0, NULL));
    unlink(path);
    for (unsigned int y = 0; y < p->height; y++)
        for (unsigned int x = 0; x < 3 * p->width; x++)
            assert_int_equal(rows[y * 3 * p->width + x], drawn(x, y));
}

static void pictures(void **state)
{
    static const struct picture some[] = { { 1, 1 }, { 3, 2 }, { 333, 211 }, { 100, 300 } };
    void *libpng = dlopen("libpng16.so.16", RTLD_NOW);

    (void)state;
    if (!libpng)
        skip();
    for (size_t i = 0; i < sizeof(some) / sizeof(some[0]); i++)
        check(libpng, &some[i]);
    dlclose(libpng);
}

static void no_place(void **state)
{
    const struct picture p = { 500, 500 };

    (void)state;
    assert_int_equal(png_write("/nowhere/x.png", 1, 1, on_row, (void *)(uintptr_t)&p), ENOENT);
    assert_int_equal(png_write("/dev/full", 500, 500, on_row, (void *)(uintptr_t)&p), ENOSPC);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(pictures), cmocka_unit_test(no_place) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
