// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The ELF file: header, segments, sections, symbols, in both widths.
 *
 * Concept: an ELF file has two tables of contents. Program headers (segments) are for the loader: which bytes go where
 * in memory. Section headers are for the linker and the debugger; a program runs without them. So a mistake in the
 * first is an error, and a section table that is damaged or cut off is as good as none.
 *
 * Invariants: nothing is read through a cast pointer (the file may put anything at odd addresses); every table is
 * checked against the file's size once, when it is opened, and every section or segment when it is used.
 *
 * Simplifies Xen's xen/common/libelf/libelf-tools.c and libelf-loader.c.
 */
#include "tools/build/image_private.h"

#include <stdlib.h>
#include <string.h>

/* ------------------------------------------------------------------------------------------------------- headers -- */

static Elf64_Ehdr ehdr_widen(const Elf32_Ehdr *e)
{
    Elf64_Ehdr w = {
        .e_type = e->e_type,
        .e_machine = e->e_machine,
        .e_version = e->e_version,
        .e_entry = e->e_entry,
        .e_phoff = e->e_phoff,
        .e_shoff = e->e_shoff,
        .e_flags = e->e_flags,
        .e_ehsize = e->e_ehsize,
        .e_phentsize = e->e_phentsize,
        .e_phnum = e->e_phnum,
        .e_shentsize = e->e_shentsize,
        .e_shnum = e->e_shnum,
        .e_shstrndx = e->e_shstrndx,
    };

    memcpy(w.e_ident, e->e_ident, EI_NIDENT);
    return w;
}

/* What the header says of the file as a whole. */
static int ehdr_check(const struct image_elf *elf, char err[IMAGE_ERR_SIZE])
{
    const Elf64_Ehdr *e = &elf->ehdr;
    size_t phentsize = elf->wide ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr);

    if (e->e_type != ET_EXEC && e->e_type != ET_DYN)
        return image_fail(err, "not a kernel image: the ELF file is no program (e_type %u)", e->e_type);
    if (e->e_machine != EM_X86_64 && e->e_machine != EM_386)
        return image_fail(err, "not a kernel image for x86: e_machine is %u, expected %u (x86-64) or %u (i386)",
                          e->e_machine, EM_X86_64, EM_386);
    if (e->e_phnum == 0)
        return image_fail(err, "not a kernel image: the ELF file has no program headers");
    if (e->e_phentsize != phentsize)
        return image_fail(err, "ELF damaged: program headers of %u bytes, expected %zu", e->e_phentsize, phentsize);
    if (!image_inside(e->e_phoff, (uint64_t)e->e_phnum * phentsize, elf->size))
        return image_fail(err, "ELF truncated: %u program headers at offset %#llx, the file has %zu bytes", e->e_phnum,
                          (unsigned long long)e->e_phoff, elf->size);
    return 0;
}

int image_elf_open(struct image_elf *elf, const uint8_t *data, size_t size, char err[IMAGE_ERR_SIZE])
{
    size_t shentsize;

    memset(elf, 0, sizeof(*elf));
    elf->data = data;
    elf->size = size;
    if (size < EI_NIDENT)
        return image_fail(err, "ELF truncated: %zu bytes", size);
    if (data[EI_CLASS] != ELFCLASS32 && data[EI_CLASS] != ELFCLASS64)
        return image_fail(err, "ELF damaged: class %u is neither 32 nor 64 bits", data[EI_CLASS]);
    if (data[EI_DATA] != ELFDATA2LSB)
        return image_fail(err, "not a kernel image for x86: the ELF file is not little-endian");
    elf->wide = data[EI_CLASS] == ELFCLASS64;
    if (size < (elf->wide ? sizeof(Elf64_Ehdr) : sizeof(Elf32_Ehdr)))
        return image_fail(err, "ELF truncated: %zu bytes do not hold its header", size);
    if (elf->wide) {
        memcpy(&elf->ehdr, data, sizeof(elf->ehdr));
        shentsize = sizeof(Elf64_Shdr);
    } else {
        Elf32_Ehdr narrow;

        memcpy(&narrow, data, sizeof(narrow));
        elf->ehdr = ehdr_widen(&narrow);
        shentsize = sizeof(Elf32_Shdr);
    }
    if (ehdr_check(elf, err))
        return -1;
    if (elf->ehdr.e_shentsize != shentsize ||
        !image_inside(elf->ehdr.e_shoff, (uint64_t)elf->ehdr.e_shnum * shentsize, size)) {
        elf->sections_lost = elf->ehdr.e_shnum != 0;
        elf->ehdr.e_shnum = 0;
    }
    return 0;
}

Elf64_Phdr image_elf_phdr(const struct image_elf *elf, unsigned int n)
{
    const uint8_t *table = elf->data + elf->ehdr.e_phoff;
    Elf64_Phdr wide;
    Elf32_Phdr narrow;

    if (elf->wide) {
        memcpy(&wide, table + n * sizeof(wide), sizeof(wide));
        return wide;
    }
    memcpy(&narrow, table + n * sizeof(narrow), sizeof(narrow));
    return (Elf64_Phdr){
        .p_type = narrow.p_type,
        .p_flags = narrow.p_flags,
        .p_offset = narrow.p_offset,
        .p_vaddr = narrow.p_vaddr,
        .p_paddr = narrow.p_paddr,
        .p_filesz = narrow.p_filesz,
        .p_memsz = narrow.p_memsz,
        .p_align = narrow.p_align,
    };
}

Elf64_Shdr image_elf_shdr(const struct image_elf *elf, unsigned int n)
{
    const uint8_t *table = elf->data + elf->ehdr.e_shoff;
    Elf64_Shdr wide;
    Elf32_Shdr narrow;

    if (elf->wide) {
        memcpy(&wide, table + n * sizeof(wide), sizeof(wide));
        return wide;
    }
    memcpy(&narrow, table + n * sizeof(narrow), sizeof(narrow));
    return (Elf64_Shdr){
        .sh_name = narrow.sh_name,
        .sh_type = narrow.sh_type,
        .sh_flags = narrow.sh_flags,
        .sh_addr = narrow.sh_addr,
        .sh_offset = narrow.sh_offset,
        .sh_size = narrow.sh_size,
        .sh_link = narrow.sh_link,
        .sh_info = narrow.sh_info,
        .sh_addralign = narrow.sh_addralign,
        .sh_entsize = narrow.sh_entsize,
    };
}

/* Does the section have bytes, and all of them in the file? */
static bool shdr_has_bytes(const struct image_elf *elf, const Elf64_Shdr *sh)
{
    return sh->sh_type != SHT_NULL && sh->sh_type != SHT_NOBITS && sh->sh_size > 0 &&
           image_inside(sh->sh_offset, sh->sh_size, elf->size);
}

/* Shorten a string table to end with a zero byte, so that every string that begins inside it also ends inside it. */
static void strtab_trim(const struct image_elf *elf, Elf64_Shdr *strtab)
{
    const char *start = (const char *)elf->data + strtab->sh_offset;
    const char *last = memrchr(start, 0, strtab->sh_size);

    strtab->sh_size = last ? (uint64_t)(last - start) + 1 : 0;
}

bool image_elf_section(const struct image_elf *elf, const char *name, Elf64_Shdr *shdr)
{
    if (elf->ehdr.e_shstrndx >= elf->ehdr.e_shnum)
        return false;

    Elf64_Shdr names = image_elf_shdr(elf, elf->ehdr.e_shstrndx);

    if (!shdr_has_bytes(elf, &names))
        return false;
    for (unsigned int i = 1; i < elf->ehdr.e_shnum; i++) {
        Elf64_Shdr sh = image_elf_shdr(elf, i);
        size_t len = strlen(name) + 1;

        if (!image_inside(sh.sh_name, len, names.sh_size) || !shdr_has_bytes(elf, &sh))
            continue;
        if (!memcmp(elf->data + names.sh_offset + sh.sh_name, name, len)) {
            *shdr = sh;
            return true;
        }
    }
    return false;
}

/* ------------------------------------------------------------------------------------------------------ segments -- */

int image_elf_segments(struct image *img, const struct image_elf *elf, char err[IMAGE_ERR_SIZE])
{
    for (unsigned int i = 0; i < elf->ehdr.e_phnum; i++) {
        Elf64_Phdr ph = image_elf_phdr(elf, i);

        if (ph.p_type != PT_LOAD || !(ph.p_flags & (PF_R | PF_W | PF_X)) || ph.p_memsz == 0)
            continue;
        if (img->nr_segments == IMAGE_SEGMENTS_MAX)
            return image_fail(err, "ELF file has more than %d segments to load", IMAGE_SEGMENTS_MAX);
        if (!image_inside(ph.p_offset, ph.p_filesz, elf->size))
            return image_fail(err, "ELF truncated: segment %u has %#llx bytes at offset %#llx, the file has %#zx", i,
                              (unsigned long long)ph.p_filesz, (unsigned long long)ph.p_offset, elf->size);
        if (ph.p_filesz > ph.p_memsz)
            return image_fail(err, "ELF damaged: segment %u has more bytes in the file than in memory", i);
        if (ph.p_paddr + ph.p_memsz < ph.p_paddr)
            return image_fail(err, "ELF damaged: segment %u runs past the end of the address space", i);
        img->segments[img->nr_segments++] = (struct image_segment){
            .paddr = ph.p_paddr,
            .data = elf->data + ph.p_offset,
            .filesz = ph.p_filesz,
            .memsz = ph.p_memsz,
            .flags = ph.p_flags,
        };
    }
    if (img->nr_segments == 0)
        return image_fail(err, "not a kernel image: the ELF file has nothing to load");
    return 0;
}

/* ------------------------------------------------------------------------------------------------------- symbols -- */

static Elf64_Sym symbol_get(const struct image_elf *elf, const Elf64_Shdr *table, size_t n)
{
    const uint8_t *at = elf->data + table->sh_offset;
    Elf64_Sym wide;
    Elf32_Sym narrow;

    if (elf->wide) {
        memcpy(&wide, at + n * sizeof(wide), sizeof(wide));
        return wide;
    }
    memcpy(&narrow, at + n * sizeof(narrow), sizeof(narrow));
    return (Elf64_Sym){
        .st_name = narrow.st_name,
        .st_info = narrow.st_info,
        .st_shndx = narrow.st_shndx,
        .st_value = narrow.st_value,
        .st_size = narrow.st_size,
    };
}

/* By address; among equals, the one that states a size comes last, where the search finds it. */
static int symbol_order(const void *a, const void *b)
{
    const struct image_symbol *x = a, *y = b;

    if (x->addr != y->addr)
        return x->addr < y->addr ? -1 : 1;
    return (x->size > 0) - (y->size > 0);
}

unsigned int image_elf_symtab(const struct image_elf *elf)
{
    for (unsigned int i = 1; i < elf->ehdr.e_shnum; i++) {
        const Elf64_Shdr sh = image_elf_shdr(elf, i);

        if (sh.sh_type == SHT_SYMTAB)
            return sh.sh_link != SHN_UNDEF && sh.sh_link < elf->ehdr.e_shnum ? i : 0;
    }
    return 0;
}

int image_elf_symbols(struct image *img, const struct image_elf *elf, char err[IMAGE_ERR_SIZE])
{
    size_t entsize = elf->wide ? sizeof(Elf64_Sym) : sizeof(Elf32_Sym);
    const unsigned int symtab = image_elf_symtab(elf);
    Elf64_Shdr table, strtab;

    if (!symtab)
        return 0;
    table = image_elf_shdr(elf, symtab);
    if (!shdr_has_bytes(elf, &table))
        return 0;
    strtab = image_elf_shdr(elf, table.sh_link);
    if (!shdr_has_bytes(elf, &strtab))
        return 0;
    strtab_trim(elf, &strtab);
    img->symbols = calloc(table.sh_size / entsize + 1, sizeof(*img->symbols));
    if (!img->symbols)
        return image_fail(err, "not enough memory for the symbol table");
    for (size_t i = 1; i < table.sh_size / entsize; i++) {
        Elf64_Sym sym = symbol_get(elf, &table, i);
        unsigned int type = ELF64_ST_TYPE(sym.st_info);
        const char *name = (const char *)elf->data + strtab.sh_offset + sym.st_name;

        /* Functions, variables, and labels of assembler code, which have no type. */
        if ((type != STT_FUNC && type != STT_OBJECT && type != STT_NOTYPE) || sym.st_shndx == SHN_UNDEF ||
            sym.st_shndx == SHN_ABS)
            continue;
        if (sym.st_name >= strtab.sh_size || !*name)
            continue;
        img->symbols[img->nr_symbols++] = (struct image_symbol){ sym.st_value, sym.st_size, name, type == STT_OBJECT };
    }
    qsort(img->symbols, img->nr_symbols, sizeof(*img->symbols), symbol_order);
    return 0;
}
