// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * suspend-uncooperative: suspend.c without the promise that a suspend may be called off (the ELF note SUSPEND_CANCEL is
 * 0).
 */
#define SUSPEND_CANCEL 0
#include "guests/suspend.c"
