// SPDX-License-Identifier: GPL-2.0-or-later
/* xenbus, the back side: the idea is in rings/bus.h. */
#include "rings/bus_private.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xen/io/xenbus.h>

#define FRONT_DOMID_MAX (DOMID_FIRST_RESERVED - 1)
#define FRONT_STATE_MAX 99
#define NODE_MAX        48 /* bytes of the name of one of the front end's that is watched, with its 0 */

struct native_kernel *xenbus_kernel(const struct xenbus *b) { return b->kernel; }
void *xenbus_data(const struct xenbus_device *dev) { return dev->kind->data; }

static bool is_at_or_below(const char *path, const char *above)
{
    const size_t len = strlen(above);

    return !strncmp(path, above, len) && (!path[len] || path[len] == '/');
}

/* --- nodes --- */

static bool read_at(struct xenbus *b, const char *dir, const char *node, char value[XENBUS_VALUE])
{
    char path[XENBUS_PATH + 64];

    snprintf(path, sizeof(path), "%s/%s", dir, node);
    task_charge(&b->task, 1, 0);
    return b->way->read(b, path, value);
}

bool xenbus_read(const struct xenbus_device *dev, bool front, const char *node, char value[XENBUS_VALUE])
{
    return read_at(dev->bus, front ? dev->front_path : dev->path, node, value);
}

bool xenbus_read_number(const struct xenbus_device *dev, bool front, const char *node, uint64_t min, uint64_t max,
                        uint64_t *n)
{
    char value[XENBUS_VALUE];
    char *end;

    if (!xenbus_read(dev, front, node, value) || *value < '0' || *value > '9')
        return false;
    errno = 0;
    *n = strtoull(value, &end, 10);
    return !errno && !*end && *n >= min && *n <= max;
}

__attribute__((format(printf, 3, 0))) static void write_at(struct xenbus *b, const char *path, const char *fmt,
                                                           va_list ap)
{
    char value[XENBUS_VALUE];

    vsnprintf(value, sizeof(value), fmt, ap);
    task_charge(&b->task, 1, 0);
    b->way->write(b, path, value); /* without memory the device waits for what does not come */
}

void xenbus_write(struct xenbus_device *dev, const char *node, const char *fmt, ...)
{
    char path[XENBUS_PATH + 64];
    va_list ap;

    snprintf(path, sizeof(path), "%s/%s", dev->path, node);
    va_start(ap, fmt);
    write_at(dev->bus, path, fmt, ap);
    va_end(ap);
}

static void state_set(struct xenbus_device *dev, enum xenbus_state state)
{
    if (dev->state == state)
        return;
    dev->state = state;
    xenbus_write(dev, "state", "%u", state);
}

int xenbus_fail(struct xenbus_device *dev, int rc, const char *fmt, ...)
{
    struct xenbus *b = dev->bus;
    char path[2 * XENBUS_PATH + 16];
    va_list ap;

    snprintf(path, sizeof(path), "%s/error%s/error", b->root, dev->path + strlen(b->root));
    va_start(ap, fmt);
    write_at(b, path, fmt, ap);
    va_end(ap);
    state_set(dev, XenbusStateClosing);
    dev->failed = true;
    dev->dirty = true;
    task_ready(&b->task);
    return rc;
}

/* --- devices --- */

/* Their directory is below path, or path is in it. */
static void mark(struct xenbus *b, const char *path)
{
    for (struct xenbus_device *dev = b->devices; dev; dev = dev->next)
        dev->dirty |= is_at_or_below(path, dev->path) || is_at_or_below(dev->path, path);
    task_ready(&b->task);
}

/* This directory of ours has been removed, or made: devices that we have had below it are others by now. */
static void expire(struct xenbus *b, const char *path)
{
    for (struct xenbus_device *dev = b->devices; dev; dev = dev->next)
        dev->gone |= *dev->front_path && is_at_or_below(dev->path, path);
}

/* "/local/domain/0/backend/TYPE/DOMID/DEVID", perhaps with more behind: its length, or 0. */
static size_t device_path(const struct xenbus *b, const char *path, const struct xenbus_kind **kind)
{
    char start[XENBUS_PATH];
    size_t len, digits;

    for (const struct xenbus_kind *k = b->kinds; k->ops; k++) {
        len = (size_t)snprintf(start, sizeof(start), "%s/backend/%s/", b->root, k->ops->type);
        if (strncmp(path, start, len))
            continue;
        *kind = k;
        digits = strspn(path + len, "0123456789");
        if (!digits || path[len + digits] != '/')
            return 0;
        len += digits + 1;
        digits = strspn(path + len, "0123456789");
        if (!digits || strtoul(path + len, NULL, 10) < k->ops->first ||
            (path[len + digits] && path[len + digits] != '/') || len + digits >= XENBUS_PATH)
            return 0;
        return len + digits;
    }
    return 0;
}

void xenbus_appeared(struct xenbus *b, const char *path)
{
    const struct xenbus_kind *kind;
    const size_t len = device_path(b, path, &kind);
    struct xenbus_device **at = &b->devices, *dev;

    while (len && *at && (strncmp((*at)->path, path, len) || (*at)->path[len]))
        at = &(*at)->next;
    if (!len || *at)
        return;
    dev = xzalloc(native_vcpu(b->kernel)->domain->xen->machine->arena, struct xenbus_device);
    if (!dev)
        return;
    memcpy(dev->path, path, len);
    dev->bus = b;
    dev->kind = kind;
    *at = dev;
}

void xenbus_event(struct xenbus *b, const char *path, const char *token)
{
    if (*token) {
        mark(b, token);
    } else {
        expire(b, path);
        xenbus_appeared(b, path);
        mark(b, path);
    }
}

static void device_disconnect(struct xenbus_device *dev)
{
    if (dev->connected)
        dev->kind->ops->disconnect(dev);
    dev->connected = false;
}

/* Watch a node of the front end's. */
static bool front_watch(struct xenbus_device *dev, const char *node)
{
    char path[XENBUS_PATH + NODE_MAX];

    snprintf(path, sizeof(path), "%s/%s", dev->front_path, node);
    if (dev->bus->way->watch(dev->bus, path, dev->path))
        return true;
    xenbus_fail(dev, -ENOSPC, "%d no memory, or too many watches", ENOSPC);
    return false;
}

static void front_unwatch(struct xenbus_device *dev, const char *node)
{
    char path[XENBUS_PATH + NODE_MAX];

    snprintf(path, sizeof(path), "%s/%s", dev->front_path, node);
    dev->bus->way->unwatch(dev->bus, path, dev->path);
}

static void device_free(struct xenbus_device *dev)
{
    struct xenbus *b = dev->bus;
    struct xenbus_device **at = &b->devices;

    device_disconnect(dev);
    b->way->forget(b, dev);
    if (dev->watched)
        front_unwatch(dev, "state");
    if (dev->watched_also)
        front_unwatch(dev, dev->kind->ops->also);
    if (*dev->front_path)
        dev->kind->ops->remove(dev);
    while (*at != dev)
        at = &(*at)->next;
    *at = dev->next;
    xfree(dev);
}

/* The toolstack has written all of our directory: offer the device. False: it has not, or that fails. */
static bool offer(struct xenbus_device *dev)
{
    char value[XENBUS_VALUE];
    uint64_t domid, state;

    if (*dev->front_path)
        return false; /* it was tried */
    if (!xenbus_read(dev, false, "frontend", value) || strlen(value) >= XENBUS_PATH || *value != '/' ||
        !xenbus_read_number(dev, false, "frontend-id", 0, FRONT_DOMID_MAX, &domid) ||
        !xenbus_read_number(dev, false, "state", XenbusStateInitialising, XenbusStateClosed, &state))
        return false;
    memcpy(dev->front_path, value, strlen(value) + 1);
    dev->front = (domid_t)domid;
    dev->state = (enum xenbus_state)state;
    dev->again = state == XenbusStateConnected;
    dev->watched = front_watch(dev, "state");
    if (!dev->watched || dev->kind->ops->probe(dev))
        return false;
    if (dev->kind->ops->also) {
        dev->watched_also = front_watch(dev, dev->kind->ops->also);
        if (!dev->watched_also)
            return false;
    }
    dev->offered = true;
    if (dev->state == XenbusStateInitialising)
        state_set(dev, XenbusStateInitWait);
    return true;
}

/* The front end had gone, or was about to, and that was all. */
static bool is_over(const struct xenbus_device *dev)
{
    return dev->state == XenbusStateClosed || (dev->state == XenbusStateClosing && !dev->failed);
}

/* Another driver is there: either it said so, or it has said more before anybody looked. */
static void front_back(struct xenbus_device *dev)
{
    device_disconnect(dev);
    dev->failed = dev->again = false;
    state_set(dev, XenbusStateInitWait);
}

static void front_changed(struct xenbus_device *dev)
{
    uint64_t front = XenbusStateUnknown;
    bool fails;

    xenbus_read_number(dev, true, "state", 0, FRONT_STATE_MAX, &front);
    if (dev->state == XenbusStateClosing)
        device_disconnect(dev); /* it has failed */
    if (front == XenbusStateInitialised && is_over(dev))
        front_back(dev);
    switch (front) {
    case XenbusStateInitialising:
        if (is_over(dev) || dev->again)
            front_back(dev);
        break;
    case XenbusStateInitialised:
    case XenbusStateConnected:
        if (dev->connected && dev->kind->ops->changed)
            dev->kind->ops->changed(dev);
        if (dev->state != XenbusStateInitWait && !dev->again)
            break;
        fails = dev->kind->ops->connect(dev);
        dev->again = false;
        if (fails)
            break;
        dev->connected = true;
        state_set(dev, XenbusStateConnected);
        break;
    case XenbusStateClosing:
        device_disconnect(dev);
        dev->again = false;
        state_set(dev, XenbusStateClosing);
        break;
    case XenbusStateInitWait:
    case XenbusStateReconfiguring:
    case XenbusStateReconfigured: break;
    default:
        device_disconnect(dev);
        dev->failed = dev->again = false;
        state_set(dev, XenbusStateClosed);
        break;
    }
}

static void look(struct xenbus_device *dev)
{
    struct xenbus *b = dev->bus;
    const bool there = b->way->there(b, dev->path), anew = there || dev->dirty; /* dirty: since that was found out */
    char path[XENBUS_PATH];

    if (there && !dev->gone) {
        if (dev->offered || offer(dev))
            front_changed(dev);
        return;
    }
    memcpy(path, dev->path, sizeof(path));
    device_free(dev);
    if (anew)
        xenbus_event(b, path, "");
}

static bool bus_step(struct task *t, unsigned int budget)
{
    struct xenbus *b = t->data;
    struct xenbus_device *dev;

    for (; budget; budget--) {
        dev = b->way->next(b);
        if (!dev)
            return false;
        look(dev);
    }
    return true;
}

static const struct task_ops bus_task = { .name = "xenbus", .step = bus_step };

bool xenbus_init(struct xenbus *b, struct native_kernel *k, const struct xenbus_way *way,
                 const struct xenbus_kind *kinds)
{
    char path[XENBUS_PATH + 16];

    b->kernel = k;
    b->way = way;
    b->kinds = kinds;
    snprintf(b->root, sizeof(b->root), "/local/domain/%u", native_vcpu(k)->domain->domain_id);
    task_init(&b->task, k, &bus_task, b);
    for (; kinds->ops; kinds++) {
        snprintf(path, sizeof(path), "%s/backend/%s", b->root, kinds->ops->type);
        if (!way->watch(b, path, ""))
            return false;
    }
    return true;
}

void xenbus_destroy(struct xenbus *b)
{
    if (!b)
        return;
    while (b->devices)
        device_free(b->devices);
    task_end(&b->task);
    b->way->end(b);
}

void xenbus_domain_gone(struct xenbus *b, domid_t domid)
{
    struct xenbus_device *dev = b ? b->devices : NULL, *next;

    for (; dev; dev = next) {
        next = dev->next;
        if (*dev->front_path && dev->front == domid)
            device_free(dev);
    }
}

void xenbus_each(struct xenbus *b, const struct backend_ops *ops, void (*fn)(struct xenbus_device *dev, void *data),
                 void *data)
{
    for (struct xenbus_device *dev = b ? b->devices : NULL; dev; dev = dev->next)
        if (dev->kind->ops == ops)
            fn(dev, data);
}
