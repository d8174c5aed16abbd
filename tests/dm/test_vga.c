// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The screen: its memory in all modes of writing, text, pictures of each kind, Bochs's extension; any access.
 *
 * Budget: a mode is a table of registers, and a picture many pixels to look at.
 */
#include "tests/dm/board.h"

#include "rings/dm/vga.h"

#define MIB   1
#define VRAM  (MIB << 20)
#define DEVFN 0x10
#define BAR0  0xf0000000U
#define BAR2  0xf2000000U
#define ROM   0xf3000000U

struct pc {
    struct board *b;
    struct pci_bus bus;
    struct vga v;
    uint8_t *memory; /* of exactly that size: the sanitizer sees what is beyond */
    uint8_t rom[VGA_ROM_SIZE];
    bool placed;
    uint64_t place;
};

static const uint8_t *pc_page(void *owner, uint32_t page)
{
    assert_in_range(page, 0, VRAM / PAGE_SIZE - 1);
    return ((struct pc *)owner)->memory + page * PAGE_SIZE;
}

static void pc_write(void *owner, uint32_t at, const void *bytes, unsigned int n)
{
    assert_true(n && at < VRAM && at / PAGE_SIZE == (at + n - 1) / PAGE_SIZE);
    memcpy(((struct pc *)owner)->memory + at, bytes, n);
}

static void pc_place(void *owner, bool present, uint64_t gpa)
{
    struct pc *pc = owner;

    pc->placed = present;
    pc->place = gpa;
}

static const struct vga_memory_ops memory_ops = { .page = pc_page, .write = pc_write, .place = pc_place };

static int setup(void **state)
{
    struct pc *pc = calloc(1, sizeof(*pc));

    pc->b = board_create();
    pc->memory = calloc(1, VRAM);
    pc->rom[0] = 0x55, pc->rom[1] = 0xaa, pc->rom[VGA_ROM_SIZE - 1] = 0x77;
    pci_bus_init(&pc->bus, &pc->b->dm);
    assert_true(vga_init(&pc->v, &pc->b->dm, &pc->bus, DEVFN, MIB, pc->rom, &memory_ops, pc));
    *state = pc;
    return 0;
}

static int teardown(void **state)
{
    struct pc *pc = *state;

    free(pc->memory);
    free(pc->b);
    free(pc);
    return 0;
}

/* --- the guest's BIOS --- */

static void seq(struct pc *pc, uint8_t i, uint8_t val) { outw(pc->b, 0x3c4, (uint16_t)(val << 8 | i)); }
static void gfx(struct pc *pc, uint8_t i, uint8_t val) { outw(pc->b, 0x3ce, (uint16_t)(val << 8 | i)); }
static void crtc(struct pc *pc, uint8_t i, uint8_t val) { outw(pc->b, 0x3d4, (uint16_t)(val << 8 | i)); }

static void attr(struct pc *pc, uint8_t i, uint8_t val)
{
    inb(pc->b, 0x3da);
    outb(pc->b, 0x3c0, i);
    outb(pc->b, 0x3c0, val);
}

struct mode {
    uint8_t misc, seq[5], crtc[25], gfx[9], attr10;
};

static const struct mode text_80x25 = {
    0x67,
    { 3, 0, 3, 0, 2 },
    { 0x5f, 0x4f, 0x50, 0x82, 0x55, 0x81, 0xbf, 0x1f, 0,    0x4f, 0x0d, 0x0e, 0,
      0,    0,    0,    0x9c, 0x8e, 0x8f, 0x28, 0x1f, 0x96, 0xb9, 0xa3, 0xff },
    { 0, 0, 0, 0, 0, 0x10, 0x0e, 0x0f, 0xff },
    0x0c,
};
static const struct mode mode_4 = {
    0x63,
    { 3, 9, 3, 0, 2 },
    { 0x2d, 0x27, 0x28, 0x90, 0x2b, 0x80, 0xbf, 0x1f, 0,    0xc1, 0,    0,   0,
      0,    0,    0,    0x9c, 0x8e, 0x8f, 0x14, 0,    0x96, 0xb9, 0xa2, 0xff },
    { 0, 0, 0, 0, 0, 0x30, 0x0f, 0x0f, 0xff },
    0x01,
};
static const struct mode mode_12 = {
    0xe3,
    { 3, 1, 0x0f, 0, 6 },
    { 0x5f, 0x4f, 0x50, 0x82, 0x54, 0x80, 0x0b, 0x3e, 0,    0x40, 0,    0,   0,
      0,    0,    0,    0xea, 0x8c, 0xdf, 0x28, 0,    0xe7, 0x04, 0xe3, 0xff },
    { 0, 0, 0, 0, 0, 0, 0x05, 0x0f, 0xff },
    0x01,
};
static const struct mode mode_13 = {
    0x63,
    { 3, 1, 0x0f, 0, 0x0e },
    { 0x5f, 0x4f, 0x50, 0x82, 0x54, 0x80, 0xbf, 0x1f, 0,    0x41, 0,    0,   0,
      0,    0,    0,    0x9c, 0x8e, 0x8f, 0x28, 0x40, 0x96, 0xb9, 0xa3, 0xff },
    { 0, 0, 0, 0, 0, 0x40, 0x05, 0x0f, 0xff },
    0x41,
};

/* Colours: the first 16 of the DAC are (i, 2 * i, 3 * i), so that what is shown says which it is. */
static void set_mode(struct pc *pc, const struct mode *m)
{
    outb(pc->b, 0x3c2, m->misc);
    crtc(pc, 0x11, 0);
    for (uint8_t i = 0; i < 25; i++)
        crtc(pc, i, m->crtc[i]);
    for (uint8_t i = 0; i < 5; i++)
        seq(pc, i, m->seq[i]);
    for (uint8_t i = 0; i < 9; i++)
        gfx(pc, i, m->gfx[i]);
    for (uint8_t i = 0; i < 16; i++)
        attr(pc, i, i);
    attr(pc, 0x10, m->attr10), attr(pc, 0x12, 0x0f), attr(pc, 0x13, m == &text_80x25 ? 8 : 0);
    outb(pc->b, 0x3c0, 0x20);
    outb(pc->b, 0x3c8, 0);
    for (unsigned int i = 0; i < 256; i++)
        outb(pc->b, 0x3c9, (uint8_t)(i & 63)), outb(pc->b, 0x3c9, (uint8_t)(2 * i & 63)),
            outb(pc->b, 0x3c9, (uint8_t)(3 * i & 63));
}

static void poke(struct pc *pc, uint32_t at, unsigned int size, uint64_t val)
{
    board_write(pc->b, DM_MEMORY, at, size, val);
}
static uint8_t peek(struct pc *pc, uint32_t at) { return (uint8_t)board_read(pc->b, DM_MEMORY, at, 1); }

/* Which of the DAC's 64 is that pixel? */
static unsigned int pixel(const struct pc *pc, unsigned int x, unsigned int y)
{
    uint8_t row[3 * 2048];

    vga_row(&pc->v, y, 2048, row);
    return row[3 * x] >> 2;
}

static struct vga_screen look(const struct pc *pc)
{
    struct vga_screen s;

    assert_true(vga_look(&pc->v, &s));
    return s;
}

/* --- tests --- */

static void registers(void **state)
{
    struct pc *pc = *state;
    struct board *b = pc->b;
    struct vga_screen s;

    assert_false(vga_look(&pc->v, &s));    /* nothing has been set up */
    assert_int_equal(inb(b, 0x3b4), 0xff); /* colour */
    set_mode(pc, &text_80x25);
    assert_int_equal(inb(b, 0x3cc), 0x67);
    outb(b, 0x3d4, 0x12);
    assert_int_equal(inw(b, 0x3d4), 0x8f12);
    crtc(pc, 0, 0x11), crtc(pc, 7, 0x0f), crtc(pc, 0x12, 0x90); /* 0 to 7 are locked by 0x11, but for 7's bit 4 */
    outb(b, 0x3d4, 0);
    assert_int_equal(inb(b, 0x3d5), 0x5f);
    outb(b, 0x3d4, 7);
    assert_int_equal(inb(b, 0x3d5), 0x0f);
    outb(b, 0x3d4, 0x12);
    assert_int_equal(inb(b, 0x3d5), 0x90);
    outb(b, 0x3c4, 2);
    outb(b, 0x3c5, 0xff);
    assert_int_equal(inb(b, 0x3c5), 0x0f);
    outb(b, 0x3c4, 0xff), outb(b, 0x3c5, 1), outb(b, 0x3ce, 0xff), outb(b, 0x3cf, 1), outb(b, 0x3d4, 0xff);
    assert_int_equal(inb(b, 0x3c5) | inb(b, 0x3cf) | inb(b, 0x3d5), 0);
    attr(pc, 0x25, 0x3c);
    inb(b, 0x3da);
    outb(b, 0x3c0, 0x25);
    assert_int_equal(inb(b, 0x3c1), 0x3c);
    assert_int_equal(inb(b, 0x3c0), 0x25);
    outb(b, 0x3c7, 3);
    assert_int_equal(inb(b, 0x3c7), 3);
    for (unsigned int i = 9; i <= 12; i++)
        assert_int_equal(inb(b, 0x3c9), i == 9 ? 3 : i == 10 ? 6 : i == 11 ? 9 : 4);
    outb(b, 0x3c8, 255);
    for (unsigned int i = 0; i < 6; i++)
        outb(b, 0x3c9, (uint8_t)(0xc1 + i));
    assert_int_equal(inb(b, 0x3c8), 1);
    outb(b, 0x3c7, 255);
    for (unsigned int i = 0; i < 6; i++)
        assert_int_equal(inb(b, 0x3c9), 1 + i);
    outb(b, 0x3c2, 0x66);
    assert_int_equal(inb(b, 0x3d4), 0xff);
    outb(b, 0x3b4, 0x12);
    assert_int_equal(inb(b, 0x3b5), 0x90);
}

static void the_beam(void **state)
{
    struct pc *pc = *state;
    unsigned int frames = 0, vertical = 0, blank = 0;
    bool was = true;

    set_mode(pc, &text_80x25);
    for (unsigned int i = 0; i < 100000; i++) { /* a tenth of a second */
        const uint8_t status = inb(pc->b, 0x3da);

        frames += (status & 8) && !was;
        was = status & 8;
        vertical += (status & 8) != 0;
        blank += status & 1;
        assert_true(!(status & 8) || (status & 1));
        pass(pc->b, MICROSECS(1));
    }
    assert_int_equal(frames, 7); /* 70 Hz */
    assert_in_range(vertical, 7000, 9000);
    assert_in_range(blank, 25000, 32000);
}

static void text(void **state)
{
    struct pc *pc = *state;
    struct vga_screen s;

    set_mode(pc, &text_80x25);
    s = look(pc);
    assert_true(s.text && s.columns == 80 && s.rows == 25 && s.width == 720 && s.height == 400);
    assert_true(s.cursor && !s.cursor_x && !s.cursor_y);
    poke(pc, 0xb8000, 2, 0x1f41);
    poke(pc, 0xb8000 + 2 * (24 * 80 + 79), 2, 0x07c4);
    poke(pc, 0xb8000 + 2 * 80, 8, 0x0742074307440745);
    assert_int_equal(vga_cell(&pc->v, 0, 0), 0x1f41);
    assert_int_equal(vga_cell(&pc->v, 79, 24), 0x07c4);
    assert_int_equal(vga_cell(&pc->v, 3, 1), 0x0742);
    assert_int_equal(board_read(pc->b, DM_MEMORY, 0xb8000, 2), 0x1f41);
    poke(pc, 0xa0000, 1, 1); /* not where the window is */
    assert_int_equal(peek(pc, 0xa0000), 0xff);
    assert_int_equal(peek(pc, 0xb0000), 0xff);

    /* A font is written to plane 2: 'A' has its first line set but one dot, 0xc4 a line to the end. */
    seq(pc, 2, 4), seq(pc, 4, 7), gfx(pc, 5, 0), gfx(pc, 6, 4);
    poke(pc, 0xa0000 + 32 * 'A', 1, 0xfe), poke(pc, 0xa0000 + 32 * 0xc4, 1, 0xff);
    seq(pc, 2, 3), seq(pc, 4, 2), gfx(pc, 5, 0x10), gfx(pc, 6, 0x0e);
    assert_int_equal(vga_cell(&pc->v, 0, 0), 0x1f41);
    assert_int_equal(pixel(pc, 0, 0), 15);
    assert_int_equal(pixel(pc, 6, 0), 15);
    assert_int_equal(pixel(pc, 7, 0), 1);
    assert_int_equal(pixel(pc, 8, 0), 1); /* the ninth dot */
    assert_int_equal(pixel(pc, 0, 1), 1);
    assert_int_equal(pixel(pc, 719, 24 * 16), 7); /* of a line, it goes on */
    assert_int_equal(pixel(pc, 0, 13), 15);       /* the cursor */
    assert_int_equal(pixel(pc, 8, 14), 15);
    assert_int_equal(pixel(pc, 0, 15), 1);
    crtc(pc, 0x0a, 0x2d);
    assert_int_equal(pixel(pc, 0, 13), 1);
    assert_false(look(pc).cursor);

    /* Scrolled by a row; the cursor moves with the text. */
    crtc(pc, 0x0a, 0x0d), crtc(pc, 0x0d, 80), crtc(pc, 0x0f, 83);
    assert_int_equal(vga_cell(&pc->v, 3, 0), 0x0742);
    s = look(pc);
    assert_true(s.cursor && s.cursor_x == 3 && s.cursor_y == 0);
    crtc(pc, 0x0f, 79); /* above */
    assert_false(look(pc).cursor);
    /* The end of the memory is followed by its beginning. */
    crtc(pc, 0x0c, 0xff), crtc(pc, 0x0d, 0xff);
    assert_int_equal(vga_cell(&pc->v, 1, 0), 0x1f41);
    crtc(pc, 0x0c, 0), crtc(pc, 0x0d, 0);
    attr(pc, 0x10, 4); /* bright grounds */
    poke(pc, 0xb8000, 2, 0xf020);
    outb(pc->b, 0x3c0, 0x20);
    assert_int_equal(pixel(pc, 0, 1), 15);
    seq(pc, 1, 0x21);
    assert_false(vga_look(&pc->v, &s));
    seq(pc, 1, 0x01);
    assert_int_equal(look(pc).width, 640);
}

/* Two lines of the status that stay, as games have them: below the split it is the memory's beginning. */
static void split(void **state)
{
    struct pc *pc = *state;

    set_mode(pc, &mode_13);
    poke(pc, 0xa0000, 1, 11), poke(pc, 0xa0000 + 320 * 10, 1, 12);
    crtc(pc, 0x0d, 80 * 10 % 256), crtc(pc, 0x0c, 80 * 10 / 256);
    crtc(pc, 0x11, 0), crtc(pc, 7, 0x0f), crtc(pc, 9, 0x01), crtc(pc, 0x18, 199);
    assert_int_equal(pixel(pc, 0, 0), 12);
    assert_int_equal(pixel(pc, 0, 99), 0);
    assert_int_equal(pixel(pc, 0, 100), 11);
    attr(pc, 0x13, 2); /* shifted by a pixel */
    outb(pc->b, 0x3c0, 0x20);
    poke(pc, 0xa0000 + 320 * 10 + 1, 1, 13);
    assert_int_equal(pixel(pc, 0, 0), 13);
    assert_int_equal(pixel(pc, 0, 100), 0);
    attr(pc, 0x10, 0x61);
    outb(pc->b, 0x3c0, 0x20);
    assert_int_equal(pixel(pc, 0, 100), 11);
}

static void planes(void **state)
{
    struct pc *pc = *state;
    const uint32_t at = 0xa0000 + 80;

    set_mode(pc, &mode_12);
    assert_int_equal(look(pc).width, 640);
    assert_int_equal(look(pc).height, 480);
    gfx(pc, 0, 0x0a), gfx(pc, 1, 0x0f), gfx(pc, 8, 0xf0); /* mode 0, set/reset: four pixels of colour 10 */
    poke(pc, at, 1, 0);
    assert_int_equal(pixel(pc, 3, 1), 10);
    assert_int_equal(pixel(pc, 4, 1), 0);
    gfx(pc, 1, 0), gfx(pc, 8, 0xff), gfx(pc, 3, 1);
    seq(pc, 2, 4); /* plane 2 alone, rotated by one */
    poke(pc, at, 1, 0x02);
    assert_int_equal(pixel(pc, 7, 1), 4);
    assert_int_equal(pixel(pc, 0, 1), 10);
    seq(pc, 2, 15), gfx(pc, 3, 0), gfx(pc, 5, 2); /* mode 2: the byte is a colour, xor what was */
    gfx(pc, 3, 0x18), gfx(pc, 8, 0x81);
    peek(pc, at);
    poke(pc, at, 1, 0x0f);
    assert_int_equal(pixel(pc, 0, 1), 5);
    assert_int_equal(pixel(pc, 1, 1), 10);
    assert_int_equal(pixel(pc, 7, 1), 11);
    gfx(pc, 3, 0x08), peek(pc, at), poke(pc, at, 1, 0x03); /* and */
    assert_int_equal(pixel(pc, 0, 1), 1);
    gfx(pc, 3, 0x10), peek(pc, at), poke(pc, at, 1, 0x06); /* or */
    assert_int_equal(pixel(pc, 0, 1), 7);
    gfx(pc, 3, 0), gfx(pc, 5, 3), gfx(pc, 0, 9), gfx(pc, 8, 0x7f); /* mode 3: the byte is a mask */
    peek(pc, at);
    poke(pc, at, 1, 0xc0);
    assert_int_equal(pixel(pc, 0, 1), 7);
    assert_int_equal(pixel(pc, 1, 1), 9);
    assert_int_equal(pixel(pc, 2, 1), 10);
    gfx(pc, 5, 1), gfx(pc, 8, 0); /* mode 1: copied */
    peek(pc, at);
    poke(pc, at + 80, 1, 0x55);
    for (unsigned int x = 0; x < 8; x++)
        assert_int_equal(pixel(pc, x, 2), pixel(pc, x, 1));
    gfx(pc, 5, 0), gfx(pc, 4, 3);
    assert_int_equal(peek(pc, at), 0x70);          /* plane 3: 7 9 10 10 ... */
    gfx(pc, 5, 8), gfx(pc, 2, 10), gfx(pc, 7, 15); /* where is colour 10? */
    assert_int_equal(peek(pc, at), 0x30);
    gfx(pc, 7, 0); /* no plane matters */
    assert_int_equal(peek(pc, at), 0xff);
    attr(pc, 0x12, 0x07), attr(pc, 0x14, 0x05), attr(pc, 0x10, 0x81); /* three planes; bits 4 to 7 from elsewhere */
    outb(pc->b, 0x3c0, 0x20);
    assert_int_equal(pixel(pc, 1, 1), (1 | 0x10 | 0x40) & 63);
}

static void two_hundred_and_fifty_six(void **state)
{
    struct pc *pc = *state;

    set_mode(pc, &mode_13);
    assert_int_equal(look(pc).width, 320);
    assert_int_equal(look(pc).height, 200);
    poke(pc, 0xa0000 + 320 * 199 + 312, 8, 0x0807060504030201);
    for (unsigned int i = 0; i < 8; i++) {
        assert_int_equal(pixel(pc, 312 + i, 199), i + 1);
        assert_int_equal(peek(pc, 0xa0000 + 320 * 199 + 312 + i), i + 1);
    }
    outb(pc->b, 0x3c6, 0x04);
    assert_int_equal(pixel(pc, 316, 199), 4);
    assert_int_equal(pixel(pc, 312, 199), 0);
    outb(pc->b, 0x3c6, 0xff);
    /* Not chained: four pages, a plane's byte every fourth pixel. */
    seq(pc, 4, 6), crtc(pc, 0x14, 0), crtc(pc, 0x17, 0xe3);
    seq(pc, 2, 2);
    poke(pc, 0xa0000 + 80, 1, 33);
    assert_int_equal(pixel(pc, 1, 1), 33);
    assert_int_equal(pixel(pc, 0, 1), 0);
    seq(pc, 2, 15);
    poke(pc, 0xa0000 + 80, 1, 34);
    assert_int_equal(pixel(pc, 3, 1), 34);
}

static void four_colours(void **state)
{
    struct pc *pc = *state;

    set_mode(pc, &mode_4);
    assert_int_equal(look(pc).width, 320);
    assert_int_equal(look(pc).height, 200);
    poke(pc, 0xb8000, 1, 0x1b);
    poke(pc, 0xb8001, 1, 0xe4);
    poke(pc, 0xb8000 + 0x2000, 1, 0xc0); /* odd lines */
    poke(pc, 0xb8000 + 80, 1, 0x40);
    for (unsigned int x = 0; x < 8; x++)
        assert_int_equal(pixel(pc, x, 0), x < 4 ? x : 7 - x);
    assert_int_equal(pixel(pc, 0, 1), 3);
    assert_int_equal(pixel(pc, 0, 2), 1);
}

static void vbe(struct pc *pc, uint16_t i, uint16_t val)
{
    outw(pc->b, 0x1ce, i);
    outw(pc->b, 0x1cf, val);
}

static uint16_t vbe_get(struct pc *pc, uint16_t i)
{
    outw(pc->b, 0x1ce, i);
    return inw(pc->b, 0x1d0);
}

static void larger(struct pc *pc, uint16_t x, uint16_t y, uint16_t bpp)
{
    vbe(pc, VBE_ENABLE, 0), vbe(pc, VBE_X, x), vbe(pc, VBE_Y, y), vbe(pc, VBE_BPP, bpp);
    vbe(pc, VBE_ENABLE, VBE_ENABLED | VBE_LINEAR);
}

static void bars(struct pc *pc)
{
    pci_config_write(&pc->bus, DEVFN, 0x10, 4, BAR0);
    pci_config_write(&pc->bus, DEVFN, 0x18, 4, BAR2);
    pci_config_write(&pc->bus, DEVFN, 0x30, 4, ROM | 1);
    pci_config_write(&pc->bus, DEVFN, 4, 2, 3);
}

static void extension(void **state)
{
    struct pc *pc = *state;
    uint8_t rgb[3];

    bars(pc);
    set_mode(pc, &text_80x25);
    assert_int_equal(vbe_get(pc, VBE_ID), 0xb0c5);
    vbe(pc, VBE_ID, 0xb0c0), assert_int_equal(vbe_get(pc, VBE_ID), 0xb0c0);
    vbe(pc, VBE_ID, 0x1234), assert_int_equal(vbe_get(pc, VBE_ID), 0xb0c0);
    assert_int_equal(vbe_get(pc, VBE_64K), MIB * 16);
    vbe(pc, VBE_ENABLE, VBE_CAPS);
    assert_true(vbe_get(pc, VBE_X) == 16000 && vbe_get(pc, VBE_Y) == 12000 && vbe_get(pc, VBE_BPP) == 32);
    memset(pc->memory, 0x55, VRAM);
    larger(pc, 320, 200, 32);
    assert_int_equal(look(pc).width, 320);
    assert_false(look(pc).text);
    assert_int_equal(pc->memory[320 * 200 * 4 - 1], 0); /* cleared, that far */
    assert_int_equal(pc->memory[320 * 200 * 4], 0x55);
    poke(pc, BAR0 + 4 * (320 + 1), 4, 0x11223344);
    vga_row(&pc->v, 1, 1, rgb);
    assert_int_equal(rgb[2], 0);
    vbe(pc, VBE_X0, 1);
    assert_int_equal(vbe_get(pc, VBE_X0), 0); /* no wider than the screen */
    vbe(pc, VBE_WIDTH, 400);
    poke(pc, BAR0 + 4 * 401, 4, 0x11223344);
    vbe(pc, VBE_X0, 1);
    vga_row(&pc->v, 1, 1, rgb);
    assert_true(rgb[0] == 0x22 && rgb[1] == 0x33 && rgb[2] == 0x44);
    assert_int_equal(vbe_get(pc, VBE_HEIGHT), VRAM / 1600);
    vbe(pc, VBE_Y0, 0xffff);
    assert_int_equal(vbe_get(pc, VBE_Y0), VRAM / 1600 - 200);

    larger(pc, 640, 480, 16);
    vbe(pc, VBE_BANK, 1); /* 64 KiB further */
    poke(pc, 0xa0000, 2, 0xf81f);
    assert_int_equal(peek(pc, 0xa0001), 0xf8);
    assert_int_equal(peek(pc, 0xb8000), 0xff);
    vga_row(&pc->v, 0x10000 / 1280, 640, pc->rom + 4096); /* somewhere to put a row */
    assert_memory_equal(pc->rom + 4096 + 3 * (0x10000 % 1280 / 2), "\xff\x00\xff", 3);
    vbe(pc, VBE_BANK, 0xff);
    assert_int_equal(vbe_get(pc, VBE_BANK), MIB * 16 - 1);
    larger(pc, 640, 480, 15);
    poke(pc, BAR0, 2, 0x7c1f);
    vga_row(&pc->v, 0, 1, rgb);
    assert_memory_equal(rgb, "\xff\x00\xff", 3);
    larger(pc, 640, 480, 24);
    poke(pc, BAR0 + 3, 4, 0xff0a0b0c);
    vga_row(&pc->v, 0, 2, pc->rom + 4096);
    assert_memory_equal(pc->rom + 4099, "\x0a\x0b\x0c", 3);
    larger(pc, 640, 480, 8);
    poke(pc, BAR0 + 1, 1, 12);
    assert_int_equal(pixel(pc, 1, 0), 12);
    larger(pc, 800, 600, 4);
    vbe(pc, VBE_BANK, 0), seq(pc, 2, 9), seq(pc, 4, 6), gfx(pc, 5, 0), gfx(pc, 6, 5);
    poke(pc, 0xa0000 + 100, 1, 0x40);
    assert_int_equal(pixel(pc, 1, 1), 9);
    vbe(pc, VBE_ENABLE, 0);
    gfx(pc, 6, 0x0e);
    assert_true(look(pc).text);
    larger(pc, 8, 8, 8);
    vbe(pc, VBE_ENABLE, VBE_ENABLED | VBE_8BIT_DAC);
    outb(pc->b, 0x3c8, 0), outb(pc->b, 0x3c9, 0xfe), outb(pc->b, 0x3c9, 0x81), outb(pc->b, 0x3c9, 0x03);
    vga_row(&pc->v, 0, 1, rgb);
    assert_memory_equal(rgb, "\xfe\x81\x03", 3);
}

static void on_the_bus(void **state)
{
    struct pc *pc = *state;

    assert_int_equal(pci_config_read(&pc->bus, DEVFN, 0, 4), 0x11111234);
    assert_int_equal(pci_config_read(&pc->bus, DEVFN, 8, 4) >> 8, 0x030000);
    assert_int_equal(pci_config_read(&pc->bus, DEVFN, 0x10, 4), 8);
    pci_config_write(&pc->bus, DEVFN, 0x10, 4, ~0U);
    assert_int_equal(pci_config_read(&pc->bus, DEVFN, 0x10, 4), (uint32_t)-VRAM | 8);
    assert_false(pc->placed);
    bars(pc);
    assert_true(pc->placed && pc->place == BAR0);
    pci_config_write(&pc->bus, DEVFN, 0x10, 4, BAR0 + VRAM);
    assert_true(pc->placed && pc->place == BAR0 + VRAM);
    pci_config_write(&pc->bus, DEVFN, 4, 2, 1);
    assert_false(pc->placed);
    bars(pc);
    assert_int_equal(board_read(pc->b, DM_MEMORY, ROM, 2), 0xaa55);
    assert_int_equal(peek(pc, ROM + VGA_ROM_SIZE - 1), 0x77);
    poke(pc, ROM, 2, 0);
    assert_int_equal(board_read(pc->b, DM_MEMORY, ROM, 2), 0xaa55);
    poke(pc, BAR2 + 0x402, 1, 0x63); /* port 0x3c2 */
    assert_int_equal(inb(pc->b, 0x3cc), 0x63);
    assert_int_equal(peek(pc, BAR2 + 0x40c), 0x63);
    poke(pc, BAR2 + 0x502, 2, 640);
    assert_int_equal(vbe_get(pc, VBE_X), 640);
    assert_int_equal(board_read(pc->b, DM_MEMORY, BAR2 + 0x500, 2), 0xb0c5);
    assert_int_equal(peek(pc, BAR2 + 0x501), 0xb0);
    assert_int_equal(board_read(pc->b, DM_MEMORY, BAR2 + 0x604, 4), 0x1e1e1e1e);
    poke(pc, BAR0 + 4090, 8, 0x0807060504030201); /* over a page's end */
    assert_int_equal(board_read(pc->b, DM_MEMORY, BAR0 + 4090, 8), 0x0807060504030201);
    assert_int_equal(peek(pc, BAR0 + VRAM - 1), 0);
}

/* Look at all that is on the screen, whatever that may be. */
static void look_at_all(struct pc *pc)
{
    static uint8_t row[3 * 16384];
    struct vga_screen s;

    if (!vga_look(&pc->v, &s))
        return;
    assert_in_range(s.width, 4, 16000);
    assert_in_range(s.height, 1, 12000);
    for (unsigned int y = 0; y <= s.height; y += 1 + s.height / 8)
        vga_row(&pc->v, y, s.width, row);
    vga_row(&pc->v, s.height - 1, 16384, row);
    for (unsigned int y = 0; s.text && y < s.rows; y++)
        vga_cell(&pc->v, s.columns - 1, y);
}

/* Any access; sizes, starts and offsets of all kinds: pictures do not read outside. SEEDS=n tries more. */
static void noise(void **state)
{
    static const struct mode *modes[] = { &text_80x25, &mode_4, &mode_12, &mode_13 };
    static const uint16_t bpp[] = { 4, 8, 15, 16, 24, 32 };
    struct pc *pc = *state;
    const unsigned int seeds = getenv("SEEDS") ? (unsigned int)atoi(getenv("SEEDS")) : 60;

    bars(pc);
    for (unsigned int seed = 0; seed < seeds; seed++) {
        uint64_t prng = seed;

        pc->v.vbe[VBE_ENABLE] = 0;
        set_mode(pc, modes[seed % 4]);
        if (seed % 3 == 0) {
            larger(pc, (uint16_t)random_of(&prng, seed % 2 ? 65536 : 1024), (uint16_t)random_of(&prng, 65536),
                   bpp[random_of(&prng, 6)]);
            vbe(pc, VBE_WIDTH, (uint16_t)random_of(&prng, 65536));
            vbe(pc, VBE_X0, (uint16_t)random_of(&prng, 65536)), vbe(pc, VBE_Y0, (uint16_t)random_of(&prng, 65536));
            look_at_all(pc);
        }
        for (unsigned int i = 0; i < 10; i++) {
            switch (random_of(&prng, 4)) {
            case 0: crtc(pc, (uint8_t)random_of(&prng, 25), (uint8_t)random_of(&prng, 256)); break;
            case 1: gfx(pc, (uint8_t)random_of(&prng, 9), (uint8_t)random_of(&prng, 256)); break;
            case 2: seq(pc, (uint8_t)random_of(&prng, 5), (uint8_t)random_of(&prng, 256)); break;
            default: vbe(pc, (uint16_t)random_of(&prng, 12), (uint16_t)random_of(&prng, 65536));
            }
            look_at_all(pc);
        }
        board_noise(pc->b, seed, 200);
        look_at_all(pc);
        pci_config_write(&pc->bus, DEVFN, (unsigned int)random_of(&prng, 64) * 4, 4,
                         (uint32_t)random_of(&prng, UINT64_C(1) << 32));
        bars(pc);
    }
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = { T(registers),    T(the_beam),  T(text),
                                        T(split),        T(planes),    T(two_hundred_and_fifty_six),
                                        T(four_colours), T(extension), T(on_the_bus),
                                        T(noise) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
