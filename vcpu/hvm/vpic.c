// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The two 8259A interrupt controllers of an HVM domain.
 *
 * Concept: each has eight inputs. A request is latched in IRR, the processor's acknowledgement moves it to ISR, and the
 * guest's end-of-interrupt (EOI) takes it out. An input in ISR keeps back those of equal and lower priority, IMR keeps
 * back single ones. The slave's output is the master's input 2.
 *
 *                  A0 = 0 (0x20, 0xa0)                              A0 = 1 (0x21, 0xa1)
 *      write       bit 4: ICW1, bits  3 level  1 single  0 ICW4     while initialised: ICW2 (base), ICW3, ICW4
 *                  bit 3: OCW3, bits  6,5 special mask              else OCW1: IMR
 *                                     2 poll  1,0 what is read
 *                  else   OCW2, bits  7 rotate  6 specific
 *                                     5 EOI  2..0 input
 *      read        IRR or ISR; after a poll command: 0x80 | input   IMR
 *
 * Invariants: int_output is whether an input asks that nothing keeps back; the master's `level` bit 2 is the slave's
 * int_output. A level-triggered input is in IRR exactly while its line is up.
 *
 * A request by an edge stays in IRR when its line goes down again, until it is taken, as in Xen; the chip forgets it.
 *
 * Corresponds to xen/arch/x86/hvm/vpic.c. Source: Intel 8259A data sheet.
 */
#include "vcpu/hvm/irq.h"

#include <errno.h>
#include <xen/hvm/save.h>

#define CASCADE 4u /* input 2 of the master */

/* OCW2's commands: rotate, specific, EOI */
enum {
    CMD_CLEAR_ROTATE,
    CMD_EOI,
    CMD_NONE,
    CMD_EOI_SPECIFIC,
    CMD_SET_ROTATE,
    CMD_ROTATE,
    CMD_PRIORITY,
    CMD_ROTATE_SPECIFIC
};

static bool is_master(const struct hvm_irq *irq, const struct vpic *p) { return p == &irq->vpic[0]; }

/* Inputs that are level-triggered. */
static uint8_t sense(const struct hvm_irq *irq, const struct vpic *p)
{
    return (uint8_t)(p->level_all ? 0xff : is_master(irq, p) ? p->elcr | CASCADE : p->elcr);
}

/* How many inputs come before the first of those in `mask`, 8: none is in there. */
static unsigned int rank(const struct vpic *p, uint8_t mask)
{
    unsigned int n = 0;

    while (n < 8 && !(mask >> ((p->priority + n) & 7) & 1))
        n++;
    return n;
}

/* The input that asks and is not kept back, -1: none. */
static int asking(const struct hvm_irq *irq, const struct vpic *p)
{
    const unsigned int request = rank(p, (uint8_t)(p->irr & ~p->imr));
    uint8_t isr = p->isr;

    if (p->special_mask)
        isr &= (uint8_t)~p->imr;
    if (p->special_fully_nested && is_master(irq, p))
        isr &= (uint8_t)~CASCADE; /* the slave may ask again, and sees for itself whether it may */
    return request < rank(p, isr) ? (int)((p->priority + request) & 7) : -1;
}

static void set_line(struct hvm_irq *irq, struct vpic *p, uint8_t bit, bool up)
{
    if (sense(irq, p) & bit)
        p->irr = up ? p->irr | bit : (uint8_t)(p->irr & ~bit);
    else if (up && !(p->level & bit))
        p->irr |= bit;
    p->level = up ? p->level | bit : (uint8_t)(p->level & ~bit);
}

/* What may have changed who asks: the outputs follow. */
static void update(struct hvm_irq *irq)
{
    struct vpic *master = &irq->vpic[0], *slave = &irq->vpic[1];
    const bool was = master->int_output;

    slave->int_output = asking(irq, slave) >= 0;
    set_line(irq, master, CASCADE, slave->int_output);
    master->int_output = asking(irq, master) >= 0;
    if (master->int_output && !was) {
        const struct vlapic *target = vlapic_pic_target(irq);

        if (target)
            vcpu_kick(target->vcpu);
    }
}

/* The input that comes last is `input`. */
static void lowest(struct vpic *p, unsigned int input) { p->priority = (input + 1) & 7; }

/* INTA, or a poll that found somebody: the input. Nobody asks any more: input 7, as of a request that was too short. */
static unsigned int intack(struct hvm_irq *irq, struct vpic *p)
{
    const int input = asking(irq, p);
    const uint8_t bit = (uint8_t)(1u << (input & 7));

    if (input < 0)
        return 7;
    if (!(sense(irq, p) & bit))
        p->irr &= (uint8_t)~bit;
    if (!p->auto_eoi)
        p->isr |= bit;
    else if (p->rotate_on_auto_eoi)
        lowest(p, (unsigned int)input);
    return (unsigned int)input;
}

int vpic_ack_pending_irq(struct hvm_irq *irq)
{
    struct vpic *p = &irq->vpic[0];
    unsigned int input;

    if (!p->int_output)
        return -1;
    input = intack(irq, p);
    if (input == 2) {
        p = &irq->vpic[1];
        input = intack(irq, p);
    }
    update(irq);
    return (uint8_t)(p->irq_base + input);
}

void vpic_irq_positive_edge(struct hvm_irq *irq, unsigned int line)
{
    set_line(irq, &irq->vpic[line >> 3 & 1], (uint8_t)(1u << (line & 7)), true);
    update(irq);
}

void vpic_irq_negative_edge(struct hvm_irq *irq, unsigned int line)
{
    set_line(irq, &irq->vpic[line >> 3 & 1], (uint8_t)(1u << (line & 7)), false);
    update(irq);
}

/* --- commands --- */

static void icw1(const struct hvm_irq *irq, struct vpic *p, uint8_t val)
{
    p->need_icw4 = val & 1;
    p->single = val & 2;
    p->level_all = val & 8;
    p->irr = p->level & sense(irq, p);
    p->imr = p->isr = p->priority = 0;
    p->special_mask = p->read_isr = p->poll = false;
    p->auto_eoi = p->rotate_on_auto_eoi = p->special_fully_nested = false;
    p->icw = 2;
}

static void ocw3(struct vpic *p, uint8_t val)
{
    if (val & 2)
        p->read_isr = val & 1;
    p->poll = val & 4;
    if (val & 0x40)
        p->special_mask = val & 0x20;
}

static void ocw2(struct vpic *p, uint8_t val)
{
    const unsigned int first = rank(p, p->special_mask ? p->isr & (uint8_t)~p->imr : p->isr);
    unsigned int input = val & 7;

    switch (val >> 5) {
    case CMD_SET_ROTATE:
    case CMD_CLEAR_ROTATE: p->rotate_on_auto_eoi = val >> 7; break;
    case CMD_EOI:
    case CMD_ROTATE:
        if (first == 8)
            break;
        input = (p->priority + first) & 7; /* fall through */
    case CMD_EOI_SPECIFIC:
    case CMD_ROTATE_SPECIFIC:
        p->isr &= (uint8_t) ~(1u << input);
        if (val & 0x80)
            lowest(p, input);
        break;
    case CMD_PRIORITY: lowest(p, input); break;
    default: break;
    }
}

static void write_data(struct vpic *p, uint8_t val)
{
    switch (p->icw) {
    case 2:
        p->irq_base = val & 0xf8;
        p->icw = !p->single ? 3 : p->need_icw4 ? 4 : 0;
        break;
    case 3: p->icw = p->need_icw4 ? 4 : 0; break; /* how they are wired: they are */
    case 4:
        p->auto_eoi = val & 2;
        p->special_fully_nested = val & 0x10;
        p->icw = 0;
        break;
    default: p->imr = val;
    }
}

/* ELCR: inputs 0, 1, 2 and 8, 13 are always by edges. */
static void write_elcr(struct hvm_irq *irq, struct vpic *p, uint8_t val)
{
    const uint8_t was = sense(irq, p);

    p->elcr = val & (is_master(irq, p) ? 0xf8 : 0xde);
    p->irr = (uint8_t)((p->irr & ~was & ~sense(irq, p)) | (p->level & sense(irq, p)));
}

void vpic_write(struct hvm_irq *irq, uint16_t port, uint8_t val)
{
    struct vpic *p = &irq->vpic[(port & ~1) == 0xa0 || port == 0x4d1];

    if (port == 0x4d0 || port == 0x4d1)
        write_elcr(irq, p, val);
    else if (port & 1)
        write_data(p, val);
    else if (val & 0x10)
        icw1(irq, p, val);
    else if (val & 8)
        ocw3(p, val);
    else
        ocw2(p, val);
    update(irq);
    pt_update_irq(irq);
}

uint8_t vpic_read(struct hvm_irq *irq, uint16_t port)
{
    struct vpic *p = &irq->vpic[(port & ~1) == 0xa0 || port == 0x4d1];
    unsigned int input;

    if (port == 0x4d0 || port == 0x4d1)
        return p->elcr;
    if (!p->poll)
        return port & 1 ? p->imr : p->read_isr ? p->isr : p->irr;
    p->poll = false;
    if (asking(irq, p) < 0)
        return 0;
    input = intack(irq, p);
    update(irq);
    return (uint8_t)(0x80 | input);
}

/* --- as a record --- */

void vpic_save(const struct hvm_irq *irq, unsigned int n, struct hvm_hw_vpic *r)
{
    const struct vpic *p = &irq->vpic[n];

    *r = (struct hvm_hw_vpic){
        .irr = p->irr,
        .imr = p->imr,
        .isr = p->isr,
        .irq_base = p->irq_base,
        .init_state = p->icw ? (uint8_t)((p->icw - 1) | p->need_icw4 << 2 | p->single << 3) & 15 : 0,
        .priority_add = p->priority & 15,
        .readsel_isr = p->read_isr,
        .poll = p->poll,
        .auto_eoi = p->auto_eoi,
        .rotate_on_auto_eoi = p->rotate_on_auto_eoi,
        .special_fully_nested_mode = p->special_fully_nested,
        .special_mask_mode = p->special_mask,
        .is_master = n == 0,
        .elcr = sense(irq, p),
        .int_output = p->int_output,
    };
}

int vpic_load(struct hvm_irq *irq, unsigned int n, const struct hvm_hw_vpic *r)
{
    const uint8_t icw = r->init_state & 3;

    if (r->priority_add > 7 || (r->init_state && !icw))
        return -EINVAL;
    irq->vpic[n] = (struct vpic){
        .irr = r->irr,
        .imr = r->imr,
        .isr = r->isr,
        .elcr = r->elcr & (n ? 0xde : 0xf8),
        .irq_base = r->irq_base & 0xf8,
        .priority = r->priority_add,
        .icw = icw ? icw + 1 : 0,
        .need_icw4 = r->init_state >> 2 & 1,
        .single = r->init_state >> 3 & 1,
        .auto_eoi = r->auto_eoi,
        .rotate_on_auto_eoi = r->rotate_on_auto_eoi,
        .special_fully_nested = r->special_fully_nested_mode,
        .special_mask = r->special_mask_mode,
        .read_isr = r->readsel_isr,
        .poll = r->poll,
    };
    vpic_lines_loaded(irq);
    return 0;
}

void vpic_lines_loaded(struct hvm_irq *irq)
{
    for (unsigned int line = 0; line < NR_ISAIRQS; line++) {
        struct vpic *p = &irq->vpic[line >> 3];
        const uint8_t bit = (uint8_t)(1u << (line & 7));
        const bool up = line != 2 && irq->gsi_assert_count[hvm_isa_irq_to_gsi(line)];

        p->level = up ? p->level | bit : (uint8_t)(p->level & ~bit);
        if ((sense(irq, p) & bit) && line != 2)
            p->irr = up ? p->irr | bit : (uint8_t)(p->irr & ~bit);
    }
    update(irq);
}

void vpic_init(struct hvm_irq *irq) { irq->vpic[0] = irq->vpic[1] = (struct vpic){ .imr = 0 }; }
