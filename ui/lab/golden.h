// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Seeds for a class, and what xenlab's own files do on them.
 *
 * Concept: golden reports take the place of golden programs where those would be an answer (tools/lab/stored.h). Seeds
 * are a class's own: so many as the lab has, one after the other, the first of them by the class's name, and such that
 * every property is met. Whether steps may be left out of a report is not believed but tried.
 */
#ifndef UI_LAB_GOLDEN_H
#define UI_LAB_GOLDEN_H

#include "tools/lab/check.h"

/* Set c->seed_from and c->seed_to, near `wish`. STATUS_OK, or a message. */
int golden_seeds(struct check *c, uint64_t wish);
/* Make the reports of those seeds in DIR/labs/golden/NN-NAME. STATUS_OK, or a message. */
int golden_store(struct check *c, const char *dir);

#endif
