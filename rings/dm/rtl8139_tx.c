// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * RTL8139: sending. See rtl8139.h.
 *
 * The four registers are used in turn, and so are descriptors: the card stops at the first that is not its own. A frame
 * of several descriptors is sent when the last of them is given to it.
 */
#include "rings/dm/rtl8139.h"

#include <string.h>

#define ETH_HEAD 14u
#define TX_MAX   1792u /* what the four registers take */

#define TSD_SIZE 0x1fffu
#define TSD_OWN  (1u << 13)
#define TSD_TOK  (1u << 15)
#define TSD_TABT (1u << 30)

#define TCR_LOOPBACK 0x60000u

#define DESC_LGSEN (1u << 27)
#define DESC_MSS   0x7ffu
#define DESC_IPCS  (1u << 18)
#define DESC_UDPCS (1u << 17)
#define DESC_TCPCS (1u << 16)
#define DESC_TAGC  (1u << 17) /* of the second word */
/* Requests, in whose place the card says what went wrong. */
#define DESC_ASKED 0x0fff0000u

static void out(struct rtl8139 *nic, const struct rtl8139_frame *f)
{
    nic->sent++;
    if ((rtl_get(nic, RTL_TCR, 4) & TCR_LOOPBACK) == TCR_LOOPBACK)
        rtl8139_receive(nic, f->bytes, f->len);
    else if (f->len >= ETH_HEAD)
        nic->ops->send(nic->data, f);
}

/* --- sums, of IPv4 --- */

static unsigned int get16(const uint8_t *at) { return (unsigned int)at[0] << 8 | at[1]; }

static void put16(uint8_t *at, unsigned int n)
{
    at[0] = (uint8_t)(n >> 8);
    at[1] = (uint8_t)n;
}

static unsigned int sum16(const uint8_t *at, size_t len, uint32_t sum)
{
    for (size_t i = 0; i + 1 < len; i += 2)
        sum += get16(at + i);
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return sum;
}

/* As the descriptor asks. What is no such packet goes out as it is. */
static void sums(struct rtl8139_frame *f, uint8_t *bytes, uint32_t asked)
{
    const unsigned int tag = f->len >= ETH_HEAD + 4 && get16(bytes + 12) == 0x8100 ? 4 : 0;
    uint8_t *ip = bytes + ETH_HEAD + tag;
    const size_t left = f->len > ETH_HEAD + tag ? f->len - ETH_HEAD - tag : 0;
    const size_t head = left >= 20 ? (size_t)(ip[0] & 15) * 4 : 0;
    const bool large = asked & DESC_LGSEN;
    unsigned int protocol, len;

    if (head < 20 || head > left || get16(ip - 2) != 0x0800 || ip[0] >> 4 != 4)
        return;
    protocol = ip[9];
    len = get16(ip + 2);
    if (large || asked & DESC_IPCS) {
        put16(ip + 10, 0);
        put16(ip + 10, ~sum16(ip, head, 0) & 0xffff);
    }
    if (len > left || len < head || get16(ip + 6) & 0x3fff)
        return;
    len -= (unsigned int)head;
    if (protocol == 6 && len >= 20 && (large || asked & DESC_TCPCS))
        put16(ip + head + 16, sum16(ip + 12, 8, protocol + len));
    else if (protocol == 17 && len >= 8 && !large && asked & DESC_UDPCS)
        put16(ip + head + 6, sum16(ip + 12, 8, protocol + len));
    else
        return;
    f->csum_blank = true;
    f->mss = large ? (uint16_t)(asked >> 16 & DESC_MSS) : 0;
}

/* --- the old way --- */

/* One of the four, that the guest has given. */
static void send_one(struct rtl8139 *nic, unsigned int n)
{
    const unsigned int reg = RTL_TSD + 4 * n, size = rtl_get(nic, reg, 4) & TSD_SIZE;
    uint8_t bytes[TX_MAX];
    unsigned int status = TSD_OWN;

    if (size <= TX_MAX && !rtl8139_dma_read(nic, rtl_get(nic, RTL_TSAD + 4 * n, 4), bytes, size)) {
        out(nic, &(struct rtl8139_frame){ .bytes = bytes, .len = size });
        status |= TSD_TOK;
    } else {
        status |= TSD_TABT;
    }
    rtl_set(nic, reg, 4, rtl_get(nic, reg, 4) | status);
    rtl8139_interrupt(nic, status & TSD_TOK ? RTL_ISR_TOK : RTL_ISR_TER);
}

void rtl8139_send(struct rtl8139 *nic)
{
    if (!(nic->reg[RTL_CR] & RTL_CR_TE) || nic->reg[RTL_CPCR] & RTL_CPCR_TX)
        return;
    for (unsigned int i = 0; i < 4 && !(rtl_get(nic, RTL_TSD + 4 * nic->tx_next, 4) & TSD_OWN); i++) {
        send_one(nic, nic->tx_next);
        nic->tx_next = (nic->tx_next + 1) % 4;
    }
}

/* --- by descriptors --- */

struct descriptor {
    uint32_t status, vlan;
    uint64_t addr;
};

static uint64_t place(const struct rtl8139 *nic, unsigned int ring, unsigned int at)
{
    return rtl_get64(nic, RTL_TSAD + 8 * ring) + 16 * at;
}

static unsigned int next(const struct descriptor *d, unsigned int at)
{
    return d->status & RTL_DESC_EOR ? 0 : (at + 1) % RTL_DESCRIPTORS;
}

/* What it is about, to the end of the frame. False: not all of it is the card's yet, or it cannot be read. */
static bool gather(struct rtl8139 *nic, unsigned int ring, struct descriptor d[RTL_DESCRIPTORS], unsigned int *nr)
{
    unsigned int at = nic->tx[ring];

    for (*nr = 0; *nr < RTL_DESCRIPTORS; at = next(&d[*nr - 1], at)) {
        if (rtl8139_dma_read(nic, place(nic, ring, at), &d[*nr], sizeof(d[0])) || !(d[*nr].status & RTL_DESC_OWN))
            return false;
        if (d[(*nr)++].status & RTL_DESC_LS)
            return true;
    }
    return true; /* it has no end */
}

/* Its bytes; 0: it is none. */
static size_t collect(struct rtl8139 *nic, const struct descriptor *d, unsigned int nr, uint8_t *bytes)
{
    size_t len = 0;

    if (!(d[0].status & RTL_DESC_FS) || !(d[nr - 1].status & RTL_DESC_LS))
        return 0;
    for (unsigned int i = 0; i < nr; i++) {
        const size_t part = d[i].status & 0xffff;

        if (part > RTL8139_FRAME_MAX - 4 - len || rtl8139_dma_read(nic, d[i].addr, bytes + len, part))
            return 0;
        len += part;
    }
    if (len >= ETH_HEAD && d[0].vlan & DESC_TAGC) {
        memmove(bytes + 16, bytes + 12, len - 12);
        put16(bytes + 12, 0x8100);
        bytes[14] = (uint8_t)d[0].vlan;
        bytes[15] = (uint8_t)(d[0].vlan >> 8);
        len += 4;
    }
    return len;
}

static void release(struct rtl8139 *nic, unsigned int ring, struct descriptor *d, unsigned int nr)
{
    for (unsigned int i = 0; i < nr; i++) {
        const uint64_t where = place(nic, ring, nic->tx[ring]);

        nic->tx[ring] = next(&d[i], nic->tx[ring]);
        d[i].status &= ~(RTL_DESC_OWN | DESC_ASKED);
        rtl8139_dma_write(nic, where, &d[i].status, sizeof(d[i].status));
    }
}

void rtl8139_send_ring(struct rtl8139 *nic, unsigned int ring)
{
    struct descriptor d[RTL_DESCRIPTORS];
    uint8_t bytes[RTL8139_FRAME_MAX];
    unsigned int why = RTL_ISR_TDU;

    if (!(nic->reg[RTL_CR] & RTL_CR_TE) || !(nic->reg[RTL_CPCR] & RTL_CPCR_TX))
        return;
    for (unsigned int nr, done = 0; done < RTL_DESCRIPTORS && gather(nic, ring, d, &nr); done += nr) {
        struct rtl8139_frame f = { .bytes = bytes, .len = collect(nic, d, nr, bytes) };

        sums(&f, bytes, d[0].status);
        release(nic, ring, d, nr);
        if (f.len)
            out(nic, &f);
        why |= f.len ? RTL_ISR_TOK : RTL_ISR_TER;
    }
    rtl8139_interrupt(nic, why);
}
