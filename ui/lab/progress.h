// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a student has passed: .xenlab-lab, in the folder that labs' folders are in.
 *
 * Concept: plain text, a line a lab: its name, and a digest of the files that passed. It is carried to another machine
 * with the folders, as any file is. It is no evidence: marks begin anew.
 *
 *      01-trap-and-emulate 5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef
 *
 * Invariants: it is replaced as a whole or not at all; lines that say nothing to this program stay as they are.
 */
#ifndef UI_LAB_PROGRESS_H
#define UI_LAB_PROGRESS_H

#include "tools/lab/check.h"
#include "ui/lab/place.h"

/* Note that all properties hold of what is in c->folder. What goes wrong is said, and no more comes of it. */
void progress_passed(const struct check *c);
/* `xenlab lab progress`. Returns the exit status. */
int lab_progress(const struct lab_place *p, int argc, char *const *argv);

#endif
