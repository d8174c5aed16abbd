// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Whether what was built is still of what the student wrote.
 *
 * Concept: after a build a digest of all that went into it and came out of it is noted in .build/fresh: the contents
 * of the student's files, and of xenlab's own libraries and of what was built their sizes and times. As long as it is
 * the same, nothing is built. Who can write there can make it lie; so this is for `check`, never for marks.
 */
#ifndef TOOLS_LAB_FRESH_H
#define TOOLS_LAB_FRESH_H

#include "tools/lab/check.h"

/* A digest of the files that the lab has the student write, as text; "" if one of them cannot be read. */
#define FRESH_DIGEST 65
void fresh_digest(const struct check *c, char digest[FRESH_DIGEST]);

bool fresh_is(const struct check *c);
void fresh_note(const struct check *c);
void fresh_forget(const struct check *c);

#endif
