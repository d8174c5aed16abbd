// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Guest kernel images: finding the ELF file inside what the user named. See image.h for the whole.
 *
 * Concept: the set-up header of a bzImage ("HdrS", Linux's Documentation/arch/x86/boot.rst) says since protocol 2.08
 * where the compressed kernel lies, so that a loader which needs no real-mode code can take it out:
 *
 *      0            0x1f1          0x1fe   0x202   0x206      0x248           0x24c
 *      | boot code  | setup_sects  | aa55  | HdrS  | version  | payload_offset  | payload_length | ...
 *      |<---- (setup_sects + 1) * 512 bytes ---->|<- payload_offset ->|<-- payload -->|
 *
 * Simplifies Xen's tools/libs/guest/xg_dom_bzimageloader.c.
 */
#include "tools/build/image_kept.h"
#include "tools/build/image_private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BZ_SETUP_SECTS    0x1f1
#define BZ_BOOT_FLAG      0x1fe
#define BZ_MAGIC          0x202
#define BZ_VERSION        0x206
#define BZ_PAYLOAD_OFFSET 0x248
#define BZ_PAYLOAD_LENGTH 0x24c
#define BZ_HEADER_END     0x250

/* -------------------------------------------------------------------------------------------- telling what it is -- */

static uint16_t get16(const uint8_t *p) { return (uint16_t)(p[0] | p[1] << 8); }
static uint32_t get32(const uint8_t *p) { return get16(p) | (uint32_t)get16(p + 2) << 16; }

static bool is_elf(const uint8_t *data, size_t size) { return size >= SELFMAG && !memcmp(data, ELFMAG, SELFMAG); }

static bool is_bzimage(const uint8_t *data, size_t size)
{
    return size >= BZ_VERSION && get16(data + BZ_BOOT_FLAG) == 0xaa55 && !memcmp(data + BZ_MAGIC, "HdrS", 4);
}

static bool is_gzip(const uint8_t *data, size_t size) { return size >= 2 && data[0] == 0x1f && data[1] == 0x8b; }

bool image_probe(const uint8_t *data, size_t size)
{
    return is_elf(data, size) || is_bzimage(data, size) || is_gzip(data, size);
}

/* Where in the bzImage the payload lies. */
static int bzimage_payload(const uint8_t **data, size_t *size, char err[IMAGE_ERR_SIZE])
{
    const uint8_t *head = *data;

    if (*size < BZ_HEADER_END)
        return image_fail(err, "bzImage truncated: its header needs %d bytes, the file has %zu", BZ_HEADER_END, *size);

    unsigned int version = get16(head + BZ_VERSION), sects = head[BZ_SETUP_SECTS] ? head[BZ_SETUP_SECTS] : 4;
    uint64_t offset = (sects + 1) * UINT64_C(512) + get32(head + BZ_PAYLOAD_OFFSET);
    uint64_t len = get32(head + BZ_PAYLOAD_LENGTH);

    if (version < 0x208)
        return image_fail(err, "bzImage too old: boot protocol %u.%02u does not locate the kernel, 2.08 does",
                          version >> 8, version & 0xff);
    if (len == 0)
        return image_fail(err, "bzImage has no payload (payload_length is 0)");
    if (!image_inside(offset, len, *size))
        return image_fail(err, "bzImage truncated: its payload is bytes %llu to %llu, the file has %zu",
                          (unsigned long long)offset, (unsigned long long)(offset + len), *size);
    *data += offset;
    *size = len;
    return 0;
}

/* As image_unpack(), but from the kernels that were kept, or to them; *not_kept: why not. */
static int unpack_kept(const uint8_t *data, size_t size, uint8_t **out, size_t *out_size, char not_kept[IMAGE_ERR_SIZE],
                       char err[IMAGE_ERR_SIZE])
{
    char said[IMAGE_KEPT_SAID_SIZE];
    const int folder = image_kept_open(said);
    int rc = 0, error;

    snprintf(not_kept, IMAGE_ERR_SIZE, "%s", folder < 0 ? said : "");
    if (!image_kept_get(folder, data, size, out, out_size)) {
        rc = image_unpack(data, size, out, out_size, err);
        error = rc ? 0 : image_kept_put(folder, data, size, *out, *out_size, IMAGE_KEPT_MAX);
        if (error)
            snprintf(not_kept, IMAGE_ERR_SIZE, "%s: %s", said, strerror(error));
    }
    if (folder >= 0)
        close(folder);
    return rc;
}

/* From the file to the ELF file in it, unpacked if need be. What had to be allocated is the image's. */
static int find_elf(struct image *img, const uint8_t **data, size_t *size, bool keep, char err[IMAGE_ERR_SIZE])
{
    const char *what = "the file";

    if (*size > IMAGE_FILE_MAX)
        return image_fail(err, "larger than %u MiB", (unsigned int)(IMAGE_FILE_MAX >> 20));
    if (*size == 0)
        return image_fail(err, "not a kernel image: the file is empty");
    if (!image_probe(*data, *size))
        return image_fail(err, "not a kernel image: neither ELF nor bzImage");
    if (is_bzimage(*data, *size)) {
        if (bzimage_payload(data, size, err))
            return -1;
        what = "the payload of the bzImage";
    }
    if (!is_elf(*data, *size)) {
        uint8_t *unpacked;
        size_t unpacked_size;

        img->compressed = image_packed_with(*data, *size);
        if (!img->compressed)
            return image_fail(err, "%s is neither ELF nor compressed in a known way (%02x %02x ...)", what, (*data)[0],
                              *size > 1 ? (*data)[1] : 0);
        if (keep && *size >= IMAGE_KEPT_MIN ? unpack_kept(*data, *size, &unpacked, &unpacked_size, img->not_kept, err)
                                            : image_unpack(*data, *size, &unpacked, &unpacked_size, err))
            return -1;
        img->owned_unpacked = unpacked;
        *data = unpacked;
        *size = unpacked_size;
        if (!is_elf(*data, *size))
            return image_fail(err, "not a kernel image: %s unpacks (%s), but not to an ELF file", what,
                              img->compressed);
    }
    return 0;
}

/* ----------------------------------------------------------------------------------------------------- the whole -- */

static int parse(struct image *img, const uint8_t *data, size_t size, enum image_mode mode, bool keep,
                 char err[IMAGE_ERR_SIZE])
{
    struct image_elf elf = { 0 };
    int rc;

    memset(img, 0, sizeof(*img));
    rc = find_elf(img, &data, &size, keep, err) || image_elf_open(&elf, data, size, err) ||
         image_elf_segments(img, &elf, err) || image_notes_read(img, &elf, mode, err) ||
         image_place(img, &elf, mode, err) || image_elf_symbols(img, &elf, err);
    image_elf_close(&elf);
    if (rc) {
        image_free(img);
        return -1;
    }
    img->elf = data;
    img->elf_size = size;
    return 0;
}

int image_parse(struct image *img, const uint8_t *data, size_t size, enum image_mode mode, char err[IMAGE_ERR_SIZE])
{
    return parse(img, data, size, mode, false, err);
}

int image_load(struct image *img, const char *path, enum image_mode mode, char err[IMAGE_ERR_SIZE])
{
    uint8_t *data;
    size_t size;

    memset(img, 0, sizeof(*img));
    if (image_read_file(path, &data, &size, err))
        return -1;
    if (parse(img, data, size, mode, true, err)) {
        free(data);
        return -1;
    }
    if (img->compressed)
        free(data); /* nothing points into the packed form */
    else
        img->owned_file = data;
    return 0;
}

void image_free(struct image *img)
{
    free(img->symbols);
    free(img->owned_symtab);
    free(img->owned_names);
    free(img->owned_unpacked);
    free(img->owned_file);
    memset(img, 0, sizeof(*img));
}

/* Is it an address of the kernel's code or data? The symbol table behind them is neither. */
static bool image_has(const struct image *img, uint64_t addr)
{
    const uint64_t end = img->owned_symtab ? img->segments[img->nr_segments - 1].vaddr : img->virt_kend;

    for (unsigned int i = 0; img->mode == IMAGE_PVH && i < img->nr_segments; i++)
        if (addr - img->segments[i].linked < img->segments[i].memsz)
            return true;
    return addr >= img->virt_kstart && addr < end;
}

const char *image_symbol_lookup(const struct image *img, uint64_t addr, uint64_t *offset)
{
    size_t low = 0, high = img->nr_symbols; /* the first symbol above addr is in [low, high] */

    while (low < high) {
        size_t mid = low + (high - low) / 2;

        if (img->symbols[mid].addr <= addr)
            low = mid + 1;
        else
            high = mid;
    }
    /* A variable that stands among code ends nothing: what follows it belongs to the label before. */
    while (low && img->symbols[low - 1].variable && addr - img->symbols[low - 1].addr >= img->symbols[low - 1].size)
        low--;
    if (low == 0 || !image_has(img, addr))
        return NULL;

    const struct image_symbol *sym = &img->symbols[low - 1];

    if (sym->size && addr - sym->addr >= sym->size)
        return NULL;
    *offset = addr - sym->addr;
    return sym->name;
}
