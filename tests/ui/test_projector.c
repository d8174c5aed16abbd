// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The projector's picture: it is well-formed whatever guests are called and wherever the machine is, its letters are
 * large and within it; as PNG it is what librsvg makes of it, if there is one; without a display it is said that there
 * is none.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <SDL.h>
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/ui/cockpit.h"
#include "ui/projector/picture.h"
#include "ui/projector/window.h"

#define GUEST(name) (char *)(uintptr_t) "build/guests/" name

static char *picture(struct cockpit_scene *sc, const char *sentence)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);

    assert_non_null(out);
    cockpit_look(&sc->c, cockpit_focused(&sc->c));
    picture_write(&sc->c.scene, sentence, sc->c.palette, out);
    fclose(out);
    return text;
}

/* Elements are closed in the order in which they were opened; no character is left that XML has a use for. */
static void is_well_formed(const char *svg)
{
    char open[16][32];
    unsigned int depth = 0;

    for (const char *p = svg; *p; p++) {
        const char *end = *p == '<' ? strchr(p, '>') : NULL;
        char name[32];

        if (*p == '&')
            assert_true(p[1] == '#' && strchr(p, ';'));
        if (*p != '<')
            continue;
        assert_non_null(end);
        assert_true(sscanf(p[1] == '/' ? p + 2 : p + 1, "%31[a-z]", name) == 1);
        if (p[1] == '/') {
            assert_true(depth > 0);
            assert_string_equal(name, open[--depth]);
        } else if (end[-1] != '/') {
            assert_true(depth < 16);
            strcpy(open[depth++], name);
        }
        p = end;
    }
    assert_int_equal(depth, 0);
}

/* Of a thirtieth of the picture at least, and not beyond its edges: a letter is 0.6 as wide as high. */
static void letters_are_large(const char *svg)
{
    unsigned int texts = 0;

    for (const char *p = svg; (p = strstr(p, "<text ")); p++) {
        const char *body = strchr(p, '>') + 1;
        double x, y, columns = 0;
        unsigned int size;

        assert_int_equal(sscanf(p, "<text x=\"%lf\" y=\"%lf\" font-size=\"%u\"", &x, &y, &size), 3);
        assert_true(size * 30 >= PICTURE_HEIGHT);
        for (const char *c = body; *c != '<'; c++, columns++)
            if (*c == '&')
                c = strchr(c, ';');
        assert_true(x >= 0 && y > 0 && y < PICTURE_HEIGHT);
        if (x + columns * size * 0.6021 > PICTURE_WIDTH + 1)
            fail_msg("a text ends at %.0f: %.60s", x + columns * size * 0.6021, body);
        texts++;
    }
    assert_true(texts >= 8);
}

static void test_picture_at_many_positions(void **state)
{
    static char *const guests[] = { GUEST("rings"), GUEST("smp"), GUEST("syscall"), GUEST("idle") };

    for (size_t n = 0; n < ARRAY_SIZE(guests); n++) {
        struct cockpit_scene sc;
        char *svg;

        cockpit_scene_begin(&sc, guests[n], 30, 100);
        for (unsigned int i = 0; i < 25; i++) {
            svg = picture(&sc, cockpit_scene_said(&sc));

            is_well_formed(svg);
            letters_are_large(svg);
            free(svg);
            cockpit_line(&sc.c, i % 3 ? "5e" : "40e");
        }
        cockpit_line(&sc.c, "vcpu d0");
        cockpit_line(&sc.c, "goto 11ms");
        svg = picture(&sc, "");
        letters_are_large(svg);
        free(svg);
        cockpit_scene_end(&sc);
    }
}

static void test_sentences_of_any_length(void **state)
{
    struct cockpit_scene sc;
    char text[2000];

    cockpit_scene_begin(&sc, GUEST("rings"), 30, 100);
    for (size_t len = 0; len < sizeof(text) - 1; len += 37) {
        char *svg;

        for (size_t i = 0; i < len; i++)
            text[i] = "ab <>&\"'\033\xff,;"[(i * 7 + len) % 12];
        text[len] = '\0';
        svg = picture(&sc, text);
        is_well_formed(svg);
        letters_are_large(svg);
        free(svg);
    }
    cockpit_scene_end(&sc);
}

/* The eight bytes that each PNG file begins with, and its size behind them. */
static void test_png(void **state)
{
    char path[] = "/tmp/xenlab-test-XXXXXX.png", line[80], err[RASTER_ERR_SIZE];
    struct raster *r = raster_open(err);
    struct cockpit_scene sc;
    uint8_t head[24];
    FILE *f;
    int fd;

    if (!r) {
        print_message("%s\n", err);
        skip();
    }
    raster_close(r);
    fd = mkstemps(path, 4);
    assert_true(fd >= 0);
    close(fd);
    cockpit_scene_begin(&sc, GUEST("rings"), 30, 100);
    snprintf(line, sizeof(line), "5h; shot %s", path);
    cockpit_line(&sc.c, line);
    assert_false(sc.s.g.failed);
    f = fopen(path, "re");
    assert_non_null(f);
    assert_int_equal(fread(head, 1, sizeof(head), f), sizeof(head));
    fclose(f);
    assert_memory_equal(head, "\x89PNG\r\n\x1a\n", 8);
    assert_int_equal(head[18] << 8 | head[19], PICTURE_WIDTH);
    assert_int_equal(head[22] << 8 | head[23], PICTURE_HEIGHT);
    unlink(path);
    cockpit_line(&sc.c, "shot /nowhere/x.png");
    assert_true(sc.s.g.failed);
    cockpit_scene_end(&sc);
}

/* Nor does it take what nobody can see, or spoil the screen that there is. */
static void test_no_display(void **state)
{
    static const char *const displays[] = { NULL, "", ":12345" };
    const int before = dup(STDERR_FILENO), out = memfd_create("stderr", 0);
    char err[RASTER_ERR_SIZE] = "";
    struct projector *p;

    assert_true(before >= 0 && out >= 0);
    unsetenv("WAYLAND_DISPLAY");
    for (size_t i = 0; i < ARRAY_SIZE(displays); i++) {
        unsetenv("SDL_VIDEODRIVER");
        if (displays[i])
            setenv("DISPLAY", displays[i], 1);
        else
            unsetenv("DISPLAY");
        err[0] = '\0';
        dup2(out, STDERR_FILENO);
        p = projector_open(err);
        dup2(before, STDERR_FILENO);
        assert_null(p);
        assert_true(strstr(err, "goes on without") || strstr(err, "not here"));
        assert_int_equal(lseek(out, 0, SEEK_END), 0);
    }
    close(before);
    close(out);

    setenv("SDL_VIDEODRIVER", "there is no such driver", 1);
    p = projector_open(err);
    assert_null(p);
    assert_true(strstr(err, "goes on without") || strstr(err, "not here"));
}

/* What is typed into the window is what it would be in the terminal. */
static void keys_in_window(struct projector *p)
{
    static const struct {
        SDL_Keycode sym; /* 0: it is text */
        unsigned int mod;
        const char *text;
        int wanted;
    } typed[] = {
        { SDLK_UP, 0, NULL, KEY_IS_UP },
        { SDLK_HOME, 0, NULL, KEY_IS_HOME },
        { SDLK_END, 0, NULL, KEY_IS_END },
        { SDLK_DELETE, 0, NULL, KEY_IS_DELETE },
        { SDLK_TAB, 0, NULL, KEY_IS_TAB },
        { SDLK_TAB, KMOD_LSHIFT, NULL, KEY_IS_BACKTAB },
        { SDLK_KP_ENTER, 0, NULL, KEY_IS_ENTER },
        { SDLK_ESCAPE, 0, NULL, KEY_IS_ESCAPE },
        { SDLK_c, KMOD_LCTRL, NULL, 3 },
        { SDLK_c, 0, NULL, KEY_IS_NONE }, /* comes as text: */
        { 0, 0, "c", 'c' },
        { 0, 0, "?", '?' },
        { 0, 0, "\xc3\xa4", KEY_IS_NONE },
    };
    void *library = dlopen("libSDL2-2.0.so.0", RTLD_NOW | RTLD_LOCAL);
    int (*push)(SDL_Event *), key;
    SDL_Event event;

    *(void **)&push = dlsym(library, "SDL_PushEvent");
    assert_non_null(push);
    for (size_t i = 0; i < ARRAY_SIZE(typed); i++) {
        event = (SDL_Event){ .type = typed[i].sym ? SDL_KEYDOWN : SDL_TEXTINPUT };
        if (typed[i].sym) {
            event.key.keysym.sym = typed[i].sym;
            event.key.keysym.mod = (Uint16)typed[i].mod;
        } else {
            snprintf(event.text.text, sizeof(event.text.text), "%s", typed[i].text);
        }
        assert_int_equal(push(&event), 1);
        assert_true(projector_event(p, &key));
        if (key == KEY_IS_NONE) /* SDL ends a look at what has come, and what came behind it comes with the next one */
            assert_true(projector_event(p, &key));
        assert_int_equal(key, typed[i].wanted);
    }
    event = (SDL_Event){ .type = SDL_QUIT };
    push(&event);
    assert_false(projector_event(p, &key) && projector_event(p, &key));
    dlclose(library);
}

/* A window that nobody sees: what is shown, and keys that are none. */
static void test_window_without_a_screen(void **state)
{
    char err[RASTER_ERR_SIZE] = "";
    struct cockpit_scene sc;
    struct projector *p;
    int key;

    setenv("SDL_VIDEODRIVER", "dummy", 1);
    p = projector_open(err);
    if (!p) {
        print_message("%s\n", err);
        skip();
    }
    cockpit_scene_begin(&sc, GUEST("rings"), 30, 100);
    for (unsigned int i = 0; i < 3; i++) {
        cockpit_line(&sc.c, "t");
        cockpit_look(&sc.c, cockpit_focused(&sc.c));
        projector_show(p, &sc.c.scene, cockpit_scene_said(&sc), sc.c.palette);
        assert_true(projector_event(p, &key));
        assert_int_equal(key, KEY_IS_NONE);
    }
    keys_in_window(p);
    projector_close(p);
    cockpit_scene_end(&sc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_picture_at_many_positions),
        cmocka_unit_test(test_sentences_of_any_length),
        cmocka_unit_test(test_png),
        cmocka_unit_test(test_no_display),
        cmocka_unit_test(test_window_without_a_screen),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
