// SPDX-License-Identifier: GPL-2.0-or-later
/* Waiting for a program in a sandbox: see run.h. */
#include "tools/lab/run.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

#define CHUNK   (64 << 10)
#define LOOK_MS 20
/* Of real time, for one that sleeps: as many times its limit, but no less than this. */
#define PATIENCE_FACTOR 12
#define PATIENCE_MIN    10

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Take what is there. False: no memory, or more than it may print. */
static bool take(struct run *r, struct sandbox_run *s, uint64_t max)
{
    for (;;) {
        char *more = realloc(r->out, r->len + CHUNK);
        size_t n;

        if (!more) {
            snprintf(r->ended, sizeof(r->ended), "there is not enough memory for what it prints");
            return false;
        }
        r->out = more;
        n = sandbox_read(s, r->out + r->len, CHUNK);
        r->len += n;
        if (r->len > max) {
            snprintf(r->ended, sizeof(r->ended), "it has printed more than %llu KiB", (unsigned long long)max >> 10);
            return false;
        }
        if (!n)
            return true;
    }
}

static void end_say(struct run *r, const struct sandbox_run *s)
{
    const int sig = sandbox_signal(s), status = WIFEXITED(s->status) ? WEXITSTATUS(s->status) : -1;

    if (sig == SIGXCPU || sig == SIGKILL) /* at the limit itself */
        snprintf(r->ended, sizeof(r->ended), "it has used all CPU time that it may, or was killed");
    else if (sig)
        snprintf(r->ended, sizeof(r->ended), "it crashed: %s", strsignal(sig));
    else if (status)
        snprintf(r->ended, sizeof(r->ended), "it ended with status %d", status);
    r->limited = sig == SIGXCPU || sig == SIGKILL;
    r->ok = !sig && !status;
    r->status = status;
}

int run_program(const struct sandbox *what, const char *const argv[], const struct run_limits *limits, struct run *r,
                char why[RUN_ERR_SIZE])
{
    const double patience =
        limits->cpu * PATIENCE_FACTOR > PATIENCE_MIN ? (double)limits->cpu * PATIENCE_FACTOR : PATIENCE_MIN;
    const double begin = now();
    struct sandbox_run s;
    bool ended;

    *r = (struct run){ .status = -1 };
    if (sandbox_spawn(what, argv, &s, why, RUN_ERR_SIZE))
        return -1;
    r->wrapped = s.wrapped;
    for (;;) {
        struct pollfd p = { .fd = s.output, .events = POLLIN };

        ended = sandbox_ended(&s); /* before what it printed is read: then that is all */
        if (!take(r, &s, limits->output) || ended)
            break;
        if (sandbox_cpu(&s) > (double)limits->cpu) {
            snprintf(r->ended, sizeof(r->ended), "it has used %llu s of CPU time", (unsigned long long)limits->cpu);
            break;
        }
        if (now() - begin > patience) {
            snprintf(r->ended, sizeof(r->ended), "it waits for something: it has not ended in %.0f s", patience);
            break;
        }
        if (poll(&p, 1, LOOK_MS) > 0 && !(p.revents & POLLIN))
            poll(NULL, 0, 1); /* its output is closed, and it is about to end */
    }
    r->limited = r->ended[0] != '\0';
    if (ended && !r->limited)
        end_say(r, &s);
    sandbox_end(&s);
    return 0;
}

void run_free(struct run *r)
{
    free(r->out);
    *r = (struct run){ 0 };
}
