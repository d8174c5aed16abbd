// SPDX-License-Identifier: GPL-2.0-or-later
/* Where labs are, beside this program, and what all commands about them do with files. */
#ifndef UI_LAB_PLACE_H
#define UI_LAB_PLACE_H

#include "tools/lab/lab.h"

enum { STATUS_FAILED = 2 };

struct lab_place {
    char root[4128], built[4096]; /* sources, and what was built of them */
    struct lab *labs;
    unsigned int nr;
};

/* A message; STATUS_ENVIRONMENT. */
int lab_complain(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* All labs, read. STATUS_OK, or a message and STATUS_ENVIRONMENT; labs_free() in any case. */
int lab_place_find(struct lab_place *p);
/* By its number or name; NULL, and a message. */
const struct lab *lab_find(const struct lab_place *p, const char *word);
/* To be freed; NULL, and a message. */
char *lab_file_read(const char *path);
/* xenlab's own files that the lab is about, to be freed if it is true; else a message. */
bool lab_sources_read(const struct lab_place *p, const struct lab *l, char *source[LAB_FILES_MAX]);
void lab_sources_free(const struct lab *l, char *source[LAB_FILES_MAX]);
/* A new file: what is there already is not overwritten. */
int lab_file_write(const char *path, const char *text);

#endif
