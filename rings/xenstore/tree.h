// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The nodes of xenstore, by their paths.
 *
 * Concept: a node is a record: a path, a value, who may use it, and the names of its children. The tree is nothing but
 * a table of such records; that "/a/b" lies below "/a" is written in the record of "/a", which has "b" among its
 * children. So the record of a node is all that is known about it, and a copy of it, as a transaction makes (tx.h), is
 * a copy of all.
 *
 *      path           permissions   children      value
 *      /              n0            tool local
 *      /local         n0            domain
 *      ...
 *      /local/domain/5/data  n5                   "..."      domain 5's own
 *      /local/domain/5/name  n0,r5                "alpha"    dom0's; domain 5 may read it, others nothing
 *
 * The first of the permissions names the node's owner, who may do all, and what everybody may do who has no entry of
 * his own; each further one is for one domain: n(othing), r(ead), w(rite), b(oth).
 *
 * Invariants: a path is in the table at most once. Nodes lie in the arena, and are their holder's: of the table, or of
 * a transaction.
 *
 * Corresponds to the records of tools/xenstore/xenstored_core.c (struct node) in their data base.
 */
#ifndef RINGS_XENSTORE_TREE_H
#define RINGS_XENSTORE_TREE_H

#include "sim/arena.h"
#include "sim/types.h"

#include <xen/xen.h>

struct xs_perm {
    uint32_t id; /* a domain's; any number, but of the first */
    char letter; /* n r w b */
    bool dead;   /* it was for a domain that is no more, and whose number may be another's now */
};

struct xs_node {
    struct xs_node *next; /* of the same bucket */
    uint32_t hash;        /* of the path */
    char *path;
    char *value; /* len bytes and a 0 */
    size_t len;
    char *children; /* names, each with its 0, the oldest first */
    size_t children_len;
    struct xs_perm *perms;
    unsigned int nr_perms; /* at least 1 */
    uint64_t generation;   /* which change of the store was this node's last; never 0 */
};

struct xs_tree {
    struct arena *arena;
    struct xs_node **bucket;
    size_t nr_buckets, nr; /* buckets: a power of 2 */
};

/* A tree without nodes. False: out of memory. */
bool xs_tree_init(struct xs_tree *t, struct arena *arena);
void xs_tree_free(struct xs_tree *t);

struct xs_node *xs_tree_find(const struct xs_tree *t, const char *path);
/* It is the tree's from now on. What has its path must have been taken out before. */
void xs_tree_add(struct xs_tree *t, struct xs_node *n);
/* Take it out: it is the caller's. NULL: it is not there. */
struct xs_node *xs_tree_take(struct xs_tree *t, const char *path);

/* One that is in no tree: without a value, children or permissions. NULL: out of memory, as below. */
struct xs_node *xs_node_create(struct arena *arena, const char *path);
struct xs_node *xs_node_copy(struct arena *arena, const struct xs_node *n);
void xs_node_free(struct xs_node *n); /* harmless for NULL */

/* False: out of memory, and the node is as it was. */
bool xs_node_set_value(struct arena *arena, struct xs_node *n, const void *value, size_t len);
bool xs_node_set_perms(struct arena *arena, struct xs_node *n, const struct xs_perm *perms, unsigned int nr);
bool xs_node_add_child(struct arena *arena, struct xs_node *n, const char *name);
bool xs_node_has_child(const struct xs_node *n, const char *name);
/* It is one. */
void xs_node_remove_child(struct xs_node *n, const char *name);

uint32_t xs_hash(const char *path);
/* Length of the path of the node above: 1 for "/a", 0 for "/", which has none. */
size_t xs_parent_len(const char *path);
/* The last part of a path: what the node above calls it. */
const char *xs_basename(const char *path);

#endif
