// SPDX-License-Identifier: GPL-2.0-or-later
/* Screens of guests that viewers may look at, or that are in a window: see ui/viewer.h and ui/cmd_run.c. */
#include "ui/run/run.h"

struct turn {
    struct run *r;
    unsigned int guest;
    run_key_fn *fn;
};

static bool on_screen(void *data, struct viewer_screen *s)
{
    const struct turn *t = data;
    struct host_screen screen;

    if (!host_screen(t->r->host, t->guest, &screen))
        return false;
    *s = (struct viewer_screen){ screen.width, screen.height, screen.updates, screen.silent };
    return true;
}

static void on_row(void *data, unsigned int y, unsigned int width, uint8_t *rgb)
{
    const struct turn *t = data;

    host_screen_row(t->r->host, t->guest, y, width, rgb);
}

static void on_key(void *data, bool down, unsigned int key)
{
    const struct turn *t = data;

    t->fn(t->r, t->guest, &(struct host_key){ down ? HOST_KEY_DOWN : HOST_KEY_UP, (int32_t)key, 0, 0 });
}

static void on_pointer(void *data, int x, int y, int wheel)
{
    const struct turn *t = data;

    t->fn(t->r, t->guest, &(struct host_key){ HOST_POINTER_AT, x, y, wheel });
}

void run_screens_take(struct run *r, run_key_fn *fn)
{
    for (unsigned int g = 0; r->screens && g < r->nr_guests; g++) {
        struct turn t = { r, g, fn };
        const struct viewer_source source = { &t, on_screen, on_row, on_key, on_pointer };

        vnc_take(&r->screens[g], &source);
    }
}

bool run_window_take(struct run *r, run_key_fn *fn)
{
    struct turn t = { r, r->picture_of, fn };
    const struct viewer_source source = { &t, on_screen, on_row, on_key, on_pointer };

    if (!r->window || fb_window_take(r->window, &source))
        return true;
    fb_window_close(r->window);
    r->window = NULL;
    return false;
}

nfds_t run_screens_fds(const struct run *r, struct pollfd *fds)
{
    nfds_t nr = 0;

    for (unsigned int g = 0; r->screens && g < r->nr_guests; g++)
        nr += vnc_fds(&r->screens[g], fds + nr);
    return nr;
}
