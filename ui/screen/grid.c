// SPDX-License-Identifier: GPL-2.0-or-later
/* Grids of cells, see ui/screen/grid.h. */
#include "ui/screen/grid.h"

#include "sim/types.h"
#include "tools/cp437.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

bool grid_resize(struct grid *g, unsigned int rows, unsigned int cols)
{
    grid_free(g);
    rows = rows < GRID_MAX_ROWS ? rows : GRID_MAX_ROWS;
    cols = cols < GRID_MAX_COLS ? cols : GRID_MAX_COLS;
    g->cell = calloc((size_t)rows * cols + 1, sizeof(*g->cell));
    if (!g->cell)
        return false;
    g->rows = rows;
    g->cols = cols;
    for (size_t i = 0; i < (size_t)rows * cols; i++)
        g->cell[i] = (struct cell){ .ch = ' ', .style = STYLE_text };
    return true;
}

void grid_free(struct grid *g)
{
    free(g->cell);
    *g = (struct grid){ 0 };
}

bool grid_equal(const struct grid *a, const struct grid *b)
{
    if (a->rows != b->rows || a->cols != b->cols)
        return false;
    for (size_t i = 0; i < (size_t)a->rows * a->cols; i++)
        if (a->cell[i].ch != b->cell[i].ch || !cell_looks_like(&a->cell[i], &b->cell[i]))
            return false;
    return true;
}

bool cell_looks_like(const struct cell *a, const struct cell *b)
{
    if (a->painted != b->painted)
        return false;
    return a->painted ? a->fg == b->fg && a->bg == b->bg : a->style == b->style;
}

/* Without colours what is bright is bold, and what is dark on bright reversed. */
struct look cell_look(const struct cell *c, const struct palette *palette)
{
    struct look l = { .term_fg = c->fg, .term_bg = c->bg };

    if (!c->painted)
        return palette->look[c->style];
    l.fg = term_colour_rgb(c->fg);
    l.bg = term_colour_rgb(c->bg);
    if (palette->colours)
        return l;
    l = palette->look[STYLE_text];
    l.reverse = rgb_brightness(term_colour_rgb(c->bg)) > rgb_brightness(term_colour_rgb(c->fg));
    l.bold = !l.reverse && rgb_brightness(term_colour_rgb(c->fg)) > 200;
    return l;
}

struct area grid_all(struct grid *g) { return (struct area){ g, 0, 0, g->rows, g->cols }; }

struct area area_part(const struct area *a, unsigned int row, unsigned int col, unsigned int rows, unsigned int cols)
{
    struct area part = { a->g, a->row + row, a->col + col, rows, cols };

    if (row >= a->rows || col >= a->cols)
        part.rows = part.cols = 0;
    if (part.rows > a->rows - row)
        part.rows = a->rows - row;
    if (part.cols > a->cols - col)
        part.cols = a->cols - col;
    return part;
}

static struct cell *cell_at(struct area *a, unsigned int row, unsigned int col)
{
    return row < a->rows && col < a->cols ? &a->g->cell[(size_t)(a->row + row) * a->g->cols + a->col + col] : NULL;
}

/* --- characters --- */

/* Characters that are one column wide, and that we draw with. The others are those of guests. */
static const struct {
    uint32_t ch;
    char ascii;
} glyphs[] = {
    { 0x2500, '-' }, { 0x2502, '|' }, { 0x250c, '+' }, { 0x2510, '+' }, { 0x2514, '+' }, { 0x2518, '+' },
    { 0x251c, '+' }, { 0x2524, '+' }, { 0x252c, '+' }, { 0x2534, '+' }, { 0x253c, '+' }, { 0x2504, '.' },
    { 0x2506, ':' }, { 0x25b6, '>' }, { 0x25c0, '<' }, { 0x25b2, '^' }, { 0x25bc, 'v' }, { 0x2588, '#' },
    { 0x2593, '#' }, { 0x2592, '=' }, { 0x2591, '-' }, { 0x2581, '_' }, { 0x2582, '_' }, { 0x2583, '.' },
    { 0x2584, 'o' }, { 0x2585, 'o' }, { 0x2586, 'O' }, { 0x2587, 'O' }, { 0x00b7, '.' }, { 0x2022, '*' },
    { 0x2192, '>' }, { 0x2190, '<' }, { 0x2191, '^' }, { 0x2193, 'v' }, { 0x2026, '~' },
};

char glyph_ascii(uint32_t ch)
{
    if (ch < 0x80)
        return (char)ch;
    for (size_t i = 0; i < ARRAY_SIZE(glyphs); i++)
        if (glyphs[i].ch == ch)
            return glyphs[i].ascii;
    return cp437_ascii(ch) ?: '?';
}

void grid_make_ascii(struct grid *g)
{
    for (size_t i = 0; i < (size_t)g->rows * g->cols; i++)
        g->cell[i].ch = (unsigned char)glyph_ascii(g->cell[i].ch);
}

/* One column wide: ASCII, our own, and the letters of Latin, Greek and Cyrillic. */
static bool is_simple(uint32_t ch)
{
    if ((ch >= 0x20 && ch < 0x7f) || (ch >= 0xa1 && ch < 0x300 && ch != 0xad) || (ch >= 0x370 && ch < 0x483))
        return true;
    for (size_t i = 0; i < ARRAY_SIZE(glyphs); i++)
        if (glyphs[i].ch == ch)
            return true;
    return cp437_ascii(ch);
}

/*
 * The first character of a text, which is not empty; what is none is '?'. By RFC 3629 a lead byte says how many
 * bytes continue it; what is too long, or a surrogate, is none of our characters.
 */
uint32_t text_next(const char **text)
{
    const unsigned char *p = (const unsigned char *)*text;
    const unsigned int more = p[0] < 0xc2 ? 0 : p[0] < 0xe0 ? 1 : p[0] < 0xf0 ? 2 : p[0] < 0xf5 ? 3 : 0;
    uint32_t ch = more ? p[0] & (0x3fu >> more) : p[0];

    for (unsigned int i = 1; i <= more; i++) {
        if ((p[i] & 0xc0) != 0x80) {
            *text += 1;
            return '?';
        }
        ch = ch << 6 | (p[i] & 0x3f);
    }
    *text += 1 + more;
    return is_simple(ch) && (more == 0) == (ch < 0x80) ? ch : '?';
}

unsigned int text_width(const char *text)
{
    unsigned int n = 0;

    for (; *text; n++)
        text_next(&text);
    return n;
}

size_t text_row_end(const char *text, unsigned int cols)
{
    const size_t n = strlen(text);
    size_t end = cols;

    if (n <= cols)
        return n;
    while (end && text[end] != ' ')
        end--;
    return end ? end : cols;
}

/* --- drawing --- */

void area_put(struct area *a, unsigned int row, unsigned int col, enum style style, uint32_t ch)
{
    struct cell *c = cell_at(a, row, col);

    if (c)
        *c = (struct cell){ .ch = is_simple(ch) ? ch : '?', .style = style };
}

void area_paint(struct area *a, unsigned int row, unsigned int col, uint8_t fg, uint8_t bg, uint32_t ch)
{
    struct cell *c = cell_at(a, row, col);

    if (c)
        *c = (struct cell){ is_simple(ch) ? ch : '?', STYLE_text, true, fg, bg };
}

void area_fill(struct area *a, unsigned int row, unsigned int col, unsigned int n, enum style style, uint32_t ch)
{
    for (unsigned int i = 0; i < n && col + i < a->cols; i++)
        area_put(a, row, col + i, style, ch);
}

unsigned int area_text(struct area *a, unsigned int row, unsigned int col, enum style style, const char *text)
{
    while (*text)
        area_put(a, row, col++, style, text_next(&text));
    return col;
}

unsigned int area_print(struct area *a, unsigned int row, unsigned int col, enum style style, const char *fmt, ...)
{
    char text[GRID_MAX_COLS + 1];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    return area_text(a, row, col, style, text);
}

void area_restyle(struct area *a, unsigned int row, unsigned int col, unsigned int n, enum style style)
{
    for (unsigned int i = 0; i < n && col + i < a->cols; i++) {
        struct cell *c = cell_at(a, row, col + i);

        if (c)
            *c = (struct cell){ .ch = c->ch, .style = style };
    }
}

/* --- what becomes of it --- */

static void put_utf8(uint32_t ch, FILE *out)
{
    if (ch < 0x80) {
        putc((int)ch, out);
    } else if (ch < 0x800) {
        putc((int)(0xc0 | ch >> 6), out);
        putc((int)(0x80 | (ch & 0x3f)), out);
    } else {
        putc((int)(0xe0 | ch >> 12), out);
        putc((int)(0x80 | (ch >> 6 & 0x3f)), out);
        putc((int)(0x80 | (ch & 0x3f)), out);
    }
}

void grid_write_text(const struct grid *g, bool ascii, FILE *out)
{
    for (unsigned int row = 0; row < g->rows; row++) {
        const struct cell *c = &g->cell[(size_t)row * g->cols];
        unsigned int n = g->cols;

        while (n && c[n - 1].ch == ' ')
            n--;
        for (unsigned int i = 0; i < n; i++)
            put_utf8(ascii ? (unsigned char)glyph_ascii(c[i].ch) : c[i].ch, out);
        putc('\n', out);
    }
}

#define SVG_COL 8 /* pixels of a cell */
#define SVG_ROW 17
#define SVG_BASE                                                                                                       \
    13 /* from its top to the line that letters stand on; a letter of DejaVu Sans Mono is 0.6021 as wide as high */

static void svg_char(uint32_t ch, FILE *out)
{
    if (ch == '<')
        fputs("&lt;", out);
    else if (ch == '>')
        fputs("&gt;", out);
    else if (ch == '&')
        fputs("&amp;", out);
    else
        put_utf8(ch, out);
}

static void svg_rect(unsigned int row, unsigned int col, unsigned int end, double height, uint32_t rgb, FILE *out)
{
    fprintf(out, "<rect x=\"%u\" y=\"%u\" width=\"%u\" height=\"%g\" fill=\"#%06x\"/>\n", col * SVG_COL, row * SVG_ROW,
            (end - col) * SVG_COL, height, rgb);
}

#define UPPER_HALF 0x2580 /* what pictures are made of: a rectangle, for fonts differ in it */

/* Do they belong to one run? */
static bool svg_same(const struct cell *a, const struct cell *b)
{
    return cell_looks_like(a, b) && (a->ch == UPPER_HALF) == (b->ch == UPPER_HALF);
}

/* Cells of one look, from col on, up to `end`. */
static void svg_run(const struct cell *c, unsigned int row, unsigned int col, unsigned int end,
                    const struct palette *palette, FILE *out)
{
    const struct look l = cell_look(&c[col], palette), *look = &l;
    const uint32_t fg = look->reverse ? look->bg : look->fg, bg = look->reverse ? look->fg : look->bg;

    if (bg != palette->look[STYLE_text].bg)
        svg_rect(row, col, end, SVG_ROW, bg, out);
    if (c[col].ch == UPPER_HALF) {
        svg_rect(row, col, end, SVG_ROW / 2.0, fg, out);
        return;
    }
    while (end > col && c[end - 1].ch == ' ')
        end--;
    while (col < end && c[col].ch == ' ')
        col++;
    if (col == end)
        return;
    fprintf(out, "<text xml:space=\"preserve\" x=\"%u\" y=\"%u\" textLength=\"%u\" fill=\"#%06x\"%s%s>", col * SVG_COL,
            row * SVG_ROW + SVG_BASE, (end - col) * SVG_COL, fg, look->bold ? " font-weight=\"bold\"" : "",
            look->underline ? " text-decoration=\"underline\"" : "");
    for (; col < end; col++)
        svg_char(c[col].ch, out);
    fputs("</text>\n", out);
}

void grid_write_svg(const struct grid *g, const struct palette *palette, const char *title, FILE *out)
{
    const unsigned int width = g->cols * SVG_COL, height = g->rows * SVG_ROW + 4;

    fprintf(out,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %u %u\" width=\"%u\" height=\"%u\" role=\"img\">\n"
            "<title>",
            width, height, width, height);
    while (*title)
        svg_char(text_next(&title), out);
    fprintf(out,
            "</title>\n<rect width=\"%u\" height=\"%u\" fill=\"#%06x\"/>\n"
            "<g font-family=\"DejaVu Sans Mono, Menlo, Consolas, monospace\" font-size=\"13.287\">\n",
            width, height, palette->look[STYLE_text].bg);
    for (unsigned int row = 0; row < g->rows; row++) {
        const struct cell *c = &g->cell[(size_t)row * g->cols];

        for (unsigned int col = 0, end; col < g->cols; col = end) {
            for (end = col; end < g->cols && svg_same(&c[end], &c[col]);)
                end++;
            svg_run(c, row, col, end, palette, out);
        }
    }
    fputs("</g>\n</svg>\n", out);
}
