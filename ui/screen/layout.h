// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Where panels are on a screen: a pure function of its size and of a plan.
 *
 * Concept: a plan is a line of text: columns from left to right, each of which is bands from top to bottom, each of
 * which is panels side by side.
 *
 *      3:code+registers*2|trace*3 / 2:ladder=9|console
 *
 *      +-------+-----------+-----------+     columns are as wide as 3 to 2, and the first one's bands as high as 2 to
 *      | code  | registers |  ladder   |     3; ladder has 9 rows, and console, where nothing is said, one part of
 *      +-------+-----------+-----------+     what is left.
 *      |      trace        |  console  |
 *      +-------------------+-----------+
 *
 * Between columns, and between panels of a band, is a line of one column.
 *
 * Invariants: places do not overlap, and with the lines between them they fill the screen.
 */
#ifndef UI_SCREEN_LAYOUT_H
#define UI_SCREEN_LAYOUT_H

#include <stdbool.h>

#define LAYOUT_PANELS   24
#define LAYOUT_ERR_SIZE 160

struct layout_place {
    unsigned int panel; /* as `find` has numbered it */
    unsigned int row, col, rows, cols;
    bool line; /* there is a line left of it */
};

struct layout {
    unsigned int nr;
    struct layout_place place[LAYOUT_PANELS];
};

/* The number of a panel by its name, -1: there is none. */
typedef int layout_find(const char *name, unsigned int len);

/* Rows and columns of the whole. False and a message: the plan makes no sense. What has no room is left out. */
bool layout_make(struct layout *l, const char *plan, layout_find *find, unsigned int rows, unsigned int cols,
                 char err[LAYOUT_ERR_SIZE]);

#endif
