// SPDX-License-Identifier: GPL-2.0-or-later
/* Lines of a kernel's source by libdw, see tools/debug/source.h. */
#include "tools/debug/source.h"

#include <elfutils/libdw.h>
#include <endian.h>
#include <gelf.h>
#include <stdio.h>
#include <string.h>

/*
 * What DWARF's sections are unpacked to at most. libdw unpacks them all at once, and a file can ask for a thousand
 * times its size.
 */
#define UNPACKED_MAX (UINT64_C(1) << 30)

static void forget(struct sources *s, unsigned int i)
{
    if (s->of[i].dwarf)
        dwarf_end(s->of[i].dwarf);
    if (s->of[i].elf)
        elf_end(s->of[i].elf);
}

/* What a section says that it is unpacked, in either of the ways of compressing one; 0: it is not compressed. */
static uint64_t unpacked_size(Elf_Scn *scn)
{
    GElf_Chdr head;
    Elf_Data *raw;
    uint64_t size;

    if (gelf_getchdr(scn, &head))
        return head.ch_size;
    raw = elf_rawdata(scn, NULL);
    if (!raw || !raw->d_buf || raw->d_size < 4 + sizeof(size) || memcmp(raw->d_buf, "ZLIB", 4) != 0)
        return 0;
    memcpy(&size, (const char *)raw->d_buf + 4, sizeof(size));
    return be64toh(size);
}

static bool is_modest(Elf *elf)
{
    uint64_t left = UNPACKED_MAX;

    for (Elf_Scn *scn = elf_nextscn(elf, NULL); scn; scn = elf_nextscn(elf, scn)) {
        const uint64_t size = unpacked_size(scn);

        if (size > left)
            return false;
        left -= size;
    }
    return true;
}

/* The one of this image; the oldest makes room. */
static Dwarf *dwarf_of(struct sources *s, const struct image *img)
{
    unsigned int i = 0;

    while (i < s->nr && s->of[i].img != img)
        i++;
    if (i < s->nr)
        return s->of[i].dwarf;
    if (s->nr == SOURCE_IMAGES) {
        forget(s, 0);
        memmove(&s->of[0], &s->of[1], --s->nr * sizeof(s->of[0]));
    }
    i = s->nr++;
    s->of[i].img = img;
    s->of[i].dwarf = NULL;
    elf_version(EV_CURRENT);
    /* It is read only: without ELF_C_RDWR libelf writes nothing there. */
    s->of[i].elf = img->elf ? elf_memory((char *)(uintptr_t)img->elf, img->elf_size) : NULL;
    if (s->of[i].elf && is_modest(s->of[i].elf))
        s->of[i].dwarf = dwarf_begin_elf(s->of[i].elf, DWARF_C_READ, NULL);
    return s->of[i].dwarf;
}

/* The unit that addr is of, by the index; or, since clang makes none, by what each unit says of itself. */
static bool unit_find(Dwarf *dwarf, uint64_t addr, Dwarf_Die *unit)
{
    Dwarf_CU *cu = NULL;

    if (dwarf_addrdie(dwarf, addr, unit))
        return true;
    while (!dwarf_get_units(dwarf, cu, &cu, NULL, NULL, unit, NULL))
        if (dwarf_haspc(unit, addr) > 0)
            return true;
    return false;
}

bool source_line(struct sources *s, const struct image *img, uint64_t addr, char text[SOURCE_TEXT])
{
    Dwarf *dwarf = dwarf_of(s, img);
    const char *path, *name;
    Dwarf_Line *line;
    Dwarf_Die unit;
    int number;

    if (!dwarf || !unit_find(dwarf, addr, &unit) || !(line = dwarf_getsrc_die(&unit, addr)) ||
        dwarf_lineno(line, &number) || !number || !(path = dwarf_linesrc(line, NULL, NULL)))
        return false;
    name = strrchr(path, '/');
    snprintf(text, SOURCE_TEXT, "%.48s:%d", name ? name + 1 : path, number);
    return true;
}

void sources_free(struct sources *s)
{
    for (unsigned int i = 0; i < s->nr; i++)
        forget(s, i);
    s->nr = 0;
}
