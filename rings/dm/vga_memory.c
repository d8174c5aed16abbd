// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the guest sees of the screen's memory.
 *
 * Concept: the memory is four planes, side by side: byte `plane` of the 32 bits at an address. At 0xa0000 to 0xbffff is
 * a window, which has one byte an address; registers say which planes that byte is of, and what becomes of it:
 *
 *                  chain 4: plane = address & 3     odd/even: plane = address & 1     else: all, the map mask's
 *
 *      write    byte --> rotate --> set/reset --> and, or, xor with latches --> bit mask --> planes of the map mask
 *                        modes 0, 3    0, 2, 3            0, 2, 3                0, 2, 3      (1: latches as they are)
 *      read     planes --> latches --> the plane chosen (mode 0), or where the colour is the same (mode 1)
 *
 * With Bochs's extension on the window is 64 KiB of the memory as it lies, and BAR 0 has all of it always.
 *
 * Source: IBM Personal System/2 Video Subsystem Technical Reference, graphics controller and sequencer.
 */
#include "rings/dm/vga.h"

#include <string.h>

#define GFX_SET     0
#define GFX_SETTING 1
#define GFX_COMPARE 2
#define GFX_ROTATE  3
#define GFX_PLANE   4
#define GFX_MODE    5
#define GFX_MISC    6
#define GFX_CARE    7
#define GFX_BITS    8

#define SEQ_MASK 2
#define SEQ_MODE 4

static void bytes_read(const struct vga *v, uint64_t at, uint8_t *bytes, unsigned int n)
{
    for (unsigned int i = 0; i < n; i++) {
        const uint8_t *page = at + i < v->size ? v->memory->page(v->owner, (uint32_t)PFN_DOWN(at + i)) : NULL;

        bytes[i] = page ? page[PAGE_OFFSET(at + i)] : 0;
    }
}

static void bytes_write(struct vga *v, uint64_t at, const uint8_t *bytes, unsigned int n)
{
    const unsigned int here = PAGE_SIZE - PAGE_OFFSET(at) < n ? (unsigned int)(PAGE_SIZE - PAGE_OFFSET(at)) : n;

    v->changes++;
    if (at < v->size)
        v->memory->write(v->owner, (uint32_t)at, bytes, here);
    if (here < n && at + here < v->size)
        v->memory->write(v->owner, (uint32_t)at + here, bytes + here, n - here);
}

/* --- the window --- */

/* Where in the window is the memory? An offset, -1: not here. */
static int64_t window_offset(const struct vga *v, uint64_t at)
{
    static const uint32_t first[] = { 0, 0, 0x10000, 0x18000 }, size[] = { 0x20000, 0x10000, 0x8000, 0x8000 };
    const unsigned int map = v->gfx[GFX_MISC] >> 2 & 3;

    if (vga_vbe_on(v))
        return at < 0x10000 ? (int64_t)(at + (uint64_t)v->vbe[VBE_BANK] * 0x10000) : -1;
    if (!(v->misc & 2) || at < first[map] || at - first[map] >= size[map])
        return -1;
    return (int64_t)(at - first[map]);
}

static bool is_linear(const struct vga *v) { return vga_vbe_on(v) && v->vbe[VBE_BPP] != 4; }
static bool is_chain4(const struct vga *v) { return !vga_vbe_on(v) && (v->seq[SEQ_MODE] & 8); }

/* The planes' address for an offset: of 64 KiB each, but for modes that only Bochs's extension has. */
static uint32_t plane_address(const struct vga *v, uint64_t offset, bool odd_even)
{
    if (vga_vbe_on(v))
        return (uint32_t)offset;
    if (is_chain4(v))
        return offset & 0xfffc;
    return odd_even && (v->gfx[GFX_MISC] & 2) ? offset & 0xfffe : offset & 0xffff;
}

static uint8_t window_read_byte(struct vga *v, uint64_t offset)
{
    const bool odd_even = v->gfx[GFX_MODE] & 0x10;
    uint8_t *latch = v->latch, differ = 0;

    vga_planes(v, plane_address(v, offset, odd_even), latch);
    if (is_chain4(v))
        return latch[offset & 3];
    if (!(v->gfx[GFX_MODE] & 8))
        return latch[odd_even ? (v->gfx[GFX_PLANE] & 2) | (offset & 1) : v->gfx[GFX_PLANE] & 3];
    for (unsigned int p = 0; p < 4; p++)
        if (v->gfx[GFX_CARE] >> p & 1)
            differ |= latch[p] ^ (v->gfx[GFX_COMPARE] >> p & 1 ? 0xff : 0);
    return (uint8_t)~differ;
}

/* What a plane gets, given what it is offered. */
static uint8_t combine(const struct vga *v, uint8_t val, uint8_t latch, uint8_t bits)
{
    switch (v->gfx[GFX_ROTATE] >> 3 & 3) {
    case 1: val &= latch; break;
    case 2: val |= latch; break;
    case 3: val ^= latch; break;
    default: break;
    }
    return (uint8_t)((val & bits) | (latch & ~bits));
}

static uint8_t plane_value(const struct vga *v, unsigned int plane, uint8_t val, uint8_t rotated)
{
    const uint8_t set = v->gfx[GFX_SET] >> plane & 1 ? 0xff : 0;

    switch (v->gfx[GFX_MODE] & 3) {
    case 0: return combine(v, v->gfx[GFX_SETTING] >> plane & 1 ? set : rotated, v->latch[plane], v->gfx[GFX_BITS]);
    case 1: return v->latch[plane];
    case 2: return combine(v, val >> plane & 1 ? 0xff : 0, v->latch[plane], v->gfx[GFX_BITS]);
    default: return combine(v, set, v->latch[plane], v->gfx[GFX_BITS] & rotated);
    }
}

/* A byte of characters and attributes is written: in which row of those that are shown is it? */
static void text_touched(struct vga *v, uint32_t at)
{
    const unsigned int count = (at >> !(v->crtc[0x17] & 0x40)) - vga_start(v), pitch = vga_pitch(v);

    v->start_moves = false; /* that was all of it */
    if (pitch && (count & 0xffff) / pitch < vga_text_rows(v))
        v->touched(v->touched_data, (count & 0xffff) / pitch);
}

static void window_write_byte(struct vga *v, uint64_t offset, uint8_t val)
{
    const unsigned int rotate = v->gfx[GFX_ROTATE] & 7;
    const uint8_t rotated = (uint8_t)(val >> rotate | val << (8 - rotate));
    const bool chain4 = is_chain4(v), odd_even = !vga_vbe_on(v) && !(v->seq[SEQ_MODE] & 4);
    uint8_t mask = v->seq[SEQ_MASK], planes[4];
    const uint32_t at = plane_address(v, offset, odd_even);

    if (v->touched && !vga_vbe_on(v) && !(v->gfx[GFX_MISC] & 1) && (mask & 3))
        text_touched(v, at);
    if (chain4)
        mask &= (uint8_t)(1 << (offset & 3));
    else if (odd_even)
        mask &= offset & 1 ? 0xa : 0x5;
    vga_planes(v, at, planes);
    for (unsigned int p = 0; p < 4; p++)
        if (mask >> p & 1)
            planes[p] = plane_value(v, p, val, rotated);
    bytes_write(v, (uint64_t)at * 4, planes, 4);
}

static uint64_t window_read(void *dev, uint64_t at, unsigned int size)
{
    struct vga *v = dev;
    uint64_t val = 0;

    for (unsigned int i = 0; i < size; i++) {
        const int64_t offset = window_offset(v, at + i);
        uint8_t byte = 0xff;

        if (offset >= 0 && is_linear(v))
            bytes_read(v, (uint64_t)offset, &byte, 1);
        else if (offset >= 0)
            byte = window_read_byte(v, (uint64_t)offset);
        val |= (uint64_t)byte << 8 * i;
    }
    return val;
}

static void window_write(void *dev, uint64_t at, unsigned int size, uint64_t val)
{
    struct vga *v = dev;

    for (unsigned int i = 0; i < size; i++) {
        const int64_t offset = window_offset(v, at + i);
        const uint8_t byte = (uint8_t)(val >> 8 * i);

        if (offset >= 0 && is_linear(v))
            bytes_write(v, (uint64_t)offset, &byte, 1);
        else if (offset >= 0)
            window_write_byte(v, (uint64_t)offset, byte);
    }
}

const struct dm_region_ops vga_window_ops = { .read = window_read, .write = window_write };

/* --- BAR 0 --- */

static uint64_t linear_read(void *dev, uint64_t at, unsigned int size)
{
    uint8_t bytes[8] = { 0 };
    uint64_t val;

    bytes_read(dev, at, bytes, size);
    memcpy(&val, bytes, sizeof(val));
    return val;
}

static void linear_write(void *dev, uint64_t at, unsigned int size, uint64_t val)
{
    uint8_t bytes[8];

    memcpy(bytes, &val, sizeof(val));
    bytes_write(dev, at, bytes, size);
}

const struct dm_region_ops vga_linear_ops = { .read = linear_read, .write = linear_write };
