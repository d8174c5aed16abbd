// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Xenstore's wire protocol, spoken by a guest that was never started: the test writes its side of the ring.
 *
 * The answers are those of xenstored 4.17, whose sources and measured behaviour the cases follow.
 */
#ifndef TESTS_RINGS_XENSTORE_H
#define TESTS_RINGS_XENSTORE_H

#include "tests/support/ram.h"
#include "tests/vcpu/fixture.h"

#include "rings/xenstore/xenstored.h"
#include "sim/machine.h"

#include <xen/io/xs_wire.h>

#define ANSWER_SIZE (XENSTORE_PAYLOAD_MAX + 1)

struct store {
    struct fixture *f;
    struct xenstored *x;
    struct xenstore_domain_interface *ring;
    evtchn_port_t port;
    uint32_t req_id, tx;
    char own[32];                     /* "/local/domain/N" */
    unsigned int nr_events;           /* that came before the answer */
    char event[XENSTORE_PAYLOAD_MAX]; /* the last one: path, token */
};

/* A node that the toolstack makes, with the permissions of the node above or, if they are given, others. */
static inline void node_add(const struct store *s, const char *path, const char *value, const struct xs_perm *perms,
                            unsigned int nr)
{
    const struct xs_access toolstack = xenstored_toolstack(s->x);
    char absolute[XENSTORE_ABS_PATH_MAX];

    snprintf(absolute, sizeof(absolute), "%s/%s", s->own, path);
    absolute[strlen(absolute) - !*path] = 0;
    assert_int_equal(xs_write(&toolstack, absolute, value, strlen(value)), 0);
    if (nr)
        assert_int_equal(xs_set_perms(&toolstack, absolute, perms, nr), 0);
}

/* The fixture's guest, on the store x. */
static inline void begin_on(struct store *s, struct fixture *f, struct xenstored *x)
{
    const domid_t domid = f->d->domain_id;

    *s = (struct store){ .f = f, .x = x, .port = f->store_port, .ring = ram_page(f->m, f->store_mfn) };
    snprintf(s->own, sizeof(s->own), "/local/domain/%u", domid);
    assert_non_null(x);
    assert_int_equal(xenstored_introduce(x, domid, f->store_mfn, f->store_port), 0);
    node_add(s, "", "", (struct xs_perm[]){ { .id = 0, .letter = 'n' }, { .id = domid, .letter = 'r' } }, 2);
    node_add(s, "name", "alpha", NULL, 0);
    node_add(s, "cpu/0/availability", "online", NULL, 0);
    node_add(s, "cpu/1/availability", "offline", NULL, 0);
    node_add(s, "data", "", (struct xs_perm[]){ { .id = domid, .letter = 'n' } }, 1);
    node_add(s, "secret", "x", (struct xs_perm[]){ { .id = 0, .letter = 'n' } }, 1);
}

static inline void begin(struct store *s, struct fixture *f)
{
    static const struct xs_edge nobody;

    begin_on(s, f, xenstored_create(f->dom0, &nobody));
}

static inline void end(struct store *s)
{
    assert_true(xs_store_check(&s->x->store));
    xenstored_destroy(s->x);
}

static inline void put(struct store *s, const void *data, size_t len)
{
    for (size_t i = 0; i < len; i++)
        s->ring->req[MASK_XENSTORE_IDX(s->ring->req_prod++)] = ((const char *)data)[i];
}

/* Tell the backend. */
static inline void tell(struct store *s)
{
    struct evtchn_send send = { .port = s->port };

    assert_int_equal(
        fix_hypercall(s->f, __HYPERVISOR_event_channel_op, EVTCHNOP_send, fix_put(s->f, 0, &send, sizeof(send)), 0, 0),
        0);
}

/* And let it run. */
static inline void kick(struct store *s)
{
    struct vcpu *v = native_vcpu(s->f->dom0);

    tell(s);
    while (v->native.ops->step(v, v->native.data))
        ;
}

static inline void get(struct store *s, void *data, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (s->ring->rsp_prod == s->ring->rsp_cons)
            kick(s); /* there was no room for the rest */
        assert_int_not_equal(s->ring->rsp_prod, s->ring->rsp_cons);
        ((char *)data)[i] = s->ring->rsp[MASK_XENSTORE_IDX(s->ring->rsp_cons++)];
    }
}

static inline bool waiting(const struct store *s) { return s->ring->rsp_prod != s->ring->rsp_cons; }

/* One message, which may be an event. */
static inline struct xsd_sockmsg message(struct store *s, char payload[ANSWER_SIZE])
{
    struct xsd_sockmsg m;

    get(s, &m, sizeof(m));
    assert_in_range(m.len, 0, XENSTORE_PAYLOAD_MAX);
    get(s, payload, m.len);
    payload[m.len] = 0;
    if (m.type == XS_WATCH_EVENT) {
        assert_in_range(m.len, 2, sizeof(s->event));
        memcpy(s->event, payload, m.len);
        s->nr_events++;
    }
    return m;
}

/* One request, one answer, in pieces that fit into the ring; its type is returned, its payload with a 0 behind. */
static inline uint32_t ask_len(struct store *s, uint32_t type, const char *payload, size_t len,
                               char answer[ANSWER_SIZE], size_t *answer_len)
{
    struct xsd_sockmsg m = { .type = type, .req_id = ++s->req_id, .tx_id = s->tx, .len = (uint32_t)len };

    s->nr_events = 0;
    put(s, &m, sizeof(m));
    for (size_t done = 0, n; done < len; done += n) {
        n = len - done < 500 ? len - done : 500;
        kick(s);
        put(s, payload + done, n);
    }
    kick(s);
    do
        m = message(s, answer);
    while (m.type == XS_WATCH_EVENT);
    assert_int_equal(m.req_id, s->req_id);
    assert_int_equal(m.tx_id, s->tx);
    *answer_len = m.len;
    return m.type;
}

static inline void expect(struct store *s, uint32_t type, const char *payload, size_t len, const char *value,
                          size_t value_len)
{
    char answer[ANSWER_SIZE];
    size_t answer_len;

    if (ask_len(s, type, payload, len, answer, &answer_len) != type)
        fail_msg("%s of %s: %s", type == XS_READ ? "read" : "request", payload, answer);
    assert_int_equal(answer_len, value_len);
    assert_memory_equal(answer, value, value_len);
}

static inline void expect_error(struct store *s, uint32_t type, const char *payload, size_t len, const char *name)
{
    char answer[ANSWER_SIZE];
    size_t answer_len;

    assert_int_equal(ask_len(s, type, payload, len, answer, &answer_len), XS_ERROR);
    assert_string_equal(answer, name);
}

/* The payload is a literal, with the 0 at its end or without. */
#define EXPECT(type, payload, value)       expect(&s, type, payload, sizeof(payload), value, sizeof(value) - 1)
#define EXPECT_OK(type, payload)           expect(&s, type, payload, sizeof(payload), "OK", 3)
#define EXPECT_ERROR(type, payload, name)  expect_error(&s, type, payload, sizeof(payload), name)
#define EXPECT_OK0(type, payload)          expect(&s, type, payload, sizeof(payload) - 1, "OK", 3)
#define EXPECT_ERROR0(type, payload, name) expect_error(&s, type, payload, sizeof(payload) - 1, name)

static inline void start_tx(struct store *s)
{
    char answer[ANSWER_SIZE];
    size_t len;

    s->tx = 0;
    assert_int_equal(ask_len(s, XS_TRANSACTION_START, "", 1, answer, &len), XS_TRANSACTION_START);
    assert_int_equal(len, strlen(answer) + 1);
    s->tx = (uint32_t)atoi(answer);
    assert_int_not_equal(s->tx, 0);
}

#endif
