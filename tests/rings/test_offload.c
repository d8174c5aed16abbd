// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What becomes of a frame for somebody who wants packets: random TCP and UDP frames, cut up and summed, then put
 * together again by a reader of its own, which sums in another way.
 */
#include "tests/support/random.h"
#include "tests/vcpu/fixture.h"

#include "rings/net/offload.h"

#include <xen/io/netif.h>

struct made {
    struct net_frame *f;
    uint8_t bytes[NET_FRAME_MAX];
    unsigned int ip, l4, data, len;
    bool v6, udp, vlan;
    uint32_t seq;
    uint16_t id;
    uint8_t flags;
};

static unsigned int be16(const uint8_t *p) { return p[0] * 256u + p[1]; }

static void put_be16(uint8_t *p, unsigned int v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

/* A frame of random headers with `data` bytes of data behind them, its sums blank. */
static void make(struct made *m, struct net_pool *pool, uint64_t *prng, unsigned int data, bool v6, bool udp)
{
    uint8_t *b = m->bytes, *ip, *l4;
    unsigned int options = (unsigned int)random_of(prng, 4) * 4, at = 12;

    *m = (struct made){ .v6 = v6, .udp = udp, .vlan = random_of(prng, 4) == 0 };
    for (unsigned int i = 0; i < 200 + data; i++)
        b[i] = (uint8_t)random_of(prng, 256);
    if (m->vlan) {
        put_be16(b + at, 0x8100);
        at += 4;
    }
    put_be16(b + at, v6 ? 0x86dd : 0x0800);
    m->ip = at + 2;
    m->l4 = m->ip + (v6 ? 40 + (options ? 8 : 0) : 20 + options);
    ip = b + m->ip;
    l4 = b + m->l4;
    m->data = m->l4 + (udp ? 8 : 20 + options);
    m->len = m->data + data;
    if (v6) {
        ip[0] = 0x60;
        put_be16(ip + 4, m->len - m->ip - 40);
        ip[6] = options ? 0 : udp ? 17 : 6;
        if (options) {
            ip[40] = udp ? 17 : 6;
            ip[41] = 0;
        }
    } else {
        ip[0] = (uint8_t)(0x40 | (20 + options) / 4);
        put_be16(ip + 2, m->len - m->ip);
        m->id = (uint16_t)random_of(prng, 65536);
        put_be16(ip + 4, m->id);
        put_be16(ip + 6, 0x4000);
        ip[9] = udp ? 17 : 6;
    }
    if (udp) {
        put_be16(l4 + 4, 8 + data);
    } else {
        m->seq = UINT32_C(0xffffff00); /* it wraps */
        put_be16(l4 + 4, m->seq >> 16);
        put_be16(l4 + 6, m->seq & 0xffff);
        l4[12] = (uint8_t)((20 + options) / 4 << 4);
        m->flags = l4[13] = (uint8_t)random_of(prng, 256);
    }
    m->f = net_frame_alloc(pool, m->len);
    assert_non_null(m->f);
    net_frame_write(m->f, 0, b, m->len);
    m->f->offload.csum_blank = true;
}

/* As a receiver checks it: everything added up, word by word with the carry at once, is all ones. */
static uint32_t add(uint32_t sum, const uint8_t *p, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        sum += i % 2 ? p[i] : (uint32_t)p[i] << 8;
        if (sum > 0xffff)
            sum -= 0xffff;
    }
    return sum;
}

static void expect_sums(const struct made *m, const uint8_t *b, size_t len)
{
    uint8_t pseudo[4] = { 0, m->udp ? 17 : 6 };
    uint32_t sum;

    if (!m->v6)
        assert_int_equal(add(0, b + m->ip, m->l4 - m->ip), 0xffff);
    put_be16(pseudo + 2, (unsigned int)len - m->l4);
    sum = m->v6 ? add(0, b + m->ip + 8, 32) : add(0, b + m->ip + 12, 8);
    sum = add(sum, pseudo, 4);
    assert_int_equal(add(sum, b + m->l4, len - m->l4), 0xffff);
}

static void expect_lengths(const struct made *m, const uint8_t *b, size_t len)
{
    if (m->v6)
        assert_int_equal(be16(b + m->ip + 4), len - m->ip - 40);
    else
        assert_int_equal(be16(b + m->ip + 2), len - m->ip);
}

/* Segments that join to what was sent. */
static void cut_and_joined(void **state)
{
    static struct made m;
    static uint8_t out[NET_FRAME_MAX];
    struct fixture *f = *state;
    struct net_pool pool;
    uint64_t prng = 7;
    unsigned int segments = 0;

    net_pool_init(&pool, native_vcpu(f->dom0));
    for (unsigned int run = 0; run < 200; run++) {
        const unsigned int data = (unsigned int)random_of(&prng, run % 8 ? 5000 : 65000);
        const unsigned int mss = 1 + (unsigned int)random_of(&prng, run % 3 ? 1460 : 9000);
        const unsigned int size = data / mss > 400 ? data / 400 : mss;
        unsigned int nr, at = 0;

        make(&m, &pool, &prng, data, run % 2, false);
        m.f->offload.gso_type = m.v6 ? XEN_NETIF_GSO_TYPE_TCPV6 : XEN_NETIF_GSO_TYPE_TCPV4;
        m.f->offload.gso_size = (uint16_t)size;
        assert_true(net_offload_ok(m.f));
        nr = net_plain_count(m.f);
        assert_int_equal(nr, data ? (data + size - 1) / size : 1);
        for (unsigned int i = 0; i < nr; i++) {
            const size_t len = net_plain(m.f, i, out);
            const bool last = i == nr - 1;
            const uint8_t *l4 = out + m.l4;

            if (nr > 1) {
                if (!m.v6)
                    assert_int_equal(be16(out + m.ip + 4), (m.id + i) & 0xffff);
                expect_lengths(&m, out, len);
                expect_sums(&m, out, len);
            }
            assert_int_equal((uint32_t)be16(l4 + 4) << 16 | be16(l4 + 6), m.seq + at);
            assert_int_equal(l4[13], m.flags & ~(last ? 0 : 9) & ~(i ? 0x80 : 0));
            assert_memory_equal(out + m.data, m.bytes + m.data + at, len - m.data);
            assert_memory_equal(out, m.bytes, m.ip);
            at += (unsigned int)len - m.data;
            assert_true(last || len - m.data == size);
            segments++;
        }
        assert_int_equal(at, data);
        net_frame_put(m.f);
    }
    printf("%u segments of 200 frames\n", segments);
    net_pool_end(&pool);
}

/* A frame that is no more than a packet: only its sum is missing. */
static void sums_are_filled_in(void **state)
{
    static struct made m;
    static uint8_t out[NET_FRAME_MAX];
    struct fixture *f = *state;
    struct net_pool pool;
    uint64_t prng = 3;

    net_pool_init(&pool, native_vcpu(f->dom0));
    for (unsigned int run = 0; run < 200; run++) {
        make(&m, &pool, &prng, (unsigned int)random_of(&prng, 1500), run % 2, run % 4 < 2);
        assert_true(net_offload_ok(m.f));
        assert_int_equal(net_plain_count(m.f), 1);
        assert_int_equal(net_plain(m.f, 0, out), m.len);
        if (!m.v6) { /* the IP sum is the sender's own affair */
            put_be16(out + m.ip + 10, 0);
            put_be16(out + m.ip + 10, 0xffff & ~add(0, out + m.ip, m.l4 - m.ip));
        }
        expect_sums(&m, out, m.len);
        m.f->offload.csum_blank = false;
        assert_int_equal(net_plain(m.f, 0, out), m.len);
        assert_memory_equal(out, m.bytes, m.len);
        net_frame_put(m.f);
    }
    net_pool_end(&pool);
}

/* Any bytes at all, and what is said of them: what comes out has a size. */
static void nonsense(void **state)
{
    static struct made m;
    static uint8_t out[NET_FRAME_MAX];
    struct fixture *f = *state;
    struct net_pool pool;
    uint64_t prng = 11;
    unsigned int good = 0;

    net_pool_init(&pool, native_vcpu(f->dom0));
    for (unsigned int run = 0; run < 3000; run++) {
        unsigned int len;
        struct net_frame *cut;

        make(&m, &pool, &prng, (unsigned int)random_of(&prng, 300), run % 2, run % 8 == 0);
        for (unsigned int i = random_of(&prng, 3) ? 1 : 0; i; i--)
            m.bytes[12 + random_of(&prng, 60)] = (uint8_t)random_of(&prng, 256);
        len = NET_FRAME_MIN + (unsigned int)random_of(&prng, m.len - NET_FRAME_MIN + 1);
        cut = net_frame_alloc(&pool, len);
        assert_non_null(cut);
        net_frame_write(cut, 0, m.bytes, len);
        cut->offload = (struct net_offload){ .csum_blank = random_of(&prng, 4) > 0,
                                             .gso_type = (uint8_t)random_of(&prng, 4),
                                             .gso_size = (uint16_t)random_of(&prng, 64) };
        if (net_offload_ok(cut)) {
            good++;
            for (unsigned int i = 0; i < net_plain_count(cut); i++)
                assert_in_range(net_plain(cut, i, out), NET_FRAME_MIN, len);
        }
        net_frame_put(cut);
        net_frame_put(m.f);
    }
    assert_in_range(good, 300, 2700);
    net_pool_end(&pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(cut_and_joined, fix_setup, fix_teardown),
        cmocka_unit_test_setup_teardown(sums_are_filled_in, fix_setup, fix_teardown),
        cmocka_unit_test_setup_teardown(nonsense, fix_setup, fix_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
