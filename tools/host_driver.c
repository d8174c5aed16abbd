// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Driver domains, as devices name them: who it is, and what runs there. How they are built and started again is in
 * host_driver_build.c.
 */
#include "sim/frame.h"
#include "tools/host_private.h"
#include "tools/xc/xc.h"

#include <stdio.h>
#include <string.h>

void driver_end(struct guest *g)
{
    struct driver *dr = g->driver;

    if (!dr)
        return;
    if (dr->runs)
        xc_domain_pause(xc(g->host), g->domid); /* nobody looks for its kernel any more */
    ddomain_destroy(dr->runs);
    if (dr->intf)
        frame_unshare(g->host->machine, g->store_mfn);
    xfree(dr->frames);
    xfree(dr);
    g->driver = NULL;
}

static struct guest *driver_named(const struct host *h, const char *name)
{
    for (struct guest *g = h->guests; g; g = g->next)
        if (g->driver && g->state != GUEST_ENDED && !strcmp(g->cfg.name, name))
            return g;
    return NULL;
}

domid_t driver_domid(const struct host *h, const char *name)
{
    const struct guest *g = *name ? driver_named(h, name) : NULL;

    return g ? g->domid : 0;
}

bool driver_is_there(const struct guest *g, const char *key, const char *name, char err[HOST_ERR_SIZE])
{
    char where[XL_WHERE_SIZE];

    if (!*name || driver_named(g->host, name))
        return true;
    snprintf(err, HOST_ERR_SIZE, "%sbackend=%.100s: there is no driver domain of this name (yet)",
             xl_where(g->cfg.where, key, where), name);
    return false;
}

int drivers_are_there(const struct guest *g, char err[HOST_ERR_SIZE])
{
    for (unsigned int i = 0; i < g->nr_disks; i++)
        if (!driver_is_there(g, "disk", g->disks[i].cfg.backend, err))
            return -1;
    for (unsigned int i = 0; i < g->vifs.nr; i++)
        if (!driver_is_there(g, "vif", g->vifs.list[i].backend, err))
            return -1;
    return 0;
}

static void follow(char backend[XL_BACKEND_SIZE], const char *from, const char *to)
{
    if (!strcmp(backend, from))
        strcpy(backend, to);
}

bool driver_rename(const struct guest *g, const char *to)
{
    if (!g->driver)
        return true;
    if (strlen(to) >= XL_BACKEND_SIZE)
        return false;
    for (struct guest *of = g->host->guests; of; of = of->next) {
        for (unsigned int i = 0; i < of->nr_disks; i++)
            follow(of->disks[i].cfg.backend, g->cfg.name, to);
        for (unsigned int i = 0; i < of->vifs.nr; i++)
            follow(of->vifs.list[i].backend, g->cfg.name, to);
    }
    return true;
}

struct xenbus *driver_bus(const struct host *h, const char *name)
{
    const struct guest *g = *name ? driver_named(h, name) : NULL;

    return !*name ? h->bus : g && g->driver->runs ? ddomain_bus(g->driver->runs) : NULL;
}

const struct netback *driver_net(const struct guest *g)
{
    return g->driver && g->driver->runs ? ddomain_net(g->driver->runs) : NULL;
}

uint64_t host_driver_restarts(const struct host *h, domid_t domid, s_time_t *last)
{
    const struct guest *g = guest_find(h, domid);
    const struct driver *dr = g ? g->driver : NULL;

    *last = dr ? dr->started : 0;
    return dr ? dr->restarts : 0;
}
