// SPDX-License-Identifier: GPL-2.0-or-later
/* The two 8259: initialisation, priorities, the kinds of EOI, masks, rotation, poll, levels, cascade; any access. */
#include "tests/hvm/board.h"
#include "tests/support/random.h"

static void out(struct board *b, uint16_t port, uint8_t val) { vpic_write(&b->irq, port, val); }
static uint8_t in(struct board *b, uint16_t port) { return vpic_read(&b->irq, port); }
static int inta(struct board *b) { return vpic_ack_pending_irq(&b->irq); }
static void edge(struct board *b, unsigned int line)
{
    vpic_irq_positive_edge(&b->irq, line);
    vpic_irq_negative_edge(&b->irq, line);
}

/* As PCs have it: vectors 0x20 and 0x28. */
static void start(struct board *b, uint8_t icw4)
{
    out(b, 0x20, 0x11), out(b, 0x21, 0x20), out(b, 0x21, 4), out(b, 0x21, icw4);
    out(b, 0xa0, 0x11), out(b, 0xa1, 0x28), out(b, 0xa1, 2), out(b, 0xa1, icw4);
}

static void initialisation(void **state)
{
    struct board *b = *state;

    out(b, 0x21, 0xff);
    out(b, 0x20, 0x11); /* clears the mask */
    out(b, 0x21, 0x43); /* the lower three bits are the input's */
    out(b, 0x21, 4);
    out(b, 0x21, 1);
    assert_int_equal(in(b, 0x21), 0);
    edge(b, 3);
    assert_int_equal(inta(b), 0x43);
    out(b, 0x20, 0x10); /* no ICW4, three words */
    out(b, 0x21, 0x50);
    out(b, 0x21, 4);
    out(b, 0x21, 0xfe); /* so this is the mask */
    assert_int_equal(in(b, 0x21), 0xfe);
    out(b, 0x20, 0x12); /* single: two words */
    out(b, 0x21, 0x60);
    out(b, 0x21, 0xfd);
    assert_int_equal(in(b, 0x21), 0xfd);
    start(b, 0x13);
    out(b, 0x20, 0x12); /* without ICW4 none of its modes is left */
    out(b, 0x21, 0x60);
    edge(b, 5);
    assert_int_equal(inta(b), 0x65);
    edge(b, 6);
    assert_int_equal(inta(b), -1);
    edge(b, 1);
    out(b, 0x20, 0x11); /* what was latched is forgotten */
    assert_int_equal(inta(b), -1);
    assert_int_equal(in(b, 0x20), 0);
}

static void nesting(void **state)
{
    struct board *b = *state;

    start(b, 1);
    edge(b, 5);
    assert_int_equal(in(b, 0x20), 0x20); /* IRR */
    assert_int_equal(inta(b), 0x25);
    assert_int_equal(in(b, 0x20), 0);
    out(b, 0x20, 0x0b);
    out(b, 0x20, 0x09);                  /* says nothing of what is read */
    assert_int_equal(in(b, 0x20), 0x20); /* ISR, until told otherwise */
    edge(b, 6);
    edge(b, 5);
    assert_int_equal(inta(b), -1);
    edge(b, 1);
    assert_int_equal(inta(b), 0x21);
    assert_int_equal(in(b, 0x20), 0x22);
    out(b, 0x20, 0x20); /* ends the highest */
    assert_int_equal(in(b, 0x20), 0x20);
    out(b, 0x20, 0x65); /* ends 5 by name */
    assert_int_equal(in(b, 0x20), 0);
    out(b, 0x20, 0x0a);
    assert_int_equal(in(b, 0x20), 0x60);
    out(b, 0x21, 0x20);
    assert_int_equal(inta(b), 0x26);
    out(b, 0x21, 0); /* 5 comes before 6 */
    assert_int_equal(inta(b), 0x25);
}

static void cascade(void **state)
{
    struct board *b = *state;

    start(b, 1);
    edge(b, 12);
    assert_int_equal(in(b, 0x20), 4);
    assert_int_equal(in(b, 0xa0), 0x10);
    assert_int_equal(inta(b), 0x2c);
    edge(b, 8); /* comes before 12, but the master has input 2 in service */
    edge(b, 3);
    assert_int_equal(inta(b), -1);
    out(b, 0xa0, 0x20);
    assert_int_equal(inta(b), -1);
    out(b, 0x20, 0x20);
    assert_int_equal(inta(b), 0x28);
    out(b, 0xa0, 0x20), out(b, 0x20, 0x20);
    assert_int_equal(inta(b), 0x23);

    start(b, 0x11); /* specially fully nested: the slave may be nested, too */
    edge(b, 12);
    assert_int_equal(inta(b), 0x2c);
    edge(b, 14);
    assert_int_equal(inta(b), -1);
    edge(b, 8);
    assert_int_equal(inta(b), 0x28);
    out(b, 0xa1, 0xff);
    start(b, 1);
    edge(b, 9);
    out(b, 0xa1, 2); /* masked: the master's input goes down */
    assert_int_equal(inta(b), -1);
    assert_int_equal(in(b, 0x20), 0);
}

static void special_mask(void **state)
{
    struct board *b = *state;

    start(b, 1);
    edge(b, 1);
    assert_int_equal(inta(b), 0x21);
    edge(b, 4);
    assert_int_equal(inta(b), -1);
    out(b, 0x21, 2);
    assert_int_equal(inta(b), -1);
    out(b, 0x20, 0x68);
    assert_int_equal(inta(b), 0x24); /* 1, masked, keeps nobody back */
    out(b, 0x20, 0x20);              /* ends 4 */
    out(b, 0x20, 0x0b);
    assert_int_equal(in(b, 0x20), 2);
    out(b, 0x20, 0x48);
    edge(b, 4);
    assert_int_equal(inta(b), -1);
}

static void rotation(void **state)
{
    struct board *b = *state;

    start(b, 1);
    edge(b, 0), edge(b, 1);
    assert_int_equal(inta(b), 0x20);
    out(b, 0x20, 0x20);
    out(b, 0x20, 0xa0); /* nothing to end: the order stays */
    edge(b, 0);
    assert_int_equal(inta(b), 0x20);
    out(b, 0x20, 0xa0); /* EOI, and it comes last from now on */
    edge(b, 0);
    assert_int_equal(inta(b), 0x21);
    out(b, 0x20, 0x20);
    out(b, 0x20, 0xc5); /* 5 comes last, 6 first */
    edge(b, 7), edge(b, 5);
    assert_int_equal(inta(b), 0x27);
    out(b, 0x20, 0xe7); /* ends 7 and puts it last */
    assert_int_equal(inta(b), 0x20);
    out(b, 0x20, 0x20);
    assert_int_equal(inta(b), 0x25);

    start(b, 3); /* automatic EOI */
    out(b, 0x20, 0x80);
    edge(b, 0), edge(b, 1);
    assert_int_equal(inta(b), 0x20);
    edge(b, 0);
    assert_int_equal(inta(b), 0x21);
    assert_int_equal(inta(b), 0x20);
    out(b, 0x20, 0x0b);
    assert_int_equal(in(b, 0x20), 0);
}

static void poll(void **state)
{
    struct board *b = *state;

    start(b, 1);
    out(b, 0x20, 0x0c);
    assert_int_equal(in(b, 0x20), 0); /* nobody */
    edge(b, 6);
    out(b, 0x20, 0x0c);
    assert_int_equal(in(b, 0x20), 0x86);
    out(b, 0x20, 0x0b);
    assert_int_equal(in(b, 0x20), 0x40); /* in service as by INTA */
    assert_int_equal(inta(b), -1);
}

static void levels(void **state)
{
    struct board *b = *state;

    start(b, 1);
    out(b, 0x4d0, 0xff);
    out(b, 0x4d1, 0xff);
    assert_int_equal(in(b, 0x4d0), 0xf8);
    assert_int_equal(in(b, 0x4d1), 0xde);
    vpic_irq_positive_edge(&b->irq, 11);
    assert_int_equal(inta(b), 0x2b);
    out(b, 0xa0, 0x20), out(b, 0x20, 0x20);
    assert_int_equal(inta(b), 0x2b); /* still up */
    vpic_irq_negative_edge(&b->irq, 11);
    out(b, 0xa0, 0x20), out(b, 0x20, 0x20);
    assert_int_equal(inta(b), -1);
    vpic_irq_positive_edge(&b->irq, 11);
    vpic_irq_negative_edge(&b->irq, 11);
    assert_int_equal(inta(b), -1); /* it is gone */
    vpic_irq_positive_edge(&b->irq, 5);
    start(b, 1);
    assert_int_equal(inta(b), 0x25); /* a level is there after initialisation, too */
    out(b, 0x20, 0x20);
    out(b, 0x4d0, 0); /* by edges: it was none */
    assert_int_equal(inta(b), -1);
}

/* Any bytes to any of the ports, any lines: the invariants hold. */
/* A line that is up already makes no edge; OCW3 without a read command leaves what is read as it was. */
static void edge_once(void **state)
{
    struct board *b = *state;

    start(b, 1);
    vpic_irq_positive_edge(&b->irq, 3);
    assert_int_equal(inta(b), 0x23);
    out(b, 0x20, 0x20);
    vpic_irq_positive_edge(&b->irq, 3);
    assert_int_equal(inta(b), -1);
    vpic_irq_negative_edge(&b->irq, 3);
    vpic_irq_positive_edge(&b->irq, 3);
    assert_int_equal(inta(b), 0x23);
    out(b, 0x20, 0x0b); /* ISR */
    assert_int_equal(in(b, 0x20), 8);
    out(b, 0x20, 0x08);
    assert_int_equal(in(b, 0x20), 8);
    out(b, 0x20, 0x0a); /* IRR */
    assert_int_equal(in(b, 0x20), 0);
}

static void any_access(void **state)
{
    static const uint16_t ports[] = { 0x20, 0x21, 0xa0, 0xa1, 0x4d0, 0x4d1 };
    struct board *b = *state;
    uint64_t prng = 7;

    for (unsigned int n = 0; n < 100000; n++) {
        const uint16_t port = ports[random_of(&prng, ARRAY_SIZE(ports))];
        unsigned int line = (unsigned int)random_of(&prng, 16);
        int vec;

        line = line == 2 ? 3 : line;
        switch (random_of(&prng, 6)) {
        case 0: out(b, port, (uint8_t)random_of(&prng, 256)); break;
        case 1: in(b, port); break;
        case 2: vpic_irq_positive_edge(&b->irq, line); break;
        case 3: vpic_irq_negative_edge(&b->irq, line); break;
        case 4: out(b, random_of(&prng, 2) ? 0x20 : 0xa0, 0x20); break;
        default:
            vec = inta(b);
            assert_true(vec < 0 || (vec & ~7) == b->irq.vpic[0].irq_base || (vec & ~7) == b->irq.vpic[1].irq_base);
        }
        assert_int_equal(b->irq.vpic[1].int_output, b->irq.vpic[0].level >> 2 & 1);
        for (unsigned int i = 0; i < 2; i++)
            assert_int_equal(b->irq.vpic[i].irr & b->irq.vpic[i].elcr, b->irq.vpic[i].level & b->irq.vpic[i].elcr);
    }
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, board_setup, board_teardown)
    const struct CMUnitTest tests[] = {
        TEST(initialisation), TEST(nesting),   TEST(cascade), TEST(special_mask), TEST(rotation),
        TEST(poll),           TEST(edge_once), TEST(levels),  TEST(any_access),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
