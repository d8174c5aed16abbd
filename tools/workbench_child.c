// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Running a policy that may do anything.
 *
 * Concept: the shared object is loaded in a child process, since already its constructors run code. Parent and child share one
 * page, struct wb_watch, in which the child notes what it is about to call. From that and from how the child ended the parent can
 * say what happened: "crashed (Segmentation fault) in do_schedule at 12.5 ms". A hook that does not return within the limit
 * is stopped; a long simulation is not, as long as its hooks return.
 */
#include "tools/workbench_child.h"

#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define EXIT_NOT_LOADED 99

static _Noreturn void child(const char *path, struct wb_watch *watch, wb_child_fn *fn, void *data)
{
    static const int crashes[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP };
    const struct rlimit none = { 0, 0 };
    const struct sched_ops *ops;
    void *lib;
    int rc;

    /* A crash must end this process, whatever handlers the program has. */
    for (size_t i = 0; i < ARRAY_SIZE(crashes); i++)
        signal(crashes[i], SIG_DFL);
    setrlimit(RLIMIT_CORE, &none);
    watch->hook = "its constructors";
    lib = dlopen(path, RTLD_NOW);
    watch->hook = NULL;
    if (!lib) {
        fprintf(stderr, "xenlab: cannot load %s: %s\n", path, dlerror());
        _exit(EXIT_NOT_LOADED);
    }
    ops = dlsym(lib, "xenlab_sched_ops");
    if (!ops) {
        fprintf(stderr, "xenlab: %s exports no `const struct sched_ops xenlab_sched_ops`\n", path);
        _exit(EXIT_NOT_LOADED);
    }
    rc = fn(data, ops, watch);
    fflush(NULL);
    watch->finished = true;
    _exit(rc);
}

static double seconds_now(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* Wait for the child; kill it when one call takes too long. True: it was killed. */
static bool watch_child(pid_t pid, const struct wb_watch *watch, unsigned int limit, int *status)
{
    const struct timespec nap = { 0, 5000000 };
    uint64_t calls = watch->calls;
    double since = seconds_now();

    while (waitpid(pid, status, WNOHANG) == 0) {
        if (watch->calls != calls || !watch->hook) {
            calls = watch->calls;
            since = seconds_now();
        } else if (seconds_now() - since > limit) {
            kill(pid, SIGKILL);
            waitpid(pid, status, 0);
            return true;
        }
        nanosleep(&nap, NULL);
    }
    return false;
}

static void say_where(const struct wb_watch *watch)
{
    if (watch->hook)
        fprintf(stderr, " in %s, call %llu, at %.6f ms of virtual time", watch->hook, (unsigned long long)watch->calls,
                (double)watch->now / 1e6);
    else
        fprintf(stderr, " outside its hooks (memory damaged by an earlier call?), after %llu calls",
                (unsigned long long)watch->calls);
}

int wb_child_run(const char *path, unsigned int limit, wb_child_fn *fn, void *data)
{
    struct wb_watch *watch = mmap(NULL, sizeof(*watch), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int status = 0, rc = 2;
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
        child(path, watch, fn, data);
    killed = watch_child(pid, watch, limit, &status);

    if (killed) {
        fprintf(stderr, "xenlab: policy %s stopped: did not return within %u s", path, limit);
        say_where(watch);
        fputc('\n', stderr);
    } else if (WIFSIGNALED(status)) {
        fprintf(stderr, "xenlab: policy %s crashed (%s)", path, strsignal(WTERMSIG(status)));
        say_where(watch);
        fputc('\n', stderr);
    } else if (WEXITSTATUS(status) == EXIT_NOT_LOADED && !watch->calls) {
        rc = 1;
    } else if (!watch->finished) {
        fprintf(stderr, "xenlab: policy %s ended the process (exit %d)", path, WEXITSTATUS(status));
        say_where(watch);
        fputc('\n', stderr);
    } else {
        rc = WEXITSTATUS(status);
    }
    munmap(watch, sizeof(*watch));
    return rc;
}
