// SPDX-License-Identifier: GPL-2.0-or-later
/* A CD at the IDE function: the packet protocol with any limit and by DMA, what packets answer, discs that change. */
#include "tests/dm/ide_rig.h"

static uint8_t buf[64 * 2048];

static int setup(void **state)
{
    rig_setup(state);
    rig_channel(1);
    return 0;
}

static int ask(const uint8_t *p) { return packet_in(p, buf, sizeof(buf), 0xfffe); }

/* A packet with a number of sectors, or of bytes. */
static const uint8_t *packet(uint8_t code, uint32_t sector, uint16_t nr)
{
    static uint8_t p[12];

    memset(p, 0, sizeof(p));
    p[0] = code;
    put_be(p + 2, 4, sector);
    put_be(p + 7, 2, nr);
    return p;
}

static const uint8_t *read_12(uint32_t sector, uint32_t nr)
{
    static uint8_t p[12];

    memset(p, 0, sizeof(p));
    p[0] = 0xa8;
    put_be(p + 2, 4, sector);
    put_be(p + 6, 4, nr);
    return p;
}

static void fails(const uint8_t *p, uint32_t expected)
{
    uint8_t copy[12];

    memcpy(copy, p, 12);
    assert_int_equal(packet_in(copy, buf, sizeof(buf), 0xfffe), -1);
    assert_int_equal(in(1) >> 4, expected >> 16);
    assert_int_equal(sense(), expected);
    assert_int_equal(sense(), 0); /* it is asked once */
}

static void no_disk_of_ata(void **state)
{
    static const uint8_t refused[] = { 0x20, 0xec };
    static const uint8_t taken[] = { 0x94, 0x95, 0x96, 0x97, 0x98, 0xe0, 0xe1, 0xe2, 0xe3, 0xe5, 0xe7, 0xef };

    for (unsigned int i = 0; i < 2; i++) {
        params(0, 1234, 1);
        out(7, refused[i]);
        assert_int_equal(in(7), 0x51);
        assert_int_equal(in(1), ATA_ABRT);
        assert_int_equal(in(2) | in(3) << 8 | in(4) << 16 | (uint32_t)in(5) << 24, 0xeb140101);
    }
    out(7, 0x30);
    assert_int_equal(in(1), ATA_ABRT);
    out(7, 0xe5);
    assert_int_equal(in(7), 0x50);
    for (unsigned int i = 0; i < sizeof(taken); i++) {
        out(1, 0x03);
        out(2, 0x20);
        out(7, taken[i]);
        assert_true(line());
        assert_int_equal(in(7), 0x50);
        assert_int_equal(in(1), 0);
    }
    out(1, 0xaa); /* look ahead: a disk does */
    out(7, 0xef);
    assert_int_equal(in(7), 0x51);
    out(1, 2); /* overlap */
    out(7, 0xa0);
    assert_int_equal(in(7), 0x51);
}

static void sectors(void **state)
{
    static const unsigned int limits[] = { 2048, 2, 512, 3000, 4095, 32768, 0xffff };

    for (unsigned int i = 0; i < ARRAY_SIZE(limits); i++) {
        memset(buf, 0, sizeof(buf));
        assert_int_equal(packet_in(packet(0x28, 7, 19), buf, sizeof(buf), limits[i]), 19 * 2048);
        assert_pattern(buf, 28, 76);
        memset(buf, 0, sizeof(buf));
        assert_int_equal(packet_in(read_12(RIG_CD - 20, 20), buf, sizeof(buf), limits[i]), 20 * 2048);
        assert_pattern(buf, 4 * RIG_CD - 80, 80);
    }
    assert_int_equal(ask(packet(0x28, 5, 0)), 0);
    assert_int_equal(ask(packet(0x28, RIG_CD, 0)), 0);
    fails(packet(0x28, RIG_CD - 1, 2), 0x052100);
    fails(packet(0x28, 0xffffffff, 2), 0x052100);
    fails(read_12(0, 0xffffffff), 0x052100);
    /* Nothing fits into nothing. */
    assert_int_equal(packet_in(packet(0x28, 0, 1), buf, sizeof(buf), 0), -1);
    assert_int_equal(in(1) & ATA_ABRT, ATA_ABRT);
    assert_int_equal(packet_in(packet(0x00, 0, 0), buf, sizeof(buf), 0), 0);
}

static void read_cd(void **state)
{
    uint8_t p[12] = { 0xbe, 0, 0, 0, 0, 9, 0, 0, 2, 0x10 };

    assert_int_equal(ask(p), 4096);
    assert_pattern(buf, 36, 8);
    p[1] = 2 << 2; /* mode 1 */
    assert_int_equal(ask(p), 4096);
    p[1] = 1 << 2; /* sound */
    fails(p, 0x056400);
    p[1] = 0;
    p[9] = 0;
    assert_int_equal(ask(p), 0);
    p[9] = 0xf8;
    fails(p, 0x052400);
}

static void dma(void **state)
{
    prd(0, DMA_AREA, 2048 + 100, false);
    prd(1, DMA_AREA + 2148, 19 * 2048 - 100, true);
    bm_start(true);
    assert_int_equal(packet_send(packet(0x28, 100, 20), 0, true) & (ATA_DRQ | ATA_ERR), 0);
    assert_true(line());
    assert_int_equal(bm_status() & 7, 4);
    assert_int_equal(in(2), 3);
    assert_int_equal(in(7), 0x50);
    assert_pattern(rig->board->memory + DMA_AREA, 400, 80);
    bm_stop();
    /* Short answers, too; an odd one has a byte more. */
    rig->board->memory[DMA_AREA + 18] = 0xee;
    prd(0, DMA_AREA, 4096, true);
    bm_start(true);
    packet_send((const uint8_t[12]){ 0x12, 0, 0, 0, 17 }, 0, true);
    assert_int_equal(in(7), 0x50);
    assert_int_equal(bm_status() & 7, 5);
    assert_memory_equal(rig->board->memory + DMA_AREA + 8, "xenlab  C", 9);
    assert_int_equal(rig->board->memory[DMA_AREA + 17], 0);
    assert_int_equal(rig->board->memory[DMA_AREA + 18], 0xee);
}

static void itself(void **state)
{
    assert_int_equal(ask((const uint8_t[12]){ 0x12, 0, 0, 0, 36 }), 36);
    assert_int_equal(buf[0], 5);
    assert_int_equal(buf[1], 0x80);
    assert_int_equal(buf[4], 31);
    assert_memory_equal(buf + 8, "xenlab  CD-ROM          1.0 ", 28);
    assert_int_equal(ask((const uint8_t[12]){ 0x12, 0, 0, 0, 5 }), 5);
    fails((const uint8_t[12]){ 0x12, 1, 0, 0, 36 }, 0x052400);
    assert_int_equal(ask((const uint8_t[12]){ 0x1a, 0, 0x2a, 0, 255 }), 24);
    assert_int_equal(buf[0], 23);
    assert_int_equal(buf[4], 0x2a);
    assert_int_equal(buf[5], 18);
    assert_int_equal(ask((const uint8_t[12]){ 0x5a, 0, 0x3f, 0, 0, 0, 0, 1, 0 }), 8 + 8 + 20);
    assert_int_equal(be(buf, 2), 34);
    assert_int_equal(buf[2], 1);
    assert_int_equal(buf[8], 1);
    assert_int_equal(buf[16], 0x2a);
    assert_int_equal(ask((const uint8_t[12]){ 0x5a, 0, 0x41, 0, 0, 0, 0, 1, 0 }), 16);
    assert_int_equal(buf[11], 0); /* nothing can be changed */
    fails((const uint8_t[12]){ 0x5a, 0, 0xea, 0, 0, 0, 0, 1, 0 }, 0x053900);
    fails((const uint8_t[12]){ 0x5a, 0, 0x05, 0, 0, 0, 0, 1, 0 }, 0x052400);
    assert_int_equal(ask((const uint8_t[12]){ 0x46, 0, 0, 0, 0, 0, 0, 1, 0 }), 8 + 12 + 8 + 8 + 12 + 8 + 4);
    assert_int_equal(be(buf, 4), 8 + 12 + 8 + 8 + 12 + 8 + 4 - 4);
    assert_int_equal(be(buf + 6, 2), 8);
    assert_int_equal(be(buf + 8, 4), 0x00000308);
    assert_int_equal(be(buf + 12, 4), 0x00100000);
    assert_int_equal(be(buf + 16, 4), 0x00080100);                                     /* this one */
    assert_int_equal(ask((const uint8_t[12]){ 0x46, 1, 0, 0x1e, 0, 0, 0, 1, 0 }), 16); /* now: CDs, and no DVDs */
    assert_int_equal(be(buf + 8, 2), 0x1e);
    assert_int_equal(ask((const uint8_t[12]){ 0x46, 2, 0, 0x03, 0, 0, 0, 1, 0 }), 16);
    assert_int_equal(be(buf + 8, 2), 3);
    fails((const uint8_t[12]){ 0x46, 3 }, 0x052400);
    assert_int_equal(ask((const uint8_t[12]){ 0xbd, 0, 0, 0, 0, 0, 0, 0, 0, 8 }), 8);
    assert_int_equal(ask((const uint8_t[12]){ 0xbb }), 0);
}

static void its_disc(void **state)
{
    assert_int_equal(ask(packet(0x25, 0, 0)), 8);
    assert_int_equal(be(buf, 4), RIG_CD - 1);
    assert_int_equal(be(buf + 4, 4), 2048);
    assert_int_equal(ask(packet(0x43, 0, 255)), 20);
    assert_int_equal(be(buf, 4), 18u << 16 | 0x0101);
    assert_int_equal(buf[6], 1);
    assert_int_equal(be(buf + 8, 4), 0);
    assert_int_equal(buf[14], 0xaa);
    assert_int_equal(be(buf + 16, 4), RIG_CD);
    assert_int_equal(ask((const uint8_t[12]){ 0x43, 2, 0, 0, 0, 0, 0xaa, 0, 255 }), 12);
    assert_int_equal(be(buf + 8, 4), (RIG_CD + 150) / 75 << 8 | (RIG_CD + 150) % 75);
    fails((const uint8_t[12]){ 0x43, 0, 0, 0, 0, 0, 2, 0, 255 }, 0x052400);
    fails((const uint8_t[12]){ 0x43, 0, 5, 0, 0, 0, 0, 0, 255 }, 0x052400);
    assert_int_equal(ask((const uint8_t[12]){ 0x43, 0, 1, 0, 0, 0, 0, 0, 255 }), 12);
    assert_int_equal(ask((const uint8_t[12]){ 0x43, 0, 0, 0, 0, 0, 0, 0, 255, 0x40 }), 12); /* as SFF-8020 has it */
    assert_int_equal(buf[1], 10);
    assert_int_equal(ask((const uint8_t[12]){ 0x43, 2, 2, 0, 0, 0, 0, 0, 255 }), 48);
    assert_int_equal(buf[7], 0xa0);
    assert_int_equal(buf[12], 1);
    assert_int_equal(buf[18], 0xa1);
    assert_int_equal(buf[29], 0xa2);
    assert_int_equal(be(buf + 33, 4), (RIG_CD + 150) / 75 << 8 | (RIG_CD + 150) % 75);
    assert_int_equal(buf[40], 1);
    assert_int_equal(be(buf + 44, 4), 2 << 8);
    assert_int_equal(ask(packet(0x43, 0, 0x100)), 20); /* there may be more room than a byte can say */
    assert_int_equal(ask(packet(0x51, 0, 0x100)), 34);
    assert_int_equal(ask(packet(0x51, 0, 34)), 34);
    assert_int_equal(buf[2], 0x0e);
    assert_int_equal(ask((const uint8_t[12]){ 0x52, 1, 0, 0, 0, 1, 0, 0, 28 }), 28);
    assert_int_equal(be(buf + 24, 4), RIG_CD);
    fails((const uint8_t[12]){ 0x52, 1, 0, 0, 0, 2, 0, 0, 28 }, 0x052400);
    assert_int_equal(ask(packet(0x2b, RIG_CD - 1, 0)), 0);
    fails(packet(0x2b, RIG_CD, 0), 0x052100);
    fails(packet(0xff, 0, 0), 0x052000);
}

static uint32_t event(void)
{
    assert_int_equal(ask((const uint8_t[12]){ 0x4a, 1, 0, 0, 0x10, 0, 0, 0, 8 }), 8);
    assert_int_equal(be(buf, 4), 0x00060410);
    return be(buf + 4, 2);
}

static void discs(void **state)
{
    static const uint8_t of_discs[] = { 0x25, 0x2b, 0x43, 0x51, 0x52, 0xa8, 0xbe };
    static const uint8_t of_drives[] = { 0x12, 0x1a, 0x1e, 0xbb, 0xbd };
    const uint8_t eject[12] = { 0x1b, 0, 0, 0, 2 }, load[12] = { 0x1b, 0, 0, 0, 3 };

    assert_int_equal(event(), 0x0002);
    fails((const uint8_t[12]){ 0x4a, 0, 0, 0, 0x10, 0, 0, 0, 8 }, 0x052400);
    assert_int_equal(ask((const uint8_t[12]){ 0x4a, 1, 0, 0, 2, 0, 0, 0, 8 }), 4);
    assert_int_equal(be(buf, 4), 0x00028010);
    /* Out, by the one outside. */
    assert_true(ide_change_disc(&rig->ide, 1, 0, NULL));
    assert_int_equal(event(), 0x0300);
    assert_int_equal(event(), 0);
    fails(packet(0x00, 0, 0), 0x023a01);
    fails(packet(0x28, 0, 1), 0x023a01);
    assert_int_equal(ask((const uint8_t[12]){ 0x12, 0, 0, 0, 36 }), 36);
    assert_int_equal(ask((const uint8_t[12]){ 0x46, 0, 0, 0, 0, 0, 0, 1, 0 }), 60);
    assert_int_equal(be(buf + 6, 2), 0);
    for (unsigned int i = 0; i < sizeof(of_discs); i++)
        fails(packet(of_discs[i], 0, 8), 0x023a01);
    for (unsigned int i = 0; i < sizeof(of_drives); i++)
        assert_true(ask((const uint8_t[12]){ of_drives[i], 0, of_drives[i] == 0x1a ? 0x3f : 0 }) >= 0);
    assert_int_equal(ask((const uint8_t[12]){ 0x1a, 0, 0x3f, 0, 255 }), 32);
    assert_int_equal(buf[1], 0x70);
    /* Another one: said once, whoever asks. */
    assert_true(ide_change_disc(&rig->ide, 1, 0, rig->disk[2]));
    fails(packet(0x00, 0, 0), 0x062800);
    assert_int_equal(ask(packet(0x00, 0, 0)), 0);
    assert_int_equal(event(), 0x0202);
    ide_change_disc(&rig->ide, 1, 0, rig->disk[2]);
    assert_int_equal(sense(), 0x062800);
    assert_int_equal(ask(packet(0x00, 0, 0)), 0);
    /* By the guest: not while it is locked. */
    assert_int_equal(ask((const uint8_t[12]){ 0x1e, 0, 0, 0, 1 }), 0);
    fails(eject, 0x055302);
    assert_int_equal(ask(packet(0x00, 0, 0)), 0);
    assert_int_equal(ask((const uint8_t[12]){ 0x1e }), 0);
    event();
    assert_int_equal(ask(eject), 0);
    assert_int_equal(event(), 0x0301);
    fails(packet(0x00, 0, 0), 0x023a02);
    assert_int_equal(ask((const uint8_t[12]){ 0xbd, 0, 0, 0, 0, 0, 0, 0, 0, 8 }), 8);
    assert_int_equal(buf[1], 0x10);
    assert_int_equal(ask(load), 0);
    assert_int_equal(event(), 0x0202);
    fails(packet(0x00, 0, 0), 0x062800);
    assert_int_equal(ask(packet(0x28, 0, 1)), 2048);
    assert_false(ide_change_disc(&rig->ide, 1, 1, NULL));
    assert_false(ide_change_disc(&rig->ide, 0, 0, NULL));
}

/* The disc goes while it is read; a reset ends what is going on; the disk's own faults. */
static void interrupted(void **state)
{
    uint8_t p[12];

    memcpy(p, packet(0x28, 0, 20), 12);
    out(6, 0xa0);
    out(4, 0);
    out(5, 8);
    out(7, 0xa0);
    port_out(p, 12);
    assert_int_equal(alt_status(), ATA_BSY);
    ide_change_disc(&rig->ide, 1, 0, NULL);
    assert_true(line());
    assert_int_equal(in(7), 0x51);
    ide_change_disc(&rig->ide, 1, 0, rig->disk[2]);
    fails(packet(0x00, 0, 0), 0x062800);
    assert_int_equal(packet_send(p, 2048, false), 0x58);
    ide_change_disc(&rig->ide, 1, 0, NULL); /* the buffer is still there */
    for (unsigned int i = 0; i < 8; i++) {
        assert_int_equal(alt_status(), 0x58);
        port_in(buf, 2048);
        assert_pattern(buf, 4 * i, 4);
    }
    assert_int_equal(in(7), 0x51);
    assert_int_equal(sense(), 0x023a00);
    ide_change_disc(&rig->ide, 1, 0, rig->disk[2]);
    sense();
    assert_int_equal(packet_send(p, 2048, false), 0x58);
    out(7, 0xec);
    assert_int_equal(alt_status(), 0x58);
    out(7, 0x08);
    assert_int_equal(alt_status(), 0);
    assert_int_equal(in(5), 0xeb);
    assert_false(line());
    out(7, 0xa0);
    port_out(p, 12);
    out(7, 0x08);
    pass(rig->board, SECONDS(1));
    assert_int_equal(alt_status(), 0);
    rig->broken = 1;
    fails(packet(0x28, 3, 1), 0x031100);
    rig->disk[2]->fault.fail = 1;
    fails(packet(0x28, 3, 1), 0x031100);
    assert_int_equal(rig->disk[2]->failed, 2);
    rig->disk[2]->away = true;
    packet_send(packet(0x28, 3, 1), 2048, false);
    assert_int_equal(alt_status(), ATA_BSY);
    rig->disk[2]->away = false;
    assert_int_equal(settle(), 0x58);
    port_in(buf, 2048);
    assert_pattern(buf, 12, 4);
}

#define T(test) cmocka_unit_test_setup_teardown(test, setup, rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = { T(no_disk_of_ata), T(sectors),  T(read_cd), T(dma),
                                        T(itself),         T(its_disc), T(discs),   T(interrupted) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
