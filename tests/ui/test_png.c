// SPDX-License-Identifier: GPL-2.0-or-later
/* Pictures: each chunk's checksum is right, and what zlib makes of the rows is what was drawn. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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

static uint32_t word(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

typedef int uncompress_fn(uint8_t *out, unsigned long *out_len, const uint8_t *in, unsigned long len);
typedef unsigned long crc_fn(unsigned long crc, const uint8_t *bytes, unsigned int len);

static void check(void *zlib, const struct picture *p)
{
    union {
        void *symbol;
        uncompress_fn *uncompress;
        crc_fn *crc;
    } uncompress = { dlsym(zlib, "uncompress") }, crc = { dlsym(zlib, "crc32") };
    static uint8_t file[1 << 20], raw[1 << 20];
    char path[] = "/tmp/test_png.XXXXXX";
    const int fd = mkstemp(path);
    unsigned long len = sizeof(raw);
    size_t size, at = 8;
    FILE *f;

    assert_true(fd >= 0);
    close(fd);
    assert_int_equal(png_write(path, p->width, p->height, on_row, (void *)(uintptr_t)p), 0);
    f = fopen(path, "r");
    size = fread(file, 1, sizeof(file), f);
    fclose(f);
    unlink(path);
    assert_memory_equal(file, "\x89PNG\r\n\x1a\n", 8);
    while (at < size) {
        const uint32_t n = word(file + at);

        assert_true(at + 12 + n <= size);
        assert_int_equal(word(file + at + 8 + n), crc.crc(0, file + at + 4, n + 4));
        if (!memcmp(file + at + 4, "IHDR", 4))
            assert_true(word(file + at + 8) == p->width && word(file + at + 12) == p->height);
        if (!memcmp(file + at + 4, "IDAT", 4))
            assert_int_equal(uncompress.uncompress(raw, &len, file + at + 8, n), 0);
        at += 12 + n;
    }
    assert_int_equal(at, size);
    assert_int_equal(len, (1 + 3 * p->width) * p->height);
    for (unsigned int y = 0; y < p->height; y++)
        for (unsigned int x = 0; x < 3 * p->width; x++)
            assert_int_equal(raw[y * (1 + 3 * p->width) + 1 + x], drawn(x, y));
}

static void pictures(void **state)
{
    static const struct picture some[] = { { 1, 1 }, { 3, 2 }, { 333, 211 }, { 100, 300 } };
    void *zlib = dlopen("libz.so.1", RTLD_NOW);

    (void)state;
    if (!zlib)
        skip();
    for (size_t i = 0; i < sizeof(some) / sizeof(some[0]); i++)
        check(zlib, &some[i]);
    dlclose(zlib);
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
