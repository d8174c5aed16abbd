// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A grid of cells: what is on a screen, as a value.
 *
 * Concept: whoever shows something draws into a grid; what then becomes of it is another's affair: a terminal
 * (ui/screen/term.c), a file, a test that compares. A cell is a character and a style, which says what the character
 * means, and not what it looks like: colours are the terminal's (ui/screen/style.h).
 *
 *      grid ── rows x cols of cells
 *       └── area ── a rectangle of it, with its own (0, 0): drawing beyond its edges is cut off
 *
 * Invariants: a cell holds one printable character that is one column wide. What is none (control characters, bytes
 * that are no UTF-8, wide and combining characters) is a '?' in it: nothing that a guest writes can move the cursor.
 */
#ifndef UI_SCREEN_GRID_H
#define UI_SCREEN_GRID_H

#include "ui/screen/style.h"

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define GRID_MAX_ROWS 400
#define GRID_MAX_COLS 1000

struct cell {
    uint32_t ch;   /* Unicode */
    uint8_t style; /* enum style */
    bool painted;  /* in colours of a guest's screen instead: of a terminal's 256 */
    uint8_t fg, bg;
};

struct grid {
    unsigned int rows, cols;
    struct cell *cell; /* row by row */
};

/* A rectangle of a grid. */
struct area {
    struct grid *g;
    unsigned int row, col; /* in the grid, of its upper left corner */
    unsigned int rows, cols;
};

/* All blank; what was there is given up. False: no memory, and the grid is empty. Sizes are cut to the maximum. */
bool grid_resize(struct grid *g, unsigned int rows, unsigned int cols);
void grid_free(struct grid *g);
bool grid_equal(const struct grid *a, const struct grid *b);

struct area grid_all(struct grid *g);
/* A part of an area, cut to it. */
struct area area_part(const struct area *a, unsigned int row, unsigned int col, unsigned int rows, unsigned int cols);
void area_put(struct area *a, unsigned int row, unsigned int col, enum style style, uint32_t ch);
/* In colours that are not ours: from term_colour_nearest(). */
void area_paint(struct area *a, unsigned int row, unsigned int col, uint8_t fg, uint8_t bg, uint32_t ch);
/* So many of them, to the right. */
void area_fill(struct area *a, unsigned int row, unsigned int col, unsigned int n, enum style style, uint32_t ch);
/* Text, in UTF-8; the column behind it, which may lie beyond the area. */
unsigned int area_text(struct area *a, unsigned int row, unsigned int col, enum style style, const char *text);
unsigned int area_print(struct area *a, unsigned int row, unsigned int col, enum style style, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));
/* Another style for what stands there. */
void area_restyle(struct area *a, unsigned int row, unsigned int col, unsigned int n, enum style style);

/* The first character of a text, which is not empty, as it will be in a cell; the text is behind it then. */
uint32_t text_next(const char **text);
/* Columns that a text takes. */
unsigned int text_width(const char *text);
/* Bytes of a text, in ASCII, that go into a row of so many columns: up to the end of a word, if there is one. */
size_t text_row_end(const char *text, unsigned int cols);

/* --- what becomes of it --- */

/* Do they look the same, but for their characters? */
bool cell_looks_like(const struct cell *a, const struct cell *b);
/* The look of a cell. */
struct look cell_look(const struct cell *c, const struct palette *palette);
/* A character that a terminal without Unicode has. */
char glyph_ascii(uint32_t ch);
/* Nothing but such characters from now on. */
void grid_make_ascii(struct grid *g);
/* The grid as lines of text, without the blanks at their ends, in UTF-8 or, if ascii, without what is not ASCII. */
void grid_write_text(const struct grid *g, bool ascii, FILE *out);
/* A picture of it: SVG. */
void grid_write_svg(const struct grid *g, const struct palette *palette, const char *title, FILE *out);

#endif
