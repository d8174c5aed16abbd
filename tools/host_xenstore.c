// SPDX-License-Identifier: GPL-2.0-or-later
/* What the host has to do with xenstored: programs outside that use it, and who looks. See tools/host.h. */
#include "tools/host_private.h"

static void xenstore_say(void *data, unsigned int id, const void *bytes, size_t len)
{
    const struct host_edges *e = data;

    if (e->io.xenstore_out)
        e->io.xenstore_out(e->io.data, id, bytes, len);
}

static void xenstore_hang_up(void *data, unsigned int id)
{
    const struct host_edges *e = data;

    if (e->io.xenstore_hang_up)
        e->io.xenstore_hang_up(e->io.data, id);
}

void host_xenstore_edge(struct host_edges *e) { e->xenstore = (struct xs_edge){ e, xenstore_say, xenstore_hang_up }; }

int host_xenstore_socket(struct host *h, unsigned int id, enum host_socket what, const void *bytes, size_t len,
                         s_time_t now)
{
    xen_interrupt(h->xen, now);
    switch (what) {
    case HOST_SOCKET_OPEN: return xs_socket_open(h->xenstored, id);
    case HOST_SOCKET_BYTES: return xs_socket_bytes(h->xenstored, id, bytes, len);
    case HOST_SOCKET_CLOSE: return xs_socket_close(h->xenstored, id);
    case HOST_SOCKET_NR: break;
    }
    return -EINVAL;
}

bool host_xenstore_is_open(const struct host *h, unsigned int id) { return xs_socket_is_open(h->xenstored, id); }

struct store_listener {
    host_store_fn *fn;
    void *data;
};

static void store_entry(void *data, const struct xenstore_seen *seen)
{
    const struct store_listener *l = data;
    const struct host_store_entry e = { seen->is_watch, seen->domid, seen->path, seen->value, seen->len, seen->perms };

    l->fn(l->data, &e);
}

void host_store_each(const struct host *h, host_store_fn *fn, void *data)
{
    struct store_listener l = { fn, data };

    xenstored_each(h->xenstored, store_entry, &l);
}
