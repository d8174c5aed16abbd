// SPDX-License-Identifier: GPL-2.0-or-later
/* Files, to a program that does without bubblewrap: it opens those that it was shown, and no others. */
#ifndef TOOLS_SANDBOX_FENCE_H
#define TOOLS_SANDBOX_FENCE_H

#include <stdbool.h>

/* Can the kernel do it? Landlock, in Linux since 5.13. */
bool sandbox_fences(void);
/*
 * From here on this process, and what it becomes or starts, reads and executes what is in those lists (files and
 * folders, with all below; NULL ends each; what is not there does not matter), writes below `write` (NULL: nowhere),
 * opens no network connection, and as far as the kernel knows how, signals none outside. 0 or -errno.
 */
int sandbox_fence(const char *const *see, const char *const *libraries, const char *program, const char *write);

#endif
