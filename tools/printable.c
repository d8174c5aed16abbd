// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Text of others, made fit for a terminal.
 *
 * Concept: what a guest, a file or a name says may be anything, and a terminal obeys some of it: ESC and what follows
 * moves the cursor, renames the window, answers as if typed. So before it is shown, everything that is no character to
 * be seen becomes a question mark:
 *
 *      00-1f, 7f                control characters (C0, DEL)
 *      c2 80 - c2 9f            the same 32 once more (C1), in UTF-8: c2 9b is ESC [
 *      what is no UTF-8         a terminal that is set to another encoding takes 80-9f for C1, too
 *
 * What is UTF-8 stays, since names are written in all languages.
 */
#include "tools/printable.h"

#include <stdint.h>

/* The length of the character in UTF-8 at p, 0 if it is none (too long a form of it, a surrogate, beyond Unicode). */
static size_t utf8_length(const uint8_t *p, size_t left)
{
    const size_t n = *p < 0x80 ? 1 : *p < 0xc2 ? 0 : *p < 0xe0 ? 2 : *p < 0xf0 ? 3 : *p < 0xf5 ? 4 : 0;

    if (n > left)
        return 0;
    for (size_t i = 1; i < n; i++)
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    if ((*p == 0xe0 && p[1] < 0xa0) || (*p == 0xed && p[1] > 0x9f) || (*p == 0xf0 && p[1] < 0x90) ||
        (*p == 0xf4 && p[1] > 0x8f))
        return 0;
    return n;
}

void make_printable(char *text, size_t len, bool lines)
{
    uint8_t *p = (uint8_t *)text;

    for (size_t i = 0, n; i < len; i += n ? n : 1) {
        n = utf8_length(p + i, len - i);
        if (n == 0 || (n == 1 && (p[i] < ' ' || p[i] == 0x7f) && !(lines && (p[i] == '\n' || p[i] == '\t')))) {
            p[i] = '?';
        } else if (n == 2 && p[i] == 0xc2 && p[i + 1] < 0xa0) {
            p[i] = p[i + 1] = '?';
        }
    }
}
