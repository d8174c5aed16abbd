// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Packets of gdb's remote protocol (gdb's manual, "Remote Protocol"): bytes in, bytes out, and nothing else.
 *
 * Concept:
 *
 *      $ m 4 0 0 , 8 # 6 0         between $ and # what is said; then the sum of those bytes, in two hexadecimal digits
 *      + -                         the last packet has come whole; it has not: once more
 *      0x03                        Ctrl-C, between packets
 *
 * What would be taken for the frame is escaped: '}', and the byte xor 0x20.
 *
 * Invariants: whatever bytes come, a packet that is handed out is no longer than PACKET_MAX and ends with a zero byte
 * behind it; a longer one is wrong, as one with another sum is. A '$' begins anew wherever it stands.
 */
#ifndef UI_GDB_PACKET_H
#define UI_GDB_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PACKET_MAX 16384

enum packet_event {
    PACKET_MORE,  /* nothing yet */
    PACKET_WHOLE, /* it is in text */
    PACKET_WRONG, /* its sum is another, or it is too long */
    PACKET_ACK,
    PACKET_NAK,
    PACKET_BREAK /* Ctrl-C */
};

struct packet_reader {
    enum { PACKET_OUTSIDE, PACKET_INSIDE, PACKET_SUM, PACKET_SUM_LOW } state;
    bool escaped, wrong;
    uint8_t sum, said; /* of the bytes so far; what the packet says it is */
    size_t len;
    char text[PACKET_MAX + 1];
};

enum packet_event packet_take(struct packet_reader *r, uint8_t byte);

/* Bytes that grow; zero at first. */
struct bytes {
    char *at;
    size_t len, cap;
    bool lost; /* there was no memory for some */
};

void bytes_put(struct bytes *b, const void *data, size_t n);
void bytes_text(struct bytes *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void bytes_hex(struct bytes *b, const void *data, size_t n);
void bytes_free(struct bytes *b);
/* A frame around it. */
void packet_put(struct bytes *out, const void *data, size_t n);

/* A number of up to 16 digits; *p moves behind it. False: there is none, or a longer one. */
bool hex_number(const char **p, uint64_t *value);
/* n bytes of 2 * n digits, of which there are no fewer. False: there are other characters. */
bool hex_bytes(const char *text, void *data, size_t n);

#endif
