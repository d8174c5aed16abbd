// SPDX-License-Identifier: GPL-2.0-or-later
/* What writing and reading recordings have in common: see tools/rewind/record.h. */
#ifndef TOOLS_REWIND_RECORD_PRIVATE_H
#define TOOLS_REWIND_RECORD_PRIVATE_H

#include "tools/rewind/record.h"

#define RECORD_MAGIC    "xenlab recording "
#define RECORD_NR_KINDS (RECORD_END + 1)
#define RECORD_NR_ENDS  (RECORD_KNOWN + 1)

extern const char *const record_kind_names[RECORD_NR_KINDS]; /* NULL: the journal has the name */
extern const char *const record_end_names[RECORD_NR_ENDS];

/* A further file, with copies of both. False: no memory. */
bool record_head_add(struct record_head *h, const char *path, const char *digest);

#endif
