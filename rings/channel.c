// SPDX-License-Identifier: GPL-2.0-or-later
/* Channels, further consoles of a guest: see rings/channel.h. */
#include "rings/channel.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <xen/io/xenbus.h>

struct channel {
    struct xenbus_device *dev;
    unsigned int devid;
    struct console_backend *console; /* NULL: not connected */
};

static void channel_out(void *data, domid_t domid, const char *text, size_t len)
{
    const struct channel *c = data;
    const struct channel_io *io = xenbus_data(c->dev);

    io->out(io->data, domid, c->devid, text, len);
}

static size_t channel_in(void *data, domid_t domid, char *buf, size_t len)
{
    const struct channel *c = data;
    const struct channel_io *io = xenbus_data(c->dev);

    return io->in(io->data, domid, c->devid, buf, len);
}

static void channel_broken(void *data)
{
    const struct channel *c = data;

    xenbus_fail(c->dev, -EPROTO, "%d an index of the ring cannot be", EPROTO);
}

static int channel_connect(struct xenbus_device *dev)
{
    struct channel *c = dev->data;
    const struct console_io io = { c, channel_out, channel_in, channel_broken };
    uint64_t ref, port;

    if (!xenbus_read_number(dev, true, "ring-ref", 0, UINT32_MAX, &ref))
        return xenbus_fail(dev, -EINVAL, "%d ring-ref is missing, or no number", EINVAL);
    if (!xenbus_read_number(dev, true, "port", 1, UINT32_MAX, &port))
        return xenbus_fail(dev, -EINVAL, "%d port is missing, or no port", EINVAL);
    c->console = console_backend_create(xenbus_kernel(dev->bus),
                                        &(struct console_place){ .domid = dev->front,
                                                                 .devid = c->devid,
                                                                 .granted = true,
                                                                 .ref = (grant_ref_t)ref,
                                                                 .port = (evtchn_port_t)port },
                                        &io);
    if (!c->console)
        return xenbus_fail(dev, -EINVAL, "%d ring-ref cannot be mapped, or port not bound", EINVAL);
    console_backend_connect(c->console);
    console_backend_kick(c->console);
    return 0;
}

static void channel_disconnect(struct xenbus_device *dev)
{
    struct channel *c = dev->data;

    console_backend_destroy(c->console);
    c->console = NULL;
}

static int channel_probe(struct xenbus_device *dev)
{
    const struct channel_io *io = xenbus_data(dev);
    struct channel *c = dev->data = xzalloc(io->arena, struct channel);

    if (!c)
        return xenbus_fail(dev, -ENOMEM, "%d no memory", ENOMEM);
    c->dev = dev;
    c->devid = (unsigned int)strtoul(strrchr(dev->path, '/') + 1, NULL, 10);
    return 0;
}

static void channel_remove(struct xenbus_device *dev)
{
    xfree(dev->data);
    dev->data = NULL;
}

const struct backend_ops channelback = { .type = "console",
                                         .first = 1,
                                         .probe = channel_probe,
                                         .connect = channel_connect,
                                         .disconnect = channel_disconnect,
                                         .remove = channel_remove };

unsigned int channelback_devid(const struct xenbus_device *dev)
{
    const struct channel *c = dev->data;

    return c ? c->devid : 0;
}

bool channelback_connected(const struct xenbus_device *dev)
{
    const struct channel *c = dev->data;

    return c && c->console && dev->state == XenbusStateConnected;
}

void channelback_kick(struct xenbus_device *dev)
{
    const struct channel *c = dev->data;

    console_backend_kick(c->console);
}
