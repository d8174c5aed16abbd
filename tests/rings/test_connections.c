// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Connections with the outside, as packets tell: random histories of many, beside a model that knows what each expects;
 * and packets that are none.
 */
#include "tests/support/random.h"

#include "rings/net/connections.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

enum { FIN = 1, SYN = 2, RST = 4, ACK = 16 };
#define PEERS 40u

struct peer {
    bool open, answered, fin, peer_fin;
    uint32_t expects;
};

static struct connections c;

static void put16(uint8_t *at, unsigned int n) { at[0] = (uint8_t)(n >> 8), at[1] = (uint8_t)n; }
static void put32(uint8_t *at, uint32_t n) { put16(at, n >> 16), put16(at + 2, n & 0xffff); }
static unsigned int get16(const uint8_t *at) { return (unsigned int)at[0] << 8 | at[1]; }
static uint32_t get32(const uint8_t *at) { return (uint32_t)get16(at) << 16 | get16(at + 2); }

static unsigned int sum(const uint8_t *at, size_t len, uint32_t s)
{
    for (size_t i = 0; i < len; i += 2)
        s += get16(at + i);
    while (s >> 16)
        s = (s & 0xffff) + (s >> 16);
    return s;
}

static size_t packet_make(uint8_t p[64], unsigned int i, bool out, unsigned int flags, uint32_t ack)
{
    static const uint8_t guest[] = "\x0a\x00\x02\x0f", host[] = "\x0a\x00\x02\x02";
    uint8_t *ip = p + 14, *tcp = ip + 20;

    memset(p, 0, 64);
    memcpy(p + (out ? 6 : 0), "\x00\x16\x3e\x01\x02\x03", 6);
    memcpy(p + (out ? 0 : 6), "\x52\x55\x0a\x00\x02\x02", 6);
    put16(p + 12, 0x0800);
    ip[0] = 0x45, ip[8] = 64, ip[9] = 6;
    put16(ip + 2, 40);
    memcpy(ip + (out ? 12 : 16), guest, 4);
    memcpy(ip + (out ? 16 : 12), host, 4);
    put16(tcp + (out ? 0 : 2), 1000 + i);
    put16(tcp + (out ? 2 : 0), 80);
    put32(tcp + 8, ack);
    tcp[12] = 0x50, tcp[13] = (uint8_t)flags;
    return 54;
}

/* Exactly those that are open and expect something are reset, each with its number. */
static void look(const struct peer *peer)
{
    unsigned int seen = 0, open = 0;
    uint8_t p[CONNECTIONS_RESET];

    for (unsigned int i = 0; i < CONNECTIONS; i++) {
        const struct peer *e;

        if (!connections_reset(&c, i, p))
            continue;
        assert_memory_equal(p, "\x00\x16\x3e\x01\x02\x03\x52\x55\x0a\x00\x02\x02\x08\x00", 14);
        assert_int_equal(sum(p + 14, 20, 0), 0xffff);
        assert_int_equal(sum(p + 26, 28, 6 + 20), 0xffff);
        assert_memory_equal(p + 26, "\x0a\x00\x02\x02\x0a\x00\x02\x0f", 8);
        assert_int_equal(p[47], RST);
        assert_in_range(get16(p + 36), 1000, 1000 + PEERS - 1);
        e = &peer[get16(p + 36) - 1000];
        assert_true(e->open && e->answered);
        assert_int_equal(get32(p + 38), e->expects);
        seen++;
    }
    for (unsigned int i = 0; i < PEERS; i++)
        open += peer[i].open && peer[i].answered;
    assert_int_equal(seen, open);
}

static void test_histories(void **state)
{
    struct peer peer[PEERS] = { { 0 } };
    uint64_t prng = 1;
    unsigned int resets = 0;

    (void)state;
    for (unsigned int n = 0; n < 20000; n++) {
        const unsigned int i = (unsigned int)random_of(&prng, PEERS);
        const bool out = random_of(&prng, 2);
        const uint32_t ack = (uint32_t)random_of(&prng, UINT32_MAX);
        struct peer *e = &peer[i];
        unsigned int flags = random_of(&prng, 20) ? ACK : 0;
        uint8_t p[64];
        size_t len;

        flags |= random_of(&prng, e->open ? 30 : 2) ? 0 : SYN;
        flags |= random_of(&prng, 8) ? 0 : FIN;
        flags |= random_of(&prng, 30) ? 0 : RST;
        len = packet_make(p, i, out, flags, ack);
        if (!random_of(&prng, 10)) /* a piece of one, or a part, says nothing */
            p[20] = 0x20;
        else if (!random_of(&prng, 10))
            len = random_of(&prng, 54);
        else if (e->open || (out && flags & SYN)) {
            if (!e->open || (out && flags & SYN && e->answered))
                *e = (struct peer){ .open = true };
            if (out && flags & ACK)
                e->answered = true, e->expects = ack;
            *(out ? &e->fin : &e->peer_fin) |= (flags & FIN) != 0;
            if (flags & RST || (e->fin && e->peer_fin))
                *e = (struct peer){ 0 };
        }
        connections_see(&c, p, len, out);
        if (n % 100 == 0)
            look(peer);
    }
    for (unsigned int i = 0; i < CONNECTIONS; i++) { /* what resets one does */
        uint8_t p[CONNECTIONS_RESET];

        if (!connections_reset(&c, i, p))
            continue;
        connections_see(&c, p, sizeof(p), false);
        assert_false(connections_reset(&c, i, p));
        resets++;
    }
    assert_in_range(resets, 2, PEERS);
}

/* When all places are taken the quietest one is not known any more. */
static void test_full(void **state)
{
    uint8_t p[64], reset[CONNECTIONS_RESET];
    unsigned int nr = 0;

    (void)state;
    memset(&c, 0, sizeof(c));
    for (unsigned int i = 0; i < CONNECTIONS; i++)
        connections_see(&c, p, packet_make(p, i, true, SYN | ACK, 1), true);
    connections_see(&c, p, packet_make(p, 0, true, ACK, 2), true);
    connections_see(&c, p, packet_make(p, CONNECTIONS, true, SYN | ACK, 3), true);
    for (unsigned int i = 0; i < CONNECTIONS; i++)
        if (connections_reset(&c, i, reset)) {
            assert_int_not_equal(get16(reset + 36), 1001);
            nr += get16(reset + 36) == 1000 || get16(reset + 36) == 1000 + CONNECTIONS;
        }
    assert_int_equal(nr, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_histories), cmocka_unit_test(test_full) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
