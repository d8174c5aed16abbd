// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Starting a program in a sandbox, and its end; sandbox.h says what it is good for.
 *
 * Concept: fork(), limits, descriptors, execve(): either of bubblewrap, which makes namespaces and starts the program
 * in them, or of the program. Limits are set before, as whoever runs inherits them. How many processes it may have is
 * not among them: Linux counts those of a user, the caller's own as well. In a PID namespace all end with the first;
 * without one the process group does, and alone.h lets a program have no others.
 *
 * Invariant: what runs inside never outlives its parent (PR_SET_PDEATHSIG, --die-with-parent). Bubblewrap's own child
 * may, and runs nothing then: if all are killed within the moment in which it has not yet asked for that signal.
 */
#include "tools/sandbox/sandbox.h"

#include "tools/sandbox/alone.h"
#include "tools/sandbox/fence.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define NOBODY     65534
#define PIPE_SIZE  (1 << 20)
#define MAX_WORDS  256
#define STACK      (8u << 20) /* the same everywhere: how deep a function may call itself is seen in a grade */
#define FILES      256
#define FIRST_FREE 4 /* descriptors: input, output, errors, the one that is given */

static char *const no_environment[] = { NULL };

/* --- the command of bubblewrap --- */

struct words {
    const char *word[MAX_WORDS];
    unsigned int nr;
    char origin[4096]; /* the program's folder */
};

static void add(struct words *w, const char *word)
{
    if (w->nr < MAX_WORDS - 1)
        w->word[w->nr++] = word;
}

static void show(struct words *w, const char *path)
{
    add(w, "--ro-bind-try");
    add(w, path);
    add(w, path);
}

/* The system's libraries, wherever a system keeps them. */
static const char *const libraries[] = { "/lib",       "/lib64",         "/lib32",     "/usr/lib",   "/usr/lib64",
                                         "/usr/lib32", "/usr/local/lib", "/nix/store", "/gnu/store", "/etc/ld.so.cache",
                                         NULL };

static void wrap(struct words *w, const char *bwrap)
{
    static const char *const ways[] = { "--unshare-all", "--die-with-parent", "--new-session",
                                        "--clearenv",    "--cap-drop",        "ALL" };

    add(w, bwrap);
    for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++)
        add(w, ways[i]);
    for (size_t i = 0; libraries[i]; i++)
        show(w, libraries[i]);
#if defined(__SANITIZE_ADDRESS__) /* the sanitizer wants to know where it is */
    add(w, "--proc");
    add(w, "/proc");
#endif
}

/* Where it is; NULL: nowhere. */
static const char *bwrap_path(void)
{
    static const char *const places[] = { "/usr/bin/bwrap", "/bin/bwrap", "/usr/local/bin/bwrap",
                                          "/run/current-system/sw/bin/bwrap" };

    for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++)
        if (!access(places[i], X_OK))
            return places[i];
    return NULL;
}

/* It may be there and not be allowed to make namespaces, as inside of many containers. */
static bool bwrap_works(const char *bwrap)
{
    const int nowhere = open("/dev/null", O_RDWR | O_CLOEXEC);
    struct words w = { .nr = 0 };
    siginfo_t si;
    int status = -1;
    pid_t pid;

    wrap(&w, bwrap);
    show(&w, "/usr/bin");
    show(&w, "/bin");
    add(&w, "--remount-ro");
    add(&w, "/");
    add(&w, "true");
    pid = fork();
    if (!pid) {
        setsid();
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        dup2(nowhere, STDIN_FILENO);
        dup2(nowhere, STDOUT_FILENO);
        dup2(nowhere, STDERR_FILENO);
        execve(bwrap, (char *const *)(uintptr_t)w.word, no_environment);
        _exit(127);
    }
    /* One that fails half-way leaves a child, waiting: it is of the group, whose number is taken until this is read. */
    if (pid > 0) {
        waitid(P_PID, (id_t)pid, &si, WEXITED | WNOWAIT);
        kill(-pid, SIGKILL);
        waitpid(pid, &status, 0);
    }
    if (nowhere >= 0)
        close(nowhere);
    return pid > 0 && WIFEXITED(status) && !WEXITSTATUS(status);
}

bool sandbox_wraps(void)
{
    static int works = -1; /* a fact of the machine: asked for once */
    const char *off = getenv("XENLAB_BWRAP"), *bwrap = bwrap_path();

    if (!bwrap || (off && !strcmp(off, "no")))
        return false;
    if (works < 0)
        works = (off && !strcmp(off, "yes")) || bwrap_works(bwrap);
    return works;
}

/* --- the child --- */

static void limit(int what, uint64_t most) { setrlimit((__rlimit_resource_t)what, &(struct rlimit){ most, most }); }

static void limits(const struct sandbox *s)
{
    limit(RLIMIT_CORE, 0);
    limit(RLIMIT_STACK, STACK);
    limit(RLIMIT_NOFILE, FILES);
    limit(RLIMIT_FSIZE, s->file);
    if (s->cpu)
        limit(RLIMIT_CPU, s->cpu);
#if !defined(__SANITIZE_ADDRESS__) /* which reserves much more than it uses */
    if (s->memory)
        limit(RLIMIT_AS, s->memory), limit(RLIMIT_DATA, s->memory);
#endif
}

/* Signals as they are at the start of a program, whatever the caller does with them; files that others may read. */
static void signals(void)
{
    sigset_t none;

    umask(022);
    for (int i = 1; i < NSIG; i++)
        signal(i, SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

/*
 * Without bubblewrap: as nobody, if it was root, and as far as the kernel has a fence, with files that it was shown.
 * Compilers write to what they are told is for that, since /tmp is everybody's.
 */
static _Noreturn void become_bare(const struct sandbox *s, const struct words *w)
{
    char tmpdir[4096 + 8];
    char *const environment[] = { tmpdir, NULL };

    snprintf(tmpdir, sizeof(tmpdir), "TMPDIR=%s", s->write ?: "/");
    if (!geteuid() && (setgroups(0, NULL) || setgid(NOBODY) || setuid(NOBODY)))
        _exit(127);
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* another user begins without */
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    if ((sandbox_fences() && sandbox_fence(s->see, libraries, w->word[0], s->write)) || (s->single && sandbox_single()))
        _exit(127);
    execve(w->word[0], (char *const *)(uintptr_t)w->word, s->write ? environment : no_environment);
    _exit(127);
}

static _Noreturn void become(const struct sandbox *s, const struct words *w, bool wrapped, pid_t parent, int output)
{
    const int nothing = open("/dev/null", O_RDONLY);
    /* Out of the way of the numbers that they are to have. */
    const int given = s->fd >= 0 ? fcntl(s->fd, F_DUPFD, FIRST_FREE) : -1, out = fcntl(output, F_DUPFD, FIRST_FREE),
              made = wrapped && s->single ? sandbox_single_fd() : -1,
              filter = made >= 0 ? fcntl(made, F_DUPFD, FIRST_FREE + 1) : -1;

    if (wrapped && s->single && filter < 0)
        _exit(127);
    setsid();
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(127);
    signals();
    dup2(nothing, STDIN_FILENO);
    dup2(out, STDOUT_FILENO);
    dup2(out, STDERR_FILENO);
    if (given >= 0)
        dup2(given, FIRST_FREE - 1);
    if (given < 0)
        close(FIRST_FREE - 1);
    if (filter >= 0)
        dup2(filter, FIRST_FREE);
    close_range(filter >= 0 ? FIRST_FREE + 1 : FIRST_FREE, ~0U, 0);
    limits(s);
    personality(ADDR_NO_RANDOMIZE); /* code that says an address, or reads what it never wrote, says the same again */
    if (!wrapped)
        become_bare(s, w);
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    execve(w->word[0], (char *const *)(uintptr_t)w->word, no_environment);
    _exit(127);
}

/* --- the parent --- */

static void command(const struct sandbox *s, const char *const argv[], bool wrapped, struct words *w)
{
    const char *slash = strrchr(argv[0], '/');

    if (wrapped) {
        wrap(w, bwrap_path());
        if (slash) { /* where it has libraries beside it: without /proc, ld.so(8) does not know what $ORIGIN is */
            snprintf(w->origin, sizeof(w->origin), "%.*s", (int)(slash - argv[0]), argv[0]);
            add(w, "--setenv");
            add(w, "LD_ORIGIN_PATH");
            add(w, w->origin);
        }
        if (s->single) {
            add(w, "--seccomp");
            add(w, "4"); /* FIRST_FREE */
        }
        if (s->write) { /* compilers want it */
            add(w, "--tmpfs");
            add(w, "/tmp");
        }
        if (s->proc) {
            add(w, "--proc");
            add(w, "/proc");
        }
        show(w, argv[0]);
        for (size_t i = 0; s->see && s->see[i]; i++)
            show(w, s->see[i]);
        if (s->write) {
            add(w, "--bind");
            add(w, s->write);
            add(w, s->write);
        }
        add(w, "--remount-ro");
        add(w, "/");
        add(w, "--");
    }
    for (size_t i = 0; argv[i]; i++)
        add(w, argv[i]);
}

int sandbox_spawn(const struct sandbox *s, const char *const argv[], struct sandbox_run *r, char *why, size_t len)
{
    const bool wrapped = !s->bare && sandbox_wraps();
    const pid_t parent = getpid();
    struct words w = { .nr = 0 };
    int output[2];

    *r = (struct sandbox_run){ .wrapped = wrapped, .output = -1 };
    command(s, argv, wrapped, &w);
    if (w.nr == MAX_WORDS - 1) {
        snprintf(why, len, "its command has too many words");
        r->ended = true;
        return -1;
    }
    if (pipe2(output, O_CLOEXEC)) {
        snprintf(why, len, "%s", strerror(errno));
        return -1;
    }
    fcntl(output[0], F_SETFL, O_NONBLOCK);
    fcntl(output[0], F_SETPIPE_SZ, PIPE_SIZE); /* as large as it may be */
    fflush(NULL);
    r->pid = fork();
    if (!r->pid)
        become(s, &w, wrapped, parent, output[1]);
    close(output[1]);
    r->output = output[0];
    if (r->pid > 0)
        return 0;
    snprintf(why, len, "%s", strerror(errno));
    close(output[0]);
    r->ended = true;
    return -1;
}

size_t sandbox_read(struct sandbox_run *r, char *buf, size_t len)
{
    const ssize_t n = read(r->output, buf, len);

    return n > 0 ? (size_t)n : 0;
}

double sandbox_cpu(const struct sandbox_run *r)
{
    struct timespec ts;
    clockid_t clock;

    if (r->ended || clock_getcpuclockid(r->inside ? r->inside : r->pid, &clock) || clock_gettime(clock, &ts))
        return -1;
    return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

bool sandbox_ended(struct sandbox_run *r)
{
    siginfo_t si = { 0 };

    /* It stays there to be waited for, so that its number is nobody else's until sandbox_end(). */
    if (!r->ended && !waitid(P_PID, (id_t)r->pid, &si, WEXITED | WNOHANG | WNOWAIT) && si.si_pid) {
        r->ended = true;
        r->status = si.si_code == CLD_EXITED ? si.si_status << 8 : si.si_status;
    }
    return r->ended;
}

/* Bubblewrap ends as its program did, and says a signal by 128 + its number, as shells do. */
int sandbox_signal(const struct sandbox_run *r)
{
    if (WIFSIGNALED(r->status))
        return WTERMSIG(r->status);
    return r->wrapped && WEXITSTATUS(r->status) > 128 && WEXITSTATUS(r->status) < 128 + NSIG
               ? WEXITSTATUS(r->status) - 128
               : 0;
}

void sandbox_end(struct sandbox_run *r)
{
    if (r->pid > 0) {
        kill(-r->pid, SIGKILL); /* a session of its own, so a group as well */
        kill(r->pid, SIGKILL);
        waitpid(r->pid, NULL, 0);
    }
    if (r->output >= 0)
        close(r->output);
    *r = (struct sandbox_run){ .ended = true, .output = -1, .status = r->status };
}
