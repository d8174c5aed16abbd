// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * FIFO events against a model: random histories of a domain that sends, masks, moves, closes, resets, and handles what
 * comes.
 *
 * Concept: the model knows no words, tails or links. It has a list for each queue of each vCPU, and says of each port
 * whether it is pending, masked and on a list. What the guest finds by walking heads and links must be these lists, in
 * their order; an upcall comes exactly when a list that was empty gets its first port and its ready bit was not set;
 * and a port that is free but not yet taken off its list is not given out.
 *
 * The rules are those of Xen 4.17's event_fifo.c: a port stays on the list where it was put, whatever vCPU or priority
 * it has since; an event without a page for its word is kept until the page comes; one for a vCPU without control block
 * is only pending.
 *
 * Could it pass wrongly? Each kind of step is counted, and must have been taken.
 */
#include "tests/evtchn/fixture.h"

#define PENDING (1u << EVTCHN_FIFO_PENDING)
#define MASKED  (1u << EVTCHN_FIFO_MASKED)
#define LINKED  (1u << EVTCHN_FIFO_LINKED)

#define NR_VCPUS  3
#define NR_PORTS  12 /* the highest that is used */
#define NR_QUEUES EVTCHN_FIFO_MAX_QUEUES
#define HISTORIES 400
#define STEPS     1500

struct queue {
    long port[NR_PORTS + 1];
    unsigned int nr;
};

struct model_port {
    bool bound, pending, masked, listed;
    bool kept; /* the event has no word yet */
    unsigned int vcpu, priority;
    long peer; /* domain 2's end */
};

struct run {
    struct world *w;
    struct vcpu *v; /* domain 1's */
    uint64_t random;
    bool fifo, page, control[NR_VCPUS];
    struct model_port port[NR_PORTS + 1];
    struct queue queue[NR_VCPUS][NR_QUEUES];
    uint32_t head[NR_VCPUS][NR_QUEUES]; /* the guest's own */
    uint32_t ready[NR_VCPUS];           /* what it has taken of `ready` */
};

enum {
    DID_BIND,
    DID_CLOSE,
    DID_SEND,
    DID_MASK,
    DID_UNMASK,
    DID_MOVE,
    DID_PRIORITY,
    DID_TAKE,
    DID_BUSY,
    DID_KEEP,
    DID_RESET,
    NR_KINDS
};

static unsigned int rnd(struct run *r, unsigned int n)
{
    r->random ^= r->random << 13;
    r->random ^= r->random >> 7;
    r->random ^= r->random << 17;
    return (unsigned int)(r->random >> 32) % n;
}

static struct evtchn_fifo_control_block *control(struct run *r, unsigned int vcpu)
{
    return (void *)((uint8_t *)world_frame_virt(r->w, world_frame(1, 1)) + 128 * vcpu);
}

static event_word_t *word(struct run *r, long port)
{
    return (event_word_t *)world_frame_virt(r->w, world_frame(1, 2)) + port;
}

/* --- the model --- */

/* A port became pending, or was unmasked: does it go on a list, and is that told? */
static void model_raise(struct run *r, long port)
{
    struct model_port *p = &r->port[port];
    struct queue *q = &r->queue[p->vcpu][p->priority];

    if (!r->page) {
        p->kept = true;
        return;
    }
    p->pending = true;
    if (!r->control[p->vcpu] || p->masked || p->listed)
        return;
    p->listed = true;
    q->port[q->nr++] = port;
}

static long model_free_port(const struct run *r)
{
    for (long port = 1; port <= NR_PORTS; port++)
        if (!r->port[port].bound && !r->port[port].listed)
            return port;
    return 0;
}

/* Xen's side of all that the model knows. */
static void compare(struct run *r, const uint32_t ready_before[NR_VCPUS])
{
    for (long port = 1; port <= NR_PORTS && r->page; port++) {
        const event_word_t w = *word(r, port);

        assert_int_equal((w & PENDING) != 0, r->port[port].pending);
        assert_int_equal((w & LINKED) != 0, r->port[port].listed);
    }
    for (unsigned int i = 0; i < NR_VCPUS; i++) {
        const uint32_t ready = r->control[i] ? control(r, i)->ready : 0;

        assert_int_equal(ready & ready_before[i], ready_before[i]);
        if (ready & ~ready_before[i])
            assert_int_equal(r->w->dom[1].vcpu[i]->vcpu_info->evtchn_upcall_pending, 1);
        for (unsigned int q = 0; q < NR_QUEUES && r->control[i]; q++) {
            const bool told = ready >> q & 1 || r->ready[i] >> q & 1;

            assert_int_equal(told, r->queue[i][q].nr != 0);
        }
    }
}

/* --- the steps --- */

static int do_bind(struct run *r)
{
    const long expected = model_free_port(r);
    struct vcpu *peer = r->w->dom[2].vcpu[0];
    long port, other;
    bool busy = false;

    for (long p = 1; p < expected; p++)
        busy |= !r->port[p].bound;
    if (!expected)
        return -1;
    port = op_alloc_unbound(r->v, DOMID_SELF, 2);
    assert_int_equal(port, expected);
    other = op_bind_interdomain(peer, 1, port);
    assert_true(other > 0);
    r->port[port].bound = true;
    r->port[port].peer = other;
    r->port[port].vcpu = 0;
    r->port[port].priority = EVTCHN_FIFO_PRIORITY_DEFAULT;
    r->port[port].masked = r->page && *word(r, port) & MASKED;
    return busy ? DID_BUSY : DID_BIND;
}

static long any_bound(struct run *r)
{
    const long port = 1 + rnd(r, NR_PORTS);

    return r->port[port].bound ? port : 0;
}

static int do_close(struct run *r)
{
    const long port = any_bound(r);

    if (!port)
        return -1;
    assert_int_equal(op_port(r->v, EVTCHNOP_close, port), 0);
    assert_int_equal(op_port(r->w->dom[2].vcpu[0], EVTCHNOP_close, r->port[port].peer), 0);
    r->port[port].bound = r->port[port].pending = r->port[port].kept = false;
    return DID_CLOSE;
}

static int do_send(struct run *r)
{
    const long port = any_bound(r);

    if (!port)
        return -1;
    assert_int_equal(op_port(r->w->dom[2].vcpu[0], EVTCHNOP_send, r->port[port].peer), 0);
    model_raise(r, port);
    return r->port[port].kept ? DID_KEEP : DID_SEND;
}

static int do_mask(struct run *r)
{
    const long port = any_bound(r);

    if (!port || !r->page)
        return -1;
    *word(r, port) |= MASKED;
    r->port[port].masked = true;
    return DID_MASK;
}

static int do_unmask(struct run *r)
{
    const long port = any_bound(r);

    if (!port || !r->page)
        return -1;
    assert_int_equal(op_port(r->v, EVTCHNOP_unmask, port), 0);
    r->port[port].masked = false;
    if (r->port[port].pending)
        model_raise(r, port);
    return DID_UNMASK;
}

static int do_move(struct run *r)
{
    const long port = any_bound(r);
    const unsigned int vcpu = rnd(r, NR_VCPUS);

    if (!port)
        return -1;
    assert_int_equal(op_bind_vcpu(r->v, port, vcpu), 0);
    r->port[port].vcpu = vcpu;
    return DID_MOVE;
}

static int do_priority(struct run *r)
{
    static const unsigned int some[] = { 0, 7, 15 };
    const long port = any_bound(r);
    const unsigned int priority = some[rnd(r, 3)];

    if (!port)
        return -1;
    assert_int_equal(op_set_priority(r->v, port, priority), 0);
    r->port[port].priority = priority;
    return DID_PRIORITY;
}

/* A guest's handler on some vCPU takes one port off the queue of the highest priority. */
static int do_take(struct run *r)
{
    const unsigned int vcpu = rnd(r, NR_VCPUS);
    struct queue *queue;
    unsigned int q;
    long port;

    if (!r->control[vcpu])
        return -1;
    r->w->dom[1].vcpu[vcpu]->vcpu_info->evtchn_upcall_pending = 0;
    r->ready[vcpu] |= control(r, vcpu)->ready;
    control(r, vcpu)->ready = 0;
    if (!r->ready[vcpu])
        return -1;
    q = (unsigned int)__builtin_ctz(r->ready[vcpu]);
    queue = &r->queue[vcpu][q];
    assert_true(queue->nr > 0);
    port = r->head[vcpu][q] ? r->head[vcpu][q] : control(r, vcpu)->head[q];
    assert_int_equal(port, queue->port[0]);
    r->head[vcpu][q] = *word(r, port) & EVTCHN_FIFO_LINK_MASK;
    *word(r, port) &= ~(LINKED | EVTCHN_FIFO_LINK_MASK);
    if (!r->head[vcpu][q])
        r->ready[vcpu] &= ~(1u << q);
    if (!(*word(r, port) & MASKED)) { /* handled; else whoever unmasks it will see */
        *word(r, port) &= ~PENDING;
        r->port[port].pending = false;
    }
    r->port[port].listed = false;
    memmove(queue->port, queue->port + 1, --queue->nr * sizeof(queue->port[0]));
    return DID_TAKE;
}

/* The guest lends what is missing, bit by bit. */
static void go_fifo(struct run *r)
{
    const unsigned int vcpu = rnd(r, NR_VCPUS);

    if (!r->control[vcpu]) {
        assert_int_equal(op_init_control(r->v, vcpu, world_frame(1, 1), 128 * vcpu), 0);
        r->control[vcpu] = true;
        if (!r->fifo)
            for (long port = 1; port <= NR_PORTS; port++)
                r->port[port].priority = EVTCHN_FIFO_PRIORITY_DEFAULT;
        r->fifo = true;
    }
    if (!r->page && rnd(r, 4) == 0) {
        assert_int_equal(op_expand_array(r->v, world_frame(1, 2)), 0);
        r->page = true;
        for (long port = 1; port <= NR_PORTS; port++) {
            const bool kept = r->port[port].kept;

            r->port[port].kept = r->port[port].masked = false;
            if (kept)
                model_raise(r, port);
        }
    }
}

/* All ports are closed, and the frames are the guest's again, which clears them. */
static int do_reset(struct run *r)
{
    assert_int_equal(op_reset(r->v, DOMID_SELF), 0);
    for (long port = 1; port <= NR_PORTS; port++)
        if (r->port[port].bound)
            assert_int_equal(op_port(r->w->dom[2].vcpu[0], EVTCHNOP_close, r->port[port].peer), 0);
    memset(r->port, 0, sizeof(r->port));
    memset(r->queue, 0, sizeof(r->queue));
    memset(r->head, 0, sizeof(r->head));
    memset(r->ready, 0, sizeof(r->ready));
    memset(r->control, 0, sizeof(r->control));
    r->fifo = r->page = false;
    memset(world_frame_virt(r->w, world_frame(1, 1)), 0, PAGE_SIZE);
    memset(world_frame_virt(r->w, world_frame(1, 2)), 0, PAGE_SIZE);
    for (unsigned int i = 0; i < NR_VCPUS; i++)
        r->w->dom[1].vcpu[i]->vcpu_info->evtchn_upcall_pending = 0;
    go_fifo(r);
    return DID_RESET;
}

static int step(struct run *r)
{
    static int (*const steps[])(struct run *) = { do_bind,     do_bind, do_close,  do_send,   do_send,
                                                  do_send,     do_mask, do_unmask, do_unmask, do_move,
                                                  do_priority, do_take, do_take };

    if (rnd(r, 500) == 0)
        return do_reset(r);
    if (rnd(r, 20) == 0)
        go_fifo(r);
    return steps[rnd(r, ARRAY_SIZE(steps))](r);
}

static void test_random(void **state)
{
    unsigned int did[NR_KINDS] = { 0 };

    for (unsigned int history = 1; history <= HISTORIES; history++) {
        struct run r = { .w = world_create(~0u), .random = history * UINT64_C(0x9e3779b97f4a7c15) };

        r.v = r.w->dom[1].vcpu[0];
        go_fifo(&r);
        for (unsigned int n = 0; n < STEPS; n++) {
            uint32_t before[NR_VCPUS];
            int kind;

            for (unsigned int i = 0; i < NR_VCPUS; i++)
                before[i] = r.control[i] ? control(&r, i)->ready : 0;
            kind = step(&r);
            if (kind == DID_TAKE || kind == DID_RESET || kind < 0)
                memset(before, 0, sizeof(before));
            else
                did[kind]++;
            did[DID_TAKE] += kind == DID_TAKE;
            did[DID_RESET] += kind == DID_RESET;
            compare(&r, before);
        }
        world_destroy(r.w);
    }
    for (unsigned int kind = 0; kind < NR_KINDS; kind++)
        assert_true(did[kind] > 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_random) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
