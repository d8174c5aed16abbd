// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A Xen that is not there, for Debian's xenstored: see shim.h. This one library takes the place of libxenctrl,
 * libxenevtchn and libxengnttab (shim.map gives their versions' names), and of a few functions of the C library. The
 * directory's name is in the environment: XENSTORED_RUNDIR, which the daemon keeps its socket in as well.
 */
#include "shim.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include <xen/event_channel.h>
#include <xen/grant_table.h>

#define FDS_MAX 256
#define SPINS   100

static struct shim *shim;
static int events = -1, bell = -1;
static int handle; /* what pointers to handles point to */

static int path_open(const char *name, int flags)
{
    char path[4096];

    snprintf(path, sizeof(path), "%s/%s", getenv("XENSTORED_RUNDIR"), name);
    return (int)syscall(SYS_openat, AT_FDCWD, path, flags | O_CLOEXEC, 0);
}

static __attribute__((constructor)) void begin(void)
{
    const int fd = path_open("xen", O_RDWR);
    void *map = mmap(NULL, sizeof(*shim), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

    events = path_open("events", O_RDWR | O_NONBLOCK);
    bell = path_open("bell", O_RDWR | O_NONBLOCK);
    if (map == MAP_FAILED || events < 0 || bell < 0) {
        perror("shim");
        _exit(99);
    }
    close(fd);
    shim = map;
}

/* --- libxenctrl --- */

void *xc_interface_open(void *logger, void *dombuild_logger, unsigned int flags) { return &handle; }

int xc_interface_close(void *xch) { return 0; }

/* The beginning of what this function of 4.17's fills: a newer Xen's headers do not have it any more. */
struct dominfo {
    uint32_t domid, ssidref;
    unsigned int dying : 1, crashed : 1, shutdown : 1;
};

/* About the first from `first` on, however many are asked for. */
int xc_domain_getinfo(void *xch, uint32_t first, unsigned int max, struct dominfo *info)
{
    while (first < SHIM_DOMAINS && !shim->domain[first].exists)
        first++;
    if (first >= SHIM_DOMAINS || !max) {
        errno = ESRCH;
        return -1;
    }
    *info = (struct dominfo){ .domid = first,
                              .dying = shim->domain[first].dying,
                              .shutdown = shim->domain[first].shutdown };
    return 1;
}

/* --- libxenevtchn --- */

void *xenevtchn_open(void *logger, unsigned int flags) { return &handle; }

void *xenevtchn_fdopen(void *logger, int fd, unsigned int flags) { return &handle; }

int xenevtchn_fd(void *xce) { return events; }

static int port_bind(struct shim_port what)
{
    for (int i = 1; i < SHIM_PORTS; i++)
        if (!shim->port[i].bound) {
            shim->port[i] = what;
            return i;
        }
    errno = ENOSPC;
    return -1;
}

int xenevtchn_bind_interdomain(void *xce, uint32_t domid, evtchn_port_t remote)
{
    if (domid >= SHIM_DOMAINS || !shim->domain[domid].exists) {
        errno = ESRCH;
        return -1;
    }
    return port_bind((struct shim_port){ .bound = 1, .domid = (uint16_t)domid, .remote = remote });
}

int xenevtchn_bind_virq(void *xce, unsigned int virq) { return port_bind((struct shim_port){ .bound = 1, .virq = 1 }); }

int xenevtchn_unbind(void *xce, evtchn_port_t port)
{
    if (port >= SHIM_PORTS || !shim->port[port].bound) {
        errno = EINVAL;
        return -1;
    }
    shim->port[port].bound = 0;
    return 0;
}

int xenevtchn_notify(void *xce, evtchn_port_t port)
{
    if (port >= SHIM_PORTS || !shim->port[port].bound) {
        errno = EINVAL;
        return -1;
    }
    shim->port[port].sent++;
    return 0;
}

int xenevtchn_pending(void *xce)
{
    uint32_t port;

    if (read(events, &port, sizeof(port)) == sizeof(port))
        return (int)port;
    return -1;
}

int xenevtchn_unmask(void *xce, evtchn_port_t port) { return 0; }

/* --- libxengnttab --- */

void *xengnttab_open(void *logger, unsigned int flags) { return &handle; }

int xengnttab_close(void *xgt) { return 0; }

int xengnttab_set_max_grants(void *xgt, uint32_t nr) { return 0; }

void *xengnttab_map_grant_ref(void *xgt, uint32_t domid, uint32_t ref, int prot)
{
    if (domid >= SHIM_DOMAINS || !shim->domain[domid].exists || ref != GNTTAB_RESERVED_XENSTORE) {
        errno = EINVAL;
        return NULL;
    }
    return shim->page[domid];
}

int xengnttab_unmap(void *xgt, void *address, uint32_t count) { return 0; }

/* --- the C library --- */

/* dom0's port and page come from files of the kernel's. */
int open(const char *path, int flags, ...)
{
    va_list ap;
    mode_t mode;

    va_start(ap, flags);
    mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(ap, mode_t) : 0;
    va_end(ap);
    if (!strcmp(path, "/proc/xen/xsd_port"))
        return path_open("xsd_port", O_RDONLY);
    if (!strcmp(path, "/proc/xen/xsd_kva"))
        return path_open("xen", O_RDWR);
    return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

int clock_gettime(clockid_t clock, struct timespec *ts)
{
    ts->tv_sec = shim->now / 1000;
    ts->tv_nsec = shim->now % 1000 * 1000000;
    return 0;
}

time_t time(time_t *t)
{
    if (t)
        *t = shim->now / 1000;
    return shim->now / 1000;
}

/* The machine's log is not ours to fill. */
void openlog(const char *ident, int option, int facility) {}

void __syslog_chk(int priority, int flag, const char *format, ...);
void __syslog_chk(int priority, int flag, const char *format, ...)
{
    va_list ap;

    va_start(ap, format);
    vfprintf(stderr, format, ap);
    fputc('\n', stderr);
    va_end(ap);
}

static int poll_now(struct pollfd *fds, nfds_t nr, bool wait)
{
    const struct timespec zero = { 0 };

    return (int)syscall(SYS_ppoll, fds, nr, wait ? NULL : &zero, NULL, 0);
}

/*
 * Who waits for something tells that it does. A timeout has passed when the clock has been moved. The daemon also waits
 * for less than a millisecond, by asking again and again: then the clock moves on by itself.
 */
int poll(struct pollfd *fds, nfds_t nr, int timeout)
{
    static unsigned int in_vain;
    const int64_t start = shim->now;
    struct pollfd all[FDS_MAX];
    char rung[64];

    if (timeout == 0) {
        const int ready = poll_now(fds, nr, false);

        in_vain = ready ? 0 : in_vain + 1;
        if (in_vain % SPINS == 0 && in_vain)
            shim->now++;
        return ready;
    }
    if (nr >= FDS_MAX) {
        fprintf(stderr, "shim: %lu descriptors\n", (unsigned long)nr);
        _exit(99);
    }
    for (;;) {
        const uint32_t asked = __atomic_load_n(&shim->asked, __ATOMIC_ACQUIRE);
        const int ready = poll_now(fds, nr, false);

        if (ready)
            return ready;
        if (timeout > 0 && shim->now - start >= timeout)
            return 0;
        shim->timeout = timeout > 0 ? timeout - (int)(shim->now - start) : -1;
        __atomic_store_n(&shim->idle, asked, __ATOMIC_RELEASE);
        syscall(SYS_futex, &shim->idle, FUTEX_WAKE, 1, NULL, NULL, 0);
        memcpy(all, fds, nr * sizeof(*fds));
        all[nr] = (struct pollfd){ .fd = bell, .events = POLLIN };
        poll_now(all, nr + 1, true);
        while (read(bell, rung, sizeof(rung)) > 0)
            ;
    }
}
