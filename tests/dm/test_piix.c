// SPDX-License-Identifier: GPL-2.0-or-later
/* The chipset as firmware finds and sets it, its reset port; Xen's platform device: unplugging, and the log. */
#include "rings/dm/piix.h"
#include "rings/dm/platform.h"
#include "tests/dm/board.h"

#define HOST     0
#define ISA      (1 << 3)
#define PM       (1 << 3 | 3)
#define PLATFORM (2 << 3)

static struct board *board;
static struct pci_bus bus;
static struct piix piix;
static struct platform platform;
static unsigned int unplugged, lines;
static char last_line[256];

static void unplug(void *data, unsigned int what)
{
    assert_ptr_equal(data, &platform);
    unplugged |= what;
}

static void log_line(void *data, const char *line)
{
    lines++;
    snprintf(last_line, sizeof(last_line), "%s", line);
}

static const struct platform_ops ops = { .unplug = unplug, .log = log_line };

static int setup(void **state)
{
    board = board_create();
    pci_bus_init(&bus, &board->dm);
    piix_init(&piix, &bus);
    platform_init(&platform, &bus, PLATFORM, &ops, &platform);
    unplugged = lines = 0;
    return 0;
}

static int teardown(void **state)
{
    free(board);
    return 0;
}

static uint32_t get(unsigned int devfn, unsigned int reg, unsigned int size)
{
    return pci_config_read(&bus, devfn, reg, size) & (~0u >> (32 - 8 * size));
}

static void put(unsigned int devfn, unsigned int reg, unsigned int size, uint32_t val)
{
    pci_config_write(&bus, devfn, reg, size, val);
}

/* Who is found by asking all of them. */
static void found(void **state)
{
    static const struct {
        unsigned int devfn;
        uint32_t id, class_code;
    } who[] = { { HOST, 0x12378086, 0x06000002 },
                { ISA, 0x70008086, 0x06010000 },
                { PM, 0x71138086, 0x06800003 },
                { PLATFORM, 0x00015853, 0xff800001 } };
    unsigned int nr = 0;

    for (unsigned int devfn = 0; devfn < 256; devfn++) {
        if (get(devfn, 0, 4) == ~0u)
            continue;
        assert_true(nr < ARRAY_SIZE(who));
        assert_int_equal(devfn, who[nr].devfn);
        assert_int_equal(get(devfn, 0, 4), who[nr].id);
        assert_int_equal(get(devfn, 8, 4), who[nr].class_code);
        nr++;
    }
    assert_int_equal(nr, ARRAY_SIZE(who));
    assert_int_equal(get(HOST, 0x0e, 1), 0);
    assert_int_equal(get(ISA, 0x0e, 1), 0x80);
    /* What a bridge does it does always. */
    put(HOST, 4, 2, 0);
    put(ISA, 4, 2, 0);
    assert_int_equal(get(HOST, 4, 2), 6);
    assert_int_equal(get(ISA, 4, 2), 7);
}

static void links(void **state)
{
    assert_int_equal(get(ISA, 0x60, 4), 0x80808080);
    /* hvmloader's way: a byte each. */
    put(ISA, 0x60, 1, 5);
    put(ISA, 0x61, 1, 10);
    put(ISA, 0x62, 1, 11);
    put(ISA, 0x63, 1, 5);
    assert_int_equal(board->link[0], 5);
    assert_int_equal(board->link[1], 10);
    assert_int_equal(board->link[2], 11);
    assert_int_equal(board->link[3], 5);
    /* All at once; off; where no link may lead to. */
    put(ISA, 0x60, 4, 0x0f0d8b07);
    assert_int_equal(get(ISA, 0x60, 4), 0x0f0d8b07);
    assert_int_equal(board->link[0], 7);
    assert_int_equal(board->link[1], 0);
    assert_int_equal(board->link[2], 0);
    assert_int_equal(board->link[3], 15);
    /* Bits that there are not; and other registers are no links. */
    put(ISA, 0x60, 2, 0xffff);
    assert_int_equal(get(ISA, 0x60, 4), 0x0f0d8f8f);
    put(ISA, 0x64, 4, 0x05050505);
    put(ISA, 0x5c, 4, 0x05050505);
    assert_int_equal(board->link[3], 15);
    assert_int_equal(board->link[2], 0);
}

static void kept(void **state)
{
    put(HOST, 0x58, 4, ~0u);
    put(HOST, 0x5c, 4, ~0u);
    assert_int_equal(get(HOST, 0x58, 4), 0x33333000);
    assert_int_equal(get(HOST, 0x5c, 4), 0x33333333);
    /* Firmware puts ACPI's ports in two writes, and lets the interrupt be 9. */
    assert_int_equal(get(PM, 0x40, 4), 1);
    put(PM, 0x40, 4, 0xb001);
    put(PM, 0x80, 1, 1);
    put(PM, 0x3c, 2, 0x0109);
    assert_int_equal(get(PM, 0x40, 4), 0xb001);
    assert_int_equal(get(PM, 0x80, 1), 1);
    assert_int_equal(get(PM, 0x3c, 2), 0x0109);
    put(PM, 0xd2, 2, 0);
    assert_int_equal(get(PM, 0xd2, 2), 0);
}

/* What a register is when the machine is switched on, and when all ones, and zeroes, are written to it: a byte each. */
static void registers(void **state)
{
    static const struct {
        uint8_t devfn, reg, first, ones, zeroes;
    } t[] = {
        { HOST, 0x04, 0x06, 0x06, 0x06 }, { HOST, 0x06, 0x80, 0x80, 0x80 }, { HOST, 0x07, 0x02, 0x02, 0x02 },
        { HOST, 0x08, 0x02, 0x02, 0x02 }, { HOST, 0x59, 0x00, 0x30, 0x00 }, { HOST, 0x5a, 0x00, 0x33, 0x00 },
        { HOST, 0x72, 0x02, 0x02, 0x02 }, { HOST, 0x73, 0x00, 0x00, 0x00 }, { ISA, 0x04, 0x07, 0x07, 0x07 },
        { ISA, 0x06, 0x00, 0x00, 0x00 },  { ISA, 0x07, 0x02, 0x02, 0x02 },  { ISA, 0x4c, 0x4d, 0xff, 0x00 },
        { ISA, 0x4e, 0x03, 0xff, 0x00 },  { ISA, 0x4f, 0x00, 0x01, 0x00 },  { ISA, 0x68, 0x00, 0x00, 0x00 },
        { ISA, 0x69, 0x02, 0xfe, 0x00 },  { ISA, 0x6a, 0x00, 0x00, 0x00 },  { ISA, 0x70, 0x80, 0xef, 0x00 },
        { ISA, 0x75, 0x00, 0x00, 0x00 },  { ISA, 0x76, 0x0c, 0x8f, 0x00 },  { ISA, 0x77, 0x0c, 0x8f, 0x00 },
        { ISA, 0x78, 0x00, 0x00, 0x00 },  { ISA, 0x82, 0x00, 0x0f, 0x00 },  { ISA, 0x83, 0x00, 0x00, 0x00 },
        { ISA, 0xa0, 0x08, 0x1f, 0x00 },  { ISA, 0xa1, 0x00, 0x00, 0x00 },  { ISA, 0xa2, 0x00, 0xff, 0x00 },
        { ISA, 0xa3, 0x00, 0x01, 0x00 },  { ISA, 0xa4, 0x00, 0xff, 0x00 },  { ISA, 0xa6, 0x00, 0x01, 0x00 },
        { ISA, 0xa7, 0x00, 0xe0, 0x00 },  { ISA, 0xa8, 0x0f, 0xff, 0x00 },  { PM, 0x06, 0x80, 0x80, 0x80 },
        { PM, 0x07, 0x02, 0x02, 0x02 },   { PM, 0x40, 0x01, 0xc1, 0x01 },   { PM, 0x90, 0x01, 0xf1, 0x01 },
        { PM, 0x91, 0x00, 0xff, 0x00 },   { PM, 0xd1, 0x00, 0x00, 0x00 },   { PM, 0xd2, 0x00, 0x0f, 0x00 },
        { PM, 0xd3, 0x00, 0xff, 0x00 },   { PM, 0xd6, 0x00, 0x00, 0x00 },
    };

    for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
        const uint32_t first = get(t[i].devfn, t[i].reg, 1);
        uint32_t ones;

        put(t[i].devfn, t[i].reg, 1, 0xff);
        ones = get(t[i].devfn, t[i].reg, 1);
        put(t[i].devfn, t[i].reg, 1, 0);
        if (first != t[i].first || ones != t[i].ones || get(t[i].devfn, t[i].reg, 1) != t[i].zeroes)
            fail_msg("function 0x%x, register 0x%x: 0x%x, 0x%x, 0x%x", t[i].devfn, t[i].reg, first, ones,
                     get(t[i].devfn, t[i].reg, 1));
    }
}

static void resets(void **state)
{
    assert_int_equal(inb(board, 0xcf9), 0);
    outb(board, 0xcf9, 0x02);
    assert_int_equal(board->resets, 0);
    assert_int_equal(inb(board, 0xcf9), 2);
    outb(board, 0xcf9, 0x06);
    assert_int_equal(board->resets, 1);
    outb(board, 0xcf9, 0x0e); /* it is the change that does it */
    assert_int_equal(board->resets, 1);
    outb(board, 0xcf9, 0);
    outb(board, 0xcf9, 4);
    assert_int_equal(board->resets, 2);
}

/* As Linux does it: is there such a device, who am I, am I refused, away with them. */
/*
 * ACPI's general purpose events, where the FADT of Xen's firmware has them: two bytes of status, two that enable. None
 * ever comes, so no status is set; a port that nobody has would say that all of them are.
 */
static void general_events(void **state)
{
    assert_int_equal(inl(board, 0xafe0), 0);
    outl(board, 0xafe0, 0x1234ffff);
    assert_int_equal(inl(board, 0xafe0), 0x12340000);
    outb(board, 0xafe3, 0x56);
    assert_int_equal(inw(board, 0xafe2), 0x5634);
    assert_int_equal(inw(board, 0xafe0), 0);
}

static void unplugging(void **state)
{
    assert_int_equal(inw(board, 0x10), 0x49d2);
    assert_int_equal(inb(board, 0x12), 1);
    outw(board, 0x12, 3);
    outl(board, 0x10, 0xff);
    assert_int_equal(inw(board, 0x10), 0x49d2);
    assert_int_equal(platform.product, 3);
    assert_int_equal(platform.build, 0xff);
    assert_int_equal(unplugged, 0);
    outw(board, 0x10, PLATFORM_UNPLUG_IDE | PLATFORM_UNPLUG_NICS);
    assert_int_equal(unplugged, 3);
    outw(board, 0x10, PLATFORM_UNPLUG_AUX_IDE);
    assert_int_equal(unplugged, 7);
    assert_int_equal(inl(board, 0x10), 0xffffffff);
    assert_int_equal(inb(board, 0x11), 0xff);
    assert_int_equal(inb(board, 0x13), 0xff);
    assert_int_equal(inw(board, 0x12), 0xffff);
    assert_int_equal(unplugged, 7);
}

static void say(const char *s)
{
    for (; *s; s++)
        outb(board, 0x12, (uint8_t)*s);
}

static void logging(void **state)
{
    char longer[300];

    say("PV drivers:\tloaded\r");
    assert_int_equal(lines, 0);
    say("\n");
    assert_string_equal(last_line, "PV drivers: loaded");
    say("\n\n"); /* nothing is no line */
    assert_int_equal(lines, 1);
    say("\033[2J\n");
    assert_string_equal(last_line, "?[2J");
    memset(longer, 'x', sizeof(longer));
    longer[299] = '\0';
    say(longer);
    assert_int_equal(lines, 4);
    assert_int_equal(strlen(last_line), 127);
    say("\n");
    assert_int_equal(strlen(last_line), 299 - 2 * 127);
}

static void bars(void **state)
{
    put(PLATFORM, 0x10, 4, ~0u);
    assert_int_equal(get(PLATFORM, 0x10, 4), 0xffffff01);
    put(PLATFORM, 0x14, 4, ~0u);
    assert_int_equal(get(PLATFORM, 0x14, 4), 0xff000008);
    put(PLATFORM, 0x10, 4, 0xc000);
    put(PLATFORM, 0x14, 4, 0xf2000000);
    outb(board, 0x10, 0xff);
    assert_int_equal(inb(board, 0x10), 1);
    assert_int_equal(inb(board, 0xc000), 1);
    outb(board, 0xc000, 0);
    assert_int_equal(inb(board, 0x10), 0);
    outb(board, 0xc008, 'y');
    say("es\n");
    assert_string_equal(last_line, "yes");
    assert_int_equal(inl(board, 0xc004), 0xffffffff);
    assert_int_equal(board_read(board, DM_MEMORY, 0xf2fffff8, 8), 0);
    assert_int_equal(get(PLATFORM, 0x2c, 4), 0x00015853);
    assert_int_equal(get(PLATFORM, 0x3d, 1), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(found, setup, teardown),
        cmocka_unit_test_setup_teardown(links, setup, teardown),
        cmocka_unit_test_setup_teardown(kept, setup, teardown),
        cmocka_unit_test_setup_teardown(registers, setup, teardown),
        cmocka_unit_test_setup_teardown(resets, setup, teardown),
        cmocka_unit_test_setup_teardown(general_events, setup, teardown),
        cmocka_unit_test_setup_teardown(unplugging, setup, teardown),
        cmocka_unit_test_setup_teardown(logging, setup, teardown),
        cmocka_unit_test_setup_teardown(bars, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
