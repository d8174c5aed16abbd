// SPDX-License-Identifier: GPL-2.0-or-later
/* One conversation with xenstore, as bytes: the idea is in rings/xenstore/stream.h. */
#include "rings/xenstore/stream.h"

#include <string.h>

#define HEADER sizeof(struct xsd_sockmsg)

struct xs_message {
    struct xs_message *next;
    size_t len, given;
    bool answer;
    uint8_t bytes[];
};

/* An event that waits already says all that another one would; but as many domains are said to come and go as do. */
static bool waits(const struct xs_stream *s, const struct xsd_sockmsg *hdr, const void *payload)
{
    const struct xs_message *m = s->out;

    if (hdr->type != XS_WATCH_EVENT || *(const char *)payload == '@')
        return false;
    for (; m; m = m->next)
        if (m->len == HEADER + hdr->len && !memcmp(m->bytes, hdr, HEADER) &&
            !memcmp(m->bytes + HEADER, payload, hdr->len))
            return true;
    return false;
}

static void send(void *data, const struct xsd_sockmsg *hdr, const void *payload)
{
    struct xs_stream *s = data;
    const size_t len = HEADER + hdr->len;
    struct xs_message *m;

    if (s->broken || waits(s, hdr, payload))
        return;
    if (hdr->type == XS_WATCH_EVENT && s->out_bytes + len > XS_WAITING_MAX && !xs_is_privileged(&s->conn))
        return;
    m = arena_alloc(s->conn.store->arena, 1, sizeof(*m) + len, ARENA_PLACE);
    if (!m) {
        s->broken = true; /* an answer would be missing */
        return;
    }
    m->len = len;
    memcpy(m->bytes, hdr, HEADER);
    if (hdr->len)
        memcpy(m->bytes + HEADER, payload, hdr->len);
    *s->out_tail = m;
    s->out_tail = &m->next;
    s->nr_answers += hdr->type != XS_WATCH_EVENT;
    m->answer = hdr->type != XS_WATCH_EVENT;
    s->out_bytes += len;
    if (!s->answering)
        s->wake(s->waker);
}

void xs_stream_init(struct xs_stream *s, struct xs_store *store, domid_t domid, struct machine *machine)
{
    *s = (struct xs_stream){ .machine = machine };
    s->out_tail = &s->out;
    xs_conn_init(&s->conn, store, domid, send, s);
}

static void out_pop(struct xs_stream *s)
{
    struct xs_message *m = s->out;

    s->out = m->next;
    if (!s->out)
        s->out_tail = &s->out;
    s->nr_answers -= m->answer;
    s->out_bytes -= m->len - m->given;
    xfree(m);
}

void xs_stream_reset(struct xs_stream *s)
{
    xs_conn_reset(&s->conn);
    while (s->out)
        out_pop(s);
    s->in_len = 0;
    s->broken = false;
}

void xs_stream_end(struct xs_stream *s)
{
    xs_stream_reset(s);
    xs_conn_end(&s->conn);
}

bool xs_stream_listens(const struct xs_stream *s)
{
    return !s->broken && !xs_beyond(&s->conn, XS_LIMIT_OUTSTANDING, s->nr_answers + 1);
}

static void request(struct xs_stream *s)
{
    const char *payload = (const char *)s->in + HEADER;
    struct xsd_sockmsg hdr;
    int rc;

    memcpy(&hdr, s->in, HEADER);
    s->answering = true;
    rc = xs_request(&s->conn, &hdr, payload);
    s->answering = false;
    TRACE_TEXT_BY(s->machine, xs, trace_who(s->conn.domid, 0), payload, strnlen(payload, hdr.len), hdr.type,
                  (uint64_t)(int64_t)rc);
}

/* How many bytes are missing to what is known of the request: its header, or all of it. */
static size_t missing(const struct xs_stream *s)
{
    struct xsd_sockmsg hdr;

    if (s->in_len < HEADER)
        return HEADER - s->in_len;
    memcpy(&hdr, s->in, HEADER);
    return hdr.len > XENSTORE_PAYLOAD_MAX ? SIZE_MAX : HEADER + hdr.len - s->in_len;
}

size_t xs_stream_take(struct xs_stream *s, const uint8_t *bytes, size_t len)
{
    size_t taken = 0, n;

    while ((n = missing(s)) && !s->broken) {
        if (n == SIZE_MAX) {
            s->broken = true;
            return taken;
        }
        n = n < len - taken ? n : len - taken;
        if (n == 0)
            return taken;
        memcpy(s->in + s->in_len, bytes + taken, n);
        s->in_len += n;
        taken += n;
    }
    if (!s->broken) {
        request(s);
        s->in_len = 0;
    }
    return taken;
}

size_t xs_stream_give(struct xs_stream *s, uint8_t *to, size_t room)
{
    size_t given = 0;

    while (s->out && given < room) {
        struct xs_message *m = s->out;
        const size_t n = m->len - m->given < room - given ? m->len - m->given : room - given;

        memcpy(to + given, m->bytes + m->given, n);
        m->given += n;
        s->out_bytes -= n;
        given += n;
        if (m->given == m->len)
            out_pop(s);
    }
    return given;
}
