// SPDX-License-Identifier: GPL-2.0-or-later
/* The store's beginning and end, its check, and what a path may be: see rings/xenstore/store.h. */
#include "rings/xenstore/store.h"

#include <stdio.h>
#include <string.h>

/* ------------------------------------------------------------------------------------------------ beginning, end -- */

bool xs_store_init(struct xs_store *s, struct arena *arena, const struct xs_hooks *hooks, void *data)
{
    static const char *const special[] = {
        [XS_INTRODUCE_DOMAIN] = "@introduceDomain", [XS_RELEASE_DOMAIN] = "@releaseDomain"
    };
    static const unsigned int limits[] = {
#define X(limit, value, name, help) value,
        XS_LIMITS(X)
#undef X
    };
    static const struct xs_perm dom0s = { .id = 0, .letter = 'n' };
    const struct xs_access toolstack = { .store = s };
    struct xs_node *root;

    *s = (struct xs_store){ .arena = arena, .hooks = hooks, .data = data };
    memcpy(s->limit, limits, sizeof(limits));
    root = xs_tree_init(&s->tree, arena) ? xs_node_create(arena, "/") : NULL;
    if (!root || !xs_node_set_perms(arena, root, &dom0s, 1)) {
        xs_node_free(root);
        xs_store_end(s);
        return false;
    }
    xs_tree_add(&s->tree, root);
    root->generation = ++s->generation;
    for (unsigned int i = 0; i < XS_NR_SPECIAL; i++) {
        s->special[i] = xs_node_create(arena, special[i]);
        if (!s->special[i] || !xs_node_set_perms(arena, s->special[i], &dom0s, 1)) {
            xs_store_end(s);
            return false;
        }
        s->special[i]->generation = s->generation;
    }
    if (!xs_mkdir(&toolstack, "/tool/xenstored"))
        return true;
    xs_store_end(s);
    return false;
}

void xs_store_end(struct xs_store *s)
{
    for (unsigned int i = 0; i < XS_NR_SPECIAL; i++)
        xs_node_free(s->special[i]);
    for (unsigned int i = 0; i < XS_DOMAIN_BUCKETS; i++) {
        while (s->domains[i]) {
            struct xs_domain *d = s->domains[i];

            s->domains[i] = d->next;
            xfree(d);
        }
    }
    xs_tree_free(&s->tree);
}

/* --------------------------------------------------------------------------------------------------------- check -- */

/* Nodes at and below path, whose names are in the records above; 0: one is not there. path has room for any. */
static size_t check_below(const struct xs_store *s, char *path)
{
    const size_t len = strlen(path);
    const struct xs_node *n = xs_tree_find(&s->tree, path);
    size_t nodes = 1;

    if (!n || !n->nr_perms || !n->generation || n->generation > s->generation)
        return 0;
    for (size_t at = 0; at < n->children_len; at += strlen(n->children + at) + 1) {
        size_t below;

        sprintf(path + len, "%s%s", len == 1 ? "" : "/", n->children + at);
        below = check_below(s, path);
        if (!below)
            return 0;
        nodes += below;
        path[len] = 0;
    }
    return nodes;
}

static unsigned int owned_by(const struct xs_store *s, domid_t domid)
{
    unsigned int owned = 0;

    for (size_t i = 0; i < s->tree.nr_buckets; i++)
        for (const struct xs_node *n = s->tree.bucket[i]; n; n = n->next)
            owned += n->perms[0].id == domid;
    return owned;
}

bool xs_store_check(const struct xs_store *s)
{
    char path[XENSTORE_ABS_PATH_MAX + 1] = "/";
    bool ok = check_below(s, path) == s->tree.nr;

    for (unsigned int i = 0; ok && i < XS_DOMAIN_BUCKETS; i++)
        for (const struct xs_domain *d = s->domains[i]; d; d = d->next)
            ok &= owned_by(s, d->domid) == d->nodes;
    return ok;
}

/* --------------------------------------------------------------------------------------------------------- paths -- */

char *xs_path_absolute(const struct xs_conn *conn, const char *path)
{
    const size_t size = sizeof("/local/domain/65535/") + strlen(path);
    char *absolute;

    if (path[0] == '/')
        return xstrdup(conn->store->arena, path);
    absolute = xzalloc_array(conn->store->arena, char, size);
    if (absolute)
        snprintf(absolute, size, "/local/domain/%u/%s", conn->domid, path);
    return absolute;
}

bool xs_path_ok(const struct xs_store *s, const char *path)
{
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-/_@";
    const size_t len = strlen(path);
    int own = 0; /* a part that is not counted: /local/domain/N/ */
    unsigned int domid;

    if (sscanf(path, "/local/domain/%5u/%n", &domid, &own) != 1)
        own = 0;
    return path[0] == '/' && (len == 1 || path[len - 1] != '/') && !strstr(path, "//") &&
           !path[strspn(path, allowed)] && len <= (size_t)own + s->limit[XS_LIMIT_PATH];
}
