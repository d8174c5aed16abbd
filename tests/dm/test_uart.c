// SPDX-License-Identifier: GPL-2.0-or-later
/* The serial line: bytes both ways, the FIFO, interrupts and their order, the loop, breaks; any access. */
#include "tests/dm/board.h"

#include "rings/dm/uart.h"

#define COM1 UART_COM1
#define IRQ  4

struct line {
    struct board *b;
    struct uart u;
    char out[4096];
    size_t nr_out;
    unsigned int ready;
};

static void transmit(void *owner, uint8_t byte)
{
    struct line *l = owner;

    l->out[l->nr_out++ % sizeof(l->out)] = (char)byte;
}

static void ready(void *owner) { ((struct line *)owner)->ready++; }

static const struct uart_line_ops line_ops = { .transmit = transmit, .ready = ready };

static int setup(void **state)
{
    struct line *l = calloc(1, sizeof(*l));

    l->b = board_create();
    uart_init(&l->u, &l->b->dm, COM1, IRQ, &line_ops, l);
    *state = l;
    return 0;
}

static int teardown(void **state)
{
    struct line *l = *state;

    free(l->b);
    free(l);
    return 0;
}

static size_t in(struct line *l, const char *text) { return uart_receive(&l->u, (const uint8_t *)text, strlen(text)); }

/* A small kernel that polls: 9600 baud, no FIFO, interrupts of what comes in. */
static void a_small_kernel(void **state)
{
    struct line *l = *state;
    struct board *b = l->b;

    outb(b, COM1 + 2, 0);
    outb(b, COM1 + 3, 0x80);
    outb(b, COM1 + 0, 115200 / 9600);
    outb(b, COM1 + 1, 0);
    outb(b, COM1 + 3, 0x03);
    outb(b, COM1 + 4, 0);
    outb(b, COM1 + 1, 0x01);
    assert_int_not_equal(inb(b, COM1 + 5), 0xff); /* somebody is there */
    assert_int_equal(inb(b, COM1 + 2), 0x01);
    for (const char *c = "ok\n"; *c; c++) {
        assert_int_equal(inb(b, COM1 + 5) & 0x20, 0x20);
        outb(b, COM1, (uint8_t)*c);
    }
    assert_memory_equal(l->out, "ok\n", 3);
    assert_false(b->isa[IRQ]);

    assert_int_equal(in(l, "ls"), 1); /* one at a time */
    assert_true(b->isa[IRQ]);
    assert_int_equal(inb(b, COM1 + 2), 0x04);
    assert_int_equal(inb(b, COM1 + 5), 0x61);
    assert_int_equal(l->ready, 0);
    assert_int_equal(inb(b, COM1), 'l');
    assert_int_equal(l->ready, 1);
    assert_false(b->isa[IRQ]);
    assert_int_equal(inb(b, COM1 + 5), 0x60);
    assert_int_equal(inb(b, COM1), 'l'); /* nothing new */
    assert_int_equal(l->ready, 1);
    assert_int_equal(inb(b, 0x2f8 + 5), 0xff); /* there is no second line */
}

static void registers(void **state)
{
    struct line *l = *state;
    struct board *b = l->b;

    outb(b, COM1 + 7, 0x5a);
    assert_int_equal(inb(b, COM1 + 7), 0x5a);
    outb(b, COM1 + 3, 0x9b);
    assert_int_equal(inb(b, COM1), 12);
    outw(b, COM1, 0x1234);
    assert_int_equal(inw(b, COM1), 0x1234);
    assert_int_equal(inl(b, COM1), 0x9b011234); /* a byte each: divisor, IIR, LCR */
    outb(b, COM1 + 3, 0x1b);
    assert_int_equal(inb(b, COM1 + 1), 0);
    outb(b, COM1 + 1, 0xff); /* probing: which bits are there? */
    assert_int_equal(inb(b, COM1 + 1), 0x0f);
    outb(b, COM1 + 4, 0xff);
    assert_int_equal(inb(b, COM1 + 4), 0x1f);
    outb(b, COM1 + 4, 0x0b);
    assert_int_equal(inb(b, COM1 + 6) & 0xf0, 0xb0);
    outb(b, COM1 + 5, 0), outb(b, COM1 + 6, 0);
    assert_int_equal(inb(b, COM1 + 5), 0x60);
    outb(b, COM1 + 2, 0xc1);
    assert_int_equal(inb(b, COM1 + 2) & 0xc0, 0xc0); /* a FIFO that works: 16550A */
    outb(b, COM1 + 2, 0xc0);                         /* without bit 0 nothing of it counts */
    assert_int_equal(inb(b, COM1 + 2) & 0xc0, 0);
}

static void fifo(void **state)
{
    struct line *l = *state;
    struct board *b = l->b;

    outb(b, COM1 + 2, 0x87); /* 8 */
    outb(b, COM1 + 1, 0x01);
    assert_int_equal(in(l, "1234567"), 7);
    assert_false(b->isa[IRQ]);
    assert_int_equal(in(l, "8"), 1);
    assert_int_equal(inb(b, COM1 + 2), 0xc4);
    assert_int_equal(inb(b, COM1), '1');
    assert_false(b->isa[IRQ]); /* seven of them again */
    assert_int_equal(inb(b, COM1 + 2), 0xc1);
    assert_int_equal(in(l, "90123456789"), 9); /* sixteen have room */
    assert_int_equal(inb(b, COM1 + 5), 0x61);
    for (const char *c = "2345678901234567"; *c; c++)
        assert_int_equal(inb(b, COM1), *c);
    assert_int_equal(inb(b, COM1 + 5), 0x60);

    assert_int_equal(in(l, "abc"), 3);
    outb(b, COM1 + 2, 0x83); /* away with it */
    assert_int_equal(inb(b, COM1 + 5), 0x60);
    assert_int_equal(in(l, "abc"), 3);
    outb(b, COM1 + 2, 0x81);
    assert_int_equal(inb(b, COM1 + 5), 0x61);
    outb(b, COM1 + 2, 0); /* and without a FIFO nothing of it remains */
    assert_int_equal(inb(b, COM1 + 5), 0x60);
}

/* Few characters are told, too, when no more come for four times as long as one takes. */
static void silence_tells(void **state)
{
    struct line *l = *state;
    struct board *b = l->b;
    const s_time_t four = 4 * 10 * SECONDS(1) / 9600;

    outb(b, COM1 + 3, 0x03);
    outb(b, COM1 + 2, 0xc1);
    outb(b, COM1 + 1, 0x01);
    in(l, "ab");
    pass(b, four - 100);
    assert_false(b->isa[IRQ]);
    in(l, "c");
    pass(b, four - 100);
    assert_false(b->isa[IRQ]);
    pass(b, 100);
    assert_true(b->isa[IRQ]);
    assert_int_equal(inb(b, COM1 + 2), 0xcc);
    assert_int_equal(inb(b, COM1), 'a');
    assert_false(b->isa[IRQ]);
    pass(b, four);
    assert_true(b->isa[IRQ]);
    inb(b, COM1), inb(b, COM1);
    assert_false(b->isa[IRQ]);
    pass(b, SECONDS(1));
    assert_false(b->isa[IRQ]);
    outb(b, COM1 + 3, 0x9f); /* 115200 baud, 8 bits, parity, two to stop; and twice as long: 0 is 1 */
    outw(b, COM1, 0);
    outb(b, COM1 + 3, 0x1f);
    in(l, "d");
    pass(b, 4 * 12 * SECONDS(1) / 115200);
    assert_true(b->isa[IRQ]);
    outb(b, COM1 + 2, 0xc3); /* with the characters goes what was to be said of them */
    assert_false(b->isa[IRQ]);
}

/* How long a character takes is in LCR: 5 to 8 bits, parity, a second one to stop. */
static void characters_time(void **state)
{
    static const struct {
        uint8_t lcr;
        unsigned int bits;
    } rows[] = { { 0x00, 7 }, { 0x03, 10 }, { 0x07, 11 }, { 0x0b, 11 }, { 0x0f, 12 }, { 0x04, 8 } };
    struct line *l = *state;
    struct board *b = l->b;

    outb(b, COM1 + 2, 0xc1);
    outb(b, COM1 + 1, 0x01);
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        const s_time_t four = 4 * (s_time_t)rows[i].bits * SECONDS(1) / 9600;

        outb(b, COM1 + 3, rows[i].lcr | 0x80);
        outw(b, COM1, 115200 / 9600);
        outb(b, COM1 + 3, rows[i].lcr);
        in(l, "x");
        pass(b, four - 100);
        assert_false(b->isa[IRQ]);
        pass(b, 100);
        assert_true(b->isa[IRQ]);
        assert_int_equal(inb(b, COM1), 'x');
    }
}

/* FCR's other bits mean nothing while the FIFO is off: one character is told, and an error is in no FIFO. */
static void without_the_fifo(void **state)
{
    struct line *l = *state;
    struct board *b = l->b;

    outb(b, COM1 + 2, 0xc0);
    outb(b, COM1 + 1, 0x01);
    assert_int_equal(in(l, "a"), 1);
    assert_true(b->isa[IRQ]);
    assert_int_equal(inb(b, COM1), 'a');
    assert_true(uart_break(&l->u));
    assert_int_equal(inb(b, COM1 + 5), 0x79);
}

/* A line that changes is told to who asked for it, when it changes. */
static void modem_lines(void **state)
{
    struct line *l = *state;
    struct board *b = l->b;

    outb(b, COM1 + 4, 0x1b);
    assert_false(b->isa[IRQ]);
    inb(b, COM1 + 6);
    outb(b, COM1 + 1, 0x08);
    assert_false(b->isa[IRQ]);
    outb(b, COM1 + 4, 0x1a); /* DTR goes, and with it DSR */
    assert_true(b->isa[IRQ]);
    assert_int_equal(inb(b, COM1 + 2) & 0x0f, 0x00);
    assert_int_equal(inb(b, COM1 + 6) & 0x0f, 0x02);
    assert_false(b->isa[IRQ]);
}

/* THR is empty at once; each time it becomes so is an edge. */
static void transmitter(void **state)
{
    struct line *l = *state;
    struct board *b = l->b;

    outb(b, COM1 + 1, 0x02);
    assert_int_equal(b->rises[IRQ], 1);
    assert_int_equal(inb(b, COM1 + 2), 0x02); /* and is told of */
    assert_false(b->isa[IRQ]);
    assert_int_equal(inb(b, COM1 + 2), 0x01);
    outb(b, COM1, 'x');
    assert_int_equal(b->rises[IRQ], 2);
    outb(b, COM1, 'y');
    assert_int_equal(b->rises[IRQ], 3);
    outb(b, COM1 + 1, 0x00);
    assert_false(b->isa[IRQ]);
    outb(b, COM1 + 1, 0x02); /* a driver starts again like this */
    assert_true(b->isa[IRQ]);
    inb(b, COM1 + 2);
    outb(b, COM1 + 1, 0x02); /* it was allowed before */
    assert_false(b->isa[IRQ]);
    assert_memory_equal(l->out, "xy", 3);
}

static void order(void **state)
{
    struct line *l = *state;
    struct board *b = l->b;

    outb(b, COM1 + 4, 0x10);
    inb(b, COM1 + 6);
    outb(b, COM1 + 4, 0x12); /* CTS */
    outb(b, COM1, 'a');
    outb(b, COM1, 'b'); /* over it */
    outb(b, COM1 + 1, 0x0f);
    assert_int_equal(inb(b, COM1 + 2), 0x06);
    assert_int_equal(inb(b, COM1 + 5), 0x63);
    assert_int_equal(inb(b, COM1 + 2), 0x04);
    assert_int_equal(inb(b, COM1), 'b');
    assert_int_equal(inb(b, COM1 + 2), 0x02);
    assert_int_equal(inb(b, COM1 + 2), 0x00);
    assert_true(b->isa[IRQ]);
    assert_int_equal(inb(b, COM1 + 6), 0x11);
    assert_false(b->isa[IRQ]);
    assert_int_equal(inb(b, COM1 + 2), 0x01);
}

static void the_loop(void **state)
{
    struct line *l = *state;
    struct board *b = l->b;

    outb(b, COM1 + 2, 0xc1);
    outb(b, COM1 + 4, 0x1f);
    assert_int_equal(inb(b, COM1 + 6) & 0xf0, 0xf0);
    outb(b, COM1 + 4, 0x1a);                  /* how drivers look for one: RTS and OUT2 come back */
    assert_int_equal(inb(b, COM1 + 6), 0x96); /* DSR went, and RI ended */
    outb(b, COM1 + 4, 0x1e);                  /* that RI begins is nothing */
    assert_int_equal(inb(b, COM1 + 6), 0xd0);
    for (unsigned int i = 0; i < 17; i++) {
        assert_int_equal(inb(b, COM1 + 5) & 0x62, 0x60);
        outb(b, COM1, (uint8_t)('a' + i));
    }
    assert_int_equal(inb(b, COM1 + 5), 0x63); /* one too many */
    assert_int_equal(in(l, "outside"), 0);
    assert_false(uart_break(&l->u));
    for (unsigned int i = 0; i < 16; i++)
        assert_int_equal(inb(b, COM1), 'a' + i);
    assert_int_equal(inb(b, COM1 + 5), 0x60);
    assert_int_equal(l->nr_out, 0);
    outb(b, COM1 + 3, 0x43); /* a break is heard */
    assert_int_equal(inb(b, COM1 + 5), 0xf9);
    outb(b, COM1 + 3, 0x03);
    assert_int_equal(inb(b, COM1), 0);
    l->ready = 0;
    outb(b, COM1 + 4, 0x0b);
    assert_int_equal(l->ready, 1);
    assert_int_equal(inb(b, COM1 + 6) & 0xf0, 0xb0);
    assert_int_equal(in(l, "outside"), 7);
}

static void breaks(void **state)
{
    struct line *l = *state;
    struct board *b = l->b;

    outb(b, COM1 + 2, 0x01);
    outb(b, COM1 + 1, 0x04);
    in(l, "a");
    assert_true(uart_break(&l->u));
    in(l, "b");
    assert_false(b->isa[IRQ]);
    assert_int_equal(inb(b, COM1 + 5), 0xe1); /* it is in the FIFO, not next */
    assert_int_equal(inb(b, COM1), 'a');
    assert_true(b->isa[IRQ]);
    assert_int_equal(inb(b, COM1 + 2), 0xc6);
    assert_int_equal(inb(b, COM1 + 5), 0xf9);
    assert_false(b->isa[IRQ]);
    assert_int_equal(inb(b, COM1), 0);
    assert_int_equal(inb(b, COM1 + 5), 0x61);
    assert_int_equal(inb(b, COM1), 'b');
    assert_true(uart_break(&l->u));
    assert_int_equal(inb(b, COM1 + 5), 0xf9);
    inb(b, COM1); /* the last is gone, and its error with it */
    assert_int_equal(inb(b, COM1 + 5), 0x60);
}

/* Any access has an answer; what comes in under it is lost only by the guest's own doing. */
static void noise(void **state)
{
    struct line *l = *state;

    for (unsigned int seed = 0; seed < 200; seed++) {
        board_noise(l->b, seed, 100);
        if (seed % 3)
            in(l, "abcdefghijklmnopqrst");
        else
            uart_break(&l->u);
        assert_in_range(l->u.nr, 0, UART_FIFO);
        assert_int_equal(inb(l->b, COM1 + 5) & 0x60, 0x60);
    }
    outb(l->b, COM1 + 3, 0x03), outb(l->b, COM1 + 1, 0), outb(l->b, COM1 + 4, 0), outb(l->b, COM1 + 2, 0x03);
    inb(l->b, COM1 + 5), inb(l->b, COM1 + 6);
    assert_false(l->b->isa[IRQ]);
    assert_int_equal(in(l, "abc"), 3);
    assert_int_equal(inb(l->b, COM1), 'a');
    assert_int_equal(inb(l->b, COM1 + 5), 0x61);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = { T(a_small_kernel),  T(registers),        T(fifo),        T(silence_tells),
                                        T(characters_time), T(without_the_fifo), T(modem_lines), T(transmitter),
                                        T(order),           T(the_loop),         T(breaks),      T(noise) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
