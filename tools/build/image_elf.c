// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The ELF file: header, segments, sections, symbols, in both widths.
 *
 * Concept: an ELF file has two tables of contents. Program headers (segments) are for the loader: which bytes go where
 * in memory. Section headers are for the linker and the debugger; a program runs without them. So a mistake in the
 * first is an error, and a section table that is damaged or cut off is as good as none.
 *
 * libelf finds the tables and makes one width of both; with what it lets pass we are strict: entries of another size,
 * program headers that are cut off, bytes that are not in the file. Strings are looked up here: libelf seeks the end of
 * each anew, so that a table of 16 MiB without any takes it most of a minute for 65,000 names.
 *
 * Invariants: every table is checked against the file's size once, when it is opened, and every section or segment when
 * it is used. libelf writes nothing into the file's bytes, and what it allocates is in proportion to them.
 *
 * Simplifies Xen's xen/common/libelf/libelf-tools.c and libelf-loader.c.
 */
#include "tools/build/image_private.h"

#include <stdlib.h>
#include <string.h>

/* ------------------------------------------------------------------------------------------------------- headers -- */

/* What the header says of the file as a whole. */
static int ehdr_check(const struct image_elf *elf, char err[IMAGE_ERR_SIZE])
{
    const Elf64_Ehdr *e = &elf->ehdr;
    const size_t phentsize = gelf_fsize(elf->libelf, ELF_T_PHDR, 1, EV_CURRENT);
    size_t phnum;

    if (e->e_type != ET_EXEC && e->e_type != ET_DYN)
        return image_fail(err, "not a kernel image: the ELF file is no program (e_type %u)", e->e_type);
    if (e->e_machine != EM_X86_64 && e->e_machine != EM_386)
        return image_fail(err, "not a kernel image for x86: e_machine is %u, expected %u (x86-64) or %u (i386)",
                          e->e_machine, EM_X86_64, EM_386);
    if (e->e_phnum == 0)
        return image_fail(err, "not a kernel image: the ELF file has no program headers");
    if (e->e_phentsize != phentsize)
        return image_fail(err, "ELF damaged: program headers of %u bytes, expected %zu", e->e_phentsize, phentsize);
    if (elf_getphdrnum(elf->libelf, &phnum) || phnum != e->e_phnum)
        return image_fail(err, "ELF truncated: %u program headers at offset %#llx, the file has %zu bytes", e->e_phnum,
                          (unsigned long long)e->e_phoff, elf->size);
    return 0;
}

int image_elf_open(struct image_elf *elf, const uint8_t *data, size_t size, char err[IMAGE_ERR_SIZE])
{
    size_t shnum;

    memset(elf, 0, sizeof(*elf));
    elf->data = data;
    elf->size = size;
    elf_version(EV_CURRENT);
    elf->libelf = elf_memory((char *)(uintptr_t)data, size);
    if (!elf->libelf || !gelf_getehdr(elf->libelf, &elf->ehdr))
        return image_fail(err, "ELF damaged or truncated: its first bytes are no header");
    if (elf->ehdr.e_ident[EI_DATA] != ELFDATA2LSB)
        return image_fail(err, "not a kernel image for x86: the ELF file is not little-endian");
    elf->wide = elf->ehdr.e_ident[EI_CLASS] == ELFCLASS64;
    if (ehdr_check(elf, err))
        return -1;
    if (elf->ehdr.e_shentsize != gelf_fsize(elf->libelf, ELF_T_SHDR, 1, EV_CURRENT) ||
        elf_getshdrnum(elf->libelf, &shnum) || shnum != elf->ehdr.e_shnum) {
        elf->sections_lost = elf->ehdr.e_shnum != 0;
        elf->ehdr.e_shnum = 0;
    }
    return 0;
}

void image_elf_close(struct image_elf *elf) { elf_end(elf->libelf); }

Elf64_Phdr image_elf_phdr(const struct image_elf *elf, unsigned int n)
{
    Elf64_Phdr ph = { 0 };

    gelf_getphdr(elf->libelf, (int)n, &ph);
    return ph;
}

Elf64_Shdr image_elf_shdr(const struct image_elf *elf, unsigned int n)
{
    Elf64_Shdr sh = { 0 };

    gelf_getshdr(elf_getscn(elf->libelf, n), &sh);
    return sh;
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
            .linked = ph.p_vaddr,
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
    const unsigned int symtab = image_elf_symtab(elf);
    Elf_Data *table = symtab ? elf_getdata(elf_getscn(elf->libelf, symtab), NULL) : NULL;
    Elf64_Shdr strtab;
    Elf64_Sym sym;

    if (!table || !gelf_getsym(table, 1, &sym)) /* the first is none */
        return 0;
    strtab = image_elf_shdr(elf, image_elf_shdr(elf, symtab).sh_link);
    if (!shdr_has_bytes(elf, &strtab))
        return 0;
    strtab_trim(elf, &strtab);
    img->symbols = calloc(table->d_size / gelf_fsize(elf->libelf, ELF_T_SYM, 1, EV_CURRENT), sizeof(*img->symbols));
    if (!img->symbols)
        return image_fail(err, "not enough memory for the symbol table");
    for (int i = 1; gelf_getsym(table, i, &sym); i++) {
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
