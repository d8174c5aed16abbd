// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The emulated PC.
 *
 * Concept: what Xen's device model shows of a machine with Intel's 440FX chipset, as far as a system can find it. The
 * interrupt controllers and the timers of such a machine are not here: they are the hypervisor's (vcpu/hvm/).
 *
 *      00.0  host bridge    01.0  ISA bridge    01.1  disks and CDs    01.3  power management    02.0  screen    03.0  Xen's platform device
 *
 *      04.0 to 0b.0  network cards
 *
 *      0x10  platform device    0x60, 0x64  keyboard and mouse    0x3f8, 0x2f8, 0x3e8, 0x2e8  serial lines
 *      0xcf8  which function configuration accesses are about
 *
 * Corresponds to QEMU's machine `xenfv`.
 *
 * Budget: a bit more than 400 lines: each kind of device has a paragraph.
 */
#include "rings/dm/pc.h"

#include <errno.h>
#include <string.h>

#define IDE_DEVFN      (1 << 3 | 1)
#define VGA_DEVFN      (2 << 3)
#define PLATFORM_DEVFN (3 << 3)
#define NIC_DEVFN(n)   ((4 + (n)) << 3)
#define BUTTONS        0x110         /* of Linux's numbers: left, right, middle, and two more */
#define TYPIST_NS      MILLISECS(10) /* a character */

/* --- PCI --- */

static uint64_t cf8_read(void *dev, uint64_t offset, unsigned int size)
{
    const struct pc *pc = dev;

    return pc->cf8 >> 8 * offset;
}

static void cf8_write(void *dev, uint64_t offset, unsigned int size, uint64_t val)
{
    struct pc *pc = dev;

    if (size == 4)
        pc->cf8 = (uint32_t)val;
}

static const struct dm_region_ops cf8_ops = { cf8_read, cf8_write };

uint32_t pc_pci_config(struct pc *pc, uint64_t addr, unsigned int size, bool write, uint32_t val)
{
    const unsigned int bdf = (unsigned int)(addr >> 32), reg = (unsigned int)addr & 0xff;

    if (bdf > 0xff || (reg & 3) + size > 4) /* another bus */
        return ~0u;
    if (!write)
        return pci_config_read(&pc->pci, bdf, reg, size);
    pci_config_write(&pc->pci, bdf, reg, size, val);
    return val;
}

/* --- serial lines: one of them leads outside --- */

static struct uart *line(struct pc *pc) { return &pc->com[pc->cfg.line]; }

static void line_out(void *owner, uint8_t byte)
{
    const struct pc *pc = owner;

    if (pc->cfg.outside.serial_out)
        pc->cfg.outside.serial_out(pc->cfg.outside.data, (char)byte);
}

/* What has come from outside, as far as there is room. */
static void line_ready(void *owner)
{
    struct pc *pc = owner;
    char c;

    while (pc->cfg.outside.serial_in && uart_room(line(pc)) && pc->cfg.outside.serial_in(pc->cfg.outside.data, &c, 1))
        uart_receive(line(pc), (const uint8_t *)&c, 1);
}

/* Nothing is plugged in: what is sent is lost. */
static void nowhere_out(void *owner, uint8_t byte) {}

static void nowhere_ready(void *owner) {}

static const struct uart_line_ops outside_line = { .transmit = line_out, .ready = line_ready };
static const struct uart_line_ops nowhere_line = { .transmit = nowhere_out, .ready = nowhere_ready };

static void serial_init(struct pc *pc)
{
    static const unsigned int base[PC_SERIALS] = { UART_COM1, UART_COM2, UART_COM3, UART_COM4 };

    for (unsigned int i = 0; i < PC_SERIALS && i < (pc->cfg.serials ?: 1); i++)
        uart_init(&pc->com[i], pc->board, base[i], i & 1 ? 3 : 4, i == pc->cfg.line ? &outside_line : &nowhere_line,
                  pc);
}

/* --- keyboard and mouse --- */

static void typed_key(void *data, unsigned int key, bool down)
{
    struct pc *pc = data;

    ps2_key(&pc->ps2, key, down);
}

static bool may_type(const struct pc *pc) { return pc->cfg.outside.typed && ps2_waits(&pc->ps2) && !pc->typist.due; }

/*
 * A character of what is typed, when the guest has read all before, and has had time for it: a BIOS reads each at once,
 * and has room for 15 keys that nobody has asked it for.
 */
static void ps2_ready(void *owner)
{
    struct pc *pc = owner;
    char c;

    while (may_type(pc)) {
        const bool more = pc->cfg.outside.typed(pc->cfg.outside.data, &c, 1);

        if (more)
            typing_char(&pc->typing, c, typed_key, pc);
        else
            typing_pause(&pc->typing, typed_key, pc);
        if (!more)
            break;
        if (!ps2_waits(&pc->ps2))
            pc->board->ops->timer(pc->board, &pc->typist, pc->board->ops->now(pc->board) + TYPIST_NS);
    }
}

void pc_event(struct pc *pc, const struct pc_event *e)
{
    if (pc->nr_events < PC_EVENTS)
        pc->event[pc->nr_events++] = *e;
    else
        pc->dropped++;
}

void pc_pointer(struct pc *pc, int32_t x, int32_t y, int32_t dz)
{
    const struct pc_event e = { .dx = (int32_t)((uint32_t)x - (uint32_t)pc->x),
                                .dy = (int32_t)((uint32_t)y - (uint32_t)pc->y),
                                .dz = dz };

    pc->x = x;
    pc->y = y;
    pc_event(pc, &e);
}

static void event_happens(struct pc *pc, const struct pc_event *e)
{
    if (e->key >= BUTTONS && e->key < BUTTONS + PC_BUTTONS) {
        const uint8_t bit = (uint8_t)(1u << (e->key - BUTTONS));

        pc->buttons = (uint8_t)(e->down ? pc->buttons | bit : pc->buttons & ~bit);
    } else if (e->key) {
        ps2_key(&pc->ps2, e->key, e->down);
        return;
    }
    ps2_mouse(&pc->ps2, e->dx, e->dy, e->dz, pc->buttons);
}

bool pc_change_disc(struct pc *pc, unsigned int drive, struct disk *disk)
{
    if (drive >= PC_DRIVES || pc->ide.channel[drive / 2].drive[drive % 2].kind != IDE_CD)
        return false;
    pc->disc[drive].changes = true;
    pc->disc[drive].disk = disk;
    return true;
}

static void discs_change(struct pc *pc)
{
    for (unsigned int i = 0; i < PC_DRIVES; i++)
        if (pc->disc[i].changes)
            ide_change_disc(&pc->ide, i / 2, i % 2, pc->disc[i].disk);
    memset(pc->disc, 0, sizeof(pc->disc));
}

void pc_kick(struct pc *pc)
{
    discs_change(pc);
    for (unsigned int i = 0; i < pc->nr_events; i++)
        event_happens(pc, &pc->event[i]);
    pc->nr_events = 0;
    line_ready(pc);
    ps2_ready(pc);
}

bool pc_wants_input(const struct pc *pc)
{
    return pc->cfg.outside.serial_in ? !pc->com[pc->cfg.line].nr : may_type(pc);
}

/*
 * --- the screen: its memory are frames of the guest's ---
 *
 * They lie where RAM ends, or where the guest has placed BAR 0: there it writes to them without a word, and who looks
 * sees it. Where something else is already, RAM or what is the hypervisor's, that stays, as a bridge would have it.
 */

static const uint8_t *vga_page(void *owner, uint32_t page) { return ((const struct pc *)owner)->vga_page[page].bytes; }

/* Frames that the guest has given up meanwhile cannot be written any more. */
static void vga_write(void *owner, uint32_t at, const void *bytes, unsigned int n)
{
    struct pc *pc = owner;

    pc->board->ops->dma_write(pc->board, pc->vga_page[PFN_DOWN(at)].gfn << PAGE_SHIFT | PAGE_OFFSET(at), bytes, n);
}

static void vga_move(struct pc *pc, uint64_t gfn)
{
    for (size_t i = 0; i < PFN_DOWN(pc->vga.size); i++) {
        struct pc_vga_page *page = &pc->vga_page[i];

        if (page->gfn != gfn + i && pc->board->ops->move(pc->board, page->gfn, gfn + i))
            page->gfn = gfn + i;
    }
}

static void vga_place(void *owner, bool present, uint64_t gpa)
{
    struct pc *pc = owner;

    vga_move(pc, pc->cfg.vga_gfn);
    if (present)
        vga_move(pc, PFN_DOWN(gpa));
}

static const struct vga_memory_ops vga_memory = { vga_page, vga_write, vga_place };

static void screen_out(void *owner, const char *text, size_t n)
{
    const struct pc *pc = owner;

    pc->cfg.outside.screen_out(pc->cfg.outside.data, text, n);
}

static void screen_touched(void *data, unsigned int row)
{
    struct pc *pc = data;

    transcript_touched(&pc->transcript, row);
}

static int screen_init(struct pc *pc)
{
    const size_t pages = pc_vga_pages(pc);

    if (!pages)
        return 0;
    if (pc->cfg.vgabios)
        pc->vga_rom = xzalloc_array(pc->cfg.arena, uint8_t, VGA_ROM_SIZE);
    if (pc->cfg.vgabios && !pc->vga_rom)
        return -ENOMEM;
    if (pc->vga_rom)
        memcpy(pc->vga_rom, pc->cfg.vgabios, pc->cfg.vgabios_size < VGA_ROM_SIZE ? pc->cfg.vgabios_size : VGA_ROM_SIZE);
    pc->cfg.vgabios = NULL;
    for (size_t i = 0; i < pages; i++) {
        if (!pc->cfg.state)
            pc->vga_page[i].gfn = pc->cfg.vga_gfn + i;
        pc->vga_page[i].bytes = pc->board->ops->frame(pc->board, pc->vga_page[i].gfn);
        if (!pc->vga_page[i].bytes && pc->cfg.state)
            state_refuse(pc->cfg.state, "there is no memory of the guest's where the screen's was");
        if (!pc->vga_page[i].bytes)
            return -ENOMEM;
    }
    if (!vga_init(&pc->vga, pc->board, &pc->pci, VGA_DEVFN, pc->cfg.vga_mib, pc->vga_rom, &vga_memory, pc))
        return -ENOSPC;
    if (pc->cfg.outside.screen_out) {
        transcript_init(&pc->transcript, pc->board, &pc->vga, screen_out, pc);
        pc->vga.touched = screen_touched;
        pc->vga.touched_data = pc;
    }
    return 0;
}

/* --- network cards --- */

void pc_nic_arrived(struct pc *pc)
{
    if (!pc->nics.due)
        pc->board->ops->timer(pc->board, &pc->nics, pc->board->ops->now(pc->board));
}

static void nics_ready(void *dev)
{
    struct pc *pc = dev;

    for (unsigned int i = 0; i < pc->cfg.nr_nics; i++)
        pc->cfg.outside.nic_ready(pc->cfg.outside.data, i);
}

bool pc_nic_room(struct pc *pc, unsigned int nic) { return rtl8139_room(&pc->nic[nic].card); }

void pc_nic_receive(struct pc *pc, unsigned int nic, const uint8_t *frame, size_t len)
{
    rtl8139_receive(&pc->nic[nic].card, frame, len);
}

bool pc_nics_unplugged(const struct pc *pc) { return pc->unplugged & PLATFORM_UNPLUG_NICS; }

static void nic_send(void *data, const struct rtl8139_frame *f)
{
    struct pc_nic *nic = data;

    nic->pc->cfg.outside.nic_send(nic->pc->cfg.outside.data, (unsigned int)(nic - nic->pc->nic), f);
}

static void nic_room(void *data) { pc_nic_arrived(((struct pc_nic *)data)->pc); }

static const struct rtl8139_ops nic_ops = { .send = nic_send, .room = nic_room };

static int nics_init(struct pc *pc)
{
    const size_t size = pc->cfg.nic_rom_size < RTL8139_ROM_SIZE ? pc->cfg.nic_rom_size : RTL8139_ROM_SIZE;

    if (pc->cfg.nic_rom && pc->cfg.nr_nics) {
        pc->nic_rom = xzalloc_array(pc->cfg.arena, uint8_t, RTL8139_ROM_SIZE);
        if (!pc->nic_rom)
            return -ENOMEM;
        memcpy(pc->nic_rom, pc->cfg.nic_rom, size);
    }
    pc->cfg.nic_rom = NULL;
    pc->nics = (struct dm_timer){ .fn = nics_ready, .dev = pc };
    for (unsigned int i = 0; i < pc->cfg.nr_nics; i++) {
        pc->nic[i].pc = pc;
        rtl8139_init(&pc->nic[i].card, &pc->pci, (uint8_t)NIC_DEVFN(i), pc->cfg.nic[i], pc->nic_rom, &nic_ops,
                     &pc->nic[i]);
    }
    return 0;
}

/* --- the platform device --- */

static void unplug(void *data, unsigned int what)
{
    struct pc *pc = data;

    for (unsigned int i = 0; i < pc->cfg.nr_nics && what & PLATFORM_UNPLUG_NICS && !pc_nics_unplugged(pc); i++)
        rtl8139_unplug(&pc->nic[i].card);
    pc->unplugged |= what;
    if (what & (PLATFORM_UNPLUG_IDE | PLATFORM_UNPLUG_AUX_IDE))
        ide_unplug_disks(&pc->ide, !(what & PLATFORM_UNPLUG_IDE));
}

static void platform_log(void *data, const char *line)
{
    const struct pc *pc = data;

    if (pc->cfg.outside.log)
        pc->cfg.outside.log(pc->cfg.outside.data, line);
}

static const struct platform_ops platform_ops = { .unplug = unplug, .log = platform_log };

void pc_save(struct pc *pc, struct dm_state *s)
{
    discs_change(pc);
    pc_own_state(pc, s);
    pc_devices_state(pc, s);
}

/* --- all of it --- */

static void reset(void *owner)
{
    struct pc *pc = owner;

    pc->board->ops->reset(pc->board);
}

static const struct ps2_ops ps2_ops = { .reset = reset, .ready = ps2_ready };

static void devices_init(struct pc *pc)
{
    const struct pc_config *cfg = &pc->cfg;
    struct dm_board *board = pc->board;

    pci_bus_init(&pc->pci, board);
    dm_region_init(&pc->config_address, &cf8_ops, pc, DM_PORT, 0xcf8, 4);
    board->ops->region(board, &pc->config_address);
    cmos_init(&pc->cmos, board, cfg->mem_below, cfg->mem_above, cfg->boot);
    piix_init(&pc->piix, &pc->pci);
    ide_init(&pc->ide, &pc->pci, IDE_DEVFN);
    for (unsigned int i = 0; i < PC_DRIVES; i++)
        if (cfg->drive[i].kind != IDE_NONE)
            ide_attach(&pc->ide, i / 2, i % 2, cfg->drive[i].kind, cfg->drive[i].disk);
    if (cfg->platform)
        platform_init(&pc->platform, &pc->pci, PLATFORM_DEVFN, &platform_ops, pc);
    ps2_init(&pc->ps2, board, &ps2_ops, pc);
    pc->typist = (struct dm_timer){ .fn = ps2_ready, .dev = pc };
    serial_init(pc);
}

int pc_init(struct pc *pc, struct dm_board *board, const struct pc_config *cfg)
{
    int rc;

    *pc = (struct pc){ .board = board, .cfg = *cfg };
    if (cfg->vga_mib)
        pc->vga_page = xzalloc_array(cfg->arena, struct pc_vga_page, pc_vga_pages(pc));
    if (cfg->vga_mib && !pc->vga_page)
        return -ENOMEM;
    if (cfg->state)
        pc_own_state(pc, cfg->state);
    if (cfg->state && state_error(cfg->state))
        return -EINVAL;
    devices_init(pc);
    rc = nics_init(pc) ?: screen_init(pc);
    if (!rc && cfg->state) {
        pc_devices_state(pc, cfg->state);
        rc = state_error(cfg->state) ? -EINVAL : 0;
    }
    pc->cfg.state = NULL;
    return rc;
}

void pc_end(struct pc *pc)
{
    if (pc->vga.touched && !pc->goes_on)
        transcript_end(&pc->transcript);
    xfree(pc->vga_page);
    xfree(pc->vga_rom);
    xfree(pc->nic_rom);
}
