// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A network card: Realtek RTL8139C+.
 *
 * Concept: the card has 256 bytes of registers, the same at its ports and its addresses, and reaches frames in the
 * guest's memory by itself. It does so in one of two ways, which the guest chooses:
 *
 *      old, as the RTL8139 (C)                          new, by descriptors (C+)
 *      send     four registers of an address, TSAD,     a ring of up to 64 descriptors; its address is where TSAD is.
 *               and a length, TSD. Writing TSD sends    A frame may lie in several. Writing TPPoll sends
 *      receive  a ring of bytes, 8 to 64 KiB: a header  a ring of up to 64 descriptors, a frame each
 *               of 4, the frame and its sum, the next
 *               at the next multiple of 4. CBR is where
 *               the card writes, CAPR + 16 where the
 *               guest reads
 *
 *      descriptor   OWN 31: the card's   last in the ring 30   first, last of the frame 29, 28   length 15..0
 *      to send      cut up 27, at 26..16, or sums of IP 18, UDP 17, TCP 16    next word: VLAN tag
 *
 * Who is at the other end of the cable is the owner's affair (struct rtl8139_ops). A frame that the guest leaves to the
 * card to sum up or to cut up goes out as it is, with what is to be done: on the way to another guest nobody needs to.
 * What comes in is asked to wait while the ring is full.
 *
 *      guest --TSD, TPPoll--> rtl8139_tx.c --send()--> cable --rtl8139_receive()--> rtl8139_rx.c --> ring, interrupt
 *
 * Invariants: an access is work of at most 64 descriptors. Nothing in the guest's memory is believed: lengths are
 * limited, and addresses may be anywhere. INTA# is up exactly if ISR and IMR have a bit in common.
 *
 * Left out: waking the machine, flow control, VLAN tags of what comes in (they stay in the frame), writing the EEPROM,
 * the sums of what comes in (they are right, and the guest is left to find that out); the largest packet's length, RMS,
 * by which drivers know an RTL8169.
 *
 * Sources: Realtek RTL8139C(L)+ data sheet 1.6, RTL8139(A/B) programming guide 0.1; Microchip 93C46.
 */
#ifndef RINGS_DM_RTL8139_H
#define RINGS_DM_RTL8139_H

#include "rings/dm/pci.h"

#define RTL8139_FRAME_MAX 65535u
#define RTL8139_ROM_SIZE  0x20000u

/* A frame that goes out. */
struct rtl8139_frame {
    const uint8_t *bytes;
    size_t len;
    bool csum_blank; /* the TCP or UDP sum covers the pseudo header only */
    uint16_t mss;    /* TCP over IPv4, to be cut up into so many bytes; 0: it is not */
};

struct rtl8139_ops {
    void (*send)(void *data, const struct rtl8139_frame *f);
    /* There may be room for what waits: it is only noted, and given later. */
    void (*room)(void *data);
};

struct rtl8139 {
    struct dm_board *board;
    struct pci_device pci;
    const struct rtl8139_ops *ops;
    void *data;
    const uint8_t *rom; /* RTL8139_ROM_SIZE bytes, or NULL */
    uint8_t mac[6];
    uint8_t reg[256];            /* as they are read, but those that rtl8139.c makes up */
    unsigned int tx_next;        /* of the four */
    unsigned int tx[2], rx;      /* of the rings: the descriptor that is next; tx[1]: high priority */
    s_time_t since;              /* TCTR was 0 */
    struct dm_timer alarm;       /* TCTR reaches TimerInt */
    struct rtl8139_eeprom {      /* the serial line to it */
        unsigned int nr;         /* bits of the command that have come; 0 to 9 */
        uint16_t command, shift; /* what goes out, the highest bit next */
        bool out;                /* EEDO */
    } eeprom;
    uint64_t sent, received, missed; /* frames */
};

/* On the bus. rom may be NULL. False: there is no room on the bus. */
bool rtl8139_init(struct rtl8139 *nic, struct pci_bus *bus, uint8_t devfn, const uint8_t mac[6], const uint8_t *rom,
                  const struct rtl8139_ops *ops, void *data);
/* It is taken away. */
void rtl8139_unplug(struct rtl8139 *nic);
/* Would a frame be taken? True also if it would be for nobody. */
bool rtl8139_room(struct rtl8139 *nic);
/* One comes in, without its sum. What there is no room for is lost, and counted. */
void rtl8139_receive(struct rtl8139 *nic, const uint8_t *bytes, size_t len);

/* Its address is the configuration's; what the guest has in its registers stays. */
void rtl8139_state(struct rtl8139 *nic, struct dm_state *s, unsigned int nr);

/* --- its parts to each other --- */

enum {
    RTL_IDR = 0x00,
    RTL_MAR = 0x08,
    RTL_TSD = 0x10,
    RTL_TSAD = 0x20, /* C+: the rings of descriptors, 0x20 and 0x28 */
    RTL_RBSTART = 0x30,
    RTL_CR = 0x37,
    RTL_CAPR = 0x38,
    RTL_CBR = 0x3a,
    RTL_IMR = 0x3c,
    RTL_ISR = 0x3e,
    RTL_TCR = 0x40,
    RTL_RCR = 0x44,
    RTL_TCTR = 0x48,
    RTL_MPC = 0x4c,
    RTL_9346CR = 0x50,
    RTL_CONFIG0 = 0x51,
    RTL_CONFIG1 = 0x52,
    RTL_TIMERINT = 0x54,
    RTL_MSR = 0x58,
    RTL_CONFIG3 = 0x59,
    RTL_CONFIG4 = 0x5a,
    RTL_MULINT = 0x5c,
    RTL_TSAD_ALL = 0x60,
    RTL_BMCR = 0x62,
    RTL_BMSR = 0x64,
    RTL_ANAR = 0x66,
    RTL_ANLPAR = 0x68,
    RTL_ANER = 0x6a,
    RTL_CONFIG5 = 0xd8,
    RTL_TPPOLL = 0xd9,
    RTL_CPCR = 0xe0,
    RTL_RDSAR = 0xe4,
};

#define RTL_CR_BUFE 0x01
#define RTL_CR_TE   0x04
#define RTL_CR_RE   0x08
#define RTL_CR_RST  0x10

#define RTL_ISR_ROK   0x0001
#define RTL_ISR_TOK   0x0004
#define RTL_ISR_TER   0x0008
#define RTL_ISR_RXOVW 0x0010 /* C+: no descriptor */
#define RTL_ISR_TDU   0x0080 /* C+: no more to send */
#define RTL_ISR_SWINT 0x0100
#define RTL_ISR_TIME  0x4000

#define RTL_CPCR_TX 0x01
#define RTL_CPCR_RX 0x02

#define RTL_DESCRIPTORS 64u
#define RTL_DESC_OWN    (1u << 31)
#define RTL_DESC_EOR    (1u << 30)
#define RTL_DESC_FS     (1u << 29)
#define RTL_DESC_LS     (1u << 28)

static inline uint32_t rtl_get(const struct rtl8139 *nic, unsigned int reg, unsigned int size)
{
    uint32_t val = 0;

    for (unsigned int i = 0; i < size; i++)
        val |= (uint32_t)nic->reg[reg + i] << 8 * i;
    return val;
}

static inline void rtl_set(struct rtl8139 *nic, unsigned int reg, unsigned int size, uint32_t val)
{
    for (unsigned int i = 0; i < size; i++)
        nic->reg[reg + i] = (uint8_t)(val >> 8 * i);
}

static inline uint64_t rtl_get64(const struct rtl8139 *nic, unsigned int reg)
{
    return rtl_get(nic, reg, 4) | (uint64_t)rtl_get(nic, reg + 4, 4) << 32;
}

/* rtl8139_bus.c: guest memory, if the card may be the bus's master; an interrupt for these reasons; its line. */
int rtl8139_dma_read(struct rtl8139 *nic, uint64_t gpa, void *buf, size_t len);
int rtl8139_dma_write(struct rtl8139 *nic, uint64_t gpa, const void *buf, size_t len);
void rtl8139_interrupt(struct rtl8139 *nic, unsigned int why);
void rtl8139_update_line(struct rtl8139 *nic);
/* rtl8139_tx.c: send what is given to the card, the old way, or by ring 0 or 1. */
void rtl8139_send(struct rtl8139 *nic);
void rtl8139_send_ring(struct rtl8139 *nic, unsigned int ring);

#endif
