// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Writing a stream (tools/save/format.h).
 *
 * Invariant: what is asked of the domain that is saved, which takes virtual time, does not depend on what becomes of
 * the file. So nobody asks whether it can be written until the end.
 */
#ifndef TOOLS_SAVE_OUT_H
#define TOOLS_SAVE_OUT_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct save_out {
    FILE *file; /* NULL: nobody wants it */
    int error;  /* errno of the first that failed */
};

void out_put(struct save_out *o, const void *data, size_t n);
/* A record whose body is a and b; its zeroes follow. */
void out_record(struct save_out *o, uint32_t type, const void *a, size_t na, const void *b, size_t nb);
/* The parts of one whose body is put by itself. */
void out_record_begin(struct save_out *o, uint32_t type, size_t length);
void out_record_end(struct save_out *o, size_t length);

#endif
