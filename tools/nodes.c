// SPDX-License-Identifier: GPL-2.0-or-later
/* Nodes, and the two directories of a device: see tools/nodes.h. */
#include "tools/nodes.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void perms_set(struct node_writer *w, const char *path, const struct xs_perm *perms, unsigned int nr)
{
    const struct xs_access toolstack = xenstored_toolstack(w->h->xenstored);

    if (xs_set_perms(&toolstack, path, perms, nr))
        w->failed = true;
}

/* It is owner's, and reader may read it. */
static void perms_pair(struct node_writer *w, const char *path, domid_t owner, domid_t reader)
{
    const struct xs_perm perms[] = { { .id = owner, .letter = 'n' }, { .id = reader, .letter = 'r' } };

    perms_set(w, path, perms, owner == reader ? 1 : 2);
}

static void perms_give(struct node_writer *w, const char *path, enum node_perms perms)
{
    const domid_t domid = w->g ? w->g->domid : 0;

    switch (perms) {
    case AS_PARENT: break;
    case READ: perms_pair(w, path, 0, domid); break;
    case OWN: perms_pair(w, path, domid, domid); break;
    case FRONT: perms_pair(w, path, domid, 0); break;
    }
}

void node(struct node_writer *w, const char *path, enum node_perms perms, const char *fmt, ...)
{
    const struct xs_access toolstack = xenstored_toolstack(w->h->xenstored);
    char *value = NULL, *absolute = NULL;
    va_list ap;
    int len;

    va_start(ap, fmt);
    len = vasprintf(&value, fmt, ap);
    va_end(ap);
    if (asprintf(&absolute, "/local/domain/%u/%s", w->g ? w->g->domid : 0, path) < 0)
        absolute = NULL;
    if (len < 0 || !absolute || xs_write(&toolstack, *path == '/' ? path : absolute, value, (size_t)len))
        w->failed = true;
    else
        perms_give(w, *path == '/' ? path : absolute, perms);
    if (w->g && w->g->task.kernel)
        task_charge(&w->g->task, 1, 0);
    free(len < 0 ? NULL : value);
    free(absolute);
}

const char *path_make(char path[NODE_PATH_SIZE], const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(path, NODE_PATH_SIZE, fmt, ap);
    va_end(ap);
    return path;
}

static void device_node_v(struct device_nodes *d, const char *dir, const char *name, const char *fmt, va_list ap)
{
    char path[NODE_PATH_SIZE], *value;

    if (vasprintf(&value, fmt, ap) < 0) {
        d->w->failed = true;
        return;
    }
    node(d->w, path_make(path, "%s/%s", dir, name), AS_PARENT, "%s", value);
    free(value);
}

__attribute__((format(printf, 4, 5))) static void device_node(struct device_nodes *d, const char *dir, const char *name,
                                                              const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    device_node_v(d, dir, name, fmt, ap);
    va_end(ap);
}

void device_begin(struct device_nodes *d, struct node_writer *w, const char *type, domid_t back_domid,
                  unsigned int devid)
{
    const domid_t domid = w->g->domid;

    *d = (struct device_nodes){ .w = w, .back_domid = back_domid };
    snprintf(d->front, sizeof(d->front), "/local/domain/%u/device/%s/%u", domid, type, devid);
    snprintf(d->back, sizeof(d->back), "/local/domain/%u/backend/%s/%u/%u", back_domid, type, domid, devid);
    snprintf(d->own, sizeof(d->own), "/libxl/%u/device/%s/%u", domid, type, devid);
    device_node(d, d->own, "frontend", "%s", d->front);
    device_node(d, d->own, "backend", "%s", d->back);
    node(w, d->front, AS_PARENT, "%s", "");
    perms_pair(w, d->front, domid, back_domid);
    device_front(d, "backend", "%s", d->back);
    device_front(d, "backend-id", "%u", back_domid);
    device_front(d, "state", "1");
    node(w, d->back, AS_PARENT, "%s", "");
    perms_pair(w, d->back, back_domid, domid);
    device_back(d, "frontend", "%s", d->front);
    device_back(d, "frontend-id", "%u", domid);
}

void device_front(struct device_nodes *d, const char *name, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    device_node_v(d, d->front, name, fmt, ap);
    va_end(ap);
}

void device_front_ro(struct device_nodes *d, const char *name, const char *fmt, ...)
{
    char path[NODE_PATH_SIZE];
    va_list ap;

    va_start(ap, fmt);
    device_node_v(d, d->front, name, fmt, ap);
    va_end(ap);
    perms_pair(d->w, path_make(path, "%s/%s", d->front, name), d->back_domid, d->w->g->domid);
}

void device_back(struct device_nodes *d, const char *name, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    device_node_v(d, d->back, name, fmt, ap);
    va_end(ap);
    va_start(ap, fmt);
    device_node_v(d, d->own, name, fmt, ap);
    va_end(ap);
}

bool node_read(struct host *h, const char *path, char value[NODE_PATH_SIZE])
{
    const struct xs_access toolstack = xenstored_toolstack(h->xenstored);
    const struct xs_node *n;

    if (xs_get(&toolstack, path, XS_RIGHT_READ, &n) || n->len >= NODE_PATH_SIZE)
        return false;
    memcpy(value, n->value, n->len);
    value[n->len] = 0;
    return true;
}

bool device_noted(struct host *h, domid_t domid, const char *type, unsigned int devid, const char *name,
                  char value[NODE_PATH_SIZE])
{
    char path[NODE_PATH_SIZE];

    return node_read(h, path_make(path, "/libxl/%u/device/%s/%u/%s", domid, type, devid, name), value);
}

void node_cleanup(struct host *h, const char *path)
{
    const struct xs_access toolstack = xenstored_toolstack(h->xenstored);
    char above[NODE_PATH_SIZE];
    const struct xs_node *n;

    xs_rm(&toolstack, path);
    snprintf(above, sizeof(above), "%s", path);
    for (char *slash; (slash = strrchr(above, '/')) && slash != above;) {
        *slash = 0;
        if (xs_get(&toolstack, above, XS_RIGHT_READ, &n) || n->children_len || xs_rm(&toolstack, above))
            break;
    }
}
