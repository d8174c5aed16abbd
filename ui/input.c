// SPDX-License-Identifier: GPL-2.0-or-later
/* Standard input as a guest's keyboard; the model is in ui/input.h. */
#include "ui/input.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void input_open(struct input *in, int fd)
{
    struct stat st;

    memset(in, 0, sizeof(*in));
    in->fd = fd;
    if (fstat(fd, &st))
        in->closed = true;
    else if (isatty(fd))
        in->kind = INPUT_TERMINAL;
    else if (S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode))
        in->kind = INPUT_PIPE;
    else
        in->kind = INPUT_FILE;
}

static bool readable(int fd)
{
    struct pollfd p = { .fd = fd, .events = POLLIN };

    return poll(&p, 1, 0) > 0;
}

/* Read once; notes the end. */
static size_t take(struct input *in, char *buf, size_t len)
{
    ssize_t n = read(in->fd, buf, len);

    if (n > 0)
        return (size_t)n;
    if (n == 0 || (errno != EINTR && errno != EAGAIN))
        in->closed = true;
    return 0;
}

void input_poll(struct input *in)
{
    if (in->kind != INPUT_TERMINAL)
        return;
    while (!in->closed && !in->left && readable(in->fd)) {
        char typed[512];
        size_t n = take(in, typed, sizeof(typed)), room = sizeof(in->buf) - in->len;

        if (n == 0)
            return;
        if (memchr(typed, INPUT_LEAVE, n))
            in->left = true;
        if (n > room) /* nobody reads: better lose keys than not see Ctrl-] */
            n = room;
        memcpy(in->buf + in->len, typed, n);
        in->len += n;
    }
}

size_t input_read(struct input *in, char *buf, size_t len)
{
    if (in->kind != INPUT_TERMINAL)
        return in->closed || (in->kind == INPUT_PIPE && !readable(in->fd)) ? 0 : take(in, buf, len);
    if (len > in->len)
        len = in->len;
    memcpy(buf, in->buf, len);
    memmove(in->buf, in->buf + len, in->len - len);
    in->len -= len;
    return len;
}

bool input_ready(const struct input *in)
{
    if (in->kind == INPUT_TERMINAL)
        return in->len > 0;
    return !in->closed && (in->kind == INPUT_FILE || readable(in->fd));
}
