// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Channels: further consoles of a guest, which are devices.
 *
 * Concept: what goes through is what goes through a console (rings/console.c), but who is at the other end of it is not
 * a person: an agent in the guest is found by the channel's name, which the toolstack has written for it. The page and
 * the port come from the front end, by xenbus: ring-ref and port. Linux has them as /dev/hvc1 to hvc9.
 *
 * Invariants: an index that cannot be closes the channel; console 0, which has nothing to close, is passed over there.
 * What has come from outside stays there until there is room for it in the ring.
 *
 * Source: public io/console.h. Corresponds to QEMU's the console in its hw/char/.
 */
#ifndef RINGS_CHANNEL_H
#define RINGS_CHANNEL_H

#include "rings/bus.h"
#include "rings/console.h"

/* Who is at the other end; xenbus_data() of each channel. */
struct channel_io {
    struct arena *arena;
    void *data;
    void (*out)(void *data, domid_t domid, unsigned int devid, const char *text, size_t len);
    size_t (*in)(void *data, domid_t domid, unsigned int devid, char *buf, size_t len);
};

extern const struct backend_ops channelback;

/* Its number, from 1 on. */
unsigned int channelback_devid(const struct xenbus_device *dev);
bool channelback_connected(const struct xenbus_device *dev);
/* For one that is connected: there may be input. */
void channelback_kick(struct xenbus_device *dev);

#endif
