// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What channels of guests have outside, `--channel` and channel = [ ... ] of xl.cfg, comes and goes with the run.
 *
 * Concept: each is a pty or a socket (ui/console_door.h), as a console that is elsewhere. A run that is repeated has
 * none: what came is in the recording, and what goes out has gone out.
 */
#include "ui/run/run.h"

#include <stdlib.h>
#include <string.h>

static int channel_open(struct run *r, unsigned int g, unsigned int channel, const struct xl_channel *c,
                        const char *option)
{
    struct console_door *d = &r->channels[g * XL_CHANNELS_MAX + channel - 1];
    const domid_t domid = host_guest_domid(r->host, g);
    const char *name = host_guest_name(r->host, domid);
    char line[256];

    if (console_door_open(d, *c->path ? CONSOLE_DOOR_SOCKET : CONSOLE_DOOR_PTY, option, c->path, r->err, RUN_ERR_SIZE))
        return -1;
    r->channels_speak = true;
    if (d->kind == CONSOLE_DOOR_PTY)
        run_channel_hand_in(r, g, channel, true, d->tty, strlen(d->tty));
    snprintf(line, sizeof(line), "the channel %s of %.60s (d%u) is %.104s", c->name, name ? name : "?", domid,
             *c->path ? c->path : d->tty);
    run_message(r, line);
    return 0;
}

int run_channels_start(struct run *r, const struct guest_list *l)
{
    bool any = false;

    for (unsigned int i = 0; i < l->nr; i++)
        any |= l->entries[i].guest.channels->nr != 0;
    if (!any || r->replay)
        return 0;
    r->channels = calloc((size_t)r->nr_guests * XL_CHANNELS_MAX, sizeof(*r->channels));
    if (!r->channels) {
        snprintf(r->err, RUN_ERR_SIZE, "out of memory");
        return -1;
    }
    for (unsigned int g = 0; g < r->nr_guests; g++) {
        const struct guest_entry *e = &l->entries[g % l->nr];
        char where[XL_WHERE_SIZE];
        size_t len;

        xl_where(&e->cfg.where, "channel", where);
        len = strlen(where); /* it ends with ": " */
        where[len >= 2 ? len - 2 : 0] = '\0';
        for (unsigned int i = 0; i < e->guest.channels->nr; i++)
            if (channel_open(r, g, i + 1, &e->guest.channels->list[i], where))
                return -1;
    }
    return 0;
}

void run_channels_close(struct run *r)
{
    for (unsigned int i = 0; r->channels && i < r->nr_guests * XL_CHANNELS_MAX; i++) {
        const uint64_t forgotten = r->channels[i].forgotten;
        char line[160];

        console_door_close(&r->channels[i]);
        if (!forgotten)
            continue;
        snprintf(line, sizeof(line), "of channel %u of d%u %llu bytes were forgotten: nobody read them",
                 i % XL_CHANNELS_MAX + 1, host_guest_domid(r->host, i / XL_CHANNELS_MAX),
                 (unsigned long long)forgotten);
        run_message(r, line);
    }
    free(r->channels);
    r->channels = NULL;
}
