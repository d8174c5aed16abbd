// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The shared folders of guests, and who answers for them outside.
 *
 * Concept: what a guest reads of a folder is of the outside, and so an input like what is typed. When a server has a
 * question (rings/p9/server.h) the machine stops between two steps. Whoever runs it asks the folder, by
 * host_outside_ask(), and hands in the answer, as a record of the journal; then it goes on at the same time. In a part
 * of the run that is repeated the answer is there already, and nobody looks at the folder.
 *
 * Invariants: a folder is opened when the first guest that has it is added, and stays open: an edge. What a guest has
 * written to one is not taken back when the machine goes into its past.
 */
#include "tools/nodes.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A folder, open. */
struct open_share {
    struct open_share *next;
    uint32_t id;
    int fd;
};

/* --- questions and answers --- */

static void on_asks(void *data, bool is)
{
    struct host *h = data;

    h->xen->outside_asked = is;
}

static struct open_share *share_open_find(const struct host *h, uint32_t id)
{
    struct open_share *o = h->edges->shares;

    while (o && o->id != id)
        o = o->next;
    return o;
}

const uint8_t *host_outside_ask(struct host *h, unsigned int *who, size_t *len)
{
    struct host_edges *e = h->edges;
    const struct open_share *o;
    struct p9_question q;
    uint32_t head[2] = { 0, EIO };

    if (!p9_question(&h->p9, &q))
        return NULL;
    *who = q.device;
    *len = 0;
    o = share_open_find(h, q.share);
    if (o)
        head[1] = p9_outside_do(&e->p9, q.share, o->fd, q.bytes, q.len, e->p9_answer + sizeof(head),
                                sizeof(e->p9_answer) - sizeof(head), len);
    head[0] = q.seq;
    memcpy(e->p9_answer, head, sizeof(head));
    *len += sizeof(head);
    return e->p9_answer;
}

bool host_outside_asks(const struct host *h, unsigned int who, const uint8_t *bytes, size_t len)
{
    struct p9_question q;
    uint32_t seq;

    if (len < 2 * sizeof(uint32_t) || !p9_question(&h->p9, &q))
        return false;
    memcpy(&seq, bytes, sizeof(seq));
    return q.device == who && q.seq == seq;
}

void host_outside_answer(struct host *h, unsigned int who, const uint8_t *bytes, size_t len)
{
    uint32_t head[2];

    memcpy(head, bytes, sizeof(head));
    xen_interrupt(h->xen, host_now(h));
    p9_answered(&h->p9, who, head[0], head[1], bytes + sizeof(head), len - sizeof(head));
}

/* --- folders --- */

static int p9_fail(const struct guest *g, const char *path, const char *why, char err[HOST_ERR_SIZE])
{
    char where[XL_WHERE_SIZE];

    snprintf(err, HOST_ERR_SIZE, "%s%.400s: %.200s", xl_where(g->cfg.where, "p9", where), path, why);
    return -1;
}

/* The share of this path; made if there is none. NULL: no memory. */
static struct p9_share *share_get(struct host *h, const char *path)
{
    struct p9_share *s = h->p9.first;

    while (s && strcmp(s->path, path))
        s = s->next;
    if (s)
        return s;
    s = xzalloc(h->arena, struct p9_share);
    if (!s || !(s->path = xstrdup(h->arena, path))) {
        xfree(s);
        return NULL;
    }
    s->id = h->p9.first ? h->p9.first->id + 1 : 1;
    s->next = h->p9.first;
    h->p9.first = s;
    return s;
}

static int share_open(struct host *h, const struct guest *g, const struct xl_p9 *p, char err[HOST_ERR_SIZE])
{
    const struct p9_share *s = share_get(h, p->path);
    struct open_share *o;
    int fd;

    if (!s)
        return p9_fail(g, p->path, "out of memory", err);
    if (share_open_find(h, s->id))
        return 0;
    fd = open(p->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 && h->edges->is_recorded) {
        host_message(h, "%s is not there: what is not in the recording is answered with EIO", p->path);
        return 0;
    }
    o = fd < 0 ? NULL : calloc(1, sizeof(*o));
    if (!o) {
        if (fd >= 0)
            close(fd);
        return p9_fail(g, p->path, strerror(errno), err);
    }
    *o = (struct open_share){ h->edges->shares, s->id, fd };
    h->edges->shares = o;
    if (!p->readonly && !h->edges->only_forward && !h->edges->is_recorded)
        host_message(h, "%s: what %s writes there stays, also when the run goes back", p->path, g->cfg.name);
    return 0;
}

/* --- the kind of device --- */

static void *p9s_data(struct host *h)
{
    h->p9.arena = h->arena;
    h->p9.asks = on_asks;
    h->p9.data = h;
    if (!h->p9.next_handle)
        h->p9.next_handle = 1;
    return &h->p9;
}

static bool p9s_copy(struct guest *g, const struct host_guest *cfg)
{
    if (cfg->p9s && cfg->p9s->nr) {
        g->p9s = xzalloc(g->host->arena, struct xl_p9s);
        if (!g->p9s)
            return false;
        *g->p9s = *cfg->p9s;
    }
    g->cfg.p9s = NULL;
    return true;
}

static unsigned int p9s_nr(const struct guest *g) { return g->p9s ? g->p9s->nr : 0; }

static int p9s_open(struct host *h, struct guest *g, char err[HOST_ERR_SIZE])
{
    for (unsigned int i = 0; i < p9s_nr(g); i++)
        if (share_open(h, g, &g->p9s->list[i], err))
            return -1;
    return 0;
}

/* As libxl__set_xenstore_p9() in tools/libs/light/libxl_9pfs.c writes them; read-only is ours. */
static void p9_nodes(struct node_writer *w, unsigned int i)
{
    const struct xl_p9 *p = &w->g->p9s->list[i];
    struct device_nodes dev;

    device_begin(&dev, w, p9back.type, 0, i);
    device_front(&dev, "tag", "%s", p->tag);
    device_back(&dev, "online", "1");
    device_back(&dev, "path", "%s", p->path);
    device_back(&dev, "security_model", "none");
    if (p->readonly)
        device_back(&dev, "read-only", "1");
    device_back(&dev, "state", "1");
}

static void p9s_free(struct guest *g)
{
    xfree(g->p9s);
    g->p9s = NULL;
}

static void p9s_end(struct host *h)
{
    while (h->p9.first) {
        struct p9_share *s = h->p9.first;

        h->p9.first = s->next;
        xfree(s->path);
        xfree(s);
    }
}

static void p9s_close(struct host_edges *edges)
{
    p9_outside_close(&edges->p9);
    while (edges->shares) {
        struct open_share *o = edges->shares;

        edges->shares = o->next;
        close(o->fd);
        free(o);
    }
}

const struct device_kind p9_devices = {
    .back = &p9back,
    .data = p9s_data,
    .copy = p9s_copy,
    .nr = p9s_nr,
    .open = p9s_open,
    .nodes = p9_nodes,
    .free = p9s_free,
    .end = p9s_end,
    .close = p9s_close,
};
