// SPDX-License-Identifier: GPL-2.0-or-later
/* Opening files that a user has named: see tools/user_file.c. */
#ifndef TOOLS_USER_FILE_H
#define TOOLS_USER_FILE_H

#include <stddef.h>

/* Open it to be read. -1, and why in words that follow the path and a colon. */
int user_file_open(const char *path, char *why, size_t len);

/* Make or empty it, to be written with what a guest decides on: its name, its contents. -1 and why, as above. */
int user_file_create(const char *path, char *why, size_t len);

#endif
