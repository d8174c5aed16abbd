// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Variants of a lab's files, which an author's test of the lab is made of.
 *
 * Concept: a grader is graded as well. For each lab there are mutants, wrong in a way that students are, which must
 * fail by the property that is named, and right solutions that are written otherwise, which must pass. Each is a file
 * in labs/teacher/NN-NAME/ that says what it changes in xenlab's own:
 *
 *      FAIL iopl: CLI is refused          or  PASS: with a table in place of the switch
 *      <<<<
 *          case INSN_CLI:
 *      ====
 *      >>>>
 *
 * Invariant: what is between <<<< and ==== are whole lines, which stand in the sources exactly once, so that they say
 * which of them they are in; else the variant is none.
 */
#ifndef TOOLS_LAB_VARIANT_H
#define TOOLS_LAB_VARIANT_H

#include "tools/lab/lab.h"

#define VARIANT_ERR_SIZE 200

struct variant {
    bool passes;
    char property[32]; /* that it fails by */
    char what[120];
    char *source[LAB_FILES_MAX]; /* to be freed */
    unsigned int nr_sources;
};

/* Of nr sources. 0, or -1 and why. variant_free() in any case. */
int variant_read(struct variant *v, const char *text, const char *const *source, unsigned int nr,
                 char err[VARIANT_ERR_SIZE]);
void variant_free(struct variant *v);

#endif
