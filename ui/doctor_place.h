// SPDX-License-Identifier: GPL-2.0-or-later
/* Where xenlab has been started, and what that means for it. */
#ifndef UI_DOCTOR_PLACE_H
#define UI_DOCTOR_PLACE_H

#include <stdbool.h>

/* One thing about the place: `costs` and `type` (what to do) are NULL if it costs nothing. */
struct doctor_said {
    const char *name, *what, *costs, *type;
};

/*
 * Calls `say` for each thing that the files below `root` tell of the place ("" is this machine's own; tests have
 * made-up ones). What cannot be read is taken for what an ordinary machine has. The strings last until `say` returns.
 */
void doctor_place(const char *root, void (*say)(void *to, const struct doctor_said *said), void *to);

#endif
