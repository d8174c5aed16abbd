// SPDX-License-Identifier: GPL-2.0-or-later
/* Xenstore's ring: a guest that writes nonsense into it, reads nothing, or does not stop asking. */
#include "tests/rings/xenstore.h"

/* --- the ring --- */

/* An index is the guest's: one that cannot be ends the conversation, for good. */
static void bad_index(void **state)
{
    struct store s;

    begin(&s, *state);
    assert_int_equal(s.ring->server_features, 0);
    EXPECT(XS_READ, "name", "alpha");
    s.ring->req_prod += XENSTORE_RING_SIZE + 1;
    kick(&s);
    assert_int_equal(s.ring->error, XENSTORE_ERROR_RINGIDX);
    s.ring->req_prod = s.ring->req_cons;
    put(&s, &(struct xsd_sockmsg){ .type = XS_READ, .len = 0 }, sizeof(struct xsd_sockmsg));
    kick(&s);
    assert_false(waiting(&s));
    end(&s);
}

static void bad_answer_index(void **state)
{
    struct store s;

    begin(&s, *state);
    s.ring->rsp_cons = s.ring->rsp_prod + 1;
    put(&s, &(struct xsd_sockmsg){ .type = XS_READ, .len = 0 }, sizeof(struct xsd_sockmsg));
    kick(&s);
    assert_int_equal(s.ring->error, XENSTORE_ERROR_RINGIDX);
    end(&s);
}

static void too_long(void **state)
{
    struct xsd_sockmsg m = { .type = XS_READ, .len = XENSTORE_PAYLOAD_MAX + 1 };
    char payload[XENSTORE_PAYLOAD_MAX] = "";
    struct store s;

    begin(&s, *state);
    memset(payload, 'x', sizeof(payload) - 1);
    expect_error(&s, XS_READ, payload, sizeof(payload), "EINVAL"); /* as long as one may be */
    put(&s, &m, sizeof(m));
    kick(&s);
    assert_int_equal(s.ring->error, XENSTORE_ERROR_PROTO);
    assert_false(waiting(&s));
    end(&s);
}

/* Indices that wrap at 2^32, and requests that lie across the ring's end, in each position. */
static void ring_wraps(void **state)
{
    struct store s;

    begin(&s, *state);
    s.ring->req_prod = s.ring->req_cons = UINT32_MAX - 3000;
    s.ring->rsp_prod = s.ring->rsp_cons = UINT32_MAX - 3000;
    for (unsigned int i = 0; i < 3 * XENSTORE_RING_SIZE; i++)
        EXPECT(XS_READ, "name", "alpha");
    end(&s);
}

/* Who asks and does not read is not heard any more, until he reads: then all his answers come, in order. */
static void answers_not_read(void **state)
{
    struct xsd_sockmsg m = { .type = XS_READ, .len = 2 };
    char answer[ANSWER_SIZE];
    unsigned int asked = 0;
    struct store s;

    begin(&s, *state);
    EXPECT_OK0(XS_WRITE, "data/x\0a value that is long enough to fill rings with");
    for (unsigned int idle = 0; idle < 3;) {
        if (s.ring->req_prod - s.ring->req_cons + sizeof(m) + 7 > XENSTORE_RING_SIZE) {
            kick(&s);
            idle = s.ring->req_prod - s.ring->req_cons + sizeof(m) + 7 > XENSTORE_RING_SIZE ? idle + 1 : 0;
            continue;
        }
        m.req_id = asked++;
        m.len = 7;
        put(&s, &m, sizeof(m));
        put(&s, "data/x", 7);
    }
    assert_in_range(asked, 20, 100);
    for (unsigned int i = 0; i < asked; i++) {
        m = message(&s, answer);
        assert_int_equal(m.type, XS_READ);
        assert_int_equal(m.req_id, i);
    }
    assert_false(waiting(&s));
    end(&s);
}

/* One guest's many requests are answered a budget at a time: another's, which came later, is answered in between. */
static void flood(void **state)
{
    struct xsd_sockmsg m = { .type = XS_READ, .len = 5 };
    struct fixture *f = *state;
    struct vcpu *v = native_vcpu(f->dom0);
    struct store loud, soft;

    begin(&loud, f);
    for (m.req_id = 0; m.req_id < 3 * NATIVE_STEP_BUDGET; m.req_id++) {
        put(&loud, &m, sizeof(m));
        put(&loud, "name", 5);
    }
    tell(&loud);
    fix_guest(f, &kernel_linux64); /* the fixture's guest from here on */
    begin_on(&soft, f, loud.x);
    put(&soft, &m, sizeof(m));
    put(&soft, "name", 5);
    tell(&soft);
    assert_true(v->native.ops->step(v, v->native.data));
    assert_true(v->native.ops->step(v, v->native.data));
    assert_true(waiting(&soft));
    assert_int_equal(loud.ring->req_prod - loud.ring->req_cons, 2 * NATIVE_STEP_BUDGET * (sizeof(m) + 5));
    while (v->native.ops->step(v, v->native.data))
        ;
    assert_int_equal(loud.ring->req_prod, loud.ring->req_cons);
    end(&loud);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(bad_index, fix_setup, fix_teardown),
        cmocka_unit_test_setup_teardown(bad_answer_index, fix_setup, fix_teardown),
        cmocka_unit_test_setup_teardown(too_long, fix_setup, fix_teardown),
        cmocka_unit_test_setup_teardown(ring_wraps, fix_setup, fix_teardown),
        cmocka_unit_test_setup_teardown(answers_not_read, fix_setup, fix_teardown),
        cmocka_unit_test_setup_teardown(flood, fix_setup, fix_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
