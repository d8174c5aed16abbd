// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Expectations, as far as they are the same whoever measures: lines that begin with `expect`, their words, and what it
 * is for one to hold. tools/workbench/expect.h has those about schedulers, tools/kit/expect.h those about other kits.
 */
#ifndef TOOLS_EXPECT_H
#define TOOLS_EXPECT_H

#include <stdbool.h>
#include <stdio.h>

#define EXPECT_TEXT 160 /* of a line without "expect ", with its 0 */

enum expect_found { EXPECT_END, EXPECT_LINE, EXPECT_WRONG };
/*
 * The next such line of f, without "expect ", comment and blanks around it, and its number (*line: that of the one
 * before). Other lines are the workload's, and skipped, or (!workload) wrong. EXPECT_WRONG: *why says what it is.
 */
enum expect_found expect_line(FILE *f, bool workload, char text[EXPECT_TEXT], unsigned int *line, const char **why);

/* The next word at *at, which is cut off there and moves on; or "". */
char *expect_word(char **at);
/* "<=", ">=", "==", "!=", "<" or ">". */
bool expect_is_op(const char *word);
/* How far the value is on the right side of the limit, less than 0 where it is not; of no value, not a number. */
double expect_margin(const char *op, double value, double limit);
/* < and > and != want a margin, the others none. Without a value nothing holds. */
bool expect_holds(const char *op, double margin);

#endif
