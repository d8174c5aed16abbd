// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Screens as values: plans cover the screen whatever its size and whatever is written in them, drawing stays within its
 * area whatever the text, and colours can be read and told apart.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/random.h"
#include "ui/cockpit/cockpit.h"
#include "ui/screen/grid.h"
#include "ui/screen/layout.h"

static uint64_t prng = 1;

/* --- plans --- */

/* No two places share a cell; those that begin in a column have a line left of them, or begin at the edge. */
static void places_check(const struct layout *l, unsigned int rows, unsigned int cols, const char *plan)
{
    static uint8_t taken[GRID_MAX_ROWS][GRID_MAX_COLS];

    memset(taken, 0, sizeof(taken));
    for (unsigned int i = 0; i < l->nr; i++) {
        const struct layout_place *p = &l->place[i];

        if (p->row + p->rows > rows || p->col + p->cols > cols || !p->rows || !p->cols || (p->line && !p->col))
            fail_msg("plan %s in %u x %u: place %u leaves the screen", plan, cols, rows, i);
        for (unsigned int r = p->row; r < p->row + p->rows; r++)
            for (unsigned int c = p->col - p->line; c < p->col + p->cols; c++) {
                if (taken[r][c] && c >= p->col)
                    fail_msg("plan %s in %u x %u: cell %u,%u is in two places", plan, cols, rows, r, c);
                taken[r][c] = 1;
            }
    }
}

/* And all cells are somebody's: of the plans that can be chosen, on every screen from the smallest on. */
static void test_plans_fill_the_screen(void **state)
{
    char err[LAYOUT_ERR_SIZE];
    struct layout l;

    for (unsigned int n = 0; layout_plan_at(n); n++) {
        const struct layout_plan *p = layout_plan_at(n);
        const char *const plans[] = { p->small, p->medium, p->large };

        for (unsigned int rows = COCKPIT_MIN_ROWS - 3; rows <= 87; rows += 3)
            for (unsigned int cols = COCKPIT_MIN_COLS; cols <= 300; cols += 11) {
                const char *plan = plans[cols < 100 ? 0 : cols < 160 ? 1 : 2];
                unsigned int cells = 0;

                if (!layout_make(&l, plan, panel_find, rows, cols, err))
                    fail_msg("plan %s: %s", plan, err);
                places_check(&l, rows, cols, plan);
                for (unsigned int i = 0; i < l.nr; i++)
                    cells += l.place[i].rows * (l.place[i].cols + l.place[i].line);
                if (cells != rows * cols)
                    fail_msg("plan %s of %s in %u x %u: %u of %u cells", plan, p->name, cols, rows, cells, rows * cols);
            }
    }
}

/* Whatever is written in a plan: a message, or places that do not overlap. */
static void test_plans_of_any_text(void **state)
{
    static const char *const words[] = { "code", "trace",  "console", "+", "|", "/", "=",  "*",   ":",
                                         "3",    "999999", "-1",      " ", "",  "x", "++", "||/", "=0" };
    unsigned int fine = 0;

    for (unsigned int n = 0; n < 20000; n++) {
        const unsigned int rows = random_of(&prng, 60), cols = random_of(&prng, 200);
        char plan[200] = "", err[LAYOUT_ERR_SIZE] = "";
        struct layout l;

        for (unsigned int i = random_of(&prng, 12); i; i--)
            strcat(plan, words[random_of(&prng, ARRAY_SIZE(words))]);
        if (layout_make(&l, plan, panel_find, rows, cols, err)) {
            fine++;
            places_check(&l, rows, cols, plan);
        } else {
            assert_true(err[0]);
        }
    }
    assert_true(fine > 100);
}

/* --- drawing --- */

static void test_drawing_stays_within(void **state)
{
    struct grid g = { 0 };
    char text[64];

    assert_true(grid_resize(&g, 12, 40));
    for (unsigned int n = 0; n < 20000; n++) {
        struct area all = grid_all(&g), a;

        for (size_t i = 0; i < (size_t)g.rows * g.cols; i++)
            g.cell[i] = (struct cell){ .ch = ' ', .style = STYLE_text };
        a = area_part(&all, random_of(&prng, 14), random_of(&prng, 44), random_of(&prng, 14), random_of(&prng, 44));
        for (size_t i = 0; i < sizeof(text) - 1; i++)
            text[i] = (char)(1 + random_of(&prng, 255));
        text[sizeof(text) - 1] = '\0';
        area_text(&a, random_of(&prng, 14), random_of(&prng, 44), STYLE_error, text);
        area_fill(&a, random_of(&prng, 14), random_of(&prng, 44), random_of(&prng, 60), STYLE_error,
                  random_of(&prng, 0x3000));
        area_restyle(&a, random_of(&prng, 14), random_of(&prng, 44), random_of(&prng, 60), STYLE_error);
        for (unsigned int row = 0; row < g.rows; row++)
            for (unsigned int col = 0; col < g.cols; col++) {
                const struct cell *c = &g.cell[row * g.cols + col];

                if (c->style == STYLE_error &&
                    (row < a.row || row >= a.row + a.rows || col < a.col || col >= a.col + a.cols))
                    fail_msg("%u,%u is not in the area", row, col);
                assert_true(c->ch >= 0x20 && c->ch != 0x7f);
                assert_true((unsigned char)glyph_ascii(c->ch) >= 0x20 && (unsigned char)glyph_ascii(c->ch) < 0x7f);
            }
    }
    grid_free(&g);
}

static void test_text_of_guests(void **state)
{
    struct grid g = { 0 };
    char *out = NULL;
    size_t size = 0;
    FILE *f = open_memstream(&out, &size);
    struct area a;

    assert_true(f && grid_resize(&g, 1, 20));
    a = grid_all(&g);
    area_text(&a, 0, 0, STYLE_text, "a\033[2J\303\244\344\270\255\xff\xc3|");
    grid_write_text(&g, false, f);
    fclose(f);
    assert_string_equal(out, "a?[2J\303\244???|\n");
    free(out);
    grid_free(&g);
}

/* --- colours --- */

static double channel(uint32_t c)
{
    const double x = (c & 0xff) / 255.0;

    return x * x * (x * 0.305306011 + 0.682171111) + 0.012522878 * x; /* sRGB to linear, within half a percent */
}

static double luminance(uint32_t rgb)
{
    return 0.2126 * channel(rgb >> 16) + 0.7152 * channel(rgb >> 8) + 0.0722 * channel(rgb);
}

static double contrast(uint32_t a, uint32_t b)
{
    const double x = luminance(a) + 0.05, y = luminance(b) + 0.05;

    return x > y ? x / y : y / x;
}

static void test_colours_can_be_read(void **state)
{
    const struct palette *p;

    for (unsigned int n = 0; (p = palette_at(n)); n++)
        for (unsigned int i = 0; i < STYLE_NR; i++)
            if (contrast(p->look[i].fg, p->look[i].bg) < 4.5)
                fail_msg("palette %s, style %u: contrast %.2f", p->name, i, contrast(p->look[i].fg, p->look[i].bg));
}

/* Machado, Oliveira, Fernandes 2009, deuteranopia: what red and green receptors give in common. */
static uint32_t as_deuteranope(uint32_t rgb)
{
    const double r = rgb >> 16, g = rgb >> 8 & 0xff, b = rgb & 0xff;
    const double out[] = { 0.367322 * r + 0.860646 * g - 0.227968 * b, 0.280085 * r + 0.672501 * g + 0.047413 * b,
                           -0.011820 * r + 0.042940 * g + 0.968881 * b };
    uint32_t result = 0;

    for (unsigned int i = 0; i < 3; i++)
        result = result << 8 | (uint32_t)(out[i] < 0 ? 0 : out[i] > 255 ? 255 : out[i]);
    return result;
}

static double distance(uint32_t a, uint32_t b)
{
    double sum = 0;

    for (unsigned int i = 0; i < 24; i += 8) {
        const double d = (double)(a >> i & 0xff) - (double)(b >> i & 0xff);

        sum += d * d;
    }
    return sum;
}

/* Who executes is told by colour, too: of the palette for them, those are far from each other. */
static void test_colours_of_modes_differ(void **state)
{
    static const enum style modes[] = { STYLE_xen, STYLE_kernel, STYLE_user };
    const struct palette *p = palette_find("safe");

    for (unsigned int i = 0; i < ARRAY_SIZE(modes); i++)
        for (unsigned int j = 0; j < i; j++)
            assert_true(distance(as_deuteranope(p->look[modes[i]].fg), as_deuteranope(p->look[modes[j]].fg)) > 60 * 60);
    p = palette_find("mono");
    for (unsigned int i = 0; i < STYLE_NR; i++)
        assert_true(!p->colours && p->look[i].term_fg == TERM_DEFAULT && p->look[i].term_bg == TERM_DEFAULT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plans_fill_the_screen), cmocka_unit_test(test_plans_of_any_text),
        cmocka_unit_test(test_drawing_stays_within),  cmocka_unit_test(test_text_of_guests),
        cmocka_unit_test(test_colours_can_be_read),   cmocka_unit_test(test_colours_of_modes_differ),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
