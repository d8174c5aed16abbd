// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Whose screens viewers may look at, and whose is in a window: `--vnc`, `--fb-window`, and vfb = [ "vnc=1,sdl=1" ] of
 * xl.cfg. See ui/run/screens.c.
 */
#include "ui/run/run.h"

#include <stdlib.h>
#include <string.h>

#include "ui/guest_firmware.h"

#define PORT_OF_DISPLAY_0 5900

/* Where an xl.cfg wants it: as xl, from a display's port on the first that is free, if nothing else is said. */
struct wish {
    bool wanted, unused;
    unsigned int port;
    const char *password; /* NULL: none is asked for */
};

static bool is_on(const struct xl_fb *fb, const char *name)
{
    const char *value = xl_fb_word(fb, name);

    return !value || *value == '1';
}

/* 127.0.0.1[:DISPLAY]: the only address that viewers come from, and its display, if it is said. */
static bool listen_read(const char *listen, unsigned int *display)
{
    const size_t len = strcspn(listen, ":");
    char *end;

    if (len && (len != 9 || (strncmp(listen, "127.0.0.1", len) && strncmp(listen, "localhost", len))))
        return false;
    if (!listen[len])
        return true;
    *display = (unsigned int)strtoul(listen + len + 1, &end, 10);
    return listen[len + 1] >= '0' && listen[len + 1] <= '9' && !*end && *display <= UINT16_MAX - PORT_OF_DISPLAY_0;
}

static int wish_of(struct run *r, const struct guest_entry *e, struct wish *w)
{
    const struct xl_fb *fb = e->cfg.fbs.nr_fbs ? &e->cfg.fbs.fb[0] : NULL;
    const char *listen = fb ? xl_fb_word(fb, "vnclisten") : NULL, *display = fb ? xl_fb_word(fb, "vncdisplay") : NULL;
    const char *password = fb ? xl_fb_word(fb, "vncpasswd") : NULL;
    unsigned int n = display ? (unsigned int)strtoul(display, NULL, 10) : 0;

    *w = (struct wish){ .wanted = fb && is_on(fb, "vnc"),
                        .unused = fb && is_on(fb, "vncunused"),
                        .password = password && *password ? password : NULL };
    if (!w->wanted)
        return 0;
    if (listen && !listen_read(listen, &n)) {
        snprintf(r->err, RUN_ERR_SIZE, "vfb: vnclisten=%.64s: viewers come from 127.0.0.1[:DISPLAY] only", listen);
        return -1;
    }
    w->port = PORT_OF_DISPLAY_0 + n;
    return 0;
}

/* Of Xen's own kind, or a graphics card. */
static bool has_screen(const struct guest_entry *e)
{
    return e->guest.fbs->nr_fbs || (guest_has_firmware(e) && xl_hvm_screen_mib(&e->cfg.hvm));
}

static int screen_open(struct run *r, unsigned int g, const struct wish *w)
{
    const domid_t domid = host_guest_domid(r->host, g);
    const char *name = host_guest_name(r->host, domid);
    char line[256];

    if (vnc_open(&r->screens[g], w->port, w->unused, w->password, name ? name : "xenlab", r->err, RUN_ERR_SIZE))
        return -1;
    snprintf(line, sizeof(line), "the screen of %.100s (d%u) is at 127.0.0.1:%u (VNC)", name ? name : "?", domid,
             r->screens[g].port);
    run_message(r, line);
    return 0;
}

/* Of a configuration it is a wish, of the option an order. */
static int window_start(struct run *r, const struct guest_list *l)
{
    const struct guest_entry *e = &l->entries[r->picture_of % l->nr];
    const char *sdl = e->cfg.fbs.nr_fbs ? xl_fb_word(&e->cfg.fbs.fb[0], "sdl") : NULL;
    char why[256], line[320];

    if (r->replay || (!r->opt->fb_window && !(sdl && *sdl == '1')))
        return 0;
    if (!has_screen(e)) {
        snprintf(r->err, RUN_ERR_SIZE, "--fb-window: %.100s has no screen (--fb)", l->names[r->picture_of]);
        return -1;
    }
    r->window = fb_window_open(l->names[r->picture_of], why, sizeof(why));
    if (!r->window && r->opt->fb_window) {
        snprintf(r->err, RUN_ERR_SIZE, "--fb-window: %s", why);
        return -1;
    }
    if (!r->window) {
        snprintf(line, sizeof(line), "vfb: sdl=1: %s: it goes on without", why);
        run_message(r, line);
    }
    return 0;
}

int run_screens_start(struct run *r, const struct guest_list *l)
{
    bool any = r->opt->vnc;

    if (window_start(r, l))
        return -1;
    for (unsigned int i = 0; i < l->nr; i++)
        any |= l->entries[i].cfg.fbs.nr_fbs != 0;
    if (!any || r->replay)
        return 0;
    r->screens = calloc(r->nr_guests, sizeof(*r->screens));
    if (!r->screens) {
        snprintf(r->err, RUN_ERR_SIZE, "out of memory");
        return -1;
    }
    for (unsigned int g = 0; g < r->nr_guests; g++) {
        const struct guest_entry *e = &l->entries[g % l->nr];
        struct wish w;

        if (wish_of(r, e, &w))
            return -1;
        if (r->opt->vnc && g == r->picture_of) {
            if (!has_screen(e)) {
                snprintf(r->err, RUN_ERR_SIZE, "--vnc: %.100s has no screen (--fb)", l->names[g]);
                return -1;
            }
            w = (struct wish){ .wanted = true,
                               .port = (unsigned int)strtoul(r->opt->vnc, NULL, 10),
                               .password = w.password };
        }
        if (w.wanted && screen_open(r, g, &w))
            return -1;
        r->screens_speak |= w.wanted;
    }
    return 0;
}

void run_screens_close(struct run *r)
{
    for (unsigned int g = 0; r->screens && g < r->nr_guests; g++)
        vnc_close(&r->screens[g]);
    free(r->screens);
    r->screens = NULL;
    fb_window_close(r->window);
    r->window = NULL;
}
