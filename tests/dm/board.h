// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A board for emulated devices, made up for tests: the test is the guest, and lets virtual time pass. It notes what
 * interrupt lines do, and has a little memory.
 */
#ifndef TESTS_DM_BOARD_H
#define TESTS_DM_BOARD_H

#include "rings/dm/device.h"
#include "tests/support/random.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define BOARD_MEMORY (1 << 20)
#define BOARD_FRAMES 256 /* more of it, a frame each where it is; at first from here on: */
#define BOARD_GFN    0x200000

struct board {
    struct dm_board dm; /* first */
    struct dm_region *regions;
    struct dm_timer *timers;
    s_time_t now;
    bool isa[16], intx[32][4];
    unsigned int rises[16]; /* how often each line went up */
    uint8_t link[4];
    unsigned int resets, told;
    unsigned int nr_msi;
    uint64_t msi_addr;
    uint32_t msi_data;
    uint8_t memory[BOARD_MEMORY];
    uint64_t gfn[BOARD_FRAMES];
    uint8_t frame[BOARD_FRAMES][PAGE_SIZE];
};

static struct board *board_of(struct dm_board *b) { return (struct board *)b; }

static void board_region(struct dm_board *b, struct dm_region *r)
{
    struct dm_region *at;

    for (at = board_of(b)->regions; at && at != r; at = at->next)
        ;
    if (at)
        return;
    r->next = board_of(b)->regions;
    board_of(b)->regions = r;
}

static void board_isa_irq(struct dm_board *b, unsigned int irq, bool up)
{
    assert_in_range(irq, 0, 15);
    board_of(b)->rises[irq] += up && !board_of(b)->isa[irq];
    board_of(b)->isa[irq] = up;
}

static void board_pci_intx(struct dm_board *b, unsigned int device, unsigned int intx, bool up)
{
    assert_in_range(device, 0, 31);
    assert_in_range(intx, 0, 3);
    board_of(b)->intx[device][intx] = up;
}

static void board_pci_link_route(struct dm_board *b, unsigned int link, unsigned int isa_irq)
{
    assert_in_range(link, 0, 3);
    assert_in_range(isa_irq, 0, 15);
    board_of(b)->link[link] = (uint8_t)isa_irq;
}

static void board_msi(struct dm_board *b, uint64_t addr, uint32_t data)
{
    board_of(b)->nr_msi++;
    board_of(b)->msi_addr = addr;
    board_of(b)->msi_data = data;
}

/* Its number; BOARD_FRAMES: none is there. */
static unsigned int board_frame_at(struct board *b, uint64_t gfn)
{
    unsigned int i = 0;

    while (i < BOARD_FRAMES && b->gfn[i] != gfn)
        i++;
    return i;
}

static const uint8_t *board_frame(struct dm_board *b, uint64_t gfn)
{
    const unsigned int i = board_frame_at(board_of(b), gfn);

    return i < BOARD_FRAMES ? board_of(b)->frame[i] : NULL;
}

static bool board_move(struct dm_board *b, uint64_t from, uint64_t to)
{
    const unsigned int i = board_frame_at(board_of(b), from);

    if (i == BOARD_FRAMES || to < PFN_DOWN(BOARD_MEMORY) || board_frame_at(board_of(b), to) < BOARD_FRAMES)
        return false;
    board_of(b)->gfn[i] = to;
    return true;
}

static int board_dma(struct dm_board *b, uint64_t gpa, void *to, const void *from, size_t len)
{
    const unsigned int frame = board_frame_at(board_of(b), PFN_DOWN(gpa));

    if (frame < BOARD_FRAMES && len <= PAGE_SIZE - PAGE_OFFSET(gpa)) {
        uint8_t *bytes = board_of(b)->frame[frame] + PAGE_OFFSET(gpa);

        memcpy(to ? to : bytes, to ? bytes : from, len);
        return 0;
    }
    for (size_t i = 0; i < len; i++) {
        uint8_t *byte = gpa + i < BOARD_MEMORY ? &board_of(b)->memory[gpa + i] : NULL;

        if (to)
            ((uint8_t *)to)[i] = byte ? *byte : 0xff;
        else if (byte)
            *byte = ((const uint8_t *)from)[i];
    }
    return gpa > BOARD_MEMORY || len > BOARD_MEMORY - gpa ? -EFAULT : 0;
}

static int board_dma_read(struct dm_board *b, uint64_t gpa, void *buf, size_t len)
{
    return board_dma(b, gpa, buf, NULL, len);
}

static int board_dma_write(struct dm_board *b, uint64_t gpa, const void *buf, size_t len)
{
    return board_dma(b, gpa, NULL, buf, len);
}

static void board_reset(struct dm_board *b) { board_of(b)->resets++; }

static s_time_t board_now(struct dm_board *b) { return board_of(b)->now; }

static void board_tell(struct dm_board *b, const char *what) { board_of(b)->told++; }

static void board_timer(struct dm_board *b, struct dm_timer *t, s_time_t due)
{
    struct dm_timer *at;

    for (at = board_of(b)->timers; at && at != t; at = at->next)
        ;
    if (!at) {
        t->next = board_of(b)->timers;
        board_of(b)->timers = t;
    }
    t->due = due;
}

static const struct dm_board_ops board_ops = {
    .region = board_region,
    .isa_irq = board_isa_irq,
    .pci_intx = board_pci_intx,
    .pci_link_route = board_pci_link_route,
    .msi = board_msi,
    .dma_read = board_dma_read,
    .dma_write = board_dma_write,
    .frame = board_frame,
    .move = board_move,
    .reset = board_reset,
    .now = board_now,
    .timer = board_timer,
    .tell = board_tell,
};

/* free() it. */
static struct board *board_create(void)
{
    struct board *b = calloc(1, sizeof(*b));

    b->dm.ops = &board_ops;
    b->now = SECONDS(1);
    for (unsigned int i = 0; i < BOARD_FRAMES; i++)
        b->gfn[i] = BOARD_GFN + i;
    return b;
}

/* Time passes, and alarms go off each at its own. */
static inline void pass(struct board *b, s_time_t ns)
{
    const s_time_t end = b->now + ns;

    for (;;) {
        struct dm_timer *first = NULL;

        for (struct dm_timer *t = b->timers; t; t = t->next)
            if (t->due && t->due <= end && (!first || t->due < first->due))
                first = t;
        if (!first)
            break;
        if (first->due > b->now)
            b->now = first->due;
        first->due = 0;
        first->fn(first->dev);
    }
    b->now = end;
}

static struct dm_region *board_find(struct board *b, enum dm_space space, uint64_t addr, unsigned int size)
{
    for (struct dm_region *r = b->regions; r; r = r->next)
        if (r->present && r->space == space && addr >= r->base && addr - r->base + size <= r->size)
            return r;
    return NULL;
}

/* All ones: nobody answers. */
static inline uint64_t board_read(struct board *b, enum dm_space space, uint64_t addr, unsigned int size)
{
    const struct dm_region *r = board_find(b, space, addr, size);
    const uint64_t val = r ? r->ops->read(r->dev, addr - r->base, size) : ~UINT64_C(0);

    return size == 8 ? val : val & ((UINT64_C(1) << 8 * size) - 1);
}

static inline void board_write(struct board *b, enum dm_space space, uint64_t addr, unsigned int size, uint64_t val)
{
    const struct dm_region *r = board_find(b, space, addr, size);

    if (r)
        r->ops->write(r->dev, addr - r->base, size, val);
}

static inline uint8_t inb(struct board *b, uint16_t port) { return (uint8_t)board_read(b, DM_PORT, port, 1); }
static inline uint16_t inw(struct board *b, uint16_t port) { return (uint16_t)board_read(b, DM_PORT, port, 2); }
static inline uint32_t inl(struct board *b, uint16_t port) { return (uint32_t)board_read(b, DM_PORT, port, 4); }
static inline void outb(struct board *b, uint16_t port, uint8_t val) { board_write(b, DM_PORT, port, 1, val); }
static inline void outw(struct board *b, uint16_t port, uint16_t val) { board_write(b, DM_PORT, port, 2, val); }
static inline void outl(struct board *b, uint16_t port, uint32_t val) { board_write(b, DM_PORT, port, 4, val); }

/* Accesses of any size and place in the regions that there are, and time that passes: all have an answer. */
static inline void board_noise(struct board *b, uint64_t seed, unsigned int accesses)
{
    struct dm_region *region[64];
    unsigned int nr = 0;

    for (struct dm_region *r = b->regions; r && nr < 64; r = r->next)
        region[nr++] = r;
    for (unsigned int i = 0; i < accesses; i++) {
        const struct dm_region *r = region[random_of(&seed, nr)];
        const unsigned int size = 1U << random_of(&seed, r->space == DM_MEMORY ? 4 : 3);

        if (!r->present || size > r->size)
            continue;
        if (random_of(&seed, 2))
            r->ops->write(r->dev, random_of(&seed, r->size - size + 1), size, random_of(&seed, UINT64_C(1) << 40));
        else
            r->ops->read(r->dev, random_of(&seed, r->size - size + 1), size);
        if (!random_of(&seed, 8))
            pass(b, (s_time_t)random_of(&seed, MILLISECS(20)));
    }
}

#endif
