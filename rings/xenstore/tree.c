// SPDX-License-Identifier: GPL-2.0-or-later
/* The list of nodes that a store and each of its transactions consist of: see rings/xenstore/private.h. */
#include "rings/xenstore/private.h"

#include <stdlib.h>
#include <string.h>

struct xs_node *xs_tree_find(const struct tree *t, const char *path)
{
    for (struct xs_node *n = t->first; n; n = n->next)
        if (!strcmp(n->path, path))
            return n;
    return NULL;
}

size_t xs_parent_len(const char *path)
{
    const char *slash = strrchr(path, '/');

    return !path[1] ? 0 : slash == path ? 1 : (size_t)(slash - path);
}

struct xs_node *xs_tree_parent(const struct tree *t, const char *path)
{
    const size_t len = xs_parent_len(path);

    for (struct xs_node *n = t->first; n; n = n->next)
        if (!strncmp(n->path, path, len) && !n->path[len])
            return n;
    return NULL;
}

bool xs_is_below(const char *path, const char *above)
{
    const size_t len = strlen(above);

    return !strncmp(path, above, len) && (len == 1 ? path[1] != 0 : path[len] == '/');
}

void xs_node_free(struct xs_node *n)
{
    xfree(n->path);
    xfree(n->value);
    xfree(n);
}

bool xs_node_set_value(struct tree *t, struct xs_node *n, const void *value, size_t len)
{
    char *copy = xzalloc_array(t->arena, char, len + 1);

    if (!copy)
        return false;
    if (len)
        memcpy(copy, value, len);
    xfree(n->value);
    n->value = copy;
    n->len = len;
    return true;
}

struct xs_node *xs_tree_append(struct tree *t, const char *path, const void *value, size_t len)
{
    struct xs_node *n = xzalloc(t->arena, struct xs_node), **tail = &t->first;

    if (!n)
        return NULL;
    n->path = xstrdup(t->arena, path);
    if (!n->path || !xs_node_set_value(t, n, value, len)) {
        xs_node_free(n);
        return NULL;
    }
    while (*tail)
        tail = &(*tail)->next;
    *tail = n;
    return n;
}

void xs_tree_remove(struct tree *t, const char *path)
{
    for (struct xs_node **at = &t->first; *at; at = &(*at)->next) {
        if (!strcmp((*at)->path, path)) {
            struct xs_node *n = *at;

            *at = n->next;
            xs_node_free(n);
            return;
        }
    }
}

void xs_tree_free(struct tree *t)
{
    while (t->first) {
        struct xs_node *n = t->first;

        t->first = n->next;
        xs_node_free(n);
    }
}
