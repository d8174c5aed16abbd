// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * xenstored without its wires: the tree, who may do what in it, transactions, watches, and who is talking.
 *
 * Concept: one store a machine. Everybody who talks to it has a connection: each domain one over its ring, dom0's
 * programs as many as they like over sockets; the toolstack, which lives in dom0's kernel as the store does, needs
 * none. dom0 may do everything. A domain may do what a node's permissions say (tree.h); what it makes is its own, with
 * the permissions of the node above.
 *
 *      struct xs_store ---- struct xs_tree              all nodes
 *        |      |
 *        |      +---- struct xs_domain ...              whose nodes are counted; by domid
 *        +---- struct xs_conn ...                       in the order in which they came
 *                |     |
 *                |     +---- struct xs_watch ...        a path and a word of the watcher's own, the token
 *                +---- struct xs_tx ...                 tx.h
 *
 * A watch fires when its path or something below it changes: the connection is sent an event, with the path that
 * changed and the token. It is told of nodes only that it may read, or whose parent it may read.
 *
 * Every change of the store has a number, the generation, and a node keeps that of its last one.
 *
 * Invariants: each node but "/" is named by the record of its parent, and each name there is a node. Limits of a domain
 * (below) are counted where the thing is made. Order is part of the protocol: the event of a change is sent before the
 * answer to the request that made it, so who waits for the answer has seen it; the answer to XS_WATCH is sent before
 * the first event of that watch.
 *
 * Corresponds to tools/xenstore/xenstored_core.c, xenstored_watch.c and xenstored_domain.c.
 */
#ifndef RINGS_XENSTORE_STORE_H
#define RINGS_XENSTORE_STORE_H

#include "rings/xenstore/tree.h"

#include <errno.h> /* before xs_wire.h, whose table of names it fills */
#include <xen/io/xs_wire.h>

/*
 * What a domain may have, by the name and the number that xenstored has for it, which XS_CONTROL can change; for dom0
 * there is no limit.
 */
/* clang-format off */
#define XS_LIMITS(X)                                                                                                   \
    X(NODES,       1000, "nodes",             "Nodes per domain")                                                      \
    X(WATCHES,      128, "watches",           "Watches per domain") /* beyond this one no more */                      \
    X(TXS,           10, "transactions",      "Transactions per domain") /* the same, of those not ended */            \
    X(OUTSTANDING,   20, "outstanding",       "Outstanding requests per domain")                                       \
    X(TX_NODES,    1024, "transaction-nodes", "Max. number of accessed nodes per transaction")                         \
    X(NODE_SIZE,   2048, "node-size",         "Max. size of a node") /* with its children's names */                   \
    X(PATH,        2048, "path-max",          "Max. length of a node path")                                            \
    X(PERMS,          5, "permissions",       "Max. number of permissions per node")
/* clang-format on */
enum xs_limit {
#define X(limit, value, name, help) XS_LIMIT_##limit,
    XS_LIMITS(X)
#undef X
        XS_NR_LIMITS
};

enum { XS_RIGHT_READ = 1, XS_RIGHT_WRITE = 2, XS_RIGHT_OWNER = 4 };

struct xs_conn;
struct xs_store;

/* A domain that the store knows: by a connection, or since a node's permissions name it. */
struct xs_domain {
    struct xs_domain *next; /* of the same bucket */
    domid_t domid;
    uint64_t generation;  /* when it became known: permissions of nodes older than that were another domain's */
    unsigned int nodes;   /* that it owns */
    struct xs_conn *conn; /* its ring; NULL: it has not been introduced */
    bool shutdown;        /* and watches were told */
};

/* Watches on these are told of domains that come and go. They are no nodes, but have permissions. */
enum xs_special { XS_INTRODUCE_DOMAIN, XS_RELEASE_DOMAIN, XS_NR_SPECIAL };

/* What the store asks of who knows domains. */
struct xs_hooks {
    bool (*exists)(void *data, domid_t domid);
    /* XS_INTRODUCE, of a domain that exists: connect its ring. 0 or -errno. */
    int (*introduce)(void *data, domid_t domid, uint64_t gfn, uint32_t port);
    /* XS_RELEASE: the other way round. */
    void (*release)(void *data, domid_t domid);
    /* XS_CONTROL "print": for the administrator to read. */
    void (*print)(void *data, const char *text);
};

#define XS_DOMAIN_BUCKETS 64u

struct xs_store {
    struct arena *arena;
    struct xs_tree tree;
    uint64_t generation;    /* the last that was given */
    unsigned int conflicts; /* so many transactions are told to try again, whatever there is */
    unsigned int limit[XS_NR_LIMITS];
    struct xs_domain *domains[XS_DOMAIN_BUCKETS]; /* by their number */
    struct xs_conn *conns;
    struct xs_node *special[XS_NR_SPECIAL]; /* for their permissions; in no tree */
    const struct xs_hooks *hooks;
    void *data; /* theirs */
};

struct xs_watch {
    struct xs_watch *next;
    char *path; /* absolute; or special: "@releaseDomain" */
    char *token;
    bool relative; /* to the domain's own directory: events say paths so, too */
};

/* One message to the other side: header, and hdr->len bytes. */
typedef void xs_send_fn(void *data, const struct xsd_sockmsg *hdr, const void *payload);

struct xs_conn {
    struct xs_conn *next;
    struct xs_store *store;
    domid_t domid;  /* 0: may do everything */
    domid_t target; /* whose rights it has beside its own (XS_SET_TARGET); DOMID_INVALID: none */
    struct xs_watch *watches;
    unsigned int nr_watches;
    struct xs_tx *txs;
    uint32_t last_tx;
    xs_send_fn *send;
    void *data; /* its */
};

/* Who asks (NULL: the toolstack), and in which transaction (NULL: none). */
struct xs_access {
    struct xs_store *store;
    struct xs_conn *conn;
    struct xs_tx *tx;
};

/* ----------------------------------------------------------------------------------------------------- the store -- */

/* A store with "/", which is dom0's, and the nodes that are always there. False: out of memory. */
bool xs_store_init(struct xs_store *s, struct arena *arena, const struct xs_hooks *hooks, void *data);
/* Connections have been ended before. */
void xs_store_end(struct xs_store *s);
/* Does the tree keep its invariants, and are the domains' nodes as many as was counted? For tests, and XS_CONTROL. */
bool xs_store_check(const struct xs_store *s);

/* May this be a path? Absolute, of allowed characters, and not too long. */
bool xs_path_ok(const struct xs_store *s, const char *path);
/* A path that does not begin with a slash is below the domain's own. For xfree(); NULL: no memory. */
char *xs_path_absolute(const struct xs_conn *conn, const char *path);

/*
 * All return 0 or -errno: -ENOENT, -EACCES, -ENOSPC (a limit), -ENOMEM, and what is said below. Paths are absolute and
 * right (xs_path_ok()).
 */

/* A node that must be there and allow `rights`. What is not there below something unreadable is -EACCES. */
int xs_get(const struct xs_access *a, const char *path, unsigned int rights, const struct xs_node **out);
/* Write a value; the node and its parents are made if they are not there. */
int xs_write(const struct xs_access *a, const char *path, const void *value, size_t len);
/* Make a node, if it is not there. */
int xs_mkdir(const struct xs_access *a, const char *path);
/*
 * Remove a node and all below it. One that is not there is fine if its parent is. -EINVAL: "/". In a transaction that
 * cannot be committed: -EINVAL, its copies have no parent of it; -EIO, or one that does not know it, or there are too
 * many nodes below.
 */
int xs_rm(const struct xs_access *a, const char *path);
/* -EPERM: it would be given away; -ENOENT: to nobody, which is said first; -EINVAL: path is NULL. */
int xs_set_perms(const struct xs_access *a, const char *path, const struct xs_perm *perms, unsigned int nr);
/* The same for one of "@introduceDomain", "@releaseDomain". -EINVAL: another, or not the asker's. */
int xs_set_perms_special(const struct xs_access *a, const char *name, const struct xs_perm *perms, unsigned int nr);

/*
 * XS_CONTROL, what programs like xenstore-control ask of xenstored itself: control.c. text: the answer, "OK" before.
 * -EINVAL: there is no such command, or not with these arguments; -ENOENT: no such domain; -EIO: "check" has found
 * something.
 */
#define XS_CONTROL_ARGS 4u
int xs_control(struct xs_store *s, unsigned int nr, const char *const *args, char text[XENSTORE_PAYLOAD_MAX]);

/* ------------------------------------------------------------------------------------------------------- domains -- */

bool xs_is_privileged(const struct xs_conn *conn);
/* XS_RIGHT_*: what may it do with this node? */
unsigned int xs_rights(const struct xs_store *s, const struct xs_conn *conn, const struct xs_node *n);
/* Before the node's generation changes: entries that count for nobody will never. */
void xs_perms_bury(const struct xs_store *s, struct xs_node *n);

struct xs_domain *xs_domain_find(const struct xs_store *s, domid_t domid);
/* One that is not known, and has just been made. NULL: no memory. */
struct xs_domain *xs_domain_add(struct xs_store *s, domid_t domid);
/* xs_domain_find(); one that is not known but exists is known from now on. NULL: it does not, or no memory. */
struct xs_domain *xs_domain_get(struct xs_store *s, domid_t domid);
/* It has shut down: watches on "@releaseDomain" are told, once. */
void xs_domain_shutdown(struct xs_store *s, domid_t domid);
/*
 * It is gone for good, and its nodes too; if it was introduced, watches on "@releaseDomain" are told. Its connection
 * has been ended.
 */
void xs_domain_forget(struct xs_store *s, domid_t domid);
/* The domain's ring serves from now on: the same for "@introduceDomain". */
void xs_domain_introduced(struct xs_store *s, domid_t domid, struct xs_conn *conn);

/* ------------------------------------------------------------------------------------------ connections, watches -- */

void xs_conn_init(struct xs_conn *c, struct xs_store *s, domid_t domid, xs_send_fn *send, void *data);
/* Its watches and transactions are gone; nothing is sent any more. */
void xs_conn_end(struct xs_conn *c);
/* Watches and transactions only. */
void xs_conn_reset(struct xs_conn *c);

/* Would that be too many for who asks? (NULL: the toolstack, for which nothing is.) */
bool xs_beyond(const struct xs_conn *conn, enum xs_limit limit, size_t value);

/* Answer a request of hdr->len <= XENSTORE_PAYLOAD_MAX bytes: request.c. 0, or the error that was answered. */
int xs_request(struct xs_conn *c, const struct xsd_sockmsg *hdr, const char *payload);

/*
 * Set a watch: path is absolute, or special. -EEXIST, -E2BIG. Nothing is sent. On success path is the watch's, else
 * still the caller's.
 */
int xs_watch_add(struct xs_conn *c, char *path, const char *token, bool relative, const struct xs_watch **out);
/* All of the connection. */
void xs_watches_remove(struct xs_conn *c);
/* -ENOENT */
int xs_watch_remove(struct xs_conn *c, const char *path, const char *token);
/* One event of this watch. */
void xs_watch_send(struct xs_conn *c, const struct xs_watch *w, const char *path);

/*
 * A node was changed, made, or is about to be removed: n. All watches are told that may know of it; also those that
 * could read it before, when it had the permissions of `before` (or NULL; n: a transaction has removed it). exact: it
 * goes with one above it, which is told by itself.
 */
void xs_fire(struct xs_store *s, const struct xs_node *n, bool exact, const struct xs_node *before);
void xs_fire_special(struct xs_store *s, enum xs_special which);

#endif
