// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What `xenlab lab export` makes for a class, and the texts in it that are no lab's.
 */
#ifndef UI_LAB_CLASS_H
#define UI_LAB_CLASS_H

#include "ui/lab/place.h"

struct class_order {
    const char *class, *labs, *twist, *dir; /* twist: "" for none */
    bool open;                              /* labs may have their files whole */
    bool wanted[100], closed[100];          /* by a lab's number; closed: its files are without bodies */
    uint64_t wish;                          /* the first visible seed */
};

/* Each: STATUS_OK, or a message. */

/* DIR/name, which may be there, is that text. */
int class_text(const char *dir, const char *name, const char *text);
/* labs/class.mk, for make: labs without golden programs; and their files, in which much is not used any more. */
int class_make(const struct lab_place *p, const struct class_order *o);
/* CLASS.md: where to begin. */
int class_readme(const struct lab_place *p, const struct class_order *o);
/* DIR.key, which is new: `visible` are the lines of its list. */
int class_key(const struct lab_place *p, const struct class_order *o, const char *visible);

#endif
