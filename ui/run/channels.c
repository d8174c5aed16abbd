// SPDX-License-Identifier: GPL-2.0-or-later
/* What goes through channels of guests, outside: see ui/run/channel_to.c. */
#include "ui/run/run.h"

static struct console_door *door(const struct run *r, unsigned int g, unsigned int channel)
{
    return &r->channels[g * XL_CHANNELS_MAX + channel - 1];
}

void run_channel_out(struct run *r, domid_t domid, unsigned int channel, const char *text, size_t len)
{
    const int g = r->channels ? host_guest_index(r->host, domid) : -1;

    if (g >= 0 && (unsigned int)g < r->nr_guests)
        console_door_out(door(r, (unsigned int)g, channel), text, len);
}

size_t run_channel_read(struct run *r, unsigned int g, unsigned int channel, char text[HOST_INPUT_MAX])
{
    struct console_door *d = door(r, g, channel);

    console_door_take(d);
    return console_door_read(d, text, host_channel_room(r->host, g, channel));
}

bool run_channels_ready(const struct run *r)
{
    for (unsigned int g = 0; r->channels && g < r->nr_guests; g++)
        for (unsigned int c = 1; c <= XL_CHANNELS_MAX; c++)
            if (door(r, g, c)->in_len && host_channel_room(r->host, g, c))
                return true;
    return false;
}

nfds_t run_channels_fds(const struct run *r, struct pollfd *fds)
{
    nfds_t nr = 0;

    for (unsigned int i = 0; r->channels && i < r->nr_guests * XL_CHANNELS_MAX; i++)
        nr += console_door_fds(&r->channels[i], fds + nr);
    return nr;
}
