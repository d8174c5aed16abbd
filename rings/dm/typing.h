// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Text that is typed: what a terminal sends, as keys of a US keyboard.
 */
#ifndef RINGS_DM_TYPING_H
#define RINGS_DM_TYPING_H

#include "rings/dm/state.h"

/* An escape sequence that has begun. All zero: none. */
struct typing {
    char sequence[8];
    uint8_t n;
};

/* A key, by Linux's numbers, goes down or up. */
typedef void typing_key_fn(void *data, unsigned int key, bool down);

/* A character comes. */
void typing_char(struct typing *t, char c, typing_key_fn *fn, void *data);
/* No more come for now: an Escape that nothing followed was the key. */
void typing_pause(struct typing *t, typing_key_fn *fn, void *data);
void typing_state(struct typing *t, struct dm_state *s);

#endif
