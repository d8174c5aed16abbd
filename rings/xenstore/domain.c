// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Domains, as xenstore knows them: their rights, how many nodes they own, and what becomes of these when they are gone.
 *
 * A domain's number may be given again to another domain. What was permitted to the first is not permitted to the
 * second: permissions of nodes that are older than the domain (by the store's generation) do not count for it. So a
 * domain becomes known at the latest when a node's permissions name it.
 */
#include "rings/xenstore/tx.h"

#include <string.h>

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

/* The first node at or below path that the domain owns. path is changed to its path. False: there is none. */
static bool find_owned(const struct xs_store *s, domid_t owner, char *path)
{
    const size_t len = strlen(path);
    const struct xs_node *n = xs_tree_find(&s->tree, path);

    if (n->perms[0].id == owner)
        return true;
    for (size_t at = 0; at < n->children_len; at += strlen(n->children + at) + 1) {
        strcpy(path + len, len == 1 ? "" : "/");
        strcat(path, n->children + at);
        if (find_owned(s, owner, path))
            return true;
    }
    path[len] = 0;
    return false;
}

void xs_domain_forget(struct xs_store *s, domid_t domid)
{
    const struct xs_access toolstack = { .store = s };
    struct xs_domain **at = &s->domains[domid % XS_DOMAIN_BUCKETS], *d;
    char path[XENSTORE_ABS_PATH_MAX + 1] = "/";

    while (*at && (*at)->domid != domid)
        at = &(*at)->next;
    d = *at;
    if (!d)
        return;
    while (d->nodes && find_owned(s, domid, path)) {
        if (xs_rm(&toolstack, path))
            break; /* "/" was given to it */
        strcpy(path, "/");
    }
    *at = d->next;
    xfree(d);
    for (struct xs_conn *c = s->conns; c; c = c->next)
        if (c->target == domid)
            c->target = DOMID_INVALID;
    xs_fire_special(s, XS_RELEASE_DOMAIN);
}

void xs_domain_shutdown(struct xs_store *s, domid_t domid)
{
    struct xs_domain *d = xs_domain_find(s, domid);

    if (!d || !d->conn || d->shutdown)
        return;
    d->shutdown = true;
    xs_fire_special(s, XS_RELEASE_DOMAIN);
}

void xs_domain_introduced(struct xs_store *s, domid_t domid, struct xs_conn *conn)
{
    struct xs_domain *d = xs_domain_get(s, domid);

    if (!d)
        return;
    d->conn = conn;
    xs_fire_special(s, XS_INTRODUCE_DOMAIN);
}
