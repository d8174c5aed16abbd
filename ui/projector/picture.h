// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The projector's picture: at most three things, for people in the last row.
 *
 * Concept: one drawing for all that shows it: SVG, a text. It is a file as it is (`shot projector FILE.svg`), and by a
 * library a window and a PNG (ui/projector/raster.h).
 *
 *      +--------------------------------------------------+
 *      | d1v0 rings, kernel           2.703347ms #80477.1 |
 *      | XEN     root    host      /--A--\        /--B--\ |    the ladder (ui/panels/ladder.h), its last trips
 *      | KERNEL  ring 0  CPL 3  ---'      '-------'     '>|
 *      | USER    ring 3  CPL 3                            |
 *      | B: d1v0's kernel executed cli at 0x400000, ...   |    what the last of them was
 *      | pCPU 0  [d0v0][  d1v0  ][d0v0]                   |    who ran, in the same time
 *      +--------------------------------------------------+
 *
 * Invariants: no letter is lower than a thirtieth of the picture. Nothing is told by colour alone: rows, letters and
 * hatching say the same.
 */
#ifndef UI_PROJECTOR_PICTURE_H
#define UI_PROJECTOR_PICTURE_H

#include "ui/panels/scene.h"

#define PICTURE_WIDTH  1920
#define PICTURE_HEIGHT 1080

/* sentence: what is to be read; may be empty. */
void picture_write(const struct scene *s, const char *sentence, const struct palette *palette, FILE *out);

#endif
