// SPDX-License-Identifier: GPL-2.0-or-later
/* The nodes of xenstore, by their paths: the idea is in rings/xenstore/tree.h. */
#include "rings/xenstore/tree.h"

#include <string.h>

#define FIRST_BUCKETS 256u

/* FNV-1a. */
uint32_t xs_hash(const char *path)
{
    uint32_t hash = UINT32_C(0x811c9dc5);

    for (; *path; path++)
        hash = (hash ^ (uint8_t)*path) * UINT32_C(0x01000193);
    return hash;
}

size_t xs_parent_len(const char *path)
{
    const char *slash = strrchr(path, '/');

    return !path[1] ? 0 : slash == path ? 1 : (size_t)(slash - path);
}

const char *xs_basename(const char *path) { return strrchr(path, '/') + 1; }

/* --------------------------------------------------------------------------------------------------------- nodes -- */

struct xs_node *xs_node_create(struct arena *arena, const char *path)
{
    struct xs_node *n = xzalloc(arena, struct xs_node);

    if (!n)
        return NULL;
    n->path = xstrdup(arena, path);
    n->hash = xs_hash(path);
    if (n->path && xs_node_set_value(arena, n, "", 0))
        return n;
    xs_node_free(n);
    return NULL;
}

void xs_node_free(struct xs_node *n)
{
    if (!n)
        return;
    xfree(n->path);
    xfree(n->value);
    xfree(n->children);
    xfree(n->perms);
    xfree(n);
}

struct xs_node *xs_node_copy(struct arena *arena, const struct xs_node *n)
{
    struct xs_node *copy = xs_node_create(arena, n->path);

    if (!copy)
        return NULL;
    copy->generation = n->generation;
    if (n->children_len) {
        copy->children = xzalloc_array(arena, char, n->children_len);
        if (copy->children)
            memcpy(copy->children, n->children, copy->children_len = n->children_len);
    }
    if (copy->children_len == n->children_len && xs_node_set_value(arena, copy, n->value, n->len) &&
        xs_node_set_perms(arena, copy, n->perms, n->nr_perms))
        return copy;
    xs_node_free(copy);
    return NULL;
}

bool xs_node_set_value(struct arena *arena, struct xs_node *n, const void *value, size_t len)
{
    char *copy = xzalloc_array(arena, char, len + 1);

    if (!copy)
        return false;
    if (len)
        memcpy(copy, value, len);
    xfree(n->value);
    n->value = copy;
    n->len = len;
    return true;
}

bool xs_node_set_perms(struct arena *arena, struct xs_node *n, const struct xs_perm *perms, unsigned int nr)
{
    struct xs_perm *copy = xzalloc_array(arena, struct xs_perm, nr);

    if (!copy)
        return false;
    memcpy(copy, perms, nr * sizeof(*perms));
    xfree(n->perms);
    n->perms = copy;
    n->nr_perms = nr;
    return true;
}

bool xs_node_add_child(struct arena *arena, struct xs_node *n, const char *name)
{
    const size_t size = strlen(name) + 1;
    char *longer = xrealloc_array(arena, n->children, n->children_len + size);

    if (!longer)
        return false;
    n->children = longer;
    memcpy(longer + n->children_len, name, size);
    n->children_len += size;
    return true;
}

/* Where a child's name is; behind the last if it is none. */
static char *child_find(const struct xs_node *n, const char *name)
{
    char *at = n->children, *const end = at + n->children_len;

    while (at < end && strcmp(at, name))
        at += strlen(at) + 1;
    return at;
}

bool xs_node_has_child(const struct xs_node *n, const char *name)
{
    return child_find(n, name) < n->children + n->children_len;
}

void xs_node_remove_child(struct xs_node *n, const char *name)
{
    const size_t size = strlen(name) + 1;
    char *at = child_find(n, name);

    n->children_len -= size;
    memmove(at, at + size, n->children_len - (size_t)(at - n->children));
}

/* ---------------------------------------------------------------------------------------------------------- tree -- */

bool xs_tree_init(struct xs_tree *t, struct arena *arena)
{
    *t = (struct xs_tree){ .arena = arena, .nr_buckets = FIRST_BUCKETS };
    t->bucket = xzalloc_array(arena, struct xs_node *, FIRST_BUCKETS);
    return t->bucket;
}

void xs_tree_free(struct xs_tree *t)
{
    for (size_t i = 0; t->bucket && i < t->nr_buckets; i++) {
        while (t->bucket[i]) {
            struct xs_node *n = t->bucket[i];

            t->bucket[i] = n->next;
            xs_node_free(n);
        }
    }
    xfree(t->bucket);
    t->bucket = NULL;
}

/* Where the pointer to this node is; the end of its bucket if there is none. */
static struct xs_node **place_of(const struct xs_tree *t, uint32_t hash, const char *path)
{
    struct xs_node **at = &t->bucket[hash & (t->nr_buckets - 1)];

    while (*at && ((*at)->hash != hash || strcmp((*at)->path, path)))
        at = &(*at)->next;
    return at;
}

struct xs_node *xs_tree_find(const struct xs_tree *t, const char *path) { return *place_of(t, xs_hash(path), path); }

/* Twice as many buckets, if there is memory for them: it is slower without. */
static void grow(struct xs_tree *t)
{
    const size_t nr = 2 * t->nr_buckets;
    struct xs_node **more = xzalloc_array(t->arena, struct xs_node *, nr);

    if (!more)
        return;
    for (size_t i = 0; i < t->nr_buckets; i++) {
        while (t->bucket[i]) {
            struct xs_node *n = t->bucket[i];

            t->bucket[i] = n->next;
            n->next = more[n->hash & (nr - 1)];
            more[n->hash & (nr - 1)] = n;
        }
    }
    xfree(t->bucket);
    t->bucket = more;
    t->nr_buckets = nr;
}

void xs_tree_add(struct xs_tree *t, struct xs_node *n)
{
    if (t->nr >= 2 * t->nr_buckets)
        grow(t);
    n->next = t->bucket[n->hash & (t->nr_buckets - 1)];
    t->bucket[n->hash & (t->nr_buckets - 1)] = n;
    t->nr++;
}

struct xs_node *xs_tree_take(struct xs_tree *t, const char *path)
{
    struct xs_node **at = place_of(t, xs_hash(path), path), *n = *at;

    if (!n)
        return NULL;
    *at = n->next;
    n->next = NULL;
    t->nr--;
    return n;
}
