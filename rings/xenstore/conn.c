// SPDX-License-Identifier: GPL-2.0-or-later
/* Who comes to xenstore, and who goes: connections, and domains. The idea is in rings/xenstore/store.h. */
#include "rings/xenstore/tx.h"

#include <string.h>

void xs_conn_init(struct xs_conn *c, struct xs_store *s, domid_t domid, xs_send_fn *send, void *data)
{
    struct xs_conn **at = &s->conns;

    *c = (struct xs_conn){ .store = s, .domid = domid, .target = DOMID_INVALID, .send = send, .data = data };
    while (*at)
        at = &(*at)->next;
    *at = c;
}

void xs_conn_reset(struct xs_conn *c)
{
    xs_watches_remove(c);
    while (c->txs)
        xs_tx_end(c->txs, false);
}

void xs_conn_end(struct xs_conn *c)
{
    struct xs_conn **at = &c->store->conns;

    xs_conn_reset(c);
    while (*at != c)
        at = &(*at)->next;
    *at = c->next;
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
    bool told;

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
    for (unsigned int i = 0; i < XS_NR_SPECIAL; i++)
        if (s->special[i]->perms[0].id == domid)
            s->special[i]->perms[0].id = 0;
    told = d->conn;
    xfree(d);
    for (struct xs_conn *c = s->conns; c; c = c->next)
        if (c->target == domid)
            c->target = DOMID_INVALID;
    if (told)
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
