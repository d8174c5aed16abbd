// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The FIFO ABI: setting up, the order of events, moving between queues, and guests that write nonsense into what they
 * lend.
 */
#include "tests/evtchn/fixture.h"

#define PENDING (1u << EVTCHN_FIFO_PENDING)
#define MASKED  (1u << EVTCHN_FIFO_MASKED)
#define LINKED  (1u << EVTCHN_FIFO_LINKED)
#define BUSY    (1u << EVTCHN_FIFO_BUSY)

#define CONTROL_FRAME 1
#define ARRAY_FRAME   2

static struct evtchn_fifo_control_block *control(struct world *w, unsigned int vcpu)
{
    return (void *)((uint8_t *)world_frame_virt(w, world_frame(1, CONTROL_FRAME)) + 128 * vcpu);
}

static event_word_t *word(struct world *w, long port)
{
    return (event_word_t *)world_frame_virt(w, world_frame(1, ARRAY_FRAME)) + port;
}

/* Domain 1 on FIFO: control blocks of vCPU 0 and 1, one page of words, and IPIs to vCPU 0 on ports 1 to nr. */
static struct world *fifo_world(long nr)
{
    struct world *w = world_create(~0u);
    struct vcpu *v = w->dom[1].vcpu[0];

    assert_int_equal(op_init_control(v, 0, world_frame(1, CONTROL_FRAME), 0), 0);
    assert_int_equal(op_init_control(v, 1, world_frame(1, CONTROL_FRAME), 128), 0);
    assert_int_equal(op_expand_array(v, world_frame(1, ARRAY_FRAME)), 0);
    for (long port = 1; port <= nr; port++)
        assert_int_equal(op_bind_ipi(v, 0), port);
    return w;
}

static void send(struct world *w, long port) { assert_int_equal(op_port(w->dom[1].vcpu[0], EVTCHNOP_send, port), 0); }

/* As a guest does: take one port off a queue. *head is the guest's own copy; 0: look at the control block. */
static long take(struct world *w, unsigned int vcpu, unsigned int priority, uint32_t *head)
{
    const uint32_t port = *head ? *head : control(w, vcpu)->head[priority];

    *head = *word(w, port) & EVTCHN_FIFO_LINK_MASK;
    *word(w, port) &= ~(LINKED | EVTCHN_FIFO_LINK_MASK | PENDING);
    return port;
}

static void test_setup_refusals(void **state)
{
    const uint64_t mine = world_frame(1, CONTROL_FRAME);
    WORLD(~0u);

    assert_int_equal(op_expand_array(v1, mine), -EOPNOTSUPP);
    assert_int_equal(op_init_control(v1, 99, mine, 0), -ENOENT);
    assert_int_equal(op_init_control(v1, WORLD_VCPUS - 1, mine, 0), -ENOENT);
    assert_int_equal(op_init_control(v1, 0, mine, PAGE_SIZE - 64), -EINVAL); /* would cross the page's end */
    assert_int_equal(op_init_control(v1, 0, mine, ~0u), -EINVAL);
    assert_int_equal(op_init_control(v1, 0, mine, 4), -EINVAL);
    assert_int_equal(op_init_control(v1, 0, world_frame(2, 1), 0), -EINVAL); /* not his */
    assert_int_equal(op_init_control(v1, 0, UINT64_C(1) << 60, 0), -EINVAL);
    w->xen.frame_table[mine].type_info = PGT_l4_page_table | 1;
    assert_int_equal(op_init_control(v1, 0, mine, 0), -EINVAL);
    w->xen.frame_table[mine].type_info = 0;
    /* after all of that the domain is still on 2-level */
    assert_null(w->dom[1].evtchn_fifo);
    assert_int_equal(op_set_priority(v1, 1, 1), -ENOSYS);

    assert_int_equal(op_init_control(v1, 0, mine, PAGE_SIZE - 72), 0);
    assert_int_equal(op_init_control(v1, 0, mine, 0), -EINVAL); /* only once */
    assert_int_equal(op_init_control(v1, 33, mine, 0), -ENOENT);
    assert_int_equal(op_init_control(v1, 32, mine, 0), 0);
    assert_int_equal(op_expand_array(v1, world_frame(0, 1)), -EINVAL);
    for (unsigned int i = 0; i < 32 * 4; i++) /* 2^17 ports; a frame may even be lent twice */
        assert_int_equal(op_expand_array(v1, world_frame(1, 2 + i % 60)), 0);
    assert_int_equal(op_expand_array(v1, mine), -ENOSPC);
    world_destroy(w);
}

static void test_expand_limit(void **state)
{
    WORLD(~0u);

    assert_int_equal(op_init_control(v1, 0, world_frame(1, CONTROL_FRAME), 0), 0);
    for (unsigned int i = 0; i < 128; i++)
        assert_int_equal(op_expand_array(v1, world_frame(1, 2 + i % 32)), 0);
    assert_int_equal(op_expand_array(v1, world_frame(1, 2)), -ENOSPC);
    /* 2^17 ports, and 0 is none of them. Quick, too: a guest may do this. */
    for (long port = 1; port < EVTCHN_FIFO_NR_CHANNELS; port++)
        assert_int_equal(op_bind_ipi(v1, 0), port);
    assert_int_equal(op_bind_ipi(v1, 0), -ENOSPC);
    world_destroy(w);
}

static void test_set_priority(void **state)
{
    struct world *w = fifo_world(2);
    struct vcpu *v = w->dom[1].vcpu[0];

    assert_int_equal(op_set_priority(v, 1, EVTCHN_FIFO_PRIORITY_MIN + 1), -EINVAL);
    assert_int_equal(op_set_priority(v, 1, ~0u), -EINVAL);
    assert_int_equal(op_set_priority(v, 7, 3), -EACCES); /* exists, not in use */
    assert_int_equal(op_set_priority(v, 0, 3), -EACCES);
    assert_int_equal(op_set_priority(v, 5000, 3), -EINVAL);
    assert_int_equal(op_set_priority(v, 1, EVTCHN_FIFO_PRIORITY_MIN), 0);
    send(w, 1);
    assert_int_equal(control(w, 0)->ready, 1u << 15);
    assert_int_equal(control(w, 0)->head[15], 1);
    /* the next one to have this port starts with the default */
    assert_int_equal(op_port(v, EVTCHNOP_close, 1), 0);
    *word(w, 1) = 0;
    assert_int_equal(op_bind_ipi(v, 0), 1);
    send(w, 1);
    assert_int_equal(control(w, 0)->head[7], 1);
    world_destroy(w);
}

static void test_order(void **state)
{
    struct world *w = fifo_world(9);
    struct vcpu *v = w->dom[1].vcpu[0];
    uint32_t head = 0;

    send(w, 5);
    assert_int_equal(v->vcpu_info->evtchn_upcall_pending, 1);
    v->vcpu_info->evtchn_upcall_pending = 0;
    send(w, 9);
    send(w, 2);
    send(w, 9);                                               /* is on the queue already */
    assert_int_equal(v->vcpu_info->evtchn_upcall_pending, 0); /* the guest knows of the queue */
    assert_int_equal(control(w, 0)->ready, 1u << 7);
    assert_int_equal(control(w, 0)->head[7], 5);
    assert_int_equal(*word(w, 5), PENDING | LINKED | 9);
    assert_int_equal(take(w, 0, 7, &head), 5);
    send(w, 5); /* goes to the end */
    assert_int_equal(take(w, 0, 7, &head), 9);
    assert_int_equal(take(w, 0, 7, &head), 2);
    assert_int_equal(take(w, 0, 7, &head), 5);
    assert_int_equal(head, 0);
    /* empty, but the guest has not looked at `ready` yet: the head is new, there is no upcall */
    send(w, 3);
    assert_int_equal(control(w, 0)->head[7], 3);
    assert_int_equal(v->vcpu_info->evtchn_upcall_pending, 0);
    assert_int_equal(take(w, 0, 7, &head), 3);
    control(w, 0)->ready = 0;
    send(w, 3);
    assert_int_equal(v->vcpu_info->evtchn_upcall_pending, 1);
    world_destroy(w);
}

static void test_priorities_are_queues(void **state)
{
    struct world *w = fifo_world(4);
    struct vcpu *v = w->dom[1].vcpu[0];
    uint32_t head = 0;

    assert_int_equal(op_set_priority(v, 2, 0), 0);
    send(w, 1);
    send(w, 3);
    send(w, 2);
    assert_int_equal(control(w, 0)->ready, 1u << 7 | 1u << 0);
    assert_int_equal(control(w, 0)->head[0], 2);
    /* the tail of queue 7 goes to queue 0: what is sent to queue 7 then must not be linked behind it */
    assert_int_equal(take(w, 0, 7, &head), 1);
    assert_int_equal(take(w, 0, 7, &head), 3);
    assert_int_equal(op_set_priority(v, 3, 0), 0);
    send(w, 3);
    assert_int_equal(*word(w, 2) & EVTCHN_FIFO_LINK_MASK, 3);
    send(w, 4);
    assert_int_equal(*word(w, 3) & EVTCHN_FIFO_LINK_MASK, 0);
    assert_int_equal(control(w, 0)->head[7], 4);
    world_destroy(w);
}

static void test_moves_to_other_vcpu(void **state)
{
    struct world *w = world_create(~0u);
    struct vcpu *v = w->dom[1].vcpu[0], *v0 = w->dom[0].vcpu[0];
    uint32_t head = 0;

    assert_int_equal(op_init_control(v, 0, world_frame(1, CONTROL_FRAME), 0), 0);
    assert_int_equal(op_init_control(v, 1, world_frame(1, CONTROL_FRAME), 128), 0);
    assert_int_equal(op_expand_array(v, world_frame(1, ARRAY_FRAME)), 0);
    for (long port = 1; port <= 2; port++) {
        assert_int_equal(op_alloc_unbound(v, DOMID_SELF, 0), port);
        assert_int_equal(op_bind_interdomain(v0, 1, port), port);
        op_port(v0, EVTCHNOP_send, port);
    }
    assert_int_equal(take(w, 0, 7, &head), 1);
    assert_int_equal(op_bind_vcpu(v, 2, 1), 0);
    op_port(v0, EVTCHNOP_send, 2); /* still on the queue of vCPU 0 */
    assert_int_equal(control(w, 1)->ready, 0);
    assert_int_equal(take(w, 0, 7, &head), 2);
    op_port(v0, EVTCHNOP_send, 2);
    assert_int_equal(control(w, 1)->head[7], 2);
    assert_int_equal(w->dom[1].vcpu[1]->vcpu_info->evtchn_upcall_pending, 1);
    op_port(v0, EVTCHNOP_send, 1);
    assert_int_equal(control(w, 0)->head[7], 1);
    assert_int_equal(*word(w, 2) & EVTCHN_FIFO_LINK_MASK, 0);
    world_destroy(w);
}

static void test_masked(void **state)
{
    struct world *w = fifo_world(3);
    struct vcpu *v = w->dom[1].vcpu[0];

    *word(w, 1) = MASKED;
    send(w, 1);
    assert_int_equal(*word(w, 1), MASKED | PENDING);
    assert_true(evtchn_port_is_pending(&w->dom[1], 1));
    assert_int_equal(v->vcpu_info->evtchn_upcall_pending, 0);
    assert_int_equal(op_port(v, EVTCHNOP_unmask, 1), 0);
    assert_int_equal(*word(w, 1), LINKED | PENDING);
    assert_int_equal(v->vcpu_info->evtchn_upcall_pending, 1);
    assert_int_equal(op_port(v, EVTCHNOP_unmask, 2), 0);
    assert_int_equal(*word(w, 2), 0);
    /* pollers are woken for masked ones */
    *word(w, 3) = MASKED;
    w->dom[1].vcpu[1]->pause_flags = VPF_poll;
    w->dom[1].vcpu[1]->poll_evtchn = 3;
    w->dom[1].poll_mask = 2;
    send(w, 3);
    assert_int_equal(world_wakeups(w->dom[1].vcpu[1]), 1);
    world_destroy(w);
}

/* Ports that were bound and pending before FIFO, and ports for which there is no page: nothing is lost. */
static void test_take_over(void **state)
{
    WORLD(~0u);

    for (long port = 1; port <= 1030; port++)
        assert_int_equal(op_bind_ipi(v1, 0), port);
    w->dom[1].shared_info->evtchn_mask[0] = ~UINT64_C(0);
    op_port(v1, EVTCHNOP_send, 7);
    assert_int_equal(op_init_control(v1, 0, world_frame(1, CONTROL_FRAME), 0), 0);
    assert_false(evtchn_port_is_pending(&w->dom[1], 7));
    op_port(v1, EVTCHNOP_send, 1029);
    assert_int_equal(op_port(v1, EVTCHNOP_unmask, 1029), 0);
    assert_int_equal(op_expand_array(v1, world_frame(1, ARRAY_FRAME)), 0);
    assert_int_equal(*word(w, 7), PENDING | LINKED);
    assert_int_equal(control(w, 0)->head[7], 7);
    assert_int_equal(op_expand_array(v1, world_frame(1, ARRAY_FRAME + 1)), 0);
    assert_int_equal(*word(w, 7) & EVTCHN_FIFO_LINK_MASK, 1029);
    assert_int_equal(*word(w, 1029), PENDING | LINKED);
    assert_int_equal(op_bind_ipi(v1, 0), 1031);
    world_destroy(w);
}

static void test_closed_before_its_page(void **state)
{
    WORLD(~0u);

    assert_int_equal(op_bind_ipi(v1, 0), 1);
    assert_int_equal(op_init_control(v1, 0, world_frame(1, CONTROL_FRAME), 0), 0);
    op_port(v1, EVTCHNOP_send, 1);
    assert_int_equal(op_port(v1, EVTCHNOP_close, 1), 0);
    assert_int_equal(op_expand_array(v1, world_frame(1, ARRAY_FRAME)), 0);
    assert_int_equal(*word(w, 1), 0);
    world_destroy(w);
}

static void test_busy(void **state)
{
    struct world *w = fifo_world(2);
    struct vcpu *v = w->dom[1].vcpu[0];
    uint32_t head = 0;

    send(w, 1);
    assert_int_equal(op_port(v, EVTCHNOP_close, 1), 0);
    assert_int_equal(*word(w, 1), LINKED); /* not pending any more, but still on the queue */
    assert_int_equal(op_bind_ipi(v, 0), 3);
    assert_int_equal(take(w, 0, 7, &head), 1);
    assert_int_equal(op_bind_ipi(v, 0), 1);
    world_destroy(w);
}

static void test_no_control_block(void **state)
{
    struct world *w = fifo_world(1);
    struct vcpu *v = w->dom[1].vcpu[0], *late;

    assert_int_equal(op_bind_ipi(v, 9), 2);
    send(w, 2);
    assert_int_equal(*word(w, 2), PENDING); /* on no queue */
    assert_int_equal(w->dom[1].vcpu[9]->vcpu_info->evtchn_upcall_pending, 0);
    assert_int_equal(op_init_control(v, 9, world_frame(1, CONTROL_FRAME), 1024), 0);
    assert_int_equal(op_port(v, EVTCHNOP_unmask, 2), 0); /* the guest unmasks it then */
    assert_int_equal(*word(w, 2), PENDING | LINKED);

    /* a vCPU that is made later */
    late = calloc(1, sizeof(*late));
    late->vcpu_id = WORLD_VCPUS - 1;
    late->domain = &w->dom[1];
    w->dom[1].vcpu[WORLD_VCPUS - 1] = late;
    assert_int_equal(evtchn_vcpu_init(late), 0);
    assert_int_equal(op_bind_ipi(v, WORLD_VCPUS - 1), 3);
    send(w, 3);
    world_destroy(w);
}

static void test_reset_goes_back(void **state)
{
    struct world *w = fifo_world(5);
    struct vcpu *v = w->dom[1].vcpu[0];

    send(w, 1);
    assert_int_equal(op_reset(v, DOMID_SELF), 0);
    assert_null(w->dom[1].evtchn_fifo);
    assert_int_equal(w->xen.frame_table[world_frame(1, ARRAY_FRAME)].count_info & PGC_count_mask, 1);
    assert_int_equal(op_bind_ipi(v, 0), 1);
    send(w, 1);
    assert_int_equal(w->dom[1].shared_info->evtchn_pending[0], 2);
    /* and over again, with another vCPU's block first */
    assert_int_equal(op_init_control(v, 1, world_frame(1, CONTROL_FRAME), 128), 0);
    assert_int_equal(op_expand_array(v, world_frame(1, ARRAY_FRAME)), 0);
    world_destroy(w);
}

/*
 * Whatever is in the guest's memory: no access outside of it (the sanitizer looks), no bug, and other domains see
 * nothing.
 */
static void test_hostile(void **state)
{
    struct world *w = fifo_world(200);
    struct vcpu *v = w->dom[1].vcpu[0];
    uint64_t seed = 1;

    for (unsigned int i = 0; i < 200000; i++) {
        const uint64_t r = seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407;
        const long port = 1 + (long)(r >> 33) % 200;

        switch (r >> 60) {
        case 0: *word(w, port) = (uint32_t)(r >> 20); break;
        case 1: *word(w, port) ^= LINKED; break;
        case 2: *word(w, port) = BUSY | LINKED | EVTCHN_FIFO_LINK_MASK; break;
        case 3: control(w, 0)->head[r >> 40 & 15] = (uint32_t)(r >> 12); break;
        case 4: control(w, 0)->ready = (uint32_t)(r >> 12); break;
        case 5: op_set_priority(v, port, r >> 40 & 15); break;
        case 6: op_port(v, EVTCHNOP_unmask, port); break;
        case 7: op_port(v, EVTCHNOP_close, port); break;
        case 8: op_bind_ipi(v, r >> 40 & 1); break;
        case 9: v->vcpu_info->evtchn_upcall_pending = (uint8_t)(r >> 40); break;
        default: op_port(v, EVTCHNOP_send, port); break;
        }
    }
    for (unsigned int i = 0; i < PAGE_SIZE; i++) {
        assert_int_equal(((uint8_t *)w->dom[0].shared_info)[i], 0);
        assert_int_equal(((uint8_t *)w->dom[2].shared_info)[i], 0);
    }
    world_destroy(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_setup_refusals),
        cmocka_unit_test(test_expand_limit),
        cmocka_unit_test(test_set_priority),
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_priorities_are_queues),
        cmocka_unit_test(test_moves_to_other_vcpu),
        cmocka_unit_test(test_masked),
        cmocka_unit_test(test_take_over),
        cmocka_unit_test(test_closed_before_its_page),
        cmocka_unit_test(test_busy),
        cmocka_unit_test(test_no_control_block),
        cmocka_unit_test(test_reset_goes_back),
        cmocka_unit_test(test_hostile),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
