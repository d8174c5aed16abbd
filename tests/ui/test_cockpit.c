// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The cockpit as a value: keys in, screens out. Every key does something and is in the help; whatever is typed and
 * clicked, at whatever size, nothing breaks; and looking makes no difference to the machine.
 *
 * Budget: the keys, what a newcomer looks for, what is said of each row of each panel, and anything.
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

#include "tests/support/random.h"
#include "tests/ui/cockpit.h"

#define RINGS (char *)(uintptr_t) "build/guests/rings"

static uint64_t prng = 1;

static void type(struct cockpit_scene *sc, const char *text)
{
    for (; *text; text++)
        cockpit_key(&sc->c, *text == '\n' ? KEY_IS_ENTER : *text);
}

/* --- keys --- */

/* It does what its line does, or puts that into the prompt: nothing is "no key here". */
static void test_every_key_fires(void **state)
{
    struct cockpit_scene sc;
    unsigned int tried = 0;
    char line[COCKPIT_LINE];

    for (int key = 1; key < KEY_IS_NONE; key = key == 0x7e ? KEY_IS_UP : key + 1) {
        size_t said;

        if (!key_line(key, NULL, line, sizeof(line)) || key == 'q')
            continue;
        cockpit_scene_begin(&sc, RINGS, 30, 100);
        cockpit_line(&sc.c, "exit vector==13");
        said = said_nr(sc.s.g.said);
        cockpit_key(&sc.c, key);
        assert_string_equal(sc.c.hint, "");
        if (line[strlen(line) - 1] == ' ')
            assert_true(sc.c.prompt);
        else
            assert_true(sc.c.running || sc.c.only_screen || said_nr(sc.s.g.said) > said);
        for (size_t i = said; i < said_nr(sc.s.g.said); i++)
            if (strstr(said_line(sc.s.g.said, i), "no command") || strstr(said_line(sc.s.g.said, i), "may be:"))
                fail_msg("key %d, \"%s\": %s", key, line, said_line(sc.s.g.said, i));
        cockpit_scene_end(&sc);
        tried++;
    }
    assert_true(tried > 45);
}

/* What no key is says so, and is forgotten by the next one. */
static void test_no_key(void **state)
{
    struct cockpit_scene sc;

    cockpit_scene_begin(&sc, RINGS, 30, 100);
    cockpit_key(&sc.c, '\\');
    assert_true(cockpit_scene_shows(&sc, "\\ is no key here"));
    cockpit_key(&sc.c, KEY_IS_DOWN);
    assert_false(cockpit_scene_shows(&sc, "is no key here"));
    cockpit_key(&sc.c, 'q');
    assert_true(sc.c.quit);
    cockpit_scene_end(&sc);
}

/* Capitals go back; a number repeats. */
static void test_forward_and_back(void **state)
{
    struct cockpit_scene sc;
    struct position at;

    cockpit_scene_begin(&sc, RINGS, 30, 100);
    type(&sc, "5h");
    at = sc.s.g.rw.m->at;
    type(&sc, "3s");
    assert_true(sc.s.g.rw.m->at.insns > at.insns);
    type(&sc, "3S");
    assert_int_equal(sc.s.g.rw.m->at.insns, at.insns);
    assert_true(cockpit_scene_shows(&sc, " REPLAY "));
    type(&sc, ":goto end\n");
    assert_true(cockpit_scene_shows(&sc, " LIVE "));
    cockpit_scene_end(&sc);
}

/* --- what is typed --- */

static void test_prompt(void **state)
{
    struct cockpit_scene sc;

    cockpit_scene_begin(&sc, RINGS, 30, 100);
    type(&sc, ":pint 5");
    for (unsigned int i = 0; i < 5; i++)
        cockpit_key(&sc.c, KEY_IS_LEFT);
    type(&sc, "r");
    assert_true(cockpit_scene_shows(&sc, ":print 5"));
    cockpit_key(&sc.c, KEY_IS_END);
    cockpit_key(&sc.c, KEY_IS_BACKSPACE);
    type(&sc, "6\n");
    assert_string_equal(cockpit_scene_said(&sc), "0x6 = 6");
    type(&sc, ":");
    cockpit_key(&sc.c, KEY_IS_UP);
    assert_true(cockpit_scene_shows(&sc, ":print 6"));
    cockpit_key(&sc.c, KEY_IS_ESCAPE);
    assert_false(sc.c.prompt);
    type(&sc, ":brea");
    cockpit_key(&sc.c, KEY_IS_TAB);
    type(&sc, "insn_cl");
    cockpit_key(&sc.c, KEY_IS_TAB);
    assert_true(cockpit_scene_shows(&sc, ":break insn_cl   insn_cli insn_clts"));
    type(&sc, "i\n");
    assert_true(!strncmp(cockpit_scene_said(&sc), "breakpoint 1 at", 15));
    cockpit_scene_end(&sc);
}

/* The past is not changed by a slip: it is asked, and only y means yes. */
static void test_question(void **state)
{
    struct cockpit_scene sc;

    cockpit_scene_begin(&sc, RINGS, 30, 100);
    type(&sc, "5h3S:set %rax=1\n");
    assert_true(cockpit_scene_shows(&sc, "(y: yes)"));
    type(&sc, "n");
    assert_false(cockpit_scene_shows(&sc, "(y: yes)"));
    assert_int_equal(sc.s.g.rw.nr_branches, 0);
    type(&sc, ":set %rax=1\ny");
    assert_int_equal(sc.s.g.rw.nr_branches, 1);
    cockpit_scene_end(&sc);
}

/* --- panels --- */

static void test_panels(void **state)
{
    struct cockpit_scene sc;

    cockpit_scene_begin(&sc, RINGS, 30, 100);
    type(&sc, ":x vector==13\n:panel help\n:filter hypercall\nz");
    assert_true(cockpit_scene_shows(&sc, "| zoomed"));
    assert_true(cockpit_scene_shows(&sc, "[HELP]"));
    assert_true(cockpit_scene_shows(&sc, "to the next hypercall"));
    assert_false(cockpit_scene_shows(&sc, "one instruction of the vCPU"));
    type(&sc, "z:panel trace\n:filter hypercall && nr==stack_switch\nz");
    assert_true(cockpit_scene_shows(&sc, "stack_switch"));
    assert_false(cockpit_scene_shows(&sc, "mmu_update"));
    type(&sc, ":filter nr==\n");
    assert_true(!strncmp(cockpit_scene_said(&sc), "error: ", 7));
    type(&sc, ":search nowhere_to_be_found\n");
    assert_true(strstr(cockpit_scene_said(&sc), "is in no row"));
    type(&sc, ":panel tarce\n");
    assert_true(strstr(cockpit_scene_said(&sc), "trace"));
    cockpit_scene_end(&sc);
}

/* A row of the trace is a place to go to. */
static void test_visit(void **state)
{
    struct cockpit_scene sc;

    cockpit_scene_begin(&sc, RINGS, 30, 100);
    type(&sc, ":x vector==13\n:panel trace\n:search stack_switch\n");
    cockpit_key(&sc.c, KEY_IS_ENTER);
    assert_true(strstr(cockpit_scene_said(&sc), "  goto  d1v0"));
    assert_false(rewind_is_live(&sc.s.g.rw));
    type(&sc, "y");
    assert_true(strstr(cockpit_scene_said(&sc), "stack_switch"));
    cockpit_scene_end(&sc);
}

static const struct table_row *row_of(struct cockpit_scene *sc, const char *panel, const char *key, struct table *shown)
{
    struct cockpit_panel *p = &sc->c.panel[panel_find(panel, (unsigned int)strlen(panel))];

    cockpit_look(&sc->c, p);
    table_share(shown, &p->table, &p->then);
    for (size_t i = 0; i < shown->nr; i++)
        if (!strcmp(shown->row[i].key, key))
            return &shown->row[i];
    return NULL;
}

/* Against the last stop, whatever was asked since. */
static void test_changes_are_marked(void **state)
{
    struct cockpit_scene sc;
    struct table shown = { 0 };
    const struct table_row *row;

    cockpit_scene_begin(&sc, RINGS, 30, 100);
    type(&sc, "s:print 1\n:print 2\n");
    row = row_of(&sc, "registers", "rip", &shown);
    assert_true(row && row->changed);
    row = row_of(&sc, "registers", "cs", &shown);
    assert_true(row && !row->changed);
    type(&sc, "S");
    row = row_of(&sc, "registers", "rip", &shown);
    assert_true(row && row->changed);
    table_free(&shown);
    cockpit_scene_end(&sc);
}

/* The line of source of what is next is seen at any size, if the panel is. */
static void test_source_is_seen(void **state)
{
    static const unsigned int sizes[][2] = { { 24, 80 }, { 30, 100 }, { 40, 120 }, { 60, 200 } };
    struct cockpit_scene sc;

    cockpit_scene_begin(&sc, RINGS, 24, 80);
    type(&sc, ":break guest_main\nc");
    for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
        cockpit_resize(&sc.c, sizes[i][0], sizes[i][1]);
        assert_true(cockpit_scene_shows(&sc, " rings.c:"));
    }
    cockpit_scene_end(&sc);
}

/* --- what a newcomer looks for --- */

/* ? shows the help alone on the screen, and goes, by itself or by Escape, to where one was. */
static void test_help_comes_and_goes(void **state)
{
    struct cockpit_scene sc;
    unsigned int focus;

    cockpit_scene_begin(&sc, RINGS, 30, 100);
    type(&sc, "\t\t");
    focus = sc.c.focus;
    for (unsigned int i = 0; i < 2; i++) {
        type(&sc, "?");
        assert_true(cockpit_scene_shows(&sc, "[HELP]") && cockpit_scene_shows(&sc, "| zoomed") &&
                    cockpit_scene_shows(&sc, "so many times"));
        cockpit_key(&sc.c, i ? KEY_IS_ESCAPE : '?');
        assert_false(cockpit_scene_shows(&sc, "HELP"));
        assert_int_equal(sc.c.focus, focus);
    }
    type(&sc, ":zoom halp\n");
    assert_true(strstr(cockpit_scene_said(&sc), "help"));
    cockpit_scene_end(&sc);
}

/* A filter before Enter, and not behind Escape; what a command that is typed wants. */
static void test_typing_is_seen(void **state)
{
    struct cockpit_scene sc;

    cockpit_scene_begin(&sc, RINGS, 40, 160);
    type(&sc, "?&jump");
    assert_true(cockpit_scene_shows(&sc, "jump NAME"));
    assert_false(cockpit_scene_shows(&sc, "over [N]"));
    cockpit_key(&sc.c, KEY_IS_ESCAPE);
    assert_true(cockpit_scene_shows(&sc, "over [N]"));
    type(&sc, "?g");
    assert_true(cockpit_scene_shows(&sc, "POS  #INSN, #INSN.STEP, 107us"));
    type(&sc, "begin; watch ");
    assert_true(cockpit_scene_shows(&sc, "[r|w|c]"));
    assert_false(cockpit_scene_shows(&sc, "#INSN.STEP, 107us"));
    cockpit_scene_end(&sc);
}

/* Whatever is made of the grid: a terminal's screen, text, a picture, a recording. */
static void test_ascii(void **state)
{
    struct cockpit_scene sc;
    struct grid g = { 0 };
    size_t beyond[2] = { 0 };

    cockpit_scene_begin(&sc, RINGS, 40, 160);
    type(&sc, "5h");
    for (unsigned int ascii = 0; ascii < 2; ascii++) {
        sc.c.ascii = ascii;
        assert_true(cockpit_draw(&sc.c, &g));
        for (size_t i = 0; i < (size_t)g.rows * g.cols; i++)
            beyond[ascii] += g.cell[i].ch < ' ' || g.cell[i].ch > '~';
    }
    assert_true(beyond[0] > 100 && !beyond[1]);
    grid_free(&g);
    cockpit_scene_end(&sc);
}

/* The ladder of another vCPU than the one that commands are about. */
static void test_ladder_of_another(void **state)
{
    struct cockpit_scene sc;

    cockpit_scene_of(&sc, "--max-vtime=12ms --vcpus=2 build/guests/smp", 40, 160);
    type(&sc, ":hypercall dom==1 && vcpu==1 && nr==sched_op\n:zoom ladder\n");
    assert_true(cockpit_scene_shows(&sc, "d1v0's kernel makes"));
    type(&sc, ":panel ladder d1v1\n");
    assert_true(cockpit_scene_shows(&sc, "[LADDER]─ d1v1 ─"));
    assert_true(cockpit_scene_shows(&sc, "d1v1's kernel makes"));
    assert_false(cockpit_scene_shows(&sc, "d1v0's kernel makes"));
    type(&sc, ":panel ladder d1v7\n");
    assert_true(strstr(cockpit_scene_said(&sc), "there is no d1v7"));
    type(&sc, ":panel ladder d0\n");
    assert_true(cockpit_scene_shows(&sc, "dom0's"));
    type(&sc, ":panel ladder d1v1x\n");
    assert_true(strstr(cockpit_scene_said(&sc), "dN or dNvM"));
    cockpit_scene_end(&sc);
}

/* How to leave, to ask and to get help can be read at the lowest width; no key is cut in two. */
static void test_the_footer_has_what_is_needed(void **state)
{
    static const unsigned int cols[] = { 80, 93, 100, 120, 147, 200 };
    struct cockpit_scene sc;

    for (size_t i = 0; i < ARRAY_SIZE(cols); i++) {
        cockpit_scene_begin(&sc, RINGS, 30, cols[i]);
        assert_true(cockpit_scene_shows(&sc, "  y why  ? help  q quit"));
        assert_true(cols[i] < 200 ||
                    (cockpit_scene_shows(&sc, ": command") && cockpit_scene_shows(&sc, "Backspace back") &&
                     cockpit_scene_shows(&sc, "v vcpu")));
        cockpit_scene_end(&sc);
    }
}

/* What is in no row of this panel may be in another that one sees; and a plain word filters the trace as well. */
static void test_search_and_filter_by_a_word(void **state)
{
    struct cockpit_scene sc;

    cockpit_scene_begin(&sc, RINGS, 40, 120);
    type(&sc, "c:panel registers\n/cli is refused\n");
    assert_string_equal(cockpit_focused(&sc.c)->ops->name, "trace");
    type(&sc, "&cli\nz");
    assert_true(cockpit_scene_shows(&sc, "executed cli at"));
    assert_false(cockpit_scene_shows(&sc, "hypercall_ret"));
    type(&sc, "&evtchn_snd==1\n");
    assert_true(!strncmp(cockpit_scene_said(&sc), "error: column 1", 15));
    type(&sc, "&\n/no such text\n");
    assert_true(cockpit_scene_shows(&sc, "error: \"no such text\" is in no row of trace"));
    cockpit_key(&sc.c, KEY_IS_UP);
    assert_false(cockpit_scene_shows(&sc, "error: "));
    cockpit_scene_end(&sc);
}

/* What is chosen of the screen, as text. */
static void choices(struct cockpit_scene *sc, char text[256])
{
    const struct cockpit_panel *p = cockpit_focused(&sc->c);

    snprintf(text, 256, "%s of %s, row %s, column %d, d%uv%u", p->ops->name, sc->c.layout, p->view.cursor, p->view.sort,
             sc->s.g.dbg.dom, sc->s.g.dbg.vcpu);
}

/* What goes forward on the screen goes back as well: other panels, vCPUs, rows that are searched for, layouts. */
static void test_keys_of_the_screen_have_their_twins(void **state)
{
    static const int pairs[][2] = { { KEY_IS_TAB, KEY_IS_BACKTAB }, { 'v', 'V' }, { ';', ',' }, { '>', '<' },
                                    { KEY_IS_UP, KEY_IS_DOWN },     { 'o', 'O' } };
    char before[256], between[256], after[256];
    struct cockpit_scene sc;

    cockpit_scene_of(&sc, "--max-vtime=12ms --pcpus 2 --vcpus 3 build/guests/smp", 40, 120);
    type(&sc, "40h:panel trace\n/hypercall\n;;;");
    for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
        choices(&sc, before);
        for (unsigned int n = 0; n < 3; n++)
            cockpit_key(&sc.c, pairs[i][0]);
        choices(&sc, between);
        for (unsigned int n = 0; n < 3; n++)
            cockpit_key(&sc.c, pairs[i][1]);
        choices(&sc, after);
        if (pairs[i][0] != 'o') /* that begins with its first panel */
            assert_string_equal(before, after);
        assert_string_not_equal(before, between);
    }
    assert_string_equal(sc.c.layout, "main");
    cockpit_scene_end(&sc);
}

/* Of the trace nothing goes away by going on; going back it does. */
static void test_the_past_is_not_gone(void **state)
{
    struct cockpit_scene sc;

    cockpit_scene_begin(&sc, RINGS, 40, 120);
    type(&sc, ":panel trace\nz3h");
    for (unsigned int i = 0; i < 6; i++) {
        type(&sc, i % 2 ? "c" : ":goto 60us\n:goto 4ms\n");
        assert_false(cockpit_scene_shows(&sc, "\n~#"));
    }
    type(&sc, "5H");
    assert_true(cockpit_scene_shows(&sc, "\n~#"));
    cockpit_scene_end(&sc);
}

/* Two keys: on to the next change of vCPUs, and why. */
static void test_which_port_woke_it(void **state)
{
    struct cockpit_scene sc;

    cockpit_scene_of(&sc, "--max-vtime=400ms build/guests/timer", 30, 100);
    type(&sc, ":goto 110009us\nwww");
    type(&sc, "y");
    assert_true(strstr(cockpit_scene_said(&sc), "d1v0 is running"));
    assert_true(strstr(cockpit_scene_said(&sc), "woken by port 3 (VIRQ_TIMER)"));
    type(&sc, "W");
    type(&sc, ":why d1\n");
    assert_true(strstr(cockpit_scene_said(&sc), "It wakes on port 3 (VIRQ_TIMER); one-shot timer at 111.007"));
    cockpit_scene_end(&sc);
}

/* Of a line of a console y says that it was written. */
static void test_a_line_of_a_console(void **state)
{
    struct cockpit_scene sc;

    cockpit_scene_begin(&sc, RINGS, 40, 120);
    type(&sc, "c:panel console\n/With IOPL 1\ny");
    assert_true(strstr(cockpit_scene_said(&sc), "d1 writes to its console: "));
    assert_true(strstr(cockpit_scene_said(&sc), "Cost: "));
    cockpit_scene_end(&sc);
}

/* A crash is on the bar of the timeline, before one is back at it and behind; whoever is asked for then says how. */
static void test_a_crash_is_on_the_timeline(void **state)
{
    struct cockpit_scene sc;
    const struct table_row *row;
    struct table shown = { 0 };

    cockpit_scene_of(&sc, "--max-vtime=100ms build/guests/hostile build/guests/hello", 40, 120);
    assert_false(cockpit_scene_shows(&sc, "!"));
    type(&sc, "c:why d1\n");
    assert_true(strstr(cockpit_scene_said(&sc), "d1 is there no more: destroyed at "));
    assert_true(strstr(cockpit_scene_said(&sc), "It crashed at "));
    assert_true(cockpit_scene_shows(&sc, "!"));
    type(&sc, ":jump why\n:why d1\n");
    assert_true(strstr(cockpit_scene_said(&sc), "its domain has shut down") &&
                strstr(cockpit_scene_said(&sc), "d1: crash: "));
    type(&sc, ":goto begin\n");
    assert_true(cockpit_scene_shows(&sc, "!"));
    row = row_of(&sc, "timeline", "crash 0", &shown);
    assert_true(row && strstr(row->cell[1], "d1 crashes: ") && row->go);
    table_free(&shown);
    cockpit_scene_end(&sc);
}

/* --- `why`, of each row --- */

/*
 * Rows of which nothing is asked: they say themselves what they are, and y is about the vCPU. A message was an answer,
 * a tour's lines are told, the help's legend is of the screen.
 */
static bool speaks_for_itself(const char *panel, const char *key)
{
    return !strcmp(panel, "messages") || !strcmp(panel, "tour") ||
           (!strcmp(panel, "help") && (!strncmp(key, "legend ", 7) || !strcmp(key, "key :")));
}

#ifdef __SANITIZE_ADDRESS__ /* each costs fifteen times as much: as many kinds, fewer of them */
#define VISITS        1
#define ROWS          4
#define RANDOM_EVENTS 60
#else
#define VISITS        4
#define ROWS          12
#define RANDOM_EVENTS 250
#endif

/* The cursor on each row (of long panels: about ROWS), y pressed: there is a sentence, and it is about that row. */
static void ask_each_row(struct cockpit_scene *sc, const char *where, unsigned int *asked, unsigned int *wrong)
{
    for (unsigned int n = 0; n < sc->c.nr_panels; n++) {
        struct cockpit_panel *p = &sc->c.panel[n];
        struct table shown = { 0 };
        char key[TABLE_KEY];

        sc->c.focus = n;
        cockpit_look(&sc->c, p);
        table_share(&shown, &p->table, &p->then);
        for (size_t i = 0; i < shown.nr; i += 1 + shown.nr / ROWS) {
            const struct position here = debugger_here(&sc->s.g.dbg);
            struct position after;
            const size_t said = said_nr(sc->s.g.said);

            memcpy(key, shown.row[i].key, sizeof(key));
            if (speaks_for_itself(p->ops->name, key))
                continue;
            memcpy(p->view.cursor, key, sizeof(key));
            p->view.follow = false;
            cockpit_line(&sc->c, "ask");
            ++*asked;
            if ((!shown.row[i].ask && !shown.row[i].gone) || said_nr(sc->s.g.said) == said ||
                !*cockpit_scene_said(sc) || !strncmp(cockpit_scene_said(sc), "error", 5) ||
                (strcmp(p->ops->name, "help") != 0 && strchr(cockpit_scene_said(sc), '?')))
                print_error("%s: %s of %s, \"%s\": %s\n", where, key, p->ops->name, shown.row[i].ask ?: "nothing",
                            cockpit_scene_said(sc)),
                    ++*wrong;
            after = debugger_here(&sc->s.g.dbg);
            assert_memory_equal(&here, &after, sizeof(here));
        }
        table_free(&shown);
    }
}

static void test_every_row_has_its_sentence(void **state)
{
    static const struct {
        const char *guests;
        const char *lines[4];
    } visits[] = {
        { "--max-vtime=12ms build/guests/rings", { "exit vector==13", "continue" } },
        { "--max-vtime=12ms build/guests/pagetables", { "event pte && ret<0", "mark a", "reverse-hypercall" } },
        { "--max-vtime=12ms build/guests/store", { "event xs && op==write", "hypercall", "continue" } },
        { "--max-vtime=12ms tests/guest/grants-owner.cfg tests/guest/grants-user.cfg",
          { "event grant_map", "event grant_unmap", "continue" } },
        { "--max-vtime=12ms --pcpus 2 --vcpus 4 build/guests/smp", { "20 switch", "continue" } },
        { "--max-vtime=12ms --disk docs/tours/tour.disk --cmdline write=9 build/guests/blkcat", { "9 event ring" } },
        { "--max-vtime=12ms --copies 2 --net lan --cmdline n=9 build/guests/netecho", { "4 event net_frame" } },
    };
    unsigned int asked = 0, wrong = 0;

    for (size_t i = 0; i < ARRAY_SIZE(visits); i++) {
        struct cockpit_scene sc;

        cockpit_scene_of(&sc, visits[i].guests, 60, 200);
        for (unsigned int n = 0; n < VISITS && visits[i].lines[n]; n++) {
            cockpit_line(&sc.c, visits[i].lines[n]);
            ask_each_row(&sc, visits[i].guests, &asked, &wrong);
        }
        cockpit_scene_end(&sc);
    }
    print_message("%u rows asked\n", asked);
    assert_true(asked > (VISITS == 1 ? 200 : 800));
    assert_int_equal(wrong, 0);
}

/* --- anything --- */

static void test_too_small(void **state)
{
    static const unsigned int sizes[][2] = { { 1, 1 }, { 2, 80 }, { 23, 80 }, { 24, 79 }, { 24, 8 }, { 3, 300 } };
    struct cockpit_scene sc;

    cockpit_scene_begin(&sc, RINGS, 24, 80);
    for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
        cockpit_resize(&sc.c, sizes[i][0], sizes[i][1]);
        free(cockpit_scene_text(&sc));
        type(&sc, "s");
    }
    cockpit_resize(&sc.c, 23, 100);
    assert_true(cockpit_scene_shows(&sc, "100 x 23 is too small, 80 x 24 is needed"));
    cockpit_resize(&sc.c, 24, 80);
    assert_false(cockpit_scene_shows(&sc, "too small"));
    cockpit_scene_end(&sc);
}

static void random_event(struct cockpit_scene *sc)
{
    static const char *const lines[] = { "layout next", "layout main", "panel help",  "panel machine", "zoom",
                                         "sort right",  "sort turn",   "filter x",    "filter",        "search 0",
                                         "run",         "run 5us",     "speed 5us/s", "speed",         "speed x",
                                         "cursor last", "vcpu next",   "palette",     "explain #5",    "goto 1",
                                         "mark a" };
    static const int keys[] = {
        KEY_IS_TAB,  KEY_IS_BACKTAB, KEY_IS_DOWN,   KEY_IS_UP,   KEY_IS_PAGE_DOWN, KEY_IS_ENTER,
        KEY_IS_HOME, KEY_IS_END,     KEY_IS_ESCAPE, KEY_IS_LEFT, KEY_IS_BACKSPACE, KEY_IS_DELETE
    };

    switch (random_of(&prng, 8)) {
    case 0: cockpit_resize(&sc->c, 1 + random_of(&prng, 70), 1 + random_of(&prng, 250)); break;
    case 1: cockpit_mouse(&sc->c, random_of(&prng, 70), random_of(&prng, 250), (int)random_of(&prng, 3) - 1); break;
    case 2: cockpit_line(&sc->c, lines[random_of(&prng, ARRAY_SIZE(lines))]); break;
    case 3:
    case 4: cockpit_key(&sc->c, keys[random_of(&prng, ARRAY_SIZE(keys))]); break;
    default: cockpit_key(&sc->c, (int)(1 + random_of(&prng, 0x90)));
    }
    cockpit_run(&sc->c);
    free(cockpit_scene_text(sc));
    sc->c.quit = sc->s.g.quit = false;
}

/* While all sleep the machine's clock stands still: at any speed they wake up in time. */
static void test_sleeper_at_speed(void **state)
{
    struct cockpit_scene sc;

    cockpit_scene_of(&sc, "build/guests/suspend", 24, 80);
    cockpit_line(&sc.c, "speed 30ms/s");
    type(&sc, " ");
    for (unsigned int i = 0; i < 1000 && sc.c.running; i++)
        cockpit_run(&sc.c);
    assert_int_equal(host_guests_left(sc.s.g.host), 0);
    cockpit_scene_end(&sc);
}

static const char *const machines[] = {
    "--max-vtime=12ms build/guests/rings",
    "--max-vtime=12ms --pcpus 2 --vcpus 4 build/guests/smp",
    "--max-vtime=12ms build/tests/guest/old32", /* a PV32 guest */
    "--max-vtime=12ms tests/guest/pingpong-server.cfg tests/guest/pingpong-client.cfg",
    "--max-vtime=12ms build/guests/grants", /* it crashes */
    "--max-vtime=12ms --on-reboot restart build/guests/reboot",
};

/* From the beginning of history and from its end; and afterwards, the machine is as it would have been. */
static void test_anything(void **state)
{
    for (size_t i = 0; i < ARRAY_SIZE(machines); i++) {
        struct cockpit_scene sc;
        uint64_t hash;

        cockpit_scene_of(&sc, machines[i], 24, 80);
        cockpit_line(&sc.c, "goto 4500us");
        hash = look_hash(sc.s.g.host);
        cockpit_line(&sc.c, i % 2 ? "goto begin" : "goto 1s");
        for (unsigned int n = 0; n < RANDOM_EVENTS; n++)
            random_event(&sc);
        sc.c.running = false;
        cockpit_resize(&sc.c, 24, 80);
        cockpit_key(&sc.c, KEY_IS_ESCAPE);
        assert_int_equal(sc.s.g.rw.nr_branches, 0);
        cockpit_line(&sc.c, "goto 4500us");
        assert_int_equal(look_hash(sc.s.g.host), hash);
        cockpit_scene_end(&sc);
    }
}

/* The machine at a position is the same, with and without a screen on the way. */
static void test_looking_changes_nothing(void **state)
{
    uint64_t hash[2];

    for (unsigned int with = 0; with < 2; with++) {
        struct cockpit_scene sc;

        cockpit_scene_begin(&sc, RINGS, 60, 200);
        for (unsigned int n = 0; with && n < 40; n++) {
            type(&sc, n % 3 ? "t" : "h");
            free(cockpit_scene_text(&sc));
        }
        for (unsigned int n = 0; with && n < 40; n++) {
            type(&sc, n % 2 ? "S" : "T");
            free(cockpit_scene_text(&sc));
        }
        type(&sc, ":goto 5ms\n");
        hash[with] = look_hash(sc.s.g.host);
        cockpit_scene_end(&sc);
    }
    assert_int_equal(hash[0], hash[1]);
}

/* Whatever a file is called: blanks are of its name, and so is what is within "". */
static void test_names_of_files(void **state)
{
    static const struct {
        const char *command, *name, *behind;
    } lines[] = {
        { "shot ", "a b.svg", "" },          { "shot \"", "c;d.svg", "\"" },     { "symbols ", "e f", "" },
        { "symbols \"", "g;h", "\"" },       { "record ", "i j", "" },           { "record \"", "k;l", "\"" },
        { "export svg ", "m", "" },          { "export svg \"", "n o;p", "\"" }, { "export svg \"", "q r", "\" #0 #9" },
        { "record \"", "s t", "\"; where" },
    };
    char dir[] = "/tmp/xenlab-names-XXXXXX", line[128], path[128];
    struct cockpit_scene sc;

    assert_non_null(mkdtemp(dir));
    cockpit_scene_begin(&sc, (char *)(uintptr_t) "build/guests/rings", 24, 80);
    for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
        snprintf(line, sizeof(line), "%s%s/%s%s", lines[i].command, dir, lines[i].name, lines[i].behind);
        cockpit_line(&sc.c, line);
        if (sc.s.g.failed)
            fail_msg("%s: %s", line, cockpit_scene_said(&sc));
        snprintf(path, sizeof(path), "%s/%s", dir, lines[i].name);
        assert_int_equal(unlink(path), 0);
    }
    cockpit_line(&sc.c, "symbols \"/tmp/x");
    assert_non_null(strstr(cockpit_scene_said(&sc), "has no end"));
    cockpit_line(&sc.c, "record \"/tmp/x\" y");
    assert_non_null(strstr(cockpit_scene_said(&sc), "behind the file's name there is \" y\""));
    assert_int_equal(rmdir(dir), 0);
    cockpit_scene_end(&sc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names_of_files),
        cmocka_unit_test(test_every_key_fires),
        cmocka_unit_test(test_no_key),
        cmocka_unit_test(test_forward_and_back),
        cmocka_unit_test(test_prompt),
        cmocka_unit_test(test_question),
        cmocka_unit_test(test_panels),
        cmocka_unit_test(test_visit),
        cmocka_unit_test(test_changes_are_marked),
        cmocka_unit_test(test_source_is_seen),
        cmocka_unit_test(test_help_comes_and_goes),
        cmocka_unit_test(test_the_footer_has_what_is_needed),
        cmocka_unit_test(test_search_and_filter_by_a_word),
        cmocka_unit_test(test_typing_is_seen),
        cmocka_unit_test(test_ascii),
        cmocka_unit_test(test_ladder_of_another),
        cmocka_unit_test(test_keys_of_the_screen_have_their_twins),
        cmocka_unit_test(test_the_past_is_not_gone),
        cmocka_unit_test(test_which_port_woke_it),
        cmocka_unit_test(test_a_line_of_a_console),
        cmocka_unit_test(test_a_crash_is_on_the_timeline),
        cmocka_unit_test(test_every_row_has_its_sentence),
        cmocka_unit_test(test_too_small),
        cmocka_unit_test(test_sleeper_at_speed),
        cmocka_unit_test(test_anything),
        cmocka_unit_test(test_looking_changes_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
