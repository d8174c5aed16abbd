// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a program was asked, in a file, to be asked again.
 *
 * Concept: a program that answers questions (guarded.h) does what it does because of them alone. So who asked can write
 * them down, and the program does all of it once more with nobody there, as often as one likes: in a debugger, say,
 * which stops at asked_here(), in front of the question that it was given.
 *
 *      xenlab sched --asked FILE ...        asked_write()      { now, call, length } bytes   { now, call, ...
 *      gdb --args xenlab-policy OBJECT FILE call 17            asked_receive() reads them, answers go nowhere
 *
 * Invariant: a program that is asked by somebody (GUARDED_FD) reads no file.
 */
#ifndef TOOLS_SANDBOX_ASKED_H
#define TOOLS_SANDBOX_ASKED_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/uio.h>

/* --- who asks --- */

/* A question, in nr pieces: the number of its call, and the model's time in ns. What goes wrong is ferror(f). */
void asked_write(FILE *f, int64_t now, uint64_t call, const struct iovec *v, size_t nr);

/* --- the program --- */

/*
 * From argv, behind the object: FILE [call N | from NS]. None: somebody asks. False: that is no such file, nor such
 * words.
 */
bool asked_from(int argc, char *const *argv);
/* The next question: its length; 0: there are no more. At most len bytes. */
ssize_t asked_receive(void *bytes, size_t len);
/* An answer. False: nobody is there who asks. */
bool asked_answer(const void *bytes, size_t len);
#endif
