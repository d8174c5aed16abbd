// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Unpacking a compressed kernel: one table of methods, each a few lines around the library that knows it.
 *
 * Concept: Linux can be packed in six ways, told apart by their first bytes. All but lz4 work as streams: hand the
 * library input and room, let it work, give it more room when that is used up. The packed kernel does not reliably
 * tell its unpacked size, and a hostile one lies: the room grows by doubling, up to a limit.
 *
 * Invariants: output never exceeds IMAGE_UNPACKED_MAX, nor what a real kernel could need from that much input (packed
 * kernels shrink to a fifth; a bomb of a kilobyte shall not cost a quarter of a gigabyte). Every round either consumes
 * input, produces output, or ends the loop, so nothing hangs.
 *
 * Simplifies Xen's tools/libs/guest/xg_dom_bzimageloader.c: no lzo; lz4 in its legacy format, which is the one Linux
 * uses.
 */
#include "tools/build/image_private.h"

#include <bzlib.h>
#include <lz4.h>
#include <lzma.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

/* How far data may expand beyond the factor: small packed guests may have large empty tables. */
#define EXPANSION_FACTOR 64
#define EXPANSION_SLACK  (UINT64_C(16) << 20)

#define LZMA_MEMORY_MAX (UINT64_C(256) << 20)
#define LZ4_BLOCK_MAX   (8 << 20) /* a block of the legacy format unpacks to at most this */
#define LZ4_MAGIC       0x184c2102

struct room {
    uint8_t *data;
    size_t used, cap, limit;
};

struct packed {
    const uint8_t *data;
    size_t size;
};

/* The reasons, common to all methods. UNPACKED: the stream came to its proper end. */
enum verdict { UNPACKED, CORRUPT, TRUNCATED, TOO_BIG, NO_MEMORY };

/* Make sure that there is some room left, at least want bytes if the limit allows. */
static enum verdict room_make(struct room *room, size_t want)
{
    size_t cap = room->cap;

    if (room->cap - room->used >= want)
        return UNPACKED;
    while (cap - room->used < want && cap < room->limit)
        cap = cap * 2 < room->limit ? cap * 2 : room->limit;
    if (cap == room->used)
        return TOO_BIG;

    uint8_t *bigger = realloc(room->data, cap);

    if (!bigger)
        return NO_MEMORY;
    room->data = bigger;
    room->cap = cap;
    return UNPACKED;
}

/* --------------------------------------------------------------------------------------------------- the methods -- */

static enum verdict unpack_gzip(struct packed in, struct room *room)
{
    z_stream z = { .next_in = (Bytef *)in.data, .avail_in = (uInt)in.size };
    enum verdict v = UNPACKED;
    int rc = Z_OK;

    if (inflateInit2(&z, 16 + MAX_WBITS) != Z_OK)
        return NO_MEMORY;
    while (rc == Z_OK && (v = room_make(room, 1)) == UNPACKED) {
        z.next_out = room->data + room->used;
        z.avail_out = (uInt)(room->cap - room->used);
        rc = inflate(&z, Z_NO_FLUSH);
        room->used = room->cap - z.avail_out;
    }
    inflateEnd(&z);
    if (v == UNPACKED && rc != Z_STREAM_END)
        v = rc == Z_BUF_ERROR ? TRUNCATED : rc == Z_MEM_ERROR ? NO_MEMORY : CORRUPT;
    return v;
}

static enum verdict unpack_bzip2(struct packed in, struct room *room)
{
    bz_stream bz = { .next_in = (char *)in.data, .avail_in = (unsigned int)in.size };
    enum verdict v = UNPACKED;
    int rc = BZ_OK;

    if (BZ2_bzDecompressInit(&bz, 0, 0) != BZ_OK)
        return NO_MEMORY;
    while (rc == BZ_OK && (v = room_make(room, 1)) == UNPACKED) {
        bz.next_out = (char *)room->data + room->used;
        bz.avail_out = (unsigned int)(room->cap - room->used);
        rc = BZ2_bzDecompress(&bz);
        room->used = room->cap - bz.avail_out;
        if (rc == BZ_OK && bz.avail_in == 0 && bz.avail_out > 0)
            v = TRUNCATED; /* this library does not say so itself */
        if (v != UNPACKED)
            break;
    }
    BZ2_bzDecompressEnd(&bz);
    if (v == UNPACKED && rc != BZ_STREAM_END)
        v = rc == BZ_MEM_ERROR ? NO_MEMORY : CORRUPT;
    return v;
}

/* xz and the older lzma differ only in how the decoder begins. */
static enum verdict unpack_with_liblzma(lzma_stream *lz, lzma_ret rc, struct packed in, struct room *room)
{
    enum verdict v = UNPACKED;

    lz->next_in = in.data;
    lz->avail_in = in.size;
    while (rc == LZMA_OK && (v = room_make(room, 1)) == UNPACKED) {
        lz->next_out = room->data + room->used;
        lz->avail_out = room->cap - room->used;
        rc = lzma_code(lz, LZMA_RUN);
        room->used = room->cap - lz->avail_out;
    }
    lzma_end(lz);
    if (v == UNPACKED && rc != LZMA_STREAM_END)
        v = rc == LZMA_BUF_ERROR ? TRUNCATED : rc == LZMA_MEM_ERROR || rc == LZMA_MEMLIMIT_ERROR ? NO_MEMORY : CORRUPT;
    return v;
}

static enum verdict unpack_xz(struct packed in, struct room *room)
{
    lzma_stream lz = LZMA_STREAM_INIT;

    return unpack_with_liblzma(&lz, lzma_stream_decoder(&lz, LZMA_MEMORY_MAX, 0), in, room);
}

static enum verdict unpack_lzma(struct packed in, struct room *room)
{
    lzma_stream lz = LZMA_STREAM_INIT;

    return unpack_with_liblzma(&lz, lzma_alone_decoder(&lz, LZMA_MEMORY_MAX), in, room);
}

/* The legacy format: the magic number, then blocks, each after its packed size, until the end of the file. */
static enum verdict unpack_lz4(struct packed in, struct room *room)
{
    size_t at = 4;

    /* A rest of four bytes is no block: Linux appends the unpacked size. */
    while (in.size - at > 4) {
        uint32_t len;

        memcpy(&len, in.data + at, 4);
        at += 4;
        if (len == LZ4_MAGIC)
            continue; /* files may be joined */
        if (len == 0 || len > (uint32_t)LZ4_compressBound(LZ4_BLOCK_MAX))
            return CORRUPT;
        if (len > in.size - at)
            return TRUNCATED;

        enum verdict v = room_make(room, LZ4_BLOCK_MAX);

        if (v != UNPACKED)
            return v;

        size_t left = room->cap - room->used;
        int n = LZ4_decompress_safe((const char *)in.data + at, (char *)room->data + room->used, (int)len,
                                    left < LZ4_BLOCK_MAX ? (int)left : LZ4_BLOCK_MAX);

        if (n < 0)
            return left < LZ4_BLOCK_MAX ? TOO_BIG : CORRUPT;
        room->used += (size_t)n;
        at += len;
    }
    return at == 4 ? TRUNCATED : UNPACKED;
}

static enum verdict unpack_zstd(struct packed in, struct room *room)
{
    ZSTD_inBuffer src = { .src = in.data, .size = in.size };
    ZSTD_DCtx *ctx = ZSTD_createDCtx();
    enum verdict v = UNPACKED;
    size_t rc = 1;

    if (!ctx)
        return NO_MEMORY;
    /* 0: the frame is complete, and what follows is not ours. */
    while (rc != 0 && !ZSTD_isError(rc) && (v = room_make(room, 1)) == UNPACKED) {
        ZSTD_outBuffer dst = { .dst = room->data + room->used, .size = room->cap - room->used };

        rc = ZSTD_decompressStream(ctx, &dst, &src);
        room->used += dst.pos;
        if (rc != 0 && !ZSTD_isError(rc) && src.pos == src.size && dst.pos < dst.size) {
            v = TRUNCATED;
            break;
        }
    }
    ZSTD_freeDCtx(ctx);
    return v == UNPACKED && ZSTD_isError(rc) ? CORRUPT : v;
}

// clang-format off
static const struct method {
    const char *name;
    uint8_t magic[6];
    size_t magic_size;
    enum verdict (*unpack)(struct packed in, struct room *room);
} methods[] = {
    { "gzip",  { 0x1f, 0x8b },                         2, unpack_gzip  },
    { "bzip2", { 'B', 'Z', 'h' },                      3, unpack_bzip2 },
    { "lzma",  { 0x5d, 0x00, 0x00 },                   3, unpack_lzma  },
    { "xz",    { 0xfd, '7', 'z', 'X', 'Z', 0x00 },     6, unpack_xz    },
    { "lz4",   { 0x02, 0x21, 0x4c, 0x18 },             4, unpack_lz4   },
    { "zstd",  { 0x28, 0xb5, 0x2f, 0xfd },             4, unpack_zstd  },
};
// clang-format on

/* ---------------------------------------------------------------------------------------------------- the choice -- */

static const struct method *method_of(const uint8_t *data, size_t size)
{
    for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
        if (size >= methods[i].magic_size && !memcmp(data, methods[i].magic, methods[i].magic_size))
            return &methods[i];
    return NULL;
}

const char *image_packed_with(const uint8_t *data, size_t size)
{
    const struct method *m = method_of(data, size);

    return m ? m->name : NULL;
}

int image_unpack(const uint8_t *data, size_t size, uint8_t **out, size_t *out_size, char err[IMAGE_ERR_SIZE])
{
    const struct method *m = method_of(data, size);
    uint64_t limit = size * EXPANSION_FACTOR + EXPANSION_SLACK;
    struct room room = { .limit = limit < IMAGE_UNPACKED_MAX ? limit : IMAGE_UNPACKED_MAX };
    uint32_t hint = 0;

    if (!m)
        return image_fail(err, "not compressed in a known way");
    /* Both gzip and Linux end with the unpacked size. As a hint it saves copying; it is not believed. */
    if (size >= 4)
        memcpy(&hint, data + size - 4, 4);
    room.cap = hint > 65536 && hint < room.limit ? hint + 1 : 65536;
    room.data = image_alloc(room.cap);

    enum verdict v = room.data ? m->unpack((struct packed){ data, size }, &room) : NO_MEMORY;

    if (v == UNPACKED) {
        *out = room.data;
        *out_size = room.used;
        return 0;
    }
    free(room.data);
    switch (v) {
    case TRUNCATED: return image_fail(err, "truncated: the packed kernel (%s, %zu bytes) stops short", m->name, size);
    case TOO_BIG:
        return image_fail(err, "the packed kernel (%s, %zu bytes) unpacks to more than %zu MiB: refused", m->name, size,
                          room.limit >> 20);
    case NO_MEMORY: return image_fail(err, "not enough memory to unpack the kernel (%s)", m->name);
    default: return image_fail(err, "corrupt: the packed kernel (%s, %zu bytes) does not unpack", m->name, size);
    }
}
