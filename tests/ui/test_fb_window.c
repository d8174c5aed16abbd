// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A guest's screen in a window that nobody sees: it shows what is drawn, as large as it is; keys and the pointer come
 * out of it; what is held is let go; and without a display there is a message.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <SDL.h>
#include <dlfcn.h>
#include <linux/input-event-codes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/random.h"
#include "ui/fb_window.h"

#define WIDTH  48u
#define HEIGHT 30u

struct world {
    struct fb_window *w;
    struct viewer_source source;
    struct viewer_screen screen;
    uint8_t rgb[2 * HEIGHT][2 * WIDTH * 3];
    unsigned int rows; /* that were looked at */
    bool down[KEY_CNT];
    char said[4096];
    void *library;
    int (*push)(SDL_Event *);
    SDL_Window *(*from_id)(Uint32);
    SDL_Surface *(*surface)(SDL_Window *);
    void (*delay)(Uint32);
    void (*set_size)(SDL_Window *, int, int);
};

static bool on_screen(void *data, struct viewer_screen *s)
{
    *s = ((struct world *)data)->screen;
    return s->width;
}

static void on_row(void *data, unsigned int y, unsigned int width, uint8_t *rgb)
{
    struct world *w = data;

    w->rows++;
    for (unsigned int x = 0; x < width; x++)
        memcpy(rgb + 3 * x, w->rgb[y % (2 * HEIGHT)] + 3 * (x % (2 * WIDTH)), 3);
}

static void say(struct world *w, const char *text)
{
    if (strlen(w->said) + strlen(text) < sizeof(w->said))
        strcat(w->said, text);
}

static void on_key(void *data, bool down, unsigned int key)
{
    struct world *w = data;
    char text[32];

    assert_true(key && key < KEY_CNT && w->down[key] != down);
    w->down[key] = down;
    snprintf(text, sizeof(text), "%c%u ", down ? '+' : '-', key);
    say(w, text);
}

static void on_pointer(void *data, int x, int y, int wheel)
{
    char text[48];

    snprintf(text, sizeof(text), "@%d,%d,%d ", x, y, wheel);
    say(data, text);
}

static void symbol(struct world *w, const char *name, void *place)
{
    void *found = dlsym(w->library, name);

    assert_non_null(found);
    memcpy(place, &found, sizeof(found));
}

/* Long enough for it to be drawn again. */
static bool take(struct world *w)
{
    w->delay(25);
    return fb_window_take(w->w, &w->source);
}

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof(*w));
    char err[256] = "";

    setenv("SDL_VIDEODRIVER", "dummy", 1);
    w->source = (struct viewer_source){ w, on_screen, on_row, on_key, on_pointer };
    for (unsigned int y = 0; y < 2 * HEIGHT; y++)
        for (unsigned int x = 0; x < sizeof(w->rgb[0]); x++)
            w->rgb[y][x] = (uint8_t)(7 * y + x * x);
    w->w = fb_window_open("a screen", err, sizeof(err));
    if (!w->w)
        fail_msg("%s", err);
    w->library = dlopen("libSDL2-2.0.so.0", RTLD_NOW | RTLD_LOCAL);
    symbol(w, "SDL_PushEvent", &w->push);
    symbol(w, "SDL_GetWindowFromID", &w->from_id);
    symbol(w, "SDL_GetWindowSurface", &w->surface);
    symbol(w, "SDL_SetWindowSize", &w->set_size);
    symbol(w, "SDL_Delay", &w->delay);
    assert_true(take(w));
    w->screen = (struct viewer_screen){ WIDTH, HEIGHT, 1, false };
    assert_true(take(w) && take(w));
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;

    fb_window_close(w->w);
    dlclose(w->library);
    free(w);
    return 0;
}

static SDL_Window *window(struct world *w)
{
    for (Uint32 id = 1; id < 100; id++)
        if (w->from_id(id))
            return w->from_id(id);
    fail_msg("there is no window");
    return NULL;
}

/* What the window shows, each pixel `by` wide and high. */
static void shows(struct world *w, unsigned int by)
{
    const SDL_Surface *s = w->surface(window(w));

    assert_true(s->w == (int)(w->screen.width * by) && s->h == (int)(w->screen.height * by));
    for (unsigned int y = 0; y < w->screen.height * by; y++)
        for (unsigned int x = 0; x < w->screen.width * by; x++) {
            const uint8_t *rgb = w->rgb[y / by] + 3 * (x / by);
            uint32_t pixel;

            memcpy(&pixel, (const uint8_t *)s->pixels + y * (unsigned int)s->pitch + 4 * x, 4);
            assert_int_equal(pixel & 0xffffff, rgb[0] << 16 | rgb[1] << 8 | rgb[2]);
        }
}

static void what_is_drawn(void **state)
{
    struct world *w = *state;

    shows(w, 1);
    w->rows = 0;
    take(w);
    assert_int_equal(w->rows, 0); /* nothing has changed */
    w->rgb[5][3]++, w->rgb[7][90]++, w->screen.updates++;
    take(w);
    shows(w, 1);
    w->screen = (struct viewer_screen){ 2 * WIDTH, 2 * HEIGHT, 9, false };
    assert_true(take(w) && take(w));
    shows(w, 1);
    w->screen = (struct viewer_screen){ WIDTH, HEIGHT, 10, false };
    assert_true(take(w) && take(w));
    w->set_size(window(w), 3 * WIDTH, 3 * HEIGHT); /* somebody makes it larger */
    assert_true(take(w) && take(w));
    shows(w, 3);
    w->screen = (struct viewer_screen){ 32768, 3, 11, false };
    assert_true(take(w) && take(w)); /* cut off */
    w->screen = (struct viewer_screen){ 0, 0, 0, false };
    assert_true(take(w));
}

static void type(struct world *w, SDL_Scancode code, bool down)
{
    SDL_Event e = { .type = down ? SDL_KEYDOWN : SDL_KEYUP };

    e.key.keysym.scancode = code;
    assert_int_equal(w->push(&e), 1);
}

static void click(struct world *w, unsigned int button, bool down, int x, int y)
{
    SDL_Event e = { .type = down ? SDL_MOUSEBUTTONDOWN : SDL_MOUSEBUTTONUP };

    e.button.button = (Uint8)button;
    e.button.x = x;
    e.button.y = y;
    assert_int_equal(w->push(&e), 1);
}

static void wheel(struct world *w, int y)
{
    SDL_Event e = { .type = SDL_MOUSEWHEEL };

    e.wheel.y = y;
    assert_int_equal(w->push(&e), 1);
}

static void about_window(struct world *w, SDL_WindowEventID what)
{
    SDL_Event e = { .type = SDL_WINDOWEVENT };

    e.window.event = (Uint8)what;
    assert_int_equal(w->push(&e), 1);
}

/* SDL ends a look at what has come now and then. */
static void take_all(struct world *w)
{
    for (unsigned int i = 0; i < 4; i++)
        assert_true(fb_window_take(w->w, &w->source));
}

static void keys_and_pointer(void **state)
{
    struct world *w = *state;

    *w->said = '\0';
    type(w, SDL_SCANCODE_LSHIFT, true);
    type(w, SDL_SCANCODE_A, true);
    type(w, SDL_SCANCODE_A, true); /* is held */
    type(w, SDL_SCANCODE_A, false);
    type(w, SDL_SCANCODE_A, false);
    type(w, SDL_SCANCODE_AUDIOMUTE, true); /* no key of a guest's */
    type(w, SDL_SCANCODE_LSHIFT, false);
    type(w, SDL_SCANCODE_GRAVE, true);
    type(w, SDL_SCANCODE_GRAVE, false);
    take_all(w);
    assert_string_equal(w->said, "+42 +30 -30 -42 +41 -41 ");
    *w->said = '\0';
    click(w, SDL_BUTTON_LEFT, true, 3, 4);
    click(w, SDL_BUTTON_LEFT, false, 5, 4);
    click(w, SDL_BUTTON_RIGHT, true, 5, 4);
    click(w, SDL_BUTTON_X1, true, 5, 4);
    wheel(w, 1);
    wheel(w, -3);
    take_all(w);
    assert_string_equal(w->said, "@3,4,0 +272 @5,4,0 -272 @5,4,0 +273 @5,4,0 @5,4,-1 @5,4,1 ");
    *w->said = '\0';
    type(w, SDL_SCANCODE_F12, true);
    about_window(w, SDL_WINDOWEVENT_FOCUS_LOST);
    take_all(w);
    assert_string_equal(w->said, "+88 -88 -273 ");
    w->set_size(window(w), 2 * WIDTH, 4 * HEIGHT);
    take_all(w);
    *w->said = '\0';
    click(w, SDL_BUTTON_MIDDLE, true, 2 * WIDTH - 1, 4 * HEIGHT - 1);
    take_all(w);
    assert_string_equal(w->said, "@47,29,0 +274 ");
}

static void it_is_closed(void **state)
{
    struct world *w = *state;

    *w->said = '\0';
    type(w, SDL_SCANCODE_1, true);
    about_window(w, SDL_WINDOWEVENT_CLOSE);
    assert_false(take(w) && take(w));
    assert_string_equal(w->said, "+2 -2 ");
    fb_window_close(w->w);
    w->w = fb_window_open("another", w->said, sizeof(w->said));
    assert_non_null(w->w);
    assert_true(take(w));
    w->push(&(SDL_Event){ .type = SDL_QUIT });
    assert_false(take(w) && take(w));
}

/* Each key of a keyboard is another one, and no letter's is missing. */
static void every_key(void **state)
{
    struct world *w = *state;
    unsigned int used = 0;

    for (unsigned int code = 0; code < SDL_NUM_SCANCODES; code++) {
        *w->said = '\0';
        type(w, code, true);
        type(w, code, false);
        take_all(w);
        used += *w->said != '\0';
        assert_true(*w->said || code < SDL_SCANCODE_A || code > SDL_SCANCODE_UP);
    }
    assert_in_range(used, 100, 120);
}

/* What may come from SDL, at random: what the guest is told stays in order. */
static void at_random(void **state)
{
    struct world *w = *state;
    uint64_t prng = 3;

    for (unsigned int i = 0; i < 20000; i++) {
        switch (random_of(&prng, 6)) {
        case 0: type(w, (SDL_Scancode)random_of(&prng, 600), random_of(&prng, 2)); break;
        case 1:
            click(w, (unsigned int)random_of(&prng, 8), random_of(&prng, 2), (int)random_of(&prng, 100) - 20, -9);
            break;
        case 2: wheel(w, (int)random_of(&prng, 3) - 1); break;
        case 3: about_window(w, random_of(&prng, 9) ? SDL_WINDOWEVENT_EXPOSED : SDL_WINDOWEVENT_FOCUS_LOST); break;
        case 4:
            if (random_of(&prng, 500) == 0)
                w->screen =
                    (struct viewer_screen){ 1 + (unsigned int)random_of(&prng, 2 * WIDTH),
                                            1 + (unsigned int)random_of(&prng, 2 * HEIGHT), i, random_of(&prng, 2) };
            break;
        default: *w->said = '\0'; assert_true(fb_window_take(w->w, &w->source));
        }
    }
}

static void no_display(void **state)
{
    char err[256];

    (void)state;
    setenv("SDL_VIDEODRIVER", "there is no such driver", 1);
    assert_null(fb_window_open("x", err, sizeof(err)));
    assert_non_null(strstr(err, "there is no display for a window ("));
    unsetenv("SDL_VIDEODRIVER");
    unsetenv("WAYLAND_DISPLAY");
    unsetenv("DISPLAY");
    assert_null(fb_window_open("x", err, sizeof(err)));
    assert_string_equal(err, "there is no display for a window (DISPLAY is not set)");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_drawn, setup, teardown),
        cmocka_unit_test_setup_teardown(keys_and_pointer, setup, teardown),
        cmocka_unit_test_setup_teardown(it_is_closed, setup, teardown),
        cmocka_unit_test_setup_teardown(every_key, setup, teardown),
        cmocka_unit_test_setup_teardown(at_random, setup, teardown),
        cmocka_unit_test(no_display),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
