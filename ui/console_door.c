// SPDX-License-Identifier: GPL-2.0-or-later
/* A guest's console on a pty, in a file, at a socket: see ui/console_door.h. */
#include "ui/console_door.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

/* Who reads to the end is waited for as long as there is less each time. */
#define LAST_LOOKS   20
#define LAST_LOOK_MS 10

bool console_door_word(const char *what, enum console_door_kind *kind, const char **path)
{
    *path = NULL;
    if (!strcmp(what, "pty")) {
        *kind = CONSOLE_DOOR_PTY;
        return true;
    }
    if (!strncmp(what, "file:", 5))
        *kind = CONSOLE_DOOR_FILE;
    else if (!strncmp(what, "socket:", 7))
        *kind = CONSOLE_DOOR_SOCKET;
    else
        return false;
    *path = strchr(what, ':') + 1;
    return true;
}

static int fail(const char *option, char *err, size_t size, const char *what, const char *why)
{
    snprintf(err, size, "%s: %.300s: %s", option, what, why);
    return -1;
}

/* Bytes go through it as they are, as through xenconsoled's. */
static int pty_open(struct console_door *d, const char *option, char *err, size_t size)
{
    struct termios raw;

    d->fd = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    if (d->fd < 0)
        return fail(option, err, size, "pty", strerror(errno));
    if (grantpt(d->fd) || unlockpt(d->fd) || ptsname_r(d->fd, d->tty, sizeof(d->tty)))
        return fail(option, err, size, "pty", strerror(errno));
    d->slave = open(d->tty, O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (d->slave < 0 || tcgetattr(d->slave, &raw))
        return fail(option, err, size, d->tty, strerror(errno));
    cfmakeraw(&raw);
    if (tcsetattr(d->slave, TCSANOW, &raw))
        return fail(option, err, size, d->tty, strerror(errno));
    return 0;
}

int console_door_open(struct console_door *d, enum console_door_kind kind, const char *option, const char *path,
                      char *err, size_t size)
{
    *d = (struct console_door){ .kind = kind, .fd = -1, .slave = -1 };
    switch (kind) {
    case CONSOLE_DOOR_NONE: break;
    case CONSOLE_DOOR_PTY: return pty_open(d, option, err, size);
    case CONSOLE_DOOR_FILE:
        d->fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOCTTY | O_CLOEXEC, 0666);
        return d->fd < 0 ? fail(option, err, size, path, strerror(errno)) : 0;
    case CONSOLE_DOOR_SOCKET: d->socket.is_line = true; return socket_door_open(&d->socket, option, path, err, size);
    }
    return 0;
}

/* ----------------------------------------------------------------------------------------------------- out of it -- */

static void file_write(struct console_door *d, const char *text, size_t len)
{
    while (len && !d->error) {
        const ssize_t n = write(d->fd, text, len);

        if (n < 0 && errno != EINTR)
            d->error = errno;
        else if (n > 0)
            text += n, len -= (size_t)n;
    }
}

/* Behind what waits; of more than may wait the oldest is forgotten. */
static void keep(struct console_door *d, const char *text, size_t len)
{
    if (!d->out)
        d->out = malloc((size_t)2 * CONSOLE_DOOR_WAITING);
    if (!d->out || len > CONSOLE_DOOR_WAITING) {
        d->forgotten += len;
        return;
    }
    if (d->out_end - d->out_from + len > CONSOLE_DOOR_WAITING) {
        const size_t n = d->out_end - d->out_from + len - CONSOLE_DOOR_WAITING;

        d->out_from += n;
        d->forgotten += n;
    }
    if (d->out_end + len > (size_t)2 * CONSOLE_DOOR_WAITING) {
        d->out_end -= d->out_from;
        memmove(d->out, d->out + d->out_from, d->out_end);
        d->out_from = 0;
    }
    memcpy(d->out + d->out_end, text, len);
    d->out_end += len;
}

/* As much as is taken. */
static void give(struct console_door *d)
{
    while (d->kind == CONSOLE_DOOR_PTY && d->out_from < d->out_end) {
        const ssize_t n = write(d->fd, d->out + d->out_from, d->out_end - d->out_from);

        if (n <= 0)
            break;
        d->out_from += (size_t)n;
    }
    if (d->out_from == d->out_end)
        d->out_from = d->out_end = 0;
}

void console_door_out(struct console_door *d, const char *text, size_t len)
{
    if (d->kind == CONSOLE_DOOR_FILE) {
        file_write(d, text, len);
    } else if (d->kind == CONSOLE_DOOR_SOCKET && d->clients) {
        for (unsigned int i = 0; i < SOCKET_DOOR_CLIENTS; i++)
            if (d->socket.client[i].id)
                socket_door_out(&d->socket, d->socket.client[i].id, text, len);
    } else {
        keep(d, text, len);
        give(d);
    }
}

/* ------------------------------------------------------------------------------------------------------- into it -- */

static void arrived(struct console_door *d, const void *bytes, size_t len)
{
    char *more = realloc(d->in, d->in_len + len);

    if (!more)
        return;
    d->in = more;
    memcpy(d->in + d->in_len, bytes, len);
    d->in_len += len;
}

/* The first to come hears what was said before. */
static void on_client(void *data, unsigned int id, enum host_socket what, const void *bytes, size_t len)
{
    struct console_door *d = data;

    switch (what) {
    case HOST_SOCKET_OPEN:
        if (!d->clients++ && d->out) {
            socket_door_out(&d->socket, id, d->out + d->out_from, d->out_end - d->out_from);
            d->out_from = d->out_end = 0;
        }
        break;
    case HOST_SOCKET_BYTES: arrived(d, bytes, len); break;
    case HOST_SOCKET_CLOSE: d->clients--; break;
    case HOST_SOCKET_NR: break;
    }
}

void console_door_take(struct console_door *d)
{
    char bytes[4096];

    if (d->kind == CONSOLE_DOOR_SOCKET) {
        d->socket.deaf = d->in_len;
        socket_door_take(&d->socket, on_client, d);
    } else if (d->kind == CONSOLE_DOOR_PTY) {
        const ssize_t n = d->in_len ? 0 : read(d->fd, bytes, sizeof(bytes));

        if (n > 0)
            arrived(d, bytes, (size_t)n);
        give(d);
    }
    d->socket.deaf = d->in_len;
}

size_t console_door_read(struct console_door *d, char *text, size_t room)
{
    const size_t n = d->in_len < room ? d->in_len : room;

    if (!n)
        return 0;
    memcpy(text, d->in, n);
    d->in_len -= n;
    memmove(d->in, d->in + n, d->in_len);
    d->socket.deaf = d->in_len;
    return n;
}

nfds_t console_door_fds(const struct console_door *d, struct pollfd *fds)
{
    if (d->kind == CONSOLE_DOOR_SOCKET)
        return socket_door_fds(&d->socket, fds);
    if (d->kind != CONSOLE_DOOR_PTY)
        return 0;
    fds[0] = (struct pollfd){ .fd = d->fd, .events = (short)((d->in_len ? 0 : POLLIN) | (d->out_end ? POLLOUT : 0)) };
    return 1;
}

/* ------------------------------------------------------------------------------------------------------- the end -- */

/* Bytes that somebody may be about to read. */
static size_t untaken(const struct console_door *d)
{
    size_t n = d->kind == CONSOLE_DOOR_PTY ? d->out_end - d->out_from : 0;
    int unread;

    if (d->kind == CONSOLE_DOOR_PTY && d->slave >= 0 && !ioctl(d->slave, FIONREAD, &unread) && unread > 0)
        n += (size_t)unread;
    for (unsigned int i = 0; d->kind == CONSOLE_DOOR_SOCKET && i < SOCKET_DOOR_CLIENTS; i++)
        n += d->socket.client[i].out_len;
    return n;
}

void console_door_close(struct console_door *d)
{
    size_t before = SIZE_MAX;

    for (int looks = 0; looks < LAST_LOOKS; looks++) {
        const size_t now = untaken(d);

        if (!now)
            break;
        if (now < before)
            looks = 0;
        before = now;
        poll(NULL, 0, LAST_LOOK_MS);
        d->in_len = 1; /* nobody listens any more */
        console_door_take(d);
    }
    if (d->kind == CONSOLE_DOOR_SOCKET)
        socket_door_close(&d->socket);
    if (d->kind != CONSOLE_DOOR_NONE && d->fd >= 0 && close(d->fd) && !d->error)
        d->error = errno;
    if (d->kind == CONSOLE_DOOR_PTY && d->slave >= 0)
        close(d->slave);
    free(d->out);
    free(d->in);
    d->out = d->in = NULL;
    d->kind = CONSOLE_DOOR_NONE;
}
