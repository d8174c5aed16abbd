// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The host's network behind a bridge: the idea is in ui/slirp_door.h.
 *
 * Source: libslirp.h of libslirp 4, whose structures of version 1 are stated here again: so neither the library nor its
 * headers are needed to build.
 */
#include "ui/slirp_door.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- libslirp --- */

struct slirp_config {
    uint32_t version;
    int restricted;
    bool in_enabled;
    struct in_addr vnetwork, vnetmask, vhost;
    bool in6_enabled;
    struct in6_addr vprefix_addr6;
    uint8_t vprefix_len;
    struct in6_addr vhost6;
    const char *vhostname, *tftp_server_name, *tftp_path, *bootfile;
    struct in_addr vdhcp_start, vnameserver;
    struct in6_addr vnameserver6;
    const char **vdnssearch, *vdomainname;
    size_t if_mtu, if_mru;
    bool disable_host_loopback, enable_emu;
};

struct slirp_callbacks {
    ssize_t (*send_packet)(const void *packet, size_t len, void *data);
    void (*guest_error)(const char *text, void *data);
    int64_t (*clock_get_ns)(void *data);
    void *(*timer_new)(void (*fn)(void *), void *fn_data, void *data);
    void (*timer_free)(void *timer, void *data);
    void (*timer_mod)(void *timer, int64_t ms, void *data);
    void (*register_poll_fd)(int fd, void *data);
    void (*unregister_poll_fd)(int fd, void *data);
    void (*notify)(void *data);
};

enum { SLIRP_IN = 1, SLIRP_OUT = 2, SLIRP_PRI = 4, SLIRP_ERR = 8, SLIRP_HUP = 16 };

typedef int slirp_add_fd(int fd, int events, void *data);
typedef int slirp_revents(int number, void *data);

#define SLIRP_FUNCTIONS(X)                                                                                             \
    X(void *, new, (const struct slirp_config *, const struct slirp_callbacks *, void *))                              \
    X(void, cleanup, (void *))                                                                                         \
    X(void, pollfds_fill, (void *, uint32_t *, slirp_add_fd *, void *))                                                \
    X(void, pollfds_poll, (void *, int, slirp_revents *, void *))                                                      \
    X(void, input, (void *, const uint8_t *, int))                                                                     \
    X(int, add_hostfwd, (void *, int, struct in_addr, int, struct in_addr, int))

struct packet {
    struct packet *next;
    size_t len;
    uint8_t bytes[];
};

struct slirp_door {
    void *library, *slirp;
#define X(type, name, args) type(*name) args;
    SLIRP_FUNCTIONS(X)
#undef X
    s_time_t now;
    struct packet *first, **tail; /* for the machine */
    unsigned int nr;
    struct pollfd fds[SLIRP_DOOR_FDS];
    nfds_t nr_fds;
};

/* False: it is not there, or is no such library. */
static bool library_load(struct slirp_door *d)
{
    d->library = dlopen("libslirp.so.0", RTLD_NOW | RTLD_LOCAL);
    if (!d->library)
        return false;
#define X(type, name, args)                                                                                            \
    *(void **)&d->name = dlsym(d->library, "slirp_" #name);                                                            \
    if (!d->name)                                                                                                      \
        return false;
    SLIRP_FUNCTIONS(X)
#undef X
    return true;
}

/* --- what it calls --- */

static ssize_t on_packet(const void *bytes, size_t len, void *data)
{
    struct slirp_door *d = data;
    struct packet *p = d->nr < SLIRP_DOOR_WAITING ? malloc(sizeof(*p) + len) : NULL;

    if (p) {
        p->next = NULL;
        p->len = len;
        memcpy(p->bytes, bytes, len);
        *d->tail = p;
        d->tail = &p->next;
        d->nr++;
    }
    return (ssize_t)len;
}

static void on_error(const char *text, void *data) { (void)text, (void)data; } /* a guest's, and no news */
static int64_t on_clock(void *data) { return ((const struct slirp_door *)data)->now; }

/* Of IPv6 alone, which is not offered. */
static void *on_timer_new(void (*fn)(void *), void *fn_data, void *data)
{
    (void)fn, (void)fn_data;
    return data;
}

static void on_timer_free(void *timer, void *data) { (void)timer, (void)data; }
static void on_timer_mod(void *timer, int64_t ms, void *data) { (void)timer, (void)ms, (void)data; }
static void on_fd(int fd, void *data) { (void)fd, (void)data; } /* what is open is asked for each time */
static void on_notify(void *data) { (void)data; }

static const struct slirp_callbacks callbacks = { on_packet,    on_error, on_clock, on_timer_new, on_timer_free,
                                                  on_timer_mod, on_fd,    on_fd,    on_notify };

static int on_add_fd(int fd, int events, void *data)
{
    struct slirp_door *d = data;

    if (d->nr_fds == SLIRP_DOOR_FDS)
        return -1;
    d->fds[d->nr_fds] =
        (struct pollfd){ .fd = fd,
                         .events = (short)((events & SLIRP_IN ? POLLIN : 0) | (events & SLIRP_OUT ? POLLOUT : 0) |
                                           (events & SLIRP_PRI ? POLLPRI : 0)) };
    return (int)d->nr_fds++;
}

static int on_revents(int number, void *data)
{
    const struct slirp_door *d = data;
    const short got = number < 0 ? 0 : d->fds[number].revents;

    return (got & POLLIN ? SLIRP_IN : 0) | (got & POLLOUT ? SLIRP_OUT : 0) | (got & POLLPRI ? SLIRP_PRI : 0) |
           (got & POLLERR ? SLIRP_ERR : 0) | (got & POLLHUP ? SLIRP_HUP : 0);
}

/* --- the door --- */

struct slirp_door *slirp_door_open(char *err, size_t size)
{
    struct slirp_door *d = calloc(1, sizeof(*d));
    const struct slirp_config config = { .version = 1,
                                         .in_enabled = true,
                                         .vnetwork.s_addr = htonl(0x0a000200),
                                         .vnetmask.s_addr = htonl(0xffffff00),
                                         .vhost.s_addr = htonl(0x0a000202),
                                         .vhostname = "xenlab",
                                         .vdhcp_start.s_addr = htonl(0x0a00020f),
                                         .vnameserver.s_addr = htonl(0x0a000203) };

    if (!d || !library_load(d)) {
        snprintf(err, size, "the bridge " XL_VIF_OUTSIDE ": %s",
                 d ? "networks have an outside by libslirp, which is not here (Debian: libslirp0)" : "out of memory");
        slirp_door_close(d);
        return NULL;
    }
    d->tail = &d->first;
    d->slirp = d->new (&config, &callbacks, d);
    if (!d->slirp) {
        snprintf(err, size, "the bridge " XL_VIF_OUTSIDE ": libslirp does not start");
        slirp_door_close(d);
        return NULL;
    }
    return d;
}

int slirp_door_forward(struct slirp_door *d, const struct xl_forward *f, char *err, size_t size)
{
    const struct in_addr host = { f->host_addr }, guest = { f->guest_addr };
    char text[INET_ADDRSTRLEN];

    errno = 0;
    if (!d->add_hostfwd(d->slirp, f->udp, host, f->host_port, guest, f->guest_port))
        return 0;
    snprintf(err, size, "hostfwd=%s:%s:%u: %s", f->udp ? "udp" : "tcp", inet_ntop(AF_INET, &host, text, sizeof(text)),
             f->host_port, errno ? strerror(errno) : "it cannot be had");
    return -1;
}

void slirp_door_close(struct slirp_door *d)
{
    if (!d)
        return;
    if (d->slirp)
        d->cleanup(d->slirp);
    while (d->first) {
        struct packet *p = d->first;

        d->first = p->next;
        free(p);
    }
    if (d->library)
        dlclose(d->library);
    free(d);
}

void slirp_door_out(struct slirp_door *d, s_time_t now, const uint8_t *packet, size_t len)
{
    d->now = now;
    d->input(d->slirp, packet, (int)len);
}

static void fds_fill(struct slirp_door *d)
{
    uint32_t timeout = UINT32_MAX;

    d->nr_fds = 0;
    d->pollfds_fill(d->slirp, &timeout, on_add_fd, d);
}

void slirp_door_take(struct slirp_door *d, s_time_t now, slirp_door_fn *fn, void *data)
{
    d->now = now;
    fds_fill(d);
    d->pollfds_poll(d->slirp, poll(d->fds, d->nr_fds, 0) < 0, on_revents, d);
    while (d->first) {
        struct packet *p = d->first;

        d->first = p->next;
        d->nr--;
        fn(data, p->bytes, p->len);
        free(p);
    }
    d->tail = &d->first;
    fds_fill(d); /* as they are now, for who waits */
}

nfds_t slirp_door_fds(const struct slirp_door *d, struct pollfd *fds)
{
    if (!d)
        return 0;
    memcpy(fds, d->fds, d->nr_fds * sizeof(*fds));
    return d->nr_fds;
}
