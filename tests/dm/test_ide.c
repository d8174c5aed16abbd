// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Disks at the IDE function: registers, resets, addresses, every command of the table, interrupts, the bus master.
 *
 * Budget: a case a rule of the standard.
 */
#include "tests/dm/ide_rig.h"

static uint8_t buf[256 * 512];

/* --- who is there --- */

static void signature(unsigned int unit, uint8_t mid, uint8_t high, uint8_t status)
{
    out(6, (uint8_t)(0xa0 | unit << 4));
    assert_int_equal(in(6), 0xa0 | unit << 4);
    assert_int_equal(in(1), 1);
    assert_int_equal(in(2), 1);
    assert_int_equal(in(3), 1);
    assert_int_equal(in(4), mid);
    assert_int_equal(in(5), high);
    assert_int_equal(in(7), status);
    assert_int_equal(alt_status(), status);
}

static void resets(void **state)
{
    for (unsigned int nr = 0; nr < 2; nr++) {
        rig_channel(nr);
        signature(0, nr ? 0x14 : 0, nr ? 0xeb : 0, nr ? 0 : 0x50);
        out(2, 0x55);
        out(6, nr ? 0xa0 : 0xb0);
        control(ATA_SRST);
        assert_int_equal(alt_status(), ATA_BSY);
        out(7, 0xec); /* nobody listens */
        control(ATA_NIEN);
        assert_int_equal(in(6), 0xa0);
        signature(0, nr ? 0x14 : 0, nr ? 0xeb : 0, nr ? 0 : 0x50);
        assert_false(line());
        control(0);
        out(6, 0xa0);
        out(7, ATA_DIAGNOSE);
        assert_true(line());
        signature(0, nr ? 0x14 : 0, nr ? 0xeb : 0, nr ? 0 : 0x50);
        assert_false(line());
    }
    rig_channel(0);
    signature(1, 0, 0, 0x50);
    out(6, 0xb0); /* the diagnosis is both drives', and the first one tells */
    out(7, ATA_DIAGNOSE);
    assert_true(line());
    assert_int_equal(in(6), 0xa0);
}

/* Where there is no second drive the first one answers, but for the status; a command is heard by nobody. */
static void missing(void **state)
{
    rig_channel(1);
    out(6, 0xb0);
    out(2, 0x55);
    out(3, 0xaa);
    assert_int_equal(in(2), 0x55);
    assert_int_equal(in(3), 0xaa);
    assert_int_equal(in(6), 0xb0);
    assert_int_equal(in(7), 0);
    assert_int_equal(alt_status(), 0);
    out(7, 0xec);
    out(7, 0x20);
    assert_int_equal(in(7), 0);
    assert_false(line());
    out(6, 0xa0);
    ide_unplug_disks(&rig->ide, false);
    rig_channel(0);
    for (unsigned int unit = 0; unit < 2; unit++) {
        out(6, (uint8_t)(0xa0 | unit << 4));
        out(2, 0x55);
        out(7, 0xec);
        for (unsigned int reg = 1; reg < 8; reg++)
            assert_int_equal(in(reg), 0);
        assert_int_equal(inw(rig->board, 0x1f0), 0);
    }
}

static void sectors_of_both(void **state)
{
    params(0, 7, 1); /* parameters are both drives'; the command is one's */
    out(6, 0xf0);
    out(7, 0x20);
    assert_int_equal(settle(), 0x58);
    port_in(buf, 512);
    assert_pattern(buf, 7, 1);
    assert_int_equal(alt_status(), 0x50);
    out(6, 0xe0);
    assert_false(line());
    assert_int_equal(in(7), 0x50);
    out(6, 0xf0); /* its interrupt waits until it is selected */
    assert_true(line());
    assert_int_equal(in(7), 0x50);
    assert_false(line());
}

/* --- IDENTIFY --- */

static uint32_t word(unsigned int nr) { return buf[2 * nr] | (uint32_t)buf[2 * nr + 1] << 8; }

static void text(unsigned int nr, unsigned int words, const char *expected)
{
    char s[41] = "";
    size_t len = 2 * words;

    for (unsigned int i = 0; i < 2 * words; i++)
        s[i] = (char)buf[(2 * nr + i) ^ 1];
    while (len && s[len - 1] == ' ')
        s[--len] = '\0';
    assert_string_equal(s, expected);
}

static void identify(uint8_t command)
{
    out(7, command);
    assert_int_equal(settle(), 0x58);
    assert_true(line());
    port_in(buf, 512);
    assert_int_equal(in(7), 0x50);
}

static void identifies(void **state)
{
    params(0, 0, 0);
    identify(0xec);
    assert_int_equal(word(0), 0x40);
    assert_int_equal(word(1), RIG_SMALL / (16 * 63));
    assert_int_equal(word(3), 16);
    assert_int_equal(word(6), 63);
    text(10, 10, "XL00001");
    text(27, 20, "xenlab HARDDISK");
    assert_int_equal(word(49) & 0x300, 0x300);
    assert_int_equal(word(60) | word(61) << 16, RIG_SMALL);
    assert_int_equal(word(63), 0x0407); /* multiword DMA 2 is set */
    assert_int_equal(word(88), 0x003f);
    assert_int_equal(word(83) & 0xc400, 0x4400);
    assert_int_equal(word(59), 0x110);
    assert_int_equal(word(100), RIG_SMALL);
    out(6, 0xb0);
    identify(0xec);
    text(10, 10, "XL00002");
    assert_int_equal(word(1), 16383);
    assert_int_equal(word(60) | word(61) << 16, 0xfffffff);
    assert_int_equal(word(100) | word(101) << 16, RIG_LARGE);
    assert_int_equal(word(102), 0);
    /* What was set is said. */
    out(1, 0x03);
    out(2, 0x45);
    out(7, 0xef);
    out(2, 8);
    out(7, 0xc6);
    out(1, 0x82);
    out(7, 0xef);
    identify(0xec);
    assert_int_equal(word(63), 0x0007);
    assert_int_equal(word(88), 0x203f);
    assert_int_equal(word(59), 0x108);
    assert_int_equal(word(85) & 0x60, 0x40);
    out(1, 0x55);
    out(7, 0xef);
    identify(0xec);
    assert_int_equal(word(85) & 0x60, 0);
    out(1, 0x02);
    out(7, 0xef);
    out(1, 0xaa);
    out(7, 0xef);
    identify(0xec);
    assert_int_equal(word(85) & 0x60, 0x60);
    rig_channel(1);
    out(6, 0xa0);
    identify(0xa1);
    assert_int_equal(word(0), 0x85c0);
    text(27, 20, "xenlab CD-ROM");
    text(10, 10, "XL00003");
}

/* --- reading and writing --- */

static void read_pio(unsigned int unit, uint64_t lba, unsigned int nr, uint8_t command, unsigned int block)
{
    out(7, command);
    assert_int_equal(alt_status(), ATA_BSY);
    assert_false(line());
    for (unsigned int at = 0; at < nr; at += block) {
        const unsigned int now = nr - at < block ? nr - at : block;

        assert_int_equal(settle(), 0x58);
        assert_true(line());
        assert_int_equal(in(7), 0x58);
        assert_false(line());
        port_in(buf + at * 512, now * 512);
    }
    assert_int_equal(alt_status(), 0x50);
    assert_false(line()); /* the last block is told of when it is there, not when it is gone */
    assert_pattern(buf, lba, nr);
}

static void reads(void **state)
{
    params(0, 1234, 3);
    read_pio(0, 1234, 3, 0x20, 1);
    assert_int_equal(in(3) | in(4) << 8, 1236);
    assert_int_equal(in(2), 0);
    params(0, 39000, 0); /* 0 are 256 */
    read_pio(0, 39000, 256, 0x21, 1);
    params(0, 1, 35);
    read_pio(0, 1, 35, 0xc4, 16); /* a block is 16 sectors, if nothing else was said */
    out(2, 4);
    out(7, 0xc6);
    assert_int_equal(in(7), 0x50);
    params(0, 1, 35);
    read_pio(0, 1, 35, 0xc4, 4);
    out(2, 0);
    out(7, 0xc6);
    assert_int_equal(in(7), 0x50);
    params(0, 1, 35);
    out(7, 0xc4);
    assert_int_equal(in(7), 0x51);
    assert_int_equal(in(1), ATA_ABRT);
    out(2, 3);
    out(7, 0xc6);
    assert_int_equal(in(7), 0x51);
    out(2, 32);
    out(7, 0xc6);
    assert_int_equal(in(7), 0x51);
    params_ext(1, RIG_LARGE - 20, 20);
    read_pio(1, RIG_LARGE - 20, 20, 0x24, 1);
    assert_int_equal(in(3), (RIG_LARGE - 1) & 0xff);
    control(ATA_HOB);
    assert_int_equal(in(3), (RIG_LARGE - 1) >> 24);
    params_ext(1, RIG_LARGE - 20, 20);
    assert_int_equal(in(3), (RIG_LARGE - 20) & 0xff); /* writing ends it */
    read_pio(1, RIG_LARGE - 20, 20, 0x29, 16);
}

/* The data port is a word wide: whatever the access, no byte is lost or comes twice. */
static void port_sizes(void **state)
{
    params(0, 5, 1);
    out(7, 0x20);
    settle();
    for (unsigned int i = 0; i < 512; i += 8) {
        const uint16_t w = inw(rig->board, 0x1f0);
        const uint32_t l = inl(rig->board, 0x1f0);

        memcpy(buf + i, &w, 2);
        memcpy(buf + i + 2, &l, 4);
        buf[i + 6] = inb(rig->board, 0x1f0);
        buf[i + 7] = (uint8_t)(pattern(5, (i + 7) / 4) >> 24);
    }
    assert_pattern(buf, 5, 1);
    assert_int_equal(alt_status(), 0x50);
    assert_int_equal(inl(rig->board, 0x1f0), 0xffffffff); /* there is no more */
    outl(rig->board, 0x1f0, 0);
    assert_int_equal(alt_status(), 0x50);
}

static void fill(uint8_t with, unsigned int nr)
{
    for (unsigned int i = 0; i < nr * 512; i++)
        buf[i] = (uint8_t)(with + i / 512 + i);
}

static void on_disk(unsigned int disk, uint64_t sector, uint8_t with, unsigned int nr)
{
    static uint8_t got[256 * 512];

    assert_int_equal(disk_read(rig->disk[disk], sector, got, nr), 0);
    fill(with, nr);
    assert_memory_equal(got, buf, nr * 512);
}

static void write_pio(uint8_t command, uint8_t with, unsigned int nr, unsigned int block)
{
    fill(with, nr);
    out(7, command);
    assert_int_equal(alt_status(), 0x58);
    assert_false(line()); /* the first block is asked for without an interrupt */
    for (unsigned int at = 0; at < nr; at += block) {
        port_out(buf + at * 512, 256);
        port_out(buf + at * 512 + 256, (nr - at < block ? nr - at : block) * 512 - 256 - 4);
        assert_false(line()); /* not before the block is whole */
        port_out(buf + (at + block < nr ? at + block : nr) * 512 - 4, 4);
        if (at + block >= nr)
            assert_int_equal(alt_status(), ATA_BSY);
        settle();
        assert_true(line());
        assert_int_equal(in(7), at + block < nr ? 0x58 : 0x50);
        assert_false(line());
    }
}

static void writes(void **state)
{
    params(0, 100, 5);
    write_pio(0x30, 1, 5, 1);
    on_disk(0, 100, 1, 5);
    params(0, RIG_SMALL - 256, 0);
    write_pio(0xc5, 7, 256, 16);
    on_disk(0, RIG_SMALL - 256, 7, 256);
    params_ext(1, RIG_LARGE - 3, 3);
    write_pio(0x34, 9, 3, 1);
    on_disk(1, RIG_LARGE - 3, 9, 3);
    params_ext(1, 77, 18);
    write_pio(0x39, 11, 18, 16);
    on_disk(1, 77, 11, 18);
    assert_int_equal(rig->board->rises[14], 5 + 16 + 3 + 2);
}

/* By cylinder, head and sector; the numbers can be set. */
static void geometry(void **state)
{
    out(6, 0xa0 | 3);
    out(2, 1);
    out(3, 17);
    out(4, 5);
    out(5, 0);
    read_pio(0, (5 * 16 + 3) * 63 + 16, 1, 0x20, 1);
    out(3, 63); /* the next sector is the next head's first one */
    out(2, 2);
    read_pio(0, (5 * 16 + 3) * 63 + 62, 2, 0x20, 1);
    assert_int_equal(in(3), 1);
    assert_int_equal(in(6), 0xa4);
    out(2, 17);
    out(6, 0xa0 | 3); /* 4 heads, 17 sectors */
    out(7, 0x91);
    assert_int_equal(in(7), 0x50);
    out(6, 0xa0 | 2);
    out(2, 1);
    out(3, 9);
    out(4, 0x2c);
    out(5, 1);
    read_pio(0, (300 * 4 + 2) * 17 + 8, 1, 0x20, 1);
    identify(0xec);
    assert_int_equal(word(54), RIG_SMALL / 68);
    assert_int_equal(word(55), 4);
    assert_int_equal(word(56), 17);
    assert_int_equal(word(1), RIG_SMALL / (16 * 63));
    for (unsigned int bad = 0; bad < 4; bad++) {
        out(6, bad == 0 ? 0xa4 : 0xa0);
        out(2, 1);
        out(3, bad == 1 ? 0 : bad == 2 ? 18 : 1);
        out(4, 0);
        out(5, bad == 3 ? 0x40 : 0);
        out(7, 0x20);
        assert_true(line());
        assert_int_equal(in(7), 0x51);
        assert_int_equal(in(1), ATA_IDNF);
    }
    out(2, 0);
    out(7, 0x91);
    assert_int_equal(in(7), 0x51);
}

static void ends(void **state)
{
    static const uint8_t commands[] = { 0x20, 0x30, 0xc4, 0xc5, 0xc8, 0xca, 0x40 };

    for (unsigned int i = 0; i < sizeof(commands); i++) {
        params(0, RIG_SMALL - 2, 3);
        out(7, commands[i]);
        assert_true(line());
        assert_int_equal(in(7), 0x51);
        assert_int_equal(in(1), ATA_IDNF);
        assert_int_equal(in(3) | in(4) << 8 | in(5) << 16, RIG_SMALL);
        params(0, RIG_SMALL, 1);
        out(7, commands[i]);
        assert_int_equal(in(7), 0x51);
        params(0, RIG_SMALL - 3, 3);
        out(7, commands[i]);
        assert_int_equal(alt_status() & ATA_ERR, 0);
        control(ATA_SRST);
        control(0);
    }
    params_ext(1, RIG_LARGE - 1, 65536 & 0xffff); /* 0 are 65536 */
    out(7, 0x24);
    assert_int_equal(in(1), ATA_IDNF);
    assert_int_equal(in(3) | in(4) << 8 | in(5) << 16, RIG_LARGE & 0xffffff);
    control(ATA_HOB);
    assert_int_equal(in(3) | in(4) << 8 | in(5) << 16, RIG_LARGE >> 24);
    params_ext(1, (UINT64_C(1) << 48) - 1, 0);
    out(7, 0x25);
    assert_int_equal(in(7), 0x51);
    assert_int_equal(in(1), ATA_IDNF);
    out(6, 0xa0); /* 48 bits are of LBA */
    out(7, 0x24);
    assert_int_equal(in(7), 0x51);
    assert_int_equal(in(1), ATA_ABRT);
}

/* --- all commands --- */

static void no_data(void **state)
{
    static const uint8_t good[] = { 0x10, 0x1f, 0x70, 0x7f, 0x94, 0x95, 0x96, 0x97, 0x98, 0xe0,
                                    0xe1, 0xe2, 0xe3, 0xe5, 0x40, 0x41, 0x42, 0xe7, 0xea };
    static const uint8_t bad[] = { 0x00, 0x03, 0x08, 0x22, 0x50, 0xa0, 0xa1, 0xa2, 0xb0, 0xf5, 0xff, 0xc7 };

    for (unsigned int i = 0; i < sizeof(good); i++) {
        params_ext(0, 100, 8);
        out(7, good[i]);
        settle();
        assert_true(line());
        assert_int_equal(in(7), 0x50);
        assert_int_equal(in(1), 0);
        assert_false(line());
    }
    for (unsigned int i = 0; i < sizeof(bad); i++) {
        out(7, bad[i]);
        assert_true(line());
        assert_int_equal(in(7), 0x51);
        assert_int_equal(in(1), ATA_ABRT);
    }
    out(7, 0xe0);
    out(7, 0xe5);
    assert_int_equal(in(2), 0); /* it stands by */
    params(0, 1, 1);
    read_pio(0, 1, 1, 0x20, 1);
    out(7, 0xe5);
    assert_int_equal(in(2), 0xff);
    out(7, 0xe2);
    out(7, 0xe1);
    out(7, 0x98);
    assert_int_equal(in(2), 0xff);
    params(0, RIG_SMALL, 0);
    out(7, 0x70);
    assert_int_equal(in(1), ATA_IDNF);
    out(7, 0xe6);
    assert_int_equal(in(7), 0x50);
    out(7, 0xec); /* it sleeps */
    assert_int_equal(settle(), 0x50);
    control(ATA_SRST);
    control(0);
    identify(0xec);
}

static void features(void **state)
{
    static const struct {
        uint8_t feature, nr;
        bool ok;
    } all[] = { { 0x03, 0x00, true },  { 0x03, 0x01, true }, { 0x03, 0x02, false }, { 0x03, 0x0c, true },
                { 0x03, 0x0d, false }, { 0x03, 0x20, true }, { 0x03, 0x22, true },  { 0x03, 0x23, false },
                { 0x03, 0x10, false }, { 0x03, 0x45, true }, { 0x03, 0x46, false }, { 0x03, 0xff, false },
                { 0x02, 0, true },     { 0x82, 0, true },    { 0x55, 0, true },     { 0xaa, 0, true },
                { 0x66, 0, true },     { 0xcc, 0, true },    { 0x05, 1, false },    { 0x5d, 0, false } };

    for (unsigned int i = 0; i < ARRAY_SIZE(all); i++) {
        out(6, 0xa0);
        out(1, all[i].feature);
        out(2, all[i].nr);
        out(7, 0xef);
        assert_int_equal(in(7), all[i].ok ? 0x50 : 0x51);
        assert_int_equal(in(1), all[i].ok ? 0 : ATA_ABRT);
    }
}

/* While it works nothing that is written counts, but a reset. */
static void busy(void **state)
{
    params(0, 50, 1);
    out(7, 0x20);
    params(1, 60, 2);
    out(7, 0xe5);
    assert_int_equal(alt_status(), ATA_BSY);
    assert_int_equal(settle(), 0x58);
    params(1, 60, 2);
    out(7, 0xec);
    assert_int_equal(in(6), 0xe0);
    port_in(buf, 512);
    assert_pattern(buf, 50, 1);
    params(0, 50, 1);
    out(7, 0x20);
    control(ATA_SRST);
    control(0);
    assert_int_equal(alt_status(), 0x50);
    pass(rig->board, SECONDS(1));
    assert_int_equal(alt_status(), 0x50);
    assert_false(line());
    params(0, 50, 2); /* half of a sector */
    out(7, 0x30);
    port_out(buf, 256);
    control(ATA_SRST);
    control(0);
    assert_int_equal(disk_read(rig->disk[0], 50, buf, 1), 0);
    assert_pattern(buf, 50, 1);
}

/* A teaching system's way: interrupts off, or none; only the status is looked at. */
static void polling(void **state)
{
    control(ATA_NIEN);
    params(0, 9, 1);
    out(7, 0x20);
    while ((in(7) & (ATA_BSY | ATA_DRDY)) != ATA_DRDY)
        pass(rig->board, MICROSECS(1));
    port_in(buf, 512);
    assert_pattern(buf, 9, 1);
    assert_int_equal(rig->board->rises[14], 0);
    out(7, 0xec); /* one that waits comes when it may */
    assert_false(line());
    control(0);
    assert_true(line());
    control(ATA_NIEN);
    assert_false(line());
}

/* --- faults --- */

static void failing(void **state)
{
    params(0, 9, 1);
    rig->broken = 1;
    out(7, 0x20);
    settle();
    assert_true(line());
    assert_int_equal(in(7), 0x51);
    assert_int_equal(in(1), ATA_UNC);
    assert_int_equal(in(3), 9);
    rig->disk[0]->fault.fail = 3;
    out(7, 0x20);
    settle();
    assert_int_equal(in(7), 0x51);
    params(0, 9, 1);
    out(7, 0x30);
    port_out(buf, 512);
    settle();
    assert_int_equal(in(7), 0x51);
    assert_int_equal(in(1), ATA_ABRT);
    out(7, 0xe7);
    settle();
    assert_int_equal(in(7), 0x51);
    assert_int_equal(rig->disk[0]->failed, 4);
    read_pio(0, 9, 1, 0x20, 1);
    rig->disk[0]->fault.slower = MILLISECS(50);
    params(0, 9, 1);
    out(7, 0x20);
    pass(rig->board, MILLISECS(50));
    assert_int_equal(alt_status(), ATA_BSY);
    rig->disk[0]->fault.slower = 0;
    assert_int_equal(settle(), 0x58);
    port_in(buf, 512);
    in(7);
    /* An interrupt that is lost. */
    rig->disk[0]->fault.drop = 1;
    params(0, 9, 1);
    out(7, 0x20);
    assert_int_equal(settle(), 0x58);
    assert_false(line());
    port_in(buf, 512);
    /* Its file is somebody else's for a while. */
    rig->disk[0]->away = true;
    params(0, 9, 1);
    out(7, 0x20);
    pass(rig->board, SECONDS(1));
    assert_int_equal(alt_status(), ATA_BSY);
    rig->disk[0]->away = false;
    assert_int_equal(settle(), 0x58);
    port_in(buf, 512);
    assert_pattern(buf, 9, 1);
    params(0, 9, 2);
    out(7, 0x30);
    rig->disk[0]->away = true;
    port_out(buf, 512);
    pass(rig->board, SECONDS(1));
    assert_int_equal(alt_status(), ATA_BSY);
    rig->disk[0]->away = false;
    assert_int_equal(settle(), 0x58);
}

/* --- the bus master --- */

static void dma_reads(void **state)
{
    prd(0, DMA_AREA, 512 * 3, false);
    prd(1, DMA_AREA + 0x2000, 512 * 37, true);
    params(0, 1000, 40);
    out(7, 0xc8); /* the order of libata: command, then start */
    bm_start(true);
    assert_int_equal(bm_status() & 7, 1);
    assert_int_equal(alt_status(), ATA_BSY);
    settle();
    assert_int_equal(bm_status() & 7, 4);
    assert_true(line());
    bm_stop();
    assert_int_equal(in(7), 0x50);
    assert_pattern(rig->board->memory + DMA_AREA, 1000, 3);
    assert_pattern(rig->board->memory + DMA_AREA + 0x2000, 1003, 37);
    /* Started before there is a command; 0 bytes are 64 KiB. */
    prd(0, DMA_AREA, 0, false);
    prd(1, DMA_AREA + 0x10000, 0, true);
    bm_start(true);
    pass(rig->board, SECONDS(1));
    assert_int_equal(bm_status() & 7, 1);
    params_ext(1, RIG_LARGE - 256, 256);
    out(7, 0x25);
    settle();
    assert_int_equal(bm_status() & 7, 4);
    assert_int_equal(in(7), 0x50);
    assert_pattern(rig->board->memory + DMA_AREA, RIG_LARGE - 256, 256);
    bm_stop();
}

static void dma_writes(void **state)
{
    fill(3, 70);
    memcpy(rig->board->memory + DMA_AREA, buf, 70 * 512);
    prd(0, DMA_AREA, 2, false);
    prd(1, DMA_AREA + 2, 70 * 512 - 2, true);
    params(0, 2000, 70);
    bm_start(false);
    out(7, 0xca);
    settle();
    assert_int_equal(bm_status() & 7, 4);
    assert_int_equal(in(7), 0x50);
    on_disk(0, 2000, 3, 70);
    bm_stop();
    params_ext(1, RIG_LARGE - 70, 70);
    bm_start(false);
    out(7, 0x35);
    settle();
    assert_int_equal(in(7), 0x50);
    on_disk(1, RIG_LARGE - 70, 3, 70);
}

/* The table says more than there is, or less: then the drive waits, and goes on when it is started again. */
static void dma_lengths(void **state)
{
    prd(0, DMA_AREA, 4096, true);
    params(0, 10, 4);
    bm_start(true);
    out(7, 0xc8);
    settle();
    assert_int_equal(bm_status() & 7, 5);
    assert_int_equal(in(7), 0x50);
    bm_stop();
    assert_int_equal(bm_status() & 7, 4);
    prd(0, DMA_AREA, 700, true);
    bm_start(true);
    params(0, 10, 4);
    out(7, 0xc8);
    pass(rig->board, SECONDS(1));
    assert_int_equal(bm_status() & 7, 0);
    assert_int_equal(alt_status(), ATA_BSY);
    assert_false(line());
    prd(0, DMA_AREA + 700, 4 * 512 - 700, true);
    bm_start(true);
    assert_int_equal(bm_status() & 7, 4);
    assert_int_equal(in(7), 0x50);
    assert_pattern(rig->board->memory + DMA_AREA, 10, 4);
    /* Stopped: as long as it is not started nothing moves. */
    memset(rig->board->memory + DMA_AREA, 0, 4096);
    prd(0, DMA_AREA, 4 * 512, true);
    bm_start(true);
    bm_stop();
    params(0, 10, 4);
    out(7, 0xc8);
    pass(rig->board, SECONDS(1));
    assert_int_equal(alt_status(), ATA_BSY);
    assert_int_equal(rig->board->memory[DMA_AREA], 0);
    control(ATA_SRST);
    control(0);
    assert_int_equal(alt_status(), 0x50);
    bm_start(true);
    assert_int_equal(rig->board->memory[DMA_AREA], 0);
}

/* Tables and places where no memory is; a table without an end. */
static void dma_hostile(void **state)
{
    prd(0, 0xfffffff0, 512, true);
    params(0, 10, 1);
    bm_start(true);
    out(7, 0xc8);
    pass(rig->board, SECONDS(1));
    assert_int_equal(bm_status() & 7, 2);
    assert_int_equal(alt_status(), ATA_BSY);
    control(ATA_SRST);
    control(0);
    params(0, 10, 1);
    bm_start(true);
    bm_stop();
    outb(rig->board, BM + 2, 2);
    assert_int_equal(bm_status() & 7, 0);
    outl(rig->board, BM + 4, 0x7ffffff3);
    assert_int_equal(inl(rig->board, BM + 4), 0x7ffffff0);
    outb(rig->board, BM, 9);
    out(7, 0xc8);
    pass(rig->board, SECONDS(1));
    assert_int_equal(bm_status() & 7, 2);
    control(ATA_SRST);
    control(0);
    /* Two bytes each, no last one: the table ends with its 64 KiB. */
    for (unsigned int i = 0; i < 0x8000; i += 8)
        prd(i / 8, DMA_AREA, 2, false);
    params(0, 10, 40);
    bm_start(true);
    out(7, 0xc8);
    pass(rig->board, SECONDS(1));
    assert_int_equal(bm_status() & 7, 0);
    assert_int_equal(alt_status(), ATA_BSY);
    assert_int_equal(rig->ide.channel[0].moving.pos, 0x8000 / 8 * 2);
}

static void bm_registers(void **state)
{
    assert_int_equal(bm_status(), 0x60);
    outb(rig->board, BM + 2, 0);
    assert_int_equal(bm_status(), 0);
    outl(rig->board, BM, 0x00600000);
    assert_int_equal(inl(rig->board, BM), 0x00600000);
    outw(rig->board, BM + 4, 0x1234);
    outw(rig->board, BM + 6, 0x5678);
    assert_int_equal(inl(rig->board, BM + 4), 0x56781234);
    assert_int_equal(inl(rig->board, BM + 12), 0);
    outb(rig->board, BM + 1, 0xff);
    assert_int_equal(inb(rig->board, BM + 1), 0);
    /* The interrupt's bit is its line's, whatever the command was. */
    out(7, 0xec);
    assert_int_equal(bm_status() & 7, 4);
    outb(rig->board, BM + 2, 0x64);
    assert_int_equal(bm_status() & 7, 0);
}

/* --- the function --- */

static void function(void **state)
{
    assert_int_equal(pci_config_read(&rig->bus, IDE_DEVFN, 0, 4), 0x70108086);
    assert_int_equal(pci_config_read(&rig->bus, IDE_DEVFN, 8, 4), 0x01018000);
    pci_config_write(&rig->bus, IDE_DEVFN, 0x42, 2, 0x0000);
    assert_int_equal(inb(rig->board, 0x177), 0xff);
    assert_int_equal(inb(rig->board, 0x376), 0xff);
    assert_int_equal(inb(rig->board, 0x1f7), 0x50);
    pci_config_write(&rig->bus, IDE_DEVFN, 0x40, 4, 0x80000000);
    assert_int_equal(inb(rig->board, 0x1f7), 0xff);
    assert_int_equal(inb(rig->board, 0x175), 0xeb);
}

static void unplug(void **state)
{
    params(0, 9, 1);
    out(7, 0x20);
    ide_unplug_disks(&rig->ide, true); /* the first one goes on */
    assert_int_equal(settle(), 0x58);
    out(7, 0);
    port_in(buf, 512);
    out(6, 0xb0);
    assert_int_equal(in(7), 0);
    params(0, 9, 1);
    out(7, 0x20);
    ide_unplug_disks(&rig->ide, false);
    pass(rig->board, SECONDS(1));
    assert_int_equal(in(7), 0);
    assert_false(line());
    rig_channel(1);
    signature(0, 0x14, 0xeb, 0);
}

#define T(test) cmocka_unit_test_setup_teardown(test, rig_setup, rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(resets),    T(missing),    T(sectors_of_both), T(identifies),  T(reads),        T(port_sizes), T(writes),
        T(geometry),  T(ends),       T(no_data),         T(features),    T(busy),         T(polling),    T(failing),
        T(dma_reads), T(dma_writes), T(dma_lengths),     T(dma_hostile), T(bm_registers), T(function),   T(unplug)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
