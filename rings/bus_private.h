// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What bus.c, which knows devices and their states, shares with the two ways in which a bus reaches the store: by
 * function (bus_store.c), or over a ring (bus_ring.c).
 */
#ifndef RINGS_BUS_PRIVATE_H
#define RINGS_BUS_PRIVATE_H

#include "rings/bus.h"

struct xenbus_way {
    /* Events are told by xenbus_event(). False: no memory. */
    bool (*watch)(struct xenbus *b, const char *path, const char *token);
    void (*unwatch)(struct xenbus *b, const char *path, const char *token);
    void (*write)(struct xenbus *b, const char *path, const char *value);
    /*
     * A device that something has happened to, and of which is known what there is now; it is not dirty any more. NULL:
     * there is none, and when there is one b's task is made ready.
     */
    struct xenbus_device *(*next)(struct xenbus *b);
    /* A node of that device, or its directory. */
    bool (*read)(struct xenbus *b, const char *path, char value[XENBUS_VALUE]);
    bool (*there)(struct xenbus *b, const char *path);
    /* The device is about to be freed. */
    void (*forget)(struct xenbus *b, const struct xenbus_device *dev);
    /* Free b. */
    void (*end)(struct xenbus *b);
};

struct xenbus {
    struct native_kernel *kernel;
    const struct xenbus_way *way;
    const struct xenbus_kind *kinds;
    struct xenbus_device *devices;
    struct task task;
    char root[XENBUS_PATH]; /* "/local/domain/0" */
};

/* False: out of memory, and b is still to be destroyed. */
bool xenbus_init(struct xenbus *b, struct native_kernel *k, const struct xenbus_way *way,
                 const struct xenbus_kind *kinds);
/* A watch fires, perhaps in the midst of a change: it is only noted. */
void xenbus_event(struct xenbus *b, const char *path, const char *token);
/* Something is there below our directories: it may be a new device. */
void xenbus_appeared(struct xenbus *b, const char *path);

#endif
