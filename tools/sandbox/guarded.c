// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The process: it begins, answers in time, ends. guarded.h has the whole picture.
 *
 * Concept: while an answer is awaited its output is read, and shown on standard error, each line marked, so that nobody
 * takes it for a report. A call may use so much of the process' own CPU time; a process that sleeps is given ten times
 * as long by the host's clock.
 */
#include "tools/sandbox/guarded.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tools/printable.h"
#include "tools/sandbox/alone.h"
#include "tools/sandbox/asked.h"

#define MAX_MEMORY   (UINT64_C(1) << 30) /* one that allocates for ever must not take the host down */
#define MAX_CPU      3600                /* seconds in all, beside the limit of a call */
#define MAX_PRINTED  (256 << 10)         /* bytes of its output that are shown */
#define SLEEP_FACTOR 10
#define LOOK_MS      100

/* --- what it prints --- */

static void line_show(struct guarded *g)
{
    g->line[g->line_len] = '\0';
    make_printable(g->line, g->line_len, false);
    fprintf(stderr, "policy| %s\n", g->line);
    g->line_len = 0;
}

void guarded_show(struct guarded *g)
{
    char buf[4096];
    size_t n;

    while ((n = sandbox_read(&g->run, buf, sizeof(buf))) > 0) {
        for (size_t i = 0; i < n && g->printed <= MAX_PRINTED; i++) {
            if (buf[i] != '\n')
                g->line[g->line_len++] = buf[i];
            if (buf[i] == '\n' || g->line_len == sizeof(g->line) - 1)
                line_show(g);
            if (++g->printed > MAX_PRINTED)
                fprintf(stderr, "policy| ... (it prints more than %d KiB: no more is shown)\n", MAX_PRINTED >> 10);
        }
    }
}

/* --- its end --- */

bool guarded_gone(struct guarded *g, const char *fmt, ...)
{
    va_list ap;

    if (g->gone)
        return false;
    va_start(ap, fmt);
    vsnprintf(g->why, sizeof(g->why), fmt, ap);
    va_end(ap);
    g->gone = true;
    g->rc = 2;
    return false;
}

bool guarded_unstarted(struct guarded *g, const char *what, const char *why)
{
    snprintf(g->why, sizeof(g->why), "%.400s%s%.200s", what, *why ? ": " : "", why);
    g->gone = true;
    g->rc = 1;
    return false;
}

bool guarded_forbidden(struct guarded *g, long number)
{
    const char *name = sandbox_alone_name(number);

    return guarded_gone(g, "was stopped: it made the system call %s which no policy needs", name ? name : "of another");
}

static double seconds_now(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* Its end of the socket is closed: either it has ended, or it did that. */
static void closed(struct guarded *g)
{
    const double since = seconds_now();
    int sig;

    while (!sandbox_ended(&g->run) && seconds_now() - since < 2)
        nanosleep(&(struct timespec){ 0, 1000000 }, NULL);
    guarded_show(g);
    sig = sandbox_signal(&g->run);
    if (!g->run.inside && g->run.ended) {
        guarded_unstarted(g, "cannot be run", "its program does not start (may everybody read the folder it is in?)");
        return;
    }
    if (!g->run.ended || (!sig && WEXITSTATUS(g->run.status) == GUARDED_EXIT_LOST))
        guarded_gone(g, "closed its connection to the workbench");
    else if (sig == SIGXCPU || (sig == SIGKILL && g->run.wrapped))
        guarded_gone(g, "was ended by the system (%s)", strsignal(sig));
    else if (sig == SIGSYS) /* nobody could say which: so the C library starts threads */
        guarded_gone(g, "was stopped: it made a system call which no policy needs, with signals blocked (a thread?)");
    else if (sig)
        guarded_gone(g, "crashed (%s)", strsignal(sig));
    else
        guarded_gone(g, "ended the process (exit %d)", WEXITSTATUS(g->run.status));
}

/* --- messages --- */

static double timed_out(const struct guarded *g, double since, double cpu)
{
    const double used = cpu < 0 ? 0 : sandbox_cpu(&g->run) - cpu;

    return used > g->limit ? used : seconds_now() - since > SLEEP_FACTOR * (double)g->limit ? -1 : 0;
}

/* Wait until there is something to read (or room to write), and show output meanwhile. False: there will be nothing. */
static bool wait_for(struct guarded *g, short what)
{
    double since = 0, cpu = -1;

    for (;;) {
        struct pollfd fds[] = { { .fd = g->socket, .events = what }, { .fd = g->run.output, .events = POLLIN } };
        const int n = poll(fds, fds[1].fd >= 0 ? 2 : 1, LOOK_MS);

        if (n > 0 && fds[1].revents & POLLIN)
            guarded_show(g);
        if (n > 0 && fds[0].revents)
            return true;
        if (n > 0 && fds[1].revents & POLLHUP && !(fds[1].revents & POLLIN)) { /* nobody has it open any more */
            nanosleep(&(struct timespec){ 0, 1000000 }, NULL);
            if (sandbox_ended(&g->run))
                return true;
        }
        if (!since) {
            since = seconds_now();
            cpu = sandbox_cpu(&g->run);
        } else if (timed_out(g, since, cpu) > 0) {
            guarded_gone(g, "stopped: did not return within %u s of CPU time", g->limit);
            return false;
        } else if (timed_out(g, since, cpu) < 0) {
            guarded_gone(g, "stopped: has slept, or waited, for %u s", SLEEP_FACTOR * g->limit);
            return false;
        }
    }
}

bool guarded_send(struct guarded *g, const struct iovec *v, size_t nr)
{
    const struct msghdr m = { .msg_iov = (struct iovec *)(uintptr_t)v, .msg_iovlen = nr };

    if (g->asked && !g->gone)
        asked_write(g->asked, g->now, g->call, v, nr);
    while (!g->gone && sendmsg(g->socket, &m, MSG_NOSIGNAL | MSG_DONTWAIT) < 0) {
        if (errno == EAGAIN && wait_for(g, POLLOUT))
            continue;
        if (errno != EINTR && !g->gone)
            closed(g);
    }
    return !g->gone;
}

/* With the first comes which process it is, by the kernel's word. */
size_t guarded_receive(struct guarded *g, void *bytes, size_t len)
{
    char control[CMSG_SPACE(sizeof(struct ucred))];
    struct iovec v = { bytes, len };
    struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control) };
    ssize_t n;

    if (g->gone)
        return 0;
    do
        n = wait_for(g, POLLIN) ? recvmsg(g->socket, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC) : 0;
    while (!g->gone && n < 0 && (errno == EINTR || errno == EAGAIN));
    if (g->gone)
        return 0;
    if (n <= 0) {
        closed(g);
        return 0;
    }
    if (!g->run.inside && m.msg_controllen && CMSG_FIRSTHDR(&m)->cmsg_type == SCM_CREDENTIALS)
        memcpy(&g->run.inside, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof(pid_t)); /* a ucred begins with it */
    return (size_t)n;
}

/* --- its beginning --- */

bool guarded_beside(const char *name, char *path, size_t len)
{
    static const char *const places[] = { "", "../lib/xenlab/", "../../" };
    char here[512];
    const ssize_t n = readlink("/proc/self/exe", here, sizeof(here) - 1);

    if (n <= 0)
        return false;
    here[n] = '\0';
    *(strrchr(here, '/') + 1) = '\0';
    for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
        snprintf(path, len, "%s%s%s", here, places[i], name);
        if (!access(path, R_OK))
            return true;
    }
    return false;
}

const char *guarded_example(const char *named, char *path)
{
    char name[256], found[1024];

    snprintf(name, sizeof(name), "../share/doc/xenlab/%s", named + sizeof("docs/") - 1);
    return guarded_beside(name, found, sizeof(found)) && realpath(found, path) ? path : named;
}

bool guarded_start(struct guarded *g, const char *name, const char *path, unsigned int limit, FILE *asked)
{
    char program[640], object[4096], why[256];
    const char *see[] = { object, NULL }, *argv[] = { program, object, NULL };
    struct sandbox s = { .see = see, .memory = MAX_MEMORY, .cpu = MAX_CPU };
    const int on = 1;
    int ends[2];

    *g = (struct guarded){ .limit = limit, .asked = asked, .socket = -1, .run.output = -1, .run.ended = true };
    if (!guarded_beside(name, program, sizeof(program))) {
        snprintf(why, sizeof(why), "cannot run policies: the program %s is not beside this one", name);
        return guarded_unstarted(g, why, "");
    }
    if (!realpath(path, object))
        return guarded_unstarted(g, "cannot be loaded", strerror(errno));
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends))
        return guarded_unstarted(g, "cannot start its process", strerror(errno));
    setsockopt(ends[0], SOL_SOCKET, SO_PASSCRED, &on, sizeof(on));
    prctl(PR_SET_DUMPABLE, 0); /* nobody of the same user opens our memory, /proc/PID/mem */
    s.fd = ends[1];
    g->socket = ends[0];
    if (sandbox_spawn(&s, argv, &g->run, why, sizeof(why))) {
        close(ends[1]);
        return guarded_unstarted(g, "cannot start its process", why);
    }
    close(ends[1]);
    if (!g->run.wrapped)
        fprintf(stderr, "xenlab: without bubblewrap (bwrap) the policy can read what you can read\n");
    return true;
}

void guarded_end(struct guarded *g)
{
    if (g->run.output >= 0)
        guarded_show(g);
    if (g->line_len)
        line_show(g);
    sandbox_end(&g->run);
    prctl(PR_SET_DUMPABLE, 1);
    if (g->socket >= 0)
        close(g->socket);
}

uint64_t guarded_seed(uint64_t seed)
{
    uint64_t x = (seed ^ UINT64_C(0x706f6c696379)) + UINT64_C(0x9e3779b97f4a7c15); /* mixed, as splitmix64 does */

    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return (x ^ x >> 31) >> 48;
}
