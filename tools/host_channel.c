// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The channels of guests: further consoles (rings/channel.h).
 *
 * Concept: what has come for a channel from outside waits here, in the machine, until its ring takes it; what the guest
 * writes goes out at once. What is at the other end is an affair of who runs the machine.
 *
 * Invariants: a channel is known by its number, from 1 on, and keeps what waits for it when its guest restarts.
 */
#include "rings/channel.h"
#include "tools/nodes.h"

#include <errno.h>
#include <string.h>

#define LIMIT "1048576" /* as of a console: xenconsoled's limit */

struct guest_channels {
    struct xl_channels cfg;
    struct {
        char input[HOST_INPUT_MAX];
        size_t nr_input;
        char tty[HOST_TTY_SIZE];
    } of[XL_CHANNELS_MAX]; /* of that number, less 1 */
};

/* --- the back end's other side --- */

static void channel_out(void *data, domid_t domid, unsigned int devid, const char *text, size_t len)
{
    const struct host_io *io = &((struct host *)data)->edges->io;

    if (io->channel_out)
        io->channel_out(io->data, domid, devid, text, len);
}

static size_t channel_in(void *data, domid_t domid, unsigned int devid, char *buf, size_t len)
{
    struct guest *g = guest_find(data, domid);
    struct guest_channels *c = g ? g->channels : NULL;
    size_t n;

    if (!c || devid > c->cfg.nr)
        return 0;
    n = c->of[devid - 1].nr_input;
    n = n < len ? n : len;
    memcpy(buf, c->of[devid - 1].input, n);
    c->of[devid - 1].nr_input -= n;
    memmove(c->of[devid - 1].input, c->of[devid - 1].input + n, c->of[devid - 1].nr_input);
    return n;
}

/* --- what comes in --- */

struct wanted {
    domid_t domid;
    unsigned int devid;
    struct xenbus_device *found;
};

static void on_device(struct xenbus_device *dev, void *data)
{
    struct wanted *w = data;

    if (dev->front == w->domid && channelback_devid(dev) == w->devid && channelback_connected(dev))
        w->found = dev;
}

static struct xenbus_device *find(const struct guest *g, unsigned int channel)
{
    struct wanted w = { .domid = g->domid, .devid = channel };

    xenbus_each(g->host->bus, &channelback, on_device, &w);
    return w.found;
}

bool host_channel(const struct host *h, unsigned int index, unsigned int channel)
{
    const struct guest *g = guest_at(h, index);

    return g && g->channels && channel >= 1 && channel <= g->channels->cfg.nr;
}

size_t host_channel_room(const struct host *h, unsigned int index, unsigned int channel)
{
    const struct guest *g = guest_at(h, index);

    if (!host_channel(h, index, channel) || g->state == GUEST_ENDED || !find(g, channel))
        return 0;
    return HOST_INPUT_MAX - g->channels->of[channel - 1].nr_input;
}

void host_channel_input(struct host *h, unsigned int index, unsigned int channel, const char *text, size_t len,
                        s_time_t now)
{
    struct guest *g = guest_at(h, index);

    BUG_ON(len > host_channel_room(h, index, channel));
    xen_interrupt(h->xen, now);
    memcpy(g->channels->of[channel - 1].input + g->channels->of[channel - 1].nr_input, text, len);
    g->channels->of[channel - 1].nr_input += len;
    channelback_kick(find(g, channel));
}

int host_channel_tty(struct host *h, unsigned int index, unsigned int channel, const char *path, size_t len,
                     s_time_t now)
{
    struct guest *g = guest_at(h, index);
    struct node_writer w = { .h = h, .g = g };
    char path_of[NODE_PATH_SIZE], *tty;

    BUG_ON(!host_channel(h, index, channel) || len >= HOST_TTY_SIZE);
    xen_interrupt(h->xen, now);
    tty = g->channels->of[channel - 1].tty;
    memcpy(tty, path, len);
    tty[len] = '\0';
    if (g->introduced)
        node(&w, path_make(path_of, "device/console/%u/tty", channel), AS_PARENT, "%s", tty);
    return w.failed ? -ENOMEM : 0;
}

/* --- the kind of device --- */

static void *channels_data(struct host *h)
{
    h->channels = (struct channel_io){ h->arena, h, channel_out, channel_in };
    return &h->channels;
}

static bool channels_copy(struct guest *g, const struct host_guest *cfg)
{
    if (cfg->channels && cfg->channels->nr) {
        g->channels = xzalloc(g->host->arena, struct guest_channels);
        if (!g->channels)
            return false;
        g->channels->cfg = *cfg->channels;
    }
    g->cfg.channels = NULL;
    return true;
}

static unsigned int channels_nr(const struct guest *g) { return g->channels ? g->channels->cfg.nr : 0; }

/* Who runs the machine may have nothing for the other end, as the debugger. */
static int channels_open(struct host *h, struct guest *g, char err[HOST_ERR_SIZE])
{
    (void)err;
    if (channels_nr(g) && !h->edges->io.channel_out && !h->edges->is_recorded)
        host_message(h, "%s: nobody is at the other end of its channels here", g->cfg.name);
    return 0;
}

/* As libxl__device_console_add() in tools/libs/light/libxl_console.c writes them. */
static void channel_nodes(struct node_writer *w, unsigned int i)
{
    const struct xl_channel *c = &w->g->channels->cfg.list[i];
    const unsigned int devid = i + 1;
    struct device_nodes dev;

    device_begin(&dev, w, channelback.type, 0, devid);
    device_front(&dev, "protocol", "vt100");
    device_front_ro(&dev, "name", "%s", c->name);
    device_front_ro(&dev, "limit", LIMIT);
    device_front_ro(&dev, "type", "ioemu");
    if (*c->path)
        device_front_ro(&dev, "output", "chardev:libxl-channel%u", devid);
    else
        device_front_ro(&dev, "output", "pty");
    device_front_ro(&dev, "tty", "%s", w->g->channels->of[i].tty);
    device_back(&dev, "online", "1");
    device_back(&dev, "protocol", "vt100");
    device_back(&dev, "name", "%s", c->name);
    device_back(&dev, "connection", *c->path ? "socket" : "pty");
    if (*c->path)
        device_back(&dev, "path", "%s", c->path);
    device_back(&dev, "state", "1");
}

static void channels_free(struct guest *g)
{
    xfree(g->channels);
    g->channels = NULL;
}

const struct device_kind channel_devices = { .back = &channelback,
                                             .data = channels_data,
                                             .copy = channels_copy,
                                             .nr = channels_nr,
                                             .open = channels_open,
                                             .nodes = channel_nodes,
                                             .free = channels_free };
