// SPDX-License-Identifier: GPL-2.0-or-later
/* The store behind xenstore: the idea is in rings/xenstore/store.h. */
#include "rings/xenstore/private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xen/io/xs_wire.h>

#define NODE_HEAD 24u /* what a node takes beside path, permissions, value and children, in the count that is limited */
#define PERM_SIZE 8u

/* --- access --- */

static struct tree *tree_of(const struct xs_access *a) { return a->tx ? &a->tx->tree : &a->store->tree; }

static unsigned int rights_of(const struct xs_perms *perms, domid_t domid)
{
    char letter = perms->p[0].letter;

    if (domid == 0 || perms->p[0].id == domid)
        return XS_RIGHT_READ | XS_RIGHT_WRITE | XS_RIGHT_OWNER;
    for (unsigned int i = 1; i < perms->nr; i++)
        if (perms->p[i].id == domid) {
            letter = perms->p[i].letter;
            break;
        }
    return (letter == 'r' || letter == 'b' ? XS_RIGHT_READ : 0) | (letter == 'w' || letter == 'b' ? XS_RIGHT_WRITE : 0);
}

static int touch(const struct xs_access *a, const char *path, bool modify)
{
    struct touched *t;
    int rc = 0;

    if (!a->tx)
        return 0;
    t = xs_tx_touch(a->tx, path, &rc);
    if (!t)
        return rc;
    t->modified |= modify;
    return 0;
}

static void tell(const struct xs_access *a, const char *path, bool exact)
{
    int rc = 0;

    if (a->tx) {
        struct touched *t = xs_tx_touch(a->tx, path, &rc); /* it is there: it was changed */

        t->exact = t->tell ? t->exact && exact : exact;
        t->tell = true;
    } else if (a->store->changed) {
        a->store->changed(a->store->data, path, exact);
    }
}

/* Something is not there: says so only to who could have seen it. -ENOENT, -EACCES. */
static int absent(const struct xs_access *a, const char *path, unsigned int rights)
{
    char *above = xstrdup(a->store->tree.arena, path);
    const struct xs_node *n = NULL;
    int rc = above ? 0 : -ENOMEM;

    while (!rc && !n) {
        above[xs_parent_len(above)] = 0;
        rc = touch(a, above, false);
        n = xs_tree_find(tree_of(a), above);
    }
    xfree(above);
    if (rc)
        return rc;
    return (rights_of(&n->perms, a->domid) & rights) == rights ? -ENOENT : -EACCES;
}

static int get(const struct xs_access *a, const char *path, unsigned int rights, struct xs_node **out)
{
    struct xs_node *n = xs_tree_find(tree_of(a), path);
    int rc = touch(a, path, false);

    if (rc)
        return rc;
    if (!n)
        return absent(a, path, rights & ~(unsigned int)XS_RIGHT_OWNER);
    if ((rights_of(&n->perms, a->domid) & rights) != rights)
        return -EACCES;
    *out = n;
    return 0;
}

int xs_get(const struct xs_access *a, const char *path, unsigned int rights, const struct xs_node **out)
{
    struct xs_node *n = NULL;
    int rc = get(a, path, rights, &n);

    *out = n;
    return rc;
}

/* The part of n's path that names it as a child of `path`; NULL: it is none. */
static const char *child_name(const struct xs_node *n, const char *path)
{
    const char *name = xs_is_below(n->path, path) ? n->path + (path[1] ? strlen(path) + 1 : 1) : NULL;

    return name && !strchr(name, '/') ? name : NULL;
}

static size_t children_size(const struct tree *t, const char *path)
{
    size_t size = 0;

    for (const struct xs_node *n = t->first; n; n = n->next)
        size += child_name(n, path) ? strlen(child_name(n, path)) + 1 : 0;
    return size;
}

int xs_children(const struct xs_access *a, const char *path, char **names, size_t *len)
{
    const struct tree *t = tree_of(a);
    struct xs_node *node;
    char *to;
    int rc = get(a, path, XS_RIGHT_READ, &node);

    if (rc)
        return rc;
    *len = children_size(t, path);
    *names = to = xzalloc_array(t->arena, char, *len + 1);
    if (!to)
        return -ENOMEM;
    for (const struct xs_node *n = t->first; n; n = n->next)
        if (child_name(n, path))
            to = stpcpy(to, child_name(n, path)) + 1;
    return 0;
}

/* --- changes --- */

/* May a node of the guest's be so large? */
static int size_check(const struct xs_access *a, const struct xs_node *n, size_t len, size_t more_children)
{
    const size_t size = NODE_HEAD + n->perms.nr * PERM_SIZE + strlen(n->path) + len + more_children +
                        children_size(tree_of(a), n->path);

    return a->domid && size >= XS_NODE_SIZE_MAX ? -ENOSPC : 0;
}

static unsigned int nodes_owned(const struct tree *t, domid_t domid)
{
    unsigned int owned = 0;

    for (const struct xs_node *n = t->first; n; n = n->next)
        owned += n->perms.p[0].id == domid;
    return owned;
}

/* Make one node, whose parent is there. */
static int make_one(const struct xs_access *a, const char *path, const void *value, size_t len)
{
    struct xs_node *parent = xs_tree_parent(tree_of(a), path), *n;
    int rc = touch(a, parent->path, true);

    if (!rc)
        rc = touch(a, path, true);
    if (!rc && a->domid && nodes_owned(tree_of(a), a->domid) >= XS_NODES_MAX)
        rc = -ENOSPC;
    if (!rc)
        rc = size_check(a, parent, parent->len, strlen(path + xs_parent_len(path)) + (parent->path[1] == 0));
    if (rc)
        return rc;
    n = xs_tree_append(tree_of(a), path, value, len);
    if (!n)
        return -ENOMEM;
    n->perms = parent->perms;
    if (a->domid)
        n->perms.p[0].id = a->domid;
    rc = size_check(a, n, len, 0);
    if (rc) {
        xs_tree_remove(tree_of(a), path);
        return rc;
    }
    n->generation = parent->generation = ++a->store->generation;
    return 0;
}

/* Make a node and those above it that are not there. */
static int make(const struct xs_access *a, const char *path, const void *value, size_t len)
{
    char *part = xstrdup(a->store->tree.arena, path);
    int rc = part ? 0 : -ENOMEM;

    for (char *slash = part ? part + 1 : NULL; !rc && slash;) {
        slash = strchr(slash, '/');
        if (slash)
            *slash = 0;
        if (!slash || !xs_tree_find(tree_of(a), part))
            rc = make_one(a, part, slash ? "" : value, slash ? 0 : len);
        if (slash)
            *slash++ = '/';
    }
    xfree(part);
    if (!rc)
        tell(a, path, false);
    return rc;
}

int xs_write(const struct xs_access *a, const char *path, const void *value, size_t len)
{
    struct xs_node *n;
    int rc = get(a, path, XS_RIGHT_WRITE, &n);

    if (rc)
        return rc == -ENOENT ? make(a, path, value, len) : rc;
    rc = size_check(a, n, len, 0);
    if (!rc)
        rc = touch(a, path, true);
    if (rc)
        return rc;
    if (!xs_node_set_value(tree_of(a), n, value, len))
        return -ENOMEM;
    n->generation = ++a->store->generation;
    tell(a, path, false);
    return 0;
}

int xs_mkdir(const struct xs_access *a, const char *path)
{
    struct xs_node *n;
    int rc = get(a, path, XS_RIGHT_WRITE, &n);

    return rc == -ENOENT ? make(a, path, "", 0) : rc;
}

int xs_rm(const struct xs_access *a, const char *path)
{
    struct tree *t = tree_of(a);
    struct xs_node *n, *parent = xs_tree_parent(t, path);
    int rc = get(a, path, XS_RIGHT_WRITE, &n);

    if (rc)
        return rc == -ENOENT && parent ? 0 : rc;
    if (!parent)
        return -EINVAL;
    rc = touch(a, parent->path, true);
    for (n = t->first; n && !rc; n = n->next)
        if (!strcmp(n->path, path) || xs_is_below(n->path, path))
            rc = touch(a, n->path, true);
    if (rc)
        return rc;
    parent->generation = ++a->store->generation;
    for (struct xs_node **at = &t->first; *at;) {
        n = *at;
        if (strcmp(n->path, path) && !xs_is_below(n->path, path)) {
            at = &n->next;
            continue;
        }
        *at = n->next;
        tell(a, n->path, strcmp(n->path, path) != 0);
        xs_node_free(n);
    }
    return 0;
}

int xs_set_perms(const struct xs_access *a, const char *path, const struct xs_perms *perms)
{
    struct xs_node *n;
    int rc = get(a, path, XS_RIGHT_WRITE | XS_RIGHT_OWNER, &n);

    if (rc)
        return rc;
    if (a->domid && perms->p[0].id != n->perms.p[0].id)
        return -EPERM;
    rc = touch(a, path, true);
    if (rc)
        return rc;
    n->perms = *perms;
    n->generation = ++a->store->generation;
    tell(a, path, false);
    return 0;
}

/* --- the store --- */

struct xs_store *xs_store_create(struct arena *arena, xs_changed_fn *changed, void *data)
{
    struct xs_store *s = xzalloc(arena, struct xs_store);
    struct xs_node *root;

    if (!s)
        return NULL;
    s->tree.arena = arena;
    root = xs_tree_append(&s->tree, "/", "", 0);
    if (!root) {
        xfree(s);
        return NULL;
    }
    root->perms = (struct xs_perms){ .nr = 1, .p = { { 0, 'n' } } };
    root->generation = ++s->generation;
    s->changed = changed;
    s->data = data;
    return s;
}

const struct xs_node *xs_next(const struct xs_store *s, const struct xs_node *n) { return n ? n->next : s->tree.first; }

void xs_store_destroy(struct xs_store *s)
{
    if (!s)
        return;
    xs_tx_abort_all(s);
    xs_tree_free(&s->tree);
    xfree(s);
}

char *xs_path_absolute(const struct xs_store *s, domid_t domid, const char *path)
{
    const size_t size = sizeof("/local/domain/65535/") + strlen(path);
    char *absolute;

    if (path[0] == '/')
        return xstrdup(s->tree.arena, path);
    absolute = xzalloc_array(s->tree.arena, char, size);
    if (absolute)
        snprintf(absolute, size, "/local/domain/%u/%s", domid, path);
    return absolute;
}

bool xs_path_ok(const char *path)
{
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-/_@";
    const size_t len = strlen(path);
    int own = 0; /* a part that is not counted: /local/domain/N/ */
    unsigned int domid;

    if (sscanf(path, "/local/domain/%5u/%n", &domid, &own) != 1)
        own = 0;
    return path[0] == '/' && (len == 1 || path[len - 1] != '/') && !strstr(path, "//") &&
           !path[strspn(path, allowed)] && len <= (size_t)own + XENSTORE_REL_PATH_MAX;
}
