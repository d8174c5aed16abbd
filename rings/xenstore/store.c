// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The tree of xenstore, and who may do what in it: the idea is in rings/xenstore/store.h.
 *
 * Each request looks at records by look(), in the store or in the transaction's copies, and marks what it changes by
 * changed(). Limits are asked for before anything is done, so that a request is carried out whole or not at all; what
 * is left to fail then is memory.
 *
 * Budget: a function a request, and what they share.
 */
#include "rings/xenstore/tx.h"
#include "sim/bug.h"

#include <stdio.h>
#include <string.h>

#define NODE_HEAD 24u /* what a node takes beside permissions, value and children, in the size that is limited */
#define PERM_SIZE 8u

/* ------------------------------------------------------------------------------------------------------- looking -- */

/* *n: the node as this access sees it, or NULL. */
static int look(const struct xs_access *a, const char *path, struct xs_node **n)
{
    struct xs_accessed *t;
    int rc = 0;

    *n = NULL;
    if (!a->tx) {
        *n = xs_tree_find(&a->store->tree, path);
        return 0;
    }
    t = xs_tx_access(a->tx, path, &rc);
    if (t)
        *n = t->node;
    return rc;
}

/* What is written about a node that was looked at before. */
static struct xs_accessed *accessed(const struct xs_access *a, const char *path)
{
    int rc;
    struct xs_accessed *t = xs_tx_access(a->tx, path, &rc);

    BUG_ON(!t);
    return t;
}

static void changed(const struct xs_access *a, struct xs_node *n)
{
    n->generation = ++a->store->generation;
    if (a->tx)
        accessed(a, n->path)->modified = true;
}

/* The nearest node above that is there: "/" is. path is cut to its path. */
static int look_above(const struct xs_access *a, char *path, struct xs_node **n)
{
    int rc = 0;

    for (*n = NULL; !rc && !*n;) {
        path[xs_parent_len(path)] = 0;
        rc = look(a, path, n);
    }
    return rc;
}

/* A node is not there, or may not be used: which of these is said only to who may do so with what is above. */
static int refusal(const struct xs_access *a, const char *path, unsigned int rights, int error)
{
    char above[XENSTORE_ABS_PATH_MAX + 1];
    struct xs_node *n;
    int rc;

    if (!path[1])
        return error;
    snprintf(above, sizeof(above), "%s", path);
    rc = look_above(a, above, &n);
    if (rc)
        return rc;
    return (xs_rights(a->store, a->conn, n) & rights) == rights ? error : -EACCES;
}

static int get(const struct xs_access *a, const char *path, unsigned int rights, struct xs_node **n)
{
    int rc = look(a, path, n);

    if (rc)
        return rc;
    if (*n && (xs_rights(a->store, a->conn, *n) & rights) == rights)
        return 0;
    rc = *n ? -EACCES : -ENOENT;
    *n = NULL;
    return refusal(a, path, rights & ~(unsigned int)XS_RIGHT_OWNER, rc);
}

int xs_get(const struct xs_access *a, const char *path, unsigned int rights, const struct xs_node **out)
{
    struct xs_node *n;
    int rc = get(a, path, rights, &n);

    *out = n;
    return rc;
}

/* ------------------------------------------------------------------------------------------------------ counting -- */

static bool is_limited(const struct xs_access *a) { return a->conn && !xs_is_privileged(a->conn); }

/* A domain owns so many nodes more. False: out of memory. */
static bool count(const struct xs_access *a, uint32_t owner, int nodes)
{
    struct xs_domain *d = owner ? xs_domain_get(a->store, (domid_t)owner) : NULL;
    struct xs_tx_count *c;

    if (!d)
        return true;
    if (!a->tx) {
        d->nodes = (unsigned int)((int)d->nodes + nodes);
        return true;
    }
    c = xs_tx_count(a->tx, (domid_t)owner);
    if (c)
        c->nodes += nodes;
    return c;
}

/* May who asks own so many more? What a transaction has made already counts at its end. */
static bool may_own(const struct xs_access *a, unsigned int nodes)
{
    const struct xs_domain *d = is_limited(a) ? xs_domain_find(a->store, a->conn->domid) : NULL;

    return !d || !xs_beyond(a->conn, XS_LIMIT_NODES, d->nodes + (a->tx ? 1 : nodes));
}

static bool may_have_size(const struct xs_access *a, unsigned int nr_perms, size_t len, size_t children_len)
{
    const bool may = !xs_beyond(a->conn, XS_LIMIT_NODE_SIZE, NODE_HEAD + nr_perms * PERM_SIZE + len + children_len + 1);

    if (!may && a->tx)
        a->tx->failed = true;
    return may;
}

/* -------------------------------------------------------------------------------------------------------- events -- */

static void fire(const struct xs_access *a, const struct xs_node *n, bool exact, const struct xs_node *before)
{
    struct xs_accessed *t;

    if (!a->tx) {
        xs_fire(a->store, n, exact, before);
        return;
    }
    t = accessed(a, n->path);
    t->exact = t->fire ? t->exact && exact : exact;
    t->fire = true;
}

/* ------------------------------------------------------------------------------------------------------ removing -- */

/*
 * Look at a node and all below it. path has room for any. In a transaction a name may be left in a copy of a node whose
 * child is no more: then it cannot be committed, and until it ends the child is not there.
 */
static int look_below(const struct xs_access *a, char *path)
{
    const size_t len = strlen(path);
    struct xs_node *n;
    int rc = look(a, path, &n);

    for (size_t at = 0; !rc && n && at < n->children_len; at += strlen(n->children + at) + 1) {
        sprintf(path + len, "/%s", n->children + at);
        rc = look_below(a, path);
        path[len] = 0;
    }
    return rc;
}

static void node_forget(const struct xs_access *a, struct xs_node *n)
{
    struct xs_accessed *t;

    if (!a->tx) {
        xs_node_free(xs_tree_take(&a->store->tree, n->path));
        return;
    }
    t = accessed(a, n->path);
    t->modified = true;
    t->node = NULL;
    xs_node_free(n);
}

/* Remove a node and all below it, which have been looked at; what is below first. */
static void remove_below(const struct xs_access *a, char *path, bool exact)
{
    const size_t len = strlen(path);
    struct xs_node *n;

    if (look(a, path, &n) || !n)
        return;
    for (size_t at = 0; at < n->children_len; at += strlen(n->children + at) + 1) {
        sprintf(path + len, "/%s", n->children + at);
        remove_below(a, path, true);
        path[len] = 0;
    }
    fire(a, n, exact, NULL);
    count(a, n->perms[0].id, -1);
    node_forget(a, n);
}

int xs_rm(const struct xs_access *a, const char *path)
{
    char buf[XENSTORE_ABS_PATH_MAX + 1];
    struct xs_node *n, *parent;
    int not_there, rc = get(a, path, XS_RIGHT_WRITE, &n);

    if (!path[1])
        return rc ? rc : -EINVAL;
    snprintf(buf, sizeof(buf), "%.*s", (int)xs_parent_len(path), path);
    if (rc && rc != -ENOENT)
        return rc;
    not_there = rc;
    rc = look(a, buf, &parent);
    if (rc)
        return rc;
    if (not_there)
        return parent ? 0 : not_there;
    if (!parent) /* any more: of a transaction that cannot be committed */
        return -EINVAL;
    if (!xs_node_has_child(parent, xs_basename(path))) /* likewise */
        return -EIO;
    snprintf(buf, sizeof(buf), "%s", path);
    rc = look_below(a, buf);
    if (rc)
        return rc == -ENOSPC ? -EIO : rc;
    xs_perms_bury(a->store, parent);
    xs_node_remove_child(parent, xs_basename(path));
    changed(a, parent);
    remove_below(a, buf, false);
    return 0;
}

/* -------------------------------------------------------------------------------------------------------- making -- */

/* One node, whose parent is there. */
static struct xs_node *make_one(const struct xs_access *a, struct xs_node *parent, const char *path)
{
    struct arena *const arena = a->store->arena;
    struct xs_node *n = xs_node_create(arena, path);

    xs_perms_bury(a->store, parent);
    if (!n || !xs_node_set_perms(arena, n, parent->perms, parent->nr_perms)) {
        xs_node_free(n);
        return NULL;
    }
    if (is_limited(a))
        n->perms[0].id = a->conn->domid;
    if (!xs_node_add_child(arena, parent, xs_basename(path))) {
        xs_node_free(n);
        return NULL;
    }
    changed(a, parent);
    if (a->tx)
        accessed(a, path)->node = n;
    else
        xs_tree_add(&a->store->tree, n);
    changed(a, n);
    count(a, n->perms[0].id, 1);
    return n;
}

/* Where the next part of a path ends, behind its first `at` characters, which are a path, too. */
static size_t part_end(const char *path, size_t at)
{
    at += path[at] == '/';
    return at + strcspn(path + at, "/");
}

/* Would limits be kept above a node that is made, whose path this is, from `parent` on, its first `at` characters? */
static bool may_make_above(const struct xs_access *a, const struct xs_node *parent, const char *path, size_t at)
{
    size_t value = parent->len, children = parent->children_len;
    unsigned int nodes = 0;

    for (size_t end = at; path[end]; nodes++)
        end = part_end(path, end);
    if (!may_own(a, nodes))
        return false;
    for (size_t end; path[at]; at = end) {
        end = part_end(path, at);
        if (!may_have_size(a, parent->nr_perms, value, children + end - at - (path[at] == '/') + 1))
            return false;
        value = children = 0;
    }
    return true;
}

/*
 * Would all limits be kept if the nodes of `path` behind its first `at` characters were made? xenstored begins with the
 * last of them, so that if it is one above that cannot be, a change has had its number, though nothing has changed.
 */
static bool may_make(const struct xs_access *a, const struct xs_node *parent, const char *path, size_t at, size_t len)
{
    if (!may_own(a, 1) || !may_have_size(a, parent->nr_perms, len, 0))
        return false;
    if (may_make_above(a, parent, path, at))
        return true;
    a->store->generation++;
    return false;
}

/*
 * Make a node that is not there, which has been looked at, and what is not there above it. *n: the node; *above: how
 * long the path is of the one above that was there.
 */
static int make(const struct xs_access *a, const char *path, size_t len, struct xs_node **n, size_t *above)
{
    const struct xs_access toolstack = { .store = a->store, .tx = a->tx };
    char part[XENSTORE_ABS_PATH_MAX + 1];
    size_t first;
    int rc;

    snprintf(part, sizeof(part), "%s", path);
    rc = look_above(a, part, n);
    if (rc)
        return rc;
    first = *above = strlen(part);
    if (!may_make(a, *n, path, first, len))
        return -ENOSPC;
    for (size_t at = first; *n && path[at];) {
        at = part_end(path, at);
        snprintf(part, sizeof(part), "%.*s", (int)at, path);
        *n = make_one(a, *n, part);
    }
    if (*n)
        return 0;
    part[part_end(path, first)] = 0; /* what has been made of it goes again */
    xs_rm(&toolstack, part);
    return -ENOMEM;
}

/* A node was changed, and those above it up to the one whose path is so long, which has the last number. */
static void changed_up(const struct xs_access *a, const char *path, size_t above)
{
    char part[XENSTORE_ABS_PATH_MAX + 1];
    struct xs_node *n;

    snprintf(part, sizeof(part), "%s", path);
    while (!look(a, part, &n)) {
        changed(a, n);
        if (strlen(part) <= above)
            break;
        part[xs_parent_len(part)] = 0;
    }
}

/* A value for a node, or a new node; fired if anything has changed. */
static int write_node(const struct xs_access *a, const char *path, const void *value, size_t len, bool mkdir)
{
    size_t above = strlen(path);
    struct xs_node *n;
    int rc = get(a, path, XS_RIGHT_WRITE, &n);

    if (rc == -ENOENT)
        rc = make(a, path, len, &n, &above);
    else if (!rc && mkdir)
        return 0;
    else if (!rc && !may_have_size(a, n->nr_perms, len, n->children_len))
        rc = -ENOSPC;
    if (rc)
        return rc;
    xs_perms_bury(a->store, n);
    if (!mkdir && !xs_node_set_value(a->store->arena, n, value, len))
        return -ENOMEM;
    changed_up(a, path, above);
    fire(a, n, false, NULL);
    return 0;
}

int xs_write(const struct xs_access *a, const char *path, const void *value, size_t len)
{
    return write_node(a, path, value, len, false);
}

int xs_mkdir(const struct xs_access *a, const char *path) { return write_node(a, path, "", 0, true); }

/* --------------------------------------------------------------------------------------------------- permissions -- */

/* False: the first, who would be the owner, does not exist. Whoever is named is known from now on. */
static bool perms_know(const struct xs_access *a, const struct xs_perm *perms, unsigned int nr)
{
    bool owner = !perms[0].id;

    for (unsigned int i = 0; i < nr; i++)
        if (perms[i].id && perms[i].id < DOMID_FIRST_RESERVED)
            owner |= xs_domain_get(a->store, (domid_t)perms[i].id) && i == 0;
    return owner;
}

/* Entries for who does not exist now are not for who will have the number later. False: out of memory. */
static bool perms_set(const struct xs_access *a, struct xs_node *n, const struct xs_perm *perms, unsigned int nr)
{
    if (!xs_node_set_perms(a->store->arena, n, perms, nr))
        return false;
    for (unsigned int i = 1; i < nr; i++)
        n->perms[i].dead = perms[i].id && !xs_domain_find(a->store, (domid_t)perms[i].id);
    return true;
}

int xs_set_perms(const struct xs_access *a, const char *path, const struct xs_perm *perms, unsigned int nr)
{
    struct xs_node *n, *before;
    int rc;

    if (!perms_know(a, perms, nr))
        return -ENOENT;
    if (!path)
        return -EINVAL;
    rc = get(a, path, XS_RIGHT_WRITE | XS_RIGHT_OWNER, &n);
    if (rc)
        return rc;
    if (is_limited(a) && perms[0].id != n->perms[0].id)
        return -EPERM;
    if (!may_have_size(a, nr, n->len, n->children_len))
        return -ENOSPC;
    before = xs_node_copy(a->store->arena, n);
    if (!before || !perms_set(a, n, perms, nr)) {
        xs_node_free(before);
        return -ENOMEM;
    }
    if (before->perms[0].id != perms[0].id) {
        count(a, before->perms[0].id, -1);
        count(a, perms[0].id, 1);
    }
    changed(a, n);
    fire(a, n, false, before);
    xs_node_free(before);
    return 0;
}

int xs_set_perms_special(const struct xs_access *a, const char *name, const struct xs_perm *perms, unsigned int nr)
{
    unsigned int i = 0;

    if (!perms_know(a, perms, nr))
        return -ENOENT;
    while (i < XS_NR_SPECIAL && strcmp(name, a->store->special[i]->path))
        i++;
    if (i == XS_NR_SPECIAL || (xs_rights(a->store, a->conn, a->store->special[i]) & XS_RIGHT_OWNER) == 0)
        return -EINVAL;
    if (!perms_set(a, a->store->special[i], perms, nr))
        return -ENOMEM;
    a->store->special[i]->generation = ++a->store->generation;
    return 0;
}
