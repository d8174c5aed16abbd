// SPDX-License-Identifier: GPL-2.0-or-later
/* The bridge, beside a simple model of it, and its table when too many addresses come. */
#include "tests/support/random.h"
#include "tests/vcpu/fixture.h"

#include "rings/net/bridge.h"

#define PORTS 5u
#define MACS  12u

static unsigned int arrivals;

static void arrived(struct bridge_port *p) { arrivals++; }
static bool wants(const struct bridge_port *p, const struct net_frame *f)
{
    uint8_t first;

    net_frame_read(f, 0, &first, 1);
    return first != 3; /* a group that nobody wants */
}

static const struct bridge_port_ops plain = { .kind = "plain", .arrived = arrived };
static const struct bridge_port_ops picky = { .kind = "picky", .arrived = arrived, .wants = wants };

struct scene {
    struct fixture *f;
    struct bridges all;
    struct bridge *b;
    struct bridge_port port[PORTS];
};

static void begin(struct scene *s, void **state)
{
    memset(s, 0, sizeof(*s));
    s->f = *state;
    bridges_init(&s->all, native_vcpu(s->f->dom0));
    s->b = bridge_get(&s->all, "xenbr0");
    assert_ptr_equal(bridge_get(&s->all, "xenbr0"), s->b);
    assert_ptr_not_equal(bridge_get(&s->all, "xenbr1"), s->b);
    for (unsigned int i = 0; i < PORTS; i++) {
        s->port[i].ops = i == PORTS - 1 ? &picky : &plain;
        bridge_port_add(s->b, &s->port[i]);
    }
}

static void end(struct scene *s)
{
    for (unsigned int i = 0; i < PORTS; i++)
        bridge_port_remove(&s->port[i]);
    assert_int_equal(s->all.pool.in_use, 0);
    bridges_end(&s->all);
}

/* Address n; from MACS on: groups (the last but one is everybody, the last nobody's). */
static void mac_of(unsigned int n, uint8_t mac[NET_MAC_SIZE])
{
    memset(mac, 0, NET_MAC_SIZE);
    mac[0] = (uint8_t)(n < MACS ? 2 : n == MACS ? 0xff : 3);
    mac[4] = (uint8_t)(n >> 8);
    mac[5] = (uint8_t)n;
}

static struct net_frame *frame(struct scene *s, unsigned int dst, unsigned int src, uint32_t id)
{
    const unsigned int len = id % 7 ? 60 : 9000; /* a few of several pages */
    struct net_frame *f = net_frame_alloc(&s->all.pool, len);
    uint8_t mac[NET_MAC_SIZE];

    assert_non_null(f);
    mac_of(dst, mac);
    net_frame_write(f, 0, mac, sizeof(mac));
    mac_of(src, mac);
    net_frame_write(f, 6, mac, sizeof(mac));
    net_frame_write(f, 14, &id, sizeof(id));
    net_frame_write(f, len - 4, &id, sizeof(id));
    return f;
}

static uint32_t id_of(const struct net_frame *f)
{
    uint32_t head, tail;

    net_frame_read(f, 14, &head, sizeof(head));
    net_frame_read(f, f->len - 4, &tail, sizeof(tail));
    assert_int_equal(head, tail);
    return head;
}

/* The model: who was heard of where and when, and what each queue has. */
struct model {
    int where[MACS];
    s_time_t when[MACS];
    uint32_t queue[PORTS][BRIDGE_QUEUE];
    unsigned int nr[PORTS], dropped[PORTS], unwanted;
};

static void model_put(struct model *m, unsigned int port, unsigned int dst, uint32_t id)
{
    if (port == PORTS - 1 && dst > MACS)
        m->unwanted++;
    else if (m->nr[port] == BRIDGE_QUEUE)
        m->dropped[port]++;
    else
        m->queue[port][m->nr[port]++] = id;
}

static void model_send(struct model *m, unsigned int port, unsigned int dst, unsigned int src, uint32_t id,
                       s_time_t now)
{
    m->where[src] = (int)port;
    m->when[src] = now;
    if (dst < MACS && m->where[dst] >= 0 && now - m->when[dst] < BRIDGE_AGE) {
        if (m->where[dst] != (int)port)
            model_put(m, (unsigned int)m->where[dst], dst, id);
        return;
    }
    for (unsigned int i = 0; i < PORTS; i++)
        if (i != port)
            model_put(m, i, dst, id);
}

static void model_take(struct model *m, struct scene *s, unsigned int port)
{
    struct net_frame *f = bridge_take(&s->port[port]);

    assert_int_equal(f != NULL, m->nr[port] > 0);
    if (!f)
        return;
    assert_int_equal(id_of(f), m->queue[port][0]);
    memmove(m->queue[port], m->queue[port] + 1, --m->nr[port] * sizeof(uint32_t));
    net_frame_put(f);
}

/* Ports that come and go, queues that fill, addresses that move and grow old. */
static void as_the_model(void **state)
{
    static struct scene s;
    static struct model m;
    uint64_t prng = 1;
    unsigned int most = 0, in = 0;

    begin(&s, state);
    memset(&m, 0, sizeof(m));
    for (unsigned int i = 0; i < MACS; i++)
        m.where[i] = -1;
    for (uint32_t id = 0; id < 6000; id++) {
        const unsigned int port = (unsigned int)random_of(&prng, PORTS), dst = (unsigned int)random_of(&prng, MACS + 2),
                           src = (unsigned int)random_of(&prng, MACS);

        s.f->m->clock.now += (s_time_t)random_of(&prng, (uint64_t)(BRIDGE_AGE / 8));
        bridge_send(&s.port[port], frame(&s, dst, src, id));
        model_send(&m, port, dst, src, id, s.f->m->clock.now);
        in++;
        /* The first is seldom taken from. */
        for (unsigned int i = 0; i < PORTS; i++)
            while (random_of(&prng, i ? 2 : 8) == 0)
                model_take(&m, &s, i);
        if (random_of(&prng, 500) == 0) {
            const unsigned int gone = (unsigned int)random_of(&prng, PORTS - 1);

            bridge_port_remove(&s.port[gone]);
            bridge_port_remove(&s.port[gone]);
            bridge_port_add(s.b, &s.port[gone]);
            m.nr[gone] = 0;
            for (unsigned int i = 0; i < MACS; i++)
                m.where[i] = m.where[i] == (int)gone ? -1 : m.where[i];
        }
        most = m.nr[0] > most ? m.nr[0] : most;
    }
    assert_int_equal(most, BRIDGE_QUEUE); /* else nothing of that was tried */
    assert_true(m.dropped[0] > 100 && m.unwanted > 100);
    for (unsigned int i = 0; i < PORTS; i++) {
        assert_int_equal(s.port[i].stats.dropped, m.dropped[i]);
        in -= (unsigned int)s.port[i].stats.in;
        while (m.nr[i])
            model_take(&m, &s, i);
        assert_null(bridge_take(&s.port[i]));
    }
    assert_int_equal(in, 0);
    assert_int_equal(s.port[PORTS - 1].stats.unwanted, m.unwanted);
    end(&s);
}

static void drain(struct bridge_port *p)
{
    struct net_frame *f;

    while ((f = bridge_take(p)))
        net_frame_put(f);
}

/* A port that makes up addresses: the others' stay, and the newest of its own. */
static void flood_of_addresses(void **state)
{
    static struct scene s;
    uint8_t mac[NET_MAC_SIZE] = { 2, 1 };
    struct net_frame *f;

    begin(&s, state);
    bridge_send(&s.port[1], frame(&s, 5, 1, 1));
    bridge_send(&s.port[2], frame(&s, 5, 2, 1));
    for (unsigned int i = 0; i < 3 * BRIDGE_MACS; i++) {
        f = frame(&s, 1, 0, 1);
        mac[4] = (uint8_t)(i >> 8);
        mac[5] = (uint8_t)i;
        net_frame_write(f, 6, mac, sizeof(mac));
        s.f->m->clock.now += 1000;
        bridge_send(&s.port[0], f);
        assert_ptr_equal(bridge_find(s.b, mac), &s.port[0]);
        drain(&s.port[1]);
    }
    assert_int_equal(s.b->nr_macs, BRIDGE_MACS);
    assert_int_equal(s.port[0].nr_macs, BRIDGE_MACS - 2);
    mac_of(1, mac);
    assert_ptr_equal(bridge_find(s.b, mac), &s.port[1]);
    mac_of(2, mac);
    assert_ptr_equal(bridge_find(s.b, mac), &s.port[2]);
    assert_null(bridge_find(s.b, (uint8_t[]){ 2, 1, 0, 0, 0, 0 }));
    bridge_port_remove(&s.port[0]);
    assert_int_equal(s.b->nr_macs, 2);
    bridge_port_add(s.b, &s.port[0]);
    end(&s);
}

/* What is no frame, what bridges keep to themselves; what leaves memory short. */
static void odd_frames(void **state)
{
    static const uint8_t stp[NET_MAC_SIZE] = { 1, 0x80, 0xc2, 0, 0, 0 };
    struct net_frame *f, *got[40];
    static struct scene s;
    unsigned int nr = 0;

    begin(&s, state);
    for (unsigned int len = 0; len < NET_FRAME_MIN; len++)
        assert_int_equal(bridge_send(&s.port[0], net_frame_alloc(&s.all.pool, len)), 0);
    f = frame(&s, MACS, 1, 1);
    net_frame_write(f, 0, stp, sizeof(stp));
    assert_int_equal(bridge_send(&s.port[0], f), 0);
    assert_int_equal(s.port[0].stats.nowhere, NET_FRAME_MIN + 1);
    assert_int_equal(s.port[0].stats.in, 1);
    f = net_frame_alloc(&s.all.pool, NET_FRAME_MAX);
    memset(f->page[0], 0xff, NET_FRAME_MIN);
    assert_int_equal(bridge_send(&s.port[0], f), PORTS - 1);
    assert_int_equal(f->refs, PORTS - 1); /* one frame, and not four copies */
    for (unsigned int i = 0; i < PORTS; i++)
        drain(&s.port[i]);
    s.f->xen->dom0->max_pages = s.f->xen->dom0->tot_pages + 100;
    while (nr < ARRAY_SIZE(got) && (got[nr] = net_frame_alloc(&s.all.pool, NET_FRAME_MAX)))
        nr++;
    assert_in_range(nr, 6, 20);
    assert_int_equal(s.all.pool.refused, 1);
    while (nr)
        net_frame_put(got[--nr]);
    end(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(as_the_model, fix_setup, fix_teardown),
        cmocka_unit_test_setup_teardown(flood_of_addresses, fix_setup, fix_teardown),
        cmocka_unit_test_setup_teardown(odd_frames, fix_setup, fix_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
