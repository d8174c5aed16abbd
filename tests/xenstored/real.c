// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Debian's xenstored 4.17 as a peer: a process in a directory of its own, above a Xen that is not there (shim.h).
 *
 * Nothing of the machine's is touched: its socket, its log and its page of "hypervisor" are in that directory, its
 * database is in its memory, and it dies with us.
 */
#include "tests/xenstored/front.h"
#include "tests/xenstored/shim.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SOCKET_FULL 32768 /* less than what a socket holds at the least */

struct peer {
    char dir[64];
    struct shim *shim;
    int events, bell;
    pid_t pid;
    bool dead;
    bool still; /* the clock moves only by hand */
    struct conn {
        int fd; /* -1: a ring, or no socket */
        bool deaf, closed;
        struct bytes in, out;
    } conn[PEER_CONNS];
};

static const char *daemon_path(void) { return getenv("XENSTORED") ? getenv("XENSTORED") : "build/assets/xenstored"; }

static char *shim_path(char *path)
{
    const char *built = getenv("XENSTORED_SHIM");

    return realpath(built ? built : "build/tests/xenstored/shim.so", path);
}

static const char *real_absent(void)
{
    char path[PATH_MAX];

    if (access(daemon_path(), X_OK))
        return "no build/assets/xenstored: make assets fetches it";
    return shim_path(path) ? NULL : "no build/tests/xenstored/shim.so";
}

static char *name(const struct peer *p, const char *file)
{
    static char path[PATH_MAX];

    snprintf(path, sizeof(path), "%s/%s", p->dir, file);
    return path;
}

/* --- the process --- */

static _Noreturn void child(const struct peer *p, const char *program, pid_t parent)
{
    const int log = open(name(p, "log"), O_WRONLY | O_CREAT | O_APPEND, 0600);

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(1);
    dup2(log, 1);
    dup2(log, 2);
    setenv("XENSTORED_RUNDIR", p->dir, 1);
    setenv("LD_LIBRARY_PATH", p->dir, 1);
    unsetenv("XENSTORED_PATH");
    unsetenv("LD_PRELOAD");
    execl(program, "xenstored", "-N", "-w", "watch-event=0", (char *)NULL);
    _exit(98);
}

/* The daemon has done all that was to be done, or has died. */
static void wait_idle(struct peer *p)
{
    const uint32_t asked = __atomic_add_fetch(&p->shim->asked, 1, __ATOMIC_RELEASE);
    const struct timespec tick = { .tv_nsec = 100000000 };

    must(write(p->bell, "", 1) == 1 || errno == EAGAIN, "bell");
    for (;;) {
        const uint32_t idle = __atomic_load_n(&p->shim->idle, __ATOMIC_ACQUIRE);

        if (idle == asked || p->dead)
            return;
        if (syscall(SYS_futex, &p->shim->idle, FUTEX_WAIT, idle, &tick, NULL, 0) < 0 && errno == ETIMEDOUT)
            p->dead = waitpid(p->pid, NULL, WNOHANG) == p->pid;
    }
}

static struct peer *real_begin(void)
{
    static const char *const libs[] = { "libxenctrl.so.4.17", "libxenevtchn.so.1", "libxengnttab.so.1" };
    struct peer *p = calloc(1, sizeof(*p));
    const pid_t self = getpid();
    char shim[PATH_MAX];
    int fd;

    must(p && shim_path(shim), "shim");
    strcpy(p->dir, "/tmp/xenstored-XXXXXX");
    must(mkdtemp(p->dir) != NULL, p->dir);
    for (size_t i = 0; i < sizeof(libs) / sizeof(libs[0]); i++)
        must(!symlink(shim, name(p, libs[i])), libs[i]);
    must((fd = open(name(p, "xsd_port"), O_WRONLY | O_CREAT, 0600)) >= 0 && write(fd, "1\n", 2) == 2, "xsd_port");
    close(fd);
    must(!mkfifo(name(p, "events"), 0600) &&
             (p->events = open(name(p, "events"), O_RDWR | O_NONBLOCK | O_CLOEXEC)) >= 0,
         "events");
    must(!mkfifo(name(p, "bell"), 0600) && (p->bell = open(name(p, "bell"), O_RDWR | O_NONBLOCK | O_CLOEXEC)) >= 0,
         "bell");
    must((fd = open(name(p, "xen"), O_RDWR | O_CREAT, 0600)) >= 0 && !ftruncate(fd, sizeof(*p->shim)), "xen");
    p->shim = mmap(NULL, sizeof(*p->shim), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    must(p->shim != MAP_FAILED, "mmap");
    close(fd);
    p->shim->domain[0].exists = 1;
    p->shim->now = 1000000;
    for (unsigned int i = 0; i < PEER_CONNS; i++)
        p->conn[i].fd = -1;
    must((p->pid = fork()) >= 0, "fork");
    if (!p->pid)
        child(p, daemon_path(), self);
    wait_idle(p);
    if (p->dead) {
        fprintf(stderr, "xenstored does not start:\n");
        fd = open(name(p, "log"), O_RDONLY);
        for (ssize_t n; (n = read(fd, shim, sizeof(shim))) > 0;)
            must(write(2, shim, (size_t)n) == n, "log");
        abort();
    }
    return p;
}

static bool real_end(struct peer *p)
{
    const bool alive = !p->dead && waitpid(p->pid, NULL, WNOHANG) == 0;
    DIR *dir = opendir(p->dir);
    struct dirent *e;

    if (alive) {
        kill(p->pid, SIGKILL);
        waitpid(p->pid, NULL, 0);
    }
    for (unsigned int i = 0; i < PEER_CONNS; i++) {
        if (p->conn[i].fd >= 0)
            close(p->conn[i].fd);
        free(p->conn[i].in.b);
        free(p->conn[i].out.b);
    }
    while (dir && (e = readdir(dir)))
        unlink(name(p, e->d_name));
    closedir(dir);
    rmdir(p->dir);
    close(p->events);
    close(p->bell);
    munmap(p->shim, sizeof(*p->shim));
    free(p);
    return alive;
}

/* --- what is done to it --- */

static void event(struct peer *p, bool virq, unsigned int domid)
{
    for (uint32_t i = 1; i < SHIM_PORTS; i++) {
        const struct shim_port *port = &p->shim->port[i];

        if (port->bound && port->virq == virq && (virq || port->domid == domid))
            must(write(p->events, &i, sizeof(i)) == sizeof(i), "events");
    }
}

static struct xenstore_domain_interface *real_page(struct peer *p, unsigned int domid)
{
    return (struct xenstore_domain_interface *)p->shim->page[domid];
}

static void real_domain(struct peer *p, unsigned int domid, enum peer_domain state)
{
    struct shim_domain *d = &p->shim->domain[domid];

    if (!d->exists && state != PEER_GONE) {
        struct conn *c = &p->conn[PEER_RING(domid)];

        memset(p->shim->page[domid], 0, sizeof(p->shim->page[domid]));
        bytes_forget(&c->in);
        bytes_forget(&c->out);
    }
    d->exists = state != PEER_GONE;
    d->dying = state == PEER_DYING;
    d->shutdown = state == PEER_SHUT;
    event(p, true, 0);
}

static bool real_open(struct peer *p, unsigned int socket_nr)
{
    struct sockaddr_un addr = { .sun_family = AF_UNIX };
    struct conn *c = &p->conn[socket_nr];

    if (c->fd >= 0)
        return false;
    snprintf(addr.sun_path, sizeof(addr.sun_path), "%s/socket", p->dir);
    *c = (struct conn){ .fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0),
                        .in = c->in,
                        .out = c->out };
    bytes_forget(&c->in);
    bytes_forget(&c->out);
    return c->fd >= 0 && !connect(c->fd, (struct sockaddr *)&addr, sizeof(addr));
}

static void real_close(struct peer *p, unsigned int socket_nr)
{
    if (p->conn[socket_nr].fd >= 0)
        close(p->conn[socket_nr].fd);
    p->conn[socket_nr].fd = -1;
}

static void real_send(struct peer *p, unsigned int conn, const void *bytes, size_t len)
{
    bytes_add(&p->conn[conn].out, bytes, len);
}

static void real_deaf(struct peer *p, unsigned int conn, bool on) { p->conn[conn].deaf = on; }

/* Bytes in and out of a socket. True: the daemon may go on for that: there is something, or room where none was. */
static bool socket_move(struct conn *c)
{
    bool moved = false;
    size_t came = 0;
    char buf[4096];
    ssize_t n;

    if (c->out.to > c->out.from) {
        n = send(c->fd, c->out.b + c->out.from, c->out.to - c->out.from, MSG_NOSIGNAL);
        if (n > 0)
            c->out.from += (size_t)n;
        moved |= n > 0;
    }
    while (!c->deaf && !c->closed && ((n = recv(c->fd, buf, sizeof(buf), 0)) >= 0 || errno == ECONNRESET)) {
        if (n <= 0) {
            c->closed = moved = true;
            break;
        }
        bytes_add(&c->in, buf, (size_t)n);
        came += (size_t)n;
    }
    return moved || came > SOCKET_FULL;
}

static bool ring_move(struct peer *p, unsigned int domid)
{
    struct conn *c = &p->conn[PEER_RING(domid)];
    const bool moved = front_move(real_page(p, domid), &c->out, &c->in, c->deaf);

    if (moved)
        event(p, false, domid);
    return moved;
}

/*
 * The first look comes before the bell, so that what is sent is there, and the last after it, with nothing new. What
 * the daemon waits for by the clock (who writes too much is not heard for some milliseconds) comes at once.
 */
static void real_settle(struct peer *p)
{
    bool moved = true;

    for (bool first = true; (moved || first) && !p->dead; first = false) {
        moved = false;
        for (unsigned int i = 0; i < PEER_SOCKETS; i++)
            if (p->conn[i].fd >= 0)
                moved |= socket_move(&p->conn[i]);
        for (unsigned int i = 0; i < PEER_DOMAINS; i++)
            moved |= ring_move(p, i);
        if (moved || first)
            wait_idle(p);
        moved |= first;
        if (!moved && p->shim->timeout > 0 && !p->still) {
            p->shim->now += p->shim->timeout;
            wait_idle(p);
            moved = true;
        }
    }
}

static void real_pass(struct peer *p, unsigned int ms)
{
    p->still = true;
    p->shim->now += ms;
}

static size_t real_take(struct peer *p, unsigned int conn, void *bytes, size_t len)
{
    return bytes_take(&p->conn[conn].in, bytes, len);
}

static bool real_closed(struct peer *p, unsigned int conn) { return p->conn[conn].closed; }

static void real_event(struct peer *p, unsigned int domid) { event(p, false, domid); }

const struct peer_ops peer_real = {
    .name = "real",
    .absent = real_absent,
    .begin = real_begin,
    .end = real_end,
    .domain = real_domain,
    .open = real_open,
    .close = real_close,
    .send = real_send,
    .deaf = real_deaf,
    .settle = real_settle,
    .pass = real_pass,
    .take = real_take,
    .closed = real_closed,
    .page = real_page,
    .event = real_event,
};
