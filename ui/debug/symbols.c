// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The command `symbols FILE`: what a kernel calls its addresses, as an ELF file for gdb (`symbol-file FILE`).
 *
 *      ELF header | 4 sections: none, .text, .symtab, .strtab | symbols | strings
 *
 * There is no code in it: .text is a section without bytes, from the first symbol to the end of the kernel. The names
 * are those of the kernel's file, or if that has none, as of distributions' Linux, those that Linux has of itself
 * (tools/build/kallsyms.h).
 */
#include "ui/debug/debug.h"

#include "tools/build/image.h"
#include "tools/build/kallsyms.h"

#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct table {
    const struct image *img;
    Elf64_Sym *sym;
    size_t nr, cap;
    char *names;
    size_t len, names_cap;
    bool lost; /* no memory */
};

enum { SECTION_NONE, SECTION_TEXT, SECTION_SYMTAB, SECTION_STRTAB, SECTION_NR };

/* The first string is empty; section names are behind it. */
static const char first_names[] = "\0.text\0.symtab\0.strtab";
#define NAME_TEXT   1
#define NAME_SYMTAB 7
#define NAME_STRTAB 15

static bool grow(void **at, size_t *cap, size_t nr, size_t size)
{
    void *more = nr < *cap ? *at : reallocarray(*at, 2 * nr + 1024, size);

    if (!more)
        return false;
    *cap = nr < *cap ? *cap : 2 * nr + 1024;
    *at = more;
    return true;
}

static void add(void *data, uint64_t addr, char kind, const char *name)
{
    struct table *t = data;
    const size_t n = strlen(name) + 1;
    const bool code = strchr("tTwW", kind), local = strchr("tdbr", kind);

    if (addr < t->img->virt_base || addr >= t->img->virt_kend) /* of a processor's own data, say */
        return;
    if (!grow((void **)&t->sym, &t->cap, t->nr, sizeof(*t->sym)) ||
        !grow((void **)&t->names, &t->names_cap, t->len + n, 1)) {
        t->lost = true;
        return;
    }
    memcpy(t->names + t->len, name, n);
    t->sym[t->nr++] =
        (Elf64_Sym){ .st_name = (Elf64_Word)t->len,
                     .st_info = ELF64_ST_INFO(local ? STB_LOCAL : STB_GLOBAL, code ? STT_FUNC : STT_OBJECT),
                     .st_shndx = SECTION_TEXT,
                     .st_value = addr };
    t->len += n;
}

static int by_place(const void *a, const void *b)
{
    const Elf64_Sym *x = a, *y = b;

    return (x->st_value > y->st_value) - (x->st_value < y->st_value);
}

/* Local ones come first in a file. */
static int by_binding(const void *a, const void *b)
{
    const Elf64_Sym *x = a, *y = b;
    const int gx = ELF64_ST_BIND(x->st_info) != STB_LOCAL, gy = ELF64_ST_BIND(y->st_info) != STB_LOCAL;

    return gx != gy ? gx - gy : by_place(a, b);
}

/* Each goes up to the next one. */
static void sizes_set(struct table *t)
{
    qsort(t->sym, t->nr, sizeof(*t->sym), by_place);
    for (size_t i = 0; i < t->nr; i++) {
        size_t next = i + 1;

        while (next < t->nr && t->sym[next].st_value == t->sym[i].st_value)
            next++;
        t->sym[i].st_size = next < t->nr ? t->sym[next].st_value - t->sym[i].st_value : 1;
    }
}

static bool elf_write(struct table *t, FILE *out)
{
    const Elf64_Sym none = { 0 };
    const size_t symbols_at = sizeof(Elf64_Ehdr) + SECTION_NR * sizeof(Elf64_Shdr);
    const uint64_t begin = t->nr ? t->sym[0].st_value : 0;
    size_t nr_local = 1;
    Elf64_Ehdr e = { .e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB, EV_CURRENT },
                     .e_type = ET_EXEC,
                     .e_machine = EM_X86_64,
                     .e_version = EV_CURRENT,
                     .e_shoff = sizeof(Elf64_Ehdr),
                     .e_ehsize = sizeof(Elf64_Ehdr),
                     .e_shentsize = sizeof(Elf64_Shdr),
                     .e_shnum = SECTION_NR,
                     .e_shstrndx = SECTION_STRTAB };
    Elf64_Shdr sh[SECTION_NR] = { { 0 } };

    qsort(t->sym, t->nr, sizeof(*t->sym), by_binding);
    while (nr_local - 1 < t->nr && ELF64_ST_BIND(t->sym[nr_local - 1].st_info) == STB_LOCAL)
        nr_local++;
    sh[SECTION_TEXT] = (Elf64_Shdr){ .sh_name = NAME_TEXT,
                                     .sh_type = SHT_NOBITS,
                                     .sh_flags = SHF_ALLOC | SHF_EXECINSTR,
                                     .sh_addr = begin,
                                     .sh_offset = symbols_at,
                                     .sh_size = t->img->virt_kend - begin,
                                     .sh_addralign = 1 };
    sh[SECTION_SYMTAB] = (Elf64_Shdr){ .sh_name = NAME_SYMTAB,
                                       .sh_type = SHT_SYMTAB,
                                       .sh_offset = symbols_at,
                                       .sh_size = (t->nr + 1) * sizeof(Elf64_Sym),
                                       .sh_link = SECTION_STRTAB,
                                       .sh_info = (Elf64_Word)nr_local,
                                       .sh_addralign = 8,
                                       .sh_entsize = sizeof(Elf64_Sym) };
    sh[SECTION_STRTAB] = (Elf64_Shdr){ .sh_name = NAME_STRTAB,
                                       .sh_type = SHT_STRTAB,
                                       .sh_offset = symbols_at + sh[SECTION_SYMTAB].sh_size,
                                       .sh_size = t->len,
                                       .sh_addralign = 1 };
    return fwrite(&e, sizeof(e), 1, out) == 1 && fwrite(sh, sizeof(sh), 1, out) == 1 &&
           fwrite(&none, sizeof(none), 1, out) == 1 && fwrite(t->sym, sizeof(*t->sym), t->nr, out) == t->nr &&
           fwrite(t->names, 1, t->len, out) == t->len;
}

/* False: no memory. No symbols: t->nr is 0. */
static bool table_fill(struct table *t)
{
    if (!grow((void **)&t->names, &t->names_cap, sizeof(first_names), 1))
        return false;
    memcpy(t->names, first_names, sizeof(first_names));
    t->len = sizeof(first_names);
    if (!t->img->nr_symbols || t->img->owned_names) /* Linux' own say more: what is a variable, and what is local */
        kallsyms_each(t->img, add, t);
    else
        for (size_t i = 0; i < t->img->nr_symbols; i++)
            add(t, t->img->symbols[i].addr, 'T', t->img->symbols[i].name);
    sizes_set(t);
    return !t->lost;
}

void debug_symbols(struct debug *g, const char *args, unsigned long count)
{
    struct table t = { .img = host_guest_image(g->host, g->dbg.dom) };
    char path[DEBUG_PATH];
    FILE *out = NULL;

    if (!debug_path(g, args, false, path))
        return;
    if (!*path)
        debug_fail(g, "arguments", "symbols FILE: to which file?");
    else if (!t.img)
        debug_fail(g, "symbols", "d%u has no kernel of which anything is known", g->dbg.dom);
    else if (!table_fill(&t))
        debug_fail(g, "memory", "out of memory");
    else if (!t.nr)
        debug_fail(g, "symbols", "the kernel of d%u has no symbols, nor does it know its own, as Linux does",
                   g->dbg.dom);
    else if (!(out = fopen(path, "we")))
        debug_fail(g, "file", "%s: %s", path, strerror(errno));
    else if (!elf_write(&t, out) || fflush(out))
        debug_fail(g, "file", "%s: %s", path, strerror(errno));
    else
        say_line(&g->say, "symbols", "%s has %zu symbols of d%u: in gdb, symbol-file %s", path, t.nr, g->dbg.dom, path);
    if (out)
        fclose(out);
    free(t.sym);
    free(t.names);
}
