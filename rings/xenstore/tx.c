// SPDX-License-Identifier: GPL-2.0-or-later
/* Transactions of xenstore: the idea is in rings/xenstore/store.h. */
#include "rings/xenstore/private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct touched *xs_tx_touch(struct xs_tx *tx, const char *path, int *rc)
{
    const struct xs_node *n = xs_tree_find(&tx->tree, path);
    struct touched *t, **tail = &tx->touched;

    for (; *tail; tail = &(*tail)->next)
        if (!strcmp((*tail)->path, path))
            return *tail;
    *rc = -ENOSPC;
    if (tx->nr_touched >= XS_TX_TOUCHED_MAX)
        return NULL;
    *rc = -ENOMEM;
    t = xzalloc(tx->tree.arena, struct touched);
    if (!t)
        return NULL;
    t->path = xstrdup(tx->tree.arena, path);
    if (!t->path) {
        xfree(t);
        return NULL;
    }
    t->generation = n ? n->generation : 0;
    tx->nr_touched++;
    *tail = t;
    *rc = 0;
    return t;
}

static bool tree_copy(struct tree *to, const struct tree *from)
{
    *to = (struct tree){ .arena = from->arena };
    for (const struct xs_node *n = from->first; n; n = n->next) {
        struct xs_node *copy = xs_tree_append(to, n->path, n->value, n->len);

        if (!copy)
            return false;
        copy->generation = n->generation;
        copy->perms = n->perms;
    }
    return true;
}

int xs_tx_start(struct xs_store *s, uint32_t *id)
{
    unsigned int nr = 0;
    struct xs_tx *tx;

    for (tx = s->txs; tx; tx = tx->next)
        nr++;
    if (nr > XS_TX_MAX)
        return -ENOSPC;
    tx = xzalloc(s->tree.arena, struct xs_tx);
    if (!tx || !tree_copy(&tx->tree, &s->tree)) {
        if (tx)
            xs_tree_free(&tx->tree);
        xfree(tx);
        return -ENOMEM;
    }
    do
        s->last_tx++;
    while (!s->last_tx || xs_tx_find(s, s->last_tx));
    tx->id = *id = s->last_tx;
    tx->store = s;
    tx->next = s->txs;
    s->txs = tx;
    return 0;
}

struct xs_tx *xs_tx_find(struct xs_store *s, uint32_t id)
{
    struct xs_tx *tx = s->txs;

    while (tx && tx->id != id)
        tx = tx->next;
    return tx;
}

static bool tx_conflicts(const struct xs_tx *tx)
{
    for (const struct touched *t = tx->touched; t; t = t->next) {
        const struct xs_node *n = xs_tree_find(&tx->store->tree, t->path);

        if ((n ? n->generation : 0) != t->generation)
            return true;
    }
    return false;
}

/* One node of the store becomes as the transaction left it. */
static int tx_apply(struct xs_tx *tx, const struct touched *t)
{
    const struct xs_node *from = xs_tree_find(&tx->tree, t->path);
    struct xs_node *to = xs_tree_find(&tx->store->tree, t->path);

    if (!from) {
        if (to)
            xs_tree_remove(&tx->store->tree, t->path);
        return 0;
    }
    if (!to)
        to = xs_tree_append(&tx->store->tree, t->path, from->value, from->len);
    else if (!xs_node_set_value(&tx->store->tree, to, from->value, from->len))
        to = NULL;
    if (!to)
        return -ENOMEM;
    to->perms = from->perms;
    to->generation = ++tx->store->generation;
    return 0;
}

static int tx_commit(struct xs_tx *tx)
{
    struct xs_store *s = tx->store;
    int rc = tx_conflicts(tx) ? -EAGAIN : 0;

    for (const struct touched *t = tx->touched; t && !rc; t = t->next)
        if (t->modified)
            rc = tx_apply(tx, t);
    for (const struct touched *t = tx->touched; t && !rc; t = t->next)
        if (t->tell && (t->generation || xs_tree_find(&s->tree, t->path)) && s->changed)
            s->changed(s->data, t->path, t->exact);
    return rc;
}

int xs_tx_end(struct xs_tx *tx, bool commit)
{
    struct xs_tx **at = &tx->store->txs;
    int rc = commit ? tx_commit(tx) : 0;

    while (*at != tx)
        at = &(*at)->next;
    *at = tx->next;
    while (tx->touched) {
        struct touched *t = tx->touched;

        tx->touched = t->next;
        xfree(t->path);
        xfree(t);
    }
    xs_tree_free(&tx->tree);
    xfree(tx);
    return rc;
}

void xs_tx_abort_all(struct xs_store *s)
{
    while (s->txs)
        xs_tx_end(s->txs, false);
}
