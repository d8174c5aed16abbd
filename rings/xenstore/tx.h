// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Transactions of xenstore.
 *
 * Concept: a transaction has a copy of every node that its requests have looked at, made at the first look, and works
 * on the copies. When it is committed the store is asked whether all these nodes are still as they were then, or are
 * still not there: by their generations. If so, the copies that were changed become the store's; if not, nothing does,
 * and the answer is EAGAIN: somebody else was faster, and the client does it all again.
 *
 *      store      /a 17   /b 21             looks at /a: copy, noted "17"
 *      tx         /a 17 -> /a 24 (changed)  looks at /c: noted "not there"
 *      commit     is /a still 17? is /c still not there?
 *
 * Invariants: order of the list is that of the first looks, and watchers are told in it. What a transaction makes and
 * removes again was never there for anybody else.
 *
 * Corresponds to tools/xenstore/xenstored_transaction.c.
 */
#ifndef RINGS_XENSTORE_TX_H
#define RINGS_XENSTORE_TX_H

#include "rings/xenstore/store.h"

struct xs_accessed {
    struct xs_accessed *next;
    char *path;
    uint32_t hash;
    struct xs_node *node; /* the copy; NULL: it is not there */
    uint64_t generation;  /* the store's, at the first look; 0: it was not there */
    bool modified;
    bool fire, exact; /* at commit, watchers are told */
    /* Path and permissions as they were at the first look, for who could read it then; NULL: it was not there. */
    struct xs_node *before;
};

/* How many more nodes a domain owns than before. */
struct xs_tx_count {
    struct xs_tx_count *next;
    domid_t domid;
    int nodes;
};

struct xs_tx {
    struct xs_tx *next;
    struct xs_conn *conn;
    uint32_t id; /* not 0 */
    struct xs_accessed *accessed, **tail;
    unsigned int nr;
    struct xs_tx_count *counts;
    bool failed; /* a request in it met a limit: it cannot be committed */
};

/* -ENOSPC: too many. */
int xs_tx_start(struct xs_conn *c, struct xs_tx **out);
struct xs_tx *xs_tx_find(const struct xs_conn *c, uint32_t id);
/*
 * Either way it is gone. Nothing was committed: -EAGAIN; -ENOSPC, a domain would own too many nodes; -ENOMEM, it has
 * failed before, or a domain is gone that it was about.
 */
int xs_tx_end(struct xs_tx *tx, bool commit);

/* The transaction looks at a node. NULL: *rc is -ENOSPC or -ENOMEM. */
struct xs_accessed *xs_tx_access(struct xs_tx *tx, const char *path, int *rc);
/* The count of nodes of this domain in it. NULL: out of memory. */
struct xs_tx_count *xs_tx_count(struct xs_tx *tx, domid_t domid);

#endif
