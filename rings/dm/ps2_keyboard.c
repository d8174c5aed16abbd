// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A keyboard with 101 keys and some.
 *
 * Concept: a key that goes down says its code, one that goes up says that, too; how depends on the set that the guest
 * has chosen:
 *
 *              down             up
 *      set 1   code             code + 0x80          0xe0 before either: one of the keys that came later
 *      set 2   code             0xf0, code           the same; the set at power-on
 *      set 3   code             0xf0, code           no 0xe0; a key may have been told to be silent when it goes up
 *
 * Commands are answered before codes that wait. A key that is held does not repeat by itself: who types for us repeats
 * (ps2_key() again).
 *
 * Source: IBM PS/2 Hardware Interface Technical Reference, keyboards.
 */
#include "rings/dm/ps2.h"

#include <linux/input-event-codes.h>
#include <string.h>

#define ACK    0xfa
#define RESEND 0xfe

static bool bit(const uint8_t *bits, unsigned int n) { return bits[n / 8] >> n % 8 & 1; }

static void bit_set(uint8_t *bits, unsigned int n, bool on)
{
    bits[n / 8] = (uint8_t)((bits[n / 8] & ~(1 << n % 8)) | on << n % 8);
}

/* --- keys --- */

/* Bytes of one code. */
static unsigned int code_bytes(const struct ps2_keyboard *k, unsigned int code, bool down, uint8_t *out)
{
    unsigned int n = 0;

    if (code & PS2_EXTENDED)
        out[n++] = 0xe0;
    if (k->set == 1) {
        out[n++] = (uint8_t)(code | (down ? 0 : 0x80));
    } else {
        if (!down)
            out[n++] = 0xf0;
        out[n++] = (uint8_t)code;
    }
    return n;
}

static bool is_held(const struct ps2_keyboard *k, unsigned int left, unsigned int right)
{
    return bit(k->held, left) || bit(k->held, right);
}

/* Pause says all at once when it goes down, with Control as Break; Print Screen brings a Shift along. */
static unsigned int special_bytes(const struct ps2_keyboard *k, unsigned int key, bool down, uint8_t *out)
{
    const bool ctrl = is_held(k, KEY_LEFTCTRL, KEY_RIGHTCTRL), shift = is_held(k, KEY_LEFTSHIFT, KEY_RIGHTSHIFT);
    const unsigned int scroll = k->set == 1 ? ps2_code_set1(KEY_SCROLLLOCK) : ps2_code_set2(KEY_SCROLLLOCK);
    const unsigned int print = k->set == 1 ? ps2_code_set1(KEY_SYSRQ) : ps2_code_set2(KEY_SYSRQ);
    const unsigned int with = PS2_EXTENDED | (k->set == 1 ? 0x2a : 0x12);
    unsigned int n = 0;

    if (key == KEY_PAUSE) {
        static const uint8_t set1[] = { 0xe1, 0x1d, 0x45, 0xe1, 0x9d, 0xc5 };
        static const uint8_t set2[] = { 0xe1, 0x14, 0x77, 0xe1, 0xf0, 0x14, 0xf0, 0x77 };

        if (!down)
            return 0;
        if (ctrl) {
            n = code_bytes(k, PS2_EXTENDED | scroll, true, out);
            return n + code_bytes(k, PS2_EXTENDED | scroll, false, out + n);
        }
        memcpy(out, k->set == 1 ? set1 : set2, k->set == 1 ? sizeof(set1) : sizeof(set2));
        return k->set == 1 ? sizeof(set1) : sizeof(set2);
    }
    if (is_held(k, KEY_LEFTALT, KEY_RIGHTALT))
        return code_bytes(k, k->set == 1 ? 0x54 : 0x84, down, out); /* SysRq */
    if (down && !ctrl && !shift)
        n = code_bytes(k, with, true, out);
    n += code_bytes(k, print, down, out + n);
    if (!down && !ctrl && !shift)
        n += code_bytes(k, with, false, out + n);
    return n;
}

static unsigned int code_of(const struct ps2_keyboard *k, unsigned int key)
{
    return k->set == 1 ? ps2_code_set1(key) : k->set == 2 ? ps2_code_set2(key) : ps2_code_set3(key);
}

bool ps2_keyboard_key(struct ps2_keyboard *k, unsigned int key, bool down)
{
    const unsigned int code = code_of(k, key);
    uint8_t bytes[8];
    unsigned int n = 0;

    if (key >= PS2_KEYS || (!code && key != KEY_PAUSE))
        return false;
    if (!down && !bit(k->held, key))
        return true; /* it has been up */
    if (k->scanning) {
        if (k->set != 3 && (key == KEY_PAUSE || key == KEY_SYSRQ))
            n = special_bytes(k, key, down, bytes);
        else if (down || k->set != 3 || !bit(k->silent, code & 0xff))
            n = code_bytes(k, code, down, bytes);
        if (!ps2_queue_put(&k->codes, bytes, n))
            return false; /* it is as it was */
    }
    bit_set(k->held, key, down);
    return k->scanning;
}

/* --- commands --- */

static void say(struct ps2_keyboard *k, uint8_t byte) { ps2_queue_put(&k->replies, &byte, 1); }

static void defaults(struct ps2_keyboard *k)
{
    k->codes.nr = 0;
    k->set = 2;
    k->rate = 0x2b;
    memset(k->silent, 0, sizeof(k->silent));
}

static void argument(struct ps2_keyboard *k, uint8_t command, uint8_t val)
{
    switch (command) {
    case 0xed: k->leds = val & 7; break;
    case 0xf3: k->rate = val & 0x7f; break;
    case 0xf0:
        if (val > 3) {
            k->command = command; /* what then? */
            say(k, RESEND);
            return;
        }
        say(k, ACK);
        if (!val)
            say(k, k->set);
        else
            k->set = val;
        k->codes.nr = 0;
        return;
    default: /* 0xfb, 0xfd: no end, 0xfc: an end; and further keys may follow */
        bit_set(k->silent, val, command != 0xfc);
        k->command = command;
        break;
    }
    say(k, ACK);
}

static void reset(struct ps2_keyboard *k)
{
    k->replies.nr = 0;
    defaults(k);
    k->leds = 0;
    k->scanning = true;
    say(k, ACK);
    say(k, 0xaa); /* and it is well */
}

void ps2_keyboard_write(struct ps2_keyboard *k, uint8_t val)
{
    const uint8_t command = k->command;

    k->command = 0;
    if (command && val < 0xed) {
        argument(k, command, val);
        return;
    }
    switch (val) {
    case 0xee: say(k, 0xee); return;
    case 0xfe: say(k, k->last); return;
    case 0xff: reset(k); return;
    case 0xed:
    case 0xf0:
    case 0xf3:
    case 0xfb:
    case 0xfc:
    case 0xfd: k->command = val; break;
    case 0xf2:
        say(k, ACK);
        say(k, 0xab);
        say(k, 0x83);
        return;
    case 0xf4:
        k->codes.nr = 0;
        k->scanning = true;
        break;
    case 0xf5:
    case 0xf6:
        defaults(k);
        k->scanning = val == 0xf6;
        break;
    case 0xf7:
    case 0xf9: memset(k->silent, 0xff, sizeof(k->silent)); break;
    case 0xf8:
    case 0xfa: memset(k->silent, 0, sizeof(k->silent)); break;
    default: say(k, RESEND); return;
    }
    say(k, ACK);
}

bool ps2_keyboard_read(struct ps2_keyboard *k, uint8_t *byte)
{
    if (!ps2_queue_get(&k->replies, byte) && !ps2_queue_get(&k->codes, byte))
        return false;
    if (*byte != RESEND)
        k->last = *byte;
    return true;
}

void ps2_keyboard_init(struct ps2_keyboard *k)
{
    *k = (struct ps2_keyboard){ .scanning = true };
    defaults(k);
}
