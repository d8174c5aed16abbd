// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The interval timer of an HVM domain.
 *
 * Concept: the chip itself is computed when somebody asks (vcpu/i8254.c); only channel 0 has a consequence that nobody
 * asks for, ISA interrupt 0 at each rise of its output. So loading that channel sets a timer:
 *
 *      mode 0, 4      one tick, at the end of the count
 *      mode 2, 3      a tick each period
 *      mode 1, 5      none: they wait for a gate, and channel 0's does not move
 *
 * Invariant: pt0 runs exactly if channel 0 counts towards such a tick, or it is still to be taken.
 *
 * Corresponds to xen/arch/x86/emul-i8254.c (pit_load_count, pit_time_fired).
 */
#include "vcpu/hvm/pit.h"

static s_time_t now_of(const struct pit *pit) { return NOW(pit->irqs->domain->xen); }

static void channel0_began(struct pit *pit)
{
    const struct i8254_channel *c = &pit->chip.ch[0];
    const s_time_t period = i8254_ns(c->count);

    if (c->started)
        create_periodic_time(&pit->pt0, period, c->mode == 2 || c->mode == 3 ? period : 0, 0, NULL, NULL);
    else
        destroy_periodic_time(&pit->pt0);
}

uint8_t pit_read(struct pit *pit, uint16_t port) { return i8254_read(&pit->chip, port, now_of(pit)); }

void pit_write(struct pit *pit, uint16_t port, uint8_t val)
{
    const bool whole = pit->chip.ch[0].writes != 3; /* not a word's first byte */

    i8254_write(&pit->chip, port, val, now_of(pit));
    if ((port == 0x40 && whole) || (port == 0x43 && val < 0x40 && (val & 0x30)))
        channel0_began(pit);
}

void pit_init(struct pit *pit, struct hvm_irq *irqs)
{
    *pit = (struct pit){ .irqs = irqs };
    i8254_init(&pit->chip);
    vpt_init(&pit->pt0, irqs, irqs->vlapic[0]->vcpu, &vpt_isa);
}

void pit_deinit(struct pit *pit) { destroy_periodic_time(&pit->pt0); }
