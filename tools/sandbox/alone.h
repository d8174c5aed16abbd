// SPDX-License-Identifier: GPL-2.0-or-later
/* A program gives up what it will not need, before it runs code of others; or it is given up for it. */
#ifndef TOOLS_SANDBOX_ALONE_H
#define TOOLS_SANDBOX_ALONE_H

/*
 * From here on this process starts no other, signals no other and traces none, has no network, mounts nothing, becomes
 * nobody else, and changes no file by name: who tries gets SIGSYS, whose handler is told the number of the system call
 * (si_syscall), and stays what it is. With `files` 0 it opens none by name either, not even to read it. 0 or -errno; it
 * can be called again, to give up more.
 */
int sandbox_alone(int files);
/*
 * The same for a program that is about to be started: it may start no others, nor threads, or gets SIGSYS.
 * sandbox_single() is for this process and what it becomes, 0 or -errno; sandbox_single_fd() has it as a file that
 * bubblewrap takes, to be closed, or -1.
 */
int sandbox_single(void);
int sandbox_single_fd(void);
/* "fork"; NULL: it is not one of those. */
const char *sandbox_alone_name(long number);

#endif
