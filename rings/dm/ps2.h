// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Keyboard, mouse, and the 8042 that they hang on. See ps2.c for the controller, ps2_keyboard.c, ps2_mouse.c.
 */
#ifndef RINGS_DM_PS2_H
#define RINGS_DM_PS2_H

#include "rings/dm/state.h"

#define PS2_IRQ_KEYBOARD 1
#define PS2_IRQ_MOUSE    12
#define PS2_QUEUE        256U
#define PS2_KEYS         256U /* Linux's numbers, below */

struct ps2_queue {
    uint16_t first, nr;
    uint8_t bytes[PS2_QUEUE];
};

struct ps2_keyboard {
    struct ps2_queue replies, codes; /* what answers commands goes first */
    uint8_t command;                 /* its argument is to come; 0: none is */
    uint8_t set, leds, rate, last;
    bool scanning;
    uint8_t silent[256 / 8];    /* set 3: keys whose end is not told */
    uint8_t held[PS2_KEYS / 8]; /* by Linux's numbers */
};

struct ps2_mouse {
    struct ps2_queue replies, packets;
    uint8_t command;
    uint8_t id, resolution, rate, knock[2], last[4], nr_last;
    bool reporting, remote, wrap, twice;
    uint8_t buttons, told; /* now, and in the last packet */
    int32_t dx, dy, dz;    /* since the last packet */
};

/* Both are called from within an access of the guest's. */
struct ps2_ops {
    void (*reset)(void *owner); /* the processor's */
    void (*ready)(void *owner); /* the guest has read all that was typed */
};

struct ps2 {
    struct dm_board *board;
    const struct ps2_ops *ops;
    void *owner;
    struct dm_region data, command, fast; /* ports 0x60, 0x64, 0x92 */

    uint8_t bytes[32]; /* the first: the command byte */
    uint8_t pending;   /* a command whose byte is to come; 0: none is */
    bool was_command;  /* what was written last went to 0x64 */
    uint8_t outport;   /* bit 1: A20, which is kept and has no effect, as in Xen */
    uint8_t output;    /* the byte that is read next */
    bool full, aux;    /* it is there; it is the mouse's */
    bool release;      /* translation: a key's end is to come */
    uint16_t reply[4]; /* the controller's own, above the byte whether it is said to be the mouse's */
    uint8_t nr_replies;
    struct ps2_keyboard keyboard;
    struct ps2_mouse mouse;
};

void ps2_init(struct ps2 *p, struct dm_board *board, const struct ps2_ops *ops, void *owner);
/*
 * A key of Linux's number goes down (or is down still, and repeats) or up. False: the keyboard does not know it, has
 * been told not to look, or has had too many.
 */
bool ps2_key(struct ps2 *p, unsigned int key, bool down);
/* Has the guest read all that was typed, and looks for more? What is typed by a program had better wait for that. */
bool ps2_waits(const struct ps2 *p);
/* By so many steps to the right, down, and of the wheel towards its user; buttons: 1 left, 2 right, 4 middle, 8, 16. */
void ps2_mouse(struct ps2 *p, int32_t dx, int32_t dy, int32_t dz, unsigned int buttons);

void ps2_state(struct ps2 *p, struct dm_state *s);

/* --- between the controller and the two --- */

static inline bool ps2_queue_put(struct ps2_queue *q, const uint8_t *bytes, unsigned int n)
{
    if (n > PS2_QUEUE - q->nr)
        return false;
    for (unsigned int i = 0; i < n; i++)
        q->bytes[(q->first + q->nr++) % PS2_QUEUE] = bytes[i];
    return true;
}

static inline bool ps2_queue_get(struct ps2_queue *q, uint8_t *byte)
{
    if (!q->nr)
        return false;
    *byte = q->bytes[q->first];
    q->first = (uint16_t)((q->first + 1) % PS2_QUEUE);
    q->nr--;
    return true;
}

void ps2_keyboard_init(struct ps2_keyboard *k);
void ps2_keyboard_write(struct ps2_keyboard *k, uint8_t val);
/* The next byte that it has to say, in the set that it speaks. False: none. */
bool ps2_keyboard_read(struct ps2_keyboard *k, uint8_t *byte);
bool ps2_keyboard_key(struct ps2_keyboard *k, unsigned int key, bool down);

void ps2_mouse_init(struct ps2_mouse *m);
void ps2_mouse_write(struct ps2_mouse *m, uint8_t val);
bool ps2_mouse_read(struct ps2_mouse *m, uint8_t *byte);
void ps2_mouse_move(struct ps2_mouse *m, int32_t dx, int32_t dy, int32_t dz, unsigned int buttons);

/* Scan codes of a key, PS2_EXTENDED: behind 0xe0. 0: it has none. */
#define PS2_EXTENDED 0x100
unsigned int ps2_code_set1(unsigned int key);
unsigned int ps2_code_set2(unsigned int key);
unsigned int ps2_code_set3(unsigned int key);
/* What the 8042 makes of a byte of set 2. */
uint8_t ps2_translate(uint8_t code);

#endif
