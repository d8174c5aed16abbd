// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The 8042: its commands; keys in three sets, and translated; packets of the mouse; any access.
 *
 * Budget: over 400 lines: two devices and their controller.
 */
#include "tests/dm/board.h"

#include "rings/dm/ps2.h"

#include <linux/input-event-codes.h>

struct pc {
    struct board *b;
    struct ps2 p;
    unsigned int resets, readies;
};

static void pc_reset(void *owner) { ((struct pc *)owner)->resets++; }
static void pc_ready(void *owner) { ((struct pc *)owner)->readies++; }

static const struct ps2_ops pc_ops = { .reset = pc_reset, .ready = pc_ready };

static int setup(void **state)
{
    struct pc *pc = calloc(1, sizeof(*pc));

    pc->b = board_create();
    ps2_init(&pc->p, &pc->b->dm, &pc_ops, pc);
    *state = pc;
    return 0;
}

static int teardown(void **state)
{
    struct pc *pc = *state;

    free(pc->b);
    free(pc);
    return 0;
}

/* --- the guest --- */

static void command(struct pc *pc, uint8_t val) { outb(pc->b, 0x64, val); }
static void data(struct pc *pc, uint8_t val) { outb(pc->b, 0x60, val); }

static void mode(struct pc *pc, uint8_t val)
{
    command(pc, 0x60);
    data(pc, val);
}

/* All that is there to read, as text: the mouse's in brackets. */
static const char *read_all(struct pc *pc)
{
    static char text[1024];
    size_t n = 0;

    text[0] = '\0';
    for (uint8_t status; (status = inb(pc->b, 0x64)) & 1 && n < sizeof(text) - 8;)
        n += (size_t)snprintf(text + n, sizeof(text) - n, status & 0x20 ? "%s[%02x]" : "%s%02x", n ? " " : "",
                              inb(pc->b, 0x60));
    return text;
}

static void mouse(struct pc *pc, uint8_t val)
{
    command(pc, 0xd4);
    data(pc, val);
}

static void press(struct pc *pc, unsigned int key)
{
    assert_true(ps2_key(&pc->p, key, true));
    assert_true(ps2_key(&pc->p, key, false));
}

/* --- tests --- */

static void the_controller(void **state)
{
    struct pc *pc = *state;

    assert_int_equal(inb(pc->b, 0x64), 0x18);
    command(pc, 0xaa);
    assert_int_equal(inb(pc->b, 0x64), 0x1d);
    assert_string_equal(read_all(pc), "55");
    command(pc, 0xab), command(pc, 0xa9), command(pc, 0xc0), command(pc, 0xa4), command(pc, 0xe0);
    assert_string_equal(read_all(pc), "00 00 80 f1 00");
    command(pc, 0x20);
    assert_string_equal(read_all(pc), "07");
    mode(pc, 0x65);
    assert_int_equal(inb(pc->b, 0x64), 0x14); /* a byte was written last */
    command(pc, 0x20);
    assert_string_equal(read_all(pc), "65");
    command(pc, 0xa8), command(pc, 0xad), command(pc, 0x20);
    assert_string_equal(read_all(pc), "55");
    command(pc, 0xa7), command(pc, 0xae), command(pc, 0x20);
    assert_string_equal(read_all(pc), "65");
    command(pc, 0x7f), data(pc, 0x42), command(pc, 0x3f), command(pc, 0x21);
    assert_string_equal(read_all(pc), "42 00"); /* its other bytes */
    command(pc, 0xd2), data(pc, 0x12), command(pc, 0xd3), data(pc, 0x34);
    assert_string_equal(read_all(pc), "12 [34]");
    assert_int_equal(inl(pc->b, 0x60), 0xffffffff);       /* not so wide */
    command(pc, 0xd1), command(pc, 0xae), data(pc, 0xf4); /* it waits no more: this is the keyboard's */
    assert_string_equal(read_all(pc), "fa");
    assert_int_equal(pc->resets, 0);
}

static void a20_and_reset(void **state)
{
    struct pc *pc = *state;

    command(pc, 0xd0);
    assert_string_equal(read_all(pc), "c3");
    command(pc, 0xd1), data(pc, 0xdd);
    assert_int_equal(inb(pc->b, 0x92), 0);
    command(pc, 0xd0);
    assert_string_equal(read_all(pc), "c1");
    outb(pc->b, 0x92, 2);
    command(pc, 0xd0), command(pc, 0xd0);
    assert_string_equal(read_all(pc), "c3 d3"); /* a byte is in the buffer, then */
    command(pc, 0xdd);
    assert_int_equal(inb(pc->b, 0x92), 0);
    command(pc, 0xdf);
    assert_int_equal(inb(pc->b, 0x92), 2);
    outb(pc->b, 0x92, 0);
    assert_int_equal(inb(pc->b, 0x92), 0);
    command(pc, 0xff);
    assert_int_equal(pc->resets, 0);
    command(pc, 0xfe);
    assert_int_equal(pc->resets, 1);
    command(pc, 0xd1), data(pc, 0x02);
    assert_int_equal(pc->resets, 2);
    outb(pc->b, 0x92, 3);
    assert_int_equal(pc->resets, 3);
    command(pc, 0xf0); /* all four lines, of which reset is one */
    assert_int_equal(pc->resets, 4);
    command(pc, 0xef);
    assert_int_equal(pc->resets, 4);
}

/* The controller's own answers come in the order of its commands, before what the keyboard says. */
static void answers(void **state)
{
    struct pc *pc = *state;

    ps2_key(&pc->p, KEY_A, true);
    command(pc, 0xaa), command(pc, 0xc0), command(pc, 0xa4), command(pc, 0xab);
    assert_string_equal(read_all(pc), "1c 55 80 f1 00");
}

/* Each byte is an edge; a device that is off is silent, and forgets nothing. */
static void interrupts(void **state)
{
    struct pc *pc = *state;
    struct board *b = pc->b;

    press(pc, KEY_A);
    assert_true(b->isa[1]);
    assert_int_equal(b->rises[1], 1);
    assert_int_equal(inb(b, 0x60), 0x1c);
    assert_int_equal(b->rises[1], 2);
    assert_int_equal(inb(b, 0x60), 0xf0);
    assert_int_equal(b->rises[1], 3);
    assert_int_equal(inb(b, 0x60), 0x1c);
    assert_false(b->isa[1]);
    assert_int_equal(inb(b, 0x60), 0x1c); /* the same again */
    assert_int_equal(b->rises[1], 3);

    mode(pc, 0x12);
    press(pc, KEY_B);
    assert_int_equal(inb(b, 0x64) & 1, 0);
    mode(pc, 0x02);
    assert_string_equal(read_all(pc), "32 f0 32");
    assert_int_equal(b->rises[1], 3); /* not allowed */

    mouse(pc, 0xf4);
    assert_true(b->isa[12]);
    assert_string_equal(read_all(pc), "[fa]");
    command(pc, 0xa7);
    ps2_mouse(&pc->p, 1, 0, 0, 0);
    assert_false(b->isa[12]);
    command(pc, 0xa8);
    assert_true(b->isa[12]);
    mode(pc, 0x01);
    assert_false(b->isa[12]);
    assert_false(b->isa[1]); /* the byte is the mouse's */
    assert_string_equal(read_all(pc), "[08] [01] [00]");
}

static void keyboard_commands(void **state)
{
    struct pc *pc = *state;

    data(pc, 0xff);
    assert_string_equal(read_all(pc), "fa aa");
    data(pc, 0xee), data(pc, 0xf2), data(pc, 0xfe), data(pc, 0xef), data(pc, 0xf1);
    assert_string_equal(read_all(pc), "ee fa ab 83 ee fe fe");
    data(pc, 0xed), data(pc, 0x02);
    data(pc, 0xf3), data(pc, 0x20);
    assert_string_equal(read_all(pc), "fa fa fa fa");
    assert_int_equal(pc->p.keyboard.leds, 2);
    data(pc, 0x10); /* no command, nor an argument any more */
    assert_string_equal(read_all(pc), "fe");
    assert_int_equal(pc->p.keyboard.rate, 0x20);
    data(pc, 0xed), data(pc, 0xf4); /* a command after all */
    assert_string_equal(read_all(pc), "fa fa");
    assert_int_equal(pc->p.keyboard.leds, 2);
    data(pc, 0xf5);
    assert_false(ps2_key(&pc->p, KEY_A, true));
    assert_string_equal(read_all(pc), "fa");
    data(pc, 0xf6);
    press(pc, KEY_B);
    data(pc, 0xee); /* goes before what waits, but for the byte that is in the buffer */
    assert_string_equal(read_all(pc), "fa ee 32 f0 32");
    press(pc, KEY_B);
    data(pc, 0xf4); /* begins anew */
    assert_string_equal(read_all(pc), "32 fa");
    assert_true(ps2_key(&pc->p, KEY_A, false)); /* up already, from when it did not look */
    assert_string_equal(read_all(pc), "f0 1c");
    assert_true(ps2_key(&pc->p, KEY_A, false));
    assert_string_equal(read_all(pc), "");
    ps2_key(&pc->p, KEY_C, true), press(pc, KEY_D);
    data(pc, 0xf0), data(pc, 0x02); /* another set: what waits was of the old one */
    assert_string_equal(read_all(pc), "21 fa fa");
    data(pc, 0xed), data(pc, 0x07), data(pc, 0xf3), data(pc, 0x11), data(pc, 0xf5), data(pc, 0xff);
    read_all(pc);
    assert_int_equal(pc->p.keyboard.leds, 0);
    assert_int_equal(pc->p.keyboard.rate, 0x2b);
    press(pc, KEY_A); /* it looks again */
    assert_string_equal(read_all(pc), "1c f0 1c");
}

static void sets(void **state)
{
    struct pc *pc = *state;

    press(pc, KEY_F7), press(pc, KEY_RIGHTCTRL), press(pc, KEY_ENTER);
    assert_string_equal(read_all(pc), "83 f0 83 e0 14 e0 f0 14 5a f0 5a");
    press(pc, KEY_SYSRQ), press(pc, KEY_PAUSE);
    assert_string_equal(read_all(pc), "e0 12 e0 7c e0 f0 7c e0 f0 12 e1 14 77 e1 f0 14 f0 77");
    data(pc, 0xf0), data(pc, 0x04), data(pc, 0x00);
    assert_string_equal(read_all(pc), "fa fe fa 02");
    data(pc, 0xf0), data(pc, 0x01);
    press(pc, KEY_F7), press(pc, KEY_UP), press(pc, KEY_SYSRQ), press(pc, KEY_PAUSE);
    assert_string_equal(read_all(pc), "fa fa 41 c1 e0 48 e0 c8 e0 2a e0 37 e0 b7 e0 aa e1 1d 45 e1 9d c5");
    ps2_key(&pc->p, KEY_LEFTALT, true), press(pc, KEY_SYSRQ), ps2_key(&pc->p, KEY_LEFTALT, false);
    ps2_key(&pc->p, KEY_LEFTCTRL, true), press(pc, KEY_PAUSE), press(pc, KEY_SYSRQ);
    assert_string_equal(read_all(pc), "38 54 d4 b8 1d e0 46 e0 c6 e0 37 e0 b7");
    ps2_key(&pc->p, KEY_LEFTCTRL, false);
    data(pc, 0xf0), data(pc, 0x03);
    read_all(pc);
    press(pc, KEY_UP), press(pc, KEY_KPMINUS), press(pc, KEY_A), press(pc, KEY_SYSRQ), press(pc, KEY_PAUSE);
    assert_string_equal(read_all(pc), "63 f0 63 84 f0 84 1c f0 1c 57 f0 57 62 f0 62");
    data(pc, 0xfd), data(pc, 0x1c), data(pc, 0x63), data(pc, 0xf4);
    press(pc, KEY_UP), press(pc, KEY_A), press(pc, KEY_B);
    assert_string_equal(read_all(pc), "fa fa fa fa 63 1c 32 f0 32");
    data(pc, 0xf7), data(pc, 0xfc), data(pc, 0x1c);
    press(pc, KEY_UP), press(pc, KEY_A);
    assert_string_equal(read_all(pc), "fa fa fa 63 1c f0 1c");
    data(pc, 0xf8);
    press(pc, KEY_UP);
    assert_string_equal(read_all(pc), "fa 63 f0 63");
    assert_false(ps2_key(&pc->p, KEY_MUTE, true)); /* not in this set */
    assert_false(ps2_key(&pc->p, 0x110, true));
    assert_false(ps2_key(&pc->p, 0, true));
}

/* What a BIOS asks for: set 2 is made set 1. Every key comes out as set 1 has it itself. */
static void translated(void **state)
{
    struct pc *pc = *state;
    char expected[64];
    unsigned int tried = 0;

    mode(pc, 0x45);
    data(pc, 0xf2);
    assert_string_equal(read_all(pc), "fa ab 41"); /* this, too */
    press(pc, KEY_F7), press(pc, KEY_DELETE), press(pc, KEY_PAUSE), press(pc, KEY_SYSRQ);
    assert_string_equal(read_all(pc), "41 c1 e0 53 e0 d3 e1 1d 45 e1 9d c5 e0 2a e0 37 e0 b7 e0 aa");
    for (unsigned int key = 0; key < PS2_KEYS; key++) {
        const unsigned int code = ps2_code_set1(key);
        const char *ext = code & PS2_EXTENDED ? "e0 " : "";

        assert_int_equal(!code, !ps2_code_set2(key));
        if (!code || key == KEY_SYSRQ)
            continue;
        snprintf(expected, sizeof(expected), "%s%02x %s%02x", ext, code & 0xff, ext, (code & 0xff) | 0x80);
        press(pc, key);
        assert_string_equal(read_all(pc), expected);
        for (unsigned int other = 0; other < key; other++)
            assert_true(ps2_code_set3(key) == 0 || ps2_code_set3(key) != ps2_code_set3(other));
        tried++;
    }
    assert_int_equal(tried, 83 + 3 + 7 + 24 - 1);
    for (unsigned int a = 1; a < 0x80; a++)
        for (unsigned int b = 1; b < a; b++)
            assert_int_not_equal(ps2_translate((uint8_t)a), ps2_translate((uint8_t)b));
}

/* A guest that does not look loses keys, not halves of them. */
static void too_many(void **state)
{
    struct pc *pc = *state;
    unsigned int taken = 0, read = 0;

    assert_true(ps2_waits(&pc->p));
    while (ps2_key(&pc->p, KEY_UP, true) && ps2_key(&pc->p, KEY_UP, false))
        taken++;
    assert_in_range(taken, 40, PS2_QUEUE);
    assert_false(ps2_waits(&pc->p));
    assert_int_equal(pc->readies, 0);
    while (inb(pc->b, 0x64) & 1) {
        assert_int_equal(inb(pc->b, 0x60), 0xe0);
        read += inb(pc->b, 0x60) == 0x75;
        if ((inb(pc->b, 0x64) & 1) == 0)
            break;
        assert_int_equal(inb(pc->b, 0x60), 0xe0);
        assert_int_equal(inb(pc->b, 0x60), 0xf0);
        assert_int_equal(inb(pc->b, 0x60), 0x75);
    }
    assert_in_range(read, taken, taken + 1);
    assert_int_equal(pc->readies, 1); /* now it has read all */
    data(pc, 0xf5), read_all(pc);
    assert_false(ps2_waits(&pc->p));
    data(pc, 0xf4), command(pc, 0xad), read_all(pc);
    assert_false(ps2_waits(&pc->p));
    assert_int_equal(pc->readies, 1);
    inb(pc->b, 0x60), inb(pc->b, 0x60); /* a poll is not a read */
    assert_int_equal(pc->readies, 1);
}

static void mouse_commands(void **state)
{
    struct pc *pc = *state;

    mouse(pc, 0xff);
    assert_string_equal(read_all(pc), "[fa] [aa] [00]");
    mouse(pc, 0xf2), mouse(pc, 0xe9);
    assert_string_equal(read_all(pc), "[fa] [00] [fa] [00] [02] [64]");
    mouse(pc, 0xe8), mouse(pc, 0x07), mouse(pc, 0x03), mouse(pc, 0xe7), mouse(pc, 0xf3), mouse(pc, 40), mouse(pc, 0xf4);
    ps2_mouse(&pc->p, 0, 0, 0, 5);
    assert_string_equal(read_all(pc), "[fa] [fe] [fa] [fa] [fa] [fa] [fa] [0d] [00] [00]");
    mouse(pc, 0xe9), mouse(pc, 0xfe);
    assert_string_equal(read_all(pc), "[fa] [36] [03] [28] [36] [03] [28]");
    mouse(pc, 0xee), mouse(pc, 0xf4), mouse(pc, 0x77), mouse(pc, 0xec), mouse(pc, 0xaa);
    assert_string_equal(read_all(pc), "[fa] [f4] [77] [fa] [fe]");
    mouse(pc, 0xf6), mouse(pc, 0xe9);
    assert_string_equal(read_all(pc), "[fa] [fa] [06] [02] [64]");
    mouse(pc, 0xf3), mouse(pc, 200), mouse(pc, 0xf3), mouse(pc, 100), mouse(pc, 0xf3), mouse(pc, 80), mouse(pc, 0xf2);
    assert_string_equal(read_all(pc), "[fa] [fa] [fa] [fa] [fa] [fa] [fa] [03]");
    mouse(pc, 0xf3), mouse(pc, 200), mouse(pc, 0xf3), mouse(pc, 200), mouse(pc, 0xf3), mouse(pc, 80), mouse(pc, 0xf2);
    assert_string_equal(read_all(pc), "[fa] [fa] [fa] [fa] [fa] [fa] [fa] [04]");
    mouse(pc, 0xff), mouse(pc, 0xf2);
    assert_string_equal(read_all(pc), "[fa] [aa] [00] [fa] [00]");
}

static void mouse_packets(void **state)
{
    struct pc *pc = *state;

    ps2_mouse(&pc->p, 5, 5, 0, 0); /* it was not asked */
    mouse(pc, 0xf4);
    assert_string_equal(read_all(pc), "[fa]");
    ps2_mouse(&pc->p, 3, 4, 9, 1);
    assert_string_equal(read_all(pc), "[29] [03] [fc]");
    ps2_mouse(&pc->p, -300, -1, 0, 0); /* more than fits */
    assert_string_equal(read_all(pc), "[18] [01] [01] [18] [d3] [00]");
    ps2_mouse(&pc->p, 0, 0, 0, 8); /* no such button, no wheel */
    assert_string_equal(read_all(pc), "");
    mouse(pc, 0xe7);
    ps2_mouse(&pc->p, 4, -10, 0, 0);
    assert_string_equal(read_all(pc), "[fa] [08] [06] [14]");
    mouse(pc, 0xe6);
    pc->p.mouse.id = 3;
    ps2_mouse(&pc->p, 0, 0, -1, 2);
    assert_string_equal(read_all(pc), "[fa] [0a] [00] [00] [ff]");
    pc->p.mouse.id = 4;
    ps2_mouse(&pc->p, 0, 0, 9, 0x18);
    assert_string_equal(read_all(pc), "[08] [00] [00] [37] [08] [00] [00] [32]");
    mouse(pc, 0xf0);
    ps2_mouse(&pc->p, 7, 0, 0, 0);
    assert_string_equal(read_all(pc), "[fa]");
    mouse(pc, 0xeb), mouse(pc, 0xeb);
    assert_string_equal(read_all(pc), "[fa] [08] [07] [00] [00] [fa] [08] [00] [00] [00]");
    mouse(pc, 0xea);
    ps2_mouse(&pc->p, INT32_MAX, INT32_MIN, INT32_MAX, 0xff); /* far away; what waits is bounded */
    ps2_mouse(&pc->p, INT32_MAX, INT32_MIN, INT32_MIN, 0xff);
    assert_in_range(pc->p.mouse.packets.nr, 4, 20);
    mouse(pc, 0xf5);
    read_all(pc);
    assert_string_equal(read_all(pc), "");
}

static void noise(void **state)
{
    struct pc *pc = *state;
    uint64_t prng = 7;

    for (unsigned int seed = 0; seed < 300; seed++) {
        board_noise(pc->b, seed, 100);
        for (unsigned int i = 0; i < 40; i++)
            if (i % 2)
                ps2_key(&pc->p, (unsigned int)random_of(&prng, 300), random_of(&prng, 2));
            else
                ps2_mouse(&pc->p, (int32_t)random_of(&prng, 1000) - 500, (int32_t)random_of(&prng, 1000) - 500,
                          (int32_t)random_of(&prng, 9) - 4, (unsigned int)random_of(&prng, 64));
    }
    outb(pc->b, 0x92, 0);
    mode(pc, 0x43); /* and it can be put in order again */
    for (unsigned int i = 0; i < 20; i++)
        read_all(pc);
    data(pc, 0xff), mouse(pc, 0xff);
    assert_string_equal(read_all(pc), "fa aa [fa] [aa] [00]");
    press(pc, KEY_A);
    assert_string_equal(read_all(pc), "1e 9e");
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = { T(the_controller),    T(a20_and_reset), T(answers),    T(interrupts),
                                        T(keyboard_commands), T(sets),          T(translated), T(too_many),
                                        T(mouse_commands),    T(mouse_packets), T(noise) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
