// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Text that is typed.
 *
 * Concept: a character is a key, perhaps with Shift or Control; keys that make none come as escape sequences, in the
 * ways of xterm, VT100 and Linux's console:
 *
 *      ESC [ letter    ESC [ 1 ; modifiers letter    ESC [ number ~    ESC O letter    ESC [ [ letter    ESC other: Alt
 *
 * Every key is let go at once, in the other order. What no key makes is nothing, as is a sequence that is not known.
 */
#include "rings/dm/typing.h"

#include "tools/us_keyboard.h"

#include <linux/input-event-codes.h>
#include <stddef.h>
#include <stdlib.h>

#define ESC 0x1b

enum { SHIFT = 1, ALT = 2, CTRL = 4 }; /* as xterm counts them */

static void tap(unsigned int key, unsigned int modifiers, typing_key_fn *fn, void *data)
{
    static const unsigned int keys[] = { KEY_LEFTSHIFT, KEY_LEFTALT, KEY_LEFTCTRL };

    if (!key)
        return;
    for (unsigned int i = 0; i < 3; i++)
        if (modifiers >> i & 1)
            fn(data, keys[i], true);
    fn(data, key, true);
    fn(data, key, false);
    for (unsigned int i = 3; i--;)
        if (modifiers >> i & 1)
            fn(data, keys[i], false);
}

static void plain(char c, unsigned int modifiers, typing_key_fn *fn, void *data)
{
    bool shift = false;
    unsigned int key;

    switch (c) {
    case '\r':
    case '\n': key = KEY_ENTER; break;
    case '\t': key = KEY_TAB; break;
    case '\b':
    case 0x7f: key = KEY_BACKSPACE; break;
    case ESC: key = KEY_ESC; break;
    default:
        if (c >= 0 && c < ' ') { /* Control and a letter, or what comes behind the letters */
            modifiers |= CTRL;
            c = (char)(c >= 1 && c <= 26 ? c + 'a' - 1 : c + '@');
        }
        key = c > 0 ? us_key(c, &shift) : 0;
    }
    tap(key, modifiers | (shift ? SHIFT : 0), fn, data);
}

static unsigned int key_of_letter(char c)
{
    switch (c) {
    case 'A': return KEY_UP;
    case 'B': return KEY_DOWN;
    case 'C': return KEY_RIGHT;
    case 'D': return KEY_LEFT;
    case 'F': return KEY_END;
    case 'H': return KEY_HOME;
    case 'M': return KEY_KPENTER;
    case 'P':
    case 'Q':
    case 'R':
    case 'S': return KEY_F1 + (unsigned int)(c - 'P');
    default: return 0;
    }
}

static unsigned int key_of_number(unsigned long n)
{
    static const uint8_t keys[] = {
        [1] = KEY_HOME,     [2] = KEY_INSERT, [3] = KEY_DELETE, [4] = KEY_END,  [5] = KEY_PAGEUP,
        [6] = KEY_PAGEDOWN, [7] = KEY_HOME,   [8] = KEY_END,    [11] = KEY_F1,  [12] = KEY_F2,
        [13] = KEY_F3,      [14] = KEY_F4,    [15] = KEY_F5,    [17] = KEY_F6,  [18] = KEY_F7,
        [19] = KEY_F8,      [20] = KEY_F9,    [21] = KEY_F10,   [23] = KEY_F11, [24] = KEY_F12,
    };

    return n < sizeof(keys) ? keys[n] : 0;
}

/* The sequence is whole: its last character is the one that says what it is. */
static void sequence(const struct typing *t, typing_key_fn *fn, void *data)
{
    const char last = t->sequence[t->n - 1];
    char *rest;
    unsigned long number, modifiers = 0;

    if (t->sequence[2] == '[') {
        tap(last >= 'A' && last <= 'E' ? KEY_F1 + (unsigned int)(last - 'A') : 0, 0, fn, data);
        return;
    }
    number = strtoul(t->sequence + 2, &rest, 10);
    if (*rest == ';')
        modifiers = strtoul(rest + 1, &rest, 10) - 1;
    if (last == 'Z')
        tap(KEY_TAB, SHIFT, fn, data);
    else
        tap(last == '~' ? key_of_number(number) : key_of_letter(last), modifiers & 7, fn, data);
}

void typing_char(struct typing *t, char c, typing_key_fn *fn, void *data)
{
    if (!t->n && c != ESC) {
        plain(c, 0, fn, data);
        return;
    }
    if (c == ESC) {
        typing_pause(t, fn, data);
        t->sequence[t->n++] = c;
        return;
    }
    if (t->n == 1 && c != '[' && c != 'O') {
        t->n = 0;
        plain(c, ALT, fn, data);
        return;
    }
    if (t->n < sizeof(t->sequence) - 1) {
        t->sequence[t->n++] = c;
        t->sequence[t->n] = '\0';
    }
    if (t->n > 2 && c >= '@' && c <= '~' && (t->n > 3 || c != '[')) {
        sequence(t, fn, data);
        t->n = 0;
    }
}

void typing_pause(struct typing *t, typing_key_fn *fn, void *data)
{
    if (t->n == 1)
        tap(KEY_ESC, 0, fn, data);
    else if (t->n == 2)
        plain(t->sequence[1], ALT, fn, data);
    t->n = 0;
}

void typing_state(struct typing *t, struct dm_state *s)
{
    state_begin(s, "typing", 0);
    STATE_BYTES(s, t->sequence);
    STATE_MAX(s, t->n, sizeof(t->sequence) - 1);
    t->sequence[t->n] = '\0';
    state_end(s);
}
