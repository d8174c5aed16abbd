// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A PC's state as bytes: rings/dm/state.h says how, here is which records there are, in their order.
 *
 *      pc | cmos piix idepci ide 0 ide 1 platform 8042 keyboard mouse typing uart.. rtl8139.. vga text | timers
 *
 * The first is of no device, and is loaded before there are any: where the screen's memory is. Each of the others is
 * its device's affair, and there if the configuration says that the device is.
 */
#include "rings/dm/pc.h"

static void events_state(struct pc *pc, struct dm_state *s)
{
    STATE_MAX(s, pc->nr_events, PC_EVENTS);
    for (unsigned int i = 0; i < pc->nr_events; i++) {
        struct pc_event *e = &pc->event[i];

        STATE(s, e->key);
        STATE_BOOL(s, e->down);
        STATE(s, e->dx);
        STATE(s, e->dy);
        STATE(s, e->dz);
    }
    STATE(s, pc->dropped);
    STATE_MAX(s, pc->buttons, (1u << PC_BUTTONS) - 1);
    STATE(s, pc->x);
    STATE(s, pc->y);
}

/* Where the pages of the screen's memory are: those that follow each other in one. */
static void vga_pages_state(struct pc *pc, struct dm_state *s)
{
    const size_t pages = pc_vga_pages(pc);

    STATE(s, pc->cfg.vga_gfn);
    for (size_t i = 0; i < pages && !state_error(s);) {
        uint64_t gfn = pc->vga_page[i].gfn, nr = 1;

        while (i + nr < pages && pc->vga_page[i + nr].gfn == gfn + nr)
            nr++;
        STATE(s, gfn);
        STATE_RANGE(s, nr, 1, pages - i);
        for (uint64_t n = 0; state_loaded(s) && n < nr; n++)
            pc->vga_page[i + n].gfn = gfn + n;
        i += nr;
    }
}

void pc_own_state(struct pc *pc, struct dm_state *s)
{
    state_begin(s, "pc", 0);
    STATE(s, pc->cf8);
    STATE(s, pc->unplugged);
    events_state(pc, s);
    vga_pages_state(pc, s);
    state_end(s);
}

static void timers_state(struct pc *pc, struct dm_state *s)
{
    state_begin(s, "timers", 0);
    state_timer(s, "typist", pc->board, &pc->typist);
    state_timer(s, "nics", pc->board, &pc->nics);
    state_end(s);
}

void pc_devices_state(struct pc *pc, struct dm_state *s)
{
    cmos_state(&pc->cmos, s);
    piix_state(&pc->piix, s);
    ide_state(&pc->ide, s);
    if (pc->cfg.platform)
        platform_state(&pc->platform, s);
    ps2_state(&pc->ps2, s);
    typing_state(&pc->typing, s);
    for (unsigned int i = 0; i < PC_SERIALS && i < (pc->cfg.serials ?: 1); i++)
        uart_state(&pc->com[i], s, i);
    for (unsigned int i = 0; i < pc->cfg.nr_nics; i++)
        rtl8139_state(&pc->nic[i].card, s, i);
    if (pc->cfg.vga_mib)
        vga_state(&pc->vga, s);
    if (pc->vga.touched)
        transcript_state(&pc->transcript, s);
    timers_state(pc, s);
    state_finish(s);
}
