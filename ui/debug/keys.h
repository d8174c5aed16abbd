// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Keys of a screen: each stands for a line of commands.
 *
 * Concept: letters are in the table of commands (ui/debug/commands.c), capitals being backward forms; the other keys
 * are here. As a key is nothing but a line, what a key does can be typed, scripted, and is in the help; and whoever
 * lists keys (footer, help, tests) reads this.
 *
 * Invariants: a letter that is here, too, is its command with words that a screen has a use for. A line that ends with
 * a blank wants to be completed: it is put into the prompt.
 */
#ifndef UI_DEBUG_KEYS_H
#define UI_DEBUG_KEYS_H

#include <stdbool.h>
#include <stddef.h>

/* Keys that are no characters: as numbers behind those of Unicode. */
enum key {
    KEY_IS_UP = 0x110000,
    KEY_IS_DOWN,
    KEY_IS_LEFT,
    KEY_IS_RIGHT,
    KEY_IS_PAGE_UP,
    KEY_IS_PAGE_DOWN,
    KEY_IS_HOME,
    KEY_IS_END,
    KEY_IS_BACKTAB,
    KEY_IS_DELETE,
    KEY_IS_BACKSPACE,
    KEY_IS_RESIZE, /* the screen has another size */
    KEY_IS_NONE,
};

#define KEY_IS_TAB    9
#define KEY_IS_ENTER  13
#define KEY_IS_ESCAPE 27

struct key_binding {
    int key;
    const char *name;  /* "Tab" */
    const char *line;  /* of commands */
    const char *label; /* in the footer: a word; NULL: not there */
};

/* The i-th binding of a key that is no command's letter; NULL: there are no more. */
const struct key_binding *key_at(size_t i);
/* The same of those that count while a tour is given; of them, while one explores, only the way back. */
const struct key_binding *tour_key_at(size_t i);
/* What a key stands for: a line, in `line`; false: nothing. */
struct debug_tour;
bool key_line(int key, const struct debug_tour *tour, char *line, size_t size);

#endif
