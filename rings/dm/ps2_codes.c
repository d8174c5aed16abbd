// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Scan codes of keys. Linux numbers them by set 1, so that is nearly the number itself; set 2 is what the 8042 would
 * make set 1 of; set 3 has a table.
 *
 * Source: IBM PS/2 Hardware Interface Technical Reference, keyboards (101 keys), scan code tables.
 */
#include "rings/dm/ps2.h"

#include <linux/input-event-codes.h>

/* Set 2 to set 1, as the 8042 does it. Codes that no key has have a place, too: nothing maps to two. */
static const uint8_t to_set1[128] = {
    0xff, 0x43, 0x41, 0x3f, 0x3d, 0x3b, 0x3c, 0x58, 0x64, 0x44, 0x42, 0x40, 0x3e, 0x0f, 0x29, 0x59, /* 00 */
    0x65, 0x38, 0x2a, 0x70, 0x1d, 0x10, 0x02, 0x5a, 0x66, 0x71, 0x2c, 0x1f, 0x1e, 0x11, 0x03, 0x5b, /* 10 */
    0x67, 0x2e, 0x2d, 0x20, 0x12, 0x05, 0x04, 0x5c, 0x68, 0x39, 0x2f, 0x21, 0x14, 0x13, 0x06, 0x5d, /* 20 */
    0x69, 0x31, 0x30, 0x23, 0x22, 0x15, 0x07, 0x5e, 0x6a, 0x72, 0x32, 0x24, 0x16, 0x08, 0x09, 0x5f, /* 30 */
    0x6b, 0x33, 0x25, 0x17, 0x18, 0x0b, 0x0a, 0x60, 0x6c, 0x34, 0x35, 0x26, 0x27, 0x19, 0x0c, 0x61, /* 40 */
    0x6d, 0x73, 0x28, 0x74, 0x1a, 0x0d, 0x62, 0x6e, 0x3a, 0x36, 0x1c, 0x1b, 0x75, 0x2b, 0x63, 0x76, /* 50 */
    0x55, 0x56, 0x77, 0x78, 0x79, 0x7a, 0x0e, 0x7b, 0x7c, 0x4f, 0x7d, 0x4b, 0x47, 0x7e, 0x7f, 0x6f, /* 60 */
    0x52, 0x53, 0x50, 0x4c, 0x4d, 0x48, 0x01, 0x45, 0x57, 0x4e, 0x51, 0x4a, 0x37, 0x49, 0x46, 0x54, /* 70 */
};

uint8_t ps2_translate(uint8_t code)
{
    if (code == 0x83) /* F7 */
        return 0x41;
    if (code == 0x84) /* Alt and Print Screen */
        return 0x54;
    return code < 0x80 ? to_set1[code] : code;
}

/* Keys whose number is not their code of set 1. */
static const struct {
    uint8_t key;
    uint16_t code;
} others[] = {
    { KEY_KATAKANAHIRAGANA, 0x70 },
    { KEY_RO, 0x73 },
    { KEY_HENKAN, 0x79 },
    { KEY_MUHENKAN, 0x7b },
    { KEY_YEN, 0x7d },
    { KEY_KPCOMMA, 0x7e },
    { KEY_KPEQUAL, 0x59 },
    { KEY_KPENTER, PS2_EXTENDED | 0x1c },
    { KEY_RIGHTCTRL, PS2_EXTENDED | 0x1d },
    { KEY_MUTE, PS2_EXTENDED | 0x20 },
    { KEY_VOLUMEDOWN, PS2_EXTENDED | 0x2e },
    { KEY_VOLUMEUP, PS2_EXTENDED | 0x30 },
    { KEY_KPSLASH, PS2_EXTENDED | 0x35 },
    { KEY_SYSRQ, PS2_EXTENDED | 0x37 },
    { KEY_RIGHTALT, PS2_EXTENDED | 0x38 },
    { KEY_HOME, PS2_EXTENDED | 0x47 },
    { KEY_UP, PS2_EXTENDED | 0x48 },
    { KEY_PAGEUP, PS2_EXTENDED | 0x49 },
    { KEY_LEFT, PS2_EXTENDED | 0x4b },
    { KEY_RIGHT, PS2_EXTENDED | 0x4d },
    { KEY_END, PS2_EXTENDED | 0x4f },
    { KEY_DOWN, PS2_EXTENDED | 0x50 },
    { KEY_PAGEDOWN, PS2_EXTENDED | 0x51 },
    { KEY_INSERT, PS2_EXTENDED | 0x52 },
    { KEY_DELETE, PS2_EXTENDED | 0x53 },
    { KEY_LEFTMETA, PS2_EXTENDED | 0x5b },
    { KEY_RIGHTMETA, PS2_EXTENDED | 0x5c },
    { KEY_COMPOSE, PS2_EXTENDED | 0x5d },
    { KEY_POWER, PS2_EXTENDED | 0x5e },
    { KEY_SLEEP, PS2_EXTENDED | 0x5f },
    { KEY_WAKEUP, PS2_EXTENDED | 0x63 },
};

unsigned int ps2_code_set1(unsigned int key)
{
    if ((key >= KEY_ESC && key <= KEY_KPDOT) || (key >= KEY_102ND && key <= KEY_F12))
        return key;
    for (size_t i = 0; i < ARRAY_SIZE(others); i++)
        if (others[i].key == key)
            return others[i].code;
    return 0;
}

unsigned int ps2_code_set2(unsigned int key)
{
    const unsigned int set1 = ps2_code_set1(key);

    if (key == KEY_F7)
        return 0x83;
    for (unsigned int code = 1; set1 && code < ARRAY_SIZE(to_set1); code++)
        if (to_set1[code] == (set1 & 0xff))
            return (set1 & PS2_EXTENDED) | code;
    return 0;
}

unsigned int ps2_code_set3(unsigned int key)
{
    static const uint8_t code[] = {
        [KEY_ESC] = 0x08,       [KEY_F1] = 0x07,        [KEY_F2] = 0x0f,         [KEY_F3] = 0x17,
        [KEY_F4] = 0x1f,        [KEY_F5] = 0x27,        [KEY_F6] = 0x2f,         [KEY_F7] = 0x37,
        [KEY_F8] = 0x3f,        [KEY_F9] = 0x47,        [KEY_F10] = 0x4f,        [KEY_F11] = 0x56,
        [KEY_F12] = 0x5e,       [KEY_SYSRQ] = 0x57,     [KEY_PAUSE] = 0x62,      [KEY_SCROLLLOCK] = 0x5f,
        [KEY_CAPSLOCK] = 0x14,  [KEY_BACKSLASH] = 0x5c, [KEY_LEFTCTRL] = 0x11,   [KEY_RIGHTCTRL] = 0x58,
        [KEY_LEFTALT] = 0x19,   [KEY_RIGHTALT] = 0x39,  [KEY_INSERT] = 0x67,     [KEY_DELETE] = 0x64,
        [KEY_HOME] = 0x6e,      [KEY_END] = 0x65,       [KEY_PAGEUP] = 0x6f,     [KEY_PAGEDOWN] = 0x6d,
        [KEY_LEFT] = 0x61,      [KEY_RIGHT] = 0x6a,     [KEY_UP] = 0x63,         [KEY_DOWN] = 0x60,
        [KEY_NUMLOCK] = 0x76,   [KEY_KPSLASH] = 0x77,   [KEY_KPASTERISK] = 0x7e, [KEY_KPMINUS] = 0x84,
        [KEY_KPPLUS] = 0x7c,    [KEY_KPENTER] = 0x79,   [KEY_102ND] = 0x13,      [KEY_LEFTMETA] = 0x8b,
        [KEY_RIGHTMETA] = 0x8c, [KEY_COMPOSE] = 0x8d,
    };
    const unsigned int set2 = ps2_code_set2(key);

    if (key < sizeof(code) && code[key])
        return code[key];
    return key <= KEY_KPDOT ? set2 : 0; /* letters and figures, the keypad's too, are as in set 2 */
}
