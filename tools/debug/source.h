// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Which line of its source an instruction of a guest's kernel comes from: DWARF's line tables, read by libdw.
 *
 * Concept: an image may have come with debugging information, in the ELF file that it was made from. It is opened when
 * it is first asked for, and stays open.
 *
 * Invariants: an image without such information, or with what libdw refuses, has no lines, and that is all. Nor has one
 * that would be unpacked to more than a GiB.
 */
#ifndef TOOLS_DEBUG_SOURCE_H
#define TOOLS_DEBUG_SOURCE_H

#include "tools/build/image.h"

#define SOURCE_TEXT   64
#define SOURCE_IMAGES 8 /* of which lines are known at a time */

struct sources {
    unsigned int nr;
    struct {
        const struct image *img;
        void *elf, *dwarf; /* libdw's; NULL: it has none */
    } of[SOURCE_IMAGES];
};

/* "rings.c:123"; false: there is none. The image must live until sources_free(). */
bool source_line(struct sources *s, const struct image *img, uint64_t addr, char text[SOURCE_TEXT]);
/* Harmless on a cleared one. */
void sources_free(struct sources *s);

#endif
