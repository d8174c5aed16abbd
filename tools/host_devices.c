// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The devices of guests, all kinds of them, and the bus that their back ends are on.
 *
 * Concept: what a kind of device is made of, and which nodes it has, its own file knows; here is the list of kinds, and
 * what is done for every one of them in the life of a guest. The bus begins with the first guest that has a device: a
 * machine without devices does nothing for them.
 *
 * Corresponds to the list of libxl__device_type in tools/libs/light/libxl_create.c.
 */
#include "tools/nodes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct device_kind *const kinds[] = { &vbd_devices, &vif_devices, &p9_devices,
                                                   &fb_devices,  &kbd_devices, &channel_devices };

#define NR_KINDS (sizeof(kinds) / sizeof(kinds[0]))
_Static_assert(NR_KINDS <= HOST_DEVICE_KINDS_MAX, "struct host has a place for each kind");

bool guest_devices_copy(struct guest *g, const struct host_guest *cfg)
{
    bool good = true;

    for (size_t k = 0; k < NR_KINDS; k++)
        good = kinds[k]->copy(g, cfg) && good;
    return good;
}

const char *guest_devices_uncloned(const struct guest *g)
{
    for (size_t k = 0; k < NR_KINDS; k++)
        if (!kinds[k]->clone && kinds[k]->nr(g))
            return kinds[k]->back->type;
    return NULL;
}

const char *guest_devices_unsaved(const struct guest *g)
{
    for (size_t k = 0; k < NR_KINDS; k++)
        if (kinds[k] != &vbd_devices && kinds[k] != &vif_devices && kinds[k] != &fb_devices &&
            kinds[k] != &kbd_devices && kinds[k]->nr(g))
            return kinds[k]->back->type;
    return NULL;
}

bool guest_devices_clone(struct guest *g, const struct guest *of)
{
    bool good = true;

    for (size_t k = 0; k < NR_KINDS && good; k++)
        good = !kinds[k]->nr(of) || kinds[k]->clone(g, of);
    return good;
}

int guest_devices_open(struct host *h, struct guest *g, char err[HOST_ERR_SIZE])
{
    int rc = 0;

    for (size_t k = 0; k < NR_KINDS && !rc; k++)
        if (kinds[k]->open)
            rc = kinds[k]->open(h, g, err);
    return rc;
}

void guest_devices_nodes(struct node_writer *w)
{
    for (size_t k = 0; k < NR_KINDS; k++)
        for (unsigned int i = 0; i < kinds[k]->nr(w->g); i++)
            kinds[k]->nodes(w, i);
}

int guest_devices_none(const struct guest *g, char err[HOST_ERR_SIZE])
{
    for (size_t k = 0; k < NR_KINDS; k++) {
        if (!kinds[k]->nr(g))
            continue;
        snprintf(err, HOST_ERR_SIZE, "%s: a driver domain has other guests' devices, and none of its own (%s)",
                 g->cfg.name, kinds[k]->back->type);
        return -1;
    }
    return 0;
}

void guest_devices_forget(struct guest *g)
{
    char path[NODE_PATH_SIZE];

    for (size_t k = 0; k < NR_KINDS; k++) {
        if (!kinds[k]->nr(g))
            continue;
        node_cleanup(g->host, path_make(path, "/local/domain/0/backend/%s/%u", kinds[k]->back->type, g->domid));
        for (const struct guest *d = g->host->guests; d; d = d->next)
            if (d->driver)
                node_cleanup(g->host, path_make(path, "/local/domain/%u/backend/%s/%u", d->domid, kinds[k]->back->type,
                                                g->domid));
    }
}

void guest_devices_of(struct host *h, domid_t back,
                      void (*fn)(void *data, domid_t front, const char *type, unsigned int devid), void *data)
{
    const struct xs_access toolstack = xenstored_toolstack(h->xenstored);
    char path[NODE_PATH_SIZE];
    const struct xs_node *n;

    for (size_t k = 0; k < NR_KINDS; k++)
        for (const struct guest *g = h->guests; g; g = g->next) {
            path_make(path, "/local/domain/%u/backend/%s/%u", back, kinds[k]->back->type, g->domid);
            if (g->state == GUEST_ENDED || xs_get(&toolstack, path, XS_RIGHT_READ, &n))
                continue;
            for (size_t at = 0; at < n->children_len; at += strlen(n->children + at) + 1)
                fn(data, g->domid, kinds[k]->back->type, (unsigned int)strtoul(n->children + at, NULL, 10));
        }
}

void guest_devices_free(struct guest *g)
{
    for (size_t k = 0; k < NR_KINDS; k++)
        kinds[k]->free(g);
}

bool guest_devices_bus(struct guest *g)
{
    struct host *h = g->host;
    unsigned int devices = 0;

    for (size_t k = 0; k < NR_KINDS; k++) {
        devices += kinds[k]->nr(g);
        h->bus_kinds[k] = (struct xenbus_kind){ kinds[k]->back, kinds[k]->data ? kinds[k]->data(h) : NULL };
    }
    if (devices && !h->bus)
        h->bus = xenbus_create(h->dom0, &h->xenstored->store, h->bus_kinds);
    return !devices || h->bus;
}

void host_devices_end(struct host *h)
{
    xenbus_destroy(h->bus);
    for (size_t k = 0; k < NR_KINDS; k++)
        if (kinds[k]->end)
            kinds[k]->end(h);
}

void host_devices_close(struct host_edges *edges)
{
    for (size_t k = 0; k < NR_KINDS; k++)
        if (kinds[k]->close)
            kinds[k]->close(edges);
}
