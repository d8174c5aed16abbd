// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The store behind xenstore: a tree of small values, who may see and change them, and transactions.
 *
 * Concept: a node has a path, a value and a list of permissions. The first of these names its owner, who may do all,
 * and what everybody else may do who has no entry of his own; each further one is for one domain:
 *
 *      n0,r5    dom0's; domain 5 may read it, others nothing        (most of what the toolstack makes for domain 5)
 *      n5       domain 5's own                                      (control/shutdown, data, error...)
 *
 * dom0 may do everything. A node is new if its path was not there: it gets its parent's permissions, and its maker as
 * owner. Children are not kept: they are the nodes whose paths go on from here, in the order in which they were made.
 *
 * A transaction is a copy of the tree in which its requests are carried out. It notes the generation that each node had
 * when it was first looked at, and can be committed only if these are still the store's; then what it changed is
 * changed there.
 *
 * Invariants: each node but "/" has a parent. Generations only grow, and a node's changes when its value, its
 * permissions or its list of children do. Paths are checked before they come here (xs_path_ok).
 *
 * Simplifies tools/xenstore/xenstored_core.c, xenstored_transaction.c and xenstored_domain.c: each guest has a store of
 * its own, which holds what it can see, so two guests never conflict; and a copy is of the time when the transaction
 * began, where the real one copies a node when it is first used. Limits are the real one's.
 */
#ifndef RINGS_XENSTORE_STORE_H
#define RINGS_XENSTORE_STORE_H

#include "sim/arena.h"
#include "sim/types.h"

#include <xen/xen.h>

#define XS_PERMS_MAX      5u    /* entries of a node's list */
#define XS_NODES_MAX      1000u /* nodes that a guest owns */
#define XS_NODE_SIZE_MAX  2048u /* of a guest's node, with its path and its children's names */
#define XS_TX_MAX         10u   /* transactions that a guest has begun and not ended, when it begins another */
#define XS_TX_TOUCHED_MAX 1024u /* nodes that it looks at in one */

enum { XS_RIGHT_READ = 1, XS_RIGHT_WRITE = 2, XS_RIGHT_OWNER = 4 };

struct xs_perms {
    unsigned int nr; /* at least 1 */
    struct xs_perm {
        domid_t id;
        char letter; /* n(one), r(ead), w(rite), b(oth) */
    } p[XS_PERMS_MAX];
};

struct xs_node {
    struct xs_node *next; /* in the order in which they were made */
    char *path;
    char *value; /* len bytes and a 0 */
    size_t len;
    uint64_t generation;
    struct xs_perms perms;
};

struct xs_store;
struct xs_tx;

/* Who asks, and in which transaction (NULL: none). */
struct xs_access {
    struct xs_store *store;
    struct xs_tx *tx;
    domid_t domid;
};

/* A node was made, changed or removed. exact: it went with one above it, which is told by itself. */
typedef void xs_changed_fn(void *data, const char *path, bool exact);

/* A store with nothing but "/", which is dom0's. NULL: out of memory. */
struct xs_store *xs_store_create(struct arena *arena, xs_changed_fn *changed, void *data);
void xs_store_destroy(struct xs_store *s);

bool xs_path_ok(const char *path);
/* A path that does not begin with a slash is below the domain's own. For xfree(); NULL: out of memory. */
char *xs_path_absolute(const struct xs_store *s, domid_t domid, const char *path);

/* All return 0 or -errno: -ENOENT, -EACCES, -ENOSPC (a limit), -ENOMEM, and what is said below. */

/* A node that must be there and allow `rights`. What is not there below something unreadable is -EACCES. */
int xs_get(const struct xs_access *a, const char *path, unsigned int rights, const struct xs_node **out);
/* Its children's names, each with its 0, for xfree(). */
int xs_children(const struct xs_access *a, const char *path, char **names, size_t *len);
/* Write a value; the node and its parents are made if they are not there. */
int xs_write(const struct xs_access *a, const char *path, const void *value, size_t len);
/* Make a node, if it is not there. */
int xs_mkdir(const struct xs_access *a, const char *path);
/* Remove a node and all below it. One that is not there is fine if its parent is. -EINVAL: "/". */
int xs_rm(const struct xs_access *a, const char *path);
/* -EPERM: it would be given away. */
int xs_set_perms(const struct xs_access *a, const char *path, const struct xs_perms *perms);

/* For who looks: the node that was made after n, the first for NULL. NULL: there are no more. */
const struct xs_node *xs_next(const struct xs_store *s, const struct xs_node *n);

/* -ENOSPC: too many. Its number, not 0, goes to *id. */
int xs_tx_start(struct xs_store *s, uint32_t *id);
struct xs_tx *xs_tx_find(struct xs_store *s, uint32_t id);
/* Either way it is gone. -EAGAIN: what it looked at has changed since, and nothing was committed. */
int xs_tx_end(struct xs_tx *tx, bool commit);
void xs_tx_abort_all(struct xs_store *s);

#endif
