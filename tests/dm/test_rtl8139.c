// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The network card: its address, both ways to send and to receive, what does not fit, its timer; any access.
 *
 * Budget: over 400 lines, since it has two ways for each direction.
 */
#include "tests/dm/board.h"

#include "rings/dm/rtl8139.h"

#define PORT  0xc000
#define DEVFN (4 << 3)

static const uint8_t mac[6] = { 0x00, 0x16, 0x3e, 0x01, 0x02, 0x03 };

struct cable {
    struct board *b;
    struct pci_bus bus;
    struct rtl8139 nic;
    unsigned int sent, rooms;
    size_t len;
    uint8_t last[RTL8139_FRAME_MAX];
    bool csum;
    uint16_t mss;
};

static void on_send(void *data, const struct rtl8139_frame *f)
{
    struct cable *c = data;

    assert_in_range(f->len, 14, RTL8139_FRAME_MAX);
    c->sent++;
    c->len = f->len;
    memcpy(c->last, f->bytes, f->len);
    c->csum = f->csum_blank;
    c->mss = f->mss;
}

static void on_room(void *data) { ((struct cable *)data)->rooms++; }

static const struct rtl8139_ops ops = { on_send, on_room };

static int setup(void **state)
{
    struct cable *c = calloc(1, sizeof(*c));

    c->b = board_create();
    pci_bus_init(&c->bus, &c->b->dm);
    assert_true(rtl8139_init(&c->nic, &c->bus, DEVFN, mac, NULL, &ops, c));
    pci_config_write(&c->bus, DEVFN, 0x10, 4, PORT);
    pci_config_write(&c->bus, DEVFN, 0x14, 4, 0xf0000000);
    pci_config_write(&c->bus, DEVFN, 4, 2, 7);
    *state = c;
    return 0;
}

static int teardown(void **state)
{
    struct cable *c = *state;

    free(c->b);
    free(c);
    return 0;
}

static void out(struct cable *c, unsigned int reg, unsigned int size, uint64_t val)
{
    board_write(c->b, DM_PORT, PORT + reg, size, val);
}

static uint64_t in(struct cable *c, unsigned int reg, unsigned int size)
{
    return board_read(c->b, DM_PORT, PORT + reg, size);
}

static bool line(struct cable *c) { return c->b->intx[4][0]; }

static uint32_t get32(struct cable *c, uint64_t at)
{
    uint32_t val;

    memcpy(&val, &c->b->memory[at], 4);
    return val;
}

static void put32(struct cable *c, uint64_t at, uint32_t val) { memcpy(&c->b->memory[at], &val, 4); }

/* --- what it is --- */

static void as_found(void **state)
{
    struct cable *c = *state;

    assert_int_equal(pci_config_read(&c->bus, DEVFN, 0, 4), 0x813910ec);
    assert_int_equal(pci_config_read(&c->bus, DEVFN, 8, 4), 0x02000020);
    pci_config_write(&c->bus, DEVFN, 0x0c, 2, 0x4010); /* Linux wants its line's size taken */
    assert_int_equal(pci_config_read(&c->bus, DEVFN, 0x0c, 4), 0x4010);
    pci_config_write(&c->bus, DEVFN, 0x14, 4, UINT32_MAX);
    assert_int_equal(pci_config_read(&c->bus, DEVFN, 0x14, 4), 0xffffff00);
    for (unsigned int i = 0; i < 6; i++)
        assert_int_equal(in(c, RTL_IDR + i, 1), mac[i]);
    assert_int_equal(in(c, RTL_TCR, 4), 0x74800000);
    assert_int_equal(in(c, RTL_CR, 1), RTL_CR_BUFE);
    assert_int_equal(in(c, RTL_TSAD_ALL, 2), 0x000f);
    out(c, RTL_IDR, 4, 0x44332211); /* locked */
    assert_int_equal(in(c, RTL_IDR, 4), 0x013e1600);
    out(c, RTL_9346CR, 1, 0xc0);
    out(c, RTL_IDR, 4, 0x44332211);
    out(c, RTL_IDR + 4, 2, 0x6655);
    assert_int_equal(in(c, RTL_IDR + 2, 4), 0x66554433);
    out(c, RTL_9346CR, 1, 0x40); /* as the EEPROM has it */
    assert_int_equal(in(c, RTL_IDR, 4), 0x013e1600);
    out(c, RTL_IMR, 2, 0xffff);
    out(c, RTL_CR, 1, RTL_CR_RST | RTL_CR_TE);
    assert_int_equal(in(c, RTL_CR, 1), RTL_CR_BUFE);
    assert_int_equal(in(c, RTL_IMR, 2), 0);
}

static uint16_t eeprom(struct cable *c, unsigned int command)
{
    uint16_t val = 0;

    out(c, RTL_9346CR, 1, 0x88);
    for (int i = 8; i >= 0; i--)
        for (unsigned int clock = 0; clock < 2; clock++)
            out(c, RTL_9346CR, 1, 0x88 | (command >> i & 1) << 1 | clock << 2);
    assert_int_equal(in(c, RTL_9346CR, 1) & 1, (command >> 6 & 3) != 2); /* the bit in front of the word */
    for (unsigned int i = 0; i < 16; i++) {
        out(c, RTL_9346CR, 1, 0x88);
        out(c, RTL_9346CR, 1, 0x8c);
        val = (uint16_t)(val << 1 | (in(c, RTL_9346CR, 1) & 1));
    }
    out(c, RTL_9346CR, 1, 0);
    return val;
}

static void address_in_eeprom(void **state)
{
    struct cable *c = *state;

    assert_int_equal(eeprom(c, 0x180), 0x8129);
    assert_int_equal(eeprom(c, 0x180 + 7), 0x1600);
    assert_int_equal(eeprom(c, 0x180 + 8), 0x013e);
    assert_int_equal(eeprom(c, 0x180 + 9), 0x0302);
    assert_int_equal(eeprom(c, 0x140 + 9), 0xffff); /* a write */
    assert_int_equal(eeprom(c, 0x180 + 9), 0x0302);
}

/* --- the old way --- */

static void sends(void **state)
{
    struct cable *c = *state;

    for (unsigned int i = 0; i < 2000; i++)
        c->b->memory[0x1000 + i] = (uint8_t)i;
    out(c, RTL_IMR, 2, RTL_ISR_TOK | RTL_ISR_TER);
    for (unsigned int n = 0; n < 9; n++) {
        const unsigned int reg = RTL_TSD + 4 * (n % 4);

        out(c, RTL_TSAD + 4 * (n % 4), 4, 0x1000 + n);
        if (!n) {
            out(c, reg, 4, 100); /* waits for TE */
            assert_int_equal(c->sent, 0);
            out(c, RTL_CR, 1, RTL_CR_TE);
        } else {
            out(c, reg, 4, 100 + n);
        }
        assert_int_equal(c->sent, n + 1);
        assert_int_equal(c->len, 100 + n);
        assert_memory_equal(c->last, &c->b->memory[0x1000 + n], c->len);
        assert_int_equal(in(c, reg, 4), 0xa000 + 100 + n);
        assert_true(line(c));
        assert_int_equal(in(c, RTL_ISR, 2), RTL_ISR_TOK);
        out(c, RTL_ISR, 2, RTL_ISR_TOK);
        assert_false(line(c));
    }
    out(c, RTL_TSD + 8, 4, 100); /* not its turn: 1 is next */
    assert_int_equal(c->sent, 9);
    out(c, RTL_TSD + 4, 4, 1792);
    assert_int_equal(c->sent, 11);
    out(c, RTL_TSD + 12, 4, 1793); /* too long */
    assert_int_equal(in(c, RTL_TSD + 12, 4) & 0x40008000, 0x40000000);
    out(c, RTL_TSAD, 4, BOARD_MEMORY - 10); /* nothing is there */
    out(c, RTL_TSD, 4, 60);
    assert_int_equal(in(c, RTL_ISR, 2), RTL_ISR_TOK | RTL_ISR_TER);
    pci_config_write(&c->bus, DEVFN, 4, 2, 3); /* not the bus's master */
    out(c, RTL_TSAD + 4, 4, 0x1000);
    out(c, RTL_TSD + 4, 4, 60);
    assert_int_equal(c->sent, 11);
}

static void frame_to(uint8_t *f, const char *to, size_t len, uint8_t fill)
{
    memset(f, fill, len);
    memcpy(f, to, 6);
}

#define MINE  "\x00\x16\x3e\x01\x02\x03"
#define OTHER "\x00\x16\x3e\x01\x02\x04"
#define ALL   "\xff\xff\xff\xff\xff\xff"
#define MANY  "\x01\x00\x5e\x00\x00\x01"

static void filter(void **state)
{
    struct cable *c = *state;
    static const struct {
        uint32_t rcr;
        const char *to;
        unsigned int status; /* 0: not taken */
    } cases[] = {
        { 0, MINE, 0 },      { 2, MINE, 0x4001 },   { 2, OTHER, 0 },    { 1, OTHER, 1 },
        { 1, MINE, 0x4001 }, { 0xe, OTHER, 0 },     { 8, ALL, 0x2001 }, { 6, ALL, 0 },
        { 4, MANY, 0x8001 }, { 0xb, MANY, 0x8001 }, { 0xa, MANY, 0 },
    };
    uint8_t f[60];
    unsigned int at = 0;

    out(c, RTL_RBSTART, 4, 0x10000);
    out(c, RTL_CR, 1, RTL_CR_RE);
    for (unsigned int bits = 0; bits < 2; bits++) {
        /* 01:00:5e:00:00:01 is the filter's bit 31, as Linux reckons it */
        out(c, RTL_MAR, 4, bits ? UINT32_MAX : 0x80000000);
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
            out(c, RTL_RCR, 4, cases[i].rcr);
            frame_to(f, cases[i].to, 60, 0);
            rtl8139_receive(&c->nic, f, 60);
            if (cases[i].status) {
                assert_int_equal(get32(c, 0x10000 + at), 64 << 16 | cases[i].status);
                at += 68;
            }
            assert_int_equal(in(c, RTL_CBR, 2), at);
        }
    }
    out(c, RTL_MAR, 4, 0x7fffffff);
    out(c, RTL_RCR, 4, 4);
    rtl8139_receive(&c->nic, f, 60);
    assert_int_equal(in(c, RTL_CBR, 2), at);
}

/* What is in the ring is what came; around it goes. */
static void receives(void **state)
{
    struct cable *c = *state;
    uint64_t prng = 3;
    uint8_t f[1518];
    unsigned int at = 0;

    out(c, RTL_RBSTART, 4, 0x20000);
    out(c, RTL_IMR, 2, RTL_ISR_ROK);
    for (unsigned int size = 0; size < 4; size++)
        for (unsigned int wrap = 0; wrap < 2; wrap++) {
            const uint32_t ring = 8192u << size;

            out(c, RTL_CR, 1, RTL_CR_RST);
            out(c, RTL_RBSTART, 4, 0x20000);
            out(c, RTL_IMR, 2, RTL_ISR_ROK);
            out(c, RTL_RCR, 4, size << 11 | wrap << 7 | 2);
            out(c, RTL_CR, 1, RTL_CR_RE);
            at = 0;
            for (unsigned int n = 0; n < 200; n++) {
                const size_t len = 14 + (size_t)random_of(&prng, 1505), padded = len < 60 ? 60 : len;

                assert_true(rtl8139_room(&c->nic));
                frame_to(f, MINE, len, (uint8_t)n);
                rtl8139_receive(&c->nic, f, len);
                assert_true(line(c));
                assert_int_equal(in(c, RTL_CR, 1) & RTL_CR_BUFE, 0);
                assert_int_equal(get32(c, 0x20000 + at), (padded + 4) << 16 | 0x4001);
                for (size_t i = 0; i < len; i++) {
                    uint32_t where = at + 4 + (uint32_t)i;

                    if (where >= ring && !(wrap && ring < 65536))
                        where -= ring;
                    assert_int_equal(c->b->memory[0x20000 + where], f[i]);
                }
                at = (at + 8 + (unsigned int)padded + 3) / 4 * 4 % ring;
                out(c, RTL_CAPR, 2, (at - 16) & 0xffff);
                out(c, RTL_ISR, 2, RTL_ISR_ROK);
                assert_false(line(c));
                assert_int_equal(in(c, RTL_CR, 1) & RTL_CR_BUFE, RTL_CR_BUFE);
            }
        }
    assert_true(c->nic.received == 1600);
    out(c, RTL_CR, 1, RTL_CR_RST);
    out(c, RTL_RBSTART, 4, 0x20000);
    out(c, RTL_RCR, 4, 1);
    out(c, RTL_CR, 1, RTL_CR_RE);
    for (unsigned int i = 0; i < 60; i++)
        f[i] = (uint8_t)i;
    rtl8139_receive(&c->nic, f, 60);
    assert_int_equal(get32(c, 0x20000 + 64), 0xb0ec7fee); /* CRC-32 of these, by Python's zlib */
}

static void ring_is_full(void **state)
{
    struct cable *c = *state;
    uint8_t f[1000];
    unsigned int n = 0;

    out(c, RTL_RBSTART, 4, 0x20000);
    out(c, RTL_RCR, 4, 2);
    out(c, RTL_CR, 1, RTL_CR_RE);
    frame_to(f, MINE, sizeof(f), 1);
    for (; rtl8139_room(&c->nic); n++)
        rtl8139_receive(&c->nic, f, sizeof(f));
    assert_int_equal(n, 7); /* of 1008; one of 1526 is no more to be had */
    rtl8139_receive(&c->nic, f, sizeof(f));
    assert_int_equal(in(c, RTL_ISR, 2), RTL_ISR_ROK);
    rtl8139_receive(&c->nic, f, sizeof(f));
    assert_int_equal(in(c, RTL_ISR, 2), RTL_ISR_ROK | RTL_ISR_RXOVW);
    assert_int_equal(in(c, RTL_MPC, 4), 1);
    assert_int_equal(in(c, RTL_CBR, 2), 8 * 1008);
    out(c, RTL_MPC, 4, 0);
    assert_int_equal(in(c, RTL_MPC, 4), 0);
    n = c->rooms;
    out(c, RTL_CAPR, 2, 4 * 1008 - 16);
    assert_int_equal(c->rooms, n + 1);
    assert_true(rtl8139_room(&c->nic));
}

/* --- descriptors --- */

#define TX 0x4000
#define RX 0x5000

static void new_way(struct cable *c)
{
    out(c, RTL_CPCR, 2, RTL_CPCR_TX | RTL_CPCR_RX);
    out(c, RTL_CR, 1, RTL_CR_TE | RTL_CR_RE);
    out(c, RTL_TSAD, 4, TX);
    out(c, RTL_RDSAR, 4, RX);
    out(c, RTL_RCR, 4, 0xa);
    out(c, RTL_IMR, 2, 0xffff);
}

static void tx(struct cable *c, unsigned int n, uint32_t status, uint32_t vlan, uint64_t addr)
{
    put32(c, TX + 16 * n, status);
    put32(c, TX + 16 * n + 4, vlan);
    put32(c, TX + 16 * n + 8, (uint32_t)addr);
    put32(c, TX + 16 * n + 12, (uint32_t)(addr >> 32));
}

static void sends_by_descriptors(void **state)
{
    struct cable *c = *state;

    new_way(c);
    for (unsigned int i = 0; i < 4096; i++)
        c->b->memory[0x8000 + i] = (uint8_t)(i * 7);
    tx(c, 0, 0xb0000000 | 100, 0, 0x8000);
    tx(c, 1, 0xa0000000 | 30, 0, 0x8100);
    tx(c, 2, 0x80000000 | 50, 0, 0x8000 + 30);
    tx(c, 3, 0x10000000 | 20, 0, 0x8000 + 80); /* not yet */
    out(c, RTL_TPPOLL, 1, 0x40);
    assert_int_equal(c->sent, 1);
    assert_int_equal(c->len, 100);
    assert_int_equal(get32(c, TX), 0x30000000 | 100);
    assert_int_equal(in(c, RTL_ISR, 2), RTL_ISR_TOK | RTL_ISR_TDU);
    tx(c, 3, 0xd0000000 | 20, 0, 0x8000 + 80); /* the last of the ring */
    out(c, RTL_TPPOLL, 1, 0x40);
    assert_int_equal(c->sent, 2);
    assert_int_equal(c->len, 100);
    assert_memory_equal(c->last, &c->b->memory[0x8100], 30);
    assert_memory_equal(c->last + 30, &c->b->memory[0x801e], 70);
    assert_int_equal(get32(c, TX + 48), 0x50000000 | 20);
    tx(c, 0, 0xb0000000 | 60, 0x20000 | 0x3412, 0x8000);
    out(c, RTL_TPPOLL, 1, 0x40);
    assert_int_equal(c->len, 64);
    assert_memory_equal(c->last + 12, "\x81\x00\x12\x34", 4);
    assert_memory_equal(c->last + 16, &c->b->memory[0x800c], 48);
    out(c, RTL_TPPOLL, 1, 0x01);
    assert_int_equal(in(c, RTL_ISR, 2) & RTL_ISR_SWINT, RTL_ISR_SWINT);
}

static void sums_and_large(void **state)
{
    struct cable *c = *state;
    static const uint8_t head[] = { 0, 0, 0, 0, 0, 0,    0, 0, 0, 0,  0, 0, 8, 0,  0x45, 0, 0,
                                    0, 0, 0, 0, 0, 0x40, 6, 0, 0, 10, 0, 0, 1, 10, 0,    0, 2 };
    uint8_t *f = &c->b->memory[0x8000];

    new_way(c);
    memcpy(f, head, sizeof(head));
    f[17] = 100; /* bytes of the packet */
    tx(c, 0, 0xf0000000 | 1u << 18 | 1u << 16 | 114, 0, 0x8000);
    out(c, RTL_TPPOLL, 1, 0x40);
    assert_true(c->csum && !c->mss);
    assert_int_equal(c->last[24] << 8 | c->last[25], 0x6692); /* by hand */
    assert_int_equal(c->last[50] << 8 | c->last[51], (0x0a00 + 1 + 0x0a00 + 2 + 6 + 80));
    tx(c, 0, 0xf8000000 | 1000u << 16 | 114, 0, 0x8000);
    out(c, RTL_TPPOLL, 1, 0x40);
    assert_true(c->csum);
    assert_int_equal(c->mss, 1000);
    assert_int_equal(get32(c, TX), 0x70000000 | 114);
    f[23] = 17;
    tx(c, 0, 0xf0000000 | 1u << 17 | 114, 0, 0x8000);
    out(c, RTL_TPPOLL, 1, 0x40);
    assert_true(c->csum);
    f[20] = 0x20; /* a fragment */
    tx(c, 0, 0xf0000000 | 1u << 17 | 114, 0, 0x8000);
    out(c, RTL_TPPOLL, 1, 0x40);
    assert_false(c->csum);
}

static void hostile_descriptors(void **state)
{
    struct cable *c = *state;

    new_way(c);
    tx(c, 0, 0xb0000000 | 60, 0, UINT64_C(0xfffffffffffffff0));
    tx(c, 1, 0xb0000000, 0, 0x8000);
    tx(c, 2, 0x90000000 | 60, 0, 0x8000); /* no beginning */
    out(c, RTL_TPPOLL, 1, 0x40);
    assert_int_equal(c->sent, 0);
    assert_int_equal(get32(c, TX + 32), 0x10000000 | 60);
    for (unsigned int i = 0; i < 64; i++) /* no end, and too long */
        tx(c, i, 0xa000ffff, 0, 0x8000);
    out(c, RTL_TSAD, 4, TX);
    out(c, RTL_TPPOLL, 1, 0xc0);
    assert_int_equal(c->sent, 0);
    out(c, RTL_TSAD, 4, BOARD_MEMORY - 8); /* nothing is there: all ones */
    out(c, RTL_TPPOLL, 1, 0x40);
    out(c, RTL_TSAD + 4, 4, UINT32_MAX);
    out(c, RTL_TPPOLL, 1, 0x40);
    assert_int_equal(c->sent, 0);
    assert_false(rtl8139_room(&c->nic));
    out(c, RTL_RDSAR, 8, UINT64_MAX);
    assert_false(rtl8139_room(&c->nic));
}

static void receives_by_descriptors(void **state)
{
    struct cable *c = *state;
    uint8_t f[200];

    new_way(c);
    frame_to(f, ALL, sizeof(f), 9);
    assert_false(rtl8139_room(&c->nic));
    rtl8139_receive(&c->nic, f, sizeof(f));
    assert_int_equal(in(c, RTL_ISR, 2), RTL_ISR_RXOVW);
    for (unsigned int i = 0; i < 3; i++) {
        put32(c, RX + 16 * i, 0x80000000 | (i == 2 ? 0x40000000 : 0) | (i == 1 ? 203 : 1536));
        put32(c, RX + 16 * i + 8, 0x9000 + 0x800 * i);
    }
    rtl8139_receive(&c->nic, f, sizeof(f));
    assert_int_equal(get32(c, RX), 0x31000000 | 204);
    assert_memory_equal(&c->b->memory[0x9000], f, sizeof(f));
    rtl8139_receive(&c->nic, f, sizeof(f)); /* a byte too long */
    assert_int_equal(get32(c, RX + 16), 0x80000000 | 203);
    assert_int_equal(in(c, RTL_MPC, 4), 2);
    frame_to(f, MINE, sizeof(f), 9);
    rtl8139_receive(&c->nic, f, 199);
    assert_int_equal(get32(c, RX + 16), 0x32000000 | 203);
    rtl8139_receive(&c->nic, f, 199);
    assert_int_equal(get32(c, RX + 32), 0x72000000 | 203);
    assert_false(rtl8139_room(&c->nic)); /* the first again */
    put32(c, RX, 0x80000000 | 1536);
    assert_true(rtl8139_room(&c->nic));
}

static void loopback_and_timer(void **state)
{
    struct cable *c = *state;

    out(c, RTL_RBSTART, 4, 0x10000);
    out(c, RTL_RCR, 4, 1);
    out(c, RTL_TCR, 4, 0x60000);
    out(c, RTL_CR, 1, RTL_CR_TE | RTL_CR_RE);
    out(c, RTL_TSAD, 4, 0x1000);
    out(c, RTL_TSD, 4, 60);
    assert_int_equal(c->sent, 0);
    assert_int_equal(in(c, RTL_ISR, 2), RTL_ISR_TOK | RTL_ISR_ROK);
    out(c, RTL_ISR, 2, 0xffff);
    out(c, RTL_TCTR, 4, 1);
    pass(c->b, MILLISECS(1));
    assert_int_equal(in(c, RTL_TCTR, 4), 33000);
    out(c, RTL_TIMERINT, 4, 66000);
    pass(c->b, MILLISECS(1) - 100);
    assert_int_equal(in(c, RTL_ISR, 2), 0);
    pass(c->b, 100);
    assert_int_equal(in(c, RTL_ISR, 2), RTL_ISR_TIME);
    out(c, RTL_ISR, 2, 0xffff);
    pass(c->b, SECONDS(130));
    assert_int_equal(in(c, RTL_ISR, 2), 0);
    pass(c->b, SECONDS(1));
    assert_int_equal(in(c, RTL_ISR, 2), RTL_ISR_TIME);
}

static void unplugged(void **state)
{
    struct cable *c = *state;
    uint8_t f[60];

    out(c, RTL_IMR, 2, RTL_ISR_SWINT);
    out(c, RTL_TPPOLL, 1, 1);
    assert_true(line(c));
    rtl8139_unplug(&c->nic);
    assert_false(line(c));
    assert_int_equal(pci_config_read(&c->bus, DEVFN, 0, 4), UINT32_MAX);
    assert_int_equal(in(c, RTL_IDR, 1), 0xff);
    assert_true(rtl8139_room(&c->nic));
    frame_to(f, MINE, 60, 0);
    rtl8139_receive(&c->nic, f, 60);
    assert_false(line(c));
}

/* A guest that does anything, with memory that is anything. */
static void any_access(void **state)
{
    struct cable *c = *state;
    uint64_t prng = 29;
    uint8_t f[2000];

    for (unsigned int i = 0; i < BOARD_MEMORY; i += 8)
        memcpy(&c->b->memory[i], &(uint64_t){ random_of(&prng, UINT64_MAX) }, 8);
    for (unsigned int n = 0; n < 60000; n++) {
        static const uint8_t often[] = {
            RTL_CR, RTL_TPPOLL, RTL_CPCR, RTL_CAPR, RTL_TSD, RTL_RCR, RTL_TSAD, RTL_RDSAR
        };
        const unsigned int size = 1u << random_of(&prng, 4);
        const unsigned int reg =
            random_of(&prng, 2) ? often[random_of(&prng, sizeof(often))] : (unsigned int)random_of(&prng, 257 - size);
        const uint64_t val = random_of(&prng, UINT64_MAX) >> random_of(&prng, 64);
        const size_t len = (size_t)random_of(&prng, sizeof(f));

        switch (random_of(&prng, 5)) {
        case 0: board_read(c->b, DM_MEMORY, 0xf0000000 + reg, size); break;
        case 1:
            f[0] = (uint8_t)val;
            rtl8139_receive(&c->nic, f, len);
            break;
        case 2: rtl8139_room(&c->nic), pass(c->b, (s_time_t)random_of(&prng, MILLISECS(1))); break;
        case 3: out(c, RTL_CR, 1, random_of(&prng, 40) ? 0x0c : val & 0xff); break;
        default: board_write(c->b, DM_MEMORY, 0xf0000000 + reg, size, val);
        }
        if (n % 5000 == 0)
            pci_config_write(&c->bus, DEVFN, 4, 2, 7);
        assert_int_equal(line(c), !!(rtl_get(&c->nic, RTL_ISR, 2) & rtl_get(&c->nic, RTL_IMR, 2)));
    }
    assert_true(c->nic.received && c->sent);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(as_found),
        TEST(address_in_eeprom),
        TEST(sends),
        TEST(filter),
        TEST(receives),
        TEST(ring_is_full),
        TEST(sends_by_descriptors),
        TEST(sums_and_large),
        TEST(hostile_descriptors),
        TEST(receives_by_descriptors),
        TEST(loopback_and_timer),
        TEST(unplugged),
        TEST(any_access),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
