// SPDX-License-Identifier: GPL-2.0-or-later
/* Folders as students have them, made to be checked and removed again. */
#ifndef UI_LAB_FOLDER_H
#define UI_LAB_FOLDER_H

#include "tools/lab/lab.h"

#define FOLDER_SIZE 32

/* With the lab's files in it. STATUS_OK, or a message and STATUS_ENVIRONMENT; folder_remove() in any case. */
int folder_make(char folder[FOLDER_SIZE], const struct lab *l, char *const *text);
void folder_remove(const char *folder);

#endif
