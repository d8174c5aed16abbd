// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What all front ends need that are played in tests: the fixture's guest, its nodes in xenstore, its ports to who
 * serves.
 *
 * Concept: the same tests are run with the back ends in dom0, whose bus is in the store, and in a driver domain, whose
 * bus is behind a ring (ON_BOTH). So a test says back_*() and neither.
 *
 * Budget: who serves, then what a front end does.
 */
#ifndef TESTS_RINGS_FRONT_H
#define TESTS_RINGS_FRONT_H

#include "tests/rings/xenstore.h"

#include "rings/bus.h"
#include "sim/frame.h"
#include "vcpu/domctl.h"

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

/* --- who serves --- */

#define DRIVER_PAGES 1024u /* the first is its xenstore page */

/* A test, with its back ends in dom0, and with a driver domain's. */
#define ON_BOTH(test)                                                                                                  \
    cmocka_unit_test_setup_teardown(test, fix_setup, fix_teardown),                                                    \
    {                                                                                                                  \
#test " by a driver domain", test, driver_setup, driver_teardown, NULL                                         \
    }

static inline struct native_kernel *back_kernel(const struct fixture *f) { return f->driver ? f->driver : f->dom0; }
static inline domid_t back_domid(const struct fixture *f) { return native_vcpu(back_kernel(f))->domain->domain_id; }

static inline int driver_setup(void **state)
{
    const struct xen_domctl_createdomain config = { .flags = XENLAB_DOMCTL_CDF_native,
                                                    .max_vcpus = 1,
                                                    .max_evtchn_port = 1023,
                                                    .max_grant_frames = 4,
                                                    .max_maptrack_frames = 16,
                                                    .grant_opts = 2 };
    static uint64_t frames[DRIVER_PAGES];
    domid_t domid = 0;
    struct fixture *f;
    struct domain *d;

    fix_setup(state);
    f = *state;
    assert_int_equal(xc_domain_create(f->xc, &config, &domid), 0);
    assert_int_equal(xc_domain_max_vcpus(f->xc, domid, 1), 0);
    assert_int_equal(xc_domain_setmaxmem(f->xc, domid, DRIVER_PAGES * PAGE_SIZE / 1024), 0);
    assert_int_equal(xc_domain_populate_physmap(f->xc, domid, DRIVER_PAGES, frames), 0);
    d = get_domain_by_id(f->xen, domid);
    f->driver = native_kernel_create(d, frames + 1, DRIVER_PAGES - 1);
    f->driver_mfn = _mfn(frames[0]);
    put_domain(d);
    return 0;
}

static inline int driver_teardown(void **state)
{
    struct fixture *f = *state;

    xc_domain_destroy(f->xc, back_domid(f));
    native_kernel_destroy(f->driver);
    f->driver = NULL;
    return fix_teardown(state);
}

/* Another fixture, of the same kind. */
static inline struct fixture *fix_again(void **state)
{
    if (((struct fixture *)*state)->driver) {
        driver_teardown(state);
        driver_setup(state);
    } else {
        fix_teardown(state);
        fix_setup(state);
    }
    return *state;
}

/* A directory, as the toolstack makes it: it belongs to one, and the other reads it. */
static inline void store_dir(struct store *s, const char *path, domid_t owner, domid_t reader)
{
    const struct xs_perm perms[] = { { .id = owner, .letter = 'n' }, { .id = reader, .letter = 'r' } };
    const struct xs_access a = xenstored_toolstack(s->x);

    store_write(s, path, "");
    assert_int_equal(xs_set_perms(&a, path, perms, ARRAY_SIZE(perms)), 0);
}

/* A driver domain's, that finds in the store what is there. */
static inline struct xenbus *back_bus_again(struct store *s, const struct xenbus_kind *kinds)
{
    struct fixture *f = s->f;

    f->driver_intf = frame_share(f->m, f->driver_mfn);
    memset(f->driver_intf, 0, sizeof(*f->driver_intf));
    assert_int_equal(xc_evtchn_alloc_unbound(f->xc, back_domid(f), &f->driver_port), 0);
    assert_int_equal(xenstored_introduce(s->x, back_domid(f), f->driver_mfn, f->driver_port), 0);
    return xenbus_create_ring(f->driver, f->driver_intf, f->driver_port, kinds);
}

static inline struct xenbus *back_bus(struct store *s, const struct xenbus_kind *kinds)
{
    struct fixture *f = s->f;
    const domid_t domid = back_domid(f);
    char path[64];

    if (!f->driver)
        return xenbus_create(f->dom0, &s->x->store, kinds);
    snprintf(path, sizeof(path), "/local/domain/%u", domid);
    store_dir(s, path, 0, domid);
    snprintf(path, sizeof(path), "/local/domain/%u/error", domid);
    store_dir(s, path, domid, 0);
    return back_bus_again(s, kinds);
}

/* No front end is left that uses anything. */
static inline void back_bus_end(struct store *s, struct xenbus *bus)
{
    struct evtchn_close op = { .port = s->f->driver_port };

    xenbus_destroy(bus);
    if (!s->f->driver)
        return;
    hypercall_native(native_vcpu(s->f->driver), __HYPERVISOR_event_channel_op, EVTCHNOP_close, (uint64_t)(uintptr_t)&op,
                     0, 0, 0);
    frame_unshare(s->f->m, s->f->driver_mfn);
}

/* A step of each, if there is something to do. */
static inline bool back_step(struct fixture *f)
{
    struct vcpu *dom0 = native_vcpu(f->dom0), *v = native_vcpu(back_kernel(f));
    bool more = dom0->native.ops->step(dom0, dom0->native.data);

    if (v != dom0)
        more |= v->native.ops->step(v, v->native.data);
    return more;
}

/* Until neither who serves nor dom0 has anything to do. */
static inline void back_run(struct fixture *f)
{
    for (unsigned int i = 0; back_step(f); i++)
        assert_in_range(i, 0, 20000);
}

/* The front end's domain dies, with devices of this kind: what the toolstack does for it. */
static inline void front_gone(struct store *s, struct xenbus *bus, const char *type)
{
    const struct xs_access a = xenstored_toolstack(s->x);
    char path[64];

    if (!s->f->driver) {
        xenbus_domain_gone(bus, s->f->d->domain_id);
        return;
    }
    snprintf(path, sizeof(path), "/local/domain/%u/backend/%s/%u", back_domid(s->f), type, s->f->d->domain_id);
    xs_rm(&a, path);
    back_run(s->f);
}

/* --- ports --- */

/* A port that who serves may bind. */
static inline evtchn_port_t port_offer(struct fixture *f)
{
    struct evtchn_alloc_unbound op = { .dom = DOMID_SELF, .remote_dom = back_domid(f) };
    const uint64_t at = fix_put(f, 0, &op, sizeof(op));

    assert_int_equal(fix_hypercall(f, __HYPERVISOR_event_channel_op, EVTCHNOP_alloc_unbound, at, 0, 0), 0);
    assert_int_equal(copy_from_guest(f->v, &op, at, sizeof(op)), 0);
    return op.port;
}

/* The guest sends an event, and who serves runs. */
static inline void port_ring(struct fixture *f, evtchn_port_t port)
{
    struct evtchn_send send = { .port = port };

    fix_hypercall(f, __HYPERVISOR_event_channel_op, EVTCHNOP_send, fix_put(f, 0, &send, sizeof(send)), 0, 0);
    back_run(f);
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
