// SPDX-License-Identifier: GPL-2.0-or-later
/* The PCI bus: who is there, which bits can be written, where regions go; and any writes at all. */
#include "rings/dm/pci.h"
#include "tests/dm/board.h"
#include "tests/support/random.h"

#define DEVFN (3 << 3)

static struct board *board;
static struct pci_bus bus;
static struct pci_device dev;
static unsigned int heard_reg, heard_size, heard;

static uint64_t echo(void *data, uint64_t offset, unsigned int size) { return 0xabcd0000 + offset; }
static void drop(void *data, uint64_t offset, unsigned int size, uint64_t val) {}
static const struct dm_region_ops echo_ops = { .read = echo, .write = drop };

static void written(void *data, unsigned int reg, unsigned int size)
{
    assert_ptr_equal(data, &dev);
    heard_reg = reg;
    heard_size = size;
    heard++;
}

static int setup(void **state)
{
    board = board_create();
    pci_bus_init(&bus, &board->dm);
    pci_device_init(&dev, DEVFN, 0x1234, 0x5678, 0x020300, &dev);
    pci_bar_init(&dev, 0, DM_PORT, 256, &echo_ops, &dev);
    pci_bar_init(&dev, 1, DM_MEMORY, 1 << 24, &echo_ops, &dev);
    dev.bar[1].prefetchable = true;
    pci_bar_init(&dev, 4, DM_MEMORY, 16, &echo_ops, &dev);
    pci_bar_init(&dev, PCI_BAR_ROM, DM_MEMORY, 1 << 16, &echo_ops, &dev);
    dev.written = written;
    assert_true(pci_add(&bus, &dev));
    heard = 0;
    return 0;
}

static int teardown(void **state)
{
    free(board);
    return 0;
}

static uint32_t get(unsigned int reg, unsigned int size) { return pci_config_read(&bus, DEVFN, reg, size); }
static void put(unsigned int reg, unsigned int size, uint32_t val) { pci_config_write(&bus, DEVFN, reg, size, val); }

static bool answers(enum dm_space space, uint64_t addr) { return board_find(board, space, addr, 1); }

static void identity(void **state)
{
    assert_int_equal(get(0, 4), 0x56781234);
    assert_int_equal(get(2, 2), 0x5678);
    assert_int_equal(get(3, 1), 0x56);
    assert_int_equal(get(8, 4), 0x02030000);
    put(0, 4, 0);
    put(8, 4, 0);
    put(0x40, 4, ~0u);
    assert_int_equal(get(0, 4), 0x56781234);
    assert_int_equal(get(8, 4), 0x02030000);
    assert_int_equal(get(0x40, 4), 0);
    put(4, 2, 0xffff);
    assert_int_equal(get(4, 4), 7);
    put(0x3c, 4, ~0u);
    assert_int_equal(get(0x3c, 4), 0xff);
    assert_int_equal(heard, 5);
    assert_int_equal(heard_reg, 0x3c);
    assert_int_equal(heard_size, 4);
    /* Nobody is there. */
    assert_int_equal(pci_config_read(&bus, DEVFN + 1, 0, 4), 0xffffffff);
    assert_int_equal(pci_config_read(&bus, 0, 2, 2) & 0xffff, 0xffff);
    pci_config_write(&bus, DEVFN + 1, 4, 4, 1);
    assert_int_equal(heard, 5);
}

/* How large is it? As firmware asks. */
static uint32_t sizing(unsigned int reg, uint32_t ones)
{
    const uint32_t before = get(reg, 4);
    uint32_t mask;

    put(reg, 4, ones);
    mask = get(reg, 4);
    put(reg, 4, before);
    assert_int_equal(get(reg, 4), before);
    return mask;
}

static void sizes(void **state)
{
    put(4, 2, 7); /* although it answers, it is nowhere while it is asked */
    assert_int_equal(sizing(0x10, ~0u), 0xffffff01);
    assert_int_equal(sizing(0x14, ~0u), 0xff000008);
    assert_int_equal(sizing(0x18, ~0u), 0);
    assert_int_equal(sizing(0x20, ~0u), 0xfffffff0);
    assert_int_equal(sizing(0x30, ~0u), 0xffff0001);
    assert_int_equal(sizing(0x30, ~1u), 0xffff0000);
    put(0x14, 4, ~0u);
    assert_false(answers(DM_MEMORY, 0xff000000));
    put(0x10, 4, ~0u);
    assert_false(answers(DM_PORT, 0xff00));
}

static void places(void **state)
{
    put(0x10, 4, 0xc123);
    assert_int_equal(get(0x10, 4), 0xc101);
    assert_false(answers(DM_PORT, 0xc100));
    put(4, 1, PCI_COMMAND_MEMORY);
    assert_false(answers(DM_PORT, 0xc100));
    put(4, 1, PCI_COMMAND_IO);
    assert_int_equal(inl(board, 0xc1fc), 0xabcd00fc);
    assert_false(answers(DM_PORT, 0xc0ff) || answers(DM_PORT, 0xc200));
    /* Byte for byte, as some do. */
    put(0x11, 1, 0xc2);
    assert_true(!answers(DM_PORT, 0xc100) && answers(DM_PORT, 0xc200));
    put(0x3c, 1, 0x55), put(0x0c, 4, 0), put(0x38, 4, ~0u), put(0x3b, 1, 0);
    assert_int_equal(get(0x3c, 1), 0x55); /* what is written ends where it ends */
    put(0x14, 4, 0xf1000000), put(0x10, 4, 0xc200), put(0x13, 1, 0);
    assert_int_equal(get(0x14, 4), 0xf1000008);
    put(0x16, 1, 0xff), put(0x15, 1, 0), put(0x17, 1, 0xf1);
    assert_int_equal(get(0x14, 4), 0xf1000008);
    /* There are 64 Ki ports. */
    put(0x12, 2, 1);
    assert_false(answers(DM_PORT, 0xc200) || answers(DM_PORT, 0x1c200));
    put(0x12, 2, 0);
    put(0x14, 4, 0xf2000000);
    put(0x20, 2, 0x1230);
    assert_false(answers(DM_MEMORY, 0xf2000000) || answers(DM_MEMORY, 0x1230));
    put(4, 2, PCI_COMMAND_IO | PCI_COMMAND_MEMORY);
    assert_true(answers(DM_MEMORY, 0xf2000000) && answers(DM_MEMORY, 0xf2ffffff) && answers(DM_MEMORY, 0x123f));
    assert_int_equal(get(0x14, 4), 0xf2000008);
    put(0x20, 4, 0);
    assert_false(answers(DM_MEMORY, 0x1230) || answers(DM_MEMORY, 0));
    /* The expansion ROM has a switch of its own. */
    put(0x30, 4, 0xf3000000);
    assert_false(answers(DM_MEMORY, 0xf3000000));
    put(0x30, 1, 1);
    assert_true(answers(DM_MEMORY, 0xf300ffff));
    pci_unplug(&dev);
    assert_false(answers(DM_MEMORY, 0xf3000000) || answers(DM_MEMORY, 0xf2000000) || answers(DM_PORT, 0xc200));
    assert_int_equal(get(0, 4), 0xffffffff);
    put(4, 4, 7);
    assert_false(answers(DM_PORT, 0xc200));
}

static void several(void **state)
{
    static struct pci_device more[PCI_DEVICES_MAX];

    pci_device_init(&more[0], DEVFN, 1, 1, 0, NULL);
    assert_false(pci_add(&bus, &more[0]));
    assert_int_equal(get(0x0e, 1), 0);
    pci_device_init(&more[0], DEVFN | 2, 1, 1, 0, NULL);
    assert_true(pci_add(&bus, &more[0]));
    assert_int_equal(get(0x0e, 1), 0x80);
    /* Function 0 may come last. */
    pci_device_init(&more[1], 9 << 3 | 1, 1, 1, 0, NULL);
    pci_device_init(&more[2], 9 << 3, 1, 1, 0, NULL);
    assert_true(pci_add(&bus, &more[1]) && pci_add(&bus, &more[2]));
    assert_int_equal(pci_config_read(&bus, 9 << 3, 0x0e, 1), 0x80);
    assert_int_equal(pci_config_read(&bus, 9 << 3 | 1, 0x0e, 1), 0);
    /* Its place can be taken by another. */
    pci_unplug(&more[0]);
    pci_device_init(&more[3], DEVFN | 2, 2, 2, 0, NULL);
    assert_true(pci_add(&bus, &more[3]));
    assert_int_equal(pci_config_read(&bus, DEVFN | 2, 0, 4), 0x00020002);
    for (unsigned int nr = 4; nr < PCI_DEVICES_MAX; nr++) {
        pci_device_init(&more[nr], (uint8_t)(0x80 + nr), 1, 1, 0, NULL);
        assert_int_equal(pci_add(&bus, &more[nr]), nr < PCI_DEVICES_MAX - 1);
    }
}

/* Whatever is written: what is protected stays, and a region is where its register says, or nowhere. */
static void any_writes(void **state)
{
    static const unsigned int sizes[] = { 1, 2, 4 };
    static const unsigned int bars[] = { 0, 1, 4, PCI_BAR_ROM };
    uint64_t r = 32;
    unsigned int present = 0;
    uint8_t was[256];

    memcpy(was, dev.config, sizeof(was));
    for (unsigned int i = 0; i < 20000; i++) {
        const unsigned int size = sizes[random_of(&r, 3)], reg = (unsigned int)random_of(&r, 0x40 / size) * size;

        put(reg, size, (uint32_t)(random_of(&r, 4) ? random_of(&r, UINT64_C(1) << 32) : random_of(&r, 1 << 16)));
        for (unsigned int k = 0; k < 256; k++)
            assert_int_equal((dev.config[k] ^ was[k]) & ~dev.writable[k], 0);
        for (unsigned int k = 0; k < ARRAY_SIZE(bars); k++) {
            const struct dm_region *g = &dev.bar[bars[k]].region;
            const uint32_t val = get(bars[k] == PCI_BAR_ROM ? 0x30 : 0x10 + 4 * bars[k], 4);
            const uint64_t addr = val & ~(g->size - 1);
            const bool allowed = g->space == DM_PORT ? get(4, 1) & 1 : get(4, 1) & 2;

            assert_int_equal(g->present, allowed && addr != 0 && addr != (uint32_t)-g->size &&
                                             (g->space != DM_PORT || addr <= 0x10000 - g->size) &&
                                             (bars[k] != PCI_BAR_ROM || (val & 1)));
            assert_true(!g->present || g->base == addr);
            present += g->present;
        }
    }
    assert_true(present > 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(identity, setup, teardown),
        cmocka_unit_test_setup_teardown(sizes, setup, teardown),
        cmocka_unit_test_setup_teardown(places, setup, teardown),
        cmocka_unit_test_setup_teardown(several, setup, teardown),
        cmocka_unit_test_setup_teardown(any_writes, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
