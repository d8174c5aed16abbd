// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Names of guests: no two have the same. And of CPU pools.
 *
 * Concept: a host may have thousands, so they are looked for in lists by a hash of their letters (FNV-1a), not all of
 * them in turn.
 */
#include "tools/host_private.h"

#include <stdio.h>
#include <string.h>

static unsigned int list_of(const char *name)
{
    uint32_t hash = 0x811c9dc5;

    for (; *name; name++)
        hash = (hash ^ (uint8_t)*name) * 0x01000193;
    return hash % HOST_NAME_LISTS;
}

bool guest_name_taken(const void *data, const char *name)
{
    const struct host *h = data;
    const struct guest *g = h->names[list_of(name)];

    while (g && strcmp(g->cfg.name, name))
        g = g->next_name;
    return g;
}

void guest_name_claim(struct host *h, struct guest *g)
{
    struct guest **list = &h->names[list_of(g->cfg.name)];

    g->next_name = *list;
    *list = g;
}

void guest_name_drop(struct host *h, struct guest *g)
{
    struct guest **at = g->cfg.name ? &h->names[list_of(g->cfg.name)] : NULL;

    while (at && *at && *at != g)
        at = &(*at)->next_name;
    if (at && *at)
        *at = g->next_name;
}

/* --- CPU pools --- */

const char *host_pool_name(const struct host *h, uint32_t pool)
{
    for (unsigned int i = 0; i < h->nr_pools; i++)
        if (h->pools[i].id == pool)
            return h->pools[i].name;
    return pool ? "?" : "Pool-0";
}

bool host_pool_find(const struct host *h, const char *who, uint32_t *pool)
{
    char number[12];

    for (unsigned int i = 0; i <= h->nr_pools; i++) {
        *pool = i < h->nr_pools ? h->pools[i].id : 0;
        snprintf(number, sizeof(number), "%u", *pool);
        if (!strcmp(who, host_pool_name(h, *pool)) || !strcmp(who, number))
            return true;
    }
    return false;
}
