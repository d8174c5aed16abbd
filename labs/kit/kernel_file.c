// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Made-up kernels for tests. See kernel_file.h.
 *
 * Concept: the file is laid out once, with everything at a fixed place (PLACE_*), so that a test can damage a known
 * spot. The structures are written in the 64-bit form and narrowed for i386.
 */
#include "labs/kit/kernel_file.h"

#include "sim/arena.h"
#include "tools/build/build_pv.h"

#include <bzlib.h>
#include <elf.h>
#include <lz4.h>
#include <lzma.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#include <xen/elfnote.h>

// clang-format off
#define PLACE_PHDRS  0x040
#define PLACE_NOTES  0x140
#define PLACE_NAMES  0x600
#define PLACE_GUEST  0x680
#define PLACE_STRTAB 0x8c0
#define PLACE_SYMTAB 0x900
#define PLACE_SHDRS  0x980
#define PLACE_TEXT   0xc00
#define FILE_SIZE    (PLACE_TEXT + KERNEL_TEXT_SIZE)

const struct kernel_spec kernel_linux64 = {
    .paddr = 0x1000000, .entry = 0x1000000, .symbols = true, .symbol_base = 0xffffffff81000000,
    .notes = {
        { XEN_ELFNOTE_GUEST_OS,           "linux",                                      0, 0 },
        { XEN_ELFNOTE_GUEST_VERSION,      "2.6",                                        0, 0 },
        { XEN_ELFNOTE_XEN_VERSION,        "xen-3.0",                                    0, 0 },
        { XEN_ELFNOTE_VIRT_BASE,          NULL, 0xffffffff80000000,                        8 },
        { XEN_ELFNOTE_INIT_P2M,           NULL, 0x8000000000,                              8 },
        { XEN_ELFNOTE_ENTRY,              NULL, 0xffffffff81000010,                        8 },
        { XEN_ELFNOTE_HYPERCALL_PAGE,     NULL, 0xffffffff81001000,                        8 },
        { XEN_ELFNOTE_FEATURES,           "!writable_page_tables|pae_pgdir_above_4gb",  0, 0 },
        { XEN_ELFNOTE_SUPPORTED_FEATURES, NULL, 0x8801,                                    4 },
        { XEN_ELFNOTE_PAE_MODE,           "yes",                                        0, 0 },
        { XEN_ELFNOTE_LOADER,             "generic",                                    0, 0 },
        { XEN_ELFNOTE_SUSPEND_CANCEL,     NULL, 1,                                         4 },
        { XEN_ELFNOTE_MOD_START_PFN,      NULL, 1,                                         8 },
        { XEN_ELFNOTE_HV_START_LOW,       NULL, 0xffff800000000000,                        8 },
        { XEN_ELFNOTE_PADDR_OFFSET,       NULL, 0,                                         8 },
        { XEN_ELFNOTE_PHYS32_ENTRY,       NULL, 0x1000100,                                 4 },
    },
};

const struct kernel_spec kernel_legacy32 = {
    .narrow = true, .paddr = 0xc0100000, .entry = 0xc0100000, .symbols = true, .symbol_base = 0xc0100000,
    .guest_info = "GUEST_OS=linux,GUEST_VER=2.6,XEN_VER=xen-3.0,VIRT_BASE=0xC0000000,ELF_PADDR_OFFSET=0xC0000000,"
                  "VIRT_ENTRY=0xC0100020,HYPERCALL_PAGE=0x101,FEATURES=writable_page_tables|!pae_pgdir_above_4gb,"
                  "PAE=yes[extended-cr3],LOADER=generic,BSD_SYMTAB",
};
// clang-format on

const char *const kernel_methods[] = { "none", "gzip", "bzip2", "lzma", "xz", "lz4", "zstd", NULL };

static void *allocate(size_t size)
{
    void *p = calloc(1, size);

    if (!p)
        abort();
    return p;
}

/* ----------------------------------------------------------------------------------------------------------- ELF -- */

static void put_ehdr(uint8_t *at, const struct kernel_spec *spec)
{
    Elf64_Ehdr w = {
        .e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT },
        .e_type = ET_EXEC,
        .e_machine = EM_X86_64,
        .e_version = EV_CURRENT,
        .e_entry = spec->entry,
        .e_phoff = PLACE_PHDRS,
        .e_shoff = PLACE_SHDRS,
        .e_ehsize = sizeof(w),
        .e_phentsize = sizeof(Elf64_Phdr),
        .e_phnum = 3,
        .e_shentsize = sizeof(Elf64_Shdr),
        .e_shnum = 6,
        .e_shstrndx = 1,
    };
    Elf32_Ehdr n = {
        .e_type = ET_EXEC,
        .e_machine = EM_386,
        .e_version = EV_CURRENT,
        .e_entry = (uint32_t)spec->entry,
        .e_phoff = PLACE_PHDRS,
        .e_shoff = PLACE_SHDRS,
        .e_ehsize = sizeof(n),
        .e_phentsize = sizeof(Elf32_Phdr),
        .e_phnum = 3,
        .e_shentsize = sizeof(Elf32_Shdr),
        .e_shnum = 6,
        .e_shstrndx = 1,
    };

    memcpy(n.e_ident, w.e_ident, EI_NIDENT);
    n.e_ident[EI_CLASS] = ELFCLASS32;
    memcpy(at, spec->narrow ? (void *)&n : &w, spec->narrow ? sizeof(n) : sizeof(w));
}

static void put_phdr(uint8_t *file, bool narrow, unsigned int i, Elf64_Phdr w)
{
    Elf32_Phdr n = {
        .p_type = w.p_type,
        .p_offset = (uint32_t)w.p_offset,
        .p_vaddr = (uint32_t)w.p_vaddr,
        .p_paddr = (uint32_t)w.p_paddr,
        .p_filesz = (uint32_t)w.p_filesz,
        .p_memsz = (uint32_t)w.p_memsz,
        .p_flags = w.p_flags,
    };

    memcpy(file + kernel_phdr_offset(narrow, i), narrow ? (void *)&n : &w, narrow ? sizeof(n) : sizeof(w));
}

static void put_shdr(uint8_t *file, bool narrow, unsigned int i, Elf64_Shdr w)
{
    Elf32_Shdr n = {
        .sh_name = w.sh_name,
        .sh_type = w.sh_type,
        .sh_offset = (uint32_t)w.sh_offset,
        .sh_size = (uint32_t)w.sh_size,
        .sh_link = w.sh_link,
        .sh_info = w.sh_info,
        .sh_entsize = (uint32_t)w.sh_entsize,
    };

    memcpy(file + PLACE_SHDRS + i * (narrow ? sizeof(n) : sizeof(w)), narrow ? (void *)&n : &w,
           narrow ? sizeof(n) : sizeof(w));
}

static void put_symbol(uint8_t *file, const struct kernel_spec *spec, unsigned int i, uint32_t name, uint64_t offset,
                       uint64_t size, unsigned int type)
{
    Elf64_Sym w = { .st_name = name, .st_shndx = 2, .st_value = spec->symbol_base + offset, .st_size = size };
    Elf32_Sym n = { .st_name = name, .st_shndx = 2, .st_value = (uint32_t)w.st_value, .st_size = (uint32_t)size };

    w.st_info = n.st_info = ELF64_ST_INFO(STB_GLOBAL, type);
    memcpy(file + PLACE_SYMTAB + i * (spec->narrow ? sizeof(n) : sizeof(w)), spec->narrow ? (void *)&n : &w,
           spec->narrow ? sizeof(n) : sizeof(w));
}

/* Returns the size of all notes. */
static size_t put_notes(uint8_t *file, const struct kernel_spec *spec)
{
    size_t at = PLACE_NOTES;

    for (const struct kernel_note *n = spec->notes; n->type; n++) {
        Elf64_Nhdr head = { .n_namesz = 4, .n_type = n->type };

        head.n_descsz = n->text ? (uint32_t)strlen(n->text) + 1 : n->size;
        memcpy(file + at, &head, sizeof(head));
        memcpy(file + at + sizeof(head), "Xen", 4);
        memcpy(file + at + sizeof(head) + 4, n->text ? (void *)n->text : &n->number, head.n_descsz);
        at += sizeof(head) + 4 + (head.n_descsz + 3) / 4 * 4;
        if (at > PLACE_NAMES)
            abort();
    }
    return at - PLACE_NOTES;
}

size_t kernel_phdr_offset(bool narrow, unsigned int n)
{
    return PLACE_PHDRS + n * (narrow ? sizeof(Elf32_Phdr) : sizeof(Elf64_Phdr));
}

uint8_t *kernel_elf(const struct kernel_spec *spec, size_t *size)
{
    static const char names[] = "\0.names\0.notes\0__xen_guest\0.symtab\0.strtab"; /* at 0, 1, 8, 15, 27, 35 */
    static const char strings[] = "\0start\0label\0object";                        /* at 1, 7, 13 */
    uint8_t *file = allocate(FILE_SIZE);
    bool narrow = spec->narrow;
    size_t notes = put_notes(file, spec), guest = spec->guest_info ? strlen(spec->guest_info) + 1 : 0;
    size_t symbol = narrow ? sizeof(Elf32_Sym) : sizeof(Elf64_Sym);
    uint64_t vaddr = spec->symbols ? spec->symbol_base : spec->paddr;
    bool in_section = spec->notes_in_section || !notes;

    put_ehdr(file, spec);
    put_phdr(
        file, narrow, 0,
        (Elf64_Phdr){ PT_LOAD, PF_R | PF_X, PLACE_TEXT, vaddr, spec->paddr, KERNEL_TEXT_SIZE, KERNEL_TEXT_SIZE, 1 });
    put_phdr(file, narrow, 1,
             (Elf64_Phdr){ PT_LOAD, PF_R | PF_W, 0, vaddr + 0x1000, spec->paddr + 0x1000, 0, KERNEL_BSS_SIZE, 1 });
    put_phdr(file, narrow, 2, (Elf64_Phdr){ in_section ? PT_NULL : PT_NOTE, PF_R, PLACE_NOTES, 0, 0, notes, notes, 4 });

    memcpy(file + PLACE_NAMES, names, sizeof(names));
    put_shdr(file, narrow, 1, (Elf64_Shdr){ 1, SHT_STRTAB, 0, 0, PLACE_NAMES, sizeof(names), 0, 0, 0, 0 });
    put_shdr(file, narrow, 2, (Elf64_Shdr){ 8, notes ? SHT_NOTE : SHT_NULL, 0, 0, PLACE_NOTES, notes, 0, 0, 0, 0 });
    if (guest) {
        if (guest > PLACE_STRTAB - PLACE_GUEST)
            abort();
        memcpy(file + PLACE_GUEST, spec->guest_info, guest);
        put_shdr(file, narrow, 3, (Elf64_Shdr){ 15, SHT_PROGBITS, 0, 0, PLACE_GUEST, guest, 0, 0, 0, 0 });
    }
    if (spec->symbols) {
        memcpy(file + PLACE_STRTAB, strings, sizeof(strings));
        put_symbol(file, spec, 1, 13, 0x180, 8, STT_OBJECT);
        put_symbol(file, spec, 2, 7, 0x100, 0, STT_NOTYPE);
        put_symbol(file, spec, 3, 1, 0, 16, STT_FUNC);
        put_shdr(file, narrow, 4, (Elf64_Shdr){ 27, SHT_SYMTAB, 0, 0, PLACE_SYMTAB, 4 * symbol, 5, 1, 0, symbol });
        put_shdr(file, narrow, 5, (Elf64_Shdr){ 35, SHT_STRTAB, 0, 0, PLACE_STRTAB, sizeof(strings), 0, 0, 0, 0 });
    }
    for (size_t i = 0; i < KERNEL_TEXT_SIZE; i++)
        file[PLACE_TEXT + i] = (uint8_t)(i * 7);
    *size = FILE_SIZE;
    return file;
}

/* ------------------------------------------------------------------------------------------------------- packing -- */

static size_t pack_gzip(const uint8_t *in, size_t size, uint8_t *out, size_t room)
{
    z_stream z = { .next_in = (Bytef *)in, .avail_in = (uInt)size, .next_out = out, .avail_out = (uInt)room };

    if (deflateInit2(&z, 9, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY) != Z_OK ||
        deflate(&z, Z_FINISH) != Z_STREAM_END)
        abort();
    deflateEnd(&z);
    return room - z.avail_out;
}

static size_t pack_bzip2(const uint8_t *in, size_t size, uint8_t *out, size_t room)
{
    unsigned int n = (unsigned int)room;

    if (BZ2_bzBuffToBuffCompress((char *)out, &n, (char *)in, (unsigned int)size, 1, 0, 0) != BZ_OK)
        abort();
    return n;
}

static size_t pack_lzma(const uint8_t *in, size_t size, uint8_t *out, size_t room)
{
    lzma_stream lz = LZMA_STREAM_INIT;
    lzma_options_lzma options;

    lzma_lzma_preset(&options, 0);
    options.dict_size = 1 << 16;
    if (lzma_alone_encoder(&lz, &options) != LZMA_OK)
        abort();
    lz.next_in = in;
    lz.avail_in = size;
    lz.next_out = out;
    lz.avail_out = room;
    if (lzma_code(&lz, LZMA_FINISH) != LZMA_STREAM_END)
        abort();
    lzma_end(&lz);
    return room - lz.avail_out;
}

static size_t pack_xz(const uint8_t *in, size_t size, uint8_t *out, size_t room)
{
    size_t n = 0;

    if (lzma_easy_buffer_encode(0, LZMA_CHECK_CRC32, NULL, in, size, out, &n, room) != LZMA_OK)
        abort();
    return n;
}

static size_t pack_lz4(const uint8_t *in, size_t size, uint8_t *out, size_t room)
{
    int n = LZ4_compress_default((const char *)in, (char *)out + 8, (int)size, (int)room - 8);
    uint32_t head[2] = { 0x184c2102, (uint32_t)n };

    if (n <= 0)
        abort();
    memcpy(out, head, sizeof(head));
    return (size_t)n + 8;
}

static size_t pack_zstd(const uint8_t *in, size_t size, uint8_t *out, size_t room)
{
    size_t n = ZSTD_compress(out, room, in, size, 3);

    if (ZSTD_isError(n))
        abort();
    return n;
}

static size_t pack_none(const uint8_t *in, size_t size, uint8_t *out, size_t room)
{
    memcpy(out, in, size);
    return size;
}

uint8_t *kernel_pack(const char *method, const uint8_t *data, size_t size, size_t *packed_size)
{
    static size_t (*const functions[])(const uint8_t *, size_t, uint8_t *, size_t) = {
        pack_none, pack_gzip, pack_bzip2, pack_lzma, pack_xz, pack_lz4, pack_zstd,
    };
    size_t room = size + size / 8 + 4096;
    uint8_t *out = allocate(room + 4);

    for (unsigned int i = 0; kernel_methods[i]; i++) {
        if (strcmp(kernel_methods[i], method))
            continue;
        *packed_size = functions[i](data, size, out, room);
        /* As Linux's build does: gzip has the unpacked size at its end, for the others it is appended. */
        if (i > 1) {
            uint32_t unpacked = (uint32_t)size;

            memcpy(out + *packed_size, &unpacked, 4);
            *packed_size += 4;
        }
        return out;
    }
    abort();
}

uint8_t *kernel_bzimage(const uint8_t *payload, size_t size, size_t *image_size)
{
    size_t setup = 2 * 512, skip = 64;
    uint8_t *file = allocate(setup + skip + size);
    uint32_t where[2] = { (uint32_t)skip, (uint32_t)size };

    file[0x1f1] = 1; /* setup_sects, not counting the first */
    memcpy(file + 0x1fe, "\x55\xaa", 2);
    memcpy(file + 0x202, "HdrS\x0c\x02", 6);
    memcpy(file + 0x248, where, sizeof(where));
    memcpy(file + setup + skip, payload, size);
    *image_size = setup + skip + size;
    return file;
}

int kernel_build(struct xc_handle *xc, const struct kernel_spec *spec, struct pv_build *b, char *err)
{
    struct image img;
    size_t size;
    uint8_t *elf = kernel_elf(spec, &size);
    struct arena *arena = arena_create();
    struct builder *w = NULL;
    int rc = image_parse(&img, elf, size, IMAGE_PV, err);

    b->image = &img;
    if (!rc) {
        w = build_pv_begin(xc, arena, b, err);
        rc = w ? 1 : -1;
    }
    while (rc > 0)
        rc = build_pv_step(w);
    build_pv_end(w);
    arena_destroy(arena);
    image_free(&img);
    free(elf);
    b->image = NULL;
    return rc;
}
