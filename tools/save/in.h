// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Reading a stream (tools/save/format.h): what kind of file it is, and its records one by one.
 *
 * Invariants: whatever the bytes are, nothing behind them is read. What saved_open() has looked through is a whole
 * stream: headers as they must be, each record in its place and of a kind that may be there, zeroes between them, an
 * end at the end. What is in the records is for who reads them.
 */
#ifndef TOOLS_SAVE_IN_H
#define TOOLS_SAVE_IN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SAVED_ERR_SIZE 256

/* Bytes that are still to be read. */
struct stream_in {
    const uint8_t *at;
    size_t left;
};

/* A record, whose body is in the file's bytes. */
struct stream_body {
    uint32_t type;
    const uint8_t *body;
    size_t length;
};

/* A saved domain: parts of the file's bytes, which are the caller's. */
struct saved {
    const char *config; /* an xl.cfg; no 0 behind it */
    size_t config_len;
    bool hvm;                    /* PVH or HVM, else PV */
    struct stream_in libxc;      /* records, END included */
    struct stream_body emulator; /* EMULATOR_CONTEXT, behind its header; body NULL: none */
    bool emulator_is_qemu;
};

/* Find the parts. False, and why, in words that follow the file's name and a colon. */
bool saved_open(struct saved *s, const void *data, size_t size, char why[SAVED_ERR_SIZE]);
/* The next record. False: there is none, or it is no whole one. */
bool stream_next(struct stream_in *in, struct stream_body *r);
/* "PAGE_DATA"; NULL: there is no such record of libxc's. */
const char *libxc_record_name(uint32_t type);

#endif
