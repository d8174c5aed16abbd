// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The host's network behind a bridge: the idea is in ui/slirp_door.h.
 *
 * Source: libslirp.h of libslirp 4, whose structures of version 1 are stated here again: so neither the library nor its
 * headers are needed to build.
 *
 * Budget: its structures, what it calls, whose sockets it has, the door.
 */
#include "ui/slirp_door.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>

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

/* The machine is asked again whether it has room. */
#define FULL_AGAIN MILLISECS(10)

enum { ICMP = IPPROTO_ICMP, TCP = IPPROTO_TCP, UDP = IPPROTO_UDP };

/* A socket of libslirp's, and whose it is. */
struct flow {
    int fd;
    uint8_t protocol;
    bool connected; /* of TCP: it has been, and is no more on its way */
    uint32_t addr;  /* the guest's, as in packets */
    uint16_t port;
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
    uint32_t timeout; /* ms */
    bool full;        /* the machine had no room for the first one */
    bool stale;       /* since what fds and timeout say it has got packets */
    bool deaf;        /* nobody is read from any more */
    int turn, next;   /* who was not read from, since too much waits for the machine, is the first next time */
    struct flow flow[SLIRP_DOOR_SOCKETS];
    unsigned int nr_flows, most;
    struct flow asks;       /* who sends the packet that libslirp has just now; protocol 0: nobody does */
    uint8_t led[65536 / 8]; /* ports of guests that a port of the host leads to, by UDP */
    s_time_t pieces_since;
    size_t pieces; /* bytes */
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
    struct packet *p = d->nr < 4 * SLIRP_DOOR_WAITING ? malloc(sizeof(*p) + len) : NULL;

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

/* --- whose sockets there are --- */

static struct flow *flow_find(const struct slirp_door *d, int fd)
{
    for (unsigned int i = 0; i < d->nr_flows; i++)
        if (d->flow[i].fd == fd)
            return (struct flow *)&d->flow[i];
    return NULL;
}

static void on_fd(int fd, void *data)
{
    struct slirp_door *d = data;

    if (fd < 0 || d->nr_flows == SLIRP_DOOR_SOCKETS)
        return;
    d->flow[d->nr_flows] = d->asks.protocol ? d->asks : (struct flow){ .protocol = TCP, .connected = true };
    d->flow[d->nr_flows++].fd = fd;
}

static void on_fd_gone(int fd, void *data)
{
    struct slirp_door *d = data;
    struct flow *f = flow_find(d, fd);

    if (f)
        *f = d->flow[--d->nr_flows];
}

/* How many sockets there may be for it. */
static unsigned int flows_most(const struct slirp_door *d, uint8_t protocol)
{
    const unsigned int udp = d->most / 4, icmp = d->most / 16;

    return protocol == UDP ? udp : protocol == ICMP ? icmp : d->most - udp - icmp;
}

static bool flows_full(const struct slirp_door *d, uint8_t protocol)
{
    unsigned int nr = 0;

    for (unsigned int i = 0; i < d->nr_flows; i++)
        nr += d->flow[i].protocol == protocol;
    return nr >= flows_most(d, protocol);
}

static unsigned int get16(const uint8_t *at) { return (unsigned int)at[0] << 8 | at[1]; }

/* Pieces of packets are kept until they are whole, or old: there is an end to that, too. */
static bool piece_fits(struct slirp_door *d, size_t len)
{
    if (d->now - d->pieces_since > SECONDS(SLIRP_DOOR_PIECES_S))
        d->pieces_since = d->now, d->pieces = 0;
    d->pieces += len;
    return d->pieces <= SLIRP_DOOR_PIECES;
}

/*
 * Whose packet is it, and may libslirp have it? What would open one more socket is lost when there are too many, and
 * those that are open go on.
 */
static bool packet_passes(struct slirp_door *d, const uint8_t *packet, size_t len)
{
    const uint8_t *ip = packet + 14, *l4;
    bool opens;

    d->asks = (struct flow){ 0 };
    if (len < 14 + 20 || get16(packet + 12) != 0x0800 || len < 14 + 4 * (ip[0] & 15u) + 8)
        return true;
    l4 = ip + 4 * (ip[0] & 15u);
    d->asks.protocol = ip[9];
    memcpy(&d->asks.addr, ip + 12, 4);
    if (get16(ip + 6) & 0x3fff)
        return piece_fits(d, len) && !flows_full(d, ip[9]);
    d->asks.port = (uint16_t)get16(l4);
    opens =
        ip[9] == ICMP || ip[9] == UDP || (ip[9] == TCP && len >= (size_t)(l4 + 14 - packet) && (l4[13] & 0x12) == 2);
    for (unsigned int i = 0; opens && ip[9] == UDP && i < d->nr_flows; i++)
        opens = d->flow[i].protocol != UDP || d->flow[i].addr != d->asks.addr || d->flow[i].port != d->asks.port;
    if (ip[9] == UDP && d->led[d->asks.port / 8] >> d->asks.port % 8 & 1)
        opens = false;
    return !opens || !flows_full(d, ip[9]);
}

static void on_notify(void *data) { (void)data; }

static const struct slirp_callbacks callbacks = { on_packet,    on_error, on_clock,   on_timer_new, on_timer_free,
                                                  on_timer_mod, on_fd,    on_fd_gone, on_notify };

static bool is_listener(int fd)
{
    int listens = 0;
    socklen_t len = sizeof(listens);

    return !getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &len) && listens;
}

static int on_add_fd(int fd, int events, void *data)
{
    struct slirp_door *d = data;

    if (d->nr_fds == SLIRP_DOOR_FDS || (flows_full(d, TCP) && !flow_find(d, fd) && is_listener(fd)))
        return -1; /* who connects waits at the door */
    d->fds[d->nr_fds] =
        (struct pollfd){ .fd = fd,
                         .events = (short)((events & SLIRP_IN ? POLLIN : 0) | (events & SLIRP_OUT ? POLLOUT : 0) |
                                           (events & SLIRP_PRI ? POLLPRI : 0)) };
    return (int)d->nr_fds++;
}

/*
 * libslirp reads from a socket that has failed even if it did not ask to, and ends the process if it has no room then:
 * so of one that it only wants to write to it hears that it can, and finds out.
 */
static int on_revents(int number, void *data)
{
    struct slirp_door *d = data;
    struct pollfd *fd = number < 0 ? NULL : &d->fds[number];
    const bool reads = fd && fd->events & POLLIN;
    struct flow *f = fd && fd->revents ? flow_find(d, fd->fd) : NULL;
    int events;

    if (!fd || !fd->revents)
        return 0;
    if (f && f->protocol == TCP && f->connected && !reads)
        return SLIRP_OUT;
    if (f && fd->revents & POLLOUT && !(fd->revents & POLLERR))
        f->connected = true;
    events = (fd->revents & POLLIN ? SLIRP_IN : 0) | (fd->revents & POLLOUT ? SLIRP_OUT : 0) |
             (fd->revents & POLLPRI ? SLIRP_PRI : 0) | (fd->revents & POLLERR ? SLIRP_ERR : 0) |
             (fd->revents & POLLHUP ? SLIRP_HUP : 0);
    if (!reads || (number >= d->turn && d->nr < SLIRP_DOOR_WAITING && !d->deaf))
        return events;
    if (number >= d->turn && !d->next)
        d->next = number;
    return events & SLIRP_OUT; /* its server has to wait */
}

/* --- the door --- */

/* The process needs files of its own. */
static unsigned int sockets_most(void)
{
    struct rlimit files;

    return !getrlimit(RLIMIT_NOFILE, &files) && files.rlim_cur / 2 < SLIRP_DOOR_SOCKETS
               ? (unsigned int)files.rlim_cur / 2
               : SLIRP_DOOR_SOCKETS;
}

/* A path that leads elsewhere is libslirp's affair, which takes none with "../" in it. */
static bool is_folder(const char *path)
{
    struct stat st;

    return !stat(path, &st) && (S_ISDIR(st.st_mode) || (errno = ENOTDIR, false));
}

struct slirp_door *slirp_door_open(const char *tftp, const char *bootfile, char *err, size_t size)
{
    const bool has_tftp = tftp && *tftp, has_bootfile = bootfile && *bootfile;
    struct slirp_door *d = calloc(1, sizeof(*d));
    const struct slirp_config config = { .version = 1,
                                         .in_enabled = true,
                                         .vnetwork.s_addr = htonl(0x0a000200),
                                         .vnetmask.s_addr = htonl(0xffffff00),
                                         .vhost.s_addr = htonl(0x0a000202),
                                         .vhostname = "xenlab",
                                         .tftp_path = has_tftp ? tftp : NULL,
                                         .bootfile = has_bootfile ? bootfile : NULL,
                                         .vdhcp_start.s_addr = htonl(0x0a00020f),
                                         .vnameserver.s_addr = htonl(0x0a000203) };

    if (!d || !library_load(d)) {
        snprintf(err, size, "the bridge " XL_VIF_OUTSIDE ": %s",
                 d ? "networks have an outside by libslirp, which is not here (Debian: libslirp0)" : "out of memory");
        slirp_door_close(d);
        return NULL;
    }
    if (has_tftp && !is_folder(tftp)) {
        snprintf(err, size, "tftp=%s: %s", tftp, strerror(errno));
        slirp_door_close(d);
        return NULL;
    }
    d->tail = &d->first;
    d->most = sockets_most();
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
    if (!d->add_hostfwd(d->slirp, f->udp, host, f->host_port, guest, f->guest_port)) {
        if (f->udp)
            d->led[f->guest_port / 8] |= (uint8_t)(1 << f->guest_port % 8);
        return 0;
    }
    snprintf(err, size, "hostfwd=%s:%s:%u: %s", f->udp ? "udp" : "tcp", inet_ntop(AF_INET, &host, text, sizeof(text)),
             f->host_port, errno ? strerror(errno) : "it cannot be had");
    return -1;
}

bool slirp_door_names(const char *path)
{
    char line[512], word[257];
    FILE *f = fopen(path, "r");
    struct in_addr addr;
    bool found = false;

    while (f && !found && fgets(line, sizeof(line), f))
        found = sscanf(line, "nameserver%*[ \t]%256s", word) == 1 && inet_pton(AF_INET, word, &addr);
    if (f)
        fclose(f);
    return found;
}

static void clock_set(struct slirp_door *d, s_time_t now) { d->now = now > d->now ? now : d->now; }

static void fds_fill(struct slirp_door *d)
{
    d->timeout = UINT32_MAX;
    d->nr_fds = 0;
    d->stale = false;
    d->pollfds_fill(d->slirp, &d->timeout, on_add_fd, d);
}

/* Without waiting longer than so many ms. False: nothing has come in that time. */
static bool work(struct slirp_door *d, int ms)
{
    int nr;

    fds_fill(d);
    d->turn = d->next;
    d->next = 0;
    d->asks = (struct flow){ 0 };
    nr = poll(d->fds, d->nr_fds, ms);
    d->pollfds_poll(d->slirp, nr < 0, on_revents, d);
    return nr;
}

/* Something that a guest has been told to have arrived has not been taken by whom it is for. */
static bool is_owing(struct slirp_door *d)
{
    fds_fill(d);
    for (nfds_t i = 0; i < d->nr_fds; i++) {
        const struct flow *f = d->fds[i].events & POLLOUT ? flow_find(d, d->fds[i].fd) : NULL;

        if (f && f->connected)
            return true;
    }
    return false;
}

void slirp_door_close(struct slirp_door *d)
{
    if (!d)
        return;
    for (unsigned int vain = 0; d->slirp && vain < SLIRP_DOOR_PATIENCE && is_owing(d);) {
        d->deaf = true;
        vain += !work(d, 10);
    }
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
    clock_set(d, now);
    if (packet_passes(d, packet, len))
        d->input(d->slirp, packet, (int)len);
    d->stale = true;
    d->asks = (struct flow){ 0 };
}

/* False: the next one has to wait. */
static bool give(struct slirp_door *d, slirp_door_fn *fn, void *data)
{
    while (d->first) {
        struct packet *p = d->first;

        d->full = !fn(data, p->bytes, p->len);
        if (d->full)
            return false;
        d->first = p->next;
        d->nr--;
        free(p);
    }
    d->tail = &d->first;
    return true;
}

void slirp_door_take(struct slirp_door *d, s_time_t now, slirp_door_fn *fn, void *data)
{
    clock_set(d, now);
    give(d, fn, data);
    work(d, 0);
    give(d, fn, data);
    d->stale = true;
}

/* As they are now, for who waits. */
static void fds_see(struct slirp_door *d)
{
    if (d->stale)
        fds_fill(d);
}

bool slirp_door_speaks(struct slirp_door *d)
{
    if (d)
        fds_see(d);
    return d && (d->nr_fds || d->nr_flows || d->nr);
}

bool slirp_door_asked(const struct slirp_door *d)
{
    for (unsigned int i = 0; d && i < d->nr_flows; i++)
        if (d->flow[i].protocol != TCP)
            return true;
    return d && d->nr;
}

bool slirp_door_connected(struct slirp_door *d)
{
    if (d)
        fds_see(d);
    for (nfds_t i = 0; d && i < d->nr_fds; i++) {
        const struct flow *f = flow_find(d, d->fds[i].fd);

        if (f && f->protocol == TCP)
            return true;
    }
    return false;
}

s_time_t slirp_door_due(struct slirp_door *d)
{
    if (d)
        fds_see(d);
    if (d && d->nr)
        return d->full ? FULL_AGAIN : 0;
    return !d || d->timeout == UINT32_MAX ? -1 : MILLISECS(d->timeout + 1);
}

nfds_t slirp_door_fds(struct slirp_door *d, struct pollfd *fds)
{
    if (!d)
        return 0;
    fds_see(d);
    memcpy(fds, d->fds, d->nr_fds * sizeof(*fds));
    return d->nr_fds;
}
