// SPDX-License-Identifier: GPL-2.0-or-later
/* Sockets for gdb's remote protocol, see ui/gdb/door.h. */
#include "ui/gdb/door.h"

#include "ui/debug/live.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define SLICE_FIRST MICROSECS(100)
#define SLICE_MOST  MILLISECS(10)
#define SLICE_HOST  20000000 /* ns of the host's time that a slice is to take */
#define SEND_SECS   5        /* that a client may take to read */
#define CONTROL_C   3
#define AT_ONCE     64 /* pieces of what it sends, before somebody else has his turn */

/* --- the port --- */

static bool spec_parse(struct gdb_door *d, const char *spec, unsigned long *port)
{
    char *end;
    unsigned long dom = 1;

    if (spec[0] == 'd') {
        dom = strtoul(spec + 1, &end, 10);
        if (spec[1] < '0' || spec[1] > '9' || *end != ':' || dom >= DOMID_FIRST_RESERVED)
            return false;
        spec = end + 1;
    }
    d->dom = (domid_t)dom;
    *port = strtoul(spec, &end, 10);
    d->has_layout = *end == ',';
    if (d->has_layout) {
        d->layout = gdb_layout_find(end + 1);
        end += strlen(end);
    }
    return *spec >= '0' && *spec <= '9' && !*end && *port <= 65535 && d->layout < GDB_LAYOUTS;
}

int gdb_door_open(struct gdb_door *d, const char *spec, char *err, size_t size)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof(at);
    unsigned long port;
    const int yes = 1;

    if (!spec_parse(d, spec, &port)) {
        snprintf(
            err, size,
            "--gdb: \"%.40s\" is no port from 0 to 65535, with or without a domain before it and registers behind: "
            "d1:1234, d1:1234,i386 (x86-64, i386 or i8086)",
            spec);
        return -1;
    }
    at.sin_port = htons((uint16_t)port);
    d->client = -1;
    d->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (d->listener >= 0)
        setsockopt(d->listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
    if (d->listener < 0 || bind(d->listener, (struct sockaddr *)&at, sizeof(at)) || listen(d->listener, 4) ||
        getsockname(d->listener, (struct sockaddr *)&at, &len)) {
        snprintf(err, size, "--gdb: port %lu: %s", port, strerror(errno));
        if (d->listener >= 0)
            close(d->listener);
        return -1;
    }
    d->port = ntohs(at.sin_port);
    return 0;
}

int gdb_door_begin(struct gdb_door *d, struct debug *g, struct run_process *p, char *err, size_t size)
{
    struct look_vcpu v;

    d->g = g;
    d->process = p;
    if (!look_vcpu(g->host, d->dom, 0, &v) || v.native) {
        snprintf(err, size, "--gdb: d%u %s", d->dom, d->dom ? "is not there" : "has no processor of its own to debug");
        return -1;
    }
    if (!d->has_layout)
        d->layout = gdb_layout_of(g->host, d->dom);
    say_begin(&g->say, "gdb");
    say_number(&g->say, "port", d->port);
    say_number(&g->say, "dom", d->dom);
    say(&g->say, "gdb: waiting for one, for d%u: target remote 127.0.0.1:%u", d->dom, d->port);
    say_end(&g->say);
    return 0;
}

static void client_close(struct gdb_door *d, const char *how)
{
    d->layout = d->server->next_layout;
    gdb_server_end(d->server);
    free(d->server);
    d->server = NULL;
    close(d->client);
    d->client = -1;
    say_line(&d->g->say, "gdb", "gdb: %s", how);
}

void gdb_door_close(struct gdb_door *d)
{
    if (!d->port)
        return;
    if (d->server)
        client_close(d, "goodbye");
    close(d->listener);
    d->port = 0;
}

/* --- a client --- */

static void client_accept(struct gdb_door *d)
{
    const struct timeval limit = { .tv_sec = SEND_SECS };
    const int fd = accept4(d->listener, NULL, NULL, SOCK_CLOEXEC), yes = 1;

    if (fd < 0)
        return;
    if (!d->server)
        d->server = calloc(1, sizeof(*d->server));
    else
        say_line(&d->g->say, "gdb", "gdb: a second one is refused");
    if (!d->server || d->client >= 0) {
        close(fd);
        return;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
    gdb_server_begin(d->server, d->g, d->dom, d->layout);
    d->client = fd;
    d->clients++;
    d->let_go = d->killed = false;
    say_line(&d->g->say, "gdb", "gdb: one is here, for d%u", d->dom);
}

/* What is to be sent. False: it is not read. */
static bool client_flush(struct gdb_door *d)
{
    struct bytes *out = &d->server->out;
    size_t done = 0;

    while (done < out->len) {
        const ssize_t n = send(d->client, out->at + done, out->len - done, MSG_NOSIGNAL);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        done += (size_t)n;
    }
    out->len = 0;
    return !out->lost;
}

/* Something, or that it is gone. */
static bool client_has_sent(const struct gdb_door *d)
{
    struct pollfd fd = { .fd = d->client, .events = POLLIN };

    return poll(&fd, 1, 0) > 0;
}

/* What it has sent. False: it is gone. */
static bool client_read(struct gdb_door *d)
{
    char buf[4096];
    const ssize_t n = recv(d->client, buf, sizeof(buf), MSG_DONTWAIT);

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return true;
    if (n <= 0)
        return false;
    gdb_server_take(d->server, buf, (size_t)n);
    return true;
}

/* --- Ctrl-C while something takes long --- */

struct watch {
    int fd, over;
    bool *stop;
    bool fired;
    pthread_t thread;
};

/*
 * Something has come: is it Ctrl-C, or the end? gdb becomes impatient, and sends "-" every two seconds: that is none,
 * and is taken away. What else there is, is looked at later.
 */
static bool watch_look(struct watch *w, bool *more)
{
    char bytes[64];
    const ssize_t n = recv(w->fd, bytes, sizeof(bytes), MSG_PEEK | MSG_DONTWAIT);
    ssize_t signs = 0;

    *more = n < 0 && (errno == EAGAIN || errno == EINTR);
    if (n <= 0)
        return !*more;
    if (memchr(bytes, CONTROL_C, (size_t)n))
        return true;
    while (signs < n && (bytes[signs] == '-' || bytes[signs] == '+'))
        signs++;
    *more = signs == n && recv(w->fd, bytes, (size_t)signs, MSG_DONTWAIT) == signs;
    return false;
}

static void *watch_run(void *data)
{
    struct watch *w = data;
    struct pollfd fds[2] = { { .fd = w->fd, .events = POLLIN }, { .fd = w->over, .events = POLLIN } };
    bool more = true;

    while (more) {
        if (poll(fds, 2, -1) < 0)
            continue; /* a signal */
        if (fds[1].revents)
            break;
        w->fired = watch_look(w, &more);
        if (w->fired) {
            *w->stop = true;
            break;
        }
    }
    return NULL;
}

/* False: it cannot be had, and nobody will interrupt. */
static bool watch_begin(struct watch *w, const struct gdb_door *d)
{
    sigset_t all, before;
    bool fine;

    *w = (struct watch){ .fd = d->client, .over = eventfd(0, EFD_CLOEXEC), .stop = &d->process->stop };
    if (w->over < 0)
        return false;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before); /* signals are the main thread's */
    fine = pthread_create(&w->thread, NULL, watch_run, w) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (!fine)
        close(w->over);
    return fine;
}

static void watch_end(struct watch *w, const struct gdb_door *d)
{
    const uint64_t one = 1;

    if (write(w->over, &one, sizeof(one)) == sizeof(one))
        pthread_join(w->thread, NULL);
    close(w->over);
    if (w->fired && !d->process->signal)
        d->process->stop = false;
}

/* A slice is short, and what it has come to would be lost with it: Ctrl-C is looked for behind it. */
static enum gdb_went go(struct gdb_door *d, s_time_t until)
{
    struct watch w;
    const bool watched = d->server->wish != GDB_CONTINUE && watch_begin(&w, d);
    const enum gdb_went went = gdb_server_go(d->server, until);

    if (watched)
        watch_end(&w, d);
    return went;
}

/* --- serving --- */

bool gdb_door_holds(const struct gdb_door *d) { return d->port && !d->let_go && !gdb_door_runs(d); }

bool gdb_door_runs(const struct gdb_door *d) { return d->server && d->server->wish == GDB_CONTINUE; }

/* Whatever it wishes at once; what that has come to is sent. */
static void serve(struct gdb_door *d, bool here)
{
    struct gdb_server *s = d->server;

    while (here && s->wish != GDB_STAND && s->wish != GDB_CONTINUE && !d->process->signal)
        go(d, STIME_MAX);
    here = client_flush(d) && here;
    if (s->detached || s->killed) {
        d->let_go = s->detached;
        d->killed = s->killed;
        client_close(d, s->detached ? "it has left, and lets the machine go" : "it has ended");
    } else if (!here) {
        client_close(d, "it is gone");
    }
}

nfds_t gdb_door_fds(const struct gdb_door *d, struct pollfd *fds)
{
    if (!d->port)
        return 0;
    fds[0] = (struct pollfd){ .fd = d->listener, .events = POLLIN };
    fds[1] = (struct pollfd){ .fd = d->client, .events = POLLIN };
    return GDB_DOOR_FDS;
}

bool gdb_door_wait(struct gdb_door *d, int fd, int timeout_ms)
{
    struct pollfd fds[3] = { { .fd = d->listener, .events = POLLIN },
                             { .fd = d->client, .events = POLLIN },
                             { .fd = fd, .events = POLLIN } };
    const struct timespec ts = { .tv_sec = timeout_ms / 1000, .tv_nsec = timeout_ms % 1000 * 1000000L };
    sigset_t mask;
    int n = -1;

    sigprocmask(SIG_BLOCK, &d->process->signals, &mask); /* one between the test and the wait would be missed */
    if (!d->process->stop)
        n = ppoll(fds, 3, timeout_ms < 0 ? NULL : &ts, &mask);
    sigprocmask(SIG_SETMASK, &mask, NULL);
    if (n <= 0)
        return false;
    for (unsigned int i = 0; i < AT_ONCE && d->server && client_has_sent(d); i++)
        serve(d, client_read(d));
    if (fds[0].revents)
        client_accept(d);
    return fds[2].revents;
}

enum gdb_went gdb_door_run(struct gdb_door *d, s_time_t until)
{
    const enum gdb_went went = go(d, until);

    serve(d, client_read(d));
    return went;
}

void gdb_door_interrupt(struct gdb_door *d)
{
    gdb_server_interrupt(d->server);
    serve(d, true);
}

void gdb_door_end(struct gdb_door *d, const char *why)
{
    gdb_server_end_of_run(d->server, why);
    serve(d, true);
}

static s_time_t host_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (s_time_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* Why the run does not go on. */
static const char *end_why(const struct gdb_door *d)
{
    if (!host_guests_left(d->g->host))
        return "the end: no guest is left";
    return "nothing runs any more: monitor input TEXT types something, if a guest reads";
}

void gdb_door_run_frame(struct gdb_door *d)
{
    const s_time_t began = host_ns();
    struct run_process *p = d->process;
    enum gdb_went went;
    s_time_t took;

    d->slice = d->slice ?: SLICE_FIRST;
    went = go(d, debugger_slice(&d->g->dbg, &d->slices, live_slice(d->g->live, d->slice)));
    live_slice_end(d->g->live);
    if (went == GDB_IDLE && !live_goes_on(d->g->live))
        gdb_server_end_of_run(d->server, end_why(d));
    if (p->signal == SIGINT && gdb_door_runs(d)) {
        p->signal = 0;
        p->stop = false;
        gdb_server_interrupt(d->server);
    }
    took = host_ns() - began;
    d->slice = took > SLICE_HOST ? d->slice - d->slice / 4 : took < SLICE_HOST / 2 ? d->slice * 2 : d->slice;
    d->slice = d->slice < MICROSECS(1) ? MICROSECS(1) : d->slice > SLICE_MOST ? SLICE_MOST : d->slice;
    serve(d, client_read(d));
    if (!gdb_door_runs(d))
        d->slices = (struct debug_slices){ 0 };
}
