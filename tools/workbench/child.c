// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Running a policy that may do anything.
 *
 * Concept: the shared object is loaded in a child process, since already its constructors run code. Parent and child
 * share one page, struct wb_watch, in which the child notes what it is about to call. From that and from how the child
 * ended the parent can say what happened: "crashed (Segmentation fault) in do_schedule at 12.5 ms". A hook that does
 * not return within the limit is stopped, and so is a simulation that does not get on; a long one is not, as long as
 * its hooks return.
 *
 * The child has a process group of its own, so that signals it sends to its group and processes it starts are its own
 * affair; they end with it. This holds mistakes, not malice: the policy runs with the user's rights.
 */
#include "tools/workbench/child.h"

#include "tools/printable.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MAX_MEMORY      (UINT64_C(4) << 30) /* a policy that allocates for ever must not take the host down */
#define MAX_REPORT_TIME 60                  /* seconds for what follows the simulation */

/* --- in the child --- */

static _Noreturn void not_loaded(struct wb_watch *watch, const char *path, const char *what, const char *why)
{
    snprintf(watch->why, sizeof(watch->why), "%s%s%s%s", what, path, why ? ": " : "", why ? why : "");
    watch->where = WB_NOWHERE;
    watch->finished = true;
    _exit(1);
}

/* The table, if it has the shape that this program knows. Another size: it was built for another version of sched.h. */
static const struct sched_ops *table(struct wb_watch *watch, const char *path, void *lib)
{
    void *ops = dlsym(lib, "xenlab_sched_ops");
    const ElfW(Sym) *sym = NULL;
    char text[160];
    Dl_info info;

    if (!ops)
        not_loaded(watch, path, "", "exports no `const struct sched_ops xenlab_sched_ops`");
    if (!dladdr1(ops, &info, (void **)&sym, RTLD_DL_SYMENT) || !sym || !sym->st_size)
        return ops;
    if (ELF64_ST_TYPE(sym->st_info) != STT_OBJECT)
        not_loaded(watch, path, "", "xenlab_sched_ops is no `const struct sched_ops`");
    snprintf(
        text, sizeof(text),
        "xenlab_sched_ops has %lu bytes, a struct sched_ops has %zu: built with another version of vcpu/sched/sched.h",
        (unsigned long)sym->st_size, sizeof(struct sched_ops));
    if (sym->st_size != sizeof(struct sched_ops))
        not_loaded(watch, path, "", text);
    return ops;
}

static void confine(pid_t parent)
{
    static const int crashes[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP };
    const struct rlimit none = { 0, 0 };

    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(1);
    /* A crash must end this process, whatever handlers the program has. */
    for (size_t i = 0; i < ARRAY_SIZE(crashes); i++)
        signal(crashes[i], SIG_DFL);
    setrlimit(RLIMIT_CORE, &none);
#if !defined(__SANITIZE_ADDRESS__) /* which reserves much more than it uses */
    setrlimit(RLIMIT_DATA, &(struct rlimit){ MAX_MEMORY, MAX_MEMORY });
#endif
}

/*
 * Standard output becomes a stream of our own; number 1 is standard error from here on, by lines, so that what a policy
 * prints is seen even if it crashes then, and is no part of the report.
 */
static FILE *report_stream(struct wb_watch *watch)
{
    const int fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    FILE *out = fd >= 0 ? fdopen(fd, "w") : NULL;

    if (!out || dup2(STDERR_FILENO, STDOUT_FILENO) < 0) {
        snprintf(watch->why, sizeof(watch->why), "cannot write the report: standard output is closed");
        watch->finished = true;
        _exit(1);
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    return out;
}

/*
 * Did what was written get out, to where it went at the beginning? 0, or errno: EBADF if the policy has meddled with
 * it.
 */
static int report_close(FILE *out, const struct stat *before)
{
    const int failed = ferror(out) ? EIO : 0;
    struct stat now;

    if (fstat(fileno(out), &now) || now.st_dev != before->st_dev || now.st_ino != before->st_ino)
        return EBADF;
    return fclose(out) ? errno : failed;
}

static _Noreturn void child(const char *path, pid_t parent, struct wb_watch *watch, wb_child_fn *fn, void *data)
{
    const struct sched_ops *ops;
    struct stat before;
    char here[4096];
    FILE *out;
    void *lib;
    int rc;

    confine(parent);
    out = report_stream(watch);
    fstat(fileno(out), &before);
    watch->where = WB_CONSTRUCTORS;
    watch->who = wb_who(NULL, NULL, -1);
    /* Without a slash dlopen() would look among the system's libraries. */
    snprintf(here, sizeof(here), "%s%s", strchr(path, '/') ? "" : "./", path);
    lib = dlopen(here, RTLD_NOW);
    if (!lib)
        not_loaded(watch, path, "cannot load ", dlerror());
    ops = table(watch, path, lib);
    watch->where = WB_NOWHERE;
    watch->loaded = true;
    rc = fn(data, ops, watch, out);
    fflush(stdout);
    watch->output_lost = report_close(out, &before);
    watch->finished = true;
    _exit(rc);
}

/* --- in the parent --- */

static double seconds_now(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* Wait for the child; kill it when one call takes too long. True: it was killed. */
static bool watch_child(pid_t pid, const struct wb_watch *watch, unsigned int limit)
{
    const struct timespec nap = { 0, 5000000 };
    uint64_t calls = 0, beats = 0;
    double since = seconds_now();

    for (;;) {
        const unsigned int most = watch->simulated && !watch->where ? MAX_REPORT_TIME : limit;
        siginfo_t si = { 0 };

        if (!waitid(P_PID, (id_t)pid, &si, WEXITED | WNOHANG | WNOWAIT) && si.si_pid)
            return false;
        if (watch->calls != calls || watch->beats != beats) {
            calls = watch->calls;
            beats = watch->beats;
            since = seconds_now();
        } else if (seconds_now() - since > most) {
            return true;
        }
        nanosleep(&nap, NULL);
    }
}

static void say_where(const struct wb_watch *watch)
{
    char who[WB_WHO_SIZE];

    if (watch->where)
        fprintf(stderr, " in %s%s, call %llu, at %.6f ms of virtual time\n", wb_where_name(watch->where),
                wb_who_text(&watch->who, who), (unsigned long long)watch->calls, (double)watch->now / 1e6);
    else
        fprintf(stderr, " outside its hooks (memory damaged by an earlier call?), after %llu call%s\n",
                (unsigned long long)watch->calls, PLURAL(watch->calls));
}

/* How it ended, in words; the exit status. */
static int verdict(const char *path, const struct wb_watch *watch, bool killed, unsigned int limit, int status)
{
    if (killed) {
        fprintf(stderr, "xenlab: policy %s stopped: did not return within %u s", path,
                watch->simulated && !watch->where ? MAX_REPORT_TIME : limit);
        say_where(watch);
        return 2;
    }
    if (WIFSIGNALED(status)) {
        fprintf(stderr, "xenlab: policy %s crashed (%s)", path, strsignal(WTERMSIG(status)));
        say_where(watch);
        return 2;
    }
    if (!watch->finished || !WIFEXITED(status)) {
        fprintf(stderr, "xenlab: policy %s ended the process (exit %d)", path, WEXITSTATUS(status));
        say_where(watch);
        return 2;
    }
    if (watch->why[0])
        fprintf(stderr, "xenlab: %.*s\n", (int)sizeof(watch->why), watch->why);
    if (watch->output_lost && !WEXITSTATUS(status)) {
        if (watch->output_lost != EBADF) {
            fprintf(stderr, "xenlab: standard output: %s\n", strerror(watch->output_lost));
            return 1;
        }
        fprintf(stderr, "xenlab: policy %s closed or redirected the program's output: the report is lost\n", path);
        return 2;
    }
    return WEXITSTATUS(status);
}

int wb_child_run(const char *path, unsigned int limit, wb_child_fn *fn, void *data)
{
    struct wb_watch *watch = mmap(NULL, sizeof(*watch), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    const pid_t parent = getpid();
    int status = 0, rc;
    char shown[256];
    bool killed;
    pid_t pid;

    if (watch == MAP_FAILED) {
        fprintf(stderr, "xenlab: no memory to share with the policy's process: %s\n", strerror(errno));
        return 1;
    }
    fflush(NULL);
    pid = fork();
    if (pid < 0) {
        fprintf(stderr, "xenlab: cannot start a process for the policy: %s\n", strerror(errno));
        munmap(watch, sizeof(*watch));
        return 1;
    }
    if (!pid)
        child(path, parent, watch, fn, data);
    setpgid(pid, pid); /* whoever comes first */
    killed = watch_child(pid, watch, limit);
    /* It has not been waited for yet, so its number is still its own: it and whatever it has started end here. */
    kill(-pid, SIGKILL);
    kill(pid, SIGKILL);
    waitpid(pid, &status, 0);
    snprintf(shown, sizeof(shown), "%s", path);
    make_printable(shown, strlen(shown), false);
    make_printable((char *)watch->why, strnlen((char *)watch->why, sizeof(watch->why)), true);
    rc = verdict(shown, watch, killed, limit, status);
    munmap(watch, sizeof(*watch));
    return rc;
}
