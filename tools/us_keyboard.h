// SPDX-License-Identifier: GPL-2.0-or-later
/* A US keyboard: which key makes which character. */
#ifndef TOOLS_US_KEYBOARD_H
#define TOOLS_US_KEYBOARD_H

#include <stdbool.h>

/* The key of a character from ' ' to '~', by Linux's numbers, and whether it wants Shift. 0: there is none. */
unsigned int us_key(char c, bool *shift);

#endif
