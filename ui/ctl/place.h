// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Where control sockets are: a path, or a machine's name below $XDG_RUNTIME_DIR/xenlab, where each run has its own.
 */
#ifndef UI_CTL_PLACE_H
#define UI_CTL_PLACE_H

#include <stdbool.h>
#include <stddef.h>

#define CTL_PLACE_SIZE     108 /* as struct sockaddr_un has room */
#define CTL_PLACE_ERR_SIZE 512

/* given: a path if it has a slash, else a name. -1 and a message, which begins with `option`. */
int ctl_place(const char *option, const char *given, char path[CTL_PLACE_SIZE], char err[CTL_PLACE_ERR_SIZE]);
/* The place by default of a machine of that name, in a folder of this user alone, which is made. n > 1: "NAME-n". */
int ctl_place_default(const char *name, unsigned int n, char path[CTL_PLACE_SIZE], char err[CTL_PLACE_ERR_SIZE]);
/* There is one machine: there. -1: none, or several, whose names the message says. */
int ctl_place_only(char path[CTL_PLACE_SIZE], char err[CTL_PLACE_ERR_SIZE]);
/* Somebody listens there: a connected socket; -1: nobody (errno says why). */
int ctl_connect(const char *path);

#endif
