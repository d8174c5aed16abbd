// SPDX-License-Identifier: GPL-2.0-or-later
/* TCP connections with the outside: the idea is in rings/net/connections.h. */
#include "rings/net/connections.h"

#include <string.h>

enum { FIN = 1, SYN = 2, RST = 4, ACK = 16 };
enum { ETHERNET = 14, IP_HEAD = 20, TCP_HEAD = 20, TCP = 6 };

static unsigned int get16(const uint8_t *at) { return (unsigned int)at[0] << 8 | at[1]; }
static void put16(uint8_t *at, unsigned int n) { at[0] = (uint8_t)(n >> 8), at[1] = (uint8_t)n; }

/* The TCP header of an IPv4 packet that has one, and not in pieces; NULL: it is another packet. */
static const uint8_t *tcp_of(const uint8_t *packet, size_t len)
{
    const uint8_t *ip = packet + ETHERNET;
    size_t head;

    if (len < ETHERNET + IP_HEAD || get16(packet + 12) != 0x0800 || ip[0] >> 4 != 4 || ip[9] != TCP ||
        get16(ip + 6) & 0x3fff)
        return NULL;
    head = 4 * (ip[0] & 15u);
    return head >= IP_HEAD && len >= ETHERNET + head + TCP_HEAD ? ip + head : NULL;
}

/* The place of it; else a free one, or the one of whoever was quiet longest. */
static struct connection *place_of(struct connections *c, const struct connection *like, bool *found)
{
    struct connection *oldest = &c->at[0];

    for (unsigned int i = 0; i < CONNECTIONS; i++) {
        struct connection *at = &c->at[i];

        *found = at->used && !memcmp(at->addr, like->addr, sizeof(at->addr)) &&
                 !memcmp(at->port, like->port, sizeof(at->port));
        if (*found)
            return at;
        if (at->used < oldest->used)
            oldest = at;
    }
    return oldest;
}

/* Whose packet is it? `mine` is where the guest's half is in it. */
static struct connection of(const uint8_t *packet, const uint8_t *tcp, bool out)
{
    const unsigned int mine = out ? 0 : 1;
    struct connection like = { 0 };

    for (unsigned int i = 0; i < 2; i++) {
        memcpy(&like.addr[i], packet + ETHERNET + 12 + 4 * (i ^ mine), 4);
        memcpy(&like.port[i], tcp + 2 * (i ^ mine), 2);
    }
    return like;
}

void connections_see(struct connections *c, const uint8_t *packet, size_t len, bool out)
{
    const uint8_t *tcp = tcp_of(packet, len);
    struct connection like, *at;
    bool found;

    if (!tcp)
        return;
    like = of(packet, tcp, out);
    at = place_of(c, &like, &found);
    if (!found && !(out && tcp[13] & SYN))
        return;
    if (!found || (out && tcp[13] & SYN && at->answered)) /* the latter: its ports are used again */
        *at = like;
    at->used = ++c->seen;
    if (out) {
        memcpy(at->mac, packet + 6, 6);
        memcpy(at->mac + 6, packet, 6);
        at->answered |= (tcp[13] & ACK) != 0;
        if (tcp[13] & ACK)
            memcpy(&at->expects, tcp + 8, 4);
    }
    *(out ? &at->fin : &at->peer_fin) |= (tcp[13] & FIN) != 0;
    if (tcp[13] & RST || (at->fin && at->peer_fin))
        at->used = 0;
}

static unsigned int sum_of(const uint8_t *at, size_t len, uint32_t sum)
{
    for (size_t i = 0; i < len; i += 2)
        sum += get16(at + i);
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return ~sum & 0xffff;
}

bool connections_reset(const struct connections *c, unsigned int i, uint8_t packet[CONNECTIONS_RESET])
{
    const struct connection *at = &c->at[i];
    uint8_t *ip = packet + ETHERNET, *tcp = ip + IP_HEAD;

    if (!at->used || !at->answered)
        return false;
    memset(packet, 0, CONNECTIONS_RESET);
    memcpy(packet, at->mac, sizeof(at->mac));
    put16(packet + 12, 0x0800);
    ip[0] = 0x45;
    put16(ip + 2, IP_HEAD + TCP_HEAD);
    ip[8] = 64;
    ip[9] = TCP;
    memcpy(ip + 12, &at->addr[1], 4);
    memcpy(ip + 16, &at->addr[0], 4);
    put16(ip + 10, sum_of(ip, IP_HEAD, 0));
    memcpy(tcp, &at->port[1], 2);
    memcpy(tcp + 2, &at->port[0], 2);
    memcpy(tcp + 4, &at->expects, 4);
    tcp[12] = TCP_HEAD / 4 << 4;
    tcp[13] = RST;
    put16(tcp + 16, sum_of(ip + 12, 8 + TCP_HEAD, TCP + TCP_HEAD));
    return true;
}
