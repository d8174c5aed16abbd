// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The panel `vga`: what is on the screen of a guest, cell by cell, in the modes of tests/guest/screens.S; forward,
 * backward, in panels that are too small for it, and on terminals without colours or without Unicode.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/ui/cockpit.h"
#include "tools/cp437.h"

#define SCREENS "--max-vtime=100ms tests/guest/screens.cfg"
#define UPPER   0x2580

static const char *const shown[] = { "text_shown", "bytes_shown", "planes_shown", "deep_shown", "high_shown" };

static void begin(struct cockpit_scene *sc, unsigned int rows, unsigned int cols)
{
    cockpit_scene_of(sc, SCREENS, rows, cols);
    cockpit_line(&sc->c, "vcpu d1; panel vga");
    sc->c.zoomed = true;
}

static void go(struct cockpit_scene *sc, const char *symbol)
{
    char line[64];

    snprintf(line, sizeof(line), "break %s; continue", symbol);
    cockpit_line(&sc->c, line);
    assert_false(sc->s.g.failed);
}

static struct grid draw(struct cockpit_scene *sc)
{
    struct grid g = { 0 };

    assert_true(cockpit_draw(&sc->c, &g));
    return g;
}

/* Of the panel, which begins below the status and its title. */
static const struct cell *at(const struct grid *g, unsigned int row, unsigned int col)
{
    return &g->cell[(row + 2) * g->cols + col];
}

static void looks(const struct cell *c, uint32_t ch, uint32_t fg, uint32_t bg)
{
    assert_int_equal(c->ch, ch);
    assert_true(c->painted);
    assert_int_equal(c->fg, term_colour_nearest(fg));
    assert_int_equal(c->bg, term_colour_nearest(bg));
}

/* --- text --- */

static void test_text(void **state)
{
    static const uint32_t vga[16] = { 0x000000, 0x0000aa, 0x00aa00, 0x00aaaa, 0xaa0000, 0xaa00aa, 0xaa5500, 0xaaaaaa,
                                      0x555555, 0x5555ff, 0x55ff55, 0x55ffff, 0xff5555, 0xff55ff, 0xffff55, 0xffffff };
    struct cockpit_scene sc;
    struct grid g;

    begin(&sc, 40, 120);
    go(&sc, "text_shown");
    g = draw(&sc);
    for (unsigned int i = 0; i < 256; i++) /* column 0 of the panel has marks */
        looks(at(&g, 1 + i / 32, 1 + i % 32 * 2), cp437_char((uint8_t)i), vga[7], vga[0]);
    for (unsigned int i = 0; i < 16; i++) {
        looks(at(&g, 10, 1 + i), 'A' + i, vga[i], vga[0]);
        looks(at(&g, 11, 1 + i), 'A' + i, vga[15], vga[i % 8]); /* the upper eight blink */
    }
    looks(at(&g, 23, 1 + 68), 'f', vga[14], vga[1]);
    looks(at(&g, 23, 1 + 76), ' ', vga[0], vga[7]); /* the cursor */
    assert_int_equal(at(&g, 23, 0)->ch, '>');
    assert_false(at(&g, 24, 81)->painted);
    grid_free(&g);
    assert_true(cockpit_scene_shows(&sc, "d1: text, 80 x 25, cursor at 76, 23"));
    cockpit_scene_end(&sc);
}

/* Where not all of it has room, what is about the cursor has; other rows are come to by keys, or searched for. */
static void test_small(void **state)
{
    struct cockpit_scene sc;

    begin(&sc, 24, 80);
    go(&sc, "text_shown");
    assert_true(cockpit_scene_shows(&sc, "far down"));
    assert_false(cockpit_scene_shows(&sc, "☺ ☻"));
    for (unsigned int i = 0; i < 23; i++)
        cockpit_key(&sc.c, KEY_IS_UP);
    assert_true(cockpit_scene_shows(&sc, "☺ ☻"));
    assert_false(cockpit_scene_shows(&sc, "far down"));
    sc.c.zoomed = false;
    cockpit_line(&sc.c, "layout 1:vga / 1:code");
    cockpit_key(&sc.c, KEY_IS_END);
    cockpit_key(&sc.c, KEY_IS_UP);
    assert_true(cockpit_scene_shows(&sc, " far down │"));
    cockpit_scene_end(&sc);
}

static void test_plain(void **state)
{
    struct cockpit_scene sc;
    struct grid g;

    begin(&sc, 40, 120);
    go(&sc, "text_shown");
    sc.c.ascii = true;
    g = draw(&sc);
    for (unsigned int i = 0; i < g.rows * g.cols; i++)
        assert_in_range(g.cell[i].ch, 0x20, 0x7e);
    assert_int_equal(at(&g, 7, 1 + 0xd * 2)->ch, '='); /* a double line */
    grid_free(&g);
    sc.c.palette = palette_find("mono");
    g = draw(&sc);
    assert_true(cell_look(at(&g, 23, 1 + 76), sc.c.palette).reverse);
    assert_false(cell_look(at(&g, 23, 1 + 75), sc.c.palette).reverse);
    assert_true(cell_look(at(&g, 11, 1), sc.c.palette).bold);
    grid_free(&g);
    cockpit_scene_end(&sc);
}

/* Each character has one of ASCII beside it, and is one that a cell takes. */
static void test_characters(void **state)
{
    struct grid g = { 0 };
    struct area a;

    assert_true(grid_resize(&g, 1, 256));
    a = grid_all(&g);
    for (unsigned int i = 0; i < 256; i++) {
        const uint32_t ch = cp437_char((uint8_t)i);

        area_put(&a, 0, i, STYLE_text, ch);
        assert_int_equal(g.cell[i].ch, ch);
        assert_true(ch == '?' || glyph_ascii(ch) != '?' || i == 0xa8);
        for (unsigned int k = 1; k < i; k++)
            assert_true(cp437_char((uint8_t)k) != ch || ch == ' ');
    }
    grid_free(&g);
}

/* --- pictures --- */

static void test_pictures(void **state)
{
    struct cockpit_scene sc;
    struct grid g;

    begin(&sc, 54, 320); /* 50 rows for a picture: 100 of its own */
    go(&sc, "bytes_shown");
    g = draw(&sc); /* 160 wide, in the middle: a cell is 2 x 4 pixels, rows 196 to 199: 49 of 63 */
    looks(at(&g, 49, 80), UPPER, 0xc7c7c7, 0xc7c7c7);
    looks(at(&g, 49, 80 + 45), UPPER, 0xc70000, 0xc70000);
    looks(at(&g, 49, 80 + 125), UPPER, 0x0000c7, 0x0000c7);
    assert_false(at(&g, 49, 79)->painted);
    assert_false(at(&g, 49, 240)->painted);
    grid_free(&g);
    go(&sc, "planes_shown");
    g = draw(&sc); /* 133 wide, from 93 on: bars of 8 1/3 */
    looks(at(&g, 3, 93 + 12), UPPER, 0x0000aa, 0x0000aa);
    looks(at(&g, 3, 93 + 129), UPPER, 0xffffff, 0xffffff);
    grid_free(&g);
    go(&sc, "deep_shown");
    g = draw(&sc); /* as large as it is */
    looks(at(&g, 0, 128), UPPER, 0x000040, 0x000540);
    looks(at(&g, 23, 128 + 63), UPPER, 0xfce640, 0xfceb40);
    grid_free(&g);
    go(&sc, "high_shown");
    g = draw(&sc);
    looks(at(&g, 23, 128 + 63), UPPER, 0xff0000, 0xff0000);
    assert_true(cockpit_scene_shows(&sc, "d1: 64 x 48, 16 bits a pixel"));
    sc.c.palette = palette_find("mono"); /* by characters as bright as pixels */
    grid_free(&g);
    g = draw(&sc);
    assert_int_equal(at(&g, 23, 128)->ch, ' ');
    assert_int_equal(at(&g, 23, 128 + 63)->ch, ':');
    assert_false(at(&g, 23, 128 + 63)->painted);
    grid_free(&g);
    cockpit_scene_end(&sc);
}

/* --- at any position --- */

static void test_past(void **state)
{
    struct grid then[ARRAY_SIZE(shown)] = { 0 };
    char line[64], *hash;
    struct cockpit_scene sc;

    begin(&sc, 40, 120);
    for (size_t i = 0; i < ARRAY_SIZE(shown); i++) {
        snprintf(line, sizeof(line), "break %s", shown[i]);
        cockpit_line(&sc.c, line);
    }
    for (size_t i = 0; i < ARRAY_SIZE(shown); i++) {
        cockpit_line(&sc.c, "continue");
        cockpit_line(&sc.c, "hash");
        hash = strdup(cockpit_scene_said(&sc));
        then[i] = draw(&sc);
        cockpit_line(&sc.c, "hash");
        assert_string_equal(cockpit_scene_said(&sc), hash);
        free(hash);
    }
    for (size_t i = ARRAY_SIZE(shown) - 1; i-- > 0;) {
        struct grid now;

        cockpit_line(&sc.c, "reverse-continue");
        now = draw(&sc);
        for (unsigned int row = 3; row < now.rows - 2; row++) /* but for the marks */
            for (unsigned int col = 1; col < now.cols; col++) {
                const struct cell *a = &now.cell[row * now.cols + col], *b = &then[i].cell[row * now.cols + col];

                if (a->ch != b->ch || (a->painted && !cell_looks_like(a, b)))
                    fail_msg("%s, row %u, column %u", shown[i], row, col);
            }
        grid_free(&now);
    }
    for (size_t i = 0; i < ARRAY_SIZE(shown); i++)
        grid_free(&then[i]);
    cockpit_scene_end(&sc);
}

/* --- no screen --- */

static void test_none(void **state)
{
    static const struct {
        const char *guests, *says;
    } none[] = {
        { "--max-vtime=12ms build/tests/guest/ascent", "no screen: a PV guest" },
        { "--max-vtime=12ms --type=pvh --memory=16 build/tests/guest/modes", "a PVH guest has no screen" },
        { SCREENS, "the screen is blank" },
    };
    struct cockpit_scene sc;

    for (size_t i = 0; i < ARRAY_SIZE(none); i++) {
        cockpit_scene_of(&sc, none[i].guests, 24, 80);
        cockpit_line(&sc.c, "vcpu d1; panel vga");
        assert_true(cockpit_scene_shows(&sc, none[i].says));
        cockpit_scene_end(&sc);
    }
    begin(&sc, 24, 80);
    go(&sc, "off_shown");
    assert_true(cockpit_scene_shows(&sc, "the screen is blank"));
    cockpit_line(&sc.c, "panel vga d0");
    assert_true(cockpit_scene_shows(&sc, "such as dom0, has no screen"));
    cockpit_line(&sc.c, "panel vga d7");
    assert_true(cockpit_scene_shows(&sc, "there is no such domain"));
    cockpit_scene_end(&sc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_characters), cmocka_unit_test(test_text),     cmocka_unit_test(test_small),
        cmocka_unit_test(test_plain),      cmocka_unit_test(test_pictures), cmocka_unit_test(test_past),
        cmocka_unit_test(test_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
