// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Screens as they are to look: each panel alone, and each layout, cell by cell, against tests/ui/expected/.
 *
 * Concept: all are of one position in the run of tests/guest/ascent.S, which is the same whatever compiler there is:
 * behind its second event to dom0. A file has a panel or a layout, in sizes one after the other: text; the styles of
 * its cells, a letter each, which is what colours are made from; and at the smallest size text as ASCII, and what the
 * palette `mono` makes of the styles.
 *
 * GOLDEN=write (`make golden`) writes the files. Look at the difference before you commit it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/ui/cockpit.h"

#define ASCENT "build/tests/guest/ascent"
#define MODES  "build/tests/guest/modes"

static const struct {
    unsigned int rows, cols;
} sizes[] = { { 24, 80 }, { 40, 120 }, { 60, 200 } };

/* To where all there is to see can be seen: it has been up and back in each way. */
static void go(struct cockpit_scene *sc)
{
    cockpit_line(&sc->c, "hypercall nr==event_channel_op && mode==kernel && at>240; hypercall; mark twice");
}

/* --- what is written --- */

static void write_head(FILE *f, const struct grid *g, const char *what)
{
    fprintf(f, "== %ux%u %s\n", g->cols, g->rows, what);
}

/* A letter a style, in the order of their list; '.' is text. */
static void write_styles(FILE *f, const struct grid *g)
{
    write_head(f, g, "styles");
    for (unsigned int row = 0; row < g->rows; row++) {
        unsigned int end = g->cols;

        while (end && g->cell[row * g->cols + end - 1].style == STYLE_text)
            end--;
        for (unsigned int col = 0; col < end; col++) {
            const unsigned int style = g->cell[row * g->cols + col].style;

            fputc(style == STYLE_text ? '.' : 'a' + (int)style - 1, f);
        }
        fputc('\n', f);
    }
}

/* B bold, R reverse, U underlined, and what is several of these in small letters: b with r, u with r. */
static void write_mono(FILE *f, const struct grid *g)
{
    const struct palette *mono = palette_find("mono");

    write_head(f, g, "mono");
    for (unsigned int row = 0; row < g->rows; row++) {
        char line[GRID_MAX_COLS + 1];
        unsigned int end = 0;

        for (unsigned int col = 0; col < g->cols; col++) {
            const struct look *l = &mono->look[g->cell[row * g->cols + col].style];
            const char attribute = l->bold ? 'B' : l->underline ? 'U' : l->reverse ? 'R' : '.';

            line[col] = l->reverse && attribute != 'R' ? (char)tolower(attribute) : attribute;
            end = line[col] == '.' ? end : col + 1;
        }
        fprintf(f, "%.*s\n", (int)end, line);
    }
}

static void screen_write(struct cockpit_scene *sc, FILE *f, bool small)
{
    struct grid g = { 0 };

    assert_true(cockpit_draw(&sc->c, &g));
    write_head(f, &g, "text");
    grid_write_text(&g, false, f);
    write_styles(f, &g);
    if (small) {
        write_head(f, &g, "ascii");
        grid_write_text(&g, true, f);
        write_mono(f, &g);
    }
    grid_free(&g);
}

/* --- comparing --- */

static size_t line_length(const char *p) { return strcspn(p, "\n"); }

static char *file_all(const char *name)
{
    FILE *f = fopen(name, "r");
    char *text = NULL;
    size_t cap = 0;

    if (!f)
        return NULL;
    if (getdelim(&text, &cap, '\0', f) < 0) {
        free(text);
        text = strdup("");
    }
    fclose(f);
    return text;
}

/* Which row of which picture differs, and how. */
static void compare(const char *name, const char *expected, const char *is)
{
    char part[64] = "";
    unsigned int row = 0;

    while (*expected || *is) {
        const size_t n = line_length(expected), k = line_length(is);

        if (n != k || memcmp(expected, is, n) != 0)
            fail_msg("%s, %s, row %u:\nexpected: %.*s\nis:       %.*s\n(make golden writes it)", name, part, row,
                     (int)n, expected, (int)k, is);
        row++;
        if (!strncmp(is, "== ", 3)) {
            snprintf(part, sizeof(part), "%.*s", (int)k, is);
            row = 0;
        }
        expected += n + (expected[n] != '\0');
        is += k + (is[k] != '\0');
    }
}

static void golden(const char *name, const char *is)
{
    const char *write = getenv("GOLDEN");
    char path[128], *expected;

    snprintf(path, sizeof(path), "tests/ui/expected/%s.txt", name);
    if (write && !strcmp(write, "write")) {
        FILE *f = fopen(path, "w");

        assert_true(f && fputs(is, f) >= 0 && !fclose(f));
        return;
    }
    expected = file_all(path);
    if (!expected)
        fail_msg("%s is not there (make golden writes it)", path);
    compare(path, expected, is);
    free(expected);
}

/* In all sizes: what `line` puts onto the screen. */
static void golden_of(struct cockpit_scene *sc, const char *name, const char *line)
{
    char *text = NULL;
    size_t size = 0;
    FILE *f = open_memstream(&text, &size);

    assert_non_null(f);
    for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
        cockpit_resize(&sc->c, sizes[i].rows, sizes[i].cols);
        cockpit_line(&sc->c, line);
        screen_write(sc, f, i == 0);
    }
    fclose(f);
    golden(name, text);
    free(text);
}

/* --- the tests --- */

/* But for `help`, which is the table of commands, and another test's. */
static void test_panels(void **state)
{
    struct cockpit_scene sc;
    char line[64], name[64];

    cockpit_scene_begin(&sc, (char *)(uintptr_t)ASCENT, 24, 80);
    go(&sc);
    sc.c.zoomed = true;
    for (unsigned int i = 0; i < sc.c.nr_panels; i++) {
        const char *panel = sc.c.panel[i].ops->name;

        if (!strcmp(panel, "help"))
            continue;
        snprintf(line, sizeof(line), "panel %s", panel);
        snprintf(name, sizeof(name), "panel-%s", panel);
        golden_of(&sc, name, line);
    }
    golden_of(&sc, "panel-pages-of", "panel pages 0x800000");
    cockpit_scene_end(&sc);
}

/* Two domains on two pCPUs: what is of one of them stands beside what is of the other. */
static void test_two_domains(void **state)
{
    static const char *const panels[] = { "machine",  "scheduler", "events", "grants",
                                          "xenstore", "console",   "rings",  "timers" };
    struct cockpit_scene sc;
    char line[64], name[64];

    cockpit_scene_begin(&sc, (char *)(uintptr_t)("--pcpus=2 " ASCENT " " ASCENT), 24, 80);
    cockpit_line(&sc.c, "vcpu d2; hypercall nr==set_timer_op && dom==2; 4h");
    sc.c.zoomed = true;
    for (size_t i = 0; i < ARRAY_SIZE(panels); i++) {
        snprintf(line, sizeof(line), "panel %s", panels[i]);
        snprintf(name, sizeof(name), "two-%s", panels[i]);
        golden_of(&sc, name, line);
    }
    cockpit_scene_end(&sc);
}

/* A guest with rings of its own: back in its kernel from a fault in ring 3. */
static void test_hvm(void **state)
{
    static const char *const panels[] = { "ladder", "pages", "nested", "vmcb", "exits", "apic", "paging" };
    struct cockpit_scene sc;
    char line[64], name[64];

    cockpit_scene_begin(&sc, (char *)(uintptr_t)("--type=pvh --vcpus=2 --memory=16 " MODES), 24, 80);
    cockpit_line(&sc.c, "vcpu d1; exit vector==14; t");
    sc.c.zoomed = true;
    for (size_t i = 0; i < ARRAY_SIZE(panels); i++) {
        snprintf(line, sizeof(line), "panel %s", panels[i]);
        snprintf(name, sizeof(name), "hvm-%s", panels[i]);
        golden_of(&sc, name, line);
    }
    sc.c.zoomed = false;
    golden_of(&sc, "hvm-layout-hvm", "layout hvm");
    cockpit_scene_end(&sc);
}

/* Text, and a picture, on a guest's screen. */
static void test_guest_screen(void **state)
{
    struct cockpit_scene sc;

    cockpit_scene_begin(&sc, (char *)(uintptr_t) "--max-vtime=100ms tests/guest/screens.cfg", 24, 80);
    cockpit_line(&sc.c, "vcpu d1; break text_shown; continue");
    golden_of(&sc, "screen-text", "layout screen");
    cockpit_line(&sc.c, "break planes_shown; continue");
    golden_of(&sc, "screen-picture", "panel vga");
    cockpit_scene_end(&sc);
}

static void test_layouts(void **state)
{
    struct cockpit_scene sc;
    char line[64], name[64];

    cockpit_scene_begin(&sc, (char *)(uintptr_t)ASCENT, 24, 80);
    go(&sc);
    for (unsigned int i = 0; layout_plan_at(i); i++) {
        if (!strcmp(layout_plan_at(i)->name, "help"))
            continue;
        snprintf(line, sizeof(line), "layout %s", layout_plan_at(i)->name);
        snprintf(name, sizeof(name), "layout-%s", layout_plan_at(i)->name);
        golden_of(&sc, name, line);
    }
    cockpit_scene_end(&sc);
}

static void test_too_small(void **state)
{
    struct cockpit_scene sc;
    char *text = NULL;
    size_t size = 0;
    FILE *f = open_memstream(&text, &size);

    assert_non_null(f);
    cockpit_scene_begin(&sc, (char *)(uintptr_t)ASCENT, 23, 79);
    screen_write(&sc, f, true);
    fclose(f);
    golden("too-small", text);
    free(text);
    cockpit_scene_end(&sc);
}

/* The guest does what it says: or all these pictures were of nothing. */
static void test_ascent(void **state)
{
    static const char *const ways[] = { "hypercall nr==update_va_mapping",  "hypercall nr==set_trap_table",
                                        "event vector==13 && mode==kernel", "event vector==14",
                                        "hypercall nr==set_timer_op",       "event verdict==refused || from!=0",
                                        "event vector==13 && mode==user",   "exit mode==user && kind==syscall" };
    struct cockpit_scene sc;
    const struct table *t;
    bool twice = false;

    cockpit_scene_begin(&sc, (char *)(uintptr_t)ASCENT, 24, 80);
    for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
        sc.s.g.failed = false;
        cockpit_line(&sc.c, ways[i]);
        if (sc.s.g.failed)
            fail_msg("%s: %s", ways[i], cockpit_scene_said(&sc));
    }
    go(&sc);
    cockpit_look_all(&sc.c);
    t = &sc.c.panel[panel_find("events", 6)].table;
    for (size_t i = 0; i < t->nr; i++)
        twice |= !strcmp(t->row[i].key, "d0.3") && t->row[i].cell[5][0] == 'P';
    assert_true(twice);
    cockpit_scene_end(&sc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ascent),       cmocka_unit_test(test_panels),  cmocka_unit_test(test_two_domains),
        cmocka_unit_test(test_hvm),          cmocka_unit_test(test_layouts), cmocka_unit_test(test_too_small),
        cmocka_unit_test(test_guest_screen),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
