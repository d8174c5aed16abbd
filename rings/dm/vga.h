// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A screen: the standard VGA, with Bochs's extensions for larger modes. See vga.c for its registers, vga_memory.c for
 * what the guest sees of its memory, vga_picture.c for what is on the screen.
 */
#ifndef RINGS_DM_VGA_H
#define RINGS_DM_VGA_H

#include "rings/dm/pci.h"

#define VGA_ALL      ~0u
#define VGA_ROM_SIZE 0x10000

/* Where its memory lies; the guest has it at BAR 0, too. */
struct vga_memory_ops {
    /* A page of it, to be read. */
    const uint8_t *(*page)(void *owner, uint32_t page);
    /* Within a page. */
    void (*write)(void *owner, uint32_t at, const void *bytes, unsigned int n);
    /* BAR 0 is there now, or not. */
    void (*place)(void *owner, bool present, uint64_t gpa);
};

/* Registers of Bochs's extension. */
enum vga_vbe {
    VBE_ID,
    VBE_X,
    VBE_Y,
    VBE_BPP,
    VBE_ENABLE,
    VBE_BANK,
    VBE_WIDTH,
    VBE_HEIGHT,
    VBE_X0,
    VBE_Y0,
    VBE_64K,
    VBE_NR
};

#define VBE_ENABLED  0x01
#define VBE_CAPS     0x02 /* reading X, Y, BPP: the most that there can be */
#define VBE_8BIT_DAC 0x20
#define VBE_LINEAR   0x40
#define VBE_KEEP     0x80 /* do not clear the memory */

struct vga {
    struct dm_board *board;
    const struct vga_memory_ops *memory;
    void *owner;
    uint32_t size;      /* bytes of memory: a power of two */
    const uint8_t *rom; /* its BIOS, VGA_ROM_SIZE; NULL: none */
    struct dm_region ports, window, dispi;
    struct pci_device pci;
    bool was_present; /* BAR 0, as the owner knows it */
    uint64_t was_at;

    uint8_t misc, feature;
    uint8_t seq_index, seq[8], gfx_index, gfx[16], crtc_index, crtc[256];
    bool start_moves; /* the upper half of the start address is new: until the lower one is, what is shown is none */
    uint8_t attr_index, attr[32]; /* the index's bit 5: the screen is on */
    bool attr_data;               /* what is written to 0x3c0 next is data */
    uint8_t dac_mask, dac_state, dac_read, dac_write, dac_at, dac[768], dac_new[3];
    uint8_t latch[4];
    uint16_t vbe_index, vbe[VBE_NR];
    uint64_t changes; /* of anything, through here */
    /* A cell of this row of the text that is shown is about to change, or (VGA_ALL) all of it; NULL: nobody asks. */
    void (*touched)(void *data, unsigned int row);
    void *touched_data;
};

/* False: there is no place on the bus. mib: a power of two, 1 to 256. */
bool vga_init(struct vga *v, struct dm_board *board, struct pci_bus *bus, uint8_t devfn, unsigned int mib,
              const uint8_t *rom, const struct vga_memory_ops *memory, void *owner);

/* Its registers; its memory are pages of the guest's, which the owner has where they were before. */
void vga_state(struct vga *v, struct dm_state *s);

/* --- for who looks: nothing changes by it --- */

struct vga_screen {
    unsigned int width, height; /* pixels */
    unsigned int bits;          /* of a pixel, as the mode has them: 2 to 32; of text, of its colours */
    bool text;
    unsigned int columns, rows; /* of text */
    bool bright_grounds;        /* bit 7 of an attribute is the ground's; else it blinks */
    bool cursor;                /* it is shown, and where */
    unsigned int cursor_x, cursor_y;
};

/* False: it is off, or nothing has been set up. */
bool vga_look(const struct vga *v, struct vga_screen *s);
/* The character of a cell, and above it its attribute: 7 blinking or bright ground, 6..4 ground, 3..0 colour. */
uint16_t vga_cell(const struct vga *v, unsigned int x, unsigned int y);
/* One of the 16 colours of text: red, green, blue. */
void vga_colour(const struct vga *v, unsigned int index, uint8_t rgb[3]);
/* Of a row's pixels the first, no more than there are, three bytes each: red, green, blue. */
void vga_row(const struct vga *v, unsigned int y, unsigned int width, uint8_t *rgb);

/* --- between its parts --- */

/* The four planes' bytes of an address; 0 where there is none. */
static inline void vga_planes(const struct vga *v, uint32_t at, uint8_t planes[4])
{
    const uint64_t first = (uint64_t)at * 4;
    const uint8_t *page = first < v->size ? v->memory->page(v->owner, (uint32_t)PFN_DOWN(first)) : NULL;

    for (unsigned int p = 0; p < 4; p++)
        planes[p] = page ? page[PAGE_OFFSET(first) + p] : 0;
}
/* The first count of the picture, and how many there are from a row to the next. */
static inline unsigned int vga_start(const struct vga *v) { return (unsigned int)v->crtc[0x0c] << 8 | v->crtc[0x0d]; }
static inline unsigned int vga_pitch(const struct vga *v) { return 2U * v->crtc[0x13]; }
unsigned int vga_text_rows(const struct vga *v); /* 0: it is no text */
extern const struct dm_region_ops vga_window_ops, vga_linear_ops;
static inline bool vga_vbe_on(const struct vga *v) { return v->vbe[VBE_ENABLE] & VBE_ENABLED; }
/* With the extension on, bytes from a row to the next. */
static inline uint32_t vga_vbe_line(const struct vga *v)
{
    const unsigned int bpp = v->vbe[VBE_BPP];

    return v->vbe[VBE_WIDTH] * (bpp == 15 ? 16U : bpp) / 8;
}
/* A number of lines, whose bits 8 and 9 are elsewhere. */
static inline unsigned int vga_vertical(const struct vga *v, unsigned int low, unsigned int bit8, unsigned int bit9)
{
    const unsigned int overflow = v->crtc[0x07];

    return v->crtc[low] | (overflow >> bit8 & 1) << 8 | (overflow >> bit9 & 1) << 9;
}

#endif
