// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A source file without what the student is to write.
 *
 * Concept: the starter is made from the file that xenlab itself is built of, so it is never another version: heads,
 * types and helpers stay, the named functions lose their bodies. That a body ends at the first brace in column 0 is a
 * habit of this project's formatting, which `make lint` keeps.
 */
#ifndef TOOLS_LAB_STARTER_H
#define TOOLS_LAB_STARTER_H

#include <stdbool.h>
#include <stddef.h>

struct starter_body {
    const char *function, *instead; /* the statement that stands in its place: "return false;", or "" */
};

/* The text, to be freed; NULL: err says which function is not defined there, or that memory is short. */
#define STARTER_ERR_SIZE 160
char *starter_make(const char *source, const struct starter_body *body, size_t nr, char err[STARTER_ERR_SIZE]);
/*
 * Of several sources, each without those bodies that are in it: every one is in exactly one of them. starter[] are to
 * be freed if it is true, else none is there.
 */
bool starters_make(const char *const *source, char **starter, size_t nr_sources, const struct starter_body *body,
                   size_t nr, char err[STARTER_ERR_SIZE]);

#endif
