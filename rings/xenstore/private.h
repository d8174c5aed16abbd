// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What tree.c (a list of nodes), store.c (who may do what) and tx.c (transactions) share, and nobody else sees.
 */
#ifndef RINGS_XENSTORE_PRIVATE_H
#define RINGS_XENSTORE_PRIVATE_H

#include "rings/xenstore/store.h"

struct tree {
    struct arena *arena;   /* where its nodes lie */
    struct xs_node *first; /* "/" */
};

/* What a transaction has looked at. */
struct touched {
    struct touched *next;
    char *path;
    uint64_t generation; /* 0: it was not there */
    bool modified;
    bool tell, exact; /* at commit, watchers are told */
};

struct xs_tx {
    struct xs_tx *next;
    struct xs_store *store;
    uint32_t id;
    struct tree tree;
    struct touched *touched;
    unsigned int nr_touched;
};

struct xs_store {
    struct tree tree;
    struct xs_tx *txs;
    uint64_t generation; /* the last one given */
    uint32_t last_tx;
    xs_changed_fn *changed;
    void *data;
};

/* --- tree.c --- */

struct xs_node *xs_tree_find(const struct tree *t, const char *path);
/* The node above; NULL: it is not there, or path is "/". */
struct xs_node *xs_tree_parent(const struct tree *t, const char *path);
/* Length of the path of the node above; 0 for "/", and that of "/" is 1. */
size_t xs_parent_len(const char *path);
/* Is path below the node named above, at any depth? */
bool xs_is_below(const char *path, const char *above);
/* NULL, false: out of memory. */
struct xs_node *xs_tree_append(struct tree *t, const char *path, const void *value, size_t len);
bool xs_node_set_value(struct tree *t, struct xs_node *n, const void *value, size_t len);
void xs_node_free(struct xs_node *n);
void xs_tree_remove(struct tree *t, const char *path);
void xs_tree_free(struct tree *t);

/* --- tx.c --- */

/* The transaction looks at a node, which it has not changed yet. NULL: -ENOSPC or -ENOMEM. */
struct touched *xs_tx_touch(struct xs_tx *tx, const char *path, int *rc);

#endif
