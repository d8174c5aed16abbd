// SPDX-License-Identifier: GPL-2.0-or-later
/* Random histories of a xenstore, in the words of tests/xenstored/play.c: see history.c. */
#ifndef TESTS_XENSTORED_HISTORY_H
#define TESTS_XENSTORED_HISTORY_H

#include <stddef.h>
#include <stdint.h>

#define HISTORY_STEPS 160

struct history {
    char *step[HISTORY_STEPS];
    size_t nr;
};

/* The same seed gives the same history. */
void history_make(struct history *h, uint64_t seed);
void history_free(struct history *h);

#endif
