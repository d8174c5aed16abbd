// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Whatever the program waits for at the other end of a pipe, one signal ends it: a FIFO that nobody opens, output and
 * trace that nobody reads, input that nobody writes.
 *
 * Concept: the pipes are full before the program starts, so its first write waits. The test waits until the kernel says
 * that the program sleeps, and sends the signal once. Whether it slept for this reason or another, it must end.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/leaks.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const int signals[] = {
    SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGALRM, SIGXCPU, SIGVTALRM, SIGPROF
};

/* A pipe without any room left; its ends. */
static void full_pipe(int ends[2])
{
    static const char page[4096];

    assert_int_equal(pipe(ends), 0);
    fcntl(ends[1], F_SETFL, O_NONBLOCK);
    while (write(ends[1], page, sizeof(page)) > 0)
        ;
    fcntl(ends[1], F_SETFL, 0);
}

/* Start it with this standard input and output (-1: /dev/null). */
static pid_t start(const char *const *args, int in, int out)
{
    const char *program = getenv("XENLAB");
    const pid_t pid = fork();

    if (pid == 0) {
        const int null = open("/dev/null", O_RDWR);

        prctl(PR_SET_PDEATHSIG, SIGKILL); /* nobody waits on if the test fails */
        alarm(0);
        for (size_t i = 0; i < COUNT(signals); i++) /* what our caller ignores would stay ignored */
            signal(signals[i], SIG_DFL);
        dup2(in < 0 ? null : in, 0);
        dup2(out < 0 ? null : out, 1);
        dup2(null, 2);
        execv(program ? program : "./xenlab", (char *const *)args);
        _exit(127);
    }
    assert_true(pid > 0);
    return pid;
}

static char state_of(pid_t pid)
{
    char path[64], state = '?';
    FILE *f;

    snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    f = fopen(path, "r");
    if (f && fscanf(f, "%*d %*s %c", &state) != 1)
        state = '?';
    if (f)
        fclose(f);
    return state;
}

/* It sleeps, and still does a while later: or has ended, which is wrong. */
static void wait_asleep(pid_t pid)
{
    for (int in_a_row = 0; in_a_row < 20; usleep(1000)) {
        in_a_row = state_of(pid) == 'S' ? in_a_row + 1 : 0;
        if (state_of(pid) == 'Z')
            fail_msg("it has ended instead of waiting");
    }
}

enum end { BY_DEFAULT = 1, IN_ORDER = 2 };

/*
 * One signal: it ends by it, as allowed. All signals at a time, each for a program of its own; the leaks of one are
 * looked for.
 */
static void check(const char *what, const char *const *args, int in, int out, unsigned int allowed)
{
    pid_t pids[COUNT(signals)];

    for (size_t i = 0; i < COUNT(signals); i++) {
        leaks_search(i == 0);
        pids[i] = start(args, in, out);
    }
    for (size_t i = 0; i < COUNT(signals); i++) {
        int status;

        wait_asleep(pids[i]);
        kill(pids[i], signals[i]);
        assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
        if (!(allowed & IN_ORDER && WIFEXITED(status) && WEXITSTATUS(status) == 128 + signals[i]) &&
            !(allowed & BY_DEFAULT && WIFSIGNALED(status) && WTERMSIG(status) == signals[i]))
            fail_msg("%s, signal %d: wait status %#x", what, signals[i], status);
    }
}

/* A small machine is made sooner. */
#define RUN "xenlab", "run", "--ram=48", "--memory=16"

static void test_output(void **state)
{
    static const char *const one[] = { RUN, "build/guests/hello", NULL };
    static const char *const two[] = { RUN, "build/guests/hello", "build/guests/timer", NULL };
    int ends[2];

    full_pipe(ends);
    check("nobody reads the output", one, -1, ends[1], IN_ORDER);
    check("nobody reads the lines", two, -1, ends[1], IN_ORDER);
    close(ends[0]);
    close(ends[1]);
}

static void test_input(void **state)
{
    static const char *const args[] = { RUN, "build/guests/echo", NULL };
    int ends[2];

    assert_int_equal(pipe(ends), 0);
    check("nobody types", args, ends[0], -1, IN_ORDER);
    close(ends[0]);
    close(ends[1]);
}

/*
 * A FIFO that nobody reads: opening it waits, and signals do what they do by default. One that is full: writing waits.
 */
static void test_trace(void **state)
{
    char dir[] = "/tmp/xenlab-test-XXXXXX", fifo[64];
    const char *args[] = { RUN, "--trace", fifo, "build/guests/hello", NULL };
    int fd;

    assert_non_null(mkdtemp(dir));
    snprintf(fifo, sizeof(fifo), "%s/fifo", dir);
    assert_int_equal(mkfifo(fifo, 0600), 0);
    check("nobody opens the trace", args, -1, -1, BY_DEFAULT);
    fd = open(fifo, O_RDWR | O_NONBLOCK);
    assert_true(fd >= 0);
    args[6] = "build/guests/rings"; /* its trace is longer than the buffer, perhaps before it runs */
    check("nobody reads the trace", args, -1, -1, BY_DEFAULT | IN_ORDER);
    close(fd);
    unlink(fifo);
    rmdir(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_output),
        cmocka_unit_test(test_input),
        cmocka_unit_test(test_trace),
    };

    alarm(600); /* a program that does not end would be waited for */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
