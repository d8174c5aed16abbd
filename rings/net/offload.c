// SPDX-License-Identifier: GPL-2.0-or-later
/* What guests leave to the network card: the idea is in rings/net/offload.h. */
#include "rings/net/offload.h"

#include <string.h>
#include <xen/io/netif.h>

enum { ETHERTYPE_IPV4 = 0x0800, ETHERTYPE_VLAN = 0x8100, ETHERTYPE_IPV6 = 0x86dd };
enum { PROTO_HOPOPTS = 0, PROTO_TCP = 6, PROTO_UDP = 17, PROTO_ROUTING = 43, PROTO_DSTOPTS = 60 };
enum { IPV4_SIZE = 20, IPV6_SIZE = 40, TCP_SIZE = 20, UDP_SIZE = 8 };
enum { TCP_FIN = 0x01, TCP_PSH = 0x08, TCP_CWR = 0x80 };

static unsigned int get16(const uint8_t *p) { return (unsigned int)(p[0] << 8 | p[1]); }

static void put16(uint8_t *p, unsigned int v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

static void put32(uint8_t *p, uint32_t v)
{
    put16(p, v >> 16);
    put16(p + 2, v & 0xffff);
}

static uint32_t get32(const uint8_t *p) { return (uint32_t)get16(p) << 16 | get16(p + 2); }

/* --- headers --- */

/* Bytes of a frame. False: it does not have so many. */
static bool read_at(const struct net_frame *f, size_t at, void *buf, size_t len)
{
    if (at > f->len || len > f->len - at)
        return false;
    net_frame_read(f, at, buf, len);
    return true;
}

static bool ipv4_find(const struct net_frame *f, struct net_headers *h)
{
    uint8_t ip[IPV4_SIZE];
    unsigned int size;

    if (!read_at(f, h->ip, ip, sizeof(ip)) || ip[0] >> 4 != 4)
        return false;
    size = (ip[0] & 15u) * 4;
    if (size < IPV4_SIZE || get16(ip + 2) < size || get16(ip + 6) & 0x3fff)
        return false;
    h->protocol = ip[9];
    h->l4 = h->ip + size;
    h->l4_end = h->ip + get16(ip + 2);
    return true;
}

static bool ipv6_find(const struct net_frame *f, struct net_headers *h)
{
    uint8_t ip[IPV6_SIZE], ext[2];

    if (!read_at(f, h->ip, ip, sizeof(ip)) || ip[0] >> 4 != 6)
        return false;
    h->v6 = true;
    h->protocol = ip[6];
    h->l4 = h->ip + IPV6_SIZE;
    h->l4_end = h->l4 + get16(ip + 4);
    while (h->protocol == PROTO_HOPOPTS || h->protocol == PROTO_ROUTING || h->protocol == PROTO_DSTOPTS) {
        if (!read_at(f, h->l4, ext, sizeof(ext)))
            return false;
        h->protocol = ext[0];
        h->l4 += (ext[1] + 1u) * 8;
    }
    return true;
}

bool net_headers_find(const struct net_frame *f, struct net_headers *h)
{
    uint8_t type[2], l4[TCP_SIZE];
    unsigned int at = 12;

    memset(h, 0, sizeof(*h));
    if (!read_at(f, at, type, sizeof(type)))
        return false;
    if (get16(type) == ETHERTYPE_VLAN && !read_at(f, at += 4, type, sizeof(type)))
        return false;
    h->ip = at + 2;
    if (get16(type) == ETHERTYPE_IPV4 ? !ipv4_find(f, h) : get16(type) != ETHERTYPE_IPV6 || !ipv6_find(f, h))
        return false;
    if (h->l4_end > f->len)
        h->l4_end = f->len;
    if (h->protocol == PROTO_UDP)
        h->data = h->l4 + UDP_SIZE;
    else if (h->protocol == PROTO_TCP && read_at(f, h->l4, l4, sizeof(l4)) && l4[12] >> 4 >= TCP_SIZE / 4)
        h->data = h->l4 + (l4[12] >> 4) * 4u;
    else
        return false;
    return h->data <= h->l4_end;
}

bool net_offload_ok(const struct net_frame *f)
{
    const struct net_offload *o = &f->offload;
    struct net_headers h;

    if (o->gso_type == XEN_NETIF_GSO_TYPE_NONE)
        return !o->csum_blank || net_headers_find(f, &h);
    return (o->gso_type == XEN_NETIF_GSO_TYPE_TCPV4 || o->gso_type == XEN_NETIF_GSO_TYPE_TCPV6) && o->gso_size &&
           o->csum_blank && net_headers_find(f, &h) && h.protocol == PROTO_TCP &&
           h.v6 == (o->gso_type == XEN_NETIF_GSO_TYPE_TCPV6);
}

/* --- sums --- */

static uint64_t sum_bytes(uint64_t sum, const uint8_t *p, size_t len)
{
    for (; len > 1; p += 2, len -= 2)
        sum += get16(p);
    return len ? sum + (uint64_t)(*p << 8) : sum;
}

static unsigned int sum_end(uint64_t sum)
{
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (unsigned int)~sum & 0xffff;
}

/* Of a packet of TCP or UDP, whose IP header is right; `end` is where it ends. */
static void l4_sum(uint8_t *buf, const struct net_headers *h, size_t end)
{
    uint8_t *field = buf + h->l4 + (h->protocol == PROTO_TCP ? 16 : 6);
    const uint8_t *ip = buf + h->ip;
    const size_t len = end - h->l4;
    uint64_t sum = h->protocol + len;
    unsigned int value;

    put16(field, 0);
    sum = h->v6 ? sum_bytes(sum, ip + 8, 32) : sum_bytes(sum, ip + 12, 8);
    value = sum_end(sum_bytes(sum, buf + h->l4, len));
    put16(field, value || h->protocol == PROTO_TCP ? value : 0xffff);
}

/* --- packets --- */

static bool is_cut(const struct net_frame *f, struct net_headers *h)
{
    return f->offload.gso_type != XEN_NETIF_GSO_TYPE_NONE && net_headers_find(f, h) &&
           h->l4_end - h->data > f->offload.gso_size;
}

unsigned int net_plain_count(const struct net_frame *f)
{
    struct net_headers h;

    return is_cut(f, &h) ? (h.l4_end - h.data + f->offload.gso_size - 1) / f->offload.gso_size : 1;
}

/* The headers, which are those of the whole, become those of packet i, with len bytes of data. */
static void headers_cut(uint8_t *buf, const struct net_headers *h, unsigned int i, unsigned int before, size_t len,
                        bool last)
{
    uint8_t *ip = buf + h->ip, *tcp = buf + h->l4;
    const unsigned int total = (unsigned int)(h->data - h->ip + len);

    if (h->v6) {
        put16(ip + 4, total - IPV6_SIZE);
    } else {
        put16(ip + 2, total);
        put16(ip + 4, get16(ip + 4) + i);
        put16(ip + 10, 0);
        put16(ip + 10, sum_end(sum_bytes(0, ip, h->l4 - h->ip)));
    }
    put32(tcp + 4, get32(tcp + 4) + before);
    tcp[13] &= (uint8_t) ~((i ? TCP_CWR : 0) | (last ? 0 : TCP_FIN | TCP_PSH));
}

size_t net_plain(const struct net_frame *f, unsigned int i, uint8_t buf[NET_FRAME_MAX])
{
    struct net_headers h;

    if (is_cut(f, &h)) {
        const unsigned int before = i * f->offload.gso_size, left = h.l4_end - h.data - before;
        const unsigned int len = left < f->offload.gso_size ? left : f->offload.gso_size;

        net_frame_read(f, 0, buf, h.data);
        net_frame_read(f, h.data + before, buf + h.data, len);
        headers_cut(buf, &h, i, before, len, len == left);
        l4_sum(buf, &h, h.data + len);
        return h.data + len;
    }
    net_frame_read(f, 0, buf, f->len);
    if (f->offload.csum_blank && net_headers_find(f, &h))
        l4_sum(buf, &h, h.l4_end);
    return f->len;
}
