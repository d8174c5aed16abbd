// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Emulated devices on a bus and a guest that does anything; and one that does what it should, at random.
 *
 *      test_dm_random [RUNS [SEED]]    so many runs of each kind instead of a sample (make campaign-devices)
 *
 * The first kind: any ports, configuration, descriptors in memory, packets, discs that change, faults, in any order. A
 * run with the same seed is the same to the last byte, and a drive that is reset afterwards is as good as new. The
 * second: reads and writes by every way there is, of any place and length, against arrays.
 *
 * Budget: two guests, and a line for each thing that one can do.
 */
#include "rings/dm/piix.h"
#include "rings/dm/platform.h"
#include "rings/dm/rtl8139.h"
#include "tests/dm/ide_rig.h"

#include <stdio.h>

static unsigned int runs = 12;
static uint64_t first_seed = 1;

static uint64_t r; /* the random numbers' state */
static uint64_t any(uint64_t n) { return random_of(&r, n); }
static bool one_in(unsigned int n) { return any(n) == 0; }

/* --- a guest that does anything --- */

static struct piix piix;
static struct platform platform;
static struct rtl8139 nic;
static uint64_t hash;

static void note(uint64_t val) { hash = (hash ^ val) * UINT64_C(1099511628211); }

static void on_unplug(void *data, unsigned int what)
{
    note(what);
    if (one_in(4) && (what & (PLATFORM_UNPLUG_IDE | PLATFORM_UNPLUG_AUX_IDE)))
        ide_unplug_disks(&rig->ide, !(what & PLATFORM_UNPLUG_IDE));
}

static void on_log(void *data, const char *line) { note((uint64_t)strlen(line)); }

static void on_frame(void *data, const struct rtl8139_frame *f)
{
    for (size_t i = 0; i < f->len; i++)
        note(f->bytes[i]);
}

static void on_room(void *data) { note(rtl8139_room(&nic)); }

static const struct rtl8139_ops nic_ops = { .send = on_frame, .room = on_room };

/* A frame comes in, or what is in the guest's memory is where it sends from and receives to. */
static void any_frame(void)
{
    uint8_t f[1600];
    const size_t len = any(sizeof(f));

    for (size_t i = 0; i < len; i++)
        f[i] = (uint8_t)any(256);
    rtl8139_receive(&nic, f, len);
    pci_config_write(&rig->bus, 3 << 3, 0x10, 4, 0xd000);
    pci_config_write(&rig->bus, 3 << 3, 4, 2, 7);
    outb(rig->board, 0xd000 + RTL_CR, RTL_CR_RE | RTL_CR_TE);
    outw(rig->board, 0xd000 + RTL_CPCR, (uint16_t)any(4));
    outl(rig->board, 0xd000 + RTL_RCR, (uint32_t)any(UINT64_C(1) << 32) | 1);
    outl(rig->board, 0xd000 + RTL_TSAD, (uint32_t)any(BOARD_MEMORY));
    outl(rig->board, 0xd000 + RTL_RDSAR, (uint32_t)any(BOARD_MEMORY));
    outl(rig->board, 0xd000 + RTL_RBSTART, (uint32_t)any(BOARD_MEMORY));
    outb(rig->board, 0xd000 + RTL_TPPOLL, (uint8_t)any(256));
}

static const struct platform_ops platform_ops = { .unplug = on_unplug, .log = on_log };

static void any_region(void)
{
    struct dm_region *list[32];
    unsigned int nr = 0;
    const struct dm_region *g;
    unsigned int size;

    for (struct dm_region *at = rig->board->regions; at && nr < 32; at = at->next)
        if (at->present)
            list[nr++] = at;
    g = list[any(nr)];
    size = 1u << any(g->space == DM_MEMORY ? 4 : 3);
    if (size > g->size)
        return;
    if (one_in(2))
        note(g->ops->read(g->dev, any(g->size - size + 1), size));
    else
        g->ops->write(g->dev, any(g->size - size + 1), size, any(UINT64_C(1) << 44));
}

static void any_config(void)
{
    static const uint8_t devfn[] = { 0, 1 << 3, IDE_DEVFN, 1 << 3 | 3, 2 << 3, 3 << 3 };
    const unsigned int size = 1u << any(3), reg = (unsigned int)any(256 / size) * size, fn = devfn[any(sizeof(devfn))];

    if (one_in(2))
        note(pci_config_read(&rig->bus, fn, reg, size));
    else
        pci_config_write(&rig->bus, fn, reg, size, (uint32_t)any(UINT64_C(1) << 32));
    if (one_in(2)) { /* where the others look for it */
        pci_config_write(&rig->bus, IDE_DEVFN, 0x20, 4, BM);
        pci_config_write(&rig->bus, IDE_DEVFN, 4, 2, 5);
        pci_config_write(&rig->bus, IDE_DEVFN, 0x40, 4, 0x80008000);
    }
}

static void any_descriptors(void)
{
    for (unsigned int i = 0; i < 1 + any(20); i++)
        prd(i, (uint32_t)any(one_in(20) ? UINT64_C(1) << 32 : BOARD_MEMORY), (uint32_t)any(one_in(4) ? 65536 : 3000),
            one_in(4));
    outl(rig->board, (uint16_t)(rig->bm + 4), one_in(20) ? (uint32_t)any(UINT64_C(1) << 32) : PRD_TABLE);
}

static void any_command(void)
{
    static const uint8_t known[] = { 0x08, 0x20, 0x24, 0x25, 0x29, 0x30, 0x34, 0x35, 0x39, 0x40, 0x90, 0x91,
                                     0xa0, 0xa0, 0xa0, 0xa1, 0xc4, 0xc5, 0xc6, 0xc8, 0xca, 0xe7, 0xec, 0xef };
    const unsigned int unit = (unsigned int)any(2), nr = (unsigned int)any(one_in(4) ? 256 : 40);

    if (one_in(2))
        params(unit, (uint32_t)any(one_in(3) ? 1 << 28 : RIG_SMALL), nr);
    else
        params_ext(unit, any(one_in(3) ? UINT64_C(1) << 44 : RIG_SMALL), nr);
    if (one_in(3))
        out((unsigned int)any(7), (uint8_t)any(256));
    out(7, one_in(4) ? (uint8_t)any(256) : known[any(sizeof(known))]);
}

static void any_packet(void)
{
    static const uint8_t known[] = { 0x00, 0x03, 0x12, 0x1a, 0x1b, 0x1e, 0x25, 0x28, 0x28, 0x2b,
                                     0x43, 0x46, 0x4a, 0x51, 0x52, 0x5a, 0xa8, 0xbd, 0xbe };
    uint8_t p[12];

    for (unsigned int i = 0; i < 12; i++)
        p[i] = one_in(2) ? 0 : (uint8_t)any(one_in(2) ? 8 : 256);
    p[0] = one_in(4) ? (uint8_t)any(256) : known[any(sizeof(known))];
    if (one_in(2))
        p[1] = 0;
    if (one_in(2))
        p[9] = 0x10;
    out(6, 0xa0);
    out(1, one_in(2));
    out(4, (uint8_t)any(256));
    out(5, (uint8_t)any(256));
    out(7, 0xa0);
    port_out(p, sizeof(p));
}

static void data_port(void)
{
    for (unsigned int i = (unsigned int)any(one_in(2) ? 20 : 9000); i && (alt_status() & ATA_DRQ); i--) {
        const unsigned int size = 1u << (one_in(8) ? any(3) : 2);

        if (one_in(2))
            note(board_read(rig->board, DM_PORT, rig->base, size));
        else
            board_write(rig->board, DM_PORT, rig->base, size, any(UINT64_C(1) << 32));
    }
}

static void from_outside(void)
{
    struct disk *d = rig->disk[any(3)];

    switch (any(5)) {
    case 0: ide_change_disc(&rig->ide, 1, 0, one_in(2) ? rig->disk[2] : NULL); break;
    case 1: d->fault.fail = (unsigned int)any(2); break;
    case 2: d->fault.drop = (unsigned int)any(2); break;
    case 3: d->away = one_in(2); break;
    default: rig->broken = (unsigned int)any(3); break;
    }
}

static void any_step(void)
{
    rig_channel((unsigned int)any(2));
    switch (any(13)) {
    case 0: any_config(); break;
    case 1:
    case 2: any_descriptors(); break;
    case 3: bm_start(one_in(2)); break;
    case 4:
    case 5: any_command(); break;
    case 6: any_packet(); break;
    case 7:
    case 8: data_port(); break;
    case 9:
        if (one_in(8))
            from_outside();
        if (one_in(4))
            control((uint8_t)any(256));
        else if (one_in(2))
            control(0);
        break;
    case 11: any_frame(); break;
    case 10: pass(rig->board, (s_time_t)any(MILLISECS(3))); break;
    default: any_region(); break;
    }
}

/* After a reset a drive that is there is as good as new. */
static void usable(void)
{
    static uint8_t buf[2048];
    const uint8_t read[12] = { 0x28, 0, 0, 0, 0, 77, 0, 0, 1 };

    pci_config_write(&rig->bus, IDE_DEVFN, 0x40, 4, 0x80008000);
    pci_config_write(&rig->bus, IDE_DEVFN, 0x20, 4, BM); /* and nobody else's ports lie over its own */
    pci_config_write(&rig->bus, 2 << 3, 0x10, 4, 0);
    for (unsigned int i = 0; i < 3; i++) {
        rig->disk[i]->away = false;
        rig->disk[i]->fault = (struct disk_fault){ 0 };
    }
    rig->broken = 0;
    for (unsigned int i = 0; i < 2; i++) {
        rig_channel(0);
        control(ATA_SRST);
        control(0);
        if (rig->ide.channel[0].drive[i].kind == IDE_NONE)
            continue;
        params(i, 77, 1);
        out(7, 0x20);
        assert_int_equal(settle(), 0x58);
        assert_true(line());
        port_in(buf, 512);
        assert_int_equal(in(7), 0x50);
    }
    rig_channel(1);
    control(ATA_SRST);
    control(0);
    ide_change_disc(&rig->ide, 1, 0, rig->disk[2]);
    sense();
    sense();
    assert_int_equal(packet_in(read, buf, sizeof(buf), 2048), 2048);
    assert_pattern(buf, 77 * 4, 4);
}

static uint64_t hostile_run(uint64_t seed)
{
    uint8_t *drives;

    r = seed;
    hash = UINT64_C(14695981039346656037);
    rig_setup(NULL);
    piix_init(&piix, &rig->bus);
    platform_init(&platform, &rig->bus, 2 << 3, &platform_ops, NULL);
    assert_true(
        rtl8139_init(&nic, &rig->bus, 3 << 3, (const uint8_t[6]){ 0, 0x16, 0x3e, 1, 2, 3 }, NULL, &nic_ops, NULL));
    for (unsigned int i = 0; i < 1500; i++) {
        any_step();
        for (unsigned int nr = 0; nr < 2; nr++) {
            const struct ide_moving *m = &rig->ide.channel[nr].moving;

            assert_true(m->pos <= m->end + 3 && m->end <= IDE_BUFFER);
        }
    }
    usable();
    for (unsigned int i = 0; i < 16; i++)
        note(rig->board->rises[i]);
    for (unsigned int i = 0; i < BOARD_MEMORY; i += 8) {
        uint64_t val;

        memcpy(&val, rig->board->memory + i, 8);
        note(val);
    }
    for (unsigned int i = 0; i < 2; i++) {
        drives = malloc(64 * SECTOR_SIZE);
        assert_int_equal(disk_read(rig->disk[i], 0, drives, 64), 0);
        for (unsigned int k = 0; k < 64 * SECTOR_SIZE; k++)
            note(drives[k]);
        free(drives);
    }
    rig_teardown(NULL);
    return hash;
}

static void hostile(void **state)
{
    for (unsigned int i = 0; i < runs; i++) {
        const uint64_t once = hostile_run(first_seed + i);

        if (hostile_run(first_seed + i) != once)
            fail_msg("seed %llu: two runs differ", (unsigned long long)(first_seed + i));
    }
}

/* --- a guest that does what it should --- */

#define MODEL 3000u /* sectors of each disk, from its beginning, or its end */

static uint8_t model[2][MODEL * SECTOR_SIZE], data[512 * SECTOR_SIZE], got[512 * SECTOR_SIZE];
static unsigned int geometry[2][2]; /* heads, sectors of a track */

struct transfer {
    unsigned int unit, nr, block;
    uint64_t sector;
    bool write, dma, ext;
    uint8_t command;
};

static uint64_t model_at(unsigned int unit) { return unit ? RIG_LARGE - MODEL : 0; }

/* Memory in pieces of any even length, at any even place, that do not overlap. */
static void scatter(unsigned int len, bool from)
{
    unsigned int nr = 0, at = 0, place = DMA_AREA;

    while (at < len) {
        const unsigned int most = len - at, piece = 2 + 2 * (unsigned int)any((one_in(3)     ? most
                                                                               : most < 1024 ? most
                                                                                             : 1024) /
                                                                              2);
        const unsigned int size = piece < most ? piece : most;

        place += 2 * (unsigned int)any(20);
        if (size > 65536 || nr == 3000)
            continue;
        prd(nr++, place, size, at + size == len);
        if (from)
            memcpy(rig->board->memory + place, data + at, size);
        place += size;
        at += size;
    }
}

/* The same pieces again. */
static void gather(unsigned int len)
{
    for (unsigned int nr = 0, at = 0; at < len; nr++) {
        uint32_t desc[2];

        memcpy(desc, rig->board->memory + PRD_TABLE + 8 * nr, 8);
        desc[1] = desc[1] & 0xffff ? desc[1] & 0xffff : 0x10000;
        memcpy(got + at, rig->board->memory + desc[0], desc[1]);
        at += desc[1];
    }
}

static void address(const struct transfer *t)
{
    const unsigned int heads = geometry[t->unit][0], track = geometry[t->unit][1];

    if (t->ext) {
        params_ext(t->unit, t->sector, t->nr & 0xffff);
        return;
    }
    params(t->unit, (uint32_t)t->sector, t->nr & 0xff);
    if (t->sector / track / heads < 1000 && one_in(2)) {
        out(6, (uint8_t)(0xa0 | t->unit << 4 | t->sector / track % heads));
        out(3, (uint8_t)(t->sector % track + 1));
        out(4, (uint8_t)(t->sector / track / heads));
        out(5, (uint8_t)(t->sector / track / heads >> 8));
    }
}

static void by_dma(const struct transfer *t)
{
    const bool early = one_in(2);

    scatter(t->nr * SECTOR_SIZE, t->write);
    address(t);
    if (early)
        bm_start(!t->write);
    out(7, t->command);
    if (one_in(2))
        pass(rig->board, (s_time_t)any(MILLISECS(1)));
    if (!early)
        bm_start(!t->write);
    settle();
    assert_true(line());
    assert_int_equal(bm_status() & 7, 4);
    assert_int_equal(in(7), 0x50);
    bm_stop();
    if (!t->write)
        gather(t->nr * SECTOR_SIZE);
}

static void by_port(const struct transfer *t)
{
    address(t);
    out(7, t->command);
    for (unsigned int at = 0; at < t->nr; at += t->block) {
        const unsigned int len = (t->nr - at < t->block ? t->nr - at : t->block) * SECTOR_SIZE;

        assert_int_equal(settle(), 0x58);
        assert_int_equal(line(), !t->write || at);
        in(7);
        if (t->write)
            port_out(data + at * SECTOR_SIZE, len);
        else
            port_in(got + at * SECTOR_SIZE, len);
    }
    assert_int_equal(settle(), 0x50);
    assert_int_equal(line(), t->write);
    in(7);
}

static void transfer(unsigned int multiple)
{
    static const uint8_t commands[2][3][2] = { { { 0x20, 0x24 }, { 0xc4, 0x29 }, { 0xc8, 0x25 } },
                                               { { 0x30, 0x34 }, { 0xc5, 0x39 }, { 0xca, 0x35 } } };
    const unsigned int way = (unsigned int)any(3);
    struct transfer t = { .unit = (unsigned int)any(2), .write = one_in(2), .dma = way == 2 };
    uint8_t *m;

    t.ext = t.unit || one_in(3); /* the second one's are behind what 28 bits can say */
    t.nr = 1 + (unsigned int)any(one_in(8) ? (t.ext ? 512 : 256) : 40);
    t.sector = any(MODEL - t.nr + 1);
    m = model[t.unit] + t.sector * SECTOR_SIZE;
    t.sector += model_at(t.unit);
    t.block = way == 1 ? multiple : 1;
    t.command = commands[t.write][way][t.ext];
    for (unsigned int i = 0; t.write && i < t.nr * SECTOR_SIZE; i += 4) {
        const uint32_t val = (uint32_t)any(UINT64_C(1) << 32);

        memcpy(data + i, &val, 4);
    }
    if (t.dma)
        by_dma(&t);
    else
        by_port(&t);
    if (t.write)
        memcpy(m, data, t.nr * SECTOR_SIZE);
    else
        assert_memory_equal(got, m, t.nr * SECTOR_SIZE);
}

static void settings(unsigned int *multiple)
{
    for (unsigned int unit = 0; unit < 2; unit++) {
        *multiple = unit ? *multiple : 1u << any(5);
        params(unit, 0, *multiple);
        out(7, 0xc6);
        assert_int_equal(in(7), 0x50);
        geometry[unit][0] = 1 + (unsigned int)any(16);
        geometry[unit][1] = 1 + (unsigned int)any(255);
        out(6, (uint8_t)(0xa0 | unit << 4 | (geometry[unit][0] - 1)));
        out(2, (uint8_t)geometry[unit][1]);
        out(7, 0x91);
        assert_int_equal(in(7), 0x50);
    }
}

static void from_cd(void)
{
    const unsigned int nr = 1 + (unsigned int)any(30), sector = (unsigned int)any(RIG_CD - nr + 1);
    const uint8_t kinds[] = { 0x28, 0xa8, 0xbe };
    uint8_t p[12] = { kinds[any(3)] };

    rig_channel(1);
    put_be(p + 2, 4, sector);
    put_be(p + (p[0] == 0x28 ? 7 : 6), p[0] == 0x28 ? 2 : p[0] == 0xa8 ? 4 : 3, nr);
    if (p[0] == 0xbe)
        p[9] = 0x10;
    if (one_in(2)) {
        scatter(nr * 2048, false);
        bm_start(true);
        packet_send(p, 0, true);
        assert_int_equal(bm_status() & 7, 4);
        assert_int_equal(in(7), 0x50);
        bm_stop();
        gather(nr * 2048);
    } else {
        assert_int_equal(packet_in(p, got, sizeof(got), 2 + (unsigned int)any(one_in(2) ? 4000 : 65530)), nr * 2048);
    }
    assert_pattern(got, sector * 4, nr * 4);
    rig_channel(0);
}

static void model_run(uint64_t seed)
{
    unsigned int multiple = 16;

    r = seed;
    rig_setup(NULL);
    for (unsigned int unit = 0; unit < 2; unit++)
        assert_int_equal(disk_read(rig->disk[unit], model_at(unit), model[unit], MODEL), 0);
    settings(&multiple);
    for (unsigned int i = 0; i < 60; i++) {
        if (one_in(8))
            settings(&multiple);
        if (one_in(6))
            from_cd();
        transfer(multiple);
    }
    for (unsigned int unit = 0; unit < 2; unit++)
        for (unsigned int at = 0; at < MODEL; at += 500) {
            assert_int_equal(disk_read(rig->disk[unit], model_at(unit) + at, got, 500), 0);
            assert_memory_equal(got, model[unit] + at * SECTOR_SIZE, 500 * SECTOR_SIZE);
        }
    rig_teardown(NULL);
}

static void as_arrays(void **state)
{
    for (unsigned int i = 0; i < runs; i++)
        model_run(first_seed + i);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(hostile), cmocka_unit_test(as_arrays) };

    if (argc > 1)
        runs = (unsigned int)strtoul(argv[1], NULL, 10);
    if (argc > 2)
        first_seed = strtoull(argv[2], NULL, 10);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
