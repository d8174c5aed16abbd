// SPDX-License-Identifier: GPL-2.0-or-later
/* Sockets of xenstored: the idea is in rings/xenstore/socket.h. */
#include "rings/xenstore/socket.h"

#include "rings/xenstore/xenstored.h"

#include <string.h>

static void say(struct xs_socket *s)
{
    uint8_t bytes[4096];
    size_t n;

    while ((n = xs_stream_give(&s->stream, bytes, sizeof(bytes)))) {
        task_charge(&s->task, 0, n);
        s->x->edge->say(s->x->edge->data, s->id, bytes, n);
    }
}

/* Answer some requests. More: some are left. */
static bool socket_step(struct task *t, unsigned int budget)
{
    struct xs_socket *s = t->data;
    unsigned int answered = 0;
    size_t at = 0;

    while (at < s->len && answered < budget && !s->stream.broken) {
        at += xs_stream_take(&s->stream, s->bytes + at, s->len - at);
        answered += s->stream.in_len == 0;
        say(s);
    }
    say(s);
    task_charge(t, answered, at);
    s->len -= at;
    memmove(s->bytes, s->bytes + at, s->len);
    if (s->stream.broken)
        s->x->edge->hang_up(s->x->edge->data, s->id);
    return s->len && !s->stream.broken;
}

static const struct task_ops socket_task = { .name = "xenstore socket", .step = socket_step };

static void wake(void *data) { task_ready(&((struct xs_socket *)data)->task); }

/* Where the pointer to it is; the end of the list if there is none. */
static struct xs_socket **socket_find(struct xenstored *x, unsigned int id)
{
    struct xs_socket **at = &x->sockets;

    while (*at && (*at)->id != id)
        at = &(*at)->next;
    return at;
}

int xs_socket_open(struct xenstored *x, unsigned int id)
{
    struct xs_socket **at = socket_find(x, id), *s;

    if (*at)
        return -EEXIST;
    s = xzalloc(x->store.arena, struct xs_socket);
    if (!s)
        return -ENOMEM;
    s->id = id;
    s->x = x;
    xs_stream_init(&s->stream, &x->store, 0, native_vcpu(x->kernel)->domain->xen->machine);
    s->stream.wake = wake;
    s->stream.waker = s;
    task_init(&s->task, x->kernel, &socket_task, s);
    *at = s;
    return 0;
}

int xs_socket_bytes(struct xenstored *x, unsigned int id, const void *bytes, size_t len)
{
    struct xs_socket *s = *socket_find(x, id);

    if (!s)
        return -ENOENT;
    if (s->stream.broken)
        return 0;
    if (s->len + len > s->size) {
        const size_t size = 2 * (s->len + len);
        uint8_t *more = xrealloc_array(x->store.arena, s->bytes, size);

        if (!more)
            return -ENOMEM;
        s->bytes = more;
        s->size = size;
    }
    memcpy(s->bytes + s->len, bytes, len);
    s->len += len;
    task_ready(&s->task);
    return 0;
}

int xs_socket_close(struct xenstored *x, unsigned int id)
{
    struct xs_socket **at = socket_find(x, id), *s = *at;

    if (!s)
        return -ENOENT;
    *at = s->next;
    task_end(&s->task);
    xs_stream_end(&s->stream);
    xfree(s->bytes);
    xfree(s);
    return 0;
}

bool xs_socket_is_open(const struct xenstored *x, unsigned int id)
{
    const struct xs_socket *s = x->sockets;

    while (s && s->id != id)
        s = s->next;
    return s;
}
