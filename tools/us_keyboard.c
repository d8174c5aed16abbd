// SPDX-License-Identifier: GPL-2.0-or-later
/* A US keyboard: see tools/us_keyboard.h. */
#include "tools/us_keyboard.h"

#include <stddef.h>
#include <string.h>

/* The rows of the keyboard: the first key's number, and what they make without and with Shift. */
static const struct {
    unsigned int first;
    const char *plain, *shifted;
} rows[] = {
    { 2, "1234567890-=", "!@#$%^&*()_+" },
    { 16, "qwertyuiop[]", "QWERTYUIOP{}" },
    { 30, "asdfghjkl;'`", "ASDFGHJKL:\"~" },
    { 43, "\\zxcvbnm,./", "|ZXCVBNM<>?" },
    { 57, " ", " " },
};

unsigned int us_key(char c, bool *shift)
{
    for (size_t i = 0; c && i < sizeof(rows) / sizeof(rows[0]); i++) {
        const char *plain = strchr(rows[i].plain, c), *shifted = strchr(rows[i].shifted, c);

        *shift = !plain;
        if (plain || shifted)
            return rows[i].first + (unsigned int)(plain ? plain - rows[i].plain : shifted - rows[i].shifted);
    }
    return 0;
}
