// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What is on the screen: a picture, and if it is text, characters.
 *
 * Concept: the CRTC counts through the memory, a character's width at a time; at each count the four planes have a byte
 * each, and these become pixels:
 *
 *      text         plane 0: character, 1: attribute; plane 2, at character * 32 + line: its dots
 *      16 colours   a pixel's bit in each plane
 *      4 colours    two bits of planes 0 and 2, then of 1 and 3: the old card's modes
 *      256 colours  each plane's byte a pixel
 *
 *      16 colours --> attributes: palette --.
 *      256 colours -------------------------+--> DAC --> red, green, blue
 *
 *      count    15 14 13 ...  0      as it is, or for words shifted by one, for double words by two; bits 13 and 14 may
 *      address  15 14 13 ...  0      be the line within the row instead
 *
 * With Bochs's extension on, rows of pixels lie one after the other. Lines that the screen shows twice are in the
 * picture once. Nothing blinks: what does is shown.
 *
 * Invariant: looking changes nothing, and whatever the registers say, nothing is read but the memory: what is beyond
 * its end is black.
 *
 * Source: IBM Personal System/2 Video Subsystem Technical Reference, CRT and attribute controllers.
 */
#include "rings/dm/vga.h"

#include <string.h>

#define SCREEN_ON 0x20 /* of the attributes' index */

#define ATTR_LINES   0x04 /* of attribute register 0x10: 0xc0 to 0xdf are drawn to the ninth dot, */
#define ATTR_BLINK   0x08 /* bit 7 blinks, and is no colour */
#define ATTR_PAN     0x20 /* below the split nothing is shifted, */
#define ATTR_PALETTE 0x80 /* bits 4 and 5 come from register 0x14 */

enum kind { OFF, TEXT, PLANES, PAIRS, BYTES, EXTENDED };

struct geometry {
    enum kind kind;
    unsigned int width, height;
    unsigned int columns, cell; /* counts across, pixels of each */
    unsigned int row;           /* lines of one */
    unsigned int repeat;        /* how often the screen shows a line */
};

static struct geometry geometry_of(const struct vga *v)
{
    const unsigned int lines = vga_vertical(v, 0x12, 1, 6) + 1, twice = v->crtc[9] >> 7;
    struct geometry g = {
        .columns = v->crtc[1] + 1U, .cell = 8, .row = (v->crtc[9] & 0x1f) + 1U, .repeat = 1U << twice
    };

    if (vga_vbe_on(v))
        return (
            struct geometry){ .kind = v->vbe[VBE_Y] ? EXTENDED : OFF, .width = v->vbe[VBE_X], .height = v->vbe[VBE_Y] };
    if (!(v->attr_index & SCREEN_ON) || (v->seq[1] & 0x20) || lines < 8)
        return g;
    if (!(v->gfx[6] & 1)) {
        g.kind = TEXT;
        g.cell = v->seq[1] & 1 ? 8 : 9;
    } else {
        g.kind = v->gfx[5] & 0x40 ? BYTES : v->gfx[5] & 0x20 ? PAIRS : PLANES;
        if (g.kind == BYTES)
            g.cell = 4;
        if ((v->crtc[0x17] & 3) == 3) { /* a row's lines are all the same */
            g.repeat *= g.row;
            g.row = 1;
        }
    }
    g.width = g.columns * g.cell;
    g.height = lines / g.repeat;
    if (!g.height)
        g.kind = OFF;
    return g;
}

/* --- colours --- */

static void dac_rgb(const struct vga *v, unsigned int index, uint8_t *rgb)
{
    const uint8_t *c = &v->dac[3 * (index & v->dac_mask)];
    const bool wide = v->vbe[VBE_ENABLE] & VBE_8BIT_DAC;

    for (unsigned int i = 0; i < 3; i++)
        rgb[i] = wide ? c[i] : (uint8_t)(c[i] << 2 | c[i] >> 4);
}

/* One of the 16. */
static void attr_rgb(const struct vga *v, unsigned int index, uint8_t *rgb)
{
    const uint8_t more = v->attr[0x14];
    unsigned int c = v->attr[index & v->attr[0x12] & 15];

    if (v->attr[0x10] & ATTR_PALETTE)
        c = (c & 0x0f) | (more & 3U) << 4;
    dac_rgb(v, c | (more & 0x0cU) << 4, rgb);
}

/* --- counts --- */

static unsigned int cursor(const struct vga *v) { return (unsigned int)v->crtc[0x0e] << 8 | v->crtc[0x0f]; }

/* The four bytes of a count, in a line of the row. */
static void count_planes(const struct vga *v, unsigned int count, unsigned int line, uint8_t planes[4])
{
    const uint8_t mode = v->crtc[0x17];
    unsigned int at = count & 0xffff;

    if (v->crtc[0x14] & 0x40)
        at = at << 2 | at >> 14;
    else if (!(mode & 0x40))
        at = at << 1 | (at >> (mode & 0x20 ? 15 : 13) & 1);
    if (!(mode & 1))
        at = (at & ~0x2000U) | (line & 1) << 13;
    if (!(mode & 2))
        at = (at & ~0x4000U) | (line >> 1 & 1) << 14;
    vga_planes(v, at & 0xffff, planes);
}

/* A line of the picture: of which row is it, and where does that begin? */
struct place {
    unsigned int count, line; /* the row's first count; of its lines which */
    unsigned int pan;         /* pixels that are left out first */
};

static struct place place_of(const struct vga *v, const struct geometry *g, unsigned int y)
{
    const unsigned int split = v->crtc[0x18] | (v->crtc[7] & 0x10U) << 4 | (v->crtc[9] & 0x40U) << 3;
    unsigned int scan = y * g->repeat, pan = v->attr[0x13] & 15, line, first = vga_start(v) + (v->crtc[8] >> 5 & 3);
    const bool below = scan > split;

    if (g->cell == 9)
        pan = pan >= 8 ? 0 : pan + 1;
    else
        pan = g->kind == BYTES ? (pan & 7) / 2 : pan & 7;
    if (below) {
        scan -= split + 1;
        first = 0;
        if (v->attr[0x10] & ATTR_PAN)
            pan = 0;
    }
    line = scan / g->repeat + (below ? 0 : v->crtc[8] & 0x1fU);
    return (struct place){ first + line / g->row * vga_pitch(v), line % g->row, pan };
}

/* --- text --- */

static bool cursor_at(const struct vga *v, unsigned int count, unsigned int line)
{
    const unsigned int from = v->crtc[0x0a] & 0x1f, to = v->crtc[0x0b] & 0x1f;

    return !(v->crtc[0x0a] & 0x20) && line >= from && line <= to && (count & 0xffff) == cursor(v);
}

/* The dots of a character's line, the first in bit 8. */
static unsigned int dots_of(const struct vga *v, uint8_t character, uint8_t attribute, unsigned int line)
{
    static const uint16_t fonts[8] = { 0, 0x4000, 0x8000, 0xc000, 0x2000, 0x6000, 0xa000, 0xe000 };
    const uint8_t map = v->seq[3];
    const unsigned int a = (map >> 2 & 3) | (map >> 3 & 4), b = (map & 3) | (map >> 2 & 4);
    const uint16_t font = fonts[attribute & 8 ? a : b];
    uint8_t planes[4];
    unsigned int dots;

    vga_planes(v, font + 32U * character + line, planes);
    dots = planes[2] * 2U;
    if ((v->attr[0x10] & ATTR_LINES) && character >= 0xc0 && character <= 0xdf)
        dots |= planes[2] & 1;
    return dots;
}

static void text_pixels(const struct vga *v, unsigned int count, unsigned int line, uint8_t out[9])
{
    const uint8_t ground_bits = v->attr[0x10] & ATTR_BLINK ? 7 : 15;
    uint8_t planes[4];
    unsigned int dots;

    count_planes(v, count, 0, planes);
    dots = cursor_at(v, count, line) ? 0x1ff : dots_of(v, planes[0], planes[1], line);
    for (unsigned int i = 0; i < 9; i++)
        out[i] = dots >> (8 - i) & 1 ? planes[1] & 15 : planes[1] >> 4 & ground_bits;
}

/* --- pixels of a count --- */

static void planes_pixels(const uint8_t planes[4], bool pairs, uint8_t out[9])
{
    for (unsigned int i = 0; i < 8; i++) {
        const unsigned int bit = 7 - i, pair = 6 - i % 4 * 2, plane = i / 4;

        out[i] = 0;
        if (pairs)
            out[i] = (uint8_t)((planes[plane] >> pair & 3) | (planes[plane + 2] >> pair & 3) << 2);
        for (unsigned int p = 0; !pairs && p < 4; p++)
            out[i] |= (uint8_t)((planes[p] >> bit & 1) << p);
    }
}

static void count_pixels(const struct vga *v, const struct geometry *g, unsigned int count, unsigned int line,
                         uint8_t out[9])
{
    uint8_t planes[4];

    if (g->kind == TEXT) {
        text_pixels(v, count, line, out);
        return;
    }
    count_planes(v, count, line, planes);
    if (g->kind == BYTES)
        memcpy(out, planes, sizeof(planes));
    else
        planes_pixels(planes, g->kind == PAIRS, out);
}

static void row_of_counts(const struct vga *v, const struct geometry *g, unsigned int y, unsigned int width,
                          uint8_t *rgb)
{
    const struct place p = place_of(v, g, y);
    uint8_t pixels[9], colour[16][3];
    unsigned int i = p.pan, count = p.count;

    for (unsigned int c = 0; c < 16; c++)
        attr_rgb(v, c, colour[c]);
    count_pixels(v, g, count, p.line, pixels);
    for (unsigned int x = 0; x < width; x++, rgb += 3) {
        if (i >= g->cell) {
            count_pixels(v, g, ++count, p.line, pixels);
            i = 0;
        }
        if (g->kind == BYTES)
            dac_rgb(v, pixels[i++], rgb);
        else
            memcpy(rgb, colour[pixels[i++]], 3);
    }
}

/* --- Bochs's extension --- */

static uint8_t byte_at(const struct vga *v, uint64_t at)
{
    const uint8_t *page = at < v->size ? v->memory->page(v->owner, (uint32_t)PFN_DOWN(at)) : NULL;

    return page ? page[PAGE_OFFSET(at)] : 0;
}

static uint8_t scaled(uint32_t val, unsigned int bits)
{
    return (uint8_t)((val & ((1U << bits) - 1)) * 255 / ((1U << bits) - 1));
}

static void extended_pixel(const struct vga *v, uint64_t line, unsigned int x, uint8_t *rgb)
{
    const unsigned int bpp = v->vbe[VBE_BPP], bytes = (bpp + 7) / 8;
    uint32_t val = 0;
    uint8_t planes[4], index = 0;

    if (bpp == 4) {
        vga_planes(v, (uint32_t)(line / 4) + x / 8, planes);
        for (unsigned int p = 0; p < 4; p++)
            index |= (uint8_t)((planes[p] >> (7 - x % 8) & 1) << p);
        attr_rgb(v, index, rgb);
        return;
    }
    for (unsigned int i = 0; i < bytes; i++)
        val |= (uint32_t)byte_at(v, line + (uint64_t)x * bytes + i) << 8 * i;
    if (bpp == 8)
        dac_rgb(v, val, rgb);
    else if (bpp == 15)
        rgb[0] = scaled(val >> 10, 5), rgb[1] = scaled(val >> 5, 5), rgb[2] = scaled(val, 5);
    else if (bpp == 16)
        rgb[0] = scaled(val >> 11, 5), rgb[1] = scaled(val >> 5, 6), rgb[2] = scaled(val, 5);
    else
        rgb[0] = (uint8_t)(val >> 16), rgb[1] = (uint8_t)(val >> 8), rgb[2] = (uint8_t)val;
}

static void row_extended(const struct vga *v, unsigned int y, unsigned int width, uint8_t *rgb)
{
    const uint64_t line = (uint64_t)vga_vbe_line(v) * (v->vbe[VBE_Y0] + y);

    for (unsigned int x = 0; x < width; x++)
        extended_pixel(v, line, v->vbe[VBE_X0] + x, rgb + 3 * x);
}

/* --- for who looks --- */

bool vga_look(const struct vga *v, struct vga_screen *s)
{
    const struct geometry g = geometry_of(v);
    const unsigned int at = cursor(v) - vga_start(v);

    *s = (struct vga_screen){ .width = g.width, .height = g.height, .text = g.kind == TEXT };
    if (g.kind == OFF)
        return false;
    s->bits = g.kind == EXTENDED ? v->vbe[VBE_BPP] : g.kind == BYTES ? 8 : g.kind == PAIRS ? 2 : 4;
    if (!s->text)
        return true;
    s->bright_grounds = !(v->attr[0x10] & ATTR_BLINK);
    s->columns = g.columns;
    s->rows = g.height / g.row;
    if (vga_pitch(v)) {
        s->cursor_x = at % vga_pitch(v);
        s->cursor_y = at / vga_pitch(v);
    }
    s->cursor = !(v->crtc[0x0a] & 0x20) && s->cursor_x < s->columns && s->cursor_y < s->rows;
    return true;
}

unsigned int vga_text_rows(const struct vga *v)
{
    const struct geometry g = geometry_of(v);

    return g.kind == TEXT ? g.height / g.row : 0;
}

uint16_t vga_cell(const struct vga *v, unsigned int x, unsigned int y)
{
    uint8_t planes[4];

    count_planes(v, vga_start(v) + y * vga_pitch(v) + x, 0, planes);
    return (uint16_t)(planes[1] << 8 | planes[0]);
}

void vga_colour(const struct vga *v, unsigned int index, uint8_t rgb[3]) { attr_rgb(v, index & 15, rgb); }

void vga_row(const struct vga *v, unsigned int y, unsigned int width, uint8_t *rgb)
{
    const struct geometry g = geometry_of(v);
    const unsigned int shown = width < g.width ? width : g.width;

    if (g.kind == OFF || y >= g.height)
        return;
    if (g.kind == EXTENDED)
        row_extended(v, y, shown, rgb);
    else
        row_of_counts(v, &g, y, shown, rgb);
}
