// SPDX-License-Identifier: GPL-2.0-or-later
/* What a guest's checks report that have student's code in their kernel: see witness.c. */
#ifndef UI_LAB_WITNESS_H
#define UI_LAB_WITNESS_H

/*
 * xenlab lab witness COUNTS WORD...: COUNTS as --stats names them, with commas between; words as of `xenlab run`, the
 * guest with the checks before others. It prints a report (tools/lab/facts.h); its last line is "ended WHY" if the
 * report is not whole. The exit status.
 */
int lab_witness(int argc, char *const *argv);

#endif
