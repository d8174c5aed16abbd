// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * RTL8139: its registers, and the EEPROM that knows its address. rtl8139.h says what it is.
 *
 * Registers are bytes: an access of any size writes those bits that can be written, and what is to happen then happens
 * once, when all of its bytes are there. What the card makes up is put in its place before a read.
 */
#include "rings/dm/rtl8139.h"

#include <string.h>

#define TCR_VERSION 0x74800000u /* C+ */
#define UNLOCKED    0xc0        /* 9346CR: configuration can be written */

/* --- the timer: 33 MHz --- */

static uint64_t ticks(struct rtl8139 *nic)
{
    return (uint64_t)(nic->board->ops->now(nic->board) - nic->since) / 1000 * 33 +
           (uint64_t)(nic->board->ops->now(nic->board) - nic->since) % 1000 * 33 / 1000;
}

/* TCTR comes to TimerInt again and again. */
static void alarm_set(struct rtl8139 *nic)
{
    const uint64_t now = ticks(nic), period = UINT64_C(1) << 32;
    uint64_t at = rtl_get(nic, RTL_TIMERINT, 4);

    if (!at) {
        if (nic->alarm.due)
            nic->board->ops->timer(nic->board, &nic->alarm, 0);
        return;
    }
    if (now >= at)
        at += ((now - at) / period + 1) * period;
    nic->board->ops->timer(nic->board, &nic->alarm,
                           nic->since + (s_time_t)((at / 33) * 1000 + (at % 33 * 1000 + 32) / 33));
}

static void alarm_rings(void *dev)
{
    rtl8139_interrupt(dev, RTL_ISR_TIME);
    alarm_set(dev);
}

/* --- the EEPROM: a 93C46, 64 words, that is only read --- */

#define EE_DO     0x01
#define EE_DI     0x02
#define EE_SK     0x04
#define EE_CS     0x08
#define EE_SERIAL 0x80 /* of bits 7 and 6: the lines are the guest's */

static uint16_t eeprom_word(const struct rtl8139 *nic, unsigned int at)
{
    switch (at) {
    case 0: return 0x8129; /* it is one */
    case 1: return 0x10ec;
    case 2: return 0x8139;
    case 3: return 0x1100; /* the subsystem */
    case 4: return 0x1af4;
    case 7:
    case 8:
    case 9: return (uint16_t)(nic->mac[2 * (at - 7)] | nic->mac[2 * (at - 7) + 1] << 8);
    default: return 0;
    }
}

/* A rising clock: a bit of the command comes, a 1 first; or one of the word goes out. */
static void eeprom_clock(struct rtl8139 *nic, bool in)
{
    struct rtl8139_eeprom *e = &nic->eeprom;

    if (e->nr == 9) {
        e->out = e->shift >> 15;
        e->shift = (uint16_t)(e->shift << 1);
        return;
    }
    if (!e->nr && !in)
        return;
    e->command = (uint16_t)(e->command << 1 | in);
    if (++e->nr < 9)
        return;
    e->shift = (e->command >> 6 & 3) == 2 ? eeprom_word(nic, e->command & 63) : 0xffff; /* others: "ready" */
    e->out = (e->command >> 6 & 3) != 2;
}

static void eeprom_lines(struct rtl8139 *nic, uint8_t was, uint8_t val)
{
    if ((val & UNLOCKED) != EE_SERIAL || !(val & EE_CS))
        nic->eeprom = (struct rtl8139_eeprom){ .out = true };
    else if (val & EE_SK && !(was & EE_SK))
        eeprom_clock(nic, val & EE_DI);
}

/* --- registers --- */

static void reset(struct rtl8139 *nic)
{
    memset(nic->reg, 0, sizeof(nic->reg));
    memcpy(&nic->reg[RTL_IDR], nic->mac, 6);
    for (unsigned int n = 0; n < 4; n++)
        rtl_set(nic, RTL_TSD + 4 * n, 4, 1u << 13);
    rtl_set(nic, RTL_CAPR, 2, 0xfff0);
    rtl_set(nic, RTL_TCR, 4, TCR_VERSION);
    nic->reg[RTL_CONFIG0] = nic->rom ? 0x10 : 0;
    nic->reg[RTL_CONFIG1] = 0x0c; /* at ports and at addresses */
    nic->reg[RTL_MSR] = 0xd0;     /* a cable, 100 Mbit/s */
    rtl_set(nic, RTL_BMCR, 2, 0x3100);
    rtl_set(nic, RTL_BMSR, 2, 0x782d);
    rtl_set(nic, RTL_ANAR, 2, 0x05e1);
    rtl_set(nic, RTL_ANLPAR, 2, 0x45e1);
    rtl_set(nic, RTL_ANER, 2, 1);
    nic->tx_next = nic->tx[0] = nic->tx[1] = nic->rx = 0;
    nic->since = nic->board->ops->now(nic->board);
    alarm_set(nic);
    rtl8139_update_line(nic);
}

/* The bits of a register that the guest may write. (ISR is another matter.) */
static const struct writable {
    uint8_t reg, size;
    bool locked; /* only while configuration is */
    uint32_t bits;
} writable[] = {
    { RTL_IDR, 4, true, UINT32_MAX },       { RTL_IDR + 4, 2, true, 0xffff },
    { RTL_MAR, 4, false, UINT32_MAX },      { RTL_MAR + 4, 4, false, UINT32_MAX },
    { RTL_TSD, 4, false, 0x003f3fff },      { RTL_TSD + 4, 4, false, 0x003f3fff },
    { RTL_TSD + 8, 4, false, 0x003f3fff },  { RTL_TSD + 12, 4, false, 0x003f3fff },
    { RTL_TSAD, 4, false, UINT32_MAX },     { RTL_TSAD + 4, 4, false, UINT32_MAX },
    { RTL_TSAD + 8, 4, false, UINT32_MAX }, { RTL_TSAD + 12, 4, false, UINT32_MAX },
    { RTL_RBSTART, 4, false, UINT32_MAX },  { RTL_CR, 1, false, RTL_CR_RST | RTL_CR_RE | RTL_CR_TE },
    { RTL_CAPR, 2, false, 0xffff },         { RTL_IMR, 2, false, 0xffff },
    { RTL_TCR, 4, false, 0x030707f0 },      { RTL_RCR, 4, false, 0x0f03ffbf },
    { RTL_9346CR, 1, false, 0xce },         { RTL_CONFIG1, 1, true, 0xf3 },
    { RTL_TIMERINT, 4, false, UINT32_MAX }, { RTL_CONFIG3, 2, true, 0xffff },
    { RTL_MULINT, 2, false, 0x0fff },       { RTL_BMCR, 2, false, 0xb300 },
    { RTL_ANAR, 2, false, 0x0de0 },         { RTL_CONFIG5, 1, true, 0x7f },
    { RTL_TPPOLL, 1, false, 0xc1 },         { RTL_CPCR, 2, false, 0x007f },
    { RTL_RDSAR, 4, false, UINT32_MAX },    { RTL_RDSAR + 4, 4, false, UINT32_MAX },
};

static uint8_t writable_bits(const struct rtl8139 *nic, unsigned int at)
{
    for (const struct writable *w = writable; w < writable + sizeof(writable) / sizeof(writable[0]); w++)
        if (at - w->reg < w->size)
            return w->locked && (nic->reg[RTL_9346CR] & UNLOCKED) != UNLOCKED ? 0
                                                                              : (uint8_t)(w->bits >> 8 * (at - w->reg));
    return 0;
}

/* An access, while it goes on. */
struct touched {
    unsigned int at, size;
};

static bool is(const struct touched *t, unsigned int reg, unsigned int size)
{
    return t->at < reg + size && reg < t->at + t->size;
}

/* CR: what begins anew begins at the first descriptor. */
static void command(struct rtl8139 *nic, uint8_t was)
{
    const uint8_t rises = nic->reg[RTL_CR] & (uint8_t)~was;

    if (nic->reg[RTL_CR] & RTL_CR_RST) {
        reset(nic);
        return;
    }
    if (rises & RTL_CR_TE)
        nic->tx_next = nic->tx[0] = nic->tx[1] = 0;
    if (rises & RTL_CR_RE) {
        nic->rx = 0;
        if (!(nic->reg[RTL_CPCR] & RTL_CPCR_RX))
            rtl_set(nic, RTL_CBR, 2, 0);
    }
    rtl8139_send(nic);
}

static void poll(struct rtl8139 *nic)
{
    const uint8_t val = nic->reg[RTL_TPPOLL];

    nic->reg[RTL_TPPOLL] = 0;
    if (val & 0x80)
        rtl8139_send_ring(nic, 1);
    if (val & 0x40)
        rtl8139_send_ring(nic, 0);
    if (val & 0x01)
        rtl8139_interrupt(nic, RTL_ISR_SWINT);
}

/* Those registers whose writing does something. */
static void written(struct rtl8139 *nic, const struct touched *t, const uint8_t was[256])
{
    if (is(t, RTL_CR, 1))
        command(nic, was[RTL_CR]);
    if (is(t, RTL_TSD, 16) && !(nic->reg[RTL_CPCR] & RTL_CPCR_TX))
        rtl8139_send(nic);
    if (is(t, RTL_TSAD, 8) && nic->reg[RTL_CPCR] & RTL_CPCR_TX)
        nic->tx[0] = 0;
    if (is(t, RTL_TSAD + 8, 8) && nic->reg[RTL_CPCR] & RTL_CPCR_TX)
        nic->tx[1] = 0;
    if (is(t, RTL_RDSAR, 8))
        nic->rx = 0;
    if (is(t, RTL_TCTR, 4))
        nic->since = nic->board->ops->now(nic->board);
    if (is(t, RTL_TCTR, 4) || is(t, RTL_TIMERINT, 4))
        alarm_set(nic);
    if (is(t, RTL_MPC, 3))
        rtl_set(nic, RTL_MPC, 3, 0);
    if (is(t, RTL_9346CR, 1)) {
        eeprom_lines(nic, was[RTL_9346CR], nic->reg[RTL_9346CR]);
        if ((nic->reg[RTL_9346CR] & UNLOCKED) == 0x40) /* read it again; done at once */
            memcpy(&nic->reg[RTL_IDR], nic->mac, 6), nic->reg[RTL_9346CR] = 0;
    }
    if (is(t, RTL_BMCR, 2) && rtl_get(nic, RTL_BMCR, 2) & 0x8000)
        rtl_set(nic, RTL_BMCR, 2, 0x3100);
    nic->reg[RTL_BMCR + 1] &= (uint8_t)~0x02; /* negotiated again, at once */
    if (is(t, RTL_TPPOLL, 1))
        poll(nic);
    rtl8139_update_line(nic);
    if (is(t, RTL_CR, 12) || is(t, RTL_RCR, 4) || is(t, RTL_CPCR, 12))
        nic->ops->room(nic->data);
}

static void reg_write(void *dev, uint64_t offset, unsigned int size, uint64_t val)
{
    struct rtl8139 *nic = dev;
    const struct touched t = { (unsigned int)offset, size };
    uint8_t was[256];

    memcpy(was, nic->reg, sizeof(was));
    for (unsigned int at = t.at; at < t.at + size; at++) {
        const uint8_t byte = (uint8_t)(val >> 8 * (at - t.at)), bits = writable_bits(nic, at);

        if (at - RTL_ISR < 2u)
            nic->reg[at] &= (uint8_t)~byte;
        else
            nic->reg[at] = (uint8_t)((nic->reg[at] & ~bits) | (byte & bits));
    }
    for (unsigned int n = 0; n < 4; n++) /* given to the card anew: how the last went is gone */
        if (is(&t, RTL_TSD + 4 * n, 4) && !(nic->reg[RTL_TSD + 4 * n + 1] & 0x20))
            rtl_set(nic, RTL_TSD + 4 * n, 4, rtl_get(nic, RTL_TSD + 4 * n, 4) & 0x003f1fff);
    written(nic, &t, was);
}

/* What is made up. */
static void refresh(struct rtl8139 *nic)
{
    uint32_t all = 0;

    for (unsigned int n = 0; n < 4; n++) {
        const uint32_t tsd = rtl_get(nic, RTL_TSD + 4 * n, 4);

        all |= (tsd >> 13 & 1) << n | (tsd >> 30 & 1) << (4 + n) | (tsd >> 14 & 1) << (8 + n) |
               (tsd >> 15 & 1) << (12 + n);
    }
    rtl_set(nic, RTL_TSAD_ALL, 2, all);
    rtl_set(nic, RTL_TCTR, 4, (uint32_t)ticks(nic));
    nic->reg[RTL_CR] &= (uint8_t)~RTL_CR_BUFE;
    if ((uint16_t)(rtl_get(nic, RTL_CAPR, 2) + 16) % (8192u << (rtl_get(nic, RTL_RCR, 4) >> 11 & 3)) ==
        rtl_get(nic, RTL_CBR, 2))
        nic->reg[RTL_CR] |= RTL_CR_BUFE;
    nic->reg[RTL_9346CR] =
        (uint8_t)((nic->reg[RTL_9346CR] & ~EE_DO) | (nic->reg[RTL_9346CR] & EE_CS && nic->eeprom.out ? EE_DO : 0));
}

static uint64_t reg_read(void *dev, uint64_t offset, unsigned int size)
{
    struct rtl8139 *nic = dev;
    uint64_t val = 0;

    refresh(nic);
    for (unsigned int i = 0; i < size; i++)
        val |= (uint64_t)nic->reg[offset + i] << 8 * i;
    return val;
}

static const struct dm_region_ops reg_ops = { reg_read, reg_write };

/* --- the ROM --- */

static uint64_t rom_read(void *dev, uint64_t offset, unsigned int size)
{
    const struct rtl8139 *nic = dev;
    uint64_t val = 0;

    memcpy(&val, nic->rom + offset, size);
    return val;
}

static void rom_write(void *dev, uint64_t offset, unsigned int size, uint64_t val) {}

static const struct dm_region_ops rom_ops = { rom_read, rom_write };

/* --- its life --- */

bool rtl8139_init(struct rtl8139 *nic, struct pci_bus *bus, uint8_t devfn, const uint8_t mac[6], const uint8_t *rom,
                  const struct rtl8139_ops *ops, void *data)
{
    *nic = (struct rtl8139){ .board = bus->board, .ops = ops, .data = data, .rom = rom };
    memcpy(nic->mac, mac, 6);
    nic->alarm = (struct dm_timer){ .fn = alarm_rings, .dev = nic };
    pci_device_init(&nic->pci, devfn, 0x10ec, 0x8139, 0x020000, nic);
    nic->pci.config[PCI_REVISION] = 0x20; /* C+ */
    nic->pci.config[PCI_INTERRUPT_PIN] = 1;
    nic->pci.writable[PCI_COMMAND] |= PCI_COMMAND_INVALIDATE; /* kept, without effect, and so are the two: */
    nic->pci.writable[PCI_CACHE_LINE_SIZE] = nic->pci.writable[PCI_LATENCY_TIMER] = 0xff;
    pci_set(&nic->pci, PCI_SUBSYSTEM, 4, 0x11001af4);
    pci_bar_init(&nic->pci, 0, DM_PORT, 0x100, &reg_ops, nic);
    pci_bar_init(&nic->pci, 1, DM_MEMORY, 0x100, &reg_ops, nic);
    if (rom)
        pci_bar_init(&nic->pci, PCI_BAR_ROM, DM_MEMORY, RTL8139_ROM_SIZE, &rom_ops, nic);
    reset(nic);
    return pci_add(bus, &nic->pci);
}

void rtl8139_unplug(struct rtl8139 *nic)
{
    rtl_set(nic, RTL_TIMERINT, 4, 0);
    alarm_set(nic);
    pci_unplug(&nic->pci);
    rtl8139_update_line(nic);
}

void rtl8139_state(struct rtl8139 *nic, struct dm_state *s, unsigned int nr)
{
    state_begin(s, "rtl8139", nr);
    pci_state(&nic->pci, s);
    STATE_BYTES(s, nic->reg);
    STATE_MAX(s, nic->tx_next, 3);
    STATE_MAX(s, nic->tx[0], RTL_DESCRIPTORS - 1);
    STATE_MAX(s, nic->tx[1], RTL_DESCRIPTORS - 1);
    STATE_MAX(s, nic->rx, RTL_DESCRIPTORS - 1);
    state_time(s, "since", nic->board, &nic->since);
    state_timer(s, "alarm", nic->board, &nic->alarm);
    STATE_MAX(s, nic->eeprom.nr, 9);
    STATE(s, nic->eeprom.command);
    STATE(s, nic->eeprom.shift);
    STATE_BOOL(s, nic->eeprom.out);
    STATE(s, nic->sent);
    STATE(s, nic->received);
    STATE(s, nic->missed);
    state_end(s);
}
