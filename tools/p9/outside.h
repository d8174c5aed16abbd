// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The outside of a shared folder: what questions of its server (rings/p9/server.h) mean to the files of the host.
 *
 * Concept: a question names a path below the share's root. Its parent is opened component by component, none of which
 * may be a symbolic link, and what is done is done to the last name in it, and never to what a link there leads to. So
 * nothing outside of the root is reached, whatever others do to the tree meanwhile.
 *
 * Files that the client has opened stay open under their handles, as many as there is room for. One that was closed for
 * want of room, or was opened in a past that this process has not seen, is opened again by its path.
 *
 * Invariant: only regular files and directories are opened; the rest is looked at, renamed and removed.
 */
#ifndef TOOLS_P9_OUTSIDE_H
#define TOOLS_P9_OUTSIDE_H

#include "rings/p9/wire.h"

#include <dirent.h>

#define P9_OUTSIDE_FILES 128

struct p9_outside_file {
    uint32_t share, handle; /* 0: the place is free */
    uint64_t used;          /* the highest was used last */
    int fd;
    DIR *dir; /* of fd, if it is a directory that has been read */
};

/* All zero but for the root's descriptor of each share is one that has opened nothing. */
struct p9_outside {
    struct p9_outside_file file[P9_OUTSIDE_FILES];
    uint64_t uses;
};

/* Do what a question asks for below `root`, an open directory. 0 and the answer's body in out, *len of room bytes; or
 * an errno. */
uint32_t p9_outside_do(struct p9_outside *o, uint32_t share, int root, const uint8_t *question, size_t size,
                       uint8_t *out, size_t room, size_t *len);
void p9_outside_close(struct p9_outside *o);

#endif
