// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The characters that a PC's graphics card has: code page 437, with pictures where ASCII has control characters.
 *
 * Source: IBM, code page 437 (CPGID 00437); Unicode's mapping of it, VENDORS/MICSFT/PC/CP437.TXT, and for the first 32
 * VENDORS/MISC/IBMGRAPH.TXT.
 */
#ifndef TOOLS_CP437_H
#define TOOLS_CP437_H

#include <stdint.h>

/* Unicode's character; one column wide. */
uint16_t cp437_char(uint8_t character);
/* What is most like one of these where there is only ASCII; 0: it is none of these, or ASCII itself. */
char cp437_ascii(uint32_t ch);

#endif
