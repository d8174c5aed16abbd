// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a student has handed in.
 *
 * Concept: a folder, an archive (tar, gzipped or not, as `xenlab lab submit` makes) or, where a lab is about one file,
 * that file. The lab's files are looked for by name, at its top or in a folder of the lab's name; all else that is in
 * there is not looked at, so it does not matter what it is.
 *
 * Invariants: nothing is unpacked, so no name in an archive leads anywhere; no link is followed, no FIFO or device
 * waited for; a file has at most SUBMISSION_FILE bytes of text, an archive at most SUBMISSION_ALL, unpacked.
 */
#ifndef TOOLS_LAB_SUBMISSION_H
#define TOOLS_LAB_SUBMISSION_H

#include "tools/lab/lab.h"

#define SUBMISSION_FILE     (1 << 20)
#define SUBMISSION_ALL      (64 << 20)
#define SUBMISSION_ERR_SIZE 200

/*
 * 0: text[] has them, as lab->file, to be freed; 1: it is no submission, and why, in words that name nothing of this
 * machine's; -1: path cannot be read, and why.
 */
int submission_read(const char *path, const struct lab *lab, char *text[LAB_FILES_MAX], char err[SUBMISSION_ERR_SIZE]);

#endif
