// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The program and its terminal: whatever ends it, and whenever, the terminal is as it was; while it is stopped, too.
 *
 * Concept: each scene is a session of its own on a pseudo-terminal, as a shell with job control makes it: a leader
 * (ours) that puts the program into the foreground, looks at the terminal's settings, and says what is wrong in a line,
 * or nothing. How long anything takes does not matter: the leader waits for states, and a scene that hangs is killed by
 * its alarm.
 *
 * Budget: a small shell, and what is played on it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "tests/support/random.h"

#define COUNT(array)  (sizeof(array) / sizeof((array)[0]))
#define SCENE_SECONDS 60
/* A sanitizer reports a fault, and exits. Its program takes seconds to start, so there are fewer moments. */
#ifdef __SANITIZE_ADDRESS__
#define SANITIZED true
#define MOMENTS   14
#else
#define SANITIZED false
#define MOMENTS   140
#endif

struct scene {
    int master, slave;
    pid_t program;
    struct termios before;
    char wrong[256];
    char seen[16384];       /* what the program has shown last, with zero bytes left out */
    size_t nr_seen, passed; /* passed: before this, wait_seen() does not look */
};

#define WRONG(s, ...) (snprintf((s)->wrong, sizeof((s)->wrong), __VA_ARGS__), false)

/* --- the leader --- */

static bool start_in(struct scene *s, const char *const *args, bool foreground)
{
    const char *program = getenv("XENLAB");

    s->program = fork();
    if (s->program == 0) {
        setpgid(0, 0);
        if (foreground)
            tcsetpgrp(s->slave, getpid());
        for (int sig = 1; sig < NSIG; sig++) /* what our caller ignores would stay ignored */
            signal(sig, SIG_DFL);
        for (int fd = 0; fd < 3; fd++)
            dup2(s->slave, fd);
        execv(program ? program : "./xenlab", (char *const *)args);
        _exit(127);
    }
    setpgid(s->program, s->program);
    if (foreground)
        tcsetpgrp(s->slave, s->program);
    return s->program > 0 || WRONG(s, "no process");
}

static bool start(struct scene *s, const char *const *args) { return start_in(s, args, true); }

static void forget_half(struct scene *s)
{
    const size_t half = sizeof(s->seen) / 2;

    s->nr_seen -= half;
    s->passed -= s->passed < half ? s->passed : half;
    memmove(s->seen, s->seen + half, s->nr_seen);
    memset(s->seen + s->nr_seen, 0, sizeof(s->seen) - s->nr_seen);
}

/* Take in what the program shows, so that it never waits for us. */
static void look(struct scene *s, int ms)
{
    struct pollfd p = { .fd = s->master, .events = POLLIN };
    char buf[4096];
    ssize_t n;

    while (poll(&p, 1, ms) > 0 && (n = read(s->master, buf, sizeof(buf))) > 0) {
        for (ssize_t i = 0; i < n; i++) {
            if (s->nr_seen == sizeof(s->seen) - 1)
                forget_half(s);
            if (buf[i])
                s->seen[s->nr_seen++] = buf[i];
        }
        ms = 0;
    }
}

static bool same_settings(const struct scene *s)
{
    const struct termios *b = &s->before;
    struct termios now;

    return tcgetattr(s->slave, &now) == 0 && now.c_iflag == b->c_iflag && now.c_oflag == b->c_oflag &&
           now.c_cflag == b->c_cflag && now.c_lflag == b->c_lflag && !memcmp(now.c_cc, b->c_cc, sizeof(now.c_cc));
}

static bool raw(const struct scene *s)
{
    struct termios now;

    return tcgetattr(s->slave, &now) == 0 && !(now.c_lflag & (ICANON | ECHO | ISIG));
}

/* Wait until the program has shown `text` and the keyboard is raw; or it has ended. */
static bool wait_ready(struct scene *s, const char *text)
{
    while (!raw(s) || !strstr(s->seen, text)) {
        siginfo_t info = { 0 };

        look(s, 5);
        if (waitid(P_PID, (id_t)s->program, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid) {
            look(s, 0);
            return WRONG(s, "it has ended before \"%s\": %.100s", text, s->seen);
        }
    }
    return true;
}

/* The same, and whoever has the terminal has it as he likes. Only what is shown from now on counts. */
static bool wait_seen(struct scene *s, const char *text)
{
    const char *found;

    while (!(found = strstr(s->seen + s->passed, text))) {
        siginfo_t info = { 0 };

        look(s, 5);
        if (waitid(P_PID, (id_t)s->program, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid)
            return WRONG(s, "it has ended before \"%s\": %.100s", text, s->seen);
    }
    s->passed = (size_t)(found - s->seen) + strlen(text);
    return true;
}

static bool type(struct scene *s, const char *keys)
{
    return write(s->master, keys, strlen(keys)) == (ssize_t)strlen(keys) || WRONG(s, "keys cannot be typed");
}

/* Until the program has read what was typed. */
static bool wait_read(struct scene *s)
{
    int bytes = 1;

    while (bytes) {
        look(s, 5);
        if (ioctl(s->slave, FIONREAD, &bytes))
            return WRONG(s, "FIONREAD: %s", strerror(errno));
    }
    return true;
}

static int wait_status(struct scene *s, int flags)
{
    int status;

    while (waitpid(s->program, &status, flags | WNOHANG) != s->program)
        look(s, 2);
    look(s, 0);
    return status;
}

/* It ends with this status, and the terminal is as before. */
static bool ends(struct scene *s, int expected)
{
    const int status = wait_status(s, 0);

    tcsetpgrp(s->slave, getpid());
    if (!same_settings(s))
        return WRONG(s, "the terminal is not as it was (wait status %#x)", status);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != expected)
        return WRONG(s, "wait status %#x instead of exit status %d: %.150s", status, expected, s->seen);
    return true;
}

/* Run `play` in a session of its own; its complaint, or nothing, is what is returned (static). */
static const char *scene(bool (*play)(struct scene *s, const void *arg), const void *arg)
{
    static char wrong[256];
    struct scene s = { .master = posix_openpt(O_RDWR | O_NOCTTY) };
    int report[2], status;
    ssize_t n;
    pid_t leader;

    if (s.master < 0 || grantpt(s.master) || unlockpt(s.master) || pipe2(report, O_CLOEXEC))
        return "there is no pseudo-terminal";
    leader = fork();
    if (leader == 0) {
        setsid();
        alarm(SCENE_SECONDS);
        signal(SIGTTOU, SIG_IGN);
        s.slave = open(ptsname(s.master), O_RDWR);
        if (s.slave < 0 || ioctl(s.slave, TIOCSCTTY, 0) < 0 || tcgetattr(s.slave, &s.before))
            snprintf(s.wrong, sizeof(s.wrong), "the pseudo-terminal does not work");
        else if (play(&s, arg))
            s.wrong[0] = '\0';
        if (write(report[1], s.wrong, sizeof(s.wrong)) != sizeof(s.wrong))
            _exit(1);
        _exit(0);
    }
    close(report[1]);
    n = read(report[0], wrong, sizeof(wrong));
    close(report[0]);
    close(s.master);
    waitpid(leader, &status, 0);
    if (n != sizeof(wrong))
        snprintf(wrong, sizeof(wrong), "the scene has hung (wait status %#x)", status);
    return wrong;
}

static void check(const char *what, const char *wrong)
{
    if (wrong[0])
        fail_msg("%s: %s", what, wrong);
}

static const char *const echo[] = { "xenlab", "run", "build/guests/echo", NULL };
/* Computes all the time. */
static const char *const spinner[] = { "xenlab", "run", "--cmdline", "rounds=1000000", "build/guests/spinner", NULL };

/* --- signals --- */

static bool in_table(const int *signals, size_t nr, int sig)
{
    while (nr-- && signals[nr] != sig)
        ;
    return nr != SIZE_MAX;
}

struct shot {
    int sig;
    const char *const *args;
    unsigned int us; /* after the start, if it is not to wait until the keyboard is raw */
    bool at_once;
};

static bool play_shot(struct scene *s, const void *arg)
{
    const struct shot *shot = arg;

    if (!start(s, shot->args) || !wait_ready(s, "Ctrl-]"))
        return false;
    kill(s->program, shot->sig);
    return ends(s, 128 + shot->sig);
}

/* Faults that somebody sends end as faults do. */
static bool play_fault(struct scene *s, const void *arg)
{
    const struct shot *shot = arg;
    struct rlimit none = { 0, 0 };
    int status;

    setrlimit(RLIMIT_CORE, &none);
    if (!start(s, shot->args) || !wait_ready(s, "Ctrl-]"))
        return false;
    kill(s->program, shot->sig);
    status = wait_status(s, 0);
    if (!same_settings(s))
        return WRONG(s, "the terminal is not as it was (wait status %#x)", status);
    return (WIFSIGNALED(status) && WTERMSIG(status) == shot->sig) || (SANITIZED && WIFEXITED(status)) ||
           WRONG(s, "wait status %#x", status);
}

/* Enumerated: every signal that can be caught does one of these, and none leaves the terminal raw. */
static void test_every_signal(void **state)
{
    static const int faults[] = { SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS };
    static const int others[] = { SIGKILL, SIGSTOP,  SIGTSTP, SIGTTIN, SIGTTOU, SIGCONT,
                                  SIGCHLD, SIGWINCH, SIGURG,  SIGPIPE, SIGXFSZ };
    unsigned int nr = 0;

    for (int sig = 1; sig <= SIGRTMAX; sig++) {
        struct shot shot = { sig, sig % 2 ? echo : spinner, 0, false };
        char what[64];

        if (in_table(others, COUNT(others), sig) || (sig > 31 && sig < SIGRTMIN))
            continue;
        snprintf(what, sizeof(what), "signal %d (%s)", sig, strsignal(sig));
        check(what, scene(in_table(faults, COUNT(faults), sig) ? play_fault : play_shot, &shot));
        nr++;
    }
    assert_int_equal(nr, 20 + (SIGRTMAX - SIGRTMIN + 1)); /* 31, less the eleven others */
}

/* These do nothing: the guest goes on, and hears what is typed. */
static bool play_nothing(struct scene *s, const void *arg)
{
    static const int ignored[] = { SIGCHLD, SIGWINCH, SIGURG, SIGPIPE, SIGXFSZ, SIGCONT };

    if (!start(s, echo) || !wait_ready(s, "1> "))
        return false;
    for (size_t i = 0; i < COUNT(ignored); i++)
        kill(s->program, ignored[i]);
    return type(s, "hello\r") && wait_ready(s, "5 characters") && type(s, "bye\r") && ends(s, 0);
}

static void test_harmless_signals(void **state) { check("harmless signals", scene(play_nothing, NULL)); }

/* At any moment of start, run and end: whatever the program is doing, the terminal comes back. */
static bool play_moment(struct scene *s, const void *arg)
{
    const struct shot *shot = arg;
    int status;

    if (!start(s, shot->args))
        return false;
    for (unsigned int us = 0; us < shot->us; us += 500) {
        usleep(500);
        look(s, 0);
    }
    kill(s->program, shot->sig);
    usleep(shot->us % 1000);
    kill(s->program, shot->sig); /* an impatient one */
    status = wait_status(s, 0);
    if (!same_settings(s))
        return WRONG(s, "the terminal is not as it was (wait status %#x)", status);
    if (WIFSIGNALED(status) ? WTERMSIG(status) != shot->sig
                            : WEXITSTATUS(status) != 128 + shot->sig && WEXITSTATUS(status) != 0)
        return WRONG(s, "wait status %#x: %.150s", status, s->seen);
    return true;
}

static void test_every_moment(void **state)
{
    static const char *const hello[] = { "xenlab", "run", "build/guests/hello", NULL };
    static const int signals[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGALRM, SIGXCPU };

    for (unsigned int i = 0; i < MOMENTS; i++) {
        struct shot shot = { signals[i % COUNT(signals)], i % 3 ? hello : spinner, i * 701, true };
        char what[64];

        snprintf(what, sizeof(what), "signal %d after %u us", shot.sig, shot.us);
        check(what, scene(play_moment, &shot));
    }
}

/* --- stopping and going on --- */

static bool stops(struct scene *s, int sig)
{
    const int status = wait_status(s, WUNTRACED);

    if (!WIFSTOPPED(status) || WSTOPSIG(status) != sig)
        return WRONG(s, "wait status %#x instead of a stop by signal %d", status, sig);
    return true;
}

static bool play_suspend(struct scene *s, const void *arg)
{
    const int sig = *(const int *)arg;

    if (!start(s, echo) || !wait_ready(s, "1> "))
        return false;
    for (int round = 0; round < 3; round++) {
        kill(s->program, sig);
        if (!stops(s, sig))
            return false;
        if (!same_settings(s))
            return WRONG(s, "the terminal is not as it was while the program is stopped");
        tcsetpgrp(s->slave, getpid());
        tcsetpgrp(s->slave, s->program);
        kill(s->program, SIGCONT);
        if (!wait_ready(s, "1> "))
            return false;
    }
    return type(s, "hello\r") && wait_ready(s, "5 characters") && type(s, "bye\r") && ends(s, 0);
}

static void test_suspend(void **state)
{
    static const int signals[] = { SIGTSTP, SIGTTIN, SIGTTOU };

    for (size_t i = 0; i < COUNT(signals); i++)
        check(strsignal(signals[i]), scene(play_suspend, &signals[i]));
}

/*
 * As a shell's `kill %1` of a stopped job: it ends, though in the background, and does not touch the terminal of the
 * shell.
 */
static bool play_killed_in_background(struct scene *s, const void *arg)
{
    struct termios shells;
    int status;

    if (!start(s, echo) || !wait_ready(s, "1> "))
        return false;
    kill(s->program, SIGTSTP);
    if (!stops(s, SIGTSTP))
        return false;
    tcsetpgrp(s->slave, getpid());
    shells = s->before;
    shells.c_lflag &= ~(tcflag_t)ICANON; /* as a shell that edits its line */
    tcsetattr(s->slave, TCSANOW, &shells);
    kill(s->program, SIGTERM);
    kill(s->program, SIGCONT);
    status = wait_status(s, WUNTRACED);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 128 + SIGTERM)
        return WRONG(s, "wait status %#x", status);
    s->before = shells;
    return same_settings(s) || WRONG(s, "the shell's settings are gone");
}

static void test_killed_in_background(void **state) { check("kill %1", scene(play_killed_in_background, NULL)); }

/* In the background it runs, and leaves the terminal alone. */
static bool play_background(struct scene *s, const void *arg)
{
    static const char *const args[] = { "xenlab", "run", "build/guests/hello", NULL };
    int status;

    if (!start_in(s, args, false))
        return false;
    status = wait_status(s, WUNTRACED);
    if (!WIFEXITED(status) || WEXITSTATUS(status))
        return WRONG(s, "wait status %#x", status);
    return (same_settings(s) || WRONG(s, "the terminal is not as it was")) &&
           (strstr(s->seen, "Good bye") || WRONG(s, "%.200s", s->seen));
}

/* And when it comes to the foreground, of which nobody tells it, the keyboard is the guest's. */
static bool play_foreground(struct scene *s, const void *arg)
{
    if (!start_in(s, echo, false))
        return false;
    while (!strstr(s->seen, "1> "))
        look(s, 5);
    if (!same_settings(s))
        return WRONG(s, "it has set the terminal in the background");
    tcsetpgrp(s->slave, s->program);
    return wait_ready(s, "1> ") && type(s, "hello\r") && wait_ready(s, "5 characters") && type(s, "bye\r") &&
           ends(s, 0);
}

/*
 * A shell with job control, and a run with & behind it: while the shell has the terminal, nothing is said of the
 * keyboard, which is the shell's, and the run goes on; after `fg` it is said, and true.
 */
static bool play_job(struct scene *s, const void *arg)
{
    static const char *const shell[] = { "bash", "--norc", "--noprofile", "--noediting", "-i", NULL };
    const char *hint = arg,
               *guests = strstr(hint, "echo") ? " build/guests/echo build/guests/echo" : " build/guests/echo";
    const char *program = getenv("XENLAB");
    char command[256];

    snprintf(command, sizeof(command), "%s run%s &\r", program ? program : "./xenlab", guests);
    setenv("XENLAB", "/bin/bash", 1);
    setenv("PS1", "ready: ", 1);
    if (!start(s, shell) || !wait_seen(s, "ready: ") || !type(s, command) || !wait_seen(s, "1> "))
        return false;
    if (!type(s, "echo still=$((6 * 7))\r") || !wait_seen(s, "still=42") || !type(s, "jobs\r") ||
        !wait_seen(s, "Running") || !wait_seen(s, "ready: "))
        return false;
    if (strstr(s->seen, "the keyboard is") || strstr(s->seen, "Stopped") || raw(s))
        return WRONG(s, "it meddles with the shell's terminal: %.200s", s->seen);
    return type(s, "fg\r") && wait_ready(s, hint) && type(s, "hello\r") && wait_ready(s, "5 characters") &&
           type(s, "\x1d") && wait_seen(s, "ready: ") && type(s, "\rexit 7\r") && ends(s, 7);
}

static void test_job(void **state)
{
    check("one guest, and fg", scene(play_job, "the keyboard is the guest's; Ctrl-] leaves"));
    check("two guests, and fg", scene(play_job, "the keyboard is echo's (d1); Ctrl-^ gives it to the next guest"));
}

static void test_background(void **state)
{
    check("background", scene(play_background, NULL));
    check("foreground", scene(play_foreground, NULL));
}

/* --- leaving --- */

static bool play_leave(struct scene *s, const void *arg)
{
    return start(s, echo) && wait_ready(s, "1> ") && type(s, "abc\x1d") && ends(s, 130);
}

static void test_leave(void **state) { check("Ctrl-]", scene(play_leave, NULL)); }

/* --- a small terminal --- */

struct terminal_size {
    unsigned short columns, rows;
    const char *says; /* or nothing of its size */
};

/* It is told, and all else is as in a large one. */
static bool play_size(struct scene *s, const void *arg)
{
    const struct terminal_size *size = arg;
    const struct winsize ws = { .ws_col = size->columns, .ws_row = size->rows };

    if (ioctl(s->slave, TIOCSWINSZ, &ws))
        return WRONG(s, "the terminal has no size");
    if (!start(s, echo) || !wait_ready(s, "Ctrl-] leaves") || !wait_ready(s, "1> "))
        return false;
    if (size->says ? !strstr(s->seen, size->says) : strstr(s->seen, "the terminal is") != NULL)
        return WRONG(s, "%ux%u: %.150s", size->columns, size->rows, s->seen);
    return type(s, "hello\r") && wait_ready(s, "5 characters") && type(s, "bye\r") && ends(s, 0);
}

static void test_sizes(void **state)
{
    static const struct terminal_size sizes[] = {
        { 80, 24, NULL },
        { 200, 60, NULL },
        { 0, 0, NULL }, /* unknown */
        { 79, 24, "xenlab: the terminal is 79x24; guests that draw take it for 80x24 at least\r\n" },
        { 80, 23, "xenlab: the terminal is 80x23; guests that draw" },
        { 40, 10, "xenlab: the terminal is 40x10; guests that draw" },
        { 1, 1, "xenlab: the terminal is 1x1; guests that draw" },
    };

    for (size_t i = 0; i < COUNT(sizes); i++)
        check("a terminal's size", scene(play_size, &sizes[i]));
}

/* --- several guests --- */

/* The keyboard goes round, past a guest that has ended; a prompt is shown; keys go to whom they were typed to. */
static bool play_several(struct scene *s, const void *arg)
{
    static const char *const args[] = {
        "xenlab", "run", "--console", "echo-2", "build/guests/echo", "build/guests/hello", "build/guests/echo", NULL
    };

    return start(s, args) && wait_ready(s, "the keyboard is echo-2's (d3); Ctrl-^ gives it to the next guest") &&
           wait_ready(s, "[d3] 1> ") && type(s, "three\r") && wait_ready(s, "[d3] You said \"three\"") &&
           wait_ready(s, "Good bye") && type(s, "\x1e") && wait_ready(s, "the keyboard is echo's (d1)") &&
           type(s, "one\r") && wait_ready(s, "[d1] You said \"one\"") && type(s, "x\x1ey\x1ez\r") &&
           wait_ready(s, "[d1] You said \"xz\"") && type(s, "bye\r") && wait_ready(s, "[d3] 2> y") && type(s, "\r") &&
           wait_ready(s, "[d3] You said \"y\"") && type(s, "bye\r") && ends(s, 0);
}

/* When the guest that has it ends, it goes on to the next by itself. */
static bool play_handed_on(struct scene *s, const void *arg)
{
    static const char *const args[] = { "xenlab", "run", "build/guests/echo", "build/guests/echo", NULL };

    return start(s, args) && wait_ready(s, "[d1] 1> ") && type(s, "bye\r") &&
           wait_ready(s, "the keyboard is echo-2's (d2)\r") && type(s, "bye\r") && ends(s, 0);
}

static void test_several(void **state)
{
    check("Ctrl-^", scene(play_several, NULL));
    check("handed on", scene(play_handed_on, NULL));
}

/* --- the debugger's line --- */

/* A clone of the only guest gets keys, too: its ring has them, as the recording says. */
static bool play_clone(struct scene *s, const void *arg)
{
    const char *dir = arg, *program = getenv("XENLAB");
    char socket[64], record[64], line[256];
    const char *const args[] = {
        "xenlab", "run", "--control", socket,     "--record",           record, "--memory", "16",
        "--name", "one", "--cmdline", "rounds=9", "build/guests/clone", NULL
    };
    bool found = false;
    FILE *f;

    snprintf(socket, sizeof(socket), "%s/socket", dir);
    snprintf(record, sizeof(record), "%s/record", dir);
    if (!start(s, args) || !wait_ready(s, "one: ready"))
        return false;
    snprintf(line, sizeof(line), "%s ctl --control %s clone one two > /dev/null", program ? program : "./xenlab",
             socket);
    if (system(line))
        return WRONG(s, "ctl clone fails");
    if (!wait_ready(s, "the keyboard is one's (d1); Ctrl-^ gives it to the next guest") ||
        !wait_ready(s, "[d2] two: I am a copy") || !type(s, "\x1e") || !wait_ready(s, "the keyboard is two's (d2)") ||
        !type(s, "abc") || !wait_read(s))
        return false;
    snprintf(line, sizeof(line), "%s ctl --control %s rename two due", program ? program : "./xenlab", socket);
    if (system(line)) /* which comes after the keys */
        return WRONG(s, "ctl rename fails");
    if (!type(s, "\x1d") || !ends(s, 130) || !(f = fopen(record, "r")))
        return false;
    while (fgets(line, sizeof(line), f))
        found |= !strncmp(line, "console ", 8) && strstr(line, " 1 616263");
    fclose(f);
    unlink(record);
    return found || WRONG(s, "no key has come to the clone");
}

static void test_clone(void **state)
{
    char dir[] = "/tmp/xenlab-terminal-XXXXXX";

    assert_non_null(mkdtemp(dir));
    check("keys for a clone", scene(play_clone, dir));
    assert_int_equal(rmdir(dir), 0);
}

static const char *const debugged[] = { "xenlab", "debug", "build/guests/echo", NULL };

/* Keys, each behind what is to be shown before it. */
static bool types(struct scene *s, const char *const (*dialogue)[2])
{
    for (; (*dialogue)[0]; dialogue++)
        if (!wait_seen(s, (*dialogue)[0]) || !type(s, (*dialogue)[1]))
            return false;
    return true;
}

/* Tab completes or lists, Ctrl-C forgets, arrows bring back, the past is asked about once, Ctrl-D ends. */
static bool play_line(struct scene *s, const void *arg)
{
    static const char *const dialogue[][2] = {
        { "LIVE xenlab> ", "goto #20\t00\r" },
        { "#2000.0  goto", "step 3\r" },
        { "#2003.0  step", "nonsense\x03" },
        { "^C", "\x1b[A\r" },
        { "#2006.0  step", "got\t#2003\r" },
        { "#2003.0  goto", "rev\t" },
        { "erse-", "\t" },
        { "reverse-switch", "ste\t\r" },
        { "#2002.0  instruction", "print %rfl\t& 0\r" },
        { "0x0 = 0", "print mode==ker\t\r" },
        { "true", "set %rax=1\r" },
        { "sure> ", "n\r" },
        { "nothing has changed", "set %rax=1\r" },
        { "sure> ", "y\r" },
        { "future become branch A", "goto #1000\r" },
        { "#1000.0  goto", "set %rax=2\r" },
        { "future become branch B", "branch \tA\r" },
        { "branch A is ahead", "where\r" },
        { "REPLAY of branch A", "\x1a" },
        { NULL, NULL },
    };

    if (!start(s, debugged) || !types(s, dialogue) || !stops(s, SIGTSTP))
        return false;
    if (!same_settings(s))
        return WRONG(s, "the terminal is not as it was while the program is stopped");
    tcsetpgrp(s->slave, s->program);
    kill(s->program, SIGCONT);
    return type(s, "quit\r") && ends(s, 1); /* not to have gone on was a failure */
}

static bool play_end_of_lines(struct scene *s, const void *arg)
{
    if (!start(s, debugged) || !wait_seen(s, "LIVE xenlab> "))
        return false;
    while (!raw(s)) /* until it is a key, and not the terminal's end of input */
        look(s, 5);
    return type(s, "\x04") && ends(s, 0);
}

static bool play_ended(struct scene *s, const void *arg)
{
    const int *sig = arg;

    if (!start(s, debugged) || !wait_seen(s, "LIVE xenlab> ") || !type(s, "half a li") || !wait_seen(s, "li"))
        return false;
    kill(s->program, *sig);
    return ends(s, 128 + *sig);
}

/* What is going on is left off, and the next line is read. */
static bool play_left_off(struct scene *s, const void *arg)
{
    static const char *const args[] = {
        "xenlab", "debug", "--cmdline", "rounds=1000000", "build/guests/spinner", NULL
    };

    if (!start(s, args) || !wait_seen(s, "LIVE xenlab> ") || !type(s, "c\r") || !wait_seen(s, "c"))
        return false;
    while (raw(s) || !same_settings(s)) /* until it runs */
        look(s, 5);
    usleep(100000);
    return type(s, "\x03") && wait_seen(s, "left off: the machine is where it was") && type(s, "where\r") &&
           wait_seen(s, "REPLAY of branch main") && type(s, "quit\r") && ends(s, 1);
}

static void test_debug_line(void **state)
{
    static const int signals[] = { SIGTERM, SIGHUP };

    check("a line", scene(play_line, NULL));
    check("Ctrl-D", scene(play_end_of_lines, NULL));
    check("Ctrl-C", scene(play_left_off, NULL));
    for (size_t i = 0; i < COUNT(signals); i++)
        check(strsignal(signals[i]), scene(play_ended, &signals[i]));
}

/* --- the cockpit --- */

/* Whatever comes, all of it: the terminal's buffer may be full. */
static bool feed(struct scene *s, const char *bytes, size_t len)
{
    while (len) {
        const ssize_t n = write(s->master, bytes, len);

        if (n < 0 && errno != EAGAIN)
            return WRONG(s, "it cannot be typed: %s", strerror(errno));
        look(s, n < 0 ? 5 : 0);
        bytes += n < 0 ? 0 : n;
        len -= n < 0 ? 0 : (size_t)n;
    }
    return true;
}

/*
 * What terminals send, whole and cut off; and any bytes, but those that end, stop or hold up a program. At last the
 * program is asked to end, and has left the other screen, shows the cursor and wants no mouse.
 */
static bool play_bytes(struct scene *s, const void *arg)
{
    static const char *const cockpit[] = { "xenlab", "tui", "--max-vtime=12ms", "build/guests/rings", NULL };
    static const char *const pieces[] = {
        "\033[A",       "\033OB",           "\033[6~",
        "\033[1;5A",    "\033[<0;30;9M",    "\033[<64;5;5M",
        "\033[M\377!",  "\033[24;80R",      "\033[200~t s\033[201~",
        "\033]0;x\007", "\033P1\033\\",     "\303",
        "\355\240\200", "\360\237\230\200", ":goto end\r",
        ":filter x\r",  "9999999s",         "5T",
    };
    static const char *const after[] = { "\033[?1049l", "\033[?1000l" };
    uint64_t prng = *(const uint64_t *)arg;
    struct winsize size = { .ws_row = 24, .ws_col = 80 };
    siginfo_t info = { 0 };

    setenv("TERM", "xterm", 1);
    ioctl(s->slave, TIOCSWINSZ, &size);
    fcntl(s->master, F_SETFL, O_NONBLOCK);
    if (!start(s, cockpit) || !wait_seen(s, "LADDER"))
        return false;
    for (unsigned int i = 0; i < 300; i++) {
        const char *piece = pieces[random_of(&prng, COUNT(pieces))];
        const size_t len = random_of(&prng, strlen(piece) + 1);
        char byte = (char)random_of(&prng, 256);

        if (byte == 'q' || (byte > 0 && byte < ' ' && byte != '\t' && byte != '\r'))
            byte = '\033';
        if (!feed(s, piece, random_of(&prng, 2) ? len : strlen(piece)) || !feed(s, &byte, 1))
            return false;
        if (random_of(&prng, 10) == 0) {
            size.ws_row = (unsigned short)(1 + random_of(&prng, 60));
            size.ws_col = (unsigned short)(1 + random_of(&prng, 200));
            ioctl(s->master, TIOCSWINSZ, &size);
        }
    }
    /* ncurses takes what follows a broken character for a part of it, as far as it comes at once. */
    do {
        if (!feed(s, "\033\033", 2) || !feed(s, ":quit\r", 6))
            return false;
        for (unsigned int i = 0; i < 20; i++)
            look(s, 5);
    } while (waitid(P_PID, (id_t)s->program, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && !info.si_pid);
    if (!ends(s, 0))
        return false;
    for (size_t i = 0; i < COUNT(after); i++)
        if (!strstr(s->seen, after[i]))
            return WRONG(s, "nothing was seen of \"ESC%s\"", after[i] + 1);
    return true;
}

/* A byte that begins no character, or one that is broken off by a key, is none; the key is one. */
static bool play_broken(struct scene *s, const void *arg)
{
    static const char *const cockpit[] = { "xenlab", "tui", "build/guests/rings", NULL };
    struct winsize size = { .ws_row = 24, .ws_col = 80 };

    setenv("TERM", "xterm", 1);
    setenv("LC_ALL", "C.UTF-8", 1);
    ioctl(s->slave, TIOCSWINSZ, &size);
    return start(s, cockpit) && wait_seen(s, "LADDER") && type(s, "\377") && wait_read(s) && type(s, "\303\033[3~") &&
           wait_seen(s, "lists all keys") && type(s, "q") && ends(s, 0);
}

static void test_broken_characters(void **state) { check("broken characters", scene(play_broken, NULL)); }

static void test_any_bytes(void **state)
{
    for (uint64_t seed = 1; seed <= 4; seed++)
        check("any bytes", scene(play_bytes, &seed));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_signal),
        cmocka_unit_test(test_harmless_signals),
        cmocka_unit_test(test_every_moment),
        cmocka_unit_test(test_suspend),
        cmocka_unit_test(test_killed_in_background),
        cmocka_unit_test(test_leave),
        cmocka_unit_test(test_several),
        cmocka_unit_test(test_clone),
        cmocka_unit_test(test_background),
        cmocka_unit_test(test_job),
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_debug_line),
        cmocka_unit_test(test_any_bytes),
        cmocka_unit_test(test_broken_characters),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
