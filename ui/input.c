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

/* A key. Nobody reads, and there is no more room: better lose keys than not see Ctrl-]. */
static void typed(struct input *in, char key)
{
    if (key == INPUT_LEAVE) {
        in->left = true;
    } else if (key == INPUT_NEXT && in->next) {
        in->guest = in->next(in->data, in->guest);
    } else if (in->len < INPUT_AHEAD) {
        in->buf[in->len] = key;
        in->to[in->len++] = (uint16_t)in->guest;
    }
}

bool input_elsewhere(const struct input *in)
{
    const pid_t foreground = in->kind == INPUT_TERMINAL ? tcgetpgrp(in->fd) : -1;

    return foreground >= 0 && foreground != getpgrp();
}

void input_poll(struct input *in)
{
    if (in->kind != INPUT_TERMINAL || input_elsewhere(in))
        return;
    while (!in->closed && !in->left && readable(in->fd)) {
        char keys[512];
        const size_t n = take(in, keys, sizeof(keys));

        if (n == 0)
            return;
        for (size_t i = 0; i < n && !in->left; i++)
            typed(in, keys[i]);
    }
}

size_t input_read(struct input *in, unsigned int guest, char *buf, size_t len)
{
    size_t n = 0, kept = 0;

    if (in->kind != INPUT_TERMINAL) {
        if (guest != in->guest || in->closed || (in->kind == INPUT_PIPE && !readable(in->fd)))
            return 0;
        return take(in, buf, len);
    }
    for (size_t i = 0; i < in->len; i++) {
        if (in->to[i] == guest && n < len) {
            buf[n++] = in->buf[i];
        } else {
            in->buf[kept] = in->buf[i];
            in->to[kept++] = in->to[i];
        }
    }
    in->len = kept;
    return n;
}

bool input_ready(const struct input *in, unsigned int guest)
{
    if (in->kind != INPUT_TERMINAL)
        return guest == in->guest && !in->closed && (in->kind == INPUT_FILE || readable(in->fd));
    for (size_t i = 0; i < in->len; i++)
        if (in->to[i] == guest)
            return true;
    return false;
}
