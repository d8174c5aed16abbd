// SPDX-License-Identifier: GPL-2.0-or-later
/* The PC: text that is typed at its serial line or its keyboard, keys and mouse from outside, its screen's place. */
#include "tests/dm/board.h"

#include "rings/dm/pc.h"

#include <linux/input-event-codes.h>

struct room {
    struct board *b;
    struct arena *arena;
    struct pc pc;
    const char *text; /* what waits to be typed */
    char out[64];
};

static size_t text_in(void *data, char *buf, size_t n)
{
    struct room *r = data;

    n = n < strlen(r->text) ? n : strlen(r->text);
    memcpy(buf, r->text, n);
    r->text += n;
    return n;
}

static void serial_out(void *data, char c)
{
    struct room *r = data;

    r->out[strlen(r->out)] = c;
}

static int create(void **state, const struct pc_config *with)
{
    struct room *r = calloc(1, sizeof(*r));
    struct pc_config cfg = *with;

    cfg.outside.data = r;
    r->b = board_create();
    r->arena = arena_create();
    r->text = "";
    cfg.arena = r->arena;
    assert_int_equal(pc_init(&r->pc, &r->b->dm, &cfg), 0);
    *state = r;
    return 0;
}

static int setup_screen(void **state)
{
    return create(state, &(struct pc_config){ .vga_mib = 1, .vga_gfn = BOARD_GFN, .outside.typed = text_in });
}

static int setup_serial(void **state)
{
    return create(state, &(struct pc_config){ .outside = { .serial_in = text_in, .serial_out = serial_out } });
}

static int setup_lines(void **state)
{
    return create(state, &(struct pc_config){
                             .serials = 3, .line = 1, .outside = { .serial_in = text_in, .serial_out = serial_out } });
}

static int teardown(void **state)
{
    struct room *r = *state;

    pc_end(&r->pc);
    arena_destroy(r->arena);
    free(r->b);
    free(r);
    return 0;
}

/* A character a time: the next one when the guest has read the keys of the last, and time is up. */
static void typed(void **state)
{
    struct room *r = *state;
    static const uint8_t keys[] = { 0x12, 0x1c, 0xf0, 0x1c, 0xf0, 0x12, 0x5a, 0xf0, 0x5a };

    assert_true(pc_wants_input(&r->pc));
    r->text = "A\n";
    pc_kick(&r->pc);
    assert_string_equal(r->text, "\n");
    assert_false(pc_wants_input(&r->pc));
    pc_kick(&r->pc);
    assert_string_equal(r->text, "\n");
    pass(r->b, MILLISECS(10)); /* there are keys still */
    assert_string_equal(r->text, "\n");
    for (unsigned int i = 0; i < sizeof(keys); i++) {
        assert_int_equal(inb(r->b, 0x64) & 0x21, 0x01);
        assert_int_equal(inb(r->b, 0x60), keys[i]);
    }
    assert_int_equal(inb(r->b, 0x64) & 1, 0);
    assert_false(pc_wants_input(&r->pc)); /* it has been read, but too early for more */
    r->text = "\x1b";                     /* nothing follows it */
    pc_kick(&r->pc);
    pass(r->b, MILLISECS(9));
    assert_int_equal(inb(r->b, 0x64) & 1, 0);
    pass(r->b, MILLISECS(1));
    assert_int_equal(inb(r->b, 0x60), 0x76);
    outb(r->b, 0x64, 0xad); /* the keyboard is off: it has time */
    inb(r->b, 0x60), inb(r->b, 0x60);
    r->text = "x";
    pc_kick(&r->pc);
    assert_string_equal(r->text, "x");
    assert_false(pc_wants_input(&r->pc));
}

static void serial(void **state)
{
    struct room *r = *state;

    assert_true(pc_wants_input(&r->pc));
    r->text = "ls";
    pc_kick(&r->pc);
    assert_string_equal(r->text, "s");
    assert_int_equal(inb(r->b, 0x3f8), 'l');
    assert_int_equal(inb(r->b, 0x3f8), 's');
    assert_int_equal(inb(r->b, 0x64) & 1, 0);
    outb(r->b, 0x3f8, '$');
    assert_string_equal(r->out, "$");
}

/* Three lines, the second of which leads outside: nobody is at the ends of the others, and there is no fourth. */
static void lines(void **state)
{
    struct room *r = *state;

    r->text = "x";
    pc_kick(&r->pc);
    assert_string_equal(r->text, "");
    assert_int_equal(inb(r->b, 0x3fd), 0x60);
    assert_int_equal(inb(r->b, 0x3ed), 0x60);
    assert_int_equal(inb(r->b, 0x2ed), 0xff);
    assert_int_equal(inb(r->b, 0x2fd), 0x61);
    assert_int_equal(inb(r->b, 0x2f8), 'x');
    outb(r->b, 0x3f8, '1'), outb(r->b, 0x2f8, '2'), outb(r->b, 0x3e8, '3');
    assert_string_equal(r->out, "2");
    outb(r->b, 0x2fc, 8), outb(r->b, 0x2f9, 1);
    assert_true(pc_wants_input(&r->pc));
    r->text = "y";
    pc_kick(&r->pc);
    assert_int_equal(inb(r->b, 0x2fa) & 0xf, 0x4);
    assert_false(pc_wants_input(&r->pc));
}

/* Buttons are keys, places become movements; more than waits for its turn is dropped, and counted. */
static void events(void **state)
{
    struct room *r = *state;
    static const uint8_t packets[] = { 0x28, 10, 0xec, 0x09, 0, 0, 0x18, 0xff, 1, 0x08, 0, 0 };

    outb(r->b, 0x64, 0xd4), outb(r->b, 0x60, 0xf4), inb(r->b, 0x60);
    pc_pointer(&r->pc, 10, 20, 0);
    pc_event(&r->pc, &(struct pc_event){ .key = BTN_LEFT, .down = true });
    pc_event(&r->pc, &(struct pc_event){ .key = BTN_LEFT });
    assert_int_equal(inb(r->b, 0x64) & 1, 0); /* it is not its turn yet */
    pc_kick(&r->pc);
    for (unsigned int i = 0; i < 6; i++)
        assert_int_equal(inb(r->b, 0x60), packets[i]);
    for (unsigned int i = 9; i < 12; i++)
        assert_int_equal(inb(r->b, 0x60), packets[i]);
    pc_pointer(&r->pc, 9, 19, 0);
    pc_kick(&r->pc);
    for (unsigned int i = 6; i < 9; i++)
        assert_int_equal(inb(r->b, 0x60), packets[i]);
    assert_int_equal(inb(r->b, 0x64) & 1, 0);
    pc_pointer(&r->pc, INT32_MIN, INT32_MAX, INT32_MAX);
    pc_pointer(&r->pc, INT32_MAX, INT32_MIN, INT32_MIN);
    for (unsigned int i = 0; i < PC_EVENTS; i++)
        pc_event(&r->pc, &(struct pc_event){ .key = KEY_B, .down = i % 2 == 0 });
    assert_int_equal(r->pc.dropped, 2);
    pc_kick(&r->pc);
    assert_int_equal(r->pc.nr_events, 0);
}

static void bar0(struct room *r, uint32_t at) { pc_pci_config(&r->pc, UINT64_C(0x10) << 32 | 0x10, 4, true, at); }

static void decode(struct room *r, bool on) { pc_pci_config(&r->pc, UINT64_C(0x10) << 32 | 4, 2, true, on ? 2 : 0); }

static unsigned int frames_from(struct room *r, uint64_t gfn)
{
    unsigned int n = 0;

    for (unsigned int i = 0; i < BOARD_FRAMES; i++)
        n += r->b->gfn[i] == gfn + i;
    return n;
}

/* It is where QEMU has it; its memory are the guest's frames, which go where BAR 0 is. */
static void screen(void **state)
{
    struct room *r = *state;
    uint8_t *last = r->b->frame[BOARD_FRAMES - 1] + PAGE_SIZE - 1;

    assert_int_equal(pc_pci_config(&r->pc, UINT64_C(0x10) << 32, 4, false, 0), 0x11111234);
    bar0(r, 0xf0000000);
    assert_int_equal(frames_from(r, BOARD_GFN), BOARD_FRAMES);
    decode(r, true);
    assert_int_equal(frames_from(r, 0xf0000), BOARD_FRAMES);
    board_write(r->b, DM_MEMORY, 0xf00fffff, 1, 0x5a);
    assert_int_equal(*last, 0x5a);
    board_write(r->b, DM_MEMORY, 0xf0003ffc, 8, 0x0102030405060708);
    assert_int_equal(board_read(r->b, DM_MEMORY, 0xf0003ffc, 8), 0x0102030405060708);
    assert_int_equal(board_read(r->b, DM_MEMORY, 0xf0000000, 8), 0);
    *last = 0x77; /* by the guest, without a word */
    assert_int_equal(board_read(r->b, DM_MEMORY, 0xf00fffff, 1), 0x77);
    bar0(r, 0xe0000000);
    assert_int_equal(frames_from(r, 0xe0000), BOARD_FRAMES);
    decode(r, false);
    assert_int_equal(frames_from(r, BOARD_GFN), BOARD_FRAMES);
    bar0(r, 0);
    decode(r, true); /* over RAM, which is as large */
    assert_int_equal(frames_from(r, BOARD_GFN), BOARD_FRAMES);
    bar0(r, 0x100000);
    assert_int_equal(frames_from(r, 0x100), BOARD_FRAMES);
    r->b->gfn[3] = 0xf0003; /* the guest has put one elsewhere, */
    bar0(r, 0xf0000000);
    assert_int_equal(frames_from(r, 0xf0000), BOARD_FRAMES); /* where it would be */
    r->b->gfn[3] = 0;                                        /* or given it up */
    bar0(r, 0xe0000000);
    board_write(r->b, DM_MEMORY, 0xe0003ff0, 1, 1);
    assert_int_equal(frames_from(r, 0xe0000), BOARD_FRAMES - 1);
    assert_int_equal(r->b->frame[3][0xff0], 0);
}

/* Whoever resets does it by the board. */
static void resets(void **state)
{
    struct room *r = *state;

    outb(r->b, 0x64, 0xfe);
    assert_int_equal(r->b->resets, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(typed, setup_screen, teardown),
        cmocka_unit_test_setup_teardown(serial, setup_serial, teardown),
        cmocka_unit_test_setup_teardown(lines, setup_lines, teardown),
        cmocka_unit_test_setup_teardown(events, setup_screen, teardown),
        cmocka_unit_test_setup_teardown(screen, setup_screen, teardown),
        cmocka_unit_test_setup_teardown(resets, setup_serial, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
