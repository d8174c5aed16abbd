// SPDX-License-Identifier: GPL-2.0-or-later
/* Pictures in files: see ui/png.h. */
#include "ui/png.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void put32(uint8_t *at, uint32_t n)
{
    at[0] = (uint8_t)(n >> 24), at[1] = (uint8_t)(n >> 16), at[2] = (uint8_t)(n >> 8), at[3] = (uint8_t)n;
}

static uint32_t crc(uint32_t crc, const uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        crc ^= bytes[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? UINT32_C(0xedb88320) : 0);
    }
    return crc;
}

static void chunk(FILE *f, const char *type, const uint8_t *bytes, size_t len)
{
    uint8_t head[8], tail[4];

    put32(head, (uint32_t)len);
    memcpy(head + 4, type, 4);
    put32(tail, ~crc(crc(UINT32_MAX, head + 4, 4), bytes, len));
    fwrite(head, 1, sizeof(head), f);
    fwrite(bytes, 1, len, f);
    fwrite(tail, 1, sizeof(tail), f);
}

/* A zlib stream of stored blocks: out has room. Returns its length. */
static size_t stored(uint8_t *out, const uint8_t *raw, size_t len)
{
    uint32_t a = 1, b = 0;
    size_t n = 2;

    memcpy(out, "\x78\x01", 2);
    for (size_t at = 0; at < len;) {
        const size_t block = len - at < 65535 ? len - at : 65535;

        out[n++] = at + block == len;
        out[n++] = (uint8_t)block, out[n++] = (uint8_t)(block >> 8);
        out[n++] = (uint8_t)~block, out[n++] = (uint8_t)(~block >> 8);
        memcpy(out + n, raw + at, block);
        n += block;
        at += block;
    }
    for (size_t i = 0; i < len; i++) {
        a = (a + raw[i]) % 65521;
        b = (b + a) % 65521;
    }
    put32(out + n, b << 16 | a);
    return n + 4;
}

/* What zlib's compress() is. */
typedef int compress_fn(uint8_t *out, unsigned long *out_len, const uint8_t *in, unsigned long len);

static size_t squeezed(uint8_t *out, size_t room, const uint8_t *raw, size_t len)
{
    void *lib = dlopen("libz.so.1", RTLD_NOW);
    union {
        void *symbol;
        compress_fn *fn;
    } compress = { lib ? dlsym(lib, "compress") : NULL };
    unsigned long n = room;

    if (!compress.symbol || compress.fn(out, &n, raw, len))
        n = stored(out, raw, len);
    if (lib)
        dlclose(lib);
    return n;
}

int png_write(const char *path, unsigned int width, unsigned int height, png_row_fn *row, void *data)
{
    const size_t line = 1 + (size_t)width * 3, len = line * height, room = len + len / 1000 + len / 65535 * 5 + 64;
    uint8_t *raw = calloc(1, len), *out = malloc(room), head[13] = { 0 };
    FILE *f = raw && out ? fopen(path, "we") : NULL;
    int error = f ? 0 : errno;

    if (f) {
        for (unsigned int y = 0; y < height; y++)
            row(data, y, raw + y * line + 1); /* before it the row's filter, which is none */
        put32(head, width);
        put32(head + 4, height);
        head[8] = 8; /* bits of each of */
        head[9] = 2; /* red, green and blue */
        fwrite("\x89PNG\r\n\x1a\n", 1, 8, f);
        chunk(f, "IHDR", head, sizeof(head));
        chunk(f, "IDAT", out, squeezed(out, room, raw, len));
        chunk(f, "IEND", head, 0);
        if (ferror(f))
            error = errno ? errno : EIO;
        if (fclose(f) && !error)
            error = errno;
    }
    free(raw);
    free(out);
    return error;
}
