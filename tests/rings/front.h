// SPDX-License-Identifier: GPL-2.0-or-later
/* What all front ends need that are played in tests: the fixture's guest, its nodes in xenstore, its ports to dom0. */
#ifndef TESTS_RINGS_FRONT_H
#define TESTS_RINGS_FRONT_H

#include "tests/rings/xenstore.h"

/* As the toolstack. */
static inline void store_write(struct store *s, const char *path, const char *value)
{
    const struct xs_access a = xenstored_toolstack(s->x);

    assert_int_equal(xs_write(&a, path, value, strlen(value)), 0);
}

/* "-": it is not there. */
static inline const char *store_read(struct store *s, const char *path, char value[64])
{
    const struct xs_access a = xenstored_toolstack(s->x);
    const struct xs_node *n;

    if (xs_get(&a, path, XS_RIGHT_READ, &n))
        return "-";
    assert_in_range(n->len, 0, 63);
    memcpy(value, n->value, n->len);
    value[n->len] = 0;
    return value;
}

/* Until dom0 has nothing to do. */
static inline void dom0_run(struct fixture *f)
{
    struct vcpu *v = native_vcpu(f->dom0);

    for (unsigned int i = 0; v->native.ops->step(v, v->native.data); i++)
        assert_in_range(i, 0, 10000);
}

/* A port that dom0 may bind. */
static inline evtchn_port_t port_offer(struct fixture *f)
{
    struct evtchn_alloc_unbound op = { .dom = DOMID_SELF, .remote_dom = 0 };
    const uint64_t at = fix_put(f, 0, &op, sizeof(op));

    assert_int_equal(fix_hypercall(f, __HYPERVISOR_event_channel_op, EVTCHNOP_alloc_unbound, at, 0, 0), 0);
    assert_int_equal(copy_from_guest(f->v, &op, at, sizeof(op)), 0);
    return op.port;
}

/* The guest sends an event, and dom0 runs. */
static inline void port_ring(struct fixture *f, evtchn_port_t port)
{
    struct evtchn_send send = { .port = port };

    fix_hypercall(f, __HYPERVISOR_event_channel_op, EVTCHNOP_send, fix_put(f, 0, &send, sizeof(send)), 0, 0);
    dom0_run(f);
}

/* The guest has been told at that port since this was asked last. */
static inline bool port_was_told(struct fixture *f, evtchn_port_t port)
{
    unsigned long *word = &((shared_info_t *)f->d->shared_info)->evtchn_pending[port / 64];
    const bool set = *word >> port % 64 & 1;

    *word &= ~(1ul << port % 64);
    return set;
}

#endif
