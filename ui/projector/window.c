// SPDX-License-Identifier: GPL-2.0-or-later
/* The projector's window, see ui/projector/window.h. */
#include "ui/projector/window.h"

#include "ui/debug/keys.h"

#include <SDL.h>
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

/* clang-format off */
/* What is used of SDL2; X(function). */
#define SDL_FUNCTIONS(X)                                                                                               \
    X(Init) X(Quit) X(GetError) X(CreateWindow) X(DestroyWindow) X(GetWindowSize) X(GetWindowSurface)                  \
    X(UpdateWindowSurface) X(PollEvent) X(StartTextInput) X(CreateRGBSurfaceFrom) X(UpperBlit) X(FreeSurface)
/* clang-format on */

struct projector {
    void *library;
    SDL_Window *window;
    struct raster *raster;
#define X(name) __typeof__(&SDL_##name) name;
    SDL_FUNCTIONS(X)
#undef X
    char *svg; /* what is shown */
    size_t len;
    int width, height;
};

static bool symbols_find(struct projector *p)
{
    const struct {
        const char *name;
        void *place;
    } symbols[] = {
#define X(name) { "SDL_" #name, &p->name },
        SDL_FUNCTIONS(X)
#undef X
    };

    for (size_t i = 0; i < sizeof(symbols) / sizeof(symbols[0]); i++) {
        void *found = dlsym(p->library, symbols[i].name);

        if (!found)
            return false;
        memcpy(symbols[i].place, &found, sizeof(found));
    }
    return true;
}

static bool is_set(const char *name)
{
    const char *value = getenv(name);

    return value && *value;
}

/*
 * Left to itself SDL takes whatever there is, at last a window that nobody can see, and says on standard error what it
 * has met on the way: on a machine without a display it is not asked.
 */
static bool display_find(void)
{
    if (is_set("SDL_VIDEODRIVER"))
        return true;
    if (!is_set("DISPLAY") && !is_set("WAYLAND_DISPLAY"))
        return false;
    setenv("SDL_VIDEODRIVER", is_set("DISPLAY") ? "x11" : "wayland", 1);
    return true;
}

/* Signals are the program's affair; a shell that waits for us has its own screen. */
static bool window_open(struct projector *p, char err[RASTER_ERR_SIZE])
{
    if (!display_find()) {
        snprintf(err, RASTER_ERR_SIZE, "there is no display for a window (DISPLAY is not set): it goes on without");
        return false;
    }
    setenv("SDL_NO_SIGNAL_HANDLERS", "1", 0);
    if (p->Init(SDL_INIT_VIDEO) == 0) {
        p->window = p->CreateWindow("xenlab", SDL_WINDOWPOS_UNDEFINED, SDL_WINDOWPOS_UNDEFINED, PICTURE_WIDTH / 2,
                                    PICTURE_HEIGHT / 2, SDL_WINDOW_RESIZABLE);
        if (p->window) {
            p->StartTextInput();
            return true;
        }
    }
    snprintf(err, RASTER_ERR_SIZE, "there is no display for a window (%.120s): it goes on without", p->GetError());
    return false;
}

struct projector *projector_open(char err[RASTER_ERR_SIZE])
{
    struct projector *p = calloc(1, sizeof(*p));

    if (!p) {
        snprintf(err, RASTER_ERR_SIZE, "out of memory");
        return NULL;
    }
    p->library = dlopen("libSDL2-2.0.so.0", RTLD_NOW | RTLD_LOCAL);
    if (!p->library || !symbols_find(p)) {
        snprintf(err, RASTER_ERR_SIZE, "windows are SDL2's, which is not here (Debian: libsdl2-2.0-0)");
        free(p);
        return NULL;
    }
    p->raster = raster_open(err);
    if (p->raster && window_open(p, err))
        return p;
    projector_close(p);
    return NULL;
}

void projector_close(struct projector *p)
{
    if (!p)
        return;
    if (p->window)
        p->DestroyWindow(p->window);
    p->Quit();
    raster_close(p->raster);
    free(p->svg);
    free(p);
}

/* The picture as text; NULL: no memory. */
static char *picture_text(const struct scene *s, const char *sentence, const struct palette *palette, size_t *len)
{
    char *text = NULL;
    FILE *out = open_memstream(&text, len);

    if (!out)
        return NULL;
    picture_write(s, sentence, palette, out);
    fclose(out);
    return text;
}

/* As large as it fits, in the middle: SVG keeps its proportions. */
static void paint(struct projector *p)
{
    SDL_Surface *screen = p->GetWindowSurface(p->window), *picture;
    char err[RASTER_ERR_SIZE];
    unsigned int stride;
    const uint8_t *pixels;

    p->GetWindowSize(p->window, &p->width, &p->height);
    if (!screen || p->width <= 0 || p->height <= 0 ||
        !raster_draw(p->raster, p->svg, p->len, (unsigned int)p->width, (unsigned int)p->height, err))
        return;
    pixels = raster_pixels(p->raster, &stride);
    picture = p->CreateRGBSurfaceFrom((void *)(uintptr_t)pixels, p->width, p->height, 32, (int)stride, 0xff0000, 0xff00,
                                      0xff, 0);
    if (!picture)
        return;
    p->UpperBlit(picture, NULL, screen, NULL);
    p->FreeSurface(picture);
    p->UpdateWindowSurface(p->window);
}

void projector_show(struct projector *p, const struct scene *s, const char *sentence, const struct palette *palette)
{
    size_t len = 0;
    char *svg = picture_text(s, sentence, palette, &len);

    if (!svg)
        return;
    if (p->svg && len == p->len && !memcmp(svg, p->svg, len)) {
        free(svg);
        return;
    }
    free(p->svg);
    p->svg = svg;
    p->len = len;
    paint(p);
}

/* Keys that are no characters; the others come as text. */
static int key_of(SDL_Keycode sym, unsigned int mod)
{
    if (mod & KMOD_CTRL && sym >= SDLK_a && sym <= SDLK_z)
        return sym - SDLK_a + 1;
    switch (sym) {
    case SDLK_TAB: return mod & KMOD_SHIFT ? KEY_IS_BACKTAB : KEY_IS_TAB;
    case SDLK_UP: return KEY_IS_UP;
    case SDLK_DOWN: return KEY_IS_DOWN;
    case SDLK_LEFT: return KEY_IS_LEFT;
    case SDLK_RIGHT: return KEY_IS_RIGHT;
    case SDLK_PAGEUP: return KEY_IS_PAGE_UP;
    case SDLK_PAGEDOWN: return KEY_IS_PAGE_DOWN;
    case SDLK_HOME: return KEY_IS_HOME;
    case SDLK_END: return KEY_IS_END;
    case SDLK_DELETE: return KEY_IS_DELETE;
    case SDLK_KP_ENTER:
    case SDLK_RETURN: return KEY_IS_ENTER;
    case SDLK_ESCAPE: return KEY_IS_ESCAPE;
    case SDLK_BACKSPACE: return KEY_IS_BACKSPACE;
    default: return KEY_IS_NONE;
    }
}

bool projector_event(struct projector *p, int *key)
{
    SDL_Event e;

    *key = KEY_IS_NONE;
    while (p->PollEvent(&e)) {
        if (e.type == SDL_QUIT)
            return false;
        if (e.type == SDL_WINDOWEVENT && p->svg)
            paint(p);
        else if (e.type == SDL_KEYDOWN)
            *key = key_of(e.key.keysym.sym, e.key.keysym.mod);
        else if (e.type == SDL_TEXTINPUT && (unsigned char)e.text.text[0] < 0x80)
            *key = e.text.text[0];
        if (*key != KEY_IS_NONE)
            return true;
    }
    return true;
}

bool projector_png(const struct scene *s, const char *sentence, const struct palette *palette, const char *path,
                   char err[RASTER_ERR_SIZE])
{
    struct raster *r = raster_open(err);
    size_t len = 0;
    char *svg = r ? picture_text(s, sentence, palette, &len) : NULL;
    const bool fine =
        svg && raster_draw(r, svg, len, PICTURE_WIDTH, PICTURE_HEIGHT, err) && raster_write_png(r, path, err);

    free(svg);
    raster_close(r);
    return fine;
}
