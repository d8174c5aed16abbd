// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Running what students have written, so that it hurts nobody.
 *
 * Concept: a program is started anew (nothing of the caller's memory comes along), with an empty environment, no open
 * files but its output and one descriptor that it is given, and limits. Where there is bubblewrap (bwrap) it sees the
 * system's libraries and the files that it is shown, all read-only, and no other process, network or file. Without, it
 * runs with its user's rights (root's: with nobody's), which callers should say; if the kernel has Landlock (fence.h),
 * it opens no other files either. Its output is kept apart, and as much
 * of it as is wanted. What it means that it ended, the caller says: a program in here reports facts, and judges
 * nothing.
 *
 *     struct sandbox what        sandbox_spawn()        struct sandbox_run       sandbox_read()   what it prints
 *     it may see and use    ------------------------>   one that runs      ----> sandbox_cpu()    what it has used
 *                                                                                sandbox_ended()  how it ended
 *                                                                                sandbox_end()    it must end now
 *
 * A program that has no use for them gives up system calls by itself: alone.h.
 */
#ifndef TOOLS_SANDBOX_SANDBOX_H
#define TOOLS_SANDBOX_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct sandbox {
    const char *const *see; /* files and folders it may read, besides the system's libraries; absolute, NULL ends it */
    const char *write;      /* a folder that it may write to; absolute, NULL: none */
    int fd;                 /* becomes its descriptor 3; -1: none */
    uint64_t memory;        /* bytes of address space; 0: as many as it likes */
    uint64_t cpu;           /* seconds of CPU time in all; 0: as many as it likes */
    uint64_t file;          /* bytes that a file may have which it writes */
    bool single;            /* it starts no other program, nor a thread: who tries gets SIGSYS */
    bool proc;              /* it has a /proc, of itself alone: sanitizers want to know where they are */
    bool bare;              /* without bubblewrap, even if there is one */
};

struct sandbox_run {
    pid_t pid;    /* what was started: bubblewrap, or the program itself */
    pid_t inside; /* the program; 0: not known, see sandbox_cpu() */
    int output;   /* what it prints comes out here; never blocks */
    bool wrapped, ended;
    int status; /* as of waitpid(), once it has ended */
};

/*
 * Can bubblewrap be used here? That is tried, once. XENLAB_BWRAP=no in the environment: it is as if there were none;
 * yes: who called has tried it.
 */
bool sandbox_wraps(void);
/*
 * Where it can be used, it is. argv[0] is an absolute path, and need not be in `see`. 0 or -1, and why.
 */
int sandbox_spawn(const struct sandbox *s, const char *const argv[], struct sandbox_run *r, char *why, size_t len);
/* What it has printed and was not read yet, at most len bytes; 0: nothing, at present. */
size_t sandbox_read(struct sandbox_run *r, char *buf, size_t len);
/* Seconds of CPU time that r->inside has used (if that is 0: r->pid). -1: it has ended. */
double sandbox_cpu(const struct sandbox_run *r);
/* Has it ended by itself? Then r->status is set; the number of the signal that ended it, or 0. */
bool sandbox_ended(struct sandbox_run *r);
int sandbox_signal(const struct sandbox_run *r);
/* It, and all that it has started, is over; what belongs to r is given back. Call it once, in any case. */
void sandbox_end(struct sandbox_run *r);

#endif
