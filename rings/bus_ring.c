// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A driver domain's bus and the store: over the domain's own ring, which answers later.
 *
 * Concept: back ends ask for nodes while they look at a device, and cannot wait. So before a device is looked at, all
 * that is in its two directories is fetched, and then looked at in this copy:
 *
 *      dirty --> its states, its own directory, the front end's, and all below them --> copy --> look
 *                   8 requests at a time, each answer may ask for more
 *
 * States are asked for first: who says by its state that the rest is there has written the rest before. What changes
 * after that makes the device dirty again.
 *
 * Invariants: one device is fetched at a time; at most COPY_NODES of its nodes, so a front end that fills its directory
 * costs no more than that; and in turn, so one that changes its state all the time delays others by one fetch. Answers
 * come in the order of the questions.
 *
 * Corresponds to what Linux's xenbus client does with a sleeping thread.
 */
#include "rings/bus_private.h"
#include "rings/xenstore/client.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COPY_NODES  256u
#define ASKED_MAX   8u
#define WATCHES_MAX 128u /* xenstored's quota of a domain without privileges */
#define DEVICE_DEEP 2u   /* "backend/vbd", "1", "51712" */
#define PATH_SIZE   (2 * XENBUS_PATH)

enum want_kind { WANT_VALUE, WANT_CHILDREN, WANT_DEVICES, WANT_NOTHING /* any more */ };

/* A question about a path, that is to be asked or has been. */
struct want {
    struct want *next;
    enum want_kind kind;
    bool asked;
    unsigned int deep; /* WANT_DEVICES: levels between here and a device */
    const struct xenbus_device *dev;
    char path[PATH_SIZE];
};

struct copy {
    struct copy *next;
    char path[PATH_SIZE];
    char value[XENBUS_VALUE];
};

struct ring_bus {
    struct xenbus bus;
    struct xs_client *client;
    struct want *wants, **wants_tail;
    unsigned int asked;
    struct xenbus_device *fetching;   /* whose nodes are in the copy, or will be */
    const struct xenbus_device *last; /* that was fetched; NULL: it has gone */
    bool told;                        /* that xenstore refuses something */
    bool torn;                        /* no memory for all of the copy: nobody looks at it */
    unsigned int nr_nodes, nr_watches;
    struct copy *copies;
    char front[XENBUS_PATH]; /* of the device that is fetched; "": not known yet */
};

static struct ring_bus *of(struct xenbus *b) { return (struct ring_bus *)(void *)b; }

static struct arena *arena_of(const struct ring_bus *r)
{
    return native_vcpu(r->bus.kernel)->domain->xen->machine->arena;
}

/* --- questions --- */

static void ask(struct ring_bus *r)
{
    for (struct want *w = r->wants; w && r->asked < ASKED_MAX; w = w->next) {
        if (w->asked)
            continue;
        if (!xs_client_ask(r->client, w->kind == WANT_VALUE ? XS_READ : XS_DIRECTORY, 1, w->path, NULL, 0))
            break; /* no memory: with the next answer, or event */
        w->asked = true;
        r->asked++;
    }
}

static void want(struct ring_bus *r, enum want_kind kind, const char *path, unsigned int deep,
                 const struct xenbus_device *dev)
{
    struct want *w;

    if (strlen(path) >= PATH_SIZE || (dev && r->nr_nodes >= 2 * COPY_NODES))
        return;
    w = xzalloc(arena_of(r), struct want);
    if (!w) {
        r->torn |= dev != NULL;
        return;
    }
    r->nr_nodes += dev != NULL;
    w->kind = kind;
    w->deep = deep;
    w->dev = dev;
    snprintf(w->path, sizeof(w->path), "%s", path);
    *r->wants_tail = w;
    r->wants_tail = &w->next;
}

/* A directory, its own value included, and all below it. */
static void want_all(struct ring_bus *r, const char *path)
{
    want(r, WANT_VALUE, path, 0, r->fetching);
    want(r, WANT_CHILDREN, path, 0, r->fetching);
}

static void copy_drop(struct ring_bus *r)
{
    while (r->copies) {
        struct copy *c = r->copies;

        r->copies = c->next;
        xfree(c);
    }
    r->nr_nodes = 0;
    r->torn = false;
}

static const struct copy *copy_find(const struct ring_bus *r, const char *path)
{
    const struct copy *c = r->copies;

    while (c && strcmp(c->path, path))
        c = c->next;
    return c;
}

static void fetch_begin(struct ring_bus *r, struct xenbus_device *dev)
{
    char path[PATH_SIZE];

    copy_drop(r);
    dev->dirty = false;
    r->fetching = dev;
    r->last = dev;
    snprintf(r->front, sizeof(r->front), "%s", dev->front_path);
    if (*r->front) {
        snprintf(path, sizeof(path), "%s/state", r->front);
        want(r, WANT_VALUE, path, 0, dev);
    }
    want_all(r, dev->path);
    if (*r->front)
        want_all(r, r->front);
    ask(r);
}

/* --- answers --- */

static void value_arrived(struct ring_bus *r, const struct want *w, const char *value, size_t len)
{
    char path[PATH_SIZE];
    struct copy *c;

    if (len >= XENBUS_VALUE || copy_find(r, w->path))
        return; /* the first counts */
    c = xzalloc(arena_of(r), struct copy);
    if (!c) {
        r->torn = true;
        return;
    }
    memcpy(c->path, w->path, sizeof(c->path));
    memcpy(c->value, value, len);
    c->next = r->copies;
    r->copies = c;
    snprintf(path, sizeof(path), "%s/frontend", w->dev->path);
    if (*r->front || strcmp(path, w->path) || len >= sizeof(r->front) || *value != '/')
        return;
    memcpy(r->front, value, len + 1);
    snprintf(path, sizeof(path), "%s/state", r->front);
    want(r, WANT_VALUE, path, 0, r->fetching);
    want_all(r, r->front);
}

static void children_arrived(struct ring_bus *r, const struct want *w, const char *names, size_t len)
{
    char path[PATH_SIZE + XENBUS_VALUE];

    for (size_t at = 0; at < len; at += strlen(names + at) + 1) {
        snprintf(path, sizeof(path), "%s/%.*s", w->path, XENBUS_VALUE - 2, names + at);
        if (w->kind == WANT_CHILDREN) {
            want_all(r, path);
        } else if (w->deep > 1) {
            want(r, WANT_DEVICES, path, w->deep - 1, NULL);
        } else {
            xenbus_appeared(&r->bus, path);
            xenbus_event(&r->bus, path, path);
        }
    }
}

/* The copy is whole: the device can be looked at. */
static bool fetched(const struct ring_bus *r)
{
    for (const struct want *w = r->wants; w; w = w->next)
        if (w->dev)
            return false;
    return r->fetching;
}

static void answered(struct ring_bus *r, const struct xsd_sockmsg *hdr, const char *payload)
{
    struct want *w = r->wants;

    if (!w || !w->asked)
        return; /* of a question that nobody asked */
    r->wants = w->next;
    if (!r->wants)
        r->wants_tail = &r->wants;
    r->asked--;
    if (hdr->type != XS_ERROR && w->kind != WANT_NOTHING) {
        if (w->kind == WANT_VALUE)
            value_arrived(r, w, payload, hdr->len);
        else
            children_arrived(r, w, payload, hdr->len);
    }
    xfree(w);
    ask(r);
    if (fetched(r))
        task_ready(&r->bus.task);
}

/* A node in the directory of a device that is offered: we have written it ourselves, and nobody else's count there. */
static bool is_own(const struct ring_bus *r, const char *path)
{
    for (const struct xenbus_device *dev = r->bus.devices; dev; dev = dev->next) {
        const size_t len = strlen(dev->path);

        if (dev->offered && !strncmp(path, dev->path, len) && path[len] == '/')
            return true;
    }
    return false;
}

/* Of a node that is removed meanwhile nothing is written any more; a quota is another matter. */
static void refused(struct ring_bus *r, const char *why)
{
    const struct domain *d = native_vcpu(r->bus.kernel)->domain;

    if (r->told || (strcmp(why, "ENOSPC") && strcmp(why, "E2BIG") && strcmp(why, "ENOMEM")))
        return;
    r->told = true;
    printk(d->xen->machine, LOG_WARNING,
           "d%u: xenstore takes no more of this driver domain (%s): it has too many devices", d->domain_id, why);
}

static void heard(void *data, const struct xsd_sockmsg *hdr, const char *payload)
{
    struct ring_bus *r = data;
    const size_t path_size = strlen(payload) + 1;
    char root[PATH_SIZE];

    if (hdr->type != XS_WATCH_EVENT) {
        if (hdr->req_id)
            answered(r, hdr, payload);
        else if (hdr->type == XS_ERROR)
            refused(r, payload);
        return;
    }
    if (path_size >= hdr->len)
        return;
    for (const struct xenbus_kind *k = r->bus.kinds; k->ops && !payload[path_size]; k++) {
        snprintf(root, sizeof(root), "%s/backend/%s", r->bus.root, k->ops->type);
        if (!strcmp(root, payload))
            want(r, WANT_DEVICES, root, DEVICE_DEEP, NULL); /* what is there already */
    }
    if (payload[path_size] || !is_own(r, payload))
        xenbus_event(&r->bus, payload, payload + path_size);
    ask(r);
}

/* --- the way --- */

static bool watch(struct xenbus *b, const char *path, const char *token)
{
    if (of(b)->nr_watches == WATCHES_MAX || !xs_client_ask(of(b)->client, XS_WATCH, 0, path, token, strlen(token) + 1))
        return false;
    of(b)->nr_watches++;
    return true;
}

static void unwatch(struct xenbus *b, const char *path, const char *token)
{
    if (xs_client_ask(of(b)->client, XS_UNWATCH, 0, path, token, strlen(token) + 1))
        of(b)->nr_watches--;
}

static void write_node(struct xenbus *b, const char *path, const char *value)
{
    xs_client_ask(of(b)->client, XS_WRITE, 0, path, value, strlen(value));
}

static bool read_node(struct xenbus *b, const char *path, char value[XENBUS_VALUE])
{
    const struct copy *c = copy_find(of(b), path);

    if (c)
        memcpy(value, c->value, XENBUS_VALUE);
    return c;
}

static bool there(struct xenbus *b, const char *path) { return copy_find(of(b), path); }

static struct xenbus_device *dirty_from(struct xenbus_device *dev)
{
    while (dev && !dev->dirty)
        dev = dev->next;
    return dev;
}

static struct xenbus_device *next(struct xenbus *b)
{
    struct ring_bus *r = of(b);
    struct xenbus_device *dev;

    if (r->fetching) {
        if (!fetched(r))
            return NULL;
        dev = r->torn ? NULL : r->fetching; /* without memory it waits until something happens to it again */
        r->fetching = NULL;
        return dev;
    }
    dev = r->last ? dirty_from(r->last->next) : NULL;
    if (!dev)
        dev = dirty_from(b->devices);
    if (dev)
        fetch_begin(r, dev);
    return NULL;
}

static void forget(struct xenbus *b, const struct xenbus_device *dev)
{
    struct ring_bus *r = of(b);

    if (r->fetching == dev)
        r->fetching = NULL;
    if (r->last == dev)
        r->last = NULL;
    for (struct want *w = r->wants; w; w = w->next)
        if (w->dev == dev)
            w->dev = NULL, w->kind = WANT_NOTHING;
}

static void end(struct xenbus *b)
{
    struct ring_bus *r = of(b);

    xs_client_destroy(r->client);
    copy_drop(r);
    while (r->wants) {
        struct want *w = r->wants;

        r->wants = w->next;
        xfree(w);
    }
    xfree(r);
}

static const struct xenbus_way way = { .watch = watch,
                                       .unwatch = unwatch,
                                       .write = write_node,
                                       .next = next,
                                       .read = read_node,
                                       .there = there,
                                       .forget = forget,
                                       .end = end };

struct xenbus *xenbus_create_ring(struct native_kernel *k, struct xenstore_domain_interface *intf, evtchn_port_t port,
                                  const struct xenbus_kind *kinds)
{
    struct ring_bus *r = xzalloc(native_vcpu(k)->domain->xen->machine->arena, struct ring_bus);

    if (!r)
        return NULL;
    r->wants_tail = &r->wants;
    r->client = xs_client_create(k, intf, port, heard, r);
    if (!r->client) {
        xfree(r);
        return NULL;
    }
    if (xenbus_init(&r->bus, k, &way, kinds))
        return &r->bus;
    xenbus_destroy(&r->bus);
    return NULL;
}
