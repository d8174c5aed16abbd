// SPDX-License-Identifier: GPL-2.0-or-later
/* Styles and palettes, see ui/screen/style.h. */
#include "ui/screen/style.h"

#include "sim/types.h"

#include <string.h>

#define BLACK 0x121212 /* 233 of 256 */
#define GREY  0xd0d0d0 /* 252 */

#define ON_BLACK(rgb, term)    .fg = rgb, .bg = BLACK, .term_fg = term, .term_bg = TERM_DEFAULT
#define PLAIN                  .fg = GREY, .bg = BLACK, .term_fg = TERM_DEFAULT, .term_bg = TERM_DEFAULT
#define ON(frgb, ft, brgb, bt) .fg = frgb, .bg = brgb, .term_fg = ft, .term_bg = bt

static const struct palette palettes[] = {
    { "default",
      "colours",
      true,
      { [STYLE_text] = { PLAIN },
        [STYLE_dim] = { ON_BLACK(0x949494, 246) },
        [STYLE_title] = { PLAIN, .bold = true },
        [STYLE_focus] = { ON(0x121212, 233, 0x87afd7, 110), .bold = true },
        [STYLE_border] = { ON_BLACK(0x8a8a8a, 245) },
        [STYLE_status] = { ON(0x121212, 233, 0xb2b2b2, 249) },
        [STYLE_live] = { ON(0x121212, 233, 0x87d787, 114), .bold = true },
        [STYLE_past] = { ON(0x121212, 233, 0xd7af5f, 179), .bold = true },
        [STYLE_key] = { ON_BLACK(0x87d7ff, 117), .bold = true },
        [STYLE_here] = { ON_BLACK(0xffffff, 231), .bold = true },
        [STYLE_cursor] = { ON(0xffffff, 231, 0x444444, 238) },
        [STYLE_changed] = { ON_BLACK(0xffd75f, 221), .bold = true },
        [STYLE_gone] = { ON_BLACK(0xaf8787, 138) },
        [STYLE_found] = { ON(0x121212, 233, 0xffff5f, 227) },
        [STYLE_error] = { ON_BLACK(0xff8787, 210), .bold = true },
        [STYLE_xen] = { ON_BLACK(0xff875f, 209), .bold = true },
        [STYLE_kernel] = { ON_BLACK(0x5fd7af, 79) },
        [STYLE_user] = { ON_BLACK(0x87afff, 111) },
        [STYLE_native] = { ON_BLACK(0xd7afff, 183) },
        [STYLE_idle] = { ON_BLACK(0x8a8a8a, 245) } } },
    { "safe",
      "colours that colour-blind people tell apart",
      true,
      { [STYLE_text] = { PLAIN },
        [STYLE_dim] = { ON_BLACK(0x949494, 246) },
        [STYLE_title] = { PLAIN, .bold = true },
        [STYLE_focus] = { ON(0x121212, 233, 0x5fafd7, 74), .bold = true },
        [STYLE_border] = { ON_BLACK(0x8a8a8a, 245) },
        [STYLE_status] = { ON(0x121212, 233, 0xb2b2b2, 249) },
        [STYLE_live] = { ON(0x121212, 233, 0x5fafd7, 74), .bold = true },
        [STYLE_past] = { ON(0x121212, 233, 0xd7af00, 178), .bold = true },
        [STYLE_key] = { ON_BLACK(0x5fafff, 75), .bold = true },
        [STYLE_here] = { ON_BLACK(0xffffff, 231), .bold = true },
        [STYLE_cursor] = { ON(0xffffff, 231, 0x444444, 238) },
        [STYLE_changed] = { ON_BLACK(0xffff5f, 227), .bold = true },
        [STYLE_gone] = { ON_BLACK(0x949494, 246), .underline = true },
        [STYLE_found] = { ON(0x121212, 233, 0xffff5f, 227) },
        [STYLE_error] = { ON_BLACK(0xffaf5f, 215), .bold = true, .underline = true },
        [STYLE_xen] = { ON_BLACK(0xff8700, 208), .bold = true },
        [STYLE_kernel] = { ON_BLACK(0x5fafd7, 74) },
        [STYLE_user] = { ON_BLACK(0xffffaf, 229) },
        [STYLE_native] = { ON_BLACK(0xd7afd7, 182) },
        [STYLE_idle] = { ON_BLACK(0x8a8a8a, 245) } } },
    { "mono",
      "no colours",
      false,
      { [STYLE_text] = { PLAIN },
        [STYLE_dim] = { PLAIN },
        [STYLE_title] = { PLAIN, .bold = true },
        [STYLE_focus] = { PLAIN, .bold = true, .reverse = true },
        [STYLE_border] = { PLAIN },
        [STYLE_status] = { PLAIN, .reverse = true },
        [STYLE_live] = { PLAIN, .reverse = true, .bold = true },
        [STYLE_past] = { PLAIN, .reverse = true, .underline = true },
        [STYLE_key] = { PLAIN, .bold = true },
        [STYLE_here] = { PLAIN, .bold = true },
        [STYLE_cursor] = { PLAIN, .reverse = true },
        [STYLE_changed] = { PLAIN, .bold = true },
        [STYLE_gone] = { PLAIN, .underline = true },
        [STYLE_found] = { PLAIN, .reverse = true, .underline = true },
        [STYLE_error] = { PLAIN, .bold = true, .underline = true },
        [STYLE_xen] = { PLAIN, .bold = true },
        [STYLE_kernel] = { PLAIN },
        [STYLE_user] = { PLAIN },
        [STYLE_native] = { PLAIN },
        [STYLE_idle] = { PLAIN } } },
};

/* --- the 256 colours: 16 of the terminal's own, a cube of 6 x 6 x 6, 24 greys --- */

static uint32_t cube_level(unsigned int i) { return i ? 55 + 40 * i : 0; }

uint32_t term_colour_rgb(uint8_t colour)
{
    const unsigned int i = colour - 16U;

    if (colour >= 232)
        return (8 + 10 * (colour - 232U)) * 0x010101;
    return cube_level(i / 36) << 16 | cube_level(i / 6 % 6) << 8 | cube_level(i % 6);
}

static unsigned int distance(uint32_t a, uint32_t b)
{
    unsigned int sum = 0;

    for (unsigned int shift = 0; shift < 24; shift += 8) {
        const int d = (int)(a >> shift & 0xff) - (int)(b >> shift & 0xff);

        sum += (unsigned int)(d * d);
    }
    return sum;
}

/* Of the six levels the nearest: half way between two is the higher one's. */
static unsigned int cube_index(uint32_t level) { return level < 48 ? 0 : level < 115 ? 1 : (level - 35) / 40; }

uint8_t term_colour_nearest(uint32_t rgb)
{
    const uint32_t r = rgb >> 16 & 0xff, g = rgb >> 8 & 0xff, b = rgb & 0xff, mean = (r + g + b) / 3;
    const uint8_t cube = (uint8_t)(16 + 36 * cube_index(r) + 6 * cube_index(g) + cube_index(b));
    const uint8_t grey = (uint8_t)(232 + (mean < 8 ? 0 : mean > 238 ? 23 : (mean - 3) / 10));

    return distance(term_colour_rgb(grey), rgb) < distance(term_colour_rgb(cube), rgb) ? grey : cube;
}

const struct palette *palette_at(unsigned int i) { return i < ARRAY_SIZE(palettes) ? &palettes[i] : NULL; }

const struct palette *palette_find(const char *name)
{
    for (unsigned int i = 0; i < ARRAY_SIZE(palettes); i++)
        if (!strcmp(palettes[i].name, name))
            return &palettes[i];
    return NULL;
}
