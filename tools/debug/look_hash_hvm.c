// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The part of a machine's hash that only HVM guests have: the hypervisor's devices, and a device model's.
 *
 * Concept: as in look_hash.c values are mixed in, and no pointers. Of a device's struct the fields that lie side by
 * side and are bytes are taken as a run of bytes, RUN(); what has gaps between its fields goes field by field. A local
 * APIC's registers and a screen's memory are frames of RAM, and are in the hash as that.
 */
#include "mmu/hvm/p2m.h"
#include "rings/dm/pc.h"
#include "sim/ram_hash.h"
#include "tools/debug/look_private.h"
#include "vcpu/five/tc.h"
#include "vcpu/hvm/hvm.h"

#define MIX(hash, ...)  hash_bytes(hash, (const uint64_t[]){ __VA_ARGS__ }, sizeof((const uint64_t[]){ __VA_ARGS__ }))
#define ALL(hash, what) hash_bytes(hash, &(what), sizeof(what))
#define RUN(hash, s, from, to)                                                                                         \
    hash_bytes(hash, &(s)->from, (size_t)((const char *)(&(s)->to + 1) - (const char *)&(s)->from))

/* --- the hypervisor's --- */

static uint64_t mix_timer(uint64_t hash, const struct periodic_time *pt)
{
    return MIX(hash, (uint64_t)pt->period, (uint64_t)pt->scheduled, (uint64_t)pt->last_plt_time, pt->pending, pt->irq,
               pt->running, pt->issued, pt->keeps);
}

static uint64_t mix_io_op(uint64_t hash, const struct hvm_io_op *op)
{
    return MIX(hash, op->port, op->write, op->df, op->data_is_ptr, op->size, op->count, op->addr, op->data);
}

uint64_t look_hash_hvm_vcpu(uint64_t hash, const struct vcpu *v)
{
    const struct hvm_vcpu *hv = v->hvm;
    const struct hvm_event *e = &hv->inject.event;

    hash = MIX(hash, hv->evtchn_upcall_vector, hv->tsc_aux, (uint64_t)hv->tsc_adjust, hv->waits_for_sipi,
               hv->cpuid_faults, hv->mcg_status, hv->debugctl, hv->fpu_used);
    hash = ALL(ALL(hash, hv->last_branch), hv->mtrr);
    hash = MIX(hash, hv->vlapic.apic_base_msr, hv->vlapic.pending_esr, hv->vlapic.timer_count,
               (uint64_t)hv->vlapic.timer_start, (uint64_t)hv->vlapic.time.offset, (uint64_t)hv->vlapic.time.stopped_at,
               hv->vlapic.time.stopped);
    hash = mix_timer(hash, &hv->vlapic.pt);
    hash = MIX(hash, hv->io.state, hv->io.nr, hv->io.next, hv->io.server);
    for (unsigned int i = 0; i < hv->io.nr; i++)
        hash = mix_io_op(hash, &hv->io.answer[i]);
    if (hv->io.state != HVM_IO_IDLE)
        hash = mix_io_op(hash, &hv->io.op);
    if (hv->inject.set)
        hash = MIX(hash, e->type, e->vector, e->insn_len, e->has_error_code, e->error_code, e->cr2);
    return hash;
}

static uint64_t mix_lines(uint64_t hash, const struct hvm_irq *irq)
{
    hash = ALL(ALL(hash, irq->vpic), irq->vioapic.redir);
    hash = MIX(hash, irq->vioapic.select, irq->vioapic.id, irq->timer_mode, irq->isa_irq, irq->pci_intx[0],
               irq->pci_intx[1], irq->round_robin);
    hash = ALL(ALL(ALL(hash, irq->pci_link_route), irq->pci_link_assert_count), irq->gsi_assert_count);
    return ALL(hash, irq->callback);
}

static uint64_t mix_pit(uint64_t hash, const struct pit *pit)
{
    for (unsigned int i = 0; i < 3; i++) {
        const struct i8254_channel *c = &pit->chip.ch[i];

        hash = RUN(MIX(hash, (uint64_t)c->since, c->before, c->count, c->latched_count), c, mode, started);
    }
    return mix_timer(MIX(hash, pit->chip.speaker), &pit->pt0);
}

static uint64_t mix_server(uint64_t hash, const struct ioreq_server *s)
{
    hash = MIX(hash, s->emulator->domain_id, s->ioreq.gfn, s->bufioreq.gfn, s->bufioreq_evtchn, s->bufioreq_handling,
               s->enabled, s->requests, s->buffered);
    for (unsigned int type = 0; type < NR_IO_RANGE_TYPES; type++)
        for (unsigned int i = 0; i < s->ranges[type].nr; i++)
            hash = MIX(hash, type, s->ranges[type].range[i].start, s->ranges[type].range[i].end);
    return ALL(hash, s->ports);
}

/* Frames are hashed as all are. */
static uint64_t mix_tc(uint64_t hash, const struct tc *tc)
{
    for (uint32_t i = 0; i < tc->nr_blocks; i++) {
        const struct tc_block *b = &tc->block[i];

        hash = MIX(hash, b->rip, b->at, b->size, b->len, b->dead, b->looked_up, b->map, b->nr_map);
        hash = MIX(hash, b->entered, b->links);
    }
    for (uint32_t i = 0; i < tc->nr_map; i++)
        hash = MIX(hash, tc->map[i].at, tc->map[i].link, tc->map[i].kind, tc->map[i].out, tc->map[i].rip);
    for (uint32_t i = 0; i < tc->nr_pages; i++)
        hash = MIX(hash, tc->page[i].va, mfn_x(tc->page[i].mfn));
    hash = MIX(hash, tc->used, tc->nr_text, tc->look, tc->resumes, tc->middle, tc->wants_block, tc->from, tc->indirect);
    return tc->resumes ? MIX(hash, tc->resume_rip, tc->resume_at) : hash;
}

uint64_t look_hash_hvm_domain(uint64_t hash, const struct domain *d)
{
    const struct hvm_domain *h = d->hvm;
    const struct rtc *rtc = &h->rtc;
    const struct pmtimer *pm = &h->pmtimer;

    hash = mix_pit(mix_lines(ALL(hash, h->params), &h->irq), &h->pit);
    hash = mix_timer(MIX(ALL(hash, rtc->cmos), rtc->index, (uint64_t)rtc->offset, (uint64_t)rtc->seen), &rtc->pt);
    hash = MIX(hash, pm->sts, pm->en, pm->cnt, pm->wide, pm->added, (uint64_t)pm->seen);
    hash = MIX(hash, h->pci_cf8, d->p2m->dirty_vram.first, d->p2m->dirty_vram.nr,
               h->apic_page_of ? h->apic_page_of->vcpu_id : MAX_VIRT_CPUS);
    for (unsigned int i = 0; i < MAX_NR_IOREQ_SERVERS; i++)
        if (h->ioreq_server[i])
            hash = mix_server(MIX(hash, i), h->ioreq_server[i]);
    return h->tc ? mix_tc(hash, h->tc) : hash;
}

/* --- a device model's --- */

static uint64_t mix_pci(uint64_t hash, const struct pci_device *p)
{
    hash = MIX(ALL(hash, p->config), p->devfn, p->gone);
    for (unsigned int i = 0; i < PCI_BARS; i++)
        hash = MIX(hash, p->bar[i].region.present, p->bar[i].region.base, p->bar[i].region.mapped);
    return hash;
}

static uint64_t mix_ide_drive(uint64_t hash, const struct ide_drive *d)
{
    hash = MIX(ALL(hash, d->reg), d->kind, d->error, d->status, d->intrq, d->standby, d->asleep, d->mode, d->multiple);
    hash = MIX(hash, d->cylinders, d->heads, d->track, d->write_cache, d->look_ahead);
    return MIX(ALL(hash, d->sense), d->changed, d->event, d->locked, d->open);
}

static uint64_t mix_ide(uint64_t hash, const struct ide *ide)
{
    for (unsigned int i = 0; i < 2; i++) {
        const struct ide_channel *c = &ide->channel[i];
        const struct ide_job *j = &c->job;
        const struct ide_bus_master *bm = &c->bm;

        hash = mix_ide_drive(mix_ide_drive(hash, &c->drive[0]), &c->drive[1]);
        hash = MIX(hash, c->device, c->device_control, c->line, (uint64_t)c->timer.due);
        hash = MIX(ALL(hash, j->packet), j->dma, j->write, j->ext, j->sector, j->left, j->block, j->done);
        hash = MIX(hash, c->moving.on, c->moving.in, c->moving.dma, c->moving.pos, c->moving.end);
        hash = MIX(hash, bm->command, bm->status, bm->table, bm->next, bm->addr, bm->left, bm->last, bm->busy);
        hash = ALL(hash, c->buf);
    }
    return mix_pci(hash, &ide->pci);
}

static uint64_t mix_ps2(uint64_t hash, const struct ps2 *p)
{
    const struct ps2_mouse *m = &p->mouse;

    hash = MIX(ALL(RUN(hash, p, bytes, release), p->reply), p->nr_replies);
    hash = RUN(hash, &p->keyboard, replies, held);
    return MIX(RUN(hash, m, replies, told), (uint64_t)m->dx, (uint64_t)m->dy, (uint64_t)m->dz);
}

static uint64_t mix_uart(uint64_t hash, const struct uart *u)
{
    return MIX(ALL(RUN(hash, u, ier, fcr), u->fifo), u->divisor, u->thr_empty, u->timed_out, u->first, u->nr,
               (uint64_t)u->silence.due);
}

static uint64_t mix_vga(uint64_t hash, const struct pc *pc)
{
    const struct vga *v = &pc->vga;
    const struct transcript *t = &pc->transcript;

    hash = MIX(ALL(RUN(hash, v, misc, latch), v->vbe), v->vbe_index, v->changes);
    for (uint32_t i = 0; pc->vga_page && i < v->size / PAGE_SIZE; i++)
        hash = MIX(hash, pc->vga_page[i].gfn);
    hash = MIX(RUN(hash, t, told, often), t->waits, t->last, (uint64_t)t->open, (uint64_t)t->timer.due);
    return mix_pci(hash, &v->pci);
}

uint64_t look_hash_pc(uint64_t hash, const struct pc *pc)
{
    hash = MIX(hash, pc->cf8, pc->unplugged, pc->nr_events, pc->dropped, pc->buttons, (uint64_t)pc->x, (uint64_t)pc->y,
               (uint64_t)pc->typist.due, pc->piix.reset_control, pc->piix.gpe_enabled[0], pc->piix.gpe_enabled[1]);
    for (unsigned int i = 0; i < pc->nr_events; i++)
        hash = MIX(hash, pc->event[i].key, pc->event[i].down, (uint64_t)pc->event[i].dx, (uint64_t)pc->event[i].dy,
                   (uint64_t)pc->event[i].dz);
    hash = RUN(ALL(hash, pc->typing), &pc->cmos, index, bytes);
    hash = mix_pci(mix_pci(mix_pci(hash, &pc->piix.host), &pc->piix.isa), &pc->piix.pm);
    hash = mix_ps2(mix_ide(hash, &pc->ide), &pc->ps2);
    for (unsigned int i = 0; i < PC_SERIALS; i++)
        hash = mix_uart(hash, &pc->com[i]);
    hash = MIX(ALL(mix_pci(hash, &pc->platform.pci), pc->platform.line), pc->platform.flags, pc->platform.product,
               pc->platform.build, pc->platform.len);
    return mix_vga(hash, pc);
}
