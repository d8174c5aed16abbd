// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Twists: a rule of xenlab's that is another one in a class.
 *
 * Concept: what xenlab does is open, here and in Xen, so a solution can be copied. For a lab there may be twists: each
 * changes one rule of xenlab's own files, and says in a paragraph for the lab's text what the rule is now. A class's
 * twist is chosen by a word that the teacher has thought of; what is right is then what the twisted files do, and
 * xenlab's own fail, by a property. labs/teacher/twists/NN-NAME/ has them, as variants are (tools/lab/variant.h):
 *
 *      FAIL width: the result is put into all 64 bits      the property by which xenlab's own files fail
 *                                                          the paragraph, up to the first <<<<
 *      <<<<
 *      ====
 *      >>>>
 *
 * A lab of form P is judged by what its workloads expect (tools/lab/form_p.h): they are as one of the files, the last.
 */
#ifndef UI_LAB_TWIST_H
#define UI_LAB_TWIST_H

#include "tools/lab/check.h"
#include "tools/lab/variant.h"
#include "ui/lab/folder.h"
#include "ui/lab/place.h"

struct twist {
    char name[64];           /* "": there is none */
    char *told;              /* the paragraph */
    struct variant v;        /* v.source: the files; of form P the workloads behind them */
    char built[FOLDER_SIZE]; /* where they were built; "": nowhere */
};

/* Which one a word chooses for a lab, of those that there are. STATUS_OK, or a message; twist_free() in any case. */
int twist_choose(const struct lab_place *p, const struct lab *l, const char *word, struct twist *t);
/* The twist of a name. The same. */
int twist_read(const struct lab_place *p, const struct lab *l, const char *name, struct twist *t);
/* Build it, so that checks by c compare with what it does. STATUS_OK, or a message. */
int twist_build(struct twist *t, struct check *c);
void twist_free(struct twist *t);

/* Whether what is expected is among what it changes: v.source[l->nr_files], the file workloads. */
bool twist_expects(const struct lab *l);

/* The names of a lab's twists, *nr of them, each and all to be freed. NULL: there are none. */
char **twist_names(const struct lab_place *p, const struct lab *l, unsigned int *nr);

#endif
