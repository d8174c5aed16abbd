// SPDX-License-Identifier: GPL-2.0-or-later
/* Opening files that a user has named: see tools/user_file.c. */
#ifndef TOOLS_USER_FILE_H
#define TOOLS_USER_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* Open it to be read. -1, and why in words that follow the path and a colon. */
int user_file_open(const char *path, char *why, size_t len);

/* Make or empty it, to be written with what a guest decides on: its name, its contents. -1 and why, as above. */
int user_file_create(const char *path, char *why, size_t len);

/*
 * For output that takes a while to make: the place is opened before the work, so that a mistake is noticed then, and
 * its content is as it was until user_file_output_start(). Links, FIFOs and devices are what the user wants them to be.
 * -1: why.
 */
struct user_file_output {
    int fd;
    bool is_new; /* there was no file */
};
int user_file_output_open(struct user_file_output *out, const char *path, char *why, size_t len);
/* The stream to write to, empty; NULL and errno. It is closed by itself. */
FILE *user_file_output_start(const struct user_file_output *out);
/* Close it. A file that was made for nothing is removed. */
void user_file_output_close(struct user_file_output *out, const char *path);

/* Is it the regular file that fd was opened on, by whatever name? */
bool user_file_is_open(const char *path, int fd);

#endif
