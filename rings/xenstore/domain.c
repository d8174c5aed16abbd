// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Domains, as xenstore knows them, and what they may.
 *
 * A domain's number may be given again to another domain. What was permitted to the first is not permitted to the
 * second: permissions of nodes that are older than the domain (by the store's generation) do not count for it. So a
 * domain becomes known at the latest when a node's permissions name it.
 */
#include "rings/xenstore/store.h"

bool xs_is_privileged(const struct xs_conn *conn) { return conn->domid == 0; }

bool xs_beyond(const struct xs_conn *conn, enum xs_limit limit, size_t value)
{
    return conn && !xs_is_privileged(conn) && value > conn->store->limit[limit];
}

static unsigned int rights_of_letter(char letter)
{
    return (letter == 'r' || letter == 'b' ? XS_RIGHT_READ : 0) | (letter == 'w' || letter == 'b' ? XS_RIGHT_WRITE : 0);
}

/* Does this entry mean the domain that has the number now? */
static bool perm_counts(const struct xs_store *s, const struct xs_node *n, const struct xs_perm *p)
{
    const struct xs_domain *d = xs_domain_find(s, (domid_t)p->id);

    return !p->dead && (!p->id || (d && d->domid == p->id && d->generation <= n->generation));
}

void xs_perms_bury(const struct xs_store *s, struct xs_node *n)
{
    for (unsigned int i = 1; i < n->nr_perms; i++)
        n->perms[i].dead = !perm_counts(s, n, &n->perms[i]);
}

unsigned int xs_rights(const struct xs_store *s, const struct xs_conn *conn, const struct xs_node *n)
{
    const struct xs_perm *p = n->perms;

    if (!conn || xs_is_privileged(conn) || p[0].id == conn->domid || p[0].id == conn->target)
        return XS_RIGHT_READ | XS_RIGHT_WRITE | XS_RIGHT_OWNER;
    for (unsigned int i = 1; i < n->nr_perms; i++)
        if ((p[i].id == conn->domid || p[i].id == conn->target) && perm_counts(s, n, &p[i]))
            return rights_of_letter(p[i].letter);
    return rights_of_letter(p[0].letter);
}

struct xs_domain *xs_domain_find(const struct xs_store *s, domid_t domid)
{
    struct xs_domain *d = s->domains[domid % XS_DOMAIN_BUCKETS];

    while (d && d->domid != domid)
        d = d->next;
    return d;
}

struct xs_domain *xs_domain_add(struct xs_store *s, domid_t domid)
{
    struct xs_domain *d = xzalloc(s->arena, struct xs_domain), **at;

    if (!d)
        return NULL;
    at = &s->domains[domid % XS_DOMAIN_BUCKETS];
    *d = (struct xs_domain){ .next = *at, .domid = domid, .generation = s->generation };
    *at = d;
    return d;
}

struct xs_domain *xs_domain_get(struct xs_store *s, domid_t domid)
{
    struct xs_domain *d = xs_domain_find(s, domid);

    return d || !s->hooks->exists(s->data, domid) ? d : xs_domain_add(s, domid);
}
