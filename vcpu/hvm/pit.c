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
 * The HPET may take over the interrupt (legacy replacement): then the channel counts, and nobody hears it.
 *
 * Invariant: pt0 runs exactly if channel 0 counts towards such a tick, or it is still to be taken; never if `replaced`.
 *
 * Corresponds to xen/arch/x86/emul-i8254.c (pit_load_count, pit_time_fired).
 */
#include "vcpu/hvm/pit.h"

#include <errno.h>
#include <xen/hvm/save.h>

static s_time_t now_of(const struct pit *pit) { return NOW(pit->irqs->domain->xen); }

/* Channel 0 was loaded, or its ticks are wanted again. */
static void channel0_ticks(struct pit *pit)
{
    const struct i8254_channel *c = &pit->chip.ch[0];
    const s_time_t period = i8254_ns(c->count), gone = now_of(pit) - c->since;
    const bool periodic = c->mode == 2 || c->mode == 3;

    if (c->started && !pit->replaced && (periodic || gone < period))
        create_periodic_time(&pit->pt0, period - gone % period, periodic ? period : 0, 0, NULL, NULL);
    else
        destroy_periodic_time(&pit->pt0);
}

void pit_replace(struct pit *pit, bool on)
{
    if (on == pit->replaced)
        return;
    pit->replaced = on;
    channel0_ticks(pit);
}

uint8_t pit_read(struct pit *pit, uint16_t port) { return i8254_read(&pit->chip, port, now_of(pit)); }

void pit_write(struct pit *pit, uint16_t port, uint8_t val)
{
    const bool whole = pit->chip.ch[0].writes != 3; /* not a word's first byte */

    i8254_write(&pit->chip, port, val, now_of(pit));
    if ((port == 0x40 && whole) || (port == 0x43 && val < 0x40 && (val & 0x30)))
        channel0_ticks(pit);
}

void pit_init(struct pit *pit, struct hvm_irq *irqs)
{
    *pit = (struct pit){ .irqs = irqs };
    i8254_init(&pit->chip);
    vpt_init(&pit->pt0, irqs, irqs->vlapic[0]->vcpu, &vpt_line);
}

void pit_deinit(struct pit *pit) { destroy_periodic_time(&pit->pt0); }

/* --- as a record --- */

void pit_save(const struct pit *pit, struct hvm_hw_pit *r)
{
    *r = (struct hvm_hw_pit){ .speaker_data_on = pit->chip.speaker };
    for (unsigned int i = 0; i < 3; i++) {
        const struct i8254_channel *c = &pit->chip.ch[i];

        r->channels[i] = (struct hvm_hw_pit_channel){
            .count = c->loaded ? c->count : 0,
            .latched_count = c->latched_count,
            .count_latched = c->count_latched,
            .status_latched = c->status_latched,
            .status = c->status,
            .read_state = c->reads,
            .write_state = c->writes,
            .write_latch = c->low_written,
            .rw_mode = c->access,
            .mode = c->mode,
            .bcd = c->bcd,
            .gate = c->gate,
        };
    }
}

static bool channel_valid(const struct hvm_hw_pit_channel *r)
{
    return r->count <= (r->bcd ? 10000 : 0x10000) && r->mode <= 5 && r->bcd <= 1 && r->gate <= 1 &&
           r->status_latched <= 1 && r->count_latched <= 4 && r->read_state <= 4 && r->write_state <= 4 &&
           r->rw_mode <= 3;
}

int pit_load(struct pit *pit, const struct hvm_hw_pit *r)
{
    for (unsigned int i = 0; i < 3; i++)
        if (!channel_valid(&r->channels[i]))
            return -EINVAL;
    pit->chip.speaker = r->speaker_data_on & 1;
    for (unsigned int i = 0; i < 3; i++) {
        const struct hvm_hw_pit_channel *c = &r->channels[i];

        pit->chip.ch[i] = (struct i8254_channel){
            .since = now_of(pit),
            .count = c->count ?: 0x10000,
            .latched_count = c->latched_count,
            .mode = c->mode,
            .access = c->rw_mode,
            .reads = c->read_state,
            .writes = c->write_state,
            .count_latched = c->count_latched,
            .low_written = c->write_latch,
            .status = c->status,
            .bcd = c->bcd,
            .status_latched = c->status_latched,
            .gate = c->gate || i != 2, /* those of channels 0 and 1 do not move */
            .loaded = c->count,
            .started = c->count && c->mode != 1 && c->mode != 5,
        };
    }
    channel0_ticks(pit);
    return 0;
}
