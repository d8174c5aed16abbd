// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The 8042: a small processor between keyboard, mouse, and the guest.
 *
 * Concept: two ports. What is written to 0x64 is a command to the controller, what is written to 0x60 goes to it if it
 * waits for a byte, or else to the keyboard; everything that any of the three says is read at 0x60, a byte at a time,
 * and 0x64 tells whether there is one and whose:
 *
 *      keyboard --> set 2 to set 1, if the command byte says so --.
 *      mouse    --------------------------------------------------+--> output buffer --> port 0x60
 *      controller's own answers  ---------------------------------'         '--> interrupt 1, or 12
 *
 *      status at 0x64     7 6 5    4          3        2       1  0
 *                         - - AUX  not locked command  system  -  full
 *      command byte, 0x20 7 6      5          4        3 2     1   0
 *                         - set 1  mouse off  kbd. off - system 12  interrupt 1
 *
 * Commands are done at once, so its input is never full. When the output is read, the next byte takes its place in the
 * same moment: the line of its interrupt falls and rises.
 *
 * Invariants: an interrupt's line is up exactly while a byte is in the output buffer that it belongs to, allowed by the
 * command byte and from a device that is not off. Each of the three has its queue: none can push out another's.
 *
 * At power-on the command byte is 3, as QEMU has it: sets 1 is a BIOS's wish. Port 0x92 and the output port's bit 1
 * keep A20's state, which has no effect, as in Xen; either resets the machine.
 *
 * Sources: IBM PS/2 Hardware Interface Technical Reference, keyboard and auxiliary device controller; Intel 8042.
 */
#include "rings/dm/ps2.h"

#define STATUS_FULL     0x01
#define STATUS_SYSTEM   0x04
#define STATUS_COMMAND  0x08
#define STATUS_UNLOCKED 0x10
#define STATUS_AUX      0x20

#define MODE_IRQ_KEYBOARD 0x01
#define MODE_IRQ_MOUSE    0x02
#define MODE_SYSTEM       0x04
#define MODE_KEYBOARD_OFF 0x10
#define MODE_MOUSE_OFF    0x20
#define MODE_SET1         0x40

#define OUT_RUN   0x01 /* the processor runs; 0 resets it */
#define OUT_A20   0x02
#define OUT_FULL  0x10 /* the output buffer has a byte of the keyboard's, */
#define OUT_AUX   0x20 /* of the mouse's */
#define OUT_LINES 0xc0 /* clock and data to the keyboard */

#define REPLY_AUX 0x100

/* --- out --- */

static void irqs_update(struct ps2 *p)
{
    const uint8_t mode = p->bytes[0];
    const bool kbd = p->full && !p->aux, aux = p->full && p->aux;

    p->board->ops->isa_irq(p->board, PS2_IRQ_KEYBOARD,
                           kbd && (mode & MODE_IRQ_KEYBOARD) && !(mode & MODE_KEYBOARD_OFF));
    p->board->ops->isa_irq(p->board, PS2_IRQ_MOUSE, aux && (mode & MODE_IRQ_MOUSE) && !(mode & MODE_MOUSE_OFF));
}

static void output(struct ps2 *p, uint8_t byte, bool aux)
{
    p->output = byte;
    p->aux = aux;
    p->full = true;
}

/* A byte of the keyboard's, as set 1 has it: 0xf0 is no byte there, but a bit of the next. */
static bool translated(struct ps2 *p, uint8_t *byte)
{
    if (!(p->bytes[0] & MODE_SET1)) {
        p->release = false;
        return true;
    }
    if (*byte == 0xf0) {
        p->release = true;
        return false;
    }
    *byte = ps2_translate(*byte) | (p->release ? 0x80 : 0);
    p->release = false;
    return true;
}

/* If there is room, the next byte. */
static void refill(struct ps2 *p)
{
    uint8_t byte;

    if (!p->full && p->nr_replies) {
        output(p, (uint8_t)p->reply[0], p->reply[0] & REPLY_AUX);
        p->nr_replies--;
        for (unsigned int i = 0; i < p->nr_replies; i++)
            p->reply[i] = p->reply[i + 1];
    }
    while (!p->full && !(p->bytes[0] & MODE_KEYBOARD_OFF) && ps2_keyboard_read(&p->keyboard, &byte))
        if (translated(p, &byte))
            output(p, byte, false);
    if (!p->full && !(p->bytes[0] & MODE_MOUSE_OFF) && ps2_mouse_read(&p->mouse, &byte))
        output(p, byte, true);
    irqs_update(p);
}

/* The controller answers. One that is not read is lost to the fourth after it. */
static void reply(struct ps2 *p, unsigned int byte)
{
    if (p->nr_replies < sizeof(p->reply) / sizeof(p->reply[0]))
        p->reply[p->nr_replies++] = (uint16_t)byte;
}

static uint8_t data_read(struct ps2 *p)
{
    const uint8_t byte = p->output;
    const bool was = p->full;

    p->full = false;
    irqs_update(p); /* the line falls, if only for a moment */
    refill(p);
    if (was && ps2_waits(p))
        p->ops->ready(p->owner);
    return byte;
}

/* --- in --- */

static void outport_write(struct ps2 *p, uint8_t val)
{
    p->outport = (uint8_t)(val & (OUT_A20 | OUT_LINES)) | OUT_RUN;
    if (!(val & OUT_RUN))
        p->ops->reset(p->owner);
}

static uint8_t outport_read(const struct ps2 *p)
{
    return (uint8_t)(p->outport | (p->full ? p->aux ? OUT_AUX : OUT_FULL : 0));
}

static void a20(struct ps2 *p, bool on) { p->outport = (uint8_t)((p->outport & ~OUT_A20) | (on ? OUT_A20 : 0)); }

/* The byte that a command waited for. */
static void argument(struct ps2 *p, uint8_t command, uint8_t val)
{
    switch (command) {
    case 0xd1: outport_write(p, val); break;
    case 0xd2: reply(p, val); break;             /* as if the keyboard had said it, */
    case 0xd3: reply(p, REPLY_AUX | val); break; /* the mouse */
    case 0xd4:
        p->bytes[0] &= (uint8_t)~MODE_MOUSE_OFF;
        ps2_mouse_write(&p->mouse, val);
        break;
    default: p->bytes[command & 0x1f] = val; break;
    }
}

static void data_write(struct ps2 *p, uint8_t val)
{
    const uint8_t command = p->pending;

    p->was_command = false;
    p->pending = 0;
    if (command) {
        argument(p, command, val);
    } else {
        p->bytes[0] &= (uint8_t)~MODE_KEYBOARD_OFF;
        p->release = false;
        ps2_keyboard_write(&p->keyboard, val);
    }
    refill(p);
}

static void command_write(struct ps2 *p, uint8_t val)
{
    p->was_command = true;
    p->pending = 0;
    if (val >= 0x20 && val <= 0x3f)
        reply(p, p->bytes[val & 0x1f]);
    else if ((val >= 0x60 && val <= 0x7f) || (val >= 0xd1 && val <= 0xd4))
        p->pending = val;
    else if (val >= 0xf0 && !(val & 1))
        p->ops->reset(p->owner); /* its line is pulsed */
    switch (val) {
    case 0xa4: reply(p, 0xf1); break; /* there is no password */
    case 0xa7: p->bytes[0] |= MODE_MOUSE_OFF; break;
    case 0xa8: p->bytes[0] &= (uint8_t)~MODE_MOUSE_OFF; break;
    case 0xa9:
    case 0xab: reply(p, 0x00); break; /* the lines are well */
    case 0xaa:
        p->bytes[0] |= MODE_SYSTEM;
        reply(p, 0x55);
        break;
    case 0xad: p->bytes[0] |= MODE_KEYBOARD_OFF; break;
    case 0xae: p->bytes[0] &= (uint8_t)~MODE_KEYBOARD_OFF; break;
    case 0xc0: reply(p, 0x80); break; /* not locked */
    case 0xd0: reply(p, outport_read(p)); break;
    case 0xdd: a20(p, false); break;
    case 0xdf: a20(p, true); break;
    case 0xe0: reply(p, 0x00); break; /* what the lines are */
    default: break;
    }
    refill(p);
}

static uint8_t status(const struct ps2 *p)
{
    return (uint8_t)(STATUS_UNLOCKED | (p->full ? STATUS_FULL : 0) | (p->full && p->aux ? STATUS_AUX : 0) |
                     (p->was_command ? STATUS_COMMAND : 0) | (p->bytes[0] & MODE_SYSTEM ? STATUS_SYSTEM : 0));
}

/* --- ports: an access is of one, however wide --- */

static uint64_t port60_read(void *dev, uint64_t offset, unsigned int size) { return data_read(dev); }
static void port60_write(void *dev, uint64_t offset, unsigned int size, uint64_t val) { data_write(dev, (uint8_t)val); }
static uint64_t port64_read(void *dev, uint64_t offset, unsigned int size) { return status(dev); }

static void port64_write(void *dev, uint64_t offset, unsigned int size, uint64_t val)
{
    command_write(dev, (uint8_t)val);
}

static uint64_t port92_read(void *dev, uint64_t offset, unsigned int size)
{
    const struct ps2 *p = dev;

    return p->outport & OUT_A20;
}

static void port92_write(void *dev, uint64_t offset, unsigned int size, uint64_t val)
{
    struct ps2 *p = dev;

    a20(p, val & OUT_A20);
    if (val & 1)
        p->ops->reset(p->owner);
}

/* --- from outside --- */

bool ps2_key(struct ps2 *p, unsigned int key, bool down)
{
    const bool taken = ps2_keyboard_key(&p->keyboard, key, down);

    refill(p);
    return taken;
}

bool ps2_waits(const struct ps2 *p)
{
    return !p->full && !p->keyboard.codes.nr && p->keyboard.scanning && !(p->bytes[0] & MODE_KEYBOARD_OFF);
}

void ps2_mouse(struct ps2 *p, int32_t dx, int32_t dy, int32_t dz, unsigned int buttons)
{
    ps2_mouse_move(&p->mouse, dx, dy, dz, buttons);
    refill(p);
}

void ps2_init(struct ps2 *p, struct dm_board *board, const struct ps2_ops *ops, void *owner)
{
    static const struct dm_region_ops port60 = { .read = port60_read, .write = port60_write };
    static const struct dm_region_ops port64 = { .read = port64_read, .write = port64_write };
    static const struct dm_region_ops port92 = { .read = port92_read, .write = port92_write };

    *p = (struct ps2){ .board = board,
                       .ops = ops,
                       .owner = owner,
                       .bytes = { MODE_IRQ_KEYBOARD | MODE_IRQ_MOUSE },
                       .was_command = true,
                       .outport = OUT_LINES | OUT_A20 | OUT_RUN };
    ps2_keyboard_init(&p->keyboard);
    ps2_mouse_init(&p->mouse);
    dm_region_init(&p->data, &port60, p, DM_PORT, 0x60, 1);
    dm_region_init(&p->command, &port64, p, DM_PORT, 0x64, 1);
    dm_region_init(&p->fast, &port92, p, DM_PORT, 0x92, 1);
    board->ops->region(board, &p->data);
    board->ops->region(board, &p->command);
    board->ops->region(board, &p->fast);
}

/* --- as bytes: the controller, and what hangs on it --- */

static void queue_state(struct ps2_queue *q, struct dm_state *s)
{
    STATE_MAX(s, q->first, PS2_QUEUE - 1);
    STATE_MAX(s, q->nr, PS2_QUEUE);
    STATE_BYTES(s, q->bytes);
}

static void keyboard_state(struct ps2_keyboard *k, struct dm_state *s)
{
    state_begin(s, "keyboard", 0);
    queue_state(&k->replies, s);
    queue_state(&k->codes, s);
    STATE(s, k->command);
    STATE_RANGE(s, k->set, 1, 3);
    STATE_MAX(s, k->leds, 7);
    STATE_MAX(s, k->rate, 0x7f);
    STATE(s, k->last);
    STATE_BOOL(s, k->scanning);
    STATE_BYTES(s, k->silent);
    STATE_BYTES(s, k->held);
    state_end(s);
}

static void mouse_state(struct ps2_mouse *m, struct dm_state *s)
{
    state_begin(s, "mouse", 0);
    queue_state(&m->replies, s);
    queue_state(&m->packets, s);
    STATE(s, m->command);
    STATE_MAX(s, m->id, 4);
    STATE_MAX(s, m->resolution, 3);
    STATE(s, m->rate);
    STATE_BYTES(s, m->knock);
    STATE_BYTES(s, m->last);
    STATE_MAX(s, m->nr_last, sizeof(m->last));
    STATE_BOOL(s, m->reporting);
    STATE_BOOL(s, m->remote);
    STATE_BOOL(s, m->wrap);
    STATE_BOOL(s, m->twice);
    STATE_MAX(s, m->buttons, 0x1f);
    STATE_MAX(s, m->told, 0x1f);
    STATE(s, m->dx);
    STATE(s, m->dy);
    STATE(s, m->dz);
    state_end(s);
}

void ps2_state(struct ps2 *p, struct dm_state *s)
{
    state_begin(s, "8042", 0);
    STATE_BYTES(s, p->bytes);
    STATE(s, p->pending);
    STATE_BOOL(s, p->was_command);
    STATE(s, p->outport);
    STATE(s, p->output);
    STATE_BOOL(s, p->full);
    STATE_BOOL(s, p->aux);
    STATE_BOOL(s, p->release);
    for (size_t i = 0; i < sizeof(p->reply) / sizeof(p->reply[0]); i++)
        STATE(s, p->reply[i]);
    STATE_MAX(s, p->nr_replies, sizeof(p->reply) / sizeof(p->reply[0]));
    state_end(s);
    keyboard_state(&p->keyboard, s);
    mouse_state(&p->mouse, s);
}
