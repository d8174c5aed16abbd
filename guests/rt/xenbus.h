// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * How a front end and its back end find each other, for the guests that have a device (static: each has its own).
 *
 * The two meet in xenstore: ours is a directory, ~/device/KIND/NUMBER, in which the toolstack has written where the
 * other one's is. Each end says in its own how far it is (enum xenbus_state), and what the other has to know: pages
 * that are granted to it, a port. From Connected on xenstore has no part in it.
 *
 * Stated in public <xen/io/xenbus.h>.
 */
#ifndef GUESTS_RT_XENBUS_H
#define GUESTS_RT_XENBUS_H

#include "guests/rt/xenstore.h"

#define xen_mb()  asm volatile("mfence" ::: "memory")
#define xen_rmb() barrier()
#define xen_wmb() barrier()
#include <xen/io/xenbus.h>

static struct device {
    char front[64], back[128];
    domid_t peer;
} device;

/* DIR/NAME; NULL: it is not there. */
static const char *device_read(const char *dir, const char *name)
{
    char path[192];
    int len = snprintf(path, sizeof(path), "%s/%s", dir, name);

    return ask(XS_READ, path, (size_t)len + 1) < 0 ? NULL : answer;
}

static uint64_t device_number(const char *dir, const char *name)
{
    const char *text = device_read(dir, name);
    uint64_t n = 0;

    for (; text && *text >= '0' && *text <= '9'; text++)
        n = n * 10 + (uint64_t)(*text - '0');
    return n;
}

static void device_write(const char *name, const char *value)
{
    char payload[192];
    int len = snprintf(payload, sizeof(payload), "%s/%s%c%s", device.front, name, 0, value);

    if (ask(XS_WRITE, payload, (size_t)len) < 0)
        guest_panic("xenstore: %s: %s", payload, answer);
}

static void device_write_number(const char *name, uint64_t n)
{
    char text[24];

    snprintf(text, sizeof(text), "%lu", (unsigned long)n);
    device_write(name, text);
}

/* Until the back end says so; a watch tells of each change. */
static void device_back_state(uint64_t state)
{
    while (device_number(device.back, "state") != state)
        receive();
}

/* The first device of that kind that the toolstack has given this guest, whose back end waits. False: there is none. */
static inline bool device_find(const char *kind)
{
    char path[160];
    int len = snprintf(path, sizeof(path), "device/%s", kind);

    ring = mfn_to_virt(start_info->store_mfn);
    if (ask(XS_DIRECTORY, path, (size_t)len + 1) <= 0)
        return false;
    snprintf(device.front, sizeof(device.front), "%s/%s", path, answer); /* the first string of the list */
    device.peer = (domid_t)device_number(device.front, "backend-id");
    snprintf(device.back, sizeof(device.back), "%s", device_read(device.front, "backend") ?: "");
    len = snprintf(path, sizeof(path), "%s/state%cback", device.back, 0);
    if (ask(XS_WATCH, path, (size_t)len + 1) < 0)
        guest_panic("xenstore: %s: %s", device.back, answer);
    device_back_state(XenbusStateInitWait);
    return true;
}

#endif
