// SPDX-License-Identifier: GPL-2.0-or-later
/* Watches of xenstore: the idea is in rings/xenstore/store.h. */
#include "rings/xenstore/store.h"

#include <stdio.h>
#include <string.h>

void xs_watch_send(struct xs_conn *c, const struct xs_watch *w, const char *path)
{
    struct xsd_sockmsg hdr = { XS_WATCH_EVENT, 0, 0, 0 };
    char own[sizeof("/local/domain/65535/")], payload[XENSTORE_PAYLOAD_MAX];
    size_t len;

    if (w->relative)
        path += (size_t)snprintf(own, sizeof(own), "/local/domain/%u/", c->domid);
    len = strlen(path) + 1;
    hdr.len = (uint32_t)(len + strlen(w->token) + 1);
    if (hdr.len > XENSTORE_PAYLOAD_MAX)
        return; /* no message: as lost as if the watch had not been set */
    memcpy(payload, path, len);
    memcpy(payload + len, w->token, hdr.len - len);
    c->send(c->data, &hdr, payload);
}

/* Is path `above`, or below it at any depth? */
static bool is_at_or_below(const char *path, const char *above)
{
    const size_t len = strlen(above);

    return !strncmp(path, above, len) && (len == 1 || !path[len] || path[len] == '/');
}

/* May this connection know that n changed? Of what a transaction has removed only who could read it. */
static bool may_know(const struct xs_conn *c, const struct xs_node *n, const struct xs_node *before)
{
    const struct xs_node *parent;
    char above[XENSTORE_ABS_PATH_MAX + 1];

    if ((before && xs_rights(c->store, c, before) & XS_RIGHT_READ) || xs_rights(c->store, c, n) & XS_RIGHT_READ)
        return true;
    if (n == before)
        return false;
    snprintf(above, sizeof(above), "%.*s", (int)xs_parent_len(n->path), n->path);
    parent = *above ? xs_tree_find(&c->store->tree, above) : NULL;
    return parent && xs_rights(c->store, c, parent) & XS_RIGHT_READ;
}

void xs_fire(struct xs_store *s, const struct xs_node *n, bool exact, const struct xs_node *before)
{
    for (struct xs_conn *c = s->conns; c; c = c->next) {
        if (!c->watches || !may_know(c, n, before))
            continue;
        for (const struct xs_watch *w = c->watches; w; w = w->next)
            if (exact ? !strcmp(n->path, w->path) : is_at_or_below(n->path, w->path))
                xs_watch_send(c, w, n->path);
    }
}

void xs_fire_special(struct xs_store *s, enum xs_special which)
{
    const struct xs_node *n = s->special[which];

    for (struct xs_conn *c = s->conns; c; c = c->next)
        for (const struct xs_watch *w = c->watches; w; w = w->next)
            if (!strcmp(w->path, n->path) && xs_rights(s, c, n) & XS_RIGHT_READ)
                xs_watch_send(c, w, n->path);
}

/* Where the pointer to it is; the end of the list if there is none. */
static struct xs_watch **watch_find(struct xs_conn *c, const char *path, const char *token)
{
    struct xs_watch **w = &c->watches;

    while (*w && (strcmp((*w)->path, path) || strcmp((*w)->token, token)))
        w = &(*w)->next;
    return w;
}

static void watch_free(struct xs_conn *c, struct xs_watch **at)
{
    struct xs_watch *w = *at;

    *at = w->next;
    xfree(w->path);
    xfree(w->token);
    xfree(w);
    c->nr_watches--;
}

void xs_watches_remove(struct xs_conn *c)
{
    while (c->watches)
        watch_free(c, &c->watches);
}

int xs_watch_add(struct xs_conn *c, char *path, const char *token, bool relative, const struct xs_watch **out)
{
    struct xs_watch **at = watch_find(c, path, token), *w;

    if (*at)
        return -EEXIST;
    if (xs_beyond(c, XS_LIMIT_WATCHES, c->nr_watches))
        return -E2BIG;
    w = xzalloc(c->store->arena, struct xs_watch);
    if (w)
        w->token = xstrdup(c->store->arena, token);
    if (!w || !w->token) {
        xfree(w);
        return -ENOMEM;
    }
    w->path = path;
    w->relative = relative;
    *at = w;
    *out = w;
    c->nr_watches++;
    return 0;
}

int xs_watch_remove(struct xs_conn *c, const char *path, const char *token)
{
    struct xs_watch **at = watch_find(c, path, token);

    if (!*at)
        return -ENOENT;
    watch_free(c, at);
    return 0;
}
