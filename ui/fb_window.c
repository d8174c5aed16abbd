// SPDX-License-Identifier: GPL-2.0-or-later
/* A guest's screen in a window: see ui/fb_window.h. */
#include "ui/fb_window.h"

#include <SDL.h>
#include <dlfcn.h>
#include <linux/input-event-codes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_WIDTH  640 /* until the guest has a screen */
#define FIRST_HEIGHT 400
#define FRAME_MS     20u /* it is drawn no oftener */

/* What is used of SDL2; X(function). */
#define SDL_FUNCTIONS(X)                                                                                               \
    X(InitSubSystem)                                                                                                   \
    X(QuitSubSystem)                                                                                                   \
    X(GetError)                                                                                                        \
    X(GetTicks)                                                                                                        \
    X(CreateWindow)                                                                                                    \
    X(DestroyWindow)                                                                                                   \
    X(GetWindowSize)                                                                                                   \
    X(SetWindowSize)                                                                                                   \
    X(GetWindowSurface)                                                                                                \
    X(UpdateWindowSurface)                                                                                             \
    X(PollEvent)                                                                                                       \
    X(CreateRGBSurfaceFrom)                                                                                            \
    X(UpperBlitScaled)                                                                                                 \
    X(FreeSurface)

struct fb_window {
    void *library;
#define X(name) __typeof__(&SDL_##name) name;
    SDL_FUNCTIONS(X)
#undef X
    bool is_begun; /* SDL's part of windows */
    SDL_Window *window;
    SDL_Surface *picture; /* of pixels; NULL: none yet */
    uint8_t *pixels;      /* 3 bytes each: red, green, blue */
    unsigned int width, height;
    uint64_t updates;
    bool is_stale; /* the picture is not what the screen shows, or the window not the picture */
    uint32_t drawn_at;
    int x, y; /* where the pointer is */
    bool held[KEY_CNT];
};

/* --- keys --- */

/* clang-format off */
/* By their places: SDL's name of it, and Linux's. X(name). */
#define SAME_KEYS(X)                                                                                                   \
    X(A) X(B) X(C) X(D) X(E) X(F) X(G) X(H) X(I) X(J) X(K) X(L) X(M) X(N) X(O) X(P) X(Q) X(R) X(S) X(T) X(U) X(V)      \
    X(W) X(X) X(Y) X(Z) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(0) X(F1) X(F2) X(F3) X(F4) X(F5) X(F6) X(F7)    \
    X(F8) X(F9) X(F10) X(F11) X(F12) X(BACKSPACE) X(TAB) X(SPACE) X(SEMICOLON) X(COMMA) X(SLASH) X(CAPSLOCK)           \
    X(HOME) X(END) X(INSERT) X(DELETE) X(UP) X(DOWN) X(LEFT) X(RIGHT) X(PAGEUP) X(PAGEDOWN) X(PAUSE)
/* clang-format on */

static const struct {
    SDL_Scancode from;
    unsigned int key;
} keys[] = {
#define X(name) { SDL_SCANCODE_##name, KEY_##name },
    SAME_KEYS(X)
#undef X
        { SDL_SCANCODE_RETURN, KEY_ENTER },
    { SDL_SCANCODE_ESCAPE, KEY_ESC },
    { SDL_SCANCODE_MINUS, KEY_MINUS },
    { SDL_SCANCODE_EQUALS, KEY_EQUAL },
    { SDL_SCANCODE_LEFTBRACKET, KEY_LEFTBRACE },
    { SDL_SCANCODE_RIGHTBRACKET, KEY_RIGHTBRACE },
    { SDL_SCANCODE_BACKSLASH, KEY_BACKSLASH },
    { SDL_SCANCODE_NONUSHASH, KEY_BACKSLASH },
    { SDL_SCANCODE_NONUSBACKSLASH, KEY_102ND },
    { SDL_SCANCODE_APOSTROPHE, KEY_APOSTROPHE },
    { SDL_SCANCODE_GRAVE, KEY_GRAVE },
    { SDL_SCANCODE_PERIOD, KEY_DOT },
    { SDL_SCANCODE_PRINTSCREEN, KEY_SYSRQ },
    { SDL_SCANCODE_SCROLLLOCK, KEY_SCROLLLOCK },
    { SDL_SCANCODE_NUMLOCKCLEAR, KEY_NUMLOCK },
    { SDL_SCANCODE_LCTRL, KEY_LEFTCTRL },
    { SDL_SCANCODE_RCTRL, KEY_RIGHTCTRL },
    { SDL_SCANCODE_LSHIFT, KEY_LEFTSHIFT },
    { SDL_SCANCODE_RSHIFT, KEY_RIGHTSHIFT },
    { SDL_SCANCODE_LALT, KEY_LEFTALT },
    { SDL_SCANCODE_RALT, KEY_RIGHTALT },
    { SDL_SCANCODE_LGUI, KEY_LEFTMETA },
    { SDL_SCANCODE_RGUI, KEY_RIGHTMETA },
    { SDL_SCANCODE_APPLICATION, KEY_COMPOSE },
    { SDL_SCANCODE_KP_0, KEY_KP0 },
    { SDL_SCANCODE_KP_1, KEY_KP1 },
    { SDL_SCANCODE_KP_2, KEY_KP2 },
    { SDL_SCANCODE_KP_3, KEY_KP3 },
    { SDL_SCANCODE_KP_4, KEY_KP4 },
    { SDL_SCANCODE_KP_5, KEY_KP5 },
    { SDL_SCANCODE_KP_6, KEY_KP6 },
    { SDL_SCANCODE_KP_7, KEY_KP7 },
    { SDL_SCANCODE_KP_8, KEY_KP8 },
    { SDL_SCANCODE_KP_9, KEY_KP9 },
    { SDL_SCANCODE_KP_ENTER, KEY_KPENTER },
    { SDL_SCANCODE_KP_PLUS, KEY_KPPLUS },
    { SDL_SCANCODE_KP_MINUS, KEY_KPMINUS },
    { SDL_SCANCODE_KP_MULTIPLY, KEY_KPASTERISK },
    { SDL_SCANCODE_KP_DIVIDE, KEY_KPSLASH },
    { SDL_SCANCODE_KP_PERIOD, KEY_KPDOT },
};

static void key_set(struct fb_window *w, const struct viewer_source *source, unsigned int key, bool down)
{
    if (!key || w->held[key] == down)
        return;
    w->held[key] = down;
    source->key(source->data, down, key);
}

static void keys_let_go(struct fb_window *w, const struct viewer_source *source)
{
    for (unsigned int k = 1; k < KEY_CNT; k++)
        key_set(w, source, k, false);
}

static unsigned int key_of(SDL_Scancode from)
{
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
        if (keys[i].from == from)
            return keys[i].key;
    return 0;
}

static unsigned int button_of(unsigned int button)
{
    return button == SDL_BUTTON_LEFT     ? VIEWER_LEFT
           : button == SDL_BUTTON_MIDDLE ? VIEWER_MIDDLE
           : button == SDL_BUTTON_RIGHT  ? VIEWER_RIGHT
                                         : 0;
}

/* From the window's pixels to the screen's. */
static void point(struct fb_window *w, const struct viewer_source *source, int x, int y, int wheel)
{
    int width, height;

    w->GetWindowSize(w->window, &width, &height);
    if (!w->picture || width <= 0 || height <= 0)
        return;
    w->x = (int)((int64_t)x * w->width / width);
    w->y = (int)((int64_t)y * w->height / height);
    source->pointer(source->data, w->x, w->y, wheel);
}

/* False: the window is to go. */
static bool event(struct fb_window *w, const struct viewer_source *source, const SDL_Event *e)
{
    switch (e->type) {
    case SDL_QUIT: return false;
    case SDL_WINDOWEVENT:
        w->is_stale = true;
        if (e->window.event == SDL_WINDOWEVENT_FOCUS_LOST)
            keys_let_go(w, source);
        return e->window.event != SDL_WINDOWEVENT_CLOSE;
    case SDL_KEYDOWN:
    case SDL_KEYUP: key_set(w, source, key_of(e->key.keysym.scancode), e->type == SDL_KEYDOWN); break;
    case SDL_MOUSEMOTION: point(w, source, e->motion.x, e->motion.y, 0); break;
    case SDL_MOUSEBUTTONDOWN:
    case SDL_MOUSEBUTTONUP:
        point(w, source, e->button.x, e->button.y, 0);
        key_set(w, source, button_of(e->button.button), e->type == SDL_MOUSEBUTTONDOWN);
        break;
    case SDL_MOUSEWHEEL:
        if (e->wheel.y)
            source->pointer(source->data, w->x, w->y, e->wheel.y > 0 ? -1 : 1);
        break;
    default: break;
    }
    return true;
}

/* --- the window --- */

static bool library_load(struct fb_window *w)
{
    w->library = dlopen("libSDL2-2.0.so.0", RTLD_NOW | RTLD_LOCAL);
    if (!w->library)
        return false;
#define X(name)                                                                                                        \
    *(void **)&w->name = dlsym(w->library, "SDL_" #name);                                                              \
    if (!w->name)                                                                                                      \
        return false;
    SDL_FUNCTIONS(X)
#undef X
    return true;
}

static bool is_set(const char *name)
{
    const char *value = getenv(name);

    return value && *value;
}

/* On a machine without a display SDL would take a window that nobody can see. */
static bool display_find(void)
{
    if (is_set("SDL_VIDEODRIVER"))
        return true;
    if (!is_set("DISPLAY") && !is_set("WAYLAND_DISPLAY"))
        return false;
    setenv("SDL_VIDEODRIVER", is_set("DISPLAY") ? "x11" : "wayland", 1);
    return true;
}

static bool window_make(struct fb_window *w, const char *title, char *err, size_t size)
{
    if (!display_find()) {
        snprintf(err, size, "there is no display for a window (DISPLAY is not set)");
        return false;
    }
    setenv("SDL_NO_SIGNAL_HANDLERS", "1", 0);
    w->is_begun = w->InitSubSystem(SDL_INIT_VIDEO) == 0;
    if (w->is_begun)
        w->window = w->CreateWindow(title, SDL_WINDOWPOS_UNDEFINED, SDL_WINDOWPOS_UNDEFINED, FIRST_WIDTH, FIRST_HEIGHT,
                                    SDL_WINDOW_RESIZABLE);
    if (!w->window)
        snprintf(err, size, "there is no display for a window (%.120s)", w->GetError());
    return w->window;
}

struct fb_window *fb_window_open(const char *title, char *err, size_t size)
{
    struct fb_window *w = calloc(1, sizeof(*w));

    if (!w)
        snprintf(err, size, "out of memory");
    else if (!library_load(w))
        snprintf(err, size, "windows are SDL2's, which is not here (Debian: libsdl2-2.0-0)");
    else if (window_make(w, title, err, size))
        return w;
    fb_window_close(w);
    return NULL;
}

/* The library stays: SDL has been seen to mind. */
void fb_window_close(struct fb_window *w)
{
    if (!w)
        return;
    if (w->picture)
        w->FreeSurface(w->picture);
    if (w->window)
        w->DestroyWindow(w->window);
    if (w->is_begun)
        w->QuitSubSystem(SDL_INIT_VIDEO);
    free(w->pixels);
    free(w);
}

/* --- the picture --- */

static bool picture_make(struct fb_window *w, const struct viewer_screen *s)
{
    uint8_t *pixels = calloc((size_t)s->width * s->height, 3);
    SDL_Surface *picture = pixels ? w->CreateRGBSurfaceFrom(pixels, (int)s->width, (int)s->height, 24,
                                                            (int)s->width * 3, 0xff, 0xff00, 0xff0000, 0)
                                  : NULL;

    if (!picture) {
        free(pixels);
        return false;
    }
    if (w->picture)
        w->FreeSurface(w->picture);
    free(w->pixels);
    w->picture = picture;
    w->pixels = pixels;
    w->width = s->width;
    w->height = s->height;
    w->is_stale = true;
    w->SetWindowSize(w->window, (int)w->width, (int)w->height);
    return true;
}

static void draw(struct fb_window *w, const struct viewer_source *source)
{
    SDL_Surface *surface = w->GetWindowSurface(w->window);

    for (unsigned int y = 0; y < w->height; y++)
        source->row(source->data, y, w->width, w->pixels + (size_t)y * w->width * 3);
    if (!surface)
        return;
    w->UpperBlitScaled(w->picture, NULL, surface, NULL);
    w->UpdateWindowSurface(w->window);
}

static void show(struct fb_window *w, const struct viewer_source *source)
{
    const uint32_t now = w->GetTicks();
    struct viewer_screen s;

    if (!source->screen(source->data, &s))
        return;
    s.width = s.width < VIEWER_SIDE ? s.width : VIEWER_SIDE;
    s.height = s.height < VIEWER_SIDE ? s.height : VIEWER_SIDE;
    if ((s.width != w->width || s.height != w->height) && !picture_make(w, &s))
        return;
    w->is_stale |= s.silent || s.updates != w->updates;
    w->updates = s.updates;
    if (!w->is_stale || (w->drawn_at && now - w->drawn_at < FRAME_MS))
        return;
    draw(w, source);
    w->is_stale = false;
    w->drawn_at = now ?: 1;
}

bool fb_window_take(struct fb_window *w, const struct viewer_source *source)
{
    SDL_Event e;

    while (w->PollEvent(&e))
        if (!event(w, source, &e)) {
            keys_let_go(w, source);
            return false;
        }
    show(w, source);
    return true;
}
