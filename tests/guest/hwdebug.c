// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * hwdebug: a Linux program that debugs others by debug registers, as gdb does with `watch`, `rwatch` and `hbreak`.
 *
 * Each traced process has breakpoints of its own, at addresses that all have, and moves from processor to processor;
 * others have none. Each must trap where it ought to, in order, and nobody else ever:
 *
 *      DR0: writes of `word`   DR1: reads and writes of it   DR2: function()   DR3: one byte in the middle of `block`
 *
 * Prints a line with the numbers of traps and of mistakes. Linked statically: the guest has no libraries.
 */
#define _GNU_SOURCE
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAX_PROCESSES 32
#define ROUNDS        40
#define DR7           (0x55ul | 0xdul << 16 | 0xful << 20 | 0x0ul << 24 | 0x1ul << 28)
#define DR_OFFSET(n)  (offsetof(struct user, u_debugreg) + (n) * sizeof(long))

static volatile int word;
static volatile char block[64];
static volatile int calls;
static long nr_cpus, mistakes, traps;

__attribute__((noinline)) static void function(void) { calls++; }

static void run_on(long cpu)
{
    cpu_set_t set;

    CPU_ZERO(&set);
    CPU_SET((size_t)(cpu % nr_cpus), &set);
    if (sched_setaffinity(0, sizeof(set), &set))
        _exit(1);
}

/* What each round is to trap for: bits of DR6. */
static const long expected[] = { 0x3, 0x2, 0x4, 0x8 };

static void rounds(int number)
{
    char zeros[64] = { 0 };

    for (int i = 0; i < ROUNDS; i++) {
        run_on(number + i);
        word = i;
        sched_yield();
        if (word != i)
            _exit(2);
        function();
        memcpy((char *)block, zeros, sizeof(zeros)); /* in pieces of any size: one of them holds the byte */
    }
    _exit(calls == ROUNDS ? 0 : 3);
}

static struct process {
    pid_t pid;
    int traps;
    int traced;
} process[MAX_PROCESSES];

static int start(struct process *p, int number, int traced)
{
    const long dr[4] = { (long)(uintptr_t)&word, (long)(uintptr_t)&word, (long)(uintptr_t)function,
                         (long)(uintptr_t)&block[37] };
    int status, failed = 0;

    p->traced = traced;
    p->pid = fork();
    if (p->pid == 0) {
        ptrace(PTRACE_TRACEME, 0, 0, 0);
        raise(SIGSTOP);
        rounds(number);
    }
    if (waitpid(p->pid, &status, 0) != p->pid || !WIFSTOPPED(status))
        return 1;
    for (int i = 0; traced && i < 4; i++)
        failed |= ptrace(PTRACE_POKEUSER, p->pid, DR_OFFSET(i), dr[i]) != 0;
    if (traced)
        failed |= ptrace(PTRACE_POKEUSER, p->pid, DR_OFFSET(7), DR7) != 0;
    return failed || ptrace(PTRACE_CONT, p->pid, 0, 0);
}

static void stopped(struct process *p, int status)
{
    const long dr6 = ptrace(PTRACE_PEEKUSER, p->pid, DR_OFFSET(6), 0) & 0xf;

    if (WSTOPSIG(status) != SIGTRAP || !p->traced || dr6 != expected[p->traps % 4])
        mistakes++;
    if (p->traps % 4 == 0 && (int)ptrace(PTRACE_PEEKDATA, p->pid, &word, 0) != p->traps / 4)
        mistakes++; /* behind the store, which has been made */
    p->traps++;
    traps++;
    ptrace(PTRACE_POKEUSER, p->pid, DR_OFFSET(6), 0);
    if (ptrace(PTRACE_CONT, p->pid, 0, WSTOPSIG(status) == SIGTRAP ? 0 : WSTOPSIG(status)))
        mistakes++;
}

int main(void)
{
    int n, left, status;
    pid_t pid;

    nr_cpus = sysconf(_SC_NPROCESSORS_ONLN);
    n = (int)(nr_cpus * 4 < MAX_PROCESSES ? nr_cpus * 4 : MAX_PROCESSES);
    for (int i = 0; i < n; i++)
        if (start(&process[i], i, i % 4 != 3)) {
            printf("hwdebug: the debug registers cannot be set\n");
            return 1;
        }
    for (left = n; left && (pid = waitpid(-1, &status, 0)) > 0;) {
        struct process *p = process;

        while (p->pid != pid)
            p++;
        if (WIFSTOPPED(status)) {
            stopped(p, status);
            continue;
        }
        left--;
        if (!WIFEXITED(status) || WEXITSTATUS(status) || p->traps != (p->traced ? 4 * ROUNDS : 0))
            mistakes++;
    }
    printf("hwdebug: %ld traps in %d processes on %ld processors: %ld mistakes\n", traps, n, nr_cpus, mistakes);
    return 0;
}
