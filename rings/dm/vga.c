// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The registers of a screen: the standard VGA's, and Bochs's extension.
 *
 * Concept: five small devices behind pairs of ports, an index and the register of that index:
 *
 *      0x3c4, 5      sequencer              which planes can be written, and how they are chained
 *      0x3ce, f      graphics controller    what becomes of a byte on its way to and from the planes
 *      0x3d4, 5      CRTC (0x3b4, 5 if the miscellaneous register's bit 0 says monochrome)    size, start, cursor
 *      0x3c0, 1      attributes             16 colours; index and data by turns at 0x3c0, reading 0x3da begins anew
 *      0x3c6 to 9    DAC                    256 colours, three bytes each, one after the other
 *      0x1ce, f      Bochs's extension      any size, 4 to 32 bits a pixel, the memory as it lies
 *
 * On the PCI bus it is what QEMU calls "std": 1234:1111, with its memory at BAR 0, the extension's registers and the
 * ports at BAR 2, and a BIOS at the ROM's.
 *
 * Nothing here draws: whoever wants to see a picture has it made of registers and memory (vga_picture.c).
 *
 * Invariants: values of the extension that could not be are made ones that can, when they are written; what lies beyond
 * the memory's end is not there.
 *
 * Budget: more than 400 lines, since all its registers are here, and what is kept of them.
 *
 * Sources: IBM Personal System/2 Video Subsystem Technical Reference; Bochs's VBE display interface, and QEMU's
 * docs/specs/standard-vga.txt for BAR 2.
 */
#include "rings/dm/vga.h"

#include <string.h>

#define LINE  31778 /* ns: 31.5 kHz */
#define SHOWN 25422 /* of them the picture */

#define STATUS0_SWITCH   0x10
#define STATUS1_BLANK    0x01
#define STATUS1_VERTICAL 0x08

#define CRTC_LOCK 0x80 /* of register 0x11 */

#define VBE_ID_LATEST 0xb0c5
#define VBE_X_MAX     16000
#define VBE_Y_MAX     12000

/* --- indexed registers --- */

/* Other text is about to be shown, or none. */
static void all_touched(struct vga *v)
{
    if (v->touched && vga_text_rows(v))
        v->touched(v->touched_data, VGA_ALL);
}

static void crtc_write(struct vga *v, uint8_t val)
{
    const uint8_t i = v->crtc_index;

    if (i <= 7 && (v->crtc[0x11] & CRTC_LOCK)) {
        if (i == 7)
            v->crtc[7] = (uint8_t)((v->crtc[7] & ~0x10) | (val & 0x10));
        return;
    }
    if (i > 0x18 || v->crtc[i] == val)
        return;
    if ((i == 0x0c || i == 0x0d) && !v->start_moves)
        all_touched(v);
    v->start_moves = i == 0x0c;
    v->crtc[i] = val;
}

static void seq_write(struct vga *v, uint8_t val)
{
    static const uint8_t mask[8] = { 0x03, 0x3d, 0x0f, 0x3f, 0x0e };

    if (v->seq_index < sizeof(mask))
        v->seq[v->seq_index] = val & mask[v->seq_index];
}

static void gfx_write(struct vga *v, uint8_t val)
{
    static const uint8_t mask[16] = { 0x0f, 0x0f, 0x0f, 0x1f, 0x03, 0x7b, 0x0f, 0x0f, 0xff };

    if (v->gfx_index >= sizeof(mask))
        return;
    if (v->gfx_index == 6 && (val & 1))
        all_touched(v);
    v->gfx[v->gfx_index] = val & mask[v->gfx_index];
}

static void attr_write(struct vga *v, uint8_t val)
{
    const unsigned int i = v->attr_index & 0x1f;

    if (!v->attr_data)
        v->attr_index = val & 0x3f;
    else if (i < 16)
        v->attr[i] = val & 0x3f;
    else if (i <= 0x14)
        v->attr[i] = val;
    v->attr_data = !v->attr_data;
}

/* --- the DAC --- */

static uint8_t dac_wide(const struct vga *v) { return v->vbe[VBE_ENABLE] & VBE_8BIT_DAC ? 0xff : 0x3f; }

static void dac_put(struct vga *v, uint8_t val)
{
    v->dac_new[v->dac_at++] = val & dac_wide(v);
    if (v->dac_at < 3)
        return;
    memcpy(&v->dac[3 * v->dac_write++], v->dac_new, 3);
    v->dac_at = 0;
}

static uint8_t dac_get(struct vga *v)
{
    const uint8_t val = v->dac[3 * v->dac_read + v->dac_at++];

    if (v->dac_at == 3) {
        v->dac_at = 0;
        v->dac_read++;
    }
    return val;
}

/* --- where the beam is --- */

static uint8_t status1(struct vga *v)
{
    const unsigned int total = vga_vertical(v, 0x06, 0, 5) + 2, end = vga_vertical(v, 0x12, 1, 6);
    const unsigned int retrace = vga_vertical(v, 0x10, 2, 7);
    const s_time_t now = v->board->ops->now(v->board);
    const unsigned int line = (unsigned int)(now / LINE % total);

    v->attr_data = false;
    return (uint8_t)((line > end || now % LINE >= SHOWN ? STATUS1_BLANK : 0) |
                     (line >= retrace && line > end ? STATUS1_VERTICAL | STATUS1_BLANK : 0));
}

/* --- ports 0x3b0 to 0x3df --- */

static bool is_other_colour(const struct vga *v, unsigned int port)
{
    return port < 0x3c0 ? v->misc & 1 : port >= 0x3d0 && !(v->misc & 1);
}

static uint8_t port_read(struct vga *v, unsigned int port)
{
    if (is_other_colour(v, port))
        return 0xff;
    switch (port) {
    case 0x3c0: return v->attr_index;
    case 0x3c1: return v->attr[v->attr_index & 0x1f];
    case 0x3c2: return STATUS0_SWITCH;
    case 0x3c3: return 1; /* it is there */
    case 0x3c4: return v->seq_index;
    case 0x3c5: return v->seq_index < sizeof(v->seq) ? v->seq[v->seq_index] : 0;
    case 0x3c6: return v->dac_mask;
    case 0x3c7: return v->dac_state;
    case 0x3c8: return v->dac_write;
    case 0x3c9: return dac_get(v);
    case 0x3ca: return v->feature;
    case 0x3cc: return v->misc;
    case 0x3ce: return v->gfx_index;
    case 0x3cf: return v->gfx_index < sizeof(v->gfx) ? v->gfx[v->gfx_index] : 0;
    case 0x3b4:
    case 0x3d4: return v->crtc_index;
    case 0x3b5:
    case 0x3d5: return v->crtc[v->crtc_index];
    case 0x3ba:
    case 0x3da: return status1(v);
    default: return 0xff;
    }
}

static void port_write(struct vga *v, unsigned int port, uint8_t val)
{
    if (is_other_colour(v, port))
        return;
    v->changes++;
    switch (port) {
    case 0x3c0: attr_write(v, val); break;
    case 0x3c2: v->misc = val & 0xef; break;
    case 0x3c4: v->seq_index = val; break;
    case 0x3c5: seq_write(v, val); break;
    case 0x3c6: v->dac_mask = val; break;
    case 0x3c7:
        v->dac_read = val;
        v->dac_at = 0;
        v->dac_state = 3;
        break;
    case 0x3c8:
        v->dac_write = val;
        v->dac_at = 0;
        v->dac_state = 0;
        break;
    case 0x3c9: dac_put(v, val); break;
    case 0x3ce: v->gfx_index = val; break;
    case 0x3cf: gfx_write(v, val); break;
    case 0x3b4:
    case 0x3d4: v->crtc_index = val; break;
    case 0x3b5:
    case 0x3d5: crtc_write(v, val); break;
    case 0x3ba:
    case 0x3da: v->feature = val & 3; break;
    default: break;
    }
}

static uint8_t ports_read_byte(void *dev, unsigned int offset) { return port_read(dev, 0x3b0 + offset); }
static void ports_write_byte(void *dev, unsigned int offset, uint8_t val) { port_write(dev, 0x3b0 + offset, val); }

static uint64_t ports_read(void *dev, uint64_t offset, unsigned int size)
{
    return dm_read_bytes(dev, ports_read_byte, offset, size);
}

static void ports_write(void *dev, uint64_t offset, unsigned int size, uint64_t val)
{
    dm_write_bytes(dev, ports_write_byte, offset, size, val);
}

/* --- Bochs's extension --- */

static uint16_t vbe_read(const struct vga *v, unsigned int i)
{
    const bool caps = v->vbe[VBE_ENABLE] & VBE_CAPS;

    switch (i) {
    case VBE_X: return caps ? VBE_X_MAX : v->vbe[i];
    case VBE_Y: return caps ? VBE_Y_MAX : v->vbe[i];
    case VBE_BPP: return caps ? 32 : v->vbe[i];
    default: return i < VBE_NR ? v->vbe[i] : 0;
    }
}

/* A size that there can be, for what was asked. */
static void vbe_fit(struct vga *v)
{
    uint16_t *r = v->vbe;
    const unsigned int bpp = r[VBE_BPP];
    uint32_t lines;

    if (bpp != 4 && bpp != 8 && bpp != 15 && bpp != 16 && bpp != 24 && bpp != 32)
        r[VBE_BPP] = 8;
    r[VBE_X] = r[VBE_X] < 8 ? 8 : r[VBE_X] > VBE_X_MAX ? VBE_X_MAX : r[VBE_X] & 0xfff8;
    r[VBE_WIDTH] = r[VBE_WIDTH] > VBE_X_MAX ? VBE_X_MAX : r[VBE_WIDTH] & 0xfff8;
    if (r[VBE_WIDTH] < r[VBE_X])
        r[VBE_WIDTH] = r[VBE_X];
    lines = v->size / vga_vbe_line(v);
    r[VBE_HEIGHT] = (uint16_t)(lines > 0xffff ? 0xffff : lines);
    if (r[VBE_Y] > VBE_Y_MAX)
        r[VBE_Y] = VBE_Y_MAX;
    if (r[VBE_Y] > r[VBE_HEIGHT])
        r[VBE_Y] = r[VBE_HEIGHT];
    if (r[VBE_X0] > r[VBE_WIDTH] - r[VBE_X])
        r[VBE_X0] = r[VBE_WIDTH] - r[VBE_X];
    if (r[VBE_Y0] > r[VBE_HEIGHT] - r[VBE_Y])
        r[VBE_Y0] = r[VBE_HEIGHT] - r[VBE_Y];
}

static void memory_clear(struct vga *v, uint64_t bytes)
{
    static const uint8_t zeroes[PAGE_SIZE];

    if (bytes > v->size)
        bytes = v->size;
    for (uint64_t at = 0; at < bytes; at += PAGE_SIZE)
        v->memory->write(v->owner, (uint32_t)at, zeroes,
                         bytes - at < PAGE_SIZE ? (unsigned int)(bytes - at) : (unsigned int)PAGE_SIZE);
}

static void vbe_enable(struct vga *v, uint16_t val)
{
    const bool was = vga_vbe_on(v);

    if (!was && (val & VBE_ENABLED))
        all_touched(v);
    v->vbe[VBE_ENABLE] = val & (VBE_ENABLED | VBE_CAPS | VBE_8BIT_DAC | VBE_LINEAR | VBE_KEEP);
    if (was || !(val & VBE_ENABLED))
        return;
    v->vbe[VBE_WIDTH] = v->vbe[VBE_X];
    v->vbe[VBE_X0] = v->vbe[VBE_Y0] = v->vbe[VBE_BANK] = 0;
    vbe_fit(v);
    if (!(val & VBE_KEEP))
        memory_clear(v, (uint64_t)vga_vbe_line(v) * v->vbe[VBE_Y]);
}

static void vbe_write(struct vga *v, unsigned int i, uint16_t val)
{
    v->changes++;
    switch (i) {
    case VBE_ID: /* which of its versions the guest would like */
        if (val >= 0xb0c0 && val <= VBE_ID_LATEST)
            v->vbe[i] = val;
        return;
    case VBE_ENABLE: vbe_enable(v, val); return;
    case VBE_BANK: v->vbe[i] = val & (uint16_t)((v->size >> 16) - 1); return;
    case VBE_X:
    case VBE_Y:
    case VBE_BPP:
    case VBE_WIDTH:
    case VBE_X0:
    case VBE_Y0:
        v->vbe[i] = val;
        if (vga_vbe_on(v))
            vbe_fit(v);
        return;
    default: return;
    }
}

/* The index at 0, the register at 1, and again at 2, where it is aligned. */
static uint64_t dispi_read(void *dev, uint64_t offset, unsigned int size)
{
    const struct vga *v = dev;

    return offset ? vbe_read(v, v->vbe_index) : v->vbe_index;
}

static void dispi_write(void *dev, uint64_t offset, unsigned int size, uint64_t val)
{
    struct vga *v = dev;

    if (!offset)
        v->vbe_index = (uint16_t)val;
    else
        vbe_write(v, v->vbe_index, (uint16_t)val);
}

/* --- BAR 2: 0x400 the ports from 0x3c0 on, 0x500 Bochs's registers, 0x600 the order of bytes --- */

static uint64_t mmio_read(void *dev, uint64_t offset, unsigned int size)
{
    const struct vga *v = dev;

    if (offset >= 0x400 && offset + size <= 0x420)
        return dm_read_bytes(dev, ports_read_byte, offset - 0x400 + 0x10, size);
    if (offset >= 0x500 && offset < 0x500 + 2 * VBE_NR)
        return (uint64_t)vbe_read(v, (unsigned int)(offset - 0x500) / 2) >> 8 * (offset & 1);
    if (offset == 0x600)
        return 8;
    return offset == 0x604 ? 0x1e1e1e1e : 0; /* the lowest first */
}

static void mmio_write(void *dev, uint64_t offset, unsigned int size, uint64_t val)
{
    if (offset >= 0x400 && offset + size <= 0x420)
        dm_write_bytes(dev, ports_write_byte, offset - 0x400 + 0x10, size, val);
    else if (offset >= 0x500 && offset < 0x500 + 2 * VBE_NR && !(offset & 1))
        vbe_write(dev, (unsigned int)(offset - 0x500) / 2, (uint16_t)val);
}

/* --- the ROM --- */

static uint64_t rom_read(void *dev, uint64_t offset, unsigned int size)
{
    const struct vga *v = dev;
    uint64_t val = 0;

    memcpy(&val, v->rom + offset, size);
    return val;
}

static void rom_write(void *dev, uint64_t offset, unsigned int size, uint64_t val) {}

/* --- its life --- */

/* BAR 0 may have moved. */
static void config_written(void *dev, unsigned int reg, unsigned int size)
{
    struct vga *v = dev;
    const struct dm_region *r = &v->pci.bar[0].region;

    if (r->present == v->was_present && (!r->present || r->base == v->was_at))
        return;
    v->was_present = r->present;
    v->was_at = r->base;
    v->memory->place(v->owner, r->present, r->base);
}

bool vga_init(struct vga *v, struct dm_board *board, struct pci_bus *bus, uint8_t devfn, unsigned int mib,
              const uint8_t *rom, const struct vga_memory_ops *memory, void *owner)
{
    static const struct dm_region_ops ports = { .read = ports_read, .write = ports_write };
    static const struct dm_region_ops dispi = { .read = dispi_read, .write = dispi_write };
    static const struct dm_region_ops mmio = { .read = mmio_read, .write = mmio_write };
    static const struct dm_region_ops rom_ops = { .read = rom_read, .write = rom_write };

    *v = (struct vga){ .board = board,
                       .memory = memory,
                       .owner = owner,
                       .size = mib << 20,
                       .rom = rom,
                       .misc = 1,
                       .dac_mask = 0xff,
                       .vbe = { [VBE_ID] = VBE_ID_LATEST, [VBE_64K] = (uint16_t)(mib << 4) } };
    pci_device_init(&v->pci, devfn, 0x1234, 0x1111, 0x030000, v);
    v->pci.written = config_written;
    pci_bar_init(&v->pci, 0, DM_MEMORY, v->size, &vga_linear_ops, v);
    v->pci.bar[0].prefetchable = true;
    pci_bar_init(&v->pci, 2, DM_MEMORY, PAGE_SIZE, &mmio, v);
    if (rom)
        pci_bar_init(&v->pci, PCI_BAR_ROM, DM_MEMORY, VGA_ROM_SIZE, &rom_ops, v);
    if (!pci_add(bus, &v->pci))
        return false;
    dm_region_init(&v->ports, &ports, v, DM_PORT, 0x3b0, 0x30);
    dm_region_init(&v->dispi, &dispi, v, DM_PORT, 0x1ce, 4);
    dm_region_init(&v->window, &vga_window_ops, v, DM_MEMORY, 0xa0000, 0x20000);
    board->ops->region(board, &v->ports);
    board->ops->region(board, &v->dispi);
    board->ops->region(board, &v->window);
    return true;
}

/* --- as bytes --- */

static void ports_state(struct vga *v, struct dm_state *s)
{
    STATE(s, v->misc);
    STATE_MAX(s, v->feature, 3);
    STATE(s, v->seq_index);
    STATE_BYTES(s, v->seq);
    STATE(s, v->gfx_index);
    STATE_BYTES(s, v->gfx);
    STATE(s, v->crtc_index);
    STATE_BYTES(s, v->crtc);
    STATE_BOOL(s, v->start_moves);
    STATE_MAX(s, v->attr_index, 0x3f);
    STATE_BYTES(s, v->attr);
    STATE_BOOL(s, v->attr_data);
    STATE(s, v->dac_mask);
    STATE(s, v->dac_state);
    STATE(s, v->dac_read);
    STATE(s, v->dac_write);
    STATE_MAX(s, v->dac_at, 2);
    STATE_BYTES(s, v->dac);
    STATE_BYTES(s, v->dac_new);
    STATE_BYTES(s, v->latch);
}

/* Values that can be are those that fitting them leaves as they are. */
static void vbe_state(struct vga *v, struct dm_state *s)
{
    const uint16_t size = v->vbe[VBE_64K];
    struct vga fit;

    STATE(s, v->vbe_index);
    for (unsigned int i = 0; i < VBE_NR; i++)
        STATE(s, v->vbe[i]);
    if (!state_loaded(s))
        return;
    fit = *v;
    if (vga_vbe_on(v))
        vbe_fit(&fit);
    if (memcmp(fit.vbe, v->vbe, sizeof(fit.vbe)) != 0 || v->vbe[VBE_64K] != size ||
        v->vbe[VBE_BANK] > (v->size >> 16) - 1)
        state_refuse(s, "it has a mode that it cannot show");
}

void vga_state(struct vga *v, struct dm_state *s)
{
    state_begin(s, "vga", 0);
    pci_state(&v->pci, s);
    ports_state(v, s);
    vbe_state(v, s);
    STATE(s, v->changes);
    state_end(s);
    v->was_present = v->pci.bar[0].region.present;
    v->was_at = v->was_present ? v->pci.bar[0].region.base : v->was_at;
}
