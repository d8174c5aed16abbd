// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Channels of a guest, as they are written: channel = [ "name=org.example.agent,connection=pty" ] of xl.cfg, and
 * --channel.
 *
 * Concept: words with values (xl.cfg(5)). The name is how an agent in the guest finds it; the connection is what it has
 * outside: a terminal of its own, or a socket at a path. The first one of a guest has number 1, for 0 is its console.
 */
#ifndef TOOLS_XL_XL_CHANNEL_H
#define TOOLS_XL_XL_CHANNEL_H

#include <stdbool.h>

#define XL_CHANNELS_MAX     9 /* Linux takes the last digit of the number for all of it */
#define XL_CHANNEL_WHY_SIZE 384

struct xl_channel {
    char name[64];
    char path[104]; /* of its socket; "": it is a pty */
};

struct xl_channels {
    struct xl_channel list[XL_CHANNELS_MAX];
    unsigned int nr;
};

/* Add the channel that an xl.cfg's word is about. False, and why: in words that follow the key. */
bool xl_channels_add(struct xl_channels *channels, const char *spec, char why[XL_CHANNEL_WHY_SIZE]);
/* `to` gets these, too. False, and why. */
bool xl_channels_merge(struct xl_channels *to, const struct xl_channels *more, char why[XL_CHANNEL_WHY_SIZE]);

#endif
