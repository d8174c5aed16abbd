// SPDX-License-Identifier: GPL-2.0-or-later
/* RTL8139: receiving. See rtl8139.h. */
#include "rings/dm/rtl8139.h"

#include <string.h>

#define ETH_MIN 60u
#define ETH_MAX 1518u /* with a VLAN tag, without the sum */
#define FCS     4u

#define RCR_ALL       0x01
#define RCR_MINE      0x02
#define RCR_MULTICAST 0x04
#define RCR_BROADCAST 0x08
#define RCR_WRAP      0x80 /* a frame at the end of the ring goes on behind it */

/* For whom it was; of descriptors at bit 11 higher. */
#define RSR_ROK       0x0001u
#define RSR_BROADCAST 0x2000u
#define RSR_MINE      0x4000u
#define RSR_MULTICAST 0x8000u
#define RSR_SHIFT     11

/* Ethernet's sum, as it is sent: the lowest bit first. Not yet inverted. */
static uint32_t crc(const uint8_t *bytes, size_t len)
{
    uint32_t val = UINT32_MAX;

    for (size_t i = 0; i < len; i++) {
        val ^= bytes[i];
        for (unsigned int bit = 0; bit < 8; bit++)
            val = val >> 1 ^ (val & 1 ? 0xedb88320u : 0);
    }
    return val;
}

/* The filter's bit of a multicast address: the sum's highest six, the other way around. */
static unsigned int hash(const uint8_t *addr)
{
    const uint32_t val = crc(addr, 6);
    unsigned int bit = 0;

    for (unsigned int i = 0; i < 6; i++)
        bit = bit << 1 | (val >> i & 1);
    return bit;
}

/* RSR_ROK and for whom it is; 0: not for this card. */
static unsigned int status_of(const struct rtl8139 *nic, const uint8_t *to)
{
    static const uint8_t broadcast[6] = { 255, 255, 255, 255, 255, 255 };
    const uint32_t rcr = rtl_get(nic, RTL_RCR, 4);
    const unsigned int bit = hash(to);
    unsigned int who;
    bool wanted;

    if (!memcmp(to, broadcast, 6)) {
        who = RSR_BROADCAST;
        wanted = rcr & RCR_BROADCAST;
    } else if (to[0] & 1) {
        who = RSR_MULTICAST;
        wanted = rcr & RCR_MULTICAST && nic->reg[RTL_MAR + bit / 8] >> bit % 8 & 1;
    } else {
        who = memcmp(to, &nic->reg[RTL_IDR], 6) ? 0 : RSR_MINE;
        wanted = who && rcr & RCR_MINE;
    }
    return wanted || rcr & RCR_ALL ? RSR_ROK | who : 0;
}

static bool receives(const struct rtl8139 *nic) { return !nic->pci.gone && nic->reg[RTL_CR] & RTL_CR_RE; }
static bool by_descriptors(const struct rtl8139 *nic) { return nic->reg[RTL_CPCR] & RTL_CPCR_RX; }

static void lost(struct rtl8139 *nic, unsigned int why)
{
    const uint32_t missed = rtl_get(nic, RTL_MPC, 3);

    nic->missed++;
    if (missed < 0xffffff)
        rtl_set(nic, RTL_MPC, 3, missed + 1);
    if (why)
        rtl8139_interrupt(nic, why);
}

/* --- the ring of bytes --- */

static uint32_t ring_size(const struct rtl8139 *nic) { return 8192u << (rtl_get(nic, RTL_RCR, 4) >> 11 & 3); }

static uint32_t ring_left(const struct rtl8139 *nic)
{
    const uint32_t size = ring_size(nic), used = (rtl_get(nic, RTL_CBR, 2) - rtl_get(nic, RTL_CAPR, 2) - 16) % size;

    return size - used;
}

/* What a frame takes. One byte more is left, or a full ring would look empty. */
static uint32_t ring_needs(size_t len) { return (uint32_t)(4 + len + FCS + 3) & ~3u; }

static void ring_put(struct rtl8139 *nic, const uint8_t *bytes, size_t len, unsigned int status)
{
    const uint32_t size = ring_size(nic), start = rtl_get(nic, RTL_RBSTART, 4), at = rtl_get(nic, RTL_CBR, 2) % size;
    const bool whole = rtl_get(nic, RTL_RCR, 4) & RCR_WRAP && size < 0x10000;
    const uint32_t sum = ~crc(bytes, len);
    uint8_t entry[4 + ETH_MAX + FCS] = { (uint8_t)status, (uint8_t)(status >> 8), (uint8_t)(len + FCS),
                                         (uint8_t)((len + FCS) >> 8) };
    const uint32_t total = (uint32_t)(4 + len + FCS);
    const uint32_t first = whole || total < size - at ? total : size - at;

    memcpy(entry + 4, bytes, len);
    memcpy(entry + 4 + len, &sum, FCS);
    rtl8139_dma_write(nic, start + at, entry, first);
    if (first < total)
        rtl8139_dma_write(nic, start, entry + first, total - first);
    rtl_set(nic, RTL_CBR, 2, (at + ring_needs(len)) % size);
}

/* --- descriptors --- */

static uint64_t place(const struct rtl8139 *nic) { return rtl_get64(nic, RTL_RDSAR) + 16 * nic->rx; }

/* False: it is too long for its descriptor, and that is left. */
static bool descriptor_put(struct rtl8139 *nic, const uint8_t *bytes, size_t len, unsigned int status)
{
    const uint32_t sum = ~crc(bytes, len);
    const uint64_t where = place(nic);
    struct {
        uint32_t status, vlan;
        uint64_t addr;
    } d;

    if (rtl8139_dma_read(nic, where, &d, sizeof(d)) || (d.status & 0x1fff) < len + FCS)
        return false;
    nic->rx = d.status & RTL_DESC_EOR ? 0 : (nic->rx + 1) % RTL_DESCRIPTORS;
    rtl8139_dma_write(nic, d.addr, bytes, len);
    rtl8139_dma_write(nic, d.addr + len, &sum, FCS);
    d.status = (d.status & RTL_DESC_EOR) | RTL_DESC_FS | RTL_DESC_LS | (status & ~RSR_ROK) << RSR_SHIFT |
               (uint32_t)(len + FCS);
    d.vlan = 0;
    rtl8139_dma_write(nic, where, &d, 8);
    return true;
}

static bool descriptor_is_ours(struct rtl8139 *nic)
{
    uint32_t status;

    return !rtl8139_dma_read(nic, place(nic), &status, sizeof(status)) && status & RTL_DESC_OWN;
}

/* --- both --- */

bool rtl8139_room(struct rtl8139 *nic)
{
    if (!receives(nic))
        return true;
    return by_descriptors(nic) ? descriptor_is_ours(nic) : ring_left(nic) > ring_needs(ETH_MAX);
}

void rtl8139_receive(struct rtl8139 *nic, const uint8_t *bytes, size_t len)
{
    uint8_t padded[ETH_MIN] = { 0 };
    unsigned int status;

    if (!receives(nic) || len < 14)
        return;
    if (len > ETH_MAX) {
        lost(nic, 0);
        return;
    }
    if (len < ETH_MIN)
        bytes = memcpy(padded, bytes, len);
    len = len < ETH_MIN ? ETH_MIN : len;
    status = status_of(nic, bytes);
    if (!status)
        return;
    if (by_descriptors(nic) ? !descriptor_is_ours(nic) : ring_left(nic) <= ring_needs(len)) {
        lost(nic, RTL_ISR_RXOVW);
        return;
    }
    if (!by_descriptors(nic)) {
        ring_put(nic, bytes, len, status);
    } else if (!descriptor_put(nic, bytes, len, status)) {
        lost(nic, 0);
        return;
    }
    nic->received++;
    rtl8139_interrupt(nic, RTL_ISR_ROK);
}
