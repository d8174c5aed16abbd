// SPDX-License-Identifier: GPL-2.0-or-later
/* A door for programs outside: see ui/socket_door.h. */
#include "ui/socket_door.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static int fail(char *err, size_t size, const char *option, const char *path, const char *why)
{
    snprintf(err, size, "%s: %.300s: %s", option, path, why);
    return -1;
}

/* A file that nobody listens at is what a killed process has left. */
static bool is_left_over(const struct sockaddr_un *addr)
{
    struct stat st;
    int fd, rc;

    if (lstat(addr->sun_path, &st) || !S_ISSOCK(st.st_mode))
        return false;
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    rc = fd < 0 ? 0 : connect(fd, (const struct sockaddr *)addr, sizeof(*addr));
    if (fd >= 0)
        close(fd);
    return rc < 0 && errno == ECONNREFUSED;
}

int socket_door_open(struct socket_door *d, const char *option, const char *path, char *err, size_t size)
{
    struct sockaddr_un addr = { .sun_family = AF_UNIX };
    mode_t mask;
    int rc;

    if (!path)
        return 0;
    if (strlen(path) >= sizeof(addr.sun_path))
        return fail(err, size, option, path, "the path is too long for a socket");
    strcpy(addr.sun_path, path);
    if (is_left_over(&addr))
        unlink(path);
    d->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (d->listener < 0)
        return fail(err, size, option, path, strerror(errno));
    mask = umask(0177);
    rc = bind(d->listener, (const struct sockaddr *)&addr, sizeof(addr));
    umask(mask);
    if (rc || listen(d->listener, SOCKET_DOOR_CLIENTS)) {
        fail(err, size, option, path,
             errno == EADDRINUSE ? "there is such a file, or somebody listens there" : strerror(errno));
        close(d->listener);
        return -1;
    }
    d->path = path;
    return 0;
}

static void client_shut(struct socket_door_client *c)
{
    if (c->fd >= 0)
        close(c->fd);
    c->fd = -1;
    free(c->out);
    c->out = NULL;
    c->out_len = 0;
}

unsigned int socket_door_shut(struct socket_door *d)
{
    unsigned int nr = 0;

    for (unsigned int i = 0; d->path && i < SOCKET_DOOR_CLIENTS; i++) {
        if (!d->client[i].id)
            continue;
        nr += d->client[i].fd >= 0;
        client_shut(&d->client[i]);
        d->client[i].id = 0;
    }
    return nr;
}

void socket_door_close(struct socket_door *d)
{
    if (!d->path)
        return;
    socket_door_shut(d);
    close(d->listener);
    unlink(d->path);
    d->path = NULL;
}

unsigned int socket_door_clients(const struct socket_door *d)
{
    unsigned int nr = 0;

    for (unsigned int i = 0; i < SOCKET_DOOR_CLIENTS; i++)
        nr += d->client[i].id != 0;
    return nr;
}

nfds_t socket_door_fds(const struct socket_door *d, struct pollfd *fds)
{
    nfds_t nr = 0;

    if (!d->path)
        return 0;
    fds[nr++] = (struct pollfd){ .fd = d->listener, .events = POLLIN };
    for (unsigned int i = 0; i < SOCKET_DOOR_CLIENTS; i++) {
        const struct socket_door_client *c = &d->client[i];
        const short out = c->out_len ? POLLOUT : 0;

        if (!c->id || c->fd < 0 || (d->deaf && !out)) /* its end would be told again and again */
            continue;
        fds[nr++] = (struct pollfd){ .fd = c->fd, .events = d->deaf || c->silent ? out : (short)(POLLIN | out) };
    }
    return nr;
}

/* ---------------------------------------------------------------------------------------------------- what comes -- */

static void client_accept(struct socket_door *d, socket_door_fn *fn, void *data)
{
    unsigned int i = 0;
    int fd;

    while (i < SOCKET_DOOR_CLIENTS && d->client[i].id)
        i++;
    if (i == SOCKET_DOOR_CLIENTS)
        return; /* they wait at the door */
    fd = accept4(d->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0)
        return;
    d->client[i] = (struct socket_door_client){ .id = ++d->last_id, .fd = fd };
    fn(data, d->last_id, HOST_SOCKET_OPEN, NULL, 0);
}

/* As much as it takes. */
static void client_give(struct socket_door_client *c)
{
    const ssize_t n = c->out_len ? send(c->fd, c->out, c->out_len, MSG_NOSIGNAL) : 0;

    if (n > 0) {
        c->out_len -= (size_t)n;
        memmove(c->out, c->out + n, c->out_len);
    } else if (n < 0 && errno != EAGAIN && errno != EINTR) {
        client_shut(c);
    }
    if (c->hung_up && !c->out_len)
        client_shut(c);
}

/* It has said all. Does it listen? */
static bool client_is_gone(const struct socket_door_client *c)
{
    struct pollfd fd = { .fd = c->fd };

    return poll(&fd, 1, 0) > 0 && fd.revents & (POLLHUP | POLLERR);
}

static void client_take(const struct socket_door *d, struct socket_door_client *c, socket_door_fn *fn, void *data)
{
    uint8_t bytes[4096];
    ssize_t n;

    if (c->fd >= 0)
        client_give(c);
    if (c->fd >= 0 && !d->deaf) {
        n = c->hung_up ? -1 : recv(c->fd, bytes, sizeof(bytes), 0);
        if (n == 0 && d->is_line && !client_is_gone(c))
            c->silent = true;
        else if (n > 0)
            fn(data, c->id, HOST_SOCKET_BYTES, bytes, (size_t)n);
        else if (n == 0 || (!c->hung_up && errno != EAGAIN && errno != EINTR))
            client_shut(c);
    }
    if (c->fd < 0) {
        fn(data, c->id, HOST_SOCKET_CLOSE, NULL, 0);
        c->id = 0;
    }
}

void socket_door_take(struct socket_door *d, socket_door_fn *fn, void *data)
{
    if (!d->path)
        return;
    client_accept(d, fn, data);
    for (unsigned int i = 0; i < SOCKET_DOOR_CLIENTS; i++)
        if (d->client[i].id)
            client_take(d, &d->client[i], fn, data);
}

/* --------------------------------------------------------------------------------------------------- what leaves -- */

static struct socket_door_client *client_find(struct socket_door *d, unsigned int id)
{
    for (unsigned int i = 0; d->path && i < SOCKET_DOOR_CLIENTS; i++)
        if (d->client[i].id == id && d->client[i].fd >= 0)
            return &d->client[i];
    return NULL;
}

void socket_door_out(struct socket_door *d, unsigned int id, const void *bytes, size_t len)
{
    struct socket_door_client *c = client_find(d, id);
    uint8_t *more = c && c->out_len + len <= SOCKET_DOOR_WAITING ? realloc(c->out, c->out_len + len) : NULL;

    if (!c)
        return;
    if (!more) {
        client_shut(c);
        return;
    }
    c->out = more;
    memcpy(c->out + c->out_len, bytes, len);
    c->out_len += len;
    client_give(c);
}

void socket_door_hang_up(struct socket_door *d, unsigned int id)
{
    struct socket_door_client *c = client_find(d, id);

    if (!c)
        return;
    c->hung_up = true;
    client_give(c);
}
