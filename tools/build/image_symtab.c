// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The symbol table behind the kernel, for those that ask for it (note BSD_SYMTAB, or BSD_SYMTAB in __xen_guest).
 *
 * Concept: the BSDs' kernel debuggers look for their symbols in memory, where a boot loader would have put them: a
 * small ELF file without a program, at the first aligned address after the kernel, with its length in front:
 *
 *      virt_kend before, aligned -> | size | ELF header | 3 section headers | symbols | strings | <- virt_kend
 *                                   0      4            68                  260, aligned
 *
 * size counts from the ELF header to the last string. The headers are the kernel's own, changed to describe this: no
 * program headers; of the sections none, the symbols, and their strings, with sh_offset from the ELF header on. They
 * are as wide as the kernel's file, and stand at the places that a 64-bit file needs in both. All this becomes one more
 * segment to load.
 *
 * Invariants: the first symbol table is taken. If it or its strings do not lie in the file, or the strings are none,
 * the kernel is loaded without, as by libelf, which can be known from `symtab_lost`.
 *
 * Corresponds to elf_parse_bsdsyms() and elf_load_bsdsyms() in xen/common/libelf/libelf-loader.c. These of 4.17 reserve
 * 68 bytes too few for a 32-bit kernel, so that its last strings may be missing; here there is room.
 */
#include "tools/build/image_private.h"

#include <stdlib.h>
#include <string.h>

/* The places of the headers; the length is before the first. */
#define EHDR_AT  sizeof(uint32_t)
#define SHDRS_AT (EHDR_AT + sizeof(Elf64_Ehdr))
#define DATA_AT  (SHDRS_AT + NR_SHDRS * sizeof(Elf64_Shdr))

enum { SHDR_NONE, SHDR_SYMTAB, SHDR_STRTAB, NR_SHDRS };

_Static_assert(SHDRS_AT == 68 && DATA_AT == 260, "as drawn above");

static uint64_t align(const struct image_elf *elf, uint64_t n)
{
    const uint64_t mask = elf->wide ? 7 : 3;

    return (n + mask) & ~mask;
}

static void put_ehdr(const struct image_elf *elf, uint8_t *blob)
{
    Elf64_Ehdr wide;
    Elf32_Ehdr narrow;

#define CHANGE(e, shdr_size)                                                                                           \
    do {                                                                                                               \
        (e).e_version = EV_CURRENT;                                                                                    \
        (e).e_phoff = 0;                                                                                               \
        (e).e_shoff = SHDRS_AT - EHDR_AT;                                                                              \
        (e).e_ehsize = sizeof(e);                                                                                      \
        (e).e_phentsize = (e).e_phnum = 0;                                                                             \
        (e).e_shentsize = (shdr_size);                                                                                 \
        (e).e_shnum = NR_SHDRS;                                                                                        \
        (e).e_shstrndx = 0;                                                                                            \
    } while (0)
    if (elf->wide) {
        memcpy(&wide, elf->data, sizeof(wide));
        CHANGE(wide, sizeof(Elf64_Shdr));
        memcpy(blob + EHDR_AT, &wide, sizeof(wide));
    } else {
        memcpy(&narrow, elf->data, sizeof(narrow));
        CHANGE(narrow, sizeof(Elf32_Shdr));
        memcpy(blob + EHDR_AT, &narrow, sizeof(narrow));
    }
#undef CHANGE
}

/* Header `from` of the kernel's file becomes number `to`, about bytes at `at` of the blob. */
static void put_shdr(const struct image_elf *elf, uint8_t *blob, unsigned int from, unsigned int to, uint64_t at)
{
    const uint8_t *shdrs = elf->data + elf->ehdr.e_shoff;
    Elf64_Shdr wide;
    Elf32_Shdr narrow;

    if (elf->wide) {
        memcpy(&wide, shdrs + from * sizeof(wide), sizeof(wide));
        wide.sh_offset = at - EHDR_AT;
        wide.sh_link = to == SHDR_SYMTAB ? SHDR_STRTAB : wide.sh_link;
        memcpy(blob + SHDRS_AT + to * sizeof(wide), &wide, sizeof(wide));
    } else {
        memcpy(&narrow, shdrs + from * sizeof(narrow), sizeof(narrow));
        narrow.sh_offset = (uint32_t)(at - EHDR_AT);
        narrow.sh_link = to == SHDR_SYMTAB ? SHDR_STRTAB : narrow.sh_link;
        memcpy(blob + SHDRS_AT + to * sizeof(narrow), &narrow, sizeof(narrow));
    }
}

int image_symtab_append(struct image *img, const struct image_elf *elf, uint64_t *high, char err[IMAGE_ERR_SIZE])
{
    unsigned int symtab = image_elf_symtab(elf), strtab;
    Elf64_Shdr symbols, strings;
    uint64_t symbols_at, strings_at, size;
    uint32_t length;

    if (!img->bsd_symtab)
        return 0;
    img->symtab_lost = true;
    if (!symtab)
        return 0;
    symbols = image_elf_shdr(elf, symtab);
    strtab = symbols.sh_link;
    strings = image_elf_shdr(elf, strtab);
    if (strings.sh_type != SHT_STRTAB || !image_inside(symbols.sh_offset, symbols.sh_size, elf->size) ||
        !image_inside(strings.sh_offset, strings.sh_size, elf->size))
        return 0;

    symbols_at = align(elf, DATA_AT);
    strings_at = align(elf, symbols_at + symbols.sh_size);
    size = align(elf, strings_at + strings.sh_size);
    length = (uint32_t)(strings_at + strings.sh_size - EHDR_AT);
    img->owned_symtab = calloc(1, size);
    if (!img->owned_symtab)
        return image_fail(err, "not enough memory for the symbol table");
    memcpy(img->owned_symtab, &length, sizeof(length));
    put_ehdr(elf, img->owned_symtab);
    put_shdr(elf, img->owned_symtab, symtab, SHDR_SYMTAB, symbols_at);
    put_shdr(elf, img->owned_symtab, strtab, SHDR_STRTAB, strings_at);
    memcpy(img->owned_symtab + symbols_at, elf->data + symbols.sh_offset, symbols.sh_size);
    memcpy(img->owned_symtab + strings_at, elf->data + strings.sh_offset, strings.sh_size);

    img->segments[img->nr_segments++] = (struct image_segment){
        .paddr = align(elf, *high),
        .vaddr = align(elf, *high) + img->virt_base,
        .data = img->owned_symtab,
        .filesz = size,
        .memsz = size,
        .flags = PF_R,
    };
    *high = align(elf, *high) + size;
    img->symtab_lost = false;
    return 0;
}
