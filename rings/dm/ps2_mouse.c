// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A mouse with two or three buttons, or a wheel and up to five, if the guest knows how to ask.
 *
 * Concept: movement adds up until it can be told, in a packet:
 *
 *      byte 0   0 0  dy < 0  dx < 0  1  middle  right  left
 *           1   dx, to the right       2   dy, up
 *           3   the wheel's steps, towards the user; with identity 4 in its low half, above it buttons 5 and 4
 *
 * Three bytes, or four with identity 3 or 4, which the mouse takes on when its rate is set to 200, 100, 80 one after
 * the other, and then to 200, 200, 80. In stream mode a packet is made when something has changed and the last is on
 * its way, in remote mode when the guest asks.
 *
 * What does not fit in a packet is told in the next: nothing overflows.
 *
 * Sources: IBM PS/2 Hardware Interface Technical Reference, auxiliary device; Microsoft's IntelliMouse for its wheel.
 */
#include "rings/dm/ps2.h"

#include <string.h>

#define ACK  0xfa
#define NACK 0xfe

/* --- packets --- */

static int32_t clamp(int32_t n, int32_t least, int32_t most) { return n < least ? least : n > most ? most : n; }

/* Twice as fast, but for small steps. */
static int32_t scaled(const struct ps2_mouse *m, int32_t n)
{
    static const int32_t few[] = { 0, 1, 1, 3, 6, 9 };
    const int32_t steps = n < 0 ? -n : n, more = steps < 6 ? few[steps] : 2 * steps;

    if (!m->twice || m->remote)
        return n;
    return n < 0 ? -more : more;
}

/* The packet that tells what has been since the last: its length. */
static unsigned int packet(struct ps2_mouse *m, uint8_t out[4])
{
    const int32_t most = m->twice && !m->remote ? 127 : 255, wheel = m->id == 4 ? 7 : 127;
    const int32_t dx = clamp(m->dx, -most, most), dy = clamp(m->dy, -most, most), dz = clamp(m->dz, -wheel, wheel);
    const int32_t x = scaled(m, dx), up = scaled(m, -dy);

    m->dx -= dx;
    m->dy -= dy;
    m->dz = m->id ? m->dz - dz : 0;
    m->told = m->buttons;
    out[0] = (uint8_t)((m->buttons & 7) | 8 | (x < 0 ? 0x10 : 0) | (up < 0 ? 0x20 : 0));
    out[1] = (uint8_t)x;
    out[2] = (uint8_t)up;
    out[3] = (uint8_t)dz;
    if (m->id == 4)
        out[3] = (uint8_t)((dz & 15) | (m->buttons & 0x18) << 1);
    return m->id ? 4 : 3;
}

static bool has_news(const struct ps2_mouse *m)
{
    return m->dx || m->dy || (m->id && m->dz) || ((m->buttons ^ m->told) & (m->id == 4 ? 0x1f : 7));
}

static void stream(struct ps2_mouse *m)
{
    uint8_t bytes[4];

    while (m->reporting && !m->remote && !m->wrap && m->packets.nr <= 16 && has_news(m))
        ps2_queue_put(&m->packets, bytes, packet(m, bytes));
}

/* Far enough for anybody; and it never overflows. */
static int32_t add(int32_t sum, int32_t n)
{
    const int64_t both = (int64_t)sum + n;

    return both < -0xffff ? -0xffff : both > 0xffff ? 0xffff : (int32_t)both;
}

void ps2_mouse_move(struct ps2_mouse *m, int32_t dx, int32_t dy, int32_t dz, unsigned int buttons)
{
    m->buttons = buttons & 0x1f;
    if (m->reporting || m->remote) {
        m->dx = add(m->dx, dx);
        m->dy = add(m->dy, dy);
        m->dz = add(m->dz, dz);
    }
    stream(m);
}

/* --- commands --- */

static void say(struct ps2_mouse *m, const uint8_t *bytes, unsigned int n)
{
    ps2_queue_put(&m->replies, bytes, n);
    m->nr_last = (uint8_t)n;
    memcpy(m->last, bytes, n);
}

static void say1(struct ps2_mouse *m, uint8_t byte) { say(m, &byte, 1); }

static void ack(struct ps2_mouse *m) { ps2_queue_put(&m->replies, (const uint8_t[]){ ACK }, 1); }

/* Movement that has not been told is forgotten. */
static void forget(struct ps2_mouse *m)
{
    m->packets.nr = 0;
    m->dx = m->dy = m->dz = 0;
    m->told = m->buttons;
}

static void defaults(struct ps2_mouse *m)
{
    m->rate = 100;
    m->resolution = 2;
    m->reporting = m->remote = m->wrap = m->twice = false;
    forget(m);
}

static void set_rate(struct ps2_mouse *m, uint8_t rate)
{
    if (rate == 80 && m->knock[0] == 200 && m->knock[1] == 100)
        m->id = 3;
    if (rate == 80 && m->knock[0] == 200 && m->knock[1] == 200 && m->id == 3)
        m->id = 4;
    m->knock[0] = m->knock[1];
    m->knock[1] = rate;
    m->rate = rate;
}

static void argument(struct ps2_mouse *m, uint8_t command, uint8_t val)
{
    if (command == 0xf3) {
        set_rate(m, val);
    } else if (val > 3) {
        m->command = command;
        say1(m, NACK);
        return;
    } else {
        m->resolution = val;
    }
    say1(m, ACK);
}

/* Commands that answer more than that they were understood. */
static bool question(struct ps2_mouse *m, uint8_t val)
{
    uint8_t bytes[4];

    switch (val) {
    case 0xe9:
        bytes[0] = (uint8_t)((m->remote ? 0x40 : 0) | (m->reporting ? 0x20 : 0) | (m->twice ? 0x10 : 0) |
                             (m->buttons & 1) << 2 | (m->buttons & 4) >> 1 | (m->buttons & 2) >> 1);
        bytes[1] = m->resolution;
        bytes[2] = m->rate;
        ack(m);
        say(m, bytes, 3);
        return true;
    case 0xeb:
        ack(m);
        say(m, bytes, packet(m, bytes));
        return true;
    case 0xf2:
        ack(m);
        say1(m, m->id);
        return true;
    case 0xfe: ps2_queue_put(&m->replies, m->last, m->nr_last); return true;
    case 0xff:
        m->id = 0;
        m->replies.nr = 0;
        memset(m->knock, 0, sizeof(m->knock));
        defaults(m);
        ack(m);
        say(m, (const uint8_t[]){ 0xaa, 0x00 }, 2);
        return true;
    default: return false;
    }
}

void ps2_mouse_write(struct ps2_mouse *m, uint8_t val)
{
    const uint8_t command = m->command;

    m->command = 0;
    m->packets.nr = 0; /* an answer is not to come behind what has been on its way */
    if (m->wrap && val != 0xec && val != 0xff) {
        say1(m, val);
        return;
    }
    if (command) {
        argument(m, command, val);
        return;
    }
    if (question(m, val))
        return;
    switch (val) {
    case 0xe6:
    case 0xe7: m->twice = val == 0xe7; break;
    case 0xe8:
    case 0xf3: m->command = val; break;
    case 0xea:
    case 0xf0:
        m->remote = val == 0xf0;
        forget(m);
        break;
    case 0xec:
    case 0xee:
        m->wrap = val == 0xee;
        forget(m);
        break;
    case 0xf4:
    case 0xf5:
        m->reporting = val == 0xf4;
        forget(m);
        break;
    case 0xf6: defaults(m); break;
    default: say1(m, NACK); return;
    }
    say1(m, ACK);
}

bool ps2_mouse_read(struct ps2_mouse *m, uint8_t *byte)
{
    if (ps2_queue_get(&m->replies, byte))
        return true;
    if (!ps2_queue_get(&m->packets, byte))
        return false;
    stream(m); /* there is room again */
    return true;
}

void ps2_mouse_init(struct ps2_mouse *m)
{
    *m = (struct ps2_mouse){ 0 };
    defaults(m);
}
