// SPDX-License-Identifier: GPL-2.0-or-later
/* Xenstore's wire protocol, spoken by a guest that was never started: the test writes its side of the ring. */
#include "tests/vcpu/fixture.h"

#include "rings/xenstore.h"
#include "sim/machine.h"

#include <xen/io/xs_wire.h>

struct store {
    struct fixture *f;
    struct xenstore_conn *conn;
    struct xenstore_domain_interface *ring;
    evtchn_port_t port;
    uint32_t req_id;
};

static void begin(struct store *s, struct fixture *f)
{
    *s = (struct store){ .f = f, .port = f->store_port, .ring = mfn_to_virt(f->m, f->store_mfn) };
    s->conn = xenstore_conn_create(f->dom0, f->d->domain_id, f->store_mfn, f->store_port);
    assert_non_null(s->conn);
    assert_true(xenstore_node_add(s->conn, "name", "alpha"));
    assert_true(xenstore_node_add(s->conn, "cpu/0/availability", "online"));
    assert_true(xenstore_node_add(s->conn, "cpu/1/availability", "offline"));
}

static void put(struct store *s, const void *data, size_t len)
{
    for (size_t i = 0; i < len; i++)
        s->ring->req[MASK_XENSTORE_IDX(s->ring->req_prod++)] = ((const char *)data)[i];
}

static void get(struct store *s, void *data, size_t len)
{
    assert_true(s->ring->rsp_prod - s->ring->rsp_cons >= len);
    for (size_t i = 0; i < len; i++)
        ((char *)data)[i] = s->ring->rsp[MASK_XENSTORE_IDX(s->ring->rsp_cons++)];
}

/* One request, one answer; its type is returned, its payload with a 0 behind. */
static uint32_t ask(struct store *s, uint32_t type, const char *payload, size_t len, char answer[512])
{
    struct xsd_sockmsg m = { .type = type, .req_id = ++s->req_id, .tx_id = 0, .len = (uint32_t)len };
    struct evtchn_send send = { .port = s->port };

    put(s, &m, sizeof(m));
    put(s, payload, len);
    assert_int_equal(
        fix_hypercall(s->f, __HYPERVISOR_event_channel_op, EVTCHNOP_send, fix_put(s->f, 0, &send, sizeof(send)), 0, 0),
        0);
    s->f->xc->native->run(s->f->xc, s->f->xc->native_data);
    get(s, &m, sizeof(m));
    assert_int_equal(m.req_id, s->req_id);
    assert_in_range(m.len, 0, 511);
    get(s, answer, m.len);
    answer[m.len] = 0;
    return m.type;
}

static void expect(struct store *s, uint32_t type, const char *path, const char *value, size_t len)
{
    char answer[512];

    assert_int_equal(ask(s, type, path, strlen(path) + 1, answer), type);
    assert_memory_equal(answer, value, len);
    assert_int_equal(answer[len], 0);
}

static void expect_error(struct store *s, uint32_t type, const char *payload, size_t len, const char *name)
{
    char answer[512];

    assert_int_equal(ask(s, type, payload, len, answer), XS_ERROR);
    assert_string_equal(answer, name);
}

static void reading(void **state)
{
    char path[64], answer[512];
    struct store s;

    begin(&s, *state);
    expect(&s, XS_READ, "name", "alpha", 5); /* no 0 behind a value */
    expect(&s, XS_READ, "cpu/1/availability", "offline", 7);
    snprintf(path, sizeof(path), "/local/domain/%u/cpu/0/availability", s.f->d->domain_id);
    expect(&s, XS_READ, path, "online", 6);
    expect(&s, XS_DIRECTORY, "cpu", "0\0001", 4);
    expect(&s, XS_DIRECTORY, "cpu/0", "availability", 13);
    snprintf(path, sizeof(path), "/local/domain/%u", s.f->d->domain_id);
    expect(&s, XS_DIRECTORY, path, "name\0cpu", 9);
    assert_int_equal(ask(&s, XS_GET_DOMAIN_PATH, "7", 2, answer), XS_GET_DOMAIN_PATH);
    assert_string_equal(answer, "/local/domain/7");
    xenstore_conn_destroy(s.conn);
}

static void refusals(void **state)
{
    char path[64];
    struct store s;

    begin(&s, *state);
    expect_error(&s, XS_READ, "nam", 4, "ENOENT");
    expect_error(&s, XS_READ, "names", 6, "ENOENT");
    expect_error(&s, XS_READ, "cpu", 4, "ENOENT");
    expect_error(&s, XS_READ, "name", 4, "ENOENT"); /* not ended by a 0 */
    expect_error(&s, XS_READ, "", 0, "ENOENT");
    expect_error(&s, XS_DIRECTORY, "cp", 3, "ENOENT");
    expect_error(&s, XS_WRITE, "name\0beta", 9, "EACCES");
    expect_error(&s, 99, "", 0, "ENOSYS");
    snprintf(path, sizeof(path), "/local/domain/%u0/name", s.f->d->domain_id); /* another domain's */
    expect_error(&s, XS_READ, path, strlen(path) + 1, "ENOENT");
    expect(&s, XS_READ, "name", "alpha", 5);
    xenstore_conn_destroy(s.conn);
}

/* The index is the guest's: rubbish in it is not believed, and a message that is too long ends the conversation. */
static void hostile_rings(void **state)
{
    struct evtchn_send send;
    struct xsd_sockmsg m = { .type = XS_READ, .len = XENSTORE_PAYLOAD_MAX + 1 };
    struct store s;

    begin(&s, *state);
    send.port = s.port;
    s.ring->req_prod += XENSTORE_RING_SIZE + 1;
    fix_hypercall(s.f, __HYPERVISOR_event_channel_op, EVTCHNOP_send, fix_put(s.f, 0, &send, sizeof(send)), 0, 0);
    s.f->xc->native->run(s.f->xc, s.f->xc->native_data);
    assert_int_equal(s.ring->req_cons, 0);
    s.ring->req_prod = 0;
    expect(&s, XS_READ, "name", "alpha", 5);
    put(&s, &m, sizeof(m));
    fix_hypercall(s.f, __HYPERVISOR_event_channel_op, EVTCHNOP_send, fix_put(s.f, 0, &send, sizeof(send)), 0, 0);
    s.f->xc->native->run(s.f->xc, s.f->xc->native_data);
    assert_int_equal(s.ring->rsp_prod, s.ring->rsp_cons);
    xenstore_conn_destroy(s.conn);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(reading, fix_setup, fix_teardown),
        cmocka_unit_test_setup_teardown(refusals, fix_setup, fix_teardown),
        cmocka_unit_test_setup_teardown(hostile_rings, fix_setup, fix_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
