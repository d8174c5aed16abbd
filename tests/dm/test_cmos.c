// SPDX-License-Identifier: GPL-2.0-or-later
/* The memory of the clock chip: what a BIOS finds there. */
#include "tests/dm/board.h"

#include "rings/dm/cmos.h"

static struct cmos cmos;

static int setup(void **state)
{
    *state = board_create();
    return 0;
}

static int teardown(void **state)
{
    free(*state);
    return 0;
}

static uint8_t in(struct board *b, uint8_t index)
{
    outb(b, 0x70, index);
    return inb(b, 0x71);
}

static unsigned int in16(struct board *b, uint8_t index) { return in(b, index) | (unsigned int)in(b, index + 1) << 8; }

static void test_memory(void **state)
{
    struct board *b = *state;

    cmos_init(&cmos, &b->dm, UINT64_C(0xf0000000), UINT64_C(5) << 30, "");
    assert_int_equal(in16(b, 0x15), 640);
    assert_int_equal(in16(b, 0x17), 0xffff);
    assert_int_equal(in16(b, 0x30), 0xffff);
    assert_int_equal(in16(b, 0x34), 0xef00);
    assert_int_equal(in16(b, 0x5b) | (unsigned int)in(b, 0x5d) << 16, 0x14000);
    outb(b, 0x70, 0x8f); /* bit 7 is another's */
    outb(b, 0x71, 0x0a);
    assert_int_equal(in(b, 0x0f), 0x0a);
    assert_int_equal(inb(b, 0x70), 0xff);
}

static void test_little_memory(void **state)
{
    struct board *b = *state;

    cmos_init(&cmos, &b->dm, 2 << 20, 0, "");
    assert_int_equal(in16(b, 0x30), 1024);
    assert_int_equal(in16(b, 0x34), 0);
    assert_int_equal(in16(b, 0x5b), 0);
    cmos_init(&cmos, &b->dm, 1 << 20, 0, ""); /* none above the first */
    assert_int_equal(in16(b, 0x30), 0);
    cmos_init(&cmos, &b->dm, (15 << 20) + (3 << 16), 0, "");
    assert_int_equal(in16(b, 0x34), 0);
    cmos_init(&cmos, &b->dm, (16 << 20) + (3 << 16), 0, "");
    assert_int_equal(in16(b, 0x34), 3);
}

static void test_boot(void **state)
{
    struct board *b = *state;

    cmos_init(&cmos, &b->dm, 64 << 20, 0, "dca");
    assert_int_equal(in(b, 0x3d), 0x23);
    assert_int_equal(in(b, 0x38), 0x11);
    cmos_init(&cmos, &b->dm, 64 << 20, 0, "n");
    assert_int_equal(in(b, 0x3d), 0x04);
    assert_int_equal(in(b, 0x38), 0x01);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = { TEST(test_memory), TEST(test_little_memory), TEST(test_boot) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
