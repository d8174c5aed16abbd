// SPDX-License-Identifier: GPL-2.0-or-later
/* Ethernet frames: the idea is in rings/net/frame.h. */
#include "rings/net/frame.h"

#include "vcpu/native/grant.h"

#include <string.h>

static struct arena *arena_of(const struct net_pool *p) { return p->v->domain->xen->machine->arena; }

void net_pool_init(struct net_pool *p, struct vcpu *v) { *p = (struct net_pool){ .v = v }; }

void net_pool_end(struct net_pool *p)
{
    BUG_ON(p->in_use);
    while (p->nr)
        native_frame_free(p->v, p->page[--p->nr]);
}

static uint8_t *page_get(struct net_pool *p)
{
    uint8_t *page = p->nr ? p->page[--p->nr] : native_frame_alloc(p->v);

    p->in_use += page != NULL;
    return page;
}

static void page_put(struct net_pool *p, uint8_t *page)
{
    p->in_use--;
    if (p->nr < NET_POOL_PAGES)
        p->page[p->nr++] = page;
    else
        native_frame_free(p->v, page);
}

static void frame_free(struct net_frame *f)
{
    for (unsigned int i = 0; i < NET_PAGES_MAX && f->page[i]; i++)
        page_put(f->pool, f->page[i]);
    xfree(f);
}

struct net_frame *net_frame_alloc(struct net_pool *p, size_t len)
{
    struct net_frame *f = xzalloc(arena_of(p), struct net_frame);

    BUG_ON(len > NET_FRAME_MAX);
    if (f)
        *f = (struct net_frame){ .pool = p, .refs = 1, .len = (unsigned int)len };
    for (size_t i = 0; f && i * PAGE_SIZE < len; i++) {
        f->page[i] = page_get(p);
        if (!f->page[i]) {
            frame_free(f);
            f = NULL;
        }
    }
    p->refused += !f;
    return f;
}

struct net_frame *net_frame_get(struct net_frame *f)
{
    f->refs++;
    return f;
}

void net_frame_put(struct net_frame *f)
{
    if (!--f->refs)
        frame_free(f);
}

void net_frame_read(const struct net_frame *f, size_t at, void *buf, size_t len)
{
    BUG_ON(at > f->len || len > f->len - at);
    for (size_t done = 0, n; done < len; done += n, at += n) {
        n = PAGE_SIZE - at % PAGE_SIZE < len - done ? PAGE_SIZE - at % PAGE_SIZE : len - done;
        memcpy((uint8_t *)buf + done, f->page[at / PAGE_SIZE] + at % PAGE_SIZE, n);
    }
}

void net_frame_write(struct net_frame *f, size_t at, const void *buf, size_t len)
{
    BUG_ON(at > f->len || len > f->len - at);
    for (size_t done = 0, n; done < len; done += n, at += n) {
        n = PAGE_SIZE - at % PAGE_SIZE < len - done ? PAGE_SIZE - at % PAGE_SIZE : len - done;
        memcpy(f->page[at / PAGE_SIZE] + at % PAGE_SIZE, (const uint8_t *)buf + done, n);
    }
}
