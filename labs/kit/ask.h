// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * How the checks of a guest's lab call the code that is checked.
 *
 * Concept: both are in one kernel, and either could change the other. So xenlab itself watches
 * (tools/debug/witness.c): it stops in front of this call and behind it, and what is the checks' has to be the same
 * then, but for what is said here. What they report is taken from them outside of such calls alone, at kit_says, and
 * not from the console.
 *
 *      kit_asks:   call trap_catch     <- all that is not the student's is noted
 *      kit_asked:                      <- and compared; in between nothing is believed
 */
#ifndef LABS_KIT_ASK_H
#define LABS_KIT_ASK_H

#include "guests/rt/guest.h"

/*
 * trap_catch(fn, arg). page: an address in the initial region whose page may have another frame afterwards; NULL: no
 * page may. fn may leave something in kit_left.
 */
struct caught kit_ask(long (*fn)(long), long arg, const void *page);
extern uint64_t kit_left[8];

#endif
