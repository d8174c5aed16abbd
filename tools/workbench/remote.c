// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The process of a policy: it begins, answers in time, ends. remote.h has the whole picture.
 *
 * Concept: xenlab-policy lies beside this program, or in lib/xenlab/ next to it, and runs in a sandbox (tools/sandbox/)
 * with the shared object and nothing else. While an answer is awaited its output is read, and shown on standard error,
 * each line marked, so that nobody takes it for a report. A call may use so much of the process' own CPU time; a
 * process that sleeps is given ten times as long by the host's clock.
 *
 * Invariant: whatever comes of it, the command says so in its own words (r->why) and by its own exit status.
 */
#include "tools/workbench/remote.h"

#include <dlfcn.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tools/printable.h"
#include "tools/sandbox/alone.h"

#define MAX_MEMORY   (UINT64_C(1) << 30) /* a policy that allocates for ever must not take the host down */
#define MAX_CPU      3600                /* seconds in all, beside the limit of a call */
#define MAX_PRINTED  (256 << 10)         /* bytes of its output that are shown */
#define SLEEP_FACTOR 10
#define LOOK_MS      100

const char *wb_where_name(unsigned int where)
{
    static const char *const names[WB_NR_WHERE] = { [WB_NOWHERE] = "nothing of it",
                                                    [WB_CONSTRUCTORS] = "its constructors",
                                                    [WB_NAMES] = "its name or opt_name",
                                                    [WB_TIMER] = "a timer function",
#define X(hook) [WB_IN_##hook] = #hook,
                                                    WIRE_HOOKS(X)
#undef X
    };

    return where < WB_NR_WHERE ? names[where] : "an unknown place";
}

/* --- what it prints --- */

static void line_show(struct wb_remote *r)
{
    r->line[r->line_len] = '\0';
    make_printable(r->line, r->line_len, false);
    fprintf(stderr, "policy| %s\n", r->line);
    r->line_len = 0;
}

static void output_show(struct wb_remote *r)
{
    char buf[4096];
    size_t n;

    while ((n = sandbox_read(&r->run, buf, sizeof(buf))) > 0) {
        for (size_t i = 0; i < n && r->printed <= MAX_PRINTED; i++) {
            if (buf[i] != '\n')
                r->line[r->line_len++] = buf[i];
            if (buf[i] == '\n' || r->line_len == sizeof(r->line) - 1)
                line_show(r);
            if (++r->printed > MAX_PRINTED)
                fprintf(stderr, "policy| ... (it prints more than %d KiB: no more is shown)\n", MAX_PRINTED >> 10);
        }
    }
}

/* --- its end --- */

void wb_remote_gone(struct wb_remote *r, const char *fmt, ...)
{
    char who[WB_WHO_SIZE];
    va_list ap;
    size_t n;

    if (r->gone)
        return;
    va_start(ap, fmt);
    vsnprintf(r->why, sizeof(r->why), fmt, ap);
    va_end(ap);
    n = strlen(r->why);
    if (r->where >= WB_TIMER)
        snprintf(r->why + n, sizeof(r->why) - n, " in %s%s, call %llu, at %.6f ms of virtual time",
                 wb_where_name(r->where), wb_who_text(&r->who, who), (unsigned long long)r->calls,
                 (double)r->question.now / 1e6);
    else
        snprintf(r->why + n, sizeof(r->why) - n, " in %s", wb_where_name(r->where));
    r->gone = true;
    r->rc = 2;
}

static bool not_started(struct wb_remote *r, const char *what, const char *why)
{
    snprintf(r->why, sizeof(r->why), "%.400s%s%.200s", what, *why ? ": " : "", why);
    r->gone = true;
    r->rc = 1;
    return false;
}

static double seconds_now(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* Its end of the socket is closed: either it has ended, or it did that. */
static void closed(struct wb_remote *r)
{
    const double since = seconds_now();
    int sig;

    while (!sandbox_ended(&r->run) && seconds_now() - since < 2)
        nanosleep(&(struct timespec){ 0, 1000000 }, NULL);
    output_show(r);
    sig = sandbox_signal(&r->run);
    if (!r->run.inside && r->run.ended) {
        not_started(r, "cannot be run", "xenlab-policy does not start (may everybody read the folder it is in?)");
        return;
    }
    if (!r->run.ended || (!sig && WEXITSTATUS(r->run.status) == WIRE_EXIT_LOST))
        wb_remote_gone(r, "closed its connection to the workbench");
    else if (sig == SIGXCPU || (sig == SIGKILL && r->run.wrapped))
        wb_remote_gone(r, "was ended by the system (%s)", strsignal(sig));
    else if (sig)
        wb_remote_gone(r, "crashed (%s)", strsignal(sig));
    else
        wb_remote_gone(r, "ended the process (exit %d)", WEXITSTATUS(r->run.status));
}

/* --- messages --- */

static double timed_out(const struct wb_remote *r, double since, double cpu)
{
    const double used = cpu < 0 ? 0 : sandbox_cpu(&r->run) - cpu;

    return used > r->limit ? used : seconds_now() - since > SLEEP_FACTOR * (double)r->limit ? -1 : 0;
}

/* Wait until there is something to read (or room to write), and show output meanwhile. False: there will be nothing. */
static bool wait_for(struct wb_remote *r, short what)
{
    double since = 0, cpu = -1;

    for (;;) {
        struct pollfd fds[] = { { .fd = r->socket, .events = what }, { .fd = r->run.output, .events = POLLIN } };
        const int n = poll(fds, fds[1].fd >= 0 ? 2 : 1, LOOK_MS);

        if (n > 0 && fds[1].revents & POLLIN)
            output_show(r);
        if (n > 0 && fds[0].revents)
            return true;
        if (n > 0 && fds[1].revents & POLLHUP && !(fds[1].revents & POLLIN)) { /* nobody has it open any more */
            nanosleep(&(struct timespec){ 0, 1000000 }, NULL);
            if (sandbox_ended(&r->run))
                return true;
        }
        if (!since) {
            since = seconds_now();
            cpu = sandbox_cpu(&r->run);
        } else if (timed_out(r, since, cpu) > 0) {
            wb_remote_gone(r, "stopped: did not return within %u s of CPU time", r->limit);
            return false;
        } else if (timed_out(r, since, cpu) < 0) {
            wb_remote_gone(r, "stopped: has slept, or waited, for %u s", SLEEP_FACTOR * r->limit);
            return false;
        }
    }
}

void wb_remote_send(struct wb_remote *r)
{
    struct wire_question *q = &r->question;
    const uint32_t nr_bytes = q->kind == WIRE_STATE ? 0 : q->nr_bytes;
    struct iovec v[] = { { q, sizeof(*q) },
                         { r->new_domain, q->nr_domains * sizeof(*r->new_domain) },
                         { r->new_vcpu, q->nr_vcpus * sizeof(*r->new_vcpu) },
                         { r->bytes, nr_bytes } };
    const struct msghdr m = { .msg_iov = v, .msg_iovlen = ARRAY_SIZE(v) };

    while (!r->gone && sendmsg(r->socket, &m, MSG_NOSIGNAL | MSG_DONTWAIT) < 0) {
        if (errno == EAGAIN && wait_for(r, POLLOUT))
            continue;
        if (errno != EINTR && !r->gone)
            closed(r);
    }
    q->nr_domains = q->nr_vcpus = 0;
}

/* With the first comes which process it is, by the kernel's word. */
bool wb_remote_receive(struct wb_remote *r, struct wire_answer *a, struct wb_expected *e)
{
    char bytes[sizeof(*a) + 1] __attribute__((aligned(8))), control[CMSG_SPACE(sizeof(struct ucred))];
    struct iovec v = { bytes, sizeof(bytes) };
    struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control) };
    const char *wrong;
    ssize_t n;

    do
        n = wait_for(r, POLLIN) ? recvmsg(r->socket, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC) : 0;
    while (!r->gone && n < 0 && (errno == EINTR || errno == EAGAIN));
    if (r->gone)
        return false;
    if (n <= 0) {
        closed(r);
        return false;
    }
    if (!r->run.inside && m.msg_controllen && CMSG_FIRSTHDR(&m)->cmsg_type == SCM_CREDENTIALS)
        memcpy(&r->run.inside, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof(pid_t)); /* a ucred begins with it */
    e->kinds |= UINT32_C(1) << WIRE_FORBIDDEN;
    wrong = wb_answer_check(bytes, (size_t)n, e);
    if (wrong) {
        wb_remote_gone(r, "answered what is no answer (%s)", wrong);
        return false;
    }
    *a = (struct wire_answer){ .kind = 0 };
    memcpy(a, bytes, (size_t)n);
    if (a->kind == WIRE_FORBIDDEN) {
        const char *name = sandbox_alone_name((long)a->result);

        wb_remote_gone(r, "was stopped: it made the system call %s which no policy needs", name ? name : "of another");
    }
    return !r->gone;
}

/* --- its beginning --- */

/* Where xenlab-policy is: beside this program (tests lie deeper), or where `make install` puts it. */
static bool program_path(char *path, size_t len)
{
    static const char *const places[] = { "", "../lib/xenlab/", "../../" };
    char here[512];
    const ssize_t n = readlink("/proc/self/exe", here, sizeof(here) - 1);

    if (n <= 0)
        return false;
    here[n] = '\0';
    *(strrchr(here, '/') + 1) = '\0';
    for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
        snprintf(path, len, "%s%sxenlab-policy", here, places[i]);
        if (!access(path, X_OK))
            return true;
    }
    return false;
}

static bool process_start(struct wb_remote *r, const char *path)
{
    char program[640], object[4096], why[256];
    const char *see[] = { object, NULL }, *argv[] = { program, object, NULL };
    struct sandbox s = { .see = see, .memory = MAX_MEMORY, .cpu = MAX_CPU };
    const int on = 1;
    int ends[2];

    if (!program_path(program, sizeof(program)))
        return not_started(r, "cannot run policies: the program xenlab-policy is not beside this one", "");
    if (!realpath(path, object))
        return not_started(r, "cannot be loaded", strerror(errno));
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends))
        return not_started(r, "cannot start its process", strerror(errno));
    setsockopt(ends[0], SOL_SOCKET, SO_PASSCRED, &on, sizeof(on));
    prctl(PR_SET_DUMPABLE, 0); /* nobody of the same user opens our memory, /proc/PID/mem */
    s.fd = ends[1];
    r->socket = ends[0];
    if (sandbox_spawn(&s, argv, &r->run, why, sizeof(why))) {
        close(ends[1]);
        return not_started(r, "cannot start its process", why);
    }
    close(ends[1]);
    if (!r->run.wrapped)
        fprintf(stderr, "xenlab: without bubblewrap (bwrap) the policy can read what you can read\n");
    return true;
}

static bool hear(struct wb_remote *r, uint32_t kind, enum wb_where where, struct wire_answer *a)
{
    struct wb_expected e = { .kinds = UINT32_C(1) << kind | UINT32_C(1) << WIRE_NOT_LOADED, .len = WIRE_ANSWER_SIZE };

    r->where = where;
    if (!wb_remote_receive(r, a, &e))
        return false;
    if (a->kind != WIRE_NOT_LOADED)
        return true;
    output_show(r);
    return not_started(r, a->text, "");
}

bool wb_remote_start(struct wb_remote *r, const char *path, unsigned int limit, unsigned int nr_pcpus, uint64_t seed)
{
    struct wire_answer a;

    *r = (struct wb_remote){ .path = path, .limit = limit, .socket = -1, .run.output = -1, .run.ended = true };
    r->who = wb_who(NULL, NULL, -1);
    r->vcpu = calloc(WIRE_MAX_VCPUS, sizeof(*r->vcpu));
    r->domain = calloc(WIRE_MAX_DOMAINS, sizeof(*r->domain));
    r->domain_told = calloc(WIRE_MAX_DOMAINS, sizeof(*r->domain_told));
    BUG_ON(!r->vcpu || !r->domain || !r->domain_told);
    if (!process_start(r, path))
        return false;
    r->question = (struct wire_question){ .kind = WIRE_BEGIN, .nr_pcpus = nr_pcpus, .value = (int64_t)seed };
    wb_remote_send(r);
    if (!hear(r, WIRE_HERE, WB_CONSTRUCTORS, &a) || !hear(r, WIRE_HERE, WB_CONSTRUCTORS, &a) ||
        !hear(r, WIRE_LOADED, WB_NAMES, &a))
        return false;
    r->where = WB_NOWHERE;
    snprintf(r->opt_name, sizeof(r->opt_name), "%.31s", a.text);
    snprintf(r->name, sizeof(r->name), "%.63s", a.text + strlen(a.text) + 1);
    make_printable(r->name, strlen(r->name), false); /* the report shows them */
    make_printable(r->opt_name, strlen(r->opt_name), false);
    if (!(a.hooks >> WIRE_do_schedule & 1))
        not_started(r, "xenlab_sched_ops has no do_schedule", "");
    else if (!*r->name || !*r->opt_name)
        not_started(r, "xenlab_sched_ops has no name or no opt_name", "");
    if (r->gone)
        r->rc = 2;
    r->hooks = a.hooks;
    r->sched_id = a.sched_id;
    return !r->gone;
}

void wb_remote_end(struct wb_remote *r)
{
    if (r->run.output >= 0)
        output_show(r);
    if (r->line_len)
        line_show(r);
    sandbox_end(&r->run);
    prctl(PR_SET_DUMPABLE, 1);
    if (r->socket >= 0)
        close(r->socket);
    free(r->vcpu);
    free(r->domain);
    free(r->domain_told);
}
