// SPDX-License-Identifier: GPL-2.0-or-later
/* dom0's bus and the store: both are in dom0's kernel, so what is asked for is known at once. */
#include "rings/bus_private.h"

#include <string.h>

struct store_bus {
    struct xenbus bus;
    struct xs_store *store;
    struct xs_conn conn; /* for watches */
};

static struct store_bus *of(struct xenbus *b) { return (struct store_bus *)(void *)b; }

static struct xs_access toolstack(struct xenbus *b) { return (struct xs_access){ .store = of(b)->store }; }

static void event(void *data, const struct xsd_sockmsg *hdr, const void *payload)
{
    const char *path = payload;

    (void)hdr;
    xenbus_event(data, path, path + strlen(path) + 1);
}

static bool watch(struct xenbus *b, const char *path, const char *token)
{
    char *own = xstrdup(of(b)->store->arena, path);
    const struct xs_watch *w;

    if (own && !xs_watch_add(&of(b)->conn, own, token, false, &w))
        return true;
    xfree(own);
    return false;
}

static void unwatch(struct xenbus *b, const char *path, const char *token)
{
    xs_watch_remove(&of(b)->conn, path, token);
}

static void write_node(struct xenbus *b, const char *path, const char *value)
{
    const struct xs_access a = toolstack(b);

    xs_write(&a, path, value, strlen(value));
}

static bool read_node(struct xenbus *b, const char *path, char value[XENBUS_VALUE])
{
    const struct xs_access a = toolstack(b);
    const struct xs_node *n;

    if (!xs_path_ok(a.store, path) || xs_get(&a, path, XS_RIGHT_READ, &n) || n->len >= XENBUS_VALUE)
        return false;
    memcpy(value, n->value, n->len);
    value[n->len] = 0;
    return true;
}

static bool there(struct xenbus *b, const char *path)
{
    const struct xs_access a = toolstack(b);
    const struct xs_node *n;

    return !xs_get(&a, path, XS_RIGHT_READ, &n);
}

static struct xenbus_device *next(struct xenbus *b)
{
    struct xenbus_device *dev = b->devices;

    while (dev && !dev->dirty)
        dev = dev->next;
    if (dev)
        dev->dirty = false;
    return dev;
}

static void forget(struct xenbus *b, const struct xenbus_device *dev) {}

static void end(struct xenbus *b)
{
    xs_conn_end(&of(b)->conn);
    xfree(of(b));
}

static const struct xenbus_way way = { .watch = watch,
                                       .unwatch = unwatch,
                                       .write = write_node,
                                       .next = next,
                                       .read = read_node,
                                       .there = there,
                                       .forget = forget,
                                       .end = end };

struct xenbus *xenbus_create(struct native_kernel *k, struct xs_store *store, const struct xenbus_kind *kinds)
{
    struct store_bus *s = xzalloc(store->arena, struct store_bus);

    if (!s)
        return NULL;
    s->store = store;
    xs_conn_init(&s->conn, store, native_vcpu(k)->domain->domain_id, event, s);
    if (xenbus_init(&s->bus, k, &way, kinds))
        return &s->bus;
    xenbus_destroy(&s->bus);
    return NULL;
}
