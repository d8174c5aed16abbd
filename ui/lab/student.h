// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A student's folder, and checks of what is in it.
 *
 * Concept: `start` makes a folder with a lab's name; it is found again as the current one, or below that by its name.
 * Each check leaves there, in failed/, a test for each property that fails (tools/lab/testfile.h), and in the folder's
 * parent, in .xenlab-lab, what has been passed (progress.h).
 */
#ifndef UI_LAB_STUDENT_H
#define UI_LAB_STUDENT_H

#include "tools/lab/check.h"
#include "ui/lab/place.h"

/* Which lab's folder is the current one? NULL: none's. */
const struct lab *student_lab(const struct lab_place *p);
/* argv[0], if there is one, names the lab; else the current folder does. NULL, and a message. */
const struct lab *student_lab_or(const struct lab_place *p, int argc, char *const *argv);
/* Where it is, absolute. False, and a message. */
bool student_folder(const struct lab *l, char *folder, size_t size);

/* Until this is closed others wait: two checks would build into each other's program, or note over each other. */
int student_lock(const char *folder);
/* A check of it as a student's: with the seeds of lab.conf, and not built again if it is of the same files. */
struct check student_check(const struct lab_place *p, const struct lab *l, const char *folder);
/* check_run(), and messages; what fails is left in failed/, unless c->keep is set. Returns the exit status. */
int student_check_run(struct check *c);

/* What the compiler's own checks say, if they do. */
void student_careful_print(const struct check *c);
/* How property i stands, as `check` says it. */
void student_finding_print(const struct check *c, unsigned int i);

#endif
