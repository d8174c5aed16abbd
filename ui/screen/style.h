// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What cells mean, and how palettes show it.
 *
 * Concept: whoever draws says what something is. A palette says how that looks: foreground, background, attributes.
 *
 * Invariants: nothing is told by colour alone. What a style says is said by a character, a word or a place as well, and
 * with the palette `mono`, which has attributes alone, nothing is missing. Colours of `safe` are told apart by people
 * with deuteranopia or protanopia (after Okabe and Ito, "Color Universal Design"). A test holds every pair of
 * foreground and background to a contrast of 4.5 (WCAG 2.1).
 */
#ifndef UI_SCREEN_STYLE_H
#define UI_SCREEN_STYLE_H

#include <stdbool.h>
#include <stdint.h>

/* X(name, what it is for) */
#define STYLES(X)                                                                                                      \
    X(text, "what is shown")                                                                                           \
    X(dim, "what is less important, or was so later")                                                                  \
    X(title, "of a panel, a column")                                                                                   \
    X(focus, "the title of the panel that keys are for")                                                               \
    X(border, "lines between panels")                                                                                  \
    X(status, "the line at the top")                                                                                   \
    X(live, "the run's end, where time goes on")                                                                       \
    X(past, "the past, which is repeated")                                                                             \
    X(key, "a key in a hint")                                                                                          \
    X(here, "the present: the instruction that is next, the position")                                                 \
    X(cursor, "the row that is chosen")                                                                                \
    X(changed, "is not what it was at the last stop; its sign is *")                                                   \
    X(gone, "was there at the last stop; its sign is ~")                                                               \
    X(found, "what is searched for")                                                                                   \
    X(error, "something could not be done")                                                                            \
    X(xen, "the hypervisor")                                                                                           \
    X(kernel, "a guest's kernel")                                                                                      \
    X(user, "a guest's user mode")                                                                                     \
    X(native, "dom0's own code")                                                                                       \
    X(idle, "nobody")

enum style {
#define X(name, help) STYLE_##name,
    STYLES(X)
#undef X
        STYLE_NR
};

/* 24 bits, 0xrrggbb. */
struct look {
    uint32_t fg, bg;
    uint8_t term_fg, term_bg; /* the nearest of a terminal's 256 colours; TERM_DEFAULT: its own */
    bool bold, reverse, underline;
};

#define TERM_DEFAULT 0xff

struct palette {
    const char *name, *help;
    bool colours; /* false: attributes alone */
    struct look look[STYLE_NR];
};

/* Of a terminal's 256 colours those that no theme changes, from 16 on: what one is, 0xrrggbb, and the nearest one. */
uint32_t term_colour_rgb(uint8_t colour);
uint8_t term_colour_nearest(uint32_t rgb);
/* How bright it looks, 0 to 255: the weights of ITU-R BT.601. */
static inline unsigned int rgb_brightness(uint32_t rgb)
{
    return ((rgb >> 16 & 0xff) * 299 + (rgb >> 8 & 0xff) * 587 + (rgb & 0xff) * 114) / 1000;
}

/* "default", "safe", "mono"; NULL: there is none of this name. */
const struct palette *palette_find(const char *name);
/* All of them, by number; NULL: there are no more. */
const struct palette *palette_at(unsigned int i);

#endif
