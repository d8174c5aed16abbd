// SPDX-License-Identifier: GPL-2.0-or-later
/* Transactions of xenstore: the idea is in rings/xenstore/tx.h. */
#include "rings/xenstore/tx.h"

#include <string.h>

int xs_tx_start(struct xs_conn *c, struct xs_tx **out)
{
    struct xs_tx *tx;
    unsigned int nr = 0;

    for (tx = c->txs; tx; tx = tx->next)
        nr++;
    if (xs_beyond(c, XS_LIMIT_TXS, nr))
        return -ENOSPC;
    tx = xzalloc(c->store->arena, struct xs_tx);
    if (!tx)
        return -ENOMEM;
    do
        c->last_tx++;
    while (!c->last_tx || xs_tx_find(c, c->last_tx));
    *tx = (struct xs_tx){ .next = c->txs, .conn = c, .id = c->last_tx, .tail = &tx->accessed };
    c->txs = *out = tx;
    c->store->generation++; /* who comes later is younger than all nodes that there are */
    return 0;
}

struct xs_tx *xs_tx_find(const struct xs_conn *c, uint32_t id)
{
    struct xs_tx *tx = c->txs;

    while (tx && tx->id != id)
        tx = tx->next;
    return tx;
}

static void accessed_free(struct xs_accessed *t)
{
    xs_node_free(t->node);
    xs_node_free(t->before);
    xfree(t->path);
    xfree(t);
}

/* Its path and permissions. NULL: out of memory. */
static struct xs_node *copy_perms(struct arena *arena, const struct xs_node *n)
{
    struct xs_node *copy = xs_node_create(arena, n->path);

    if (!copy || !xs_node_set_perms(arena, copy, n->perms, n->nr_perms)) {
        xs_node_free(copy);
        return NULL;
    }
    copy->generation = n->generation;
    return copy;
}

struct xs_accessed *xs_tx_access(struct xs_tx *tx, const char *path, int *rc)
{
    struct arena *const arena = tx->conn->store->arena;
    const struct xs_node *n;
    const uint32_t hash = xs_hash(path);
    struct xs_accessed *t;

    for (t = tx->accessed; t; t = t->next)
        if (t->hash == hash && !strcmp(t->path, path))
            return t;
    if (xs_beyond(tx->conn, XS_LIMIT_TX_NODES, tx->nr + 1)) {
        tx->failed = true;
        *rc = -ENOSPC;
        return NULL;
    }
    *rc = -ENOMEM;
    t = xzalloc(arena, struct xs_accessed);
    if (!t)
        return NULL;
    n = xs_tree_find(&tx->conn->store->tree, path);
    t->path = xstrdup(arena, path);
    t->node = n ? xs_node_copy(arena, n) : NULL;
    t->before = n ? copy_perms(arena, n) : NULL;
    if (!t->path || (n && (!t->node || !t->before))) {
        accessed_free(t);
        return NULL;
    }
    t->hash = hash;
    t->generation = n ? n->generation : 0;
    *tx->tail = t;
    tx->tail = &t->next;
    tx->nr++;
    *rc = 0;
    return t;
}

struct xs_tx_count *xs_tx_count(struct xs_tx *tx, domid_t domid)
{
    struct xs_tx_count *c = tx->counts;

    while (c && c->domid != domid)
        c = c->next;
    if (c)
        return c;
    c = xzalloc(tx->conn->store->arena, struct xs_tx_count);
    if (!c)
        return NULL;
    *c = (struct xs_tx_count){ .next = tx->counts, .domid = domid };
    tx->counts = c;
    return c;
}

/* May it be committed? */
static int tx_check(const struct xs_tx *tx)
{
    struct xs_store *s = tx->conn->store;

    if (tx->failed)
        return -ENOMEM;
    if (s->conflicts) {
        s->conflicts--;
        return -EAGAIN;
    }
    for (const struct xs_tx_count *c = tx->counts; c; c = c->next) {
        const struct xs_domain *d = xs_domain_get(s, c->domid);

        if (!d) /* any more */
            return -ENOMEM;
        if (c->nodes > 0 && xs_beyond(tx->conn, XS_LIMIT_NODES, d->nodes + (unsigned int)c->nodes + 1))
            return -ENOSPC;
    }
    for (const struct xs_accessed *t = tx->accessed; t; t = t->next) {
        const struct xs_node *n = xs_tree_find(&s->tree, t->path);

        if ((n ? n->generation : 0) != t->generation)
            return -EAGAIN;
    }
    return 0;
}

/* Its copies become the store's. Nothing can fail. */
static void tx_apply(struct xs_tx *tx)
{
    struct xs_store *s = tx->conn->store;

    for (struct xs_accessed *t = tx->accessed; t; t = t->next) {
        if (!t->modified)
            continue;
        xs_node_free(xs_tree_take(&s->tree, t->path));
        if (t->node) {
            t->node->generation = ++s->generation;
            xs_tree_add(&s->tree, t->node);
        }
    }
    for (const struct xs_tx_count *c = tx->counts; c; c = c->next) {
        struct xs_domain *d = xs_domain_find(s, c->domid);

        if (d)
            d->nodes = (unsigned int)((int)d->nodes + c->nodes);
    }
}

static int tx_commit(struct xs_tx *tx)
{
    const int rc = tx_check(tx);

    if (rc)
        return rc;
    tx_apply(tx);
    for (struct xs_accessed *t = tx->accessed; t; t = t->next) {
        if (t->fire && (t->node || t->before))
            xs_fire(tx->conn->store, t->node ? t->node : t->before, t->exact, t->before);
        if (t->modified)
            t->node = NULL; /* it is the store's */
    }
    return 0;
}

int xs_tx_end(struct xs_tx *tx, bool commit)
{
    struct xs_tx **at = &tx->conn->txs;
    int rc = commit ? tx_commit(tx) : 0;

    while (*at != tx)
        at = &(*at)->next;
    *at = tx->next;
    while (tx->accessed) {
        struct xs_accessed *t = tx->accessed;

        tx->accessed = t->next;
        accessed_free(t);
    }
    while (tx->counts) {
        struct xs_tx_count *c = tx->counts;

        tx->counts = c->next;
        xfree(c);
    }
    xfree(tx);
    return rc;
}
