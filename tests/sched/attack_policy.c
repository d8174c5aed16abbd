// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Policies that mean harm, one for each value of BAD: they want a report of their own, or to hurt who runs them. What
 * test_policy_attack.c expects the workbench to say of each.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tools/policy/wire.h"

static const char forged[] = "{\"policy\":\"forged\",\"fairness_error\":0.0000,\"fault\":null}\n";

static void forge(void)
{
    for (int fd = 1; fd < 3; fd++)
        if (write(fd, forged, sizeof(forged) - 1) < 0)
            _exit(9);
}

static jmp_buf in_init;

static int init(struct scheduler *s) { return setjmp(in_init) ? 0 : 0; }

static void at_exit(void) { forge(); }

static int try_open(const char *path, int flags) { return open(path, flags, 0600); }

/* The next answer, before its time; or the last one again. */
static void answer_twice(struct scheduler *s)
{
    static struct wire_answer a = { .kind = WIRE_ANSWER, .task = WIRE_NOBODY, .slice = -1 };

    for (a.call = 1; a.call < 100; a.call++) /* one of them is right */
        send(GUARDED_FD, &a, WIRE_ANSWER_SIZE, MSG_DONTWAIT);
}

static void attack(struct scheduler *s)
{
    char path[64], c[4096] = { 0 };

    (void)path;
    (void)c;
#if BAD == 1 /* a report, and an end that looks like success */
    forge();
    _exit(0);
#elif BAD == 2 /* what was behind the table once: a page shared with the judge */
    void (*report)(void *, FILE *) = (void (*)(void *, FILE *))dlsym(RTLD_DEFAULT, "wb_report_json");

    if (report)
        report((void *)s->ops, stdout);
    for (uintptr_t i = 0; i < 64; i++)
        memcpy(c + 8 * i, (const char *)s->ops + 8 * i, 8);
    forge();
    exit(0);
#elif BAD == 3
    for (int fd = 0; fd < 1024; fd++)
        if (write(fd, forged, sizeof(forged) - 1) < 0)
            continue;
#elif BAD == 4
    kill(getppid(), SIGKILL);
#elif BAD == 5
    kill(-1, SIGKILL);
#elif BAD == 6
    kill(0, SIGKILL);
#elif BAD == 7
    for (;;)
        fork();
#elif BAD == 8
    try_open("/tmp/attack_policy", O_CREAT | O_WRONLY);
#elif BAD == 9
    for (;;)
        memset(malloc(1 << 24), 1, 1 << 24);
#elif BAD == 10
    for (;;)
        pause();
#elif BAD == 11
    raise(SIGSTOP);
#elif BAD == 12
    close(GUARDED_FD);
#elif BAD == 13
    answer_twice(s);
#elif BAD == 14
    ptrace(PTRACE_ATTACH, getppid(), NULL, NULL);
#elif BAD == 15
    snprintf(path, sizeof(path), "/proc/%d/mem", getppid());
    try_open(path, O_RDWR);
#elif BAD == 16
    try_open("w", O_RDONLY);
#elif BAD == 17
    signal(SIGSYS, SIG_IGN);
    kill(getppid(), SIGKILL);
#elif BAD == 18
    longjmp(in_init, 1);
#elif BAD == 20
    atexit(at_exit);
    exit(0);
#elif BAD == 22
    syscall(SYS_setsid);
#elif BAD == 23
    socket(AF_INET, SOCK_STREAM, 0);
#elif BAD == 24
    syscall(SYS_tgkill, getppid(), getppid(), SIGKILL);
#elif BAD == 25
    fcntl(GUARDED_FD, F_SETOWN, getppid());
#elif BAD == 26
    prlimit(getppid(), RLIMIT_CPU, &(struct rlimit){ 0, 0 }, NULL);
#elif BAD == 27
    execl("/bin/sh", "sh", "-c", "true", NULL);
#elif BAD == 28 /* prints for ever */
    for (;;)
        puts(forged);
#elif BAD == 29
    for (int fd = 0; fd < 3; fd++)
        close(fd);
    abort();
#endif
}

#if BAD == 19 || BAD == 21 || BAD == 30 || BAD == 31 || BAD == 32
static void __attribute__((constructor)) constructor(void)
{
    char text[4096] = "";
    int fd;

    (void)fd;
#if BAD == 21 /* code of another object */
    dlopen("/tmp/attack_policy.so", RTLD_NOW);
#elif BAD == 30 /* the workload, while files can be opened still */
    fd = open(WORKLOAD, O_RDONLY);
    if (fd >= 0 && read(fd, text, sizeof(text) - 1) > 0)
        printf("stolen: %s\n", text);
#elif BAD == 32 /* the judge's memory */
    snprintf(text, sizeof(text), "/proc/%d/mem", getppid());
    if (open(text, O_RDONLY) >= 0)
        printf("owned\n");
#elif BAD == 31
    fd = open("/tmp/attack_policy", O_CREAT | O_WRONLY, 0600);
    while (fd >= 0 && write(fd, text, sizeof(text)) > 0)
        ;
#endif
    forge();
    _exit(0);
}
#endif

/* Answers of every kind, most of them nearly right, until somebody stops it. */
static _Noreturn void babble(struct scheduler *s)
{
    static char q[WIRE_MAX_QUESTION];
    static struct wire_answer a;
    struct wire_question *question = (struct wire_question *)q;

    question->call = 2; /* init was the first */
    question->clock_seq = s->xen->machine->clock.seq;
    for (bool first = true;; first = false) {
        uint64_t call, dice;

        memset(&a, 0, sizeof(a));
        a.kind = WIRE_ANSWER;
        a.task = WIRE_NOBODY;
        a.slice = 1000;
        a.expires = STIME_MAX;
        if (!first && recv(GUARDED_FD, q, sizeof(q), 0) <= 0)
            _exit(0);
        call = a.call = question->call;
        a.clock_seq = question->clock_seq;
        a.result = 1;
        dice = machine_random(s->xen->machine);
        for (unsigned int n = 1 + dice % 3; dice % 32 < 4 && n > 0; n--) { /* parts of it are something else */
            const uint64_t r = machine_random(s->xen->machine);
            const uint64_t v = r >> 20 & 1 ? machine_random(s->xen->machine) : r >> 21 & 1 ? ~0ull : r >> 24 & 15;
            void *at[] = { &a.task,      &a.slice,    &a.kicked,
                           &a.result,    &a.nr_moved, &a.moved[r >> 32 & 63].vcpu,
                           &a.expires,   &a.broken,   &a.broken_vcpu,
                           &a.clock_seq, &a.seq,      &a.kind };
            const unsigned int len[] = { 4, 8, 8, 8, 4, 8, 8, 4, 8, 8, 8, 4 };
            const unsigned int which = r % (dice >> 8 & 7 ? 4 : 12);

            memcpy(at[which], &v, len[which]);
        }
        if (!(dice >> 12 & 255))
            a.call = call + (dice >> 20 & 1 ? 1 : -1);
        send(GUARDED_FD, &a, dice >> 30 & 1023 ? WIRE_ANSWER_SIZE : dice >> 40 & 4095, MSG_NOSIGNAL);
    }
}

static void wake(struct scheduler *s, struct vcpu *v)
{
    if (BAD == 100)
        babble(s);
    attack(s);
}

static struct task_slice do_schedule(struct scheduler *s, unsigned int cpu, struct vcpu *prev, s_time_t now)
{
    if (BAD == 18)
        attack(s);
    return (struct task_slice){ NULL, MILLISECS(1) };
}

extern const struct sched_ops xenlab_sched_ops;
const struct sched_ops xenlab_sched_ops = {
    .name = "Attack",
    .opt_name = "attack",
    .init = init,
    .wake = BAD == 18 ? NULL : wake,
    .do_schedule = do_schedule,
};
