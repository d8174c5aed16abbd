// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A test that a student can keep, change and give to others: some steps of one seed.
 *
 *      # why it is of interest
 *      seed 3
 *      steps 17,40       without this line: all of them
 */
#ifndef TOOLS_LAB_TESTFILE_H
#define TOOLS_LAB_TESTFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define TESTFILE_ERR_SIZE  160
#define TESTFILE_STEPS_MAX 20000 /* characters of that line */

struct testfile {
    uint64_t seed;
    char *keep; /* "17,40"; NULL: all; owned */
};

/* 0, or -1 and why. testfile_free() in any case. */
int testfile_read(struct testfile *t, const char *text, char err[TESTFILE_ERR_SIZE]);
void testfile_free(struct testfile *t);
/* The two lines; of nr = 0 steps the first alone. */
void testfile_write(FILE *out, uint64_t seed, const uint32_t *step, size_t nr);

#endif
