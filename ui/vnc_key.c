// SPDX-License-Identifier: GPL-2.0-or-later
/* Which key makes which symbol: X11's keysyms, Linux's key numbers, a US keyboard. See ui/vnc.h. */
#include "ui/vnc.h"

#include "tools/us_keyboard.h"

static const struct {
    uint32_t keysym;
    unsigned int key;
} others[] = {
    { 0xff08, 14 },  /* BackSpace */
    { 0xff09, 15 },  /* Tab */
    { 0xff0d, 28 },  /* Return */
    { 0xff1b, 1 },   /* Escape */
    { 0xffff, 111 }, /* Delete */
    { 0xff50, 102 }, /* Home, Left, Up, Right, Down, Page Up, Page Down, End */
    { 0xff51, 105 }, { 0xff52, 103 }, { 0xff53, 106 }, { 0xff54, 108 }, { 0xff55, 104 }, { 0xff56, 109 },
    { 0xff57, 107 }, { 0xff63, 110 },                                  /* Insert */
    { 0xff8d, 96 },                                                    /* Enter of the keypad */
    { 0xffe1, 42 },                                                    /* Shift, both; Control, both */
    { 0xffe2, 54 },  { 0xffe3, 29 },  { 0xffe4, 97 },  { 0xffe5, 58 }, /* Caps Lock */
    { 0xffe9, 56 },                                                    /* Alt, both; what takes its place */
    { 0xffea, 100 }, { 0xfe03, 100 }, { 0xffeb, 125 }, { 0xffec, 126 }, { 0xffc8, 87 },  { 0xffc9, 88 }, /* F11, F12 */
    { 0xff67, 127 },                                                                                     /* Menu */
};

unsigned int vnc_key(uint32_t keysym)
{
    bool shift;

    if (keysym >= ' ' && keysym < 0x7f)
        return us_key((char)keysym, &shift);
    if (keysym >= 0xffbe && keysym <= 0xffc7) /* F1 to F10 */
        return 59 + keysym - 0xffbe;
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        if (others[i].keysym == keysym)
            return others[i].key;
    return 0;
}
