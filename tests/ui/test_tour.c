// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Tours: each mistake in a file has its place, and no file does harm; what does not hold is said with its values; going
 * about in a tour as a presenter does comes to where giving it straight comes; and what is exported shows the screens
 * that were there.
 *
 * Budget: a terminal that plays recordings, and a checker of markup.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/random.h"
#include "tests/ui/cockpit.h"
#include "ui/tour/export.h"
#include "ui/tour/play.h"

static uint64_t prng = 1;

/* --- files --- */

#define HEAD "tour T\nguest build/guests/rings\n"

static const struct {
    const char *text, *complaint;
} mistakes[] = {
    { "", "f.tour: it has no title: tour TITLE" },
    { "tour\nguest g\n== one\n", "f.tour: it has no title: tour TITLE" },
    { "tour T\n== one\n", "f.tour: it has no guest: guest PATH" },
    { HEAD, "f.tour: it has no steps: == TITLE" },
    { HEAD "tour U\n", "f.tour:3: there is a tour line already" },
    { HEAD "\nguest other\n", "f.tour:4: there is a guest line already: several guests stand on one" },
    { "tour T\nguest\n", "f.tour:2: guest PATH: as for xenlab run" },
    { "tour T\nguest   \n", "f.tour:2: guest PATH: as for xenlab run" },
    { HEAD "==\n", "f.tour:3: a step has a title: == TITLE" },
    { HEAD "== \t\r\n", "f.tour:3: a step has a title: == TITLE" },
    { HEAD "| words\n", "f.tour:3: no step has begun yet: == TITLE" },
    { HEAD "> step\n", "f.tour:3: no step has begun yet: == TITLE" },
    { HEAD "= 1\n", "f.tour:3: no step has begun yet: == TITLE" },
    { HEAD "== one\nstep\n", "f.tour:4: \"step\" is no line of a tour: tour, guest, ==, |, >, =, ?, ! or #" },
    { HEAD "== one\n | words\n", "f.tour:4: \" | words\" is no line of a tour: tour, guest, ==, |, >, =, ?, ! or #" },
    { HEAD "tourist\n", "f.tour:3: \"tourist\" is no line of a tour: tour, guest, ==, |, >, =, ?, ! or #" },
    { HEAD "== one\n===\n", NULL }, /* an expectation of "==", which is none, but that is seen when it is given */
    { HEAD "# a comment\n\n== one\n", NULL },
    { HEAD "== one\n|\n>\n=\n?\n!", NULL },
    { "tour T\r\nguest a b\r\n== one\r\n| words \r\n", NULL },
};

static void test_mistakes_have_places(void **state)
{
    char err[TOUR_ERR_SIZE];
    struct tour t;

    for (size_t i = 0; i < ARRAY_SIZE(mistakes); i++) {
        const int rc = tour_parse(&t, "f.tour", mistakes[i].text, strlen(mistakes[i].text), err);

        assert_int_equal(rc, mistakes[i].complaint ? -1 : 0);
        if (rc)
            assert_string_equal(err, mistakes[i].complaint);
        tour_free(&t);
    }
    assert_int_equal(tour_parse(&t, "f.tour", HEAD "\0", sizeof(HEAD), err), -1);
    assert_string_equal(err, "f.tour: this is no text");
    tour_free(&t);
    assert_int_equal(tour_load(&t, "/tmp/there/is/none.tour", err), -1);
    assert_non_null(strstr(err, "No such file"));
    tour_free(&t);
    assert_int_equal(tour_load(&t, "/tmp", err), -1);
    tour_free(&t);
}

static void test_guest_words(void **state)
{
    static const char text[] = "tour T\nguest --name \"a b\" \"c;d\" e\"f \"\" \"g\n== one\n";
    static const char *const words[] = { "--name", "a b", "c;d", "e\"f", "", "g" };
    char err[TOUR_ERR_SIZE];
    struct tour t;

    assert_int_equal(tour_parse(&t, "f.tour", text, sizeof(text) - 1, err), 0);
    assert_int_equal(t.nr_words, ARRAY_SIZE(words));
    for (size_t i = 0; i < ARRAY_SIZE(words); i++)
        assert_string_equal(t.guest[i], words[i]);
    tour_free(&t);
}

static void test_all_lines_are_there(void **state)
{
    static const char text[] = HEAD "== one\n|  a  \n> b; c\n= d\n== two\n? e\n! f\n#\n";
    char err[TOUR_ERR_SIZE];
    struct tour t;

    assert_int_equal(tour_parse(&t, "f.tour", text, sizeof(text) - 1, err), 0);
    assert_string_equal(t.title, "T");
    assert_int_equal(t.nr, 2);
    assert_int_equal(t.step[0].nr, 3);
    assert_string_equal(t.step[0].line[0].text, "a");
    assert_int_equal(t.step[0].line[1].kind, '>');
    assert_string_equal(t.step[0].line[1].text, "b; c");
    assert_int_equal(t.step[0].line[2].number, 6);
    assert_string_equal(t.step[1].title, "two");
    assert_int_equal(t.step[1].nr, 2);
    tour_free(&t);
}

/* Parts of tours, cut and mixed: what is read is a tour, what is refused says why, and all is given back. */
static void test_random_files(void **state)
{
    static const char *const parts[] = { "tour ", "guest ", "== ",  "==",       "| ",        "> ",    "= ",   "? ",
                                         "! ",    "#",      "\n",   "\n\n",     "build/",    "step",  "\r\n", "\t ",
                                         " ",     "\0",     "\xff", "tour T\n", "guest g\n", "== s\n" };
    unsigned int read = 0, refused = 0;

    for (unsigned int i = 0; i < 20000; i++) {
        char text[256], err[TOUR_ERR_SIZE] = "";
        struct tour t;
        size_t n = 0;

        for (unsigned int k = random_of(&prng, 20); k; k--) {
            const unsigned int which = random_of(&prng, ARRAY_SIZE(parts));
            const size_t len = parts[which][0] ? strlen(parts[which]) : random_of(&prng, 8) == 0;

            memcpy(text + n, parts[which], len);
            n += len;
        }
        if (tour_parse(&t, "f.tour", text, n, err) == 0) {
            read++;
            assert_true(t.title[0] && t.nr && t.nr_words);
        } else {
            refused++;
            assert_int_equal(strncmp(err, "f.tour:", 7), 0);
        }
        tour_free(&t);
    }
    assert_true(read > 50 && refused > 1000);
}

/* The tours that there are, with bytes changed, cut out, doubled: as above. */
static void test_mutants(void **state)
{
    static const char *const names[] = { "cli",     "crash",     "credit",    "grants",
                                         "syscall", "lostevent", "pagefault", "validation" };
    unsigned int read = 0, refused = 0;

    for (unsigned int i = 0; i < 4000; i++) {
        char path[64], err[TOUR_ERR_SIZE] = "", text[16384];
        struct tour t;
        size_t n, at, len;
        FILE *in;

        snprintf(path, sizeof(path), "docs/tours/%s.tour", names[i % ARRAY_SIZE(names)]);
        in = fopen(path, "r");
        assert_non_null(in);
        n = fread(text, 1, sizeof(text) / 2, in);
        fclose(in);
        at = random_of(&prng, (unsigned int)n);
        len = random_of(&prng, (unsigned int)(n - at) + 1);
        switch (random_of(&prng, 4)) {
        case 0: n = at; break;
        case 1:
            memmove(text + at, text + at + len, n - at - len);
            n -= len;
            break;
        case 2:
            memmove(text + n, text + at, len);
            n += len;
            break;
        default:
            for (unsigned int k = random_of(&prng, 20); k; k--)
                text[random_of(&prng, (unsigned int)n)] = "\n=>|!?# \0\xff"[random_of(&prng, 10)];
        }
        if (tour_parse(&t, "f.tour", text, n, err) == 0) {
            read++;
        } else {
            refused++;
            assert_int_equal(strncmp(err, "f.tour:", 7), 0);
        }
        tour_free(&t);
    }
    assert_true(read > 500 && refused > 500);
}

/* --- giving one --- */

struct given {
    struct cockpit_scene sc;
    struct tour tour;
    struct tour_play play;
};

static void line(void *data, const char *text) { cockpit_line(data, text); }

static void given_begin(struct given *g, const char *text, const char *path)
{
    char err[TOUR_ERR_SIZE];

    if (text ? tour_parse(&g->tour, path, text, strlen(text), err) : tour_load(&g->tour, path, err))
        fail_msg("%s", err);
    cockpit_scene_begin(&g->sc, g->tour.guest[0], 40, 120);
    assert_true(play_begin(&g->play, &g->tour, &g->sc.s.g));
    g->play.line = line;
    g->play.data = &g->sc.c;
    cockpit_line(&g->sc.c, "layout tour");
}

static void given_end(struct given *g)
{
    play_end(&g->play);
    cockpit_scene_end(&g->sc);
    tour_free(&g->tour);
}

/* The last line that begins with "error: " and what follows. */
static void expect_said(const struct given *g, const char *text)
{
    const struct said *said = g->sc.s.g.said;

    for (size_t i = said_nr(said); i-- > said_first(said);)
        if (strstr(said_line(said, i), text))
            return;
    fail_msg("nobody says %s", text);
}

static void test_what_does_not_hold(void **state)
{
    static const struct {
        const char *line, *complaint;
    } wrong[] = {
        { "= mode==user && %cpl==0",
          "f.tour:5: = mode==user && %cpl==0 does not hold; mode is kernel; %cpl is 0x3 (at " },
        { "= vector==14", "f.tour:5: = vector==14 does not hold; vector is 13 (at " },
        { "= error & 1 == 1", "f.tour:5: = error & 1 == 1 does not hold; error & 1 is 0x0 (at " },
        { "= !(vector==13 || ret<0)", "does not hold; vector is 13; ret has no value here (at " },
        { "= kind==syscall", "kind is exception" },
        { "= u8[%rip + 1]<<4==1", "u8[%rip + 1]<<4 is 0x" },
        { "= nr==iret", "f.tour:5: = nr==iret does not hold; nr has no value here (at " },
        { "= there_is_none", "there is no field, event or symbol \"there_is_none\"" },
        { "=", "f.tour:5: =  does not hold" },
        { "> there_is_none", "f.tour:5: this command has failed (at " },
        { "> print 1; break nowhere", "f.tour:5: this command has failed (at " },
    };

    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
        char text[256];
        struct given g;

        snprintf(text, sizeof(text), "%s== one\n> x vector==13\n%s\n", HEAD, wrong[i].line);
        given_begin(&g, text, "f.tour");
        assert_true(play_next(&g.play));
        assert_int_equal(g.play.failures, 1);
        expect_said(&g, wrong[i].complaint);
        assert_false(play_next(&g.play));
        given_end(&g);
    }
}

static uint64_t hash(struct given *g)
{
    unsigned long long h = 0;

    cockpit_line(&g->sc.c, "hash");
    assert_int_equal(sscanf(cockpit_scene_said(&g->sc), "hash %llx", &h), 1);
    return h;
}

/* As an audience knows them: forward and back, straying, and back to the step. */
static void presenter(struct given *g)
{
    static const int keys[] = {
        KEY_IS_RIGHT, KEY_IS_RIGHT, KEY_IS_RIGHT, KEY_IS_LEFT, KEY_IS_LEFT, ' ', '.', 'P', 'r'
    };
    static const int strays[] = { 's', 'S', 'x', 'X', 'h', 'H', 't', 'y', 'v', 'o', KEY_IS_DOWN, KEY_IS_TAB };

    if (random_of(&prng, 4)) {
        cockpit_key(&g->sc.c, keys[random_of(&prng, ARRAY_SIZE(keys))]);
        return;
    }
    cockpit_key(&g->sc.c, KEY_IS_ESCAPE);
    for (unsigned int i = random_of(&prng, 6); i; i--)
        cockpit_key(&g->sc.c, strays[random_of(&prng, ARRAY_SIZE(strays))]);
    if (random_of(&prng, 2))
        cockpit_key(&g->sc.c, 'r');
    else
        cockpit_line(&g->sc.c, random_of(&prng, 2) ? "tour next" : "tour previous");
}

static void test_presenters_come_to_the_same(void **state)
{
    uint64_t straight[32];
    unsigned int moves = 0, looked = 0;
    struct given g;

    given_begin(&g, NULL, "docs/tours/cli.tour");
    for (size_t i = 0; play_next(&g.play); i++)
        straight[i] = hash(&g);
    assert_int_equal(g.play.failures, 0);
    given_end(&g);
    for (unsigned int round = 0; round < 8; round++) {
        given_begin(&g, NULL, "docs/tours/cli.tour");
        play_next(&g.play);
        for (unsigned int i = 0; i < 60; i++, moves++) {
            presenter(&g);
            assert_false(g.sc.c.quit);
            if (g.play.shown.exploring ||
                memcmp(&g.play.end[g.play.shown.at].place.at, &g.sc.s.g.rw.m->at, sizeof(struct position)))
                continue;
            looked++;
            assert_int_equal(hash(&g), straight[g.play.shown.at]);
        }
        cockpit_line(&g.sc.c, "tour 10");
        assert_int_equal(hash(&g), straight[9]);
        assert_int_equal(g.play.failures, 0);
        given_end(&g);
    }
    assert_true(looked > moves / 2);
}

/* --- keys --- */

/* What is told of a step is on the screen, to its last word, in each size and for a room. */
static void test_all_words_are_shown(void **state)
{
    static const unsigned int sizes[][2] = { { 24, 80 }, { 40, 120 }, { 60, 200 } };
    struct given g;

    given_begin(&g, NULL, "docs/tours/cli.tour");
    while (play_next(&g.play))
        for (unsigned int i = 0; i < 6; i++) {
            const char *last = g.play.shown.line[g.play.shown.nr_lines - 1].text, *word = strrchr(last, ' ') + 1;

            cockpit_resize(&g.sc.c, sizes[i / 2][0], sizes[i / 2][1]);
            g.play.shown.revealed = true;
            if (!cockpit_scene_shows(&g.sc, word))
                fail_msg("step %zu, %ux%u: no \"%s\"", g.play.shown.at + 1, sizes[i / 2][1], sizes[i / 2][0], word);
            cockpit_key(&g.sc.c, 'P');
        }
    given_end(&g);
}

/* A tour's own layout comes back after that for a room. */
static void test_own_layout(void **state)
{
    struct given g;

    given_begin(&g, HEAD "== one\n> layout tour=6|timers; x\n== two\n> x\n", "f.tour");
    play_next(&g.play);
    assert_true(cockpit_scene_shows(&g.sc, "TIMERS") && !cockpit_scene_shows(&g.sc, "LADDER"));
    cockpit_key(&g.sc.c, 'P');
    assert_true(!cockpit_scene_shows(&g.sc, "TIMERS") && cockpit_scene_shows(&g.sc, "LADDER"));
    cockpit_key(&g.sc.c, KEY_IS_RIGHT);
    cockpit_key(&g.sc.c, 'P');
    assert_true(cockpit_scene_shows(&g.sc, "TIMERS") && !cockpit_scene_shows(&g.sc, "LADDER"));
    given_end(&g);
}

/* Behind an answer that is not shown nothing is told. */
static void test_nothing_gives_an_answer_away(void **state)
{
    struct given g;

    given_begin(&g, HEAD "== one\n| earlier\n! so\n| plugh\n", "f.tour");
    play_next(&g.play);
    assert_true(cockpit_scene_shows(&g.sc, "earlier") && !cockpit_scene_shows(&g.sc, "plugh"));
    cockpit_key(&g.sc.c, ' ');
    assert_true(cockpit_scene_shows(&g.sc, "earlier") && cockpit_scene_shows(&g.sc, "answer: so") &&
                cockpit_scene_shows(&g.sc, "plugh"));
    given_end(&g);
}

static void test_keys(void **state)
{
    struct position at;
    struct given g;
    char *screen;

    given_begin(&g, HEAD "== one\n| words\n? why\n> x vector==13\n! so\n== two\n> t\n", "f.tour");
    play_next(&g.play);
    at = g.sc.s.g.rw.m->at;
    screen = cockpit_scene_text(&g.sc);
    assert_true(strstr(screen, "words") && strstr(screen, "why") && !strstr(screen, "answer: so"));
    free(screen);
    cockpit_key(&g.sc.c, ' ');
    screen = cockpit_scene_text(&g.sc);
    assert_non_null(strstr(screen, "answer: so"));
    free(screen);
    cockpit_key(&g.sc.c, '.');
    screen = cockpit_scene_text(&g.sc);
    assert_int_equal(strspn(screen, " \n"), strlen(screen));
    free(screen);
    cockpit_key(&g.sc.c, '.');
    assert_true(cockpit_scene_shows(&g.sc, "REGISTERS"));
    cockpit_key(&g.sc.c, 'P');
    assert_true(cockpit_scene_shows(&g.sc, "answer: so") && cockpit_scene_shows(&g.sc, "LADDER") &&
                !cockpit_scene_shows(&g.sc, "REGISTERS"));
    cockpit_key(&g.sc.c, 'P');
    assert_true(cockpit_scene_shows(&g.sc, "REGISTERS"));
    cockpit_key(&g.sc.c, KEY_IS_RIGHT);
    assert_int_equal(g.play.shown.at, 1);
    cockpit_key(&g.sc.c, KEY_IS_RIGHT);
    expect_said(&g, "that was the last step");
    cockpit_key(&g.sc.c, KEY_IS_LEFT);
    cockpit_key(&g.sc.c, KEY_IS_LEFT);
    expect_said(&g, "this is the first step");
    assert_memory_equal(&at, &g.sc.s.g.rw.m->at, sizeof(at));
    cockpit_key(&g.sc.c, KEY_IS_ESCAPE);
    cockpit_key(&g.sc.c, 's');
    cockpit_key(&g.sc.c, 's');
    assert_true(memcmp(&at, &g.sc.s.g.rw.m->at, sizeof(at)));
    cockpit_key(&g.sc.c, 'r');
    assert_memory_equal(&at, &g.sc.s.g.rw.m->at, sizeof(at));
    assert_false(g.play.shown.exploring);
    given_end(&g);
}

/* What the audience's questions have left (a breakpoint, another vCPU, another event) is not there in the next step. */
static void test_straying_leaves_nothing(void **state)
{
    struct given g;

    given_begin(&g, HEAD "== one\n> x vector==13\n== two\n> e verdict==refused\n= iopl==0\n== three\n> c\n= 0\n",
                "f.tour");
    play_next(&g.play);
    cockpit_key(&g.sc.c, KEY_IS_ESCAPE);
    cockpit_line(&g.sc.c, "break d1:trap_entries + 13*16; trace hypercall; 3s; vcpu d0; tour next");
    assert_int_equal(g.play.failures, 0);
    assert_int_equal(g.sc.s.g.dbg.dom, 1);
    assert_int_equal(g.sc.s.g.dbg.stops.nr, 0);
    cockpit_key(&g.sc.c, KEY_IS_RIGHT); /* to the end of the run, and what does not hold does not bring it back */
    assert_int_equal(g.play.failures, 1);
    assert_int_equal(g.play.shown.at, 2);
    assert_memory_equal(&g.play.end[2].place.at, &g.sc.s.g.rw.m->at, sizeof(struct position));
    assert_true(memcmp(&g.play.end[1].place.at, &g.sc.s.g.rw.m->at, sizeof(struct position)));
    given_end(&g);
}

/* A step that changes the past has another future: each step, and whoever strays, comes back to where it ended. */
static void test_steps_of_other_futures(void **state)
{
    static const char text[] = HEAD "== one\n> x vector==13; mark here\n== two\n> 3x\n== three\n"
                                    "> jump here; set %rax=7; 2x\n= 1\n== four\n> 2S\n== five\n"
                                    "> jump here; set %rax=8; x\n== six\n> 2X\n";
    uint64_t straight[6];
    unsigned int compared = 0;
    struct given g;

    given_begin(&g, text, "f.tour");
    g.sc.s.g.asked = true; /* and "y" was the answer */
    for (size_t i = 0; i < 6; i++) {
        assert_true(play_next(&g.play));
        straight[i] = hash(&g);
    }
    assert_int_equal(g.play.failures, 0);
    assert_int_equal(g.sc.s.g.rw.nr_branches, 2);
    for (unsigned int i = 0; i < 150; i++) {
        const unsigned int way = random_of(&prng, 8);

        cockpit_key(&g.sc.c, way < 2 ? KEY_IS_ESCAPE : way < 5 ? KEY_IS_LEFT : way < 7 ? KEY_IS_RIGHT : 'r');
        if (way < 2 && random_of(&prng, 4) == 0)
            cockpit_line(&g.sc.c, "S; S; set %rbx=9; x"); /* there is one more future */
        if (g.play.shown.exploring) {
            cockpit_key(&g.sc.c, 'r');
            assert_false(g.play.shown.exploring);
        }
        assert_memory_equal(&g.play.end[g.play.shown.at].place.at, &g.sc.s.g.rw.m->at, sizeof(struct position));
        assert_int_equal(hash(&g), straight[g.play.shown.at]);
        compared++;
    }
    assert_int_equal(g.play.failures, 0);
    assert_int_equal(compared, 150);
    given_end(&g);
}

/* --- exports --- */

static bool draw(void *data, struct grid *grid)
{
    struct given *g = data;

    return cockpit_draw(&g->sc.c, grid);
}

/* Export cli.tour to a file of this end; what is in it, to be freed. */
static char *exported(const char *end, char *path, size_t size)
{
    char dir[] = "/tmp/xenlab-test-XXXXXX", err[RUN_ERR_SIZE] = "", *text = NULL;
    struct given g;
    size_t len = 0;
    FILE *in;

    assert_non_null(mkdtemp(dir));
    snprintf(path, size, "%s/t%s", dir, end);
    given_begin(&g, NULL, "docs/tours/cli.tour");
    if (tour_export(&(struct tour_export){ &g.play, draw, &g, g.sc.c.palette, 120, 40 }, path, err, sizeof(err)))
        fail_msg("%s", err);
    assert_int_equal(g.play.failures, 0);
    given_end(&g);
    if (!strcmp(end, ".svg"))
        snprintf(path, size, "%s/t-10.svg", dir);
    in = fopen(path, "r");
    assert_non_null(in);
    assert_true(getdelim(&text, &len, '\0', in) > 0);
    fclose(in);
    return text;
}

static void unexport(const char *path)
{
    char dir[256];

    snprintf(dir, sizeof(dir), "%.*s", (int)(strrchr(path, '/') - path), path);
    for (unsigned int i = 0; i < 12; i++) {
        char name[300];

        snprintf(name, sizeof(name), "%s/t-%u.svg", dir, i);
        unlink(name);
    }
    unlink(path);
    assert_int_equal(rmdir(dir), 0);
}

/* A terminal that knows what the recording uses: ESC [H, [2J, [row;columnH, [...m. */
static void terminal(struct grid *g, const char *text)
{
    struct area a = grid_all(g);
    unsigned int row = 0, col = 0;

    while (*text) {
        int n = 0;
        unsigned int r, c;
        uint32_t ch = (unsigned char)*text;

        if (!strncmp(text, "\33[H\33[2J", 7)) {
            assert_true(grid_resize(g, g->rows, g->cols));
            a = grid_all(g);
            text += 7;
        } else if (sscanf(text, "\33[%u;%uH%n", &r, &c, &n) == 2 && n) {
            row = r - 1, col = c - 1;
            text += n;
        } else if (*text == '\33') {
            text += 2 + strspn(text + 2, "0123456789;");
            assert_int_equal(*text++, 'm');
        } else {
            const unsigned int len = ch < 0x80 ? 1 : ch < 0xe0 ? 2 : ch < 0xf0 ? 3 : 4;

            ch = len == 1 ? ch : ch & (0x7fu >> len);
            for (unsigned int i = 1; i < len; i++)
                ch = ch << 6 | ((unsigned char)text[i] & 0x3f);
            area_put(&a, row, col++, STYLE_text, ch);
            text += len;
        }
    }
}

/* Each line is JSON, times do not fall, each step has a marker and a screen: that of the tour as it is given. */
static void test_cast(void **state)
{
    char path[128], *text = exported(".cast", path, sizeof(path)), *rest = text;
    unsigned int markers = 0, screens = 0;
    double last = 0;
    struct given g;

    given_begin(&g, NULL, "docs/tours/cli.tour");
    for (char *one; (one = strtok_r(rest, "\n", &rest));) {
        struct json_object *o = json_tokener_parse(one);
        const char *kind, *data;
        struct grid grid = { .rows = 40, .cols = 120 };

        assert_non_null(o);
        if (one == text) {
            assert_int_equal(json_object_get_int(json_object_object_get(o, "version")), 2);
            assert_int_equal(json_object_get_int(json_object_object_get(o, "width")), 120);
            assert_int_equal(json_object_get_int(json_object_object_get(o, "height")), 40);
            assert_string_equal(json_object_get_string(json_object_object_get(o, "title")), g.tour.title);
            json_object_put(o);
            continue;
        }
        assert_int_equal(json_object_array_length(o), 3);
        assert_true(json_object_get_double(json_object_array_get_idx(o, 0)) >= last);
        last = json_object_get_double(json_object_array_get_idx(o, 0));
        kind = json_object_get_string(json_object_array_get_idx(o, 1));
        data = json_object_get_string(json_object_array_get_idx(o, 2));
        if (*kind == 'm') {
            assert_true(play_next(&g.play));
            assert_string_equal(data, g.play.shown.step);
            markers++;
        } else if (strlen(data) > 100) {
            char *drawn = NULL, *wanted;
            size_t size = 0;
            FILE *f = open_memstream(&drawn, &size);

            terminal(&grid, data);
            grid_write_text(&grid, g.sc.c.ascii, f);
            fclose(f);
            g.play.shown.revealed = true;
            wanted = cockpit_scene_text(&g.sc);
            assert_string_equal(drawn, wanted);
            free(drawn);
            free(wanted);
            grid_free(&grid);
            screens++;
        }
        json_object_put(o);
    }
    assert_true(markers == 10 && screens == 10);
    given_end(&g);
    free(text);
    unexport(path);
}

/* Elements end in the order in which they began, attributes have quotes, what is no markup is escaped. */
static void expect_well_formed(const char *text)
{
    const char *open[64];
    unsigned int depth = 0;

    for (const char *p = text; *p;) {
        size_t n;
        bool alone;

        if (*p == '&')
            assert_true(!strncmp(p, "&lt;", 4) || !strncmp(p, "&gt;", 4) || !strncmp(p, "&amp;", 5) ||
                        !strncmp(p, "&quot;", 6) || !strncmp(p, "&#", 2));
        assert_int_not_equal(*p, '>');
        if (*p++ != '<')
            continue;
        if (*p == '!' || *p == '?') {
            p = strchr(p, '>') + 1;
            continue;
        }
        if (*p == '/') {
            n = strcspn(++p, ">");
            assert_true(depth > 0);
            if (strncmp(open[--depth], p, n) || !strchr(" >", open[depth][n]))
                fail_msg("<%.20s ends as %.20s", open[depth], p);
            p += n + 1;
            continue;
        }
        open[depth] = p;
        for (n = 0; p[n] && p[n] != '>'; n++)
            if (p[n] == '"')
                n += 1 + strcspn(p + n + 1, "\"<");
        assert_int_equal(p[n], '>');
        alone = p[n - 1] == '/' || !strncmp(p, "meta ", 5);
        p += n + 1;
        if (!strncmp(open[depth], "script", 6) || !strncmp(open[depth], "style", 5))
            p = strstr(p, "</");
        if (!alone)
            assert_true(++depth < ARRAY_SIZE(open));
    }
    assert_int_equal(depth, 0);
}

static unsigned int count(const char *text, const char *what)
{
    unsigned int n = 0;

    while ((text = strstr(text, what))) {
        text += strlen(what);
        n++;
    }
    return n;
}

/* Each answer is once on the page, in an element that is closed, and in no picture; so is what is told behind it. */
static void expect_answers_hidden(const char *page)
{
    unsigned int answers = 0;
    char err[TOUR_ERR_SIZE];
    struct tour t;

    assert_int_equal(tour_load(&t, "docs/tours/cli.tour", err), 0);
    for (size_t i = 0; i < t.nr; i++) {
        bool behind = false;

        for (size_t k = 0; k < t.step[i].nr; k++) {
            const char *words = t.step[i].line[k].text, *at;
            char begin[32];

            behind |= t.step[i].line[k].kind == '!';
            if (!behind || !strchr("!|", t.step[i].line[k].kind))
                continue;
            snprintf(begin, sizeof(begin), "%.16s", words);
            begin[strcspn(begin, "<>&'")] = '\0';
            assert_true(strlen(begin) > 3);
            assert_int_equal(count(page, begin), 1);
            at = strstr(page, begin);
            assert_true(strstr(at, "</details>") < strstr(at, "</section>"));
            answers++;
        }
    }
    assert_true(answers >= 2);
    tour_free(&t);
}

/* Nothing is fetched: the only address in it is the name of SVG's elements. */
static void test_html(void **state)
{
    char path[128], *text = exported(".html", path, sizeof(path));

    expect_well_formed(text);
    assert_int_equal(count(text, "<section"), 10);
    assert_int_equal(count(text, "<svg"), 10);
    assert_int_equal(count(text, "http"), count(text, "xmlns=\"http://www.w3.org/2000/svg\""));
    assert_int_equal(count(text, "src=") + count(text, "href=") + count(text, "url("), 0);
    assert_non_null(strstr(text, "<title>Who may execute CLI?</title>"));
    assert_int_equal(count(text, "</svg>\n</section>"), 10);
    expect_answers_hidden(text);
    free(text);
    unexport(path);
}

static void test_svg(void **state)
{
    char path[128], *text = exported(".svg", path, sizeof(path));

    expect_well_formed(text);
    assert_int_equal(count(text, "<svg"), 1);
    assert_non_null(strstr(text, "<title>"));
    free(text);
    unexport(path);
}

static void test_export_refused(void **state)
{
    char err[RUN_ERR_SIZE] = "";
    struct given g;

    given_begin(&g, NULL, "docs/tours/cli.tour");
    struct tour_export e = { &g.play, draw, &g, g.sc.c.palette, 120, 40 };

    assert_int_equal(tour_export(&e, "t.gif", err, sizeof(err)), -1);
    assert_string_equal(err, "--export: \"t.gif\" ends in none of .cast, .html and .svg");
    assert_int_equal(tour_export(&e, "/tmp/there/is/none.html", err, sizeof(err)), -1);
    assert_non_null(strstr(err, "No such file"));
    assert_int_equal(tour_export(&e, "/dev/full/t.svg", err, sizeof(err)), -1);
    given_end(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mistakes_have_places),
        cmocka_unit_test(test_all_lines_are_there),
        cmocka_unit_test(test_guest_words),
        cmocka_unit_test(test_random_files),
        cmocka_unit_test(test_mutants),
        cmocka_unit_test(test_what_does_not_hold),
        cmocka_unit_test(test_presenters_come_to_the_same),
        cmocka_unit_test(test_keys),
        cmocka_unit_test(test_all_words_are_shown),
        cmocka_unit_test(test_own_layout),
        cmocka_unit_test(test_nothing_gives_an_answer_away),
        cmocka_unit_test(test_straying_leaves_nothing),
        cmocka_unit_test(test_steps_of_other_futures),
        cmocka_unit_test(test_cast),
        cmocka_unit_test(test_html),
        cmocka_unit_test(test_svg),
        cmocka_unit_test(test_export_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
