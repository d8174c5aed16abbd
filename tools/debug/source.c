// SPDX-License-Identifier: GPL-2.0-or-later
/* Lines of a kernel's source by libdw, see tools/debug/source.h. */
#include "tools/debug/source.h"

#include <elfutils/libdw.h>
#include <libelf.h>
#include <stdio.h>
#include <string.h>

static void forget(struct sources *s, unsigned int i)
{
    if (s->of[i].dwarf)
        dwarf_end(s->of[i].dwarf);
    if (s->of[i].elf)
        elf_end(s->of[i].elf);
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
    if (s->of[i].elf)
        s->of[i].dwarf = dwarf_begin_elf(s->of[i].elf, DWARF_C_READ, NULL);
    return s->of[i].dwarf;
}

bool source_line(struct sources *s, const struct image *img, uint64_t addr, char text[SOURCE_TEXT])
{
    Dwarf *dwarf = dwarf_of(s, img);
    const char *path, *name;
    Dwarf_Line *line;
    Dwarf_Die unit;
    int number;

    if (!dwarf || !dwarf_addrdie(dwarf, addr, &unit) || !(line = dwarf_getsrc_die(&unit, addr)) ||
        dwarf_lineno(line, &number) || !(path = dwarf_linesrc(line, NULL, NULL)))
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
