// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Names of guests: no two have the same.
 *
 * Concept: a host may have thousands, so they are looked for in lists by a hash of their letters (FNV-1a), not all of
 * them in turn.
 */
#include "tools/host_private.h"

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
