// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A guest's console somewhere else than on the standard output: `--console-to [GUEST=]pty|file:PATH|socket:PATH`; and
 * what its channels have there (ui/run/channels.c).
 *
 * Concept: the words are those of xl and xenconsoled. A pty is a terminal of the host's, which any terminal program
 * opens by its path (which is in console/tty of xenstore too); a socket is one that such programs connect to, several
 * at a time if they like; a file takes what is written, and what is read comes from the keyboard as ever.
 *
 * Invariants: what nobody has taken yet waits: so who comes late reads what was said before. As xenconsoled, it keeps
 * CONSOLE_DOOR_WAITING bytes of that, and forgets the oldest of more: a guest is never held up by who looks at it, so
 * that cannot change what it computes. What was typed is taken as far as the guest takes it: the rest stays where it
 * comes from.
 */
#ifndef UI_CONSOLE_DOOR_H
#define UI_CONSOLE_DOOR_H

#include "ui/socket_door.h"

#define CONSOLE_DOOR_WAITING  (1u << 20) /* bytes: console/limit of xenstore */
#define CONSOLE_DOOR_TTY_SIZE 64

struct console_door {
    enum console_door_kind { CONSOLE_DOOR_NONE, CONSOLE_DOOR_PTY, CONSOLE_DOOR_FILE, CONSOLE_DOOR_SOCKET } kind;
    int fd, slave;                   /* PTY: both ends, so that it is there before who opens it, and after; FILE: fd */
    char tty[CONSOLE_DOOR_TTY_SIZE]; /* PTY: its path */
    struct socket_door socket;       /* SOCKET */
    unsigned int clients;            /* of it */
    char *out, *in;                  /* that nobody has taken; that the guest has not */
    size_t out_from, out_end, in_len;
    uint64_t forgotten; /* bytes */
    int error;          /* FILE: errno of the first failed write */
};

/* Is it such a word? path: behind the colon, in what; NULL: there is none. */
bool console_door_word(const char *what, enum console_door_kind *kind, const char **path);
/* path is kept. -1 and a message, which begins with `option`; either way console_door_close() ends it. */
int console_door_open(struct console_door *d, enum console_door_kind kind, const char *option, const char *path,
                      char *err, size_t size);
/* Who reads may finish what was written. */
void console_door_close(struct console_door *d);

/* What the guest writes. */
void console_door_out(struct console_door *d, const char *text, size_t len);
/* Take what has come, without waiting, and give what waits. */
void console_door_take(struct console_door *d);
/* Of what has come the first bytes, at most room: how many. */
size_t console_door_read(struct console_door *d, char *text, size_t room);

/* Can something come from here? */
static inline bool console_door_speaks(const struct console_door *d)
{
    return d->kind == CONSOLE_DOOR_PTY || d->kind == CONSOLE_DOOR_SOCKET;
}
/* What to wait for: how many were filled in, at most CONSOLE_DOOR_FDS. */
#define CONSOLE_DOOR_FDS (1 + SOCKET_DOOR_CLIENTS)
nfds_t console_door_fds(const struct console_door *d, struct pollfd *fds);

#endif
